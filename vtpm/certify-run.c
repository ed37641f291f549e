/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include <tss2/tss2_mu.h>

#include "vtpm/ak.h"
#include "vtpm/certify.h"
#include "vtpm/signature.h"
#include "vtpm/verify.h"

void vtpm_certification_done(VtpmCertification *c) {
        blob_done(&c->attest);
        blob_done(&c->signature);
        blob_done(&c->by);
        blob_done(&c->public);
}

static int store(const TPM2B_ATTEST *attest, const TPMT_SIGNATURE *signature, VtpmCertification *to, Error *e) {
        uint8_t bytes[VTPM_SIGNATURE_SIZE_MAX];
        size_t size = 0;

        if (Tss2_MU_TPMT_SIGNATURE_Marshal(signature, bytes, sizeof(bytes), &size) != TSS2_RC_SUCCESS)
                return error_set(e, -EBADMSG, "tpm-bad-response", "TPM2_Certify: the signature cannot be encoded");
        if (blob_dup(attest->attestationData, attest->size, &to->attest) < 0 ||
            blob_dup(bytes, size, &to->signature) < 0)
                return error_oom(e);
        return 0;
}

static int ask(VtpmContext *ctx, ESYS_TR by, ESYS_TR what, VtpmBytes nonce, VtpmCertification *ret, Error *e) {
        static const TPMT_SIG_SCHEME own_scheme = { .scheme = TPM2_ALG_NULL }; /* an attestation key has one */
        AUTO_ESYS_FREE TPM2B_ATTEST *attest = NULL;
        AUTO_ESYS_FREE TPMT_SIGNATURE *signature = NULL;
        TPM2B_DATA data = { .size = (uint16_t) nonce.size };
        ESYS_CONTEXT *esys = vtpm_context_esys(ctx);
        int r;

        (void) memcpy(data.buffer, nonce.data, nonce.size);
        r = VTPM_CALL(ctx, "TPM2_Certify",
                      Esys_Certify_Async(esys, what, by, ESYS_TR_PASSWORD, ESYS_TR_PASSWORD, ESYS_TR_NONE, &data,
                                         &own_scheme),
                      Esys_Certify_Finish(esys, &attest, &signature), e);
        return r < 0 ? r : store(attest, signature, ret, e);
}

int vtpm_certify(VtpmContext *ctx, const VtpmAkSpec *by, const VtpmAkSpec *what, VtpmBytes nonce,
                 VtpmCertification *ret, Error *e) {
        AUTO_VTPM_CERTIFICATION VtpmCertification c = {};
        AUTO_VTPM_HANDLE VtpmHandle signer = VTPM_HANDLE_NONE;
        AUTO_VTPM_HANDLE VtpmHandle key = VTPM_HANDLE_NONE;
        int r;

        if (nonce.size < VTPM_NONCE_MIN || nonce.size > VTPM_NONCE_MAX)
                return error_set(e, -EINVAL, "nonce-size", "A nonce has %u to %u bytes, not %zu", VTPM_NONCE_MIN,
                                 VTPM_NONCE_MAX, nonce.size);
        r = vtpm_ak_load(ctx, by, &signer, &c.by, e);
        if (r == 0)
                r = vtpm_ak_load(ctx, what, &key, &c.public, e);
        if (r == 0)
                r = ask(ctx, signer.tr, key.tr, nonce, &c, e);
        if (r < 0)
                return r;
        *ret = c;
        c = (VtpmCertification){};
        return 0;
}
