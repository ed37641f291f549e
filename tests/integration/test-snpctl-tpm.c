/* SPDX-License-Identifier: Apache-2.0 */

/* `snpctl tpm log` and `snpctl tpm diff` on logs made by hand. */

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
static char path[64], other[64];

static void setup(void) {
        ck_assert_ptr_nonnull(mkdtemp(dir));
        (void) snprintf(path, sizeof(path), "%s/log", dir);
        (void) snprintf(other, sizeof(other), "%s/other", dir);
}

static void teardown(void) {
        (void) unlink(path);
        (void) unlink(other);
        ck_assert_int_eq(rmdir(dir), 0);
}

static void write_log(const Blob *b) {
        ck_assert_int_eq(file_write_atomic(path, b->data, b->size, 0600, NULL), 0);
}

static void write_other(const Blob *b) {
        ck_assert_int_eq(file_write_atomic(other, b->data, b->size, 0600, NULL), 0);
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

/* As event_logs_small(), with another version, and one action more. */
static Blob log_after_update(void) {
        static const uint16_t banks[] = { VTPM_ALG_SHA1, VTPM_ALG_SHA256 };
        AUTO_BLOB Blob small = event_logs_small();
        Writer w = wr_init(4096);
        VtpmEventLog log;
        VtpmEvent event;
        Blob b = {};

        ck_assert_int_eq(vtpm_event_log_open(small.data, small.size, &log, NULL), 0);
        event_logs_begin(&w, banks, 2);
        ck_assert_int_eq(vtpm_event_log_next(&log, &event, NULL), 1); /* the Spec ID event */
        while (vtpm_event_log_next(&log, &event, NULL) > 0) {
                if (event.type == VTPM_EV_S_CRTM_VERSION)
                        event_logs_add(&w, banks, 2, 0, event.type, "2\0.\0", 4);
                else
                        event_logs_add(&w, banks, 2, event.pcr, event.type, event.data, event.size);
                if (event.type == VTPM_EV_EFI_ACTION)
                        event_logs_add(&w, banks, 2, 4, event.type, "Booting once more", 17);
        }
        ck_assert_int_eq(wr_finish(&w, &b), 0);
        return b;
}

START_TEST(difference_is_readable) {
        AUTO_BLOB Blob a = event_logs_small(), b = log_after_update();
        AUTO_SPAWN_RESULT SpawnResult r = {}, back = {};

        write_log(&a);
        write_other(&b);
        r = CTL("tpm", "diff", path, other);
        ck_assert_int_eq(r.status, 1);
        ck_assert_msg(strncmp(r.out, "PCR 0, bank sha256\n  - event 2 EV_S_CRTM_VERSION: ", 50) == 0, "%s", r.out);
        expect_has(&r, "\n  + event 2 EV_S_CRTM_VERSION: ");
        expect_has(&r, "\nPCR 4, bank sha256\n  + event 4 EV_EFI_ACTION: Booting once more\n  was ");
        ck_assert_ptr_null(strstr(r.out, "PCR 7"));
        back = CTL("tpm", "diff", other, path, "--bank", "sha1");
        ck_assert_int_eq(back.status, 1);
        expect_has(&back, "\nPCR 4, bank sha1\n  - event 4 EV_EFI_ACTION: Booting once more\n  was ");
} END_TEST

/* The values of the difference are those of the logs. */
START_TEST(difference_is_an_object) {
        AUTO_BLOB Blob a = event_logs_small(), b = log_after_update();
        AUTO_SPAWN_RESULT SpawnResult r = {}, old = {}, new = {};
        AUTO_JSON json_object *o = NULL, *was = NULL, *is = NULL;
        json_object *changes = NULL;

        write_log(&a);
        write_other(&b);
        r = CTL("tpm", "diff", path, other, "--json");
        ck_assert_int_eq(r.status, 1);
        o = ctl_json(&r);
        old = CTL("tpm", "log", path, "--json");
        was = ctl_json(&old);
        new = CTL("tpm", "log", other, "--json");
        is = ctl_json(&new);
        ck_assert_str_eq(ctl_str(o, "pcrs.0.old"), ctl_str(was, "pcrs.0"));
        ck_assert_str_eq(ctl_str(o, "pcrs.0.new"), ctl_str(is, "pcrs.0"));
        ck_assert_str_eq(ctl_str(o, "pcrs.4.new"), ctl_str(is, "pcrs.4"));
        ck_assert_int_eq(json_get_array(o, "changes", 2, &changes, NULL), 0);
        ck_assert_uint_eq(json_object_array_length(changes), 2);
        ck_assert_str_eq(ctl_str(json_object_array_get_idx(changes, 0), "kind"), "changed");
        ck_assert_str_eq(ctl_str(json_object_array_get_idx(changes, 0), "old.type_name"), "EV_S_CRTM_VERSION");
        ck_assert_str_eq(ctl_str(json_object_array_get_idx(changes, 1), "kind"), "added");
        ck_assert_str_eq(ctl_str(json_object_array_get_idx(changes, 1), "new.text"), "Booting once more");
} END_TEST

START_TEST(logs_without_difference_end_with_0) {
        AUTO_BLOB Blob a = event_logs_small();
        AUTO_SPAWN_RESULT SpawnResult text = {}, json = {};
        AUTO_JSON json_object *o = NULL;
        bool same = false;

        write_log(&a);
        write_other(&a);
        text = CTL("tpm", "diff", path, other);
        ck_assert_int_eq(text.status, 0);
        ck_assert_str_eq(text.out, "No difference: all PCRs of bank sha256 are the same\n");
        json = CTL("tpm", "diff", path, other, "--json");
        ck_assert_int_eq(json.status, 0);
        o = ctl_json(&json);
        ck_assert_int_eq(json_get_bool(o, "same", &same, NULL), 0);
        ck_assert(same);
} END_TEST

START_TEST(locality_is_a_difference) {
        AUTO_BLOB Blob a = event_logs_small(), b = event_logs_small();
        AUTO_SPAWN_RESULT SpawnResult r = {};
        uint8_t *at = memmem(b.data, b.size, "StartupLocality", 16);

        ck_assert_ptr_nonnull(at);
        at[16] = 0;
        write_log(&a);
        write_other(&b);
        r = CTL("tpm", "diff", path, other);
        ck_assert_int_eq(r.status, 1);
        expect_has(&r, "PCR 0, bank sha256\n  started from locality 0, before 3\n  was ");
} END_TEST

START_TEST(what_cannot_be_compared_is_refused) {
        AUTO_BLOB Blob a = event_logs_small();
        AUTO_SPAWN_RESULT SpawnResult bank = {}, cut = {}, absent = {}, one = {}, usage = {};

        write_log(&a);
        absent = CTL("tpm", "diff", path, other);
        ctl_expect_failure(&absent, 3, other);
        one = CTL("tpm", "diff", path);
        ctl_expect_failure(&one, 2, "OLD NEW");
        a.size--;
        write_other(&a);
        cut = CTL("tpm", "diff", path, other);
        ctl_expect_failure(&cut, 3, "new log");
        bank = CTL("tpm", "diff", path, path, "--bank", "sha512");
        ctl_expect_failure(&bank, 3, "sha512");
        usage = CTL("tpm", "diff", path, path, "--bank", "md5");
        ctl_expect_failure(&usage, 2, "md5");
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

        tc = tcase_create("diff");
        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_add_test(tc, difference_is_readable);
        tcase_add_test(tc, difference_is_an_object);
        tcase_add_test(tc, logs_without_difference_end_with_0);
        tcase_add_test(tc, locality_is_a_difference);
        tcase_add_test(tc, what_cannot_be_compared_is_refused);
        suite_add_tcase(s, tc);
        return s;
}

int main(int argc, char **argv) {
        if (argc != 2)
                return EXIT_FAILURE;
        ctl_set_program(argv[1]);
        return unit_run(suite());
}
