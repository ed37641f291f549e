/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates follow the ones the clouds and tpm2-tools use for attestation keys: a restricted signing key
 * with a scheme of its own, symmetric and KDF null as signing keys must have them (TPM 2.0 Library Part 2,
 * "TPMT_PUBLIC"), empty authorisation, no policy, empty unique field.
 */
#include "vtpm/ak.h"

#include <errno.h>

#include <tss2/tss2_mu.h>

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

static const TPMT_PUBLIC rsa_template = {
        .type = TPM2_ALG_RSA,
        .nameAlg = TPM2_ALG_SHA256,
        .objectAttributes = AK_ATTRIBUTES,
        .parameters.rsaDetail = {
                .symmetric.algorithm = TPM2_ALG_NULL,
                .scheme = { .scheme = TPM2_ALG_RSASSA, .details.rsassa.hashAlg = TPM2_ALG_SHA256 },
                .keyBits = 2048,
        },
};

static const TPMT_PUBLIC ecc_template = {
        .type = TPM2_ALG_ECC,
        .nameAlg = TPM2_ALG_SHA256,
        .objectAttributes = AK_ATTRIBUTES,
        .parameters.eccDetail = {
                .symmetric.algorithm = TPM2_ALG_NULL,
                .scheme = { .scheme = TPM2_ALG_ECDSA, .details.ecdsa.hashAlg = TPM2_ALG_SHA256 },
                .curveID = TPM2_ECC_NIST_P256,
                .kdf.scheme = TPM2_ALG_NULL,
        },
};

static TPM2B_PUBLIC template_for(VtpmAkKind kind) {
        TPM2B_PUBLIC t = {};

        switch (kind) {
        case VTPM_AK_RSASSA:
                t.publicArea = rsa_template;
                break;
        case VTPM_AK_RSAPSS:
                t.publicArea = rsa_template;
                t.publicArea.parameters.rsaDetail.scheme.scheme = TPM2_ALG_RSAPSS;
                break;
        case VTPM_AK_ECDSA_P384:
                t.publicArea = ecc_template;
                t.publicArea.nameAlg = TPM2_ALG_SHA384; /* of the curve's strength, as the TCG's templates have it */
                t.publicArea.parameters.eccDetail.scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA384;
                t.publicArea.parameters.eccDetail.curveID = TPM2_ECC_NIST_P384;
                break;
        case VTPM_AK_ECDSA_P256:
        case VTPM_AK_PERSISTENT:
        default:
                t.publicArea = ecc_template;
                break;
        }
        return t;
}

static int create_primary(VtpmContext *ctx, const VtpmAkSpec *spec, VtpmHandle *ret_key, Blob *ret_public, Error *e) {
        TPM2B_PUBLIC template = template_for(spec->kind);
        uint8_t bytes[VTPM_PUBLIC_SIZE_MAX];
        AUTO_BLOB Blob encoded = {};
        size_t size = 0;

        if (Tss2_MU_TPMT_PUBLIC_Marshal(&template.publicArea, bytes, sizeof(bytes), &size) != TSS2_RC_SUCCESS ||
            blob_dup(bytes, size, &encoded) < 0)
                return error_oom(e);
        return vtpm_object_create_primary(ctx, spec->owner ? TPM2_RH_OWNER : TPM2_RH_ENDORSEMENT, &encoded, ret_key,
                                          ret_public, e);
}

static int open_persistent(VtpmContext *ctx, uint32_t handle, VtpmHandle *ret_key, Blob *ret_public, Error *e) {
        int r = vtpm_object_open(ctx, handle, ret_key, ret_public, e);

        if (r < 0)
                error_prefix(e, "Attestation key at 0x%08x", handle);
        return r;
}

int vtpm_ak_load(VtpmContext *ctx, const VtpmAkSpec *spec, VtpmHandle *ret_key, Blob *ret_public, Error *e) {
        CLEANUP(vtpm_ak_public_freep) VtpmAkPublic *checked = NULL;
        AUTO_VTPM_HANDLE VtpmHandle key = VTPM_HANDLE_NONE;
        AUTO_BLOB Blob pub = {};
        int r;

        if (spec->kind == VTPM_AK_PERSISTENT)
                r = open_persistent(ctx, spec->handle, &key, &pub, e);
        else
                r = create_primary(ctx, spec, &key, &pub, e);
        if (r < 0)
                return r;
        r = vtpm_ak_public_new(pub.data, pub.size, &checked, e);
        if (r < 0)
                return r;
        *ret_key = vtpm_handle_take(&key);
        *ret_public = blob_take(&pub);
        return 0;
}
