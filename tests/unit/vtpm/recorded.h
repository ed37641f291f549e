/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Quotes recorded from real machines, in the containers of those who recorded them: brought into the form
 * our verifier takes, with what their manifest says of them. Fails the running test on anything unexpected.
 */

#include <stddef.h>

#include "base/blob.h"
#include "base/json.h"
#include "vtpm/ak_public.h"
#include "vtpm/pcr_values.h"
#include "vtpm/verify.h"

/* The manifest, and the "expected" object of one of its files (borrowed from the manifest). */
json_object *recorded_manifest(void);
json_object *recorded_expected(json_object *manifest, const char *file);

typedef struct RecordedQuote {
        Blob attest;    /* TPMS_ATTEST */
        Blob signature; /* TPMT_SIGNATURE */
        VtpmAkPublic *ak; /* NULL when nobody knows the key */
        VtpmPcrValues pcrs[2];
        size_t n_pcrs;
} RecordedQuote;
void recorded_quote_done(RecordedQuote *q);
#define AUTO_RECORDED_QUOTE CLEANUP(recorded_quote_done)

/* The quote in @file, which may be any that the manifest calls one. */
RecordedQuote recorded_quote(const char *file);

/* Compares every field of the parsed @attest with the manifest's @want. */
void recorded_compare_attest(const char *file, const VtpmAttest *attest, json_object *want);

/* What would have asked for it, from the manifest's idea of the attest. */
VtpmQuoteAsked recorded_asked(const VtpmAttest *attest);
