/* SPDX-License-Identifier: Apache-2.0 */
#include "base/reader.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/unit.h"

static const uint8_t bytes[] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x00, 0x00, 0x09, 0x00 };

START_TEST(both_byte_orders) {
        Reader le = rd_init(bytes, 8), be = rd_init(bytes, 8);

        ck_assert_uint_eq(rd_le64(&le), UINT64_C(0x0807060504030201));
        ck_assert_uint_eq(rd_be64(&be), UINT64_C(0x0102030405060708));
        le = rd_init(bytes, 7);
        ck_assert_uint_eq(rd_u8(&le), 1);
        ck_assert_uint_eq(rd_le16(&le), 0x0302);
        ck_assert_uint_eq(rd_le32(&le), 0x07060504);
        ck_assert_int_eq(rd_finish(&le, "x", NULL), 0);
        be = rd_init(bytes, 6);
        ck_assert_uint_eq(rd_be16(&be), 0x0102);
        ck_assert_uint_eq(rd_be32(&be), 0x03040506);
        ck_assert_int_eq(rd_finish(&be, "x", NULL), 0);
}
END_TEST

START_TEST(failure_is_sticky_and_yields_zeros) {
        Reader r = rd_init(bytes, 3);
        uint8_t copy[2] = { 0xaa, 0xaa };
        Error e = {};

        ck_assert_uint_eq(rd_u8(&r), 1);
        ck_assert_uint_eq(rd_le32(&r), 0);
        ck_assert_uint_eq(rd_u8(&r), 0);
        rd_copy(&r, copy, sizeof(copy));
        ck_assert(bytes_are_zero(copy, 2));
        ck_assert_ptr_null(rd_take(&r, 0));
        ck_assert_uint_eq(rd_left(&r), 0);
        ck_assert_int_eq(rd_finish(&r, "blob", &e), -EBADMSG);
        ck_assert_str_eq(e.text, "blob is truncated or malformed at offset 1");
}
END_TEST

START_TEST(trailing_bytes_are_an_error) {
        Reader r = rd_init(bytes, 3);
        Error e = {};

        (void) rd_le16(&r);
        ck_assert_int_eq(rd_check(&r, "x", NULL), 0);
        ck_assert_int_eq(rd_finish(&r, "x", &e), -EBADMSG);
        ck_assert_str_eq(e.reason, "trailing-bytes");
}
END_TEST

START_TEST(huge_lengths_do_not_wrap) {
        Reader r = rd_init(bytes, sizeof(bytes)), sub;

        (void) rd_u8(&r);
        ck_assert_int_eq(rd_at(&r, SIZE_MAX, 2).error, -EBADMSG);
        ck_assert_int_eq(rd_at(&r, 2, SIZE_MAX).error, -EBADMSG);
        ck_assert_int_eq(rd_at(&r, sizeof(bytes), 0).error, 0);
        ck_assert_int_eq(rd_at(&r, sizeof(bytes) + 1, 0).error, -EBADMSG);
        sub = rd_sub(&r, SIZE_MAX);
        ck_assert_int_eq(sub.error, -EBADMSG);
        ck_assert_int_eq(r.error, -EBADMSG);
}
END_TEST

START_TEST(sub_readers_report_outer_offsets) {
        Reader r = rd_init(bytes, sizeof(bytes)), sub, inner;
        Error e = {};

        rd_skip(&r, 4);
        sub = rd_sub(&r, 4);
        rd_skip(&sub, 1);
        inner = rd_sub(&sub, 2);
        ck_assert_uint_eq(rd_u8(&inner), 6);
        (void) rd_le32(&inner);
        ck_assert_int_eq(rd_check(&inner, "inner", &e), -EBADMSG);
        ck_assert_str_eq(e.text, "inner is truncated or malformed at offset 6");
        ck_assert_uint_eq(rd_offset(&r), 8);
}
END_TEST

START_TEST(reserved_bytes_must_be_zero) {
        Reader r = rd_init(bytes, sizeof(bytes));

        rd_skip(&r, 8);
        rd_zero(&r, 2);
        ck_assert_int_eq(rd_check(&r, "x", NULL), 0);
        rd_zero(&r, 2);
        ck_assert_int_eq(r.error, -EBADMSG);
        ck_assert_uint_eq(rd_offset(&r), 10);
}
END_TEST

START_TEST(empty_input_is_a_valid_reader) {
        Reader r = rd_init(NULL, 0);

        ck_assert_ptr_nonnull(rd_take(&r, 0));
        ck_assert_int_eq(rd_finish(&r, "x", NULL), 0);
        rd_fail(&r);
        ck_assert_int_eq(rd_check(&r, "x", NULL), -EBADMSG);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("reader");
        TCase *tc = tcase_create("reader");

        tcase_add_test(tc, both_byte_orders);
        tcase_add_test(tc, failure_is_sticky_and_yields_zeros);
        tcase_add_test(tc, trailing_bytes_are_an_error);
        tcase_add_test(tc, huge_lengths_do_not_wrap);
        tcase_add_test(tc, sub_readers_report_outer_offsets);
        tcase_add_test(tc, reserved_bytes_must_be_zero);
        tcase_add_test(tc, empty_input_is_a_valid_reader);
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
