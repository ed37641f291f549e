/* SPDX-License-Identifier: Apache-2.0 */
/* TPMs that are absent, asleep, broken, hostile, or gone half-way: an error in time, and nothing left behind. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "tests/integration/interposer.h"
#include "tests/integration/swtpm.h"
#include "tests/unit/unit.h"
#include "vtpm/ak.h"
#include "vtpm/context.h"
#include "vtpm/esys.h"
#include "vtpm/pcr.h"
#include "vtpm/quote.h"

#define LONG_USEC (30 * USEC_PER_SEC)
#define SHORT_USEC (400 * USEC_PER_MSEC)
/* What is allowed on top of a deadline: leaving the TPM clean, closing it, and a busy machine. */
#define SLACK_USEC (3 * USEC_PER_SEC)

/* TPM 2.0 Library Part 2, "TPM_CC" */
#define CC_CREATE_PRIMARY 0x00000131u
#define CC_QUOTE 0x00000158u
#define CC_FLUSH_CONTEXT 0x00000165u
#define CC_PCR_READ 0x0000017eu

/* TPM 2.0 Library Part 2, "TPM_HC"; tpm2-tss' own names for them shift into the sign bit */
#define TRANSIENT_FIRST 0x80000000u
#define LOADED_SESSION_FIRST 0x02000000u
#define SAVED_SESSION_FIRST 0x03000000u

static Swtpm tpm;
static const uint8_t nonce[8] = { 8, 7, 6, 5, 4, 3, 2, 1 };

static VtpmQuoteRequest request_to(const char *tcti, uint64_t usec) {
        return (VtpmQuoteRequest){
                .tcti = tcti,
                .ak = { .kind = VTPM_AK_ECDSA_P256 },
                .nonce = nonce,
                .nonce_size = sizeof(nonce),
                .pcrs = { .n_banks = 1, .banks[0] = { .hash = VTPM_ALG_SHA256, .mask = 1u << 7 } },
                .deadline = deadline_in(usec),
        };
}

static int quote(const char *tcti, uint64_t usec, Error *e) {
        VtpmQuoteRequest q = request_to(tcti, usec);
        AUTO_VTPM_QUOTE VtpmQuote ret = {};
        Deadline latest = deadline_in(usec + SLACK_USEC);
        int r = vtpm_quote_run(&q, &ret, e);

        ck_assert_msg(!deadline_expired(latest), "took too long");
        return r;
}

static void must_fail(const char *tcti, uint64_t usec, int code, const char *reason) {
        Error e = {};
        int r = quote(tcti, usec, &e);

        ck_assert_msg(r == code && strcmp(error_reason(&e, r), reason) == 0, "%d %s: %s", r, error_reason(&e, r),
                      error_text(&e, r));
        ck_assert_int_eq(e.code, r);
        ck_assert_str_ne(error_text(&e, r), "");
}

static void must_work(const char *tcti) {
        Error e = {};
        int r = quote(tcti, LONG_USEC, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
}

/* How many handles of a kind (TPM 2.0 Library Part 2, "TPM_HT", in the upper byte) the TPM holds. */
static unsigned count_handles(uint32_t first) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        AUTO_ESYS_FREE TPMS_CAPABILITY_DATA *data = NULL;
        ESYS_CONTEXT *esys;
        Error e = {};
        int r;

        r = vtpm_context_open(tpm.tcti, deadline_in(LONG_USEC), &ctx, &e);
        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        esys = vtpm_context_esys(ctx);
        r = VTPM_CALL(ctx, "TPM2_GetCapability",
                      Esys_GetCapability_Async(esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_HANDLES, first,
                                               32),
                      Esys_GetCapability_Finish(esys, NULL, &data), &e);
        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        return data->data.handles.count;
}

static void tpm_must_be_clean(void) {
        ck_assert_uint_eq(count_handles(TRANSIENT_FIRST), 0);
        ck_assert_uint_eq(count_handles(LOADED_SESSION_FIRST), 0);
        ck_assert_uint_eq(count_handles(SAVED_SESSION_FIRST), 0);
}

static unsigned count_fds(void) {
        DIR *d = opendir("/proc/self/fd");
        unsigned n = 0;

        ck_assert_ptr_nonnull(d);
        while (readdir(d))
                n++;
        (void) closedir(d);
        return n;
}

/* Processes of ours that carry a TCTI module. Those of other tests are not our children. */
static unsigned count_transports(void) {
        AUTO_FREE char *children = NULL;
        char path[64];
        char *save = NULL;
        unsigned n = 0;

        (void) snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
        if (file_read_text(path, 4096, &children, NULL) < 0)
                return 0; /* a kernel without CONFIG_PROC_CHILDREN */
        for (char *pid = strtok_r(children, " ", &save); pid; pid = strtok_r(NULL, " ", &save)) {
                AUTO_FREE char *comm = NULL;

                (void) snprintf(path, sizeof(path), "/proc/%s/comm", pid);
                if (file_read_text(path, 64, &comm, NULL) == 0 && strcmp(comm, "vtpm-transport\n") == 0)
                        n++;
        }
        return n;
}

static unsigned fds_before;

static void setup(void) {
        fds_before = count_fds();
}

static void nothing_must_remain(void) {
        ck_assert_uint_eq(count_transports(), 0);
        ck_assert_uint_eq(count_fds(), fds_before);
}

START_TEST(tcti_must_be_explicit) {
        static const char *const bad[] = { NULL, "", "device", ":", "device:", ":/dev/tpmrm0" };
        static const char *const reason[] = { "tcti-missing", "tcti-missing", "tcti-configuration" };

        for (size_t i = 0; i < N_ELEMENTS(bad); i++)
                must_fail(bad[i], LONG_USEC, -EINVAL, reason[i < 2 ? i : 2]);
} END_TEST

START_TEST(absent_tpm_is_told) {
        char tcti[160];

        must_fail("device:/nonexistent/tpmrm0", LONG_USEC, -ENODEV, "tpm-absent");
        must_fail("nosuchmodule:whatever", LONG_USEC, -ENODEV, "tpm-absent");
        must_fail("swtpm:port=notanumber", LONG_USEC, -EINVAL, "tcti-configuration");
        (void) snprintf(tcti, sizeof(tcti), "swtpm:path=%s/nobody", tpm.dir);
        must_fail(tcti, LONG_USEC, -ENODEV, "tpm-absent");
        nothing_must_remain();
} END_TEST

START_TEST(tpm_without_startup_is_told) {
        const SwtpmOptions options = { .no_startup = true };
        Swtpm asleep;
        Error e = {};

        ck_assert_int_eq(swtpm_start(&options, &asleep), 0);
        ck_assert_int_eq(quote(asleep.tcti, LONG_USEC, &e), -EIO);
        ck_assert_str_eq(e.reason, "tpm-not-started");
        ck_assert_ptr_nonnull(strstr(e.text, "tpm:")); /* the layer, */
        ck_assert_ptr_nonnull(strstr(e.text, "TPM2_")); /* the command, */
        ck_assert_ptr_nonnull(strstr(e.text, "0x00000100")); /* and the code */
        swtpm_stop(&asleep);
        nothing_must_remain();
} END_TEST

START_TEST(crashed_tpm_is_told) {
        Swtpm crashed;

        ck_assert_int_eq(swtpm_start(NULL, &crashed), 0);
        must_work(crashed.tcti);
        swtpm_kill(&crashed);
        must_fail(crashed.tcti, LONG_USEC, -ENODEV, "tpm-absent");
        swtpm_stop(&crashed);
        nothing_must_remain();
} END_TEST

static const struct {
        const char *why;
        InterposerAct act;
        uint32_t command; /* 0: at once */
        int code;
        const char *reason;
} misdeeds[] = {
        { "hangs at the first command", INTERPOSER_HANG, 0, -ETIMEDOUT, "tpm-timeout" },
        { "hangs while reading PCRs", INTERPOSER_HANG, CC_PCR_READ, -ETIMEDOUT, "tpm-timeout" },
        { "hangs while quoting", INTERPOSER_HANG, CC_QUOTE, -ETIMEDOUT, "tpm-timeout" },
        { "hangs in the middle of an answer", INTERPOSER_HANG_MIDWAY, CC_QUOTE, -ETIMEDOUT, "tpm-timeout" },
        { "hangs up at the first command", INTERPOSER_CLOSE, 0, -ECONNRESET, "tpm-gone" },
        { "hangs up while quoting", INTERPOSER_CLOSE, CC_QUOTE, -ECONNRESET, "tpm-gone" },
        { "goes away at the first command", INTERPOSER_GONE, 0, -ECONNRESET, "tpm-gone" },
        { "goes away while quoting", INTERPOSER_GONE, CC_QUOTE, -ECONNRESET, "tpm-gone" },
        { "answers garbage to the first command", INTERPOSER_GARBAGE, 0, -EBADMSG, "tpm-bad-response" },
        { "answers garbage while quoting", INTERPOSER_GARBAGE, CC_QUOTE, -EBADMSG, "tpm-bad-response" },
        { "answers with a wrong size at once", INTERPOSER_WRONG_SIZE, 0, -EBADMSG, "tpm-bad-response" },
        { "answers with a wrong size when quoting", INTERPOSER_WRONG_SIZE, CC_QUOTE, -EBADMSG, "tpm-bad-response" },
};

START_TEST(misbehaving_tpm_gives_an_error_in_time) {
        InterposerOptions options = { .upstream = &tpm, .act = misdeeds[_i].act, .command = misdeeds[_i].command };
        Interposer i;

        ck_assert_int_eq(interposer_start(&options, &i), 0);
        must_fail(i.tcti, misdeeds[_i].act == INTERPOSER_HANG || misdeeds[_i].act == INTERPOSER_HANG_MIDWAY
                          ? SHORT_USEC : LONG_USEC, misdeeds[_i].code, misdeeds[_i].reason);
        interposer_stop(&i);
        nothing_must_remain();
} END_TEST

START_TEST(tpm_that_hangs_before_the_first_command_times_out) {
        InterposerOptions options = { .upstream = &tpm, .control_hangs = true };
        Interposer i;

        ck_assert_int_eq(interposer_start(&options, &i), 0);
        must_fail(i.tcti, SHORT_USEC, -ETIMEDOUT, "tpm-timeout");
        interposer_stop(&i);
        nothing_must_remain();
} END_TEST

START_TEST(expired_deadline_fails_at_once) {
        must_fail(tpm.tcti, 0, -ETIMEDOUT, "tpm-timeout");
        nothing_must_remain();
        tpm_must_be_clean();
} END_TEST

static const struct {
        uint32_t code;
        const char *reason;
} retryable[] = {
        { TPM2_RC_RETRY, "tpm-retry" },
        { TPM2_RC_YIELDED, "tpm-yielded" },
        { TPM2_RC_TESTING, "tpm-testing" },
        { TPM2_RC_NV_RATE, "tpm-nv-rate" },
};

START_TEST(tpm_that_asks_to_be_asked_again_is) {
        InterposerOptions options = {
                .upstream = &tpm, .act = INTERPOSER_CODE, .code = retryable[_i].code, .command = CC_QUOTE, .n_act = 3,
        };
        Interposer i;

        ck_assert_int_eq(interposer_start(&options, &i), 0);
        must_work(i.tcti);
        interposer_stop(&i);
        nothing_must_remain();
        tpm_must_be_clean();
} END_TEST

START_TEST(tpm_that_always_asks_to_be_asked_again_is_given_up_in_time) {
        InterposerOptions options = {
                .upstream = &tpm, .act = INTERPOSER_CODE, .code = retryable[_i].code, .command = CC_QUOTE,
        };
        Interposer i;

        ck_assert_int_eq(interposer_start(&options, &i), 0);
        must_fail(i.tcti, SHORT_USEC, -ETIMEDOUT, "tpm-timeout");
        interposer_stop(&i);
        nothing_must_remain();
        tpm_must_be_clean(); /* the key was flushed although the time was up: the TPM was in order */
} END_TEST

START_TEST(retries_have_a_limit_without_a_deadline) {
        InterposerOptions options = {
                .upstream = &tpm, .act = INTERPOSER_CODE, .code = retryable[_i].code, .command = CC_QUOTE,
        };
        Interposer i;

        ck_assert_int_eq(interposer_start(&options, &i), 0);
        must_fail(i.tcti, LONG_USEC, -EBUSY, retryable[_i].reason);
        interposer_stop(&i);
        tpm_must_be_clean();
} END_TEST

static const struct {
        const char *why;
        uint32_t rc;
        uint32_t command;
        int code;
        const char *reason;
} refusals[] = {
        { "lockout is not retried", TPM2_RC_LOCKOUT, CC_QUOTE, -EACCES, "tpm-lockout" },
        { "through the kernel's resource manager", TPM2_RC_LOCKOUT | TSS2_RESMGR_RC_LAYER, CC_QUOTE, -EACCES,
          "tpm-lockout" },
        { "failure mode", TPM2_RC_FAILURE, CC_QUOTE, -EIO, "tpm-failure-mode" },
        { "no slot for the key", TPM2_RC_OBJECT_MEMORY, CC_CREATE_PRIMARY, -EBUSY, "tpm-full" },
        { "wrong password", TPM2_RC_BAD_AUTH | TPM2_RC_S | TPM2_RC_1, CC_CREATE_PRIMARY, -EACCES, "tpm-auth" },
        { "curve unknown", TPM2_RC_CURVE | TPM2_RC_P | TPM2_RC_2, CC_CREATE_PRIMARY, -EOPNOTSUPP, "tpm-unsupported" },
        { "bank unknown", TPM2_RC_HASH | TPM2_RC_P | TPM2_RC_1, CC_PCR_READ, -EOPNOTSUPP, "pcr-bank-absent" },
        { "a code only software may use: try again", TSS2_TCTI_RC_TRY_AGAIN, CC_QUOTE, -EBADMSG, "tpm-bad-response" },
        { "a code only software may use: ESAPI resubmits", TSS2_ESYS_RC_TRY_AGAIN, CC_QUOTE, -EBADMSG,
          "tpm-bad-response" },
        { "a code nobody has assigned", 0x000009ffu, CC_QUOTE, -EIO, "tpm-error" },
};

START_TEST(refusals_of_the_tpm_have_their_reason) {
        InterposerOptions options = {
                .upstream = &tpm, .act = INTERPOSER_CODE, .code = refusals[_i].rc, .command = refusals[_i].command,
        };
        Interposer i;

        ck_assert_int_eq(interposer_start(&options, &i), 0);
        must_fail(i.tcti, LONG_USEC, refusals[_i].code, refusals[_i].reason);
        interposer_stop(&i);
        nothing_must_remain();
        if (refusals[_i].code != -EBADMSG) /* a bus that lies lets nothing be flushed */
                tpm_must_be_clean();
} END_TEST

static void flush_all(void) {
        static const char *const argv[] = { "tpm2_flushcontext", "-t", NULL };

        (void) swtpm_run(&tpm, argv);
}

START_TEST(nothing_is_left_in_the_tpm) {
        static const VtpmAkKind kinds[] = { VTPM_AK_RSASSA, VTPM_AK_RSAPSS, VTPM_AK_ECDSA_P256, VTPM_AK_ECDSA_P384 };

        for (unsigned i = 0; i < 12; i++) { /* libtpms has three slots */
                VtpmQuoteRequest q = request_to(tpm.tcti, LONG_USEC);
                AUTO_VTPM_QUOTE VtpmQuote ret = {};
                Error e = {};
                int r;

                q.ak.kind = kinds[i % N_ELEMENTS(kinds)];
                r = vtpm_quote_run(&q, &ret, &e);
                ck_assert_msg(r == 0, "%s", error_text(&e, r));
        }
        nothing_must_remain();
        tpm_must_be_clean();
} END_TEST

START_TEST(failed_context_refuses_further_commands) {
        InterposerOptions options = { .upstream = &tpm, .act = INTERPOSER_HANG, .command = CC_PCR_READ };
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        VtpmAkSpec spec = { .kind = VTPM_AK_ECDSA_P256 };
        AUTO_VTPM_HANDLE VtpmHandle key = VTPM_HANDLE_NONE;
        AUTO_BLOB Blob pub = {};
        VtpmPcrValues values;
        Interposer i;
        Error e = {};

        ck_assert_int_eq(interposer_start(&options, &i), 0);
        ck_assert_int_eq(vtpm_context_open(i.tcti, deadline_in(SHORT_USEC), &ctx, &e), 0);
        ck_assert_int_eq(vtpm_pcr_read(ctx, VTPM_ALG_SHA256, 1, &values, &e), -ETIMEDOUT);
        e = (Error){};
        ck_assert_int_eq(vtpm_ak_load(ctx, &spec, &key, &pub, &e), -ECONNRESET);
        ck_assert_str_eq(e.reason, "tpm-gone");
        interposer_stop(&i);
} END_TEST

START_TEST(stuck_tpm_keeps_no_descriptor_of_ours_open) {
        InterposerOptions options = { .upstream = &tpm, .act = INTERPOSER_HANG };
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        Interposer i;
        int ends[2];
        char byte;

        ck_assert_int_eq(interposer_start(&options, &i), 0);
        ck_assert_int_eq(pipe2(ends, 0), 0); /* inherited by whoever forks and does not care */
        ck_assert_int_eq(vtpm_context_open(i.tcti, deadline_in(LONG_USEC), &ctx, NULL), 0);
        (void) close(ends[1]);
        ck_assert_int_eq(read(ends[0], &byte, 1), 0); /* end of file: the transport process does not hold it */
        (void) close(ends[0]);
        interposer_stop(&i);
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("vtpm-context");
        TCase *tc = tcase_create("context");

        tcase_add_checked_fixture(tc, setup, NULL);
        tcase_add_test(tc, tcti_must_be_explicit);
        tcase_add_test(tc, absent_tpm_is_told);
        tcase_add_test(tc, tpm_without_startup_is_told);
        tcase_add_test(tc, crashed_tpm_is_told);
        tcase_add_test(tc, tpm_that_hangs_before_the_first_command_times_out);
        tcase_add_test(tc, expired_deadline_fails_at_once);
        tcase_add_loop_test(tc, tpm_that_asks_to_be_asked_again_is, 0, N_ELEMENTS(retryable));
        tcase_add_loop_test(tc, tpm_that_always_asks_to_be_asked_again_is_given_up_in_time, 0, N_ELEMENTS(retryable));
        tcase_add_loop_test(tc, retries_have_a_limit_without_a_deadline, 0, N_ELEMENTS(retryable));
        tcase_add_test(tc, nothing_is_left_in_the_tpm);
        suite_add_tcase(s, tc);

        /* These may leave a key in the TPM: nothing can be flushed through a bus that failed. */
        tc = tcase_create("broken-bus");
        tcase_add_checked_fixture(tc, setup, flush_all);
        tcase_add_loop_test(tc, misbehaving_tpm_gives_an_error_in_time, 0, N_ELEMENTS(misdeeds));
        tcase_add_loop_test(tc, refusals_of_the_tpm_have_their_reason, 0, N_ELEMENTS(refusals));
        tcase_add_test(tc, failed_context_refuses_further_commands);
        tcase_add_test(tc, stuck_tpm_keeps_no_descriptor_of_ours_open);
        suite_add_tcase(s, tc);
        return s;
}

int main(void) {
        int r;

        if (!swtpm_available())
                return unit_skip("swtpm is not installed");
        if (!program_available("tpm2_flushcontext"))
                return unit_skip("tpm2-tools is not installed");
        if (swtpm_start(NULL, &tpm) < 0)
                return 1;
        r = unit_run(suite());
        swtpm_stop(&tpm);
        return r;
}
