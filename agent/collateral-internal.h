/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What collateral.c (what is at hand), collateral-fetch.c (getting the rest) and collateral-json.c share. */

#include "agent/collateral.h"
#include "agent/loop-kbc.h"
#include "base/deadline.h"
#include "keybroker-client/download.h"
#include "snp/collateral-cache.h"
#include "snp/collateral-fetch.h"

typedef enum FetchPhase {
        FETCH_IDLE,    /* until next_usec, where something is wanted */
        FETCH_STARTING,
        FETCH_WAITING, /* for another process that fetches the same */
        FETCH_RUNNING, /* a request is under way */
        FETCH_PAUSED,  /* between two requests */
} FetchPhase;

typedef struct CollateralFetch {
        LoopKbc *loop; /* NULL: nothing is fetched */
        KbcDownloads *downloads;
        KbcDownload *download;
        sd_event_source *timer;
        FetchPhase phase;
        SnpFetch *machine;
        SnpCacheTurn turn;
        Deadline patience;  /* with another process's turn */
        uint64_t next_usec; /* monotonic, of the next attempt; 0: whenever it is needed */
        unsigned n_in_vain; /* attempts in a row */
        uint64_t n_attempts, n_requests, n_failures;
        Error last_error;   /* of the last attempt; code 0: it brought all that was wanted */
} CollateralFetch;

struct Collateral {
        CollateralSetup setup;
        SnpCrlPolicy crl_policy;

        SnpVekId id; /* of the report that was observed last */
        Blob table;
        SnpCollateral *parts; /* NULL: nothing was observed */
        Error table_why;      /* what is wrong with the host's table as a whole */
        SnpVek *vek;          /* NULL: see vek_why */
        Error vek_why;
        SnpCrlVerdict crl;
        time_t made_at, good_until; /* made anew outside of these */

        SnpCache *cache; /* NULL: not there so far, or none */
        Error cache_why; /* what went wrong with it last; code 0: nothing */
        bool unsaved;    /* something that was fetched is not in it */

        CollateralFetch fetch;
};

/* Opens the cache if it is there by now. */
void collateral_open_cache(Collateral *c);
/* Stores what is new. */
void collateral_save(Collateral *c);
/* Judges what is at hand anew. */
void collateral_update_vek(Collateral *c);

WARN_UNUSED int collateral_fetch_init(Collateral *c, Error *e);
void collateral_fetch_done(Collateral *c);
/* Starts an attempt from the loop, or sees to it that one starts when its time has come. */
void collateral_fetch_want(Collateral *c);
/* Gives up an attempt; its report is not the last one any more. */
void collateral_fetch_cancel(Collateral *c);
