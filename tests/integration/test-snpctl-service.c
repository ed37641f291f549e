/* SPDX-License-Identifier: Apache-2.0 */

/* `snpctl report --service` against the simulated platform's SVSM, and `snpctl verify --manifest` of what it gave. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/writer.h"
#include "tests/integration/ctl.h"
#include "tests/simulator/harness.h"
#include "tests/unit/unit.h"
#include "vtpm/ek.h"

static SimTsmRun run;
static char dir[] = "/tmp/snp-test-service.XXXXXX";
static char report[64], certs[64], manifest[64], ek[64], keys[64], ark[SIM_PATH_MAX + 16];

static void write_manifests(void) {
        AUTO_WRITER Writer w = wr_init(1u << 16);
        AUTO_BLOB Blob rsa = {};
        AUTO_BLOB Blob ecc = {};

        /* A template reads like the key that a TPM makes of it. */
        ck_assert_int_eq(vtpm_ek_template(VTPM_EK_RSA2048, &rsa, NULL), 0);
        ck_assert_int_eq(vtpm_ek_template(VTPM_EK_ECC_P256, &ecc, NULL), 0);
        ck_assert_int_eq(file_write_atomic(ek, rsa.data, rsa.size, 0600, NULL), 0);
        wr_be32(&w, 1);
        wr_be32(&w, 3);
        wr_be16(&w, (uint16_t) rsa.size);
        wr_bytes(&w, rsa.data, rsa.size);
        wr_be16(&w, (uint16_t) ecc.size);
        wr_bytes(&w, ecc.data, ecc.size);
        wr_be16(&w, 3);
        wr_str(&w, "???");
        ck_assert_int_eq(w.error, 0);
        ck_assert_int_eq(file_write_atomic(keys, w.data, w.size, 0600, NULL), 0);
}

static void setup(void) {
        char text[512];
        Error e = {};
        int r = sim_tsm_start(SIM_MILAN, NULL, &run, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        ck_assert_ptr_nonnull(mkdtemp(dir));
        (void) snprintf(report, sizeof(report), "%s/report", dir);
        (void) snprintf(certs, sizeof(certs), "%s/certs", dir);
        (void) snprintf(manifest, sizeof(manifest), "%s/manifest", dir);
        (void) snprintf(ek, sizeof(ek), "%s/ek", dir);
        (void) snprintf(keys, sizeof(keys), "%s/keys", dir);
        (void) snprintf(ark, sizeof(ark), "%s/ark.pem", run.pki);
        write_manifests();
        (void) snprintf(text, sizeof(text), "vmpl-floor=2\nuefi-flags=2\nvtpm-manifest=%s\nvtpm-manifest-v1=%s\n", ek, keys);
        ck_assert_int_eq(sim_tsm_control(&run, text, NULL), 0);
}

static void teardown(void) {
        const char *const files[] = { report, certs, manifest, ek, keys };

        for (size_t i = 0; i < N_ELEMENTS(files); i++)
                (void) unlink(files[i]);
        ck_assert_int_eq(rmdir(dir), 0);
        ck_assert_int_eq(sim_tsm_stop(&run), 0);
}

#define GET(...) CTL("report", "--tsm-path", run.mountpoint, "--out", report, "--certs-out", certs, __VA_ARGS__)
#define VERIFY(...) CTL("verify", "--report", report, "--certs", certs, "--trust-root", ark, __VA_ARGS__)

START_TEST(vtpm_service_is_shown_and_bound) {
        AUTO_SPAWN_RESULT SpawnResult got = GET("--json", "--service", "vtpm", "--manifest-out", manifest, "--data", "0a0b");
        AUTO_SPAWN_RESULT SpawnResult text = GET("--service", "vtpm", "--manifest-out", manifest, "--data", "0a0b");
        AUTO_SPAWN_RESULT SpawnResult good = VERIFY("--manifest", manifest, "--data", "0a0b");
        AUTO_SPAWN_RESULT SpawnResult json = VERIFY("--json", "--manifest", manifest, "--data", "0a0b");
        AUTO_JSON json_object *shown = ctl_json(&got), *judged = ctl_json(&json);
        AUTO_BLOB Blob written = {};
        AUTO_BLOB Blob wanted = {};

        ck_assert_msg(got.status == 0, "%s", got.err);
        ck_assert_int_eq(strncmp(ctl_str(shown, "svsm.nonce"), "0a0b0000", 8), 0);
        ck_assert_int_eq(strncmp(ctl_str(shown, "report.report_data"), "0a0b0000", 8) != 0, 1);
        ck_assert_ptr_nonnull(strstr(got.out, "\"name\":\"vtpm\""));
        ck_assert_ptr_nonnull(strstr(got.out, "\"use\":\"storage\""));
        ck_assert_ptr_nonnull(strstr(got.out, "\"bits\":2048"));
        ck_assert_msg(text.status == 0, "%s", text.err);
        ck_assert_ptr_nonnull(strstr(text.out, "Nonce: 0a0b0000"));
        ck_assert_ptr_nonnull(strstr(text.out, "Service c476f1eb-0123-45a5-9641-b4e7dde5bfe3 (vtpm): manifest version 0"));
        ck_assert_ptr_nonnull(strstr(text.out, "  storage key, rsa 2048 bits, name 000b"));
        ck_assert_int_eq(file_read(manifest, 4096, &written, NULL), 0);
        ck_assert_int_eq(file_read(ek, 4096, &wanted, NULL), 0);
        ck_assert(blob_equal(&written, &wanted));
        ck_assert_msg(good.status == 0, "%s%s", good.out, good.err);
        ck_assert_int_eq(strncmp(good.out, "ACCEPT\n", 7), 0);
        ck_assert_str_eq(ctl_str(judged, "checks.svsm-manifest"), "ok");
        ck_assert_str_eq(ctl_str(judged, "checks.report-data"), "not-applicable");
} END_TEST

START_TEST(version_1_has_a_list_of_keys) {
        AUTO_SPAWN_RESULT SpawnResult got = GET("--service", "vtpm", "--manifest-version", "1");

        ck_assert_msg(got.status == 0, "%s", got.err);
        ck_assert_ptr_nonnull(strstr(got.out, "storage key, rsa 2048 bits"));
        ck_assert_ptr_nonnull(strstr(got.out, "storage key, ecc "));
        ck_assert_ptr_nonnull(strstr(got.out, "key of 3 bytes that is not understood"));
} END_TEST

START_TEST(all_services_are_shown_each) {
        AUTO_SPAWN_RESULT SpawnResult got = GET("--service", "all", "--manifest-out", manifest, "--nonce", "AQID");
        AUTO_SPAWN_RESULT SpawnResult json = GET("--json", "--service", "all");

        ck_assert_msg(got.status == 0, "%s", got.err);
        ck_assert_ptr_nonnull(strstr(got.out, "(vtpm): manifest version 0"));
        ck_assert_ptr_nonnull(strstr(got.out, "(uefi-mm): manifest version 0, 8 bytes"));
        ck_assert_ptr_nonnull(strstr(got.out, "secure boot: yes"));
        ck_assert_ptr_nonnull(strstr(json.out, "\"secure_boot\":true"));
        ck_assert_ptr_nonnull(strstr(json.out, "\"persistent\":false"));
} END_TEST

START_TEST(what_the_report_does_not_bind_is_a_rejection_with_its_reason) {
        AUTO_SPAWN_RESULT SpawnResult got = GET("--service", "vtpm", "--manifest-out", manifest, "--data", "0a0b");
        AUTO_SPAWN_RESULT SpawnResult nonce = VERIFY("--json", "--manifest", manifest, "--data", "0a0c");
        AUTO_SPAWN_RESULT SpawnResult other = VERIFY("--json", "--manifest", keys, "--data", "0a0b");
        AUTO_SPAWN_RESULT SpawnResult plain = {}, guest = {};
        AUTO_JSON json_object *n = ctl_json(&nonce), *o = ctl_json(&other), *g = NULL;

        ck_assert_int_eq(got.status, 0);
        ck_assert_int_eq(nonce.status, 1);
        ck_assert_str_eq(ctl_str(n, "reason"), "svsm-not-bound");
        ck_assert_str_eq(ctl_str(n, "checks.svsm-manifest"), "failed");
        ck_assert_str_eq(ctl_str(n, "checks.signature"), "ok");
        ck_assert_int_eq(other.status, 1);
        ck_assert_str_eq(ctl_str(o, "reason"), "svsm-not-bound");
        plain = GET("--data", "0a0b"); /* the guest's own, at VMPL 2 */
        ck_assert_int_eq(plain.status, 0);
        guest = VERIFY("--json", "--manifest", manifest, "--data", "0a0b");
        g = ctl_json(&guest);
        ck_assert_int_eq(guest.status, 1);
        ck_assert_str_eq(ctl_str(g, "reason"), "svsm-vmpl");
} END_TEST

START_TEST(a_manifest_that_is_no_manifest_is_told) {
        char text[512];
        AUTO_SPAWN_RESULT SpawnResult got = {};

        (void) snprintf(text, sizeof(text), "vmpl-floor=2\nvtpm-manifest-v1=%s\n", ek);
        ck_assert_int_eq(sim_tsm_control(&run, text, NULL), 0);
        got = GET("--json", "--service", "vtpm", "--manifest-version", "1");
        ck_assert_int_ne(got.status, 0);
        ck_assert_ptr_nonnull(strstr(got.out, "svsm-vtpm-version"));
} END_TEST

START_TEST(no_svsm_is_told_apart) {
        AUTO_SPAWN_RESULT SpawnResult none = {}, old = {};

        ck_assert_int_eq(sim_tsm_control(&run, "", NULL), 0);
        none = GET("--json", "--service", "vtpm");
        ck_assert_int_ne(none.status, 0);
        ck_assert_ptr_nonnull(strstr(none.out, "no-svsm"));
        ck_assert_int_eq(sim_tsm_control(&run, "vmpl-floor=2\nold-kernel=yes\n", NULL), 0);
        old = GET("--json", "--service", "vtpm");
        ck_assert_int_ne(old.status, 0);
        ck_assert_ptr_nonnull(strstr(old.out, "svsm-kernel"));
} END_TEST

static const char *const misuse[][7] = {
        { "report", "--service", "tpm" },
        { "report", "--service", "vtpm", "--manifest-version", "2" },
        { "report", "--service", "all", "--manifest-version", "1" },
        { "report", "--service", "vtpm", "--vmpl", "0" },
        { "report", "--manifest-out", "/dev/null" },
        { "report", "--service", "vtpm", "--in", "/dev/null" },
        { "verify", "--report", "/dev/null", "--manifest", "/dev/null" },
};

START_TEST(misuse_is_told_as_such) {
        const char *args[10] = { misuse[_i][0], "--json" };
        AUTO_SPAWN_RESULT SpawnResult got = {};
        size_t n = 2;

        for (size_t i = 1; i < 7 && misuse[_i][i]; i++)
                args[n++] = misuse[_i][i];
        got = ctl_run(args);
        ck_assert_int_ne(got.status, 0);
        ck_assert_msg(strstr(got.out, "\"usage\"") != NULL, "%s%s", got.out, got.err);
} END_TEST

int main(int argc, char **argv) {
        Suite *s = suite_create("snpctl-service");
        TCase *tc = tcase_create("snpctl-service");

        if (argc != 2)
                return EXIT_FAILURE;
        if (sim_tsm_unusable())
                return unit_skip(sim_tsm_unusable());
        ctl_set_program(argv[1]);
        tcase_set_timeout(tc, 60);
        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_add_test(tc, vtpm_service_is_shown_and_bound);
        tcase_add_test(tc, version_1_has_a_list_of_keys);
        tcase_add_test(tc, all_services_are_shown_each);
        tcase_add_test(tc, what_the_report_does_not_bind_is_a_rejection_with_its_reason);
        tcase_add_test(tc, a_manifest_that_is_no_manifest_is_told);
        tcase_add_test(tc, no_svsm_is_told_apart);
        tcase_add_loop_test(tc, misuse_is_told_as_such, 0, (int) N_ELEMENTS(misuse));
        suite_add_tcase(s, tc);
        return unit_run(s);
}
