/* SPDX-License-Identifier: Apache-2.0 */
#include "vtpm/ak-store.h"

#include <errno.h>

#include "vtpm/ak.h"
#include "vtpm/object.h"

/* TCG TPM v2.0 Registry of Reserved Handles: the owner's part of the persistent handles */
#define OWNER_FIRST 0x81000000u
#define OWNER_LAST 0x817fffffu

static const struct {
        uint32_t first, last;
        const char *whose;
} claimed[] = {
        { 0x81000001, 0x81000002, "storage root keys" },
        { 0x81000003, 0x81000003, "Azure's attestation key" },
        { 0x81010000, 0x8101ffff, "endorsement keys" },
};

int vtpm_ak_show(VtpmContext *ctx, const VtpmAkSpec *spec, Blob *ret_public, Error *e) {
        AUTO_VTPM_HANDLE VtpmHandle key = VTPM_HANDLE_NONE;

        return vtpm_ak_load(ctx, spec, &key, ret_public, e);
}

static int check_handle(uint32_t handle, Error *e) {
        if (handle < OWNER_FIRST || handle > OWNER_LAST)
                return error_set(e, -EINVAL, "ak-handle", "0x%08x is not a persistent handle of the owner's, 0x%08x to "
                                 "0x%08x", handle, OWNER_FIRST, OWNER_LAST);
        for (size_t i = 0; i < N_ELEMENTS(claimed); i++)
                if (handle >= claimed[i].first && handle <= claimed[i].last)
                        return error_set(e, -EINVAL, "ak-handle", "0x%08x is kept for %s", handle, claimed[i].whose);
        return 0;
}

/* 1 when @pub is there, 0 when nothing is, -EEXIST when something else is. */
static int is_there(VtpmContext *ctx, uint32_t handle, const Blob *pub, Error *e) {
        AUTO_VTPM_HANDLE VtpmHandle there = VTPM_HANDLE_NONE;
        AUTO_BLOB Blob what = {};
        Error why = {};
        int r;

        r = vtpm_object_open(ctx, handle, &there, &what, &why);
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return error_set(e, r, error_reason(&why, r), "%s", error_text(&why, r));
        if (blob_equal(&what, pub))
                return 1;
        return error_set(e, -EEXIST, "ak-handle-taken", "There is another object at 0x%08x; remove it first", handle);
}

/*
 * @key becomes persistent at @handle, or, if it is, ceases to be. tpm2-tss 3.2 leaves its records of both open (its
 * pull requests 2667 and 2670): the caller closes @key as ever, the new one is closed here.
 */
static int evict_control(VtpmContext *ctx, const VtpmHandle *key, uint32_t handle, Error *e) {
        ESYS_CONTEXT *esys = vtpm_context_esys(ctx);
        ESYS_TR kept = ESYS_TR_NONE;
        int r;

        r = VTPM_CALL(ctx, "TPM2_EvictControl",
                      Esys_EvictControl_Async(esys, ESYS_TR_RH_OWNER, key->tr, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                              ESYS_TR_NONE, handle),
                      Esys_EvictControl_Finish(esys, &kept), e);
        if (r == 0 && kept != ESYS_TR_NONE)
                (void) Esys_TR_Close(esys, &kept);
        return r;
}

int vtpm_ak_persist(VtpmContext *ctx, const VtpmAkSpec *spec, uint32_t handle, Blob *ret_public, Error *e) {
        AUTO_VTPM_HANDLE VtpmHandle key = VTPM_HANDLE_NONE;
        AUTO_BLOB Blob pub = {};
        int r;

        r = check_handle(handle, e);
        if (r < 0)
                return r;
        r = vtpm_ak_load(ctx, spec, &key, &pub, e);
        if (r < 0)
                return r;
        if (key.keep)
                return error_set(e, -EINVAL, "ak-spec", "This attestation key is in the TPM for good already");
        r = is_there(ctx, handle, &pub, e);
        if (r == 0)
                r = evict_control(ctx, &key, handle, e); /* by itself it overwrites nothing: TPM_RC_NV_DEFINED */
        if (r < 0)
                return r;
        *ret_public = blob_take(&pub);
        return 0;
}

int vtpm_ak_remove(VtpmContext *ctx, uint32_t handle, Error *e) {
        VtpmAkSpec spec = { .kind = VTPM_AK_PERSISTENT, .handle = handle };
        AUTO_VTPM_HANDLE VtpmHandle key = VTPM_HANDLE_NONE;
        AUTO_BLOB Blob pub = {};
        int r;

        r = check_handle(handle, e);
        if (r < 0)
                return r;
        r = vtpm_ak_load(ctx, &spec, &key, &pub, e);
        if (r < 0)
                return r;
        return evict_control(ctx, &key, handle, e);
}
