/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * TPMS_ATTEST of a quote: what the TPM signed. Big-endian.
 * Source: TPM 2.0 Library Part 2, "TPMS_ATTEST", "TPMS_CLOCK_INFO", "TPMS_QUOTE_INFO".
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "vtpm/alg.h"
#include "vtpm/pcr_values.h"

#define VTPM_GENERATED 0xff544347u /* TPM_GENERATED_VALUE: no data signed from outside starts with it */
#define VTPM_ST_ATTEST_QUOTE 0x8018u

#define VTPM_NAME_MAX 68u          /* TPM2B_NAME: a TPMT_HA of SHA-512, and a little room as tpm2-tss has it */
#define VTPM_EXTRA_DATA_MAX 66u    /* TPM2B_DATA: a TPMT_HA of SHA-512 */
#define VTPM_ATTEST_SIZE_MAX 1024u /* the largest with all of the above and 16 banks is 335 bytes */

/*
 * Where the TPM is in its life. The counters are the TPM's own for keys in the endorsement hierarchy, and
 * disguised per key for keys elsewhere.
 */
typedef struct VtpmClock {
        uint64_t clock_msec; /* powered-on time; may fall back to the last stored value after an unclean stop */
        uint32_t reset_count;   /* same count, same boot of the machine */
        uint32_t restart_count; /* resumes since then */
        bool safe;              /* false: a higher clock value may have been reported before */
} VtpmClock;

typedef struct VtpmAttest {
        uint8_t signer[VTPM_NAME_MAX]; /* qualified name of the key: hash id, digest */
        size_t signer_size;
        uint8_t extra[VTPM_EXTRA_DATA_MAX]; /* the nonce, as the caller of TPM2_Quote gave it */
        size_t extra_size;
        VtpmClock clock;
        uint64_t firmware_version;
        VtpmPcrSelection selection; /* as signed; see vtpm_pcr_selection_check() */
        uint8_t pcr_digest[VTPM_DIGEST_MAX];
        size_t pcr_digest_size;
} VtpmAttest;

/**
 * vtpm_attest_parse() - decode a quote's TPMS_ATTEST
 * @data:  not yet trusted
 * @ret:   on success, all fields; holds no pointers into @data
 *
 * Judges the form only: magic, type, lengths, safe being 0 or 1, 1 to 16 selections of 3 bytes each (or
 * none: an empty selection is well-formed), no trailing bytes.
 *
 * Return: 0; -EBADMSG malformed, or not made by a TPM (magic); -EPROTO an attestation of another kind
 * (certify, creation, NV, time, audit); -E2BIG.
 */
WARN_UNUSED int vtpm_attest_parse(const void *data, size_t size, VtpmAttest *ret, Error *e);

/* The bytes vtpm_attest_parse() reads back. 0 or -ENOMEM. */
WARN_UNUSED int vtpm_attest_encode(const VtpmAttest *attest, Blob *ret);
