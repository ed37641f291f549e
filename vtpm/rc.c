/* SPDX-License-Identifier: Apache-2.0 */
#include "vtpm/rc.h"

#include <errno.h>

#include <tss2/tss2_rc.h>
#include <tss2/tss2_tpm2_types.h>

#include "base/cleanup.h"

#define FORMAT_ONE_NUMBER 0x3fu /* TPM 2.0 Library Part 2, "Response Code Formats": bits 0 to 5 */

typedef struct Meaning {
        TSS2_RC code;
        int error;
        const char *reason;
} Meaning;

/* Codes of the TPM, format zero: compared whole. */
static const Meaning plain[] = {
        { TPM2_RC_INITIALIZE, -EIO, "tpm-not-started" },
        { TPM2_RC_FAILURE, -EIO, "tpm-failure-mode" },
        { TPM2_RC_AUTH_UNAVAILABLE, -EACCES, "tpm-auth" },
        { TPM2_RC_AUTH_MISSING, -EACCES, "tpm-auth" },
        { TPM2_RC_LOCKOUT, -EACCES, "tpm-lockout" },
        { TPM2_RC_COMMAND_CODE, -EOPNOTSUPP, "tpm-unsupported" },
        { TPM2_RC_DISABLED, -EOPNOTSUPP, "tpm-unsupported" },
        { TPM2_RC_OBJECT_MEMORY, -EBUSY, "tpm-full" },
        { TPM2_RC_SESSION_MEMORY, -EBUSY, "tpm-full" },
        { TPM2_RC_MEMORY, -EBUSY, "tpm-full" },
        { TPM2_RC_OBJECT_HANDLES, -EBUSY, "tpm-full" },
        { TPM2_RC_SESSION_HANDLES, -EBUSY, "tpm-full" },
        { TPM2_RC_NV_UNAVAILABLE, -EBUSY, "tpm-nv-unavailable" },
        { TPM2_RC_YIELDED, -EBUSY, "tpm-yielded" },
        { TPM2_RC_TESTING, -EBUSY, "tpm-testing" },
        { TPM2_RC_RETRY, -EBUSY, "tpm-retry" },
        { TPM2_RC_NV_RATE, -EBUSY, "tpm-nv-rate" },
        { TPM2_RC_NV_UNINITIALIZED, -ENODATA, "nv-unwritten" },
        { TPM2_RC_NV_AUTHORIZATION, -EACCES, "nv-auth" },
        { TPM2_RC_NV_LOCKED, -EACCES, "nv-locked" },
        { TPM2_RC_NV_RANGE, -E2BIG, "nv-range" },
        { TPM2_RC_NV_SPACE, -ENOSPC, "nv-full" },
        { TPM2_RC_NV_DEFINED, -EEXIST, "nv-defined" },
        { TPM2_RC_REFERENCE_H0, -ENOENT, "tpm-no-such-handle" },
        { TPM2_RC_REFERENCE_H1, -ENOENT, "tpm-no-such-handle" },
};

/* Codes of the TPM, format one: compared without the handle, session or parameter they are about. */
static const Meaning numbered[] = {
        { TPM2_RC_ASYMMETRIC, -EOPNOTSUPP, "tpm-unsupported" },
        { TPM2_RC_HASH, -EOPNOTSUPP, "tpm-hash" },
        { TPM2_RC_KEY_SIZE, -EOPNOTSUPP, "tpm-unsupported" },
        { TPM2_RC_SCHEME, -EOPNOTSUPP, "tpm-unsupported" },
        { TPM2_RC_CURVE, -EOPNOTSUPP, "tpm-unsupported" },
        { TPM2_RC_HIERARCHY, -EACCES, "tpm-hierarchy" },
        { TPM2_RC_HANDLE, -ENOENT, "tpm-no-such-handle" },
        { TPM2_RC_AUTH_FAIL, -EACCES, "tpm-auth" },
        { TPM2_RC_BAD_AUTH, -EACCES, "tpm-auth" },
        { TPM2_RC_POLICY_FAIL, -EACCES, "tpm-auth" },
};

/* Codes made by the layers between us and the TPM, which share their numbers. */
static const Meaning stack[] = {
        { TSS2_BASE_RC_MEMORY, -ENOMEM, "out-of-memory" },
        { TSS2_BASE_RC_TRY_AGAIN, -ETIMEDOUT, "tpm-timeout" },
        { TSS2_BASE_RC_IO_ERROR, -ECONNRESET, "tpm-gone" },
        { TSS2_BASE_RC_NO_CONNECTION, -ECONNRESET, "tpm-gone" },
        { TSS2_BASE_RC_MALFORMED_RESPONSE, -EBADMSG, "tpm-bad-response" },
        { TSS2_BASE_RC_INSUFFICIENT_RESPONSE, -EBADMSG, "tpm-bad-response" },
        { TSS2_BASE_RC_INSUFFICIENT_CONTEXT, -EBADMSG, "tpm-bad-response" },
        { TSS2_BASE_RC_INSUFFICIENT_BUFFER, -EBADMSG, "tpm-bad-response" },
        { TSS2_BASE_RC_BAD_SIZE, -EBADMSG, "tpm-bad-response" },
        { TSS2_BASE_RC_RSP_AUTH_FAILED, -EKEYREJECTED, "tpm-response-auth" },
        { TSS2_BASE_RC_NOT_SUPPORTED, -EOPNOTSUPP, "tpm-unsupported" },
        { TSS2_BASE_RC_NOT_PERMITTED, -EACCES, "tpm-auth" },
};

/* A resource manager passes the TPM's codes on under its own layer number. */
static TSS2_RC without_resource_manager(TSS2_RC rc) {
        TSS2_RC layer = rc & TSS2_RC_LAYER_MASK;

        return layer == TSS2_RESMGR_RC_LAYER || layer == TSS2_RESMGR_TPM_RC_LAYER ? rc & ~TSS2_RC_LAYER_MASK : rc;
}

bool vtpm_rc_is_from_tpm(TSS2_RC rc) {
        return (without_resource_manager(rc) & TSS2_RC_LAYER_MASK) == TSS2_TPM_RC_LAYER;
}

bool vtpm_rc_is_retryable(TSS2_RC rc) {
        rc = without_resource_manager(rc);
        return rc == TPM2_RC_RETRY || rc == TPM2_RC_YIELDED || rc == TPM2_RC_TESTING || rc == TPM2_RC_NV_RATE;
}

bool vtpm_rc_is(TSS2_RC rc, TSS2_RC code) {
        rc = without_resource_manager(rc);
        return (rc & TSS2_RC_LAYER_MASK) == TSS2_TPM_RC_LAYER && (rc & TPM2_RC_FMT1) &&
               (rc & FORMAT_ONE_NUMBER) == (code & FORMAT_ONE_NUMBER);
}

static const Meaning *look_up(TSS2_RC rc) {
        static const Meaning other = { 0, -EIO, "tpm-error" };
        static const Meaning garbled = { 0, -EBADMSG, "tpm-bad-response" };

        rc = without_resource_manager(rc);
        if (!vtpm_rc_is_from_tpm(rc)) {
                for (size_t i = 0; i < N_ELEMENTS(stack); i++)
                        if (stack[i].code == (rc & ~TSS2_RC_LAYER_MASK))
                                return &stack[i];
                if ((rc & TSS2_RC_LAYER_MASK) == TSS2_MU_RC_LAYER) /* what we marshal is well-formed */
                        return &garbled;
        } else if (rc & TPM2_RC_FMT1) {
                for (size_t i = 0; i < N_ELEMENTS(numbered); i++)
                        if (vtpm_rc_is(rc, numbered[i].code))
                                return &numbered[i];
        } else
                for (size_t i = 0; i < N_ELEMENTS(plain); i++)
                        if (plain[i].code == rc)
                                return &plain[i];
        return &other;
}

int vtpm_rc_error(TSS2_RC rc, const char *what, Error *e) {
        const Meaning *m = look_up(rc);

        return error_set(e, m->error, m->reason, "%s: %s (0x%08x)", what, Tss2_RC_Decode(rc), rc);
}
