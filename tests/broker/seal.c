/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/broker/seal.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/secret.h"
#include "base/writer.h"

#define CEK_SIZE 32
#define IV_SIZE 12
#define TAG_SIZE 16
#define COORDINATE_MAX 66
#define WRAPPED_MAX 1024 /* RSA of 8192 bits */

typedef struct Jwe {
        char *protected; /* base64url of the header, which is also the AAD */
        uint8_t wrapped[WRAPPED_MAX];
        size_t wrapped_size;
        uint8_t iv[IV_SIZE];
        Blob ciphertext;
        uint8_t tag[TAG_SIZE];
} Jwe;

static void jwe_done(Jwe *j) {
        free(j->protected);
        blob_done(&j->ciphertext);
}

static int crypto_failed(Error *e, const char *what) {
        return error_set(e, -EIO, "crypto", "%s failed", what);
}

/* One round of the concat KDF: RFC 7518 section 4.6.2 with empty PartyUInfo and PartyVInfo. */
static int derive_kek(const uint8_t *z, size_t z_size, uint8_t kek[static 32], Error *e) {
        static const char alg[] = "ECDH-ES+A256KW";
        uint8_t input[4 + COORDINATE_MAX + 4 + sizeof(alg) - 1 + 4 + 4 + 4], *p = input;
        size_t n = 32;
        bool ok;

        store_be32(p, 1), p += 4;
        (void) memcpy(p, z, z_size), p += z_size;
        store_be32(p, sizeof(alg) - 1), p += 4;
        (void) memcpy(p, alg, sizeof(alg) - 1), p += sizeof(alg) - 1;
        store_be32(p, 0), p += 4;
        store_be32(p, 0), p += 4;
        store_be32(p, 256), p += 4;
        ok = EVP_Q_digest(NULL, "SHA256", NULL, input, (size_t) (p - input), kek, &n) == 1;
        OPENSSL_cleanse(input, sizeof(input));
        return ok ? 0 : crypto_failed(e, "Key derivation");
}

static int agree(EVP_PKEY *ours, EVP_PKEY *peer, uint8_t kek[static 32], Error *e) {
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, ours, NULL);
        uint8_t z[COORDINATE_MAX];
        size_t n = sizeof(z);
        int r;

        if (ctx && EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, peer) == 1 &&
            EVP_PKEY_derive(ctx, z, &n) == 1)
                r = derive_kek(z, n, kek, e);
        else
                r = crypto_failed(e, "ECDH");
        OPENSSL_cleanse(z, sizeof(z));
        EVP_PKEY_CTX_free(ctx);
        return r;
}

/* RFC 3394, default initial value. */
static int wrap_cek(const uint8_t kek[static 32], const uint8_t cek[static CEK_SIZE], Jwe *jwe, Error *e) {
        EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-256-WRAP", NULL);
        EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
        int n = 0;
        bool ok;

        if (ctx)
                EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
        ok = cipher && ctx && EVP_EncryptInit_ex2(ctx, cipher, kek, NULL, NULL) == 1 &&
             EVP_EncryptUpdate(ctx, jwe->wrapped, &n, cek, CEK_SIZE) == 1;
        EVP_CIPHER_CTX_free(ctx);
        EVP_CIPHER_free(cipher);
        jwe->wrapped_size = (size_t) n;
        return ok ? 0 : crypto_failed(e, "Key wrap");
}

static int encode_header(Jwe *jwe, const char *alg, const char *enc, const char *epk, Error *e) {
        AUTO_FREE char *header = NULL;
        AUTO_WRITER Writer w = wr_init(4096);

        wr_str(&w, "{\"alg\":");
        broker_canonical_string(&w, alg);
        wr_str(&w, ",\"enc\":");
        broker_canonical_string(&w, enc);
        if (epk) {
                wr_str(&w, ",\"epk\":");
                wr_str(&w, epk);
        }
        wr_str(&w, "}");
        if (wr_finish_str(&w, &header) < 0)
                return error_oom(e);
        jwe->protected = base64_encode(BASE64_URL, header, strlen(header));
        return jwe->protected ? 0 : error_oom(e);
}

/* JWK of the ephemeral key, members in alphabetical order. */
static int epk_text(EVP_PKEY *ephemeral, const char *crv, size_t size, bool off_curve, char **ret, Error *e) {
        AUTO_FREE char *x = NULL;
        AUTO_FREE char *y = NULL;
        AUTO_WRITER Writer w = wr_init(1024);
        uint8_t point[1 + 2 * COORDINATE_MAX];
        size_t n;

        if (EVP_PKEY_get_octet_string_param(ephemeral, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point, sizeof(point), &n) !=
                    1 || n != 1 + 2 * size)
                return crypto_failed(e, "Export of the ephemeral key");
        if (off_curve)
                point[2 * size] ^= 1; /* last byte of y: y^2 changes, x does not */
        x = base64_encode(BASE64_URL, point + 1, size);
        y = base64_encode(BASE64_URL, point + 1 + size, size);
        if (!x || !y)
                return error_oom(e);
        wr_str(&w, "{\"crv\":");
        broker_canonical_string(&w, crv);
        wr_str(&w, ",\"kty\":\"EC\",\"x\":");
        broker_canonical_string(&w, x);
        wr_str(&w, ",\"y\":");
        broker_canonical_string(&w, y);
        wr_str(&w, "}");
        return wr_finish_str(&w, ret) < 0 ? error_oom(e) : 0;
}

static const char *header_enc(BrokerSealFlaw flaw) {
        return flaw == BROKER_SEAL_BAD_ENC ? "A128GCM" : "A256GCM";
}

static int encrypt_key_ec(const BrokerTeeKey *key, EVP_PKEY *peer, const uint8_t *cek, BrokerSealFlaw flaw, Jwe *jwe,
                          Error *e) {
        AUTO_BROKER_PKEY EVP_PKEY *ephemeral = NULL;
        AUTO_FREE char *epk = NULL;
        uint8_t kek[32];
        size_t size = 0;
        const char *group = broker_curve_group(key->crv, &size);
        int r;

        ephemeral = EVP_PKEY_Q_keygen(NULL, NULL, "EC", group);
        if (!ephemeral)
                return crypto_failed(e, "Ephemeral key");
        if (EVP_PKEY_set_utf8_string_param(ephemeral, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "uncompressed") != 1)
                return crypto_failed(e, "Ephemeral key");
        r = agree(ephemeral, peer, kek, e);
        if (r == 0)
                r = wrap_cek(kek, cek, jwe, e);
        OPENSSL_cleanse(kek, sizeof(kek));
        if (r == 0)
                r = epk_text(ephemeral, key->crv, size, flaw == BROKER_SEAL_BAD_EPK, &epk, e);
        if (r == 0)
                r = encode_header(jwe, flaw == BROKER_SEAL_BAD_ALG ? "ECDH-ES+A128KW" : key->alg, header_enc(flaw), epk,
                                  e);
        return r;
}

static int encrypt_key_rsa(const BrokerTeeKey *key, EVP_PKEY *peer, const uint8_t *cek, BrokerSealFlaw flaw, Jwe *jwe,
                           Error *e) {
        const char *digest = strcmp(key->alg, "RSA-OAEP-256") == 0 ? "SHA256" : "SHA1";
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, peer, NULL);
        bool ok;

        jwe->wrapped_size = sizeof(jwe->wrapped);
        ok = ctx && EVP_PKEY_encrypt_init(ctx) == 1 &&
             EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1 &&
             EVP_PKEY_CTX_set_rsa_oaep_md_name(ctx, digest, NULL) == 1 &&
             EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, digest, NULL) == 1 &&
             EVP_PKEY_encrypt(ctx, jwe->wrapped, &jwe->wrapped_size, cek, CEK_SIZE) == 1;
        EVP_PKEY_CTX_free(ctx);
        if (!ok)
                return crypto_failed(e, "RSA-OAEP");
        if (flaw == BROKER_SEAL_BAD_EPK)
                jwe->wrapped[jwe->wrapped_size / 2] ^= 1;
        return encode_header(jwe, flaw == BROKER_SEAL_BAD_ALG ? "RSA1_5" : key->alg, header_enc(flaw), NULL, e);
}

static int encrypt_content(const uint8_t *cek, const void *plaintext, size_t size, Jwe *jwe, Error *e) {
        EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
        int n = 0, tail = 0;
        bool ok;

        if (!ctx || RAND_bytes(jwe->iv, IV_SIZE) != 1 || !(jwe->ciphertext.data = malloc(size + TAG_SIZE))) {
                EVP_CIPHER_CTX_free(ctx);
                return error_oom(e);
        }
        ok = EVP_EncryptInit_ex2(ctx, EVP_aes_256_gcm(), cek, jwe->iv, NULL) == 1 &&
             EVP_EncryptUpdate(ctx, NULL, &n, (const uint8_t *) jwe->protected, (int) strlen(jwe->protected)) == 1;
        n = 0;
        if (ok && size > 0)
                ok = EVP_EncryptUpdate(ctx, jwe->ciphertext.data, &n, plaintext, (int) size) == 1;
        ok = ok && EVP_EncryptFinal_ex(ctx, jwe->ciphertext.data + n, &tail) == 1 &&
             EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, jwe->tag) == 1;
        jwe->ciphertext.size = (size_t) (n + tail);
        EVP_CIPHER_CTX_free(ctx);
        return ok ? 0 : crypto_failed(e, "AES-GCM");
}

static void write_bytes(Writer *w, const char *before, const void *data, size_t size) {
        AUTO_FREE char *text = base64_encode(BASE64_URL, data, size);

        wr_str(w, before);
        if (text)
                broker_canonical_string(w, text);
        else
                w->error = -ENOMEM;
}

static int serialise(const Jwe *jwe, BrokerSealFlaw flaw, Blob *ret, Error *e) {
        AUTO_WRITER Writer w = wr_init(jwe->ciphertext.size * 2 + 8192);

        wr_str(&w, "{\"protected\":");
        broker_canonical_string(&w, jwe->protected);
        write_bytes(&w, ",\"encrypted_key\":", jwe->wrapped, jwe->wrapped_size);
        if (flaw != BROKER_SEAL_NO_IV)
                write_bytes(&w, ",\"iv\":", jwe->iv, IV_SIZE);
        write_bytes(&w, ",\"ciphertext\":", jwe->ciphertext.data, jwe->ciphertext.size);
        write_bytes(&w, ",\"tag\":", jwe->tag, TAG_SIZE);
        wr_str(&w, "}");
        return wr_finish(&w, ret) < 0 ? error_oom(e) : 0;
}

/* A fresh key of the same kind, for BROKER_SEAL_OTHER_KEY. */
static EVP_PKEY *other_key(const BrokerTeeKey *key) {
        size_t size;

        if (key->type == BROKER_KEY_RSA)
                return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t) 2048);
        return EVP_PKEY_Q_keygen(NULL, NULL, "EC", broker_curve_group(key->crv, &size));
}

int broker_seal(const BrokerTeeKey *key, const void *plaintext, size_t size, BrokerSealFlaw flaw, Blob *ret, Error *e) {
        AUTO_BROKER_PKEY EVP_PKEY *peer = NULL;
        AUTO_SECRET Secret cek = {};
        CLEANUP(jwe_done) Jwe jwe = {};
        int r = broker_teekey_to_pkey(key, &peer, e);

        if (r == 0)
                r = secret_alloc(CEK_SIZE, &cek, e);
        if (r < 0)
                return r;
        if (flaw == BROKER_SEAL_OTHER_KEY) {
                EVP_PKEY_free(peer);
                peer = other_key(key);
        }
        if (!peer || RAND_priv_bytes(cek.bytes, CEK_SIZE) != 1)
                return crypto_failed(e, "Random key");
        r = key->type == BROKER_KEY_EC ? encrypt_key_ec(key, peer, cek.bytes, flaw, &jwe, e) :
                                         encrypt_key_rsa(key, peer, cek.bytes, flaw, &jwe, e);
        if (r == 0)
                r = encrypt_content(cek.bytes, plaintext, size, &jwe, e);
        if (r == 0 && flaw == BROKER_SEAL_BAD_TAG)
                jwe.tag[0] ^= 1;
        return r < 0 ? r : serialise(&jwe, flaw, ret, e);
}
