/* SPDX-License-Identifier: Apache-2.0 */
#include "keybroker-client/jwe-keys.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <string.h>

#include "base/writer.h"

#define WRAPPED_CEK_SIZE (KBC_CEK_SIZE + 8) /* RFC 3394 section 2.2.1: one block of 8 more */

static inline void md_ctx_cleanup(EVP_MD_CTX **p) {
        EVP_MD_CTX_free(*p);
}
#define AUTO_MD_CTX CLEANUP(md_ctx_cleanup)

static inline void cipher_ctx_cleanup(EVP_CIPHER_CTX **p) {
        EVP_CIPHER_CTX_free(*p);
}
#define AUTO_CIPHER_CTX CLEANUP(cipher_ctx_cleanup)

int kbc_jwe_not_decrypted(Error *e) {
        ERR_clear_error();
        return error_set(e, -EKEYREJECTED, "jwe-not-decrypted",
                         "JWE does not decrypt with our key: it was made for another, or altered");
}

int kbc_jwe_keys_init(KbcJweKeys *k, Error *e) {
        int r;

        *k = (KbcJweKeys){};
        r = secret_alloc(KBC_EC_COORDINATE_MAX + KBC_CEK_SIZE + KBC_WRAPPED_KEY_MAX, &k->memory, e);
        if (r < 0)
                return r;
        k->z = k->memory.bytes;
        k->kek = k->z + KBC_EC_COORDINATE_MAX;
        k->cek = k->kek + KBC_CEK_SIZE;
        return 0;
}

void kbc_jwe_keys_done(KbcJweKeys *k) {
        secret_done(&k->memory);
        *k = (KbcJweKeys){};
}

int kbc_jwe_agree(const KbcTeeKey *key, EVP_PKEY *epk, KbcJweKeys *k, Error *e) {
        AUTO_PKEY_CTX EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, kbc_tee_key_pkey(key), NULL);
        size_t n = kbc_tee_key_coordinate_size(key);

        if (!ctx)
                return error_oom(e);
        if (EVP_PKEY_derive_init(ctx) != 1 || EVP_PKEY_derive_set_peer(ctx, epk) != 1 ||
            EVP_PKEY_derive(ctx, k->z, &n) != 1 || n != kbc_tee_key_coordinate_size(key))
                return kbc_jwe_not_decrypted(e);
        k->z_size = n;
        return 0;
}

static bool add_be32(EVP_MD_CTX *ctx, uint32_t v) {
        uint8_t b[4];

        store_be32(b, v);
        return EVP_DigestUpdate(ctx, b, sizeof(b)) == 1;
}

static bool add_counted(EVP_MD_CTX *ctx, const void *p, size_t n) {
        return add_be32(ctx, (uint32_t) n) && EVP_DigestUpdate(ctx, p, n) == 1;
}

int kbc_jwe_concat_kdf(const char *alg, const Blob *apu, const Blob *apv, KbcJweKeys *k, Error *e) {
        AUTO_MD_CTX EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        unsigned n;

        /* One round of SHA-256 gives all 256 bits, so the counter is always 1. */
        if (!ctx || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1 || !add_be32(ctx, 1) ||
            EVP_DigestUpdate(ctx, k->z, k->z_size) != 1 || !add_counted(ctx, alg, strlen(alg)) ||
            !add_counted(ctx, apu->data, apu->size) || !add_counted(ctx, apv->data, apv->size) ||
            !add_be32(ctx, KBC_CEK_SIZE * 8) || EVP_DigestFinal_ex(ctx, k->kek, &n) != 1)
                return error_oom(e);
        return 0;
}

int kbc_jwe_unwrap_aes(const Blob *wrapped, KbcJweKeys *k, Error *e) {
        AUTO_CIPHER_CTX EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
        uint8_t none[16];
        int n = 0, last = 0;

        if (wrapped->size != WRAPPED_CEK_SIZE)
                return error_set(e, -EBADMSG, "jwe-member", "JWE member 'encrypted_key' has %zu bytes, not %d",
                                 wrapped->size, WRAPPED_CEK_SIZE);
        if (!ctx)
                return error_oom(e);
        EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
        if (EVP_DecryptInit_ex(ctx, EVP_aes_256_wrap(), NULL, k->kek, NULL) != 1 ||
            EVP_DecryptUpdate(ctx, k->cek, &n, wrapped->data, (int) wrapped->size) != 1 || n != KBC_CEK_SIZE ||
            EVP_DecryptFinal_ex(ctx, none, &last) != 1)
                return kbc_jwe_not_decrypted(e);
        return 0;
}

int kbc_jwe_unwrap_rsa(const Blob *wrapped, const KbcTeeKey *key, KbcJweKeys *k, Error *e) {
        const EVP_MD *md = kbc_tee_key_alg(key) == KBC_TEE_ALG_RSA_OAEP ? EVP_sha1() : EVP_sha256();
        EVP_PKEY *pkey = kbc_tee_key_pkey(key);
        AUTO_PKEY_CTX EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
        size_t n = KBC_WRAPPED_KEY_MAX;

        if (!ctx)
                return error_oom(e);
        if (wrapped->size != (size_t) EVP_PKEY_get_size(pkey))
                return error_set(e, -EBADMSG, "jwe-member", "JWE member 'encrypted_key' has %zu bytes, not %d",
                                 wrapped->size, EVP_PKEY_get_size(pkey));
        if (EVP_PKEY_decrypt_init(ctx) != 1 || EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) != 1 ||
            EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md) != 1 || EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) != 1 ||
            EVP_PKEY_decrypt(ctx, k->cek, &n, wrapped->data, wrapped->size) != 1 || n != KBC_CEK_SIZE)
                return kbc_jwe_not_decrypted(e);
        return 0;
}
