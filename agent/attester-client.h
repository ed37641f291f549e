/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Questions to snp-attesterd that do not block the loop. Each has a connection of its own, because the
 * attester answers one and closes. When it dies under a question it is asked once more: systemd starts it
 * again. Failures of the way there are -ENODEV ("attester-unreachable"), -EBUSY and -ETIMEDOUT
 * ("attester-timeout"); what the attester itself says is passed on.
 */

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "agent/wire/wire.h"
#include "base/blob.h"
#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/error.h"

/* It serves one at a time anyway; the rest would wait in its socket's queue. */
#define ATTESTER_CALLS_MAX 16
/* Kept for the broker's handshakes and the status, which ask once at a time: local evidence never keeps a disk shut. */
#define ATTESTER_CALLS_KEPT 4

typedef struct AttesterCall AttesterCall;

typedef struct AttesterClient {
        sd_event *event; /* borrowed */
        AttesterCall *calls;
        size_t n_calls;
} AttesterClient;

/* @answer: the body, borrowed, when @r is 0. Called once; the call is gone then. */
typedef void (*AttesterDoneFn)(void *userdata, int r, const Blob *answer, const Error *e);

typedef struct AttesterQuestion {
        const char *path; /* of its socket */
        uint16_t type; /* WireType */
        const void *body;
        size_t size;
        bool may_take_kept;
        Deadline deadline;
} AttesterQuestion;

/* For the request's own deadline: the attester gives up a little earlier than we do, so that its reason arrives and not
 * our time-out. */
uint32_t attester_deadline_msec(Deadline d);

/* On failure @done is not called. It is never called from in here. */
WARN_UNUSED int attester_client_ask(AttesterClient *client, const AttesterQuestion *question, AttesterDoneFn done,
                                    void *userdata, AttesterCall **ret, Error *e);
void attester_call_cancel(AttesterCall *call);

/* Cancels every call. */
void attester_client_done(AttesterClient *client);
