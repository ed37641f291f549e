/* SPDX-License-Identifier: Apache-2.0 */
#include "snp/report.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/snp/golden.h"
#include "tests/unit/unit.h"

static SnpReport parse_golden(uint32_t version) {
        uint8_t bytes[SNP_REPORT_SIZE];
        SnpReport report;
        Error e = {};

        golden_report(version, bytes);
        ck_assert_msg(snp_report_parse(bytes, sizeof(bytes), &report, &e) == 0, "%s", e.text);
        ck_assert_mem_eq(report.raw, bytes, sizeof(bytes));
        return report;
}

static void assert_counts_up(const uint8_t *field, size_t n, uint8_t first) {
        for (size_t i = 0; i < n; i++)
                ck_assert_uint_eq(field[i], (uint8_t) (first + i));
}

START_TEST(numbers_come_from_their_offsets) {
        SnpReport r = parse_golden((uint32_t) _i);

        ck_assert_uint_eq(r.version, (uint32_t) _i);
        ck_assert_uint_eq(r.guest_svn, 0x07060504);
        ck_assert_uint_eq(r.policy, 0x03af051f);
        ck_assert_uint_eq(r.vmpl, 2);
        ck_assert_uint_eq(r.signature_algo, 1);
        ck_assert_uint_eq(r.platform_info, UINT64_C(0x8000000000000165));
        ck_assert(r.author_key_en);
        ck_assert(!r.mask_chip_key);
        ck_assert_int_eq(r.signing_key, SNP_SIGNING_KEY_VLEK);
        ck_assert_uint_eq(r.current.build, 0xe8);
        ck_assert_uint_eq(r.current.minor, 0xe9);
        ck_assert_uint_eq(r.current.major, 0xea);
        ck_assert_uint_eq(r.committed.build, 0xec);
        ck_assert_uint_eq(r.committed.minor, 0xed);
        ck_assert_uint_eq(r.committed.major, 0xee);
}
END_TEST

START_TEST(byte_fields_come_from_their_offsets) {
        SnpReport r = parse_golden((uint32_t) _i);

        assert_counts_up(r.family_id, sizeof(r.family_id), 0x10);
        assert_counts_up(r.image_id, sizeof(r.image_id), 0x20);
        assert_counts_up(r.current_tcb, sizeof(r.current_tcb), 0x31);
        assert_counts_up(r.report_data, sizeof(r.report_data), 0x50);
        assert_counts_up(r.measurement, sizeof(r.measurement), 0x90);
        assert_counts_up(r.host_data, sizeof(r.host_data), 0xc0);
        assert_counts_up(r.id_key_digest, sizeof(r.id_key_digest), 0xe0);
        assert_counts_up(r.author_key_digest, sizeof(r.author_key_digest), 0x11);
        assert_counts_up(r.report_id, sizeof(r.report_id), 0x41);
        assert_counts_up(r.report_id_ma, sizeof(r.report_id_ma), 0x61);
        assert_counts_up(r.reported_tcb, sizeof(r.reported_tcb), 0x81);
        assert_counts_up(r.chip_id, sizeof(r.chip_id), 0xa1);
        assert_counts_up(r.committed_tcb, sizeof(r.committed_tcb), 0xe1);
        assert_counts_up(r.launch_tcb, sizeof(r.launch_tcb), 0xf1);
        assert_counts_up(r.signature_r, sizeof(r.signature_r), 0x02);
        assert_counts_up(r.signature_s, sizeof(r.signature_s), 0x52);
}
END_TEST

START_TEST(cpuid_is_there_from_version_3_on) {
        SnpReport r = parse_golden((uint32_t) _i);

        ck_assert(r.has_cpuid == (_i >= 3));
        ck_assert_uint_eq(r.cpuid_family, _i >= 3 ? 0x1a : 0);
        ck_assert_uint_eq(r.cpuid_model, _i >= 3 ? 0x11 : 0);
        ck_assert_uint_eq(r.cpuid_stepping, _i >= 3 ? 0x07 : 0);
        ck_assert_int_eq(r.product, _i >= 3 ? SNP_PRODUCT_TURIN : SNP_PRODUCT_UNKNOWN);
        ck_assert_int_eq(snp_report_product(&r, SNP_PRODUCT_MILAN), _i >= 3 ? SNP_PRODUCT_TURIN : SNP_PRODUCT_MILAN);
}
END_TEST

START_TEST(mitigation_vectors_are_there_from_version_5_on) {
        SnpReport r = parse_golden((uint32_t) _i);

        ck_assert(r.has_mitigation_vectors == (_i >= 5));
        ck_assert_uint_eq(r.launch_mit_vector, _i >= 5 ? UINT64_C(0x7877767574737271) : 0);
        ck_assert_uint_eq(r.current_mit_vector, _i >= 5 ? UINT64_C(0x807f7e7d7c7b7a79) : 0);
}
END_TEST

static void refuse(const uint8_t *bytes, size_t size, int code, const char *reason, const char *text) {
        SnpReport report = { .version = 99 };
        Error e = {};
        int r = snp_report_parse(bytes, size, &report, &e);

        ck_assert_msg(r == code && strcmp(error_reason(&e, r), reason) == 0, "got %d, %s: %s", r, error_reason(&e, r),
                      error_text(&e, r));
        ck_assert_msg(!text || strstr(e.text, text), "'%s' does not say '%s'", e.text, text);
        ck_assert_uint_eq(report.version, 99);
}

START_TEST(every_other_length_is_refused) {
        uint8_t bytes[SNP_REPORT_SIZE + 1] = {};

        golden_report(5, bytes);
        for (size_t n = 0; n < SNP_REPORT_SIZE; n++) {
                AUTO_FREE uint8_t *cut = malloc(n ? n : 1); /* its end is the allocation's, for the sanitizers */

                ck_assert_ptr_nonnull(cut);
                (void) memcpy(cut, bytes, n);
                refuse(cut, n, -EBADMSG, "report-truncated", NULL);
        }
        refuse(bytes, sizeof(bytes), -EBADMSG, "report-oversized", "1185");
        refuse(NULL, 0, -EBADMSG, "report-truncated", "0 bytes");
}
END_TEST

static const struct {
        uint32_t version;
        size_t offset;
        uint8_t value;
        int code;
        const char *reason, *text;
} bad_bytes[] = {
        { 5, 0x000, 0, -EOPNOTSUPP, "report-version", "version 0" },
        { 5, 0x000, 1, -EOPNOTSUPP, "report-version", "version 1" },
        { 5, 0x000, 6, -EOPNOTSUPP, "report-version", "version 6" },
        { 5, 0x003, 1, -EOPNOTSUPP, "report-version", "16777221" },
        { 5, 0x00a, 0xad, -EBADMSG, "report-policy", "bit 17" },
        { 5, 0x00b, 0x07, -EBADMSG, "report-policy", "reserved" }, /* bit 26, the lowest reserved one */
        { 5, 0x00f, 0x80, -EBADMSG, "report-policy", "reserved" },
        { 5, 0x030, 4, -EBADMSG, "report-vmpl", "VMPL 4" },
        { 5, 0x033, 1, -EBADMSG, "report-vmpl", "VMPL" },
        { 5, 0x034, 0, -EOPNOTSUPP, "report-signature-algo", "SIGNATURE_ALGO 0" },
        { 5, 0x034, 2, -EOPNOTSUPP, "report-signature-algo", "SIGNATURE_ALGO 2" },
        { 5, 0x048, 0x08, -EBADMSG, "report-signing-key", "SIGNING_KEY 2" },
        { 5, 0x048, 0x18, -EBADMSG, "report-signing-key", "SIGNING_KEY 6" },
        { 5, 0x048, 0x20, -EBADMSG, "report-key-info", "0x20" },
        { 5, 0x04b, 0x80, -EBADMSG, "report-key-info", "KEY_INFO" },
        { 5, 0x188, 0x17, -EOPNOTSUPP, "report-cpu", "family 0x17" },
        { 3, 0x189, 0x50, -EOPNOTSUPP, "report-cpu", "model 0x50" },
};

START_TEST(a_bad_field_is_refused_by_name) {
        uint8_t bytes[SNP_REPORT_SIZE];

        golden_report(bad_bytes[_i].version, bytes);
        bytes[bad_bytes[_i].offset] = bad_bytes[_i].value;
        refuse(bytes, sizeof(bytes), bad_bytes[_i].code, bad_bytes[_i].reason, bad_bytes[_i].text);
}
END_TEST

/* 56860, table ATTESTATION_REPORT, rows "reserved" and what earlier versions do not have; [first, end). */
static const struct {
        uint32_t version;
        size_t first, end;
} reserved[] = {
        { 2, 0x188, 0x1a0 }, { 2, 0x1f8, 0x2a0 }, { 3, 0x18b, 0x1a0 }, { 3, 0x1f8, 0x2a0 }, { 4, 0x18b, 0x1a0 },
        { 4, 0x208, 0x2a0 }, { 5, 0x18b, 0x1a0 }, { 5, 0x208, 0x2a0 }, { 5, 0x04c, 0x050 }, { 5, 0x1eb, 0x1ec },
        { 5, 0x1ef, 0x1f0 }, { 5, 0x330, 0x4a0 }, { 2, 0x04c, 0x050 }, { 2, 0x1eb, 0x1ec }, { 2, 0x330, 0x4a0 },
};

START_TEST(a_reserved_byte_must_be_zero) {
        uint8_t bytes[SNP_REPORT_SIZE];
        char text[16];

        golden_report(reserved[_i].version, bytes);
        for (size_t at = reserved[_i].first; at < reserved[_i].end; at++) {
                bytes[at] = 0x40;
                (void) snprintf(text, sizeof(text), "0x%zx", at);
                refuse(bytes, sizeof(bytes), -EBADMSG, "report-reserved", text);
                bytes[at] = 0;
        }
}
END_TEST

START_TEST(version_4_may_carry_bytes_where_version_5_has_mitigations) {
        uint8_t bytes[SNP_REPORT_SIZE];
        SnpReport report;

        golden_report(4, bytes);
        (void) memset(bytes + 0x1f8, 0xee, 16);
        ck_assert_int_eq(snp_report_parse(bytes, sizeof(bytes), &report, NULL), 0);
        ck_assert(!report.has_mitigation_vectors);
        ck_assert_uint_eq(report.launch_mit_vector, 0);
        ck_assert_mem_eq(report.raw, bytes, sizeof(bytes));
}
END_TEST

START_TEST(platform_info_bits_are_never_refused) {
        uint8_t bytes[SNP_REPORT_SIZE];
        SnpReport report;

        golden_report(5, bytes);
        (void) memset(bytes + 0x040, 0xff, 8);
        ck_assert_int_eq(snp_report_parse(bytes, sizeof(bytes), &report, NULL), 0);
        ck_assert_uint_eq(report.platform_info, UINT64_MAX);
}
END_TEST

static const struct {
        uint8_t key_info;
        bool author, mask;
        SnpSigningKey key;
} key_infos[] = {
        { 0x00, false, false, SNP_SIGNING_KEY_VCEK }, { 0x01, true, false, SNP_SIGNING_KEY_VCEK },
        { 0x02, false, true, SNP_SIGNING_KEY_VCEK },  { 0x04, false, false, SNP_SIGNING_KEY_VLEK },
        { 0x1c, false, false, SNP_SIGNING_KEY_NONE }, { 0x1f, true, true, SNP_SIGNING_KEY_NONE },
};

START_TEST(key_info_is_taken_apart) {
        uint8_t bytes[SNP_REPORT_SIZE];
        SnpReport r;

        golden_report(3, bytes);
        bytes[0x048] = key_infos[_i].key_info;
        ck_assert_int_eq(snp_report_parse(bytes, sizeof(bytes), &r, NULL), 0);
        ck_assert(r.author_key_en == key_infos[_i].author);
        ck_assert(r.mask_chip_key == key_infos[_i].mask);
        ck_assert_int_eq(r.signing_key, key_infos[_i].key);
}
END_TEST

START_TEST(vmpl_of_the_host_is_known) {
        uint8_t bytes[SNP_REPORT_SIZE];
        SnpReport r;

        golden_report(3, bytes);
        (void) memset(bytes + 0x030, 0xff, 4);
        ck_assert_int_eq(snp_report_parse(bytes, sizeof(bytes), &r, NULL), 0);
        ck_assert_uint_eq(r.vmpl, UINT32_MAX);
}
END_TEST

START_TEST(every_single_bit_flip_is_refused_or_kept) {
        uint8_t bytes[SNP_REPORT_SIZE];
        SnpReport whole, report;
        size_t n_accepted = 0;

        golden_report((uint32_t) _i, bytes);
        ck_assert_int_eq(snp_report_parse(bytes, sizeof(bytes), &whole, NULL), 0);
        for (size_t bit = 0; bit < sizeof(bytes) * 8; bit++) {
                Error e = {};
                int r;

                bytes[bit / 8] ^= (uint8_t) (1u << bit % 8);
                r = snp_report_parse(bytes, sizeof(bytes), &report, &e);
                if (r == 0) {
                        n_accepted++;
                        ck_assert_mem_eq(report.raw, bytes, sizeof(bytes));
                        /* No bit is without a meaning: some decoded field has changed too. Version 4 has 16
                         * bytes that are kept unread. */
                        (void) memcpy(report.raw, whole.raw, sizeof(report.raw));
                        ck_assert_msg(memcmp(&report, &whole, sizeof(report)) != 0 ||
                                              (_i == 4 && bit / 8 >= 0x1f8 && bit / 8 < 0x208),
                                      "bit %zu is lost", bit);
                } else
                        ck_assert_msg((r == -EBADMSG || r == -EOPNOTSUPP) && e.text[0], "bit %zu: %d", bit, r);
                bytes[bit / 8] ^= (uint8_t) (1u << bit % 8);
        }
        ck_assert_uint_gt(n_accepted, 4500);
        ck_assert_uint_lt(n_accepted, 6500);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("snp/report");
        TCase *tc = tcase_create("report");

        tcase_add_loop_test(tc, numbers_come_from_their_offsets, 2, 6);
        tcase_add_loop_test(tc, byte_fields_come_from_their_offsets, 2, 6);
        tcase_add_loop_test(tc, cpuid_is_there_from_version_3_on, 2, 6);
        tcase_add_loop_test(tc, mitigation_vectors_are_there_from_version_5_on, 2, 6);
        tcase_add_test(tc, every_other_length_is_refused);
        tcase_add_loop_test(tc, a_bad_field_is_refused_by_name, 0, N_ELEMENTS(bad_bytes));
        tcase_add_loop_test(tc, a_reserved_byte_must_be_zero, 0, N_ELEMENTS(reserved));
        tcase_add_test(tc, version_4_may_carry_bytes_where_version_5_has_mitigations);
        tcase_add_test(tc, platform_info_bits_are_never_refused);
        tcase_add_loop_test(tc, key_info_is_taken_apart, 0, N_ELEMENTS(key_infos));
        tcase_add_test(tc, vmpl_of_the_host_is_known);
        tcase_add_loop_test(tc, every_single_bit_flip_is_refused_or_kept, 2, 6);
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
