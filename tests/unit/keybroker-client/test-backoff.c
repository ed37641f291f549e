/* SPDX-License-Identifier: Apache-2.0 */
#include "keybroker-client/backoff.h"

#include "tests/unit/unit.h"

START_TEST(pauses_double_up_to_the_longest) {
        for (unsigned n = 0; n < 40; n++) {
                uint64_t whole = n < 6 ? KBC_BACKOFF_FIRST_USEC << n : KBC_BACKOFF_MAX_USEC;

                for (int i = 0; i < 50; i++) {
                        ck_assert_uint_ge(kbc_backoff_usec(n), whole / 2);
                        ck_assert_uint_le(kbc_backoff_usec(n), whole);
                }
        }
        ck_assert_uint_le(kbc_backoff_usec(UINT32_MAX), KBC_BACKOFF_MAX_USEC);
}
END_TEST

START_TEST(pauses_are_not_the_same_for_all) {
        uint64_t first = kbc_backoff_usec(5);
        int same = 0;

        for (int i = 0; i < 50; i++)
                same += kbc_backoff_usec(5) == first;
        ck_assert_int_lt(same, 50);
}
END_TEST

int main(void) {
        Suite *s = suite_create("keybroker-client");
        TCase *t = tcase_create("backoff");

        tcase_add_test(t, pauses_double_up_to_the_longest);
        tcase_add_test(t, pauses_are_not_the_same_for_all);
        suite_add_tcase(s, t);
        return unit_run(s);
}
