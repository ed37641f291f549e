/* SPDX-License-Identifier: Apache-2.0 */
#include "vtpm/svsm.h"

#include <errno.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "vtpm/svsm-challenge.h"

void vtpm_svsm_ek_done(VtpmSvsmEk *ek) {
        blob_done(&ek->public);
        *ek = (VtpmSvsmEk){};
}

static void md_ctx_free(EVP_MD_CTX *ctx) {
        EVP_MD_CTX_free(ctx);
}
DEFINE_CLEANUP(EVP_MD_CTX *, md_ctx_free);

/* SHA-512 of both; either half of this binding is one. */
static int digest(const void *a, size_t a_size, const void *b, size_t b_size, uint8_t ret[static VTPM_REPORT_DATA_SIZE],
                  Error *e) {
        CLEANUP(md_ctx_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();

        if (!ctx || EVP_DigestInit_ex(ctx, EVP_sha512(), NULL) != 1 || EVP_DigestUpdate(ctx, a, a_size) != 1 ||
            EVP_DigestUpdate(ctx, b, b_size) != 1 || EVP_DigestFinal_ex(ctx, ret, NULL) != 1)
                return error_oom(e);
        return 0;
}

static int check_report(const VtpmSvsmWitness *w, Error *e) {
        uint8_t want[VTPM_REPORT_DATA_SIZE];
        int r;

        if (w->manifest_size > VTPM_SVSM_MANIFEST_MAX)
                return error_set(e, -E2BIG, "svsm-manifest-size", "A manifest of %zu bytes exceeds %u",
                                 w->manifest_size, VTPM_SVSM_MANIFEST_MAX);
        if (w->vmpl != 0)
                return error_set(e, -EKEYREJECTED, "svsm-vmpl",
                                 "The report is of VMPL %u and not of the SVSM, which is at 0", w->vmpl);
        r = digest(w->nonce, VTPM_SVSM_NONCE_SIZE, w->manifest, w->manifest_size, want, e);
        if (r == 0 && CRYPTO_memcmp(want, w->report_data, sizeof(want)) != 0)
                r = error_set(e, -ESTALE, "svsm-not-bound",
                              "REPORT_DATA is not the digest of this nonce and this manifest");
        return r;
}

/* The report says nothing about a key that is not in the manifest. */
static int check_keys(const VtpmSvsmWitness *w, Error *e) {
        for (size_t i = 0; i < w->n_keys; i++) {
                const VtpmSvsmKey *k = &w->keys[i];
                uintptr_t at = (uintptr_t) k->tpmt_public - (uintptr_t) w->manifest;

                if (at > w->manifest_size || k->size > w->manifest_size - at)
                        return error_set(e, -EINVAL, "svsm-key", "Key %zu does not lie within the manifest", i);
        }
        return 0;
}

static int check_witness(const VtpmSvsmWitness *w, Error *e) {
        int r = check_report(w, e);

        return r < 0 ? r : check_keys(w, e);
}

/* -ENOENT when no key of the manifest is made from the template. */
static int find_ek(const VtpmSvsmWitness *w, VtpmEkProfile profile, VtpmSvsmEk *ret) {
        for (size_t i = 0; i < w->n_keys; i++) {
                AUTO_BLOB Blob pub = {};

                if (blob_dup(w->keys[i].tpmt_public, w->keys[i].size, &pub) < 0)
                        return -ENOMEM;
                if (vtpm_ek_check(profile, &pub, NULL) < 0)
                        continue;
                *ret = (VtpmSvsmEk){ .profile = profile, .public = blob_take(&pub) };
                return 0;
        }
        return -ENOENT;
}

int vtpm_svsm_ek(const VtpmSvsmWitness *witness, VtpmSvsmEk *ret, Error *e) {
        int r = check_witness(witness, e);

        if (r < 0)
                return r;
        r = -ENOENT;
        for (unsigned i = 0; i < VTPM_N_EK_PROFILES && r == -ENOENT; i++)
                r = find_ek(witness, (VtpmEkProfile) i, ret);
        if (r == -ENOENT)
                return error_set(e, -EKEYREJECTED, "svsm-no-ek", "None of the %zu keys in the manifest is made from a "
                                 "template for endorsement keys", witness->n_keys);
        return r < 0 ? error_oom(e) : 0;
}

int vtpm_svsm_check_tpm(VtpmContext *ctx, const VtpmSvsmEk *ek, Error *e) {
        AUTO_BLOB Blob pub = {};
        int r = vtpm_ek_public(ctx, ek->profile, &pub, e);

        if (r == 0 && !blob_equal(&pub, &ek->public))
                r = error_set(e, -EKEYREJECTED, "svsm-other-tpm", "This TPM is not the SVSM's: it has another "
                              "endorsement key %s", vtpm_ek_profile_name(ek->profile));
        return r;
}

int vtpm_svsm_claim_nonce(const uint8_t challenge[static VTPM_SVSM_NONCE_SIZE], const VtpmAkPublic *ak,
                          uint8_t ret[static VTPM_SVSM_NONCE_SIZE], Error *e) {
        size_t size;
        const uint8_t *name = vtpm_ak_public_name(ak, &size);

        if (size == 0)
                return error_set(e, -EINVAL, "svsm-ak-name",
                                 "The attestation key has no name: its public area is unknown");
        return digest(challenge, VTPM_SVSM_NONCE_SIZE, name, size, ret, e);
}

const char *vtpm_svsm_tie_name(VtpmSvsmTie tie) {
        switch (tie) {
        case VTPM_SVSM_TIE_CLAIMED:
                return "svsm-ek-claimed";
        case VTPM_SVSM_TIE_MANIFEST:
                return "svsm-ak-in-manifest";
        case VTPM_SVSM_TIE_ACTIVATED:
                return "svsm-ek";
        case VTPM_SVSM_TIE_NONE:
        default:
                return "none";
        }
}

static bool manifest_has(const VtpmSvsmWitness *w, const Blob *ak) {
        for (size_t i = 0; i < w->n_keys; i++)
                if (w->keys[i].size == ak->size && memcmp(w->keys[i].tpmt_public, ak->data, ak->size) == 0)
                        return true;
        return false;
}

static int check_claim(const VtpmSvsmWitness *w, const uint8_t *challenge, const VtpmAkPublic *ak, Error *e) {
        uint8_t want[VTPM_SVSM_NONCE_SIZE];
        int r = vtpm_svsm_claim_nonce(challenge, ak, want, e);

        if (r == 0 && CRYPTO_memcmp(want, w->nonce, sizeof(want)) != 0)
                r = error_set(e, -ESTALE, "svsm-claim", "The nonce is not the digest of this challenge and this "
                              "attestation key");
        return r;
}

/* The strongest tie that can be shown. What is offered as a proof and does not hold is never passed over. */
static int find_tie(const VtpmSvsmWitness *w, const VtpmSvsmEk *ek, const Blob *ak_public, const VtpmAkPublic *ak,
                    const VtpmSvsmProof *proof, VtpmSvsmVerdict *ret, Error *e) {
        int r = 0;

        if (proof->claim)
                r = check_claim(w, proof->claim, ak, e);
        if (r == 0 && proof->challenge)
                r = vtpm_svsm_challenge_check(proof->challenge, &ek->public, ak_public, proof->answer, e);
        if (r < 0)
                return r;
        if (proof->challenge)
                *ret = (VtpmSvsmVerdict){
                        .tie = VTPM_SVSM_TIE_ACTIVATED,
                        .binding = { VTPM_BINDING_SVSM, "The SVSM vouches for the TPM's endorsement key, and the TPM "
                                                        "has shown that the attestation key lives beside it" },
                };
        else if (manifest_has(w, ak_public))
                *ret = (VtpmSvsmVerdict){
                        .tie = VTPM_SVSM_TIE_MANIFEST,
                        .binding = { VTPM_BINDING_SVSM, "The SVSM vouches for the attestation key itself" },
                };
        else if (proof->claim)
                *ret = (VtpmSvsmVerdict){
                        .tie = VTPM_SVSM_TIE_CLAIMED,
                        .binding = { VTPM_BINDING_NONE, "The SVSM vouches for the TPM's endorsement key, but that the "
                                                        "attestation key lives beside it is the guest's word" },
                };
        else
                return error_set(e, -EKEYREJECTED, "svsm-untied", "The SVSM vouches for the TPM's endorsement key; "
                                 "nothing shows that the attestation key lives beside it");
        return 0;
}

int vtpm_svsm_bind(const VtpmSvsmWitness *witness, const Blob *ak_public, const VtpmSvsmProof *proof,
                   VtpmSvsmVerdict *ret, Error *e) {
        CLEANUP(vtpm_ak_public_freep) VtpmAkPublic *ak = NULL;
        AUTO_VTPM_SVSM_EK VtpmSvsmEk ek = {};
        Error why = {};
        int r;

        *ret = (VtpmSvsmVerdict){ .binding.why = "The report does not vouch for this TPM's keys" };
        r = vtpm_svsm_ek(witness, &ek, &why);
        if (r == 0)
                r = vtpm_ak_public_new(ak_public->data, ak_public->size, &ak, &why);
        if (r == 0)
                r = find_tie(witness, &ek, ak_public, ak, proof ? proof : &(VtpmSvsmProof){}, ret, &why);
        return r < 0 ? error_set(e, r, error_reason(&why, r), "%s", error_text(&why, r)) : 0;
}
