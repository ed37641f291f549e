/* SPDX-License-Identifier: Apache-2.0 */

/* Properties come as number and value, and go where a table says; lists come in parts, as many as fit a response. */

#include "vtpm/info.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <tss2/tss2_mu.h>

#include "base/writer.h"
#include "vtpm/ak_public.h"
#include "vtpm/esys.h"
#include "vtpm/pcr.h"
#include "vtpm/public.h"

#define PART_MAX 64u /* elements asked for at once; a TPM gives what fits */

/* TPM 2.0 Library Part 2, "TPM_HC"; tpm2-tss' own names for them shift into the sign bit */
#define NV_INDEX_FIRST 0x01000000u
#define LOADED_SESSION_FIRST 0x02000000u
#define TRANSIENT_FIRST 0x80000000u
#define PERSISTENT_FIRST 0x81000000u

#define EK_FIRST 0x81010000u /* Registry of Reserved TPM 2.0 Handles and Localities, "Endorsement Primary keys" */
#define EK_LAST 0x8101ffffu

/* ---- the command ---- */

static int get_capability(VtpmContext *ctx, TPM2_CAP what, uint32_t first, uint32_t n, bool *ret_more,
                          TPMS_CAPABILITY_DATA **ret, Error *e) {
        ESYS_CONTEXT *esys = vtpm_context_esys(ctx);
        AUTO_ESYS_FREE TPMS_CAPABILITY_DATA *data = NULL;
        TPMI_YES_NO more = 0;
        int r;

        r = VTPM_CALL(ctx, "TPM2_GetCapability",
                      Esys_GetCapability_Async(esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, what, first, n),
                      Esys_GetCapability_Finish(esys, &more, &data), e);
        if (r < 0)
                return r;
        if (data->capability != what)
                return error_set(e, -EBADMSG, "tpm-bad-response", "TPM2_GetCapability: asked for 0x%x, got 0x%x", what,
                                 data->capability);
        *ret_more = more == TPM2_YES;
        *ret = TAKE_PTR(data);
        return 0;
}

/* ---- properties ---- */

/* Four characters of a text. */
static void set_text(char *to, uint32_t value) {
        uint8_t bytes[4];

        store_be32(bytes, value);
        for (size_t i = 0; i < sizeof(bytes); i++)
                to[i] = bytes[i] >= ' ' && bytes[i] < 0x7f ? (char) bytes[i] : ' ';
}

static void set_permanent(VtpmInfo *info, uint32_t value) {
        info->owner_auth = value & TPMA_PERMANENT_OWNERAUTHSET;
        info->endorsement_auth = value & TPMA_PERMANENT_ENDORSEMENTAUTHSET;
        info->lockout_auth = value & TPMA_PERMANENT_LOCKOUTAUTHSET;
        info->clear_disabled = value & TPMA_PERMANENT_DISABLECLEAR;
        info->in_lockout = value & TPMA_PERMANENT_INLOCKOUT;
}

static void set_startup(VtpmInfo *info, uint32_t value) {
        info->platform_enabled = value & TPMA_STARTUP_CLEAR_PHENABLE;
        info->owner_enabled = value & TPMA_STARTUP_CLEAR_SHENABLE;
        info->endorsement_enabled = value & TPMA_STARTUP_CLEAR_EHENABLE;
        info->orderly = value & TPMA_STARTUP_CLEAR_ORDERLY;
}

static void set_property(VtpmInfo *info, uint32_t property, uint32_t value) {
        static const struct {
                uint32_t property;
                size_t offset;
        } numbers[] = {
                { TPM2_PT_LEVEL, offsetof(VtpmInfo, spec_level) },
                { TPM2_PT_REVISION, offsetof(VtpmInfo, spec_revision) },
                { TPM2_PT_DAY_OF_YEAR, offsetof(VtpmInfo, spec_day) },
                { TPM2_PT_YEAR, offsetof(VtpmInfo, spec_year) },
                { TPM2_PT_INPUT_BUFFER, offsetof(VtpmInfo, input_buffer_max) },
                { TPM2_PT_NV_INDEX_MAX, offsetof(VtpmInfo, nv_index_max) },
                { TPM2_PT_NV_BUFFER_MAX, offsetof(VtpmInfo, nv_buffer_max) },
                { TPM2_PT_LOCKOUT_COUNTER, offsetof(VtpmInfo, lockout_count) },
                { TPM2_PT_MAX_AUTH_FAIL, offsetof(VtpmInfo, lockout_max) },
                { TPM2_PT_LOCKOUT_INTERVAL, offsetof(VtpmInfo, lockout_interval_sec) },
                { TPM2_PT_LOCKOUT_RECOVERY, offsetof(VtpmInfo, lockout_recovery_sec) },
        };

        for (size_t i = 0; i < N_ELEMENTS(numbers); i++)
                if (numbers[i].property == property)
                        (void) memcpy((uint8_t *) info + numbers[i].offset, &value, sizeof(value));
        if (property == TPM2_PT_FAMILY_INDICATOR)
                set_text(info->family, value);
        else if (property == TPM2_PT_MANUFACTURER)
                set_text(info->manufacturer, value);
        else if (property >= TPM2_PT_VENDOR_STRING_1 && property <= TPM2_PT_VENDOR_STRING_4)
                set_text(info->vendor + 4 * (property - TPM2_PT_VENDOR_STRING_1), value);
        else if (property == TPM2_PT_FIRMWARE_VERSION_1)
                info->firmware_version |= (uint64_t) value << 32;
        else if (property == TPM2_PT_FIRMWARE_VERSION_2)
                info->firmware_version |= value;
        else if (property == TPM2_PT_PERMANENT)
                set_permanent(info, value);
        else if (property == TPM2_PT_STARTUP_CLEAR)
                set_startup(info, value);
}

static void trim(char *text) {
        for (size_t n = strlen(text); n > 0 && text[n - 1] == ' '; n--)
                text[n - 1] = 0;
}

/* All of one group; a TPM that goes backwards or beyond it is not asked further. */
static int read_properties(VtpmContext *ctx, uint32_t group, VtpmInfo *info, Error *e) {
        uint32_t next = group;
        bool more = true;

        while (more && next < group + 0x100) {
                AUTO_ESYS_FREE TPMS_CAPABILITY_DATA *data = NULL;
                const TPML_TAGGED_TPM_PROPERTY *list;
                int r = get_capability(ctx, TPM2_CAP_TPM_PROPERTIES, next, PART_MAX, &more, &data, e);

                if (r < 0)
                        return r;
                list = &data->data.tpmProperties;
                for (uint32_t i = 0; i < list->count; i++)
                        if (list->tpmProperty[i].property >= next && list->tpmProperty[i].property < group + 0x100) {
                                set_property(info, list->tpmProperty[i].property, list->tpmProperty[i].value);
                                next = list->tpmProperty[i].property + 1;
                        } else
                                more = false;
                if (list->count == 0)
                        return 0;
        }
        return 0;
}

static int read_clock(VtpmContext *ctx, VtpmClock *ret, Error *e) {
        AUTO_ESYS_FREE TPMS_TIME_INFO *now = NULL;
        ESYS_CONTEXT *esys = vtpm_context_esys(ctx);
        int r;

        r = VTPM_CALL(ctx, "TPM2_ReadClock", Esys_ReadClock_Async(esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE),
                      Esys_ReadClock_Finish(esys, &now), e);
        if (r == 0)
                *ret = (VtpmClock){
                        .clock_msec = now->clockInfo.clock,
                        .reset_count = now->clockInfo.resetCount,
                        .restart_count = now->clockInfo.restartCount,
                        .safe = now->clockInfo.safe == TPM2_YES,
                };
        return r;
}

/* ---- lists ---- */

static int read_algs(VtpmContext *ctx, VtpmInfo *info, Error *e) {
        uint32_t next = 0;
        bool more = true;

        while (more && info->n_algs < VTPM_INFO_ALGS_MAX) {
                AUTO_ESYS_FREE TPMS_CAPABILITY_DATA *data = NULL;
                const TPML_ALG_PROPERTY *list;
                int r = get_capability(ctx, TPM2_CAP_ALGS, next, PART_MAX, &more, &data, e);

                if (r < 0)
                        return r;
                list = &data->data.algorithms;
                more = more && list->count > 0;
                for (uint32_t i = 0; i < list->count && info->n_algs < VTPM_INFO_ALGS_MAX; i++) {
                        uint16_t alg = list->algProperties[i].alg;

                        if (alg < next) {
                                more = false;
                                continue;
                        }
                        info->algs[info->n_algs++] = alg;
                        next = alg + 1u;
                }
        }
        return 0;
}

/* Handles with @first's most significant byte, its type. */
static int read_handles(VtpmContext *ctx, uint32_t first, VtpmInfoHandles *ret, Error *e) {
        uint32_t next = first;
        bool more = true;

        while (more && ret->n < VTPM_INFO_HANDLES_MAX) {
                AUTO_ESYS_FREE TPMS_CAPABILITY_DATA *data = NULL;
                const TPML_HANDLE *list;
                int r = get_capability(ctx, TPM2_CAP_HANDLES, next, PART_MAX, &more, &data, e);

                if (r < 0)
                        return r;
                list = &data->data.handles;
                more = more && list->count > 0;
                for (uint32_t i = 0; i < list->count && ret->n < VTPM_INFO_HANDLES_MAX; i++) {
                        uint32_t handle = list->handle[i];

                        if (handle >> 24 != first >> 24 || handle < next) {
                                more = false;
                                continue;
                        }
                        ret->list[ret->n++] = handle;
                        next = handle + 1;
                }
        }
        return 0;
}

/* ---- keys ---- */

static VtpmKeyRole role_of(const VtpmPublic *pub, const uint8_t *bytes, size_t size, uint32_t handle) {
        CLEANUP(vtpm_ak_public_freep) VtpmAkPublic *ak = NULL;
        bool restricted = pub->attributes & VTPM_OBJECT_RESTRICTED;

        if (vtpm_ak_public_new(bytes, size, &ak, NULL) == 0)
                return VTPM_KEY_ATTESTATION;
        if (restricted && pub->attributes & VTPM_OBJECT_DECRYPT)
                return handle >= EK_FIRST && handle <= EK_LAST ? VTPM_KEY_ENDORSEMENT : VTPM_KEY_STORAGE;
        if (!restricted && pub->attributes & VTPM_OBJECT_SIGN)
                return VTPM_KEY_SIGNING;
        return VTPM_KEY_OTHER;
}

static void describe_key(const TPM2B_PUBLIC *tpm, VtpmInfoKey *key) {
        uint8_t bytes[VTPM_PUBLIC_SIZE_MAX];
        VtpmPublic pub;
        size_t size = 0;

        if (Tss2_MU_TPMT_PUBLIC_Marshal(&tpm->publicArea, bytes, sizeof(bytes), &size) != TSS2_RC_SUCCESS ||
            vtpm_public_parse(bytes, size, &pub, NULL) < 0)
                return;
        key->role = role_of(&pub, bytes, size, key->handle);
        key->type = pub.type;
        key->bits = pub.type == VTPM_ALG_RSA ? pub.rsa_bits : (uint16_t) (8 * vtpm_curve_size(pub.curve));
        key->scheme = pub.scheme;
        key->scheme_hash = pub.scheme_hash;
}

/* A key that the TPM lists but does not show is left without description. */
static int read_key(VtpmContext *ctx, uint32_t handle, VtpmInfoKey *ret, Error *e) {
        AUTO_VTPM_HANDLE VtpmHandle key = VTPM_HANDLE_NONE;
        AUTO_ESYS_FREE TPM2B_PUBLIC *pub = NULL;
        ESYS_CONTEXT *esys = vtpm_context_esys(ctx);
        ESYS_TR tr = ESYS_TR_NONE;
        Error why = {};
        int r;

        *ret = (VtpmInfoKey){ .handle = handle };
        r = VTPM_CALL(ctx, "TPM2_ReadPublic",
                      Esys_TR_FromTPMPublic_Async(esys, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE),
                      Esys_TR_FromTPMPublic_Finish(esys, &tr), &why);
        if (r == 0) {
                key = (VtpmHandle){ .ctx = ctx, .tr = tr, .keep = true };
                r = VTPM_CALL(ctx, "TPM2_ReadPublic",
                              Esys_ReadPublic_Async(esys, tr, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE),
                              Esys_ReadPublic_Finish(esys, &pub, NULL, NULL), &why);
        }
        if (r == 0)
                describe_key(pub, ret);
        else if (r == -ETIMEDOUT || r == -ECONNRESET || r == -EBADMSG || r == -ENOMEM)
                return error_set(e, r, error_reason(&why, r), "%s", error_text(&why, r));
        return 0;
}

static int read_keys(VtpmContext *ctx, VtpmInfo *info, Error *e) {
        int r = 0;

        for (size_t i = 0; i < info->persistent.n && i < VTPM_INFO_KEYS_MAX && r == 0; i++)
                r = read_key(ctx, info->persistent.list[i], &info->keys[info->n_keys++], e);
        return r;
}

int vtpm_info_read(VtpmContext *ctx, VtpmInfo *ret, Error *e) {
        AUTO_FREE VtpmInfo *info = calloc(1, sizeof(*info));
        int r;

        if (!info)
                return error_oom(e);
        r = read_properties(ctx, TPM2_PT_FIXED, info, e);
        if (r == 0)
                r = read_properties(ctx, TPM2_PT_VAR, info, e);
        if (r == 0)
                r = read_clock(ctx, &info->clock, e);
        if (r == 0)
                r = vtpm_pcr_banks(ctx, &info->banks, e);
        if (r == 0)
                r = read_algs(ctx, info, e);
        if (r == 0)
                r = read_handles(ctx, NV_INDEX_FIRST, &info->nv, e);
        if (r == 0)
                r = read_handles(ctx, PERSISTENT_FIRST, &info->persistent, e);
        if (r == 0)
                r = read_handles(ctx, TRANSIENT_FIRST, &info->transient, e);
        if (r == 0)
                r = read_handles(ctx, LOADED_SESSION_FIRST, &info->sessions, e);
        if (r == 0)
                r = read_keys(ctx, info, e);
        if (r < 0)
                return r;
        trim(info->family);
        trim(info->manufacturer);
        trim(info->vendor);
        *ret = *info;
        return 0;
}

const char *vtpm_key_role_name(VtpmKeyRole role) {
        switch (role) {
        case VTPM_KEY_ATTESTATION:
                return "attestation";
        case VTPM_KEY_ENDORSEMENT:
                return "endorsement";
        case VTPM_KEY_STORAGE:
                return "storage";
        case VTPM_KEY_SIGNING:
                return "signing";
        case VTPM_KEY_OTHER:
        default:
                return "other";
        }
}
