/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/vtpm/soft.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>

#include "tests/unit/unit.h"

const uint8_t soft_nonce[SOFT_NONCE_SIZE] = {
        0xa0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 0xff,
};

static void fill_rsa(SoftAk *ak) {
        BIGNUM *n = NULL;

        ak->key = EVP_RSA_gen(2048);
        ck_assert_ptr_nonnull(ak->key);
        ck_assert_int_eq(EVP_PKEY_get_bn_param(ak->key, OSSL_PKEY_PARAM_RSA_N, &n), 1);
        ak->pub.type = VTPM_ALG_RSA;
        ak->pub.rsa_bits = 2048;
        ak->pub.modulus_size = 256;
        ck_assert_int_eq(BN_bn2binpad(n, ak->pub.modulus, 256), 256);
        BN_free(n);
}

static size_t fill_coordinate(const SoftAk *ak, const char *name, size_t size, uint8_t *to) {
        BIGNUM *bn = NULL;

        ck_assert_int_eq(EVP_PKEY_get_bn_param(ak->key, name, &bn), 1);
        ck_assert_int_eq(BN_bn2binpad(bn, to, (int) size), (int) size);
        BN_free(bn);
        return size;
}

static void fill_ecc(SoftAk *ak, uint16_t curve) {
        size_t size = vtpm_curve_size(curve);

        ak->key = EVP_EC_gen(vtpm_curve_group(curve));
        ck_assert_ptr_nonnull(ak->key);
        ak->pub.type = VTPM_ALG_ECC;
        ak->pub.curve = curve;
        ak->pub.kdf = VTPM_ALG_NULL;
        ak->pub.x_size = fill_coordinate(ak, OSSL_PKEY_PARAM_EC_PUB_X, size, ak->pub.x);
        ak->pub.y_size = fill_coordinate(ak, OSSL_PKEY_PARAM_EC_PUB_Y, size, ak->pub.y);
}

SoftAk soft_ak_new(uint16_t scheme, uint16_t hash, uint16_t curve) {
        SoftAk ak = {
                .pub = {
                        .name_alg = VTPM_ALG_SHA256,
                        .attributes = 0x00050472,
                        .symmetric = VTPM_ALG_NULL,
                        .scheme = scheme,
                        .scheme_hash = hash,
                },
        };

        if (scheme == VTPM_ALG_ECDSA)
                fill_ecc(&ak, curve);
        else
                fill_rsa(&ak);
        return ak;
}

void soft_ak_done(SoftAk *ak) {
        EVP_PKEY_free(ak->key);
        ak->key = NULL;
}

Blob soft_public(const SoftAk *ak) {
        Blob b = {};

        ck_assert_int_eq(vtpm_public_encode(&ak->pub, &b), 0);
        return b;
}

VtpmAkPublic *soft_ak_public(const SoftAk *ak) {
        AUTO_BLOB Blob pub = soft_public(ak);
        VtpmAkPublic *ret = NULL;
        Error e = {};

        ck_assert_msg(vtpm_ak_public_new(pub.data, pub.size, &ret, &e) == 0, "%s", e.text);
        return ret;
}

static void split_ecdsa(const uint8_t *der, size_t size, size_t n, VtpmSignature *to) {
        ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long) size);

        ck_assert_ptr_nonnull(sig);
        to->r_size = to->s_size = n;
        ck_assert_int_eq(BN_bn2binpad(ECDSA_SIG_get0_r(sig), to->r, (int) n), (int) n);
        ck_assert_int_eq(BN_bn2binpad(ECDSA_SIG_get0_s(sig), to->s, (int) n), (int) n);
        ECDSA_SIG_free(sig);
}

VtpmSignature soft_sign_raw(const SoftAk *ak, const void *data, size_t size) {
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        EVP_PKEY_CTX *pctx = NULL;
        VtpmSignature s = { .scheme = ak->pub.scheme, .hash = ak->pub.scheme_hash };
        uint8_t raw[VTPM_RSA_SIZE_MAX];
        size_t n = sizeof(raw);

        ck_assert_int_eq(EVP_DigestSignInit(ctx, &pctx, vtpm_hash_md(s.hash), NULL, ak->key), 1);
        if (s.scheme == VTPM_ALG_RSAPSS) {
                ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING), 1);
                ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST), 1);
        }
        ck_assert_int_eq(EVP_DigestSign(ctx, raw, &n, data, size), 1);
        EVP_MD_CTX_free(ctx);
        if (s.scheme == VTPM_ALG_ECDSA)
                split_ecdsa(raw, n, vtpm_curve_size(ak->pub.curve), &s);
        else {
                (void) memcpy(s.rsa, raw, n);
                s.rsa_size = n;
        }
        return s;
}

Blob soft_sign(const SoftAk *ak, const void *data, size_t size) {
        VtpmSignature s = soft_sign_raw(ak, data, size);
        Blob b = {};

        ck_assert_int_eq(vtpm_signature_encode(&s, &b), 0);
        return b;
}

VtpmPcrValues soft_pcrs(uint16_t hash, uint32_t mask) {
        VtpmPcrValues v = { .hash = hash, .mask = mask };

        for (unsigned i = 0; i < VTPM_N_PCRS; i++)
                (void) memset(v.values[i], (int) i, vtpm_hash_size(hash));
        return v;
}

VtpmQuoteAsked soft_asked(const VtpmPcrValues *pcrs, size_t n) {
        VtpmQuoteAsked asked = { .nonce = soft_nonce, .nonce_size = SOFT_NONCE_SIZE, .pcrs.n_banks = n };

        for (size_t i = 0; i < n; i++)
                asked.pcrs.banks[i] = (VtpmPcrBank){ .hash = pcrs[i].hash, .mask = pcrs[i].mask };
        return asked;
}

VtpmAttest soft_attest(const VtpmPcrValues *pcrs, size_t n, uint16_t hash) {
        VtpmAttest a = {
                .signer = { 0x00, 0x0b, 0x11, 0x22 },
                .signer_size = 34,
                .extra_size = SOFT_NONCE_SIZE,
                .clock = { .clock_msec = 123456789, .reset_count = 7, .restart_count = 2, .safe = true },
                .firmware_version = UINT64_C(0x0102030405060708),
                .selection = soft_asked(pcrs, n).pcrs,
                .pcr_digest_size = vtpm_hash_size(hash),
        };

        (void) memcpy(a.extra, soft_nonce, SOFT_NONCE_SIZE);
        if (n > 0)
                ck_assert_int_eq(vtpm_pcr_digest(&a.selection, pcrs, n, hash, a.pcr_digest, NULL), 0);
        return a;
}

Blob soft_attest_bytes(const VtpmAttest *attest) {
        Blob b = {};

        ck_assert_int_eq(vtpm_attest_encode(attest, &b), 0);
        return b;
}
