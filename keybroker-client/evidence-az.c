/* SPDX-License-Identifier: Apache-2.0 */
/* The shape is that of Trustee, deps/verifier/src/az_snp_vtpm: hex in the quote, base64url with padding outside. */
#include "keybroker-client/evidence-az.h"

#include <assert.h>
#include <errno.h>

#include "base/base64.h"
#include "base/hex.h"
#include "base/writer.h"
#include "keybroker-client/evidence.h"
#include "snp/report.h"
#include "vtpm/alg.h"
#include "vtpm/attest.h"
#include "vtpm/hcl.h"
#include "vtpm/nv.h"
#include "vtpm/signature.h"

#define CERT_MAX 8192u /* AMD's have some 1400 bytes */
#define HCL_MAX VTPM_NV_SIZE_MAX
#define QUOTE_TEXT_MAX (2u * (VTPM_RSA_SIZE_MAX + VTPM_ATTEST_SIZE_MAX + VTPM_N_PCRS * 32u))
#define EVIDENCE_MAX (2u * (HCL_MAX + CERT_MAX) + QUOTE_TEXT_MAX + 1024u)

static_assert(VTPM_HCL_REPORT_SIZE == SNP_REPORT_SIZE, "the slot is as large as a report");

static void put_text(Writer *w, char *text) {
        if (text)
                wr_str(w, text);
        else if (w->error == 0)
                w->error = -ENOMEM;
        free(text);
}

static void put_hex(Writer *w, const void *data, size_t size) {
        wr_u8(w, '"');
        put_text(w, hex_encode(data, size));
        wr_u8(w, '"');
}

static void put_base64(Writer *w, const void *data, size_t size) {
        wr_u8(w, '"');
        put_text(w, base64_encode(BASE64_URL_PADDED, data, size));
        wr_u8(w, '"');
}

static void put_quote(Writer *w, const KbcAzEvidence *in, const VtpmSignature *signature) {
        wr_str(w, "{\"signature\":");
        put_hex(w, signature->rsa, signature->rsa_size);
        wr_str(w, ",\"message\":");
        put_hex(w, in->attest, in->attest_size);
        wr_str(w, ",\"pcrs\":[");
        for (unsigned i = 0; i < VTPM_N_PCRS; i++) {
                if (i > 0)
                        wr_u8(w, ',');
                put_hex(w, in->pcrs->values[i], vtpm_hash_size(in->pcrs->hash));
        }
        wr_str(w, "]}");
}

static int check_sizes(const KbcAzEvidence *in, Error *e) {
        if (!in->vcek || in->vcek_size == 0)
                return error_set(e, -ENOENT, "no-certificate", "There is no VCEK certificate yet, which evidence of "
                                 "TEE type '" KBC_TEE_AZ_SNP_VTPM "' must have");
        if (in->vcek_size > CERT_MAX)
                return error_set(e, -E2BIG, "certificate-too-large", "VCEK of %zu bytes exceeds the limit of %u",
                                 in->vcek_size, CERT_MAX);
        if (in->hcl_size > HCL_MAX || in->attest_size > VTPM_ATTEST_SIZE_MAX)
                return error_set(e, -E2BIG, "evidence-size", "HCL report or quote exceed their limits");
        return 0;
}

static int read_quote(const KbcAzEvidence *in, VtpmSignature *ret, Error *e) {
        int r = vtpm_signature_parse(in->signature, in->signature_size, ret, e);

        if (r < 0)
                return r;
        if (ret->scheme != VTPM_ALG_RSASSA || ret->hash != VTPM_ALG_SHA256)
                return error_set(e, -EOPNOTSUPP, "quote-scheme",
                                 "The quote is not signed by RSASSA with SHA-256, which the evidence's format wants");
        if (in->pcrs->hash != VTPM_ALG_SHA256 || in->pcrs->mask != VTPM_PCR_MASK_ALL)
                return error_set(e, -EOPNOTSUPP, "quote-pcrs",
                                 "The quote is not over all PCRs of the SHA-256 bank, as its format wants it");
        return 0;
}

static int read_report(const KbcAzEvidence *in, unsigned *ret_warnings, Error *e) {
        SnpReport report;
        VtpmHcl hcl;
        int r;

        r = vtpm_hcl_parse(in->hcl, in->hcl_size, &hcl, e);
        if (r < 0)
                return r;
        if (hcl.type != VTPM_HCL_SNP)
                return error_set(e, -EOPNOTSUPP, "hcl-not-snp", "The HCL report holds a report of type %s, not of SNP",
                                 vtpm_hcl_type_name(hcl.type));
        r = snp_report_parse(hcl.report, VTPM_HCL_REPORT_SIZE, &report, e);
        if (r < 0)
                return r;
        *ret_warnings = (report.has_cpuid ? 0 : KBC_EVIDENCE_WARN_VERSION) |
                        (report.vmpl == 0 ? 0 : KBC_EVIDENCE_WARN_VMPL) |
                        (report.signing_key == SNP_SIGNING_KEY_NONE ? KBC_EVIDENCE_WARN_UNSIGNED : 0);
        return 0;
}

int kbc_evidence_az(const KbcAzEvidence *in, KbcEvidence *ret, unsigned *ret_warnings, Error *e) {
        AUTO_WRITER Writer w = wr_init(EVIDENCE_MAX);
        VtpmSignature signature;
        unsigned warnings = 0;
        int r;

        r = check_sizes(in, e);
        if (r == 0)
                r = read_quote(in, &signature, e);
        if (r == 0)
                r = read_report(in, &warnings, e);
        if (r < 0)
                return r;
        wr_str(&w, "{\"version\":2,\"tpm_quote\":");
        put_quote(&w, in, &signature);
        wr_str(&w, ",\"hcl_report\":");
        put_base64(&w, in->hcl, in->hcl_size);
        wr_str(&w, ",\"vcek\":");
        put_base64(&w, in->vcek, in->vcek_size);
        wr_u8(&w, '}');
        r = wr_finish(&w, &ret->json);
        if (r < 0)
                return error_set(e, r, "evidence-size", "Evidence does not fit: %s", error_text(NULL, r));
        if (ret_warnings)
                *ret_warnings = warnings;
        return 0;
}
