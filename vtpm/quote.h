/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Getting a quote from the TPM. Judging one: vtpm/verify.h. */

#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/error.h"
#include "vtpm/ak_spec.h"
#include "vtpm/pcr_values.h"
#include "vtpm/verify.h"

typedef struct VtpmQuoteRequest {
        const char *tcti; /* see vtpm_context_open() */
        VtpmAkSpec ak;
        const uint8_t *nonce; /* borrowed; VTPM_NONCE_MIN to VTPM_NONCE_MAX bytes */
        size_t nonce_size;
        VtpmPcrSelection pcrs; /* passes vtpm_pcr_selection_check() */
        Deadline deadline;
} VtpmQuoteRequest;

typedef struct VtpmQuote {
        Blob attest;      /* TPMS_ATTEST */
        Blob signature;   /* TPMT_SIGNATURE */
        Blob ak;          /* TPMT_PUBLIC of the key */
        VtpmPcrValues pcrs[VTPM_HASHES_MAX]; /* what the attest's digest was made of, in the order asked for */
        size_t n_pcrs;
} VtpmQuote;

/**
 * vtpm_quote_run() - open the TPM, have it quote, leave it as it was
 *
 * The PCR values are read just before; when one changed in between, both are done again, five times at
 * most. The answer is checked to be one to this question, with values that match; its signature is left to
 * whoever verifies. See vtpm_context_open() for what the caller's process must be like.
 *
 * Return: 0; -EINVAL nonce, selection or TCTI; -EAGAIN the PCRs would not hold still; -EPROTO or -EBADMSG
 * the TPM answered something else; or as vtpm_context_open(), vtpm_pcr_read() and vtpm_ak_load() say:
 * -ENODEV no TPM, -EOPNOTSUPP bank or algorithm absent, -ETIMEDOUT, -ECONNRESET and so on.
 */
WARN_UNUSED int vtpm_quote_run(const VtpmQuoteRequest *request, VtpmQuote *ret, Error *e);

void vtpm_quote_done(VtpmQuote *quote);
#define AUTO_VTPM_QUOTE CLEANUP(vtpm_quote_done)
