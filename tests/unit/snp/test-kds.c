/* SPDX-License-Identifier: Apache-2.0 */

/* snp/kds.c: every address by the letter, and a reason where there is none. */

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "snp/kds.h"
#include "tests/unit/unit.h"

#define H8 "0102030405060708"
#define H64 H8 H8 H8 H8 H8 H8 H8 H8

static SnpVekId milan(void) {
        SnpVekId id = { .product = SNP_PRODUCT_MILAN, .tcb = { 3, 0, 1, 2, 3, 4, 8, 115 } };

        for (size_t i = 0; i < sizeof(id.chip_id); i++)
                id.chip_id[i] = (uint8_t) (i % 8 + 1);
        return id;
}

static SnpVekId turin(void) {
        return (SnpVekId){ .product = SNP_PRODUCT_TURIN, .chip_id = { 1, 2, 3, 4, 5, 6, 7, 8 },
                           .tcb = { 1, 2, 3, 100, 0, 0, 0, 255 } };
}

static const char *url(const SnpVekId *id, SnpPart part, const char *base) {
        static char text[SNP_KDS_URL_MAX];
        Error e = {};

        ck_assert_msg(snp_kds_url(id, part, base, text, &e) == 0, "%s", e.text);
        return text;
}

static void no_url(const SnpVekId *id, SnpPart part, int code, const char *reason) {
        char text[SNP_KDS_URL_MAX] = "untouched";
        Error e = {};

        ck_assert_int_eq(snp_kds_url(id, part, NULL, text, &e), code);
        ck_assert_str_eq(e.reason, reason);
        ck_assert_str_eq(text, "untouched");
}

START_TEST(a_vcek_is_named_by_chip_and_reported_tcb) {
        SnpVekId m = milan(), t = turin();

        ck_assert_str_eq(url(&m, SNP_PART_VEK, NULL), "https://kdsintf.amd.com/vcek/v1/Milan/" H64
                                                      "?blSPL=03&teeSPL=00&snpSPL=08&ucodeSPL=115");
        m.product = SNP_PRODUCT_GENOA;
        ck_assert_str_eq(url(&m, SNP_PART_VEK, NULL), "https://kdsintf.amd.com/vcek/v1/Genoa/" H64
                                                      "?blSPL=03&teeSPL=00&snpSPL=08&ucodeSPL=115");
        ck_assert_str_eq(url(&t, SNP_PART_VEK, NULL), "https://kdsintf.amd.com/vcek/v1/Turin/" H8
                                                      "?fmcSPL=01&blSPL=02&teeSPL=03&snpSPL=100&ucodeSPL=255");
}
END_TEST

START_TEST(chains_and_lists_are_named_by_product_and_kind) {
        SnpVekId id = turin();

        ck_assert_str_eq(url(&id, SNP_PART_CHAIN, NULL), "https://kdsintf.amd.com/vcek/v1/Turin/cert_chain");
        ck_assert_str_eq(url(&id, SNP_PART_CRL, NULL), "https://kdsintf.amd.com/vcek/v1/Turin/crl");
        id.key = SNP_SIGNING_KEY_VLEK;
        ck_assert_str_eq(url(&id, SNP_PART_CHAIN, NULL), "https://kdsintf.amd.com/vlek/v1/Turin/cert_chain");
        ck_assert_str_eq(url(&id, SNP_PART_CRL, NULL), "https://kdsintf.amd.com/vlek/v1/Turin/crl");
}
END_TEST

START_TEST(a_mirror_is_put_in_front) {
        SnpVekId id = milan();

        ck_assert_str_eq(url(&id, SNP_PART_CRL, "http://127.0.0.1:8080"), "http://127.0.0.1:8080/vcek/v1/Milan/crl");
        ck_assert_str_eq(url(&id, SNP_PART_CRL, "https://m.example/kds//"), "https://m.example/kds/vcek/v1/Milan/crl");
}
END_TEST

START_TEST(the_longest_address_fits) {
        char base[SNP_KDS_BASE_MAX + 2];
        char text[SNP_KDS_URL_MAX];
        SnpVekId id = milan();

        (void) memset(base, 'a', sizeof(base));
        (void) memcpy(base, "https://", 8);
        (void) memset(id.tcb, 255, sizeof(id.tcb));
        base[SNP_KDS_BASE_MAX] = 0;
        ck_assert_int_eq(snp_kds_base_check(base, NULL), 0);
        ck_assert_str_eq(strrchr(url(&id, SNP_PART_VEK, base), '?'), "?blSPL=255&teeSPL=255&snpSPL=255&ucodeSPL=255");
        base[SNP_KDS_BASE_MAX] = 'a';
        base[SNP_KDS_BASE_MAX + 1] = 0;
        ck_assert_int_eq(snp_kds_base_check(base, NULL), -EINVAL);
        ck_assert_int_eq(snp_kds_url(&id, SNP_PART_VEK, base, text, NULL), -E2BIG);
}
END_TEST

START_TEST(where_there_is_no_address_there_is_a_reason) {
        SnpVekId id = milan();

        id.key = SNP_SIGNING_KEY_VLEK;
        no_url(&id, SNP_PART_VEK, -EOPNOTSUPP, "kds-vlek");
        id = milan();
        (void) memset(id.chip_id, 0, sizeof(id.chip_id));
        no_url(&id, SNP_PART_VEK, -EOPNOTSUPP, "kds-chip-id-masked");
        ck_assert(snp_vek_id_is_masked(&id));
        id = milan();
        id.product = SNP_PRODUCT_UNKNOWN;
        for (SnpPart part = 0; part < SNP_N_PARTS; part++)
                no_url(&id, part, -EOPNOTSUPP, "kds-product-unknown");
        id.product = SNP_N_PRODUCTS;
        no_url(&id, SNP_PART_CRL, -EOPNOTSUPP, "kds-product-unknown");
        id = milan();
        id.product = SNP_PRODUCT_TURIN; /* the long form is answered with 404 */
        no_url(&id, SNP_PART_VEK, -EOPNOTSUPP, "kds-chip-id");
}
END_TEST

static const struct {
        const char *base;
        int want;
} bases[] = {
        { "https://kdsintf.amd.com", 0 },
        { "https://kdsintf.amd.com/", 0 },
        { "http://[::1]:80/a/b~c%20", 0 },
        { "", -EINVAL },
        { "https://", -EINVAL },
        { "https:///path", -EINVAL },
        { "ftp://host", -EINVAL },
        { "HTTPS://host", -EINVAL },
        { "https://user@host", -EINVAL },
        { "https://host/?q", -EINVAL },
        { "https://host/#f", -EINVAL },
        { "https://host?q", -EINVAL },
        { "https://host/a b", -EINVAL },
        { "https://host/a\nb", -EINVAL },
        { "https://host/\xc3\xa4", -EINVAL },
        { "https://host\\evil", -EINVAL },
};

START_TEST(a_base_is_scheme_host_and_path) {
        Error e = {};

        ck_assert_msg(snp_kds_base_check(bases[_i].base, &e) == bases[_i].want, "%s: %s", bases[_i].base, e.text);
        ck_assert(bases[_i].want == 0 || strcmp(e.reason, "kds-base") == 0);
}
END_TEST

START_TEST(a_report_tells_which_key_it_wants) {
        SnpReport report = { .version = 2, .reported_tcb = { 1, 2, 3, 4, 5, 6, 7, 8 }, .chip_id = { 9 },
                             .current_tcb = { 99 } };
        SnpVekId id = {};
        Error e = {};

        ck_assert_int_eq(snp_vek_id_of_report(&report, SNP_PRODUCT_GENOA, &id, &e), 0);
        ck_assert_int_eq(id.product, SNP_PRODUCT_GENOA);
        ck_assert_int_eq(id.key, SNP_SIGNING_KEY_VCEK);
        ck_assert_mem_eq(id.tcb, report.reported_tcb, sizeof(id.tcb));
        ck_assert_uint_eq(id.chip_id[0], 9);
        report.signing_key = SNP_SIGNING_KEY_VLEK;
        ck_assert_int_eq(snp_vek_id_of_report(&report, SNP_PRODUCT_UNKNOWN, &id, &e), 0);
        ck_assert_int_eq(id.product, SNP_PRODUCT_UNKNOWN);
        ck_assert_uint_eq(id.chip_id[0], 0); /* a VLEK is no chip's */
        ck_assert(!snp_vek_id_is_masked(&id));
        report.signing_key = SNP_SIGNING_KEY_NONE;
        ck_assert_int_eq(snp_vek_id_of_report(&report, SNP_PRODUCT_GENOA, &id, &e), -ENOENT);
        ck_assert_str_eq(e.reason, "no-signing-key");
        report.signing_key = SNP_SIGNING_KEY_VCEK;
        report.mask_chip_key = true;
        ck_assert_int_eq(snp_vek_id_of_report(&report, SNP_PRODUCT_GENOA, &id, NULL), -ENOENT);
}
END_TEST

START_TEST(parts_have_names_and_limits) {
        ck_assert_str_eq(snp_part_name(SNP_PART_CHAIN), "chain");
        ck_assert_str_eq(snp_part_name(SNP_PART_VEK), "vek");
        ck_assert_str_eq(snp_part_name(SNP_PART_CRL), "crl");
        ck_assert_str_eq(snp_part_name(SNP_N_PARTS), "unknown");
        ck_assert_uint_eq(snp_part_size_max(SNP_PART_CHAIN), 16384);
        ck_assert_uint_eq(snp_part_size_max(SNP_PART_VEK), 4096);
        ck_assert_uint_eq(snp_part_size_max(SNP_PART_CRL), 1048576);
        ck_assert_uint_eq(snp_part_size_max(SNP_N_PARTS), 0);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("snp/kds");
        TCase *tc = tcase_create("kds");

        tcase_add_test(tc, a_vcek_is_named_by_chip_and_reported_tcb);
        tcase_add_test(tc, chains_and_lists_are_named_by_product_and_kind);
        tcase_add_test(tc, a_mirror_is_put_in_front);
        tcase_add_test(tc, the_longest_address_fits);
        tcase_add_test(tc, where_there_is_no_address_there_is_a_reason);
        tcase_add_loop_test(tc, a_base_is_scheme_host_and_path, 0, N_ELEMENTS(bases));
        tcase_add_test(tc, a_report_tells_which_key_it_wants);
        tcase_add_test(tc, parts_have_names_and_limits);
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
