/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scheme and hash are pinned when the object is made: a signature says which ones it used, but that is the
 * signer's word, and only the key's own are believed.
 */
#include "vtpm/ak_public.h"

#include <errno.h>

#include <openssl/evp.h>

#include "base/writer.h"
#include "vtpm/public.h"

#define AK_MUST                                                                                                        \
        (VTPM_OBJECT_FIXED_TPM | VTPM_OBJECT_SENSITIVE_DATA_ORIGIN | VTPM_OBJECT_RESTRICTED | VTPM_OBJECT_SIGN)
#define AK_MUST_NOT VTPM_OBJECT_DECRYPT
#define RSA_BITS_MIN 2048 /* as vtpm_public_to_key() */

struct VtpmAkPublic {
        EVP_PKEY *key;
        uint16_t scheme, hash;
        uint8_t name[2 + VTPM_DIGEST_MAX];
        size_t name_size;
};

void vtpm_ak_public_free(VtpmAkPublic *ak) {
        if (!ak)
                return;
        EVP_PKEY_free(ak->key);
        free(ak);
}

static int check_scheme(uint16_t scheme, uint16_t hash, Error *e) {
        if (scheme != VTPM_ALG_RSASSA && scheme != VTPM_ALG_RSAPSS && scheme != VTPM_ALG_ECDSA)
                return error_set(e, -EKEYREJECTED, "ak-scheme", "The attestation key has no signing scheme of its own");
        if (!vtpm_hash_is_sound(hash))
                return error_set(e, -EKEYREJECTED, "ak-weak-hash",
                                 "The attestation key signs with hash 0x%04x (%s), which is not accepted", hash,
                                 vtpm_hash_name(hash));
        return 0;
}

int vtpm_ak_public_check(const VtpmPublic *pub, Error *e) {
        uint32_t missing = AK_MUST & ~pub->attributes;

        if (missing)
                return error_set(e, -EKEYREJECTED, "ak-attributes",
                                 "The attestation key is not%s%s%s%s (attributes 0x%08x)",
                                 missing & VTPM_OBJECT_RESTRICTED ? " restricted" : "",
                                 missing & VTPM_OBJECT_SIGN ? " sign" : "",
                                 missing & VTPM_OBJECT_FIXED_TPM ? " fixedTPM" : "",
                                 missing & VTPM_OBJECT_SENSITIVE_DATA_ORIGIN ? " sensitiveDataOrigin" : "",
                                 pub->attributes);
        if (pub->attributes & AK_MUST_NOT)
                return error_set(e, -EKEYREJECTED, "ak-attributes",
                                 "The attestation key may decrypt too (attributes 0x%08x)", pub->attributes);
        if (!vtpm_hash_is_sound(pub->name_alg))
                return error_set(e, -EKEYREJECTED, "ak-weak-hash",
                                 "The attestation key's name is made with hash 0x%04x (%s), which is not accepted",
                                 pub->name_alg, vtpm_hash_name(pub->name_alg));
        return check_scheme(pub->scheme, pub->scheme_hash, e);
}

static int set_name(VtpmAkPublic *ak, uint16_t name_alg, const void *tpmt_public, size_t size, Error *e) {
        int r = vtpm_hash_bytes(name_alg, tpmt_public, size, ak->name + 2, e);

        if (r < 0)
                return r;
        store_be16(ak->name, name_alg);
        ak->name_size = 2 + vtpm_hash_size(name_alg);
        return 0;
}

int vtpm_ak_public_new(const void *tpmt_public, size_t size, VtpmAkPublic **ret, Error *e) {
        CLEANUP(vtpm_ak_public_freep) VtpmAkPublic *ak = NULL;
        VtpmPublic pub;
        int r;

        r = vtpm_public_parse(tpmt_public, size, &pub, e);
        if (r < 0)
                return r;
        r = vtpm_ak_public_check(&pub, e);
        if (r < 0)
                return r;
        ak = calloc(1, sizeof(*ak));
        if (!ak)
                return error_oom(e);
        ak->scheme = pub.scheme;
        ak->hash = pub.scheme_hash;
        r = vtpm_public_to_key(&pub, &ak->key, e);
        if (r < 0)
                return r;
        r = set_name(ak, pub.name_alg, tpmt_public, size, e);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(ak);
        return 0;
}

int vtpm_ak_public_new_from_key(EVP_PKEY *key, uint16_t scheme, uint16_t hash, VtpmAkPublic **ret, Error *e) {
        CLEANUP(vtpm_ak_public_freep) VtpmAkPublic *ak = NULL;
        int r;

        r = check_scheme(scheme, hash, e);
        if (r < 0)
                return r;
        if (EVP_PKEY_is_a(key, scheme == VTPM_ALG_ECDSA ? "EC" : "RSA") != 1)
                return error_set(e, -EINVAL, "ak-scheme", "Signing scheme 0x%04x does not fit the key", scheme);
        if (scheme != VTPM_ALG_ECDSA && EVP_PKEY_get_bits(key) < RSA_BITS_MIN)
                return error_set(e, -EKEYREJECTED, "ak-weak-key", "RSA attestation key of %d bits is below %d",
                                 EVP_PKEY_get_bits(key), RSA_BITS_MIN);
        ak = calloc(1, sizeof(*ak));
        if (!ak || EVP_PKEY_up_ref(key) != 1)
                return error_oom(e);
        ak->key = key;
        ak->scheme = scheme;
        ak->hash = hash;
        *ret = TAKE_PTR(ak);
        return 0;
}

const uint8_t *vtpm_ak_public_name(const VtpmAkPublic *ak, size_t *ret_size) {
        *ret_size = ak->name_size;
        return ak->name;
}

uint16_t vtpm_ak_public_scheme(const VtpmAkPublic *ak) {
        return ak->scheme;
}

uint16_t vtpm_ak_public_hash(const VtpmAkPublic *ak) {
        return ak->hash;
}

int vtpm_ak_public_verify(const VtpmAkPublic *ak, const VtpmSignature *sig, const void *data, size_t size, Error *e) {
        if (!vtpm_hash_is_sound(sig->hash))
                return error_set(e, -EKEYREJECTED, "signature-weak-hash",
                                 "The signature uses hash 0x%04x (%s), which is not accepted", sig->hash,
                                 vtpm_hash_name(sig->hash));
        if (sig->scheme != ak->scheme || sig->hash != ak->hash)
                return error_set(e, -EKEYREJECTED, "signature-scheme",
                                 "The signature is of scheme 0x%04x with hash 0x%04x, the attestation key's are 0x%04x "
                                 "and 0x%04x", sig->scheme, sig->hash, ak->scheme, ak->hash);
        return vtpm_signature_verify(sig, ak->key, data, size, e);
}
