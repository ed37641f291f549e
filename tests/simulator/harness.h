/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * For C tests: a running snp-sim-tsm in a private directory. Under meson the programs are found through
 * $SNP_TEST_BUILD, and so are the hierarchies that the build has made once for all tests.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "tests/simulator/product.h"

#define SIM_PATH_MAX 512

typedef struct SimTsmRun {
        pid_t pid;
        char dir[64];                  /* private, removed by sim_tsm_stop() */
        char mountpoint[SIM_PATH_MAX]; /* stands for /sys/kernel/config/tsm/report */
        char control[SIM_PATH_MAX];    /* the control file */
        char pki[SIM_PATH_MAX];        /* hierarchy in use */
} SimTsmRun;

/* NULL when FUSE can be used here, else why it cannot: for unit_skip(). */
const char *sim_tsm_unusable(void);

/* Directory of the build's hierarchy of @product (VCEK and VLEK); all three share their RSA keys. */
void sim_test_pki(SimProduct product, char ret[static SIM_PATH_MAX]);

/**
 * sim_tsm_start() - start the simulator and wait until it is mounted
 * @args: further options, ended by NULL; may be NULL
 *
 * It ends with this process at the latest. Return: 0 or negative errno.
 */
WARN_UNUSED int sim_tsm_start(SimProduct product, const char *const *args, SimTsmRun *ret, Error *e);

/* Stops it and removes its directory. 0; -EPROTO when it did not end with status 0. */
int sim_tsm_stop(SimTsmRun *run);

/* Replaces the control file; takes effect with the next act of a guest. */
WARN_UNUSED int sim_tsm_control(const SimTsmRun *run, const char *text, Error *e);
