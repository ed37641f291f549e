/* SPDX-License-Identifier: Apache-2.0 */
#include "keybroker-client/tee-key.h"

#include <assert.h>
#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <string.h>

#include "base/base64.h"
#include "base/json.h"

/* RFC 7518 sections 3 and 6.2.1.1; curve is OpenSSL's name of it. */
typedef struct AlgInfo {
        const char *alg, *crv, *curve;
        size_t coordinate_size;
} AlgInfo;

static const AlgInfo algs[] = {
        [KBC_TEE_ALG_ECDH_P256] = { "ECDH-ES+A256KW", "P-256", "prime256v1", 32 },
        [KBC_TEE_ALG_ECDH_P384] = { "ECDH-ES+A256KW", "P-384", "secp384r1", 48 },
        [KBC_TEE_ALG_ECDH_P521] = { "ECDH-ES+A256KW", "P-521", "secp521r1", KBC_EC_COORDINATE_MAX },
        [KBC_TEE_ALG_RSA_OAEP] = { "RSA-OAEP", NULL, NULL, 0 },
        [KBC_TEE_ALG_RSA_OAEP_256] = { "RSA-OAEP-256", NULL, NULL, 0 },
};

struct KbcTeeKey {
        KbcTeeAlg alg;
        EVP_PKEY *pkey; /* owned reference */
};

/* Leaves nothing in OpenSSL's queue: libcurl in the same thread reads it after its own calls. */
static int crypto_failed(int code, const char *reason, const char *text, Error *e) {
        ERR_clear_error();
        return error_set(e, code, reason, "%s", text);
}

static const AlgInfo *info_of(const KbcTeeKey *key) {
        return &algs[key->alg];
}

static bool pkey_fits(KbcTeeAlg alg, EVP_PKEY *pkey) {
        char group[32];
        size_t n;

        if (!algs[alg].curve)
                return EVP_PKEY_is_a(pkey, "RSA") && EVP_PKEY_get_bits(pkey) >= KBC_TEE_RSA_BITS;
        return EVP_PKEY_is_a(pkey, "EC") && EVP_PKEY_get_group_name(pkey, group, sizeof(group), &n) == 1 &&
               strcmp(group, algs[alg].curve) == 0;
}

int kbc_tee_key_new(KbcTeeAlg alg, EVP_PKEY *pkey, KbcTeeKey **ret, Error *e) {
        KbcTeeKey *key;

        if ((size_t) alg >= N_ELEMENTS(algs) || !pkey_fits(alg, pkey))
                return crypto_failed(-EINVAL, "tee-key", "The key is not one for the algorithm asked for", e);
        key = calloc(1, sizeof(*key));
        if (!key)
                return error_oom(e);
        (void) EVP_PKEY_up_ref(pkey);
        *key = (KbcTeeKey){ .alg = alg, .pkey = pkey };
        *ret = key;
        return 0;
}

int kbc_tee_key_generate(KbcTeeAlg alg, KbcTeeKey **ret, Error *e) {
        AUTO_PKEY EVP_PKEY *pkey = NULL;

        if ((size_t) alg >= N_ELEMENTS(algs))
                return error_set(e, -EINVAL, "tee-key", "No such key algorithm");
        pkey = algs[alg].curve ? EVP_EC_gen(algs[alg].curve) : EVP_RSA_gen(KBC_TEE_RSA_BITS);
        if (!pkey)
                return crypto_failed(-EIO, "tee-key-generation", "Cannot generate a key pair", e);
        return kbc_tee_key_new(alg, pkey, ret, e);
}

void kbc_tee_key_free(KbcTeeKey *key) {
        if (!key)
                return;
        EVP_PKEY_free(key->pkey); /* OpenSSL clears private numbers when it frees them */
        free(key);
}

const char *kbc_tee_key_alg_name(const KbcTeeKey *key) {
        return info_of(key)->alg;
}

const char *kbc_tee_key_curve_name(const KbcTeeKey *key) {
        return info_of(key)->crv;
}

size_t kbc_tee_key_coordinate_size(const KbcTeeKey *key) {
        return info_of(key)->coordinate_size;
}

KbcTeeAlg kbc_tee_key_alg(const KbcTeeKey *key) {
        return key->alg;
}

EVP_PKEY *kbc_tee_key_pkey(const KbcTeeKey *key) {
        return key->pkey;
}

/* Adds the public number @param of @pkey as base64url of @size bytes, or of as few as it takes when @size is 0. */
static int add_number(json_object *jwk, const char *name, EVP_PKEY *pkey, const char *param, size_t size) {
        AUTO_FREE uint8_t *bytes = NULL;
        AUTO_FREE char *text = NULL;
        BIGNUM *n = NULL;
        int r = -ENOMEM;

        if (EVP_PKEY_get_bn_param(pkey, param, &n) != 1)
                return -ENOMEM;
        if (size == 0)
                size = (size_t) BN_num_bytes(n);
        bytes = malloc(size);
        if (bytes && BN_bn2binpad(n, bytes, (int) size) >= 0)
                text = base64_encode(BASE64_URL, bytes, size);
        if (text)
                r = json_add_str(jwk, name, text);
        BN_free(n);
        return r;
}

int kbc_tee_key_to_jwk(const KbcTeeKey *key, json_object **ret, Error *e) {
        AUTO_JSON json_object *jwk = json_object_new_object();
        const AlgInfo *info = info_of(key);
        size_t size = info->coordinate_size;
        bool ec = info->crv;

        if (json_add_str(jwk, "kty", ec ? "EC" : "RSA") < 0 || json_add_str(jwk, "alg", info->alg) < 0 ||
            (ec && json_add_str(jwk, "crv", info->crv) < 0) ||
            add_number(jwk, ec ? "x" : "n", key->pkey, ec ? OSSL_PKEY_PARAM_EC_PUB_X : OSSL_PKEY_PARAM_RSA_N, size) < 0 ||
            add_number(jwk, ec ? "y" : "e", key->pkey, ec ? OSSL_PKEY_PARAM_EC_PUB_Y : OSSL_PKEY_PARAM_RSA_E, size) < 0)
                return crypto_failed(-ENOMEM, "out-of-memory", "Out of memory for the public key", e);
        *ret = TAKE_PTR(jwk);
        return 0;
}

int kbc_ec_point_new(const KbcTeeKey *key, const uint8_t *x, const uint8_t *y, EVP_PKEY **ret, Error *e) {
        const AlgInfo *info = info_of(key);
        size_t size = info->coordinate_size;
        uint8_t point[1 + 2 * KBC_EC_COORDINATE_MAX] = { 4 }; /* uncompressed, SEC 1 section 2.3.3 */
        char group[32];
        AUTO_PKEY_CTX EVP_PKEY_CTX *from = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
        AUTO_PKEY_CTX EVP_PKEY_CTX *check = NULL;
        AUTO_PKEY EVP_PKEY *pkey = NULL;

        assert(size > 0);
        (void) memcpy(point + 1, x, size);
        (void) memcpy(point + 1 + size, y, size);
        (void) strcpy(group, info->curve);
        OSSL_PARAM params[] = {
                OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
                OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * size),
                OSSL_PARAM_construct_end(),
        };
        if (!from || EVP_PKEY_fromdata_init(from) != 1)
                return error_oom(e);
        if (EVP_PKEY_fromdata(from, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
                return crypto_failed(-EBADMSG, "ec-point", "The public key is not a point on the curve", e);
        /* The curves have cofactor 1, so being on the curve is all there is; still, ask the library's own check. */
        check = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
        if (!check || EVP_PKEY_public_check(check) != 1)
                return crypto_failed(-EBADMSG, "ec-point", "The public key is not a point on the curve", e);
        *ret = TAKE_PTR(pkey);
        return 0;
}
