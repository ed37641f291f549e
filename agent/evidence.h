/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Evidence from snp-attesterd: a report over some bytes, and a TPM quote over the same bytes where a TPM is
 * configured and wanted. For local callers, and for the broker client, which is told by its own functions.
 */

#include "agent/agent.h"
#include "agent/wire/bodies-azure.h"
#include "agent/wire/bodies.h"
#include "base/deadline.h"

/* What a quote covers: all PCRs of the SHA-256 bank, so that every verifier finds those it wants. */
#define EVIDENCE_PCR_MASK 0x00ffffffu
#define EVIDENCE_BANK 0x000b /* TPM_ALG_SHA256 */

typedef struct Evidence {
        Blob body; /* owned; what the views point into */
        WireReportAnswer report;
        bool has_quote;
        WireQuoteAnswer quote;
        bool is_azure; /* below a paravisor: the report is the one in azure.hcl, and there is a quote */
        WireAzureAnswer azure;
} Evidence;

/* @evidence: borrowed, when @r is 0. Called once, never from inside evidence_start(); the job is gone then. */
typedef void (*EvidenceDoneFn)(void *userdata, int r, const Evidence *evidence, const Error *e);

typedef struct EvidenceRequest {
        const void *nonce; /* 1..64 bytes; a report carries it padded with zeros, a quote as it is */
        size_t nonce_size;
        bool with_quote;
        bool for_broker; /* without it no disk opens: it may take places that others may not */
        Deadline deadline;
} EvidenceRequest;

WARN_UNUSED int evidence_start(Agent *agent, Generation *generation, const EvidenceRequest *request,
                               EvidenceDoneFn done, void *userdata, EvidenceJob **ret, Error *e);
void evidence_cancel(EvidenceJob *job);
void evidence_cancel_all(Agent *agent);

/* Certificates have come, or will not: for those who wait for one. */
void evidence_collateral_changed(Agent *agent, const Generation *generation);

/* GenerationEvidenceFn; @agent is an Agent. */
WARN_UNUSED int evidence_for_broker(void *agent, Generation *generation, const uint8_t *report_data, size_t size,
                                    Deadline deadline, Error *e);
