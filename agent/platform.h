/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What this machine's own reports say. Every report that passes through the agent is looked at: one that is
 * malformed or answers another question goes no further. As soon as there are certificates it is also verified,
 * for the operator's eyes only: whether this guest is believed is the broker's decision and no one else's.
 */

#include <json-c/json_object.h>
#include <stdbool.h>

#include "agent/collateral.h"
#include "agent/wire/bodies.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "snp/report.h"
#include "snp/verify.h"

typedef enum PlatformVerdict {
        PLATFORM_NOT_SEEN = 0, /* no report so far */
        PLATFORM_NO_CERTS,     /* nobody gave any so far */
        PLATFORM_REJECTED,
        PLATFORM_VERIFIED,
} PlatformVerdict;

typedef struct Platform {
        PlatformVerdict verdict;
        Error why;        /* of NO_CERTS and REJECTED */
        SnpReport report; /* the last one */
        SnpProduct product;
} Platform;

/**
 * platform_observe() - look at a report before it is passed on
 * @collateral: is told of it, and brings the certificates
 * @report_data: what was asked for
 *
 * Return: 0; -ESTALE it carries other REPORT_DATA; what snp_report_parse() returns. A report that does not
 * verify is no failure here; see @p->verdict.
 */
WARN_UNUSED int platform_observe(Platform *p, Collateral *collateral,
                                 const uint8_t report_data[static SNP_REPORT_DATA_SIZE], const WireReportAnswer *answer,
                                 Error *e);
/* Judges the last report anew, after there were certificates that were not there before. */
void platform_judge_again(Platform *p, const Collateral *collateral);

/* The part of the status that tells of it. NULL without memory. */
json_object *platform_to_json(const Platform *p);
