/* SPDX-License-Identifier: Apache-2.0 */

/* Judging bundles: each part with evidence that holds and evidence that does not, and what the outcome is made of. */

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/bundle/verify.h"
#include "tests/unit/bundle/fixture.h"
#include "tests/unit/snp/forge.h"
#include "tests/unit/unit.h"

static SimPki *pki, *impostor;
static SoftAk rsa, ecc;
static SnpTrust *trust;

/* A result for each part: o ok, F failed, u unproven, - absent, n not asked, . not done. */
static const char letters[] = { [BUNDLE_NOT_DONE] = '.', [BUNDLE_OK] = 'o',     [BUNDLE_FAILED] = 'F',
                                [BUNDLE_UNPROVEN] = 'u', [BUNDLE_ABSENT] = '-', [BUNDLE_NOT_ASKED] = 'n' };

static BundleQuestion question(void) {
        return (BundleQuestion){ .trust = trust, .at = FORGE_NOW, .crl = { .mode = SNP_CRL_SOFT } };
}

static void expect_by(const Bundle *b, const BundleQuestion *q, const char *want, const char *reason) {
        AUTO_BUNDLE_VERDICT BundleVerdict v = {};
        char got[BUNDLE_N_PARTS + 1] = {};
        Error e = {};

        ck_assert_msg(bundle_verify(b, q, &v, &e) == 0, "%s", e.text);
        for (BundlePart i = 0; i < BUNDLE_N_PARTS; i++) {
                got[i] = letters[v.parts[i].result];
                ck_assert_msg(v.parts[i].detail[0], "%s says nothing", bundle_part_name(i));
                ck_assert((v.parts[i].result == BUNDLE_OK) == (v.parts[i].reason == NULL));
        }
        ck_assert_msg(strcmp(got, want) == 0, "%s instead of %s: %s", got, want, v.why.text);
        ck_assert_int_eq(v.outcome, reason ? SNP_REJECT : SNP_ACCEPT);
        if (reason)
                ck_assert_str_eq(v.why.reason, reason);
        ck_assert((v.binding.kind != VTPM_BINDING_NONE) == (v.parts[BUNDLE_PART_BINDING].result == BUNDLE_OK));
        ck_assert(v.test_root);
}

static void expect(const Bundle *b, const char *want, const char *reason) {
        BundleQuestion q = question();

        expect_by(b, &q, want, reason);
}

START_TEST(a_report_alone_is_accepted) {
        AUTO_BUNDLE Bundle b = fixture_bundle(pki);
        BundleQuestion q = question();

        expect(&b, "oouo-----n", NULL);
        q.nonce = b.nonce;
        q.nonce_size = b.nonce_size;
        expect_by(&b, &q, "oooo-----n", NULL);
}
END_TEST

START_TEST(another_nonce_than_the_verifiers_rejects) {
        AUTO_BUNDLE Bundle b = fixture_bundle(pki);
        BundleQuestion q = question();
        uint8_t nonce[BUNDLE_NONCE_MAX];

        (void) memcpy(nonce, b.nonce, sizeof(nonce));
        q.nonce = nonce;
        q.nonce_size = b.nonce_size - 1;
        expect_by(&b, &q, "ooFo-----n", "nonce-mismatch");
        q.nonce_size = b.nonce_size;
        nonce[31] ^= 1;
        expect_by(&b, &q, "ooFo-----n", "nonce-mismatch");
}
END_TEST

START_TEST(report_data_must_follow_from_the_nonce) {
        AUTO_BUNDLE Bundle b = fixture_bundle(pki);

        b.nonce[0] ^= 1;
        expect(&b, "oouF-----n", "report-data-mismatch");
        b.nonce[0] ^= 1;
        b.nonce_size--; /* a shorter nonce is another one */
        expect(&b, "oouF-----n", "report-data-mismatch");
        b.nonce_size++;
        b.rule = BUNDLE_RULE_SVSM; /* of a manifest that is not there */
        expect(&b, "oouF-----n", "svsm-manifest");
        b.rule = BUNDLE_RULE_HCL;
        expect(&b, "oouF-----n", "hcl-report");
        b.rule = BUNDLE_N_RULES;
        expect(&b, "oouF-----n", "bundle-rule");
}
END_TEST

START_TEST(nothing_counts_that_an_unverified_report_says) {
        AUTO_BUNDLE Bundle b = fixture_bundle(pki), azure = fixture_azure(pki, &rsa);
        AUTO_BUNDLE Bundle short_one = fixture_bundle(pki);

        b.report.data[0x90] ^= 1; /* MEASUREMENT */
        expect(&b, "Fou.-----n", "signature");
        azure.report.data[0x90] ^= 1;
        expect(&azure, "Fou.oooo.n", "signature");
        short_one.report.size--;
        expect(&short_one, "F.u.-----n", "report-truncated");
        short_one.report.size++;
}
END_TEST

START_TEST(certificates_count_at_the_time_that_the_verifier_names) {
        AUTO_BUNDLE Bundle b = fixture_bundle(pki);
        BundleQuestion q = question();

        q.at = FORGE_NOW + INT64_C(8) * 365 * 86400; /* the VCEK lives seven years */
        b.captured_at = FORGE_NOW;                   /* and what the bundle says is nothing to go by */
        expect_by(&b, &q, "F.u.-----n", "cert-expired");
        q.at = FORGE_NOW - INT64_C(3) * 365 * 86400;
        expect_by(&b, &q, "F.u.-----n", "cert-not-yet-valid");
}
END_TEST

START_TEST(an_impostors_chain_is_rejected) {
        AUTO_BUNDLE Bundle b = fixture_bundle(impostor);

        expect(&b, "F.u.-----n", "root-untrusted");
}
END_TEST

START_TEST(a_missing_certificate_leaves_it_unjudged) {
        AUTO_BUNDLE Bundle b = fixture_bundle(pki);
        BundleQuestion q = question();
        BundleVerdict v;
        Error e = {};

        blob_done(&b.chain[0]);
        b.chain[0] = blob_take(&b.chain[1]);
        b.n_chain = 1;
        ck_assert_int_eq(bundle_verify(&b, &q, &v, &e), -ENOENT);
        ck_assert_str_eq(e.reason, "cert-missing");
        ck_assert_int_eq(v.outcome, SNP_REJECT);
        bundle_verdict_done(&v);
}
END_TEST

/* Revocation */

static void drop_lists(Bundle *b) {
        for (size_t i = 0; i < b->n_crls; i++)
                blob_done(&b->crls[i]);
        b->n_crls = 0;
}

START_TEST(lists_are_asked_for_as_the_mode_says) {
        AUTO_BUNDLE Bundle b = fixture_bundle(pki), without = fixture_bundle(pki);
        BundleQuestion q = question();

        drop_lists(&without);
        q.crl.mode = SNP_CRL_OFF;
        expect_by(&b, &q, "onuo-----n", NULL);
        q.crl.mode = SNP_CRL_HARD;
        expect_by(&b, &q, "oouo-----n", NULL);
        expect_by(&without, &q, "FFu.-----n", "crl-refused");
        q.crl.mode = SNP_CRL_SOFT;
        expect_by(&without, &q, "ouuo-----n", NULL);
}
END_TEST

START_TEST(a_revoked_issuer_rejects_wherever_its_list_stands) {
        SimPkiParams params = sim_pki_params(SIM_MILAN);
        CLEANUP(sim_pki_freep) SimPki *revoked = NULL;
        AUTO_BUNDLE Bundle b = fixture_bundle(pki);
        AUTO_BLOB Blob list = {};

        params.csp_id = "CN=cc-us-east-2.amazonaws.com";
        params.not_before = FORGE_NOW - 86400;
        params.revoke_ask = true;
        ck_assert_int_eq(sim_pki_new(&params, pki, &revoked, NULL), 0);
        ck_assert_int_eq(sim_pki_crl_der(revoked, SIM_CRL_VCEK, &list, NULL), 0);
        blob_done(&b.crls[_i]); /* before or behind one that does not revoke */
        b.crls[_i] = blob_take(&list);
        if (_i == 1) {
                blob_done(&b.crls[0]);
                ck_assert_int_eq(sim_pki_crl_der(pki, SIM_CRL_VCEK, &b.crls[0], NULL), 0);
        }
        {
                BundleQuestion q = question();
                AUTO_BUNDLE_VERDICT BundleVerdict v = {};

                ck_assert_int_eq(bundle_verify(&b, &q, &v, NULL), 0);
                ck_assert_int_eq(v.outcome, SNP_REJECT);
                ck_assert_int_eq(v.parts[BUNDLE_PART_REVOCATION].result, BUNDLE_FAILED);
                ck_assert_int_eq(v.crl.state, SNP_CRL_REVOKED);
        }
}
END_TEST

/* TPM */

START_TEST(an_unbound_quote_is_told_and_stands_in_nobodys_way) {
        AUTO_BUNDLE Bundle b = fixture_bundle(pki);
        BundleQuestion q = question();
        AUTO_BUNDLE_VERDICT BundleVerdict v = {};

        fixture_add_tpm(&b, _i == 0 ? &rsa : &ecc);
        expect(&b, "oouoooooun", NULL);
        ck_assert_int_eq(bundle_verify(&b, &q, &v, NULL), 0);
        ck_assert_str_eq(v.parts[BUNDLE_PART_BINDING].reason, "tpm-unbound");
        ck_assert_int_eq(v.quote.outcome, VTPM_ACCEPT);
        ck_assert_uint_eq(v.explained[0], 0xff);
        ck_assert_uint_eq(v.explained[1], 0xff);
        ck_assert_int_eq(v.secure_boot, BUNDLE_SECURE_BOOT_ON);
}
END_TEST

static void flip_attest(Bundle *b) {
        b->tpm.attest.data[b->tpm.attest.size - 1] ^= 1;
}
static void flip_signature(Bundle *b) {
        b->tpm.signature.data[20] ^= 1;
}
static void cut_attest(Bundle *b) {
        b->tpm.attest.size--;
}
static void cut_ak(Bundle *b) {
        b->tpm.ak.size--;
}
static void other_nonce(Bundle *b) {
        b->nonce[0] ^= 1;
        fixture_quote(b, &rsa);
        b->nonce[0] ^= 1;
}
static void other_value(Bundle *b) {
        b->tpm.pcrs[0].values[3][0] ^= 1;
}
static void fewer_values(Bundle *b) {
        b->tpm.n_pcrs--;
}
static void other_key(Bundle *b) {
        AUTO_BLOB Blob ak = soft_public(&ecc);

        blob_done(&b->tpm.ak);
        b->tpm.ak = blob_take(&ak);
}
static void cut_log(Bundle *b) {
        b->tpm.event_log.size--;
}
static void empty_selection(Bundle *b) {
        b->tpm.n_pcrs = 0;
        fixture_quote(b, &rsa);
}
static void no_log(Bundle *b) {
        blob_done(&b->tpm.event_log);
}
static void extended_since(Bundle *b) {
        b->tpm.pcrs[0].values[7][0] ^= 1;
        fixture_quote(b, &rsa);
}
static void another_boot(Bundle *b) {
        for (size_t i = 0; i < b->tpm.n_pcrs; i++)
                (void) memset(b->tpm.pcrs[i].values, 0x77, sizeof(b->tpm.pcrs[i].values));
        fixture_quote(b, &rsa);
}

static const struct {
        const char *why;
        void (*change)(Bundle *b);
        const char *want, *reason;
} quotes[] = {
        { "digest flipped", flip_attest, "oouoFoF.un", "quote-signature" },
        { "signature flipped", flip_signature, "oouoFoo.un", "quote-signature" },
        { "cut", cut_attest, "oouoFFF.un", NULL },
        { "key cut", cut_ak, "oouoFFF.un", NULL },
        { "another nonce", other_nonce, "oouooFooun", "quote-nonce" },
        { "another value", other_value, "oouoooF.un", "quote-pcr-digest" },
        { "a bank's values missing", fewer_values, "oouoooF.un", "quote-pcr-values" },
        { "another key", other_key, "oouoFoo.un", NULL },
        { "nothing selected", empty_selection, "oouoFFF.un", NULL },
        { "log cut", cut_log, "oouooooFun", NULL },
        { "no log", no_log, "oouoooo-un", NULL },
        { "PCR 7 extended since", extended_since, "oouoooouun", NULL },
        { "log of another boot", another_boot, "oouoooouun", NULL },
};

START_TEST(a_quote_must_hold) {
        AUTO_BUNDLE Bundle b = fixture_bundle(pki);
        BundleQuestion q = question();
        AUTO_BUNDLE_VERDICT BundleVerdict v = {};
        const char *want = quotes[_i].want;

        fixture_add_tpm(&b, &rsa);
        quotes[_i].change(&b);
        ck_assert_int_eq(bundle_verify(&b, &q, &v, NULL), 0);
        for (BundlePart i = 0; i < BUNDLE_N_PARTS; i++)
                ck_assert_msg(letters[v.parts[i].result] == want[i], "%s: %s is %s: %s", quotes[_i].why,
                              bundle_part_name(i), bundle_result_name(v.parts[i].result), v.parts[i].detail);
        ck_assert((v.outcome == SNP_REJECT) == (strpbrk(want, "F.") != NULL));
        if (quotes[_i].reason)
                ck_assert_str_eq(v.why.reason, quotes[_i].reason);
}
END_TEST

START_TEST(secure_boot_is_what_a_log_that_leads_to_pcr_7_says) {
        AUTO_BUNDLE Bundle b = fixture_bundle(pki);
        BundleQuestion q = question();
        AUTO_BUNDLE_VERDICT BundleVerdict on = {}, off = {}, unknown = {};

        fixture_add_tpm(&b, &rsa);
        ck_assert_int_eq(bundle_verify(&b, &q, &on, NULL), 0);
        ck_assert_int_eq(on.secure_boot, BUNDLE_SECURE_BOOT_ON);
        blob_done(&b.tpm.event_log);
        b.tpm.event_log = fixture_event_log(false);
        ck_assert_int_eq(bundle_verify(&b, &q, &unknown, NULL), 0); /* the quote is of the other log */
        ck_assert_int_eq(unknown.secure_boot, BUNDLE_SECURE_BOOT_UNKNOWN);
        fixture_replay(&b);
        fixture_quote(&b, &rsa);
        ck_assert_int_eq(bundle_verify(&b, &q, &off, NULL), 0);
        ck_assert_int_eq(off.secure_boot, BUNDLE_SECURE_BOOT_OFF);
        ck_assert_str_eq(bundle_secure_boot_name(on.secure_boot), "on");
        ck_assert_str_eq(bundle_secure_boot_name(off.secure_boot), "off");
        ck_assert_str_eq(bundle_secure_boot_name(unknown.secure_boot), "unknown");
}
END_TEST

START_TEST(secure_boot_is_firmwares_word_alone) {
        AUTO_BUNDLE Bundle b = fixture_bundle(pki);
        BundleQuestion q = question();
        AUTO_BUNDLE_VERDICT BundleVerdict v = {};

        fixture_add_tpm(&b, &rsa);
        blob_done(&b.tpm.event_log);
        b.tpm.event_log = fixture_forged_event_log(_i);
        fixture_replay(&b);
        fixture_quote(&b, &rsa);
        ck_assert_int_eq(bundle_verify(&b, &q, &v, NULL), 0);
        ck_assert_int_eq(v.parts[BUNDLE_PART_EVENT_LOG].result, BUNDLE_OK); /* it does lead there */
        ck_assert_int_eq(v.secure_boot, BUNDLE_SECURE_BOOT_UNKNOWN);
}
END_TEST

/* Binding */

START_TEST(azures_tpm_is_bound_by_its_claims) {
        AUTO_BUNDLE Bundle b = fixture_azure(pki, &rsa);

        expect(&b, "oouoooooon", NULL);
}
END_TEST

/* By this rule only the quote has the nonce: without a bound one the bundle is of any time. */
START_TEST(azures_report_without_its_tpm_is_nothing) {
        AUTO_BUNDLE Bundle other = fixture_azure(pki, &rsa), foreign = fixture_azure(pki, &rsa);
        AUTO_BUNDLE Bundle again = fixture_azure(pki, &rsa);
        SoftAk second = soft_ak_new(VTPM_ALG_RSASSA, VTPM_ALG_SHA256, 0);

        fixture_quote(&other, &second); /* by another TPM */
        expect(&other, "oouoooooFn", "hcl-ak");
        foreign.tpm.hcl_report.data[0x20 + 0x90] ^= 1; /* another report inside */
        expect(&foreign, "oouoooooFn", "hcl-report");
        again.tpm.hcl_report.data[again.tpm.hcl_report.size / 2] ^= 1; /* the claims */
        expect(&again, "oouFooooFn", "report-data-mismatch");
        soft_ak_done(&second);
}
END_TEST

START_TEST(an_svsms_tpm_is_bound_where_the_manifest_has_the_signing_key) {
        AUTO_BUNDLE Bundle one = fixture_svsm(pki, &ecc, 1), zero = fixture_svsm(pki, &ecc, 0);
        BundleQuestion q = question();
        AUTO_BUNDLE_VERDICT BundleVerdict v = {};

        expect(&one, "oouoooooon", NULL);
        expect(&zero, "oouoooooun", NULL);
        ck_assert_int_eq(bundle_verify(&zero, &q, &v, NULL), 0);
        ck_assert_str_eq(v.parts[BUNDLE_PART_BINDING].reason, "svsm-ak");
        fixture_quote(&one, &rsa); /* a key that the manifest has not */
        expect(&one, "oouoooooun", NULL);
        one.svsm_manifest.data[8] ^= 1;
        expect(&one, "oouFooooun", "report-data-mismatch");
}
END_TEST

/* Policy */

static void judge_by(const char *text, const Bundle *b, const char *denied) {
        AUTO_BUNDLE_POLICY BundlePolicy policy = {};
        AUTO_BUNDLE_VERDICT BundleVerdict v = {};
        BundleQuestion q = question();
        Error e = {};

        ck_assert_msg(bundle_policy_parse("policy", text, strlen(text), &policy, &e) == 0, "%s", e.text);
        q.policy = &policy;
        ck_assert_int_eq(bundle_verify(b, &q, &v, NULL), 0);
        ck_assert_msg(v.outcome == (denied ? SNP_REJECT : SNP_ACCEPT), "%s: %s", text, v.why.text);
        ck_assert_int_eq(v.parts[BUNDLE_PART_POLICY].result, denied ? BUNDLE_FAILED : BUNDLE_OK);
        if (!denied) {
                ck_assert_int_eq(v.tpm_appraisal.outcome, SNP_ALLOW);
                return;
        }
        ck_assert_str_eq(v.parts[BUNDLE_PART_POLICY].reason, denied);
        for (TpmClaim i = 0; i < TPM_N_CLAIMS; i++)
                if (v.tpm_appraisal.findings[i].verdict == SNP_CLAIM_DENIED)
                        ck_assert_msg(v.tpm_appraisal.findings[i].remedy[0], "%s", tpm_claim_name(i));
}

#define FREE "RequireBound=no\nAllowUnboundAsEvidence=yes\n"

START_TEST(a_policy_decides_about_the_quote) {
        AUTO_BUNDLE Bundle none = fixture_bundle(pki), unbound = fixture_bundle(pki), bound = fixture_azure(pki, &rsa);
        static const char zeros[] = "[TPM]\nPcr7=sha256:0000000000000000000000000000000000000000000000000000000000000000\n";

        fixture_add_tpm(&unbound, &rsa);
        judge_by("", &none, NULL);
        judge_by("", &unbound, NULL);
        judge_by("[Guest]\nDebug=require\n", &bound, "debug");
        judge_by("[TPM]\nRequireQuote=yes\n", &none, "tpm-quote");
        judge_by("[TPM]\nRequireQuote=yes\n", &unbound, "tpm-bound");
        judge_by("[TPM]\nRequireQuote=yes\n", &bound, NULL);
        judge_by("[TPM]\nRequireQuote=yes\nRequireBound=no\n", &unbound, NULL);
        judge_by("[TPM]\nRequireBound=no\nSecureBoot=require\n", &unbound, "tpm-secure-boot");
        judge_by("[TPM]\n" FREE "SecureBoot=require\n", &unbound, NULL);
        judge_by("[TPM]\n" FREE "SecureBoot=require\n", &none, "tpm-quote");
        judge_by("[TPM]\nSecureBoot=require\nEventLogPcrs=0 7\n", &bound, NULL);
        judge_by("[TPM]\nSecureBoot=forbid\n", &bound, "tpm-secure-boot");
        judge_by("[TPM]\nEventLogPcrs=0 9\n", &bound, "tpm-event-log");
        judge_by(zeros, &bound, "tpm-pcr-7");
        judge_by("[TPM]\nAkName=000b0000000000000000000000000000000000000000000000000000000000000000\n", &bound,
                 "tpm-ak-name");
}
END_TEST

START_TEST(quoted_values_satisfy_a_policy) {
        AUTO_BUNDLE Bundle b = fixture_azure(pki, &rsa);
        char text[1024], hex[2 * VTPM_DIGEST_MAX + 1];

        for (size_t i = 0; i < 32; i++)
                (void) snprintf(hex + 2 * i, 3, "%02x", b.tpm.pcrs[0].values[7][i]);
        (void) snprintf(text, sizeof(text), "[TPM]\nPcr7=sha256:%064d\nPcr7=sha256:%s\n", 0, hex);
        judge_by(text, &b, NULL);
        (void) snprintf(text, sizeof(text), "[TPM]\nPcr9=sha256:%s\n", hex); /* not quoted at all */
        judge_by(text, &b, "tpm-pcr-9");
        (void) snprintf(text, sizeof(text), "[TPM]\nPcr7=sha512:%0128d\n", 0); /* another bank */
        judge_by(text, &b, "tpm-pcr-7");
        b.tpm.signature.data[20] ^= 1;
        (void) snprintf(text, sizeof(text), "[TPM]\nPcr7=sha256:%s\n", hex);
        judge_by(text, &b, "tpm-quote");
}
END_TEST

START_TEST(masked_chips_are_the_policys_to_accept) {
        SimReport r = sim_report_defaults(pki);
        AUTO_BUNDLE Bundle b = {};

        fixture_ask(&r);
        (void) memset(r.chip_id, 0, sizeof(r.chip_id));
        b = fixture_bundle_of(pki, &r);
        expect(&b, "Fou.-----n", "chip-id-masked");
        judge_by("[Platform]\nMaskedChipId=allow\n", &b, NULL);
        judge_by("", &b, "authentic");
}
END_TEST

START_TEST(a_zeroed_verdict_rejects) {
        const BundleVerdict v = {};

        ck_assert_int_eq(v.outcome, SNP_REJECT);
        ck_assert_int_eq(v.parts[0].result, BUNDLE_NOT_DONE);
        ck_assert_str_eq(bundle_result_name(BUNDLE_NOT_DONE), "not-done");
        ck_assert_str_eq(bundle_result_name((BundleResult) 99), "not-done");
        ck_assert_str_eq(bundle_part_name(BUNDLE_N_PARTS), "unknown");
        ck_assert_str_eq(bundle_rule_name(BUNDLE_N_RULES), "unknown");
        ck_assert_str_eq(tpm_claim_name(TPM_N_CLAIMS), "unknown");
}
END_TEST

static void setup(void) {
        trust = forge_trust(pki);
        rsa = soft_ak_new(VTPM_ALG_RSASSA, VTPM_ALG_SHA256, 0);
        ecc = soft_ak_new(VTPM_ALG_ECDSA, VTPM_ALG_SHA256, VTPM_CURVE_NIST_P256);
}

static void teardown(void) {
        soft_ak_done(&rsa);
        soft_ak_done(&ecc);
        snp_trust_free(trust);
}

static TCase *bundle_case(void) {
        TCase *c = tcase_create("verify");

        tcase_add_unchecked_fixture(c, setup, teardown);
        tcase_add_test(c, a_report_alone_is_accepted);
        tcase_add_test(c, another_nonce_than_the_verifiers_rejects);
        tcase_add_test(c, report_data_must_follow_from_the_nonce);
        tcase_add_test(c, nothing_counts_that_an_unverified_report_says);
        tcase_add_test(c, certificates_count_at_the_time_that_the_verifier_names);
        tcase_add_test(c, an_impostors_chain_is_rejected);
        tcase_add_test(c, a_missing_certificate_leaves_it_unjudged);
        tcase_add_test(c, lists_are_asked_for_as_the_mode_says);
        tcase_add_loop_test(c, a_revoked_issuer_rejects_wherever_its_list_stands, 0, 2);
        tcase_add_loop_test(c, an_unbound_quote_is_told_and_stands_in_nobodys_way, 0, 2);
        tcase_add_loop_test(c, a_quote_must_hold, 0, N_ELEMENTS(quotes));
        tcase_add_test(c, secure_boot_is_what_a_log_that_leads_to_pcr_7_says);
        tcase_add_loop_test(c, secure_boot_is_firmwares_word_alone, 0, 2);
        tcase_add_test(c, azures_tpm_is_bound_by_its_claims);
        tcase_add_test(c, azures_report_without_its_tpm_is_nothing);
        tcase_add_test(c, an_svsms_tpm_is_bound_where_the_manifest_has_the_signing_key);
        tcase_add_test(c, a_policy_decides_about_the_quote);
        tcase_add_test(c, quoted_values_satisfy_a_policy);
        tcase_add_test(c, masked_chips_are_the_policys_to_accept);
        tcase_add_test(c, a_zeroed_verdict_rejects);
        return c;
}

int main(void) {
        Suite *s = suite_create("bundle-verify");
        int status;

        pki = forge_pki(SIM_MILAN);
        impostor = forge_impostor(SIM_MILAN);
        suite_add_tcase(s, bundle_case());
        status = unit_run(s);
        sim_pki_free(impostor);
        sim_pki_free(pki);
        return status;
}
