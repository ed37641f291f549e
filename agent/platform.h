/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What this machine's own reports say. Every report that passes through the agent is looked at: one that is
 * malformed or answers another question goes no further. With the host's certificates it is also verified,
 * for the operator's eyes only: whether this guest is believed is the broker's decision and no one else's.
 */

#include <json-c/json_object.h>
#include <stdbool.h>

#include "agent/wire/bodies.h"
#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "snp/report.h"
#include "snp/verify.h"

typedef enum PlatformVerdict {
        PLATFORM_NOT_SEEN = 0, /* no report so far */
        PLATFORM_NO_CERTS,     /* the host gave none that would do */
        PLATFORM_REJECTED,
        PLATFORM_VERIFIED,
} PlatformVerdict;

typedef struct Platform {
        PlatformVerdict verdict;
        Error why;        /* of NO_CERTS and REJECTED */
        SnpReport report; /* the last one */
        SnpProduct product;
        /* The key of these certificates, so that a chain is checked once and not with every report. */
        Blob certs;
        SnpVek *vek;
        const SnpTrust *trust; /* that it was checked with */
} Platform;

/**
 * platform_observe() - look at a report before it is passed on
 * @report_data: what was asked for
 *
 * Return: 0; -ESTALE it carries other REPORT_DATA; what snp_report_parse() returns. A report that does not
 * verify is no failure here; see @p->verdict.
 */
WARN_UNUSED int platform_observe(Platform *p, const SnpTrust *trust,
                                 const uint8_t report_data[static SNP_REPORT_DATA_SIZE], const WireReportAnswer *answer,
                                 Error *e);
void platform_done(Platform *p);

/* The part of the status that tells of it. NULL without memory. */
json_object *platform_to_json(const Platform *p);
