/* SPDX-License-Identifier: Apache-2.0 */
#include "snp/ecdsa.h"

#include <errno.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>

#include "base/reader.h"

/* SEQUENCE of two INTEGERs of at most 49 bytes each: 2 * (2 + 49) + 2 */
#define DER_SIGNATURE_MAX 104

DEFINE_CLEANUP(ECDSA_SIG *, ECDSA_SIG_free);
DEFINE_CLEANUP(BIGNUM *, BN_free);
DEFINE_CLEANUP(EVP_MD_CTX *, EVP_MD_CTX_free);

static int load_scalar(const uint8_t bytes[static SNP_ECDSA_COMPONENT_SIZE], BIGNUM **ret) {
        if (!bytes_are_zero(bytes + SNP_ECDSA_SCALAR_SIZE, SNP_ECDSA_COMPONENT_SIZE - SNP_ECDSA_SCALAR_SIZE))
                return -EKEYREJECTED;
        *ret = BN_lebin2bn(bytes, SNP_ECDSA_SCALAR_SIZE, NULL);
        return *ret ? 0 : -ENOMEM;
}

static int encode_signature(const uint8_t *r_bytes, const uint8_t *s_bytes, uint8_t ret[static DER_SIGNATURE_MAX],
                            size_t *ret_size) {
        CLEANUP(ECDSA_SIG_freep) ECDSA_SIG *sig = ECDSA_SIG_new();
        CLEANUP(BN_freep) BIGNUM *r = NULL;
        CLEANUP(BN_freep) BIGNUM *s = NULL;
        int k, n;

        if (!sig)
                return -ENOMEM;
        k = load_scalar(r_bytes, &r);
        if (k < 0)
                return k;
        k = load_scalar(s_bytes, &s);
        if (k < 0)
                return k;
        if (ECDSA_SIG_set0(sig, r, s) != 1)
                return -ENOMEM;
        r = s = NULL; /* taken by sig */
        n = i2d_ECDSA_SIG(sig, NULL);
        if (n <= 0 || n > DER_SIGNATURE_MAX || i2d_ECDSA_SIG(sig, &ret) != n)
                return -EIO;
        *ret_size = (size_t) n;
        return 0;
}

/* Libcrypto itself refuses R and S outside [1, group order). */
static int verify(EVP_PKEY *key, const uint8_t *der, size_t der_size, const void *message, size_t size) {
        CLEANUP(EVP_MD_CTX_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();

        if (!ctx)
                return -ENOMEM;
        if (EVP_DigestVerifyInit(ctx, NULL, EVP_sha384(), NULL, key) != 1)
                return -EIO;
        return EVP_DigestVerify(ctx, der, der_size, message, size) == 1 ? 0 : -EKEYREJECTED;
}

int snp_ecdsa_verify(EVP_PKEY *key, const uint8_t r[static SNP_ECDSA_COMPONENT_SIZE],
                     const uint8_t s[static SNP_ECDSA_COMPONENT_SIZE], const void *message, size_t size) {
        uint8_t der[DER_SIGNATURE_MAX];
        size_t der_size = 0;
        int k;

        (void) ERR_set_mark();
        k = encode_signature(r, s, der, &der_size);
        if (k == 0)
                k = verify(key, der, der_size, message, size);
        (void) ERR_pop_to_mark();
        return k;
}
