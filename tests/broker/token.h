/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Attestation tokens: a JWT (RFC 7519) signed with ES256 by a key the broker makes at its start, whose claims
 * follow the EAT attestation results draft (draft-ietf-rats-ear) as Trustee fills it in. The broker takes every
 * decision about a resource from such a token, be it the session's or one presented as a bearer.
 */

#include <json-c/json_object.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "tests/broker/teekey.h"

#define BROKER_TOKEN_MAX (128u * 1024u)

typedef struct BrokerSigner {
        EVP_PKEY *key; /* P-256; owned */
} BrokerSigner;

WARN_UNUSED int broker_signer_new(BrokerSigner *ret, Error *e);
void broker_signer_done(BrokerSigner *signer);

/* Adds iat, exp and the registered claims to @payload and signs. Heap string in *ret. */
WARN_UNUSED int broker_token_issue(const BrokerSigner *signer, json_object *payload, time_t iat, time_t exp, char **ret,
                                   Error *e);

/* -EKEYREJECTED: not signed by us, or no JWT; -ESTALE: expired. *ret owned. */
WARN_UNUSED int broker_token_verify(const BrokerSigner *signer, const char *token, time_t now, json_object **ret,
                                    Error *e);

/* The submodule "cpu0" of a payload: what the token says of the guest. -EBADMSG when it says nothing. */
WARN_UNUSED int broker_token_key(json_object *payload, BrokerTeeKey *ret, Error *e);
/* "ear.status" is affirming, i.e. no policy claim was denied. *ret_denied: the denied ones, "" if none; borrowed. */
bool broker_token_is_affirming(json_object *payload, const char **ret_denied);
