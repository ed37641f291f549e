/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* One HTTP exchange with a broker as the protocol sees it: what goes out, what of the answer matters. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"

/* Session identifiers of Trustee have 32 characters. */
#define KBC_SESSION_ID_MAX 128
/* All header lines of an answer together; Trustee's have some 300 bytes. */
#define KBC_REPLY_HEADER_MAX 16384u
/* Longest time a broker can send us away for; its other wishes count as this. */
#define KBC_RETRY_AFTER_MAX_SEC 300
/* A date has 29 characters (RFC 9110, section 5.6.7). */
#define KBC_RETRY_AFTER_TEXT_MAX 63

typedef struct KbcMessage {
        bool post;        /* with a JSON body; otherwise GET */
        char *path;       /* owned; below the broker's address, begins with '/' */
        char *cookie;     /* owned; value of the Cookie field, or NULL */
        Blob body;        /* public: evidence and public keys */
        size_t reply_max; /* largest answer that makes sense */
} KbcMessage;

void kbc_message_done(KbcMessage *m);
#define AUTO_MESSAGE CLEANUP(kbc_message_done)
/* Moves ownership out of @m, which is empty afterwards. */
KbcMessage kbc_message_take(KbcMessage *m);

typedef struct KbcReply {
        int status;    /* HTTP */
        uint8_t *body; /* owned; may hold a token, so it is wiped whenever it is given back */
        size_t size, allocated;
        size_t header_size;                       /* so far */
        char session[KBC_SESSION_ID_MAX + 1];     /* kbs-session-id as set by the broker, or empty */
        char retry_after[KBC_RETRY_AFTER_TEXT_MAX + 1]; /* as it came, or empty; ours when it counts seconds: */
        bool has_retry_after;
        uint64_t retry_after_usec;
} KbcReply;

void kbc_reply_done(KbcReply *r);
/* Leaves what the header said. */
void kbc_reply_forget_body(KbcReply *r);
#define AUTO_REPLY CLEANUP(kbc_reply_done)

/**
 * kbc_reply_header() - take one line of the header as it comes, line end included
 *
 * A status line begins anew, because the header of an interim answer (100 Continue) comes first. Of cookies only the
 * session's counts, and only its value (RFC 6265 section 4.1): brokers stamp Expires by a clock that ours need not
 * agree with. A value outside [A-Za-z0-9._-] is no session. Of Retry-After only seconds count as
 * a time, not a date, for the same reason (RFC 9110 section 10.2.3); its text is kept for others.
 *
 * Return: 0; -E2BIG beyond KBC_REPLY_HEADER_MAX.
 */
WARN_UNUSED int kbc_reply_header(KbcReply *r, const char *line, size_t len);

/* Appends to the body. 0; -E2BIG beyond @max; -ENOMEM. */
WARN_UNUSED int kbc_reply_append(KbcReply *r, const void *data, size_t n, size_t max);
