/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* MSG_KEY_REQ and MSG_KEY_RSP of the secure processor (publication 56860). What it mixes is secret to it; here any
 * function will do that gives equal keys for equal guests and other keys for all others. */

#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "tests/simulator/platform.h"

#define SIM_KEY_REQ_SIZE 32
#define SIM_KEY_RSP_SIZE 64

/* Fills @ret also when its status is an error. -EIO with @e when the simulator itself failed. */
WARN_UNUSED int sim_derived_key(const SimPlatform *p, const uint8_t req[static SIM_KEY_REQ_SIZE],
                                uint8_t ret[static SIM_KEY_RSP_SIZE], Error *e);
