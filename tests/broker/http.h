/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * An HTTPS server on loopback for the reference broker, the replaying proxy and the simulated certificate service: one
 * thread per connection (libmicrohttpd), whole request bodies, one handler. Plain HTTP is for that service alone.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"

#define HTTP_BODY_MAX (2u * 1024u * 1024u) /* Trustee's default payload_request_size */
#define HTTP_HEADERS_MAX 8                 /* most headers an answer of ours carries */
#define HTTP_CONNECTIONS_MAX 64

typedef struct HttpServer HttpServer;

typedef struct HttpRequest {
        const char *method; /* borrowed, as are all pointers in here; valid during the handler */
        const char *path;   /* as sent, not percent-decoded, without the query */
        const uint8_t *body;
        size_t body_size;
        void *connection; /* for http_request_header() and its like */
} HttpRequest;

typedef enum HttpDelivery {
        HTTP_DELIVER_WHOLE,
        HTTP_DELIVER_TRUNCATED, /* announces the whole body, sends half of it, closes the connection */
        HTTP_DELIVER_NOTHING,   /* closes the connection without an answer */
} HttpDelivery;

typedef struct HttpAnswer {
        unsigned status;
        Blob body;
        struct HttpHeader {
                const char *name; /* static */
                char *value;      /* owned */
        } headers[HTTP_HEADERS_MAX];
        size_t n_headers;
        HttpDelivery delivery;
} HttpAnswer;

void http_answer_done(HttpAnswer *a);
#define AUTO_HTTP_ANSWER CLEANUP(http_answer_done)

/* Copies @value. A header that does not fit, or no memory, makes the answer an empty 500. */
void http_answer_header(HttpAnswer *a, const char *name, const char *value);
/* Replaces status and body; copies @body. @content_type may be NULL. */
void http_answer_set(HttpAnswer *a, unsigned status, const char *content_type, const void *body, size_t size);

/* NULL when absent. @name of a header is compared without regard to case. */
const char *http_request_header(const HttpRequest *request, const char *name);
const char *http_request_cookie(const HttpRequest *request, const char *name);
const char *http_request_argument(const HttpRequest *request, const char *name); /* of the query, as sent */

/* Runs on the connection's thread, so several at once. Fills *answer, which starts as an empty 500. */
typedef void (*HttpHandler)(void *userdata, const HttpRequest *request, HttpAnswer *answer);

/**
 * http_server_start() - listen and serve
 * @listen:    IPv4 address and port, "127.0.0.1:0" for a port of the kernel's choice
 * @cert_pem:  server certificate and, if any, intermediates; @key_pem: its private key; both NULL: plain HTTP
 *
 * Ignores SIGPIPE in the whole process. Return: 0; -EINVAL address, certificate or key unusable; -EADDRINUSE.
 */
WARN_UNUSED int http_server_start(const char *listen, const char *cert_pem, const char *key_pem, HttpHandler handler,
                                  void *userdata, HttpServer **ret, Error *e);
/* Ends pauses, waits for running handlers, closes every connection. */
void http_server_stop(HttpServer *server);
DEFINE_CLEANUP(HttpServer *, http_server_stop);

uint16_t http_server_port(const HttpServer *server);

/* For a handler that wants to be slow: returns after @usec, or as soon as the server stops. */
void http_server_pause(HttpServer *server, uint64_t usec);
