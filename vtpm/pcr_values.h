/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * PCR selections and PCR values as data: what a quote covers, and what a verifier recomputes its digest
 * from. No TPM needed. Source: TPM 2.0 Library Part 2, "TPMS_PCR_SELECTION" and "TPML_PCR_SELECTION";
 * PC Client Platform TPM Profile for the number of PCRs.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "vtpm/alg.h"

#define VTPM_N_PCRS 24u
#define VTPM_PCR_MASK_ALL 0x00ffffffu /* bit n is PCR n */
#define VTPM_PCR_SELECT_SIZE 3u       /* bytes of a bitmap for 24 PCRs */
#define VTPM_BANKS_MAX 16u            /* HASH_COUNT, most selections in a list */

/* PCRs of one bank. On the wire: u16 hash, u8 size of the bitmap, bitmap (bit b of byte i is PCR 8i + b). */
typedef struct VtpmPcrBank {
        uint16_t hash; /* VTPM_ALG_SHA*, or whatever the TPM said */
        uint32_t mask; /* within VTPM_PCR_MASK_ALL */
} VtpmPcrBank;

typedef struct VtpmPcrSelection {
        size_t n_banks;
        VtpmPcrBank banks[VTPM_BANKS_MAX]; /* order matters: the digest is taken in it */
} VtpmPcrSelection;

/* Values of the PCRs in @mask, each vtpm_hash_size(@hash) bytes, at the PCR's own index. */
typedef struct VtpmPcrValues {
        uint16_t hash;
        uint32_t mask;
        uint8_t values[VTPM_N_PCRS][VTPM_DIGEST_MAX];
} VtpmPcrValues;

unsigned vtpm_pcr_count(uint32_t mask);

/**
 * vtpm_pcr_selection_check() - is this a selection whose digest has one meaning?
 *
 * Refuses what a TPM accepts but a quote must not have: no bank at all, a bank without PCRs, a bank named
 * twice, a bank of an unknown hash. Return: 0 or -EINVAL.
 */
WARN_UNUSED int vtpm_pcr_selection_check(const VtpmPcrSelection *selection, Error *e);

/**
 * vtpm_pcr_digest() - the digest a quote holds for these values
 * @values:    one element per bank, in any order
 * @hash:      hash of the signing scheme, not of the banks
 * @ret:       room for VTPM_DIGEST_MAX bytes
 *
 * Hashes all selected values, selections in list order, PCRs ascending in each (TPM 2.0 Library Part 1,
 * "Attesting to PCR"; Part 3, "TPM2_Quote").
 *
 * Return: 0; -EINVAL as vtpm_pcr_selection_check(); -ENOENT a selected PCR has no value; -EOPNOTSUPP
 * unknown hash; -ENOMEM; -EIO.
 */
WARN_UNUSED int vtpm_pcr_digest(const VtpmPcrSelection *selection, const VtpmPcrValues *values, size_t n_values,
                                uint16_t hash, uint8_t *ret, Error *e);
