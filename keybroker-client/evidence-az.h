/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Evidence of TEE type "az-snp-vtpm", version 2, as Trustee's verifier takes it: the paravisor's report with the SNP
 * report in it, a quote by the vTPM's attestation key, and the chip's VCEK. The challenge is the digest of the runtime
 * data as it is, without padding: as the quote's nonce, and as user data in the report's claims.
 */

#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "keybroker-client/client.h"
#include "vtpm/pcr_values.h"

#define KBC_TEE_AZ_SNP_VTPM "az-snp-vtpm"

/* All borrowed. */
typedef struct KbcAzEvidence {
        const void *hcl; /* content of the paravisor's NV index, see vtpm/hcl.h */
        size_t hcl_size;
        const void *attest; /* TPMS_ATTEST */
        size_t attest_size;
        const void *signature; /* TPMT_SIGNATURE: RSASSA with SHA-256, the only one that the format can carry */
        size_t signature_size;
        const VtpmPcrValues *pcrs; /* PCRs 0 to 23 of the SHA-256 bank */
        const void *vcek;          /* DER; the format has no place for "none" */
        size_t vcek_size;
} KbcAzEvidence;

/**
 * kbc_evidence_az() - build the primary evidence
 * @ret_warnings: KBC_EVIDENCE_WARN_* bits; may be NULL
 *
 * Return: 0; -EOPNOTSUPP no report of SNP ("hcl-not-snp") or another kind of quote ("quote-scheme", "quote-pcrs");
 * -ENOENT no VCEK ("no-certificate"); as vtpm_hcl_parse(), vtpm_signature_parse() and snp_report_parse(); -E2BIG;
 * -ENOMEM.
 */
WARN_UNUSED int kbc_evidence_az(const KbcAzEvidence *in, KbcEvidence *ret, unsigned *ret_warnings, Error *e);
