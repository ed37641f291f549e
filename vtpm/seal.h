/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Sealing: the TPM encrypts a small secret so that only itself can open it, and only while PCRs have certain values
 * (TPM 2.0 Library Part 1, "Sealed Data"). What comes out is data for a disk; nothing stays in the TPM, no handle and
 * no NV index is taken, and whatever others have there (systemd's storage root key, pcrlock's index) is left alone.
 *
 * The secret crosses the bus encrypted, in sessions salted to the endorsement key that the caller names.
 *
 * A TPM that forgets its seeds when the machine goes takes all that was sealed with it: the caller says that it is a
 * persistent one, or nothing is sealed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/secret.h"
#include "vtpm/context.h"
#include "vtpm/policy-signed.h"
#include "vtpm/sealed.h"

#define VTPM_SEAL_SECRET_MAX 128u /* MAX_SYM_DATA, TPM 2.0 Library Part 2, "TPM2B_SENSITIVE_DATA" */

typedef struct VtpmSealRequest {
        VtpmSealKind kind;
        uint16_t bank; /* VTPM_ALG_SHA256 or above */
        uint32_t pcr_mask;
        const VtpmPcrValues *pcrs; /* VTPM_SEAL_PCR: instead of the present ones, of @bank and @pcr_mask; may be NULL */
        const Blob *signer;        /* VTPM_SEAL_SIGNED: vtpm_policy_signer() */
        bool persistent;           /* the TPM keeps its seeds across reboots, as far as the platform tells */
        const uint8_t *salt_name;  /* as VtpmSaltKey in vtpm/session.h; may be NULL */
        size_t salt_name_size;
} VtpmSealRequest;

/**
 * vtpm_seal() - seal 1 to VTPM_SEAL_SECRET_MAX bytes
 *
 * What is sealed to the present PCR values is opened again before this returns: the bus may lie about PCRs, and a
 * secret sealed to values of somebody else's choice would be theirs.
 *
 * Return: 0; -EINVAL the request or the size; -EOPNOTSUPP not persistent ("tpm-not-persistent"), or no such bank;
 * -EAGAIN the PCRs do not hold still; -EKEYREJECTED "salt-key", or it did not open again; or as VTPM_CALL().
 */
WARN_UNUSED int vtpm_seal(VtpmContext *ctx, const VtpmSealRequest *request, const Secret *secret, VtpmSealed *ret,
                          Error *e);

typedef struct VtpmUnsealRequest {
        const VtpmPolicySignatures *signatures; /* VTPM_SEAL_SIGNED */
        const uint8_t *salt_name;
        size_t salt_name_size;
} VtpmUnsealRequest;

/**
 * vtpm_unseal() - what was sealed
 *
 * Begins anew, five times at most, when a PCR changes while it is at work.
 *
 * Return: 0; -EKEYREJECTED the PCRs are not what they have to be, with those that are different ("pcr-policy"), sealed
 * by another TPM or before it was cleared ("sealed-foreign"), a signature that does not hold ("policy-signature"), or
 * "salt-key"; -EINVAL signatures are missing; -EAGAIN; or as VTPM_CALL().
 */
WARN_UNUSED int vtpm_unseal(VtpmContext *ctx, const VtpmSealed *sealed, const VtpmUnsealRequest *request, Secret *ret,
                            Error *e);
