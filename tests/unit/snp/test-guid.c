/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "snp/guid.h"
#include "tests/unit/unit.h"

static const SnpGuid guid = { { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee,
                                0xff } };

START_TEST(text_and_bytes_are_in_the_same_order) {
        char text[SNP_GUID_TEXT_SIZE];
        SnpGuid back;

        snp_guid_format(&guid, text);
        ck_assert_str_eq(text, "00112233-4455-6677-8899-aabbccddeeff");
        ck_assert_int_eq(snp_guid_parse(text, &back), 0);
        ck_assert(snp_guid_equal(&guid, &back));
        ck_assert_int_eq(snp_guid_parse("00112233-4455-6677-8899-AABBCCDDEEFF", &back), 0);
        ck_assert(snp_guid_equal(&guid, &back));
} END_TEST

START_TEST(mixed_order_turns_the_first_three_groups_around) {
        static const uint8_t mixed[SNP_GUID_SIZE] = { 0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66,
                                                      0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };
        SnpGuid swapped = snp_guid_swap(&guid), back = snp_guid_swap(&swapped);

        ck_assert_mem_eq(swapped.bytes, mixed, sizeof(mixed));
        ck_assert(snp_guid_equal(&guid, &back));
        ck_assert(!snp_guid_equal(&guid, &swapped));
} END_TEST

START_TEST(only_zeros_are_the_null_guid) {
        ck_assert(snp_guid_is_null(&(SnpGuid){}));
        ck_assert(!snp_guid_is_null(&(SnpGuid){ { [15] = 1 } }));
} END_TEST

static const char *const bad[] = {
        "", "00112233-4455-6677-8899-aabbccddeef", "00112233-4455-6677-8899-aabbccddeeff0",
        "{0112233-4455-6677-8899-aabbccddeeff", "001122334455-6677-8899-aabbccddeeff-", "0011223-34455-6677-8899-aabbccddeeff",
        "00112233-4455-6677-8899-aabbccddeefg", "00112233-4455-6677-8899_aabbccddeeff", " 0112233-4455-6677-8899-aabbccddeeff",
};

START_TEST(what_is_no_guid_is_refused) {
        SnpGuid out;

        ck_assert_msg(snp_guid_parse(bad[_i], &out) == -EINVAL, "'%s'", bad[_i]);
} END_TEST

int main(void) {
        Suite *suite = suite_create("guid");
        TCase *tc = tcase_create("guid");

        tcase_add_test(tc, text_and_bytes_are_in_the_same_order);
        tcase_add_test(tc, mixed_order_turns_the_first_three_groups_around);
        tcase_add_test(tc, only_zeros_are_the_null_guid);
        tcase_add_loop_test(tc, what_is_no_guid_is_refused, 0, N_ELEMENTS(bad));
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
