/* SPDX-License-Identifier: Apache-2.0 */
#include "base/deadline.h"

#include <errno.h>
#include <limits.h>

#include "base/cleanup.h"
#include "tests/unit/unit.h"

START_TEST(zeroed_memory_has_expired) {
        Deadline d = {};

        ck_assert(deadline_expired(d));
        ck_assert_uint_eq(deadline_left_usec(d), 0);
        ck_assert_int_eq(deadline_poll_msec(d), 0);
        ck_assert_int_eq(deadline_sleep(d, USEC_PER_SEC), -ETIMEDOUT);
}
END_TEST

START_TEST(never_never_comes) {
        Deadline d = deadline_never();

        ck_assert(!deadline_expired(d));
        ck_assert_int_eq(deadline_poll_msec(d), -1);
        ck_assert_uint_eq(deadline_in(UINT64_MAX).usec, UINT64_MAX);
        ck_assert_int_eq(deadline_sleep(d, 1), 0);
}
END_TEST

START_TEST(time_left_is_rounded_up_for_poll) {
        Deadline d = deadline_in(3600 * USEC_PER_SEC);

        ck_assert_int_gt(deadline_poll_msec(d), 3500 * 1000);
        ck_assert_int_le(deadline_poll_msec(d), 3600 * 1000);
        ck_assert_int_eq(deadline_poll_msec(deadline_in(UINT64_MAX / 2)), INT_MAX);
        ck_assert_int_ge(deadline_poll_msec(deadline_in(900 * USEC_PER_MSEC + 1)), 1);
}
END_TEST

START_TEST(the_earlier_of_two) {
        Deadline a = deadline_in(1), b = deadline_never();

        ck_assert_uint_eq(deadline_earlier(a, b).usec, a.usec);
        ck_assert_uint_eq(deadline_earlier(b, a).usec, a.usec);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("deadline");
        TCase *tc = tcase_create("deadline");

        tcase_add_test(tc, zeroed_memory_has_expired);
        tcase_add_test(tc, never_never_comes);
        tcase_add_test(tc, time_left_is_rounded_up_for_poll);
        tcase_add_test(tc, the_earlier_of_two);
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
