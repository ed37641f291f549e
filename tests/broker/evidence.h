/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * SNP evidence as JSON, one member per report field. The broker rebuilds the 1184 bytes from the members, with
 * reserved areas zero, and verifies the signature over what it rebuilt: so does Trustee.
 */

#include <json-c/json_object.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "snp/report.h"
#include "snp/verify.h"

typedef struct BrokerCert {
        bool is_vek;
        Blob bytes; /* DER or PEM of one certificate */
} BrokerCert;

typedef struct BrokerEvidence {
        uint8_t report[SNP_REPORT_SIZE];
        bool has_chain; /* false: "cert_chain" was null and the broker supplies the certificates */
        BrokerCert certs[SNP_CERTS_MAX];
        size_t n_certs;
} BrokerEvidence;

/* Typed and strict: a missing member, a number out of range or an array of another length is -EBADMSG. */
WARN_UNUSED int broker_evidence_parse(json_object *evidence, BrokerEvidence *ret, Error *e);
void broker_evidence_done(BrokerEvidence *evidence);
#define AUTO_BROKER_EVIDENCE CLEANUP(broker_evidence_done)
