/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What evidence.c (the job, and evidence of TEE type "snp") and evidence-azure.c share. */

#include <systemd/sd-event.h>

#include "agent/attester-client.h"
#include "agent/evidence.h"
#include "keybroker-client/client.h"

struct EvidenceJob {
        EvidenceJob *next;
        Agent *agent;
        Generation *generation; /* a reference */
        AttesterCall *call;     /* the question that is open */
        uint8_t nonce[WIRE_NONCE_MAX]; /* zeros behind */
        size_t nonce_size;
        bool with_quote, for_broker;
        Deadline deadline;
        sd_event_source *patience; /* set while it waits for a certificate */
        Evidence evidence;
        EvidenceDoneFn done;
        void *userdata;
};

/* Asks snp-attesterd one question; @done gets the job. */
WARN_UNUSED int evidence_ask(EvidenceJob *job, uint16_t type, const Blob *body, AttesterDoneFn done, Error *e);
/* Tells whoever wanted it, and frees the job. */
void evidence_finish(EvidenceJob *job, int r, const Error *e);

/* What is at hand; NULL when there is none but in the host's table. Borrowed until certificates change. */
const Blob *evidence_vcek_for(const Generation *g, const Evidence *ev);

/* Below Azure's paravisor: starts the one question that brings all. */
WARN_UNUSED int evidence_azure_ask(EvidenceJob *job, Error *e);
/* 0; -ENOENT no VCEK so far; or as kbc_evidence_az(). */
WARN_UNUSED int evidence_azure_for_broker(const Generation *g, const Evidence *ev, KbcEvidence *ret,
                                          unsigned *ret_warnings, Error *e);
