/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Sessions of the broker: a cookie, a nonce that attests once, and the token that came of it. They live for a
 * fixed time from /auth on; neither /attest nor use makes them live longer. Not thread-safe: the broker holds
 * its lock.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/error.h"

#define BROKER_SESSIONS_MAX 256 /* the oldest goes when another is needed */

typedef struct BrokerSession {
        char id[33];    /* version 4 UUID, 32 lower-case hex digits; "" = free slot */
        char nonce[45]; /* standard base64 of 32 random bytes */
        char hash[8];   /* of the report data: "sha384" unless the challenge chose another */
        char tee[24];
        uint64_t serial; /* order of birth */
        Deadline ends;
        time_t ends_wall; /* what the cookie says */
        char *token;      /* NULL: authed; else attested, and the nonce is spent */
} BrokerSession;

typedef struct BrokerSessions {
        BrokerSession slots[BROKER_SESSIONS_MAX];
        uint64_t serial;
        uint64_t lifetime_usec;
} BrokerSessions;

void broker_sessions_done(BrokerSessions *s);
/* Forgets every session, as a broker without persistent storage does when it restarts. */
void broker_sessions_forget(BrokerSessions *s);

/* Borrowed until the next call here. 0 or -EIO without randomness. */
WARN_UNUSED int broker_session_new(BrokerSessions *s, const char *tee, const char *hash, BrokerSession **ret, Error *e);
/* NULL when unknown or expired; @id may be NULL. */
BrokerSession *broker_session_find(BrokerSessions *s, const char *id);
/* The session, live or not, that this nonce was given to; NULL when it never was, or long ago. */
const BrokerSession *broker_session_of_nonce(const BrokerSessions *s, const char *nonce);

/* "kbs-session-id=ID; Expires=DATE", without any other attribute, as Trustee sends it. */
#define BROKER_COOKIE_NAME "kbs-session-id"
void broker_session_cookie(const BrokerSession *session, char *ret, size_t size);
