/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Which attestation key to use, as configuration says it. */

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

typedef enum VtpmAkKind {
        VTPM_AK_RSASSA, /* RSA-2048, RSASSA, SHA-256: what the clouds use, and every verifier knows */
        VTPM_AK_RSAPSS,
        VTPM_AK_ECDSA_P256, /* with SHA-256 */
        VTPM_AK_ECDSA_P384, /* with SHA-384 */
        VTPM_AK_PERSISTENT, /* already in the TPM */
        VTPM_AK_AZURE,      /* the paravisor's, persistent at 0x81000003 */
        VTPM_AK_GCP_RSA,    /* a primary key by Google's template in NV */
        VTPM_AK_GCP_ECC,
        VTPM_AK_AUTO,       /* the platform's where there is one, else RSASSA */
} VtpmAkKind;

typedef struct VtpmAkSpec {
        VtpmAkKind kind;
        bool owner;      /* primary key of the owner hierarchy; its quotes disguise the reset counters */
        uint32_t handle; /* VTPM_AK_PERSISTENT: 0x81000000 to 0x81ffffff */
} VtpmAkSpec;

/**
 * vtpm_ak_spec_parse() - from text
 *
 * "rsassa", "rsapss", "ecdsa-p256", "ecdsa-p384": a primary key of the endorsement hierarchy, or, with
 * "owner:" in front, of the owner hierarchy. "0x81000003": a persistent key. "azure", "gcp-rsa", "gcp-ecc": what that
 * cloud has put there. "auto": see vtpm_ak_detect(). 0 or -EINVAL.
 */
WARN_UNUSED int vtpm_ak_spec_parse(const char *text, VtpmAkSpec *ret, Error *e);
