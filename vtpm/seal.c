/* SPDX-License-Identifier: Apache-2.0 */
#include "vtpm/seal.h"

#include <errno.h>
#include <string.h>

#include <tss2/tss2_mu.h>

#include "vtpm/pcr.h"
#include "vtpm/public.h"
#include "vtpm/session.h"
#include "vtpm/storage.h"

static int bad_request(const char *why, Error *e) {
        return error_set(e, -EINVAL, "seal-request", "Cannot seal: %s", why);
}

static int check_request(const VtpmSealRequest *q, const Secret *secret, Error *e) {
        VtpmPcrSelection selection = { .n_banks = 1, .banks[0] = { .hash = q->bank, .mask = q->pcr_mask } };
        int r;

        if (!q->persistent)
                return error_set(e, -EOPNOTSUPP, "tpm-not-persistent",
                                 "This TPM does not keep its seeds across reboots: what it seals would be lost");
        if (secret->len == 0 || secret->len > VTPM_SEAL_SECRET_MAX)
                return error_set(e, -EINVAL, "seal-size", "1 to %u bytes can be sealed, not %zu", VTPM_SEAL_SECRET_MAX,
                                 secret->len);
        r = vtpm_pcr_selection_check(&selection, e);
        if (r < 0)
                return r;
        if (!vtpm_hash_is_sound(q->bank))
                return bad_request("PCRs of a SHA-1 bank prove nothing", e);
        if (q->kind != VTPM_SEAL_PCR && q->kind != VTPM_SEAL_SIGNED)
                return bad_request("no policy is chosen", e);
        if ((q->kind == VTPM_SEAL_SIGNED) != (q->signer != NULL))
                return bad_request("a signed policy, and only that, needs the key that signs", e);
        if (q->pcrs && (q->kind != VTPM_SEAL_PCR || q->pcrs->hash != q->bank || q->pcrs->mask != q->pcr_mask))
                return bad_request("the PCR values given are not of the PCRs chosen", e);
        return 0;
}

static int describe(VtpmContext *ctx, const VtpmSealRequest *q, VtpmSealed *ret, Error *e) {
        ret->kind = q->kind;
        if (q->signer && blob_dup(q->signer->data, q->signer->size, &ret->signer) < 0)
                return error_oom(e);
        if (q->pcrs) {
                ret->pcrs = *q->pcrs;
                return 0;
        }
        return vtpm_pcr_read(ctx, q->bank, q->pcr_mask, &ret->pcrs, e);
}

/* The first that this TPM can make. */
static int load_parent(VtpmContext *ctx, uint16_t *ret_type, VtpmHandle *ret, Error *e) {
        Error why = {};
        int r;

        *ret_type = VTPM_ALG_ECC;
        r = vtpm_storage_primary(ctx, VTPM_ALG_ECC, ret, &why);
        if (r == -EOPNOTSUPP) {
                *ret_type = VTPM_ALG_RSA;
                return vtpm_storage_primary(ctx, VTPM_ALG_RSA, ret, e);
        }
        return r < 0 ? error_set(e, r, error_reason(&why, r), "%s", error_text(&why, r)) : 0;
}

static int template_of(const VtpmSealed *s, TPM2B_PUBLIC *ret, Error *e) {
        AUTO_BLOB Blob template = {};
        VtpmPolicy policy;
        size_t done = 0;
        int r;

        r = vtpm_sealed_policy(s, &policy, e);
        if (r < 0)
                return r;
        if (vtpm_sealed_template(&policy, &template) < 0)
                return error_oom(e);
        if (Tss2_MU_TPMT_PUBLIC_Unmarshal(template.data, template.size, &done, &ret->publicArea) != TSS2_RC_SUCCESS)
                return error_set(e, -EIO, "seal-template", "The template of a sealed object cannot be decoded");
        return 0;
}

static int store(const TPM2B_PRIVATE *private, const TPM2B_PUBLIC *public, VtpmSealed *to, Error *e) {
        uint8_t bytes[VTPM_PUBLIC_SIZE_MAX];
        size_t size = 0;

        if (private->size > VTPM_SEALED_PRIVATE_MAX ||
            Tss2_MU_TPMT_PUBLIC_Marshal(&public->publicArea, bytes, sizeof(bytes), &size) != TSS2_RC_SUCCESS)
                return error_set(e, -EBADMSG, "tpm-bad-response", "TPM2_Create: the sealed object is too large");
        if (blob_dup(private->buffer, private->size, &to->private) < 0 || blob_dup(bytes, size, &to->public) < 0)
                return error_oom(e);
        return vtpm_sealed_check(to, e);
}

static int create(VtpmContext *ctx, ESYS_TR session, const Secret *secret, VtpmSealed *s, Error *e) {
        static const TPM2B_DATA no_data = {};
        static const TPML_PCR_SELECTION no_pcrs = {};
        AUTO_VTPM_HANDLE VtpmHandle parent = VTPM_HANDLE_NONE;
        AUTO_ESYS_FREE TPM2B_PRIVATE *private = NULL;
        AUTO_ESYS_FREE TPM2B_PUBLIC *public = NULL;
        AUTO_SECRET Secret memory = {};
        ESYS_CONTEXT *esys = vtpm_context_esys(ctx);
        TPM2B_SENSITIVE_CREATE *in;
        TPM2B_PUBLIC template = {};
        int r;

        r = template_of(s, &template, e);
        if (r == 0)
                r = load_parent(ctx, &s->parent, &parent, e);
        if (r == 0)
                r = secret_alloc(sizeof(*in), &memory, e);
        if (r < 0)
                return r;
        in = (TPM2B_SENSITIVE_CREATE *) (void *) memory.bytes; /* the start of a page */
        in->sensitive.data.size = (uint16_t) secret->len;
        (void) memcpy(in->sensitive.data.buffer, secret->bytes, secret->len);
        r = VTPM_CALL(ctx, "TPM2_Create",
                      Esys_Create_Async(esys, parent.tr, session, ESYS_TR_NONE, ESYS_TR_NONE, in, &template, &no_data,
                                        &no_pcrs),
                      Esys_Create_Finish(esys, &private, &public, NULL, NULL, NULL), e);
        vtpm_burn_stack();
        return r < 0 ? r : store(private, public, s, e);
}

/* It opens: the TPM itself has said, in a session nobody else can answer in, that the PCRs are as described. */
static int prove(VtpmContext *ctx, const VtpmSealRequest *q, const VtpmSealed *s, const Secret *secret, Error *e) {
        VtpmUnsealRequest u = { .salt_name = q->salt_name, .salt_name_size = q->salt_name_size };
        AUTO_SECRET Secret again = {};
        int r;

        r = vtpm_unseal(ctx, s, &u, &again, e);
        if (r < 0) {
                error_prefix(e, "What was sealed does not open");
                return r;
        }
        if (!secret_equal(&again, secret))
                return error_set(e, -EKEYREJECTED, "seal-unproven", "The TPM gave back something else than was sealed");
        return 0;
}

int vtpm_seal(VtpmContext *ctx, const VtpmSealRequest *request, const Secret *secret, VtpmSealed *ret, Error *e) {
        VtpmSaltKey salt = { .name = request->salt_name, .name_size = request->salt_name_size };
        AUTO_VTPM_HANDLE VtpmHandle session = VTPM_HANDLE_NONE;
        AUTO_VTPM_SEALED VtpmSealed s = {};
        int r;

        r = check_request(request, secret, e);
        if (r == 0)
                r = vtpm_session_start(ctx, VTPM_SESSION_HMAC, &salt, &session, e);
        if (r == 0)
                r = describe(ctx, request, &s, e);
        if (r == 0)
                r = create(ctx, session.tr, secret, &s, e);
        if (r == 0 && request->kind == VTPM_SEAL_PCR && !request->pcrs)
                r = prove(ctx, request, &s, secret, e);
        if (r < 0)
                return r;
        *ret = s;
        s = (VtpmSealed){};
        return 0;
}
