/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Runs a program to its end and keeps what it said. Fails the running test when that is not possible. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

#define SPAWN_MAX_ARGS 40

typedef struct Spawn {
        const char *argv[SPAWN_MAX_ARGS]; /* NULL-terminated; argv[0] is looked up in PATH */
        const char *env[8];               /* "NAME=VALUE", added to ours; NULL-terminated */
        const void *input;                /* standard input; none: /dev/null */
        size_t input_size;
        bool terminal;                    /* standard input and output are a terminal; standard error is not */
        const char *typed;                /* at the terminal, once something has been said on standard error */
        uint64_t timeout_usec;            /* 0: 60 s; the test fails beyond it */
} Spawn;

typedef struct SpawnResult {
        int status; /* exit status; 128 + N when signal N ended it */
        char *out;  /* owned, NUL-terminated */
        size_t out_size;
        char *err;
        size_t err_size;
} SpawnResult;

SpawnResult spawn_run(const Spawn *spawn);
void spawn_result_done(SpawnResult *r);
#define AUTO_SPAWN_RESULT CLEANUP(spawn_result_done)
