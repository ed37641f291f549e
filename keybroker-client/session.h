/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a successful handshake leaves: the broker's session identifier, the key it encrypts to, and a time. The token
 * itself is not kept: in its session the broker holds it for us. Counted, because a fetch that is under way when a
 * new session takes over still needs its own key.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/secret.h"
#include "keybroker-client/message.h"
#include "keybroker-client/problem.h"
#include "keybroker-client/tee-key.h"

typedef struct KbcSession KbcSession;

/* Takes @key on success. @now_usec is monotonic. -EINVAL when @id is empty or too long. */
WARN_UNUSED int kbc_session_new(KbcTeeKey *key, const char *id, uint64_t now_usec, uint64_t lifetime_usec,
                                KbcSession **ret, Error *e);
KbcSession *kbc_session_ref(KbcSession *s);
KbcSession *kbc_session_unref(KbcSession *s); /* NULL is fine; returns NULL */
DEFINE_CLEANUP(KbcSession *, kbc_session_unref);

bool kbc_session_is_live(const KbcSession *s, uint64_t now_usec); /* false for NULL */
uint64_t kbc_session_attested_at_usec(const KbcSession *s);
uint64_t kbc_session_expires_at_usec(const KbcSession *s);

/* "Cookie" field of this session, on the heap, or NULL without memory. */
char *kbc_session_cookie(const char *id);

/* The request for resource @path. -EINVAL when @path is no name of a resource. */
WARN_UNUSED int kbc_session_request(const KbcSession *s, const char *path, KbcMessage *ret, Error *e);

/**
 * kbc_session_open() - what the broker answered to such a request
 * @ret:         the resource, never empty
 * @ret_remedy:  set on failure
 *
 * Return: 0; what kbc_problem_classify() says; what kbc_jwe_open() says; -EBADMSG an empty resource.
 */
WARN_UNUSED int kbc_session_open(const KbcSession *s, const KbcReply *reply, Secret *ret, KbcRemedy *ret_remedy,
                                 Error *e);
