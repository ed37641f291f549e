/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Opens what a broker encrypted to our TEE key: a JWE in flattened JSON serialisation (RFC 7516 section 7.2.2),
 * ECDH-ES+A256KW, RSA-OAEP or RSA-OAEP-256 (RFC 7518 sections 4.3 and 4.6) with A256GCM content (section 5.3).
 * The plaintext is decrypted into a Secret and nowhere else.
 *
 * Nothing in a JWE says who made it: anyone who knows the public key can. What vouches for it is the TLS connection.
 */

#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/secret.h"
#include "keybroker-client/tee-key.h"

/* Base64url of a protected header; brokers send some 200 bytes. */
#define KBC_JWE_HEADER_MAX 4096u
/* A whole JWE: SECRET_MAX bytes of content in base64url, the header, a wrapped key of RSA-8192 and member names. */
#define KBC_JWE_MAX (SECRET_MAX / 3u * 4u + KBC_JWE_HEADER_MAX + 4096u)

/**
 * kbc_jwe_open() - decrypt
 * @text: JSON, not trusted
 * @ret:  the content; its len is 0 for an empty one
 *
 * The "alg" of the protected header must be the one announced with the key. "crit" and "zip" are refused, and so are
 * unprotected headers and the several-recipients form. Whether the wrapped key or the content failed to authenticate
 * is not told apart.
 *
 * Return: 0; -EBADMSG malformed; -E2BIG; -EPROTO not the algorithm that was announced; -EOPNOTSUPP content encryption
 * or header parameter that we do not do, RSA1_5 ("alg-deprecated") among them; -EKEYREJECTED does not decrypt; -ENOMEM.
 */
WARN_UNUSED int kbc_jwe_open(const void *text, size_t size, const KbcTeeKey *key, Secret *ret, Error *e);
