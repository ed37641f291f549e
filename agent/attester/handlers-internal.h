/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the files with handlers share. Each handler parses, asks the platform, encodes. */

#include "agent/attester/handlers.h"
#include "agent/wire/bodies.h"
#include "vtpm/quote.h"

/* The caller's deadline, cut to the configured one. */
Deadline attester_deadline(const Attester *a, uint32_t msec);

/* Sees to it that a->device is there. */
WARN_UNUSED int attester_open_device(Attester *a, Error *e);

/* Borrows from @quote, which is over one bank. */
WireQuoteAnswer attester_quote_answer(const VtpmQuote *quote);

/* Whether there is a paravisor that reports with SNP. 0; -ENODEV; or what the TPM says. */
WARN_UNUSED int attester_azure_check(const Attester *a, Error *e);

WARN_UNUSED int attester_handle_azure(Attester *a, const Blob *body, Blob *ret, Error *e);
WARN_UNUSED int attester_handle_service(Attester *a, const Blob *body, Blob *ret, Error *e);
