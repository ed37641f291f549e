/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Somebody who answers on the agent's socket as a test wants it: a child process that handles one
 * connection after the other until it is stopped, and remembers what it was asked.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/wire/wire.h"

typedef enum FakeMood {
        FAKE_ANSWERS,     /* with `secret` or `text`, as the type of the request wants it */
        FAKE_DENIES,      /* -EPERM, "policy-denied" */
        FAKE_HANGS,       /* reads the request and never answers */
        FAKE_TRUNCATES,   /* half an answer: a body shorter than the header says */
        FAKE_CLOSES,      /* hangs up after the request */
        FAKE_IS_EMPTY,    /* an answer without a body */
        FAKE_ANSWERS_OTHER, /* the answer to another question */
} FakeMood;

typedef struct FakeAgent {
        FakeMood mood;
        const char *secret; /* for WIRE_VOLUME_KEY and WIRE_RESOURCE */
        const char *text;   /* for WIRE_STATUS and WIRE_ATTEST */

        char socket[108]; /* set by fake_agent_start() */
        pid_t pid;
        int requests; /* pipe: u16 type, u16 size, body */
} FakeAgent;

/* Listens in @dir. The listener exists when this returns. */
void fake_agent_start(FakeAgent *a, const char *dir);
void fake_agent_stop(FakeAgent *a);
/* The next request that has been received; size -1 when there was none so far. */
ssize_t fake_agent_next_request(FakeAgent *a, uint16_t *ret_type, void *body, size_t size);
