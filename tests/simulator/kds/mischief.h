/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Failures on demand. The control file is read again at every request; each of its lines is
 *
 *   WHAT FAULT [ARGUMENT] [xN]      e.g. "vcek status 503 x1", "chain slow 200", "all throttle 7"
 *
 * with WHAT vcek, chain, crl, thim or all, and N limiting the fault to the first N requests for that since the file
 * last changed. Of several lines that apply, the first counts. Empty lines and lines that start with '#' do not count.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

typedef enum KdsWhat {
        KDS_VCEK,
        KDS_CHAIN,
        KDS_CRL,
        KDS_THIM,
        KDS_N_WHATS,
} KdsWhat;

typedef enum KdsFaultKind {
        KDS_FAULT_NONE,
        KDS_FAULT_STATUS,        /* CODE: that status and an empty body */
        KDS_FAULT_THROTTLE,      /* SECONDS: 429 with Retry-After */
        KDS_FAULT_THROTTLE_DATE, /* SECONDS: 429 with Retry-After as a date */
        KDS_FAULT_SLOW,          /* MS: the right answer, that much later */
        KDS_FAULT_DROP,          /* closes the connection instead of answering */
        KDS_FAULT_TRUNCATE,      /* half of the right body, then closes the connection */
        KDS_FAULT_GARBAGE,       /* 200 with HTML */
        KDS_FAULT_OVERSIZE,      /* BYTES: 200 with that many */
        KDS_FAULT_REDIRECT,      /* 302 to /elsewhere */
        KDS_FAULT_OTHER_CHIP,    /* vcek, thim: the VCEK of another chip */
        KDS_FAULT_OTHER_TCB,     /* vcek: the VCEK for another TCB; thim: as while the host is being updated */
        KDS_FAULT_OTHER_ROOT,    /* everything under a root that nobody pins */
        KDS_FAULT_REVOKED,       /* crl: ASK and ASVK are on it */
        KDS_FAULT_STALE,         /* crl: nextUpdate was a year ago */
        KDS_N_FAULTS,
} KdsFaultKind;

#define KDS_FAULTS_MAX 16

typedef struct KdsFault {
        unsigned where; /* 1u << KdsWhat */
        KdsFaultKind kind;
        uint64_t value; /* argument */
        uint64_t times; /* 0: always */
} KdsFault;

typedef struct KdsMischief {
        char *text; /* of the control file when it was last read; owned */
        KdsFault faults[KDS_FAULTS_MAX];
        size_t n_faults;
        uint64_t n_requests[KDS_N_WHATS]; /* since the text changed */
} KdsMischief;

/* Counts a request for @what, after reading @path again (NULL or absent: no faults), and tells the fault it shall have. */
WARN_UNUSED int kds_mischief_next(KdsMischief *m, const char *path, KdsWhat what, KdsFault *ret, Error *e);
void kds_mischief_done(KdsMischief *m);

const char *kds_what_name(KdsWhat what);
const char *kds_fault_name(KdsFaultKind kind);
