/* SPDX-License-Identifier: Apache-2.0 */
/* vtpm/svsm.c and svsm-challenge.c as far as they need no TPM: keys made by OpenSSL, reports by their digest. */
#include <errno.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/writer.h"
#include "tests/unit/unit.h"
#include "tests/unit/vtpm/soft.h"
#include "vtpm/svsm-challenge.h"

static SoftAk ak, other_ak;
static Blob ak_public, other_ak_public, eks[VTPM_N_EK_PROFILES];
static uint8_t nonce[VTPM_SVSM_NONCE_SIZE] = { 5, [63] = 6 };

/* What a TPM makes of the template: the key's numbers in place of its unique field. */
static Blob ek_of(VtpmEkProfile profile) {
        AUTO_BLOB Blob template = {};
        VtpmPublic pub;
        Blob ret = {};

        ck_assert_int_eq(vtpm_ek_template(profile, &template, NULL), 0);
        ck_assert_int_eq(vtpm_public_parse(template.data, template.size, &pub, NULL), 0);
        if (pub.type == VTPM_ALG_RSA) {
                AUTO_SOFT_AK SoftAk key = soft_ak_new(VTPM_ALG_RSASSA, VTPM_ALG_SHA256, 0);

                pub.modulus_size = key.pub.modulus_size;
                (void) memcpy(pub.modulus, key.pub.modulus, key.pub.modulus_size);
        } else {
                AUTO_SOFT_AK SoftAk key = soft_ak_new(VTPM_ALG_ECDSA, VTPM_ALG_SHA256, pub.curve);

                pub.x_size = key.pub.x_size;
                pub.y_size = key.pub.y_size;
                (void) memcpy(pub.x, key.pub.x, key.pub.x_size);
                (void) memcpy(pub.y, key.pub.y, key.pub.y_size);
        }
        ck_assert_int_eq(vtpm_public_encode(&pub, &ret), 0);
        return ret;
}

static void make_keys(void) {
        ak = soft_ak_new(VTPM_ALG_ECDSA, VTPM_ALG_SHA256, VTPM_CURVE_NIST_P256);
        other_ak = soft_ak_new(VTPM_ALG_RSASSA, VTPM_ALG_SHA256, 0);
        ak_public = soft_public(&ak);
        other_ak_public = soft_public(&other_ak);
        for (unsigned i = 0; i < VTPM_N_EK_PROFILES; i++)
                eks[i] = ek_of((VtpmEkProfile) i);
}

static void free_keys(void) {
        soft_ak_done(&ak);
        soft_ak_done(&other_ak);
        blob_done(&ak_public);
        blob_done(&other_ak_public);
        for (unsigned i = 0; i < VTPM_N_EK_PROFILES; i++)
                blob_done(&eks[i]);
}

#define KEYS_MAX 4

/* A manifest of some keys one behind the other, and a report that binds it. */
typedef struct Case {
        Blob manifest;
        uint8_t report_data[VTPM_REPORT_DATA_SIZE];
        VtpmSvsmKey keys[KEYS_MAX];
        VtpmSvsmWitness witness;
} Case;

static void case_done(Case *c) {
        blob_done(&c->manifest);
}
#define AUTO_CASE CLEANUP(case_done)

static void case_init(Case *c, const Blob *const *keys, size_t n, const uint8_t *with_nonce) {
        AUTO_WRITER Writer w = wr_init(1u << 20);
        AUTO_WRITER Writer hashed = wr_init(1u << 20);
        size_t at = 0;

        for (size_t i = 0; i < n; i++)
                wr_bytes(&w, keys[i]->data, keys[i]->size);
        ck_assert_int_eq(wr_finish(&w, &c->manifest), 0);
        for (size_t i = 0; i < n; i++) {
                c->keys[i] = (VtpmSvsmKey){ c->manifest.data + at, keys[i]->size };
                at += keys[i]->size;
        }
        wr_bytes(&hashed, with_nonce, VTPM_SVSM_NONCE_SIZE);
        wr_bytes(&hashed, c->manifest.data, c->manifest.size);
        ck_assert_int_eq(EVP_Digest(hashed.data, hashed.size, c->report_data, NULL, EVP_sha512(), NULL), 1);
        c->witness = (VtpmSvsmWitness){ .report_data = c->report_data, .nonce = with_nonce, .manifest = c->manifest.data,
                                        .manifest_size = c->manifest.size, .keys = c->keys, .n_keys = n };
}

#define CASE(c, with_nonce, ...)                                                                                       \
        case_init(c, (const Blob *const[]){ __VA_ARGS__ }, sizeof((const Blob *const[]){ __VA_ARGS__ }) / sizeof(Blob *), \
                  with_nonce)

START_TEST(every_kind_of_endorsement_key_is_recognised) {
        AUTO_VTPM_SVSM_EK VtpmSvsmEk ek = {};
        AUTO_CASE Case c = {};

        CASE(&c, nonce, &ak_public, &eks[_i]);
        ck_assert_int_eq(vtpm_svsm_ek(&c.witness, &ek, NULL), 0);
        ck_assert_int_eq(ek.profile, _i);
        ck_assert(blob_equal(&ek.public, &eks[_i]));
} END_TEST

START_TEST(of_several_keys_the_first_profile_counts) {
        AUTO_VTPM_SVSM_EK VtpmSvsmEk ek = {};
        AUTO_CASE Case c = {};

        CASE(&c, nonce, &eks[VTPM_EK_ECC_P384], &ak_public, &eks[VTPM_EK_ECC_P256], &eks[VTPM_EK_RSA2048_HIGH]);
        ck_assert_int_eq(vtpm_svsm_ek(&c.witness, &ek, NULL), 0);
        ck_assert_int_eq(ek.profile, VTPM_EK_ECC_P256);
} END_TEST

static void refused(const VtpmSvsmWitness *w, int code, const char *reason) {
        AUTO_VTPM_SVSM_EK VtpmSvsmEk ek = {};
        AUTO_VTPM_SVSM_CHALLENGE VtpmSvsmChallenge challenge = {};
        VtpmSvsmVerdict verdict = { .tie = VTPM_SVSM_TIE_ACTIVATED, .binding.kind = VTPM_BINDING_SVSM };
        Error e = {};
        int r = vtpm_svsm_ek(w, &ek, &e);

        ck_assert_msg(r == code, "%s: %d (%s)", reason, r, error_text(&e, r));
        ck_assert_str_eq(e.reason, reason);
        ck_assert_ptr_null(ek.public.data);
        ck_assert_int_eq(vtpm_svsm_bind(w, &ak_public, NULL, &verdict, NULL), code);
        ck_assert_int_eq(verdict.tie, VTPM_SVSM_TIE_NONE);
        ck_assert_int_eq(verdict.binding.kind, VTPM_BINDING_NONE);
        ck_assert_ptr_nonnull(verdict.binding.why);
        ck_assert_int_eq(vtpm_svsm_challenge_new(w, &ak_public, &challenge, NULL), code);
        ck_assert_ptr_null(challenge.expected.bytes);
}

START_TEST(a_report_that_does_not_bind_the_manifest_says_nothing) {
        static const uint8_t large[VTPM_SVSM_MANIFEST_MAX + 1];
        uint8_t wrong[VTPM_SVSM_NONCE_SIZE] = { 6, [63] = 6 };
        AUTO_CASE Case c = {};
        VtpmSvsmWitness w;

        CASE(&c, nonce, &eks[0], &ak_public);
        w = c.witness;
        for (w.vmpl = 1; w.vmpl <= 3; w.vmpl++)
                refused(&w, -EKEYREJECTED, "svsm-vmpl");
        w = c.witness;
        w.nonce = wrong;
        refused(&w, -ESTALE, "svsm-not-bound");
        w = c.witness;
        w.manifest_size--;
        refused(&w, -ESTALE, "svsm-not-bound");
        w = c.witness;
        w.report_data = nonce;
        refused(&w, -ESTALE, "svsm-not-bound");
        w = c.witness;
        w.manifest = large;
        w.manifest_size = sizeof(large);
        refused(&w, -E2BIG, "svsm-manifest-size");
        for (size_t i = 0; i < c.manifest.size; i++) {
                AUTO_VTPM_SVSM_EK VtpmSvsmEk ek = {};

                c.manifest.data[i] ^= 1;
                ck_assert_int_eq(vtpm_svsm_ek(&c.witness, &ek, NULL), -ESTALE);
                c.manifest.data[i] ^= 1;
        }
} END_TEST

START_TEST(keys_from_elsewhere_are_not_vouched_for) {
        AUTO_CASE Case c = {};

        CASE(&c, nonce, &eks[0]);
        c.keys[1] = (VtpmSvsmKey){ ak_public.data, ak_public.size };
        c.witness.n_keys = 2;
        refused(&c.witness, -EINVAL, "svsm-key");
        c.keys[1] = (VtpmSvsmKey){ c.manifest.data + 1, c.manifest.size };
        refused(&c.witness, -EINVAL, "svsm-key");
        c.keys[1] = (VtpmSvsmKey){ c.manifest.data - 1, 1 };
        refused(&c.witness, -EINVAL, "svsm-key");
} END_TEST

/* Everything that makes a key an endorsement key, changed one by one. */
static void spoil(VtpmPublic *pub, int what) {
        static const uint32_t bits[] = { VTPM_OBJECT_FIXED_TPM, VTPM_OBJECT_FIXED_PARENT, VTPM_OBJECT_RESTRICTED,
                                         VTPM_OBJECT_DECRYPT, VTPM_OBJECT_SIGN, VTPM_OBJECT_SENSITIVE_DATA_ORIGIN };

        if ((size_t) what < N_ELEMENTS(bits))
                pub->attributes ^= bits[what];
        else if (what == N_ELEMENTS(bits))
                pub->policy[0] ^= 1;
        else if (what == N_ELEMENTS(bits) + 1)
                pub->policy_size = 0;
        else
                pub->symmetric_bits = 256;
}

START_TEST(a_key_that_is_no_endorsement_key_does_not_stand_for_the_tpm) {
        AUTO_BLOB Blob spoilt = {};
        AUTO_CASE Case c = {};
        VtpmPublic pub;

        ck_assert_int_eq(vtpm_public_parse(eks[0].data, eks[0].size, &pub, NULL), 0);
        spoil(&pub, _i);
        ck_assert_int_eq(vtpm_public_encode(&pub, &spoilt), 0);
        CASE(&c, nonce, &spoilt, &ak_public);
        refused(&c.witness, -EKEYREJECTED, "svsm-no-ek");
} END_TEST

START_TEST(no_keys_are_no_endorsement_key) {
        static const Blob garbage = { (uint8_t *) (uintptr_t) "garbage", 7 };
        AUTO_CASE Case c = {};
        AUTO_CASE Case none = {};

        CASE(&c, nonce, &garbage);
        refused(&c.witness, -EKEYREJECTED, "svsm-no-ek");
        case_init(&none, NULL, 0, nonce);
        refused(&none.witness, -EKEYREJECTED, "svsm-no-ek");
} END_TEST

START_TEST(an_endorsement_key_alone_ties_no_attestation_key) {
        VtpmSvsmVerdict verdict;
        AUTO_CASE Case c = {};
        Error e = {};

        CASE(&c, nonce, &eks[0]);
        ck_assert_int_eq(vtpm_svsm_bind(&c.witness, &ak_public, NULL, &verdict, &e), -EKEYREJECTED);
        ck_assert_str_eq(e.reason, "svsm-untied");
        ck_assert_int_eq(verdict.tie, VTPM_SVSM_TIE_NONE);
        ck_assert_int_eq(verdict.binding.kind, VTPM_BINDING_NONE);
} END_TEST

START_TEST(a_manifest_with_the_attestation_key_ties_it) {
        VtpmSvsmVerdict verdict;
        AUTO_CASE Case c = {};
        Error e = {};

        CASE(&c, nonce, &eks[0], &ak_public);
        ck_assert_int_eq(vtpm_svsm_bind(&c.witness, &ak_public, NULL, &verdict, NULL), 0);
        ck_assert_int_eq(verdict.tie, VTPM_SVSM_TIE_MANIFEST);
        ck_assert_int_eq(verdict.binding.kind, VTPM_BINDING_SVSM);
        ck_assert_str_eq(vtpm_svsm_tie_name(verdict.tie), "svsm-ak-in-manifest");
        ck_assert_int_eq(vtpm_svsm_bind(&c.witness, &other_ak_public, NULL, &verdict, &e), -EKEYREJECTED);
        ck_assert_str_eq(e.reason, "svsm-untied");
        ck_assert_int_eq(verdict.binding.kind, VTPM_BINDING_NONE);
        /* The endorsement key is in it too, and no attestation key. */
        ck_assert_int_eq(vtpm_svsm_bind(&c.witness, &eks[0], NULL, &verdict, &e), -EKEYREJECTED);
        ck_assert_int_eq(verdict.binding.kind, VTPM_BINDING_NONE);
} END_TEST

START_TEST(a_claim_has_a_name_of_its_own_and_is_no_binding) {
        static const uint8_t challenge[VTPM_SVSM_NONCE_SIZE] = { 1 }, later[VTPM_SVSM_NONCE_SIZE] = { 2 };
        CLEANUP(vtpm_ak_public_freep) VtpmAkPublic *key = soft_ak_public(&ak);
        uint8_t claim[VTPM_SVSM_NONCE_SIZE];
        VtpmSvsmVerdict verdict;
        AUTO_CASE Case c = {};
        Error e = {};

        ck_assert_int_eq(vtpm_svsm_claim_nonce(challenge, key, claim, NULL), 0);
        CASE(&c, claim, &eks[0]);
        ck_assert_int_eq(vtpm_svsm_bind(&c.witness, &ak_public, &(VtpmSvsmProof){ .claim = challenge }, &verdict, NULL),
                         0);
        ck_assert_int_eq(verdict.tie, VTPM_SVSM_TIE_CLAIMED);
        ck_assert_str_eq(vtpm_svsm_tie_name(verdict.tie), "svsm-ek-claimed");
        ck_assert_int_eq(verdict.binding.kind, VTPM_BINDING_NONE);
        ck_assert_int_eq(vtpm_svsm_bind(&c.witness, &ak_public, &(VtpmSvsmProof){ .claim = later }, &verdict, &e),
                         -ESTALE);
        ck_assert_str_eq(e.reason, "svsm-claim");
        ck_assert_int_eq(verdict.tie, VTPM_SVSM_TIE_NONE);
        ck_assert_int_eq(vtpm_svsm_bind(&c.witness, &other_ak_public, &(VtpmSvsmProof){ .claim = challenge }, &verdict,
                                        NULL), -ESTALE);
} END_TEST

START_TEST(a_key_without_a_name_cannot_be_claimed) {
        CLEANUP(vtpm_ak_public_freep) VtpmAkPublic *nameless = NULL;
        uint8_t out[VTPM_SVSM_NONCE_SIZE];

        ck_assert_int_eq(vtpm_ak_public_new_from_key(ak.key, VTPM_ALG_ECDSA, VTPM_ALG_SHA256, &nameless, NULL), 0);
        ck_assert_int_eq(vtpm_svsm_claim_nonce(nonce, nameless, out, NULL), -EINVAL);
} END_TEST

START_TEST(the_right_answer_ties_and_a_wrong_one_does_not) {
        AUTO_VTPM_SVSM_CHALLENGE VtpmSvsmChallenge challenge = {};
        AUTO_SECRET Secret answer = {};
        VtpmSvsmVerdict verdict;
        AUTO_CASE Case c = {};
        AUTO_CASE Case other = {};
        Error e = {};

        CASE(&c, nonce, &eks[0]);
        CASE(&other, nonce, &eks[VTPM_EK_ECC_P256]);
        ck_assert_int_eq(vtpm_svsm_challenge_new(&c.witness, &ak_public, &challenge, &e), 0);
        ck_assert_uint_gt(challenge.credential.id_object.size, 0);
        /* Stands for the TPM, which the integration test has. */
        ck_assert_int_eq(secret_alloc(challenge.expected.len, &answer, NULL), 0);
        (void) memcpy(answer.bytes, challenge.expected.bytes, answer.len);
        {
                VtpmSvsmProof proof = { .challenge = &challenge, .answer = &answer };

                ck_assert_int_eq(vtpm_svsm_bind(&c.witness, &ak_public, &proof, &verdict, NULL), 0);
                ck_assert_int_eq(verdict.tie, VTPM_SVSM_TIE_ACTIVATED);
                ck_assert_int_eq(verdict.binding.kind, VTPM_BINDING_SVSM);
                ck_assert_str_eq(vtpm_svsm_tie_name(verdict.tie), "svsm-ek");
                ck_assert_int_eq(vtpm_svsm_bind(&c.witness, &other_ak_public, &proof, &verdict, &e), -EKEYREJECTED);
                ck_assert_str_eq(e.reason, "svsm-challenge");
                e = (Error){};
                ck_assert_int_eq(vtpm_svsm_bind(&other.witness, &ak_public, &proof, &verdict, &e), -EKEYREJECTED);
                ck_assert_str_eq(e.reason, "svsm-challenge");
                ck_assert_int_eq(verdict.tie, VTPM_SVSM_TIE_NONE);
                for (size_t bit = 0; bit < answer.len * 8; bit++) {
                        answer.bytes[bit / 8] ^= (uint8_t) (1u << bit % 8);
                        e = (Error){};
                        ck_assert_int_eq(vtpm_svsm_bind(&c.witness, &ak_public, &proof, &verdict, &e), -EKEYREJECTED);
                        ck_assert_str_eq(e.reason, "svsm-answer");
                        ck_assert_int_eq(verdict.binding.kind, VTPM_BINDING_NONE);
                        answer.bytes[bit / 8] ^= (uint8_t) (1u << bit % 8);
                }
                proof.answer = NULL;
                ck_assert_int_eq(vtpm_svsm_bind(&c.witness, &ak_public, &proof, &verdict, NULL), -EKEYREJECTED);
        }
} END_TEST

START_TEST(a_challenge_that_was_never_made_is_never_answered) {
        VtpmSvsmChallenge none = {};
        AUTO_BLOB Blob ek = {};
        Secret answer = {};

        ck_assert_int_eq(vtpm_svsm_challenge_check(&none, &ek, &ek, &answer, NULL), -EKEYREJECTED);
} END_TEST

START_TEST(no_challenge_for_a_key_that_is_no_attestation_key) {
        AUTO_VTPM_SVSM_CHALLENGE VtpmSvsmChallenge challenge = {};
        AUTO_CASE Case c = {};

        CASE(&c, nonce, &eks[0]);
        ck_assert_int_eq(vtpm_svsm_challenge_new(&c.witness, &eks[1], &challenge, NULL), -EKEYREJECTED);
} END_TEST

int main(void) {
        Suite *suite = suite_create("svsm");
        TCase *tc = tcase_create("svsm");

        tcase_add_unchecked_fixture(tc, make_keys, free_keys);
        tcase_add_loop_test(tc, every_kind_of_endorsement_key_is_recognised, 0, VTPM_N_EK_PROFILES);
        tcase_add_test(tc, of_several_keys_the_first_profile_counts);
        tcase_add_test(tc, a_report_that_does_not_bind_the_manifest_says_nothing);
        tcase_add_test(tc, keys_from_elsewhere_are_not_vouched_for);
        tcase_add_loop_test(tc, a_key_that_is_no_endorsement_key_does_not_stand_for_the_tpm, 0, 9);
        tcase_add_test(tc, no_keys_are_no_endorsement_key);
        tcase_add_test(tc, an_endorsement_key_alone_ties_no_attestation_key);
        tcase_add_test(tc, a_manifest_with_the_attestation_key_ties_it);
        tcase_add_test(tc, a_claim_has_a_name_of_its_own_and_is_no_binding);
        tcase_add_test(tc, a_key_without_a_name_cannot_be_claimed);
        tcase_add_test(tc, the_right_answer_ties_and_a_wrong_one_does_not);
        tcase_add_test(tc, a_challenge_that_was_never_made_is_never_answered);
        tcase_add_test(tc, no_challenge_for_a_key_that_is_no_attestation_key);
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
