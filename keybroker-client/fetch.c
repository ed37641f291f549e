/* SPDX-License-Identifier: Apache-2.0 */

/* A resource for a session: requests that have one, or wait for their next attempt. */

#include <errno.h>
#include <string.h>

#include "keybroker-client/backoff.h"
#include "keybroker-client/client-internal.h"

void kbc_fetch_stop(KbcRequest *q) {
        kbc_http_cancel(TAKE_PTR(q->exchange));
        q->session = kbc_session_unref(q->session);
}

uint64_t kbc_fetch_due_usec(const KbcRequest *q) {
        return q->phase == REQUEST_BACKING_OFF ? q->retry_at_usec : UINT64_MAX;
}

/* Waiting beyond the deadline would only replace the true reason by a time-out. */
static bool back_off(KbcRequest *q, const KbcReply *reply) {
        uint64_t delay = kbc_backoff_usec(q->n_attempts++);

        if (reply && reply->has_retry_after && reply->retry_after_usec > delay)
                delay = reply->retry_after_usec;
        if (delay >= deadline_left_usec(q->deadline))
                return false;
        q->retry_at_usec = now_monotonic_usec() + delay;
        q->phase = REQUEST_BACKING_OFF;
        return true;
}

static void fail(KbcRequest *q, int r, KbcRemedy remedy, const KbcReply *reply, const Error *e) {
        KbcClient *c = q->client;
        bool newest = q->session == c->session;

        q->session = kbc_session_unref(q->session);
        switch (remedy) {
        case KBC_REMEDY_RETRY:
                if (back_off(q, reply))
                        return;
                break;
        case KBC_REMEDY_HANDSHAKE:
                if (newest) /* the others will find out the same */
                        c->session = kbc_session_unref(c->session);
                if (!q->had_handshake) {
                        q->had_handshake = true;
                        q->phase = REQUEST_WAITING;
                        return;
                }
                break;
        case KBC_REMEDY_NONE:
                break;
        }
        kbc_request_finish(q, r, e);
}

static void on_reply(void *userdata, int r, const KbcReply *reply, KbcRemedy remedy, const Error *e) {
        KbcRequest *q = userdata;
        Error own = {};

        q->exchange = NULL;
        if (r < 0) {
                fail(q, r, remedy, NULL, e);
                return;
        }
        r = kbc_session_open(q->session, reply, &q->secret, &remedy, &own);
        if (r < 0) {
                error_prefix(&own, "Resource '%s'", q->path);
                fail(q, r, remedy, reply, &own);
                return;
        }
        q->session = kbc_session_unref(q->session);
        q->client->status.n_resources++;
        kbc_request_finish(q, 0, NULL);
}

static void start(KbcRequest *q) {
        KbcClient *c = q->client;
        uint64_t left = deadline_left_usec(q->deadline), limit = c->config.request_timeout_usec;
        AUTO_MESSAGE KbcMessage m = {};
        Error e = {};
        int r;

        r = kbc_session_request(c->session, q->path, &m, &e);
        if (r == 0)
                r = kbc_http_send(c->http, &m, left < limit ? left : limit, on_reply, q, &q->exchange, &e);
        if (r < 0) {
                kbc_request_finish(q, r, &e);
                return;
        }
        q->session = kbc_session_ref(c->session);
        q->phase = REQUEST_FETCHING;
}

void kbc_fetch_run(KbcClient *c, uint64_t now_usec) {
        KbcRequest *q, *next;

        TAILQ_FOREACH(q, &c->requests, link)
                if (q->phase == REQUEST_BACKING_OFF && q->retry_at_usec <= now_usec)
                        q->phase = REQUEST_WAITING;
        for (q = TAILQ_FIRST(&c->requests); q; q = next) {
                next = TAILQ_NEXT(q, link);
                if (q->phase == REQUEST_WAITING && !kbc_request_needs_session(q))
                        start(q);
        }
}
