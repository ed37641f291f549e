/* SPDX-License-Identifier: Apache-2.0 */
#include "vtpm/session.h"

#include <errno.h>
#include <string.h>

#include "base/reader.h"
#include "vtpm/ek.h"
#include "vtpm/object.h"

/* The key that ESAPI will encrypt the salt to is the one that the caller knows. */
static bool is_expected(const VtpmSaltKey *salt, const Blob *pub) {
        VtpmName name;

        return vtpm_name_of(pub->data, pub->size, &name, NULL) == 0 && name.size == salt->name_size &&
               memcmp(name.bytes, salt->name, name.size) == 0;
}

static bool may_be(const VtpmSaltKey *salt, VtpmEkProfile profile) {
        return !salt->name || (salt->name_size > 2 && load_be16(salt->name) == vtpm_ek_name_alg(profile));
}

static int not_expected(Error *e) {
        return error_set(e, -EKEYREJECTED, "salt-key",
                         "The TPM does not have the endorsement key that the platform vouches for");
}

/* One profile. 0; 1 when the TPM has no such key, or another than expected; or negative errno. */
static int try_profile(VtpmContext *ctx, const VtpmSaltKey *salt, VtpmEkProfile profile, VtpmHandle *ret, Error *e) {
        AUTO_VTPM_HANDLE VtpmHandle key = VTPM_HANDLE_NONE;
        AUTO_BLOB Blob pub = {};
        Error why = {};
        int r;

        r = vtpm_ek_load(ctx, profile, &key, &pub, &why);
        if (r == -EOPNOTSUPP)
                return 1;
        if (r < 0)
                return error_set(e, r, error_reason(&why, r), "%s", error_text(&why, r));
        if (salt->name && !is_expected(salt, &pub))
                return 1;
        *ret = vtpm_handle_take(&key);
        return 0;
}

static int load_salt_key(VtpmContext *ctx, const VtpmSaltKey *salt, VtpmHandle *ret, Error *e) {
        for (unsigned i = 0; i < VTPM_N_EK_PROFILES; i++) {
                VtpmEkProfile profile = (VtpmEkProfile) i;
                int r;

                if (!may_be(salt, profile))
                        continue;
                r = try_profile(ctx, salt, profile, ret, e);
                if (r <= 0)
                        return r;
        }
        if (!salt->name)
                return error_set(e, -EOPNOTSUPP, "ek-absent", "The TPM can make no endorsement key that is known here");
        return not_expected(e);
}

static TPM2_SE type_of(VtpmSessionKind kind) {
        switch (kind) {
        case VTPM_SESSION_POLICY:
                return TPM2_SE_POLICY;
        case VTPM_SESSION_TRIAL:
                return TPM2_SE_TRIAL;
        case VTPM_SESSION_HMAC:
        default:
                return TPM2_SE_HMAC;
        }
}

int vtpm_session_start(VtpmContext *ctx, VtpmSessionKind kind, const VtpmSaltKey *salt, VtpmHandle *ret, Error *e) {
        static const TPMT_SYM_DEF none = { .algorithm = TPM2_ALG_NULL };
        static const TPMT_SYM_DEF aes = {
                .algorithm = TPM2_ALG_AES, .keyBits.aes = 128, .mode.aes = TPM2_ALG_CFB,
        };
        AUTO_VTPM_HANDLE VtpmHandle key = VTPM_HANDLE_NONE;
        AUTO_VTPM_HANDLE VtpmHandle session = VTPM_HANDLE_NONE;
        bool salted = salt && kind != VTPM_SESSION_TRIAL;
        TPMA_SESSION attributes = TPMA_SESSION_CONTINUESESSION;
        ESYS_CONTEXT *esys = vtpm_context_esys(ctx);
        ESYS_TR tr = ESYS_TR_NONE;
        int r;

        if (salted) {
                r = load_salt_key(ctx, salt, &key, e);
                if (r < 0)
                        return r;
                attributes |= TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT;
        }
        r = VTPM_CALL(ctx, "TPM2_StartAuthSession",
                      Esys_StartAuthSession_Async(esys, key.tr, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                                  NULL, type_of(kind), salted ? &aes : &none, TPM2_ALG_SHA256),
                      Esys_StartAuthSession_Finish(esys, &tr), e);
        if (r < 0)
                return r;
        session = (VtpmHandle){ .ctx = ctx, .tr = tr };
        if (Esys_TRSess_SetAttributes(esys, tr, attributes, 0xff) != TSS2_RC_SUCCESS)
                return error_oom(e); /* a session just made: nothing else can fail */
        *ret = vtpm_handle_take(&session);
        return 0;
}
