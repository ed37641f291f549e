/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Encryption of a resource to the guest's key: JWE, flattened JSON serialisation (RFC 7516 section 7.2.2), with
 * ECDH-ES+A256KW, RSA-OAEP or RSA-OAEP-256 (RFC 7518 sections 4.6, 4.3) and A256GCM. Written without a look
 * at the decryption in keybroker-client/.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "tests/broker/teekey.h"

/* What to get wrong on purpose. */
typedef enum BrokerSealFlaw {
        BROKER_SEAL_SOUND,
        BROKER_SEAL_BAD_TAG,   /* one bit of the tag flipped */
        BROKER_SEAL_BAD_ALG,   /* header names another key management algorithm */
        BROKER_SEAL_BAD_ENC,   /* header names another content encryption */
        BROKER_SEAL_BAD_EPK,   /* ephemeral key is not on the curve (RSA: one bit of the encrypted key flipped) */
        BROKER_SEAL_NO_IV,     /* member missing */
        BROKER_SEAL_OTHER_KEY, /* sealed to a key that is not the guest's */
} BrokerSealFlaw;

/* JSON text in *ret. @size may be 0. Errors as broker_teekey_to_pkey(), and -ENOMEM, -EIO. */
WARN_UNUSED int broker_seal(const BrokerTeeKey *key, const void *plaintext, size_t size, BrokerSealFlaw flaw, Blob *ret,
                            Error *e);
