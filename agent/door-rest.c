/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/door-rest.h"

/*
 * libmicrohttpd runs without threads of its own: its epoll descriptor is watched by our loop, and so is its
 * next time-out. A request that has to wait is suspended, and then libmicrohttpd does not look at the
 * connection, so we watch it for a hang-up meanwhile. A secret goes out of the Secret's own memory: the
 * library sends a response buffer without copying it, and we wipe it in its free callback.
 */

#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "agent/rest-internal.h"
#include "agent/rest-problem.h"
#include "base/log.h"

#define CONNECTIONS_SPARE 16 /* as for the other door */
#define CONNECTION_MEMORY 8192u /* request line and headers; more is answered with 431 */
#define CONNECTION_TIMEOUT_SEC 5u /* for a request to come and an answer to go; local programs do both at once */

/* One connection: who it is. */
typedef struct RestPeer {
        struct RestPeer *next;
        Peer peer;
} RestPeer;

struct DoorRest {
        Agent *agent;
        struct MHD_Daemon *daemon;
        unsigned limit; /* connections */
        sd_event_source *io, *timer, *soon;
        RestPeer *peers;
        RestRequest *requests;
};

static void run(DoorRest *door) {
        MHD_UNSIGNED_LONG_LONG msec;

        (void) MHD_run(door->daemon);
        if (MHD_get_timeout(door->daemon, &msec) == MHD_YES) {
                (void) sd_event_source_set_time_relative(door->timer, (uint64_t) msec * USEC_PER_MSEC);
                (void) sd_event_source_set_enabled(door->timer, SD_EVENT_ONESHOT);
        } else
                (void) sd_event_source_set_enabled(door->timer, SD_EVENT_OFF);
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        (void) source;
        (void) fd;
        (void) revents;
        run(userdata);
        return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        (void) source;
        (void) usec;
        run(userdata);
        return 0;
}

static int on_soon(sd_event_source *source, void *userdata) {
        (void) source;
        run(userdata);
        return 0;
}

static void forget_peer(DoorRest *door, RestPeer *p) {
        for (RestPeer **at = &door->peers; *at; at = &(*at)->next)
                if (*at == p) {
                        *at = p->next;
                        break;
                }
        peer_done(&p->peer);
        free(p);
}

/* See AGENT_SHARE_OF_USER(); the library itself takes no more than the limit. */
static bool has_too_many(const DoorRest *door, uid_t uid) {
        unsigned own = 0, all = 0;

        for (const RestPeer *p = door->peers; p; p = p->next) {
                own += p->peer.uid == uid;
                all++;
        }
        return uid != 0 && (own > AGENT_SHARE_OF_USER(door->limit) || all > AGENT_SHARE_OF_USERS(door->limit));
}

static RestPeer *meet_peer(DoorRest *door, int fd) {
        RestPeer *p = calloc(1, sizeof(*p));
        Error e = {};

        if (!p || peer_identify(fd, &p->peer, &e) < 0) {
                log_warning("Cannot tell who connected: %s", error_text(&e, -ENOMEM));
                free(p);
                (void) shutdown(fd, SHUT_RDWR);
                return NULL;
        }
        p->next = door->peers;
        door->peers = p;
        if (has_too_many(door, p->peer.uid)) {
                log_debug("User %u has too many connections", p->peer.uid);
                door->agent->counters.n_turned_away++;
                (void) shutdown(fd, SHUT_RDWR); /* the library finds it closed, and closes it */
        }
        return p;
}

static const Peer *peer_of(struct MHD_Connection *connection) {
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
        const RestPeer *p = info ? info->socket_context : NULL;

        return p ? &p->peer : NULL;
}

/* The first that is heard of a request; what is returned here belongs to it until on_completed(). */
static void *on_target(void *userdata, const char *uri, struct MHD_Connection *connection) {
        DoorRest *door = userdata;
        RestRequest *q = calloc(1, sizeof(*q));

        if (!q)
                return NULL;
        *q = (RestRequest){ .next = door->requests, .door = door, .agent = door->agent, .connection = connection };
        door->requests = q;
        (void) !rest_target_parse(uri, &q->target, &q->target_error);
        return q;
}

static void stop_work(RestRequest *q) {
        if (q->work.release)
                release_cancel(TAKE_PTR(q->work.release));
        status_cancel(TAKE_PTR(q->work.status));
        evidence_cancel(TAKE_PTR(q->work.evidence));
        agent_slot_give(&q->slot);
}

static void request_free(RestRequest *q) {
        for (RestRequest **at = &q->door->requests; *at; at = &(*at)->next)
                if (*at == q) {
                        *at = q->next;
                        break;
                }
        stop_work(q);
        (void) sd_event_source_disable_unref(q->hang_up);
        free(q->answer.text);
        secret_done(&q->answer.secret);
        free(q);
}

static void on_completed(void *userdata, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code) {
        (void) userdata;
        (void) connection;
        (void) code;
        if (*context)
                request_free(*context);
        *context = NULL;
}

/* Of a request whose query it has no memory for, libmicrohttpd (0.9.75) tells the beginning and never the end. */
static void forget_requests(DoorRest *door, const struct MHD_Connection *connection) {
        RestRequest *next;

        for (RestRequest *q = door->requests; q; q = next) {
                next = q->next;
                if (q->connection == connection)
                        request_free(q);
        }
}

/* The peer is identified when it connects, before it can become somebody else. */
static void on_connection(void *userdata, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode what) {
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        DoorRest *door = userdata;

        if (what == MHD_CONNECTION_NOTIFY_STARTED && info)
                *socket_context = meet_peer(door, info->connect_fd);
        if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
                forget_requests(door, connection);
                if (*socket_context)
                        forget_peer(door, *socket_context);
                *socket_context = NULL;
                /* At its limit the library stops listening, and begins again only when it is run next. */
                (void) sd_event_source_set_enabled(door->soon, SD_EVENT_ONESHOT);
        }
}

void door_rest_resume(RestRequest *q) {
        if (!q->suspended)
                return;
        q->suspended = false;
        q->hang_up = sd_event_source_disable_unref(q->hang_up);
        MHD_resume_connection(q->connection);
        (void) sd_event_source_set_enabled(q->door->soon, SD_EVENT_ONESHOT);
}

static int on_hang_up(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        RestRequest *q = userdata;

        (void) source;
        (void) fd;
        (void) revents;
        log_debug("User %u left before the answer", q->peer->uid);
        q->gone = true;
        stop_work(q);
        door_rest_resume(q);
        return 0;
}

static enum MHD_Result suspend(RestRequest *q) {
        const union MHD_ConnectionInfo *info =
                MHD_get_connection_info(q->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

        /* No events asked for: EPOLLHUP and EPOLLERR come unasked. A client that only half-closes still listens. */
        if (!info || sd_event_add_io(q->agent->event, &q->hang_up, info->connect_fd, 0, on_hang_up, q) < 0)
                return MHD_NO;
        q->suspended = true;
        MHD_suspend_connection(q->connection);
        return MHD_YES;
}

static void free_secret(void *userdata) {
        Secret *s = userdata;

        secret_done(s);
        free(s);
}

static struct MHD_Response *make_response(RestAnswer *a) {
        struct MHD_Response *response;
        Secret *keep;

        if (!a->secret.bytes) {
                const char *text = a->text ? a->text : "";

                response = MHD_create_response_from_buffer(strlen(text), a->text, MHD_RESPMEM_MUST_FREE);
                if (response)
                        a->text = NULL;
                return response;
        }
        keep = malloc(sizeof(*keep));
        if (!keep)
                return NULL;
        *keep = secret_take(&a->secret);
        response = MHD_create_response_from_buffer_with_free_callback_cls(keep->len, keep->bytes, free_secret, keep);
        if (!response)
                free_secret(keep);
        return response;
}

static enum MHD_Result respond(RestRequest *q) {
        struct MHD_Response *response = make_response(&q->answer);
        enum MHD_Result r;

        if (!response)
                return MHD_NO;
        r = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, q->answer.content_type);
        if (r == MHD_YES)
                r = MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
        if (r == MHD_YES && q->answer.status == 405)
                r = MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
        if (r == MHD_YES && (q->answer.status == 429 || q->answer.status == 503))
                r = MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "1");
        if (r == MHD_YES)
                r = MHD_queue_response(q->connection, q->answer.status, response);
        MHD_destroy_response(response);
        return r;
}

static void refuse(RestRequest *q, unsigned status, const char *reason, const char *what) {
        Error e = {};

        (void) error_set(&e, -EBADMSG, reason, "%s", what);
        rest_answer_error(q, status, -EBADMSG, &e);
}

static bool has_body(struct MHD_Connection *connection) {
        const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);

        return (length && strcmp(length, "0") != 0) ||
               MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_TRANSFER_ENCODING);
}

/* What can be said before any work. Leaves the request without an answer when it is worth starting. */
static const RestRoute *admit(RestRequest *q, const char *method) {
        const RestRoute *route;

        if (q->target_error.code < 0) {
                rest_answer_error(q, q->target_error.code == -E2BIG ? 414 : 400, q->target_error.code, &q->target_error);
                return NULL;
        }
        route = rest_route_find(q->target.path);
        if (!route)
                refuse(q, 404, "no-such-route", "There is nothing at this path");
        else if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
                refuse(q, 405, "method", "Only GET and HEAD are allowed here");
        else if (!q->peer)
                refuse(q, 503, "peer-unknown", "It cannot be told who is asking");
        return route;
}

static enum MHD_Result on_request(void *userdata, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *upload_data, size_t *upload_size, void **context) {
        RestRequest *q = *context;
        const RestRoute *route;

        (void) userdata;
        (void) url;
        (void) version;
        (void) upload_data;
        (void) upload_size;
        if (!q || q->gone)
                return MHD_NO;
        /* An answer that is given when only the headers are there costs the connection; so it is only given to what is
         * not to be read on. */
        if (!q->heard) {
                q->heard = true;
                if (!has_body(connection))
                        return MHD_YES;
                refuse(q, 413, "body", "A request has no body here");
                return respond(q);
        }
        if (q->answer.status == 0) {
                q->peer = peer_of(connection);
                route = admit(q, method);
                if (q->answer.status == 0)
                        rest_route_start(q, route);
        }
        return q->answer.status == 0 ? suspend(q) : respond(q);
}

static int add_to_loop(DoorRest *door) {
        const union MHD_DaemonInfo *info = MHD_get_daemon_info(door->daemon, MHD_DAEMON_INFO_EPOLL_FD);
        sd_event *event = door->agent->event;
        int r;

        if (!info)
                return -EIO;
        r = sd_event_add_io(event, &door->io, info->epoll_fd, EPOLLIN, on_io, door);
        if (r >= 0)
                r = sd_event_add_time_relative(event, &door->timer, CLOCK_MONOTONIC, 0, USEC_PER_MSEC, on_timer, door);
        if (r >= 0)
                r = sd_event_source_set_enabled(door->timer, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_add_defer(event, &door->soon, on_soon, door);
        return r < 0 ? r : 0;
}

int door_rest_new(Agent *agent, int fd, DoorRest **ret, Error *e) {
        DoorRest *door = calloc(1, sizeof(*door));
        int r;

        if (!door) {
                (void) close(fd);
                return error_oom(e);
        }
        door->agent = agent;
        door->limit = agent->current->config->agent.max_requests + CONNECTIONS_SPARE;
        door->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, door,
                                        MHD_OPTION_LISTEN_SOCKET, fd,
                                        MHD_OPTION_CONNECTION_LIMIT, door->limit,
                                        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t) CONNECTION_MEMORY,
                                        MHD_OPTION_CONNECTION_TIMEOUT, CONNECTION_TIMEOUT_SEC,
                                        MHD_OPTION_STRICT_FOR_CLIENT, 1,
                                        MHD_OPTION_URI_LOG_CALLBACK, on_target, door,
                                        MHD_OPTION_NOTIFY_COMPLETED, on_completed, door,
                                        MHD_OPTION_NOTIFY_CONNECTION, on_connection, door,
                                        MHD_OPTION_END);
        if (!door->daemon) {
                (void) close(fd);
                free(door);
                return error_set(e, -EIO, "http-server", "Cannot start the HTTP server");
        }
        r = add_to_loop(door);
        if (r < 0) {
                door_rest_free(door);
                return error_set(e, r, "event-loop", "Cannot watch the HTTP server: %s", error_text(NULL, r));
        }
        *ret = door;
        return 0;
}

void door_rest_free(DoorRest *door) {
        if (!door)
                return;
        /* The library must not be stopped while it holds a suspended connection. */
        for (RestRequest *q = door->requests; q; q = q->next) {
                stop_work(q);
                q->gone = true;
                door_rest_resume(q);
        }
        MHD_stop_daemon(door->daemon);
        (void) sd_event_source_disable_unref(door->io);
        (void) sd_event_source_disable_unref(door->timer);
        (void) sd_event_source_disable_unref(door->soon);
        free(door);
}
