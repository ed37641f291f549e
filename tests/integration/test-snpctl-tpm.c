/* SPDX-License-Identifier: Apache-2.0 */

/* `snpctl tpm log` on logs made by hand. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "tests/integration/ctl.h"
#include "tests/unit/unit.h"
#include "tests/unit/vtpm/event-logs.h"
#include "vtpm/event-log.h"

static char dir[] = "/tmp/snp-test-tpm.XXXXXX";
static char path[64];

static void setup(void) {
        ck_assert_ptr_nonnull(mkdtemp(dir));
        (void) snprintf(path, sizeof(path), "%s/log", dir);
}

static void teardown(void) {
        (void) unlink(path);
        ck_assert_int_eq(rmdir(dir), 0);
}

static void write_log(const Blob *b) {
        ck_assert_int_eq(file_write_atomic(path, b->data, b->size, 0600, NULL), 0);
}

static void expect_has(const SpawnResult *r, const char *text) {
        ck_assert_msg(strstr(r->out, text) != NULL, "'%s' is not in:\n%s", text, r->out);
}

START_TEST(a_log_is_readable) {
        AUTO_BLOB Blob b = event_logs_small();
        AUTO_SPAWN_RESULT SpawnResult r = {};

        write_log(&b);
        r = CTL("tpm", "log", path);
        ck_assert_int_eq(r.status, 0);
        expect_has(&r, "Crypto-agile event log, version 2.0.105, banks sha1 sha256\n");
        expect_has(&r, "    1   0 EV_NO_ACTION                      unknown  StartupLocality 3\n");
        expect_has(&r, "    3   4 EV_EFI_ACTION                     matches  Calling EFI Application from Boot Opt"
                       "ion\n");
        /* SHA256(0^32 || SHA256(0^4)) */
        expect_has(&r, "    7 3d458cfe55cc03ea1f443f1562beec8df51c75e14a9fcf9a7234a13f198e7969\n");
} END_TEST

START_TEST(a_log_is_an_object) {
        AUTO_BLOB Blob b = event_logs_small();
        AUTO_SPAWN_RESULT SpawnResult r = {};
        AUTO_JSON json_object *o = NULL;
        json_object *events = NULL, *event;

        write_log(&b);
        r = CTL("tpm", "log", path, "--json", "--bank", "sha1");
        o = ctl_json(&r);
        ck_assert_str_eq(ctl_str(o, "format"), "crypto-agile");
        ck_assert_str_eq(ctl_str(o, "bank"), "sha1");
        ck_assert_str_eq(ctl_str(o, "pcrs.7"), "b2a83b0ebf2f8374299a5b2bdfc31ea955ad7236");
        ck_assert_int_eq(json_get_array(o, "events", 6, &events, NULL), 0);
        ck_assert_uint_eq(json_object_array_length(events), 6);
        event = json_object_array_get_idx(events, 5);
        ck_assert_str_eq(ctl_str(event, "typeName"), "EV_SEPARATOR");
        ck_assert_str_eq(ctl_str(event, "digestOfData"), "matches");
        ck_assert_str_eq(ctl_str(event, "digests.sha1"), "9069ca78e7450a285173431b3e52c5c25299e473");
} END_TEST

START_TEST(a_digest_of_something_else_is_told) {
        AUTO_BLOB Blob b = event_logs_small();
        AUTO_SPAWN_RESULT SpawnResult r = {};

        b.data[b.size - 1] ^= 1; /* the last separator's data */
        write_log(&b);
        r = CTL("tpm", "log", path);
        expect_has(&r, "    5   7 EV_SEPARATOR                      differs  01000000: unusual\n");
} END_TEST

START_TEST(what_is_no_log_is_refused) {
        AUTO_BLOB Blob b = event_logs_small();
        AUTO_SPAWN_RESULT SpawnResult cut = {}, absent = {}, bank = {}, usage = {};

        write_log(&b);
        bank = CTL("tpm", "log", path, "--bank", "sha384");
        ctl_expect_failure(&bank, 3, "no digests of bank sha384");
        usage = CTL("tpm", "log", path, "--bank", "md5");
        ctl_expect_failure(&usage, 2, "md5");
        b.size--;
        write_log(&b);
        cut = CTL("tpm", "log", path);
        ctl_expect_failure(&cut, 3, "truncated or malformed at offset");
        (void) unlink(path);
        absent = CTL("tpm", "log", path);
        ctl_expect_failure(&absent, 3, path);
} END_TEST

START_TEST(only_so_many_events_are_shown) {
        static uint8_t zeros[10001 * 32]; /* events of a SHA-1 log without data */
        static const struct { size_t n; int status; } rows[] = { { 10000, 0 }, { 10001, 3 } };

        for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
                Blob b = { .data = zeros, .size = rows[i].n * 32 };
                AUTO_SPAWN_RESULT SpawnResult r = {};

                write_log(&b);
                r = CTL("tpm", "log", path);
                ck_assert_int_eq(r.status, rows[i].status);
        }
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("snpctl-tpm");
        TCase *tc = tcase_create("log");

        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_add_test(tc, a_log_is_readable);
        tcase_add_test(tc, a_log_is_an_object);
        tcase_add_test(tc, a_digest_of_something_else_is_told);
        tcase_add_test(tc, what_is_no_log_is_refused);
        tcase_add_test(tc, only_so_many_events_are_shown);
        suite_add_tcase(s, tc);
        return s;
}

int main(int argc, char **argv) {
        if (argc != 2)
                return EXIT_FAILURE;
        ctl_set_program(argv[1]);
        return unit_run(suite());
}
