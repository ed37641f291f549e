/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Attestation keys as an administrator handles them: look at one, keep one in the TPM, remove it again. */

#include <stdint.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "vtpm/ak_spec.h"
#include "vtpm/context.h"

/* The key's TPMT_PUBLIC; nothing stays loaded. As vtpm_ak_load(). */
WARN_UNUSED int vtpm_ak_show(VtpmContext *ctx, const VtpmAkSpec *spec, Blob *ret_public, Error *e);

/**
 * vtpm_ak_persist() - make a primary key and keep it at a persistent handle
 * @spec:    one of VTPM_AK_RSASSA to VTPM_AK_ECDSA_P384, VTPM_AK_GCP_RSA, VTPM_AK_GCP_ECC
 * @handle:  0x81000000 to 0x817fffff (the owner's), without those others have a claim to: 0x81000001 and 0x81000002
 *           (storage root keys, which systemd shares), 0x81000003 (Azure's), 0x81010000 to 0x8101ffff (EKs)
 *
 * Does nothing when this very key is there already.
 *
 * Return: 0; -EINVAL @spec or @handle; -EEXIST another object is at @handle, and stays ("ak-handle-taken"); -ENOSPC no
 * room; or as vtpm_ak_load().
 */
WARN_UNUSED int vtpm_ak_persist(VtpmContext *ctx, const VtpmAkSpec *spec, uint32_t handle, Blob *ret_public, Error *e);

/* Removes an attestation key from a handle that vtpm_ak_persist() would take. 0; -ENOENT; -EKEYREJECTED no such key. */
WARN_UNUSED int vtpm_ak_remove(VtpmContext *ctx, uint32_t handle, Error *e);
