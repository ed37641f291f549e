/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The server's side of the protocol, as far as the client's conduct shows: sessions, a key to encrypt to, resources
 * whose content is their name, and a list of mishaps per endpoint. It trusts any evidence that names the right data.
 */

#include <openssl/evp.h>

#include "tests/unit/keybroker-client/tls-server.h"

typedef enum KbsEndpoint {
        KBS_AUTH,
        KBS_ATTEST,
        KBS_RESOURCE,
        KBS_N_ENDPOINTS,
} KbsEndpoint;

typedef enum Mishap {
        FINE,
        ATTEST_FAILED, /* the types of refusals */
        VERSION_MISMATCH,
        TOKEN_NOT_FOUND,
        TOKEN_REFUSED,
        DENIED,
        MISSING,
        JWE_FAILED,
        BUSY,      /* 503 */
        BUSY_LONG, /* 503 with Retry-After: 60 */
        REDIRECT,
        GARBAGE, /* 200 with HTML */
        TOO_LARGE,
        TRUNCATED,
        DROPPED,
        SILENCE,
        OTHER_KEY,  /* a resource for somebody else */
        EMPTY,      /* an empty resource */
        NO_COOKIE,
} Mishap;

typedef struct FakeKbs {
        TlsServer *server;
        /* Mishaps of the first requests to an endpoint; the last one stays if @for_ever. */
        Mishap mishaps[KBS_N_ENDPOINTS][4];
        bool for_ever;
        unsigned token_seconds;

        unsigned n_requests[KBS_N_ENDPOINTS];
        unsigned n_sessions;     /* numbers are session identifiers: "s1", ... */
        unsigned attested;       /* number of the session that is, 0: none */
        EVP_PKEY *key;           /* of that session */
        char nonce[64];
        char digest[129];        /* of the last attestation, as evidence has to say it */
} FakeKbs;

void fake_kbs_start(FakeKbs *k);
void fake_kbs_stop(FakeKbs *k);
