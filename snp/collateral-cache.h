/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Collateral on disk, so that neither a second request nor a reboot asks AMD again. One flat directory:
 *
 *   vcek-PRODUCT-HWID-TCB.der     HWID: 128 hex digits, Turin 16; TCB: REPORTED_TCB, 16 hex digits in report order
 *   vcek-PRODUCT-chain.pem        ASK, then ARK; vlek-PRODUCT-chain.pem: ASVK, then ARK
 *   vcek-PRODUCT-crl.der          and vlek-PRODUCT-crl.der
 *   lock                          see snp_cache_begin()
 *
 * PRODUCT is a name of snp/product.c. VLEKs are not kept: they come with every report, and TCB and product do not
 * name one. Files are 0644, written beside and renamed, synced with their directory, and verified again whenever
 * they are read: a damaged or forged one is ignored with a reason and replaced when there is a better. The directory
 * should belong to the agent alone.
 */

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/error.h"
#include "snp/collateral.h"

#define SNP_CACHE_VEKS_MAX 256 /* beyond, the VEKs written longest ago go; each is one file of 1.4 KiB */

typedef struct SnpCache SnpCache;

/*
 * @dir must exist. Writing needs it to belong to this user (or this user to be root) and nobody else to be able to
 * write to it; otherwise the cache can be read only, and storing is -EACCES. 0; -ENOENT; -ENOTDIR; -EACCES; -ENOMEM.
 */
WARN_UNUSED int snp_cache_open(const char *dir, SnpCache **ret, Error *e);
void snp_cache_close(SnpCache *cache);
DEFINE_CLEANUP(SnpCache *, snp_cache_close);

/* Offers what is wanted and there to @c, source SNP_SOURCE_CACHE. 0 whatever was found; -ENOMEM. */
WARN_UNUSED int snp_cache_fill(SnpCache *cache, SnpCollateral *c, time_t at, Error *e);

/*
 * Stores what @c holds and the cache does not: parts from the cache itself are left alone. @c verified them. Nothing is
 * stored for a masked chip. 0, or the first failure (-ENOSPC, -EACCES, -EIO, ...) with the rest still tried.
 */
WARN_UNUSED int snp_cache_keep(SnpCache *cache, const SnpCollateral *c, Error *e);

/*
 * Single flight, also across processes: whoever has the turn for an SnpVekId fetches; the others wait and then find it
 * in the cache. A holder that dies loses its turn at once (a lock of the kernel's on a range of the file "lock").
 *
 *   r = snp_cache_begin(cache, id, &turn, e);
 *   -EBUSY   somebody fetches: try again after SNP_CACHE_POLL_USEC, until your deadline
 *   0        fill once more: somebody may have stored it meanwhile; then fetch, keep, end
 *
 * -EACCES: the cache can be read only; fetch without a turn.
 */
#define SNP_CACHE_POLL_USEC (UINT64_C(100) * 1000)
typedef struct SnpCacheTurn {
        int fd; /* owned; as {} it holds no turn, and 0 is never a turn */
} SnpCacheTurn;
WARN_UNUSED int snp_cache_begin(SnpCache *cache, const SnpVekId *id, SnpCacheTurn *ret, Error *e);
/* Waits for the turn until @deadline: for programs without an event loop. -ETIMEDOUT. */
WARN_UNUSED int snp_cache_begin_wait(SnpCache *cache, const SnpVekId *id, Deadline deadline, SnpCacheTurn *ret,
                                     Error *e);
void snp_cache_end(SnpCacheTurn *turn); /* idempotent */
#define AUTO_SNP_CACHE_TURN CLEANUP(snp_cache_end)

/* The files, for listings: @on_file is called for each that has a name of ours, in no order. Return: 0, or its first
 * non-zero value. */
typedef int (*SnpCacheVisitor)(void *userdata, const char *name, SnpPart part, SnpSigningKey key, SnpProduct product,
                               const Blob *data);
WARN_UNUSED int snp_cache_visit(SnpCache *cache, SnpCacheVisitor on_file, void *userdata, Error *e);
