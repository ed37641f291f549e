/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The least that can stand at the other end of TLS: a thread per connection on a port of the kernel's choice, a
 * certificate for 127.0.0.1 under an authority of its own, and answers byte for byte as the test wants them.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/writer.h"

typedef struct TlsRequest {
        char method[8], path[512], cookie[256];
        const char *header; /* all of it, NUL-terminated */
        const char *body;   /* NUL-terminated */
        size_t size;
        unsigned connection; /* counted from 1 */
} TlsRequest;

typedef enum TlsAction {
        TLS_KEEP,  /* send the answer, read the next request */
        TLS_CLOSE, /* send the answer, close */
        TLS_STALL, /* send the answer, then nothing until the other side goes */
} TlsAction;

/* Called for one request at a time; @answer goes out as it is. */
typedef TlsAction (*TlsHandler)(void *userdata, const TlsRequest *q, Writer *answer);

typedef struct TlsServer TlsServer;

typedef struct TlsServerOptions {
        int max_version; /* TLS1_1_VERSION ...; 0: any */
        bool plain;      /* no TLS at all */
        bool hang_up;    /* closes at once */
} TlsServerOptions;

TlsServer *tls_server_start(const TlsServerOptions *options, TlsHandler handler, void *userdata);
void tls_server_stop(TlsServer *s);
const char *tls_server_url(const TlsServer *s);     /* https://127.0.0.1:port */
const char *tls_server_ca_file(const TlsServer *s); /* removed when the server stops */
unsigned tls_server_n_connections(TlsServer *s);

/* Appends a complete answer; @fields are further header lines with their line ends. */
void http_answer(Writer *w, int status, const char *fields, const char *body);
