/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * AMD's service beside a test: HTTPS on loopback with a CA of its own, a control file for its failures, a log of what
 * was asked, and an empty cache directory. Everything fails the running test when it does not work.
 */

#include <stddef.h>

#include "tests/simulator/kds/kds.h"

typedef struct KdsWorld {
        char dir[64];
        char url[64], ca[128], cache[96], control[96], log[96];
        SimKds *kds;
} KdsWorld;

/* @hierarchy: of snp-sim-pki, such as sim_test_pki() names. */
void kds_world_start(KdsWorld *w, const char *hierarchy);
void kds_world_stop(KdsWorld *w); /* also when the service is down already */

/* The service is gone from one moment to the next, and so is its port. */
void kds_world_go_down(KdsWorld *w);

/* See tests/simulator/kds/mischief.h. */
void kds_world_control(const KdsWorld *w, const char *text);

/* How many lines of the log hold @text, e.g. "what=vcek". */
size_t kds_world_count(const KdsWorld *w, const char *text);
/* How many files of the cache there are with @part in their name. */
size_t kds_world_cached(const KdsWorld *w, const char *part);
