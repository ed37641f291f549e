/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One handshake for all who wait. It begins when somebody needs a session, is given up when nobody does any more,
 * and ends by giving all of them the session or the reason why there is none.
 */

#include <errno.h>

#include "keybroker-client/backoff.h"
#include "keybroker-client/client-internal.h"

static bool is_wanted(const KbcClient *c) {
        const KbcRequest *q;

        TAILQ_FOREACH(q, &c->requests, link)
                if (kbc_request_needs_session(q))
                        return true;
        return false;
}

/* As long as the most patient one waits. */
static Deadline latest_deadline(const KbcClient *c) {
        Deadline latest = {};
        const KbcRequest *q;

        TAILQ_FOREACH(q, &c->requests, link)
                if (kbc_request_needs_session(q) && q->deadline.usec > latest.usec)
                        latest = q->deadline;
        return latest;
}

/* Ends the attempt under way. An evidence call that is out stays out. */
static void drop_attempt(Handshake *h) {
        kbc_http_cancel(TAKE_PTR(h->exchange));
        kbc_rcar_free(TAKE_PTR(h->rcar));
        blob_done(&h->evidence.json);
        h->asked = false;
        h->answered = false;
}

static void reset(Handshake *h) {
        drop_attempt(h);
        h->phase = HANDSHAKE_NONE;
        h->had_second = false;
        h->n_attempts = 0;
}

void kbc_handshake_done(KbcClient *c) {
        reset(&c->handshake);
}

uint64_t kbc_handshake_due_usec(const KbcClient *c) {
        return c->handshake.phase == HANDSHAKE_BACKING_OFF ? c->handshake.retry_at_usec : UINT64_MAX;
}

const char *kbc_handshake_phase_text(const KbcClient *c) {
        switch (c->handshake.phase) {
        case HANDSHAKE_BACKING_OFF:
                return "waiting before the next attempt";
        case HANDSHAKE_EXCHANGE:
        case HANDSHAKE_EVIDENCE:
                return kbc_rcar_state_name(kbc_rcar_state(c->handshake.rcar));
        case HANDSHAKE_NONE:
        default:
                return "not begun";
        }
}

/* Tells those who wait; with @only_before, those alone whose time is over by then. */
static void fail_waiting(KbcClient *c, int r, const Error *e, uint64_t only_before_usec) {
        KbcRequest *q, *next;

        for (q = TAILQ_FIRST(&c->requests); q; q = next) {
                next = TAILQ_NEXT(q, link);
                if (kbc_request_needs_session(q) && q->deadline.usec <= only_before_usec)
                        kbc_request_finish(q, r, e);
        }
}

static void back_off(KbcClient *c, int r, const KbcReply *reply, const Error *e) {
        Handshake *h = &c->handshake;
        uint64_t delay = kbc_backoff_usec(h->n_attempts++);

        if (reply && reply->has_retry_after && reply->retry_after_usec > delay)
                delay = reply->retry_after_usec;
        h->retry_at_usec = now_monotonic_usec() + delay;
        h->phase = HANDSHAKE_BACKING_OFF;
        /* Who cannot wait that long gets the true reason now instead of a time-out then. */
        fail_waiting(c, r, e, h->retry_at_usec);
}

static void fail(KbcClient *c, int r, KbcRemedy remedy, const KbcReply *reply, const Error *e) {
        Handshake *h = &c->handshake;

        drop_attempt(h);
        if (remedy == KBC_REMEDY_RETRY) {
                back_off(c, r, reply, e);
                return;
        }
        if (remedy == KBC_REMEDY_HANDSHAKE && !h->had_second) {
                h->had_second = true;
                h->retry_at_usec = now_monotonic_usec();
                h->phase = HANDSHAKE_BACKING_OFF;
                return;
        }
        /* A broker that does not believe us now would not serve the older session for long. */
        if (r == -EKEYREJECTED)
                c->session = kbc_session_unref(c->session);
        reset(h);
        fail_waiting(c, r, e, UINT64_MAX);
}

static void succeed(KbcClient *c, KbcSession *session) {
        KbcRequest *q, *next;

        (void) kbc_session_unref(c->session);
        c->session = session;
        c->status.n_handshakes++;
        c->status.attested_at_usec = kbc_session_attested_at_usec(session);
        c->status.expires_at_usec = kbc_session_expires_at_usec(session);
        reset(&c->handshake);
        for (q = TAILQ_FIRST(&c->requests); q; q = next) {
                next = TAILQ_NEXT(q, link);
                if (!q->path[0])
                        kbc_request_finish(q, 0, NULL);
        }
}

static void on_reply(void *userdata, int r, const KbcReply *reply, KbcRemedy remedy, const Error *e) {
        KbcClient *c = userdata;
        Handshake *h = &c->handshake;
        const KbcRcarInput in = { .reply = reply, .now_usec = now_monotonic_usec() };
        AUTO_RCAR_OUTPUT KbcRcarOutput out = {};
        Error own = {};

        h->exchange = NULL;
        if (r < 0) {
                fail(c, r, remedy, NULL, e);
                return;
        }
        r = kbc_rcar_step(h->rcar, KBC_RCAR_ON_REPLY, &in, &out, &own);
        if (r < 0) {
                fail(c, r, out.remedy, reply, &own);
                return;
        }
        if (kbc_rcar_state(h->rcar) == KBC_RCAR_DONE) {
                succeed(c, TAKE_PTR(out.session));
                return;
        }
        h->report_data = out.report_data;
        h->report_data_size = out.report_data_size;
        h->phase = HANDSHAKE_EVIDENCE;
}

/* A step that ends in a message to the broker. */
static void step_and_send(KbcClient *c, KbcRcarEvent event, const KbcRcarInput *in) {
        Handshake *h = &c->handshake;
        AUTO_RCAR_OUTPUT KbcRcarOutput out = {};
        Error e = {};
        int r;

        r = kbc_rcar_step(h->rcar, event, in, &out, &e);
        if (r == 0)
                r = kbc_http_send(c->http, &out.message, c->config.request_timeout_usec, on_reply, c, &h->exchange,
                                  &e);
        if (r < 0) {
                fail(c, r, KBC_REMEDY_NONE, NULL, &e);
                return;
        }
        h->phase = HANDSHAKE_EXCHANGE;
}

static void begin(KbcClient *c) {
        Error e = {};
        int r = kbc_rcar_new(c->tee, c->config.alg, &c->handshake.rcar, &e);

        if (r < 0) {
                fail(c, r, KBC_REMEDY_NONE, NULL, &e);
                return;
        }
        step_and_send(c, KBC_RCAR_ON_BEGIN, &(KbcRcarInput){});
}

static void ask_for_evidence(KbcClient *c) {
        Handshake *h = &c->handshake;
        Error e = {};
        int r;

        h->asked = h->outstanding = true; /* before the call: it may answer at once */
        r = c->config.evidence(c->config.evidence_userdata, h->report_data.bytes, h->report_data_size,
                               latest_deadline(c), &e);
        if (r < 0) {
                h->outstanding = false;
                fail(c, r, KBC_REMEDY_NONE, NULL, &e);
        }
}

static void take_evidence(KbcClient *c) {
        Handshake *h = &c->handshake;

        h->answered = false;
        if (h->evidence_code < 0) {
                fail(c, h->evidence_code, KBC_REMEDY_NONE, NULL, &h->evidence_error);
                return;
        }
        step_and_send(c, KBC_RCAR_ON_EVIDENCE, &(KbcRcarInput){ .evidence = &h->evidence });
        blob_done(&h->evidence.json);
}

void kbc_handshake_answer(KbcClient *c, const KbcEvidence *evidence, int code, const Error *e) {
        Handshake *h = &c->handshake;
        bool wanted = h->outstanding && h->asked && !h->answered;

        h->outstanding = false;
        c->kick = true;
        if (!wanted) /* for a handshake that was given up */
                return;
        h->answered = true;
        h->evidence_code = code;
        h->evidence_error = e ? *e : (Error){};
        if (code == 0 && blob_dup(evidence->json.data, evidence->json.size, &h->evidence.json) < 0)
                h->evidence_code = error_oom(&h->evidence_error);
}

void kbc_handshake_run(KbcClient *c, uint64_t now_usec) {
        Handshake *h = &c->handshake;

        if (!is_wanted(c)) {
                reset(h);
                return;
        }
        if (h->phase == HANDSHAKE_NONE || (h->phase == HANDSHAKE_BACKING_OFF && h->retry_at_usec <= now_usec))
                begin(c);
        if (h->phase == HANDSHAKE_EVIDENCE && !h->asked && !h->outstanding)
                ask_for_evidence(c);
        if (h->phase == HANDSHAKE_EVIDENCE && h->answered)
                take_evidence(c);
}
