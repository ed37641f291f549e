/* SPDX-License-Identifier: Apache-2.0 */

/* Bundles of evidence that real machines gave, under AMD's own roots. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "agent/bundle/collect.h"
#include "agent/bundle/verify.h"
#include "base/hex.h"
#include "base/json.h"
#include "tests/unit/unit.h"
#include "vtpm/hcl-claims.h"
#include "vtpm/hcl.h"

#define AZURE_TIME 1735689600 /* 2025-01-01, when every certificate below was valid */
#define TURIN_TIME 1772845473 /* 2026-03-07 */

static void take_hex(json_object *o, const char *member, Blob *ret) {
        const char *hex = json_object_get_string(json_object_object_get(o, member));

        ck_assert_int_eq(hex_decode(hex, strlen(hex), 65536, ret), 0);
}

/* SHA-256 values of all 24 PCRs, in order. */
static void take_pcrs(json_object *o, VtpmPcrValues *ret) {
        json_object *array = json_object_object_get(o, "pcrs");

        *ret = (VtpmPcrValues){ .hash = VTPM_ALG_SHA256, .mask = VTPM_PCR_MASK_ALL };
        ck_assert_uint_eq(json_object_array_length(array), VTPM_N_PCRS);
        for (unsigned i = 0; i < VTPM_N_PCRS; i++) {
                const char *hex = json_object_get_string(json_object_array_get_idx(array, i));

                ck_assert_int_eq(hex_decode_exact(hex, strlen(hex), ret->values[i], 32), 0);
        }
}

/* Recorded is the bare RSASSA signature. */
static void take_signature(json_object *o, Blob *ret) {
        VtpmSignature sig = { .scheme = VTPM_ALG_RSASSA, .hash = VTPM_ALG_SHA256 };
        AUTO_BLOB Blob raw = {};

        take_hex(o, "signature", &raw);
        ck_assert_uint_le(raw.size, sizeof(sig.rsa));
        (void) memcpy(sig.rsa, raw.data, raw.size);
        sig.rsa_size = raw.size;
        ck_assert_int_eq(vtpm_signature_encode(&sig, ret), 0);
}

static void take_ak(const VtpmHcl *hcl, Blob *ret) {
        VtpmHclClaims claims;

        ck_assert_int_eq(vtpm_hcl_claims_parse(hcl->claims, hcl->claims_size, &claims, NULL), 0);
        ck_assert_int_eq(vtpm_hcl_claims_ak(&claims, ret), 0);
}

/* What a confidential VM of Azure's answered to the nonce "challenge". */
static Bundle azure(void) {
        AUTO_BLOB Blob quote = vector_read("vtpm/azure/quote-2.json"), certs = vector_read("vtpm/azure/vcek-2.pem");
        AUTO_JSON json_object *o = NULL;
        Bundle b = { .writer = "recorded", .captured_at = AZURE_TIME, .nonce = "challenge", .nonce_size = 9,
                     .rule = BUNDLE_RULE_HCL, .has_tpm = true, .tpm = { .n_pcrs = 1 } };
        VtpmHcl hcl;

        b.tpm.hcl_report = vector_read("vtpm/azure/hcl-snp-2600.bin");
        ck_assert_int_eq(vtpm_hcl_parse(b.tpm.hcl_report.data, b.tpm.hcl_report.size, &hcl, NULL), 0);
        ck_assert_int_eq(blob_dup(hcl.report, SNP_REPORT_SIZE, &b.report), 0);
        ck_assert_int_eq(bundle_add_chain(&b, certs.data, certs.size, NULL), 0); /* VCEK, ASK, ARK */
        ck_assert_uint_eq(b.n_chain, 3);
        b.vek = b.chain[0];
        b.chain[0] = b.chain[--b.n_chain];
        b.chain[b.n_chain] = (Blob){};
        ck_assert_int_eq(json_parse(quote.data, quote.size, "quote", &o, NULL), 0);
        take_hex(o, "message", &b.tpm.attest);
        take_signature(o, &b.tpm.signature);
        take_pcrs(o, &b.tpm.pcrs[0]);
        take_ak(&hcl, &b.tpm.ak);
        return b;
}

static SnpOutcome judge(const Bundle *b, time_t at, BundleVerdict *v) {
        CLEANUP(snp_trust_freep) SnpTrust *trust = NULL;
        BundleQuestion q = { .at = at, .crl = { .mode = SNP_CRL_SOFT } };
        Error e = {};

        ck_assert_int_eq(snp_trust_new_amd(&trust, NULL), 0);
        q.trust = trust;
        ck_assert_msg(bundle_verify(b, &q, v, &e) == 0, "%s", e.text);
        ck_assert(!v->test_root);
        return v->outcome;
}

START_TEST(azures_evidence_is_bound_to_the_chip) {
        AUTO_BUNDLE Bundle b = azure(), again = {};
        AUTO_BUNDLE_VERDICT BundleVerdict v = {};
        AUTO_BLOB Blob text = {};

        ck_assert_int_eq(bundle_check(&b, NULL), 0);
        ck_assert_int_eq(bundle_encode(&b, &text, NULL), 0);
        ck_assert_int_eq(bundle_parse(text.data, text.size, &again, NULL), 0);
        ck_assert_msg(judge(&again, AZURE_TIME, &v) == SNP_ACCEPT, "%s", v.why.text);
        ck_assert_int_eq(v.binding.kind, VTPM_BINDING_HCL);
        ck_assert_int_eq(v.parts[BUNDLE_PART_QUOTE_NONCE].result, BUNDLE_OK);
        ck_assert_int_eq(v.parts[BUNDLE_PART_PCRS].result, BUNDLE_OK);
}
END_TEST

START_TEST(azures_evidence_answers_no_other_nonce) {
        AUTO_BUNDLE Bundle b = azure();
        AUTO_BUNDLE_VERDICT BundleVerdict v = {};

        b.nonce[0] ^= 1;
        ck_assert_int_eq(judge(&b, AZURE_TIME, &v), SNP_REJECT);
        ck_assert_int_eq(v.parts[BUNDLE_PART_QUOTE].result, BUNDLE_OK);
        ck_assert_int_eq(v.parts[BUNDLE_PART_QUOTE_NONCE].result, BUNDLE_FAILED);
}
END_TEST

START_TEST(a_report_of_a_turin_is_accepted_in_its_time) {
        Bundle b = { .writer = "recorded", .nonce_size = 1 }; /* its REPORT_DATA is zero */
        AUTO_BUNDLE_VERDICT BundleVerdict v = {}, late = {};

        b.report = vector_read("snp/reports/turin-v5-1.report.bin");
        b.vek = vector_read("snp/veks/turin-vcek-59790fb1-20260205-49d521.der");
        b.chain[b.n_chain++] = vector_read("snp/amd/turin-ask.der");
        b.chain[b.n_chain++] = vector_read("snp/amd/turin-ark.der");
        ck_assert_msg(judge(&b, TURIN_TIME, &v) == SNP_ACCEPT, "%s", v.why.text);
        ck_assert_int_eq(judge(&b, TURIN_TIME + INT64_C(10) * 365 * 86400, &late), SNP_REJECT);
        bundle_done(&b);
}
END_TEST

int main(void) {
        Suite *s = suite_create("bundle-recorded");
        TCase *c = tcase_create("recorded");

        if (!vectors_dir())
                return unit_skip("no recorded vectors");
        tcase_add_test(c, azures_evidence_is_bound_to_the_chip);
        tcase_add_test(c, azures_evidence_answers_no_other_nonce);
        tcase_add_test(c, a_report_of_a_turin_is_accepted_in_its_time);
        suite_add_tcase(s, c);
        return unit_run(s);
}
