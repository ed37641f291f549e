/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What appraise.c and appraise-az.c share. */

#include "tests/broker/appraise.h"
#include "tests/broker/evidence.h"

typedef struct BrokerJudging {
        const BrokerAppraiser *by;
        const BrokerSession *session;
        BrokerAppraisal *result;
} BrokerJudging;

/* A claim of authenticity: records it, and returns @ok. */
bool broker_require(const BrokerJudging *j, const char *claim, bool ok, const char *wanted, const char *found);
/* The same for what ended with @r and @e: "accept", or why not. */
bool broker_require_success(const BrokerJudging *j, const char *claim, int r, const Error *e);
/* A claim of policy. */
void broker_want(const BrokerJudging *j, const char *claim, bool ok, const char *wanted, const char *found);

/* The report's version and TCB layout; false when nothing more can be said of it. */
bool broker_judge_form(const BrokerJudging *j, const SnpReport *report);
/* Certificates, signature, VMPL, and all that policy says of the report itself. */
void broker_judge_report(const BrokerJudging *j, const BrokerEvidence *evidence, const SnpReport *report);

/* Evidence of TEE type "az-snp-vtpm". */
void broker_appraise_az(const BrokerJudging *j, const BrokerAttestation *attestation);
