/* SPDX-License-Identifier: Apache-2.0 */
/* Policy digests as a real TPM (swtpm) computes them in trial sessions, and as we do. */
#include <string.h>

#include <openssl/rsa.h>
#include <tss2/tss2_mu.h>

#include "tests/integration/tpm-tools.h"
#include "tests/unit/unit.h"
#include "vtpm/object.h"
#include "vtpm/pcr.h"
#include "vtpm/policy-digest.h"
#include "vtpm/policy-signed.h"
#include "vtpm/session.h"

#define INDEX 0x01400042u

static Swtpm tpm;
static VtpmContext *ctx;
static VtpmHandle trial = VTPM_HANDLE_NONE;
static VtpmPolicy ours;

static void setup(void) {
        Error e = {};

        tpm_nv_put(&tpm, INDEX, "12345678", 8);
        ctx = tpm_open(tpm.tcti);
        tpm_must_be(vtpm_session_start(ctx, VTPM_SESSION_TRIAL, NULL, &trial, &e), 0, NULL, &e);
        ck_assert_int_eq(vtpm_policy_init(VTPM_ALG_SHA256, &ours, NULL), 0);
}

static void teardown(void) {
        vtpm_handle_done(&trial);
        vtpm_context_free(TAKE_PTR(ctx));
        tpm_tool(&tpm, "tpm2_nvundefine", "0x01400042", "-C", "p", NULL);
        tpm_must_be_clean(&tpm);
}

static void must_agree(void) {
        AUTO_ESYS_FREE TPM2B_DIGEST *theirs = NULL;

        ck_assert_uint_eq(Esys_PolicyGetDigest(vtpm_context_esys(ctx), trial.tr, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                               &theirs), 0);
        ck_assert_uint_eq(theirs->size, ours.size);
        ck_assert_mem_eq(theirs->buffer, ours.digest, ours.size);
}

static void pcr(uint16_t bank, uint32_t mask) {
        VtpmPcrSelection selection = { .n_banks = 1, .banks[0] = { bank, mask } };
        TPML_PCR_SELECTION to_tpm = {
                .count = 1,
                .pcrSelections[0] = { .hash = bank, .sizeofSelect = 3,
                                      .pcrSelect = { (uint8_t) mask, (uint8_t) (mask >> 8), (uint8_t) (mask >> 16) } },
        };
        TPM2B_DIGEST as_they_are = {};
        VtpmPcrValues values;
        Error e = {};

        tpm_must_be(vtpm_pcr_read(ctx, bank, mask, &values, &e), 0, NULL, &e);
        tpm_must_be(vtpm_policy_pcr(&ours, &selection, &values, 1, &e), 0, NULL, &e);
        ck_assert_uint_eq(Esys_PolicyPCR(vtpm_context_esys(ctx), trial.tr, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                         &as_they_are, &to_tpm), 0);
}

START_TEST(pcr_policies_agree) {
        tpm_tool(&tpm, "tpm2_pcrextend", "7:sha256=" "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
                 NULL);
        pcr(VTPM_ALG_SHA256, 1u << 7);
        must_agree();
        pcr(VTPM_ALG_SHA256, 0xffffff);
        must_agree();
        pcr(VTPM_ALG_SHA384, 1u << 0 | 1u << 8 | 1u << 23);
        must_agree();
} END_TEST

START_TEST(auth_value_and_secret_agree) {
        static const uint8_t endorsement[] = { 0x40, 0x00, 0x00, 0x0b }, ref[] = { 1, 2, 3 };
        TPM2B_NONCE policy_ref = { .size = sizeof(ref), .buffer = { 1, 2, 3 } };
        ESYS_CONTEXT *esys = vtpm_context_esys(ctx);
        VtpmBytes none = {};

        ck_assert_uint_eq(Esys_PolicyAuthValue(esys, trial.tr, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE), 0);
        ck_assert_int_eq(vtpm_policy_auth_value(&ours, NULL), 0);
        must_agree();
        ck_assert_uint_eq(Esys_PolicySecret(esys, ESYS_TR_RH_ENDORSEMENT, trial.tr, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                            ESYS_TR_NONE, NULL, NULL, NULL, 0, NULL, NULL), 0);
        ck_assert_int_eq(vtpm_policy_secret(&ours, (VtpmBytes){ endorsement, 4 }, none, NULL), 0);
        must_agree();
        ck_assert_uint_eq(Esys_PolicySecret(esys, ESYS_TR_RH_ENDORSEMENT, trial.tr, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                            ESYS_TR_NONE, NULL, NULL, &policy_ref, 0, NULL, NULL), 0);
        ck_assert_int_eq(vtpm_policy_secret(&ours, (VtpmBytes){ endorsement, 4 }, (VtpmBytes){ ref, 3 }, NULL), 0);
        must_agree();
} END_TEST

static VtpmName nv_name(ESYS_TR tr) {
        AUTO_ESYS_FREE TPM2B_NAME *name = NULL;
        VtpmName n = {};

        ck_assert_uint_eq(Esys_TR_GetName(vtpm_context_esys(ctx), tr, &name), 0);
        ck_assert_uint_le(name->size, sizeof(n.bytes));
        n.size = name->size;
        (void) memcpy(n.bytes, name->name, name->size);
        return n;
}

START_TEST(nv_policies_agree) {
        static const uint8_t operand[] = { '1', '2' };
        TPM2B_OPERAND to_tpm = { .size = 2, .buffer = { '1', '2' } };
        ESYS_CONTEXT *esys = vtpm_context_esys(ctx);
        ESYS_TR nv = ESYS_TR_NONE;
        VtpmName name;

        ck_assert_uint_eq(Esys_TR_FromTPMPublic(esys, INDEX, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &nv), 0);
        name = nv_name(nv);
        ck_assert_uint_eq(Esys_PolicyNV(esys, ESYS_TR_RH_OWNER, nv, trial.tr, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                                        &to_tpm, 3, TPM2_EO_UNSIGNED_GE), 0);
        ck_assert_int_eq(vtpm_policy_nv(&ours, (VtpmBytes){ name.bytes, name.size },
                                        (VtpmBytes){ operand, sizeof(operand) }, 3, VTPM_POLICY_UNSIGNED_GE, NULL), 0);
        must_agree();
        (void) Esys_TR_Close(esys, &nv);
} END_TEST

START_TEST(or_agrees) {
        VtpmPolicy branches[8];
        TPML_DIGEST to_tpm = { .count = N_ELEMENTS(branches) };

        for (size_t i = 0; i < N_ELEMENTS(branches); i++) {
                ck_assert_int_eq(vtpm_policy_init(VTPM_ALG_SHA256, &branches[i], NULL), 0);
                (void) memset(branches[i].digest, (int) i + 1, 32);
                to_tpm.digests[i].size = 32;
                (void) memset(to_tpm.digests[i].buffer, (int) i + 1, 32);
        }
        ck_assert_uint_eq(Esys_PolicyOR(vtpm_context_esys(ctx), trial.tr, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                        &to_tpm), 0);
        ck_assert_int_eq(vtpm_policy_or(branches, N_ELEMENTS(branches), &ours, NULL), 0);
        must_agree();
} END_TEST

START_TEST(authorize_agrees) {
        EVP_PKEY *key = EVP_RSA_gen(2048);
        TPMT_TK_VERIFIED no_ticket = { .tag = TPM2_ST_VERIFIED, .hierarchy = TPM2_RH_NULL };
        TPM2B_NONCE ref = { .size = 2, .buffer = { 7, 8 } };
        static const uint8_t ref_bytes[] = { 7, 8 };
        AUTO_BLOB Blob signer = {};
        TPM2B_DIGEST approved = {};
        TPM2B_NAME to_tpm = {};
        VtpmName name = {};

        ck_assert_int_eq(vtpm_policy_signer(key, &signer, NULL), 0);
        ck_assert_int_eq(vtpm_name_of(signer.data, signer.size, &name, NULL), 0);
        to_tpm.size = (uint16_t) name.size;
        (void) memcpy(to_tpm.name, name.bytes, name.size);
        pcr(VTPM_ALG_SHA256, 1); /* to be forgotten */
        approved.size = 32;
        (void) memcpy(approved.buffer, ours.digest, 32);
        ck_assert_uint_eq(Esys_PolicyAuthorize(vtpm_context_esys(ctx), trial.tr, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                               &approved, &ref, &to_tpm, &no_ticket), 0);
        ck_assert_int_eq(vtpm_policy_authorize(&ours, (VtpmBytes){ name.bytes, name.size }, (VtpmBytes){ ref_bytes, 2 },
                                               NULL), 0);
        must_agree();
        EVP_PKEY_free(key);
} END_TEST

START_TEST(name_of_the_signer_is_the_tpms) {
        EVP_PKEY *key = EVP_RSA_gen(2048);
        ESYS_CONTEXT *esys = vtpm_context_esys(ctx);
        AUTO_VTPM_HANDLE VtpmHandle loaded = VTPM_HANDLE_NONE;
        AUTO_BLOB Blob signer = {}, pub = {};
        TPM2B_PUBLIC public = {};
        ESYS_TR tr = ESYS_TR_NONE;
        size_t done = 0;
        Error e = {};

        ck_assert_int_eq(vtpm_policy_signer(key, &signer, NULL), 0);
        ck_assert_uint_eq(Tss2_MU_TPMT_PUBLIC_Unmarshal(signer.data, signer.size, &done, &public.publicArea), 0);
        ck_assert_uint_eq(Esys_LoadExternal(esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, NULL, &public,
                                            ESYS_TR_RH_OWNER, &tr), 0);
        loaded = (VtpmHandle){ .ctx = ctx, .tr = tr };
        tpm_must_be(vtpm_object_public(&loaded, &pub, &e), 0, NULL, &e); /* compares the TPM's name with the area's */
        ck_assert(blob_equal(&pub, &signer));
        EVP_PKEY_free(key);
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("vtpm-policy");
        TCase *tc = tcase_create("policy");

        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_add_test(tc, pcr_policies_agree);
        tcase_add_test(tc, auth_value_and_secret_agree);
        tcase_add_test(tc, nv_policies_agree);
        tcase_add_test(tc, or_agrees);
        tcase_add_test(tc, authorize_agrees);
        tcase_add_test(tc, name_of_the_signer_is_the_tpms);
        suite_add_tcase(s, tc);
        return s;
}

int main(void) {
        int r;

        if (!swtpm_available())
                return unit_skip("swtpm is not installed");
        if (!program_available("tpm2_nvdefine"))
                return unit_skip("tpm2-tools is not installed");
        if (swtpm_start(NULL, &tpm) < 0)
                return 1;
        r = unit_run(suite());
        swtpm_stop(&tpm);
        return r;
}
