/* SPDX-License-Identifier: Apache-2.0 */
#include "vtpm/object.h"

#include <errno.h>
#include <string.h>

#include <tss2/tss2_mu.h>

#include "base/reader.h"
#include "base/writer.h"
#include "vtpm/public.h"

#define TR_IS_KEY 1u /* tpm2-tss, src/tss2-esys/esys_types.h: IESYSC_KEY_RSRC */

int vtpm_name_of(const void *tpmt_public, size_t size, VtpmName *ret, Error *e) {
        Reader r = rd_init(tpmt_public, size);
        uint16_t hash;
        int q;

        rd_skip(&r, 2); /* type */
        hash = rd_be16(&r);
        q = rd_check(&r, "TPMT_PUBLIC", e);
        if (q < 0)
                return q;
        q = vtpm_hash_bytes(hash, tpmt_public, size, ret->bytes + 2, e);
        if (q < 0)
                return q;
        store_be16(ret->bytes, hash);
        ret->size = 2 + vtpm_hash_size(hash);
        return 0;
}

/*
 * What Esys_TR_Serialize() gives for a key: u32 handle, TPM2B_NAME, u32 kind, TPM2B_PUBLIC (src/tss2-esys/esys_mu.c;
 * systemd stores it in LUKS2 headers, so the form stays).
 */
static int read_serialised(const uint8_t *data, size_t size, Blob *ret_public, Error *e) {
        Reader r = rd_init(data, size), name, pub;
        VtpmName own;
        int q;

        rd_skip(&r, 4); /* handle */
        name = rd_sub(&r, rd_be16(&r));
        if (rd_be32(&r) != TR_IS_KEY)
                rd_fail(&r);
        pub = rd_sub(&r, rd_be16(&r));
        q = rd_finish(&r, "The software stack's record of a key", e);
        if (q < 0)
                return q;
        q = vtpm_name_of(pub.data, pub.size, &own, e);
        if (q < 0)
                return q;
        if (own.size != name.size || memcmp(own.bytes, name.data, own.size) != 0)
                return error_set(e, -EKEYREJECTED, "tpm-name",
                                 "The TPM's name for a key is not that of its public area");
        return blob_dup(pub.data, pub.size, ret_public) < 0 ? error_oom(e) : 0;
}

int vtpm_object_public(const VtpmHandle *key, Blob *ret, Error *e) {
        AUTO_ESYS_FREE uint8_t *data = NULL;
        size_t size = 0;

        if (Esys_TR_Serialize(vtpm_context_esys(key->ctx), key->tr, &data, &size) != TSS2_RC_SUCCESS)
                return error_oom(e); /* the object is known: nothing else can fail */
        return read_serialised(data, size, ret, e);
}

static int decode_template(const Blob *template, TPM2B_PUBLIC *ret, Error *e) {
        size_t done = 0;

        if (Tss2_MU_TPMT_PUBLIC_Unmarshal(template->data, template->size, &done, &ret->publicArea) != TSS2_RC_SUCCESS ||
            done != template->size)
                return error_set(e, -EINVAL, "key-template", "The template of a key cannot be decoded");
        return 0;
}

int vtpm_object_create_primary(VtpmContext *ctx, uint32_t hierarchy, const Blob *template, VtpmHandle *ret_key,
                               Blob *ret_public, Error *e) {
        static const TPM2B_SENSITIVE_CREATE no_auth = {};
        static const TPM2B_DATA no_data = {};
        static const TPML_PCR_SELECTION no_pcrs = {};
        AUTO_VTPM_HANDLE VtpmHandle key = VTPM_HANDLE_NONE;
        ESYS_TR parent = hierarchy == TPM2_RH_OWNER ? ESYS_TR_RH_OWNER : ESYS_TR_RH_ENDORSEMENT;
        ESYS_CONTEXT *esys = vtpm_context_esys(ctx);
        ESYS_TR tr = ESYS_TR_NONE;
        TPM2B_PUBLIC in = {};
        int r;

        r = decode_template(template, &in, e);
        if (r < 0)
                return r;
        r = VTPM_CALL(ctx, "TPM2_CreatePrimary",
                      Esys_CreatePrimary_Async(esys, parent, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &no_auth,
                                               &in, &no_data, &no_pcrs),
                      Esys_CreatePrimary_Finish(esys, &tr, NULL, NULL, NULL, NULL), e);
        if (r < 0)
                return r;
        key = (VtpmHandle){ .ctx = ctx, .tr = tr };
        r = vtpm_object_public(&key, ret_public, e);
        if (r < 0)
                return r;
        *ret_key = vtpm_handle_take(&key);
        return 0;
}

int vtpm_object_open(VtpmContext *ctx, uint32_t handle, VtpmHandle *ret_key, Blob *ret_public, Error *e) {
        AUTO_VTPM_HANDLE VtpmHandle key = VTPM_HANDLE_NONE;
        ESYS_CONTEXT *esys = vtpm_context_esys(ctx);
        ESYS_TR tr = ESYS_TR_NONE;
        int r;

        r = VTPM_CALL(ctx, "TPM2_ReadPublic",
                      Esys_TR_FromTPMPublic_Async(esys, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE),
                      Esys_TR_FromTPMPublic_Finish(esys, &tr), e);
        if (r < 0)
                return r;
        key = (VtpmHandle){ .ctx = ctx, .tr = tr, .keep = true };
        r = vtpm_object_public(&key, ret_public, e);
        if (r < 0)
                return r;
        *ret_key = vtpm_handle_take(&key);
        return 0;
}
