/* SPDX-License-Identifier: Apache-2.0 */

/* `snpctl report` against the simulated platform, and `snpctl verify` of what it got. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/json.h"
#include "tests/integration/ctl.h"
#include "tests/simulator/harness.h"
#include "tests/unit/unit.h"

static SimTsmRun run;
static char dir[] = "/tmp/snp-test-platform.XXXXXX";
static char report[64], certs[64], ark[SIM_PATH_MAX + 16];

static void setup(void) {
        Error e = {};
        int r = sim_tsm_start(SIM_MILAN, NULL, &run, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        ck_assert_ptr_nonnull(mkdtemp(dir));
        (void) snprintf(report, sizeof(report), "%s/report", dir);
        (void) snprintf(certs, sizeof(certs), "%s/certs", dir);
        (void) snprintf(ark, sizeof(ark), "%s/ark.pem", run.pki);
}

static void teardown(void) {
        (void) unlink(report);
        (void) unlink(certs);
        ck_assert_int_eq(rmdir(dir), 0);
        ck_assert_int_eq(sim_tsm_stop(&run), 0);
}

static SpawnResult get_report(const char *const *more) {
        const char *args[24] = { "report", "--json",      "--tsm-path", run.mountpoint,
                                 "--out",  report,        "--certs-out", certs };
        size_t n = 8;

        for (size_t i = 0; more && more[i]; i++)
                args[n++] = more[i];
        return ctl_run(args);
}

START_TEST(a_fresh_report_verifies_under_the_test_root_and_says_so) {
        const char *const challenge[] = { "--nonce", "AQID", NULL };
        AUTO_SPAWN_RESULT SpawnResult got = get_report(challenge);
        AUTO_SPAWN_RESULT SpawnResult text = {}, json = {};
        AUTO_JSON json_object *shown = ctl_json(&got), *o = NULL;

        ck_assert_msg(got.status == 0, "%s", got.err);
        ck_assert_str_eq(ctl_str(shown, "source"), "configfs-tsm");
        ck_assert_int_eq(strncmp(ctl_str(shown, "report.report_data"), "01020300", 8), 0);
        text = CTL("verify", "--report", report, "--certs", certs, "--trust-root", ark, "--data", "010203");
        ck_assert_msg(text.status == 0, "%s%s", text.out, text.err);
        ck_assert_int_eq(strncmp(text.out, "ACCEPT\nTrust: TEST ROOT", 23), 0);
        json = CTL("verify", "--json", "--report", report, "--certs", certs, "--trust-root", ark);
        o = ctl_json(&json);
        ck_assert_str_eq(ctl_str(o, "trust"), "TEST ROOT");
        ck_assert_str_eq(ctl_str(o, "vek.product"), "Milan");
}
END_TEST

START_TEST(amd_s_roots_do_not_vouch_for_it) {
        AUTO_SPAWN_RESULT SpawnResult got = get_report(NULL);
        AUTO_SPAWN_RESULT SpawnResult r = CTL("verify", "--json", "--report", report, "--certs", certs);
        AUTO_JSON json_object *o = ctl_json(&r);

        ck_assert_int_eq(got.status, 0);
        ck_assert_int_eq(r.status, 1);
        ck_assert_str_eq(ctl_str(o, "checks.certificate-chain"), "failed");
        ck_assert_str_eq(ctl_str(o, "trust"), "AMD");
}
END_TEST

START_TEST(report_data_is_random_when_none_is_given) {
        AUTO_SPAWN_RESULT SpawnResult first = get_report(NULL), second = get_report(NULL);
        AUTO_JSON json_object *a = ctl_json(&first), *b = ctl_json(&second);

        ck_assert_str_ne(ctl_str(a, "report.report_data"), ctl_str(b, "report.report_data"));
}
END_TEST

START_TEST(an_altered_report_is_rejected) {
        AUTO_SPAWN_RESULT SpawnResult got = get_report(NULL);
        AUTO_SPAWN_RESULT SpawnResult r = {};
        FILE *f;

        ck_assert_int_eq(got.status, 0);
        f = fopen(report, "r+");
        ck_assert_ptr_nonnull(f);
        ck_assert_int_eq(fseek(f, 0x90, SEEK_SET), 0); /* MEASUREMENT */
        ck_assert_int_eq(fputc(0x5a, f), 0x5a);
        ck_assert_int_eq(fclose(f), 0);
        r = CTL("verify", "--report", report, "--certs", certs, "--trust-root", ark);
        ck_assert_int_eq(r.status, 1);
        ck_assert_int_eq(strncmp(r.out, "REJECT: ", 8), 0);
        ck_assert_ptr_nonnull(strstr(r.out, "signature         failed"));
}
END_TEST

START_TEST(a_platform_that_is_not_there_is_told_and_nothing_is_written) {
        AUTO_SPAWN_RESULT SpawnResult r = CTL("report", "--tsm-path", "/nowhere", "--out", report);

        ctl_expect_failure(&r, 3, "/nowhere");
        ck_assert_int_lt(access(report, F_OK), 0);
}
END_TEST

int main(int argc, char **argv) {
        Suite *s = suite_create("snpctl-platform");
        TCase *c = tcase_create("platform");

        if (argc != 2)
                return EXIT_FAILURE;
        if (sim_tsm_unusable())
                return unit_skip(sim_tsm_unusable());
        ctl_set_program(argv[1]);
        tcase_add_checked_fixture(c, setup, teardown);
        tcase_add_test(c, a_fresh_report_verifies_under_the_test_root_and_says_so);
        tcase_add_test(c, amd_s_roots_do_not_vouch_for_it);
        tcase_add_test(c, report_data_is_random_when_none_is_given);
        tcase_add_test(c, an_altered_report_is_rejected);
        tcase_add_test(c, a_platform_that_is_not_there_is_told_and_nothing_is_written);
        suite_add_tcase(s, c);
        return unit_run(s);
}
