/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Judging a quote from its bytes. Needs no TPM.
 *
 * What an accepted quote says: the TPM that holds this attestation key had these PCR values when it was
 * asked with this nonce. Whether that TPM belongs to this machine, and what the values should be, is for
 * others to decide.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "vtpm/ak_public.h"
#include "vtpm/attest.h"
#include "vtpm/pcr_values.h"

#define VTPM_NONCE_MIN 1u
#define VTPM_NONCE_MAX 64u /* what tpm2-tss 3.2 can carry; hash a longer challenge */

/* As it came over the wire; all borrowed, none trusted. */
typedef struct VtpmQuoteBytes {
        const uint8_t *attest; /* TPMS_ATTEST */
        size_t attest_size;
        const uint8_t *signature; /* TPMT_SIGNATURE */
        size_t signature_size;
        const VtpmPcrValues *pcrs; /* one element per bank */
        size_t n_pcrs;
} VtpmQuoteBytes;

/* What was asked; all borrowed. */
typedef struct VtpmQuoteAsked {
        const uint8_t *nonce; /* VTPM_NONCE_MIN to VTPM_NONCE_MAX bytes */
        size_t nonce_size;
        VtpmPcrSelection pcrs; /* the quote may cover more, but not less */
} VtpmQuoteAsked;

typedef enum VtpmOutcome {
        VTPM_REJECT = 0,
        VTPM_ACCEPT = 1,
} VtpmOutcome;

typedef enum VtpmCheck {
        VTPM_CHECK_FORM,      /* attest and signature are well-formed, and the attest is a quote's */
        VTPM_CHECK_SIGNATURE, /* scheme, hash and signature over the attest's bytes */
        VTPM_CHECK_NONCE,     /* extraData equals the nonce */
        VTPM_CHECK_SELECTION, /* the quoted PCRs cover those asked for, and values came for exactly these */
        VTPM_CHECK_PCRS,      /* the values hash to pcrDigest */
        VTPM_N_CHECKS,
} VtpmCheck;

typedef enum VtpmCheckResult {
        VTPM_CHECK_NOT_DONE = 0,
        VTPM_CHECK_OK,
        VTPM_CHECK_FAILED,
} VtpmCheckResult;

typedef struct VtpmVerdict {
        VtpmOutcome outcome; /* ACCEPT only when every check is OK */
        VtpmCheckResult checks[VTPM_N_CHECKS];
        /* The rest means something only once SIGNATURE is OK. */
        VtpmClock clock;
        uint64_t firmware_version;
        VtpmPcrSelection pcrs; /* what the quote covers; values of exactly these were given */
} VtpmVerdict;

/**
 * vtpm_quote_verify() - judge a quote
 * @ret: always set; zero-initialised memory means "reject"
 *
 * All checks are made that can be made, also after one failed, so that *@ret tells all; the first failure
 * is in @e. TPM 2.0 Library Part 3, "TPM2_Quote"; the PCR digest is taken with the hash of the signing
 * scheme.
 *
 * Return: 0 accepted, or why not: -EBADMSG malformed; -EPROTO no quote; -ESTALE another nonce; -EKEYREJECTED
 * signature, scheme, selection or PCR values; -EOPNOTSUPP unknown algorithm; -EINVAL @asked is no question
 * (nonce size, empty selection); -ENOMEM, -EIO it could not be judged.
 */
WARN_UNUSED int vtpm_quote_verify(const VtpmAkPublic *ak, const VtpmQuoteBytes *quote, const VtpmQuoteAsked *asked,
                                  VtpmVerdict *ret, Error *e);

const char *vtpm_check_name(VtpmCheck check);               /* "form", "signature", ... */
const char *vtpm_check_result_name(VtpmCheckResult result); /* "ok", "failed", "not-done" */
