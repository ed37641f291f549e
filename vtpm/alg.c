/* SPDX-License-Identifier: Apache-2.0 */
#include "vtpm/alg.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include <openssl/evp.h>

static const struct {
        uint16_t id;
        size_t size;
        const char *name;
        const EVP_MD *(*md)(void);
} hashes[] = {
        { VTPM_ALG_SHA1, 20, "sha1", EVP_sha1 },
        { VTPM_ALG_SHA256, 32, "sha256", EVP_sha256 },
        { VTPM_ALG_SHA384, 48, "sha384", EVP_sha384 },
        { VTPM_ALG_SHA512, 64, "sha512", EVP_sha512 },
};
static_assert(N_ELEMENTS(hashes) == VTPM_HASHES_MAX, "a selection that is checked names each hash once at most");

static const struct {
        uint16_t id;
        size_t size;
        const char *group;
} curves[] = {
        { VTPM_CURVE_NIST_P256, 32, "P-256" },
        { VTPM_CURVE_NIST_P384, 48, "P-384" },
        { VTPM_CURVE_NIST_P521, 66, "P-521" },
};

size_t vtpm_hash_size(uint16_t hash) {
        for (size_t i = 0; i < N_ELEMENTS(hashes); i++)
                if (hashes[i].id == hash)
                        return hashes[i].size;
        return 0;
}

const EVP_MD *vtpm_hash_md(uint16_t hash) {
        for (size_t i = 0; i < N_ELEMENTS(hashes); i++)
                if (hashes[i].id == hash)
                        return hashes[i].md();
        return NULL;
}

const char *vtpm_hash_name(uint16_t hash) {
        for (size_t i = 0; i < N_ELEMENTS(hashes); i++)
                if (hashes[i].id == hash)
                        return hashes[i].name;
        return "?";
}

bool vtpm_hash_is_sound(uint16_t hash) {
        return vtpm_hash_size(hash) > 0 && hash != VTPM_ALG_SHA1;
}

int vtpm_hash_from_name(const char *name, uint16_t *ret, Error *e) {
        for (size_t i = 0; name && i < N_ELEMENTS(hashes); i++)
                if (strcmp(hashes[i].name, name) == 0) {
                        *ret = hashes[i].id;
                        return 0;
                }
        return error_set(e, -EINVAL, "tpm-hash-name", "'%s' is not one of sha1, sha256, sha384, sha512",
                         name ? name : "");
}

int vtpm_hash_bytes(uint16_t hash, const void *data, size_t size, uint8_t *ret, Error *e) {
        const EVP_MD *md = vtpm_hash_md(hash);

        if (!md)
                return error_set(e, -EOPNOTSUPP, "tpm-hash", "Hash algorithm 0x%04x is not supported", hash);
        if (EVP_Digest(data, size, ret, NULL, md, NULL) != 1)
                return error_set(e, -EIO, "crypto", "Cannot compute a %s digest", vtpm_hash_name(hash));
        return 0;
}

size_t vtpm_curve_size(uint16_t curve) {
        for (size_t i = 0; i < N_ELEMENTS(curves); i++)
                if (curves[i].id == curve)
                        return curves[i].size;
        return 0;
}

const char *vtpm_curve_group(uint16_t curve) {
        for (size_t i = 0; i < N_ELEMENTS(curves); i++)
                if (curves[i].id == curve)
                        return curves[i].group;
        return NULL;
}
