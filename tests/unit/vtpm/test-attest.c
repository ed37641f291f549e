/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/hex.h"
#include "base/writer.h"
#include "tests/unit/unit.h"
#include "tests/unit/vtpm/soft.h"
#include "vtpm/attest.h"

/* Written by hand from TPM 2.0 Library Part 2: two banks, a 5-byte nonce. */
static const char golden_hex[] =
        "ff544347"                                                         /* magic */
        "8018"                                                             /* TPM_ST_ATTEST_QUOTE */
        "0022" "000b" "101112131415161718191a1b1c1d1e1f101112131415161718191a1b1c1d1e1f" /* qualifiedSigner */
        "0005" "6e6f6e6365"                                                /* extraData */
        "0000000102030405"                                                 /* clock */
        "00000006" "00000007" "01"                                         /* reset, restart, safe */
        "2019102300163636"                                                 /* firmwareVersion */
        "00000002" "000b" "03" "910080" "000c" "03" "000002"               /* PCR 0,4,7,23 and PCR 17 */
        "0020" "202122232425262728292a2b2c2d2e2f202122232425262728292a2b2c2d2e2f"; /* pcrDigest */

static Blob golden(void) {
        Blob b = {};

        ck_assert_int_eq(hex_decode(golden_hex, strlen(golden_hex), 1024, &b), 0);
        return b;
}

START_TEST(every_field_is_where_the_table_says) {
        AUTO_BLOB Blob b = golden();
        VtpmAttest a;

        ck_assert_int_eq(vtpm_attest_parse(b.data, b.size, &a, NULL), 0);
        ck_assert_uint_eq(a.signer_size, 34);
        ck_assert_uint_eq(a.signer[1], 0x0b);
        ck_assert_uint_eq(a.signer[33], 0x1f);
        ck_assert_uint_eq(a.extra_size, 5);
        ck_assert_mem_eq(a.extra, "nonce", 5);
        ck_assert_uint_eq(a.clock.clock_msec, UINT64_C(0x102030405));
        ck_assert_uint_eq(a.clock.reset_count, 6);
        ck_assert_uint_eq(a.clock.restart_count, 7);
        ck_assert(a.clock.safe);
        ck_assert_uint_eq(a.firmware_version, UINT64_C(0x2019102300163636));
        ck_assert_uint_eq(a.selection.n_banks, 2);
        ck_assert_uint_eq(a.selection.banks[0].hash, VTPM_ALG_SHA256);
        ck_assert_uint_eq(a.selection.banks[0].mask, 1u << 0 | 1u << 4 | 1u << 7 | 1u << 23);
        ck_assert_uint_eq(a.selection.banks[1].hash, VTPM_ALG_SHA384);
        ck_assert_uint_eq(a.selection.banks[1].mask, 1u << 17);
        ck_assert_uint_eq(a.pcr_digest_size, 32);
        ck_assert_uint_eq(a.pcr_digest[0], 0x20);
        ck_assert_uint_eq(a.pcr_digest[31], 0x2f);
} END_TEST

START_TEST(encoding_gives_the_same_bytes) {
        AUTO_BLOB Blob b = golden(), again = {};
        VtpmAttest a;

        ck_assert_int_eq(vtpm_attest_parse(b.data, b.size, &a, NULL), 0);
        ck_assert_int_eq(vtpm_attest_encode(&a, &again), 0);
        ck_assert(blob_equal(&b, &again));
} END_TEST

START_TEST(every_truncation_is_refused_and_leaves_the_output_alone) {
        AUTO_BLOB Blob b = golden();
        VtpmAttest a, untouched;

        (void) memset(&a, 0x5a, sizeof(a));
        untouched = a;
        for (size_t n = 0; n < b.size; n++) {
                Error e = {};

                ck_assert_int_eq(vtpm_attest_parse(b.data, n, &a, &e), -EBADMSG);
                ck_assert_str_eq(e.reason, "malformed");
                ck_assert_ptr_nonnull(strstr(e.text, "offset"));
        }
        ck_assert_mem_eq(&a, &untouched, sizeof(a));
} END_TEST

START_TEST(trailing_bytes_are_refused) {
        AUTO_BLOB Blob b = golden();
        uint8_t longer[512] = {};
        VtpmAttest a;

        (void) memcpy(longer, b.data, b.size);
        for (size_t n = b.size + 1; n < sizeof(longer); n += 37)
                ck_assert_int_eq(vtpm_attest_parse(longer, n, &a, NULL), -EBADMSG);
} END_TEST

START_TEST(no_bit_is_ignored) {
        AUTO_BLOB Blob b = golden();

        for (size_t bit = 0; bit < 8 * b.size; bit++) {
                AUTO_BLOB Blob again = {};
                VtpmAttest a;

                b.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
                if (vtpm_attest_parse(b.data, b.size, &a, NULL) == 0) {
                        ck_assert_int_eq(vtpm_attest_encode(&a, &again), 0);
                        ck_assert_msg(blob_equal(&b, &again), "bit %zu is lost", bit);
                }
                b.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
        }
} END_TEST

static const struct {
        uint16_t type;
        const char *what;
} other_types[] = {
        { 0x8014, "nv" }, { 0x8015, "command audit" }, { 0x8016, "session audit" }, { 0x8017, "certify" },
        { 0x8019, "time" }, { 0x801a, "creation" }, { 0x801c, "nv digest" }, { 0x0000, "nothing" },
};

START_TEST(other_attestations_are_no_quotes) {
        AUTO_BLOB Blob b = golden();
        VtpmAttest a;
        Error e = {};

        store_be16(b.data + 4, other_types[_i].type);
        ck_assert_int_eq(vtpm_attest_parse(b.data, b.size, &a, &e), -EPROTO);
        ck_assert_str_eq(e.reason, "attest-not-a-quote");
} END_TEST

START_TEST(bytes_not_made_by_a_tpm_are_refused) {
        AUTO_BLOB Blob b = golden();
        VtpmAttest a;
        Error e = {};

        b.data[3] = 'H';
        ck_assert_int_eq(vtpm_attest_parse(b.data, b.size, &a, &e), -EBADMSG);
        ck_assert_str_eq(e.reason, "attest-magic");
} END_TEST

/* Offsets in the golden bytes. */
static const struct {
        const char *why;
        size_t at;
        uint8_t value;
} bad_bytes[] = {
        { "safe is neither 0 nor 1", 65, 2 },
        { "bitmap of 2 bytes", 80, 2 },
        { "bitmap of 4 bytes", 80, 4 },
        { "no bitmap", 80, 0 },
        { "more than 16 banks", 77, 17 },
        { "four thousand million banks", 74, 0xff },
        { "name longer than any", 7, 69 },
        { "nonce longer than any", 43, 67 },
        { "digest longer than any", 91, 65 },
};

START_TEST(fields_out_of_range_are_refused) {
        AUTO_BLOB Blob b = golden();
        uint8_t roomy[VTPM_ATTEST_SIZE_MAX] = {}; /* so that no length is refused for want of bytes */
        VtpmAttest a;
        Error e = {};

        (void) memcpy(roomy, b.data, b.size);
        roomy[bad_bytes[_i].at] = bad_bytes[_i].value;
        ck_assert_msg(vtpm_attest_parse(roomy, sizeof(roomy), &a, &e) == -EBADMSG, "%s", bad_bytes[_i].why);
        ck_assert_msg(strcmp(e.reason, "malformed") == 0, "%s: %s", bad_bytes[_i].why, e.reason);
} END_TEST

START_TEST(largest_fields_are_accepted) {
        VtpmAttest a = { .signer_size = VTPM_NAME_MAX, .extra_size = VTPM_EXTRA_DATA_MAX, .pcr_digest_size = 64,
                         .selection.n_banks = VTPM_BANKS_MAX }, back;
        AUTO_BLOB Blob b = {};

        for (size_t i = 0; i < VTPM_BANKS_MAX; i++)
                a.selection.banks[i] = (VtpmPcrBank){ .hash = (uint16_t) i, .mask = VTPM_PCR_MASK_ALL };
        b = soft_attest_bytes(&a);
        ck_assert_uint_eq(b.size, 335);
        ck_assert_int_eq(vtpm_attest_parse(b.data, b.size, &back, NULL), 0);
        ck_assert_uint_eq(back.selection.n_banks, VTPM_BANKS_MAX);
} END_TEST

START_TEST(empty_fields_are_well_formed) {
        VtpmAttest a = {}, back;
        AUTO_BLOB Blob b = soft_attest_bytes(&a);

        ck_assert_int_eq(vtpm_attest_parse(b.data, b.size, &back, NULL), 0);
        ck_assert_uint_eq(back.selection.n_banks, 0); /* refused when judged: test-verify.c */
} END_TEST

START_TEST(oversized_input_is_refused_unread) {
        uint8_t big[VTPM_ATTEST_SIZE_MAX + 1] = {};
        VtpmAttest a;

        ck_assert_int_eq(vtpm_attest_parse(big, sizeof(big), &a, NULL), -E2BIG);
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("attest");
        TCase *tc = tcase_create("parse");

        tcase_add_test(tc, every_field_is_where_the_table_says);
        tcase_add_test(tc, encoding_gives_the_same_bytes);
        tcase_add_test(tc, every_truncation_is_refused_and_leaves_the_output_alone);
        tcase_add_test(tc, trailing_bytes_are_refused);
        tcase_add_test(tc, no_bit_is_ignored);
        tcase_add_loop_test(tc, other_attestations_are_no_quotes, 0, N_ELEMENTS(other_types));
        tcase_add_test(tc, bytes_not_made_by_a_tpm_are_refused);
        tcase_add_loop_test(tc, fields_out_of_range_are_refused, 0, N_ELEMENTS(bad_bytes));
        tcase_add_test(tc, largest_fields_are_accepted);
        tcase_add_test(tc, empty_fields_are_well_formed);
        tcase_add_test(tc, oversized_input_is_refused_unread);
        suite_add_tcase(s, tc);
        return s;
}

int main(void) {
        return unit_run(suite());
}
