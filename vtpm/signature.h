/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * TPMT_SIGNATURE for the schemes an attestation key may have. Big-endian.
 * Source: TPM 2.0 Library Part 2, "TPMT_SIGNATURE", "TPMS_SIGNATURE_RSA", "TPMS_SIGNATURE_ECC".
 */

#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "vtpm/alg.h"
#include "vtpm/public.h"

#define VTPM_SIGNATURE_SIZE_MAX 1024u

typedef struct VtpmSignature {
        uint16_t scheme; /* VTPM_ALG_RSASSA, _RSAPSS or _ECDSA */
        uint16_t hash;   /* any; see vtpm_hash_is_sound() */
        uint8_t rsa[VTPM_RSA_SIZE_MAX];
        size_t rsa_size;
        uint8_t r[VTPM_COORDINATE_MAX], s[VTPM_COORDINATE_MAX];
        size_t r_size, s_size; /* a TPM may leave leading zeros out */
} VtpmSignature;

/**
 * vtpm_signature_parse() - decode a TPMT_SIGNATURE
 * @data:  not yet trusted
 *
 * Return: 0; -EBADMSG malformed; -EOPNOTSUPP another scheme (also "none"); -E2BIG.
 */
WARN_UNUSED int vtpm_signature_parse(const void *data, size_t size, VtpmSignature *ret, Error *e);

/* The bytes vtpm_signature_parse() reads back. 0 or -ENOMEM. */
WARN_UNUSED int vtpm_signature_encode(const VtpmSignature *sig, Blob *ret);

/**
 * vtpm_signature_verify() - does @key's signature over @data hold?
 *
 * Takes scheme and hash from @sig: whoever calls has compared them with what the key may use, and refused
 * weak hashes. An RSAPSS salt may have any length: TPMs use the hash's size or the largest that fits
 * (TPM 2.0 Library Part 1, "RSASSA_PSS").
 *
 * Return: 0; -EKEYREJECTED it does not; -EOPNOTSUPP unknown hash; -ENOMEM.
 */
WARN_UNUSED int vtpm_signature_verify(const VtpmSignature *sig, EVP_PKEY *key, const void *data, size_t size, Error *e);
