/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/attester-client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "agent/wire/bodies.h"

struct AttesterCall {
        AttesterCall *next;
        AttesterClient *client;
        char *path;
        uint16_t type; /* WireType */
        Blob body; /* kept for asking again */
        int fd;
        bool asked_again;
        sd_event_source *io, *timer;
        AttesterDoneFn done;
        void *userdata;
};

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata);

static void hang_up(AttesterCall *call) {
        call->io = sd_event_source_disable_unref(call->io);
        cleanup_fd(&call->fd);
}

static void call_free(AttesterCall *call) {
        if (!call)
                return;
        for (AttesterCall **at = &call->client->calls; *at; at = &(*at)->next)
                if (*at == call) {
                        *at = call->next;
                        call->client->n_calls--;
                        break;
                }
        hang_up(call);
        (void) sd_event_source_disable_unref(call->timer);
        blob_done(&call->body);
        free(call->path);
        free(call);
}
DEFINE_CLEANUP(AttesterCall *, call_free);

void attester_call_cancel(AttesterCall *call) {
        call_free(call);
}

void attester_client_done(AttesterClient *client) {
        while (client->calls)
                call_free(client->calls);
}

uint32_t attester_deadline_msec(Deadline d) {
        uint64_t msec = deadline_left_usec(d) / USEC_PER_MSEC;

        msec = msec > 1000 ? msec - 100 : msec;
        if (msec == 0)
                return 1;
        return msec > WIRE_DEADLINE_MSEC_MAX ? WIRE_DEADLINE_MSEC_MAX : (uint32_t) msec;
}

static int unreachable(int r, Error *e) {
        if (r == -EAGAIN)
                return error_set(e, -EBUSY, "attester-busy", "Too many questions wait for snp-attesterd");
        return error_set(e, -ENODEV, "attester-unreachable", "snp-attesterd cannot be reached: %s",
                         error_text(NULL, r));
}

/* Connects and sends. A fresh socket has room for any of our questions, so there is nothing to wait for. */
static int ask(AttesterCall *call, Error *e) {
        Error detail = {};
        int r;

        hang_up(call);
        r = wire_connect_now(call->path, &call->fd, &detail);
        if (r == 0)
                r = wire_send(call->fd, call->type, call->body.data, call->body.size, &detail);
        if (r < 0)
                return unreachable(r, e);
        r = sd_event_add_io(call->client->event, &call->io, call->fd, EPOLLIN, on_io, call);
        if (r < 0)
                return error_set(e, r, "event-loop", "Cannot watch a socket: %s", error_text(NULL, r));
        return 0;
}

static void finish(AttesterCall *call, int r, const Blob *answer, const Error *e) {
        AttesterDoneFn done = call->done;
        void *userdata = call->userdata;

        call_free(call);
        done(userdata, r, answer, e);
}

static int judge(const AttesterCall *call, const WireMessage *m, Error *e) {
        if (m->type == WIRE_ERROR)
                return wire_error_parse(m->body.data, m->body.size, e);
        if (m->type != (call->type | WIRE_ANSWER))
                return error_set(e, -EPROTO, "wire-type", "snp-attesterd answered 0x%04x with 0x%04x", call->type,
                                 m->type);
        return 0;
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        AttesterCall *call = userdata;
        AUTO_WIRE_MESSAGE WireMessage m = {};
        Error e = {};
        int r;

        (void) source;
        (void) revents;
        r = wire_recv(fd, &m, &e);
        if (r == -EAGAIN)
                return 0;
        if (r == -ECONNRESET && !call->asked_again) {
                call->asked_again = true;
                e = (Error){};
                r = ask(call, &e);
                if (r == 0)
                        return 0;
        } else if (r == -ECONNRESET) {
                e = (Error){};
                r = unreachable(r, &e);
        } else if (r == 0) {
                r = judge(call, &m, &e);
        }
        finish(call, r, &m.body, &e);
        return 0;
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata) {
        Error e = {};

        (void) source;
        (void) usec;
        (void) error_set(&e, -ETIMEDOUT, "attester-timeout", "snp-attesterd did not answer in time");
        finish(userdata, -ETIMEDOUT, NULL, &e);
        return 0;
}

int attester_client_ask(AttesterClient *client, const AttesterQuestion *question, AttesterDoneFn done, void *userdata,
                        AttesterCall **ret, Error *e) {
        CLEANUP(call_freep) AttesterCall *call = NULL;
        int r;

        if (client->n_calls >= (question->may_take_kept ? ATTESTER_CALLS_MAX : ATTESTER_CALLS_MAX - ATTESTER_CALLS_KEPT))
                return unreachable(-EAGAIN, e);
        call = calloc(1, sizeof(*call));
        if (!call)
                return error_oom(e);
        *call = (AttesterCall){ .next = client->calls, .client = client, .type = question->type, .fd = -1,
                                .done = done, .userdata = userdata };
        client->calls = call;
        client->n_calls++;
        call->path = strdup(question->path);
        if (!call->path || blob_dup(question->body, question->size, &call->body) < 0)
                return error_oom(e);
        r = ask(call, e);
        if (r < 0)
                return r;
        r = sd_event_add_time(client->event, &call->timer, CLOCK_MONOTONIC, question->deadline.usec, USEC_PER_MSEC,
                              on_deadline, call);
        if (r < 0)
                return error_set(e, r, "event-loop", "Cannot set up a timer: %s", error_text(NULL, r));
        *ret = TAKE_PTR(call);
        return 0;
}
