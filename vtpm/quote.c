/* SPDX-License-Identifier: Apache-2.0 */
#include "vtpm/quote.h"

#include <errno.h>
#include <string.h>

#include <tss2/tss2_mu.h>

#include "vtpm/ak.h"
#include "vtpm/attest.h"
#include "vtpm/esys.h"
#include "vtpm/pcr.h"
#include "vtpm/signature.h"

#define TRIES_MAX 5u /* keylime's figure; PCRs change a few times a boot */

void vtpm_quote_done(VtpmQuote *quote) {
        blob_done(&quote->attest);
        blob_done(&quote->signature);
        blob_done(&quote->ak);
}

static int check_request(const VtpmQuoteRequest *q, Error *e) {
        if (q->nonce_size < VTPM_NONCE_MIN || q->nonce_size > VTPM_NONCE_MAX)
                return error_set(e, -EINVAL, "nonce-size", "A nonce has %u to %u bytes, not %zu", VTPM_NONCE_MIN,
                                 VTPM_NONCE_MAX, q->nonce_size);
        return vtpm_pcr_selection_check(&q->pcrs, e);
}

static int store_answer(const TPM2B_ATTEST *attest, const TPMT_SIGNATURE *signature, VtpmQuote *to, Error *e) {
        uint8_t bytes[VTPM_SIGNATURE_SIZE_MAX];
        size_t size = 0;

        if (Tss2_MU_TPMT_SIGNATURE_Marshal(signature, bytes, sizeof(bytes), &size) != TSS2_RC_SUCCESS)
                return error_set(e, -EBADMSG, "tpm-bad-response", "TPM2_Quote: the signature cannot be encoded");
        blob_done(&to->attest);
        blob_done(&to->signature);
        if (blob_dup(attest->attestationData, attest->size, &to->attest) < 0 ||
            blob_dup(bytes, size, &to->signature) < 0)
                return error_oom(e);
        return 0;
}

static int ask(VtpmContext *ctx, ESYS_TR key, const VtpmQuoteRequest *q, VtpmQuote *to, Error *e) {
        AUTO_ESYS_FREE TPM2B_ATTEST *attest = NULL;
        AUTO_ESYS_FREE TPMT_SIGNATURE *signature = NULL;
        ESYS_CONTEXT *esys = vtpm_context_esys(ctx);
        TPM2B_DATA nonce = { .size = (uint16_t) q->nonce_size };
        TPMT_SIG_SCHEME own_scheme = { .scheme = TPM2_ALG_NULL }; /* an attestation key has one */
        TPML_PCR_SELECTION selection = vtpm_esys_selection(&q->pcrs);
        int r;

        (void) memcpy(nonce.buffer, q->nonce, q->nonce_size);
        r = VTPM_CALL(ctx, "TPM2_Quote",
                      Esys_Quote_Async(esys, key, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &nonce, &own_scheme,
                                       &selection),
                      Esys_Quote_Finish(esys, &attest, &signature), e);
        return r < 0 ? r : store_answer(attest, signature, to, e);
}

static bool same_selection(const VtpmPcrSelection *a, const VtpmPcrSelection *b) {
        if (a->n_banks != b->n_banks)
                return false;
        for (size_t i = 0; i < a->n_banks; i++)
                if (a->banks[i].hash != b->banks[i].hash || a->banks[i].mask != b->banks[i].mask)
                        return false;
        return true;
}

/* Is this an answer to @q? 0; 1 when only the PCR values have moved on; or negative errno. */
static int check_answer(const VtpmQuoteRequest *q, const VtpmQuote *quote, Error *e) {
        VtpmAttest attest;
        VtpmSignature signature;
        uint8_t digest[VTPM_DIGEST_MAX];
        int r;

        r = vtpm_attest_parse(quote->attest.data, quote->attest.size, &attest, e);
        if (r < 0)
                return r;
        r = vtpm_signature_parse(quote->signature.data, quote->signature.size, &signature, e);
        if (r < 0)
                return r;
        if (attest.extra_size != q->nonce_size || memcmp(attest.extra, q->nonce, q->nonce_size) != 0)
                return error_set(e, -EPROTO, "tpm-bad-quote", "The TPM quoted another nonce");
        if (!same_selection(&attest.selection, &q->pcrs))
                return error_set(e, -EPROTO, "tpm-bad-quote", "The TPM quoted other PCRs than asked for");
        r = vtpm_pcr_digest(&q->pcrs, quote->pcrs, quote->n_pcrs, signature.hash, digest, e);
        if (r < 0)
                return r;
        return attest.pcr_digest_size == vtpm_hash_size(signature.hash) &&
                       memcmp(attest.pcr_digest, digest, attest.pcr_digest_size) == 0
               ? 0 : 1;
}

static int quote_consistently(VtpmContext *ctx, ESYS_TR key, const VtpmQuoteRequest *q, VtpmQuote *to, Error *e) {
        for (unsigned i = 0; i < TRIES_MAX; i++) {
                int r;

                r = vtpm_pcr_read_selection(ctx, &q->pcrs, to->pcrs, e);
                if (r < 0)
                        return r;
                to->n_pcrs = q->pcrs.n_banks;
                r = ask(ctx, key, q, to, e);
                if (r < 0)
                        return r;
                r = check_answer(q, to, e);
                if (r <= 0)
                        return r;
        }
        return error_set(e, -EAGAIN, "pcr-unstable", "PCRs changed during each of %u quotes", TRIES_MAX);
}

int vtpm_quote_run(const VtpmQuoteRequest *request, VtpmQuote *ret, Error *e) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        AUTO_VTPM_HANDLE VtpmHandle key = VTPM_HANDLE_NONE;
        AUTO_VTPM_QUOTE VtpmQuote quote = {};
        int r;

        r = check_request(request, e);
        if (r < 0)
                return r;
        r = vtpm_context_open(request->tcti, request->deadline, &ctx, e);
        if (r < 0)
                return r;
        r = vtpm_ak_load(ctx, &request->ak, &key, &quote.ak, e);
        if (r < 0)
                return r;
        r = quote_consistently(ctx, key.tr, request, &quote, e);
        if (r < 0)
                return r;
        *ret = quote;
        quote = (VtpmQuote){};
        return 0;
}
