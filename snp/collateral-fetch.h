/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How to get what an SnpCollateral still wants, as a state machine without network, clock or randomness of its own:
 * the caller asks what to do, does it, and tells what came. Order: the cloud's endpoint (when configured), then AMD's
 * key distribution service by way of its mirrors; the chain before what hangs on it.
 *
 * Rules, for each part and mirror: 404 and every other 4xx is an answer and is not asked for again; so is a body that
 * is not what was asked for. 408, 425, 429, 5xx, timeouts and cut connections are passing: that mirror rests, 10, 20,
 * 30, 30 ... seconds less up to a half of it by chance, or as long as Retry-After says and up to a quarter more, capped
 * at SNP_FETCH_RETRY_AFTER_MAX. Nobody waits while there is a mirror that does not rest. The whole has one deadline. A
 * part that is wanted but not needed (see snp_collateral_wanted) is asked for once at each mirror and never waited for.
 *
 * The cloud's endpoint speaks for the host as it is now. While the host's firmware is being updated its answer can be
 * for another TCB than the report's: then AMD is asked, and the endpoint again after a pause.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "snp/collateral.h"

#define SNP_FETCH_MIRRORS_MAX 8
#define SNP_FETCH_TOTAL_DEFAULT (UINT64_C(120) * 1000000)  /* usec */
#define SNP_FETCH_REQUEST_DEFAULT (UINT64_C(15) * 1000000) /* usec */
#define SNP_FETCH_PAUSE_DEFAULT (UINT64_C(10) * 1000000)   /* usec */
#define SNP_FETCH_RETRY_AFTER_MAX (UINT64_C(60) * 1000000) /* usec */
#define SNP_FETCH_CLOUD_TRIES 3u /* failures in passing, and answers for another TCB */
#define SNP_FETCH_CLOUD_REQUEST_MAX (UINT64_C(5) * 1000000) /* usec; it is on the same machine */

typedef struct SnpFetchConfig {
        const char *const *mirrors; /* base addresses (snp_kds_base_check) in order of preference; copied */
        size_t n_mirrors;           /* 0: SNP_KDS_BASE alone */
        bool no_kds;                /* ask neither AMD nor mirrors */
        const char *cloud_url;      /* SNP_THIM_URL on Azure; NULL: there is none */
        uint64_t total_usec;        /* 0: the default */
        uint64_t request_usec;      /* for one request, 0: the default */
        uint64_t pause_usec;        /* the first pause; the next are twice and three times as long. 0: the default */
} SnpFetchConfig;

/* What the caller knows and the machine does not. */
typedef struct SnpFetchNow {
        uint64_t usec;   /* monotonic */
        time_t wall;     /* for certificates and HTTP dates */
        uint32_t random; /* fresh for every call; jitter, not secrecy */
} SnpFetchNow;

typedef enum SnpFetchAction {
        SNP_FETCH_GIVE_UP = 0, /* something is missing and cannot be had: see why */
        SNP_FETCH_DONE,        /* nothing is missing */
        SNP_FETCH_GET,         /* make this request, then snp_fetch_answer() */
        SNP_FETCH_WAIT,        /* ask again after wait_usec */
} SnpFetchAction;

typedef struct SnpFetchStep {
        SnpFetchAction action;
        /* GET */
        const char *url;        /* borrowed until the next call */
        const char *header;     /* one request header, "Name: value", or NULL */
        size_t body_max;        /* a longer body is the failure -E2BIG */
        uint64_t timeout_usec;  /* for the whole request */
        SnpPart part;           /* for logs */
        SnpSource source;
        /* WAIT */
        uint64_t wait_usec;
        /* GIVE_UP; also DONE, when something wanted could not be had; otherwise code 0 */
        const Error *why;
} SnpFetchStep;

typedef struct SnpFetchAnswer {
        int failure;             /* negative errno: there was no complete answer (-ETIMEDOUT, -E2BIG, ...); else 0 */
        unsigned status;         /* HTTP; redirects are not followed */
        const char *retry_after; /* value of that header, or NULL */
        const void *body;
        size_t size;
} SnpFetchAnswer;

typedef struct SnpFetch SnpFetch;

/* @c is borrowed, filled, and must outlive the machine. 0; -EINVAL a mirror or too many; -ENOMEM. */
WARN_UNUSED int snp_fetch_new(SnpCollateral *c, const SnpFetchConfig *config, const SnpFetchNow *now, SnpFetch **ret,
                              Error *e);
void snp_fetch_free(SnpFetch *f);
DEFINE_CLEANUP(SnpFetch *, snp_fetch_free);

/* What to do now. After GIVE_UP and DONE it stays so. 0 or -ENOMEM. */
WARN_UNUSED int snp_fetch_next(SnpFetch *f, const SnpFetchNow *now, SnpFetchStep *ret, Error *e);
/* What became of the GET that snp_fetch_next() asked for. 0 whatever came, or -ENOMEM; -EINVAL when none was asked for. */
WARN_UNUSED int snp_fetch_answer(SnpFetch *f, const SnpFetchNow *now, const SnpFetchAnswer *answer, Error *e);
