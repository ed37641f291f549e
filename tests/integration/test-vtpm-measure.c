/* SPDX-License-Identifier: Apache-2.0 */
/* Measuring into a real TPM (swtpm): log and PCR agree, whatever breaks in between. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/integration/interposer.h"
#include "tests/integration/swtpm.h"
#include "tests/unit/unit.h"
#include "vtpm/event-log-replay.h"
#include "vtpm/measure.h"
#include "vtpm/pcr-extend.h"
#include "vtpm/pcr.h"

#define LONG_USEC (30 * USEC_PER_SEC)
#define CC_PCR_EXTEND 0x00000182u /* TPM 2.0 Library Part 2, "TPM_CC" */
#define PCR 8u

static Swtpm tpm;
static char dir[128];

static void setup(void) {
        ck_assert_int_eq(swtpm_start(NULL, &tpm), 0);
        (void) snprintf(dir, sizeof(dir), "%s/measured", tpm.dir);
        ck_assert_int_eq(mkdir(dir, 0700), 0);
}

static void teardown(void) {
        swtpm_stop(&tpm);
}

static int measure_at(const char *tcti, const char *content, Error *e) {
        const VtpmMeasurement m = {
                .tcti = tcti, .directory = dir, .pcr = PCR,
                .entry = { .domain = { "example.org", 11 }, .operation = { "Test", 4 },
                           .content = { content, strlen(content) } },
                .deadline = deadline_in(LONG_USEC),
        };

        return vtpm_measure(&m, e);
}

static void must_measure(const char *content) {
        Error e = {};
        int r = measure_at(tpm.tcti, content, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
}

static void must_fail(const char *tcti, int code, const char *reason) {
        Error e = {};
        int r = measure_at(tcti, "fails", &e);

        ck_assert_msg(r == code, "%d %s", r, error_text(&e, r));
        if (reason)
                ck_assert_str_eq(error_reason(&e, r), reason);
}

static void extend(const char *bytes32) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        VtpmPcrDigest d = { .hash = VTPM_ALG_SHA256 };

        (void) memcpy(d.bytes, bytes32, 32);
        ck_assert_int_eq(vtpm_context_open(tpm.tcti, deadline_in(LONG_USEC), &ctx, NULL), 0);
        ck_assert_int_eq(vtpm_pcr_extend(ctx, PCR, &d, 1, NULL), 0);
}

/* The log is well-formed, holds these contents in this order, and its replay is the PCR's value. */
static void log_must_say(const char *const contents[], size_t n) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        VtpmPcrValues actual, replayed;
        AUTO_BLOB Blob bytes = {};
        VtpmAaelEntry entry;
        VtpmEventLog log;
        VtpmEvent ev;
        Error e = {};

        ck_assert_int_eq(vtpm_measure_log(dir, &bytes, &e), 0);
        ck_assert_msg(vtpm_event_log_open(bytes.data, bytes.size, &log, &e) == 0, "%s", e.text);
        ck_assert_int_eq(vtpm_event_log_next(&log, &ev, &e), 1);
        for (size_t i = 0; i < n; i++) {
                ck_assert_int_eq(vtpm_event_log_next(&log, &ev, &e), 1);
                ck_assert_msg(vtpm_aael_parse(&ev, &entry, &e) == 0, "%s", e.text);
                ck_assert_uint_eq(entry.content.len, strlen(contents[i]));
                ck_assert_mem_eq(entry.content.text, contents[i], entry.content.len);
        }
        ck_assert_int_eq(vtpm_event_log_next(&log, &ev, &e), 0);
        ck_assert_int_eq(vtpm_event_log_replay(&log, VTPM_ALG_SHA256, &replayed, &e), 0);
        ck_assert_int_eq(vtpm_context_open(tpm.tcti, deadline_in(LONG_USEC), &ctx, &e), 0);
        ck_assert_int_eq(vtpm_pcr_read(ctx, VTPM_ALG_SHA256, 1u << PCR, &actual, &e), 0);
        ck_assert_uint_eq(vtpm_event_log_explains(&replayed, &actual) & 1u << PCR, n > 0 ? 1u << PCR : 0);
}
#define LOG_MUST_SAY(...)                                                                                              \
        do {                                                                                                           \
                static const char *const contents_[] = { __VA_ARGS__ };                                                \
                log_must_say(contents_, N_ELEMENTS(contents_));                                                        \
        } while (0)

static bool exists(const char *name) {
        char path[256];

        (void) snprintf(path, sizeof(path), "%s/%s", dir, name);
        return access(path, F_OK) == 0;
}

static Interposer at_extend(InterposerAct act, uint32_t code) {
        const InterposerOptions options = {
                .upstream = &tpm, .act = act, .n_act = 1, .code = code, .command = CC_PCR_EXTEND,
        };
        Interposer i;

        ck_assert_int_eq(interposer_start(&options, &i), 0);
        return i;
}

START_TEST(log_explains_the_pcr) {
        AUTO_BLOB Blob none = {};

        ck_assert_int_eq(vtpm_measure_log(dir, &none, NULL), 0);
        ck_assert_uint_eq(none.size, 0);
        must_measure("one");
        LOG_MUST_SAY("one");
        must_measure("two");
        must_measure("three");
        LOG_MUST_SAY("one", "two", "three");
        ck_assert(!exists("pending") && !exists("pending.new"));
}
END_TEST

/* The TPM never heard of it: nothing was measured, and the next one is as if it had not been tried. */
START_TEST(command_that_did_not_arrive_leaves_no_trace) {
        Interposer i = at_extend(INTERPOSER_CLOSE, 0);

        must_measure("one");
        must_fail(i.tcti, -ECONNRESET, NULL);
        ck_assert(exists("pending"));
        interposer_stop(&i);
        must_measure("two");
        LOG_MUST_SAY("one", "two");
        ck_assert(!exists("pending"));
}
END_TEST

/* The TPM did it, and its answer was lost: the next one finds it done. */
START_TEST(answer_that_got_lost_is_made_good) {
        Interposer i = at_extend(INTERPOSER_WRONG_SIZE, 0);
        Error e = {};

        must_measure("one");
        ck_assert_int_lt(measure_at(i.tcti, "lost", &e), 0);
        ck_assert(exists("pending"));
        interposer_stop(&i);
        must_measure("two");
        LOG_MUST_SAY("one", "lost", "two");
}
END_TEST

START_TEST(refusal_of_the_tpm_leaves_no_trace) {
        Interposer i = at_extend(INTERPOSER_CODE, 0x907); /* TPM_RC_LOCALITY */

        must_fail(i.tcti, -EACCES, "pcr-locality");
        interposer_stop(&i);
        must_measure("one");
        LOG_MUST_SAY("one");
}
END_TEST

/* A crash while the log was being written: cut off, and written again. */
START_TEST(half_an_entry_is_written_again) {
        Interposer i = at_extend(INTERPOSER_WRONG_SIZE, 0);
        char path[256];
        AUTO_FD int fd = -1;

        must_measure("one");
        ck_assert_int_lt(measure_at(i.tcti, "lost", NULL), 0);
        interposer_stop(&i);
        (void) snprintf(path, sizeof(path), "%s/events", dir);
        fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
        ck_assert_int_eq(write(fd, "\x08\0\0\0\x06", 5), 5);
        must_measure("two");
        LOG_MUST_SAY("one", "lost", "two");
}
END_TEST

START_TEST(pcr_that_somebody_else_moved_stops_it) {
        Interposer i = at_extend(INTERPOSER_CLOSE, 0);

        must_measure("one");
        must_fail(i.tcti, -ECONNRESET, NULL);
        interposer_stop(&i);
        extend("0123456789abcdef0123456789abcdef");
        must_fail(tpm.tcti, -EUCLEAN, "measurement-unexplained");
        must_fail(tpm.tcti, -EUCLEAN, "measurement-unexplained");
        ck_assert(exists("pending"));
}
END_TEST

START_TEST(full_log_refuses) {
        char path[256];

        must_measure("one");
        (void) snprintf(path, sizeof(path), "%s/events", dir);
        ck_assert_int_eq(truncate(path, VTPM_MEASURE_LOG_MAX - 10), 0);
        must_fail(tpm.tcti, -ENOSPC, "measurement-log-full");
        ck_assert(!exists("pending"));
}
END_TEST

START_TEST(strange_files_are_refused) {
        char path[256], elsewhere[256];
        AUTO_FD int fd = -1;
        struct stat st;

        (void) snprintf(path, sizeof(path), "%s/pending", dir);
        ck_assert_int_eq(file_write_atomic(path, "nonsense", 8, 0600, NULL), 0);
        must_fail(tpm.tcti, -EBADMSG, NULL);
        ck_assert_int_eq(unlink(path), 0);

        /* The log of another's choosing is not written to. */
        (void) snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", tpm.dir);
        (void) snprintf(path, sizeof(path), "%s/events", dir);
        fd = open(elsewhere, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(unlink(path), 0);
        ck_assert_int_eq(symlink(elsewhere, path), 0);
        must_fail(tpm.tcti, -ELOOP, NULL);
        ck_assert_int_eq(fstat(fd, &st), 0);
        ck_assert_int_eq(st.st_size, 0);
}
END_TEST

START_TEST(one_at_a_time) {
        AUTO_FD int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        ck_assert_int_eq(flock(fd, LOCK_EX), 0);
        must_fail(tpm.tcti, -EBUSY, "measurement-busy");
        ck_assert_int_eq(flock(fd, LOCK_UN), 0);
        must_measure("one");
}
END_TEST

START_TEST(what_is_asked_wrongly) {
        VtpmMeasurement m = { .tcti = tpm.tcti, .directory = dir, .pcr = 24, .deadline = deadline_in(LONG_USEC),
                              .entry = { .domain = { "d", 1 }, .operation = { "o", 1 } } };

        ck_assert_int_eq(vtpm_measure(&m, NULL), -EINVAL);
        m.pcr = PCR;
        m.entry.operation.len = 0;
        ck_assert_int_eq(vtpm_measure(&m, NULL), -EINVAL);
        m.entry.operation.len = 1;
        m.directory = "/nonexistent";
        ck_assert_int_eq(vtpm_measure(&m, NULL), -ENOENT);
        ck_assert(!exists("events"));
}
END_TEST

int main(void) {
        Suite *s = suite_create("vtpm-measure");
        TCase *t = tcase_create("measure");

        if (!swtpm_available())
                return unit_skip("swtpm is not installed");
        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_test(t, log_explains_the_pcr);
        tcase_add_test(t, command_that_did_not_arrive_leaves_no_trace);
        tcase_add_test(t, answer_that_got_lost_is_made_good);
        tcase_add_test(t, refusal_of_the_tpm_leaves_no_trace);
        tcase_add_test(t, half_an_entry_is_written_again);
        tcase_add_test(t, pcr_that_somebody_else_moved_stops_it);
        tcase_add_test(t, full_log_refuses);
        tcase_add_test(t, strange_files_are_refused);
        tcase_add_test(t, one_at_a_time);
        tcase_add_test(t, what_is_asked_wrongly);
        suite_add_tcase(s, t);
        return unit_run(s);
}
