/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * TLS certificates for tests: one CA, a good server certificate, and every kind of bad one a client must refuse.
 * ECDSA P-256, made in a moment, valid for a day. The CAs' keys are not kept.
 */

#include "base/cleanup.h"
#include "base/error.h"

/**
 * broker_pki_make() - fill @dir, which is made unless it exists
 *
 *   ca.pem                      the CA to pin
 *   server.pem, server.key      for 127.0.0.1 and localhost
 *   proxy.pem, proxy.key        the same, for the man in the middle
 *   expired.pem, expired.key    ended yesterday
 *   early.pem, early.key        starts tomorrow
 *   wrong-name.pem, ..key       for broker.invalid
 *   client-only.pem, ..key      not for servers, by its extended key usage
 *   other-ca.pem                a CA that nobody pins
 *   other.pem, other.key        for 127.0.0.1, by that CA
 */
WARN_UNUSED int broker_pki_make(const char *dir, Error *e);
