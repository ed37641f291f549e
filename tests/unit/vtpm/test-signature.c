/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/hex.h"
#include "tests/unit/unit.h"
#include "tests/unit/vtpm/soft.h"
#include "vtpm/signature.h"

/* By hand from TPM 2.0 Library Part 2, with values too short to be of use. */
static const char rsa_hex[] = "0014" "000b" "0004" "01020304";
static const char pss_hex[] = "0016" "000c" "0004" "01020304";
static const char ecdsa_hex[] = "0018" "000d" "0003" "010203" "0002" "0405";
static const char *const goldens[] = { rsa_hex, pss_hex, ecdsa_hex };

static const char message[] = "what the TPM said";

static Blob from_hex(const char *text) {
        Blob b = {};

        ck_assert_int_eq(hex_decode(text, strlen(text), 1024, &b), 0);
        return b;
}

START_TEST(fields_are_where_the_table_says) {
        AUTO_BLOB Blob rsa = from_hex(rsa_hex), ecdsa = from_hex(ecdsa_hex);
        VtpmSignature s;

        ck_assert_int_eq(vtpm_signature_parse(rsa.data, rsa.size, &s, NULL), 0);
        ck_assert_uint_eq(s.scheme, VTPM_ALG_RSASSA);
        ck_assert_uint_eq(s.hash, VTPM_ALG_SHA256);
        ck_assert_uint_eq(s.rsa_size, 4);
        ck_assert_uint_eq(s.rsa[3], 4);
        ck_assert_int_eq(vtpm_signature_parse(ecdsa.data, ecdsa.size, &s, NULL), 0);
        ck_assert_uint_eq(s.scheme, VTPM_ALG_ECDSA);
        ck_assert_uint_eq(s.hash, VTPM_ALG_SHA512);
        ck_assert_uint_eq(s.r_size, 3);
        ck_assert_uint_eq(s.r[2], 3);
        ck_assert_uint_eq(s.s_size, 2);
        ck_assert_uint_eq(s.s[1], 5);
} END_TEST

START_TEST(truncations_and_trailing_bytes_are_refused) {
        AUTO_BLOB Blob b = from_hex(goldens[_i]);
        uint8_t longer[64] = {};
        VtpmSignature s;

        (void) memcpy(longer, b.data, b.size);
        for (size_t n = 0; n < b.size; n++)
                ck_assert_int_eq(vtpm_signature_parse(b.data, n, &s, NULL), -EBADMSG);
        ck_assert_int_eq(vtpm_signature_parse(longer, b.size + 1, &s, NULL), -EBADMSG);
} END_TEST

START_TEST(no_bit_is_ignored) {
        AUTO_BLOB Blob b = from_hex(goldens[_i]);

        for (size_t bit = 0; bit < 8 * b.size; bit++) {
                AUTO_BLOB Blob again = {};
                VtpmSignature s;

                b.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
                if (vtpm_signature_parse(b.data, b.size, &s, NULL) == 0) {
                        ck_assert_int_eq(vtpm_signature_encode(&s, &again), 0);
                        ck_assert_msg(blob_equal(&b, &again), "bit %zu is lost", bit);
                }
                b.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
        }
} END_TEST

static const struct {
        const char *why, *hex;
        int want;
} bad[] = {
        { "no signature", "0010", -EBADMSG },
        { "no signature, with a hash", "0010000b", -EOPNOTSUPP },
        { "HMAC", "0005000b", -EOPNOTSUPP },
        { "RSAES", "0015000b", -EOPNOTSUPP },
        { "ECDAA", "001a000b", -EOPNOTSUPP },
        { "SM2", "001b000b", -EOPNOTSUPP },
        { "empty RSA signature", "0014000b0000", -EBADMSG },
        { "empty r", "0018000b0000000101", -EBADMSG },
        { "empty s", "0018000b0001010000", -EBADMSG },
};

START_TEST(other_signatures_are_refused) {
        AUTO_BLOB Blob b = from_hex(bad[_i].hex);
        VtpmSignature s;

        ck_assert_msg(vtpm_signature_parse(b.data, b.size, &s, NULL) == bad[_i].want, "%s", bad[_i].why);
} END_TEST

START_TEST(lengths_beyond_any_key_are_refused) {
        uint8_t roomy[VTPM_SIGNATURE_SIZE_MAX + 1] = { 0x00, 0x14, 0x00, 0x0b, 0x02, 0x01 }; /* 513 bytes */
        VtpmSignature s;

        ck_assert_int_eq(vtpm_signature_parse(roomy, 6 + 513, &s, NULL), -EBADMSG);
        ck_assert_int_eq(vtpm_signature_parse(roomy, sizeof(roomy), &s, NULL), -E2BIG);
        roomy[1] = 0x18;
        roomy[4] = 0;
        roomy[5] = 67;
        ck_assert_int_eq(vtpm_signature_parse(roomy, 200, &s, NULL), -EBADMSG);
} END_TEST

static const struct {
        uint16_t scheme, hash, curve;
} kinds[] = {
        { VTPM_ALG_RSASSA, VTPM_ALG_SHA256, 0 },
        { VTPM_ALG_RSASSA, VTPM_ALG_SHA512, 0 },
        { VTPM_ALG_RSAPSS, VTPM_ALG_SHA256, 0 },
        { VTPM_ALG_RSAPSS, VTPM_ALG_SHA384, 0 },
        { VTPM_ALG_ECDSA, VTPM_ALG_SHA256, VTPM_CURVE_NIST_P256 },
        { VTPM_ALG_ECDSA, VTPM_ALG_SHA384, VTPM_CURVE_NIST_P384 },
        { VTPM_ALG_ECDSA, VTPM_ALG_SHA512, VTPM_CURVE_NIST_P521 },
};

START_TEST(signature_holds_for_its_message_and_key_alone) {
        AUTO_SOFT_AK SoftAk ak = soft_ak_new(kinds[_i].scheme, kinds[_i].hash, kinds[_i].curve);
        AUTO_SOFT_AK SoftAk other = soft_ak_new(kinds[_i].scheme, kinds[_i].hash, kinds[_i].curve);
        VtpmSignature s = soft_sign_raw(&ak, message, sizeof(message));
        Error e = {};

        ck_assert_int_eq(vtpm_signature_verify(&s, ak.key, message, sizeof(message), NULL), 0);
        ck_assert_int_eq(vtpm_signature_verify(&s, ak.key, message, sizeof(message) - 1, &e), -EKEYREJECTED);
        ck_assert_str_eq(e.reason, "quote-signature");
        ck_assert_int_eq(vtpm_signature_verify(&s, other.key, message, sizeof(message), NULL), -EKEYREJECTED);
        s.hash = s.hash == VTPM_ALG_SHA256 ? VTPM_ALG_SHA384 : VTPM_ALG_SHA256;
        ck_assert_int_eq(vtpm_signature_verify(&s, ak.key, message, sizeof(message), NULL), -EKEYREJECTED);
        s.hash = 0x0012; /* SM3 */
        ck_assert_int_eq(vtpm_signature_verify(&s, ak.key, message, sizeof(message), NULL), -EOPNOTSUPP);
} END_TEST

START_TEST(padding_of_one_scheme_is_not_the_others) {
        AUTO_SOFT_AK SoftAk ak = soft_ak_new(VTPM_ALG_RSASSA, VTPM_ALG_SHA256, 0);
        VtpmSignature s = soft_sign_raw(&ak, message, sizeof(message));

        s.scheme = VTPM_ALG_RSAPSS;
        ck_assert_int_eq(vtpm_signature_verify(&s, ak.key, message, sizeof(message), NULL), -EKEYREJECTED);
        ak.pub.scheme = VTPM_ALG_RSAPSS;
        s = soft_sign_raw(&ak, message, sizeof(message));
        ck_assert_int_eq(vtpm_signature_verify(&s, ak.key, message, sizeof(message), NULL), 0);
        s.scheme = VTPM_ALG_RSASSA;
        ck_assert_int_eq(vtpm_signature_verify(&s, ak.key, message, sizeof(message), NULL), -EKEYREJECTED);
} END_TEST

START_TEST(key_of_another_kind_is_refused) {
        AUTO_SOFT_AK SoftAk rsa = soft_ak_new(VTPM_ALG_RSASSA, VTPM_ALG_SHA256, 0);
        AUTO_SOFT_AK SoftAk ecc = soft_ak_new(VTPM_ALG_ECDSA, VTPM_ALG_SHA256, VTPM_CURVE_NIST_P256);
        VtpmSignature by_rsa = soft_sign_raw(&rsa, message, sizeof(message));
        VtpmSignature by_ecc = soft_sign_raw(&ecc, message, sizeof(message));

        ck_assert_int_eq(vtpm_signature_verify(&by_rsa, ecc.key, message, sizeof(message), NULL), -EKEYREJECTED);
        ck_assert_int_eq(vtpm_signature_verify(&by_ecc, rsa.key, message, sizeof(message), NULL), -EKEYREJECTED);
} END_TEST

static void strip(uint8_t *n, size_t *size) {
        while (*size > 1 && n[0] == 0) {
                (void) memmove(n, n + 1, --*size);
        }
}

START_TEST(ecdsa_values_without_leading_zeros_hold) {
        AUTO_SOFT_AK SoftAk ak = soft_ak_new(VTPM_ALG_ECDSA, VTPM_ALG_SHA256, VTPM_CURVE_NIST_P256);
        bool stripped = false;

        for (unsigned i = 0; i < 4000 && !stripped; i++) { /* one in 128 has one */
                VtpmSignature s = soft_sign_raw(&ak, message, sizeof(message));

                strip(s.r, &s.r_size);
                strip(s.s, &s.s_size);
                stripped = s.r_size < 32 || s.s_size < 32;
                ck_assert_int_eq(vtpm_signature_verify(&s, ak.key, message, sizeof(message), NULL), 0);
        }
        ck_assert(stripped);
} END_TEST

START_TEST(ecdsa_zero_values_are_refused) {
        AUTO_SOFT_AK SoftAk ak = soft_ak_new(VTPM_ALG_ECDSA, VTPM_ALG_SHA256, VTPM_CURVE_NIST_P256);
        VtpmSignature s = soft_sign_raw(&ak, message, sizeof(message)), zero = s;

        (void) memset(zero.r, 0, sizeof(zero.r));
        ck_assert_int_eq(vtpm_signature_verify(&zero, ak.key, message, sizeof(message), NULL), -EKEYREJECTED);
        zero = s;
        (void) memset(zero.s, 0, sizeof(zero.s));
        ck_assert_int_eq(vtpm_signature_verify(&zero, ak.key, message, sizeof(message), NULL), -EKEYREJECTED);
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("signature");
        TCase *tc = tcase_create("parse");

        tcase_add_test(tc, fields_are_where_the_table_says);
        tcase_add_loop_test(tc, truncations_and_trailing_bytes_are_refused, 0, N_ELEMENTS(goldens));
        tcase_add_loop_test(tc, no_bit_is_ignored, 0, N_ELEMENTS(goldens));
        tcase_add_loop_test(tc, other_signatures_are_refused, 0, N_ELEMENTS(bad));
        tcase_add_test(tc, lengths_beyond_any_key_are_refused);
        suite_add_tcase(s, tc);

        tc = tcase_create("verify");
        tcase_add_loop_test(tc, signature_holds_for_its_message_and_key_alone, 0, N_ELEMENTS(kinds));
        tcase_add_test(tc, padding_of_one_scheme_is_not_the_others);
        tcase_add_test(tc, key_of_another_kind_is_refused);
        tcase_add_test(tc, ecdsa_values_without_leading_zeros_hold);
        tcase_add_test(tc, ecdsa_zero_values_are_refused);
        suite_add_tcase(s, tc);
        return s;
}

int main(void) {
        return unit_run(suite());
}
