/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Failures on demand. The control file is read again at every request; each of its lines is
 *
 *   ENDPOINT FAULT [ARGUMENT] [xN]      e.g. "attest status 503 x1", "resource slow 200"
 *
 * with ENDPOINT auth, attest or resource, and N limiting the fault to the first N requests at that endpoint since
 * the file last changed. Empty lines and lines that start with '#' do not count. Faults are listed in mischief.c.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

typedef enum BrokerEndpoint {
        BROKER_AUTH,
        BROKER_ATTEST,
        BROKER_RESOURCE,
        BROKER_N_ENDPOINTS,
} BrokerEndpoint;

typedef enum BrokerFaultKind {
        /* at every endpoint */
        BROKER_FAULT_SLOW,     /* MS: answers that much later */
        BROKER_FAULT_DROP,     /* closes the connection instead of answering */
        BROKER_FAULT_TRUNCATE, /* half of the right answer's body, then closes the connection */
        BROKER_FAULT_GARBAGE,  /* 200 with HTML */
        BROKER_FAULT_STATUS,   /* CODE: that status and an empty body */
        BROKER_FAULT_BUSY,     /* SECONDS: 503 with Retry-After */
        BROKER_FAULT_REDIRECT, /* 302 to /elsewhere on this server */
        BROKER_FAULT_OVERSIZE, /* BYTES: 200 with a well-formed JSON object of that size */
        BROKER_FAULT_FORGET,   /* forgets all sessions, then handles the request */
        /* /auth */
        BROKER_FAULT_WRONG_VERSION, /* refuses the protocol version */
        BROKER_FAULT_HASH,          /* NAME: selects that hash algorithm, and uses it if it is one of OpenSSL's */
        BROKER_FAULT_CHALLENGE,     /* WHAT: no-nonce, number-nonce, long-nonce, array, hash-number */
        BROKER_FAULT_NO_COOKIE,     /* no Set-Cookie */
        /* /attest */
        BROKER_FAULT_NO_TOKEN,  /* {} instead of a token */
        BROKER_FAULT_BAD_TOKEN, /* a token that is no JWT */
        BROKER_FAULT_EXPIRED,   /* a token that expired two hours ago; at the resource: treats it as such */
        /* resource: what seal.h calls flaws */
        BROKER_FAULT_BAD_TAG,
        BROKER_FAULT_BAD_ALG,
        BROKER_FAULT_BAD_ENC,
        BROKER_FAULT_BAD_EPK,
        BROKER_FAULT_NO_IV,
        BROKER_FAULT_OTHER_KEY,
        BROKER_N_FAULTS,
} BrokerFaultKind;

#define BROKER_FAULTS_MAX 16
#define BROKER_FAULT_ARGUMENT_MAX 64

typedef struct BrokerMischief {
        char *text; /* of the control file when it was last read; owned */
        struct BrokerFault {
                BrokerEndpoint where;
                BrokerFaultKind kind;
                char argument[BROKER_FAULT_ARGUMENT_MAX]; /* "" if none */
                uint64_t value;                           /* the argument as a number, where it is one */
                uint64_t times;                           /* 0: always */
        } faults[BROKER_FAULTS_MAX];
        size_t n_faults;
        uint64_t n_requests[BROKER_N_ENDPOINTS]; /* since the text changed, the current one included */
} BrokerMischief;

/* Reads @path (NULL or absent: no faults). On failure the old faults stay. */
WARN_UNUSED int broker_mischief_reload(BrokerMischief *m, const char *path, Error *e);
void broker_mischief_done(BrokerMischief *m);

/* Counts a request; then broker_mischief_fault() speaks about it. */
void broker_mischief_begin(BrokerMischief *m, BrokerEndpoint where);
/* NULL when the current request at @where is to be spared. */
const struct BrokerFault *broker_mischief_fault(const BrokerMischief *m, BrokerEndpoint where, BrokerFaultKind kind);
