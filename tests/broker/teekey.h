/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The guest's public key ("tee-pubkey", a JWK), as a broker keeps it: parsed into a typed structure, so that
 * members a broker does not know are gone when the digest over the key is computed.
 */

#include <json-c/json_object.h>
#include <openssl/evp.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/writer.h"

typedef enum BrokerKeyType {
        BROKER_KEY_EC,
        BROKER_KEY_RSA,
} BrokerKeyType;

#define BROKER_KEY_TEXT_MAX 1408 /* base64url of an RSA modulus of 8192 bits and some air */

typedef struct BrokerTeeKey {
        BrokerKeyType type;
        char alg[32];
        char crv[16];                 /* EC */
        char x[BROKER_KEY_TEXT_MAX];  /* EC: x and y; as received, not decoded */
        char y[BROKER_KEY_TEXT_MAX];
        char n[BROKER_KEY_TEXT_MAX];  /* RSA */
        char e[BROKER_KEY_TEXT_MAX];
} BrokerTeeKey;

static inline void broker_pkey_cleanup(EVP_PKEY **p) {
        EVP_PKEY_free(*p);
        *p = NULL;
}
#define AUTO_BROKER_PKEY CLEANUP(broker_pkey_cleanup)

/* Form only: values are judged by broker_teekey_to_pkey(), which a broker calls after attestation. 0 or -EBADMSG. */
WARN_UNUSED int broker_teekey_parse(json_object *jwk, BrokerTeeKey *ret, Error *e);

/* RFC 8785 text of the known members, in the order that document demands. */
void broker_teekey_write(Writer *w, const BrokerTeeKey *key);

/* RFC 8785 string literal. */
void broker_canonical_string(Writer *w, const char *text);

/**
 * broker_teekey_to_pkey() - a key to encrypt to
 *
 * EC: P-256, P-384, P-521 with coordinates of exactly the field's size, on the curve. RSA: 2048 bits or more.
 *
 * Return: 0; -EBADMSG encoding, length or point; -EOPNOTSUPP algorithm or curve.
 */
WARN_UNUSED int broker_teekey_to_pkey(const BrokerTeeKey *key, EVP_PKEY **ret, Error *e);

/* OpenSSL's group name and the size of a coordinate; NULL for a curve we do not know. */
const char *broker_curve_group(const char *crv, size_t *ret_size);
