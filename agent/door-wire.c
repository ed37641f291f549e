/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/door-wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "agent/peer.h"
#include "agent/release.h"
#include "agent/status.h"
#include "agent/wire/bodies.h"
#include "agent/wire/wire.h"
#include "base/log.h"
#include "base/text.h"

/* Connections beyond the requests that may be under way: to be told so, and for status, which takes no slot. */
#define CONNECTIONS_SPARE 16
/* For sending the request, and later for taking the answer. Programs do both at once. */
#define PEER_USEC (5 * USEC_PER_SEC)

typedef enum ConnState {
        CONN_READING, /* no request yet */
        CONN_WORKING, /* somebody else's turn; the client may only leave */
        CONN_WRITING, /* the answer did not fit into the socket at once */
} ConnState;

typedef struct Conn {
        struct Conn *next;
        DoorWire *door;
        ConnState state;
        int fd;
        Peer peer;
        sd_event_source *io, *timer;
        uint16_t type;   /* of the request */
        Release *release; /* CONN_WORKING: one of these two */
        StatusQuery *status;
        uint16_t answer_type; /* CONN_WRITING, with one of these two */
        Blob answer;
        Secret secret;
} Conn;

struct DoorWire {
        Agent *agent;
        int fd;
        sd_event_source *io;
        Conn *conns;
        size_t n_conns;
};

static void conn_free(Conn *c) {
        if (!c)
                return;
        for (Conn **at = &c->door->conns; *at; at = &(*at)->next)
                if (*at == c) {
                        *at = c->next;
                        c->door->n_conns--;
                        break;
                }
        if (c->release)
                release_cancel(c->release);
        status_cancel(c->status);
        (void) sd_event_source_disable_unref(c->io);
        (void) sd_event_source_disable_unref(c->timer);
        cleanup_fd(&c->fd);
        peer_done(&c->peer);
        blob_done(&c->answer);
        secret_done(&c->secret);
        free(c);
}
DEFINE_CLEANUP(Conn *, conn_free);

static int send_answer(Conn *c, Error *e) {
        return c->secret.bytes ? wire_send_secret(c->fd, c->answer_type, &c->secret, e) :
                                 wire_send(c->fd, c->answer_type, c->answer.data, c->answer.size, e);
}

/* Gives @c up, or keeps it until the socket takes the answer. 0 when it was, or will be, delivered. */
static int answer(Conn *c) {
        Error e = {};
        int r = send_answer(c, &e);

        if (r == -EAGAIN) {
                c->state = CONN_WRITING;
                r = sd_event_source_set_io_events(c->io, EPOLLOUT);
                if (r >= 0)
                        r = sd_event_source_set_time_relative(c->timer, PEER_USEC);
                if (r >= 0)
                        r = sd_event_source_set_enabled(c->timer, SD_EVENT_ONESHOT);
                if (r >= 0)
                        return 0;
        }
        conn_free(c);
        return r;
}

static void answer_error(Conn *c, int code, const Error *why) {
        if (wire_error_encode(code, why, &c->answer) < 0) {
                conn_free(c);
                return;
        }
        c->answer_type = WIRE_ERROR;
        (void) answer(c); /* if it is not taken, nobody is there to tell */
}

static void answer_text(Conn *c, const char *text) {
        if (strlen(text) > WIRE_BODY_MAX || blob_dup(text, strlen(text), &c->answer) < 0) {
                answer_error(c, -ENOMEM, NULL);
                return;
        }
        c->answer_type = (uint16_t) (c->type | WIRE_ANSWER);
        (void) answer(c);
}

static int on_release(void *userdata, int r, Secret *secret, const Error *why) {
        Conn *c = userdata;

        c->release = NULL;
        if (r < 0) {
                answer_error(c, r, why);
                return r;
        }
        c->secret = secret_take(secret);
        c->answer_type = (uint16_t) (c->type | WIRE_ANSWER);
        return answer(c);
}

static void on_status(void *userdata, int r, const char *json, const Error *why) {
        Conn *c = userdata;

        c->status = NULL;
        if (r < 0)
                answer_error(c, r, why);
        else
                answer_text(c, json);
}

/* A handshake is answered with the status that it led to. */
static int on_attest(void *userdata, int r, Secret *secret, const Error *why) {
        Conn *c = userdata;
        Error e = {};

        (void) secret;
        c->release = NULL;
        if (r < 0) {
                answer_error(c, r, why);
                return r;
        }
        r = status_start(c->door->agent, on_status, c, &c->status, &e);
        if (r < 0)
                answer_error(c, r, &e);
        return r;
}

static int start_volume(Conn *c, const ReleaseCaller *caller, const Blob *body, Error *e) {
        WireVolumeRequest q;
        int r;

        r = wire_volume_request_parse(body->data, body->size, &q, e);
        if (r < 0)
                return r;
        return release_volume(c->door->agent, caller, &q, &c->release, e);
}

static int start_resource(Conn *c, const ReleaseCaller *caller, const Blob *body, Error *e) {
        char path[TEXT_RESOURCE_PATH_MAX + 1] = {};

        if (body->size > TEXT_RESOURCE_PATH_MAX || (body->size > 0 && memchr(body->data, 0, body->size)))
                return error_set(e, -EBADMSG, "resource-name", "The request holds no resource path");
        if (body->size > 0)
                (void) memcpy(path, body->data, body->size);
        return release_resource(c->door->agent, caller, path, &c->release, e);
}

static int start_status(Conn *c, const ReleaseCaller *caller, const Blob *body, Error *e) {
        (void) caller;
        if (body->size > 0)
                return error_set(e, -EBADMSG, "wire-size", "A status request has no body");
        return status_start(c->door->agent, on_status, c, &c->status, e);
}

static int start_attest(Conn *c, const ReleaseCaller *caller, const Blob *body, Error *e) {
        if (body->size > 0)
                return error_set(e, -EBADMSG, "wire-size", "A handshake request has no body");
        return release_attest(c->door->agent, caller, &c->release, e);
}

/* The closed set of what may be asked. */
static const struct {
        uint16_t type;
        int (*start)(Conn *c, const ReleaseCaller *caller, const Blob *body, Error *e);
        ReleaseDoneFn done;
} requests[] = {
        { WIRE_VOLUME_KEY, start_volume, on_release },
        { WIRE_RESOURCE, start_resource, on_release },
        { WIRE_STATUS, start_status, NULL },
        { WIRE_ATTEST, start_attest, on_attest },
};

static void dispatch(Conn *c, const WireMessage *m) {
        ReleaseCaller caller = { .door = "wire", .peer = &c->peer, .userdata = c };
        Error e = {};
        int r;

        c->type = m->type;
        for (size_t i = 0; i < N_ELEMENTS(requests); i++)
                if (requests[i].type == m->type) {
                        caller.done = requests[i].done;
                        c->state = CONN_WORKING;
                        (void) sd_event_source_set_enabled(c->timer, SD_EVENT_OFF);
                        r = requests[i].start(c, &caller, &m->body, &e);
                        if (r < 0)
                                answer_error(c, r, &e);
                        return;
                }
        log_info("Dropped a connection of user %u: message type 0x%04x is not known here", c->peer.uid, m->type);
        conn_free(c);
}

static void read_request(Conn *c) {
        AUTO_WIRE_MESSAGE WireMessage m = {};
        Error e = {};
        int r;

        r = wire_recv(c->fd, &m, &e);
        if (r == -EAGAIN)
                return;
        if (r == 0) {
                dispatch(c, &m);
                return;
        }
        if (r != -ECONNRESET)
                log_info("Dropped a connection of user %u: %s", c->peer.uid, error_text(&e, r));
        conn_free(c);
}

static int on_conn_io(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Conn *c = userdata;

        (void) source;
        (void) fd;
        switch (c->state) {
        case CONN_READING:
                read_request(c);
                break;
        case CONN_WORKING:
                /* It hung up, or it speaks out of turn. Either ends the request. */
                log_debug("User %u %s before the answer", c->peer.uid, revents & EPOLLHUP ? "left" : "spoke again");
                conn_free(c);
                break;
        case CONN_WRITING:
        default:
                (void) answer(c);
                break;
        }
        return 0;
}

static int on_conn_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Conn *c = userdata;

        (void) source;
        (void) usec;
        log_info("Dropped a connection of user %u: it was too slow", c->peer.uid);
        conn_free(c);
        return 0;
}

static int conn_new(DoorWire *door, int fd, Conn **ret, Error *e) {
        CLEANUP(conn_freep) Conn *c = calloc(1, sizeof(*c));
        sd_event *event = door->agent->event;
        int r;

        if (!c) {
                (void) close(fd);
                return error_oom(e);
        }
        *c = (Conn){ .next = door->conns, .door = door, .fd = fd };
        door->conns = c;
        door->n_conns++;
        r = peer_identify(fd, &c->peer, e);
        if (r < 0)
                return r;
        r = sd_event_add_io(event, &c->io, fd, EPOLLIN, on_conn_io, c);
        if (r >= 0)
                r = sd_event_add_time_relative(event, &c->timer, CLOCK_MONOTONIC, PEER_USEC, USEC_PER_SEC, on_conn_timer,
                                               c);
        if (r < 0)
                return error_set(e, r, "event-loop", "Cannot watch a connection: %s", error_text(NULL, r));
        *ret = TAKE_PTR(c);
        return 0;
}

/* With this connection counted; see AGENT_SHARE_OF_USER(). */
static bool is_full(const DoorWire *door, uid_t uid) {
        size_t limit = door->agent->current->config->agent.max_requests + CONNECTIONS_SPARE, own = 0;

        if (uid == 0)
                return door->n_conns > limit;
        for (const Conn *c = door->conns; c; c = c->next)
                own += c->peer.uid == uid;
        return own > AGENT_SHARE_OF_USER(limit) || door->n_conns > AGENT_SHARE_OF_USERS(limit);
}

static int on_accept(sd_event_source *source, int listener, uint32_t revents, void *userdata) {
        DoorWire *door = userdata;
        AUTO_FD int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        Error e = {};
        Conn *c = NULL;
        int r;

        (void) source;
        (void) revents;
        if (fd < 0)
                return 0; /* gone again */
        r = conn_new(door, TAKE_FD(fd), &c, &e);
        if (r < 0) {
                log_warning("Dropped a connection: %s", error_text(&e, r));
        } else if (is_full(door, c->peer.uid)) {
                door->agent->counters.n_turned_away++;
                (void) error_set(&e, -EBUSY, "queue-full", "Too many connections");
                answer_error(c, -EBUSY, &e);
        }
        return 0;
}

int door_wire_new(Agent *agent, int fd, DoorWire **ret, Error *e) {
        DoorWire *door = calloc(1, sizeof(*door));
        int r;

        if (!door) {
                (void) close(fd);
                return error_oom(e);
        }
        *door = (DoorWire){ .agent = agent, .fd = fd };
        r = sd_event_add_io(agent->event, &door->io, fd, EPOLLIN, on_accept, door);
        if (r < 0) {
                door_wire_free(door);
                return error_set(e, r, "event-loop", "Cannot watch a socket: %s", error_text(NULL, r));
        }
        *ret = door;
        return 0;
}

void door_wire_free(DoorWire *door) {
        if (!door)
                return;
        while (door->conns)
                conn_free(door->conns);
        (void) sd_event_source_disable_unref(door->io);
        cleanup_fd(&door->fd);
        free(door);
}
