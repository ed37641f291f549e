/* SPDX-License-Identifier: Apache-2.0 */
#include "vtpm/activate.h"

#include <errno.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/reader.h"
#include "vtpm/ak.h"
#include "vtpm/public.h"
#include "vtpm/session.h"

/* What ESAPI has put on the heap goes to locked memory, and is wiped there. */
static int take_secret(TPM2B_DIGEST *value, Secret *ret, Error *e) {
        AUTO_SECRET Secret s = {};
        int r = secret_alloc(value->size, &s, e);

        if (r == 0) {
                (void) memcpy(s.bytes, value->buffer, value->size);
                *ret = secret_take(&s);
        }
        OPENSSL_cleanse(value->buffer, sizeof(value->buffer));
        return r;
}

/* An EK of the low range obeys its policy only: PolicySecret(TPM_RH_ENDORSEMENT), EK Credential Profile, "PolicyA". */
static int authorise_ek(VtpmContext *ctx, VtpmEkProfile profile, VtpmHandle *ret, Error *e) {
        AUTO_VTPM_HANDLE VtpmHandle session = VTPM_HANDLE_NONE;
        ESYS_CONTEXT *esys = vtpm_context_esys(ctx);
        int r;

        if (vtpm_ek_uses_password(profile)) {
                *ret = (VtpmHandle){ .tr = ESYS_TR_PASSWORD }; /* no context: nothing to flush */
                return 0;
        }
        r = vtpm_session_start(ctx, VTPM_SESSION_POLICY, NULL, &session, e);
        if (r < 0)
                return r;
        r = VTPM_CALL(ctx, "TPM2_PolicySecret",
                      Esys_PolicySecret_Async(esys, ESYS_TR_RH_ENDORSEMENT, session.tr, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                              ESYS_TR_NONE, NULL, NULL, NULL, 0),
                      Esys_PolicySecret_Finish(esys, NULL, NULL), e);
        if (r < 0)
                return r;
        *ret = vtpm_handle_take(&session);
        return 0;
}

static void pkey_free(EVP_PKEY *key) {
        EVP_PKEY_free(key);
}
DEFINE_CLEANUP(EVP_PKEY *, pkey_free);

static size_t read_coordinate(Reader *r, uint8_t *ret) {
        size_t n = rd_be16(r);

        if (n > VTPM_COORDINATE_MAX) {
                rd_fail(r);
                return 0;
        }
        rd_copy(r, ret, n);
        return n;
}

/*
 * The TPM refuses points that are not on its curve, but libtpms 0.9 takes one with anything behind it. A credential is
 * accepted to the byte or not at all, whatever the TPM.
 */
static int check_point(const Blob *ek_public, const Blob *secret, Error *e) {
        CLEANUP(pkey_freep) EVP_PKEY *point = NULL;
        Reader r = rd_init(secret->data, secret->size);
        VtpmPublic ek;
        int q;

        q = vtpm_public_parse(ek_public->data, ek_public->size, &ek, e);
        if (q < 0 || ek.type != VTPM_ALG_ECC)
                return q;
        ek.x_size = read_coordinate(&r, ek.x); /* TPMS_ECC_POINT */
        ek.y_size = read_coordinate(&r, ek.y);
        if (rd_finish(&r, "Point", NULL) < 0 || vtpm_public_to_key(&ek, &point, NULL) < 0)
                return error_set(e, -EKEYREJECTED, "credential-rejected",
                                 "The credential was not made for a key on this curve, or was altered");
        return 0;
}

static bool is_about_a_parameter(TSS2_RC rc) {
        return (rc & TSS2_RC_LAYER_MASK) == 0 && (rc & TPM2_RC_FMT1) && (rc & TPM2_RC_P);
}

/*
 * libtpms 0.9 answers TPM_RC_FAILURE also when the seed cannot be decrypted, and goes on working. Whether it does is
 * what it says of its self-test.
 */
static bool is_only_this_command(VtpmContext *ctx, TSS2_RC rc) {
        AUTO_ESYS_FREE TPM2B_MAX_BUFFER *data = NULL;
        ESYS_CONTEXT *esys = vtpm_context_esys(ctx);
        TPM2_RC result = TPM2_RC_FAILURE;

        return rc == TPM2_RC_FAILURE &&
               VTPM_CALL(ctx, "TPM2_GetTestResult",
                         Esys_GetTestResult_Async(esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE),
                         Esys_GetTestResult_Finish(esys, &data, &result), NULL) == 0 &&
               result == TPM2_RC_SUCCESS;
}

static int ask(VtpmContext *ctx, ESYS_TR ak, ESYS_TR ek, ESYS_TR ek_auth, ESYS_TR session, const VtpmCredential *c,
               Secret *ret, Error *e) {
        AUTO_ESYS_FREE TPM2B_DIGEST *value = NULL;
        TPM2B_ID_OBJECT object = { .size = (uint16_t) c->id_object.size };
        TPM2B_ENCRYPTED_SECRET secret = { .size = (uint16_t) c->secret.size };
        ESYS_CONTEXT *esys = vtpm_context_esys(ctx);
        Error why = {};
        TSS2_RC rc;
        int r;

        if (c->id_object.size > sizeof(object.credential) || c->secret.size > sizeof(secret.secret))
                return error_set(e, -E2BIG, "credential-too-large", "The credential is larger than any TPM's");
        (void) memcpy(object.credential, c->id_object.data, c->id_object.size);
        (void) memcpy(secret.secret, c->secret.data, c->secret.size);
        r = VTPM_CALL_RC(ctx, "TPM2_ActivateCredential",
                         Esys_ActivateCredential_Async(esys, ak, ek, ESYS_TR_PASSWORD, ek_auth, session, &object,
                                                       &secret),
                         Esys_ActivateCredential_Finish(esys, &value), &rc, &why);
        vtpm_burn_stack();
        if (r < 0 && (is_about_a_parameter(rc) || is_only_this_command(ctx, rc)))
                return error_set(e, -EKEYREJECTED, "credential-rejected",
                                 "The credential was not made for these keys of this TPM, or was altered: %s",
                                 error_text(&why, r));
        if (r < 0)
                return error_set(e, r, error_reason(&why, r), "%s", error_text(&why, r));
        return take_secret(value, ret, e);
}

int vtpm_credential_activate(VtpmContext *ctx, const VtpmActivation *how, const VtpmCredential *credential, Secret *ret,
                             Error *e) {
        VtpmSaltKey salt = { .name = how->salt_name, .name_size = how->salt_name_size };
        AUTO_VTPM_HANDLE VtpmHandle session = VTPM_HANDLE_NONE;
        AUTO_VTPM_HANDLE VtpmHandle ak = VTPM_HANDLE_NONE;
        AUTO_VTPM_HANDLE VtpmHandle ek = VTPM_HANDLE_NONE;
        AUTO_VTPM_HANDLE VtpmHandle ek_auth = VTPM_HANDLE_NONE;
        AUTO_BLOB Blob ak_public = {}, ek_public = {};
        int r;

        r = vtpm_session_start(ctx, VTPM_SESSION_HMAC, &salt, &session, e);
        if (r == 0)
                r = vtpm_ak_load(ctx, &how->ak, &ak, &ak_public, e);
        if (r == 0)
                r = vtpm_ek_load(ctx, how->ek, &ek, &ek_public, e);
        if (r == 0)
                r = authorise_ek(ctx, how->ek, &ek_auth, e);
        if (r == 0)
                r = check_point(&ek_public, &credential->secret, e);
        if (r < 0)
                return r;
        return ask(ctx, ak.tr, ek.tr, ek_auth.tr, session.tr, credential, ret, e);
}
