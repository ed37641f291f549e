/* SPDX-License-Identifier: Apache-2.0 */
#include "vtpm/ek.h"

#include <errno.h>
#include <string.h>

#include "vtpm/esys.h"
#include "vtpm/nv-cert.h"
#include "vtpm/object.h"
#include "vtpm/public.h"

/* TPMA_OBJECT of the templates. Low range: by policy only. High range: by password or policy. */
#define EK_LOW                                                                                                         \
        (VTPM_OBJECT_FIXED_TPM | VTPM_OBJECT_FIXED_PARENT | VTPM_OBJECT_SENSITIVE_DATA_ORIGIN |                        \
         VTPM_OBJECT_ADMIN_WITH_POLICY | VTPM_OBJECT_RESTRICTED | VTPM_OBJECT_DECRYPT)
#define EK_HIGH (EK_LOW | VTPM_OBJECT_USER_WITH_AUTH)

/* TPM2_PolicySecret(TPM_RH_ENDORSEMENT), EK Credential Profile, "PolicyA" */
#define POLICY_A                                                                                                       \
        { 0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8, 0x1a, 0x90, 0xcc, 0x8d, 0x46, 0xa5, 0xd7, 0x24,              \
          0xfd, 0x52, 0xd7, 0x6e, 0x06, 0x52, 0x0b, 0x64, 0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14, 0x69, 0xaa }
/* PolicyA or PolicyC, the latter authorised by NV index 0x01c07f01; "PolicyB" */
#define POLICY_B_SHA256                                                                                                \
        { 0xca, 0x3d, 0x0a, 0x99, 0xa2, 0xb9, 0x39, 0x06, 0xf7, 0xa3, 0x34, 0x24, 0x14, 0xef, 0xcf, 0xb3,              \
          0xa3, 0x85, 0xd4, 0x4c, 0xd1, 0xfd, 0x45, 0x90, 0x89, 0xd1, 0x9b, 0x50, 0x71, 0xc0, 0xb7, 0xa0 }
#define POLICY_B_SHA384                                                                                                \
        { 0xb2, 0x6e, 0x7d, 0x28, 0xd1, 0x1a, 0x50, 0xbc, 0x53, 0xd8, 0x82, 0xbc, 0xf5, 0xfd, 0x3a, 0x1a,              \
          0x07, 0x41, 0x48, 0xbb, 0x35, 0xd3, 0xb4, 0xe4, 0xcb, 0x1c, 0x0a, 0xd9, 0xbd, 0xe4, 0x19, 0xca,              \
          0xcb, 0x47, 0xba, 0x09, 0x69, 0x96, 0x46, 0x15, 0x0f, 0x9f, 0xc0, 0x00, 0xf3, 0xf8, 0x0e, 0x12 }

typedef struct Profile {
        const char *name;
        /* EK Credential Profile for the NV indices; handles by the TCG's registry of reserved handles and tpm2-tools */
        uint32_t certificate, handle;
        VtpmPublic template; /* the unique fields are zeros of the sizes given */
} Profile;

static const Profile profiles[VTPM_N_EK_PROFILES] = {
        [VTPM_EK_RSA2048] = { "rsa2048", 0x01c00002, 0x81010001, {
                .type = VTPM_ALG_RSA, .name_alg = VTPM_ALG_SHA256, .attributes = EK_LOW,
                .policy = POLICY_A, .policy_size = 32,
                .symmetric = VTPM_ALG_AES, .symmetric_bits = 128, .symmetric_mode = VTPM_ALG_CFB,
                .scheme = VTPM_ALG_NULL, .rsa_bits = 2048, .modulus_size = 256 } },
        [VTPM_EK_ECC_P256] = { "ecc-p256", 0x01c0000a, 0x81010002, {
                .type = VTPM_ALG_ECC, .name_alg = VTPM_ALG_SHA256, .attributes = EK_LOW,
                .policy = POLICY_A, .policy_size = 32,
                .symmetric = VTPM_ALG_AES, .symmetric_bits = 128, .symmetric_mode = VTPM_ALG_CFB,
                .scheme = VTPM_ALG_NULL, .curve = VTPM_CURVE_NIST_P256, .kdf = VTPM_ALG_NULL,
                .x_size = 32, .y_size = 32 } },
        [VTPM_EK_RSA2048_HIGH] = { "rsa2048-high", 0x01c00012, 0x81010012, {
                .type = VTPM_ALG_RSA, .name_alg = VTPM_ALG_SHA256, .attributes = EK_HIGH,
                .policy = POLICY_B_SHA256, .policy_size = 32,
                .symmetric = VTPM_ALG_AES, .symmetric_bits = 128, .symmetric_mode = VTPM_ALG_CFB,
                .scheme = VTPM_ALG_NULL, .rsa_bits = 2048 } },
        [VTPM_EK_ECC_P256_HIGH] = { "ecc-p256-high", 0x01c00014, 0x81010014, {
                .type = VTPM_ALG_ECC, .name_alg = VTPM_ALG_SHA256, .attributes = EK_HIGH,
                .policy = POLICY_B_SHA256, .policy_size = 32,
                .symmetric = VTPM_ALG_AES, .symmetric_bits = 128, .symmetric_mode = VTPM_ALG_CFB,
                .scheme = VTPM_ALG_NULL, .curve = VTPM_CURVE_NIST_P256, .kdf = VTPM_ALG_NULL } },
        [VTPM_EK_ECC_P384] = { "ecc-p384", 0x01c00016, 0x81010016, {
                .type = VTPM_ALG_ECC, .name_alg = VTPM_ALG_SHA384, .attributes = EK_HIGH,
                .policy = POLICY_B_SHA384, .policy_size = 48,
                .symmetric = VTPM_ALG_AES, .symmetric_bits = 256, .symmetric_mode = VTPM_ALG_CFB,
                .scheme = VTPM_ALG_NULL, .curve = VTPM_CURVE_NIST_P384, .kdf = VTPM_ALG_NULL } },
};

const char *vtpm_ek_profile_name(VtpmEkProfile profile) {
        return profile < VTPM_N_EK_PROFILES ? profiles[profile].name : "?";
}

int vtpm_ek_profile_parse(const char *text, VtpmEkProfile *ret, Error *e) {
        for (unsigned i = 0; i < VTPM_N_EK_PROFILES; i++)
                if (strcmp(profiles[i].name, text) == 0) {
                        *ret = (VtpmEkProfile) i;
                        return 0;
                }
        return error_set(e, -EINVAL, "ek-profile",
                         "'%s' is not one of rsa2048, ecc-p256, rsa2048-high, ecc-p256-high, ecc-p384", text);
}

uint16_t vtpm_ek_name_alg(VtpmEkProfile profile) {
        return profiles[profile].template.name_alg;
}

bool vtpm_ek_uses_password(VtpmEkProfile profile) {
        return profiles[profile].template.attributes & VTPM_OBJECT_USER_WITH_AUTH;
}

int vtpm_ek_template(VtpmEkProfile profile, Blob *ret, Error *e) {
        return vtpm_public_encode(&profiles[profile].template, ret) < 0 ? error_oom(e) : 0;
}

/* The template with the key that @pub has: what the TPM is to make of it. */
static VtpmPublic with_key_of(VtpmEkProfile profile, const VtpmPublic *pub) {
        VtpmPublic want = profiles[profile].template;

        want.modulus_size = pub->modulus_size;
        want.x_size = pub->x_size;
        want.y_size = pub->y_size;
        (void) memcpy(want.modulus, pub->modulus, pub->modulus_size);
        (void) memcpy(want.x, pub->x, pub->x_size);
        (void) memcpy(want.y, pub->y, pub->y_size);
        return want;
}

int vtpm_ek_check(VtpmEkProfile profile, const Blob *tpmt_public, Error *e) {
        AUTO_BLOB Blob wanted = {};
        VtpmPublic pub, want;
        int r;

        r = vtpm_public_parse(tpmt_public->data, tpmt_public->size, &pub, e);
        if (r < 0)
                return r;
        want = with_key_of(profile, &pub);
        if (vtpm_public_encode(&want, &wanted) < 0)
                return error_oom(e);
        if (!blob_equal(&wanted, tpmt_public))
                return error_set(e, -EKEYREJECTED, "ek-template", "The key is not made from the template %s",
                                 vtpm_ek_profile_name(profile));
        return 0;
}

/* 0, or 1 when there is nothing of use at the conventional handle. */
static int open_persistent(VtpmContext *ctx, VtpmEkProfile profile, VtpmHandle *ret_key, Blob *ret_public, Error *e) {
        AUTO_VTPM_HANDLE VtpmHandle key = VTPM_HANDLE_NONE;
        AUTO_BLOB Blob pub = {};
        Error why = {};
        int r;

        r = vtpm_object_open(ctx, profiles[profile].handle, &key, &pub, &why);
        if (r == -ENOENT)
                return 1;
        if (r < 0)
                return error_set(e, r, error_reason(&why, r), "%s", error_text(&why, r));
        if (vtpm_ek_check(profile, &pub, NULL) < 0)
                return 1;
        *ret_key = vtpm_handle_take(&key);
        *ret_public = blob_take(&pub);
        return 0;
}

static int derive(VtpmContext *ctx, VtpmEkProfile profile, VtpmHandle *ret_key, Blob *ret_public, Error *e) {
        AUTO_VTPM_HANDLE VtpmHandle key = VTPM_HANDLE_NONE;
        AUTO_BLOB Blob template = {};
        AUTO_BLOB Blob pub = {};
        int r;

        r = vtpm_ek_template(profile, &template, e);
        if (r < 0)
                return r;
        r = vtpm_object_create_primary(ctx, TPM2_RH_ENDORSEMENT, &template, &key, &pub, e);
        if (r < 0)
                return r;
        r = vtpm_ek_check(profile, &pub, e);
        if (r < 0)
                return r;
        *ret_key = vtpm_handle_take(&key);
        *ret_public = blob_take(&pub);
        return 0;
}

int vtpm_ek_load(VtpmContext *ctx, VtpmEkProfile profile, VtpmHandle *ret_key, Blob *ret_public, Error *e) {
        int r = open_persistent(ctx, profile, ret_key, ret_public, e);

        if (r == 1)
                r = derive(ctx, profile, ret_key, ret_public, e);
        if (r < 0)
                error_prefix(e, "Endorsement key %s", vtpm_ek_profile_name(profile));
        return r;
}

int vtpm_ek_public(VtpmContext *ctx, VtpmEkProfile profile, Blob *ret_public, Error *e) {
        AUTO_VTPM_HANDLE VtpmHandle key = VTPM_HANDLE_NONE;

        return vtpm_ek_load(ctx, profile, &key, ret_public, e);
}

int vtpm_ek_certificate(VtpmContext *ctx, VtpmEkProfile profile, const Blob *ek_public, Blob *ret, Error *e) {
        int r = vtpm_nv_certificate(ctx, profiles[profile].certificate, ek_public, ret, e);

        if (r < 0)
                error_prefix(e, "Certificate of endorsement key %s", vtpm_ek_profile_name(profile));
        return r;
}
