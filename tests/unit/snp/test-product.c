/* SPDX-License-Identifier: Apache-2.0 */
#include "snp/product.h"

#include <check.h>
#include <string.h>

#include "tests/unit/unit.h"

static const struct {
        const char *name;
        SnpProduct product;
} names[] = {
        { "Milan", SNP_PRODUCT_MILAN },
        { "Milan-B0", SNP_PRODUCT_MILAN },
        { "Milan-A0", SNP_PRODUCT_MILAN }, /* one genuine certificate of 2022 */
        { "Genoa", SNP_PRODUCT_GENOA },
        { "Genoa-B1", SNP_PRODUCT_GENOA },
        { "Bergamo", SNP_PRODUCT_GENOA },
        { "Siena-B0", SNP_PRODUCT_GENOA },
        { "Turin", SNP_PRODUCT_TURIN },
        { "", SNP_PRODUCT_UNKNOWN },
        { "-", SNP_PRODUCT_UNKNOWN },
        { "-Milan", SNP_PRODUCT_UNKNOWN },
        { "milan", SNP_PRODUCT_UNKNOWN },
        { "MILAN", SNP_PRODUCT_UNKNOWN },
        { "Mila", SNP_PRODUCT_UNKNOWN },
        { "Milano", SNP_PRODUCT_UNKNOWN },
        { "Milan ", SNP_PRODUCT_UNKNOWN },
        { "Venice", SNP_PRODUCT_UNKNOWN },
        { "unknown", SNP_PRODUCT_UNKNOWN },
};

START_TEST(name_before_the_dash_decides) {
        SnpProduct got = snp_product_from_name(names[_i].name, strlen(names[_i].name));

        ck_assert_msg(got == names[_i].product, "'%s' is %s", names[_i].name, snp_product_name(got));
}
END_TEST

START_TEST(name_is_read_no_further_than_its_length) {
        ck_assert_int_eq(snp_product_from_name("Turin-xyz", 5), SNP_PRODUCT_TURIN);
        ck_assert_int_eq(snp_product_from_name("Turinabc", 5), SNP_PRODUCT_TURIN);
        ck_assert_int_eq(snp_product_from_name("Turin", 4), SNP_PRODUCT_UNKNOWN);
        ck_assert_int_eq(snp_product_from_name("Turin\0", 6), SNP_PRODUCT_UNKNOWN);
}
END_TEST

static const struct {
        uint8_t family, model;
        SnpProduct product;
} cpus[] = {
        { 0x19, 0x00, SNP_PRODUCT_MILAN },   { 0x19, 0x01, SNP_PRODUCT_MILAN },   { 0x19, 0x0f, SNP_PRODUCT_MILAN },
        { 0x19, 0x10, SNP_PRODUCT_GENOA },   { 0x19, 0x11, SNP_PRODUCT_GENOA },   { 0x19, 0x1f, SNP_PRODUCT_GENOA },
        { 0x19, 0x20, SNP_PRODUCT_UNKNOWN }, { 0x19, 0x9f, SNP_PRODUCT_UNKNOWN }, { 0x19, 0xa0, SNP_PRODUCT_GENOA },
        { 0x19, 0xaf, SNP_PRODUCT_GENOA },   { 0x19, 0xb0, SNP_PRODUCT_UNKNOWN }, { 0x1a, 0x00, SNP_PRODUCT_TURIN },
        { 0x1a, 0x02, SNP_PRODUCT_TURIN },   { 0x1a, 0x11, SNP_PRODUCT_TURIN },   { 0x1a, 0x12, SNP_PRODUCT_UNKNOWN },
        { 0x1a, 0x50, SNP_PRODUCT_UNKNOWN }, /* the line after Turin: no root of AMD's is known for it */
        { 0x17, 0x31, SNP_PRODUCT_UNKNOWN }, { 0x18, 0x01, SNP_PRODUCT_UNKNOWN }, { 0x1b, 0x02, SNP_PRODUCT_UNKNOWN },
        { 0x00, 0x00, SNP_PRODUCT_UNKNOWN }, { 0xff, 0xff, SNP_PRODUCT_UNKNOWN },
};

START_TEST(family_and_model_name_the_product_line) {
        SnpProduct got = snp_product_from_cpuid(cpus[_i].family, cpus[_i].model);

        ck_assert_msg(got == cpus[_i].product, "family %02x model %02x is %s", cpus[_i].family, cpus[_i].model,
                      snp_product_name(got));
}
END_TEST

START_TEST(products_have_their_tcb_layout) {
        ck_assert_int_eq(snp_product_tcb_layout(SNP_PRODUCT_MILAN), SNP_TCB_LAYOUT_MILAN);
        ck_assert_int_eq(snp_product_tcb_layout(SNP_PRODUCT_GENOA), SNP_TCB_LAYOUT_MILAN);
        ck_assert_int_eq(snp_product_tcb_layout(SNP_PRODUCT_TURIN), SNP_TCB_LAYOUT_TURIN);
        ck_assert_int_eq(snp_product_tcb_layout(SNP_PRODUCT_UNKNOWN), SNP_TCB_LAYOUT_UNKNOWN);
        ck_assert_int_eq(snp_product_tcb_layout(SNP_N_PRODUCTS), SNP_TCB_LAYOUT_UNKNOWN);
}
END_TEST

START_TEST(names_are_those_of_amds_service) {
        ck_assert_str_eq(snp_product_name(SNP_PRODUCT_MILAN), "Milan");
        ck_assert_str_eq(snp_product_name(SNP_PRODUCT_GENOA), "Genoa");
        ck_assert_str_eq(snp_product_name(SNP_PRODUCT_TURIN), "Turin");
        ck_assert_str_eq(snp_product_name(SNP_PRODUCT_UNKNOWN), "unknown");
        ck_assert_str_eq(snp_product_name(SNP_N_PRODUCTS), "unknown");
}
END_TEST

int main(void) {
        Suite *suite = suite_create("snp/product");
        TCase *tc = tcase_create("product");

        tcase_add_loop_test(tc, name_before_the_dash_decides, 0, N_ELEMENTS(names));
        tcase_add_test(tc, name_is_read_no_further_than_its_length);
        tcase_add_loop_test(tc, family_and_model_name_the_product_line, 0, N_ELEMENTS(cpus));
        tcase_add_test(tc, products_have_their_tcb_layout);
        tcase_add_test(tc, names_are_those_of_amds_service);
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
