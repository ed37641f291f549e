/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Extending PCRs: what was is hashed together with a digest, and cannot be undone (TPM 2.0 Library Part 1, "PCR"). */

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "vtpm/context.h"
#include "vtpm/pcr_values.h"

/* What one bank is extended with. */
typedef struct VtpmPcrDigest {
        uint16_t hash;                  /* VTPM_ALG_SHA* */
        uint8_t bytes[VTPM_DIGEST_MAX]; /* the first vtpm_hash_size(hash) count */
} VtpmPcrDigest;

/**
 * vtpm_pcr_digests() - digests of @data for every bank of @banks that we can compute
 * @banks: as vtpm_pcr_banks() says
 * @ret:   room for VTPM_HASHES_MAX elements
 *
 * Banks of other hashes are left out: extending cannot change them, and they then do not tell of @data.
 *
 * Return: 0; -EOPNOTSUPP not one of these banks has @pcr, or can be computed; -EIO.
 */
WARN_UNUSED int vtpm_pcr_digests(const VtpmPcrSelection *banks, unsigned pcr, const void *data, size_t size,
                                 VtpmPcrDigest *ret, size_t *ret_n, Error *e);

/**
 * vtpm_pcr_extend() - extend one PCR, in all the banks given, by one command
 * @pcr:     0 to 23
 * @digests: no hash twice; at least one. Banks not among them keep their value.
 *
 * The TPM decides which PCRs may be extended from here. On a PC 17 to 22 belong to the dynamic root of trust and are
 * closed to the operating system (PC Client Platform TPM Profile, "PCR Attributes"): "pcr-locality".
 * A bank that the TPM does not keep is refused before anything is sent, as a TPM passes over it without a word
 * (TPM 2.0 Library Part 3, "TPM2_PCR_Extend"). After -ETIMEDOUT or -ECONNRESET the PCR may have been extended or not.
 *
 * Return: 0; -EINVAL PCR or digests; -EACCES; -EOPNOTSUPP no such bank ("pcr-bank-absent"); or as VTPM_CALL().
 */
WARN_UNUSED int vtpm_pcr_extend(VtpmContext *ctx, unsigned pcr, const VtpmPcrDigest *digests, size_t n_digests,
                                Error *e);
