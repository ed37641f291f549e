/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "base/writer.h"
#include "snp/launch/uki.h"
#include "tests/unit/snp-launch/pe-file.h"
#include "tests/unit/unit.h"

#define KERNEL { ".linux", "the kernel", 0 }
#define INITRD { ".initrd", "the initrd", 0 }

static const PeSection parts[] = {
        { ".osrel", "ID=debian", 0 }, { ".cmdline", "root=/dev/vda1 ro\n", 0 }, KERNEL, INITRD, { ".text", "code", 0 },
};

static void expect_part(const SnpUkiPart *part, const char *text) {
        ck_assert_uint_eq(part->size, strlen(text));
        ck_assert_mem_eq(part->data, text, part->size);
}

static void refuse(const char *why, const Blob *b, int code, const char *reason) {
        SnpUki uki = { .initrd.size = 77 };
        Error e = {};
        int r = snp_uki_parse(b->data, b->size, &uki, &e);

        ck_assert_msg(r == code && strcmp(e.reason, reason) == 0, "%s: %d %s", why, r, error_reason(&e, r));
        ck_assert_uint_eq(uki.initrd.size, 77);
}

START_TEST(the_parts_come_out_without_padding) {
        AUTO_BLOB Blob b = pe_make(parts, N_ELEMENTS(parts));
        AUTO_FREE char *cmdline = NULL;
        SnpUki uki;

        ck_assert_int_eq(snp_uki_parse(b.data, b.size, &uki, NULL), 0);
        expect_part(&uki.linux_image, "the kernel");
        expect_part(&uki.initrd, "the initrd");
        expect_part(&uki.cmdline, "root=/dev/vda1 ro\n");
        ck_assert_int_eq(snp_uki_cmdline(&uki, &cmdline, NULL), 0);
        ck_assert_str_eq(cmdline, "root=/dev/vda1 ro");
}
END_TEST

START_TEST(initrd_and_command_line_may_be_missing) {
        const PeSection alone[] = { KERNEL };
        AUTO_BLOB Blob b = pe_make(alone, 1);
        AUTO_FREE char *cmdline = NULL;
        SnpUki uki;

        ck_assert_int_eq(snp_uki_parse(b.data, b.size, &uki, NULL), 0);
        ck_assert_ptr_null(uki.initrd.data);
        ck_assert_int_eq(snp_uki_cmdline(&uki, &cmdline, NULL), 0);
        ck_assert_str_eq(cmdline, "");
}
END_TEST

START_TEST(command_lines_end_with_their_text) {
        static const struct { const char *content; size_t size; const char *text; } rows[] = {
                { "quiet", 5, "quiet" }, { "quiet\0\0", 7, "quiet" }, { "quiet \t\r\n", 9, "quiet" },
                { " quiet", 6, " quiet" }, { "\n\0", 2, "" }, { "a\0b", 3, NULL },
        };

        for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
                SnpUki uki = { .cmdline = { (const uint8_t *) rows[i].content, rows[i].size } };
                AUTO_FREE char *cmdline = NULL;
                int r = snp_uki_cmdline(&uki, &cmdline, NULL);

                ck_assert_int_eq(r, rows[i].text ? 0 : -EBADMSG);
                if (rows[i].text)
                        ck_assert_str_eq(cmdline, rows[i].text);
        }
}
END_TEST

START_TEST(of_several_profiles_the_first_counts) {
        const PeSection profiles[] = {
                KERNEL, { ".cmdline", "one", 0 }, { ".profile", "ID=a", 0 }, { ".cmdline", "two", 0 },
        };
        AUTO_BLOB Blob b = pe_make(profiles, N_ELEMENTS(profiles));
        SnpUki uki;

        ck_assert_int_eq(snp_uki_parse(b.data, b.size, &uki, NULL), 0);
        expect_part(&uki.cmdline, "one");
}
END_TEST

START_TEST(what_is_ambiguous_or_none_is_refused) {
        const PeSection twice[] = { KERNEL, INITRD, INITRD }, none[] = { { ".text", "code", 0 }, INITRD };
        AUTO_BLOB Blob a = pe_make(twice, N_ELEMENTS(twice)), b = pe_make(none, N_ELEMENTS(none));

        refuse("two initrds", &a, -EBADMSG, "bad-uki");
        refuse("no kernel", &b, -ENOENT, "no-kernel");
        refuse("nothing", &(Blob){}, -EBADMSG, "bad-uki");
        refuse("too large", &(Blob){ .data = a.data, .size = SNP_UKI_MAX + 1u }, -E2BIG, "uki-too-large");
}
END_TEST

static const struct {
        const char *why;
        size_t at, size; /* size 2 or 4 */
        uint32_t value;
} malformed[] = {
        { "no MZ", 0, 2, 0x5A4E },
        { "PE header behind the end", 0x3C, 4, 0xFFFFFFFF },
        { "PE header at the end", 0x3C, 4, 0xE00 },
        { "no PE", PE_FILE_AT, 4, 0x4551 },
        { "another processor", PE_FILE_AT + 4, 2, 0xAA64 },
        { "too many sections", PE_FILE_AT + 6, 2, SNP_UKI_SECTIONS_MAX + 1 },
        { "sections behind the end", PE_FILE_AT + 20, 2, 0xFFFF },
        { "no optional header", PE_FILE_AT + 20, 2, 0 },
        { "PE32", PE_FILE_AT + 24, 2, 0x10B },
        { "larger in memory than in the file", PE_FILE_SECTIONS_AT + 40 + 8, 4, 0x201 },
        { "raw data behind the end", PE_FILE_SECTIONS_AT + 40 + 20, 4, 0xFFFFFE00 },
        { "raw size behind the end", PE_FILE_SECTIONS_AT + 40 + 16, 4, 0xFFFFFFFF },
};

START_TEST(malformed_files_are_refused) {
        AUTO_BLOB Blob b = pe_make(parts, N_ELEMENTS(parts));

        if (malformed[_i].size == 2)
                store_le16(b.data + malformed[_i].at, (uint16_t) malformed[_i].value);
        else
                store_le32(b.data + malformed[_i].at, malformed[_i].value);
        refuse(malformed[_i].why, &b, -EBADMSG, "bad-uki");
}
END_TEST

/* Only what a part lies in is needed, so an image that is cut may be whole up to the last of them. */
START_TEST(a_file_cut_anywhere_is_refused) {
        const PeSection order[] = { { ".cmdline", "quiet", 0 }, KERNEL };
        AUTO_BLOB Blob b = pe_make(order, 2);

        for (b.size--; b.size > 0; b.size--)
                refuse("cut", &b, -EBADMSG, "bad-uki");
}
END_TEST

static void check_inside(const SnpUkiPart *part, const Blob *b) {
        ck_assert(!part->data || (part->data >= b->data && part->data + part->size <= b->data + b->size));
}

START_TEST(flipped_bits_never_lead_outside) {
        AUTO_BLOB Blob b = pe_make(parts, N_ELEMENTS(parts));

        for (size_t bit = 0; bit < 8 * PE_FILE_DATA_AT; bit++) {
                SnpUki uki;

                b.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
                if (snp_uki_parse(b.data, b.size, &uki, NULL) == 0) {
                        check_inside(&uki.linux_image, &b);
                        check_inside(&uki.initrd, &b);
                        check_inside(&uki.cmdline, &b);
                }
                b.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
        }
}
END_TEST

int main(void) {
        Suite *suite = suite_create("uki");
        TCase *tc = tcase_create("uki");

        tcase_add_test(tc, the_parts_come_out_without_padding);
        tcase_add_test(tc, initrd_and_command_line_may_be_missing);
        tcase_add_test(tc, command_lines_end_with_their_text);
        tcase_add_test(tc, of_several_profiles_the_first_counts);
        tcase_add_test(tc, what_is_ambiguous_or_none_is_refused);
        tcase_add_loop_test(tc, malformed_files_are_refused, 0, N_ELEMENTS(malformed));
        tcase_add_test(tc, a_file_cut_anywhere_is_refused);
        tcase_add_test(tc, flipped_bits_never_lead_outside);
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
