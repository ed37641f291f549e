/* SPDX-License-Identifier: Apache-2.0 */
#include "snp/launch/id-key.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>
#include <strings.h>

#include "base/reader.h"
#include "base/writer.h"

#define CURVE_P384 2 /* publication 56860, table "ECDSA P-384 Public Key Format" */
#define X_AT 4
#define Y_AT (X_AT + SNP_ECDSA_COMPONENT_SIZE)
#define KEY_END (Y_AT + SNP_ECDSA_COMPONENT_SIZE)
#define SIGNATURE_END (2 * SNP_ECDSA_COMPONENT_SIZE)
#define POINT_SIZE (1 + 2 * SNP_ECDSA_SCALAR_SIZE)
#define GROUP "secp384r1"

DEFINE_CLEANUP(BIO *, BIO_free_all);
DEFINE_CLEANUP(BIGNUM *, BN_free);
DEFINE_CLEANUP(ECDSA_SIG *, ECDSA_SIG_free);
DEFINE_CLEANUP(EVP_MD_CTX *, EVP_MD_CTX_free);
DEFINE_CLEANUP(EVP_PKEY_CTX *, EVP_PKEY_CTX_free);

/* libcrypto would ask the terminal. */
static int no_passphrase(char *buffer, int size, int writing, void *asked) {
        (void) buffer, (void) size, (void) writing;
        *(bool *) asked = true;
        return -1;
}

typedef EVP_PKEY *(*PemReader)(BIO *, EVP_PKEY **, pem_password_cb *, void *);
typedef EVP_PKEY *(*DerReader)(BIO *, EVP_PKEY **);

static EVP_PKEY *read_key(const Secret *file, PemReader pem, DerReader der, bool *ret_encrypted) {
        CLEANUP(BIO_free_allp) BIO *bio = BIO_new_mem_buf(file->bytes, (int) file->len); /* borrows the bytes */
        EVP_PKEY *key = NULL;

        if (!bio)
                return NULL;
        if (memmem(file->bytes, file->len, "-----BEGIN", 10))
                key = pem(bio, NULL, no_passphrase, ret_encrypted);
        else
                key = der(bio, NULL);
        return key;
}

static bool is_p384(EVP_PKEY *key) {
        char name[32];

        return EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_group_name(key, name, sizeof(name), NULL) == 1 &&
               strcasecmp(name, GROUP) == 0;
}

static bool halves_belong_together(EVP_PKEY *key, bool has_private) {
        CLEANUP(EVP_PKEY_CTX_freep) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);

        return ctx && EVP_PKEY_public_check(ctx) == 1 && (!has_private || EVP_PKEY_pairwise_check(ctx) == 1);
}

static int check_key(EVP_PKEY *key, bool has_private, bool encrypted, Error *e) {
        if (!key && encrypted)
                return error_set(e, -EOPNOTSUPP, "key-encrypted", "The key is encrypted; give it without a passphrase");
        if (!key)
                return error_set(e, -EBADMSG, "bad-key", "The file holds no key in PEM or DER");
        if (!is_p384(key))
                return error_set(e, -EOPNOTSUPP, "wrong-curve", "The key is not one of the curve P-384");
        if (!halves_belong_together(key, has_private))
                return error_set(e, -EBADMSG, "bad-key",
                                 "The key is damaged: its public half is not that of the private one");
        return 0;
}

static int load(const Secret *file, bool want_private, EVP_PKEY **ret, Error *e) {
        AUTO_EVP_PKEY EVP_PKEY *key = NULL;
        bool encrypted = false, is_private = true;
        int r;

        (void) ERR_set_mark();
        key = read_key(file, PEM_read_bio_PrivateKey, d2i_PrivateKey_bio, &encrypted);
        if (!key && !want_private) {
                is_private = false;
                key = read_key(file, PEM_read_bio_PUBKEY, d2i_PUBKEY_bio, &encrypted);
        }
        r = check_key(key, is_private, encrypted, e);
        (void) ERR_pop_to_mark();
        if (r == 0)
                *ret = TAKE_PTR(key);
        return r;
}

int snp_id_key_load_private(const Secret *file, EVP_PKEY **ret, Error *e) {
        return load(file, true, ret, e);
}

int snp_id_key_load_public(const Secret *file, EVP_PKEY **ret, Error *e) {
        return load(file, false, ret, e);
}

static int put_coordinate(EVP_PKEY *key, const char *name, uint8_t ret[static SNP_ECDSA_COMPONENT_SIZE]) {
        CLEANUP(BN_freep) BIGNUM *n = NULL;

        if (EVP_PKEY_get_bn_param(key, name, &n) != 1)
                return -EIO;
        return BN_bn2lebinpad(n, ret, SNP_ECDSA_COMPONENT_SIZE) == SNP_ECDSA_COMPONENT_SIZE ? 0 : -EIO;
}

int snp_id_key_encode(EVP_PKEY *key, uint8_t ret[static SNP_ID_KEY_SIZE], Error *e) {
        uint8_t bytes[SNP_ID_KEY_SIZE] = {};

        store_le32(bytes, CURVE_P384);
        if (put_coordinate(key, OSSL_PKEY_PARAM_EC_PUB_X, bytes + X_AT) < 0 ||
            put_coordinate(key, OSSL_PKEY_PARAM_EC_PUB_Y, bytes + Y_AT) < 0)
                return error_set(e, -EIO, "key-encoding", "libcrypto does not tell the key's coordinates");
        (void) memcpy(ret, bytes, sizeof(bytes));
        return 0;
}

/* libcrypto checks that the point is one of the curve. */
static int key_from_point(const uint8_t point[static POINT_SIZE], EVP_PKEY **ret) {
        CLEANUP(EVP_PKEY_CTX_freep) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
        char group[] = GROUP;
        uint8_t copy[POINT_SIZE];
        OSSL_PARAM params[] = {
                OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
                OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, copy, POINT_SIZE),
                OSSL_PARAM_construct_end(),
        };
        int ok;

        if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1)
                return -ENOMEM;
        (void) memcpy(copy, point, POINT_SIZE);
        (void) ERR_set_mark();
        ok = EVP_PKEY_fromdata(ctx, ret, EVP_PKEY_PUBLIC_KEY, params);
        (void) ERR_pop_to_mark();
        return ok == 1 ? 0 : -EBADMSG;
}

static void reverse(uint8_t *dst, const uint8_t *src, size_t n) {
        for (size_t i = 0; i < n; i++)
                dst[i] = src[n - 1 - i];
}

int snp_id_key_decode(const uint8_t bytes[static SNP_ID_KEY_SIZE], EVP_PKEY **ret, Error *e) {
        Reader r = rd_init(bytes, SNP_ID_KEY_SIZE);
        uint8_t point[POINT_SIZE] = { POINT_CONVERSION_UNCOMPRESSED };
        int k;

        if (rd_le32(&r) != CURVE_P384)
                return error_set(e, -EBADMSG, "bad-format", "A public key is not of the curve P-384");
        for (size_t i = 0; i < 2; i++) {
                const uint8_t *p = rd_take(&r, SNP_ECDSA_SCALAR_SIZE);

                if (p)
                        reverse(point + 1 + i * SNP_ECDSA_SCALAR_SIZE, p, SNP_ECDSA_SCALAR_SIZE);
                rd_zero(&r, SNP_ECDSA_COMPONENT_SIZE - SNP_ECDSA_SCALAR_SIZE);
        }
        rd_zero(&r, SNP_ID_KEY_SIZE - KEY_END);
        if (r.error < 0)
                return error_set(e, -EBADMSG, "bad-format",
                                 "Reserved bytes of a public key are not zero, at offset %zu", rd_offset(&r));
        k = key_from_point(point, ret);
        if (k == -EBADMSG)
                return error_set(e, k, "bad-format", "A public key is no point of its curve");
        return k < 0 ? error_oom(e) : 0;
}

int snp_id_key_digest(const uint8_t bytes[static SNP_ID_KEY_SIZE], uint8_t ret[static SNP_ID_KEY_DIGEST_SIZE],
                      Error *e) {
        return EVP_Digest(bytes, SNP_ID_KEY_SIZE, ret, NULL, EVP_sha384(), NULL) == 1 ? 0 : error_oom(e);
}

static int put_signature(const uint8_t *der, size_t size, uint8_t *ret) {
        CLEANUP(ECDSA_SIG_freep) ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long) size);

        if (!sig)
                return -EIO;
        if (BN_bn2lebinpad(ECDSA_SIG_get0_r(sig), ret, SNP_ECDSA_COMPONENT_SIZE) < 0 ||
            BN_bn2lebinpad(ECDSA_SIG_get0_s(sig), ret + SNP_ECDSA_COMPONENT_SIZE, SNP_ECDSA_COMPONENT_SIZE) < 0)
                return -EIO;
        return 0;
}

static int sign(EVP_PKEY *key, const void *message, size_t size, uint8_t *ret) {
        CLEANUP(EVP_MD_CTX_freep) EVP_MD_CTX *md = EVP_MD_CTX_new();
        uint8_t der[128]; /* at most 104 with P-384 */
        size_t der_size = sizeof(der);
        int r;

        if (!md)
                return -ENOMEM;
        if (EVP_DigestSignInit(md, NULL, EVP_sha384(), NULL, key) != 1 ||
            EVP_DigestSign(md, der, &der_size, message, size) != 1)
                return -EIO;
        r = put_signature(der, der_size, ret);
        return r < 0 ? r : snp_ecdsa_verify(key, ret, ret + SNP_ECDSA_COMPONENT_SIZE, message, size);
}

int snp_id_sign(EVP_PKEY *key, const void *message, size_t size, uint8_t ret[static SNP_ID_SIGNATURE_SIZE], Error *e) {
        uint8_t signature[SNP_ID_SIGNATURE_SIZE] = {};
        int r = sign(key, message, size, signature);

        if (r < 0)
                return error_set(e, r == -ENOMEM ? r : -EIO, "signing", "libcrypto cannot sign with this key");
        (void) memcpy(ret, signature, sizeof(signature));
        return 0;
}

int snp_id_signature_check(const uint8_t signature[static SNP_ID_SIGNATURE_SIZE], Error *e) {
        Reader r = rd_init(signature, SNP_ID_SIGNATURE_SIZE);

        for (size_t i = 0; i < 2; i++) {
                rd_skip(&r, SNP_ECDSA_SCALAR_SIZE);
                rd_zero(&r, SNP_ECDSA_COMPONENT_SIZE - SNP_ECDSA_SCALAR_SIZE);
        }
        rd_zero(&r, SNP_ID_SIGNATURE_SIZE - SIGNATURE_END);
        if (r.error < 0)
                return error_set(e, -EBADMSG, "bad-format", "Reserved bytes of a signature are not zero, at offset %zu",
                                 rd_offset(&r));
        return 0;
}
