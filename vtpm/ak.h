/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Attestation keys inside the TPM. For vtpm/ alone: see vtpm/quote.h. */

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "vtpm/ak_spec.h"
#include "vtpm/esys.h"

/**
 * vtpm_ak_load() - make the key usable
 * @ret_key:     a transient primary key, or a persistent one; owned by the caller
 * @ret_public:  its TPMT_PUBLIC; owned by the caller
 *
 * A primary key is derived from the hierarchy's seed and the template, so it is the same key each time as
 * long as the TPM is not cleared. Whatever key it is, it must pass vtpm_ak_public_new(): a persistent
 * handle that holds something else is refused here, not at the verifier's.
 *
 * Return: 0; -ENOENT nothing at the persistent handle; -EKEYREJECTED not an attestation key; or as VTPM_CALL().
 */
WARN_UNUSED int vtpm_ak_load(VtpmContext *ctx, const VtpmAkSpec *spec, VtpmHandle *ret_key, Blob *ret_public, Error *e);
