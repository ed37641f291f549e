/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Command lines of the simulator's programs: their own options, and one for each setting of the platform. */

#include <getopt.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "tests/simulator/platform.h"

#define SIM_OPTIONS_MAX 64

typedef struct SimOptions {
        const char *keys[SIM_OPTIONS_MAX], *values[SIM_OPTIONS_MAX]; /* settings in their order; borrowed from argv */
        size_t n_settings;
} SimOptions;

/**
 * sim_options_parse() - take a command line apart
 * @own:     the program's options with val 1..255, ended by {}
 * @on_own:  called for each of them; 0 or -EINVAL
 *
 * Settings are remembered, to be applied once the hierarchy is known. Return: 0, or -EINVAL with @e.
 */
WARN_UNUSED int sim_options_parse(int argc, char **argv, const struct option *own,
                                  int (*on_own)(void *user, int val, const char *value), void *user, SimOptions *ret,
                                  Error *e);

/* Applies the settings to p->base, in order. */
WARN_UNUSED int sim_options_apply(const SimOptions *options, SimPlatform *p, Error *e);

/* The settings' part of a usage text. */
void sim_options_print_settings(void);
