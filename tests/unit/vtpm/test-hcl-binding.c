/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "tests/simulator/hcl.h"
#include "tests/unit/unit.h"
#include "vtpm/alg.h"
#include "vtpm/hcl-binding.h"
#include "vtpm/public.h"

static uint8_t modulus[SIM_HCL_MODULUS_SIZE];

/* A report whose claims and REPORT_DATA belong together. */
typedef struct Case {
        Blob claims, ak;
        VtpmHcl hcl;
        uint8_t report_data[VTPM_REPORT_DATA_SIZE];
} Case;

static void case_done(Case *c) {
        blob_done(&c->claims);
        blob_done(&c->ak);
}
#define AUTO_CASE CLEANUP(case_done)

static Case make(uint16_t hash) {
        SimHclClaims in = { .ak = modulus };
        VtpmHclClaims parsed;
        Case c = {};

        (void) memset(modulus, 0xc3, sizeof(modulus));
        ck_assert_int_eq(sim_hcl_claims(&in, &c.claims), 0);
        c.hcl = (VtpmHcl){ .type = VTPM_HCL_SNP, .hash = hash, .claims = c.claims.data, .claims_size = c.claims.size };
        ck_assert_int_eq(vtpm_hash_bytes(hash, c.claims.data, c.claims.size, c.report_data, NULL), 0);
        ck_assert_int_eq(vtpm_hcl_claims_parse(c.claims.data, c.claims.size, &parsed, NULL), 0);
        ck_assert_int_eq(vtpm_hcl_claims_ak(&parsed, &c.ak), 0);
        return c;
}

static VtpmHclWitness witness_of(const Case *c) {
        return (VtpmHclWitness){ .hcl = &c->hcl, .report_data = c->report_data, .ak = c->ak.data,
                                 .ak_size = c->ak.size };
}

static void must_refuse(const VtpmHclWitness *w, int code, const char *reason, const char *why) {
        VtpmBinding b = { .kind = VTPM_BINDING_HCL };
        Error e = {};
        int r = vtpm_hcl_bind(w, NULL, &b, &e);

        ck_assert_msg(r == code && strcmp(error_reason(&e, r), reason) == 0, "%d %s: %s", r, error_reason(&e, r),
                      error_text(&e, r));
        ck_assert_int_eq(b.kind, VTPM_BINDING_NONE);
        ck_assert_msg(strstr(b.why, why) != NULL, "%s", b.why);
}

static const uint16_t hashes[] = { VTPM_ALG_SHA256, VTPM_ALG_SHA384, VTPM_ALG_SHA512 };

START_TEST(key_that_the_report_vouches_for_is_bound) {
        AUTO_CASE Case c = make(hashes[_i]);
        VtpmHclWitness w = witness_of(&c);
        VtpmHclClaims claims;
        VtpmBinding b = {};
        Error e = {};

        ck_assert_msg(vtpm_hcl_bind(&w, &claims, &b, &e) == 0, "%s", e.text);
        ck_assert_int_eq(b.kind, VTPM_BINDING_HCL);
        ck_assert_str_ne(b.why, "");
        ck_assert_mem_eq(claims.ak.modulus, modulus, sizeof(modulus));
        w.ak = NULL; /* quotes will be judged with the claims' own */
        ck_assert_int_eq(vtpm_hcl_bind(&w, NULL, &b, NULL), 0);
} END_TEST

START_TEST(no_bit_of_report_data_may_differ) {
        AUTO_CASE Case c = make(hashes[_i]);
        VtpmHclWitness w = witness_of(&c);
        size_t digest = vtpm_hash_size(hashes[_i]);

        for (size_t bit = 0; bit < 8 * sizeof(c.report_data); bit++) {
                c.report_data[bit / 8] ^= (uint8_t) (1u << bit % 8);
                must_refuse(&w, -EKEYREJECTED, bit / 8 < digest ? "hcl-digest" : "hcl-report-data", "REPORT_DATA");
                c.report_data[bit / 8] ^= (uint8_t) (1u << bit % 8);
        }
} END_TEST

START_TEST(no_bit_of_the_claims_may_differ) {
        AUTO_CASE Case c = make(VTPM_ALG_SHA256);
        VtpmHclWitness w = witness_of(&c);

        for (size_t bit = 0; bit < 8 * c.claims.size; bit++) {
                c.claims.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
                must_refuse(&w, -EKEYREJECTED, "hcl-digest", "claims");
                c.claims.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
        }
} END_TEST

START_TEST(other_levels_than_the_paravisors_are_refused) {
        AUTO_CASE Case c = make(VTPM_ALG_SHA256);
        VtpmHclWitness w = witness_of(&c);

        for (w.vmpl = 1; w.vmpl < 4; w.vmpl++)
                must_refuse(&w, -EKEYREJECTED, "hcl-vmpl", "VMPL 0");
} END_TEST

START_TEST(reports_of_other_platforms_are_refused) {
        static const uint32_t types[] = { VTPM_HCL_VBS, VTPM_HCL_TVM, VTPM_HCL_TDX, VTPM_HCL_CCA, 99 };
        AUTO_CASE Case c = make(VTPM_ALG_SHA256);
        VtpmHclWitness w = witness_of(&c);

        for (size_t i = 0; i < N_ELEMENTS(types); i++) {
                c.hcl.type = types[i];
                must_refuse(&w, -EOPNOTSUPP, "hcl-not-snp", "not one of SNP");
        }
} END_TEST

START_TEST(another_key_is_refused) {
        AUTO_CASE Case c = make(VTPM_ALG_SHA256);
        VtpmHclWitness w = witness_of(&c);

        c.ak.data[c.ak.size - 1] ^= 1;
        must_refuse(&w, -EKEYREJECTED, "hcl-ak", "attestation key");
        c.ak.data[c.ak.size - 1] ^= 1;
        c.ak.data[c.ak.size - 256 - 3] = 3; /* the exponent */
        must_refuse(&w, -EKEYREJECTED, "hcl-ak", "attestation key");
        w.ak_size--;
        must_refuse(&w, -EBADMSG, "malformed", "attestation key");
} END_TEST

START_TEST(key_of_another_type_is_refused) {
        AUTO_CASE Case c = make(VTPM_ALG_SHA256);
        VtpmHclWitness w = witness_of(&c);
        VtpmPublic ecc = { .type = VTPM_ALG_ECC, .name_alg = VTPM_ALG_SHA256, .symmetric = VTPM_ALG_NULL,
                           .scheme = VTPM_ALG_ECDSA, .scheme_hash = VTPM_ALG_SHA256, .curve = VTPM_CURVE_NIST_P256,
                           .kdf = VTPM_ALG_NULL, .x_size = 32, .y_size = 32 };
        AUTO_BLOB Blob pub = {};

        ck_assert_int_eq(vtpm_public_encode(&ecc, &pub), 0);
        w.ak = pub.data;
        w.ak_size = pub.size;
        must_refuse(&w, -EKEYREJECTED, "hcl-ak", "attestation key");
} END_TEST

START_TEST(measured_nonsense_binds_nothing) {
        AUTO_CASE Case c = make(VTPM_ALG_SHA256);
        VtpmHclWitness w = witness_of(&c);

        c.hcl.claims_size--;
        ck_assert_int_eq(vtpm_hash_bytes(VTPM_ALG_SHA256, c.hcl.claims, c.hcl.claims_size, c.report_data, NULL), 0);
        must_refuse(&w, -EBADMSG, "json-syntax", "cannot be read");
} END_TEST

START_TEST(hash_nobody_knows_binds_nothing) {
        AUTO_CASE Case c = make(VTPM_ALG_SHA256);
        VtpmHclWitness w = witness_of(&c);
        VtpmBinding b = { .kind = VTPM_BINDING_HCL };

        c.hcl.hash = VTPM_ALG_NULL;
        ck_assert_int_eq(vtpm_hcl_bind(&w, NULL, &b, NULL), -EOPNOTSUPP);
        ck_assert_int_eq(b.kind, VTPM_BINDING_NONE);
} END_TEST

START_TEST(bindings_have_names) {
        VtpmBinding none = {};

        ck_assert_str_eq(vtpm_binding_name(none.kind), "none");
        ck_assert_str_eq(vtpm_binding_name(VTPM_BINDING_HCL), "azure-hcl");
        ck_assert_str_eq(vtpm_binding_name(VTPM_BINDING_SVSM), "svsm-ek");
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("hcl-binding");
        TCase *tc = tcase_create("bind");

        tcase_add_loop_test(tc, key_that_the_report_vouches_for_is_bound, 0, N_ELEMENTS(hashes));
        tcase_add_loop_test(tc, no_bit_of_report_data_may_differ, 0, N_ELEMENTS(hashes));
        tcase_add_test(tc, no_bit_of_the_claims_may_differ);
        tcase_add_test(tc, other_levels_than_the_paravisors_are_refused);
        tcase_add_test(tc, reports_of_other_platforms_are_refused);
        tcase_add_test(tc, another_key_is_refused);
        tcase_add_test(tc, key_of_another_type_is_refused);
        tcase_add_test(tc, measured_nonsense_binds_nothing);
        tcase_add_test(tc, hash_nobody_knows_binds_nothing);
        tcase_add_test(tc, bindings_have_names);
        suite_add_tcase(s, tc);
        return s;
}

int main(void) {
        return unit_run(suite());
}
