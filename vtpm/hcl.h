/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The report that Azure's paravisor ("host compatibility layer", HCL; OpenHCL) keeps in an NV index of its vTPM: a
 * hardware report and the runtime claims whose digest that report carries. Little-endian.
 * Source: openvmm, openhcl/openhcl_attestation_protocol/src/igvm_attest/get.rs ("IgvmAttestRequestHeader",
 * "IgvmAttestRequestData").
 *
 * Nothing of the frame is measured. It serves to find the hardware report, which is signed by AMD's chip, and the
 * claims, whose digest is in there: see vtpm/hcl-binding.h.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

#define VTPM_HCL_REPORT_OFFSET 0x20u  /* of the hardware report's slot */
#define VTPM_HCL_REPORT_SIZE 0x4A0u   /* of the slot: that of an SNP report; a shorter report is followed by zeros */
/* Fields of an SNP report, for those who do not verify it: AMD publication 56860, table ATTESTATION_REPORT. */
#define VTPM_HCL_SNP_VMPL_AT 0x30u
#define VTPM_HCL_SNP_REPORT_DATA_AT 0x50u
#define VTPM_HCL_CLAIMS_OFFSET 0x4D4u
#define VTPM_HCL_CLAIMS_MAX (64u * 1024u) /* 1,110 bytes as of 2025; NV indices have less than 16 KiB */

/* IgvmAttestReportType */
typedef enum VtpmHclType {
        VTPM_HCL_VBS = 1, /* no report of AMD's or Intel's: the hypervisor's word */
        VTPM_HCL_SNP = 2,
        VTPM_HCL_TVM = 3, /* trusted launch: no hardware report at all */
        VTPM_HCL_TDX = 4,
        VTPM_HCL_CCA = 5,
} VtpmHclType;

typedef struct VtpmHcl {
        uint32_t version;      /* of the header; 1 and 2 are alike */
        uint32_t type;         /* VtpmHclType, or one that came later */
        uint16_t hash;         /* VTPM_ALG_SHA256, _SHA384 or _SHA512: what the claims' digest is made with */
        const uint8_t *report; /* VTPM_HCL_REPORT_SIZE bytes, borrowed from the input */
        const uint8_t *claims; /* JSON text, borrowed from the input; exactly these bytes are hashed */
        size_t claims_size;
} VtpmHcl;

/**
 * vtpm_hcl_parse() - find the parts
 * @data:  the NV index, or a file of its content: padding behind the claims is not looked at
 *
 * Return: 0; -EBADMSG no such report ("hcl-magic"), or one that is cut or contradicts itself; -E2BIG claims beyond
 * VTPM_HCL_CLAIMS_MAX; -EOPNOTSUPP another version of the request ("hcl-version") or hash ("hcl-hash").
 */
WARN_UNUSED int vtpm_hcl_parse(const void *data, size_t size, VtpmHcl *ret, Error *e);

/* True when @data starts as an HCL report does; for telling kinds of files apart. */
bool vtpm_hcl_is(const void *data, size_t size);

/* "SNP", "TDX", "VBS", "TVM", "CCA", or "unknown". */
const char *vtpm_hcl_type_name(uint32_t type);
