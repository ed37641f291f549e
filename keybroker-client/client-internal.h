/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What client.c, handshake.c and fetch.c share. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "keybroker-client/client.h"
#include "keybroker-client/http.h"
#include "keybroker-client/rcar.h"
#include "keybroker-client/session.h"

/* Requests that are neither finished nor cancelled; more are refused with -EBUSY. */
#define KBC_REQUESTS_MAX 64

typedef enum RequestPhase {
        REQUEST_WAITING,     /* for a session, or for its turn */
        REQUEST_BACKING_OFF, /* until retry_at_usec */
        REQUEST_FETCHING,
        REQUEST_FINISHED, /* for its callback */
} RequestPhase;

struct KbcRequest {
        TAILQ_ENTRY(KbcRequest) link; /* in client->requests, or client->finished */
        KbcClient *client;
        RequestPhase phase;
        char path[KBC_RESOURCE_PATH_MAX + 1]; /* empty: a handshake is all that is asked for */
        Deadline deadline;
        KbcDoneFn done;
        void *userdata;

        KbcSession *session;   /* counted, while fetching */
        KbcExchange *exchange; /* while fetching */
        bool had_handshake;    /* it has had the one fresh handshake that a lost session is worth */
        unsigned n_attempts;
        uint64_t retry_at_usec;

        int result;
        Secret secret;
        Error error;
};

typedef TAILQ_HEAD(RequestList, KbcRequest) RequestList;

typedef enum HandshakePhase {
        HANDSHAKE_NONE,
        HANDSHAKE_BACKING_OFF, /* until retry_at_usec */
        HANDSHAKE_EXCHANGE,    /* with the broker */
        HANDSHAKE_EVIDENCE,    /* waiting for it, or for an older call to come back first */
} HandshakePhase;

/*
 * The one handshake at a time. The evidence source knows no numbers: so an answer that nobody waits for any more is
 * waited for nevertheless before the source is asked again.
 */
typedef struct Handshake {
        HandshakePhase phase;
        KbcRcar *rcar;
        KbcExchange *exchange;
        bool had_second; /* a refused attestation is tried once more */
        unsigned n_attempts;
        uint64_t retry_at_usec;
        KbcReportData report_data;
        size_t report_data_size;

        bool asked;       /* for the evidence of this handshake */
        bool outstanding; /* a call of the evidence source, for this handshake or for one that was given up */
        bool answered;
        KbcEvidence evidence; /* owned */
        int evidence_code;
        Error evidence_error;
} Handshake;

struct KbcClient {
        KbcClientConfig config; /* its strings are in the fields below */
        char *tee;
        KbcHttp *http;
        KbcSession *session; /* counted; NULL or the newest */
        Handshake handshake;
        RequestList requests, finished;
        unsigned n_requests;    /* in both lists */
        KbcRequest *delivering; /* whose callback runs */
        unsigned depth;         /* of calls from outside that may run callbacks */
        bool free_pending;      /* kbc_client_free() from inside a callback */
        bool kick;              /* there is something to do at once */
        uint64_t armed_usec;    /* what the loop's timer was set to */
        KbcClientStatus status;
};

/* client.c */
void kbc_request_finish(KbcRequest *q, int r, const Error *e);
/* Needs a handshake before anything else can happen to it. */
bool kbc_request_needs_session(const KbcRequest *q);

/* handshake.c */
void kbc_handshake_run(KbcClient *c, uint64_t now_usec);
void kbc_handshake_done(KbcClient *c);
/* The evidence source has answered: @code 0 with @evidence, or negative with @e (may be NULL). */
void kbc_handshake_answer(KbcClient *c, const KbcEvidence *evidence, int code, const Error *e);
const char *kbc_handshake_phase_text(const KbcClient *c);
uint64_t kbc_handshake_due_usec(const KbcClient *c); /* UINT64_MAX: by events only */

/* fetch.c */
void kbc_fetch_run(KbcClient *c, uint64_t now_usec);
void kbc_fetch_stop(KbcRequest *q);
uint64_t kbc_fetch_due_usec(const KbcRequest *q);
