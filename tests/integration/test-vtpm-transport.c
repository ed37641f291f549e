/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a TCTI module does in its process, ours goes on. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "tests/unit/unit.h"
#include "vtpm/context.h"
#include "vtpm/esys.h"

#define DEADLINE_USEC (300 * USEC_PER_MSEC)
#define SLACK_USEC (3 * USEC_PER_SEC) /* for closing, and for a busy machine */

static const char *module; /* tcti-unruly.c, built */

static const struct {
        const char *misdeed;
        int open, command; /* what these return */
        const char *reason;
} cases[] = {
        { "nothing", 0, 0, NULL },
        { "hang-in-init", -ETIMEDOUT, 0, "tpm-timeout" },
        { "exit-in-init", -EIO, 0, "tpm-transport" },
        { "no-memory", -ENOMEM, 0, "out-of-memory" },
        { "hang-in-transmit", 0, -ETIMEDOUT, "tpm-timeout" },
        { "hang-in-receive", 0, -ETIMEDOUT, "tpm-timeout" },
        { "hang-in-finalize", 0, 0, NULL },
        { "crash", 0, -ECONNRESET, "tpm-gone" },
        { "try-again", 0, -ECONNRESET, "tpm-gone" },
        { "size-too-large", 0, -EBADMSG, "tpm-bad-response" },
        { "size-too-small", 0, -EBADMSG, "tpm-bad-response" },
        { "short", 0, -EBADMSG, "tpm-bad-response" },
        { "empty", 0, -EBADMSG, "tpm-bad-response" },
};

/* A command whose response has no parameters. */
static int run_command(VtpmContext *ctx, Error *e) {
        ESYS_CONTEXT *esys = vtpm_context_esys(ctx);

        return VTPM_CALL(ctx, "TPM2_SelfTest",
                         Esys_SelfTest_Async(esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_NO),
                         Esys_SelfTest_Finish(esys), e);
}

START_TEST(unruly_module_gives_an_error_in_time) {
        Deadline latest = deadline_in(DEADLINE_USEC + SLACK_USEC);
        VtpmContext *ctx = NULL;
        char tcti[512];
        Error e = {};
        int r;

        (void) snprintf(tcti, sizeof(tcti), "%s:%s", module, cases[_i].misdeed);
        r = vtpm_context_open(tcti, deadline_in(DEADLINE_USEC), &ctx, &e);
        ck_assert_msg(r == cases[_i].open, "%s: %d, %s", cases[_i].misdeed, r, error_text(&e, r));
        if (r == 0) {
                r = run_command(ctx, &e);
                ck_assert_msg(r == cases[_i].command, "%s: %d, %s", cases[_i].misdeed, r, error_text(&e, r));
                vtpm_context_free(ctx);
        }
        if (cases[_i].reason)
                ck_assert_str_eq(error_reason(&e, r), cases[_i].reason);
        ck_assert_msg(!deadline_expired(latest), "%s: took too long", cases[_i].misdeed);
        ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
        ck_assert_int_eq(errno, ECHILD);
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("vtpm-transport");
        TCase *tc = tcase_create("transport");

        tcase_add_loop_test(tc, unruly_module_gives_an_error_in_time, 0, N_ELEMENTS(cases));
        suite_add_tcase(s, tc);
        return s;
}

int main(int argc, char **argv) {
        if (argc != 2) {
                fprintf(stderr, "usage: %s MODULE\n", argv[0]);
                return EXIT_FAILURE;
        }
        module = argv[1];
        return unit_run(suite());
}
