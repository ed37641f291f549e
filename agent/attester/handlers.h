/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What may be asked: a closed table, from message type to handler and the size its body may have. */

#include "agent/attester/attester.h"
#include "base/blob.h"
#include "base/deadline.h"
#include "base/secret.h"

typedef struct AttesterHandler {
        uint16_t type;
        const char *name;
        size_t body_min, body_max;
        /* Answers a request whose body has an allowed size; its form is still to be judged. */
        int (*handle)(Attester *a, const Blob *body, Blob *ret, Error *e);
        /* Instead, where the answer is a secret. */
        int (*handle_secret)(Attester *a, const Blob *body, Secret *ret, Error *e);
        /* Who may ask it; NULL: whoever may ask at all. */
        bool (*may_ask)(const Attester *a, uid_t uid);
} AttesterHandler;

/* NULL for a type that is not in the table. */
const AttesterHandler *attester_handler_find(uint16_t type);
