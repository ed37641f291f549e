/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parser keeps what it read, including leading zeros, so that parse and encode are inverses; what a key
 * must be like to be of use is judged when it is turned into one.
 */
#include "vtpm/public.h"

#include <errno.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "base/reader.h"
#include "base/writer.h"

#define RSA_BITS_MIN 2048u
#define RSA_EXPONENT_DEFAULT 65537u /* TPMS_RSA_PARMS: 0 means this */

static void pkey_ctx_free(EVP_PKEY_CTX *ctx) {
        EVP_PKEY_CTX_free(ctx);
}
DEFINE_CLEANUP(EVP_PKEY_CTX *, pkey_ctx_free);
static void bld_free(OSSL_PARAM_BLD *bld) {
        OSSL_PARAM_BLD_free(bld);
}
DEFINE_CLEANUP(OSSL_PARAM_BLD *, bld_free);
static void params_free(OSSL_PARAM *params) {
        OSSL_PARAM_free(params);
}
DEFINE_CLEANUP(OSSL_PARAM *, params_free);
static void bn_free(BIGNUM *bn) {
        BN_free(bn);
}
DEFINE_CLEANUP(BIGNUM *, bn_free);

static void read_sized(Reader *r, uint8_t *dst, size_t max, size_t *ret_size) {
        size_t n = rd_be16(r);

        if (n > max)
                rd_fail(r);
        else
                rd_copy(r, dst, n);
        *ret_size = r->error < 0 ? 0 : n;
}

/* TPMT_SYM_DEF_OBJECT */
static int read_symmetric(Reader *r, VtpmPublic *p, Error *e) {
        p->symmetric = rd_be16(r);
        if (r->error == 0 && p->symmetric == VTPM_ALG_AES) {
                p->symmetric_bits = rd_be16(r);
                p->symmetric_mode = rd_be16(r);
        } else if (r->error == 0 && p->symmetric != VTPM_ALG_NULL)
                return error_set(e, -EOPNOTSUPP, "public-symmetric", "Symmetric algorithm 0x%04x is not supported",
                                 p->symmetric);
        return 0;
}

/* TPMT_RSA_SCHEME or TPMT_ECC_SCHEME */
static int read_scheme(Reader *r, VtpmPublic *p, Error *e) {
        bool known;

        p->scheme = rd_be16(r);
        if (p->type == VTPM_ALG_RSA)
                known = p->scheme == VTPM_ALG_RSASSA || p->scheme == VTPM_ALG_RSAPSS;
        else
                known = p->scheme == VTPM_ALG_ECDSA;
        if (known)
                p->scheme_hash = rd_be16(r);
        else if (r->error == 0 && p->scheme != VTPM_ALG_NULL)
                return error_set(e, -EOPNOTSUPP, "public-scheme", "Signing scheme 0x%04x is not supported for key type "
                                 "0x%04x", p->scheme, p->type);
        return 0;
}

static void read_rsa(Reader *r, VtpmPublic *p) {
        p->rsa_bits = rd_be16(r);
        p->rsa_exponent = rd_be32(r);
        read_sized(r, p->modulus, sizeof(p->modulus), &p->modulus_size);
}

static void read_ecc(Reader *r, VtpmPublic *p) {
        p->curve = rd_be16(r);
        p->kdf = rd_be16(r); /* TPMT_KDF_SCHEME */
        if (p->kdf != VTPM_ALG_NULL)
                p->kdf_hash = rd_be16(r);
        read_sized(r, p->x, sizeof(p->x), &p->x_size);
        read_sized(r, p->y, sizeof(p->y), &p->y_size);
}

int vtpm_public_parse(const void *data, size_t size, VtpmPublic *ret, Error *e) {
        VtpmPublic p = {};
        Reader r = rd_init(data, size);
        int q;

        if (size > VTPM_PUBLIC_SIZE_MAX)
                return error_set(e, -E2BIG, "public-too-large", "TPMT_PUBLIC of %zu bytes exceeds %u", size,
                                 VTPM_PUBLIC_SIZE_MAX);
        p.type = rd_be16(&r);
        if (r.error == 0 && p.type != VTPM_ALG_RSA && p.type != VTPM_ALG_ECC)
                return error_set(e, -EOPNOTSUPP, "public-type", "Key type 0x%04x is neither RSA nor ECC", p.type);
        p.name_alg = rd_be16(&r);
        p.attributes = rd_be32(&r);
        read_sized(&r, p.policy, sizeof(p.policy), &p.policy_size);
        q = read_symmetric(&r, &p, e);
        if (q < 0)
                return q;
        q = read_scheme(&r, &p, e);
        if (q < 0)
                return q;
        if (p.type == VTPM_ALG_RSA)
                read_rsa(&r, &p);
        else
                read_ecc(&r, &p);
        q = rd_finish(&r, "TPMT_PUBLIC", e);
        if (q < 0)
                return q;
        *ret = p;
        return 0;
}

static void write_sized(Writer *w, const uint8_t *data, size_t size) {
        wr_be16(w, (uint16_t) size);
        wr_bytes(w, data, size);
}

int vtpm_public_encode(const VtpmPublic *p, Blob *ret) {
        AUTO_WRITER Writer w = wr_init(VTPM_PUBLIC_SIZE_MAX);

        wr_be16(&w, p->type);
        wr_be16(&w, p->name_alg);
        wr_be32(&w, p->attributes);
        write_sized(&w, p->policy, p->policy_size);
        wr_be16(&w, p->symmetric);
        if (p->symmetric != VTPM_ALG_NULL) {
                wr_be16(&w, p->symmetric_bits);
                wr_be16(&w, p->symmetric_mode);
        }
        wr_be16(&w, p->scheme);
        if (p->scheme != VTPM_ALG_NULL)
                wr_be16(&w, p->scheme_hash);
        if (p->type == VTPM_ALG_RSA) {
                wr_be16(&w, p->rsa_bits);
                wr_be32(&w, p->rsa_exponent);
                write_sized(&w, p->modulus, p->modulus_size);
        } else {
                wr_be16(&w, p->curve);
                wr_be16(&w, p->kdf);
                if (p->kdf != VTPM_ALG_NULL)
                        wr_be16(&w, p->kdf_hash);
                write_sized(&w, p->x, p->x_size);
                write_sized(&w, p->y, p->y_size);
        }
        return wr_finish(&w, ret);
}

static int key_from_params(const char *type, OSSL_PARAM *params, EVP_PKEY **ret) {
        CLEANUP(pkey_ctx_freep) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);

        if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 || EVP_PKEY_fromdata(ctx, ret, EVP_PKEY_PUBLIC_KEY, params) != 1)
                return -EBADMSG;
        return 0;
}

static int rsa_key(const VtpmPublic *p, EVP_PKEY **ret, Error *e) {
        CLEANUP(bld_freep) OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
        CLEANUP(bn_freep) BIGNUM *n = NULL;
        CLEANUP(params_freep) OSSL_PARAM *params = NULL;

        if (p->rsa_bits < RSA_BITS_MIN || p->rsa_bits > VTPM_RSA_SIZE_MAX * 8)
                return error_set(e, -EOPNOTSUPP, "public-rsa-size", "RSA key of %u bits is not within %u to %u",
                                 p->rsa_bits, RSA_BITS_MIN, VTPM_RSA_SIZE_MAX * 8);
        if (p->rsa_exponent != 0 && p->rsa_exponent != RSA_EXPONENT_DEFAULT)
                return error_set(e, -EOPNOTSUPP, "public-rsa-exponent", "RSA exponent %u is not %u", p->rsa_exponent,
                                 RSA_EXPONENT_DEFAULT);
        if (p->modulus_size * 8 != p->rsa_bits || !(p->modulus[0] & 0x80))
                return error_set(e, -EBADMSG, "public-rsa-size", "RSA modulus is not of the %u bits the key claims",
                                 p->rsa_bits);
        n = BN_bin2bn(p->modulus, (int) p->modulus_size, NULL);
        if (!bld || !n || OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
            OSSL_PARAM_BLD_push_uint(bld, OSSL_PKEY_PARAM_RSA_E, RSA_EXPONENT_DEFAULT) != 1)
                return error_oom(e);
        params = OSSL_PARAM_BLD_to_param(bld);
        if (!params)
                return error_oom(e);
        if (key_from_params("RSA", params, ret) < 0)
                return error_set(e, -EBADMSG, "public-key", "RSA modulus is not a public key");
        return 0;
}

/* Uncompressed point (SEC 1, section 2.3.3): 04, x, y, each padded to the size of the field. */
static int encode_point(const VtpmPublic *p, size_t size, uint8_t *ret) {
        if (p->x_size > size || p->y_size > size)
                return -EBADMSG;
        (void) memset(ret, 0, 1 + 2 * size);
        ret[0] = 4;
        (void) memcpy(ret + 1 + size - p->x_size, p->x, p->x_size);
        (void) memcpy(ret + 1 + 2 * size - p->y_size, p->y, p->y_size);
        return 0;
}

static int ecc_key(const VtpmPublic *p, EVP_PKEY **ret, Error *e) {
        const char *group = vtpm_curve_group(p->curve);
        size_t size = vtpm_curve_size(p->curve);
        uint8_t point[1 + 2 * VTPM_COORDINATE_MAX];
        CLEANUP(bld_freep) OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
        CLEANUP(params_freep) OSSL_PARAM *params = NULL;

        if (!group)
                return error_set(e, -EOPNOTSUPP, "public-curve", "Curve 0x%04x is not supported", p->curve);
        if (encode_point(p, size, point) < 0)
                return error_set(e, -EBADMSG, "public-point", "ECC point is larger than curve %s", group);
        if (!bld || OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, group, 0) != 1 ||
            OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * size) != 1)
                return error_oom(e);
        params = OSSL_PARAM_BLD_to_param(bld);
        if (!params)
                return error_oom(e);
        if (key_from_params("EC", params, ret) < 0) /* checks that the point is on the curve */
                return error_set(e, -EBADMSG, "public-point", "ECC point is not on curve %s", group);
        return 0;
}

int vtpm_public_to_key(const VtpmPublic *pub, EVP_PKEY **ret, Error *e) {
        EVP_PKEY *key = NULL;
        int r;

        if (pub->type == VTPM_ALG_RSA)
                r = rsa_key(pub, &key, e);
        else
                r = ecc_key(pub, &key, e);
        if (r < 0)
                return r;
        *ret = key;
        return 0;
}
