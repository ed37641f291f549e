/* SPDX-License-Identifier: Apache-2.0 */
#include "vtpm/pcr-extend.h"

#include <errno.h>
#include <string.h>

#include "vtpm/esys.h"
#include "vtpm/pcr.h"

static bool bank_has(const VtpmPcrSelection *banks, uint16_t hash, unsigned pcr) {
        for (size_t i = 0; i < banks->n_banks; i++)
                if (banks->banks[i].hash == hash)
                        return banks->banks[i].mask >> pcr & 1;
        return false;
}

static int check_pcr(unsigned pcr, Error *e) {
        if (pcr >= VTPM_N_PCRS)
                return error_set(e, -EINVAL, "pcr-number", "There is no PCR %u, they are 0 to %u", pcr,
                                 VTPM_N_PCRS - 1);
        return 0;
}

int vtpm_pcr_digests(const VtpmPcrSelection *banks, unsigned pcr, const void *data, size_t size, VtpmPcrDigest *ret,
                     size_t *ret_n, Error *e) {
        size_t n = 0;
        int r = check_pcr(pcr, e);

        for (size_t i = 0; i < banks->n_banks && r == 0; i++) {
                uint16_t hash = banks->banks[i].hash;

                if (vtpm_hash_size(hash) == 0 || !bank_has(banks, hash, pcr) || n == VTPM_HASHES_MAX)
                        continue;
                ret[n].hash = hash;
                r = vtpm_hash_bytes(hash, data, size, ret[n++].bytes, e);
        }
        if (r == 0 && n == 0)
                return error_set(e, -EOPNOTSUPP, "pcr-bank-absent",
                                 "The TPM keeps PCR %u in no bank that we can compute", pcr);
        if (r == 0)
                *ret_n = n;
        return r;
}

static int check_digests(const VtpmPcrDigest *digests, size_t n, Error *e) {
        if (n == 0 || n > VTPM_HASHES_MAX)
                return error_set(e, -EINVAL, "pcr-digests", "A PCR is extended in 1 to %u banks, not %zu",
                                 VTPM_HASHES_MAX, n);
        for (size_t i = 0; i < n; i++) {
                if (vtpm_hash_size(digests[i].hash) == 0)
                        return error_set(e, -EINVAL, "pcr-digests", "Bank 0x%04x is not known", digests[i].hash);
                for (size_t j = 0; j < i; j++)
                        if (digests[j].hash == digests[i].hash)
                                return error_set(e, -EINVAL, "pcr-digests", "Two digests for bank %s",
                                                 vtpm_hash_name(digests[i].hash));
        }
        return 0;
}

static int check_banks(VtpmContext *ctx, unsigned pcr, const VtpmPcrDigest *digests, size_t n, Error *e) {
        VtpmPcrSelection banks;
        int r = vtpm_pcr_banks(ctx, &banks, e);

        for (size_t i = 0; i < n && r == 0; i++)
                if (!bank_has(&banks, digests[i].hash, pcr))
                        return error_set(e, -EOPNOTSUPP, "pcr-bank-absent",
                                         "The TPM has no %s bank, or not PCR %u in it",
                                         vtpm_hash_name(digests[i].hash), pcr);
        return r;
}

static TPML_DIGEST_VALUES values_of(const VtpmPcrDigest *digests, size_t n) {
        TPML_DIGEST_VALUES v = { .count = (uint32_t) n };

        for (size_t i = 0; i < n; i++) {
                v.digests[i].hashAlg = digests[i].hash;
                (void) memcpy(&v.digests[i].digest, digests[i].bytes, vtpm_hash_size(digests[i].hash));
        }
        return v;
}

int vtpm_pcr_extend(VtpmContext *ctx, unsigned pcr, const VtpmPcrDigest *digests, size_t n_digests, Error *e) {
        ESYS_CONTEXT *esys = vtpm_context_esys(ctx);
        TPML_DIGEST_VALUES values;
        Error why = {};
        TSS2_RC rc;
        int r;

        r = check_pcr(pcr, e);
        if (r == 0)
                r = check_digests(digests, n_digests, e);
        if (r == 0)
                r = check_banks(ctx, pcr, digests, n_digests, e);
        if (r < 0)
                return r;
        values = values_of(digests, n_digests);
        r = VTPM_CALL_RC(ctx, "TPM2_PCR_Extend",
                         Esys_PCR_Extend_Async(esys, ESYS_TR_PCR0 + pcr, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                                               &values),
                         Esys_PCR_Extend_Finish(esys), &rc, &why);
        if (r < 0 && rc == TPM2_RC_LOCALITY)
                return error_set(e, -EACCES, "pcr-locality",
                                 "PCR %u can only be extended from another locality than the operating system's", pcr);
        return r < 0 ? error_set(e, r, error_reason(&why, r), "%s", error_text(&why, r)) : 0;
}
