/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Azure's confidential VMs: the guest runs below a paravisor and has no way to the secure processor. The paravisor asks
 * for the SNP report and leaves it in its vTPM, together with claims that the report vouches for (vtpm/hcl.h). What the
 * guest writes into one NV index becomes part of the claims the next time they are made.
 * Source: openvmm, vm/devices/tpm/tpm_device/src/lib.rs and tpm_protocol/src/lib.rs.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/error.h"
#include "vtpm/context.h"
#include "vtpm/hcl-claims.h"
#include "vtpm/quote.h"

#define VTPM_AZURE_NV_REPORT 0x01400001u
#define VTPM_AZURE_NV_USER_DATA 0x01400002u
#define VTPM_AZURE_NV_AK_CERT 0x01C101D0u
#define VTPM_AZURE_AK 0x81000003u

/*
 * The paravisor makes a new report when the index is read from its beginning, but at most every two seconds; a read in
 * between silently gives the old one. This is how long to let it be, with some room for its clock.
 */
#define VTPM_AZURE_WINDOW_USEC (2100 * USEC_PER_MSEC)

/**
 * vtpm_azure_detect() - is there a paravisor, and what does it report with?
 * @ret_type: VtpmHclType, or 0: this TPM is not an Azure CVM's, which is no error
 */
WARN_UNUSED int vtpm_azure_detect(VtpmContext *ctx, uint32_t *ret_type, Error *e);

typedef struct VtpmAzureAsked {
        const void *user_data; /* borrowed; what the claims shall say, filled up with zeros */
        size_t size;           /* 1 to VTPM_HCL_USER_DATA_SIZE */
        uint64_t window_usec;  /* 0: VTPM_AZURE_WINDOW_USEC */
        Deadline deadline;
} VtpmAzureAsked;

/**
 * vtpm_azure_report() - have the paravisor say something, with a report made for it
 * @ret:  content of the index, as vtpm_hcl_parse() takes it
 *
 * Writes, reads, compares; when the claims say something else, waits until the paravisor may make a new report, and
 * tries again, a few times. A report that changed while it was read does not hold together and is read again. The
 * index for user data is made when it is not there, and made anew when it is of another size.
 *
 * That the report is signed, and by whom, is for the verifier.
 *
 * Return: 0; -ENODEV no paravisor here ("azure-absent"); -EOPNOTSUPP its report is not of SNP ("hcl-not-snp"), or its
 * firmware takes no user data ("azure-no-user-data"); -ESTALE it never said what it was asked to ("azure-stale");
 * -EAGAIN the report would not hold still ("azure-torn"); -EACCES the owner has a password; -EINVAL @asked;
 * -ETIMEDOUT; or as vtpm_nv_read(), vtpm_hcl_parse() and vtpm_hcl_claims_parse().
 */
WARN_UNUSED int vtpm_azure_report(VtpmContext *ctx, const VtpmAzureAsked *asked, Blob *ret, Error *e);

typedef struct VtpmAzureEvidence {
        Blob hcl;        /* see vtpm_azure_report() */
        VtpmQuote quote; /* by the key of the claims, over the same bytes */
        Blob ak_cert;    /* DER; empty when there is none yet: the paravisor gets it some time after boot */
} VtpmAzureEvidence;
void vtpm_azure_evidence_done(VtpmAzureEvidence *evidence);
#define AUTO_VTPM_AZURE_EVIDENCE CLEANUP(vtpm_azure_evidence_done)

typedef struct VtpmAzureRequest {
        const char *tcti;     /* see vtpm_context_open() */
        const uint8_t *nonce; /* borrowed; user data of the claims and nonce of the quote */
        size_t nonce_size;    /* VTPM_NONCE_MIN to VTPM_NONCE_MAX */
        uint16_t bank;        /* VTPM_ALG_SHA* */
        uint32_t pcr_mask;
        uint64_t window_usec; /* as in VtpmAzureAsked */
        Deadline deadline;
} VtpmAzureRequest;

/**
 * vtpm_azure_evidence_run() - open the TPM, get report and quote over the same bytes, leave it as it was
 *
 * Return: 0; -EKEYREJECTED the TPM's attestation key is not the one in the claims ("hcl-ak"); or as
 * vtpm_azure_report() and vtpm_quote_run().
 */
WARN_UNUSED int vtpm_azure_evidence_run(const VtpmAzureRequest *request, VtpmAzureEvidence *ret, Error *e);
