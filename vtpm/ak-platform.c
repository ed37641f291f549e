/* SPDX-License-Identifier: Apache-2.0 */
#include "vtpm/ak-platform.h"

#include <errno.h>

#include "vtpm/ak_public.h"
#include "vtpm/nv-cert.h"
#include "vtpm/nv.h"
#include "vtpm/object.h"
#include "vtpm/public.h"

#define AZURE_REPORT 0x01400001u
#define AZURE_CERTIFICATE 0x01c101d0u
#define GCP_RSA_CERTIFICATE 0x01c10000u
#define GCP_RSA_TEMPLATE 0x01c10001u
#define GCP_ECC_CERTIFICATE 0x01c10002u
#define GCP_ECC_TEMPLATE 0x01c10003u

/* 1, 0, or negative errno. */
static int has_index(VtpmContext *ctx, uint32_t index, Error *e) {
        Error why = {};
        VtpmNvPublic pub;
        int r = vtpm_nv_public(ctx, index, &pub, &why);

        if (r == -ENOENT)
                return 0;
        return r < 0 ? error_set(e, r, error_reason(&why, r), "%s", error_text(&why, r)) : 1;
}

static int has_key(VtpmContext *ctx, uint32_t handle, Error *e) {
        AUTO_VTPM_HANDLE VtpmHandle key = VTPM_HANDLE_NONE;
        AUTO_BLOB Blob pub = {};
        Error why = {};
        int r = vtpm_object_open(ctx, handle, &key, &pub, &why);

        if (r == -ENOENT)
                return 0;
        return r < 0 ? error_set(e, r, error_reason(&why, r), "%s", error_text(&why, r)) : 1;
}

static int is_azure(VtpmContext *ctx, Error *e) {
        int r = has_key(ctx, VTPM_AK_AZURE_HANDLE, e);

        if (r > 0) {
                r = has_index(ctx, AZURE_REPORT, e);
                if (r == 0)
                        r = has_index(ctx, AZURE_CERTIFICATE, e); /* trusted launch has no report */
        }
        return r;
}

static int is_gcp_rsa(VtpmContext *ctx, Error *e) {
        return has_index(ctx, GCP_RSA_TEMPLATE, e);
}

static int is_gcp_ecc(VtpmContext *ctx, Error *e) {
        return has_index(ctx, GCP_ECC_TEMPLATE, e);
}

int vtpm_ak_detect(VtpmContext *ctx, VtpmAkSpec *ret, Error *e) {
        static const struct {
                VtpmAkKind kind;
                int (*is)(VtpmContext *ctx, Error *e);
        } platforms[] = {
                { VTPM_AK_AZURE, is_azure },
                { VTPM_AK_GCP_RSA, is_gcp_rsa },
                { VTPM_AK_GCP_ECC, is_gcp_ecc },
        };

        for (size_t i = 0; i < N_ELEMENTS(platforms); i++) {
                int r = platforms[i].is(ctx, e);

                if (r < 0)
                        return r;
                if (r > 0) {
                        *ret = (VtpmAkSpec){ .kind = platforms[i].kind };
                        return 0;
                }
        }
        *ret = (VtpmAkSpec){ .kind = VTPM_AK_RSASSA };
        return 0;
}

int vtpm_ak_platform_template(VtpmContext *ctx, VtpmAkKind kind, Blob *ret, Error *e) {
        uint32_t index = kind == VTPM_AK_GCP_ECC ? GCP_ECC_TEMPLATE : GCP_RSA_TEMPLATE;
        AUTO_BLOB Blob template = {};
        Error why = {};
        VtpmPublic pub;
        int r;

        r = vtpm_nv_read(ctx, index, VTPM_PUBLIC_SIZE_MAX, &template, &why);
        if (r == -ENOENT || r == -ENODATA)
                return error_set(e, -ENOENT, "ak-absent", "There is no template for an attestation key in NV index "
                                 "0x%08x: this is not Google's cloud", index);
        if (r < 0)
                return error_set(e, r, error_reason(&why, r), "%s", error_text(&why, r));
        r = vtpm_public_parse(template.data, template.size, &pub, e);
        if (r == 0)
                r = vtpm_ak_public_check(&pub, e);
        if (r < 0) {
                error_prefix(e, "Template in NV index 0x%08x", index);
                return r;
        }
        *ret = blob_take(&template);
        return 0;
}

static uint32_t certificate_of(const VtpmAkSpec *spec) {
        if (spec->kind == VTPM_AK_AZURE || (spec->kind == VTPM_AK_PERSISTENT && spec->handle == VTPM_AK_AZURE_HANDLE))
                return AZURE_CERTIFICATE;
        if (spec->kind == VTPM_AK_GCP_RSA)
                return GCP_RSA_CERTIFICATE;
        return spec->kind == VTPM_AK_GCP_ECC ? GCP_ECC_CERTIFICATE : 0;
}

int vtpm_ak_certificate(VtpmContext *ctx, const VtpmAkSpec *spec, const Blob *ak_public, Blob *ret, Error *e) {
        VtpmAkSpec found = *spec;
        int r;

        if (spec->kind == VTPM_AK_AUTO) {
                r = vtpm_ak_detect(ctx, &found, e);
                if (r < 0)
                        return r;
        }
        if (certificate_of(&found) == 0)
                return error_set(e, -ENOENT, "nv-cert-absent",
                                 "Nobody has put a certificate for this attestation key into the TPM");
        r = vtpm_nv_certificate(ctx, certificate_of(&found), ak_public, ret, e);
        if (r < 0)
                error_prefix(e, "Certificate of the attestation key");
        return r;
}
