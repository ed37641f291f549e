/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Credentials: a secret that only the TPM with a certain endorsement key gives out, and only if it holds a certain
 * attestation key. Whoever knows the endorsement key (by its certificate, or because a report names it) makes one, and
 * who can tell the secret has shown that the attestation key lives beside it. TPM 2.0 Library Part 1, "Credential
 * Protection"; Part 3, "TPM2_MakeCredential" (which needs no TPM) and "TPM2_ActivateCredential" (vtpm/activate.h).
 */

#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/secret.h"

#define VTPM_CREDENTIAL_VALUE_MAX 64u     /* TPM2B_DIGEST; a key names its own limit, the size of its name's hash */
#define VTPM_CREDENTIAL_ID_OBJECT_MAX 132u /* HMAC and encrypted value, each with its size */
#define VTPM_CREDENTIAL_SECRET_MAX 512u   /* RSA-4096; ECC points are smaller */

typedef struct VtpmCredential {
        Blob id_object; /* TPMS_ID_OBJECT: u16 size, HMAC, then the value, encrypted */
        Blob secret;    /* contents of TPM2B_ENCRYPTED_SECRET: the seed, encrypted to the endorsement key */
} VtpmCredential;
void vtpm_credential_done(VtpmCredential *c);
#define AUTO_VTPM_CREDENTIAL CLEANUP(vtpm_credential_done)

/**
 * vtpm_credential_make() - a credential for the TPM with @ek_public and the attestation key @ak_public
 * @ek_public:  TPMT_PUBLIC that the caller has reason to believe; must be a TPM's restricted decryption key
 * @ak_public:  TPMT_PUBLIC, not yet trusted; must pass vtpm_ak_public_new()
 * @value:      what is to come out: 1 byte up to the size of the endorsement key's name hash
 *
 * Return: 0; -EKEYREJECTED one of the keys is not what it must be ("ek-attributes", "ak-attributes" and so on);
 * -EINVAL size of @value; -EBADMSG, -EOPNOTSUPP the keys; -ENOMEM; -EIO.
 */
WARN_UNUSED int vtpm_credential_make(const Blob *ek_public, const Blob *ak_public, const Secret *value,
                                     VtpmCredential *ret, Error *e);

/*
 * The file that tpm2_makecredential writes and tpm2_activatecredential reads, big-endian: u32 0xbadcc0de, u32 1,
 * TPM2B_ID_OBJECT, TPM2B_ENCRYPTED_SECRET. Parsing: 0; -EBADMSG; -EOPNOTSUPP another version; -E2BIG. Encoding: 0,
 * -ENOMEM.
 */
#define VTPM_CREDENTIAL_FILE_MAX (8u + 2u + VTPM_CREDENTIAL_ID_OBJECT_MAX + 2u + VTPM_CREDENTIAL_SECRET_MAX)
WARN_UNUSED int vtpm_credential_parse(const void *data, size_t size, VtpmCredential *ret, Error *e);
WARN_UNUSED int vtpm_credential_encode(const VtpmCredential *c, Blob *ret);
