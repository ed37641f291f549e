/* SPDX-License-Identifier: Apache-2.0 */
#include "vtpm/kdf.h"

#include <errno.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

#include "base/writer.h"
#include "vtpm/alg.h"

#define INFO_MAX 512u /* labels and names; the coordinates of two points */

static void kdf_free(EVP_KDF *kdf) {
        EVP_KDF_free(kdf);
}
DEFINE_CLEANUP(EVP_KDF *, kdf_free);
static void kdf_ctx_free(EVP_KDF_CTX *ctx) {
        EVP_KDF_CTX_free(ctx);
}
DEFINE_CLEANUP(EVP_KDF_CTX *, kdf_ctx_free);

/* For OSSL_PARAM, which takes inputs without const. */
static void *unconst(const void *p) {
        return (void *) (uintptr_t) p;
}

static int derive(const char *name, const OSSL_PARAM params[], uint8_t *ret, size_t size, Error *e) {
        CLEANUP(kdf_freep) EVP_KDF *kdf = EVP_KDF_fetch(NULL, name, NULL);
        CLEANUP(kdf_ctx_freep) EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;

        if (!ctx || EVP_KDF_derive(ctx, ret, size, params) != 1)
                return error_set(e, -EIO, "crypto", "Cannot derive a key with %s", name);
        return 0;
}

static int check_hash(uint16_t hash, Error *e) {
        if (vtpm_hash_size(hash) == 0)
                return error_set(e, -EOPNOTSUPP, "tpm-hash", "Hash algorithm 0x%04x is not supported", hash);
        return 0;
}

/* HMAC over counter || label || 00 || U || bits, which OpenSSL's KBKDF adds up from these parts. */
int vtpm_kdfa(uint16_t hash, VtpmBytes key, const char *label, VtpmBytes context_u, uint8_t *ret, size_t size,
              Error *e) {
        int r = check_hash(hash, e);

        if (r < 0)
                return r;
        OSSL_PARAM params[] = {
                OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_MAC, unconst("HMAC"), 0),
                OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, unconst(EVP_MD_get0_name(vtpm_hash_md(hash))),
                                                 0),
                OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, unconst(key.data), key.size),
                OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, unconst(label), strlen(label)),
                OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, unconst(context_u.data), context_u.size),
                OSSL_PARAM_construct_end(),
        };
        if (!context_u.data)
                params[4] = OSSL_PARAM_construct_end();
        return derive("KBKDF", params, ret, size, e);
}

/* Digest of counter || Z || label || 00 || U || V. */
int vtpm_kdfe(uint16_t hash, VtpmBytes z, const char *label, VtpmBytes party_u, VtpmBytes party_v, uint8_t *ret,
              size_t size, Error *e) {
        AUTO_WRITER Writer w = wr_init(INFO_MAX);
        AUTO_BLOB Blob info = {};
        int r;

        r = check_hash(hash, e);
        if (r < 0)
                return r;
        wr_str(&w, label);
        wr_u8(&w, 0);
        wr_bytes(&w, party_u.data, party_u.size);
        wr_bytes(&w, party_v.data, party_v.size);
        if (wr_finish(&w, &info) < 0)
                return error_oom(e);
        OSSL_PARAM params[] = {
                OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, unconst(EVP_MD_get0_name(vtpm_hash_md(hash))),
                                                 0),
                OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, unconst(z.data), z.size),
                OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data, info.size),
                OSSL_PARAM_construct_end(),
        };
        return derive("SSKDF", params, ret, size, e);
}
