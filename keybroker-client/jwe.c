/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A JWE is taken apart in three steps: the members of the JSON text, the protected header inside the first of them,
 * then keys. Z, the key-encryption key and the content-encryption key exist in one Secret only. Additional
 * authenticated data is the protected text as received; it is never rebuilt from what was understood.
 */

#include "keybroker-client/jwe.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "keybroker-client/jwe-keys.h"

#define IV_SIZE 12  /* RFC 7518 section 5.3 */
#define TAG_SIZE 16 /* the same */
#define PARTY_INFO_MAX 256u

typedef struct Jwe {
        json_object *root;       /* owned; everything below borrows from it */
        const char *protected;   /* as received */
        const char *aad;         /* base64url, or NULL */
        const char *ciphertext;  /* base64url */
        Blob encrypted_key;      /* owned */
        uint8_t iv[IV_SIZE];
        uint8_t tag[TAG_SIZE];
} Jwe;

static void jwe_done(Jwe *j) {
        blob_done(&j->encrypted_key);
        (void) json_object_put(j->root);
}
#define AUTO_JWE CLEANUP(jwe_done)

/* Member @name, which must be base64url of exactly @size bytes. */
static int get_exact(json_object *o, const char *name, void *ret, size_t size, Error *e) {
        const char *text;
        size_t n;
        int r;

        r = json_get_str(o, name, KBC_JWE_MAX, &text, e);
        if (r < 0)
                return r;
        r = base64_decode_to(BASE64_URL, text, strlen(text), ret, size, &n);
        if (r < 0 || n != size)
                return error_set(e, -EBADMSG, "jwe-member", "JWE member '%s' is not base64url of %zu bytes", name,
                                 size);
        return 0;
}

static int get_blob(json_object *o, const char *name, size_t max, Blob *ret, Error *e) {
        const char *text;
        int r;

        r = json_get_opt_str(o, name, KBC_JWE_MAX, &text, e);
        if (r < 0 || !text)
                return r;
        r = base64_decode(BASE64_URL, text, strlen(text), max, ret);
        if (r == -EBADMSG || r == -E2BIG)
                return error_set(e, r, "jwe-member", "JWE member '%s' is not base64url of at most %zu bytes", name, max);
        return r < 0 ? error_oom(e) : 0;
}

/* RFC 7516 section 7.2: header parameters outside the protected text and several recipients; we do neither. */
static int refuse_other_forms(json_object *root, Error *e) {
        static const char *const names[] = { "header", "unprotected", "recipients" };

        for (size_t i = 0; i < N_ELEMENTS(names); i++)
                if (json_object_object_get_ex(root, names[i], NULL))
                        return error_set(e, -EOPNOTSUPP, "jwe-form", "JWE member '%s' is not supported", names[i]);
        return 0;
}

static int parse_members(const void *text, size_t size, Jwe *j, Error *e) {
        AUTO_BLOB Blob aad = {};
        int r;

        if (size > KBC_JWE_MAX)
                return error_set(e, -E2BIG, "jwe-too-large", "JWE of %zu bytes exceeds the limit of %u", size,
                                 KBC_JWE_MAX);
        r = json_parse(text, size, "JWE", &j->root, e);
        if (r < 0)
                return r;
        r = json_get_str(j->root, "protected", KBC_JWE_HEADER_MAX, &j->protected, e);
        if (r == 0)
                r = refuse_other_forms(j->root, e);
        if (r == 0)
                r = get_exact(j->root, "iv", j->iv, sizeof(j->iv), e);
        if (r == 0)
                r = get_exact(j->root, "tag", j->tag, sizeof(j->tag), e);
        if (r == 0)
                r = json_get_str(j->root, "ciphertext", KBC_JWE_MAX, &j->ciphertext, e);
        if (r == 0)
                r = get_blob(j->root, "encrypted_key", KBC_WRAPPED_KEY_MAX, &j->encrypted_key, e);
        if (r == 0)
                r = json_get_opt_str(j->root, "aad", KBC_JWE_MAX, &j->aad, e);
        if (r == 0) /* only its text is used, but it has to be what it claims */
                r = get_blob(j->root, "aad", KBC_JWE_MAX, &aad, e);
        return r;
}

static int parse_header(const char *protected, json_object **ret, Error *e) {
        AUTO_BLOB Blob text = {};
        AUTO_JSON json_object *header = NULL;
        int r;

        r = base64_decode(BASE64_URL, protected, strlen(protected), KBC_JWE_HEADER_MAX, &text);
        if (r == -ENOMEM)
                return error_oom(e);
        if (r < 0)
                return error_set(e, -EBADMSG, "jwe-header", "JWE protected header is not base64url");
        r = json_parse(text.data, text.size, "JWE protected header", &header, e);
        if (r < 0)
                return r;
        if (!json_object_is_type(header, json_type_object))
                return error_set(e, -EBADMSG, "jwe-header", "JWE protected header is not an object");
        *ret = TAKE_PTR(header);
        return 0;
}

static int check_header(json_object *header, const KbcTeeKey *key, Error *e) {
        const char *alg, *enc;
        int r;

        /* RFC 7516 section 4.1.13 and 4.1.3: extensions that must be understood, and compression; we have none. */
        if (json_object_object_get_ex(header, "crit", NULL) || json_object_object_get_ex(header, "zip", NULL))
                return error_set(e, -EOPNOTSUPP, "jwe-extension", "JWE uses 'crit' or 'zip', which are not supported");
        r = json_get_str(header, "alg", 64, &alg, e);
        if (r == 0)
                r = json_get_str(header, "enc", 64, &enc, e);
        if (r < 0)
                return r;
        if (strcmp(alg, "RSA1_5") == 0)
                return error_set(e, -EOPNOTSUPP, "alg-deprecated", "JWE uses RSA1_5, which is not safe to decrypt");
        if (strcmp(alg, kbc_tee_key_alg_name(key)) != 0)
                return error_set(e, -EPROTO, "alg-mismatch", "JWE is made for '%s', our key is for '%s'", alg,
                                 kbc_tee_key_alg_name(key));
        if (strcmp(enc, "A256GCM") != 0)
                return error_set(e, -EOPNOTSUPP, "enc-unsupported", "JWE content encryption '%s' is not supported",
                                 enc);
        return 0;
}

/* The other side's ephemeral key, RFC 7518 section 4.6.1.1. */
static int parse_epk(json_object *header, const KbcTeeKey *key, EVP_PKEY **ret, Error *e) {
        size_t size = kbc_tee_key_coordinate_size(key);
        uint8_t x[KBC_EC_COORDINATE_MAX], y[KBC_EC_COORDINATE_MAX];
        const char *kty, *crv;
        json_object *epk;
        int r;

        r = json_get_obj(header, "epk", &epk, e);
        if (r == 0)
                r = json_get_str(epk, "kty", 16, &kty, e);
        if (r == 0)
                r = json_get_str(epk, "crv", 16, &crv, e);
        if (r < 0)
                return r;
        if (strcmp(kty, "EC") != 0 || strcmp(crv, kbc_tee_key_curve_name(key)) != 0)
                return error_set(e, -EPROTO, "epk-curve", "JWE ephemeral key is '%s' on '%s', not on '%s'", kty, crv,
                                 kbc_tee_key_curve_name(key));
        r = get_exact(epk, "x", x, size, e);
        if (r == 0)
                r = get_exact(epk, "y", y, size, e);
        if (r < 0)
                return r;
        return kbc_ec_point_new(key, x, y, ret, e);
}

static int unwrap_ecdh(const Jwe *j, json_object *header, const KbcTeeKey *key, KbcJweKeys *keys, Error *e) {
        AUTO_PKEY EVP_PKEY *epk = NULL;
        AUTO_BLOB Blob apu = {}, apv = {};
        int r;

        r = parse_epk(header, key, &epk, e);
        if (r == 0)
                r = get_blob(header, "apu", PARTY_INFO_MAX, &apu, e);
        if (r == 0)
                r = get_blob(header, "apv", PARTY_INFO_MAX, &apv, e);
        if (r < 0)
                return r;
        r = kbc_jwe_agree(key, epk, keys, e);
        if (r == 0)
                r = kbc_jwe_concat_kdf(kbc_tee_key_alg_name(key), &apu, &apv, keys, e);
        if (r == 0)
                r = kbc_jwe_unwrap_aes(&j->encrypted_key, keys, e);
        return r;
}

/* Up to the last byte of AAD, see RFC 7516 section 5.1 step 14. */
static bool feed_aad(EVP_CIPHER_CTX *ctx, const Jwe *j) {
        int n;

        if (EVP_DecryptUpdate(ctx, NULL, &n, (const uint8_t *) j->protected, (int) strlen(j->protected)) != 1)
                return false;
        if (!j->aad || !j->aad[0])
                return true;
        return EVP_DecryptUpdate(ctx, NULL, &n, (const uint8_t *) ".", 1) == 1 &&
               EVP_DecryptUpdate(ctx, NULL, &n, (const uint8_t *) j->aad, (int) strlen(j->aad)) == 1;
}

/* Decrypts in place. False when anything, the tag above all, does not fit. */
static bool decrypt_gcm(Jwe *j, const uint8_t *cek, Secret *content) {
        EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
        uint8_t none[1];
        int n;
        bool ok;

        ok = ctx && EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, cek, j->iv) == 1 && feed_aad(ctx, j) &&
             (content->len == 0 ||
              EVP_DecryptUpdate(ctx, content->bytes, &n, content->bytes, (int) content->len) == 1) &&
             EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, j->tag) == 1 &&
             EVP_DecryptFinal_ex(ctx, none, &n) == 1;
        EVP_CIPHER_CTX_free(ctx);
        return ok;
}

static int decrypt_content(Jwe *j, const uint8_t *cek, Secret *ret, Error *e) {
        AUTO_SECRET Secret content = {};
        size_t len = strlen(j->ciphertext), n;
        int r;

        if (len / 4 * 3 + (len % 4 ? len % 4 - 1 : 0) > SECRET_MAX)
                return error_set(e, -E2BIG, "secret-too-large", "JWE content exceeds the limit of %u bytes",
                                 SECRET_MAX);
        /* The ciphertext is decoded into the place where it becomes plaintext: exactly as large, and at least 1. */
        r = secret_alloc(base64_decoded_max(len) > SECRET_MAX ? SECRET_MAX : base64_decoded_max(len), &content, e);
        if (r < 0)
                return r;
        r = base64_decode_to(BASE64_URL, j->ciphertext, len, content.bytes, content.size, &n);
        if (r < 0)
                return error_set(e, -EBADMSG, "jwe-member", "JWE member 'ciphertext' is not base64url");
        secret_truncate(&content, n);
        if (!decrypt_gcm(j, cek, &content))
                return kbc_jwe_not_decrypted(e);
        *ret = secret_take(&content);
        return 0;
}

int kbc_jwe_open(const void *text, size_t size, const KbcTeeKey *key, Secret *ret, Error *e) {
        AUTO_JWE Jwe j = {};
        AUTO_JSON json_object *header = NULL;
        AUTO_JWE_KEYS KbcJweKeys keys = {};
        int r;

        r = parse_members(text, size, &j, e);
        if (r == 0)
                r = parse_header(j.protected, &header, e);
        if (r == 0)
                r = check_header(header, key, e);
        if (r == 0)
                r = kbc_jwe_keys_init(&keys, e);
        if (r < 0)
                return r;
        if (kbc_tee_key_curve_name(key))
                r = unwrap_ecdh(&j, header, key, &keys, e);
        else
                r = kbc_jwe_unwrap_rsa(&j.encrypted_key, key, &keys, e);
        if (r < 0)
                return r;
        return decrypt_content(&j, keys.cek, ret, e);
}
