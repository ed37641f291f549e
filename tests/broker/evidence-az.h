/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Evidence of TEE type "az-snp-vtpm", version 2: the paravisor's report, a quote, a VCEK. The older versions, which
 * Trustee takes too, do not bind the report to the challenge and are refused.
 */

#include <json-c/json_object.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "tests/broker/evidence.h"
#include "vtpm/hcl.h"
#include "vtpm/pcr_values.h"

typedef struct BrokerEvidenceAz {
        Blob hcl_bytes;
        VtpmHcl hcl;         /* points into them */
        BrokerEvidence snp;  /* the report in there, with the VCEK */
        Blob attest;         /* TPMS_ATTEST */
        Blob signature;      /* bare: RSASSA with SHA-256 */
        VtpmPcrValues pcrs;  /* 0 to 23 of SHA-256 */
} BrokerEvidenceAz;

/* Strict: every member, nothing of another size or kind. 0; -EBADMSG; -EOPNOTSUPP another version or platform. */
WARN_UNUSED int broker_evidence_az_parse(json_object *evidence, BrokerEvidenceAz *ret, Error *e);
void broker_evidence_az_done(BrokerEvidenceAz *evidence);
#define AUTO_BROKER_EVIDENCE_AZ CLEANUP(broker_evidence_az_done)
