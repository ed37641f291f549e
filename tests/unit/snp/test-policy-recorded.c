/* SPDX-License-Identifier: Apache-2.0 */

/* Policies on reports that real processors signed. What is expected follows from the manifest, not from our parser. */

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "snp/policy.h"
#include "tests/unit/snp/recorded.h"
#include "tests/unit/unit.h"

#define N_REPORTS 64
#define POLICY_DEBUG (1u << 19) /* publication 56860, POLICY */

typedef struct Verified {
        SnpReport report;
        SnpVerdict verdict;
        SnpVek *vek; /* owned; NULL where there is none */
} Verified;

static void verified_done(Verified *v) {
        snp_vek_free(v->vek);
}

static Verified verify(json_object *entry) {
        Verified v = { .report = recorded_report(recorded_str(entry, "file")) };
        CLEANUP(snp_trust_freep) SnpTrust *trust = NULL;
        json_object *with = NULL;

        ck_assert_int_eq(snp_trust_new_amd(&trust, NULL), 0);
        if (json_object_object_get_ex(entry, "verify_with", &with) && with) {
                json_object *veks = recorded_member(with, "vek");
                AUTO_RECORDED_CERTS RecordedCerts c = recorded_certs(
                        json_object_get_string(json_object_array_get_idx(veks, 0)), recorded_member(with, "chain"));
                time_t at = recorded_time(recorded_str(with, "at_time"));
                Error e = {};

                ck_assert_msg(snp_vek_new(trust, &c.certs, at, &v.vek, &e) == 0, "%s", e.text);
                if (snp_report_verify(&v.report, v.vek, 0, &v.verdict, NULL) < 0)
                        ck_assert_int_eq(v.verdict.outcome, SNP_REJECT);
        }
        return v;
}

static SnpAppraisal appraise(const SnpPolicy *policy, const SnpReport *report, const Verified *v) {
        SnpAppraisal a;
        Error e = {};
        int r = snp_policy_appraise(policy, report, &v->verdict, v->vek, &a, &e);

        ck_assert_int_eq(r, a.outcome == SNP_ALLOW ? 0 : -EPERM);
        ck_assert_int_eq(e.code, r);
        return a;
}

static bool is_accepted(json_object *entry) {
        return strcmp(recorded_str(recorded_member(entry, "expected"), "result"), "accept") == 0;
}

static bool differs(json_object *fields, const char *a, const char *b) {
        return strcmp(recorded_str(fields, a), recorded_str(fields, b)) != 0;
}

/* What the default policy has against it, by the fields as the manifest gives them. */
static void expected_denials(json_object *entry, bool ret[static SNP_N_CLAIMS]) {
        json_object *fields = recorded_member(entry, "fields");

        (void) memset(ret, !is_accepted(entry), SNP_N_CLAIMS * sizeof(ret[0]));
        if (!is_accepted(entry))
                return;
        ret[SNP_CLAIM_DEBUG] = strtoul(recorded_str(fields, "policy"), NULL, 16) & POLICY_DEBUG;
        ret[SNP_CLAIM_VMPL] = json_object_get_int(recorded_member(fields, "vmpl")) != 0;
        ret[SNP_CLAIM_PROVISIONAL_FIRMWARE] = differs(fields, "committed_tcb", "current_tcb") ||
                                              differs(fields, "committed_version", "current_version");
}

static void expect_denied(const char *file, const SnpAppraisal *a, const bool want[static SNP_N_CLAIMS]) {
        bool any = false;

        for (SnpClaim i = 0; i < SNP_N_CLAIMS; i++) {
                bool denied = a->findings[i].verdict == SNP_CLAIM_DENIED;

                ck_assert_msg(denied == want[i], "%s: %s is %s: wanted %s, found %s", file, snp_claim_name(i),
                              snp_claim_verdict_name(a->findings[i].verdict), a->findings[i].wanted,
                              a->findings[i].found);
                any = any || denied;
        }
        ck_assert_int_eq(a->outcome, any ? SNP_DENY : SNP_ALLOW);
}

START_TEST(the_default_policy_denies_what_the_manifest_tells) {
        json_object *entry = recorded_get("report", (size_t) _i);
        CLEANUP(snp_policy_freep) SnpPolicy *policy = NULL;
        CLEANUP(verified_done) Verified v = verify(entry);
        bool want[SNP_N_CLAIMS];
        SnpAppraisal a;

        ck_assert_int_eq(snp_policy_new(&policy, NULL), 0);
        a = appraise(policy, &v.report, &v);
        expected_denials(entry, want);
        expect_denied(recorded_str(entry, "file"), &a, want);
}
END_TEST

START_TEST(a_policy_from_a_report_allows_it_unless_the_defaults_do_not) {
        json_object *entry = recorded_get("report", (size_t) _i);
        CLEANUP(snp_policy_freep) SnpPolicy *policy = NULL;
        CLEANUP(verified_done) Verified v = verify(entry);
        SnpReport other = v.report;
        bool want[SNP_N_CLAIMS];
        SnpAppraisal a;

        if (!is_accepted(entry))
                return; /* not even worth a policy */
        ck_assert_int_eq(snp_policy_new_from_report(&v.report, snp_vek_product(v.vek), &policy, NULL), 0);
        a = appraise(policy, &v.report, &v);
        expected_denials(entry, want);
        want[SNP_CLAIM_VMPL] = false;
        expect_denied(recorded_str(entry, "file"), &a, want);
        ck_assert_int_eq(a.findings[SNP_CLAIM_MEASUREMENT].verdict, SNP_CLAIM_ALLOWED);
        other.measurement[47] ^= 0x80;
        a = appraise(policy, &other, &v);
        want[SNP_CLAIM_MEASUREMENT] = true;
        expect_denied(recorded_str(entry, "file"), &a, want);
}
END_TEST

START_TEST(the_manifest_has_something_for_every_default) {
        size_t n[3] = {}, n_allowed = 0;

        for (size_t i = 0; i < N_REPORTS; i++) {
                json_object *entry = recorded_get("report", i);
                bool want[SNP_N_CLAIMS];

                if (!is_accepted(entry))
                        continue;
                expected_denials(entry, want);
                n[0] += want[SNP_CLAIM_DEBUG];
                n[1] += want[SNP_CLAIM_VMPL];
                n[2] += want[SNP_CLAIM_PROVISIONAL_FIRMWARE];
                n_allowed += !want[SNP_CLAIM_DEBUG] && !want[SNP_CLAIM_VMPL] && !want[SNP_CLAIM_PROVISIONAL_FIRMWARE];
        }
        ck_assert_uint_eq(n[0], 2);
        ck_assert_uint_eq(n[1], 4);
        ck_assert_uint_ge(n[2], 7);
        ck_assert_uint_gt(n_allowed, 30);
}
END_TEST

START_TEST(providers_are_told_by_the_certificate) {
        json_object *entry = recorded_find("reports/milan-v2-vlek-2.report.bin");
        static const char *const texts[] = {
                "[Platform]\nCspId=*.amazonaws.com\n",
                "[Platform]\nCspId=*.azure.com\n",
        };
        CLEANUP(verified_done) Verified v = verify(entry);

        for (int i = 0; i < 2; i++) {
                CLEANUP(snp_policy_freep) SnpPolicy *policy = NULL;
                SnpAppraisal a;

                ck_assert_int_eq(snp_policy_parse("f", texts[i], strlen(texts[i]), &policy, NULL), 0);
                a = appraise(policy, &v.report, &v);
                ck_assert_int_eq(a.findings[SNP_CLAIM_CSP_ID].verdict, i == 0 ? SNP_CLAIM_ALLOWED : SNP_CLAIM_DENIED);
        }
}
END_TEST

int main(void) {
        Suite *s = suite_create("snp/policy, recorded");
        TCase *c = tcase_create("recorded");
        int r;

        if (!recorded_load())
                return unit_skip("no recorded reports");
        tcase_add_test(c, the_manifest_has_something_for_every_default);
        tcase_add_loop_test(c, the_default_policy_denies_what_the_manifest_tells, 0, N_REPORTS);
        tcase_add_loop_test(c, a_policy_from_a_report_allows_it_unless_the_defaults_do_not, 0, N_REPORTS);
        tcase_add_test(c, providers_are_told_by_the_certificate);
        suite_add_tcase(s, c);
        r = unit_run(s);
        recorded_unload();
        return r;
}
