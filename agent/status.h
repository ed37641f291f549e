/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The state of the agent as JSON, the same at every door. Names of volumes and secrets, never a value. */

#include "agent/agent.h"

/* @json: text, borrowed; NULL when @r is negative. Called once, never from inside status_start(). */
typedef void (*StatusDoneFn)(void *userdata, int r, const char *json, const Error *e);

/* Asks snp-attesterd for its part first, for a short while; without an answer the status says so. */
WARN_UNUSED int status_start(Agent *agent, StatusDoneFn done, void *userdata, StatusQuery **ret, Error *e);
void status_cancel(StatusQuery *query);

/* One sentence for STATUS= of the service manager, e.g. "Attested to https://...". @ret has room for @size bytes. */
void status_sentence(const Agent *agent, char *ret, size_t size);
