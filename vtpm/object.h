/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Keys as objects in the TPM: made from a template, or found at a persistent handle. For vtpm/ alone. */

#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "vtpm/alg.h"
#include "vtpm/esys.h"

/* Hash id (2 bytes) and digest of the TPMT_PUBLIC: TPM 2.0 Library Part 1, "Names". */
typedef struct VtpmName {
        uint8_t bytes[2 + VTPM_DIGEST_MAX];
        size_t size;
} VtpmName;

/* The name of a TPMT_PUBLIC of any type that begins like all of them: u16 type, u16 hash. 0; -EBADMSG; -EOPNOTSUPP. */
WARN_UNUSED int vtpm_name_of(const void *tpmt_public, size_t size, VtpmName *ret, Error *e);

/*
 * A transient primary key with empty authorisation, of TPM2_RH_OWNER or TPM2_RH_ENDORSEMENT. @template is a
 * TPMT_PUBLIC, @ret_public the key's own. 0; -EINVAL the template cannot be decoded; or as vtpm_object_public() and VTPM_CALL().
 */
WARN_UNUSED int vtpm_object_create_primary(VtpmContext *ctx, uint32_t hierarchy, const Blob *template,
                                           VtpmHandle *ret_key, Blob *ret_public, Error *e);

/* What is at a persistent handle. 0; -ENOENT nothing is; or as vtpm_object_public() and VTPM_CALL(). */
WARN_UNUSED int vtpm_object_open(VtpmContext *ctx, uint32_t handle, VtpmHandle *ret_key, Blob *ret_public, Error *e);

/**
 * vtpm_object_public() - the TPMT_PUBLIC that ESAPI works with for this key
 *
 * Not the same as asking the TPM again: ESAPI encrypts salts to the public area it was given when the object came into
 * being, and authenticates commands by the name it was given then. Up to 3.2 it does not compare the two when an object
 * is opened by its handle (Esys_ReadPublic_Finish), so somebody on the bus could have answered with the right name and
 * a key of theirs. Here they are compared.
 *
 * Return: 0; -EKEYREJECTED name and public area are not of one key ("tpm-name"); -ENOMEM; -EBADMSG; -EOPNOTSUPP.
 */
WARN_UNUSED int vtpm_object_public(const VtpmHandle *key, Blob *ret, Error *e);
