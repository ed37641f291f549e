/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/unit.h"

static const struct {
        const char *text;
        int base;
        uint64_t min, max;
        int want;
        uint64_t value;
} numbers[] = {
        { "0", 10, 0, 9, 0, 0 },
        { "18446744073709551615", 10, 0, UINT64_MAX, 0, UINT64_MAX },
        { "18446744073709551616", 10, 0, UINT64_MAX, -ERANGE, 0 },
        { "99999999999999999999", 10, 0, UINT64_MAX, -ERANGE, 0 },
        { "ff", 16, 0, 255, 0, 255 },
        { "0xff", 16, 0, 255, -EINVAL, 0 },
        { "0xff", 0, 0, 255, 0, 255 },
        { "0x", 0, 0, 255, -EINVAL, 0 },
        { "", 10, 0, 9, -EINVAL, 0 },
        { "-1", 10, 0, 9, -EINVAL, 0 },
        { "+1", 10, 0, 9, -EINVAL, 0 },
        { " 1", 10, 0, 9, -EINVAL, 0 },
        { "1 ", 10, 0, 9, -EINVAL, 0 },
        { "1a", 10, 0, 99, -EINVAL, 0 },
        { "4", 10, 5, 9, -ERANGE, 0 },
        { "10", 10, 5, 9, -ERANGE, 0 },
};

START_TEST(numbers_are_whole_and_in_range) {
        uint64_t v = 0;
        int r = text_to_u64(numbers[_i].text, numbers[_i].base, numbers[_i].min, numbers[_i].max, &v);

        ck_assert_msg(r == numbers[_i].want, "'%s': got %d", numbers[_i].text, r);
        ck_assert_uint_eq(v, numbers[_i].value);
}
END_TEST

static const struct {
        const char *text;
        int want;
        uint64_t usec;
} spans[] = {
        { "90", 0, 90000000 },       { "90s", 0, 90000000 }, { "1500ms", 0, 1500000 }, { "2min", 0, 120000000 },
        { "1h", 0, 3600000000 },     { "7us", 0, 7 },        { "", -EINVAL, 0 },       { "s", -EINVAL, 0 },
        { "1 s", -EINVAL, 0 },       { "-1", -EINVAL, 0 },   { "1d", -EINVAL, 0 },     { "1.5s", -EINVAL, 0 },
        { "99999999999999999999999999", -EINVAL, 0 },        { "18446744073709551615h", -EINVAL, 0 },
};

START_TEST(time_spans_have_one_number_and_one_unit) {
        uint64_t v = 0;
        int r = text_to_usec(spans[_i].text, &v);

        ck_assert_msg(r == spans[_i].want, "'%s': got %d", spans[_i].text, r);
        ck_assert_uint_eq(v, spans[_i].usec);
}
END_TEST

START_TEST(booleans_as_systemd_writes_them) {
        bool b = false;

        ck_assert(text_to_bool("yes", &b) == 0 && b);
        ck_assert(text_to_bool("Off", &b) == 0 && !b);
        ck_assert(text_to_bool("TRUE", &b) == 0 && b);
        ck_assert(text_to_bool("0", &b) == 0 && !b);
        ck_assert_int_eq(text_to_bool("maybe", &b), -EINVAL);
        ck_assert_int_eq(text_to_bool("", &b), -EINVAL);
}
END_TEST

START_TEST(prefixes) {
        ck_assert(text_starts_with("abc", "ab"));
        ck_assert(text_starts_with("abc", ""));
        ck_assert(!text_starts_with("a", "ab"));
}
END_TEST

static const struct {
        const char *text;
        bool want;
} resources[] = {
        { "default/key/1", true },
        { "a/b/c", true },
        { "_-/-_/A9", true },
        { "a.b/c..d/e.", true },
        { "", false },
        { "a", false },
        { "a/b", false },
        { "a/b/c/d", false },
        { "/a/b/c", false },
        { "a/b/c/", false },
        { "a//c", false },
        { "a/b/", false },
        { "../b/c", false },
        { "a/./c", false },
        { "a/.b/c", false },
        { "a/b/c?x", false },
        { "a/b/c d", false },
        { "a/b/%41", false },
        { "a/b/\xc3\xa4", false },
        { "a/b/c\n", false },
};

START_TEST(resource_paths_have_three_plain_segments) {
        ck_assert_msg(text_is_resource_path(resources[_i].text) == resources[_i].want, "'%s'", resources[_i].text);
}
END_TEST

START_TEST(resource_paths_have_a_limit) {
        char text[TEXT_RESOURCE_PATH_MAX + 2] = "a/b/";

        (void) memset(text + 4, 'c', TEXT_RESOURCE_PATH_MAX - 4);
        ck_assert(text_is_resource_path(text));
        text[TEXT_RESOURCE_PATH_MAX] = 'c';
        ck_assert(!text_is_resource_path(text));
}
END_TEST

int main(void) {
        Suite *suite = suite_create("text");
        TCase *tc = tcase_create("text");

        tcase_add_loop_test(tc, numbers_are_whole_and_in_range, 0, (int) N_ELEMENTS(numbers));
        tcase_add_loop_test(tc, time_spans_have_one_number_and_one_unit, 0, (int) N_ELEMENTS(spans));
        tcase_add_test(tc, booleans_as_systemd_writes_them);
        tcase_add_test(tc, prefixes);
        tcase_add_loop_test(tc, resource_paths_have_three_plain_segments, 0, (int) N_ELEMENTS(resources));
        tcase_add_test(tc, resource_paths_have_a_limit);
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
