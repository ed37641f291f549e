/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The certificates that it takes to verify this machine's own reports, from wherever they can be had: the host's table
 * beside the report, the cache on disk, the cloud's endpoint, AMD's key distribution service. What is at hand is used
 * at once; the rest is fetched in the background, one attempt at a time, while no request waits for it. snp/ decides
 * what is wanted and whether what came is right; this joins it to the network, the clock and the event loop.
 */

#include <json-c/json_object.h>
#include <stdbool.h>
#include <systemd/sd-event.h>

#include "agent/config/config.h"
#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "snp/collateral.h"
#include "snp/report.h"

typedef struct Collateral Collateral;

typedef struct CollateralSetup {
        const ConfigCollateral *config; /* borrowed, as is trust; must outlive the object */
        const SnpTrust *trust;
        sd_event *event; /* NULL: nothing is fetched, whatever the configuration says */
        /* All that is needed has come, or an attempt has ended: collateral_vek() may say something else now. Called from
         * the event loop. */
        void (*changed)(void *userdata);
        void *userdata;
} CollateralSetup;

/* 0; -EINVAL an address that cannot be asked; what reading KdsCA= brings; -ENOMEM. */
WARN_UNUSED int collateral_new(const CollateralSetup *setup, Collateral **ret, Error *e);
/* Ends an attempt that is under way, without a call of changed(). */
void collateral_free(Collateral *c);
DEFINE_CLEANUP(Collateral *, collateral_free);

/**
 * collateral_observe() - look what there is for @report, and set about getting what is missing
 * @table: certificates as the host gave them, not trusted; may be malformed
 *
 * Reads a few small files and never waits. For the report that was observed last, nothing is done twice.
 */
void collateral_observe(Collateral *c, const SnpReport *report, const void *table, size_t size);

/*
 * The key to verify the report with that was observed last; borrowed until the next observation or change. Return: 0;
 * -ENOENT ("no-certificate") nobody gave one so far; otherwise what is wrong with what was given.
 */
WARN_UNUSED int collateral_vek(const Collateral *c, const SnpVek **ret, Error *e);

/* The VCEK (DER) for @report, when it came from elsewhere than the host; else NULL. Borrowed likewise. */
const Blob *collateral_vcek_for(const Collateral *c, const SnpReport *report);

/* True while an attempt to get certificates is under way: changed() will be called. */
bool collateral_is_fetching(const Collateral *c);

/* The part of the status that tells of it. NULL without memory. */
json_object *collateral_to_json(const Collateral *c);
