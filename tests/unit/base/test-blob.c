/* SPDX-License-Identifier: Apache-2.0 */
#include "base/blob.h"

#include <string.h>

#include "tests/unit/unit.h"

START_TEST(dup_copies_and_take_moves) {
        char text[] = "bytes";
        AUTO_BLOB Blob a = {}, b = {};

        ck_assert_int_eq(blob_dup(text, 5, &a), 0);
        text[0] = 'X';
        ck_assert(a.size == 5 && memcmp(a.data, "bytes", 5) == 0);
        b = blob_take(&a);
        ck_assert_ptr_null(a.data);
        ck_assert_uint_eq(a.size, 0);
        ck_assert_uint_eq(b.size, 5);
}
END_TEST

START_TEST(equality_is_by_size_and_bytes) {
        AUTO_BLOB Blob a = {}, b = {}, c = {}, empty = {};

        ck_assert_int_eq(blob_dup("aa", 2, &a), 0);
        ck_assert_int_eq(blob_dup("aa", 2, &b), 0);
        ck_assert_int_eq(blob_dup("ab", 2, &c), 0);
        ck_assert(blob_equal(&a, &b));
        ck_assert(!blob_equal(&a, &c));
        ck_assert(!blob_equal(&a, &empty));
        ck_assert(blob_equal(&empty, &empty));
}
END_TEST

int main(void) {
        Suite *suite = suite_create("blob");
        TCase *tc = tcase_create("blob");

        tcase_add_test(tc, dup_copies_and_take_moves);
        tcase_add_test(tc, equality_is_by_size_and_bytes);
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
