/* SPDX-License-Identifier: Apache-2.0 */
#include "keybroker-client/jwe.h"

#include <errno.h>
#include <openssl/ec.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "tests/unit/keybroker-client/seal.h"
#include "tests/unit/unit.h"

static const struct {
        KbcTeeAlg alg;
        const char *name;
} algs[] = {
        { KBC_TEE_ALG_ECDH_P256, NULL },
        { KBC_TEE_ALG_ECDH_P384, NULL },
        { KBC_TEE_ALG_ECDH_P521, NULL },
        { KBC_TEE_ALG_RSA_OAEP, "RSA-OAEP" },
        { KBC_TEE_ALG_RSA_OAEP_256, "RSA-OAEP-256" },
};

static KbcTeeKey *new_key(KbcTeeAlg alg) {
        KbcTeeKey *key = NULL;

        ck_assert_int_eq(kbc_tee_key_generate(alg, &key, NULL), 0);
        return key;
}

static int open_text(const char *jwe, const KbcTeeKey *key, Secret *ret, Error *e) {
        return kbc_jwe_open(jwe, strlen(jwe), key, ret, e);
}

START_TEST(what_was_sealed_to_our_key_opens) {
        static const size_t sizes[] = { 0, 1, 2, 3, 15, 16, 17, 4096, SECRET_MAX - 1, SECRET_MAX };
        CLEANUP(kbc_tee_key_freep) KbcTeeKey *key = new_key(algs[_i].alg);
        const SealOptions options = { .alg = algs[_i].name };
        static uint8_t plain[SECRET_MAX];

        ck_assert_int_eq(RAND_bytes(plain, sizeof(plain)), 1);
        for (size_t i = 0; i < N_ELEMENTS(sizes); i++) {
                AUTO_FREE char *jwe = jwe_seal(kbc_tee_key_pkey(key), plain, sizes[i], &options);
                AUTO_SECRET Secret s = {};
                Error e = {};

                ck_assert_msg(open_text(jwe, key, &s, &e) == 0, "%s", e.text);
                ck_assert_uint_eq(s.len, sizes[i]);
                ck_assert_mem_eq(s.bytes, plain, sizes[i]);
        }
}
END_TEST

START_TEST(content_beyond_the_limit_of_a_secret_is_refused) {
        CLEANUP(kbc_tee_key_freep) KbcTeeKey *key = new_key(KBC_TEE_ALG_ECDH_P256);
        AUTO_FREE uint8_t *plain = calloc(2, SECRET_MAX);
        static const size_t sizes[] = { SECRET_MAX + 1, SECRET_MAX + 2, SECRET_MAX + 3, 2 * SECRET_MAX };

        for (size_t i = 0; i < N_ELEMENTS(sizes); i++) {
                AUTO_FREE char *jwe = jwe_seal(kbc_tee_key_pkey(key), plain, sizes[i], NULL);
                AUTO_SECRET Secret s = {};

                ck_assert_int_eq(open_text(jwe, key, &s, NULL), -E2BIG);
                ck_assert_ptr_null(s.bytes);
        }
}
END_TEST

START_TEST(what_was_sealed_to_another_key_does_not_open) {
        CLEANUP(kbc_tee_key_freep) KbcTeeKey *key = new_key(algs[_i].alg), *other = new_key(algs[_i].alg);
        const SealOptions options = { .alg = algs[_i].name };
        AUTO_FREE char *jwe = jwe_seal(kbc_tee_key_pkey(other), "content", 7, &options);
        AUTO_SECRET Secret s = {};
        Error e = {};

        ck_assert_int_eq(open_text(jwe, key, &s, &e), -EKEYREJECTED);
        ck_assert_str_eq(e.reason, "jwe-not-decrypted");
        ck_assert_ptr_null(s.bytes);
}
END_TEST

static const struct {
        const char *why;
        KbcTeeAlg alg;
        SealOptions options;
        int want;
        const char *reason;
} variants[] = {
        { "party information is part of the key", KBC_TEE_ALG_ECDH_P256, { .apu = "QWxpY2U", .apv = "Qm9i" }, 0, NULL },
        { "the same on P-521", KBC_TEE_ALG_ECDH_P521, { .apu = "AA" }, 0, NULL },
        { "empty party information", KBC_TEE_ALG_ECDH_P256, { .apu = "", .apv = "" }, 0, NULL },
        { "party information not base64url", KBC_TEE_ALG_ECDH_P256, { .extra = ",\"apu\":\"QQ==\"" }, -EBADMSG, "jwe-member" },
        { "party information not a string", KBC_TEE_ALG_ECDH_P256, { .extra = ",\"apv\":1" }, -EBADMSG, NULL },
        { "additional data", KBC_TEE_ALG_ECDH_P256, { .aad = "YWFk" }, 0, NULL },
        { "additional data not base64url", KBC_TEE_ALG_ECDH_P256, { .aad = "a+/=" }, -EBADMSG, "jwe-member" },
        { "additional data with RSA", KBC_TEE_ALG_RSA_OAEP_256, { .aad = "YWFk" }, 0, NULL },
        { "header parameters nobody has to know", KBC_TEE_ALG_ECDH_P256, { .extra = ",\"kid\":\"k\",\"cty\":\"x\"" }, 0, NULL },
        { "crit", KBC_TEE_ALG_ECDH_P256, { .extra = ",\"crit\":[\"exp\"],\"exp\":1" }, -EOPNOTSUPP, "jwe-extension" },
        { "crit null", KBC_TEE_ALG_ECDH_P256, { .extra = ",\"crit\":null" }, -EOPNOTSUPP, "jwe-extension" },
        { "compression", KBC_TEE_ALG_ECDH_P256, { .extra = ",\"zip\":\"DEF\"" }, -EOPNOTSUPP, "jwe-extension" },
        { "duplicate header parameter", KBC_TEE_ALG_ECDH_P256, { .extra = ",\"enc\":\"A256GCM\"" }, -EBADMSG, NULL },
        { "another content encryption", KBC_TEE_ALG_ECDH_P256, { .enc = "A128GCM" }, -EOPNOTSUPP, "enc-unsupported" },
        { "direct agreement", KBC_TEE_ALG_ECDH_P256, { .alg = "ECDH-ES" }, -EPROTO, "alg-mismatch" },
        { "a smaller wrap", KBC_TEE_ALG_ECDH_P256, { .alg = "ECDH-ES+A128KW" }, -EPROTO, "alg-mismatch" },
        { "the algorithm in other letters", KBC_TEE_ALG_ECDH_P256, { .alg = "ecdh-es+a256kw" }, -EPROTO, "alg-mismatch" },
        { "an algorithm for RSA", KBC_TEE_ALG_ECDH_P256, { .alg = "RSA-OAEP-256" }, -EPROTO, "alg-mismatch" },
        { "RSA1_5 for an elliptic key", KBC_TEE_ALG_ECDH_P256, { .alg = "RSA1_5" }, -EOPNOTSUPP, "alg-deprecated" },
        { "SHA-1 for a key that said SHA-256", KBC_TEE_ALG_RSA_OAEP_256, { .alg = "RSA-OAEP" }, -EPROTO, "alg-mismatch" },
        { "SHA-256 for a key that said SHA-1", KBC_TEE_ALG_RSA_OAEP, { .alg = "RSA-OAEP-256" }, -EPROTO, "alg-mismatch" },
        { "RSA1_5", KBC_TEE_ALG_RSA_OAEP_256, { .alg = "RSA1_5" }, -EOPNOTSUPP, "alg-deprecated" },
        { "key derived for the content algorithm", KBC_TEE_ALG_ECDH_P256, { .kdf_alg = "A256GCM" }, -EKEYREJECTED, "jwe-not-decrypted" },
        { "content key too short", KBC_TEE_ALG_ECDH_P256, { .cek_size = 16 }, -EBADMSG, "jwe-member" },
        { "content key too long", KBC_TEE_ALG_ECDH_P256, { .cek_size = 40 }, -EBADMSG, "jwe-member" },
        { "RSA content key too short", KBC_TEE_ALG_RSA_OAEP_256, { .cek_size = 16 }, -EKEYREJECTED, "jwe-not-decrypted" },
        { "RSA content key too long", KBC_TEE_ALG_RSA_OAEP_256, { .cek_size = 64 }, -EKEYREJECTED, "jwe-not-decrypted" },
};

START_TEST(variant_is_judged) {
        CLEANUP(kbc_tee_key_freep) KbcTeeKey *key = new_key(variants[_i].alg);
        AUTO_FREE char *jwe = jwe_seal(kbc_tee_key_pkey(key), "content", 7, &variants[_i].options);
        AUTO_SECRET Secret s = {};
        Error e = {};
        int r = open_text(jwe, key, &s, &e);

        ck_assert_msg(r == variants[_i].want, "%s: %d %s", variants[_i].why, r, e.text);
        if (variants[_i].reason)
                ck_assert_str_eq(e.reason, variants[_i].reason);
        ck_assert_int_eq(s.bytes != NULL, r == 0);
}
END_TEST

static const struct {
        const char *why, *name, *value; /* value NULL: removed */
        int want;
} changed_members[] = {
        { "no protected header", "protected", NULL, -EBADMSG },
        { "no tag", "tag", NULL, -EBADMSG },
        { "no iv", "iv", NULL, -EBADMSG },
        { "no ciphertext", "ciphertext", NULL, -EBADMSG },
        { "no wrapped key", "encrypted_key", NULL, -EBADMSG },
        { "additional data nobody sealed", "aad", "\"YWFk\"", -EKEYREJECTED },
        { "empty additional data is none", "aad", "\"\"", 0 },
        { "members nobody has to know", "note", "{\"a\":1}", 0 },
        { "unprotected header", "header", "{}", -EOPNOTSUPP },
        { "shared unprotected header", "unprotected", "{}", -EOPNOTSUPP },
        { "several recipients", "recipients", "[]", -EOPNOTSUPP },
        { "protected header of null", "protected", "null", -EBADMSG },
        { "protected header is no object", "protected", "\"W10\"", -EBADMSG },
        { "protected header is no JSON", "protected", "\"AAAA\"", -EBADMSG },
        { "protected header without algorithm", "protected", "\"e30\"", -EBADMSG },
        { "tag as a number", "tag", "1", -EBADMSG },
        { "tag of 12 bytes", "tag", "\"AAAAAAAAAAAAAAAA\"", -EBADMSG },
        { "empty tag", "tag", "\"\"", -EBADMSG },
        { "iv of 9 bytes", "iv", "\"AAAAAAAAAAAA\"", -EBADMSG },
        { "wrapped key of 32 bytes", "encrypted_key", "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"", -EBADMSG },
};

START_TEST(changed_member_is_judged) {
        CLEANUP(kbc_tee_key_freep) KbcTeeKey *key = new_key(KBC_TEE_ALG_ECDH_P256);
        AUTO_FREE char *jwe = jwe_seal(kbc_tee_key_pkey(key), "content", 7, NULL);
        AUTO_JSON json_object *o = NULL, *value = NULL;
        const char *text = changed_members[_i].value;
        AUTO_SECRET Secret s = {};
        Error e = {};
        int r;

        ck_assert_int_eq(json_parse(jwe, strlen(jwe), "JWE", &o, NULL), 0);
        json_object_object_del(o, changed_members[_i].name);
        if (text) {
                ck_assert_int_eq(json_parse(text, strlen(text), "value", &value, NULL), 0);
                ck_assert_int_eq(json_object_object_add(o, changed_members[_i].name, TAKE_PTR(value)), 0);
        }
        r = open_text(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN), key, &s, &e);
        ck_assert_msg(r == changed_members[_i].want, "%s: %d %s", changed_members[_i].why, r, e.text);
}
END_TEST

START_TEST(ephemeral_key_on_another_curve_is_refused) {
        CLEANUP(kbc_tee_key_freep) KbcTeeKey *key = new_key(KBC_TEE_ALG_ECDH_P256), *p384 = new_key(KBC_TEE_ALG_ECDH_P384);
        AUTO_FREE char *jwe = jwe_seal(kbc_tee_key_pkey(p384), "content", 7, NULL);
        AUTO_SECRET Secret s = {};
        Error e = {};

        ck_assert_int_eq(open_text(jwe, key, &s, &e), -EPROTO);
        ck_assert_str_eq(e.reason, "epk-curve");
}
END_TEST

START_TEST(every_truncation_is_refused) {
        CLEANUP(kbc_tee_key_freep) KbcTeeKey *key = new_key(KBC_TEE_ALG_ECDH_P256);
        AUTO_FREE char *jwe = jwe_seal(kbc_tee_key_pkey(key), "a secret of the usual length here", 33, NULL);

        for (size_t n = 0; n < strlen(jwe); n++) {
                AUTO_FREE char *copy = malloc(n + 1); /* exact, so that the sanitizer sees a read beyond */
                AUTO_SECRET Secret s = {};

                (void) memcpy(copy, jwe, n);
                ck_assert_int_eq(kbc_jwe_open(copy, n, key, &s, NULL), -EBADMSG);
                ck_assert_ptr_null(s.bytes);
        }
}
END_TEST

/* No bit of a JWE is free: the header is authenticated as text, base64url has one spelling, names are needed. */
START_TEST(every_flipped_bit_keeps_it_shut) {
        CLEANUP(kbc_tee_key_freep) KbcTeeKey *key = new_key(algs[_i].alg);
        const SealOptions options = { .alg = algs[_i].name };
        AUTO_FREE char *jwe = jwe_seal(kbc_tee_key_pkey(key), "a secret of the usual length here", 33, &options);
        size_t len = strlen(jwe);

        for (size_t bit = 0; bit < 8 * len; bit++) {
                AUTO_SECRET Secret s = {};
                Error e = {};

                jwe[bit / 8] ^= (char) (1u << bit % 8);
                ck_assert_msg(kbc_jwe_open(jwe, len, key, &s, &e) < 0, "bit %zu of byte %zu", bit % 8, bit / 8);
                ck_assert_int_ne(e.code, 0);
                ck_assert_ptr_null(s.bytes);
                jwe[bit / 8] ^= (char) (1u << bit % 8);
        }
}
END_TEST

int main(void) {
        Suite *s = suite_create("keybroker-client");
        TCase *t = tcase_create("jwe");

        tcase_add_loop_test(t, what_was_sealed_to_our_key_opens, 0, N_ELEMENTS(algs));
        tcase_add_test(t, content_beyond_the_limit_of_a_secret_is_refused);
        tcase_add_loop_test(t, what_was_sealed_to_another_key_does_not_open, 0, N_ELEMENTS(algs));
        tcase_add_loop_test(t, variant_is_judged, 0, N_ELEMENTS(variants));
        tcase_add_loop_test(t, changed_member_is_judged, 0, N_ELEMENTS(changed_members));
        tcase_add_test(t, ephemeral_key_on_another_curve_is_refused);
        tcase_add_test(t, every_truncation_is_refused);
        tcase_add_loop_test(t, every_flipped_bit_keeps_it_shut, 0, 1); /* P-256, what brokers use */
        suite_add_tcase(s, t);
        return unit_run(s);
}
