/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snpctl/when.h"

#include <errno.h>

#include "tests/unit/unit.h"

static const struct {
        const char *text;
        long long want;
} good[] = {
        { "1970-01-01T00:00:00Z", 0 },
        { "2024-07-25T08:24:40Z", 1721895880 },
        { "2024-07-25T10:24:40+02:00", 1721895880 },
        { "2024-07-25T04:54:40-03:30", 1721895880 },
        { "2024-02-29T23:59:59Z", 1709251199 },
        { "2038-01-19T03:14:08Z", 2147483648 },
};

START_TEST(rfc_3339_is_read) {
        time_t when = -1;

        ck_assert_int_eq(ctl_when_parse(good[_i].text, &when), 0);
        ck_assert_int_eq(when, good[_i].want);
}
END_TEST

static const char *const bad[] = {
        "", "2024-07-25", "2024-07-25T08:24:40", "2024-07-25 08:24:40Z", "2024-07-25T08:24:40z",
        "2024-07-25T08:24:40Zx",
        "2024-07-25T08:24:40+0200", "2024-07-25T08:24:40+24:00", "2024-13-25T08:24:40Z", "2024-00-25T08:24:40Z",
        "2024-02-30T08:24:40Z", "2023-02-29T08:24:40Z", "2024-07-25T24:00:00Z", "2024-07-25T08:60:40Z",
        "2024-07-25T08:24:60Z", "2024-07-25T08:24:40.5Z", "1969-12-31T23:59:59Z", "24-07-25T08:24:40Z",
        " 2024-07-25T08:24:40Z", "2024-7-25T08:24:40Z", "+024-07-25T08:24:40Z", "Now", "yesterday",
};

START_TEST(anything_else_is_refused) {
        time_t when = 42;

        ck_assert_msg(ctl_when_parse(bad[_i], &when) == -EINVAL, "'%s'", bad[_i]);
        ck_assert_int_eq(when, 42);
}
END_TEST

START_TEST(now_is_now) {
        time_t before = time(NULL), when = 0;

        ck_assert_int_eq(ctl_when_parse("now", &when), 0);
        ck_assert_int_ge(when, before);
        ck_assert_int_le(when, time(NULL));
}
END_TEST

START_TEST(what_is_formatted_is_read_back) {
        char text[CTL_WHEN_SIZE];
        time_t when = 0;

        ctl_when_format(1721895880, text);
        ck_assert_str_eq(text, "2024-07-25T08:24:40Z");
        ck_assert_int_eq(ctl_when_parse(text, &when), 0);
        ck_assert_int_eq(when, 1721895880);
}
END_TEST

int main(void) {
        Suite *s = suite_create("ctl-when");
        TCase *c = tcase_create("when");

        tcase_add_loop_test(c, rfc_3339_is_read, 0, (int) N_ELEMENTS(good));
        tcase_add_loop_test(c, anything_else_is_refused, 0, (int) N_ELEMENTS(bad));
        tcase_add_test(c, now_is_now);
        tcase_add_test(c, what_is_formatted_is_read_back);
        suite_add_tcase(s, c);
        return unit_run(s);
}
