/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Requests come in, wait in a list, and leave through a second list from which callbacks are called. Whatever happens
 * happens in run(), which only the entry points for events call; functions that make or cancel requests, or bring
 * evidence, note what they are told and have the timer set to "now". So no callback runs inside a function of the
 * caller's that did not expect it, and a callback may do anything, kbc_client_free() included.
 */

#include "keybroker-client/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "keybroker-client/client-internal.h"

#define REQUEST_TIMEOUT_DEFAULT_USEC (30 * USEC_PER_SEC)

static int check_config(const KbcClientConfig *config, Error *e) {
        if (!config->url || !config->tee || !config->evidence)
                return error_set(e, -EINVAL, "client-config", "Broker address, TEE type and evidence source are needed");
        if (!config->ca_file == !config->use_system_ca)
                return error_set(e, -EINVAL, "client-config",
                                 "Either a file of authorities or the system's must be chosen, and not both");
        return 0;
}

int kbc_client_new(const KbcClientConfig *config, KbcClient **ret, Error *e) {
        CLEANUP(kbc_client_freep) KbcClient *c = NULL;
        int r;

        r = check_config(config, e);
        if (r < 0)
                return r;
        c = calloc(1, sizeof(*c));
        if (!c)
                return error_oom(e);
        c->config = *config;
        c->config.url = c->config.ca_file = c->config.tee = NULL; /* are the caller's */
        if (c->config.request_timeout_usec == 0)
                c->config.request_timeout_usec = REQUEST_TIMEOUT_DEFAULT_USEC;
        c->armed_usec = UINT64_MAX;
        TAILQ_INIT(&c->requests);
        TAILQ_INIT(&c->finished);
        c->tee = strdup(config->tee);
        if (!c->tee)
                return error_oom(e);
        r = kbc_http_new(&(KbcHttpConfig){ .url = config->url, .ca_file = config->ca_file,
                                           .loop_ops = config->loop_ops, .loop = config->loop }, &c->http, e);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}

static void request_free(KbcRequest *q) {
        kbc_fetch_stop(q);
        secret_done(&q->secret);
        q->client->n_requests--;
        free(q);
}

static void drop_requests(RequestList *list) {
        KbcRequest *q;

        while ((q = TAILQ_FIRST(list))) {
                TAILQ_REMOVE(list, q, link);
                request_free(q);
        }
}

void kbc_client_free(KbcClient *c) {
        if (!c)
                return;
        drop_requests(&c->requests);
        drop_requests(&c->finished);
        kbc_handshake_done(c);
        if (c->depth > 0) {
                c->free_pending = true;
                return;
        }
        c->session = kbc_session_unref(c->session);
        kbc_http_free(c->http);
        free(c->tee);
        free(c);
}

bool kbc_request_needs_session(const KbcRequest *q) {
        return q->phase == REQUEST_WAITING && (!q->path[0] || !q->client->session);
}

void kbc_request_finish(KbcRequest *q, int r, const Error *e) {
        KbcClient *c = q->client;

        kbc_fetch_stop(q);
        q->phase = REQUEST_FINISHED;
        q->result = r;
        if (e)
                q->error = *e;
        if (r < 0 && q->error.code == 0)
                (void) error_set(&q->error, r, "failed", "%s", error_text(NULL, r));
        TAILQ_REMOVE(&c->requests, q, link);
        TAILQ_INSERT_TAIL(&c->finished, q, link);
        c->status.n_failures += r < 0;
        c->status.last_code = r;
        (void) strcpy(c->status.last_error, q->error.text);
}

static void expire(KbcClient *c) {
        KbcRequest *q, *next;

        for (q = TAILQ_FIRST(&c->requests); q; q = next) {
                Error e = {};

                next = TAILQ_NEXT(q, link);
                if (!deadline_expired(q->deadline))
                        continue;
                if (kbc_request_needs_session(q))
                        (void) error_set(&e, -ETIMEDOUT, "timeout", "No session with the broker in time (%s)",
                                         kbc_handshake_phase_text(c));
                else
                        (void) error_set(&e, -ETIMEDOUT, "timeout", "No answer for resource '%s' in time", q->path);
                kbc_request_finish(q, -ETIMEDOUT, &e);
        }
}

static void deliver(KbcClient *c) {
        KbcRequest *q;

        while ((q = TAILQ_FIRST(&c->finished))) {
                TAILQ_REMOVE(&c->finished, q, link);
                c->delivering = q;
                q->done(q->userdata, q->result, q->secret.bytes ? &q->secret : NULL, &q->error);
                c->delivering = NULL;
                request_free(q);
        }
}

static void run(KbcClient *c) {
        uint64_t now = now_monotonic_usec();

        c->kick = false;
        if (c->session && !kbc_session_is_live(c->session, now))
                c->session = kbc_session_unref(c->session);
        expire(c);
        kbc_fetch_run(c, now);
        kbc_handshake_run(c, now);
        deliver(c);
}

/* When something has to happen although nothing comes in; UINT64_MAX: never. */
static uint64_t next_due(const KbcClient *c) {
        uint64_t due = kbc_handshake_due_usec(c), http = kbc_http_timer_usec(c->http);
        const KbcRequest *q;

        if (c->kick)
                return 0;
        due = http < due ? http : due;
        TAILQ_FOREACH(q, &c->requests, link) {
                uint64_t at = kbc_fetch_due_usec(q);

                at = q->deadline.usec < at ? q->deadline.usec : at;
                due = at < due ? at : due;
        }
        return due;
}

static void arm_timer(KbcClient *c) {
        uint64_t due = next_due(c), now;

        if (!c->config.loop_ops || c->depth > 0 || due == c->armed_usec)
                return;
        now = now_monotonic_usec();
        c->armed_usec = due;
        (void) c->config.loop_ops->set_timer(c->config.loop, due == UINT64_MAX ? due : due > now ? due - now : 0);
}

static void leave(KbcClient *c) {
        c->depth--;
        if (c->depth == 0 && c->free_pending)
                kbc_client_free(c);
        else
                arm_timer(c);
}

void kbc_client_on_fd(KbcClient *c, int fd, unsigned what) {
        c->depth++;
        kbc_http_on_fd(c->http, fd, what);
        run(c);
        leave(c);
}

void kbc_client_on_timer(KbcClient *c) {
        c->depth++;
        c->armed_usec = UINT64_MAX; /* it has fired */
        kbc_http_on_timer(c->http);
        run(c);
        leave(c);
}

void kbc_client_evidence_ready(KbcClient *c, const KbcEvidence *evidence) {
        kbc_handshake_answer(c, evidence, 0, NULL);
        arm_timer(c);
}

void kbc_client_evidence_failed(KbcClient *c, int code, const Error *e) {
        kbc_handshake_answer(c, NULL, code < 0 ? code : -EIO, e);
        arm_timer(c);
}

static int add_request(KbcClient *c, const KbcRequest *template, KbcRequest **ret, Error *e) {
        KbcRequest *q;

        if (c->n_requests >= KBC_REQUESTS_MAX)
                return error_set(e, -EBUSY, "too-many-requests", "%d requests to the broker are under way already",
                                 KBC_REQUESTS_MAX);
        q = calloc(1, sizeof(*q));
        if (!q)
                return error_oom(e);
        *q = *template;
        q->client = c;
        TAILQ_INSERT_TAIL(&c->requests, q, link);
        c->n_requests++;
        c->kick = true;
        arm_timer(c);
        if (ret)
                *ret = q;
        return 0;
}

int kbc_client_get_resource(KbcClient *c, const char *path, Deadline deadline, KbcDoneFn done, void *userdata,
                            KbcRequest **ret, Error *e) {
        KbcRequest template = { .deadline = deadline, .done = done, .userdata = userdata };

        if (!kbc_resource_path_is_valid(path))
                return error_set(e, -EINVAL, "resource-path", "'%s' is not the name of a resource", path);
        (void) strcpy(template.path, path);
        return add_request(c, &template, ret, e);
}

int kbc_client_attest(KbcClient *c, Deadline deadline, KbcDoneFn done, void *userdata, KbcRequest **ret, Error *e) {
        const KbcRequest template = { .deadline = deadline, .done = done, .userdata = userdata };

        return add_request(c, &template, ret, e);
}

void kbc_request_cancel(KbcRequest *q) {
        KbcClient *c;

        if (!q || q == q->client->delivering)
                return;
        c = q->client;
        TAILQ_REMOVE(q->phase == REQUEST_FINISHED ? &c->finished : &c->requests, q, link);
        request_free(q);
        c->kick = true; /* a handshake that nobody waits for any more is given up */
        arm_timer(c);
}

int kbc_client_wait(KbcClient *c, Deadline deadline, Error *e) {
        int r = 0;

        if (c->config.loop_ops || c->depth > 0)
                return error_set(e, -EINVAL, "client-wait", "The client has a loop, or waits already");
        c->depth++;
        for (;;) {
                uint64_t due, now;

                run(c);
                if (c->n_requests == 0 || c->free_pending)
                        break;
                if (deadline_expired(deadline)) {
                        r = error_set(e, -ETIMEDOUT, "timeout", "The broker's answers did not come in time");
                        break;
                }
                due = next_due(c);
                due = deadline.usec < due ? deadline.usec : due;
                now = now_monotonic_usec();
                kbc_http_poll(c->http, due > now ? due - now : 0);
        }
        leave(c);
        return r;
}

void kbc_client_get_status(const KbcClient *c, KbcClientStatus *ret) {
        *ret = c->status;
        ret->attested = kbc_session_is_live(c->session, now_monotonic_usec());
}
