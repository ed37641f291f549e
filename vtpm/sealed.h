/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What sealing leaves to be kept on a disk: only the TPM it was made by can open it, and only while its policy holds.
 * The file, big-endian as all that a TPM makes:
 *
 *    0 u32 magic "SNPS"   4 u16 version, 1   6 u16 policy: 1 PCR values, 2 signed PCR policy
 *    8 u16 parent: key type of the storage primary key, TPM_ALG_ECC or TPM_ALG_RSA
 *   10 u16 bank, TPM_ALG_SHA256, _SHA384 or _SHA512   12 u32 mask of PCRs
 *   16 their values when it was sealed, each of the bank's size, in order of number
 *   .. u16 size + TPMT_PUBLIC of the sealed object   .. u16 size + TPM2B_PRIVATE's contents
 *   .. u16 size + TPMT_PUBLIC of the key that signs policies; nothing for policy 1
 *
 * It names no handle and no NV index: nothing of it is in the TPM between uses.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "vtpm/pcr_values.h"
#include "vtpm/policy-digest.h"

typedef enum VtpmSealKind {
        VTPM_SEAL_PCR = 1,    /* to PCR values */
        VTPM_SEAL_SIGNED = 2, /* to any PCR values that a key has signed: vtpm/policy-signed.h */
} VtpmSealKind;

#define VTPM_SEALED_PRIVATE_MAX 512u /* TPM2B_PRIVATE of a sealed object of at most 128 bytes is below 256 */
#define VTPM_SEALED_SIZE_MAX 4096u

typedef struct VtpmSealed {
        VtpmSealKind kind;
        uint16_t parent;    /* VTPM_ALG_ECC or VTPM_ALG_RSA */
        VtpmPcrValues pcrs; /* for VTPM_SEAL_SIGNED only to tell afterwards what has changed */
        Blob public;        /* TPMT_PUBLIC */
        Blob private;       /* contents of TPM2B_PRIVATE, encrypted by the TPM */
        Blob signer;        /* TPMT_PUBLIC; VTPM_SEAL_SIGNED */
} VtpmSealed;
void vtpm_sealed_done(VtpmSealed *s);
#define AUTO_VTPM_SEALED CLEANUP(vtpm_sealed_done)

/**
 * vtpm_sealed_parse() - decode the file
 *
 * The object must be a sealed one that obeys nothing but its policy, and the policy must be the one that follows from
 * the PCR values or the key in the file: what is said of it afterwards is then true.
 *
 * Return: 0; -EBADMSG malformed, or object and policy do not agree ("sealed-policy"); -EOPNOTSUPP version; -E2BIG.
 */
WARN_UNUSED int vtpm_sealed_parse(const void *data, size_t size, VtpmSealed *ret, Error *e);
/* The bytes vtpm_sealed_parse() reads back. 0 or -ENOMEM. */
WARN_UNUSED int vtpm_sealed_encode(const VtpmSealed *s, Blob *ret);

/* Policy that the object has to have, SHA-256, from the other fields. 0; -EBADMSG or -EOPNOTSUPP the key's form. */
WARN_UNUSED int vtpm_sealed_policy(const VtpmSealed *s, VtpmPolicy *ret, Error *e);
/* TPMT_PUBLIC that such an object is made from; its unique field is the TPM's to fill. 0 or -ENOMEM. */
WARN_UNUSED int vtpm_sealed_template(const VtpmPolicy *policy, Blob *ret);
/* Is @s->public an object from that template? 0 or -EBADMSG ("sealed-object", "sealed-policy"). */
WARN_UNUSED int vtpm_sealed_check(const VtpmSealed *s, Error *e);
