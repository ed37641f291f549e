/* SPDX-License-Identifier: Apache-2.0 */
#include "vtpm/policy-signed.h"

#include <errno.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "vtpm/policy-digest.h"
#include "vtpm/public.h"
#include "vtpm/signature.h"

/* What systemd loads such keys with (src/shared/tpm2-util.c): neither restricted nor bound to a scheme. */
#define SIGNER_ATTRIBUTES (VTPM_OBJECT_USER_WITH_AUTH | VTPM_OBJECT_DECRYPT | VTPM_OBJECT_SIGN)
#define RSA_BITS_MIN 2048
#define EXPONENT 65537u

static void pkey_free(EVP_PKEY *key) {
        EVP_PKEY_free(key);
}
DEFINE_CLEANUP(EVP_PKEY *, pkey_free);
static void md_ctx_free(EVP_MD_CTX *ctx) {
        EVP_MD_CTX_free(ctx);
}
DEFINE_CLEANUP(EVP_MD_CTX *, md_ctx_free);
static void bn_free(BIGNUM *bn) {
        BN_free(bn);
}
DEFINE_CLEANUP(BIGNUM *, bn_free);

void vtpm_policy_signature_done(VtpmPolicySignature *s) {
        blob_done(&s->signature);
}

void vtpm_policy_signatures_done(VtpmPolicySignatures *s) {
        for (size_t i = 0; i < s->n; i++)
                vtpm_policy_signature_done(&s->items[i]);
        s->n = 0;
}

int vtpm_policy_signer(EVP_PKEY *key, Blob *ret_public, Error *e) {
        VtpmPublic pub = {
                .type = VTPM_ALG_RSA, .name_alg = VTPM_ALG_SHA256, .attributes = SIGNER_ATTRIBUTES,
                .symmetric = VTPM_ALG_NULL, .scheme = VTPM_ALG_NULL,
        };
        CLEANUP(bn_freep) BIGNUM *n = NULL;
        CLEANUP(bn_freep) BIGNUM *exponent = NULL;
        int bits = EVP_PKEY_get_bits(key);

        if (EVP_PKEY_is_a(key, "RSA") != 1 || bits < RSA_BITS_MIN || bits > (int) VTPM_RSA_SIZE_MAX * 8 ||
            bits % 8 != 0)
                return error_set(e, -EOPNOTSUPP, "policy-key", "A key that signs policies is RSA of 2048 to 4096 bits");
        if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) != 1 ||
            EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) != 1)
                return error_oom(e);
        if (!BN_is_word(exponent, EXPONENT))
                return error_set(e, -EOPNOTSUPP, "policy-key",
                                 "A key that signs policies has the exponent %u", EXPONENT);
        pub.rsa_bits = (uint16_t) bits;
        pub.modulus_size = (size_t) bits / 8;
        if (BN_bn2binpad(n, pub.modulus, bits / 8) < 0 || vtpm_public_encode(&pub, ret_public) < 0)
                return error_oom(e);
        return 0;
}

static int fingerprint(EVP_PKEY *key, uint8_t ret[static 32], Error *e) {
        unsigned char *der = NULL;
        int n = i2d_PublicKey(key, &der), r;

        if (n < 0)
                return error_oom(e);
        r = vtpm_hash_bytes(VTPM_ALG_SHA256, der, (size_t) n, ret, e);
        OPENSSL_free(der);
        return r;
}

/* What the TPM verifies is the SHA-256 of approved policy and reference, and the reference is empty. */
static int sign(EVP_PKEY *key, VtpmPolicySignature *s, Error *e) {
        CLEANUP(md_ctx_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        size_t n = (size_t) EVP_PKEY_get_size(key);

        s->signature.data = malloc(n);
        if (!ctx || !s->signature.data)
                return error_oom(e);
        if (EVP_DigestSignInit_ex(ctx, NULL, "SHA256", NULL, NULL, key, NULL) != 1 ||
            EVP_DigestSign(ctx, s->signature.data, &n, s->policy, sizeof(s->policy)) != 1) {
                ERR_clear_error();
                return error_set(e, -EIO, "policy-key", "The key cannot sign a policy");
        }
        s->signature.size = n;
        return 0;
}

int vtpm_policy_sign(EVP_PKEY *key, const VtpmPcrValues *pcrs, VtpmPolicySignature *ret, Error *e) {
        VtpmPcrSelection selection = { .n_banks = 1, .banks[0] = { .hash = pcrs->hash, .mask = pcrs->mask } };
        AUTO_VTPM_POLICY_SIGNATURE VtpmPolicySignature s = { .bank = pcrs->hash, .mask = pcrs->mask };
        AUTO_BLOB Blob signer = {};
        VtpmPolicy policy;
        int r;

        r = vtpm_policy_signer(key, &signer, e); /* for its checks */
        if (r == 0)
                r = fingerprint(key, s.key, e);
        if (r == 0)
                r = vtpm_policy_init(VTPM_ALG_SHA256, &policy, e);
        if (r == 0)
                r = vtpm_policy_pcr(&policy, &selection, pcrs, 1, e);
        if (r < 0)
                return r;
        (void) memcpy(s.policy, policy.digest, sizeof(s.policy));
        r = sign(key, &s, e);
        if (r < 0)
                return r;
        *ret = s;
        s = (VtpmPolicySignature){};
        return 0;
}

static int key_of(const Blob *signer, EVP_PKEY **ret, Error *e) {
        VtpmPublic pub;
        int r = vtpm_public_parse(signer->data, signer->size, &pub, e);

        if (r < 0)
                return r;
        if (pub.type != VTPM_ALG_RSA)
                return error_set(e, -EOPNOTSUPP, "policy-key", "A key that signs policies is RSA");
        return vtpm_public_to_key(&pub, ret, e);
}

int vtpm_policy_signature_verify(const VtpmPolicySignature *s, const Blob *signer, Error *e) {
        VtpmSignature sig = { .scheme = VTPM_ALG_RSASSA, .hash = VTPM_ALG_SHA256, .rsa_size = s->signature.size };
        CLEANUP(pkey_freep) EVP_PKEY *key = NULL;
        int r;

        r = key_of(signer, &key, e);
        if (r < 0)
                return r;
        if (s->signature.size > sizeof(sig.rsa))
                return error_set(e, -EKEYREJECTED, "policy-signature", "The signature of the policy is too large");
        (void) memcpy(sig.rsa, s->signature.data, s->signature.size);
        r = vtpm_signature_verify(&sig, key, s->policy, sizeof(s->policy), NULL);
        if (r == -EKEYREJECTED)
                return error_set(e, r, "policy-signature", "The signature of the policy does not hold");
        return r < 0 ? error_set(e, r, "policy-signature", "The signature of the policy cannot be verified") : 0;
}

const VtpmPolicySignature *vtpm_policy_signatures_find(const VtpmPolicySignatures *s, const Blob *signer, uint16_t bank,
                                                       uint32_t mask, const uint8_t policy[static 32]) {
        CLEANUP(pkey_freep) EVP_PKEY *key = NULL;
        uint8_t print[32];

        if (key_of(signer, &key, NULL) < 0 || fingerprint(key, print, NULL) < 0)
                return NULL;
        for (size_t i = 0; i < s->n; i++) {
                const VtpmPolicySignature *x = &s->items[i];

                if (x->bank == bank && x->mask == mask && memcmp(x->key, print, sizeof(print)) == 0 &&
                    memcmp(x->policy, policy, sizeof(x->policy)) == 0)
                        return x;
        }
        return NULL;
}
