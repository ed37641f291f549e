/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The other half of vtpm/credential.h: the TPM opens a credential that was made for it. */

#include "base/cleanup.h"
#include "base/error.h"
#include "base/secret.h"
#include "vtpm/ak_spec.h"
#include "vtpm/context.h"
#include "vtpm/credential.h"
#include "vtpm/ek.h"

typedef struct VtpmActivation {
        VtpmAkSpec ak;
        VtpmEkProfile ek; /* the key that the credential was made for */
        /* The endorsement key's name as the platform vouches for it; NULL: see VtpmSaltKey in vtpm/session.h. */
        const uint8_t *salt_name;
        size_t salt_name_size;
} VtpmActivation;

/**
 * vtpm_credential_activate() - what a credential holds
 *
 * It crosses the bus encrypted, in a session salted to the TPM's endorsement key.
 *
 * Return: 0; -EKEYREJECTED the credential is not for these keys of this TPM, or was altered ("credential-rejected"), or
 * as vtpm_session_start() and vtpm_ak_load(); -ENOENT; or as VTPM_CALL().
 */
WARN_UNUSED int vtpm_credential_activate(VtpmContext *ctx, const VtpmActivation *how, const VtpmCredential *credential,
                                         Secret *ret, Error *e);
