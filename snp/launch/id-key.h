/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Keys that sign ID blocks: P-384, on disk as PEM or DER, in the firmware's structures as little-endian coordinates
 * (AMD publication 56860, table "ECDSA P-384 Public Key Format"). Private keys exist in a Secret and in libcrypto's
 * own objects, nowhere else.
 */

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/secret.h"
#include "snp/cert.h" /* AUTO_EVP_PKEY */
#include "snp/ecdsa.h"

#define SNP_ID_KEY_SIZE 1028 /* curve, X, Y, zeros */
#define SNP_ID_KEY_DIGEST_SIZE 48
#define SNP_ID_SIGNATURE_SIZE 512 /* R, S, zeros */

/**
 * snp_id_key_load_private() - a private key from a file's bytes
 * @file: PEM (SEC1 or PKCS#8, not encrypted) or DER
 *
 * Return: 0; -EBADMSG reason "bad-key" no such key, or one whose halves do not belong together; -EOPNOTSUPP reason
 * "wrong-curve" another kind of key, "key-encrypted".
 */
WARN_UNUSED int snp_id_key_load_private(const Secret *file, EVP_PKEY **ret, Error *e);

/* The same for what only needs the public half; the file may hold either. */
WARN_UNUSED int snp_id_key_load_public(const Secret *file, EVP_PKEY **ret, Error *e);

/* As the firmware wants to see it. 0 or -ENOMEM, -EIO. */
WARN_UNUSED int snp_id_key_encode(EVP_PKEY *key, uint8_t ret[static SNP_ID_KEY_SIZE], Error *e);
/* The inverse. -EBADMSG reason "bad-format": curve, reserved bytes, or no point of the curve. */
WARN_UNUSED int snp_id_key_decode(const uint8_t bytes[static SNP_ID_KEY_SIZE], EVP_PKEY **ret, Error *e);

/* ID_KEY_DIGEST and AUTHOR_KEY_DIGEST of reports. 0 or -ENOMEM. */
WARN_UNUSED int snp_id_key_digest(const uint8_t bytes[static SNP_ID_KEY_SIZE],
                                  uint8_t ret[static SNP_ID_KEY_DIGEST_SIZE], Error *e);

/* ECDSA with SHA-384, checked before it is returned. 0 or -EIO, -ENOMEM. */
WARN_UNUSED int snp_id_sign(EVP_PKEY *key, const void *message, size_t size,
                            uint8_t ret[static SNP_ID_SIGNATURE_SIZE], Error *e);
/* Reserved bytes are zero; -EBADMSG reason "bad-format". Says nothing about whether it holds. */
WARN_UNUSED int snp_id_signature_check(const uint8_t signature[static SNP_ID_SIGNATURE_SIZE], Error *e);
