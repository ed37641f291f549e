/* SPDX-License-Identifier: Apache-2.0 */

/* `snpctl verify` judges every recorded report exactly as the manifest says. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "tests/integration/ctl.h"
#include "tests/unit/snp/recorded.h"
#include "tests/unit/unit.h"

/* Members of "expected" and the check that each is about. */
static const struct {
        const char *member, *check;
} expectations[] = {
        { "vek_chain_ok", "checks.certificate-chain" },
        { "report_signature_ok", "checks.signature" },
        { "signing_key_matches_cert", "checks.signing-key" },
        { "reported_tcb_matches_cert", "checks.tcb" },
        { "chip_id_matches_cert", "checks.chip-id" },
};

#define N_REPORTS 64
#define PATH_BYTES 512
#define CHAIN_MAX 4

typedef struct Paths {
        char report[PATH_BYTES], vek[PATH_BYTES], chain[CHAIN_MAX][PATH_BYTES];
        size_t n_chain;
} Paths;

static void path_of(const char *file, char ret[static PATH_BYTES]) {
        ck_assert_int_lt(snprintf(ret, PATH_BYTES, "%s/snp/%s", vectors_dir(), file), PATH_BYTES);
}

static Paths paths_of(json_object *entry, const char *vek) {
        json_object *chain = recorded_member(recorded_member(entry, "verify_with"), "chain");
        Paths p = { .n_chain = json_object_array_length(chain) };

        ck_assert_uint_le(p.n_chain, CHAIN_MAX);
        path_of(recorded_str(entry, "file"), p.report);
        path_of(vek, p.vek);
        for (size_t i = 0; i < p.n_chain; i++)
                path_of(json_object_get_string(json_object_array_get_idx(chain, i)), p.chain[i]);
        return p;
}

static SpawnResult verify(const Paths *p, const char *at, const char *const *more) {
        const char *args[32] = { "verify", "--json", "--report", p->report, "--vek", p->vek, "--at", at };
        size_t n = 8;

        for (size_t i = 0; i < p->n_chain; i++) {
                args[n++] = "--chain";
                args[n++] = p->chain[i];
        }
        for (size_t i = 0; more && more[i]; i++)
                args[n++] = more[i];
        return ctl_run(args);
}

static const char *wanted(json_object *expected, const char *member) {
        if (json_object_is_type(recorded_member(expected, member), json_type_string))
                return "not-applicable"; /* "not applicable (VLEK)" */
        return recorded_is_true(expected, member) ? "ok" : "failed";
}

static void judge(json_object *entry, const char *vek) {
        json_object *expected = recorded_member(entry, "expected"), *fields = recorded_member(entry, "fields");
        const char *result = recorded_str(expected, "result"), *file = recorded_str(entry, "file");
        const Paths p = paths_of(entry, vek);
        AUTO_SPAWN_RESULT SpawnResult r =
                verify(&p, recorded_str(recorded_member(entry, "verify_with"), "at_time"), NULL);
        AUTO_JSON json_object *o = ctl_json(&r);

        ck_assert_msg(r.status == (strcmp(result, "accept") == 0 ? 0 : 1), "%s: %d %s", file, r.status, r.out);
        ck_assert_str_eq(ctl_str(o, "verdict"), result);
        ck_assert_str_eq(ctl_str(o, "trust"), "AMD");
        for (size_t i = 0; i < N_ELEMENTS(expectations); i++)
                ck_assert_msg(strcmp(ctl_str(o, expectations[i].check), wanted(expected, expectations[i].member)) == 0,
                              "%s: %s", file, expectations[i].check);
        ck_assert_str_eq(ctl_str(o, "report.measurement"), recorded_str(fields, "measurement"));
        ck_assert_str_eq(ctl_str(o, "report.report_data"), recorded_str(fields, "report_data"));
}

static void reject_vek(json_object *entry, const char *vek) {
        const Paths p = paths_of(entry, vek);
        AUTO_SPAWN_RESULT SpawnResult r =
                verify(&p, recorded_str(recorded_member(entry, "verify_with"), "at_time"), NULL);
        AUTO_JSON json_object *o = ctl_json(&r);

        ck_assert_msg(r.status == 1, "%s with %s: %d", p.report, vek, r.status);
        ck_assert_str_eq(ctl_str(o, "checks.certificate-chain"), "failed");
        ck_assert_str_eq(ctl_str(o, "checks.signature"), "not-done");
        ck_assert_str_eq(ctl_str(o, "verdict"), "reject");
}

static bool is_parse_only(json_object *entry) {
        json_object *with;

        return !json_object_object_get_ex(entry, "verify_with", &with);
}

START_TEST(a_recorded_report_is_judged_as_the_manifest_says) {
        json_object *entry = recorded_get("report", (size_t) _i), *veks, *negative;

        if (is_parse_only(entry))
                return; /* the test below */
        veks = recorded_member(recorded_member(entry, "verify_with"), "vek");
        ck_assert_uint_gt(json_object_array_length(veks), 0);
        for (size_t i = 0; i < json_object_array_length(veks); i++)
                judge(entry, json_object_get_string(json_object_array_get_idx(veks, i)));
        if (!json_object_object_get_ex(entry, "negative_veks", &negative))
                return;
        for (size_t i = 0; i < json_object_array_length(negative); i++)
                reject_vek(entry, json_object_get_string(json_object_array_get_idx(negative, i)));
}
END_TEST

START_TEST(a_report_is_shown_that_cannot_be_judged_without_certificate) {
        json_object *entry = recorded_get("report", (size_t) _i);
        AUTO_SPAWN_RESULT SpawnResult shown = {}, judged = {};
        char path[PATH_BYTES];

        if (!is_parse_only(entry))
                return; /* the test above */
        path_of(recorded_str(entry, "file"), path);
        shown = CTL("report", "--in", path, "--json");
        ck_assert_int_eq(shown.status, 0);
        {
                AUTO_JSON json_object *o = ctl_json(&shown);

                ck_assert_str_eq(ctl_str(o, "report.chip_id"),
                                 recorded_str(recorded_member(entry, "fields"), "chip_id"));
        }
        judged = CTL("verify", "--report", path);
        ctl_expect_failure(&judged, 3, "certificate: give --vek");
}
END_TEST

START_TEST(all_sixty_four_reports_are_there) {
        size_t n = recorded_count("report"), n_parse_only = 0;

        ck_assert_uint_eq(n, N_REPORTS);
        for (size_t i = 0; i < n; i++)
                n_parse_only += is_parse_only(recorded_get("report", i));
        ck_assert_uint_eq(n_parse_only, 10);
}
END_TEST

/* The first report that is accepted with a VCEK, for the tests of options. */
static json_object *sample(void) {
        for (size_t i = 0; i < recorded_count("report"); i++) {
                json_object *entry = recorded_get("report", i);

                if (!is_parse_only(entry) &&
                    strcmp(recorded_str(recorded_member(entry, "expected"), "result"), "accept") == 0 &&
                    strcmp(recorded_str(recorded_member(entry, "fields"), "signing_key"), "VCEK") == 0)
                        return entry;
        }
        ck_abort_msg("no report to work with");
        return NULL;
}

static const char *first_vek(json_object *entry) {
        return json_object_get_string(
                json_object_array_get_idx(recorded_member(recorded_member(entry, "verify_with"), "vek"), 0));
}

static const struct {
        const char *why;
        const char *more[3];
        bool data; /* give the report's own REPORT_DATA */
        const char *reason; /* NULL: accepted */
} option_rows[] = {
        { "the REPORT_DATA it has", { NULL }, true, NULL },
        { "another REPORT_DATA", { "--data", "ff" }, false, "report-data-mismatch" },
        { "another product", { "--product", "Turin" }, false, "product-unexpected" },
        { "the product it has", { "--product", "Genoa" }, false, NULL },
};

START_TEST(expectations_decide_too) {
        json_object *entry = sample();
        json_object *with = recorded_member(entry, "verify_with");
        const Paths p = paths_of(entry, first_vek(entry));
        const char *const data[] = { "--data", recorded_str(recorded_member(entry, "fields"), "report_data"), NULL };
        AUTO_SPAWN_RESULT SpawnResult r = {};
        AUTO_JSON json_object *o = NULL;

        ck_assert_str_eq(recorded_str(entry, "product"), "genoa");
        r = verify(&p, recorded_str(with, "at_time"), option_rows[_i].data ? data : option_rows[_i].more);
        o = ctl_json(&r);
        ck_assert_msg(r.status == (option_rows[_i].reason ? 1 : 0), "%s: %s", option_rows[_i].why, r.out);
        if (option_rows[_i].reason)
                ck_assert_str_eq(ctl_str(o, "reason"), option_rows[_i].reason);
}
END_TEST

START_TEST(certificates_must_be_valid_at_the_time_given) {
        json_object *entry = sample();
        const Paths p = paths_of(entry, first_vek(entry));
        AUTO_SPAWN_RESULT SpawnResult before = verify(&p, "2020-01-01T00:00:00Z", NULL);
        AUTO_SPAWN_RESULT SpawnResult after = verify(&p, "2099-01-01T00:00:00Z", NULL);

        ck_assert_int_eq(before.status, 1);
        ck_assert_int_eq(after.status, 1);
}
END_TEST

START_TEST(an_issuer_that_is_missing_is_no_verdict) {
        json_object *entry = sample();
        json_object *with = recorded_member(entry, "verify_with");
        Paths p = paths_of(entry, first_vek(entry));
        AUTO_SPAWN_RESULT SpawnResult r = {};
        AUTO_JSON json_object *o = NULL;

        p.n_chain = 0;
        r = verify(&p, recorded_str(with, "at_time"), NULL);
        o = ctl_json(&r);
        ck_assert_int_eq(r.status, 3);
        ck_assert_ptr_nonnull(ctl_str(o, "error.message"));
}
END_TEST

START_TEST(an_empty_trust_root_does_not_mean_amd) {
        json_object *entry = sample();
        json_object *with = recorded_member(entry, "verify_with");
        const Paths p = paths_of(entry, first_vek(entry));
        const char *const more[] = { "--trust-root", "/dev/null", NULL };
        AUTO_SPAWN_RESULT SpawnResult r = verify(&p, recorded_str(with, "at_time"), more);

        ck_assert_int_eq(r.status, 3);
}
END_TEST

START_TEST(a_report_of_another_size_is_rejected) {
        char dir[] = "/tmp/snp-test-verify.XXXXXX", path[64], original[PATH_BYTES];
        AUTO_SPAWN_RESULT SpawnResult r = {};
        AUTO_BLOB Blob b = {};

        ck_assert_ptr_nonnull(mkdtemp(dir));
        (void) snprintf(path, sizeof(path), "%s/report", dir);
        path_of(recorded_str(sample(), "file"), original);
        ck_assert_int_eq(file_read(original, 4096, &b, NULL), 0);
        ck_assert_int_eq(file_write_atomic(path, b.data, b.size - 1, 0600, NULL), 0);
        r = CTL("verify", "--report", path);
        (void) unlink(path);
        (void) rmdir(dir);
        ck_assert_int_eq(r.status, 1);
        ck_assert_msg(strncmp(r.out, "REJECT: ", 8) == 0 && strstr(r.out, "1183"), "%s", r.out);
}
END_TEST

int main(int argc, char **argv) {
        Suite *s = suite_create("snpctl-verify");
        TCase *c = tcase_create("recorded");
        int r;

        if (argc != 2)
                return EXIT_FAILURE;
        if (!recorded_load())
                return unit_skip("recorded reports (../shared/vectors) are not here");
        ctl_set_program(argv[1]);
        tcase_add_test(c, all_sixty_four_reports_are_there);
        tcase_add_loop_test(c, a_recorded_report_is_judged_as_the_manifest_says, 0, N_REPORTS);
        tcase_add_loop_test(c, a_report_is_shown_that_cannot_be_judged_without_certificate, 0, N_REPORTS);
        tcase_add_loop_test(c, expectations_decide_too, 0, (int) N_ELEMENTS(option_rows));
        tcase_add_test(c, certificates_must_be_valid_at_the_time_given);
        tcase_add_test(c, an_issuer_that_is_missing_is_no_verdict);
        tcase_add_test(c, an_empty_trust_root_does_not_mean_amd);
        tcase_add_test(c, a_report_of_another_size_is_rejected);
        suite_add_tcase(s, c);
        r = unit_run(s);
        recorded_unload();
        return r;
}
