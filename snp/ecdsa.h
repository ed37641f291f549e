/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Signatures as the firmware writes them: ECDSA on P-384 with SHA-384, R and S of 72 little-endian bytes each
 * (AMD publication 56860, table "ECDSA P-384 with SHA-384 Signature Format"). */

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

#define SNP_ECDSA_COMPONENT_SIZE 72 /* of R, S and of public keys' coordinates */
#define SNP_ECDSA_SCALAR_SIZE 48    /* of these, what P-384 uses; the rest is zero */

/* 0; -EKEYREJECTED the signature does not hold; -ENOMEM, -EIO it could not be judged. Leaves no errors in libcrypto's
 * queue. */
WARN_UNUSED int snp_ecdsa_verify(EVP_PKEY *key, const uint8_t r[static SNP_ECDSA_COMPONENT_SIZE],
                                 const uint8_t s[static SNP_ECDSA_COMPONENT_SIZE], const void *message, size_t size);
