/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/snp-launch/keys.h"

#include <openssl/ec.h>
#include <openssl/encoder.h>
#include <stdlib.h>
#include <string.h>

static const struct {
        int selection;
        const char *format, *structure, *cipher;
} forms[KEY_N_FORMS] = {
        [KEY_PKCS8_PEM] = { EVP_PKEY_KEYPAIR, "PEM", "PrivateKeyInfo", NULL },
        [KEY_SEC1_PEM] = { EVP_PKEY_KEYPAIR, "PEM", "type-specific", NULL },
        [KEY_PKCS8_DER] = { EVP_PKEY_KEYPAIR, "DER", "PrivateKeyInfo", NULL },
        [KEY_SEC1_DER] = { EVP_PKEY_KEYPAIR, "DER", "type-specific", NULL },
        [KEY_ENCRYPTED_PEM] = { EVP_PKEY_KEYPAIR, "PEM", "EncryptedPrivateKeyInfo", "AES-256-CBC" },
        [KEY_PUBLIC_PEM] = { EVP_PKEY_PUBLIC_KEY, "PEM", "SubjectPublicKeyInfo", NULL },
        [KEY_PUBLIC_DER] = { EVP_PKEY_PUBLIC_KEY, "DER", "SubjectPublicKeyInfo", NULL },
};

EVP_PKEY *key_make(const char *curve) {
        EVP_PKEY *key = EVP_EC_gen(curve);

        if (!key)
                abort();
        return key;
}

Secret key_file(EVP_PKEY *key, KeyForm form) {
        OSSL_ENCODER_CTX *ctx = OSSL_ENCODER_CTX_new_for_pkey(key, forms[form].selection, forms[form].format,
                                                              forms[form].structure, NULL);
        unsigned char *data = NULL;
        Secret s = {};
        size_t n = 0;

        if (!ctx || (forms[form].cipher &&
                     (OSSL_ENCODER_CTX_set_cipher(ctx, forms[form].cipher, NULL) != 1 ||
                      OSSL_ENCODER_CTX_set_passphrase(ctx, (const unsigned char *) "open", 4) != 1)) ||
            OSSL_ENCODER_to_data(ctx, &data, &n) != 1 || secret_alloc(n, &s, NULL) < 0)
                abort();
        memcpy(s.bytes, data, n);
        OPENSSL_clear_free(data, n);
        OSSL_ENCODER_CTX_free(ctx);
        return s;
}
