/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The key pair that a broker encrypts to. It is made for one handshake and dies with its session; the private part
 * never leaves this process and, where OpenSSL's secure heap has been set up, never leaves that heap.
 */

#include <json-c/json_object.h>
#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "keybroker-client/client.h"

typedef struct KbcTeeKey KbcTeeKey;

/* RFC 7518 section 4.3 asks for 2048 bits at least; key generation is part of every handshake. */
#define KBC_TEE_RSA_BITS 2048
/* Byte length of a P-521 coordinate, the largest there is. */
#define KBC_EC_COORDINATE_MAX 66

static inline void kbc_pkey_cleanup(EVP_PKEY **p) {
        EVP_PKEY_free(*p);
        *p = NULL;
}
#define AUTO_PKEY CLEANUP(kbc_pkey_cleanup)

static inline void kbc_pkey_ctx_cleanup(EVP_PKEY_CTX **p) {
        EVP_PKEY_CTX_free(*p);
        *p = NULL;
}
#define AUTO_PKEY_CTX CLEANUP(kbc_pkey_ctx_cleanup)

WARN_UNUSED int kbc_tee_key_generate(KbcTeeAlg alg, KbcTeeKey **ret, Error *e);
/* For a key pair that exists; takes a reference to @pkey. -EINVAL when it is no key for @alg. */
WARN_UNUSED int kbc_tee_key_new(KbcTeeAlg alg, EVP_PKEY *pkey, KbcTeeKey **ret, Error *e);
void kbc_tee_key_free(KbcTeeKey *key);
DEFINE_CLEANUP(KbcTeeKey *, kbc_tee_key_free);

/* RFC 7518 names: "alg" and, for elliptic curves, "crv" (else NULL). */
const char *kbc_tee_key_alg_name(const KbcTeeKey *key);
const char *kbc_tee_key_curve_name(const KbcTeeKey *key);
/* Bytes of a coordinate; 0 for RSA. */
size_t kbc_tee_key_coordinate_size(const KbcTeeKey *key);
KbcTeeAlg kbc_tee_key_alg(const KbcTeeKey *key);
EVP_PKEY *kbc_tee_key_pkey(const KbcTeeKey *key); /* borrowed */

/**
 * kbc_tee_key_to_jwk() - the public part as the broker must see it
 *
 * Exactly the members the broker's own type has (EC: kty, crv, alg, x, y; RSA: kty, alg, n, e): it hashes what it
 * understood, so one member more would break the digest. Coordinates have their full length (RFC 7518 section
 * 6.2.1.2), n and e are minimal (section 2, Base64urlUInt).
 */
WARN_UNUSED int kbc_tee_key_to_jwk(const KbcTeeKey *key, json_object **ret, Error *e);

/**
 * kbc_ec_point_new() - a public key on the curve of @key from affine coordinates, not trusted
 * @x, @y: kbc_tee_key_coordinate_size() bytes each, big-endian
 *
 * Return: 0; -EBADMSG the point is not on the curve.
 */
WARN_UNUSED int kbc_ec_point_new(const KbcTeeKey *key, const uint8_t *x, const uint8_t *y, EVP_PKEY **ret, Error *e);
