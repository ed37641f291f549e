/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Any bytes as a JWE for a fixed key (throw-away, made for this). Whatever comes out comes out twice, a failure
 * leaves nothing behind, and a key that nothing was ever sealed to never opens anything.
 */

#include <assert.h>
#include <openssl/pem.h>
#include <string.h>

#include "keybroker-client/jwe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The seeds are sealed to this one. */
static const char sealed_to[] = "-----BEGIN PRIVATE KEY-----\n"
                                "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg/CYl6ou7D5aadttW\n"
                                "WV+wWLsIuILhiqlpfeLqx0APmLuhRANCAASPXpTpkxtp8aEeihImnnqpzMPI2aW5\n"
                                "J2rFR1xYwjmuOelvtilC/tKYE3uwJ6TbePYtGtZu7GBbI06HOiWPCIOl\n"
                                "-----END PRIVATE KEY-----\n";
static const char stranger[] = "-----BEGIN PRIVATE KEY-----\n"
                               "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg+An9CPZaz0t8y9kX\n"
                               "oVgZivJBMEyUwRmtLD43JLNUekehRANCAASE70/QX9xsTuCqinVig2SpzRkQTEzH\n"
                               "1QBPErrEmM7C++ChbHNBL3CykfSsl9KPALrnvata9RH28rg7LVln7Ft2\n"
                               "-----END PRIVATE KEY-----\n";

static KbcTeeKey *load(const char *pem) {
        BIO *bio = BIO_new_mem_buf(pem, -1);
        EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
        KbcTeeKey *key = NULL;

        assert(pkey && kbc_tee_key_new(KBC_TEE_ALG_ECDH_P256, pkey, &key, NULL) == 0);
        EVP_PKEY_free(pkey);
        BIO_free(bio);
        return key;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static KbcTeeKey *key, *other;
        AUTO_SECRET Secret a = {}, b = {}, none = {};
        Error e = {}, f = {};
        int r;

        if (!key) {
                key = load(sealed_to);
                other = load(stranger);
        }
        r = kbc_jwe_open(data, size, key, &a, &e);
        assert(r <= 0 && e.code == r && (r == 0) == (a.bytes != NULL));
        assert(kbc_jwe_open(data, size, key, &b, &f) == r && secret_equal(&a, &b) && strcmp(e.text, f.text) == 0);
        assert(kbc_jwe_open(data, size, other, &none, NULL) < 0 && !none.bytes);
        return 0;
}
