/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a configuration brings into being: the rules, whom to trust, the client of its broker, certificates. A reload makes
 * a new generation; requests that are under way keep the one they began with, which goes with the last of
 * them. So nothing that a request looks at ever changes under it.
 */

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "agent/collateral.h"
#include "agent/config/config.h"
#include "agent/loop-kbc.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "keybroker-client/client.h"
#include "snp/verify.h"

typedef struct Generation Generation;
typedef struct Generations Generations;

/* The broker client wants evidence; @generation is whose client it is. Else as KbcEvidenceFn. */
typedef int (*GenerationEvidenceFn)(void *userdata, Generation *generation, const uint8_t *report_data, size_t size,
                                    Deadline deadline, Error *e);

/* All that are alive; embedded in the agent. */
struct Generations {
        sd_event *event; /* borrowed */
        GenerationEvidenceFn evidence;
        /* Its collateral has changed. */
        void (*collateral_changed)(void *userdata, Generation *generation);
        void *userdata;
        Generation *first; /* every one, also those that wait to be freed */
        sd_event_source *reaper;
};

struct Generation {
        Generation *next;
        Generations *all;
        unsigned refs;
        Config *config;
        bool measured; /* the configuration is: agent/measure.h */
        SnpTrust *trust;
        Collateral *collateral;
        LoopKbc *loop;
        KbcClient *client; /* NULL: no broker is configured */
};

/* Takes @config, also on failure. The caller owns the first reference. */
WARN_UNUSED int generation_new(Generations *all, Config *config, Generation **ret, Error *e);
Generation *generation_ref(Generation *g);
/* The last reference frees it, later and from the event loop: it may be dropped inside a callback of its own client. */
Generation *generation_unref(Generation *g); /* NULL */

/* Frees every generation at once, referenced or not. Only at the end. */
void generations_done(Generations *all);
