/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/broker/sessions.h"

#include <errno.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/hex.h"

static void session_done(BrokerSession *session) {
        free(session->token);
        *session = (BrokerSession){};
}

void broker_sessions_forget(BrokerSessions *s) {
        for (size_t i = 0; i < BROKER_SESSIONS_MAX; i++)
                session_done(&s->slots[i]);
}

void broker_sessions_done(BrokerSessions *s) {
        broker_sessions_forget(s);
}

/* A free slot has serial 0 and is therefore the oldest of all. */
static BrokerSession *oldest(BrokerSessions *s) {
        BrokerSession *found = &s->slots[0];

        for (size_t i = 1; i < BROKER_SESSIONS_MAX; i++)
                if (s->slots[i].serial < found->serial)
                        found = &s->slots[i];
        return found;
}

int broker_session_new(BrokerSessions *s, const char *tee, const char *hash, BrokerSession **ret, Error *e) {
        AUTO_FREE char *nonce = NULL;
        uint8_t uuid[16], random[32];
        BrokerSession *session;

        if (RAND_bytes(uuid, sizeof(uuid)) != 1 || RAND_bytes(random, sizeof(random)) != 1)
                return error_set(e, -EIO, "random", "No random bytes");
        nonce = base64_encode(BASE64_STD, random, sizeof(random));
        if (!nonce)
                return error_oom(e);
        session = oldest(s);
        session_done(session);
        uuid[6] = (uint8_t) ((uuid[6] & 0x0f) | 0x40); /* RFC 9562 section 5.4: version 4 */
        uuid[8] = (uint8_t) ((uuid[8] & 0x3f) | 0x80); /* variant 10 */
        hex_encode_to(uuid, sizeof(uuid), session->id);
        (void) snprintf(session->nonce, sizeof(session->nonce), "%s", nonce);
        (void) snprintf(session->hash, sizeof(session->hash), "%s", hash);
        (void) snprintf(session->tee, sizeof(session->tee), "%s", tee);
        session->serial = ++s->serial;
        session->ends = deadline_in(s->lifetime_usec);
        session->ends_wall = time(NULL) + (time_t) (s->lifetime_usec / USEC_PER_SEC);
        *ret = session;
        return 0;
}

BrokerSession *broker_session_find(BrokerSessions *s, const char *id) {
        for (size_t i = 0; id && id[0] && i < BROKER_SESSIONS_MAX; i++)
                if (strcmp(s->slots[i].id, id) == 0)
                        return deadline_expired(s->slots[i].ends) ? NULL : &s->slots[i];
        return NULL;
}

const BrokerSession *broker_session_of_nonce(const BrokerSessions *s, const char *nonce) {
        for (size_t i = 0; nonce[0] && i < BROKER_SESSIONS_MAX; i++)
                if (strcmp(s->slots[i].nonce, nonce) == 0)
                        return &s->slots[i];
        return NULL;
}

void broker_session_cookie(const BrokerSession *session, char *ret, size_t size) {
        char date[64];
        struct tm tm;

        /* IMF-fixdate, RFC 9110 section 5.6.7; the process runs in the C locale */
        (void) strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&session->ends_wall, &tm));
        (void) snprintf(ret, size, "%s=%s; Expires=%s", BROKER_COOKIE_NAME, session->id, date);
}
