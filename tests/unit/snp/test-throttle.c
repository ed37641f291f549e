/* SPDX-License-Identifier: Apache-2.0 */
#include "snp/throttle.h"

#include "tests/unit/unit.h"

START_TEST(zeroed_memory_limits_nothing) {
        SnpThrottle t = {};

        for (unsigned i = 0; i < 1000; i++) {
                ck_assert_uint_eq(snp_throttle_wait_usec(&t, 5), 0);
                snp_throttle_take(&t, 5);
        }
} END_TEST

/* As a caller does that waits as told and asks again at once. */
static uint64_t ask(SnpThrottle *t, uint64_t now) {
        uint64_t wait = snp_throttle_wait_usec(t, now);

        snp_throttle_take(t, now);
        return wait;
}

START_TEST(a_burst_goes_through_and_then_one_in_each_interval) {
        SnpThrottle t = { .interval_usec = 100, .burst = 3 };
        uint64_t now = 1000;

        for (unsigned i = 0; i < 3; i++)
                ck_assert_uint_eq(ask(&t, now), 0);
        for (unsigned i = 0; i < 5; i++) {
                uint64_t wait = ask(&t, now);

                ck_assert_uint_eq(wait, 100);
                now += wait;
        }
        /* Half a pause is half a request; a long one is a burst and no more. */
        ck_assert_uint_eq(ask(&t, now + 50), 50);
        now += 1000000;
        for (unsigned i = 0; i < 3; i++)
                ck_assert_uint_eq(ask(&t, now), 0);
        ck_assert_uint_eq(ask(&t, now), 100);
} END_TEST

START_TEST(no_burst_is_one_at_a_time) {
        SnpThrottle t = { .interval_usec = 100 };

        ck_assert_uint_eq(ask(&t, 7), 0);
        ck_assert_uint_eq(ask(&t, 7), 100);
} END_TEST

START_TEST(looking_takes_nothing) {
        SnpThrottle t = { .interval_usec = 100, .burst = 1 };

        ck_assert_uint_eq(snp_throttle_wait_usec(&t, 7), 0);
        ck_assert_uint_eq(snp_throttle_wait_usec(&t, 7), 0);
} END_TEST

START_TEST(huge_numbers_do_not_wrap) {
        SnpThrottle t = { .interval_usec = UINT64_MAX / 2, .burst = UINT32_MAX };

        for (unsigned i = 0; i < 5; i++)
                ck_assert_uint_eq(ask(&t, UINT64_MAX - 1), 0); /* the credit covers all of time */
        t = (SnpThrottle){ .interval_usec = UINT64_MAX, .burst = 1 };
        ck_assert_uint_eq(ask(&t, 10), 0);
        ck_assert_uint_eq(ask(&t, 10), UINT64_MAX - 10);
        ck_assert_uint_eq(ask(&t, 10), UINT64_MAX - 10);
} END_TEST

START_TEST(the_default_is_what_hosts_allow) {
        SnpThrottle t = snp_throttle_default();

        for (unsigned i = 0; i < SNP_THROTTLE_BURST; i++)
                ck_assert_uint_eq(ask(&t, 1), 0);
        ck_assert_uint_eq(ask(&t, 1), 2 * USEC_PER_SEC);
} END_TEST

START_TEST(backoff_doubles_up_to_its_limit_with_some_chance) {
        bool differ = false;
        uint64_t first = snp_backoff_usec(9, 1000000, 1000000);

        for (unsigned n = 0; n < 100; n++) {
                uint64_t least = n < 4 ? UINT64_C(100) << n : 1000, wait = snp_backoff_usec(n, 100, 1000);

                ck_assert_uint_ge(wait, least);
                ck_assert_uint_lt(wait, least + least / 2);
        }
        for (unsigned i = 0; i < 20; i++)
                differ = differ || snp_backoff_usec(9, 1000000, 1000000) != first;
        ck_assert(differ);
        ck_assert_uint_eq(snp_backoff_usec(3, 1, 1), 1);
        ck_assert_uint_ge(snp_backoff_usec(UINT32_MAX, 1, UINT64_MAX), UINT64_MAX - 1);
} END_TEST

int main(void) {
        Suite *suite = suite_create("snp-throttle");
        TCase *tc = tcase_create("snp-throttle");

        tcase_add_test(tc, zeroed_memory_limits_nothing);
        tcase_add_test(tc, a_burst_goes_through_and_then_one_in_each_interval);
        tcase_add_test(tc, no_burst_is_one_at_a_time);
        tcase_add_test(tc, looking_takes_nothing);
        tcase_add_test(tc, huge_numbers_do_not_wrap);
        tcase_add_test(tc, the_default_is_what_hosts_allow);
        tcase_add_test(tc, backoff_doubles_up_to_its_limit_with_some_chance);
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
