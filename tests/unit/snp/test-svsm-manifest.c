/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/writer.h"
#include "snp/svsm-manifest.h"
#include "tests/unit/unit.h"

/* Written down again here, in the order in which they stand in a table. */
static const uint8_t magic[] = "\xbb\x9e\x84\x63\x92\x3d\x70\x46\xa1\xff\x58\xf9\xc9\x4b\x87\xbb";
static const uint8_t vtpm[] = "\xeb\xf1\x76\xc4\x23\x01\xa5\x45\x96\x41\xb4\xe7\xdd\xe5\xbf\xe3";
static const uint8_t uefi[] = "\x59\x3a\x45\xa4\x1b\x9e\x87\x47\xa0\x33\x19\x86\xd6\xad\xbe\x55";
static const uint8_t other[] = "0123456789abcdef";
static const uint8_t null[16];

typedef struct Row {
        const uint8_t *guid;
        uint32_t offset, size;
} Row;

static Blob table_of(const uint8_t *guid, uint32_t length, uint32_t count, const Row *rows, size_t n, size_t size) {
        AUTO_WRITER Writer w = wr_init(1u << 20);
        Blob b = {};

        wr_bytes(&w, guid, 16);
        wr_le32(&w, length);
        wr_le32(&w, count);
        for (size_t i = 0; i < n; i++) {
                wr_bytes(&w, rows[i].guid, 16);
                wr_le32(&w, rows[i].offset);
                wr_le32(&w, rows[i].size);
        }
        for (uint8_t fill = 0; w.size < size; fill++)
                wr_u8(&w, fill);
        ck_assert_int_eq(wr_finish(&w, &b), 0);
        return b;
}

/* 10 bytes of the vTPM, 8 bytes of the variable store right behind. */
static const Row two_rows[] = { { vtpm, 72, 10 }, { uefi, 82, 8 } };
#define TWO_SIZE 90

START_TEST(services_come_out_one_by_one) {
        AUTO_BLOB Blob b = table_of(magic, TWO_SIZE, 2, two_rows, 2, TWO_SIZE);
        SnpSvsmServices s;

        ck_assert_int_eq(snp_svsm_services_parse(b.data, b.size, &s, NULL), 0);
        ck_assert_uint_eq(s.n_services, 2);
        ck_assert(snp_guid_equal(&s.services[0].guid, &snp_svsm_guid_vtpm));
        ck_assert_ptr_eq(s.services[0].manifest, b.data + 72);
        ck_assert_uint_eq(s.services[0].size, 10);
        ck_assert_ptr_eq(snp_svsm_services_find(&s, &snp_svsm_guid_uefi_mm), &s.services[1]);
        ck_assert_ptr_eq(s.services[1].manifest, b.data + 82);
        ck_assert_uint_eq(s.services[1].size, 8);
        ck_assert_ptr_null(snp_svsm_services_find(&s, &(SnpGuid){}));
} END_TEST

START_TEST(a_service_may_have_no_manifest_and_bytes_no_service) {
        static const Row rows[] = { { vtpm, 90, 0 }, { uefi, 72, 0 }, };
        AUTO_BLOB Blob b = table_of(magic, 90, 2, rows, 2, 90);
        AUTO_BLOB Blob none = table_of(magic, 24, 0, NULL, 0, 24);
        SnpSvsmServices s;

        ck_assert_int_eq(snp_svsm_services_parse(b.data, b.size, &s, NULL), 0);
        ck_assert_uint_eq(s.services[0].size, 0);
        ck_assert_int_eq(snp_svsm_services_parse(none.data, none.size, &s, NULL), 0);
        ck_assert_uint_eq(s.n_services, 0);
} END_TEST


static const struct {
        const char *reason;
        const uint8_t *guid;
        uint32_t length, count;
        Row rows[3];
        size_t n, size;
        int code;
} bad_tables[] = {
        { "svsm-table-magic", other, 90, 2, { { vtpm, 72, 10 }, { uefi, 82, 8 } }, 2, 90, -EBADMSG },
        { "svsm-table-magic", vtpm, 90, 2, { { vtpm, 72, 10 }, { uefi, 82, 8 } }, 2, 90, -EBADMSG },
        { "svsm-table-length", magic, 89, 2, { { vtpm, 72, 10 }, { uefi, 82, 8 } }, 2, 90, -EBADMSG },
        { "svsm-table-length", magic, 91, 2, { { vtpm, 72, 10 }, { uefi, 82, 8 } }, 2, 90, -EBADMSG },
        { "svsm-table-length", magic, UINT32_MAX, 2, { { vtpm, 72, 10 }, { uefi, 82, 8 } }, 2, 90, -EBADMSG },
        { "svsm-table-count", magic, 90, 3, { { vtpm, 72, 10 }, { uefi, 82, 8 } }, 2, 90, -EBADMSG },
        { "svsm-table-count", magic, 90, 33, { { vtpm, 72, 10 }, { uefi, 82, 8 } }, 2, 90, -E2BIG },
        { "svsm-table-count", magic, 90, UINT32_MAX, { { vtpm, 72, 10 }, { uefi, 82, 8 } }, 2, 90, -E2BIG },
        { "svsm-table-duplicate", magic, 90, 2, { { vtpm, 72, 10 }, { vtpm, 82, 8 } }, 2, 90, -EBADMSG },
        { "svsm-table-guid", magic, 90, 2, { { vtpm, 72, 10 }, { null, 82, 8 } }, 2, 90, -EBADMSG },
        { "svsm-table-overlap", magic, 90, 2, { { vtpm, 72, 10 }, { uefi, 81, 8 } }, 2, 90, -EBADMSG },
        { "svsm-table-overlap", magic, 90, 2, { { vtpm, 80, 10 }, { uefi, 72, 18 } }, 2, 90, -EBADMSG },
        { "svsm-table-range", magic, 90, 2, { { vtpm, 71, 10 }, { uefi, 82, 8 } }, 2, 90, -EBADMSG },
        { "svsm-table-range", magic, 90, 2, { { vtpm, 0, 0 }, { uefi, 82, 8 } }, 2, 90, -EBADMSG },
        { "svsm-table-range", magic, 90, 2, { { vtpm, 72, 10 }, { uefi, 82, 9 } }, 2, 90, -EBADMSG },
        { "svsm-table-range", magic, 90, 2, { { vtpm, 72, 10 }, { uefi, 91, 0 } }, 2, 90, -EBADMSG },
        { "svsm-table-range", magic, 90, 2, { { vtpm, 72, UINT32_MAX }, { uefi, 82, 8 } }, 2, 90, -EBADMSG },
        { "svsm-table-range", magic, 90, 2, { { vtpm, UINT32_MAX, 10 }, { uefi, 82, 8 } }, 2, 90, -EBADMSG },
        { "svsm-manifest-size", magic, 32769, 0, {}, 0, 32769, -E2BIG },
};

START_TEST(a_table_that_lies_is_refused) {
        AUTO_BLOB Blob b = table_of(bad_tables[_i].guid, bad_tables[_i].length, bad_tables[_i].count, bad_tables[_i].rows,
                                    bad_tables[_i].n, bad_tables[_i].size);
        SnpSvsmServices s = { .n_services = 77 };
        Error e = {};
        int r = snp_svsm_services_parse(b.data, b.size, &s, &e);

        ck_assert_msg(r == bad_tables[_i].code, "row %d: %d (%s)", _i, r, error_text(&e, r));
        ck_assert_msg(strcmp(e.reason, bad_tables[_i].reason) == 0, "row %d: %s", _i, e.reason);
        ck_assert_uint_eq(s.n_services, 77);
} END_TEST

START_TEST(a_table_is_refused_at_every_length_but_its_own) {
        AUTO_BLOB Blob b = table_of(magic, TWO_SIZE, 2, two_rows, 2, TWO_SIZE + 1);
        SnpSvsmServices s;

        for (size_t n = 0; n <= b.size; n++)
                ck_assert_msg((snp_svsm_services_parse(b.data, n, &s, NULL) == 0) == (n == TWO_SIZE), "%zu bytes", n);
} END_TEST

/* Each sized, as in a TPM2B. */
static Blob keys_of(uint32_t version, uint32_t count, const char *const *keys, size_t n) {
        AUTO_WRITER Writer w = wr_init(1u << 20);
        Blob b = {};

        wr_be32(&w, version);
        wr_be32(&w, count);
        for (size_t i = 0; i < n; i++) {
                wr_be16(&w, (uint16_t) strlen(keys[i]));
                wr_str(&w, keys[i]);
        }
        ck_assert_int_eq(wr_finish(&w, &b), 0);
        return b;
}

START_TEST(version_0_is_one_key_as_it_stands) {
        static const uint8_t bytes[] = { 0, 1, 0, 11, 5 };
        SnpSvsmKeys k;

        ck_assert_int_eq(snp_svsm_vtpm_parse(bytes, sizeof(bytes), 0, &k, NULL), 0);
        ck_assert_uint_eq(k.n_keys, 1);
        ck_assert_ptr_eq(k.keys[0].tpmt_public, bytes);
        ck_assert_uint_eq(k.keys[0].size, sizeof(bytes));
} END_TEST

START_TEST(version_1_is_a_list_of_sized_keys) {
        static const char *const three[] = { "storage", "signing", "x" };
        AUTO_BLOB Blob b = keys_of(1, 3, three, 3);
        SnpSvsmKeys k;

        ck_assert_int_eq(snp_svsm_vtpm_parse(b.data, b.size, 1, &k, NULL), 0);
        ck_assert_uint_eq(k.n_keys, 3);
        for (size_t i = 0; i < 3; i++) {
                ck_assert_uint_eq(k.keys[i].size, strlen(three[i]));
                ck_assert_mem_eq(k.keys[i].tpmt_public, three[i], k.keys[i].size);
        }
        for (size_t n = 0; n < b.size; n++)
                ck_assert_msg(snp_svsm_vtpm_parse(b.data, n, 1, &k, NULL) == -EBADMSG, "%zu bytes", n);
} END_TEST

static const struct {
        const char *reason;
        uint32_t version, count;
        const char *keys[3];
        size_t n;
        int code;
} bad_keys[] = {
        { "svsm-vtpm-version", 0, 2, { "a", "b" }, 2, -EBADMSG },
        { "svsm-vtpm-version", 2, 2, { "a", "b" }, 2, -EBADMSG },
        { "svsm-vtpm-version", 0x01000000, 2, { "a", "b" }, 2, -EBADMSG }, /* little-endian */
        { "svsm-vtpm-count", 1, 0, {}, 0, -EBADMSG },
        { "svsm-vtpm-count", 1, 1, { "a" }, 1, -EBADMSG },
        { "svsm-vtpm-count", 1, 17, { "a", "b" }, 2, -E2BIG },
        { "svsm-vtpm-count", 1, UINT32_MAX, { "a", "b" }, 2, -E2BIG },
        { "svsm-vtpm-key", 1, 2, { "a", "" }, 2, -EBADMSG },
        { "svsm-vtpm-key", 1, 3, { "a", "b", "a" }, 3, -EBADMSG },
        { "malformed", 1, 3, { "a", "b" }, 2, -EBADMSG },
        { "trailing-bytes", 1, 2, { "a", "b", "c" }, 3, -EBADMSG },
};

START_TEST(a_list_that_lies_is_refused) {
        AUTO_BLOB Blob b = keys_of(bad_keys[_i].version, bad_keys[_i].count, bad_keys[_i].keys, bad_keys[_i].n);
        SnpSvsmKeys k = { .n_keys = 77 };
        Error e = {};
        int r = snp_svsm_vtpm_parse(b.data, b.size, 1, &k, &e);

        ck_assert_msg(r == bad_keys[_i].code, "row %d: %d (%s)", _i, r, error_text(&e, r));
        ck_assert_msg(strcmp(e.reason, bad_keys[_i].reason) == 0, "row %d: %s", _i, e.reason);
        ck_assert_uint_eq(k.n_keys, 77);
} END_TEST

START_TEST(other_versions_and_sizes_are_refused_by_name) {
        static const uint8_t large[SNP_SVSM_MANIFEST_MAX + 1];
        SnpSvsmKeys k;
        Error e = {};

        ck_assert_int_eq(snp_svsm_vtpm_parse("x", 1, 2, &k, &e), -EOPNOTSUPP);
        ck_assert_str_eq(e.reason, "svsm-vtpm-version");
        ck_assert_int_eq(snp_svsm_vtpm_parse(NULL, 0, 0, &k, NULL), -EBADMSG);
        ck_assert_int_eq(snp_svsm_vtpm_parse(NULL, 0, 1, &k, NULL), -EBADMSG);
        ck_assert_int_eq(snp_svsm_vtpm_parse(large, sizeof(large), 0, &k, NULL), -E2BIG);
} END_TEST

START_TEST(the_variable_store_has_flags) {
        static const uint8_t good[] = { 0, 0, 0, 0, 6, 0, 0, 0x80 }, later[] = { 1, 0, 0, 0, 6, 0, 0, 0 };
        uint32_t flags = 0;

        ck_assert_int_eq(snp_svsm_uefi_parse(good, 8, &flags, NULL), 0);
        ck_assert_uint_eq(flags, 0x80000006);
        ck_assert_int_eq(snp_svsm_uefi_parse(good, 7, &flags, NULL), -EBADMSG);
        ck_assert_int_eq(snp_svsm_uefi_parse(later, 8, &flags, NULL), -EOPNOTSUPP);
} END_TEST

START_TEST(services_have_names) {
        SnpGuid guid;

        ck_assert_int_eq(snp_svsm_service_parse("vtpm", &guid, NULL), 0);
        ck_assert(snp_guid_equal(&guid, &snp_svsm_guid_vtpm));
        ck_assert_str_eq(snp_svsm_service_name(&guid), "vtpm");
        ck_assert_int_eq(snp_svsm_service_parse("a4453a59-9e1b-4787-a033-1986d6adbe55", &guid, NULL), 0);
        ck_assert_str_eq(snp_svsm_service_name(&guid), "uefi-mm");
        ck_assert_int_eq(snp_svsm_service_parse("all", &guid, NULL), 0);
        ck_assert(snp_guid_is_null(&guid));
        ck_assert_str_eq(snp_svsm_service_name(&guid), "all");
        ck_assert_int_eq(snp_svsm_service_parse("c476f1eb-0123-45a5-9641-b4e7dde5bfe4", &guid, NULL), 0);
        ck_assert_ptr_null(snp_svsm_service_name(&guid));
        ck_assert_int_eq(snp_svsm_service_parse("VTPM", &guid, NULL), -EINVAL);
} END_TEST

static const uint8_t nonce[SNP_SVSM_NONCE_SIZE] = { 7, [63] = 9 };
static const uint8_t manifest[] = "a manifest";

static SnpReport report_over(const uint8_t *n, const void *m, size_t size) {
        SnpReport report = {};
        AUTO_WRITER Writer w = wr_init(1024);

        wr_bytes(&w, n, SNP_SVSM_NONCE_SIZE);
        wr_bytes(&w, m, size);
        ck_assert_int_eq(EVP_Digest(w.data, w.size, report.report_data, NULL, EVP_sha512(), NULL), 1);
        return report;
}

START_TEST(a_report_at_vmpl_0_binds_nonce_and_manifest) {
        SnpReport report = report_over(nonce, manifest, sizeof(manifest));
        SnpSvsmVerdict verdict = SNP_SVSM_NOT_BOUND;

        ck_assert_int_eq(snp_svsm_bind(&report, nonce, manifest, sizeof(manifest), &verdict, NULL), 0);
        ck_assert_int_eq(verdict, SNP_SVSM_BOUND);
} END_TEST

static void not_bound(const SnpReport *report, const uint8_t *n, const void *m, size_t size, int code,
                      const char *reason) {
        SnpSvsmVerdict verdict = SNP_SVSM_BOUND;
        Error e = {};

        ck_assert_int_eq(snp_svsm_bind(report, n, m, size, &verdict, &e), code);
        ck_assert_str_eq(e.reason, reason);
        ck_assert_int_eq(verdict, SNP_SVSM_NOT_BOUND);
}

START_TEST(anything_else_is_not_bound) {
        static const uint8_t large[SNP_SVSM_MANIFEST_MAX + 1];
        SnpReport report = report_over(nonce, manifest, sizeof(manifest)), plain = {};
        uint8_t wrong[SNP_SVSM_NONCE_SIZE], spoilt[sizeof(manifest)];

        for (uint32_t vmpl = 1; vmpl <= 4; vmpl++) {
                SnpReport guest = report;

                guest.vmpl = vmpl;
                not_bound(&guest, nonce, manifest, sizeof(manifest), -EKEYREJECTED, "svsm-vmpl");
        }
        for (size_t bit = 0; bit < sizeof(nonce) * 8; bit++) {
                (void) memcpy(wrong, nonce, sizeof(nonce));
                wrong[bit / 8] ^= (uint8_t) (1u << bit % 8);
                not_bound(&report, wrong, manifest, sizeof(manifest), -ESTALE, "svsm-not-bound");
        }
        for (size_t bit = 0; bit < sizeof(manifest) * 8; bit++) {
                (void) memcpy(spoilt, manifest, sizeof(manifest));
                spoilt[bit / 8] ^= (uint8_t) (1u << bit % 8);
                not_bound(&report, nonce, spoilt, sizeof(spoilt), -ESTALE, "svsm-not-bound");
        }
        not_bound(&report, nonce, manifest, sizeof(manifest) - 1, -ESTALE, "svsm-not-bound");
        not_bound(&report, nonce, NULL, 0, -ESTALE, "svsm-not-bound");
        /* A nonce in REPORT_DATA as such is what a guest can ask for. */
        (void) memcpy(plain.report_data, nonce, sizeof(nonce));
        not_bound(&plain, nonce, manifest, sizeof(manifest), -ESTALE, "svsm-not-bound");
        not_bound(&report, nonce, large, sizeof(large), -E2BIG, "svsm-manifest-size");
} END_TEST

int main(void) {
        Suite *suite = suite_create("svsm-manifest");
        TCase *tc = tcase_create("svsm-manifest");

        tcase_add_test(tc, services_come_out_one_by_one);
        tcase_add_test(tc, a_service_may_have_no_manifest_and_bytes_no_service);
        tcase_add_loop_test(tc, a_table_that_lies_is_refused, 0, N_ELEMENTS(bad_tables));
        tcase_add_test(tc, a_table_is_refused_at_every_length_but_its_own);
        tcase_add_test(tc, version_0_is_one_key_as_it_stands);
        tcase_add_test(tc, version_1_is_a_list_of_sized_keys);
        tcase_add_loop_test(tc, a_list_that_lies_is_refused, 0, N_ELEMENTS(bad_keys));
        tcase_add_test(tc, other_versions_and_sizes_are_refused_by_name);
        tcase_add_test(tc, the_variable_store_has_flags);
        tcase_add_test(tc, services_have_names);
        tcase_add_test(tc, a_report_at_vmpl_0_binds_nonce_and_manifest);
        tcase_add_test(tc, anything_else_is_not_bound);
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
