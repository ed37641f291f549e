/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "base/writer.h"
#include "snp/cert_table.h"
#include "tests/unit/unit.h"

#define ENTRY_SIZE 24
#define GUID_SIZE 16

/* Written down again here, so that a slip in the module's own table shows. */
static const uint8_t vcek_guid[] = "\x63\xda\x75\x8d\xe6\x64\x45\x64\xad\xc5\xf4\xb9\x3b\xe8\xac\xcd";
static const uint8_t vlek_guid[] = "\xa8\x07\x4b\xc2\xa2\x5a\x48\x3e\xaa\xe6\x39\xc0\x45\xa0\xb8\xa1";
static const uint8_t ask_guid[] = "\x4a\xb7\xb3\x79\xbb\xac\x4f\xe4\xa0\x2f\x05\xae\xf3\x27\xc7\x82";
static const uint8_t ark_guid[] = "\xc0\xb4\x06\xa4\xa8\x03\x49\x52\x97\x43\x3f\xb6\x01\x4c\xd0\xae";
static const uint8_t crl_guid[] = "\x92\xf8\x1b\xc3\x58\x11\x4d\x3d\x97\xff\xd1\x9f\x88\xdc\x67\xea";
static const uint8_t other_guid[] = "\xec\xae\x0c\x0f\x95\x02\x43\xb1\xaf\xa2\x0a\xe2\xe0\xd5\x65\xb6";
static const uint8_t vcek_mixed[] = "\x8d\x75\xda\x63\x64\xe6\x64\x45\xad\xc5\xf4\xb9\x3b\xe8\xac\xcd";
static const uint8_t zero_guid[GUID_SIZE];

typedef struct Row {
        const uint8_t *guid;
        uint32_t offset, length;
} Row;

/* @rows, a terminator, then bytes 0, 1, 2, ... up to @size in all. */
static Blob table_of(const Row *rows, size_t n, size_t size) {
        AUTO_WRITER Writer w = wr_init(1u << 20);
        Blob b = {};

        for (size_t i = 0; i < n; i++) {
                wr_bytes(&w, rows[i].guid, GUID_SIZE);
                wr_le32(&w, rows[i].offset);
                wr_le32(&w, rows[i].length);
        }
        wr_zeros(&w, ENTRY_SIZE);
        for (uint8_t fill = 0; w.size < size; fill++)
                wr_u8(&w, fill);
        ck_assert_int_eq(wr_finish(&w, &b), 0);
        return b;
}

static void refuse(const Row *rows, size_t n, size_t size, int code, const char *reason) {
        AUTO_BLOB Blob b = table_of(rows, n, size);
        SnpCertTable table = { .n_entries = 77 };
        Error e = {};
        int r = snp_cert_table_parse(b.data, b.size, &table, &e);

        ck_assert_msg(r == code, "%s: got %d (%s)", reason, r, error_text(&e, r));
        ck_assert_str_eq(e.reason, reason);
        ck_assert_uint_eq(table.n_entries, 77);
}

/* VCEK of 10 bytes, ASK of 20 bytes right behind. */
static const Row two_rows[] = { { vcek_guid, 72, 10 }, { ask_guid, 82, 20 } };
#define TWO_SIZE 102

START_TEST(entries_come_out_field_by_field) {
        AUTO_BLOB Blob b = table_of(two_rows, 2, TWO_SIZE);
        SnpCertTable table;

        ck_assert_int_eq(snp_cert_table_parse(b.data, b.size, &table, NULL), 0);
        ck_assert_uint_eq(table.n_entries, 2);
        ck_assert_uint_eq(table.n_duplicates, 0);
        ck_assert(!table.mixed_endian);
        ck_assert_int_eq(table.entries[0].kind, SNP_CERT_VCEK);
        ck_assert_mem_eq(table.entries[0].guid, vcek_guid, GUID_SIZE);
        ck_assert_ptr_eq(table.entries[0].data, b.data + 72);
        ck_assert_uint_eq(table.entries[0].size, 10);
        ck_assert_int_eq(table.entries[1].kind, SNP_CERT_ASK);
        ck_assert_mem_eq(table.entries[1].guid, ask_guid, GUID_SIZE);
        ck_assert_ptr_eq(table.entries[1].data, b.data + 82);
        ck_assert_uint_eq(table.entries[1].size, 20);
        ck_assert_ptr_eq(snp_cert_table_find(&table, SNP_CERT_ASK), &table.entries[1]);
        ck_assert_ptr_null(snp_cert_table_find(&table, SNP_CERT_ARK));
}
END_TEST

static const struct {
        const uint8_t *guid;
        SnpCertKind kind;
        const char *name;
} kinds[] = {
        { vcek_guid, SNP_CERT_VCEK, "VCEK" }, { vlek_guid, SNP_CERT_VLEK, "VLEK" },   { ask_guid, SNP_CERT_ASK, "ASK" },
        { ark_guid, SNP_CERT_ARK, "ARK" },    { crl_guid, SNP_CERT_CRL, "CRL" }, { other_guid, SNP_CERT_OTHER, "OTHER" },
};

START_TEST(guid_names_the_kind) {
        Row row = { kinds[_i].guid, 48, 1 };
        AUTO_BLOB Blob b = table_of(&row, 1, 49);
        SnpCertTable table;

        ck_assert_int_eq(snp_cert_table_parse(b.data, b.size, &table, NULL), 0);
        ck_assert_int_eq(table.entries[0].kind, kinds[_i].kind);
        ck_assert_str_eq(snp_cert_kind_name(kinds[_i].kind), kinds[_i].name);
        ck_assert_mem_eq(table.entries[0].guid, kinds[_i].guid, GUID_SIZE);
        ck_assert_ptr_eq(snp_cert_table_find(&table, kinds[_i].kind), &table.entries[0]);
}
END_TEST

START_TEST(an_empty_buffer_and_a_page_of_zeros_are_empty_tables) {
        static const uint8_t zeros[4096];
        SnpCertTable table = { .n_entries = 1 };

        ck_assert_int_eq(snp_cert_table_parse(NULL, 0, &table, NULL), 0);
        ck_assert_uint_eq(table.n_entries, 0);
        table.n_entries = 1;
        ck_assert_int_eq(snp_cert_table_parse(zeros, sizeof(zeros), &table, NULL), 0);
        ck_assert_uint_eq(table.n_entries, 0);
        ck_assert_int_eq(snp_cert_table_parse(zeros, ENTRY_SIZE, &table, NULL), 0);
}
END_TEST

START_TEST(mixed_endian_guids_are_understood_and_noted) {
        Row rows[] = { { vcek_mixed, 72, 1 }, { ask_guid, 73, 1 } };
        AUTO_BLOB Blob b = table_of(rows, 2, 74);
        SnpCertTable table;

        ck_assert_int_eq(snp_cert_table_parse(b.data, b.size, &table, NULL), 0);
        ck_assert(table.mixed_endian);
        ck_assert_int_eq(table.entries[0].kind, SNP_CERT_VCEK);
        ck_assert_mem_eq(table.entries[0].guid, vcek_guid, GUID_SIZE);
        ck_assert_int_eq(table.entries[1].kind, SNP_CERT_ASK);
}
END_TEST

START_TEST(the_first_of_two_with_one_guid_counts) {
        Row rows[] = { { vcek_guid, 120, 5 }, { ask_guid, 125, 5 }, { vcek_mixed, 130, 5 }, { vcek_guid, 120, 5 } };
        AUTO_BLOB Blob b = table_of(rows, 4, 140);
        SnpCertTable table;

        ck_assert_int_eq(snp_cert_table_parse(b.data, b.size, &table, NULL), 0);
        ck_assert_uint_eq(table.n_entries, 2);
        ck_assert_uint_eq(table.n_duplicates, 2);
        ck_assert_ptr_eq(snp_cert_table_find(&table, SNP_CERT_VCEK)->data, b.data + 120);
}
END_TEST

static const struct {
        const char *reason;
        Row row;
} bad_rows[] = {
        { "cert-table-offset", { vcek_guid, 0, 4 } },
        { "cert-table-offset", { vcek_guid, 47, 4 } },          /* last byte of the terminator */
        { "cert-table-offset", { vcek_guid, 24, 30 } },         /* begins at the terminator */
        { "cert-table-length", { vcek_guid, 48, 0 } },
        { "cert-table-length", { vcek_guid, 48, 53 } },         /* one byte too long */
        { "cert-table-length", { vcek_guid, 100, 1 } },         /* begins at the end */
        { "cert-table-length", { vcek_guid, 101, 1 } },
        { "cert-table-length", { vcek_guid, 48, UINT32_MAX } },
        { "cert-table-length", { vcek_guid, UINT32_MAX, 1 } },
        { "cert-table-length", { vcek_guid, UINT32_MAX, UINT32_MAX } },
        { "cert-table-length", { vcek_guid, 64, UINT32_MAX - 60 } }, /* the sum wraps around in 32 bits */
        { "cert-table-guid", { zero_guid, 48, 4 } },
        { "cert-table-guid", { zero_guid, 0, 4 } },
};

START_TEST(an_entry_outside_of_the_data_is_refused) {
        refuse(&bad_rows[_i].row, 1, 100, -EBADMSG, bad_rows[_i].reason);
}
END_TEST

START_TEST(an_entry_may_fill_the_data_exactly) {
        Row row = { vcek_guid, 48, 52 };
        AUTO_BLOB Blob b = table_of(&row, 1, 100);
        SnpCertTable table;

        ck_assert_int_eq(snp_cert_table_parse(b.data, b.size, &table, NULL), 0);
        ck_assert_uint_eq(table.entries[0].size, 52);
}
END_TEST

START_TEST(a_header_that_grows_over_an_entry_is_refused) {
        Row rows[] = { { vcek_guid, 72, 4 }, { ask_guid, 71, 1 } }; /* fine behind a header of one entry */

        refuse(rows, 2, 100, -EBADMSG, "cert-table-offset");
}
END_TEST

START_TEST(entries_that_share_bytes_are_refused) {
        static const Row seconds[] = {
                { ask_guid, 80, 10 }, { ask_guid, 89, 1 }, { ask_guid, 79, 2 }, { ask_guid, 75, 20 },
        };
        Row rows[] = { { vcek_guid, 80, 10 }, seconds[_i] };

        refuse(rows, 2, 100, -EBADMSG, "cert-table-overlap");
}
END_TEST

START_TEST(a_table_without_terminator_is_refused) {
        Row row = { vcek_guid, 24, 1 };
        AUTO_BLOB Blob b = table_of(&row, 1, 0);
        SnpCertTable table;
        Error e = {};

        ck_assert_int_eq(snp_cert_table_parse(b.data, ENTRY_SIZE, &table, &e), -EBADMSG);
        ck_assert_str_eq(e.reason, "cert-table-unterminated");
}
END_TEST

static Blob many(size_t n) {
        Row rows[SNP_CERT_TABLE_ENTRIES_MAX + 1];
        uint8_t guids[SNP_CERT_TABLE_ENTRIES_MAX + 1][GUID_SIZE] = {};

        for (size_t i = 0; i < n; i++) {
                guids[i][15] = (uint8_t) (i + 1);
                rows[i] = (Row){ guids[i], (uint32_t) ((n + 1) * ENTRY_SIZE + i), 1 };
        }
        return table_of(rows, n, (n + 1) * ENTRY_SIZE + n);
}

START_TEST(entries_are_limited) {
        AUTO_BLOB Blob full = many(SNP_CERT_TABLE_ENTRIES_MAX), over = many(SNP_CERT_TABLE_ENTRIES_MAX + 1);
        SnpCertTable table;
        Error e = {};

        ck_assert_int_eq(snp_cert_table_parse(full.data, full.size, &table, NULL), 0);
        ck_assert_uint_eq(table.n_entries, SNP_CERT_TABLE_ENTRIES_MAX);
        ck_assert_int_eq(snp_cert_table_parse(over.data, over.size, &table, &e), -E2BIG);
        ck_assert_str_eq(e.reason, "cert-table-entries");
}
END_TEST

START_TEST(size_is_limited) {
        static const uint8_t zeros[SNP_CERT_TABLE_MAX + 1];
        SnpCertTable table;
        Error e = {};

        ck_assert_int_eq(snp_cert_table_parse(zeros, SNP_CERT_TABLE_MAX, &table, NULL), 0);
        ck_assert_int_eq(snp_cert_table_parse(zeros, sizeof(zeros), &table, &e), -E2BIG);
        ck_assert_str_eq(e.reason, "cert-table-size");
}
END_TEST

static void assert_sane(const SnpCertTable *table, const Blob *b) {
        ck_assert_uint_le(table->n_entries, SNP_CERT_TABLE_ENTRIES_MAX);
        for (size_t i = 0; i < table->n_entries; i++) {
                const SnpCertEntry *entry = &table->entries[i];

                ck_assert(entry->data >= b->data + (table->n_entries + table->n_duplicates + 1) * ENTRY_SIZE);
                ck_assert(entry->size > 0 && entry->size <= (size_t) (b->data + b->size - entry->data));
        }
}

START_TEST(every_truncation_is_refused) {
        AUTO_BLOB Blob b = table_of(two_rows, 2, TWO_SIZE);
        SnpCertTable table;

        for (size_t n = 1; n < b.size; n++) {
                AUTO_BLOB Blob cut = {};

                ck_assert_int_eq(blob_dup(b.data, n, &cut), 0); /* its end is the allocation's, for the sanitizers */
                ck_assert_msg(snp_cert_table_parse(cut.data, cut.size, &table, NULL) == -EBADMSG, "%zu bytes", n);
        }
}
END_TEST

START_TEST(every_single_bit_flip_leaves_entries_inside) {
        AUTO_BLOB Blob b = table_of(two_rows, 2, TWO_SIZE);
        size_t n_accepted = 0;

        for (size_t bit = 0; bit < b.size * 8; bit++) {
                SnpCertTable table;

                b.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
                if (snp_cert_table_parse(b.data, b.size, &table, NULL) == 0) {
                        assert_sane(&table, &b);
                        n_accepted++;
                        ck_assert_msg(bit < 2 * ENTRY_SIZE * 8 || bit >= 3 * ENTRY_SIZE * 8,
                                      "terminator with bit %zu set is accepted", bit);
                }
                b.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
        }
        /* flips in GUIDs and certificates are none of this parser's business */
        ck_assert_uint_ge(n_accepted, (2 * GUID_SIZE + 30) * 8);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("snp/cert_table");
        TCase *tc = tcase_create("cert_table");

        tcase_add_test(tc, entries_come_out_field_by_field);
        tcase_add_loop_test(tc, guid_names_the_kind, 0, N_ELEMENTS(kinds));
        tcase_add_test(tc, an_empty_buffer_and_a_page_of_zeros_are_empty_tables);
        tcase_add_test(tc, mixed_endian_guids_are_understood_and_noted);
        tcase_add_test(tc, the_first_of_two_with_one_guid_counts);
        tcase_add_loop_test(tc, an_entry_outside_of_the_data_is_refused, 0, N_ELEMENTS(bad_rows));
        tcase_add_test(tc, an_entry_may_fill_the_data_exactly);
        tcase_add_test(tc, a_header_that_grows_over_an_entry_is_refused);
        tcase_add_loop_test(tc, entries_that_share_bytes_are_refused, 0, 4);
        tcase_add_test(tc, a_table_without_terminator_is_refused);
        tcase_add_test(tc, entries_are_limited);
        tcase_add_test(tc, size_is_limited);
        tcase_add_test(tc, every_truncation_is_refused);
        tcase_add_test(tc, every_single_bit_flip_leaves_entries_inside);
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
