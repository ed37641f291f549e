/* SPDX-License-Identifier: Apache-2.0 */

/* snp/cert_table.c on a table that a cloud provider's host handed out. */

#include <check.h>
#include <errno.h>
#include <openssl/sha.h>

#include "base/hex.h"
#include "snp/cert_table.h"
#include "tests/unit/snp/recorded.h"
#include "tests/unit/unit.h"

#define FILE_NAME "misc/aws-vlek-cert-table.bin"
#define HEADER_SIZE 48 /* one entry and the terminator */

START_TEST(the_entry_is_the_vlek_of_the_manifest) {
        json_object *entries = recorded_member(recorded_find(FILE_NAME), "entries");
        json_object *want = json_object_array_get_idx(entries, 0);
        AUTO_BLOB Blob b = recorded_bytes(FILE_NAME);
        uint8_t digest[SHA256_DIGEST_LENGTH];
        AUTO_FREE char *hex = NULL;
        SnpCertTable table;

        ck_assert_uint_eq(json_object_array_length(entries), 1);
        ck_assert_int_eq(snp_cert_table_parse(b.data, b.size, &table, NULL), 0);
        ck_assert_uint_eq(table.n_entries, 1);
        ck_assert_uint_eq(table.n_duplicates, 0);
        ck_assert(!table.mixed_endian);
        ck_assert_str_eq(snp_cert_kind_name(table.entries[0].kind), recorded_str(want, "name"));
        ck_assert_int_eq(table.entries[0].data - b.data, json_object_get_int(recorded_member(want, "offset")));
        ck_assert_int_eq((int) table.entries[0].size, json_object_get_int(recorded_member(want, "length")));
        (void) SHA256(table.entries[0].data, table.entries[0].size, digest);
        hex = hex_encode(digest, sizeof(digest));
        ck_assert_str_eq(hex, recorded_str(want, "sha256"));
}
END_TEST

START_TEST(its_certificate_verifies_with_amds_chain) {
        AUTO_BLOB Blob b = recorded_bytes(FILE_NAME), chain = recorded_bytes("amd/milan-vlek-cert_chain.pem");
        CLEANUP(snp_trust_freep) SnpTrust *trust = NULL;
        CLEANUP(snp_vek_freep) SnpVek *vek = NULL;
        const SnpCertEntry *entry;
        SnpCertTable table;
        SnpCerts certs = { .n_others = 1 };

        ck_assert_int_eq(snp_cert_table_parse(b.data, b.size, &table, NULL), 0);
        entry = snp_cert_table_find(&table, SNP_CERT_VLEK);
        certs.vek = (SnpCertBytes){ entry->data, entry->size };
        certs.others[0] = (SnpCertBytes){ chain.data, chain.size };
        ck_assert_int_eq(snp_trust_new_amd(&trust, NULL), 0);
        ck_assert_int_eq(snp_vek_new(trust, &certs, recorded_time("2023-05-20T18:30:16Z"), &vek, NULL), 0);
        ck_assert_int_eq(snp_vek_kind(vek), SNP_SIGNING_KEY_VLEK);
}
END_TEST

START_TEST(only_padding_may_be_cut_off) {
        AUTO_BLOB Blob b = recorded_bytes(FILE_NAME);
        SnpCertTable table;

        ck_assert_int_eq(snp_cert_table_parse(b.data, b.size, &table, NULL), 0);
        for (size_t n = 1, end = HEADER_SIZE + table.entries[0].size; n < b.size; n++) {
                SnpCertTable cut;

                ck_assert_int_eq(snp_cert_table_parse(b.data, n, &cut, NULL), n < end ? -EBADMSG : 0);
        }
}
END_TEST

START_TEST(every_bit_flip_of_the_header_is_refused_or_stays_inside) {
        AUTO_BLOB Blob b = recorded_bytes(FILE_NAME);

        for (size_t bit = 0; bit < HEADER_SIZE * 8; bit++) {
                SnpCertTable table;

                b.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
                if (snp_cert_table_parse(b.data, b.size, &table, NULL) == 0) {
                        ck_assert_uint_eq(table.n_entries, 1);
                        ck_assert(table.entries[0].data >= b.data + HEADER_SIZE);
                        ck_assert(table.entries[0].size <= (size_t) (b.data + b.size - table.entries[0].data));
                        ck_assert_uint_lt(bit, 24 * 8); /* no flip in the terminator is accepted */
                }
                b.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
        }
}
END_TEST

int main(void) {
        Suite *suite;
        TCase *tc = tcase_create("recorded");
        int r;

        if (!recorded_load())
                return unit_skip("no recorded certificate table");
        suite = suite_create("snp/cert_table, recorded");
        tcase_add_test(tc, the_entry_is_the_vlek_of_the_manifest);
        tcase_add_test(tc, its_certificate_verifies_with_amds_chain);
        tcase_add_test(tc, only_padding_may_be_cut_off);
        tcase_add_test(tc, every_bit_flip_of_the_header_is_refused_or_stays_inside);
        suite_add_tcase(suite, tc);
        r = unit_run(suite);
        recorded_unload();
        return r;
}
