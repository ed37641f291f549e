/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Whether a TPM is this confidential machine's own. A quote proves what some TPM holds; it is evidence about the machine
 * only when an SNP report vouches for that TPM's key. Two platforms do that: Azure's paravisor puts a digest of claims
 * with the attestation key into REPORT_DATA, and an SVSM puts a digest of its vTPM's endorsement key there. Elsewhere
 * (plain QEMU, Google, AWS) the host runs the TPM, and its quotes are the host's word.
 *
 * This room knows no reports: REPORT_DATA and VMPL come from the caller, who has verified the report.
 */

#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

#define VTPM_REPORT_DATA_SIZE 64u /* of an SNP report */

typedef enum VtpmBindingKind {
        VTPM_BINDING_NONE = 0, /* the host's word */
        VTPM_BINDING_HCL,      /* Azure: AK in the runtime claims, their SHA-256 in REPORT_DATA */
        VTPM_BINDING_SVSM,     /* EK is the vTPM service's manifest, bound by SHA-512(nonce || manifest) */
} VtpmBindingKind;

/* Zero-initialised memory means "not bound". */
typedef struct VtpmBinding {
        VtpmBindingKind kind;
        const char *why; /* static sentence: why it is not bound, or by what it is */
} VtpmBinding;

/* "none", "azure-hcl", "svsm-ek". */
const char *vtpm_binding_name(VtpmBindingKind kind);
