/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "keybroker-client/jwe.h"
#include "tests/broker/seal.h"
#include "tests/unit/unit.h"

/* What the broker seals, the product opens: two implementations of RFC 7516 by different hands. */

static const KbcTeeAlg algs[] = { KBC_TEE_ALG_ECDH_P256, KBC_TEE_ALG_ECDH_P384, KBC_TEE_ALG_ECDH_P521,
                                  KBC_TEE_ALG_RSA_OAEP, KBC_TEE_ALG_RSA_OAEP_256 };

static KbcTeeKey *make_key(KbcTeeAlg alg, BrokerTeeKey *ret) {
        AUTO_JSON json_object *jwk = NULL;
        KbcTeeKey *key = NULL;

        ck_assert_int_eq(kbc_tee_key_generate(alg, &key, NULL), 0);
        ck_assert_int_eq(kbc_tee_key_to_jwk(key, &jwk, NULL), 0);
        ck_assert_int_eq(broker_teekey_parse(jwk, ret, NULL), 0);
        return key;
}

START_TEST(what_is_sealed_opens_with_every_algorithm_and_size) {
        static const size_t sizes[] = { 0, 1, 15, 16, 17, 4096, SECRET_MAX };
        BrokerTeeKey public;
        CLEANUP(kbc_tee_key_freep) KbcTeeKey *key = make_key(algs[_i], &public);
        AUTO_FREE uint8_t *plaintext = calloc(1, SECRET_MAX);

        ck_assert_ptr_nonnull(plaintext);
        for (size_t i = 0; i < SECRET_MAX; i++)
                plaintext[i] = (uint8_t) (i * 7);
        for (size_t i = 0; i < N_ELEMENTS(sizes); i++) {
                AUTO_SECRET Secret secret = {};
                AUTO_BLOB Blob jwe = {};
                Error e = {};

                ck_assert_msg(broker_seal(&public, plaintext, sizes[i], BROKER_SEAL_SOUND, &jwe, &e) == 0, "%s",
                              e.text);
                ck_assert_msg(kbc_jwe_open(jwe.data, jwe.size, key, &secret, &e) == 0, "%s", e.text);
                ck_assert_uint_eq(secret.len, sizes[i]);
                if (sizes[i] > 0)
                        ck_assert_mem_eq(secret.bytes, plaintext, sizes[i]);
        }
} END_TEST

START_TEST(a_flaw_made_on_purpose_does_not_open) {
        for (BrokerSealFlaw flaw = BROKER_SEAL_BAD_TAG; flaw <= BROKER_SEAL_OTHER_KEY; flaw++) {
                BrokerTeeKey public;
                CLEANUP(kbc_tee_key_freep) KbcTeeKey *key = make_key(algs[_i], &public);
                AUTO_SECRET Secret secret = {};
                AUTO_BLOB Blob jwe = {};

                ck_assert_int_eq(broker_seal(&public, "secret", 6, flaw, &jwe, NULL), 0);
                ck_assert_msg(kbc_jwe_open(jwe.data, jwe.size, key, &secret, NULL) < 0, "flaw %u", flaw);
                ck_assert_ptr_null(secret.bytes);
        }
} END_TEST

START_TEST(header_has_the_order_of_the_reference_broker) {
        BrokerTeeKey public;
        static const char want[] = "{\"protected\":\"eyJhbGciOiJFQ0RILUVTK0EyNTZLVyIsImVuYyI6IkEyNTZHQ00iLCJlcGsi"
                                   "OnsiY3J2IjoiUC0yNTYiLCJrdHkiOiJFQyIsIngiOi";
        AUTO_BLOB Blob jwe = {};

        kbc_tee_key_free(make_key(KBC_TEE_ALG_ECDH_P256, &public));
        ck_assert_int_eq(broker_seal(&public, "x", 1, BROKER_SEAL_SOUND, &jwe, NULL), 0);
        ck_assert_uint_gt(jwe.size, sizeof(want));
        ck_assert_mem_eq(jwe.data, want, sizeof(want) - 1);
} END_TEST

static const struct {
        const char *why;
        BrokerTeeKey key;
        int want;
} bad_keys[] = {
        { "coordinate without its leading zero",
          { .type = BROKER_KEY_EC, .alg = "ECDH-ES+A256KW", .crv = "P-256",
            .x = "3f-_o_W21DEUpscbTkTudRxFHhUqNj-j3_RMZmz8KA", .y = "xXctcbBNYfoaEbdNI5sjWHjRNoxqTyRRLXDbEWa57zA" },
          -EBADMSG },
        { "point off the curve",
          { .type = BROKER_KEY_EC, .alg = "ECDH-ES+A256KW", .crv = "P-256",
            .x = "pd3_v6P1ttQxFKbHG05E7nUcRR4VKjY_o9_0TGZs_Cg", .y = "xXctcbBNYfoaEbdNI5sjWHjRNoxqTyRRLXDbEWa57zE" },
          -EBADMSG },
        { "padded coordinate",
          { .type = BROKER_KEY_EC, .alg = "ECDH-ES+A256KW", .crv = "P-256",
            .x = "pd3_v6P1ttQxFKbHG05E7nUcRR4VKjY_o9_0TGZs_Cg=", .y = "xXctcbBNYfoaEbdNI5sjWHjRNoxqTyRRLXDbEWa57zA" },
          -EBADMSG },
        { "unknown curve", { .type = BROKER_KEY_EC, .alg = "ECDH-ES+A256KW", .crv = "secp256k1" }, -EOPNOTSUPP },
        { "agreement without wrapping", { .type = BROKER_KEY_EC, .alg = "ECDH-ES", .crv = "P-256" }, -EOPNOTSUPP },
        { "deprecated RSA1_5", { .type = BROKER_KEY_RSA, .alg = "RSA1_5", .n = "AQAB", .e = "AQAB" }, -EOPNOTSUPP },
        { "a modulus of three bytes", { .type = BROKER_KEY_RSA, .alg = "RSA-OAEP-256", .n = "AQAB", .e = "AQAB" },
          -EBADMSG },
};

START_TEST(a_key_that_cannot_be_sealed_to_is_refused) {
        AUTO_BLOB Blob jwe = {};
        int r = broker_seal(&bad_keys[_i].key, "x", 1, BROKER_SEAL_SOUND, &jwe, NULL);

        ck_assert_msg(r == bad_keys[_i].want, "%s: %d", bad_keys[_i].why, r);
} END_TEST

int main(void) {
        Suite *s = suite_create("broker");
        TCase *c = tcase_create("seal");

        tcase_add_loop_test(c, what_is_sealed_opens_with_every_algorithm_and_size, 0, N_ELEMENTS(algs));
        tcase_add_loop_test(c, a_flaw_made_on_purpose_does_not_open, 0, N_ELEMENTS(algs));
        tcase_add_test(c, header_has_the_order_of_the_reference_broker);
        tcase_add_loop_test(c, a_key_that_cannot_be_sealed_to_is_refused, 0, N_ELEMENTS(bad_keys));
        suite_add_tcase(s, c);
        return unit_run(s);
}
