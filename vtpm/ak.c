/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates follow the ones the clouds and tpm2-tools use for attestation keys: a restricted signing key
 * with a scheme of its own, symmetric and KDF null as signing keys must have them (TPM 2.0 Library Part 2,
 * "TPMT_PUBLIC"), empty authorisation, no policy, empty unique field.
 */
#include "vtpm/ak.h"

#include <errno.h>
#include <string.h>

#include "vtpm/ak-platform.h"
#include "vtpm/ak_public.h"
#include "vtpm/object.h"
#include "vtpm/public.h"

/*
 * 0x00050472. noDA: the key has no authorisation value to guess, and must work while the TPM is in
 * dictionary-attack lockout.
 */
#define AK_ATTRIBUTES                                                                                                  \
        (VTPM_OBJECT_FIXED_TPM | VTPM_OBJECT_FIXED_PARENT | VTPM_OBJECT_SENSITIVE_DATA_ORIGIN |                        \
         VTPM_OBJECT_USER_WITH_AUTH | VTPM_OBJECT_NO_DA | VTPM_OBJECT_RESTRICTED | VTPM_OBJECT_SIGN)

#define RSA_TEMPLATE(scheme_)                                                                                          \
        { .type = VTPM_ALG_RSA, .name_alg = VTPM_ALG_SHA256, .attributes = AK_ATTRIBUTES, .symmetric = VTPM_ALG_NULL,  \
          .scheme = (scheme_), .scheme_hash = VTPM_ALG_SHA256, .rsa_bits = 2048 }
/* Hashes of the curve's strength, as the TCG's templates have it. */
#define ECC_TEMPLATE(curve_, hash_)                                                                                    \
        { .type = VTPM_ALG_ECC, .name_alg = (hash_), .attributes = AK_ATTRIBUTES, .symmetric = VTPM_ALG_NULL,          \
          .scheme = VTPM_ALG_ECDSA, .scheme_hash = (hash_), .curve = (curve_), .kdf = VTPM_ALG_NULL }

static int own_template(VtpmAkKind kind, Blob *ret, Error *e) {
        static const VtpmPublic templates[] = {
                [VTPM_AK_RSASSA] = RSA_TEMPLATE(VTPM_ALG_RSASSA),
                [VTPM_AK_RSAPSS] = RSA_TEMPLATE(VTPM_ALG_RSAPSS),
                [VTPM_AK_ECDSA_P256] = ECC_TEMPLATE(VTPM_CURVE_NIST_P256, VTPM_ALG_SHA256),
                [VTPM_AK_ECDSA_P384] = ECC_TEMPLATE(VTPM_CURVE_NIST_P384, VTPM_ALG_SHA384),
        };

        return vtpm_public_encode(&templates[kind], ret) < 0 ? error_oom(e) : 0;
}

static int create_primary(VtpmContext *ctx, const VtpmAkSpec *spec, VtpmHandle *ret_key, Blob *ret_public, Error *e) {
        AUTO_BLOB Blob template = {};
        int r;

        r = own_template(spec->kind, &template, e);
        if (r < 0)
                return r;
        return vtpm_object_create_primary(ctx, spec->owner ? TPM2_RH_OWNER : TPM2_RH_ENDORSEMENT, &template, ret_key,
                                          ret_public, e);
}

static int create_platform_primary(VtpmContext *ctx, VtpmAkKind kind, VtpmHandle *ret_key, Blob *ret_public, Error *e) {
        AUTO_BLOB Blob template = {};
        int r;

        r = vtpm_ak_platform_template(ctx, kind, &template, e);
        if (r < 0)
                return r;
        return vtpm_object_create_primary(ctx, TPM2_RH_ENDORSEMENT, &template, ret_key, ret_public, e);
}

static int open_persistent(VtpmContext *ctx, uint32_t handle, VtpmHandle *ret_key, Blob *ret_public, Error *e) {
        Error why = {};
        int r = vtpm_object_open(ctx, handle, ret_key, ret_public, &why);

        if (strcmp(error_reason(&why, r), "tpm-no-such-handle") == 0)
                return error_set(e, r, "tpm-no-such-handle", "There is no key at 0x%08x", handle);
        if (r < 0)
                return error_set(e, r, error_reason(&why, r), "Attestation key at 0x%08x: %s", handle,
                                 error_text(&why, r));
        return 0;
}

static int load(VtpmContext *ctx, const VtpmAkSpec *spec, VtpmHandle *ret_key, Blob *ret_public, Error *e) {
        VtpmAkSpec found;
        int r;

        switch (spec->kind) {
        case VTPM_AK_PERSISTENT:
                return open_persistent(ctx, spec->handle, ret_key, ret_public, e);
        case VTPM_AK_AZURE:
                return open_persistent(ctx, VTPM_AK_AZURE_HANDLE, ret_key, ret_public, e);
        case VTPM_AK_GCP_RSA:
        case VTPM_AK_GCP_ECC:
                return create_platform_primary(ctx, spec->kind, ret_key, ret_public, e);
        case VTPM_AK_AUTO:
                r = vtpm_ak_detect(ctx, &found, e);
                return r < 0 ? r : load(ctx, &found, ret_key, ret_public, e); /* never VTPM_AK_AUTO again */
        case VTPM_AK_RSASSA:
        case VTPM_AK_RSAPSS:
        case VTPM_AK_ECDSA_P256:
        case VTPM_AK_ECDSA_P384:
                return create_primary(ctx, spec, ret_key, ret_public, e);
        default:
                return error_set(e, -EINVAL, "ak-spec", "There is no attestation key of kind %d", (int) spec->kind);
        }
}

int vtpm_ak_load(VtpmContext *ctx, const VtpmAkSpec *spec, VtpmHandle *ret_key, Blob *ret_public, Error *e) {
        CLEANUP(vtpm_ak_public_freep) VtpmAkPublic *checked = NULL;
        AUTO_VTPM_HANDLE VtpmHandle key = VTPM_HANDLE_NONE;
        AUTO_BLOB Blob pub = {};
        int r;

        r = load(ctx, spec, &key, &pub, e);
        if (r < 0)
                return r;
        r = vtpm_ak_public_new(pub.data, pub.size, &checked, e);
        if (r < 0)
                return r;
        *ret_key = vtpm_handle_take(&key);
        *ret_public = blob_take(&pub);
        return 0;
}
