/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A quote as a program would get it that has nothing on its mind: each ESAPI call once, no check of the answer, no
 * retries. What vtpm_quote_run() is measured against.
 */

#include <stdbool.h>

typedef enum QuoteModel {
        QUOTE_TRANSPORT, /* the TCTI in a process of its own, behind vtpm/transport.h, as our contexts have it */
        QUOTE_IN_PROCESS, /* the TCTI where the caller is: a TPM that hangs hangs the caller */
} QuoteModel;

/* Quotes all PCRs of the SHA-256 bank with a primary key made for it, RSA-2048 or P-256. False when a call failed. */
bool quote_bare(const char *tcti, QuoteModel model, bool ecc);
