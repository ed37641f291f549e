/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Inside of snp/: parts that arrive one by one, without a report that wants them. Each is verified by itself, VEKs and
 * lists under the chain that the cache has by then, and stored under the name that the certificate itself gives it.
 */

#include <time.h>

#include "snp/cert.h"
#include "snp/collateral-cache.h"

typedef struct SnpStore {
        SnpCache *cache;
        const SnpTrust *trust;
        time_t at;
} SnpStore;

/* Whether @list names an ASK (VCEK) or ASVK (VLEK) of @product, good or not. */
bool snp_store_has_chain(const SnpCertList *list, SnpProduct product, SnpSigningKey key);
WARN_UNUSED int snp_store_chain(const SnpStore *s, const SnpCertList *list, SnpProduct product, SnpSigningKey key,
                                Error *e);
/* -EOPNOTSUPP for a VLEK: see collateral-cache.h. */
WARN_UNUSED int snp_store_vek(const SnpStore *s, X509 *cert, Error *e);
/* Stale lists are refused, older ones than the cache's ignored. */
WARN_UNUSED int snp_store_crl(const SnpStore *s, SnpSigningKey key, const void *data, size_t size, Error *e);

/* Whether a file of the cache verifies at @s->at. */
WARN_UNUSED int snp_store_check(const SnpStore *s, SnpPart part, SnpSigningKey key, SnpProduct product,
                                const Blob *data, Error *e);
