/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "tests/unit/unit.h"

START_TEST(the_first_cause_wins) {
        Error e = {};

        ck_assert_int_eq(error_set(&e, -EBADMSG, "first", "one %d", 1), -EBADMSG);
        ck_assert_int_eq(error_set(&e, -EIO, "second", "two"), -EIO);
        ck_assert_int_eq(e.code, -EBADMSG);
        ck_assert_str_eq(e.reason, "first");
        ck_assert_str_eq(e.text, "one 1");
}
END_TEST

START_TEST(context_goes_in_front) {
        Error e = {}, none = {};

        error_prefix(&none, "nothing");
        ck_assert_str_eq(none.text, "");
        (void) error_set(&e, -EIO, "io", "cause");
        error_prefix(&e, "volume '%s'", "data");
        ck_assert_str_eq(e.text, "volume 'data': cause");
        ck_assert_int_eq(e.code, -EIO);
}
END_TEST

START_TEST(long_text_is_cut_not_overrun) {
        Error e = {};
        char big[2 * ERROR_TEXT_MAX];

        (void) memset(big, 'x', sizeof(big) - 1);
        big[sizeof(big) - 1] = 0;
        (void) error_set(&e, -EIO, "io", "%s", big);
        ck_assert_uint_eq(strlen(e.text), ERROR_TEXT_MAX - 1);
        error_prefix(&e, "%s", big);
        ck_assert_uint_eq(strlen(e.text), ERROR_TEXT_MAX - 1);
}
END_TEST

START_TEST(text_of_a_peer_cannot_forge_lines) {
        Error e = {};

        (void) error_set(&e, -EIO, "io", "peer said '%s'", "a\nb\033[2J\xff");
        ck_assert_str_eq(e.text, "peer said 'a?b?[2J?'");
}
END_TEST

START_TEST(there_is_always_a_text_and_a_reason) {
        Error e = {};

        ck_assert_str_eq(error_text(NULL, 0), "Success");
        ck_assert_str_eq(error_text(&e, -ENOENT), "No such file or directory");
        ck_assert_str_eq(error_text(NULL, -99999), "Unknown error");
        ck_assert_str_eq(error_reason(NULL, -ETIMEDOUT), "timeout");
        ck_assert_str_eq(error_reason(&e, -EIO), "failed");
        ck_assert_int_eq(error_oom(&e), -ENOMEM);
        ck_assert_str_eq(error_reason(&e, -ENOMEM), "out-of-memory");
        ck_assert_int_eq(error_set(NULL, -EPERM, "x", "y"), -EPERM);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("error");
        TCase *tc = tcase_create("error");

        tcase_add_test(tc, the_first_cause_wins);
        tcase_add_test(tc, context_goes_in_front);
        tcase_add_test(tc, long_text_is_cut_not_overrun);
        tcase_add_test(tc, text_of_a_peer_cannot_forge_lines);
        tcase_add_test(tc, there_is_always_a_text_and_a_reason);
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
