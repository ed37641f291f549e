/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Algorithm identifiers as they stand on the wire, and the hash functions a PCR bank or a signature may
 * use. Source: TCG Algorithm Registry, table "TPM_ALG_ID" and table "TPM_ECC_CURVE". Declared here so that
 * code which only judges quotes needs no TPM software stack.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>

#include "base/cleanup.h"
#include "base/error.h"

typedef enum VtpmAlg {
        VTPM_ALG_RSA = 0x0001,
        VTPM_ALG_SHA1 = 0x0004,
        VTPM_ALG_AES = 0x0006,
        VTPM_ALG_SHA256 = 0x000b,
        VTPM_ALG_SHA384 = 0x000c,
        VTPM_ALG_SHA512 = 0x000d,
        VTPM_ALG_NULL = 0x0010,
        VTPM_ALG_RSASSA = 0x0014,
        VTPM_ALG_RSAPSS = 0x0016,
        VTPM_ALG_ECDSA = 0x0018,
        VTPM_ALG_ECC = 0x0023,
        VTPM_ALG_CFB = 0x0043,
} VtpmAlg;

typedef enum VtpmCurve {
        VTPM_CURVE_NIST_P256 = 0x0003,
        VTPM_CURVE_NIST_P384 = 0x0004,
        VTPM_CURVE_NIST_P521 = 0x0005,
} VtpmCurve;

#define VTPM_DIGEST_MAX 64 /* SHA-512 */
#define VTPM_HASHES_MAX 4u /* hash functions we know, so as many banks can be computed with */

/* The four below; anything else is "not a hash we know": 0, NULL, false, "?". */
size_t vtpm_hash_size(uint16_t hash);
const EVP_MD *vtpm_hash_md(uint16_t hash);
const char *vtpm_hash_name(uint16_t hash); /* "sha1", "sha256", "sha384", "sha512" */
bool vtpm_hash_is_sound(uint16_t hash);    /* may carry a signature: known, and not SHA-1 */

/* 0 or -EINVAL. */
WARN_UNUSED int vtpm_hash_from_name(const char *name, uint16_t *ret, Error *e);

/* @ret has room for vtpm_hash_size(@hash) bytes. 0; -EOPNOTSUPP unknown hash; -EIO. */
WARN_UNUSED int vtpm_hash_bytes(uint16_t hash, const void *data, size_t size, uint8_t *ret, Error *e);

/* Coordinate size in bytes and OpenSSL's group name; 0 and NULL for a curve we do not know. */
size_t vtpm_curve_size(uint16_t curve);
const char *vtpm_curve_group(uint16_t curve);

/* Of any algorithm, hash or not: "rsa", "sha3_256", "ecdsa", as tpm2-tools have it; NULL for what has no name here. */
const char *vtpm_alg_name(uint16_t alg);
