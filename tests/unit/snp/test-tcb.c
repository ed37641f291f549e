/* SPDX-License-Identifier: Apache-2.0 */
#include "snp/tcb.h"

#include <check.h>
#include <errno.h>
#include <string.h>

#include "tests/unit/unit.h"

static const uint8_t raw[SNP_TCB_SIZE] = { 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88 };

START_TEST(milan_layout_has_snp_and_microcode_last) {
        SnpTcb tcb;

        ck_assert_int_eq(snp_tcb_decode(SNP_TCB_LAYOUT_MILAN, raw, &tcb), 0);
        ck_assert_uint_eq(tcb.fmc, 0);
        ck_assert_uint_eq(tcb.boot_loader, 0x11);
        ck_assert_uint_eq(tcb.tee, 0x22);
        ck_assert_uint_eq(tcb.snp, 0x77);
        ck_assert_uint_eq(tcb.microcode, 0x88);
}
END_TEST

START_TEST(turin_layout_begins_with_fmc) {
        SnpTcb tcb;

        ck_assert_int_eq(snp_tcb_decode(SNP_TCB_LAYOUT_TURIN, raw, &tcb), 0);
        ck_assert_uint_eq(tcb.fmc, 0x11);
        ck_assert_uint_eq(tcb.boot_loader, 0x22);
        ck_assert_uint_eq(tcb.tee, 0x33);
        ck_assert_uint_eq(tcb.snp, 0x44);
        ck_assert_uint_eq(tcb.microcode, 0x88);
}
END_TEST

START_TEST(unknown_layout_decodes_and_encodes_nothing) {
        SnpTcb tcb = { .snp = 9 };
        uint8_t out[SNP_TCB_SIZE] = { 1, 2, 3, 4, 5, 6, 7, 8 }, before[SNP_TCB_SIZE];

        (void) memcpy(before, out, sizeof(out));
        ck_assert_int_eq(snp_tcb_decode(SNP_TCB_LAYOUT_UNKNOWN, raw, &tcb), -EINVAL);
        ck_assert_uint_eq(tcb.snp, 9);
        ck_assert_int_eq(snp_tcb_encode(SNP_TCB_LAYOUT_UNKNOWN, &tcb, out), -EINVAL);
        ck_assert_mem_eq(out, before, sizeof(out));
}
END_TEST

START_TEST(encoding_zeroes_what_is_reserved) {
        static const uint8_t milan[] = { 0x11, 0x22, 0, 0, 0, 0, 0x77, 0x88 };
        static const uint8_t turin[] = { 0x11, 0x22, 0x33, 0x44, 0, 0, 0, 0x88 };
        uint8_t out[SNP_TCB_SIZE];
        SnpTcb tcb;

        ck_assert_int_eq(snp_tcb_decode(SNP_TCB_LAYOUT_MILAN, raw, &tcb), 0);
        (void) memset(out, 0xff, sizeof(out));
        ck_assert_int_eq(snp_tcb_encode(SNP_TCB_LAYOUT_MILAN, &tcb, out), 0);
        ck_assert_mem_eq(out, milan, sizeof(out));
        ck_assert_int_eq(snp_tcb_decode(SNP_TCB_LAYOUT_TURIN, raw, &tcb), 0);
        (void) memset(out, 0xff, sizeof(out));
        ck_assert_int_eq(snp_tcb_encode(SNP_TCB_LAYOUT_TURIN, &tcb, out), 0);
        ck_assert_mem_eq(out, turin, sizeof(out));
}
END_TEST

/* Each part in turn is one above @base in @higher. */
static const SnpTcb base = { 1, 2, 3, 4, 5 };
static const SnpTcb higher[] = {
        { 2, 2, 3, 4, 5 }, { 1, 3, 3, 4, 5 }, { 1, 2, 4, 4, 5 }, { 1, 2, 3, 5, 5 }, { 1, 2, 3, 4, 6 },
};

START_TEST(each_part_alone_decides_equality_and_order) {
        ck_assert(!snp_tcb_equal(&base, &higher[_i]));
        ck_assert(!snp_tcb_equal(&higher[_i], &base));
        ck_assert(snp_tcb_is_at_least(&higher[_i], &base));
        ck_assert(!snp_tcb_is_at_least(&base, &higher[_i]));
}
END_TEST

START_TEST(a_tcb_equals_and_is_at_least_itself) {
        ck_assert(snp_tcb_equal(&base, &base));
        ck_assert(snp_tcb_is_at_least(&base, &base));
}
END_TEST

START_TEST(a_higher_part_does_not_make_up_for_a_lower_one) {
        SnpTcb microcode_up_snp_down = { 1, 2, 3, 3, 255 };

        ck_assert(!snp_tcb_is_at_least(&microcode_up_snp_down, &base));
        ck_assert(!snp_tcb_is_at_least(&base, &microcode_up_snp_down));
}
END_TEST

int main(void) {
        Suite *suite = suite_create("snp/tcb");
        TCase *tc = tcase_create("tcb");

        tcase_add_test(tc, milan_layout_has_snp_and_microcode_last);
        tcase_add_test(tc, turin_layout_begins_with_fmc);
        tcase_add_test(tc, unknown_layout_decodes_and_encodes_nothing);
        tcase_add_test(tc, encoding_zeroes_what_is_reserved);
        tcase_add_loop_test(tc, each_part_alone_decides_equality_and_order, 0, N_ELEMENTS(higher));
        tcase_add_test(tc, a_tcb_equals_and_is_at_least_itself);
        tcase_add_test(tc, a_higher_part_does_not_make_up_for_a_lower_one);
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
