/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * TPMT_PUBLIC: the public area of a key, without the size in front that makes it a TPM2B_PUBLIC.
 * Big-endian. Source: TPM 2.0 Library Part 2, "TPMT_PUBLIC" and the tables of its unions. RSA and ECC keys
 * for signing, and (so that endorsement keys can be read too) storage keys with an AES parameter; nothing
 * else is supported.
 */

#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "vtpm/alg.h"

/* TPMA_OBJECT, TPM 2.0 Library Part 2 */
#define VTPM_OBJECT_FIXED_TPM 0x00000002u
#define VTPM_OBJECT_FIXED_PARENT 0x00000010u
#define VTPM_OBJECT_SENSITIVE_DATA_ORIGIN 0x00000020u
#define VTPM_OBJECT_USER_WITH_AUTH 0x00000040u
#define VTPM_OBJECT_ADMIN_WITH_POLICY 0x00000080u
#define VTPM_OBJECT_NO_DA 0x00000400u
#define VTPM_OBJECT_RESTRICTED 0x00010000u
#define VTPM_OBJECT_DECRYPT 0x00020000u
#define VTPM_OBJECT_SIGN 0x00040000u

#define VTPM_RSA_SIZE_MAX 512u    /* RSA-4096 */
#define VTPM_COORDINATE_MAX 66u   /* P-521 */
#define VTPM_PUBLIC_SIZE_MAX 1024u

typedef struct VtpmPublic {
        uint16_t type;     /* VTPM_ALG_RSA or VTPM_ALG_ECC */
        uint16_t name_alg; /* hash the key's name is made with */
        uint32_t attributes;
        uint8_t policy[VTPM_DIGEST_MAX];
        size_t policy_size;

        uint16_t symmetric; /* VTPM_ALG_NULL for signing keys, else VTPM_ALG_AES */
        uint16_t symmetric_bits, symmetric_mode;
        uint16_t scheme;      /* VTPM_ALG_RSASSA, _RSAPSS, _ECDSA or _NULL */
        uint16_t scheme_hash; /* unless scheme is _NULL */

        uint16_t rsa_bits;
        uint32_t rsa_exponent; /* 0 stands for 65537 */
        uint8_t modulus[VTPM_RSA_SIZE_MAX];
        size_t modulus_size;

        uint16_t curve;         /* VtpmCurve */
        uint16_t kdf, kdf_hash; /* VTPM_ALG_NULL as a rule; kdf_hash otherwise */
        uint8_t x[VTPM_COORDINATE_MAX], y[VTPM_COORDINATE_MAX];
        size_t x_size, y_size; /* a TPM may leave leading zeros out */
} VtpmPublic;

/**
 * vtpm_public_parse() - decode a TPMT_PUBLIC
 * @data:  not yet trusted
 * @ret:   on success, all fields; holds no pointers into @data
 *
 * Return: 0; -EBADMSG malformed; -EOPNOTSUPP a key type, scheme or parameter not listed above; -E2BIG.
 */
WARN_UNUSED int vtpm_public_parse(const void *data, size_t size, VtpmPublic *ret, Error *e);

/* The bytes vtpm_public_parse() reads back. 0 or -ENOMEM. */
WARN_UNUSED int vtpm_public_encode(const VtpmPublic *pub, Blob *ret);

/**
 * vtpm_public_to_key() - the key for OpenSSL
 *
 * Return: 0; -EBADMSG sizes disagree or the point is not on the curve; -EOPNOTSUPP curve, exponent, or an
 * RSA size outside 2048 to 4096 bits; -EIO.
 */
WARN_UNUSED int vtpm_public_to_key(const VtpmPublic *pub, EVP_PKEY **ret, Error *e);
