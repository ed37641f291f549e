/* SPDX-License-Identifier: Apache-2.0 */
#include "keybroker-client/tee-key.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "tests/unit/keybroker-client/seal.h"
#include "tests/unit/unit.h"

static const struct {
        KbcTeeAlg alg;
        const char *kty, *name, *crv;
        size_t coordinate_size;
} algs[] = {
        { KBC_TEE_ALG_ECDH_P256, "EC", "ECDH-ES+A256KW", "P-256", 32 },
        { KBC_TEE_ALG_ECDH_P384, "EC", "ECDH-ES+A256KW", "P-384", 48 },
        { KBC_TEE_ALG_ECDH_P521, "EC", "ECDH-ES+A256KW", "P-521", 66 },
        { KBC_TEE_ALG_RSA_OAEP, "RSA", "RSA-OAEP", NULL, 0 },
        { KBC_TEE_ALG_RSA_OAEP_256, "RSA", "RSA-OAEP-256", NULL, 0 },
};

static const char *str(json_object *o, const char *name) {
        return json_object_get_string(json_object_object_get(o, name));
}

START_TEST(jwk_has_exactly_the_members_the_broker_hashes) {
        CLEANUP(kbc_tee_key_freep) KbcTeeKey *key = NULL;
        AUTO_JSON json_object *jwk = NULL;
        AUTO_PKEY EVP_PKEY *again = NULL;

        ck_assert_int_eq(kbc_tee_key_generate(algs[_i].alg, &key, NULL), 0);
        ck_assert_int_eq(kbc_tee_key_to_jwk(key, &jwk, NULL), 0);
        ck_assert_str_eq(str(jwk, "kty"), algs[_i].kty);
        ck_assert_str_eq(str(jwk, "alg"), algs[_i].name);
        ck_assert_str_eq(kbc_tee_key_alg_name(key), algs[_i].name);
        if (algs[_i].crv) {
                ck_assert_int_eq(json_object_object_length(jwk), 5);
                ck_assert_str_eq(str(jwk, "crv"), algs[_i].crv);
                ck_assert_uint_eq(strlen(str(jwk, "x")), (algs[_i].coordinate_size * 8 + 5) / 6);
                ck_assert_uint_eq(strlen(str(jwk, "y")), (algs[_i].coordinate_size * 8 + 5) / 6);
        } else {
                ck_assert_int_eq(json_object_object_length(jwk), 4);
                ck_assert_str_eq(str(jwk, "e"), "AQAB");
                ck_assert_uint_eq(strlen(str(jwk, "n")), (KBC_TEE_RSA_BITS + 5) / 6);
        }
        again = jwk_to_pkey(jwk);
        ck_assert_int_eq(EVP_PKEY_eq(again, kbc_tee_key_pkey(key)), 1);
}
END_TEST

START_TEST(two_keys_are_never_the_same) {
        CLEANUP(kbc_tee_key_freep) KbcTeeKey *a = NULL, *b = NULL;

        ck_assert_int_eq(kbc_tee_key_generate(KBC_TEE_ALG_ECDH_P256, &a, NULL), 0);
        ck_assert_int_eq(kbc_tee_key_generate(KBC_TEE_ALG_ECDH_P256, &b, NULL), 0);
        ck_assert_int_ne(EVP_PKEY_eq(kbc_tee_key_pkey(a), kbc_tee_key_pkey(b)), 1);
}
END_TEST

/* One key in 128 has such a coordinate; look for one of each kind. */
START_TEST(leading_zeros_of_coordinates_are_kept) {
        bool seen_x = false, seen_y = false;

        for (int i = 0; i < 20000 && !(seen_x && seen_y); i++) {
                CLEANUP(kbc_tee_key_freep) KbcTeeKey *key = NULL;
                AUTO_JSON json_object *jwk = NULL;

                ck_assert_int_eq(kbc_tee_key_generate(KBC_TEE_ALG_ECDH_P256, &key, NULL), 0);
                ck_assert_int_eq(kbc_tee_key_to_jwk(key, &jwk, NULL), 0);
                ck_assert_uint_eq(strlen(str(jwk, "x")), 43);
                ck_assert_uint_eq(strlen(str(jwk, "y")), 43);
                seen_x = seen_x || strncmp(str(jwk, "x"), "AA", 2) == 0 || strncmp(str(jwk, "x"), "AB", 2) == 0;
                seen_y = seen_y || strncmp(str(jwk, "y"), "AA", 2) == 0 || strncmp(str(jwk, "y"), "AB", 2) == 0;
        }
        ck_assert(seen_x && seen_y);
}
END_TEST

START_TEST(key_of_another_kind_is_refused) {
        AUTO_PKEY EVP_PKEY *p256 = EVP_EC_gen("prime256v1"), *k1 = EVP_EC_gen("secp256k1");
        AUTO_PKEY EVP_PKEY *small = EVP_RSA_gen(1024);
        KbcTeeKey *key = NULL;

        ck_assert_int_eq(kbc_tee_key_new(KBC_TEE_ALG_ECDH_P384, p256, &key, NULL), -EINVAL);
        ck_assert_int_eq(kbc_tee_key_new(KBC_TEE_ALG_RSA_OAEP, p256, &key, NULL), -EINVAL);
        ck_assert_int_eq(kbc_tee_key_new(KBC_TEE_ALG_ECDH_P256, k1, &key, NULL), -EINVAL);
        ck_assert_int_eq(kbc_tee_key_new(KBC_TEE_ALG_RSA_OAEP_256, small, &key, NULL), -EINVAL);
        ck_assert_int_eq(kbc_tee_key_new((KbcTeeAlg) 99, p256, &key, NULL), -EINVAL);
        ck_assert_int_eq(kbc_tee_key_generate((KbcTeeAlg) 99, &key, NULL), -EINVAL);
        ck_assert_ptr_null(key);
}
END_TEST

START_TEST(points_off_the_curve_are_refused) {
        CLEANUP(kbc_tee_key_freep) KbcTeeKey *key = NULL, *other = NULL;
        uint8_t x[66] = {}, y[66] = {};
        AUTO_PKEY EVP_PKEY *point = NULL;
        AUTO_JSON json_object *jwk = NULL;
        size_t n;
        Error e = {};

        ck_assert_int_eq(kbc_tee_key_generate(algs[_i].alg, &key, NULL), 0);
        ck_assert_int_eq(kbc_tee_key_generate(algs[_i].alg, &other, NULL), 0);
        /* (0, 0) stands for the point at infinity in some libraries; (2^n - 1, ...) is beyond the field. */
        ck_assert_int_eq(kbc_ec_point_new(key, x, y, &point, &e), -EBADMSG);
        ck_assert_str_eq(e.reason, "ec-point");
        (void) memset(x, 0xff, sizeof(x));
        ck_assert_int_eq(kbc_ec_point_new(key, x, y, &point, NULL), -EBADMSG);

        ck_assert_int_eq(kbc_tee_key_to_jwk(other, &jwk, NULL), 0);
        ck_assert_int_eq(base64_decode_to(BASE64_URL, str(jwk, "x"), strlen(str(jwk, "x")), x, sizeof(x), &n), 0);
        ck_assert_int_eq(base64_decode_to(BASE64_URL, str(jwk, "y"), strlen(str(jwk, "y")), y, sizeof(y), &n), 0);
        for (size_t bit = 0; bit < 8 * n; bit += 7) {
                y[bit / 8] ^= (uint8_t) (1u << bit % 8);
                ck_assert_int_eq(kbc_ec_point_new(key, x, y, &point, NULL), -EBADMSG);
                ck_assert_ptr_null(point);
                y[bit / 8] ^= (uint8_t) (1u << bit % 8);
        }
        ck_assert_int_eq(kbc_ec_point_new(key, x, y, &point, NULL), 0);
        ck_assert_int_eq(EVP_PKEY_eq(point, kbc_tee_key_pkey(other)), 1);
}
END_TEST

int main(void) {
        Suite *s = suite_create("keybroker-client");
        TCase *t = tcase_create("tee-key");

        tcase_add_loop_test(t, jwk_has_exactly_the_members_the_broker_hashes, 0, N_ELEMENTS(algs));
        tcase_add_test(t, two_keys_are_never_the_same);
        tcase_add_test(t, leading_zeros_of_coordinates_are_kept);
        tcase_add_test(t, key_of_another_kind_is_refused);
        tcase_add_loop_test(t, points_off_the_curve_are_refused, 0, 3); /* the elliptic curves */
        suite_add_tcase(s, t);
        return unit_run(s);
}
