/* SPDX-License-Identifier: Apache-2.0 */
#include "base/writer.h"

#include <errno.h>
#include <string.h>

#include "base/reader.h"
#include "tests/unit/unit.h"

START_TEST(what_is_written_is_read_back) {
        AUTO_WRITER Writer w = wr_init(1024);
        AUTO_BLOB Blob b = {};
        Reader r;

        wr_u8(&w, 1);
        wr_le16(&w, 0x0203);
        wr_be16(&w, 0x0203);
        wr_le32(&w, 0x04050607);
        wr_be32(&w, 0x04050607);
        wr_le64(&w, UINT64_C(0x08090a0b0c0d0e0f));
        wr_be64(&w, UINT64_C(0x08090a0b0c0d0e0f));
        wr_zeros(&w, 3);
        wr_str(&w, "end");
        ck_assert_int_eq(wr_finish(&w, &b), 0);
        r = rd_init(b.data, b.size);
        ck_assert_uint_eq(rd_u8(&r), 1);
        ck_assert_uint_eq(rd_le16(&r), 0x0203);
        ck_assert_uint_eq(rd_be16(&r), 0x0203);
        ck_assert_uint_eq(rd_le32(&r), 0x04050607);
        ck_assert_uint_eq(rd_be32(&r), 0x04050607);
        ck_assert_uint_eq(rd_le64(&r), UINT64_C(0x08090a0b0c0d0e0f));
        ck_assert_uint_eq(rd_be64(&r), UINT64_C(0x08090a0b0c0d0e0f));
        rd_zero(&r, 3);
        ck_assert_mem_eq(rd_take(&r, 3), "end", 3);
        ck_assert_int_eq(rd_finish(&r, "x", NULL), 0);
}
END_TEST

START_TEST(the_maximum_holds_and_is_sticky) {
        AUTO_WRITER Writer w = wr_init(100);
        AUTO_BLOB Blob b = {};

        wr_zeros(&w, 100);
        ck_assert_int_eq(w.error, 0);
        wr_u8(&w, 1);
        ck_assert_int_eq(w.error, -E2BIG);
        wr_zeros(&w, 0);
        ck_assert_int_eq(wr_finish(&w, &b), -E2BIG);
        ck_assert_ptr_null(b.data);
}
END_TEST

START_TEST(text_is_terminated_and_holds_no_nul) {
        AUTO_WRITER Writer w = wr_init(100);
        AUTO_FREE char *s = NULL;

        wr_str(&w, "abc");
        ck_assert_int_eq(wr_finish_str(&w, &s), 0);
        ck_assert_str_eq(s, "abc");
        wr_str(&w, "abc");
        wr_u8(&w, 0);
        free(TAKE_PTR(s));
        ck_assert_int_eq(wr_finish_str(&w, &s), -EBADMSG);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("writer");
        TCase *tc = tcase_create("writer");

        tcase_add_test(tc, what_is_written_is_read_back);
        tcase_add_test(tc, the_maximum_holds_and_is_sticky);
        tcase_add_test(tc, text_is_terminated_and_holds_no_nul);
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
