/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* One question to the running agent. */

#include "agent/wire/wire.h"
#include "base/cleanup.h"
#include "base/error.h"

/*
 * @socket NULL: the agent's own. An agent that cannot be reached has the reason "agent-unreachable", whatever the code,
 * and is never mistaken for one that says no.
 */
WARN_UNUSED int ctl_agent_connect(const char *socket, Deadline deadline, int *ret_fd, Error *e);

/* Longer than the agent's own patience with its broker. */
#define CTL_AGENT_TIMEOUT_USEC (90 * USEC_PER_SEC)
