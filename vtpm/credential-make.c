/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TPM2_MakeCredential without a TPM. A random seed is encrypted to the endorsement key; from it come the key that
 * encrypts the value and the key that binds it to the attestation key's name. TPM 2.0 Library Part 1, "Credential
 * Protection" and "Secret Sharing"; for ECC Part 1, "ECDH", for RSA "RSAES_OAEP".
 */
#include <errno.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "base/writer.h"
#include "vtpm/ak_public.h"
#include "vtpm/credential.h"
#include "vtpm/kdf.h"
#include "vtpm/public.h"

#define LABEL "IDENTITY"
#define POINT_MAX (1u + 2u * VTPM_COORDINATE_MAX)
#define AES_KEY_MAX 32u

#define EK_MUST                                                                                                        \
        (VTPM_OBJECT_FIXED_TPM | VTPM_OBJECT_SENSITIVE_DATA_ORIGIN | VTPM_OBJECT_RESTRICTED | VTPM_OBJECT_DECRYPT)

/* All that is secret of one credential while it is made; lives in one Secret. */
typedef struct Work {
        uint8_t seed[VTPM_DIGEST_MAX];
        uint8_t z[VTPM_COORDINATE_MAX];
        uint8_t aes_key[AES_KEY_MAX];
        uint8_t hmac_key[VTPM_DIGEST_MAX];
        uint8_t value[2 + VTPM_CREDENTIAL_VALUE_MAX]; /* TPM2B_DIGEST; encrypted in place */
} Work;

static void pkey_free(EVP_PKEY *key) {
        EVP_PKEY_free(key);
}
DEFINE_CLEANUP(EVP_PKEY *, pkey_free);
static void pkey_ctx_free(EVP_PKEY_CTX *ctx) {
        EVP_PKEY_CTX_free(ctx);
}
DEFINE_CLEANUP(EVP_PKEY_CTX *, pkey_ctx_free);
static void cipher_ctx_free(EVP_CIPHER_CTX *ctx) {
        EVP_CIPHER_CTX_free(ctx);
}
DEFINE_CLEANUP(EVP_CIPHER_CTX *, cipher_ctx_free);

static int crypto_error(const char *what, Error *e) {
        return error_set(e, -EIO, "crypto", "Cannot %s for a credential", what);
}

static int check_ek(const VtpmPublic *ek, Error *e) {
        if ((ek->attributes & EK_MUST) != EK_MUST || ek->attributes & VTPM_OBJECT_SIGN)
                return error_set(e, -EKEYREJECTED, "ek-attributes",
                                 "The endorsement key is no restricted decryption key of a TPM (attributes 0x%08x)",
                                 ek->attributes);
        if (!vtpm_hash_is_sound(ek->name_alg) || ek->symmetric != VTPM_ALG_AES || ek->symmetric_mode != VTPM_ALG_CFB ||
            (ek->symmetric_bits != 128 && ek->symmetric_bits != 256))
                return error_set(e, -EKEYREJECTED, "ek-attributes",
                                 "The endorsement key's hash or cipher is not one that credentials are made with");
        return 0;
}

/* ---- the seed, and the secret it travels as ---- */

static int seed_by_rsa(const VtpmPublic *ek, EVP_PKEY *key, Work *work, Blob *ret, Error *e) {
        CLEANUP(pkey_ctx_freep) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
        size_t seed_size = vtpm_hash_size(ek->name_alg), size;
        const EVP_MD *md = vtpm_hash_md(ek->name_alg);
        uint8_t out[VTPM_RSA_SIZE_MAX];
        void *label = OPENSSL_memdup(LABEL, sizeof(LABEL)); /* with its NUL: Part 1, "RSAES_OAEP" */

        if (!label || !ctx || EVP_PKEY_encrypt_init(ctx) != 1 ||
            EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) != 1 ||
            EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md) != 1 || EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) != 1 ||
            EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, label, sizeof(LABEL)) != 1) {
                OPENSSL_free(label);
                return crypto_error("set up encryption", e);
        }
        size = sizeof(out); /* the label is the context's now */
        if (RAND_bytes(work->seed, (int) seed_size) != 1 ||
            EVP_PKEY_encrypt(ctx, out, &size, work->seed, seed_size) != 1)
                return crypto_error("encrypt the seed", e);
        return blob_dup(out, size, ret) < 0 ? error_oom(e) : 0;
}

/* Uncompressed point of @key: 04, x, y. */
static int get_point(EVP_PKEY *key, size_t coordinate, uint8_t *ret, Error *e) {
        size_t n = 0;

        if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, ret, POINT_MAX, &n) != 1 ||
            n != 1 + 2 * coordinate || ret[0] != 4)
                return crypto_error("encode a point", e);
        return 0;
}

static int agree(EVP_PKEY *own, EVP_PKEY *peer, size_t coordinate, uint8_t *ret_z, Error *e) {
        CLEANUP(pkey_ctx_freep) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL);
        size_t n = coordinate;

        if (!ctx || EVP_PKEY_derive_init(ctx) != 1 || EVP_PKEY_derive_set_peer(ctx, peer) != 1 ||
            EVP_PKEY_derive(ctx, ret_z, &n) != 1 || n != coordinate)
                return crypto_error("agree on a seed", e);
        return 0;
}

static int seed_by_ecc(const VtpmPublic *ek, EVP_PKEY *key, Work *work, Blob *ret, Error *e) {
        size_t n = vtpm_curve_size(ek->curve);
        CLEANUP(pkey_freep) EVP_PKEY *ephemeral = EVP_PKEY_Q_keygen(NULL, NULL, "EC", vtpm_curve_group(ek->curve));
        uint8_t ours[POINT_MAX], theirs[POINT_MAX], encoded[2 * (2 + VTPM_COORDINATE_MAX)];
        int r;

        if (!ephemeral)
                return crypto_error("make a key", e);
        r = get_point(ephemeral, n, ours, e);
        if (r == 0)
                r = get_point(key, n, theirs, e);
        if (r == 0)
                r = agree(ephemeral, key, n, work->z, e);
        if (r == 0)
                r = vtpm_kdfe(ek->name_alg, (VtpmBytes){ work->z, n }, LABEL, (VtpmBytes){ ours + 1, n },
                              (VtpmBytes){ theirs + 1, n }, work->seed, vtpm_hash_size(ek->name_alg), e);
        if (r < 0)
                return r;
        /* TPMS_ECC_POINT */
        store_be16(encoded, (uint16_t) n);
        (void) memcpy(encoded + 2, ours + 1, n);
        store_be16(encoded + 2 + n, (uint16_t) n);
        (void) memcpy(encoded + 4 + n, ours + 1 + n, n);
        return blob_dup(encoded, 4 + 2 * n, ret) < 0 ? error_oom(e) : 0;
}

/* ---- what the seed protects ---- */

static int encrypt_value(const VtpmPublic *ek, Work *work, size_t value_size, VtpmBytes ak_name, Error *e) {
        static const uint8_t zero_iv[16] = {};
        CLEANUP(cipher_ctx_freep) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
        const EVP_CIPHER *cipher = ek->symmetric_bits == 256 ? EVP_aes_256_cfb128() : EVP_aes_128_cfb128();
        VtpmBytes seed = { work->seed, vtpm_hash_size(ek->name_alg) };
        int r, n = 0;

        r = vtpm_kdfa(ek->name_alg, seed, "STORAGE", ak_name, work->aes_key, ek->symmetric_bits / 8u, e);
        if (r < 0)
                return r;
        if (!ctx || EVP_EncryptInit_ex2(ctx, cipher, work->aes_key, zero_iv, NULL) != 1 ||
            EVP_EncryptUpdate(ctx, work->value, &n, work->value, (int) value_size) != 1 || n != (int) value_size)
                return crypto_error("encrypt the value", e);
        return 0;
}

static int authenticate(const VtpmPublic *ek, Work *work, size_t value_size, VtpmBytes ak_name, Blob *ret, Error *e) {
        size_t n = vtpm_hash_size(ek->name_alg);
        uint8_t hmac[VTPM_DIGEST_MAX], both[sizeof(work->value) + 2 + VTPM_DIGEST_MAX];
        AUTO_WRITER Writer w = wr_init(VTPM_CREDENTIAL_ID_OBJECT_MAX);
        VtpmBytes seed = { work->seed, n }, none = {};
        int r;

        r = vtpm_kdfa(ek->name_alg, seed, "INTEGRITY", none, work->hmac_key, n, e);
        if (r < 0)
                return r;
        (void) memcpy(both, work->value, value_size);
        (void) memcpy(both + value_size, ak_name.data, ak_name.size);
        if (!EVP_Q_mac(NULL, "HMAC", NULL, EVP_MD_get0_name(vtpm_hash_md(ek->name_alg)), NULL, work->hmac_key, n, both,
                       value_size + ak_name.size, hmac, sizeof(hmac), NULL))
                return crypto_error("authenticate the value", e);
        wr_be16(&w, (uint16_t) n);
        wr_bytes(&w, hmac, n);
        wr_bytes(&w, work->value, value_size);
        return wr_finish(&w, ret) < 0 ? error_oom(e) : 0;
}

static int protect(const VtpmPublic *ek, EVP_PKEY *key, VtpmBytes ak_name, const Secret *value, Work *work,
                   VtpmCredential *ret, Error *e) {
        size_t size = 2 + value->len;
        int r;

        if (ek->type == VTPM_ALG_RSA)
                r = seed_by_rsa(ek, key, work, &ret->secret, e);
        else
                r = seed_by_ecc(ek, key, work, &ret->secret, e);
        if (r < 0)
                return r;
        store_be16(work->value, (uint16_t) value->len);
        (void) memcpy(work->value + 2, value->bytes, value->len);
        r = encrypt_value(ek, work, size, ak_name, e);
        if (r < 0)
                return r;
        return authenticate(ek, work, size, ak_name, &ret->id_object, e);
}

int vtpm_credential_make(const Blob *ek_public, const Blob *ak_public, const Secret *value, VtpmCredential *ret,
                         Error *e) {
        CLEANUP(vtpm_ak_public_freep) VtpmAkPublic *ak = NULL;
        AUTO_VTPM_CREDENTIAL VtpmCredential c = {};
        CLEANUP(pkey_freep) EVP_PKEY *key = NULL;
        AUTO_SECRET Secret memory = {};
        VtpmBytes ak_name;
        VtpmPublic ek;
        int r;

        r = vtpm_public_parse(ek_public->data, ek_public->size, &ek, e);
        if (r == 0)
                r = check_ek(&ek, e);
        if (r == 0)
                r = vtpm_public_to_key(&ek, &key, e);
        if (r == 0)
                r = vtpm_ak_public_new(ak_public->data, ak_public->size, &ak, e);
        if (r < 0)
                return r;
        if (value->len == 0 || value->len > vtpm_hash_size(ek.name_alg))
                return error_set(e, -EINVAL, "credential-value", "A credential for this endorsement key holds 1 to %zu "
                                 "bytes, not %zu", vtpm_hash_size(ek.name_alg), value->len);
        r = secret_alloc(sizeof(Work), &memory, e);
        if (r < 0)
                return r;
        ak_name.data = vtpm_ak_public_name(ak, &ak_name.size);
        r = protect(&ek, key, ak_name, value, (Work *) (void *) memory.bytes, &c, e);
        if (r < 0)
                return r;
        *ret = c;
        c = (VtpmCredential){};
        return 0;
}
