/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The conversation that ties an attestation key to the endorsement key of an SVSM's vTPM: the broker makes a credential
 * for both (vtpm_svsm_challenge_new()), the guest has its TPM open it (vtpm_svsm_answer()), the broker compares.
 */

#include <stdbool.h>

#include "base/secret.h"
#include "vtpm/ak_spec.h"
#include "vtpm/credential.h"
#include "vtpm/svsm.h"

typedef struct VtpmSvsmChallenge {
        Blob ek, ak;               /* TPMT_PUBLIC; whom it is for */
        VtpmCredential credential; /* to be sent */
        Secret expected;           /* to be kept */
} VtpmSvsmChallenge;
void vtpm_svsm_challenge_done(VtpmSvsmChallenge *c);
#define AUTO_VTPM_SVSM_CHALLENGE CLEANUP(vtpm_svsm_challenge_done)

/**
 * vtpm_svsm_challenge_new() - a credential for the endorsement key in @witness and @ak_public
 * @ak_public: TPMT_PUBLIC, not yet trusted
 *
 * Return: 0; or as vtpm_svsm_ek() and vtpm_credential_make().
 */
WARN_UNUSED int vtpm_svsm_challenge_new(const VtpmSvsmWitness *witness, const Blob *ak_public, VtpmSvsmChallenge *ret,
                                        Error *e);

/**
 * vtpm_svsm_answer() - in the guest: what the credential holds
 * @ek: as the SVSM told it; another TPM is refused before it learns anything
 *
 * Return: 0; or as vtpm_svsm_check_tpm() and vtpm_credential_activate().
 */
WARN_UNUSED int vtpm_svsm_answer(VtpmContext *ctx, const VtpmSvsmEk *ek, const VtpmAkSpec *ak,
                                 const VtpmCredential *credential, Secret *ret, Error *e);

/* Whether @answer is right for @c, and @c was made for these two keys. 0; -EKEYREJECTED ("svsm-challenge",
 * "svsm-answer"). */
WARN_UNUSED int vtpm_svsm_challenge_check(const VtpmSvsmChallenge *c, const Blob *ek, const Blob *ak,
                                          const Secret *answer, Error *e);
