/* SPDX-License-Identifier: Apache-2.0 */

/* snp/verify.c on reports that real processors signed. */

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "snp/verify.h"
#include "tests/unit/snp/recorded.h"
#include "tests/unit/unit.h"

#define N_REPORTS 64
#define N_VLEKS 4
#define DAY 86400
#define VEKS_MAX 64

/* Members of "expected" and the check that each is about. */
static const struct {
        const char *member;
        SnpCheck check;
} expectations[] = {
        { "report_signature_ok", SNP_CHECK_SIGNATURE },
        { "signing_key_matches_cert", SNP_CHECK_SIGNING_KEY },
        { "reported_tcb_matches_cert", SNP_CHECK_TCB },
        { "chip_id_matches_cert", SNP_CHECK_CHIP_ID },
};

static SnpCheckResult expected_result(json_object *expected, const char *member) {
        if (json_object_is_type(recorded_member(expected, member), json_type_string))
                return SNP_CHECK_NOT_APPLICABLE; /* "not applicable (VLEK)" */
        return recorded_is_true(expected, member) ? SNP_CHECK_OK : SNP_CHECK_FAILED;
}

static void check_verdict(const char *file, json_object *expected, const SnpReport *report, const SnpVerdict *v) {
        for (size_t i = 0; i < N_ELEMENTS(expectations); i++) {
                SnpCheckResult want = expected_result(expected, expectations[i].member);
                SnpCheckResult got = v->checks[expectations[i].check];

                ck_assert_msg(got == want, "%s: check %s is %s instead of %s", file,
                              snp_check_name(expectations[i].check), snp_check_result_name(got),
                              snp_check_result_name(want));
        }
        ck_assert_int_eq(v->checks[SNP_CHECK_PRODUCT], report->version == 2 ? SNP_CHECK_NOT_APPLICABLE : SNP_CHECK_OK);
}

static void judge_with(const char *file, const char *vek_file, json_object *entry, const SnpReport *report) {
        json_object *with = recorded_member(entry, "verify_with"), *expected = recorded_member(entry, "expected");
        AUTO_RECORDED_CERTS RecordedCerts c = recorded_certs(vek_file, recorded_member(with, "chain"));
        CLEANUP(snp_trust_freep) SnpTrust *trust = NULL;
        CLEANUP(snp_vek_freep) SnpVek *vek = NULL;
        bool accept = strcmp(recorded_str(expected, "result"), "accept") == 0;
        SnpVerdict verdict = {};
        Error e = {};
        int r;

        ck_assert_int_eq(snp_trust_new_amd(&trust, NULL), 0);
        r = snp_vek_new(trust, &c.certs, recorded_time(recorded_str(with, "at_time")), &vek, &e);
        ck_assert_msg((r == 0) == recorded_is_true(expected, "vek_chain_ok"), "%s: %s", vek_file, error_text(&e, r));
        r = snp_report_verify(report, vek, 0, &verdict, &e);
        ck_assert_msg(r == (accept ? 0 : -EKEYREJECTED), "%s: %s", file, error_text(&e, r));
        ck_assert_int_eq(verdict.outcome, accept ? SNP_ACCEPT : SNP_REJECT);
        check_verdict(file, expected, report, &verdict);
}

static void refuse_negative_veks(json_object *entry) {
        json_object *with = recorded_member(entry, "verify_with"), *veks = NULL;
        CLEANUP(snp_trust_freep) SnpTrust *trust = NULL;

        if (!json_object_object_get_ex(entry, "negative_veks", &veks))
                return;
        ck_assert_int_eq(snp_trust_new_amd(&trust, NULL), 0);
        for (size_t i = 0; i < json_object_array_length(veks); i++) {
                const char *file = json_object_get_string(json_object_array_get_idx(veks, i));
                AUTO_RECORDED_CERTS RecordedCerts c = recorded_certs(file, recorded_member(with, "chain"));
                SnpVek *vek = NULL;
                int r = snp_vek_new(trust, &c.certs, recorded_time(recorded_str(with, "at_time")), &vek, NULL);

                ck_assert_msg(r < 0 && !vek, "%s was accepted", file);
        }
}

START_TEST(recorded_report_is_judged_as_its_manifest_says) {
        json_object *entry = recorded_get("report", (size_t) _i);
        const char *file = recorded_str(entry, "file");
        SnpReport report = recorded_report(file);
        json_object *with = NULL, *veks;

        if (!json_object_object_get_ex(entry, "verify_with", &with) || !with) {
                ck_assert_ptr_nonnull(strstr(recorded_str(recorded_member(entry, "expected"), "result"), "no VEK"));
                return;
        }
        veks = recorded_member(with, "vek");
        ck_assert_uint_gt(json_object_array_length(veks), 0);
        for (size_t i = 0; i < json_object_array_length(veks); i++)
                judge_with(file, json_object_get_string(json_object_array_get_idx(veks, i)), entry, &report);
        refuse_negative_veks(entry);
}
END_TEST

START_TEST(the_manifest_lists_every_report) {
        size_t n[2] = {};

        ck_assert_uint_eq(recorded_count("report"), N_REPORTS);
        ck_assert_uint_eq(recorded_count("vlek"), N_VLEKS);
        for (size_t i = 0; i < N_REPORTS; i++) {
                const char *result = recorded_str(recorded_member(recorded_get("report", i), "expected"), "result");

                n[0] += strcmp(result, "accept") == 0;
                n[1] += strcmp(result, "reject") == 0;
        }
        ck_assert_uint_eq(n[0], 47);
        ck_assert_uint_eq(n[1], 7);
}
END_TEST

typedef struct Key {
        const char *file;
        SnpVek *vek;
} Key;

/* Every VCEK and VLEK whose chain holds. */
static size_t load_keys(Key keys[static VEKS_MAX]) {
        static const char *const kinds[] = { "vcek", "vlek" };
        size_t n = 0;

        for (size_t k = 0; k < N_ELEMENTS(kinds); k++)
                for (size_t i = 0; i < recorded_count(kinds[k]); i++) {
                        json_object *entry = recorded_get(kinds[k], i);

                        if (!recorded_is_true(recorded_member(entry, "expected"), "chain_ok"))
                                continue;
                        ck_assert_uint_lt(n, VEKS_MAX);
                        keys[n++] = (Key){ recorded_str(entry, "file"), recorded_vek(entry) };
                }
        ck_assert_uint_gt(n, 40);
        return n;
}

static bool is_listed(json_object *entry, const char *file) {
        json_object *with = NULL, *veks;

        if (!json_object_object_get_ex(entry, "verify_with", &with) || !with)
                return false;
        veks = recorded_member(with, "vek");
        for (size_t i = 0; i < json_object_array_length(veks); i++)
                if (strcmp(json_object_get_string(json_object_array_get_idx(veks, i)), file) == 0)
                        return true;
        return false;
}

START_TEST(no_report_verifies_with_another_key) {
        Key keys[VEKS_MAX];
        size_t n = load_keys(keys), n_tried = 0;

        for (size_t i = 0; i < N_REPORTS; i++) {
                json_object *entry = recorded_get("report", i);
                SnpReport report = recorded_report(recorded_str(entry, "file"));

                for (size_t k = 0; k < n; k++) {
                        SnpVerdict verdict = {};

                        if (is_listed(entry, keys[k].file))
                                continue;
                        ck_assert_msg(snp_report_verify(&report, keys[k].vek, SNP_VERIFY_ALLOW_MASKED_CHIP_ID,
                                                        &verdict, NULL) == -EKEYREJECTED,
                                      "%s verifies with %s", recorded_str(entry, "file"), keys[k].file);
                        ck_assert_int_eq(verdict.outcome, SNP_REJECT);
                        ck_assert_int_eq(verdict.checks[SNP_CHECK_SIGNATURE], SNP_CHECK_FAILED);
                        n_tried++;
                }
        }
        ck_assert_uint_gt(n_tried, N_REPORTS * 40);
        for (size_t k = 0; k < n; k++)
                snp_vek_free(keys[k].vek);
}
END_TEST

/* One report of each version and layout. */
static const char *const flipped_reports[] = {
        "reports/milan-v2-vlek-2.report.bin",
        "reports/genoa-v3-2.report.bin",
        "reports/turin-v5-1.report.bin",
};

START_TEST(every_single_bit_flip_of_a_report_is_rejected) {
        json_object *entry = recorded_find(flipped_reports[_i]);
        json_object *veks = recorded_member(recorded_member(entry, "verify_with"), "vek");
        const char *vek_file = json_object_get_string(json_object_array_get_idx(veks, 0));
        CLEANUP(snp_vek_freep) SnpVek *vek = recorded_vek(recorded_find(vek_file));
        AUTO_BLOB Blob bytes = recorded_bytes(flipped_reports[_i]);
        SnpReport report;
        SnpVerdict verdict;
        size_t n_parsed = 0;

        for (size_t bit = 0; bit < bytes.size * 8; bit++) {
                bytes.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
                if (snp_report_parse(bytes.data, bytes.size, &report, NULL) == 0) {
                        n_parsed++;
                        ck_assert_msg(snp_report_verify(&report, vek, SNP_VERIFY_ALLOW_MASKED_CHIP_ID, &verdict,
                                                        NULL) == -EKEYREJECTED &&
                                              verdict.outcome == SNP_REJECT,
                                      "flip of bit %zu is accepted", bit);
                }
                bytes.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
        }
        ck_assert_uint_gt(n_parsed, 4000); /* the signature, not only the parser, was asked */
        ck_assert_int_eq(snp_report_parse(bytes.data, bytes.size, &report, NULL), 0);
        ck_assert_int_eq(snp_report_verify(&report, vek, 0, &verdict, NULL), 0);
}
END_TEST

START_TEST(reports_outlive_their_vlek_but_are_not_verified_with_it) {
        json_object *entry = recorded_get("vlek", (size_t) _i);
        AUTO_RECORDED_CERTS RecordedCerts c = recorded_certs(recorded_str(entry, "file"),
                                                             recorded_member(entry, "chain"));
        CLEANUP(snp_trust_freep) SnpTrust *trust = NULL;
        time_t end = recorded_time(recorded_str(entry, "not_after"));
        SnpVek *vek = NULL;
        Error e = {};

        ck_assert_int_eq(snp_trust_new_amd(&trust, NULL), 0);
        ck_assert_int_eq(snp_vek_new(trust, &c.certs, end - DAY, &vek, NULL), 0);
        ck_assert_int_eq(snp_vek_not_after(vek), end);
        snp_vek_free(TAKE_PTR(vek));
        ck_assert_int_eq(snp_vek_new(trust, &c.certs, end + DAY, &vek, &e), -EKEYREJECTED);
        ck_assert_str_eq(e.reason, "cert-expired");
        ck_assert_ptr_null(vek);
}
END_TEST

int main(void) {
        Suite *suite;
        TCase *tc = tcase_create("recorded");
        int r;

        if (!recorded_load())
                return unit_skip("no recorded reports");
        suite = suite_create("snp/verify, recorded");
        tcase_add_test(tc, the_manifest_lists_every_report);
        tcase_add_loop_test(tc, recorded_report_is_judged_as_its_manifest_says, 0, N_REPORTS);
        tcase_add_test(tc, no_report_verifies_with_another_key);
        tcase_add_loop_test(tc, every_single_bit_flip_of_a_report_is_rejected, 0, N_ELEMENTS(flipped_reports));
        tcase_add_loop_test(tc, reports_outlive_their_vlek_but_are_not_verified_with_it, 0, N_VLEKS);
        suite_add_tcase(suite, tc);
        r = unit_run(suite);
        recorded_unload();
        return r;
}
