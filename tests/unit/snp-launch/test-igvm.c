/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/writer.h"
#include "snp/launch/igvm.h"
#include "tests/unit/snp-launch/igvm-file.h"
#include "tests/unit/unit.h"

#define TOP 0xFFFFFFFFF000
#define POLICY 0x30000
#define SNP 2

static IgvmFile file; /* large; reset by fresh() */

static void fresh(void) {
        memset(&file, 0, sizeof(file));
        igvm_add_platform(&file, 1, SNP);
        igvm_add_policy(&file, POLICY, 1);
}

/* A VMSA with the CR0 that KVM wants. */
static uint32_t vmsa_data(void) {
        uint32_t at = igvm_add_data(&file, 0, 4096);

        store_le64(file.data + (at - IGVM_FILE_DATA_AT) + 0x158, 0x31);
        return at;
}

static void expect_parse(const char *why, const Blob *b, int code, const char *reason) {
        SnpIgvm igvm = { .n_vmsas = 77 };
        Error e = {};
        int r = snp_igvm_parse(b->data, b->size, &igvm, &e);

        ck_assert_msg(r == code && (code == 0 || strcmp(e.reason, reason) == 0), "%s: %d %s", why, r, e.text);
        if (r < 0)
                ck_assert_uint_eq(igvm.n_vmsas, 77);
}

static void refuse(const char *why) {
        AUTO_BLOB Blob b = igvm_make(&file);

        expect_parse(why, &b, -EBADMSG, "bad-igvm");
}

static void accept(const char *why) {
        AUTO_BLOB Blob b = igvm_make(&file);

        expect_parse(why, &b, 0, NULL);
}

static SnpLaunchDigest digest_of(bool native_zero) {
        AUTO_BLOB Blob b = igvm_make(&file);
        SnpLaunchDigest digest;
        SnpIgvm igvm;
        Error e = {};
        int r = snp_igvm_parse(b.data, b.size, &igvm, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        ck_assert_int_eq(snp_igvm_measure(&igvm, native_zero, NULL, &digest, NULL), 0);
        return digest;
}

START_TEST(a_file_comes_out_field_by_field) {
        AUTO_BLOB Blob b = {};
        uint32_t id_block[174] = { 1 };
        SnpIgvm igvm;

        fresh();
        igvm_add_page(&file, 0x1000, 1, igvm_add_data(&file, 7, 4096), 0, 0);
        igvm_add(&file, 0x30B, id_block, sizeof(id_block));
        igvm_add_vmsa(&file, TOP, 1, vmsa_data());
        b = igvm_make(&file);
        ck_assert_int_eq(snp_igvm_parse(b.data, b.size, &igvm, NULL), 0);
        ck_assert_uint_eq(igvm.mask, 1);
        ck_assert_uint_eq(igvm.policy, POLICY);
        ck_assert_uint_eq(igvm.headers_at, 24);
        ck_assert_uint_eq(igvm.data_at, IGVM_FILE_DATA_AT);
        ck_assert_uint_eq(igvm.n_vmsas, 1);
        ck_assert_uint_eq(igvm.n_pages, 2);
        ck_assert(igvm.fits_kvm);
        ck_assert_ptr_nonnull(igvm.id_block);
        ck_assert_uint_eq(igvm.id_block[0], 1);
}
END_TEST

START_TEST(pages_are_measured_by_their_kind) {
        static uint8_t page[4096];
        AUTO_SNP_GCTX SnpGctx g = {};
        SnpLaunchDigest digest;
        uint8_t hash[SNP_LD_SIZE];

        fresh();
        igvm_add_page(&file, 0x1000, 1, igvm_add_data(&file, 7, 4096), 0, 0);
        igvm_add_page(&file, 0x2000, 1, 0, 0, 0);
        igvm_add_page(&file, 0x3000, 1, 0, 2, 0);
        igvm_add_page(&file, 0x4000, 1, 0, 4, 0);
        igvm_add_page(&file, 0x5000, 2, igvm_add_data(&file, 9, 4096), 0, 0);
        igvm_add_page(&file, 0x6000, 3, 0, 0, 1);
        igvm_add_page(&file, 0x7000, 1, 0, 0, 2);
        igvm_add_page(&file, 0x8000, 1, 0, 0, 3);
        igvm_add_page(&file, 0x200000, 1, 0, 1, 0);
        igvm_add(&file, 0x301, (const uint32_t[]){ 0x3000, 0, 5, 0 }, 16);
        igvm_add(&file, 0x303, (const uint32_t[]){ 0x10000, 0, 1, 5 }, 16);
        for (int native_zero = 0; native_zero < 2; native_zero++) {
                ck_assert_int_eq(snp_gctx_init(&g, NULL), 0);
                memset(page, 7, sizeof(page));
                snp_gctx_data(&g, 0x1000, page, sizeof(page));
                memset(page, 0, sizeof(page));
                snp_gctx_hash(&g, page, sizeof(page), hash);
                snp_gctx_page(&g, native_zero ? SNP_PAGE_ZERO : SNP_PAGE_NORMAL, 0x2000, native_zero ? NULL : hash);
                snp_gctx_empty(&g, SNP_PAGE_UNMEASURED, 0x3000, 1); /* 0x4000 is shared, 0x5000 another platform's */
                snp_gctx_empty(&g, SNP_PAGE_SECRETS, 0x6000, 1);
                snp_gctx_empty(&g, SNP_PAGE_CPUID, 0x7000, 2);
                for (uint64_t i = 0; i < 512; i++)
                        snp_gctx_page(&g, native_zero ? SNP_PAGE_ZERO : SNP_PAGE_NORMAL, 0x200000 + 4096 * i,
                                      native_zero ? NULL : hash);
                snp_gctx_empty(&g, SNP_PAGE_UNMEASURED, 0x10000, 3);
                digest = digest_of(native_zero);
                ck_assert_uint_eq(digest.size, 48);
                ck_assert_mem_eq(digest.bytes, g.ld, 48);
                snp_gctx_done(&g);
        }
}
END_TEST

START_TEST(what_is_for_other_platforms_is_not_judged) {
        fresh();
        igvm_add_page(&file, 0x1001, 2, 5, 0xFFFF, 77);
        igvm_add_vmsa(&file, 1, 2, 3);
        igvm_add(&file, 0x303, (const uint32_t[]){ 0x10001, 0, 2, 5 }, 16);
        igvm_add(&file, 0x311, (const uint32_t[]){ 2, 3 }, 7);
        accept("other platforms");
}
END_TEST

START_TEST(not_measured_directives_change_nothing) {
        SnpLaunchDigest before, after;

        fresh();
        igvm_add_page(&file, 0x1000, 1, 0, 0, 0);
        before = digest_of(false);
        igvm_add(&file, 0x301, (const uint32_t[]){ 0x1000, 0, 0, 0 }, 16);
        for (uint32_t type = 0x307; type <= 0x313; type++)
                if (type != 0x30B && type != 0x30D && type != 0x311)
                        igvm_add(&file, type, (const uint32_t[]){ 0, 0 }, 8);
        igvm_add(&file, 0x305, (const uint32_t[6]){ 0 }, 24);
        igvm_add(&file, 0x30D, (const uint32_t[4]){ 0 }, 16);
        igvm_add(&file, 0x800003FF, (const uint32_t[]){ 1, 2, 3 }, 9);
        after = digest_of(false);
        ck_assert_mem_eq(before.bytes, after.bytes, 48);
}
END_TEST

START_TEST(malformed_directives_are_refused) {
        static const struct {
                const char *why;
                uint32_t type, words[6];
                size_t n;
        } rows[] = {
                { "unknown", 0x3FF, { 1 }, 4 },
                { "in no range", 0x250, { 1 }, 4 },
                { "in no range, optional", 0x80000250, { 1 }, 4 },
                { "type 0", 0, { 0 }, 0 },
                { "platform late", 0x1, { 2, 0x10102 }, 16 },
                { "policy late", 0x101, { 0 }, 16 },
                { "page too short", 0x302, { 0 }, 20 },
                { "page at an odd address", 0x302, { 0x1001, 0, 1 }, 24 },
                { "page with an unknown flag", 0x302, { 0x1000, 0, 1, 0, 8 }, 24 },
                { "page of unknown type", 0x302, { 0x1000, 0, 1, 0, 0, 4 }, 24 },
                { "page with reserved bytes", 0x302, { 0x1000, 0, 1, 0, 0, 0x10000 }, 24 },
                { "data in the headers", 0x302, { 0x1000, 0, 1, IGVM_FILE_DATA_AT - 1 }, 24 },
                { "data behind the end", 0x302, { 0x1000, 0, 1, IGVM_FILE_DATA_AT + 1 }, 24 },
                { "data far behind", 0x302, { 0x1000, 0, 1, 0xFFFFFFFF }, 24 },
                { "large page at a small address", 0x302, { 0x1000, 0, 1, 0, 1 }, 24 },
                { "large page without so much data", 0x302, { 0x200000, 0, 1, IGVM_FILE_DATA_AT, 1 }, 24 },
                { "large page of secrets", 0x302, { 0x200000, 0, 1, 0, 1, 1 }, 24 },
                { "VMSA without data", 0x304, { 0x1000, 0, 1, 0, 0 }, 20 },
                { "VMSA at an odd address", 0x304, { 0x1001, 0, 1, IGVM_FILE_DATA_AT, 0 }, 20 },
                { "insert of no area", 0x303, { 0x1000, 0, 1, 9 }, 16 },
                { "insert at an odd address", 0x303, { 0x1001, 0, 1, 5 }, 16 },
                { "area not of pages", 0x301, { 0x1001, 0, 6, 0 }, 16 },
                { "area twice", 0x301, { 0x1000, 0, 5, 0 }, 16 },
                { "area with data that is not there", 0x301, { 0, 1, 6, IGVM_FILE_DATA_AT }, 16 },
                { "ID block too short", 0x30B, { 1 }, 24 },
        };

        fresh();
        (void) igvm_add_data(&file, 1, 4096);
        igvm_add(&file, 0x301, (const uint32_t[]){ 0x1000, 0, 5, 0 }, 16);
        igvm_add(&file, rows[_i].type, rows[_i].words, rows[_i].n);
        refuse(rows[_i].why);
}
END_TEST

START_TEST(malformed_beginnings_are_refused) {
        memset(&file, 0, sizeof(file));
        igvm_add_platform(&file, 1, SNP);
        refuse("no policy");
        igvm_add_policy(&file, POLICY, 2);
        refuse("another's policy");
        fresh();
        igvm_add_policy(&file, POLICY, 1);
        refuse("two policies");
        fresh();
        igvm_add(&file, 0x102, (const uint32_t[12]){ 1 }, 48);
        refuse("may be relocated");
        fresh();
        igvm_add(&file, 0x102, (const uint32_t[12]){ 2 }, 48);
        igvm_add(&file, 0x103, (const uint32_t[8]){ 2 }, 32);
        igvm_add(&file, 0x104, (const uint32_t[4]){ 2 }, 16);
        accept("another's may be");
        memset(&file, 0, sizeof(file));
        igvm_add_platform(&file, 1, SNP);
        igvm_add_platform(&file, 2, SNP);
        refuse("two SNP platforms");
        memset(&file, 0, sizeof(file));
        igvm_add_platform(&file, 3, SNP);
        refuse("a mask of two bits");
        memset(&file, 0, sizeof(file));
        igvm_add_platform(&file, 0, SNP);
        refuse("a mask of no bits");
        fresh();
        igvm_add(&file, 0x30B, (const uint32_t[174]){ 1 }, 696);
        igvm_add(&file, 0x30B, (const uint32_t[174]){ 1 }, 696);
        refuse("two ID blocks");
}
END_TEST

START_TEST(a_file_for_others_is_none_for_snp) {
        AUTO_BLOB Blob b = {};

        memset(&file, 0, sizeof(file));
        igvm_add_platform(&file, 1, 3);
        igvm_add_policy(&file, POLICY, 1);
        b = igvm_make(&file);
        expect_parse("TDX", &b, -EBADMSG, "no-snp-platform");
}
END_TEST

START_TEST(areas_are_limited) {
        fresh();
        for (uint32_t i = 0; i < SNP_IGVM_AREAS_MAX; i++)
                igvm_add(&file, 0x301, (const uint32_t[]){ 0x1000, 0, i, 0 }, 16);
        accept("as many as there may be");
        igvm_add(&file, 0x301, (const uint32_t[]){ 0x1000, 0, SNP_IGVM_AREAS_MAX, 0 }, 16);
        refuse("one more");
}
END_TEST

static const struct {
        const char *why;
        uint32_t bytes[2]; /* of an area: low, high */
        unsigned n_inserts, n_pages;
        bool ok;
} budgets[] = {
        { "a whole launch", { 0xFFFFF000, 0 }, 1, 1, true },
        { "one page more", { 0xFFFFF000, 0 }, 1, 2, false },
        { "twice", { 0x80001000, 0 }, 2, 0, false },
        { "2^63 bytes", { 0, 0x80000000 }, 1, 0, false },
        { "2^63 bytes, and again, which is nothing", { 0, 0x80000000 }, 2, 0, false },
        { "so large an area that nobody inserts", { 0, 0x80000000 }, 0, 1, true },
};

START_TEST(pages_are_limited) {
        AUTO_BLOB Blob b = {};

        fresh();
        igvm_add(&file, 0x301, (const uint32_t[]){ budgets[_i].bytes[0], budgets[_i].bytes[1], 5, 0 }, 16);
        for (unsigned i = 0; i < budgets[_i].n_inserts; i++)
                igvm_add(&file, 0x303, (const uint32_t[]){ 0x1000, 0, 1, 5 }, 16);
        for (unsigned i = 0; i < budgets[_i].n_pages; i++)
                igvm_add_page(&file, 0x1000, 1, 0, 0, 0);
        b = igvm_make(&file);
        expect_parse(budgets[_i].why, &b, budgets[_i].ok ? 0 : -E2BIG, "too-many-pages");
}
END_TEST

static bool fits_kvm(void) {
        AUTO_BLOB Blob b = igvm_make(&file);
        SnpIgvm igvm;

        ck_assert_int_eq(snp_igvm_parse(b.data, b.size, &igvm, NULL), 0);
        return igvm.fits_kvm;
}

START_TEST(what_kvm_cannot_start_is_told) {
        uint32_t at;

        fresh();
        ck_assert(!fits_kvm()); /* no VMSA */
        igvm_add_vmsa(&file, TOP, 1, vmsa_data());
        ck_assert(fits_kvm());
        igvm_add_page(&file, 0x1000, 1, 0, 0, 0);
        ck_assert(!fits_kvm()); /* a page behind it */
        fresh();
        igvm_add_vmsa(&file, 0x1000, 1, vmsa_data());
        ck_assert(!fits_kvm()); /* elsewhere */
        fresh();
        at = igvm_add_data(&file, 0, 4096);
        igvm_add_vmsa(&file, TOP, 1, at);
        ck_assert(!fits_kvm()); /* CR0 */
        fresh();
        igvm_add_vmsa(&file, TOP, 1, vmsa_data());
        igvm_add_vmsa(&file, TOP, 1, vmsa_data());
        ck_assert(!fits_kvm()); /* two */
}
END_TEST

static const struct {
        const char *why;
        size_t at;
        uint32_t value;
} fixed_headers[] = {
        { "magic", 0, 0x4D564748 },
        { "version 3", 4, 3 },
        { "version 0", 4, 0 },
        { "headers in the fixed header", 8, 16 },
        { "headers not aligned", 8, 28 },
        { "headers behind the end", 8, 0xFFFFFFF8 },
        { "headers longer than the file", 12, 0xFFFFFFF0 },
        { "total too large", 16, 0xFFFFFFFF },
        { "checksum", 20, 0x12345678 },
};

START_TEST(malformed_fixed_headers_are_refused) {
        AUTO_BLOB Blob b = {};

        fresh();
        b = igvm_make(&file);
        store_le32(b.data + fixed_headers[_i].at, fixed_headers[_i].value);
        if (fixed_headers[_i].at == 0 || fixed_headers[_i].at == 4 || fixed_headers[_i].at == 16)
                igvm_seal(&b);
        expect_parse(fixed_headers[_i].why, &b, -EBADMSG, "bad-igvm");
}
END_TEST

START_TEST(version_2_has_8_bytes_more) {
        uint8_t bytes[32 + 48 + 8] = "IGVM";
        Blob b = { bytes, sizeof(bytes) - 8 };

        fresh();
        ck_assert_uint_eq(file.headers_size, 48);
        store_le32(bytes + 4, 2);
        store_le32(bytes + 8, 32);
        store_le32(bytes + 12, 48);
        store_le32(bytes + 16, 80);
        store_le32(bytes + 28, 4096);
        memcpy(bytes + 32, file.headers, 48);
        igvm_seal(&b);
        expect_parse("version 2", &b, 0, NULL);
        store_le32(bytes + 24, 1); /* AArch64 */
        igvm_seal(&b);
        expect_parse("another processor", &b, -EBADMSG, "bad-igvm");
        store_le32(bytes + 24, 0);
        store_le32(bytes + 28, 65536);
        igvm_seal(&b);
        expect_parse("another page size", &b, -EBADMSG, "bad-igvm");
}
END_TEST

/* A total that fits again, and the right checksum, so that what is missing is noticed and not that something is. */
START_TEST(a_file_cut_anywhere_is_refused) {
        AUTO_BLOB Blob b = {};
        size_t full;

        fresh();
        igvm_add_page(&file, 0x1000, 1, igvm_add_data(&file, 7, 4096), 0, 0);
        b = igvm_make(&file);
        full = b.size;
        for (b.size = 0; b.size < full; b.size++) {
                if (b.size >= IGVM_FILE_DATA_AT) {
                        store_le32(b.data + 16, (uint32_t) b.size);
                        igvm_seal(&b);
                }
                expect_parse("cut", &b, -EBADMSG, "bad-igvm");
        }
}
END_TEST

START_TEST(trailing_bytes_are_refused) {
        AUTO_BLOB Blob b = {};

        fresh();
        (void) igvm_add_data(&file, 0, 1);
        b = igvm_make(&file);
        store_le32(b.data + 16, (uint32_t) b.size - 1);
        igvm_seal(&b);
        expect_parse("one byte more than said", &b, -EBADMSG, "bad-igvm");
}
END_TEST

START_TEST(flipped_bits_are_noticed) {
        AUTO_BLOB Blob b = {};

        fresh();
        igvm_add_page(&file, 0x1000, 1, igvm_add_data(&file, 7, 4096), 0, 0);
        igvm_add_vmsa(&file, TOP, 1, vmsa_data());
        b = igvm_make(&file);
        for (size_t bit = 0; bit < 8 * (24 + file.headers_size); bit++) {
                b.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
                expect_parse("bit", &b, -EBADMSG, "bad-igvm"); /* the checksum covers all headers */
                b.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
        }
}
END_TEST

/* The same with a checksum that fits: whatever is then accepted can be measured, and twice with one result. */
START_TEST(flipped_bits_never_lead_outside) {
        AUTO_BLOB Blob b = {};
        size_t n_accepted = 0;

        fresh();
        igvm_add_page(&file, 0x1000, 1, igvm_add_data(&file, 7, 4096), 0, 0);
        igvm_add(&file, 0x301, (const uint32_t[]){ 0x1000, 0, 5, 0 }, 16);
        igvm_add(&file, 0x303, (const uint32_t[]){ 0x10000, 0, 1, 5 }, 16);
        igvm_add_vmsa(&file, TOP, 1, vmsa_data());
        b = igvm_make(&file);
        for (size_t bit = 8 * 24; bit < 8 * (24 + file.headers_size); bit++) {
                SnpLaunchDigest one, two;
                SnpIgvm igvm;

                b.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
                igvm_seal(&b);
                if (snp_igvm_parse(b.data, b.size, &igvm, NULL) == 0) {
                        ck_assert_int_eq(snp_igvm_measure(&igvm, false, NULL, &one, NULL), 0);
                        ck_assert_int_eq(snp_igvm_measure(&igvm, false, NULL, &two, NULL), 0);
                        ck_assert_mem_eq(one.bytes, two.bytes, 48);
                        n_accepted++;
                }
                b.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
        }
        ck_assert_uint_gt(n_accepted, 100); /* other addresses, for instance */
}
END_TEST

START_TEST(too_large_a_file_is_refused) {
        Error e = {};
        SnpIgvm igvm;

        ck_assert_int_eq(snp_igvm_parse("", SNP_IGVM_FILE_MAX + 1u, &igvm, &e), -E2BIG); /* not looked at */
        ck_assert_str_eq(e.reason, "igvm-too-large");
}
END_TEST

int main(void) {
        Suite *suite = suite_create("igvm");
        TCase *tc = tcase_create("igvm");

        tcase_add_test(tc, a_file_comes_out_field_by_field);
        tcase_add_test(tc, pages_are_measured_by_their_kind);
        tcase_add_test(tc, what_is_for_other_platforms_is_not_judged);
        tcase_add_test(tc, not_measured_directives_change_nothing);
        tcase_add_loop_test(tc, malformed_directives_are_refused, 0, 25);
        tcase_add_test(tc, malformed_beginnings_are_refused);
        tcase_add_test(tc, a_file_for_others_is_none_for_snp);
        tcase_add_test(tc, areas_are_limited);
        tcase_add_loop_test(tc, pages_are_limited, 0, N_ELEMENTS(budgets));
        tcase_add_test(tc, what_kvm_cannot_start_is_told);
        tcase_add_loop_test(tc, malformed_fixed_headers_are_refused, 0, N_ELEMENTS(fixed_headers));
        tcase_add_test(tc, version_2_has_8_bytes_more);
        tcase_add_test(tc, a_file_cut_anywhere_is_refused);
        tcase_add_test(tc, trailing_bytes_are_refused);
        tcase_add_test(tc, flipped_bits_are_noticed);
        tcase_add_test(tc, flipped_bits_never_lead_outside);
        tcase_add_test(tc, too_large_a_file_is_refused);
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
