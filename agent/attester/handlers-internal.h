/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the files with handlers share. Each handler parses, asks the platform, encodes. */

#include "agent/attester/handlers.h"
#include "agent/wire/bodies.h"
#include "snp/device.h"
#include "vtpm/context.h"
#include "vtpm/quote.h"

/* Root, the daemon's own user, and whom the socket belongs to: snp-agentd. For what is more than evidence. */
bool attester_is_for(const Attester *a, uid_t uid);

/* The caller's deadline, cut to the configured one. */
Deadline attester_deadline(const Attester *a, uint32_t msec);

/* Sees to it that a->device is there. */
WARN_UNUSED int attester_open_device(Attester *a, Error *e);

/* The attestation key that is configured. */
VtpmAkSpec attester_ak_spec(const Attester *a);
/* Connects to the TPM that is configured; -ENODEV ("tpm-not-configured") when none is. */
WARN_UNUSED int attester_open_tpm(const Attester *a, uint32_t deadline_msec, VtpmContext **ret, Error *e);

/* Whether there is a paravisor that reports with SNP. 0; -ENODEV; or what the TPM says. */
WARN_UNUSED int attester_azure_check(const Attester *a, Error *e);

/* A report at @vmpl, WIRE_VMPL_AUTO for the configured one. */
WARN_UNUSED int attester_get_report(Attester *a, const uint8_t report_data[static SNP_REPORT_DATA_SIZE], uint32_t vmpl,
                                    Deadline deadline, SnpDeviceReport *ret, Error *e);
WireReportAnswer attester_report_answer(const SnpDeviceReport *report); /* borrows */

/* A quote with the configured key; the deadline in @q is not looked at. */
WARN_UNUSED int attester_get_quote(const Attester *a, const WireQuoteRequest *q, Deadline deadline, VtpmQuote *ret,
                                   Error *e);
WireQuoteAnswer attester_quote_answer(const VtpmQuote *quote); /* borrows from @quote, which is over one bank */

/* handle-azure.c */
WARN_UNUSED int attester_handle_azure(Attester *a, const Blob *body, Blob *ret, Error *e);
/* handle-evidence.c */
WARN_UNUSED int attester_handle_evidence(Attester *a, const Blob *body, Blob *ret, Error *e);
/* handle-key.c */
bool attester_may_derive(const Attester *a, uid_t uid);
WARN_UNUSED int attester_handle_key(Attester *a, const Blob *body, Secret *ret, Error *e);
/* handle-measure.c */
WARN_UNUSED int attester_handle_measure(Attester *a, const Blob *body, Blob *ret, Error *e);
WARN_UNUSED int attester_handle_event_log(Attester *a, const Blob *body, Blob *ret, Error *e);
/* handle-service.c */
WARN_UNUSED int attester_handle_service(Attester *a, const Blob *body, Blob *ret, Error *e);
WARN_UNUSED int attester_handle_tpm_keys(Attester *a, const Blob *body, Blob *ret, Error *e);
WARN_UNUSED int attester_handle_activate(Attester *a, const Blob *body, Secret *ret, Error *e);
WARN_UNUSED int attester_handle_seal(Attester *a, const Blob *body, Blob *ret, Error *e);
WARN_UNUSED int attester_handle_unseal(Attester *a, const Blob *body, Secret *ret, Error *e);
