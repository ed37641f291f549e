/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the agent does, measured by snp-attesterd into the PCR of [Measure], so that a later quote tells of it: which
 * configuration rules ("Configuration"), and each key or secret before it is handed over ("Release"). In the log stand
 * digests; names and values do not.
 */

#include "agent/agent.h"
#include "base/deadline.h"

typedef struct MeasureJob MeasureJob;

/* Called once, never from inside measure_start(); the job is gone then. */
typedef void (*MeasureDoneFn)(void *userdata, int r, const Error *e);

/* Whether a release under @generation has to wait for measure_start(): for its own sake, or the configuration's. */
bool measure_is_due(const Generation *generation);

/**
 * measure_start() - measure a release
 * @generation: its configuration is measured first unless that has been done
 * @resource:   that is to be released; NULL: only the configuration
 *
 * The attester's restart in between may measure the same twice, never not at all.
 */
WARN_UNUSED int measure_start(Agent *agent, Generation *generation, const char *resource, Deadline deadline,
                              MeasureDoneFn done, void *userdata, MeasureJob **ret, Error *e);
void measure_cancel(MeasureJob *job); /* NULL is fine */
void measure_cancel_all(Agent *agent);

/* Measures a configuration that was just loaded. What fails is logged, and tried again with the next release. */
void measure_configuration(Agent *agent, Generation *generation);
