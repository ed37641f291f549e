/* SPDX-License-Identifier: Apache-2.0 */
#include "vtpm/ak_spec.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

/* TPM 2.0 Library Part 2, "TPM_HC": PERSISTENT_FIRST and PERSISTENT_LAST */
#define PERSISTENT_FIRST 0x81000000u
#define PERSISTENT_LAST 0x81ffffffu

static const struct {
        const char *name;
        VtpmAkKind kind;
} names[] = {
        { "rsassa", VTPM_AK_RSASSA },
        { "rsapss", VTPM_AK_RSAPSS },
        { "ecdsa-p256", VTPM_AK_ECDSA_P256 },
        { "ecdsa-p384", VTPM_AK_ECDSA_P384 },
};

/* These are where the platform wants them: no hierarchy to choose. */
static const struct {
        const char *name;
        VtpmAkKind kind;
} platforms[] = {
        { "azure", VTPM_AK_AZURE },
        { "gcp-rsa", VTPM_AK_GCP_RSA },
        { "gcp-ecc", VTPM_AK_GCP_ECC },
        { "auto", VTPM_AK_AUTO },
};

static int parse_name(const char *text, VtpmAkSpec *ret) {
        static const char owner[] = "owner:";
        bool is_owner = text_starts_with(text, owner);

        for (size_t i = 0; i < N_ELEMENTS(platforms); i++)
                if (strcmp(platforms[i].name, text) == 0) {
                        *ret = (VtpmAkSpec){ .kind = platforms[i].kind };
                        return 0;
                }
        if (is_owner)
                text += sizeof(owner) - 1;
        for (size_t i = 0; i < N_ELEMENTS(names); i++)
                if (strcmp(names[i].name, text) == 0) {
                        *ret = (VtpmAkSpec){ .kind = names[i].kind, .owner = is_owner };
                        return 0;
                }
        return -EINVAL;
}

int vtpm_ak_spec_parse(const char *text, VtpmAkSpec *ret, Error *e) {
        uint64_t handle;

        if (text_starts_with(text, "0x") &&
            text_to_u64(text + 2, 16, PERSISTENT_FIRST, PERSISTENT_LAST, &handle) == 0) {
                *ret = (VtpmAkSpec){ .kind = VTPM_AK_PERSISTENT, .handle = (uint32_t) handle };
                return 0;
        }
        if (parse_name(text, ret) < 0)
                return error_set(e, -EINVAL, "ak-spec",
                                 "'%s' is not rsassa, rsapss, ecdsa-p256 or ecdsa-p384 (\"owner:\" may stand before "
                                 "these), nor azure, gcp-rsa, gcp-ecc or auto, nor a persistent handle 0x81000000 to "
                                 "0x81ffffff", text);
        return 0;
}
