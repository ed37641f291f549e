/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Policies of TPM objects, computed without a TPM: each function does to a digest what the command of its name does to
 * a policy session. Source: TPM 2.0 Library Part 3, "Enhanced Authorization (EA) Commands", the description of each.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "vtpm/alg.h"
#include "vtpm/bytes.h"
#include "vtpm/pcr_values.h"

/* TPM_EO, TPM 2.0 Library Part 2; those that policies use */
typedef enum VtpmPolicyOperation {
        VTPM_POLICY_EQ = 0x0000,
        VTPM_POLICY_NEQ = 0x0001,
        VTPM_POLICY_UNSIGNED_GT = 0x0003,
        VTPM_POLICY_UNSIGNED_LT = 0x0005,
        VTPM_POLICY_UNSIGNED_GE = 0x0007,
        VTPM_POLICY_UNSIGNED_LE = 0x0009,
} VtpmPolicyOperation;

typedef struct VtpmPolicy {
        uint16_t hash; /* VTPM_ALG_SHA*, of the session and of the object's name */
        size_t size;
        uint8_t digest[VTPM_DIGEST_MAX];
} VtpmPolicy;

/* That of a session just started. 0 or -EOPNOTSUPP. */
WARN_UNUSED int vtpm_policy_init(uint16_t hash, VtpmPolicy *ret, Error *e);

/* The object obeys only while these PCRs have these values. 0; as vtpm_pcr_digest(). */
WARN_UNUSED int vtpm_policy_pcr(VtpmPolicy *p, const VtpmPcrSelection *selection, const VtpmPcrValues *values,
                                size_t n_values, Error *e);
/* Only to who knows its authorisation value. 0, -ENOMEM or -EIO, as those below. */
WARN_UNUSED int vtpm_policy_auth_value(VtpmPolicy *p, Error *e);
/* Only to who knows that of another entity; a hierarchy's name is its handle, u32 big-endian. */
WARN_UNUSED int vtpm_policy_secret(VtpmPolicy *p, VtpmBytes entity_name, VtpmBytes policy_ref, Error *e);
/* Under any policy that this key has signed. What was there before is forgotten. */
WARN_UNUSED int vtpm_policy_authorize(VtpmPolicy *p, VtpmBytes key_name, VtpmBytes policy_ref, Error *e);
/* Under the policy written in an NV index. What was there before is forgotten. */
WARN_UNUSED int vtpm_policy_authorize_nv(VtpmPolicy *p, VtpmBytes nv_name, Error *e);
/* While the contents of an NV index compare with @operand as told. */
WARN_UNUSED int vtpm_policy_nv(VtpmPolicy *p, VtpmBytes nv_name, VtpmBytes operand, uint16_t offset,
                               VtpmPolicyOperation operation, Error *e);
/* Under any of two to eight policies, all of one hash. 0; -EINVAL other numbers or hashes. */
WARN_UNUSED int vtpm_policy_or(const VtpmPolicy branches[], size_t n, VtpmPolicy *ret, Error *e);
