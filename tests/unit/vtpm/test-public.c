/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/hex.h"
#include "base/writer.h"
#include "tests/unit/unit.h"
#include "tests/unit/vtpm/soft.h"
#include "vtpm/public.h"

static void pkey_free(EVP_PKEY *key) {
        EVP_PKEY_free(key);
}
DEFINE_CLEANUP(EVP_PKEY *, pkey_free);

/* By hand from TPM 2.0 Library Part 2; the point is P-256's generator (SEC 2, section 2.4.2). */
static const char ecc_hex[] =
        "0023" "000b" "00050472" "0000"        /* ECC, SHA-256, attributes, no policy */
        "0010" "0018" "000b" "0003" "0010"     /* symmetric null, ECDSA with SHA-256, P-256, KDF null */
        "0020" "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "0020" "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";

/* A storage key as endorsement keys are: policy, AES-128-CFB, no scheme; a short modulus, since it is not used. */
static const char ek_hex[] =
        "0001" "000b" "000300b2"
        "0020" "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
        "0006" "0080" "0043" "0010" "0800" "00000000"
        "0004" "deadbeef";

static const char *const goldens[] = { ecc_hex, ek_hex };

static Blob from_hex(const char *text) {
        Blob b = {};

        ck_assert_int_eq(hex_decode(text, strlen(text), 1024, &b), 0);
        return b;
}

START_TEST(ecc_fields_are_where_the_table_says) {
        AUTO_BLOB Blob b = from_hex(ecc_hex);
        VtpmPublic p;

        ck_assert_int_eq(vtpm_public_parse(b.data, b.size, &p, NULL), 0);
        ck_assert_uint_eq(p.type, VTPM_ALG_ECC);
        ck_assert_uint_eq(p.name_alg, VTPM_ALG_SHA256);
        ck_assert_uint_eq(p.attributes, 0x00050472);
        ck_assert_uint_eq(p.policy_size, 0);
        ck_assert_uint_eq(p.symmetric, VTPM_ALG_NULL);
        ck_assert_uint_eq(p.scheme, VTPM_ALG_ECDSA);
        ck_assert_uint_eq(p.scheme_hash, VTPM_ALG_SHA256);
        ck_assert_uint_eq(p.curve, VTPM_CURVE_NIST_P256);
        ck_assert_uint_eq(p.kdf, VTPM_ALG_NULL);
        ck_assert_uint_eq(p.x_size, 32);
        ck_assert_uint_eq(p.x[0], 0x6b);
        ck_assert_uint_eq(p.y_size, 32);
        ck_assert_uint_eq(p.y[31], 0xf5);
} END_TEST

START_TEST(storage_key_fields_are_where_the_table_says) {
        AUTO_BLOB Blob b = from_hex(ek_hex);
        VtpmPublic p;

        ck_assert_int_eq(vtpm_public_parse(b.data, b.size, &p, NULL), 0);
        ck_assert_uint_eq(p.type, VTPM_ALG_RSA);
        ck_assert_uint_eq(p.attributes, 0x000300b2);
        ck_assert_uint_eq(p.policy_size, 32);
        ck_assert_uint_eq(p.policy[31], 0x1f);
        ck_assert_uint_eq(p.symmetric, VTPM_ALG_AES);
        ck_assert_uint_eq(p.symmetric_bits, 128);
        ck_assert_uint_eq(p.symmetric_mode, VTPM_ALG_CFB);
        ck_assert_uint_eq(p.scheme, VTPM_ALG_NULL);
        ck_assert_uint_eq(p.rsa_bits, 2048);
        ck_assert_uint_eq(p.rsa_exponent, 0);
        ck_assert_uint_eq(p.modulus_size, 4);
        ck_assert_uint_eq(p.modulus[0], 0xde);
} END_TEST

START_TEST(encoding_gives_the_same_bytes) {
        AUTO_BLOB Blob b = from_hex(goldens[_i]), again = {};
        VtpmPublic p;

        ck_assert_int_eq(vtpm_public_parse(b.data, b.size, &p, NULL), 0);
        ck_assert_int_eq(vtpm_public_encode(&p, &again), 0);
        ck_assert(blob_equal(&b, &again));
} END_TEST

START_TEST(every_truncation_is_refused) {
        AUTO_BLOB Blob b = from_hex(goldens[_i]);
        VtpmPublic p;

        for (size_t n = 0; n < b.size; n++)
                ck_assert_int_eq(vtpm_public_parse(b.data, n, &p, NULL), -EBADMSG);
} END_TEST

START_TEST(trailing_bytes_are_refused) {
        AUTO_BLOB Blob b = from_hex(goldens[_i]);
        uint8_t longer[512] = {};
        VtpmPublic p;

        (void) memcpy(longer, b.data, b.size);
        ck_assert_int_eq(vtpm_public_parse(longer, b.size + 1, &p, NULL), -EBADMSG);
} END_TEST

START_TEST(no_bit_is_ignored) {
        AUTO_BLOB Blob b = from_hex(goldens[_i]);

        for (size_t bit = 0; bit < 8 * b.size; bit++) {
                AUTO_BLOB Blob again = {};
                VtpmPublic p;

                b.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
                if (vtpm_public_parse(b.data, b.size, &p, NULL) == 0) {
                        ck_assert_int_eq(vtpm_public_encode(&p, &again), 0);
                        ck_assert_msg(blob_equal(&b, &again), "bit %zu is lost", bit);
                }
                b.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
        }
} END_TEST

static const struct {
        const char *why;
        size_t at;
        uint16_t value;
        int want;
} bad_fields[] = {
        { "a keyed hash", 0, 0x0008, -EOPNOTSUPP },
        { "a symmetric key", 0, 0x0025, -EOPNOTSUPP },
        { "Camellia", 10, 0x0026, -EOPNOTSUPP },
        { "ECDAA", 12, 0x001a, -EOPNOTSUPP },
        { "RSASSA on a curve", 12, VTPM_ALG_RSASSA, -EOPNOTSUPP },
        { "coordinate longer than any", 20, 67, -EBADMSG },
        { "policy longer than any", 8, 65, -EBADMSG },
};

START_TEST(other_keys_are_refused_by_name) {
        AUTO_BLOB Blob b = from_hex(ecc_hex);
        uint8_t roomy[512] = {};
        VtpmPublic p;

        (void) memcpy(roomy, b.data, b.size);
        store_be16(roomy + bad_fields[_i].at, bad_fields[_i].value);
        ck_assert_msg(vtpm_public_parse(roomy, sizeof(roomy), &p, NULL) == bad_fields[_i].want, "%s",
                      bad_fields[_i].why);
} END_TEST

START_TEST(oversized_input_is_refused_unread) {
        uint8_t big[VTPM_PUBLIC_SIZE_MAX + 1] = { 0, 1 };
        VtpmPublic p;

        ck_assert_int_eq(vtpm_public_parse(big, sizeof(big), &p, NULL), -E2BIG);
} END_TEST

static const struct {
        uint16_t scheme, curve;
} key_kinds[] = {
        { VTPM_ALG_RSASSA, 0 },
        { VTPM_ALG_ECDSA, VTPM_CURVE_NIST_P256 },
        { VTPM_ALG_ECDSA, VTPM_CURVE_NIST_P384 },
        { VTPM_ALG_ECDSA, VTPM_CURVE_NIST_P521 },
};

START_TEST(key_is_the_one_it_was_made_from) {
        AUTO_SOFT_AK SoftAk ak = soft_ak_new(key_kinds[_i].scheme, VTPM_ALG_SHA256, key_kinds[_i].curve);
        CLEANUP(pkey_freep) EVP_PKEY *key = NULL;

        ck_assert_int_eq(vtpm_public_to_key(&ak.pub, &key, NULL), 0);
        ck_assert_int_eq(EVP_PKEY_eq(key, ak.key), 1);
} END_TEST

START_TEST(explicit_default_exponent_is_the_default) {
        AUTO_SOFT_AK SoftAk ak = soft_ak_new(VTPM_ALG_RSASSA, VTPM_ALG_SHA256, 0);
        CLEANUP(pkey_freep) EVP_PKEY *key = NULL;

        ak.pub.rsa_exponent = 65537;
        ck_assert_int_eq(vtpm_public_to_key(&ak.pub, &key, NULL), 0);
        ck_assert_int_eq(EVP_PKEY_eq(key, ak.key), 1);
} END_TEST

START_TEST(coordinates_without_leading_zeros_are_padded) {
        VtpmPublic p = { .type = VTPM_ALG_ECC, .curve = VTPM_CURVE_NIST_P256 };
        CLEANUP(pkey_freep) EVP_PKEY *key = NULL;

        for (unsigned i = 0; i < 4000; i++) { /* one key in 256 has a coordinate that begins with 00 */
                AUTO_SOFT_AK SoftAk ak = soft_ak_new(VTPM_ALG_ECDSA, VTPM_ALG_SHA256, VTPM_CURVE_NIST_P256);

                if (ak.pub.x[0] != 0)
                        continue;
                p.x_size = 31;
                (void) memcpy(p.x, ak.pub.x + 1, 31);
                p.y_size = 32;
                (void) memcpy(p.y, ak.pub.y, 32);
                ck_assert_int_eq(vtpm_public_to_key(&p, &key, NULL), 0);
                ck_assert_int_eq(EVP_PKEY_eq(key, ak.key), 1);
                return;
        }
        ck_abort_msg("no key with a leading zero in 4000");
} END_TEST

START_TEST(rsa_keys_that_are_none_are_refused) {
        AUTO_SOFT_AK SoftAk ak = soft_ak_new(VTPM_ALG_RSASSA, VTPM_ALG_SHA256, 0);
        EVP_PKEY *key = NULL;
        VtpmPublic p = ak.pub;

        p.rsa_exponent = 3;
        ck_assert_int_eq(vtpm_public_to_key(&p, &key, NULL), -EOPNOTSUPP);
        p = ak.pub;
        p.rsa_bits = 1024;
        p.modulus_size = 128;
        ck_assert_int_eq(vtpm_public_to_key(&p, &key, NULL), -EOPNOTSUPP);
        p = ak.pub;
        p.rsa_bits = 3072; /* says more than it has */
        ck_assert_int_eq(vtpm_public_to_key(&p, &key, NULL), -EBADMSG);
        p = ak.pub;
        p.modulus[0] &= 0x7f; /* and that is 2047 bits at most */
        ck_assert_int_eq(vtpm_public_to_key(&p, &key, NULL), -EBADMSG);
        ck_assert_ptr_null(key);
} END_TEST

START_TEST(ecc_keys_that_are_none_are_refused) {
        AUTO_SOFT_AK SoftAk ak = soft_ak_new(VTPM_ALG_ECDSA, VTPM_ALG_SHA256, VTPM_CURVE_NIST_P256);
        EVP_PKEY *key = NULL;
        VtpmPublic p = ak.pub;
        Error e = {};

        p.y[31] ^= 1;
        ck_assert_int_eq(vtpm_public_to_key(&p, &key, &e), -EBADMSG);
        ck_assert_str_eq(e.reason, "public-point");
        p = ak.pub;
        (void) memset(p.x, 0, sizeof(p.x));
        (void) memset(p.y, 0, sizeof(p.y));
        ck_assert_int_eq(vtpm_public_to_key(&p, &key, NULL), -EBADMSG);
        p = ak.pub;
        p.x_size = 33;
        ck_assert_int_eq(vtpm_public_to_key(&p, &key, NULL), -EBADMSG);
        p = ak.pub;
        p.curve = 0x0010; /* BN_P256 */
        ck_assert_int_eq(vtpm_public_to_key(&p, &key, NULL), -EOPNOTSUPP);
        ck_assert_ptr_null(key);
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("public");
        TCase *tc = tcase_create("parse");

        tcase_add_test(tc, ecc_fields_are_where_the_table_says);
        tcase_add_test(tc, storage_key_fields_are_where_the_table_says);
        tcase_add_loop_test(tc, encoding_gives_the_same_bytes, 0, N_ELEMENTS(goldens));
        tcase_add_loop_test(tc, every_truncation_is_refused, 0, N_ELEMENTS(goldens));
        tcase_add_loop_test(tc, trailing_bytes_are_refused, 0, N_ELEMENTS(goldens));
        tcase_add_loop_test(tc, no_bit_is_ignored, 0, N_ELEMENTS(goldens));
        tcase_add_loop_test(tc, other_keys_are_refused_by_name, 0, N_ELEMENTS(bad_fields));
        tcase_add_test(tc, oversized_input_is_refused_unread);
        suite_add_tcase(s, tc);

        tc = tcase_create("key");
        tcase_add_loop_test(tc, key_is_the_one_it_was_made_from, 0, N_ELEMENTS(key_kinds));
        tcase_add_test(tc, explicit_default_exponent_is_the_default);
        tcase_add_test(tc, coordinates_without_leading_zeros_are_padded);
        tcase_add_test(tc, rsa_keys_that_are_none_are_refused);
        tcase_add_test(tc, ecc_keys_that_are_none_are_refused);
        suite_add_tcase(s, tc);
        return s;
}

int main(void) {
        return unit_run(suite());
}
