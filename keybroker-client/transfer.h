/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What all our HTTP has in common: libcurl's multi interface on the caller's event loop. TLS 1.2 or later with the
 * server's certificate and name verified, HTTP/1.1, no redirects, no proxy, no cookie store, nothing from the
 * environment. Connections are kept and used again. http.h speaks to brokers with it, download.h fetches files.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "keybroker-client/client.h"
#include "keybroker-client/message.h"
#include "keybroker-client/problem.h"

/* Connections at a time; transfers beyond that wait inside libcurl. */
#define KBC_CONNECTIONS_MAX 4
#define KBC_URL_MAX 1024u

typedef struct KbcTransfers KbcTransfers;
typedef struct KbcTransfer KbcTransfer;

/* Whom errors speak of: their reasons begin with "broker-" or "server-". */
typedef enum KbcTransferPeer {
        KBC_TRANSFER_BROKER,
        KBC_TRANSFER_SERVER,
        KBC_TRANSFER_N_PEERS,
} KbcTransferPeer;

typedef struct KbcTransfersConfig {
        KbcTransferPeer peer;
        const char *ca_file; /* PEM; NULL: the system's authorities */
        const KbcLoopOps *loop_ops; /* only set_fd is used; NULL: kbc_transfers_poll() drives */
        void *loop;
} KbcTransfersConfig;

/* All pointers are borrowed: url, name and body until the transfer is gone, the others for the call. */
typedef struct KbcTransferRequest {
        const char *url;  /* judged by the caller */
        const char *name; /* of the other side in error texts */
        bool plain_http;  /* http:// and nothing else, instead of https:// and nothing else */
        const char *const *headers; /* "Name: value", or "Name:" to leave one out; NULL-terminated */
        const char *cookie;         /* value of the Cookie field, or NULL */
        const Blob *body;           /* POST; NULL: GET */
        size_t reply_max;
        uint64_t timeout_usec;
} KbcTransferRequest;

/*
 * The end of a transfer, never called from inside kbc_transfer_start() or kbc_transfer_cancel(). @r 0: @reply is
 * complete, and its status may be any. @r < 0: @remedy tells whether another attempt can help. The transfer is gone.
 */
typedef void (*KbcReplyFn)(void *userdata, int r, const KbcReply *reply, KbcRemedy remedy, const Error *e);

WARN_UNUSED int kbc_transfers_new(const KbcTransfersConfig *config, KbcTransfers **ret, Error *e);
/* Ends all transfers without a callback. */
void kbc_transfers_free(KbcTransfers *t);
DEFINE_CLEANUP(KbcTransfers *, kbc_transfers_free);

WARN_UNUSED int kbc_transfer_start(KbcTransfers *t, const KbcTransferRequest *request, KbcReplyFn done, void *userdata,
                                   KbcTransfer **ret, Error *e);
void kbc_transfer_cancel(KbcTransfer *x); /* NULL is fine */

/* With a loop: descriptors and time. */
void kbc_transfers_on_fd(KbcTransfers *t, int fd, unsigned what);
void kbc_transfers_on_timer(KbcTransfers *t);                 /* does nothing before its time */
uint64_t kbc_transfers_timer_usec(const KbcTransfers *t);     /* monotonic; UINT64_MAX: no time */

/* Without a loop: waits for something to happen, or @timeout_usec, and handles it. */
void kbc_transfers_poll(KbcTransfers *t, uint64_t timeout_usec);
