/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an index is comes from TPM2_NV_ReadPublic each time anew: platforms and guests make and remove indices while we
 * look. Data that does not fit into one response is read in chunks; that it did not change in between is for the
 * caller to see, who knows what it should be.
 */
#include "vtpm/nv.h"

#include <errno.h>
#include <string.h>

#include "vtpm/esys.h"
#include "vtpm/rc.h"

/*
 * Most bytes asked for or given at once, whatever TPM_PT_NV_BUFFER_MAX says. Azure's paravisor takes 1024 and its
 * client library 512, because more has failed there (AttestationClient, "Tss2Wrapper.cpp").
 */
#define CHUNK_MAX 1024u
#define CHUNK_SAFE 512u

/* One NV index, opened: ESAPI's record of it, what it is, and how much of it goes at once. */
typedef struct Nv {
        VtpmHandle handle;
        VtpmNvPublic pub;
        size_t chunk;
} Nv;

static void nv_done(Nv *nv) {
        vtpm_handle_done(&nv->handle);
}
#define AUTO_NV CLEANUP(nv_done)

/* The codes of indices themselves are in vtpm_rc_error()'s table; only "no such handle" has a name of its own here. */
static int nv_error(int r, TSS2_RC rc, uint32_t index, const Error *why, Error *e) {
        if (vtpm_rc_is(rc, TPM2_RC_HANDLE))
                return error_set(e, -ENOENT, "nv-absent", "The TPM has no NV index 0x%08x", index);
        r = error_set(e, r, error_reason(why, r), "%s", error_text(why, r));
        error_prefix(e, "NV index 0x%08x", index);
        return r;
}

static int read_public(VtpmContext *ctx, ESYS_TR tr, uint32_t index, VtpmNvPublic *ret, Error *e) {
        AUTO_ESYS_FREE TPM2B_NV_PUBLIC *pub = NULL;
        ESYS_CONTEXT *esys = vtpm_context_esys(ctx);
        Error why = {};
        TSS2_RC rc;
        int r;

        r = VTPM_CALL_RC(ctx, "TPM2_NV_ReadPublic",
                         Esys_NV_ReadPublic_Async(esys, tr, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE),
                         Esys_NV_ReadPublic_Finish(esys, &pub, NULL), &rc, &why);
        if (r < 0)
                return nv_error(r, rc, index, &why, e);
        if (pub->nvPublic.nvIndex != index)
                return error_set(e, -EBADMSG, "tpm-bad-response", "Asked for NV index 0x%08x, the TPM shows 0x%08x",
                                 index, pub->nvPublic.nvIndex);
        *ret = (VtpmNvPublic){
                .index = index,
                .name_alg = pub->nvPublic.nameAlg,
                .attributes = pub->nvPublic.attributes,
                .size = pub->nvPublic.dataSize,
        };
        return 0;
}

static int open_index(VtpmContext *ctx, uint32_t index, Nv *ret, Error *e) {
        AUTO_NV Nv nv = { .handle = VTPM_HANDLE_NONE };
        ESYS_CONTEXT *esys = vtpm_context_esys(ctx);
        ESYS_TR tr = ESYS_TR_NONE;
        Error why = {};
        TSS2_RC rc;
        int r;

        if (index >> 24 != TPM2_HT_NV_INDEX) /* ESAPI would read the public area of another kind of thing */
                return error_set(e, -EINVAL, "nv-index", "0x%08x is no NV index", index);
        r = VTPM_CALL_RC(ctx, "TPM2_NV_ReadPublic",
                         Esys_TR_FromTPMPublic_Async(esys, index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE),
                         Esys_TR_FromTPMPublic_Finish(esys, &tr), &rc, &why);
        if (r < 0)
                return nv_error(r, rc, index, &why, e);
        nv.handle = (VtpmHandle){ .ctx = ctx, .tr = tr, .keep = true };
        r = read_public(ctx, tr, index, &nv.pub, e);
        if (r < 0)
                return r;
        ret->handle = vtpm_handle_take(&nv.handle);
        ret->pub = nv.pub;
        return 0;
}

/* TPM_PT_NV_BUFFER_MAX within our limits; a TPM that does not tell (it must) is taken for a careful one. */
static int find_chunk(VtpmContext *ctx, size_t *ret, Error *e) {
        AUTO_ESYS_FREE TPMS_CAPABILITY_DATA *data = NULL;
        ESYS_CONTEXT *esys = vtpm_context_esys(ctx);
        const TPMS_TAGGED_PROPERTY *p;
        int r;

        r = VTPM_CALL(ctx, "TPM2_GetCapability",
                      Esys_GetCapability_Async(esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_TPM_PROPERTIES,
                                               TPM2_PT_NV_BUFFER_MAX, 1),
                      Esys_GetCapability_Finish(esys, NULL, &data), e);
        if (r < 0)
                return r;
        p = &data->data.tpmProperties.tpmProperty[0];
        if (data->capability != TPM2_CAP_TPM_PROPERTIES || data->data.tpmProperties.count < 1 ||
            p->property != TPM2_PT_NV_BUFFER_MAX || p->value == 0)
                *ret = CHUNK_SAFE;
        else
                *ret = p->value < CHUNK_MAX ? p->value : CHUNK_MAX;
        return 0;
}

/*
 * Runs one command on the index by the owner, or by the index itself where the owner may not or has a password. The
 * index is only tried after the owner where a wrong password does not count as an attack.
 */
typedef int (*NvCommand)(Nv *nv, ESYS_TR auth, void *userdata, TSS2_RC *ret_rc, Error *e);

static bool is_wrong_password(TSS2_RC rc) {
        return vtpm_rc_is(rc, TPM2_RC_AUTH_FAIL) || vtpm_rc_is(rc, TPM2_RC_BAD_AUTH);
}

static int run_authorised(Nv *nv, uint32_t by_owner, uint32_t by_index, NvCommand command, void *userdata,
                          TSS2_RC *ret_rc, Error *e) {
        uint32_t attributes = nv->pub.attributes;
        bool index_may = attributes & by_index;
        Error why = {};
        int r;

        *ret_rc = TSS2_RC_SUCCESS;
        if (!(attributes & by_owner) && !index_may)
                return error_set(e, -EACCES, "nv-auth", "NV index 0x%08x (attributes 0x%08x) is open to neither the "
                                 "owner nor its own password", nv->pub.index, attributes);
        if (!(attributes & by_owner))
                return command(nv, nv->handle.tr, userdata, ret_rc, e);
        r = command(nv, ESYS_TR_RH_OWNER, userdata, ret_rc, &why);
        if (r < 0 && is_wrong_password(*ret_rc) && index_may && attributes & VTPM_NV_NO_DA)
                return command(nv, nv->handle.tr, userdata, ret_rc, e);
        return r < 0 ? error_set(e, r, error_reason(&why, r), "%s", error_text(&why, r)) : r;
}

/* A part of an index, for one command. */
typedef struct Part {
        size_t offset, size;
        uint8_t *to;         /* reading */
        const uint8_t *from; /* writing */
} Part;

static int read_part(Nv *nv, ESYS_TR auth, void *userdata, TSS2_RC *ret_rc, Error *e) {
        AUTO_ESYS_FREE TPM2B_MAX_NV_BUFFER *data = NULL;
        ESYS_CONTEXT *esys = vtpm_context_esys(nv->handle.ctx);
        Part *part = userdata;
        Error why = {};
        int r;

        r = VTPM_CALL_RC(nv->handle.ctx, "TPM2_NV_Read",
                         Esys_NV_Read_Async(esys, auth, nv->handle.tr, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                                            (uint16_t) part->size, (uint16_t) part->offset),
                         Esys_NV_Read_Finish(esys, &data), ret_rc, &why);
        if (r < 0)
                return nv_error(r, *ret_rc, nv->pub.index, &why, e);
        if (data->size != part->size)
                return error_set(e, -EBADMSG, "tpm-bad-response", "NV index 0x%08x: asked for %zu bytes, got %u",
                                 nv->pub.index, part->size, data->size);
        (void) memcpy(part->to, data->buffer, data->size);
        return 0;
}

static int write_part(Nv *nv, ESYS_TR auth, void *userdata, TSS2_RC *ret_rc, Error *e) {
        ESYS_CONTEXT *esys = vtpm_context_esys(nv->handle.ctx);
        const Part *part = userdata;
        TPM2B_MAX_NV_BUFFER data = { .size = (uint16_t) part->size };
        Error why = {};
        int r;

        (void) memcpy(data.buffer, part->from, part->size);
        r = VTPM_CALL_RC(nv->handle.ctx, "TPM2_NV_Write",
                         Esys_NV_Write_Async(esys, auth, nv->handle.tr, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                                             &data, (uint16_t) part->offset),
                         Esys_NV_Write_Finish(esys), ret_rc, &why);
        return r < 0 ? nv_error(r, *ret_rc, nv->pub.index, &why, e) : 0;
}

/* TPM2_NV_Read and TPM2_NV_Write, Part 3: TPM_RC_VALUE or TPM_RC_SIZE for more than the TPM takes at once. */
static bool is_too_much(TSS2_RC rc) {
        return vtpm_rc_is(rc, TPM2_RC_VALUE) || vtpm_rc_is(rc, TPM2_RC_SIZE);
}

static int transfer(Nv *nv, uint32_t by_owner, uint32_t by_index, NvCommand command, Part whole, Error *e) {
        size_t done = 0;

        while (done < whole.size) {
                size_t left = whole.size - done, n = left < nv->chunk ? left : nv->chunk;
                Part part = { .offset = done, .size = n, .to = whole.to ? whole.to + done : NULL,
                              .from = whole.from ? whole.from + done : NULL };
                Error why = {};
                TSS2_RC rc;
                int r;

                r = run_authorised(nv, by_owner, by_index, command, &part, &rc, &why);
                if (r == 0)
                        done += n;
                else if (is_too_much(rc) && n > CHUNK_SAFE)
                        nv->chunk = CHUNK_SAFE;
                else
                        return error_set(e, r, error_reason(&why, r), "%s", error_text(&why, r));
        }
        return 0;
}

int vtpm_nv_public(VtpmContext *ctx, uint32_t index, VtpmNvPublic *ret, Error *e) {
        AUTO_NV Nv nv = { .handle = VTPM_HANDLE_NONE };
        int r;

        r = open_index(ctx, index, &nv, e);
        if (r < 0)
                return r;
        *ret = nv.pub;
        return 0;
}

int vtpm_nv_read(VtpmContext *ctx, uint32_t index, size_t max, Blob *ret, Error *e) {
        AUTO_NV Nv nv = { .handle = VTPM_HANDLE_NONE };
        AUTO_BLOB Blob data = {};
        int r;

        r = open_index(ctx, index, &nv, e);
        if (r < 0)
                return r;
        if (nv.pub.size > max || nv.pub.size > VTPM_NV_SIZE_MAX)
                return error_set(e, -E2BIG, "nv-too-large", "NV index 0x%08x has %u bytes, at most %zu are taken",
                                 index, nv.pub.size, max < VTPM_NV_SIZE_MAX ? max : VTPM_NV_SIZE_MAX);
        if (!(nv.pub.attributes & VTPM_NV_WRITTEN))
                return error_set(e, -ENODATA, "nv-unwritten", "NV index 0x%08x was never written", index);
        r = find_chunk(ctx, &nv.chunk, e);
        if (r < 0)
                return r;
        data.data = malloc(nv.pub.size ? nv.pub.size : 1);
        if (!data.data)
                return error_oom(e);
        data.size = nv.pub.size;
        r = transfer(&nv, VTPM_NV_OWNERREAD, VTPM_NV_AUTHREAD, read_part, (Part){ .size = data.size, .to = data.data },
                     e);
        if (r < 0)
                return r;
        *ret = blob_take(&data);
        return 0;
}

int vtpm_nv_write(VtpmContext *ctx, uint32_t index, const void *data, size_t size, Error *e) {
        AUTO_NV Nv nv = { .handle = VTPM_HANDLE_NONE };
        int r;

        r = open_index(ctx, index, &nv, e);
        if (r < 0)
                return r;
        if (size > nv.pub.size)
                return error_set(e, -E2BIG, "nv-too-large", "NV index 0x%08x has room for %u bytes, not for %zu", index,
                                 nv.pub.size, size);
        r = find_chunk(ctx, &nv.chunk, e);
        if (r < 0)
                return r;
        return transfer(&nv, VTPM_NV_OWNERWRITE, VTPM_NV_AUTHWRITE, write_part, (Part){ .size = size, .from = data },
                        e);
}

int vtpm_nv_define(VtpmContext *ctx, uint32_t index, uint16_t size, Error *e) {
        static const TPM2B_AUTH no_auth = {};
        AUTO_VTPM_HANDLE VtpmHandle handle = VTPM_HANDLE_NONE;
        ESYS_CONTEXT *esys = vtpm_context_esys(ctx);
        TPM2B_NV_PUBLIC pub = {
                .nvPublic = {
                        .nvIndex = index,
                        .nameAlg = TPM2_ALG_SHA256,
                        .attributes = VTPM_NV_OWNERWRITE | VTPM_NV_OWNERREAD,
                        .dataSize = size,
                },
        };
        ESYS_TR tr = ESYS_TR_NONE;
        Error why = {};
        TSS2_RC rc;
        int r;

        if (index >> 24 != TPM2_HT_NV_INDEX)
                return error_set(e, -EINVAL, "nv-index", "0x%08x is no NV index", index);
        r = VTPM_CALL_RC(ctx, "TPM2_NV_DefineSpace",
                         Esys_NV_DefineSpace_Async(esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                                                   &no_auth, &pub),
                         Esys_NV_DefineSpace_Finish(esys, &tr), &rc, &why);
        if (r < 0 && vtpm_rc_is(rc, TPM2_RC_SIZE))
                return error_set(e, -E2BIG, "nv-too-large", "The TPM has no NV indices as large as %u bytes", size);
        if (r < 0)
                return nv_error(r, rc, index, &why, e);
        handle = (VtpmHandle){ .ctx = ctx, .tr = tr, .keep = true };
        return 0;
}

int vtpm_nv_undefine(VtpmContext *ctx, uint32_t index, Error *e) {
        AUTO_NV Nv nv = { .handle = VTPM_HANDLE_NONE };
        ESYS_CONTEXT *esys = vtpm_context_esys(ctx);
        Error why = {};
        TSS2_RC rc;
        int r;

        r = open_index(ctx, index, &nv, e);
        if (r < 0)
                return r;
        r = VTPM_CALL_RC(ctx, "TPM2_NV_UndefineSpace",
                         Esys_NV_UndefineSpace_Async(esys, ESYS_TR_RH_OWNER, nv.handle.tr, ESYS_TR_PASSWORD,
                                                     ESYS_TR_NONE, ESYS_TR_NONE),
                         Esys_NV_UndefineSpace_Finish(esys), &rc, &why);
        if (r < 0)
                return nv_error(r, rc, index, &why, e);
        nv.handle = VTPM_HANDLE_NONE; /* ESAPI has closed its record */
        return 0;
}
