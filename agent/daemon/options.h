/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The command line that both daemons share. Everything else is configuration. */

#include <stdbool.h>

#include "base/cleanup.h"

typedef struct DaemonProgram {
        const char *name;
        const char *summary; /* one sentence for --help */
} DaemonProgram;

const char *daemon_version(void);

typedef struct DaemonOptions {
        const char *config; /* NULL: the standard places; borrowed from argv */
        const char *socket; /* NULL: as configured; borrowed from argv */
        bool debug;
} DaemonOptions;

/* Return: 0 go on; 1 done (--help, --version), leave with EXIT_SUCCESS; -EINVAL complained on standard error. */
WARN_UNUSED int daemon_options_parse(const DaemonProgram *program, int argc, char **argv, DaemonOptions *ret);
