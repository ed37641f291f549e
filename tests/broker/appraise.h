/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Judging one attestation. Two kinds of claims, each with its line in the journal: whether the evidence is genuine,
 * fresh and this guest's (any failure fails /attest), and what policy wants of it (a failure goes into the token
 * and refuses resources, which is where Trustee's policy refuses too).
 */

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "snp/report.h"
#include "snp/verify.h"
#include "tests/broker/collateral.h"
#include "tests/broker/journal.h"
#include "tests/broker/message.h"
#include "tests/broker/policy.h"
#include "tests/broker/sessions.h"
#include "vtpm/hcl-claims.h"
#include "vtpm/pcr_values.h"

typedef struct BrokerAppraiser {
        const BrokerJournal *journal;
        const BrokerCollateral *collateral;
        const SnpTrust *trust;
        const BrokerPolicy *policy;
} BrokerAppraiser;

#define BROKER_DENIED_MAX 256

typedef struct BrokerAppraisal {
        bool authentic;                 /* zero-initialised memory is not */
        const char *failed;             /* first claim that failed authenticity; static */
        char denied[BROKER_DENIED_MAX]; /* policy claims that were denied, comma-separated; "" if none */
        SnpReport report;               /* when authentic */
        SnpTcb tcb;                     /* REPORTED_TCB */
        bool is_azure;                  /* what follows is of evidence "az-snp-vtpm" */
        VtpmHclClaims hcl;
        VtpmPcrValues pcrs;
        uint8_t challenge[BROKER_REPORT_DATA_SIZE];
        size_t challenge_size;
} BrokerAppraisal;

/* The nonce has been compared already. Every claim is judged and recorded as far as there is evidence for it. */
void broker_appraise(const BrokerAppraiser *appraiser, const BrokerSession *session,
                     const BrokerAttestation *attestation, BrokerAppraisal *ret);
