/* SPDX-License-Identifier: Apache-2.0 */
#include "vtpm/storage.h"

#include "vtpm/object.h"
#include "vtpm/public.h"

#define ATTRIBUTES                                                                                                     \
        (VTPM_OBJECT_FIXED_TPM | VTPM_OBJECT_FIXED_PARENT | VTPM_OBJECT_SENSITIVE_DATA_ORIGIN |                        \
         VTPM_OBJECT_USER_WITH_AUTH | VTPM_OBJECT_NO_DA | VTPM_OBJECT_RESTRICTED | VTPM_OBJECT_DECRYPT)

int vtpm_storage_primary(VtpmContext *ctx, uint16_t type, VtpmHandle *ret, Error *e) {
        static const VtpmPublic ecc = {
                .type = VTPM_ALG_ECC, .name_alg = VTPM_ALG_SHA256, .attributes = ATTRIBUTES,
                .symmetric = VTPM_ALG_AES, .symmetric_bits = 128, .symmetric_mode = VTPM_ALG_CFB,
                .scheme = VTPM_ALG_NULL, .curve = VTPM_CURVE_NIST_P256, .kdf = VTPM_ALG_NULL,
                .x_size = 32, .y_size = 32,
        };
        static const VtpmPublic rsa = {
                .type = VTPM_ALG_RSA, .name_alg = VTPM_ALG_SHA256, .attributes = ATTRIBUTES,
                .symmetric = VTPM_ALG_AES, .symmetric_bits = 128, .symmetric_mode = VTPM_ALG_CFB,
                .scheme = VTPM_ALG_NULL, .rsa_bits = 2048, .modulus_size = 256,
        };
        AUTO_BLOB Blob template = {}, pub = {};
        int r;

        if (vtpm_public_encode(type == VTPM_ALG_RSA ? &rsa : &ecc, &template) < 0)
                return error_oom(e);
        r = vtpm_object_create_primary(ctx, TPM2_RH_OWNER, &template, ret, &pub, e);
        if (r < 0)
                error_prefix(e, "Storage primary key");
        return r;
}
