/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One attempt is a salted policy session, the object loaded under its parent, the policy commands, TPM2_Unseal. Each
 * answers 0, a negative errno, or AGAIN: a PCR has changed meanwhile, and all of it is done anew.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <tss2/tss2_mu.h>

#include "vtpm/pcr.h"
#include "vtpm/public.h"
#include "vtpm/object.h"
#include "vtpm/rc.h"
#include "vtpm/seal.h"
#include "vtpm/session.h"
#include "vtpm/storage.h"

#define AGAIN 1
#define TRIES_MAX 5u /* PCRs change a few times a boot, not all the time */
#define MASK_TEXT_MAX (VTPM_N_PCRS * 4u + 1u)

static int load_object(VtpmContext *ctx, const VtpmSealed *s, VtpmHandle *ret, Error *e) {
        AUTO_VTPM_HANDLE VtpmHandle parent = VTPM_HANDLE_NONE;
        TPM2B_PRIVATE private = { .size = (uint16_t) s->private.size };
        ESYS_CONTEXT *esys = vtpm_context_esys(ctx);
        ESYS_TR tr = ESYS_TR_NONE;
        TPM2B_PUBLIC public = {};
        size_t done = 0;
        Error why = {};
        TSS2_RC rc;
        int r;

        if (s->private.size > sizeof(private.buffer) ||
            Tss2_MU_TPMT_PUBLIC_Unmarshal(s->public.data, s->public.size, &done, &public.publicArea) != TSS2_RC_SUCCESS)
                return error_set(e, -EBADMSG, "sealed-object", "The sealed object cannot be decoded");
        (void) memcpy(private.buffer, s->private.data, s->private.size);
        r = vtpm_storage_primary(ctx, s->parent, &parent, e);
        if (r < 0)
                return r;
        r = VTPM_CALL_RC(ctx, "TPM2_Load",
                         Esys_Load_Async(esys, parent.tr, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &private,
                                         &public),
                         Esys_Load_Finish(esys, &tr), &rc, &why);
        if (r < 0 && vtpm_rc_is(rc, TPM2_RC_INTEGRITY))
                return error_set(e, -EKEYREJECTED, "sealed-foreign",
                                 "This was sealed by another TPM, or before this one was cleared, or it was altered");
        if (r < 0)
                return error_set(e, r, error_reason(&why, r), "%s", error_text(&why, r));
        *ret = (VtpmHandle){ .ctx = ctx, .tr = tr };
        return 0;
}

/* ---- what has changed ---- */

static uint32_t changed(const VtpmPcrValues *then, const VtpmPcrValues *now) {
        size_t size = vtpm_hash_size(then->hash);
        uint32_t mask = 0;

        for (unsigned i = 0; i < VTPM_N_PCRS; i++)
                if (then->mask >> i & 1 && memcmp(then->values[i], now->values[i], size) != 0)
                        mask |= 1u << i;
        return mask;
}

static const char *mask_text(uint32_t mask, char ret[static MASK_TEXT_MAX]) {
        size_t n = 0;

        ret[0] = '\0';
        for (unsigned i = 0; i < VTPM_N_PCRS; i++)
                if (mask >> i & 1)
                        n += (size_t) snprintf(ret + n, MASK_TEXT_MAX - n, "%s%u", n ? ", " : "", i);
        return ret;
}

/* The TPM refuses. Which PCRs it is, or AGAIN when by now none of them is different. */
static int explain(VtpmContext *ctx, const VtpmSealed *s, Error *e) {
        char text[MASK_TEXT_MAX];
        VtpmPcrValues now;
        uint32_t mask;
        int r;

        r = vtpm_pcr_read(ctx, s->pcrs.hash, s->pcrs.mask, &now, e);
        if (r < 0)
                return r;
        mask = changed(&s->pcrs, &now);
        if (mask == 0)
                return AGAIN;
        return error_set(e, -EKEYREJECTED, "pcr-policy",
                         "PCRs of the %s bank are not what they were when this was sealed: %s",
                         vtpm_hash_name(s->pcrs.hash), mask_text(mask, text));
}

/* ---- policies ---- */

static int policy_pcr(VtpmContext *ctx, ESYS_TR session, const VtpmSealed *s, Error *e) {
        static const TPM2B_DIGEST as_they_are = {};
        TPML_PCR_SELECTION selection = {
                .count = 1,
                .pcrSelections[0] = {
                        .hash = s->pcrs.hash,
                        .sizeofSelect = VTPM_PCR_SELECT_SIZE,
                        .pcrSelect = { (uint8_t) s->pcrs.mask, (uint8_t) (s->pcrs.mask >> 8),
                                       (uint8_t) (s->pcrs.mask >> 16) },
                },
        };
        ESYS_CONTEXT *esys = vtpm_context_esys(ctx);

        return VTPM_CALL(ctx, "TPM2_PolicyPCR",
                         Esys_PolicyPCR_Async(esys, session, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &as_they_are,
                                              &selection),
                         Esys_PolicyPCR_Finish(esys), e);
}

/* The signature for the PCRs as they are, verified. */
static int find_signature(VtpmContext *ctx, const VtpmSealed *s, const VtpmUnsealRequest *q,
                          const VtpmPolicySignature **ret, Error *e) {
        VtpmPcrSelection selection = { .n_banks = 1, .banks[0] = { .hash = s->pcrs.hash, .mask = s->pcrs.mask } };
        const VtpmPolicySignature *found;
        char text[MASK_TEXT_MAX];
        VtpmPcrValues now;
        VtpmPolicy policy;
        int r;

        if (!q->signatures)
                return error_set(e, -EINVAL, "policy-signatures",
                                 "This opens under a signed policy, and none is given");
        r = vtpm_pcr_read(ctx, s->pcrs.hash, s->pcrs.mask, &now, e);
        if (r == 0)
                r = vtpm_policy_init(VTPM_ALG_SHA256, &policy, e);
        if (r == 0)
                r = vtpm_policy_pcr(&policy, &selection, &now, 1, e);
        if (r < 0)
                return r;
        found = vtpm_policy_signatures_find(q->signatures, &s->signer, s->pcrs.hash, s->pcrs.mask, policy.digest);
        if (!found) {
                uint32_t mask = changed(&s->pcrs, &now);

                return error_set(e, -EKEYREJECTED, "pcr-policy", "Nobody has signed a policy for the values that PCRs "
                                 "of the %s bank have now; different from when this was sealed: %s",
                                 vtpm_hash_name(s->pcrs.hash), mask ? mask_text(mask, text) : "none");
        }
        *ret = found;
        return vtpm_policy_signature_verify(found, &s->signer, e);
}

/* The key, in the owner hierarchy, so that the TPM makes a ticket for its signatures. */
static int load_signer(VtpmContext *ctx, const Blob *signer, VtpmHandle *ret, Error *e) {
        ESYS_CONTEXT *esys = vtpm_context_esys(ctx);
        ESYS_TR tr = ESYS_TR_NONE;
        TPM2B_PUBLIC public = {};
        size_t done = 0;
        int r;

        if (Tss2_MU_TPMT_PUBLIC_Unmarshal(signer->data, signer->size, &done, &public.publicArea) != TSS2_RC_SUCCESS)
                return error_set(e, -EBADMSG, "policy-key", "The key that signs policies cannot be decoded");
        r = VTPM_CALL(ctx, "TPM2_LoadExternal",
                      Esys_LoadExternal_Async(esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, NULL, &public,
                                              ESYS_TR_RH_OWNER),
                      Esys_LoadExternal_Finish(esys, &tr), e);
        if (r == 0)
                *ret = (VtpmHandle){ .ctx = ctx, .tr = tr };
        return r;
}

static int verify_in_tpm(VtpmContext *ctx, const VtpmSealed *s, const VtpmPolicySignature *p, TPMT_TK_VERIFIED **ret,
                         Error *e) {
        AUTO_VTPM_HANDLE VtpmHandle key = VTPM_HANDLE_NONE;
        TPMT_SIGNATURE sig = {
                .sigAlg = TPM2_ALG_RSASSA,
                .signature.rsassa = { .hash = TPM2_ALG_SHA256, .sig.size = (uint16_t) p->signature.size },
        };
        TPM2B_DIGEST digest = { .size = 32 };
        ESYS_CONTEXT *esys = vtpm_context_esys(ctx);
        int r;

        (void) memcpy(sig.signature.rsassa.sig.buffer, p->signature.data, p->signature.size); /* verified: it fits */
        r = vtpm_hash_bytes(VTPM_ALG_SHA256, p->policy, sizeof(p->policy), digest.buffer, e);
        if (r == 0)
                r = load_signer(ctx, &s->signer, &key, e);
        if (r < 0)
                return r;
        return VTPM_CALL(ctx, "TPM2_VerifySignature",
                         Esys_VerifySignature_Async(esys, key.tr, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &digest,
                                                    &sig),
                         Esys_VerifySignature_Finish(esys, ret), e);
}

static int policy_signed(VtpmContext *ctx, ESYS_TR session, const VtpmSealed *s, const VtpmUnsealRequest *q, Error *e) {
        AUTO_ESYS_FREE TPMT_TK_VERIFIED *ticket = NULL;
        static const TPM2B_NONCE no_ref = {};
        const VtpmPolicySignature *p = NULL;
        TPM2B_DIGEST approved = { .size = 32 };
        ESYS_CONTEXT *esys = vtpm_context_esys(ctx);
        TPM2B_NAME signer = {};
        Error why = {};
        VtpmName name;
        TSS2_RC rc;
        int r;

        r = find_signature(ctx, s, q, &p, e);
        if (r == 0)
                r = verify_in_tpm(ctx, s, p, &ticket, e);
        if (r == 0)
                r = vtpm_name_of(s->signer.data, s->signer.size, &name, e);
        if (r == 0)
                r = policy_pcr(ctx, session, s, e);
        if (r < 0)
                return r;
        signer.size = (uint16_t) name.size;
        (void) memcpy(signer.name, name.bytes, name.size);
        (void) memcpy(approved.buffer, p->policy, sizeof(p->policy));
        r = VTPM_CALL_RC(ctx, "TPM2_PolicyAuthorize",
                         Esys_PolicyAuthorize_Async(esys, session, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &approved,
                                                    &no_ref, &signer, ticket),
                         Esys_PolicyAuthorize_Finish(esys), &rc, &why);
        if (r < 0 && vtpm_rc_is(rc, TPM2_RC_VALUE)) /* another policy: PCRs changed since we read them */
                return AGAIN;
        return r < 0 ? error_set(e, r, error_reason(&why, r), "%s", error_text(&why, r)) : 0;
}

/* ---- opening ---- */

static int take_secret(TPM2B_SENSITIVE_DATA *data, Secret *ret, Error *e) {
        AUTO_SECRET Secret s = {};
        int r = secret_alloc(data->size, &s, e);

        if (r == 0) {
                (void) memcpy(s.bytes, data->buffer, data->size);
                *ret = secret_take(&s);
        }
        OPENSSL_cleanse(data->buffer, sizeof(data->buffer));
        return r;
}

static int open_object(VtpmContext *ctx, ESYS_TR object, ESYS_TR session, const VtpmSealed *s, Secret *ret, Error *e) {
        AUTO_ESYS_FREE TPM2B_SENSITIVE_DATA *data = NULL;
        ESYS_CONTEXT *esys = vtpm_context_esys(ctx);
        Error why = {};
        TSS2_RC rc;
        int r;

        r = VTPM_CALL_RC(ctx, "TPM2_Unseal",
                         Esys_Unseal_Async(esys, object, session, ESYS_TR_NONE, ESYS_TR_NONE),
                         Esys_Unseal_Finish(esys, &data), &rc, &why);
        vtpm_burn_stack();
        if (r < 0 && rc == TPM2_RC_PCR_CHANGED)
                return AGAIN;
        if (r < 0 && vtpm_rc_is(rc, TPM2_RC_POLICY_FAIL))
                return explain(ctx, s, e);
        if (r < 0)
                return error_set(e, r, error_reason(&why, r), "%s", error_text(&why, r));
        return take_secret(data, ret, e);
}

static int attempt(VtpmContext *ctx, const VtpmSealed *s, const VtpmUnsealRequest *q, Secret *ret, Error *e) {
        VtpmSaltKey salt = { .name = q->salt_name, .name_size = q->salt_name_size };
        AUTO_VTPM_HANDLE VtpmHandle session = VTPM_HANDLE_NONE;
        AUTO_VTPM_HANDLE VtpmHandle object = VTPM_HANDLE_NONE;
        int r;

        r = vtpm_session_start(ctx, VTPM_SESSION_POLICY, &salt, &session, e);
        if (r == 0)
                r = load_object(ctx, s, &object, e);
        if (r < 0)
                return r;
        if (s->kind == VTPM_SEAL_SIGNED)
                r = policy_signed(ctx, session.tr, s, q, e);
        else
                r = policy_pcr(ctx, session.tr, s, e);
        return r == 0 ? open_object(ctx, object.tr, session.tr, s, ret, e) : r;
}

int vtpm_unseal(VtpmContext *ctx, const VtpmSealed *sealed, const VtpmUnsealRequest *request, Secret *ret, Error *e) {
        int r;

        r = vtpm_sealed_check(sealed, e);
        if (r < 0)
                return r;
        for (unsigned i = 0; i < TRIES_MAX; i++) {
                r = attempt(ctx, sealed, request, ret, e);
                if (r != AGAIN)
                        return r;
        }
        return error_set(e, -EAGAIN, "pcr-unstable", "PCRs changed during each of %u attempts", TRIES_MAX);
}
