/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Sessions that keep secrets from whoever sits on the TPM's bus: salted to a key of the TPM, with AES-128-CFB parameter
 * encryption (TPM 2.0 Library Part 1, "Salted Session Key Generation", "Session-Based Encryption"). A salt is worth
 * what the key is worth: the caller names the key that the platform vouches for, and a TPM that shows another is
 * refused. For vtpm/ alone.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "vtpm/esys.h"

typedef struct VtpmSaltKey {
        const uint8_t *name; /* TPM name that is expected; NULL: whatever the TPM has, no protection against the bus */
        size_t name_size;
} VtpmSaltKey;

/* What a session is for. */
typedef enum VtpmSessionKind {
        VTPM_SESSION_HMAC,
        VTPM_SESSION_POLICY,
        VTPM_SESSION_TRIAL, /* computes a policy digest, authorises nothing; not salted */
} VtpmSessionKind;

/**
 * vtpm_session_start() - a session salted to an endorsement key
 * @salt: NULL for a session without salt, that is without protection
 *
 * The key is that of the first profile in vtpm/ek.h which has the expected name; without one, VTPM_EK_RSA2048, or the
 * first that this TPM can make. First parameters of command and response are encrypted where they can be, both are
 * authenticated, and the session outlives the command it is used with; end it by vtpm_handle_done().
 *
 * Return: 0; -EKEYREJECTED the TPM's key is not the one expected ("salt-key"); or as vtpm_ek_load().
 */
WARN_UNUSED int vtpm_session_start(VtpmContext *ctx, VtpmSessionKind kind, const VtpmSaltKey *salt, VtpmHandle *ret,
                                   Error *e);
