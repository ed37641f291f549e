/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <tss2/tss2_tpm2_types.h>

#include "tests/unit/unit.h"
#include "vtpm/rc.h"

static const struct {
        TSS2_RC rc;
        int code;
        const char *reason;
} codes[] = {
        /* as seen on a TPM */
        { 0x00000100, -EIO, "tpm-not-started" },
        { 0x00000101, -EIO, "tpm-failure-mode" },
        { 0x0000012f, -EACCES, "tpm-auth" },
        { 0x00000143, -EOPNOTSUPP, "tpm-unsupported" },
        { 0x0000018b, -ENOENT, "tpm-no-such-handle" },
        { 0x000001c3, -EOPNOTSUPP, "tpm-hash" },
        { 0x000003c3, -EOPNOTSUPP, "tpm-hash" },
        { 0x000002d2, -EOPNOTSUPP, "tpm-unsupported" },
        { 0x0000098e, -EACCES, "tpm-auth" },
        { 0x000009a2, -EACCES, "tpm-auth" },
        { 0x0000099d, -EACCES, "tpm-auth" },
        { 0x00000185, -EACCES, "tpm-hierarchy" },
        { 0x00000902, -EBUSY, "tpm-full" },
        { 0x00000903, -EBUSY, "tpm-full" },
        { 0x00000904, -EBUSY, "tpm-full" },
        { 0x00000908, -EBUSY, "tpm-yielded" },
        { 0x0000090a, -EBUSY, "tpm-testing" },
        { 0x00000920, -EBUSY, "tpm-nv-rate" },
        { 0x00000921, -EACCES, "tpm-lockout" },
        { 0x00000922, -EBUSY, "tpm-retry" },
        { 0x00000923, -EBUSY, "tpm-nv-unavailable" },
        { 0x00000910, -ENOENT, "tpm-no-such-handle" },
        { 0x00000146, -E2BIG, "nv-range" },
        { 0x00000148, -EACCES, "nv-locked" },
        { 0x00000149, -EACCES, "nv-auth" },
        { 0x0000014a, -ENODATA, "nv-unwritten" },
        { 0x0000014b, -ENOSPC, "nv-full" },
        { 0x0000014c, -EEXIST, "nv-defined" },
        { 0x000001c4, -EIO, "tpm-error" },
        /* the same through a resource manager, in the kernel (11) or elsewhere (12) */
        { 0x000b0143, -EOPNOTSUPP, "tpm-unsupported" },
        { 0x000b014a, -ENODATA, "nv-unwritten" },
        { 0x000b0921, -EACCES, "tpm-lockout" },
        { 0x000c018b, -ENOENT, "tpm-no-such-handle" },
        /* of the stack */
        { TSS2_TCTI_RC_IO_ERROR, -ECONNRESET, "tpm-gone" },
        { TSS2_TCTI_RC_NO_CONNECTION, -ECONNRESET, "tpm-gone" },
        { TSS2_TCTI_RC_MALFORMED_RESPONSE, -EBADMSG, "tpm-bad-response" },
        { TSS2_SYS_RC_INSUFFICIENT_RESPONSE, -EBADMSG, "tpm-bad-response" },
        { TSS2_MU_RC_INSUFFICIENT_BUFFER, -EBADMSG, "tpm-bad-response" },
        { TSS2_MU_RC_BAD_VALUE, -EBADMSG, "tpm-bad-response" },
        { TSS2_ESYS_RC_MEMORY, -ENOMEM, "out-of-memory" },
        { TSS2_ESYS_RC_TRY_AGAIN, -ETIMEDOUT, "tpm-timeout" },
        { TSS2_ESYS_RC_RSP_AUTH_FAILED, -EKEYREJECTED, "tpm-response-auth" },
        { TSS2_ESYS_RC_BAD_SEQUENCE, -EIO, "tpm-error" },
        { 0x00ff0001, -EIO, "tpm-error" },
};

START_TEST(code_has_its_meaning_layer_and_number) {
        char number[16];
        Error e = {};

        ck_assert_msg(vtpm_rc_error(codes[_i].rc, "TPM2_Something", &e) == codes[_i].code, "0x%x: %d", codes[_i].rc,
                      e.code);
        ck_assert_str_eq(e.reason, codes[_i].reason);
        (void) snprintf(number, sizeof(number), "0x%08x", codes[_i].rc);
        ck_assert_ptr_nonnull(strstr(e.text, number));
        ck_assert_ptr_nonnull(strstr(e.text, "TPM2_Something: "));
        ck_assert_ptr_nonnull(strchr(strstr(e.text, ": ") + 2, ':')); /* "layer:name" */
} END_TEST

START_TEST(only_four_codes_are_worth_another_try) {
        unsigned n = 0;

        for (TSS2_RC rc = 1; rc < 0x1000; rc++)
                n += vtpm_rc_is_retryable(rc);
        ck_assert_uint_eq(n, 4);
        ck_assert(vtpm_rc_is_retryable(0x908) && vtpm_rc_is_retryable(0x90a) && vtpm_rc_is_retryable(0x920) &&
                  vtpm_rc_is_retryable(0x922));
        ck_assert(vtpm_rc_is_retryable(0x000b0922));
        ck_assert(!vtpm_rc_is_retryable(0));
        ck_assert(!vtpm_rc_is_retryable(0x921)); /* lockout: asking again makes it last */
        ck_assert(!vtpm_rc_is_retryable(TSS2_TCTI_RC_TRY_AGAIN));
} END_TEST

START_TEST(layers_are_told_apart) {
        ck_assert(vtpm_rc_is_from_tpm(0x18b));
        ck_assert(vtpm_rc_is_from_tpm(0x000b018b));
        ck_assert(!vtpm_rc_is_from_tpm(TSS2_TCTI_RC_IO_ERROR));
        ck_assert(!vtpm_rc_is_from_tpm(TSS2_ESYS_RC_BAD_VALUE));
        ck_assert(vtpm_rc_is(0x3c3, TPM2_RC_HASH));
        ck_assert(vtpm_rc_is(0x000b01c3, TPM2_RC_HASH));
        ck_assert(!vtpm_rc_is(0x103, TPM2_RC_HASH)); /* format zero: another list of numbers */
        ck_assert(!vtpm_rc_is(0x000a0083, TPM2_RC_HASH));
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("rc");
        TCase *tc = tcase_create("rc");

        tcase_add_loop_test(tc, code_has_its_meaning_layer_and_number, 0, N_ELEMENTS(codes));
        tcase_add_test(tc, only_four_codes_are_worth_another_try);
        tcase_add_test(tc, layers_are_told_apart);
        suite_add_tcase(s, tc);
        return s;
}

int main(void) {
        return unit_run(suite());
}
