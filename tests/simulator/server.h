/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the simulator's servers have in common: their command line, and how they start and say so. */

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "tests/simulator/options.h"
#include "tests/simulator/platform.h"

typedef struct SimServer {
        const char *program;             /* name in messages */
        const char *place_option;        /* "mountpoint": where it serves, required */
        const char *place, *pki, *product, *control;
        int ready_fd; /* -1: nobody waits */
        bool die_with_parent, help;
        pid_t parent;
        SimOptions settings;
} SimServer;

/* @ret: program and place_option are set by the caller. 0; -EINVAL after saying so on standard error. */
WARN_UNUSED int sim_server_parse(SimServer *ret, int argc, char **argv);
/* The options' part of a usage text. */
void sim_server_print_options(void);
/* Loads the hierarchy, applies the settings, arranges for the end of the parent. */
WARN_UNUSED int sim_server_start(const SimServer *s, SimPlatform *platform, Error *e);
/* Tells who waits that we serve now. */
void sim_server_announce(const SimServer *s);
