/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

/* Evidence of GPUs can make tokens of some hundred KiB. */
#define KBC_TOKEN_MAX (512u * 1024u)
/* Of a token without "exp": the time for which Trustee keeps a session by default. */
#define KBC_TOKEN_LIFETIME_DEFAULT_SEC 300
#define KBC_TOKEN_LIFETIME_MAX_SEC (24 * 3600)

/**
 * kbc_token_lifetime() - for how long an attestation token is good, counted from its receipt
 * @jwt: compact JWS (RFC 7515 section 3.1), not trusted
 *
 * "exp" less "iat" (RFC 7519 section 4.1), cut at KBC_TOKEN_LIFETIME_MAX_SEC: absolute times are of the broker's
 * clock, and a guest that has just booted may be years off. The signature is not looked at; the token tells a verifier
 * about us and us nothing.
 *
 * Return: 0; -EBADMSG not three parts, payload not base64url of JSON, or no time left between the two; -ENOMEM.
 */
WARN_UNUSED int kbc_token_lifetime(const char *jwt, size_t len, uint64_t *ret_usec, Error *e);
