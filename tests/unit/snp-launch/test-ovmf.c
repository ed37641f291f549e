/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/writer.h"
#include "snp/launch/gctx.h"
#include "snp/launch/ovmf.h"
#include "tests/unit/snp-launch/image.h"
#include "tests/unit/unit.h"

START_TEST(an_image_comes_out_field_by_field) {
        AUTO_BLOB Blob b = image_make(&image_amdsev);
        SnpSection s;
        SnpOvmf o;

        ck_assert_int_eq(snp_ovmf_parse(b.data, b.size, &o, NULL), 0);
        ck_assert_ptr_eq(o.data, b.data);
        ck_assert_uint_eq(o.size, 16384);
        ck_assert_uint_eq(snp_ovmf_gpa(&o), 0xFFFFC000);
        ck_assert_uint_eq(o.ap_reset, 0x80B004);
        ck_assert(o.has_hash_area && o.has_metadata && !o.has_svsm_entry);
        ck_assert_uint_eq(o.hash_base, 0x810C00);
        ck_assert_uint_eq(o.hash_size, 0x400);
        ck_assert_uint_eq(o.n_sections, 7);
        for (size_t i = 0; i < o.n_sections; i++) {
                s = snp_ovmf_section(&o, i);
                ck_assert_uint_eq(s.gpa, image_amdsev.sections[i].gpa);
                ck_assert_uint_eq(s.size, image_amdsev.sections[i].size);
                ck_assert_uint_eq(s.type, image_amdsev.sections[i].type);
        }
        ck_assert(snp_ovmf_find_section(&o, SNP_SECTION_CPUID, &s));
        ck_assert_uint_eq(s.gpa, 0x80E000);
}
END_TEST

START_TEST(what_is_not_there_is_not_found) {
        const Image image = { .size = 4096, .svsm_entry = 0x120 };
        AUTO_BLOB Blob b = image_make(&image);
        SnpSection s;
        SnpOvmf o;

        ck_assert_int_eq(snp_ovmf_parse(b.data, b.size, &o, NULL), 0);
        ck_assert(!o.has_hash_area && !o.has_metadata && o.has_svsm_entry);
        ck_assert_uint_eq(o.svsm_entry, 0x120);
        ck_assert_uint_eq(o.ap_reset, 0);
        ck_assert_uint_eq(o.n_sections, 0);
        ck_assert(!snp_ovmf_find_section(&o, SNP_SECTION_CPUID, &s));
}
END_TEST

START_TEST(of_two_entries_the_nearest_to_the_end_counts) {
        const Image image = { .size = 4096, .ap_reset = 1, .ap_reset_again = 2 };
        AUTO_BLOB Blob b = image_make(&image);
        SnpOvmf o;

        ck_assert_int_eq(snp_ovmf_parse(b.data, b.size, &o, NULL), 0);
        ck_assert_uint_eq(o.ap_reset, 1);
}
END_TEST

static void refuse(const char *why, const Blob *b, int code, const char *reason) {
        SnpOvmf o = { .n_sections = 77 };
        Error e = {};
        int r = snp_ovmf_parse(b->data, b->size, &o, &e);

        ck_assert_msg(r == code && strcmp(e.reason, reason) == 0, "%s: %d %s", why, r, error_reason(&e, r));
        ck_assert_uint_eq(o.n_sections, 77);
}

#define SECTION(g, s, t) (const ImageSection[]){ { g, s, t } }, 1
static const struct {
        const char *why;
        Image image;
        const char *reason;
} malformed[] = {
        { "half a page", { .size = 6144 }, "firmware-not-page-multiple" },
        { "table shorter than its footer", { .size = 4096, .table_length = -24 }, "bad-footer-table" },
        { "table longer than the file", { .size = 4096, .table_length = 8000 }, "bad-footer-table" },
        { "entry shorter than its header", { .size = 4096, .ap_reset = 1, .entry_length = -5 }, "bad-footer-table" },
        { "entry longer than the table", { .size = 4096, .ap_reset = 1, .entry_length = 1 }, "bad-footer-table" },
        { "entry with too little data", { .size = 4096, .ap_reset = 1, .entry_length = -1, .table_length = -1 },
          "bad-footer-table" },
        { "entry with too much data", { .size = 4096, .ap_reset = 1, .entry_length = 4, .table_length = 4 },
          "bad-footer-table" },
        { "magic elsewhere", { 4096, 0, SECTION(0, 4096, 1), .metadata_distance = 4 }, "bad-sev-metadata" },
        { "metadata before the file", { 4096, 0, SECTION(0, 4096, 1), .metadata_distance = 65 }, "bad-sev-metadata" },
        { "metadata at the end", { 4096, 0, SECTION(0, 4096, 1), .metadata_distance = 64 - 4096 },
          "bad-sev-metadata" },
        { "metadata without room", { 4096, 0, SECTION(0, 4096, 1), .metadata_distance = 79 - 4096 },
          "bad-sev-metadata" },
        { "version 0", { 4096, 0, SECTION(0, 4096, 1), .metadata_version = -1 }, "bad-sev-metadata" },
        { "version 2", { 4096, 0, SECTION(0, 4096, 1), .metadata_version = 1 }, "bad-sev-metadata" },
        { "length without the section", { 4096, 0, SECTION(0, 4096, 1), .metadata_length = -1 }, "bad-sev-metadata" },
        { "one section more than the length", { 4096, 0, SECTION(0, 4096, 1), .metadata_count = 1 },
          "bad-sev-metadata" },
        { "a product that wraps", { 4096, 0, SECTION(0, 4096, 1), .metadata_count = 0x15555555 },
          "bad-sev-metadata" },
        { "sections beyond the file",
          { 4096, 0, SECTION(0, 4096, 1), .metadata_count = 400, .metadata_length = 400 * 12 }, "bad-sev-metadata" },
        { "unknown type", { 4096, 0, SECTION(0, 4096, 5) }, "bad-sev-metadata" },
        { "type 0", { 4096, 0, SECTION(0, 4096, 0) }, "bad-sev-metadata" },
        { "odd address", { 4096, 0, SECTION(1, 4096, 1) }, "bad-sev-metadata" },
        { "odd size", { 4096, 0, SECTION(0, 4095, 1) }, "bad-sev-metadata" },
        { "two pages of secrets", { 4096, 0, SECTION(0, 8192, 2) }, "bad-sev-metadata" },
        { "no page of secrets", { 4096, 0, SECTION(0, 0, 2) }, "bad-sev-metadata" },
        { "two CPUID pages", { 4096, 0, SECTION(0, 8192, 3) }, "bad-sev-metadata" },
        { "two places for kernel hashes",
          { 4096, 0, (const ImageSection[]){ { 0, 4096, 0x10 }, { 8192, 4096, 0x10 } }, 2 }, "bad-sev-metadata" },
};

START_TEST(malformed_images_are_refused) {
        AUTO_BLOB Blob b = image_make(&malformed[_i].image);

        refuse(malformed[_i].why, &b, -EBADMSG, malformed[_i].reason);
}
END_TEST

START_TEST(sections_without_size_are_allowed) {
        const Image image = { 4096, 0, SECTION(0x1000, 0, 1) };
        AUTO_BLOB Blob b = image_make(&image);
        SnpOvmf o;

        ck_assert_int_eq(snp_ovmf_parse(b.data, b.size, &o, NULL), 0);
        ck_assert_uint_eq(snp_ovmf_section(&o, 0).size, 0);
}
END_TEST

START_TEST(short_files_are_no_firmware) {
        AUTO_BLOB Blob b = image_make(&image_amdsev);

        b.size = (size_t) _i;
        refuse("short", &b, -EBADMSG, "no-footer-table");
}
END_TEST

/* Without its last bytes an image has no table where it should be, whatever it was before. */
START_TEST(an_image_cut_anywhere_is_refused) {
        AUTO_BLOB Blob b = image_make(&image_amdsev);

        for (b.size--; b.size >= 50; b.size--) {
                SnpOvmf o;

                ck_assert_int_eq(snp_ovmf_parse(b.data, b.size, &o, NULL), -EBADMSG);
        }
}
END_TEST

START_TEST(too_large_an_image_is_refused) {
        static uint8_t large[1];
        Error e = {};
        SnpOvmf o;

        ck_assert_int_eq(snp_ovmf_parse(large, SNP_FIRMWARE_MAX + 4096u, &o, &e), -E2BIG); /* not looked at */
        ck_assert_str_eq(e.reason, "firmware-too-large");
}
END_TEST

static void check_borrowed(const SnpOvmf *o, const Blob *b) {
        ck_assert(o->n_sections == 0 ||
                  (o->sections >= b->data && o->sections + 12 * o->n_sections <= b->data + b->size));
        for (size_t i = 0; i < o->n_sections; i++) {
                SnpSection s = snp_ovmf_section(o, i);

                ck_assert(s.gpa % SNP_PAGE_SIZE == 0 && s.size % SNP_PAGE_SIZE == 0);
                ck_assert_str_ne(snp_section_name(s.type), "unknown");
        }
}

START_TEST(flipped_bits_never_lead_outside) {
        Image image = image_amdsev;
        AUTO_BLOB Blob b = {};
        size_t n_accepted = 0, n_refused = 0;

        image.size = 4096;
        b = image_make(&image);
        for (size_t bit = 0; bit < 8 * b.size; bit++) {
                SnpOvmf o;

                b.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
                if (snp_ovmf_parse(b.data, b.size, &o, NULL) == 0) {
                        check_borrowed(&o, &b);
                        n_accepted++;
                } else
                        n_refused++;
                b.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
        }
        ck_assert_uint_gt(n_accepted, 30000); /* most of it is filler */
        ck_assert_uint_gt(n_refused, 500);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("ovmf");
        TCase *tc = tcase_create("ovmf");

        tcase_add_test(tc, an_image_comes_out_field_by_field);
        tcase_add_test(tc, what_is_not_there_is_not_found);
        tcase_add_test(tc, of_two_entries_the_nearest_to_the_end_counts);
        tcase_add_loop_test(tc, malformed_images_are_refused, 0, N_ELEMENTS(malformed));
        tcase_add_test(tc, sections_without_size_are_allowed);
        tcase_add_loop_test(tc, short_files_are_no_firmware, 0, 50);
        tcase_add_test(tc, an_image_cut_anywhere_is_refused);
        tcase_add_test(tc, too_large_an_image_is_refused);
        tcase_add_test(tc, flipped_bits_never_lead_outside);
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
