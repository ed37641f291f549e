/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "snp/launch/cmdline-edits.h"
#include "tests/unit/unit.h"

typedef struct Seen {
        const char *original, *want;
        char how[200]; /* of the first that is @want */
        size_t n, stop_at;
} Seen;

static int see(void *user, const char *cmdline, const char *how) {
        Seen *seen = user;

        ck_assert_str_ne(cmdline, seen->original);
        if (seen->want && !*seen->how && strcmp(cmdline, seen->want) == 0)
                (void) strncpy(seen->how, how, sizeof(seen->how) - 1);
        return ++seen->n == seen->stop_at ? -EXFULL : 0;
}

static const struct {
        const char *from, *to, *how;
} edits[] = {
        { "root=/dev/vda ro quiet", "root=/dev/vda ro", "without 'quiet'" },
        { "root=/dev/vda ro quiet", "ro quiet", "without 'root=/dev/vda'" },
        { "root=/dev/vda ro quiet", "root=/dev/vda rw quiet", "'rw' instead of 'ro'" },
        { "rw", "ro", "'ro' instead of 'rw'" },
        { "root=/dev/vda ro quiet", "ro root=/dev/vda quiet", "with 'root=/dev/vda' and 'ro' swapped" },
        { "a  b", "b  a", "with 'a' and 'b' swapped" },
        { "a  b ", "a b", "with single spaces and none around" },
        { "a\tb\n", "a b", "with single spaces and none around" },
        { "a", "a\n", "with a newline at its end" },
        { "a\n", "a", "with single spaces and none around" },
        { "a  b\n", "a  b", "without blanks at its end" },
        { "a", "\"a\"", "in double quotes" },
        { "\"a b\"", "a b", "without the quotes around it" },
        { "a", "a console=ttyS0", "with 'console=ttyS0' at its end" },
        { "a", "quiet a", "with 'quiet' in front" },
        { "", "quiet", "with 'quiet' at its end" },
        { "a", "", "empty" },
        { "a b", "a b ", "with a space at its end" },
};

START_TEST(an_edit_is_made_and_named) {
        Seen seen = { .original = edits[_i].from, .want = edits[_i].to };

        ck_assert_int_eq(snp_cmdline_edits(edits[_i].from, see, &seen), 0);
        ck_assert_str_eq(seen.how, edits[_i].how);
}
END_TEST

START_TEST(the_walk_can_be_ended_anywhere) {
        Seen all = { .original = "root=/dev/vda ro quiet" };

        ck_assert_int_eq(snp_cmdline_edits(all.original, see, &all), 0);
        ck_assert_uint_gt(all.n, 50);
        for (size_t n = 1; n <= all.n; n++) {
                Seen seen = { .original = all.original, .stop_at = n };

                ck_assert_int_eq(snp_cmdline_edits(all.original, see, &seen), -EXFULL);
                ck_assert_uint_eq(seen.n, n);
        }
}
END_TEST

int main(void) {
        Suite *suite = suite_create("cmdline-edits");
        TCase *tc = tcase_create("cmdline-edits");

        tcase_add_loop_test(tc, an_edit_is_made_and_named, 0, N_ELEMENTS(edits));
        tcase_add_test(tc, the_walk_can_be_ended_anywhere);
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
