/* SPDX-License-Identifier: Apache-2.0 */
/* WIRE_AZURE: the paravisor's report and a quote of its vTPM, over the same bytes and in one go. */
#include <assert.h>
#include <errno.h>

#include "agent/attester/handlers-internal.h"
#include "agent/wire/bodies-azure.h"
#include "vtpm/azure.h"
#include "vtpm/hcl.h"
#include "vtpm/nv.h"

static_assert(WIRE_NV_MAX == VTPM_NV_SIZE_MAX, "messages carry whole indices");
static_assert(WIRE_NONCE_MAX == VTPM_HCL_USER_DATA_SIZE, "a nonce fits into user data");

static int check_configured(const Attester *a, Error *e) {
        if (!a->config->tpm.tcti)
                return error_set(e, -ENODEV, "tpm-not-configured", "No TPM is configured");
        return 0;
}

int attester_azure_check(const Attester *a, Error *e) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        uint32_t type = 0;
        int r;

        r = check_configured(a, e);
        if (r == 0)
                r = vtpm_context_open(a->config->tpm.tcti, deadline_in(a->config->attester.request_timeout_usec), &ctx,
                                      e);
        if (r == 0)
                r = vtpm_azure_detect(ctx, &type, e);
        if (r < 0)
                return r;
        if (type != VTPM_HCL_SNP)
                return error_set(e, -ENODEV, "azure-absent", "The TPM has no paravisor's report of SNP, but %s",
                                 type ? vtpm_hcl_type_name(type) : "none");
        return 0;
}

static int encode(const VtpmAzureEvidence *evidence, Blob *ret, Error *e) {
        WireAzureAnswer answer = {
                .hcl = { .data = evidence->hcl.data, .size = evidence->hcl.size },
                .ak_cert = { .data = evidence->ak_cert.data, .size = evidence->ak_cert.size },
                .quote = attester_quote_answer(&evidence->quote),
        };
        int r = wire_azure_answer_encode(&answer, ret);

        if (r == -E2BIG)
                return error_set(e, r, "quote-too-large", "The TPM's quote or the paravisor's report is too large");
        return r < 0 ? error_oom(e) : 0;
}

int attester_handle_azure(Attester *a, const Blob *body, Blob *ret, Error *e) {
        AUTO_VTPM_AZURE_EVIDENCE VtpmAzureEvidence evidence = {};
        VtpmAzureRequest request;
        WireQuoteRequest q;
        int r;

        r = wire_quote_request_parse(body->data, body->size, &q, e);
        if (r == 0)
                r = check_configured(a, e);
        if (r < 0)
                return r;
        request = (VtpmAzureRequest){
                .tcti = a->config->tpm.tcti,
                .nonce = q.nonce,
                .nonce_size = q.nonce_size,
                .bank = q.bank,
                .pcr_mask = q.pcr_mask,
                .deadline = attester_deadline(a, q.deadline_msec),
        };
        r = vtpm_azure_evidence_run(&request, &evidence, e);
        return r < 0 ? r : encode(&evidence, ret, e);
}
