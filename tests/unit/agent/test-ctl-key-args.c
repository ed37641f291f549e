/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snpctl/key-args.h"

#include <errno.h>
#include <string.h>

#include "agent/snpctl/exit.h"
#include "snp/device.h"
#include "tests/unit/unit.h"

static const struct {
        KeyArgs args;
        SnpKeyRequest want;
} good[] = {
        { { .fields = "none" }, { .vmpl = SNP_VMPL_AUTO } },
        { { .fields = "policy" }, { .fields = 1, .vmpl = SNP_VMPL_AUTO } },
        { { .fields = "measurement,policy", .root = "vmrk", .vmpl = "3" },
          { .root = SNP_ROOT_KEY_VMRK, .fields = 9, .vmpl = 3 } },
        { { .fields = "image-id,family-id,guest-svn,tcb-version", .guest_svn = "0", .tcb = "0x5516000000000007" },
          { .fields = 0x36, .vmpl = SNP_VMPL_AUTO, .tcb = 0x5516000000000007 } },
        { { .fields = "guest-svn", .guest_svn = "4294967295", .root = "vcek" },
          { .fields = 0x10, .vmpl = SNP_VMPL_AUTO, .guest_svn = UINT32_MAX } },
};

START_TEST(a_request_is_what_was_said) {
        const SnpKeyRequest *want = &good[_i].want;
        SnpKeyRequest q;
        Error e = {};
        int r = key_args_parse(&good[_i].args, &q, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        ck_assert_int_eq(q.root, want->root);
        ck_assert_uint_eq(q.fields, want->fields);
        ck_assert_uint_eq(q.vmpl, want->vmpl);
        ck_assert_uint_eq(q.guest_svn, want->guest_svn);
        ck_assert_uint_eq(q.tcb, want->tcb);
} END_TEST

static const struct {
        const char *why;
        KeyArgs args;
} bad[] = {
        { "no fields", {} },
        { "empty fields", { .fields = "" } },
        { "unknown field", { .fields = "policy,chip" } },
        { "cut field", { .fields = "polic" } },
        { "empty field at the end", { .fields = "policy," } },
        { "empty field at the start", { .fields = ",policy" } },
        { "spaces", { .fields = "policy, measurement" } },
        { "twice", { .fields = "policy,policy" } },
        { "none and some", { .fields = "none,policy" } },
        { "root", { .fields = "none", .root = "VCEK" } },
        { "no such VMPL", { .fields = "none", .vmpl = "4" } },
        { "VMPL by name", { .fields = "none", .vmpl = "auto" } },
        { "SVN without its field", { .fields = "policy", .guest_svn = "1" } },
        { "zero SVN without its field", { .fields = "policy", .guest_svn = "0" } },
        { "field without its SVN", { .fields = "guest-svn" } },
        { "SVN too large", { .fields = "guest-svn", .guest_svn = "4294967296" } },
        { "SVN not a number", { .fields = "guest-svn", .guest_svn = "-1" } },
        { "TCB without its field", { .fields = "policy", .tcb = "1" } },
        { "field without its TCB", { .fields = "tcb-version" } },
        { "TCB too large", { .fields = "tcb-version", .tcb = "0x10000000000000000" } },
};

START_TEST(nonsense_is_a_usage_error) {
        SnpKeyRequest q;
        Error e = {};
        int r = key_args_parse(&bad[_i].args, &q, &e);

        ck_assert_msg(r < 0, "%s", bad[_i].why);
        ck_assert_int_eq(ctl_exit_of(r, &e), CTL_EXIT_USAGE);
} END_TEST

START_TEST(mitigation_vector_is_known_and_refused) {
        SnpKeyRequest q;
        Error e = {};

        ck_assert_int_eq(key_args_parse(&(KeyArgs){ .fields = "policy,launch-mit-vector" }, &q, &e), -EOPNOTSUPP);
        ck_assert_str_eq(error_reason(&e, -EOPNOTSUPP), "key-mit-vector");
} END_TEST

static bool warns(const SnpKeyRequest *q, const char *word) {
        const char *text;

        for (size_t i = 0; (text = key_args_warning(q, i)); i++)
                if (strstr(text, word))
                        return true;
        return false;
}

START_TEST(warnings_fit_the_request) {
        const SnpKeyRequest open = {}, bound = { .root = SNP_ROOT_KEY_VMRK, .fields = SNP_KEY_POLICY | SNP_KEY_MEASUREMENT };

        ck_assert(warns(&open, "another host"));
        ck_assert(warns(&open, "without 'measurement'"));
        ck_assert(warns(&open, "without 'policy'"));
        ck_assert(!warns(&bound, "another host"));
        ck_assert(!warns(&bound, "without"));
        ck_assert(warns(&bound, "updates"));
} END_TEST

int main(void) {
        Suite *suite = suite_create("ctl-key-args");
        TCase *tc = tcase_create("ctl-key-args");

        tcase_add_loop_test(tc, a_request_is_what_was_said, 0, N_ELEMENTS(good));
        tcase_add_loop_test(tc, nonsense_is_a_usage_error, 0, N_ELEMENTS(bad));
        tcase_add_test(tc, mitigation_vector_is_known_and_refused);
        tcase_add_test(tc, warnings_fit_the_request);
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
