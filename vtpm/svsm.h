/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The binding of an SVSM's vTPM to the chip. The SVSM has the firmware make a report at VMPL 0 over SHA-512(nonce ||
 * manifest), and the manifest has the vTPM's endorsement key (AMD publication 58019, sections 7 and 8.3.3). That key
 * signs nothing, so something has to tie the attestation key to it:
 *
 *   activated  the TPM opened a credential that only this endorsement key beside this attestation key opens. The way to
 *              go; takes a conversation between broker and guest
 *   manifest   a manifest of version 1 names the attestation key too
 *   claimed    the nonce was SHA-512(challenge || name of the attestation key). Weaker: whoever may ask the SVSM, which
 *              is the guest's own root, chooses that name; it says that this guest's software stands by the key, not
 *              that the key is in this TPM. Never counts as a binding by itself
 */

#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "vtpm/ak_public.h"
#include "vtpm/binding.h"
#include "vtpm/ek.h"

#define VTPM_SVSM_NONCE_SIZE 64u
#define VTPM_SVSM_MANIFEST_MAX (32u * 1024u)

typedef struct VtpmSvsmKey {
        const uint8_t *tpmt_public; /* lies within the manifest, which is checked */
        size_t size;
} VtpmSvsmKey;

/* All borrowed. Manifests are taken apart by snp/svsm-manifest.h, which this room does not know. */
typedef struct VtpmSvsmWitness {
        const uint8_t *report_data; /* VTPM_REPORT_DATA_SIZE bytes of a report that was verified */
        uint32_t vmpl;              /* of the same */
        const uint8_t *nonce;       /* VTPM_SVSM_NONCE_SIZE bytes that the report was asked for with */
        const uint8_t *manifest;    /* of the vTPM, or of all services: as the SVSM gave it */
        size_t manifest_size;
        const VtpmSvsmKey *keys; /* the vTPM's */
        size_t n_keys;
} VtpmSvsmWitness;

typedef struct VtpmSvsmEk {
        VtpmEkProfile profile;
        Blob public; /* TPMT_PUBLIC, owned */
} VtpmSvsmEk;
void vtpm_svsm_ek_done(VtpmSvsmEk *ek);
#define AUTO_VTPM_SVSM_EK CLEANUP(vtpm_svsm_ek_done)

/**
 * vtpm_svsm_ek() - the endorsement key that the report vouches for
 * @ret: of several, the first in the order of VtpmEkProfile
 *
 * Return: 0; -EKEYREJECTED the report is not of VMPL 0 ("svsm-vmpl"), or no key is made from a template for endorsement
 * keys ("svsm-no-ek"): restricted, for decryption, fixed to its TPM, with the policy of the template; -ESTALE the
 * report is over another nonce or manifest ("svsm-not-bound"); -EINVAL a key from elsewhere; -E2BIG; -ENOMEM.
 */
WARN_UNUSED int vtpm_svsm_ek(const VtpmSvsmWitness *witness, VtpmSvsmEk *ret, Error *e);

/**
 * vtpm_svsm_check_tpm() - is @ctx the TPM that the SVSM speaks of?
 *
 * In the guest, before anything else is done with that TPM. Return: 0; -EKEYREJECTED its endorsement key is another
 * ("svsm-other-tpm"); or as vtpm_ek_public().
 */
WARN_UNUSED int vtpm_svsm_check_tpm(VtpmContext *ctx, const VtpmSvsmEk *ek, Error *e);

/* The nonce of a claim: SHA-512(challenge || name). 0; -EINVAL a key without name; -EIO. */
WARN_UNUSED int vtpm_svsm_claim_nonce(const uint8_t challenge[static VTPM_SVSM_NONCE_SIZE], const VtpmAkPublic *ak,
                                      uint8_t ret[static VTPM_SVSM_NONCE_SIZE], Error *e);

typedef enum VtpmSvsmTie {
        VTPM_SVSM_TIE_NONE = 0,
        VTPM_SVSM_TIE_CLAIMED,
        VTPM_SVSM_TIE_MANIFEST,
        VTPM_SVSM_TIE_ACTIVATED,
} VtpmSvsmTie;
const char *vtpm_svsm_tie_name(VtpmSvsmTie tie); /* "none", "svsm-ek-claimed", "svsm-ak-in-manifest", "svsm-ek" */

/* What there is to show for a tie; zero-initialised: the manifest alone. All borrowed. */
struct VtpmSvsmChallenge; /* vtpm/svsm-challenge.h */
typedef struct VtpmSvsmProof {
        const struct VtpmSvsmChallenge *challenge;
        const struct Secret *answer; /* what came back for it */
        const uint8_t *claim;        /* VTPM_SVSM_NONCE_SIZE bytes of challenge */
} VtpmSvsmProof;

typedef struct VtpmSvsmVerdict {
        VtpmBinding binding; /* VTPM_BINDING_SVSM for the ties "manifest" and "activated" alone */
        VtpmSvsmTie tie;
} VtpmSvsmVerdict;

/**
 * vtpm_svsm_bind() - is @ak_public the attestation key of the vTPM that the report vouches for?
 * @ak_public: TPMT_PUBLIC, not yet trusted
 * @proof:     may be NULL
 * @ret:       always set; zero-initialised means not bound
 *
 * Return: 0 bound, or a claim that holds (then *@ret tells which); -EKEYREJECTED nothing ties the key ("svsm-untied"),
 * the challenge was for other keys ("svsm-challenge") or its answer is wrong ("svsm-answer"); -ESTALE the nonce is of
 * another claim ("svsm-claim"); or as vtpm_svsm_ek() and vtpm_ak_public_new().
 */
WARN_UNUSED int vtpm_svsm_bind(const VtpmSvsmWitness *witness, const Blob *ak_public, const VtpmSvsmProof *proof,
                               VtpmSvsmVerdict *ret, Error *e);
