/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Signed PCR policies: whoever builds an image says beforehand, by a signature, which PCR values it will have, and what
 * is sealed to the key (TPM2_PolicyAuthorize) opens for that image without being sealed anew. No TPM needed here.
 *
 * The file is the one of systemd-measure(1) and systemd-stub(7) ("tpm2-pcr-signature.json"): an object that has, by the
 * name of the bank, an array of objects with "pcrs" (numbers), "pkfp" (SHA-256 of the key's PKCS #1 form, hex), "pol"
 * (the policy digest, SHA-256, hex) and "sig" (RSASSA with SHA-256 over that digest, base64). RSA keys alone.
 */

#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "vtpm/alg.h"
#include "vtpm/pcr_values.h"

#define VTPM_POLICY_SIGNATURES_MAX 64u                 /* one per bank and phase of boot, some kernels long */
#define VTPM_POLICY_SIGNATURES_TEXT_MAX (256u * 1024u) /* those of RSA-4096 keys, with room */

typedef struct VtpmPolicySignature {
        uint16_t bank; /* VTPM_ALG_SHA*, whose values the policy is made of */
        uint32_t mask; /* which PCRs */
        uint8_t key[32];    /* SHA-256 of the key's PKCS #1 form: which key it was, nothing more */
        uint8_t policy[32]; /* digest of the approved policy */
        Blob signature;     /* RSASSA, SHA-256 */
} VtpmPolicySignature;
void vtpm_policy_signature_done(VtpmPolicySignature *s);
#define AUTO_VTPM_POLICY_SIGNATURE CLEANUP(vtpm_policy_signature_done)

typedef struct VtpmPolicySignatures {
        size_t n;
        VtpmPolicySignature items[VTPM_POLICY_SIGNATURES_MAX];
} VtpmPolicySignatures;
void vtpm_policy_signatures_done(VtpmPolicySignatures *s);
#define AUTO_VTPM_POLICY_SIGNATURES CLEANUP(vtpm_policy_signatures_done)

/* TPMT_PUBLIC as TPMs know the key; its name goes into policies. 0; -EOPNOTSUPP not RSA of 2048 to 4096 bits. */
WARN_UNUSED int vtpm_policy_signer(EVP_PKEY *key, Blob *ret_public, Error *e);

/* Approves these PCR values. 0; -EINVAL no PCR, or none of a bank we know; -EOPNOTSUPP the key; -EIO it cannot sign. */
WARN_UNUSED int vtpm_policy_sign(EVP_PKEY *key, const VtpmPcrValues *pcrs, VtpmPolicySignature *ret, Error *e);

/* 0; -EKEYREJECTED it is not that key's signature; -EBADMSG, -EOPNOTSUPP @signer is no RSA key's TPMT_PUBLIC. */
WARN_UNUSED int vtpm_policy_signature_verify(const VtpmPolicySignature *s, const Blob *signer, Error *e);

/* The first one of this key for exactly this policy, not yet verified; NULL when there is none. */
const VtpmPolicySignature *vtpm_policy_signatures_find(const VtpmPolicySignatures *s, const Blob *signer, uint16_t bank,
                                                       uint32_t mask, const uint8_t policy[static 32]);

/* 0; -EBADMSG, with the member's name; -E2BIG more than the limits above. Members not named above are ignored. */
WARN_UNUSED int vtpm_policy_signatures_parse(const char *text, size_t len, VtpmPolicySignatures *ret, Error *e);
/* 0 or -ENOMEM. @ret is owned by the caller. */
WARN_UNUSED int vtpm_policy_signatures_encode(const VtpmPolicySignatures *s, char **ret);
