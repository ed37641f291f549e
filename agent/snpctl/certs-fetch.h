/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Gets what an SnpCollateral still wants over the network, and waits for it: for programs without an event loop. */

#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "snp/collateral-cache.h"
#include "snp/collateral-fetch.h"

typedef struct CertsFetch {
        SnpFetchConfig config;
        const char *ca_file; /* PEM, for https; NULL: the system's authorities */
        SnpCache *cache;     /* filled from, kept in and taken turns at; NULL: none */
        uint64_t n_requests; /* out */
        Error incomplete;    /* out: code < 0: something that is wanted but not needed could not be had */
        Error not_kept;      /* out: code < 0: the cache could not take what came */
} CertsFetch;

/**
 * certs_fetch() - make @c complete
 *
 * Return: 0 nothing is missing; what keeps it from being so otherwise: -ENOENT nobody has it, -EKEYREJECTED what came
 * is wrong, -ETIMEDOUT, ...; -EBUSY another process kept on fetching the same.
 */
WARN_UNUSED int certs_fetch(SnpCollateral *c, CertsFetch *fetch, Error *e);
