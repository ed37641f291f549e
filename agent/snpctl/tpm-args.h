/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The options of every verb that speaks to a TPM: which TPM, and which attestation key in it. */

#include "agent/snpctl/args.h"
#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/error.h"
#include "vtpm/ak_spec.h"
#include "vtpm/context.h"

#define TPM_DEFAULT_TCTI "device:/dev/tpmrm0"

/* A key made anew takes a discrete TPM half a minute. */
#define TPM_TIMEOUT_USEC (120 * USEC_PER_SEC)

typedef struct TpmArgs {
        const char *tcti, *config, *ak;
} TpmArgs;

/* Rows for a verb's table of options; @type is the struct of its arguments and @member the TpmArgs in it. */
#define TPM_OPTIONS(type, member)                                                                                      \
        { "tcti", "MODULE:CONF", "how to reach the TPM; by default as configured, else " TPM_DEFAULT_TCTI, CTL_TEXT,   \
          offsetof(type, member.tcti) },                                                                               \
        { "config", "FILE", "take defaults from this configuration", CTL_TEXT, offsetof(type, member.config) }
#define TPM_AK_OPTION(type, member)                                                                                    \
        { "ak", "KEY", "auto, rsassa, rsapss, ecdsa-p256, ecdsa-p384, owner:KEY, azure, gcp-rsa, gcp-ecc or a handle", \
          CTL_TEXT, offsetof(type, member.ak) }

/* Connects. 0; -EINVAL with reason "usage"; or as config_load() and vtpm_context_open(). */
WARN_UNUSED int tpm_args_open(const TpmArgs *args, VtpmContext **ret, Error *e);

/* Where and which key, without connecting. @ret_tcti is owned by the caller, @ret_ak may be NULL. Return: as above. */
WARN_UNUSED int tpm_args_resolve(const TpmArgs *args, char **ret_tcti, VtpmAkSpec *ret_ak, Error *e);
