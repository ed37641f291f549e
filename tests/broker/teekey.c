/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/broker/teekey.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/json.h"

#define COORDINATE_MAX 66   /* P-521 */
#define RSA_MODULUS_MIN 256 /* 2048 bits */
#define RSA_MODULUS_MAX 1024
#define RSA_EXPONENT_MAX 8

static int copy_member(json_object *jwk, const char *name, char *dst, size_t size, Error *e) {
        const char *value;
        int r = json_get_str(jwk, name, size - 1, &value, e);

        if (r == 0)
                (void) snprintf(dst, size, "%s", value);
        return r;
}

int broker_teekey_parse(json_object *jwk, BrokerTeeKey *ret, Error *e) {
        BrokerTeeKey k = {};
        const char *kty;
        int r = json_get_str(jwk, "kty", 8, &kty, e);

        if (r == 0)
                r = copy_member(jwk, "alg", k.alg, sizeof(k.alg), e);
        if (r < 0)
                return r;
        if (strcmp(kty, "EC") == 0) {
                k.type = BROKER_KEY_EC;
                r = copy_member(jwk, "crv", k.crv, sizeof(k.crv), e);
                if (r == 0)
                        r = copy_member(jwk, "x", k.x, sizeof(k.x), e);
                if (r == 0)
                        r = copy_member(jwk, "y", k.y, sizeof(k.y), e);
        } else if (strcmp(kty, "RSA") == 0) {
                k.type = BROKER_KEY_RSA;
                r = copy_member(jwk, "n", k.n, sizeof(k.n), e);
                if (r == 0)
                        r = copy_member(jwk, "e", k.e, sizeof(k.e), e);
        } else
                return error_set(e, -EBADMSG, "unknown-key-type", "Key type '%s' is not known", kty);
        if (r == 0)
                *ret = k;
        return r;
}

/* RFC 8785 section 3.2.2.2: the two-character escapes, \u00xx for the other controls, all else verbatim. */
void broker_canonical_string(Writer *w, const char *text) {
        static const char shorts[] = "\b\t\n\f\r\"\\", letters[] = "btnfr\"\\";

        wr_u8(w, '"');
        for (const char *p = text; *p; p++) {
                const char *hit = strchr(shorts, *p);

                if (hit) {
                        wr_u8(w, '\\');
                        wr_u8(w, (uint8_t) letters[hit - shorts]);
                } else if ((unsigned char) *p < 0x20) {
                        char escape[8];

                        (void) snprintf(escape, sizeof(escape), "\\u%04x", (unsigned) *p);
                        wr_str(w, escape);
                } else
                        wr_u8(w, (uint8_t) *p);
        }
        wr_u8(w, '"');
}

static void write_member(Writer *w, char before, const char *name, const char *value) {
        wr_u8(w, (uint8_t) before);
        broker_canonical_string(w, name);
        wr_u8(w, ':');
        broker_canonical_string(w, value);
}

void broker_teekey_write(Writer *w, const BrokerTeeKey *key) {
        write_member(w, '{', "alg", key->alg);
        if (key->type == BROKER_KEY_EC) {
                write_member(w, ',', "crv", key->crv);
                write_member(w, ',', "kty", "EC");
                write_member(w, ',', "x", key->x);
                write_member(w, ',', "y", key->y);
        } else {
                write_member(w, ',', "e", key->e);
                write_member(w, ',', "kty", "RSA");
                write_member(w, ',', "n", key->n);
        }
        wr_u8(w, '}');
}

const char *broker_curve_group(const char *crv, size_t *ret_size) {
        static const struct {
                const char *crv; /* RFC 7518 section 6.2.1.1 */
                size_t size;
        } curves[] = { { "P-256", 32 }, { "P-384", 48 }, { "P-521", 66 } };

        for (size_t i = 0; i < N_ELEMENTS(curves); i++)
                if (strcmp(curves[i].crv, crv) == 0) {
                        *ret_size = curves[i].size;
                        return curves[i].crv; /* OpenSSL knows the same names */
                }
        return NULL;
}

static int pkey_from_params(const char *type, OSSL_PARAM_BLD *builder, EVP_PKEY **ret, Error *e) {
        OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
        AUTO_BROKER_PKEY EVP_PKEY *key = NULL;
        EVP_PKEY_CTX *check = NULL;
        bool ok;

        ok = params && ctx && EVP_PKEY_fromdata_init(ctx) == 1 &&
             EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) == 1;
        if (ok) {
                check = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
                ok = check && EVP_PKEY_public_check(check) == 1;
        }
        EVP_PKEY_CTX_free(check);
        EVP_PKEY_CTX_free(ctx);
        OSSL_PARAM_free(params);
        if (!ok)
                return error_set(e, -EBADMSG, "bad-key", "The TEE key is no valid %s key", type);
        *ret = TAKE_PTR(key);
        return 0;
}

static int ec_to_pkey(const BrokerTeeKey *key, EVP_PKEY **ret, Error *e) {
        uint8_t point[1 + 2 * COORDINATE_MAX] = { 0x04 }; /* uncompressed, SEC 1 section 2.3.3 */
        size_t size, n_x, n_y;
        const char *group = broker_curve_group(key->crv, &size);
        OSSL_PARAM_BLD *builder;
        int r;

        if (!group || strcmp(key->alg, "ECDH-ES+A256KW") != 0)
                return error_set(e, -EOPNOTSUPP, "unknown-algorithm", "Cannot encrypt with %s on %s", key->alg,
                                 key->crv);
        if (base64_decode_to(BASE64_URL, key->x, strlen(key->x), point + 1, size, &n_x) < 0 || n_x != size ||
            base64_decode_to(BASE64_URL, key->y, strlen(key->y), point + 1 + size, size, &n_y) < 0 || n_y != size)
                return error_set(e, -EBADMSG, "bad-key", "A coordinate of the TEE key is not %zu bytes", size);
        builder = OSSL_PARAM_BLD_new();
        if (!builder ||
            OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, group, 0) != 1 ||
            OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * size) != 1)
                r = error_oom(e);
        else
                r = pkey_from_params("EC", builder, ret, e);
        OSSL_PARAM_BLD_free(builder);
        return r;
}

static int rsa_to_pkey(const BrokerTeeKey *key, EVP_PKEY **ret, Error *e) {
        uint8_t n[RSA_MODULUS_MAX], exponent[RSA_EXPONENT_MAX];
        size_t n_size, e_size;
        OSSL_PARAM_BLD *builder;
        BIGNUM *bn_n, *bn_e;
        int r;

        if (strcmp(key->alg, "RSA-OAEP-256") != 0 && strcmp(key->alg, "RSA-OAEP") != 0)
                return error_set(e, -EOPNOTSUPP, "unknown-algorithm", "Cannot encrypt with %s", key->alg);
        if (base64_decode_to(BASE64_URL, key->n, strlen(key->n), n, sizeof(n), &n_size) < 0 ||
            n_size < RSA_MODULUS_MIN || n[0] == 0 ||
            base64_decode_to(BASE64_URL, key->e, strlen(key->e), exponent, sizeof(exponent), &e_size) < 0)
                return error_set(e, -EBADMSG, "bad-key", "Modulus or exponent of the TEE key is out of range");
        builder = OSSL_PARAM_BLD_new();
        bn_n = BN_bin2bn(n, (int) n_size, NULL);
        bn_e = BN_bin2bn(exponent, (int) e_size, NULL);
        if (!builder || !bn_n || !bn_e || OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, bn_n) != 1 ||
            OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, bn_e) != 1)
                r = error_oom(e);
        else
                r = pkey_from_params("RSA", builder, ret, e);
        BN_free(bn_n);
        BN_free(bn_e);
        OSSL_PARAM_BLD_free(builder);
        return r;
}

int broker_teekey_to_pkey(const BrokerTeeKey *key, EVP_PKEY **ret, Error *e) {
        return key->type == BROKER_KEY_EC ? ec_to_pkey(key, ret, e) : rsa_to_pkey(key, ret, e);
}
