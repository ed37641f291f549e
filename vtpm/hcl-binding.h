/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The binding of Azure's vTPM to the chip: REPORT_DATA of the SNP report is the digest of the runtime claims, and these
 * name the attestation key. Source: openvmm, openhcl/underhill_attestation/src/igvm_attest/mod.rs.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "vtpm/binding.h"
#include "vtpm/hcl-claims.h"
#include "vtpm/hcl.h"

/* All borrowed. */
typedef struct VtpmHclWitness {
        const VtpmHcl *hcl;
        const uint8_t *report_data; /* VTPM_REPORT_DATA_SIZE bytes of the report in hcl->report, which was verified */
        uint32_t vmpl;              /* of the same */
        const void *ak; /* TPMT_PUBLIC of the key whose quotes are to be believed; NULL: the claims' own is taken */
        size_t ak_size;
} VtpmHclWitness;

/**
 * vtpm_hcl_bind() - is this key the one that the report vouches for?
 * @ret_claims:  may be NULL; set when the claims' digest holds and they can be read
 * @ret:         always set; VTPM_BINDING_HCL or, with the reason in words, VTPM_BINDING_NONE
 *
 * The digest of the claims must fill REPORT_DATA from its beginning, with zeros behind it. The paravisor asks for its
 * report at VMPL 0; any other level could be a guest's own request with REPORT_DATA of its choosing. The claims are
 * read only after all that.
 *
 * Return: 0 bound; -EOPNOTSUPP no report of SNP ("hcl-not-snp"); -EKEYREJECTED level ("hcl-vmpl"), digest
 * ("hcl-digest"), zeros ("hcl-report-data") or key ("hcl-ak"); or as vtpm_hcl_claims_parse() and vtpm_public_parse().
 */
WARN_UNUSED int vtpm_hcl_bind(const VtpmHclWitness *witness, VtpmHclClaims *ret_claims, VtpmBinding *ret, Error *e);
