/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A man in the middle of the TPM's bus: it listens where a client believes its swtpm to be, passes commands
 * on to a real one, and at the chosen command does something else. Speaks the framing of swtpm's sockets
 * (a connection per command; a control channel that answers "fine").
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "tests/integration/swtpm.h"

typedef enum InterposerAct {
        INTERPOSER_PASS = 0,    /* never misbehaves */
        INTERPOSER_HANG,        /* takes the command and never answers */
        INTERPOSER_HANG_MIDWAY, /* sends the first half of the real answer, then nothing */
        INTERPOSER_CLOSE,       /* takes the command and closes the connection */
        INTERPOSER_GONE,        /* closes all, and listens no more */
        INTERPOSER_GARBAGE,     /* answers bytes that are no response */
        INTERPOSER_WRONG_SIZE,  /* passes the answer on with a size in its header that is 4 bytes short */
        INTERPOSER_REPLAY,      /* answers what the TPM answered when the command was last passed on */
        INTERPOSER_CODE,        /* answers with .code instead of asking the TPM */
        INTERPOSER_ALTER,       /* passes on what .alter makes of the answer */
} InterposerAct;

typedef struct InterposerOptions {
        const Swtpm *upstream; /* may be NULL when nothing is passed on */
        bool control_hangs;    /* the control channel accepts and never answers */
        unsigned n_pass;       /* so many commands are passed on first */
        InterposerAct act;
        unsigned n_act;        /* so many commands are treated so, then all are passed on again; 0: all */
        uint32_t code;         /* INTERPOSER_CODE */
        /* When set, @act concerns only commands with this code (TPM_CC_*), and n_pass counts only these. */
        uint32_t command;
        /*
         * PCR 10 is extended upstream after each of the first so many commands with code @command. (Not 16 or
         * 23: the TPM's update counter does not count these, PC Client Platform TPM Profile, "PCR Attributes".)
         */
        unsigned n_extend;
        /* INTERPOSER_ALTER: changes the answer in place. Runs in the interposer's process. */
        void (*alter)(uint8_t *answer, size_t size);
        bool record; /* all that goes over the bus is kept: interposer_saw() */
} InterposerOptions;

typedef struct Interposer {
        char dir[96];
        char tcti[128];
        pid_t pid;
} Interposer;

/* 0, or -1 with the reason on standard error. Ready when it returns. */
WARN_UNUSED int interposer_start(const InterposerOptions *options, Interposer *ret);
void interposer_stop(Interposer *i); /* idempotent */

/* True when these bytes crossed the bus one after the other, in a command or an answer. */
bool interposer_saw(const Interposer *i, const void *bytes, size_t size);
