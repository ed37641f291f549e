/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A man in the middle with a certificate the guest accepts. It passes requests on to the broker, keeps what it saw
 * first, and serves that again later. The attacks it makes are the ones a nonce and a key inside REPORT_DATA are
 * there to stop.
 */

#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

typedef enum ProxyMode {
        PROXY_PASS,
        PROXY_REPLAY_EVIDENCE,  /* every /attest after the first is the first one's body again: old nonce, old report */
        PROXY_REPLAY_REPORT,    /* ... keeps its nonce and key, but carries the first one's evidence */
        PROXY_REPLAY_CHALLENGE, /* the guest gets the first challenge again: its report is over an old nonce */
        PROXY_N_MODES,
} ProxyMode;

/* "pass", "replay-evidence", "replay-report", "replay-challenge"; PROXY_N_MODES for any other name. */
ProxyMode proxy_mode_from_name(const char *name);

typedef struct ProxyConfig {
        const char *listen;               /* NULL: 127.0.0.1:0 */
        const char *cert_file, *key_file; /* shown to the guest */
        const char *upstream;             /* https://host:port of the broker */
        const char *ca_file;              /* that the broker's certificate must go back to */
        const char *log;                  /* NULL: standard error */
        ProxyMode mode;
} ProxyConfig;

typedef struct Proxy Proxy;

WARN_UNUSED int proxy_start(const ProxyConfig *config, Proxy **ret, Error *e);
void proxy_stop(Proxy *proxy);
DEFINE_CLEANUP(Proxy *, proxy_stop);

uint16_t proxy_port(const Proxy *proxy);
