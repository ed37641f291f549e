/* SPDX-License-Identifier: Apache-2.0 */

/* snp/report-print.c: the JSON and the text of one report, word by word. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "snp/report.h"
#include "tests/unit/snp/golden.h"
#include "tests/unit/unit.h"

static SnpReport parse_golden(uint32_t version) {
        uint8_t bytes[SNP_REPORT_SIZE];
        SnpReport report;

        golden_report(version, bytes);
        ck_assert_int_eq(snp_report_parse(bytes, sizeof(bytes), &report, NULL), 0);
        return report;
}

static const char golden_json[] =
        "{\"version\":5,\"product\":\"Turin\",\"guest_svn\":117835012,"
        "\"policy\":{\"value\":\"0x3af051f\",\"abi_major\":5,\"abi_minor\":31,\"smt\":true,\"migrate_ma\":true,"
        "\"debug\":true,\"single_socket\":false,\"cxl_allow\":true,\"mem_aes_256_xts\":false,\"rapl_dis\":true,"
        "\"ciphertext_hiding_dram\":true,\"page_swap_disable\":true},"
        "\"family_id\":\"101112131415161718191a1b1c1d1e1f\",\"image_id\":\"202122232425262728292a2b2c2d2e2f\","
        "\"vmpl\":2,\"signature_algo\":1,"
        "\"current_tcb\":{\"raw\":\"3132333435363738\",\"fmc\":49,\"boot_loader\":50,\"tee\":51,\"snp\":52,"
        "\"microcode\":56},"
        "\"platform_info\":{\"value\":\"0x8000000000000165\",\"smt_en\":true,\"tsme_en\":false,\"ecc_en\":true,"
        "\"rapl_dis\":false,\"ciphertext_hiding_dram_en\":false,\"alias_check_complete\":true,\"tio_en\":false,"
        "\"unnamed_bits\":\"0x8000000000000140\"},"
        "\"key_info\":{\"signing_key\":\"VLEK\",\"mask_chip_key\":false,\"author_key_en\":true},"
        "\"report_data\":\"505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f"
        "707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f\","
        "\"measurement\":\"909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeaf"
        "b0b1b2b3b4b5b6b7b8b9babbbcbdbebf\","
        "\"host_data\":\"c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf\","
        "\"id_key_digest\":\"e0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"
        "000102030405060708090a0b0c0d0e0f\","
        "\"author_key_digest\":\"1112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f30"
        "3132333435363738393a3b3c3d3e3f40\","
        "\"report_id\":\"4142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f60\","
        "\"report_id_ma\":\"6162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f80\","
        "\"reported_tcb\":{\"raw\":\"8182838485868788\",\"fmc\":129,\"boot_loader\":130,\"tee\":131,\"snp\":132,"
        "\"microcode\":136},"
        "\"cpuid\":{\"family\":26,\"model\":17,\"stepping\":7},"
        "\"chip_id\":\"a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0"
        "c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0\","
        "\"committed_tcb\":{\"raw\":\"e1e2e3e4e5e6e7e8\",\"fmc\":225,\"boot_loader\":226,\"tee\":227,\"snp\":228,"
        "\"microcode\":232},"
        "\"current_version\":\"234.233.232\",\"committed_version\":\"238.237.236\","
        "\"launch_tcb\":{\"raw\":\"f1f2f3f4f5f6f7f8\",\"fmc\":241,\"boot_loader\":242,\"tee\":243,\"snp\":244,"
        "\"microcode\":248},"
        "\"launch_mit_vector\":\"0x7877767574737271\",\"current_mit_vector\":\"0x807f7e7d7c7b7a79\","
        "\"signature\":{\"r\":\"02030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a"
        "2b2c2d2e2f303132333435363738393a3b3c3d3e3f40414243444546474849\","
        "\"s\":\"52535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a"
        "7b7c7d7e7f808182838485868788898a8b8c8d8e8f90919293949596979899\"}}";

START_TEST(json_tells_every_field) {
        SnpReport report = parse_golden(5);
        AUTO_JSON json_object *o = NULL;

        ck_assert_int_eq(snp_report_to_json(&report, SNP_PRODUCT_UNKNOWN, &o), 0);
        ck_assert_str_eq(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN), golden_json);
}
END_TEST

START_TEST(json_is_what_our_own_parser_accepts) {
        SnpReport report = parse_golden((uint32_t) _i);
        AUTO_JSON json_object *o = NULL, *again = NULL;
        const char *text;

        ck_assert_int_eq(snp_report_to_json(&report, SNP_PRODUCT_MILAN, &o), 0);
        text = json_object_to_json_string(o);
        ck_assert_int_eq(json_parse(text, strlen(text), "report", &again, NULL), 0);
        ck_assert(json_object_equal(o, again));
}
END_TEST

static json_object *member(json_object *o, const char *name) {
        json_object *value = NULL;

        return json_object_object_get_ex(o, name, &value) ? value : NULL;
}

START_TEST(version_2_takes_its_product_from_the_caller) {
        static const struct {
                SnpProduct product;
                const char *name, *tcb;
        } rows[] = {
                { SNP_PRODUCT_UNKNOWN, "unknown", "{\"raw\":\"8182838485868788\"}" },
                { SNP_PRODUCT_GENOA, "Genoa",
                  "{\"raw\":\"8182838485868788\",\"boot_loader\":129,\"tee\":130,\"snp\":135,\"microcode\":136}" },
        };
        SnpReport report = parse_golden(2);

        for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
                AUTO_JSON json_object *o = NULL;

                ck_assert_int_eq(snp_report_to_json(&report, rows[i].product, &o), 0);
                ck_assert_str_eq(json_object_get_string(member(o, "product")), rows[i].name);
                ck_assert_str_eq(json_object_to_json_string_ext(member(o, "reported_tcb"), JSON_C_TO_STRING_PLAIN),
                                 rows[i].tcb);
                ck_assert_ptr_null(member(o, "cpuid"));
                ck_assert_ptr_null(member(o, "launch_mit_vector"));
        }
}
END_TEST

START_TEST(later_versions_do_not_ask_the_caller) {
        SnpReport report = parse_golden(3);
        AUTO_JSON json_object *o = NULL;

        ck_assert_int_eq(snp_report_to_json(&report, SNP_PRODUCT_MILAN, &o), 0);
        ck_assert_str_eq(json_object_get_string(member(o, "product")), "Turin");
        ck_assert_ptr_nonnull(member(o, "cpuid"));
        ck_assert_ptr_null(member(o, "launch_mit_vector"));
}
END_TEST

START_TEST(text_has_one_line_for_each_field) {
        SnpReport report = parse_golden(5);
        AUTO_FREE char *text = NULL;

        static const char *const lines[] = {
                "version                         5\n",
                "product                         Turin\n",
                "\npolicy\n    value                       0x3af051f\n",
                "\n    debug                       yes\n",
                "\n    single_socket               no\n",
                "\n    ciphertext_hiding_dram_en   no\n",
                "\nreported_tcb\n    raw                         8182838485868788\n    fmc                         129\n",
                "\ncurrent_version                 234.233.232\n",
                "\n    signing_key                 VLEK\n",
        };

        ck_assert_int_eq(snp_report_to_text(&report, SNP_PRODUCT_UNKNOWN, &text), 0);
        for (size_t i = 0; i < N_ELEMENTS(lines); i++)
                ck_assert_msg(strstr(text, lines[i]), "no '%s' in:\n%s", lines[i], text);
        for (const char *p = text; *p; p++)
                ck_assert_msg(*p == '\n' || (*p >= 0x20 && *p < 0x7f), "character %d", *p);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("snp/report-print");
        TCase *tc = tcase_create("report-print");

        tcase_add_test(tc, json_tells_every_field);
        tcase_add_loop_test(tc, json_is_what_our_own_parser_accepts, 2, 6);
        tcase_add_test(tc, version_2_takes_its_product_from_the_caller);
        tcase_add_test(tc, later_versions_do_not_ask_the_caller);
        tcase_add_test(tc, text_has_one_line_for_each_field);
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
