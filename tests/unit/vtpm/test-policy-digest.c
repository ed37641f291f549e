/* SPDX-License-Identifier: Apache-2.0 */
/* Policy digests against published ones. What a TPM computes: tests/integration/test-vtpm-seal.c. */
#include <errno.h>
#include <string.h>

#include "base/hex.h"
#include "base/writer.h"
#include "tests/unit/unit.h"
#include "tests/unit/vtpm/soft.h"
#include "vtpm/policy-digest.h"

/* TCG EK Credential Profile, "Policies for EKs": PolicyA, PolicyC and PolicyB of SHA-256 */
#define POLICY_A "837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa"
#define POLICY_C "3767e2edd43ff45a3a7e1eaefcef78643dca964632e7aad82c673a30d8633fde"
#define POLICY_B "ca3d0a99a2b93906f7a3342414efcfb3a385d44cd1fd459089d19b5071c0b7a0"

static const uint8_t endorsement[] = { 0x40, 0x00, 0x00, 0x0b }; /* TPM_RH_ENDORSEMENT */
static const VtpmBytes none;

static void must_be(const VtpmPolicy *p, const char *want) {
        char got[2 * VTPM_DIGEST_MAX + 1];

        hex_encode_to(p->digest, p->size, got);
        ck_assert_str_eq(got, want);
}

static VtpmPolicy start(void) {
        VtpmPolicy p;

        ck_assert_int_eq(vtpm_policy_init(VTPM_ALG_SHA256, &p, NULL), 0);
        return p;
}

static VtpmPolicy policy_a(void) {
        VtpmPolicy p = start();

        ck_assert_int_eq(vtpm_policy_secret(&p, (VtpmBytes){ endorsement, 4 }, none, NULL), 0);
        return p;
}

START_TEST(session_begins_with_zeros) {
        VtpmPolicy p = start();
        Error e = {};

        must_be(&p, "0000000000000000000000000000000000000000000000000000000000000000");
        ck_assert_int_eq(vtpm_policy_init(VTPM_ALG_SHA1, &p, &e), -EOPNOTSUPP);
        ck_assert_str_eq(e.reason, "tpm-hash");
        ck_assert_int_eq(vtpm_policy_init(0x1234, &p, NULL), -EOPNOTSUPP);
} END_TEST

START_TEST(secret_of_the_endorsement_hierarchy_is_policy_a) {
        VtpmPolicy p = policy_a();

        must_be(&p, POLICY_A);
} END_TEST

/* Index I-1 of the profile: 0x01c07f01, SHA-256, 0x220f1008, its own policy PolicyA, contents a hash and a digest. */
static VtpmPolicy policy_c(void) {
        AUTO_WRITER Writer w = wr_init(256);
        VtpmPolicy a = policy_a(), p = start();
        uint8_t name[34];

        wr_be32(&w, 0x01c07f01);
        wr_be16(&w, VTPM_ALG_SHA256);
        wr_be32(&w, 0x220f1008);
        wr_be16(&w, (uint16_t) a.size);
        wr_bytes(&w, a.digest, a.size);
        wr_be16(&w, 2 + 32);
        store_be16(name, VTPM_ALG_SHA256);
        ck_assert_int_eq(vtpm_hash_bytes(VTPM_ALG_SHA256, w.data, w.size, name + 2, NULL), 0);
        ck_assert_int_eq(vtpm_policy_auth_value(&p, NULL), 0); /* to be forgotten */
        ck_assert_int_eq(vtpm_policy_authorize_nv(&p, (VtpmBytes){ name, sizeof(name) }, NULL), 0);
        return p;
}

START_TEST(authorisation_by_nv_is_policy_c) {
        VtpmPolicy p = policy_c();

        must_be(&p, POLICY_C);
} END_TEST

START_TEST(either_of_them_is_policy_b) {
        VtpmPolicy branches[] = { policy_a(), policy_c() }, p = {};

        ck_assert_int_eq(vtpm_policy_or(branches, 2, &p, NULL), 0);
        must_be(&p, POLICY_B);
} END_TEST

START_TEST(branches_are_two_to_eight_of_one_hash) {
        VtpmPolicy branches[9], p = {};
        Error e = {};

        for (size_t i = 0; i < N_ELEMENTS(branches); i++)
                branches[i] = policy_a();
        ck_assert_int_eq(vtpm_policy_or(branches, 8, &p, NULL), 0);
        ck_assert_int_eq(vtpm_policy_or(branches, 1, &p, &e), -EINVAL);
        ck_assert_str_eq(e.reason, "policy-branches");
        ck_assert_int_eq(vtpm_policy_or(branches, 9, &p, NULL), -EINVAL);
        branches[1].hash = VTPM_ALG_SHA384;
        e = (Error){};
        ck_assert_int_eq(vtpm_policy_or(branches, 2, &p, &e), -EINVAL);
        ck_assert_str_eq(e.reason, "policy-branches");
        branches[0].hash = VTPM_ALG_SHA1;
        ck_assert_int_eq(vtpm_policy_or(branches, 2, &p, NULL), -EOPNOTSUPP);
} END_TEST

START_TEST(pcr_policy_has_every_selected_value_in_it) {
        VtpmPcrValues values = soft_pcrs(VTPM_ALG_SHA256, 1u << 7 | 1u << 11);
        VtpmPcrSelection selection = { .n_banks = 1, .banks[0] = { VTPM_ALG_SHA256, values.mask } };
        AUTO_WRITER Writer w = wr_init(256);
        uint8_t both[64], digest[32], want[32];
        VtpmPolicy p = start();

        ck_assert_int_eq(vtpm_policy_pcr(&p, &selection, &values, 1, NULL), 0);
        (void) memcpy(both, values.values[7], 32);
        (void) memcpy(both + 32, values.values[11], 32);
        ck_assert_int_eq(vtpm_hash_bytes(VTPM_ALG_SHA256, both, 64, digest, NULL), 0);
        wr_zeros(&w, 32);
        wr_be32(&w, 0x0000017f);
        wr_be32(&w, 1);
        wr_be16(&w, VTPM_ALG_SHA256);
        wr_bytes(&w, "\x03\x80\x08\x00", 4);
        wr_bytes(&w, digest, 32);
        ck_assert_int_eq(vtpm_hash_bytes(VTPM_ALG_SHA256, w.data, w.size, want, NULL), 0);
        ck_assert_mem_eq(p.digest, want, 32);
        values.values[11][0] ^= 1;
        p = start();
        ck_assert_int_eq(vtpm_policy_pcr(&p, &selection, &values, 1, NULL), 0);
        ck_assert_mem_ne(p.digest, want, 32);
        selection.banks[0].mask = 0;
        ck_assert_int_eq(vtpm_policy_pcr(&p, &selection, &values, 1, NULL), -EINVAL);
} END_TEST

START_TEST(every_input_counts) {
        static const uint8_t name[34] = { 0, 0x0b, 1, 2, 3 }, ref[] = "ref", operand[8] = { 1 };
        VtpmBytes n = { name, sizeof(name) }, r = { ref, 3 }, o = { operand, sizeof(operand) };
        VtpmPolicy p[7];

        for (size_t i = 0; i < N_ELEMENTS(p); i++)
                p[i] = start();
        ck_assert_int_eq(vtpm_policy_authorize(&p[0], n, none, NULL), 0);
        ck_assert_int_eq(vtpm_policy_authorize(&p[1], n, r, NULL), 0);
        ck_assert_int_eq(vtpm_policy_secret(&p[2], n, r, NULL), 0);
        ck_assert_int_eq(vtpm_policy_nv(&p[3], n, o, 0, VTPM_POLICY_UNSIGNED_GE, NULL), 0);
        ck_assert_int_eq(vtpm_policy_nv(&p[4], n, o, 1, VTPM_POLICY_UNSIGNED_GE, NULL), 0);
        ck_assert_int_eq(vtpm_policy_nv(&p[5], n, o, 0, VTPM_POLICY_EQ, NULL), 0);
        ck_assert_int_eq(vtpm_policy_auth_value(&p[6], NULL), 0);
        for (size_t i = 0; i < N_ELEMENTS(p); i++)
                for (size_t k = 0; k < i; k++)
                        ck_assert_mem_ne(p[i].digest, p[k].digest, 32);
} END_TEST

START_TEST(authorisation_forgets_what_was_before) {
        static const uint8_t name[34] = { 0, 0x0b, 1, 2, 3 };
        VtpmPolicy fresh = start(), used = policy_a();

        ck_assert_int_eq(vtpm_policy_authorize(&fresh, (VtpmBytes){ name, sizeof(name) }, none, NULL), 0);
        ck_assert_int_eq(vtpm_policy_authorize(&used, (VtpmBytes){ name, sizeof(name) }, none, NULL), 0);
        ck_assert_mem_eq(fresh.digest, used.digest, 32);
} END_TEST

START_TEST(other_hashes_have_their_own_size) {
        VtpmPolicy p;

        ck_assert_int_eq(vtpm_policy_init(VTPM_ALG_SHA384, &p, NULL), 0);
        ck_assert_uint_eq(p.size, 48);
        ck_assert_int_eq(vtpm_policy_secret(&p, (VtpmBytes){ endorsement, 4 }, none, NULL), 0);
        /* PolicyA of SHA-384, EK Credential Profile */
        must_be(&p, "8bbf2266537c171cb56e403c4dc1d4b64f432611dc386e6f532050c3278c930e143e8bb1133824ccb431053871c6db53");
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("policy-digest");
        TCase *tc = tcase_create("policy-digest");

        tcase_add_test(tc, session_begins_with_zeros);
        tcase_add_test(tc, secret_of_the_endorsement_hierarchy_is_policy_a);
        tcase_add_test(tc, authorisation_by_nv_is_policy_c);
        tcase_add_test(tc, either_of_them_is_policy_b);
        tcase_add_test(tc, branches_are_two_to_eight_of_one_hash);
        tcase_add_test(tc, pcr_policy_has_every_selected_value_in_it);
        tcase_add_test(tc, every_input_counts);
        tcase_add_test(tc, authorisation_forgets_what_was_before);
        tcase_add_test(tc, other_hashes_have_their_own_size);
        suite_add_tcase(s, tc);
        return s;
}

int main(void) {
        return unit_run(suite());
}
