/* SPDX-License-Identifier: Apache-2.0 */
/* WIRE_SEAL and WIRE_UNSEAL. The secret comes in locked memory and leaves from there. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "agent/attester/handlers-internal.h"
#include "agent/wire/bodies-tpm.h"
#include "vtpm/seal.h"

static_assert(WIRE_SEAL_SECRET_MAX == VTPM_SEAL_SECRET_MAX && WIRE_SEALED_MAX == VTPM_SEALED_SIZE_MAX,
              "messages carry whole secrets and files");
static_assert(WIRE_SIGNATURES_MAX <= VTPM_POLICY_SIGNATURES_TEXT_MAX, "and policies that can be parsed");

int attester_handle_seal(Attester *a, const Blob *body, Blob *ret, Error *e) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        AUTO_VTPM_SEALED VtpmSealed sealed = {};
        AUTO_SECRET Secret secret = {};
        AUTO_BLOB Blob signer = {};
        VtpmSealRequest request;
        WireSealRequest q;
        int r;

        r = wire_seal_request_parse(body->data, body->size, &q, e);
        if (r == 0)
                r = attester_open_tpm(a, q.deadline_msec, &ctx, e);
        if (r == 0)
                r = secret_alloc(q.secret.size, &secret, e);
        if (r < 0)
                return r;
        (void) memcpy(secret.bytes, q.secret.data, q.secret.size);
        if (blob_dup(q.signer.data, q.signer.size, &signer) < 0)
                return error_oom(e);
        request = (VtpmSealRequest){
                .kind = signer.size > 0 ? VTPM_SEAL_SIGNED : VTPM_SEAL_PCR,
                .bank = q.bank,
                .pcr_mask = q.pcr_mask,
                .signer = signer.size > 0 ? &signer : NULL,
                .persistent = q.persistent,
                .salt_name = q.salt_name.size > 0 ? q.salt_name.data : NULL,
                .salt_name_size = q.salt_name.size,
        };
        r = vtpm_seal(ctx, &request, &secret, &sealed, e);
        if (r < 0)
                return r;
        return vtpm_sealed_encode(&sealed, ret) < 0 ? error_oom(e) : 0;
}

int attester_handle_unseal(Attester *a, const Blob *body, Secret *ret, Error *e) {
        AUTO_VTPM_POLICY_SIGNATURES VtpmPolicySignatures signatures = {};
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        AUTO_VTPM_SEALED VtpmSealed sealed = {};
        VtpmUnsealRequest request;
        WireUnsealRequest q;
        int r;

        r = wire_unseal_request_parse(body->data, body->size, &q, e);
        if (r == 0)
                r = vtpm_sealed_parse(q.sealed.data, q.sealed.size, &sealed, e);
        if (r == 0 && q.signatures.len > 0)
                r = vtpm_policy_signatures_parse(q.signatures.text, q.signatures.len, &signatures, e);
        if (r == 0)
                r = attester_open_tpm(a, q.deadline_msec, &ctx, e);
        if (r < 0)
                return r;
        request = (VtpmUnsealRequest){
                .signatures = q.signatures.len > 0 ? &signatures : NULL,
                .salt_name = q.salt_name.size > 0 ? q.salt_name.data : NULL,
                .salt_name_size = q.salt_name.size,
        };
        return vtpm_unseal(ctx, &sealed, &request, ret, e);
}
