/* SPDX-License-Identifier: Apache-2.0 */
/* snp/sev-guest-key.c and snp/key-request.c: derived keys, against a scripted kernel. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/reader.h"
#include "base/text.h"
#include "tests/unit/snp/scripted.h"
#include "tests/unit/unit.h"

static const SnpKeyRequest usual = { .fields = SNP_KEY_POLICY | SNP_KEY_MEASUREMENT, .vmpl = SNP_VMPL_AUTO };

START_TEST(the_key_is_what_the_firmware_derived) {
        const Step steps[] = { { .request = SCRIPT_KEY } };
        const SnpKeyRequest q = { .root = SNP_ROOT_KEY_VMRK, .fields = 0x3f, .vmpl = 3, .guest_svn = 7,
                                  .tcb = 0x5516000000000007 };
        Fixture f;
        int r;

        fixture_init(&f, steps, 1);
        r = fixture_key(&f, &q, USEC_PER_SEC);
        ck_assert_msg(r == 0, "%s", error_text(&f.e, r));
        ck_assert_uint_eq(f.key.len, SNP_DERIVED_KEY_SIZE);
        ck_assert_mem_eq(f.key.bytes, script_key, sizeof(script_key));
        /* What stood behind it in the response, or was the key's first place, is gone. */
        ck_assert(bytes_are_zero(f.key.bytes + f.key.len, f.key.size - f.key.len));
        ck_assert_uint_eq(f.script.key.root_key_select, 1);
        ck_assert_uint_eq(f.script.key.guest_field_select, 0x3f);
        ck_assert_uint_eq(f.script.key.vmpl, 3);
        ck_assert_uint_eq(f.script.key.guest_svn, 7);
        ck_assert_uint_eq(f.script.key.tcb_version, 0x5516000000000007);
        fixture_done(&f);
} END_TEST

static const struct {
        const char *reason;
        int code;
        Step step;
} failures[] = {
        { "firmware-invalid-param", -EINVAL, { .status = 0x16 } },
        { "firmware-invalid-key", -EINVAL, { .status = 0x27 } },
        { "firmware-error", -EIO, { .status = 0x03 } },
        { "key-empty", -EBADMSG, { .zero_report = true } },
        { "firmware-error", -EIO, { -EIO, .fw_error = 0x14 } },
        { "host-error", -EIO, { -EIO, .vmm_error = 0x80000000 } },
        { "host-error", -EIO, { -EIO, .vmm_error = 1 } }, /* "more certificates": no answer to this question */
        { "host-busy", -ETIMEDOUT, { -ETIMEDOUT, .vmm_error = 2 } },
        { "message-authentication", -EBADMSG, { -EBADMSG } },
        { "not-sev-guest", -ENODEV, { -ENOTTY, .fw_error = 0xFF } },
        { "request-refused", -EINVAL, { -EINVAL, .fw_error = 0xFF } },
        { "device-access", -EACCES, { -EPERM } },
        { "answer-too-large", -E2BIG, { -EFBIG } },
};

START_TEST(failures_have_their_code_and_reason) {
        Step step = failures[_i].step;
        Fixture f;
        int r;

        step.request = SCRIPT_KEY;
        fixture_init(&f, &step, 1);
        r = fixture_key(&f, &usual, USEC_PER_SEC);
        ck_assert_msg(r == failures[_i].code, "%s: %d (%s)", failures[_i].reason, r, error_text(&f.e, r));
        ck_assert_str_eq(error_reason(&f.e, r), failures[_i].reason);
        ck_assert_ptr_null(f.key.bytes);
        fixture_done(&f);
} END_TEST

START_TEST(after_a_failure_the_key_is_known_to_be_wiped) {
        const Step steps[] = { { -EIO, .vmm_error = 0x80000000, .request = SCRIPT_KEY },
                               { -ENOTTY, .fw_error = 0xFF, .request = SCRIPT_KEY } };
        Fixture f;

        fixture_init(&f, steps, 2);
        ck_assert_int_eq(fixture_key(&f, &usual, USEC_PER_SEC), -EIO);
        f.e = (Error){};
        ck_assert_int_eq(fixture_key(&f, &usual, USEC_PER_SEC), -ENOTTY);
        ck_assert_str_eq(error_reason(&f.e, -ENOTTY), "message-key-lost");
        fixture_done(&f);
} END_TEST

START_TEST(later_is_asked_again) {
        const Step steps[] = { { -EAGAIN, .request = SCRIPT_KEY }, { .request = SCRIPT_KEY } };
        Fixture f;

        fixture_init(&f, steps, 2);
        ck_assert_int_eq(fixture_key(&f, &usual, 60 * USEC_PER_SEC), 0);
        ck_assert_uint_eq(f.script.n_sleeps, 1);
        fixture_done(&f);
} END_TEST

START_TEST(vmpl_is_never_raised_silently) {
        static const struct {
                const char *file;
                uint32_t wanted, asked;
                int code;
        } rows[] = {
                { "0\n", SNP_VMPL_AUTO, 0, 0 }, { "2\n", SNP_VMPL_AUTO, 2, 0 }, { "2\n", 2, 2, 0 }, { "2\n", 3, 3, 0 },
                { "2\n", 1, 0, -EINVAL },       { "1\n", 0, 0, -EINVAL },
        };
        char path[] = "/tmp/snp-vmpl-XXXXXX";
        int fd = mkstemp(path);

        ck_assert_int_ge(fd, 0);
        for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
                const Step steps[] = { { .request = SCRIPT_KEY } };
                SnpKeyRequest q = usual;
                Fixture f;

                q.vmpl = rows[i].wanted;
                ck_assert_int_eq(pwrite(fd, rows[i].file, 2, 0), 2);
                fixture_init(&f, steps, rows[i].code == 0);
                f.signs.vmpl_path = path;
                ck_assert_int_eq(fixture_key(&f, &q, USEC_PER_SEC), rows[i].code);
                if (rows[i].code == 0)
                        ck_assert_uint_eq(f.script.key.vmpl, rows[i].asked);
                else
                        ck_assert_str_eq(error_reason(&f.e, -EINVAL), "vmpl-below-kernel");
                fixture_done(&f);
        }
        (void) close(fd);
        (void) unlink(path);
} END_TEST

static const struct {
        const char *reason;
        int code;
        SnpKeyRequest q;
} nonsense[] = {
        { "key-root", -EINVAL, { .root = (SnpRootKey) 2 } },
        { "key-mit-vector", -EOPNOTSUPP, { .fields = SNP_KEY_MEASUREMENT | SNP_KEY_LAUNCH_MIT_VECTOR } },
        { "key-fields", -EINVAL, { .fields = UINT64_C(1) << 7 } },
        { "key-fields", -EINVAL, { .fields = UINT64_C(1) << 63 } },
        { "vmpl-range", -EINVAL, { .vmpl = 4 } },
        { "key-svn", -EINVAL, { .guest_svn = 1, .fields = SNP_KEY_TCB_VERSION } },
        { "key-tcb", -EINVAL, { .tcb = 1, .fields = SNP_KEY_GUEST_SVN } },
};

START_TEST(what_cannot_be_meant_is_not_asked) {
        Fixture f;

        fixture_init(&f, NULL, 0);
        ck_assert_int_eq(fixture_key(&f, &nonsense[_i].q, USEC_PER_SEC), nonsense[_i].code);
        ck_assert_str_eq(error_reason(&f.e, -EINVAL), nonsense[_i].reason);
        fixture_done(&f);
} END_TEST

START_TEST(passed_deadline_asks_nobody) {
        Fixture f;

        fixture_init(&f, NULL, 0);
        ck_assert_int_eq(fixture_key(&f, &usual, 0), -ETIMEDOUT);
        fixture_done(&f);
} END_TEST

START_TEST(names_and_bits_agree) {
        for (unsigned bit = 0; bit < 64; bit++) {
                const char *name = snp_key_field_name(bit);

                ck_assert((name != NULL) == (bit <= 6));
                if (name)
                        ck_assert_uint_eq(snp_key_field_find(name, strlen(name)), UINT64_C(1) << bit);
        }
        ck_assert_uint_eq(snp_key_field_find("policy,", 6), SNP_KEY_POLICY);
        ck_assert_uint_eq(snp_key_field_find("polic", 5), 0);
        ck_assert_uint_eq(snp_key_field_find("", 0), 0);
        for (unsigned i = 0; i < 2; i++) {
                SnpRootKey root = (SnpRootKey) 9;

                ck_assert_int_eq(snp_root_key_find(snp_root_key_name((SnpRootKey) i), &root), 0);
                ck_assert_uint_eq(root, i);
        }
        ck_assert_int_eq(snp_root_key_find("vlek", &(SnpRootKey){ 0 }), -EINVAL);
        ck_assert_str_eq(snp_root_key_name((SnpRootKey) 2), "unknown");
} END_TEST

int main(void) {
        Suite *suite = suite_create("snp-device-key");
        TCase *tc = tcase_create("snp-device-key");

        tcase_add_test(tc, the_key_is_what_the_firmware_derived);
        tcase_add_loop_test(tc, failures_have_their_code_and_reason, 0, N_ELEMENTS(failures));
        tcase_add_test(tc, after_a_failure_the_key_is_known_to_be_wiped);
        tcase_add_test(tc, later_is_asked_again);
        tcase_add_test(tc, vmpl_is_never_raised_silently);
        tcase_add_loop_test(tc, what_cannot_be_meant_is_not_asked, 0, N_ELEMENTS(nonsense));
        tcase_add_test(tc, passed_deadline_asks_nobody);
        tcase_add_test(tc, names_and_bits_agree);
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
