/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A thread per connection keeps handlers plain: one that pauses or computes holds up nobody else. The
 * state of a request (RequestState) is made at its first call, collects the body, and is freed when
 * libmicrohttpd reports the end of the request.
 */
#include "tests/broker/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/deadline.h"
#include "base/text.h"
#include "base/writer.h"

#define CONNECTION_TIMEOUT_SECONDS 120u /* idle ones; tests with slow brokers stay well below */

struct HttpServer {
        struct MHD_Daemon *daemon;
        HttpHandler handler;
        void *userdata;
        uint16_t port;
        pthread_mutex_t lock; /* guards stopping */
        pthread_cond_t stopped;
        bool stopping;
};

typedef struct RequestState {
        Writer body; /* its sticky error tells of a body over the limit */
} RequestState;

typedef struct TruncatedBody {
        Blob bytes; /* what is really sent, of a longer body that was announced */
} TruncatedBody;

void http_answer_done(HttpAnswer *a) {
        blob_done(&a->body);
        for (size_t i = 0; i < a->n_headers; i++)
                free(a->headers[i].value);
        a->n_headers = 0;
}

static void answer_failed(HttpAnswer *a) {
        http_answer_done(a);
        a->status = MHD_HTTP_INTERNAL_SERVER_ERROR;
}

void http_answer_header(HttpAnswer *a, const char *name, const char *value) {
        char *copy = strdup(value);

        if (!copy || a->n_headers == HTTP_HEADERS_MAX) {
                free(copy);
                answer_failed(a);
                return;
        }
        a->headers[a->n_headers++] = (struct HttpHeader){ .name = name, .value = copy };
}

void http_answer_set(HttpAnswer *a, unsigned status, const char *content_type, const void *body, size_t size) {
        Blob b = {};

        blob_done(&a->body);
        if (size > 0 && blob_dup(body, size, &b) < 0) {
                answer_failed(a);
                return;
        }
        a->status = status;
        a->body = b;
        if (content_type)
                http_answer_header(a, "Content-Type", content_type);
}

const char *http_request_header(const HttpRequest *request, const char *name) {
        return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

const char *http_request_cookie(const HttpRequest *request, const char *name) {
        return MHD_lookup_connection_value(request->connection, MHD_COOKIE_KIND, name);
}

const char *http_request_argument(const HttpRequest *request, const char *name) {
        return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

static ssize_t truncated_read(void *cls, uint64_t pos, char *buf, size_t max) {
        const TruncatedBody *t = cls;
        size_t n;

        if (pos >= t->bytes.size)
                return MHD_CONTENT_READER_END_WITH_ERROR;
        n = t->bytes.size - (size_t) pos;
        if (n > max)
                n = max;
        (void) memcpy(buf, t->bytes.data + pos, n);
        return (ssize_t) n;
}

static void truncated_free(void *cls) {
        TruncatedBody *t = cls;

        blob_done(&t->bytes);
        free(t);
}

static struct MHD_Response *truncated_response(const Blob *body) {
        TruncatedBody *t = calloc(1, sizeof(*t));

        if (!t || body->size < 2 || blob_dup(body->data, body->size / 2, &t->bytes) < 0) {
                free(t);
                return NULL;
        }
        return MHD_create_response_from_callback(body->size, 4096, truncated_read, t, truncated_free);
}

static enum MHD_Result send_answer(struct MHD_Connection *connection, const HttpAnswer *a) {
        struct MHD_Response *response;
        enum MHD_Result r = MHD_YES;

        if (a->delivery == HTTP_DELIVER_NOTHING)
                return MHD_NO;
        if (a->delivery == HTTP_DELIVER_TRUNCATED)
                response = truncated_response(&a->body);
        else
                response = MHD_create_response_from_buffer(a->body.size, a->body.data, MHD_RESPMEM_MUST_COPY);
        if (!response)
                return MHD_NO;
        for (size_t i = 0; i < a->n_headers && r == MHD_YES; i++)
                r = MHD_add_response_header(response, a->headers[i].name, a->headers[i].value);
        if (r == MHD_YES)
                r = MHD_queue_response(connection, a->status, response);
        MHD_destroy_response(response);
        return r;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *data, size_t *size, void **state) {
        HttpServer *server = cls;
        RequestState *s = *state;
        AUTO_HTTP_ANSWER HttpAnswer answer = { .status = MHD_HTTP_INTERNAL_SERVER_ERROR };

        (void) version;
        if (!s) {
                s = *state = calloc(1, sizeof(*s));
                if (!s)
                        return MHD_NO;
                s->body = wr_init(HTTP_BODY_MAX);
                return MHD_YES;
        }
        if (*size > 0) {
                wr_bytes(&s->body, data, *size);
                *size = 0;
                return MHD_YES;
        }
        if (s->body.error < 0)
                answer.status = MHD_HTTP_CONTENT_TOO_LARGE;
        else
                server->handler(server->userdata,
                                &(HttpRequest){ .method = method,
                                                .path = url,
                                                .body = s->body.data,
                                                .body_size = s->body.size,
                                                .connection = connection },
                                &answer);
        return send_answer(connection, &answer);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode why) {
        RequestState *s = *state;

        (void) cls, (void) connection, (void) why;
        if (s)
                wr_done(&s->body);
        free(s);
        *state = NULL;
}

/* The broker judges the path as it was sent. */
static size_t keep_escapes(void *cls, struct MHD_Connection *connection, char *text) {
        (void) cls, (void) connection;
        return strlen(text);
}

/* libmicrohttpd's complaints (a client that hangs up, a TLS alert) are the tests' daily bread. */
static void no_log(void *cls, const char *fmt, va_list ap) {
        (void) cls, (void) fmt, (void) ap;
}

static int parse_listen(const char *listen, struct sockaddr_in *ret, Error *e) {
        const char *colon = strrchr(listen, ':');
        char host[INET_ADDRSTRLEN];
        uint64_t port;

        if (!colon || (size_t) (colon - listen) >= sizeof(host) || text_to_u64(colon + 1, 10, 0, UINT16_MAX, &port) < 0)
                return error_set(e, -EINVAL, "bad-address", "'%s' is not an IPv4 address and a port", listen);
        (void) memcpy(host, listen, (size_t) (colon - listen));
        host[colon - listen] = 0;
        *ret = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t) port) };
        if (inet_pton(AF_INET, host, &ret->sin_addr) != 1)
                return error_set(e, -EINVAL, "bad-address", "'%s' is not an IPv4 address and a port", listen);
        return 0;
}

static int start_daemon(HttpServer *server, const char *listen, const char *cert_pem, const char *key_pem, Error *e) {
        /* The list of options ends early where there is no certificate. */
        const struct MHD_OptionItem tls[] = {
                { cert_pem ? MHD_OPTION_HTTPS_MEM_CERT : MHD_OPTION_END, 0, (void *) (uintptr_t) cert_pem },
                { MHD_OPTION_HTTPS_MEM_KEY, 0, (void *) (uintptr_t) key_pem },
                { MHD_OPTION_END, 0, NULL },
        };
        const union MHD_DaemonInfo *info;
        struct sockaddr_in address;
        int r = parse_listen(listen, &address, e);

        if (r < 0)
                return r;
        errno = 0;
        server->daemon = MHD_start_daemon(
                MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_ERROR_LOG |
                        (cert_pem ? MHD_USE_TLS : 0u),
                0, NULL, NULL, on_request, server,
                MHD_OPTION_EXTERNAL_LOGGER, no_log, NULL,
                MHD_OPTION_SOCK_ADDR, &address,
                MHD_OPTION_ARRAY, tls,
                MHD_OPTION_CONNECTION_LIMIT, HTTP_CONNECTIONS_MAX,
                MHD_OPTION_CONNECTION_TIMEOUT, CONNECTION_TIMEOUT_SECONDS,
                MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
                MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
                MHD_OPTION_END);
        if (!server->daemon)
                return error_set(e, errno == EADDRINUSE ? -EADDRINUSE : -EINVAL, "listen-failed",
                                 "Cannot serve on %s: address, certificate or key unusable", listen);
        info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
        server->port = info ? info->port : 0;
        return 0;
}

int http_server_start(const char *listen, const char *cert_pem, const char *key_pem, HttpHandler handler,
                      void *userdata, HttpServer **ret, Error *e) {
        CLEANUP(http_server_stopp) HttpServer *server = calloc(1, sizeof(*server));
        pthread_condattr_t attr;
        int r;

        if (!server)
                return error_oom(e);
        (void) signal(SIGPIPE, SIG_IGN);
        server->handler = handler;
        server->userdata = userdata;
        (void) pthread_mutex_init(&server->lock, NULL);
        (void) pthread_condattr_init(&attr);
        (void) pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
        (void) pthread_cond_init(&server->stopped, &attr);
        (void) pthread_condattr_destroy(&attr);
        r = start_daemon(server, listen, cert_pem, key_pem, e);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(server);
        return 0;
}

void http_server_stop(HttpServer *server) {
        if (!server)
                return;
        (void) pthread_mutex_lock(&server->lock);
        server->stopping = true;
        (void) pthread_cond_broadcast(&server->stopped);
        (void) pthread_mutex_unlock(&server->lock);
        if (server->daemon)
                MHD_stop_daemon(server->daemon);
        (void) pthread_cond_destroy(&server->stopped);
        (void) pthread_mutex_destroy(&server->lock);
        free(server);
}

uint16_t http_server_port(const HttpServer *server) {
        return server->port;
}

void http_server_pause(HttpServer *server, uint64_t usec) {
        Deadline until = deadline_in(usec);
        struct timespec ts = {
                .tv_sec = (time_t) (until.usec / USEC_PER_SEC),
                .tv_nsec = (long) (until.usec % USEC_PER_SEC * 1000),
        };
        int r = 0;

        (void) pthread_mutex_lock(&server->lock);
        while (!server->stopping && r == 0)
                r = pthread_cond_timedwait(&server->stopped, &server->lock, &ts);
        (void) pthread_mutex_unlock(&server->lock);
}
