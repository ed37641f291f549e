/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The storage primary key of the owner hierarchy, under which objects are sealed. For vtpm/ alone. */

#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "vtpm/esys.h"

/**
 * vtpm_storage_primary() - derive the key, ECC P-256 or RSA-2048
 * @type: VTPM_ALG_ECC or VTPM_ALG_RSA
 *
 * By the template of TCG TPM v2.0 Provisioning Guidance, "Storage Root Key"; the same key each time until the TPM is
 * cleared. The one that others may keep at 0x81000001 is neither needed nor touched.
 *
 * Return: 0; -EOPNOTSUPP no such algorithm; or as VTPM_CALL().
 */
WARN_UNUSED int vtpm_storage_primary(VtpmContext *ctx, uint16_t type, VtpmHandle *ret, Error *e);
