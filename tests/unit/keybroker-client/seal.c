/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/keybroker-client/seal.h"

#include <check.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/kdf.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/writer.h"

#define MUST(expr) ck_assert_msg((expr), "%s", #expr)

static const struct {
        const char *group, *crv;
        size_t size;
} curves[] = {
        { "prime256v1", "P-256", 32 },
        { "secp384r1", "P-384", 48 },
        { "secp521r1", "P-521", 66 },
};

static size_t curve_of(EVP_PKEY *key) {
        char group[32];
        size_t n;

        MUST(EVP_PKEY_get_group_name(key, group, sizeof(group), &n) == 1);
        for (size_t i = 0; i < N_ELEMENTS(curves); i++)
                if (strcmp(curves[i].group, group) == 0)
                        return i;
        ck_abort_msg("curve %s", group);
}

static char *coordinate(EVP_PKEY *key, const char *param, size_t size) {
        uint8_t bytes[66];
        BIGNUM *n = NULL;

        MUST(EVP_PKEY_get_bn_param(key, param, &n) == 1);
        MUST(BN_bn2binpad(n, bytes, (int) size) == (int) size);
        BN_free(n);
        return base64_encode(BASE64_URL, bytes, size);
}

static size_t decode(const char *text, uint8_t *ret, size_t max) {
        size_t n = 0;

        if (text)
                MUST(base64_decode_to(BASE64_URL, text, strlen(text), ret, max, &n) == 0);
        return n;
}

static void put_counted(Writer *w, const char *text) {
        uint8_t bytes[512];
        size_t n = decode(text, bytes, sizeof(bytes));

        wr_be32(w, (uint32_t) n);
        wr_bytes(w, bytes, n);
}

/* RFC 7518 section 4.6.2 by OpenSSL's single-step KDF. */
static void derive_kek(EVP_PKEY *ours, EVP_PKEY *theirs, const SealOptions *o, uint8_t kek[static 32]) {
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(ours, NULL);
        EVP_KDF *kdf = EVP_KDF_fetch(NULL, "SSKDF", NULL);
        EVP_KDF_CTX *kctx = EVP_KDF_CTX_new(kdf);
        const char *id = o->kdf_alg ? o->kdf_alg : "ECDH-ES+A256KW";
        AUTO_WRITER Writer info = wr_init(4096);
        char digest[] = "SHA256";
        uint8_t z[66];
        size_t n = sizeof(z);

        MUST(EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, theirs) == 1);
        MUST(EVP_PKEY_derive(ctx, z, &n) == 1);
        wr_be32(&info, (uint32_t) strlen(id));
        wr_str(&info, id);
        put_counted(&info, o->apu);
        put_counted(&info, o->apv);
        wr_be32(&info, 256);
        OSSL_PARAM params[] = {
                OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
                OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, z, n),
                OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data, info.size),
                OSSL_PARAM_construct_end(),
        };
        MUST(EVP_KDF_derive(kctx, kek, 32, params) == 1);
        EVP_KDF_CTX_free(kctx);
        EVP_KDF_free(kdf);
        EVP_PKEY_CTX_free(ctx);
}

static char *wrap_ec(EVP_PKEY *to, const uint8_t *cek, size_t cek_size, const SealOptions *o, char **ret_epk) {
        size_t c = curve_of(to);
        EVP_PKEY *ephemeral = EVP_EC_gen(curves[c].group);
        AUTO_FREE char *x = coordinate(ephemeral, OSSL_PKEY_PARAM_EC_PUB_X, curves[c].size);
        AUTO_FREE char *y = coordinate(ephemeral, OSSL_PKEY_PARAM_EC_PUB_Y, curves[c].size);
        EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
        uint8_t kek[32], wrapped[128];
        int n;

        derive_kek(ephemeral, to, o, kek);
        EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
        MUST(EVP_EncryptInit_ex(ctx, EVP_aes_256_wrap(), NULL, kek, NULL) == 1);
        MUST(EVP_EncryptUpdate(ctx, wrapped, &n, cek, (int) cek_size) == 1);
        EVP_CIPHER_CTX_free(ctx);
        EVP_PKEY_free(ephemeral);
        MUST(asprintf(ret_epk, ",\"epk\":{\"crv\":\"%s\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}", curves[c].crv, x,
                      y) > 0);
        return base64_encode(BASE64_URL, wrapped, (size_t) n);
}

static char *wrap_rsa(EVP_PKEY *to, const uint8_t *cek, size_t cek_size, const char *alg) {
        const EVP_MD *md = strcmp(alg, "RSA-OAEP") == 0 ? EVP_sha1() : EVP_sha256();
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(to, NULL);
        uint8_t wrapped[1024];
        size_t n = sizeof(wrapped);

        MUST(EVP_PKEY_encrypt_init(ctx) == 1 && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1);
        MUST(EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md) == 1 && EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) == 1);
        MUST(EVP_PKEY_encrypt(ctx, wrapped, &n, cek, cek_size) == 1);
        EVP_PKEY_CTX_free(ctx);
        return base64_encode(BASE64_URL, wrapped, n);
}

static char *build_header(const char *alg, const SealOptions *o, const char *epk) {
        AUTO_FREE char *apu = NULL, *apv = NULL, *text = NULL;

        MUST(asprintf(&apu, o->apu ? ",\"apu\":\"%s\"" : "%s", o->apu ? o->apu : "") >= 0);
        MUST(asprintf(&apv, o->apv ? ",\"apv\":\"%s\"" : "%s", o->apv ? o->apv : "") >= 0);
        MUST(asprintf(&text, "{\"alg\":\"%s\",\"enc\":\"%s\"%s%s%s%s}", alg, o->enc ? o->enc : "A256GCM",
                      epk ? epk : "", apu, apv, o->extra ? o->extra : "") > 0);
        return base64_encode(BASE64_URL, text, strlen(text));
}

static void encrypt(const uint8_t *cek, const uint8_t *iv, const char *aad, const void *plain, size_t size,
                    uint8_t *ret, uint8_t tag[static 16]) {
        EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
        int n;

        MUST(EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, cek, iv) == 1);
        MUST(EVP_EncryptUpdate(ctx, NULL, &n, (const uint8_t *) aad, (int) strlen(aad)) == 1);
        if (size > 0)
                MUST(EVP_EncryptUpdate(ctx, ret, &n, plain, (int) size) == 1);
        MUST(EVP_EncryptFinal_ex(ctx, ret + size, &n) == 1);
        MUST(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, 16, tag) == 1);
        EVP_CIPHER_CTX_free(ctx);
}

char *jwe_seal(EVP_PKEY *to, const void *plain, size_t size, const SealOptions *options) {
        static const SealOptions defaults;
        const SealOptions *o = options ? options : &defaults;
        bool ec = EVP_PKEY_is_a(to, "EC");
        const char *alg = o->alg ? o->alg : ec ? "ECDH-ES+A256KW" : "RSA-OAEP-256";
        size_t cek_size = o->cek_size ? o->cek_size : 32;
        AUTO_FREE char *epk = NULL, *header = NULL, *wrapped = NULL, *aad = NULL, *iv_text = NULL, *body = NULL;
        AUTO_FREE char *tag_text = NULL, *aad_member = NULL;
        AUTO_FREE uint8_t *cipher = malloc(size + 16);
        uint8_t cek[64], iv[12], tag[16];
        char *jwe = NULL;

        MUST(RAND_bytes(cek, sizeof(cek)) == 1 && RAND_bytes(iv, sizeof(iv)) == 1);
        wrapped = ec ? wrap_ec(to, cek, cek_size, o, &epk) : wrap_rsa(to, cek, cek_size, alg);
        header = build_header(alg, o, epk);
        MUST(asprintf(&aad, "%s%s%s", header, o->aad ? "." : "", o->aad ? o->aad : "") > 0);
        encrypt(cek, iv, aad, plain, size, cipher, tag);
        iv_text = base64_encode(BASE64_URL, iv, sizeof(iv));
        body = base64_encode(BASE64_URL, cipher, size);
        tag_text = base64_encode(BASE64_URL, tag, sizeof(tag));
        MUST(asprintf(&aad_member, o->aad ? ",\"aad\":\"%s\"" : "%s", o->aad ? o->aad : "") >= 0);
        MUST(asprintf(&jwe, "{\"protected\":\"%s\",\"encrypted_key\":\"%s\",\"iv\":\"%s\",\"ciphertext\":\"%s\","
                            "\"tag\":\"%s\"%s}",
                      header, wrapped, iv_text, body, tag_text, aad_member) > 0);
        return jwe;
}

static const char *member(json_object *o, const char *name) {
        return json_object_get_string(json_object_object_get(o, name));
}

static EVP_PKEY *ec_from_jwk(json_object *jwk) {
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
        uint8_t point[1 + 2 * 66] = { 4 };
        EVP_PKEY *key = NULL;
        char group[32] = "";
        size_t n = 0;

        for (size_t i = 0; i < N_ELEMENTS(curves); i++)
                if (strcmp(curves[i].crv, member(jwk, "crv")) == 0) {
                        (void) strcpy(group, curves[i].group);
                        n = curves[i].size;
                }
        MUST(decode(member(jwk, "x"), point + 1, n) == n);
        MUST(decode(member(jwk, "y"), point + 1 + n, n) == n);
        OSSL_PARAM params[] = {
                OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
                OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * n),
                OSSL_PARAM_construct_end(),
        };
        MUST(EVP_PKEY_fromdata_init(ctx) == 1);
        MUST(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) == 1);
        EVP_PKEY_CTX_free(ctx);
        return key;
}

static EVP_PKEY *rsa_from_jwk(json_object *jwk) {
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
        OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
        uint8_t n_bytes[1024], e_bytes[16];
        size_t n_size = decode(member(jwk, "n"), n_bytes, sizeof(n_bytes));
        size_t e_size = decode(member(jwk, "e"), e_bytes, sizeof(e_bytes));
        BIGNUM *n = BN_bin2bn(n_bytes, (int) n_size, NULL), *e = BN_bin2bn(e_bytes, (int) e_size, NULL);
        EVP_PKEY *key = NULL;
        OSSL_PARAM *params;

        MUST(OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1);
        MUST(OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1);
        params = OSSL_PARAM_BLD_to_param(build);
        MUST(EVP_PKEY_fromdata_init(ctx) == 1);
        MUST(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) == 1);
        OSSL_PARAM_free(params);
        OSSL_PARAM_BLD_free(build);
        BN_free(n);
        BN_free(e);
        EVP_PKEY_CTX_free(ctx);
        return key;
}

EVP_PKEY *jwk_to_pkey(json_object *jwk) {
        return strcmp(member(jwk, "kty"), "EC") == 0 ? ec_from_jwk(jwk) : rsa_from_jwk(jwk);
}

EVP_PKEY *pem_to_pkey(const char *pem) {
        BIO *bio = BIO_new_mem_buf(pem, -1);
        EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

        BIO_free(bio);
        MUST(key);
        return key;
}
