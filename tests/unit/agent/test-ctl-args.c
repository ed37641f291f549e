/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snpctl/args.h"

#include <errno.h>
#include <string.h>

#include "agent/snpctl/exit.h"
#include "tests/unit/unit.h"

typedef struct Args {
        const char *in;
        CtlTexts chain;
        bool force;
} Args;

static const CtlOption list[] = {
        { "in", "FILE", "read this", CTL_TEXT, offsetof(Args, in) },
        { "chain", "FILE", "certificates", CTL_TEXTS, offsetof(Args, chain) },
        { "force", NULL, "do it", CTL_FLAG, offsetof(Args, force) },
};
static const CtlOptions options = { list, N_ELEMENTS(list) };

START_TEST(values_flags_lists_and_operands_go_where_the_table_says) {
        static const char *const argv[] = { "one",     "--in", "a",      "--chain=b", "--force",
                                            "--chain", "--c",  "--json", "-",         NULL };
        CtlCommon common = {};
        Args args = {};
        Error e = {};
        int r = ctl_args_parse(&options, argv, &args, &common, &e);

        ck_assert_msg(r == 0, "%s", e.text);
        ck_assert_str_eq(args.in, "a");
        ck_assert_uint_eq(args.chain.n, 2);
        ck_assert_str_eq(args.chain.items[0], "b");
        ck_assert_str_eq(args.chain.items[1], "--c"); /* a value may look like an option */
        ck_assert(args.force);
        ck_assert(common.json && !common.help);
        ck_assert_uint_eq(common.n_operands, 2);
        ck_assert_str_eq(common.operands[0], "one");
        ck_assert_str_eq(common.operands[1], "-");
}
END_TEST

START_TEST(nothing_given_leaves_everything_zero) {
        static const char *const argv[] = { NULL };
        CtlCommon common = {};
        Args args = {};

        ck_assert_int_eq(ctl_args_parse(&options, argv, &args, &common, NULL), 0);
        ck_assert_ptr_null(args.in);
        ck_assert_uint_eq(args.chain.n, 0);
        ck_assert(!args.force && !common.json && common.n_operands == 0);
}
END_TEST

START_TEST(two_dashes_end_the_options) {
        static const char *const argv[] = { "--force", "--", "--in", NULL };
        CtlCommon common = {};
        Args args = {};

        ck_assert_int_eq(ctl_args_parse(&options, argv, &args, &common, NULL), 0);
        ck_assert_uint_eq(common.n_operands, 1);
        ck_assert_str_eq(common.operands[0], "--in");
}
END_TEST

START_TEST(an_empty_value_is_a_value) {
        static const char *const argv[] = { "--in=", NULL };
        CtlCommon common = {};
        Args args = {};

        ck_assert_int_eq(ctl_args_parse(&options, argv, &args, &common, NULL), 0);
        ck_assert_str_eq(args.in, "");
}
END_TEST

static const struct {
        const char *why;
        const char *argv[CTL_TEXTS_MAX + 3];
        const char *says;
} bad[] = {
        { "unknown", { "--nope" }, "no option '--nope'" },
        { "unknown with value", { "--nope=1" }, "no option '--nope'" },
        { "abbreviated", { "--forc" }, "no option '--forc'" },
        { "longer", { "--forced" }, "no option '--forced'" },
        { "short", { "-f" }, "no option '-f'" },
        { "value missing", { "--in" }, "--in needs a value (FILE)" },
        { "flag with value", { "--force=yes" }, "--force takes no value" },
        { "common flag with value", { "--json=1" }, "--json takes no value" },
        { "twice", { "--in", "a", "--in", "b" }, "--in is given twice" },
        { "too many operands", { "a", "b", "c" }, "'c' is one word too many" },
        { "too many in a list",
          { "--chain=1", "--chain=2", "--chain=3", "--chain=4", "--chain=5", "--chain=6", "--chain=7", "--chain=8",
            "--chain=9" },
          "--chain is given more than 8 times" },
};

START_TEST(mistakes_are_told_as_usage_errors) {
        CtlCommon common = {};
        Args args = {};
        Error e = {};

        ck_assert_int_eq(ctl_args_parse(&options, bad[_i].argv, &args, &common, &e), -EINVAL);
        ck_assert_msg(strstr(e.text, bad[_i].says), "%s: '%s'", bad[_i].why, e.text);
        ck_assert_int_eq(ctl_exit_of(-EINVAL, &e), CTL_EXIT_USAGE);
}
END_TEST

START_TEST(help_lists_every_option_of_the_table_and_the_common_ones) {
        AUTO_WRITER Writer w = wr_init(4096);
        AUTO_FREE char *text = NULL;

        ctl_args_help(&options, &w);
        ck_assert_int_eq(wr_finish_str(&w, &text), 0);
        ck_assert_ptr_nonnull(strstr(text, "  --in FILE "));
        ck_assert_ptr_nonnull(strstr(text, "certificates; may be repeated\n"));
        ck_assert_ptr_nonnull(strstr(text, "  --force "));
        ck_assert_ptr_nonnull(strstr(text, "  --json "));
        ck_assert_ptr_nonnull(strstr(text, "  --help "));
}
END_TEST

static const struct {
        int r;
        CtlExit want;
} exits[] = {
        { 0, CTL_EXIT_OK },
        { -EPERM, CTL_EXIT_NO },
        { -EKEYREJECTED, CTL_EXIT_NO },
        { -ESTALE, CTL_EXIT_NO },
        { -EINVAL, CTL_EXIT_FAILED },
        { -EACCES, CTL_EXIT_FAILED },
        { -ENOENT, CTL_EXIT_FAILED },
        { -EBADMSG, CTL_EXIT_FAILED },
        { -ETIMEDOUT, CTL_EXIT_FAILED },
};

START_TEST(a_failure_has_its_exit_status) {
        Error e = {};

        (void) error_set(&e, exits[_i].r, "some-reason", "text");
        ck_assert_int_eq(ctl_exit_of(exits[_i].r, &e), exits[_i].want);
}
END_TEST

int main(void) {
        Suite *s = suite_create("ctl-args");
        TCase *c = tcase_create("args");

        tcase_add_test(c, values_flags_lists_and_operands_go_where_the_table_says);
        tcase_add_test(c, nothing_given_leaves_everything_zero);
        tcase_add_test(c, two_dashes_end_the_options);
        tcase_add_test(c, an_empty_value_is_a_value);
        tcase_add_loop_test(c, mistakes_are_told_as_usage_errors, 0, (int) N_ELEMENTS(bad));
        tcase_add_test(c, help_lists_every_option_of_the_table_and_the_common_ones);
        tcase_add_loop_test(c, a_failure_has_its_exit_status, 0, (int) N_ELEMENTS(exits));
        suite_add_tcase(s, c);
        return unit_run(s);
}
