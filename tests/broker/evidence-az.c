/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/broker/evidence-az.h"

#include <errno.h>
#include <string.h>

#include "base/base64.h"
#include "base/hex.h"
#include "base/json.h"
#include "vtpm/alg.h"
#include "vtpm/attest.h"

#define TEXT_MAX 30000u
#define HCL_MAX 16384u
#define SIGNATURE_SIZE 256u
#define PCR_SIZE 32u

/* Trustee takes base64url with and without padding. */
static int get_base64(json_object *o, const char *name, size_t max, Blob *ret, Error *e) {
        const char *text;
        size_t n;
        int r = json_get_str(o, name, TEXT_MAX, &text, e);

        if (r < 0)
                return r;
        n = strlen(text);
        r = base64_decode(n > 0 && text[n - 1] == '=' ? BASE64_URL_PADDED : BASE64_URL, text, n, max, ret);
        return r < 0 ? error_set(e, -EBADMSG, "evidence", "'%s' is not base64url of at most %zu bytes", name, max) : 0;
}

static int get_hex(json_object *o, const char *name, size_t max, Blob *ret, Error *e) {
        const char *text;
        int r = json_get_str(o, name, TEXT_MAX, &text, e);

        if (r < 0)
                return r;
        r = hex_decode(text, strlen(text), max, ret);
        return r < 0 ? error_set(e, -EBADMSG, "evidence", "'%s' is not hex of at most %zu bytes", name, max) : 0;
}

static int take_pcrs(json_object *quote, VtpmPcrValues *to, Error *e) {
        json_object *pcrs;
        int r = json_get_array(quote, "pcrs", VTPM_N_PCRS, &pcrs, e);

        if (r < 0)
                return r;
        if (json_object_array_length(pcrs) != VTPM_N_PCRS)
                return error_set(e, -EBADMSG, "evidence", "'pcrs' has not %u values", VTPM_N_PCRS);
        *to = (VtpmPcrValues){ .hash = VTPM_ALG_SHA256, .mask = VTPM_PCR_MASK_ALL };
        for (unsigned i = 0; i < VTPM_N_PCRS; i++) {
                json_object *item = json_object_array_get_idx(pcrs, i);

                if (!json_object_is_type(item, json_type_string) ||
                    hex_decode_exact(json_object_get_string(item), (size_t) json_object_get_string_len(item),
                                     to->values[i], PCR_SIZE) < 0)
                        return error_set(e, -EBADMSG, "evidence", "PCR %u is not %u bytes in hex", i, PCR_SIZE);
        }
        return 0;
}

static int take_quote(json_object *o, BrokerEvidenceAz *to, Error *e) {
        json_object *quote;
        int r = json_get_obj(o, "tpm_quote", &quote, e);

        if (r == 0)
                r = get_hex(quote, "signature", SIGNATURE_SIZE, &to->signature, e);
        if (r == 0)
                r = get_hex(quote, "message", VTPM_ATTEST_SIZE_MAX, &to->attest, e);
        if (r == 0)
                r = take_pcrs(quote, &to->pcrs, e);
        if (r == 0 && to->signature.size != SIGNATURE_SIZE)
                return error_set(e, -EBADMSG, "evidence", "'signature' is not %u bytes", SIGNATURE_SIZE);
        return r;
}

static int take_report(json_object *o, BrokerEvidenceAz *to, Error *e) {
        int r = get_base64(o, "hcl_report", HCL_MAX, &to->hcl_bytes, e);

        if (r == 0)
                r = vtpm_hcl_parse(to->hcl_bytes.data, to->hcl_bytes.size, &to->hcl, e);
        if (r < 0)
                return r;
        if (to->hcl.type != VTPM_HCL_SNP)
                return error_set(e, -EOPNOTSUPP, "evidence", "'hcl_report' is of %s, not of SNP",
                                 vtpm_hcl_type_name(to->hcl.type));
        (void) memcpy(to->snp.report, to->hcl.report, sizeof(to->snp.report));
        to->snp.has_chain = true;
        to->snp.certs[0].is_vek = true;
        to->snp.n_certs = 1;
        return get_base64(o, "vcek", SNP_CERT_SIZE_MAX, &to->snp.certs[0].bytes, e);
}

int broker_evidence_az_parse(json_object *o, BrokerEvidenceAz *ret, Error *e) {
        AUTO_BROKER_EVIDENCE_AZ BrokerEvidenceAz evidence = {};
        uint64_t version;
        int r = json_get_u64(o, "version", UINT32_MAX, &version, e);

        if (r < 0)
                return r;
        if (version != 2)
                return error_set(e, -EOPNOTSUPP, "evidence", "Version %llu of the evidence is not 2",
                                 (unsigned long long) version);
        r = take_quote(o, &evidence, e);
        if (r == 0)
                r = take_report(o, &evidence, e);
        if (r < 0)
                return r;
        *ret = evidence;
        evidence = (BrokerEvidenceAz){};
        return 0;
}

void broker_evidence_az_done(BrokerEvidenceAz *evidence) {
        blob_done(&evidence->hcl_bytes);
        blob_done(&evidence->attest);
        blob_done(&evidence->signature);
        broker_evidence_done(&evidence->snp);
}
