/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What it takes to verify the reports of one chip at one TCB: chain, VEK and CRL. An SnpCollateral collects them from
 * whoever offers some (host, cache, cloud, AMD, files) and keeps only what is right:
 *
 *   chain  an ARK that is pinned and an ASK or ASVK of the same product line that it signed
 *   VEK    of the kind, chip and TCB that the SnpVekId names, up to that chain
 *   CRL    signed by that ARK and not older than the policy allows; the current one replaces the stale one
 *
 * all of them valid at the time of the offer. What is wrong is refused with a reason, remembered for whoever wants to
 * tell it, and never enters the cache. No network, no files, no clock: see collateral-fetch.h and collateral-cache.h.
 *
 * Use: new, offer_table, snp_cache_fill, and if something is still missing, a turn at the cache and SnpFetch.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "snp/cert_table.h"
#include "snp/crl.h"
#include "snp/kds.h"
#include "snp/verify.h"

typedef enum SnpSource {
        SNP_SOURCE_NONE,
        SNP_SOURCE_HOST,  /* certificate table beside the report */
        SNP_SOURCE_CACHE,
        SNP_SOURCE_CLOUD, /* Azure THIM */
        SNP_SOURCE_KDS,   /* AMD or a mirror */
        SNP_SOURCE_FILE,  /* import */
        SNP_N_SOURCES,
} SnpSource;
const char *snp_source_name(SnpSource source); /* "none", "host", "cache", "cloud", "kds", "file" */

typedef struct SnpCollateral SnpCollateral;

/* @trust is borrowed and must outlive the object; the others are copied. */
WARN_UNUSED int snp_collateral_new(const SnpTrust *trust, const SnpVekId *id, const SnpCrlPolicy *crl,
                                   SnpCollateral **ret, Error *e);
void snp_collateral_free(SnpCollateral *c);
DEFINE_CLEANUP(SnpCollateral *, snp_collateral_free);

/**
 * snp_collateral_offer() - judge one part, and keep it if it is right and wanted
 * @data: DER or PEM; a chain is PEM, from AMD and the cache exactly the two blocks, from others surplus ones are ignored
 * @at:   time at which it must be valid
 *
 * A VEK or CRL cannot be judged before there is a chain: one of each source is put aside until then.
 *
 * Return: 0 kept, put aside, or not wanted since there is as good a one; -EBADMSG not such a thing; -EKEYREJECTED
 * chain, root or time does not hold; -ESTALE right, but for another product, chip or TCB; -E2BIG; -ENOMEM.
 */
WARN_UNUSED int snp_collateral_offer(SnpCollateral *c, SnpPart part, SnpSource source, const void *data, size_t size,
                                     time_t at, Error *e);

/* Offers whatever the host handed out; what it got wrong shows in snp_collateral_refusal(). 0 or -ENOMEM. */
WARN_UNUSED int snp_collateral_offer_table(SnpCollateral *c, const SnpCertTable *table, time_t at, Error *e);

/*
 * Parts as a mask of 1u << SnpPart. Missing: verification is impossible without them. Wanted: those, and a CRL that
 * soft mode could do without or whose nextUpdate has passed. Looks at what was true at the last offer.
 */
unsigned snp_collateral_missing(const SnpCollateral *c);
unsigned snp_collateral_wanted(const SnpCollateral *c);

/* The product is filled in as soon as some certificate has told it. */
const SnpVekId *snp_collateral_id(const SnpCollateral *c);
/* In the form that SnpPart describes, borrowed until the next offer; NULL when missing. */
const Blob *snp_collateral_get(const SnpCollateral *c, SnpPart part);
SnpSource snp_collateral_source(const SnpCollateral *c, SnpPart part); /* NONE when missing */
/* When the first of what is there ends: notAfter of certificates; 0 when nothing is there. */
time_t snp_collateral_not_after(const SnpCollateral *c);

/* What is there, for snp_vek_new(), borrowed. */
void snp_collateral_certs(const SnpCollateral *c, SnpCerts *ret);

/**
 * snp_collateral_vek() - the key to verify reports with, revocation checked by the policy given at the start
 * @at:  time at which everything must be valid
 * @ret: owned by the caller
 *
 * Return: 0; -ENOENT something is missing; otherwise as snp_vek_new() and snp_vek_check_crl().
 */
WARN_UNUSED int snp_collateral_vek(const SnpCollateral *c, time_t at, SnpVek **ret, SnpCrlVerdict *ret_crl, Error *e);

/* What was offered and refused, oldest first, the first SNP_REFUSALS_MAX of them. NULL from @index on. */
#define SNP_REFUSALS_MAX 16
typedef struct SnpRefusal {
        SnpPart part;
        SnpSource source;
        Error why;
} SnpRefusal;
const SnpRefusal *snp_collateral_refusal(const SnpCollateral *c, size_t index);
