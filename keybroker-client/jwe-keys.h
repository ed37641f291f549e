/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* From a wrapped key to the content-encryption key of a JWE (RFC 7518 section 4). */

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/secret.h"
#include "keybroker-client/tee-key.h"

#define KBC_CEK_SIZE 32          /* A256GCM, RFC 7518 section 5.3 */
#define KBC_WRAPPED_KEY_MAX 1024 /* RSA-8192 */

/* All intermediate keys of one JWE, in one piece of locked memory. */
typedef struct KbcJweKeys {
        Secret memory;  /* owned; the pointers lead into it */
        uint8_t *z;     /* ECDH shared secret, z_size bytes */
        uint8_t *kek;   /* KBC_CEK_SIZE bytes */
        uint8_t *cek;   /* KBC_CEK_SIZE bytes, in room for KBC_WRAPPED_KEY_MAX */
        size_t z_size;
} KbcJweKeys;

WARN_UNUSED int kbc_jwe_keys_init(KbcJweKeys *k, Error *e);
void kbc_jwe_keys_done(KbcJweKeys *k);
#define AUTO_JWE_KEYS CLEANUP(kbc_jwe_keys_done)

/* ECDH of our key and @epk, which has been checked to be on the curve: fills z. */
WARN_UNUSED int kbc_jwe_agree(const KbcTeeKey *key, EVP_PKEY *epk, KbcJweKeys *k, Error *e);
/* RFC 7518 section 4.6.2 with AlgorithmID @alg: z to kek. */
WARN_UNUSED int kbc_jwe_concat_kdf(const char *alg, const Blob *apu, const Blob *apv, KbcJweKeys *k, Error *e);
/* RFC 3394: kek and @wrapped to cek. */
WARN_UNUSED int kbc_jwe_unwrap_aes(const Blob *wrapped, KbcJweKeys *k, Error *e);
/* RFC 8017 section 7.1: @wrapped to cek, with the hash that the algorithm of @key asks for. */
WARN_UNUSED int kbc_jwe_unwrap_rsa(const Blob *wrapped, const KbcTeeKey *key, KbcJweKeys *k, Error *e);

/* The one answer to everything that does not authenticate: -EKEYREJECTED. */
int kbc_jwe_not_decrypted(Error *e);
