/* SPDX-License-Identifier: Apache-2.0 */

/* snp/verify.c: five questions, and a verdict that is yes only when none is answered with no. */

#include <check.h>
#include <errno.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <stdio.h>
#include <string.h>

#include "tests/simulator/report.h"
#include "tests/unit/snp/forge.h"
#include "tests/unit/unit.h"

#define OFF_KEY_INFO 0x48
#define OFF_R 0x2a0
#define OFF_S 0x2e8
#define SCALAR_SIZE 72

static SimPki *pkis[SIM_N_PRODUCTS];
static SnpVek *vceks[SIM_N_PRODUCTS], *vleks[SIM_N_PRODUCTS];

static SnpVek *vek_of(const SimPki *pki, SimKey which) {
        AUTO_EVIDENCE Evidence evidence = forge_evidence(pki, which);
        SnpVek *vek = NULL;
        Error e = {};

        ck_assert_msg(forge_judge(pki, &evidence, &vek, &e) == 0, "%s", e.text);
        return vek;
}

static void setup(void) {
        for (SimProduct p = 0; p < SIM_N_PRODUCTS; p++) {
                vceks[p] = vek_of(pkis[p], SIM_VCEK);
                vleks[p] = vek_of(pkis[p], SIM_VLEK);
        }
}

static void teardown(void) {
        for (SimProduct p = 0; p < SIM_N_PRODUCTS; p++) {
                snp_vek_free(TAKE_PTR(vceks[p]));
                snp_vek_free(TAKE_PTR(vleks[p]));
        }
}

static SnpReport parse(const uint8_t bytes[static SIM_REPORT_SIZE]) {
        SnpReport report;
        Error e = {};

        ck_assert_msg(snp_report_parse(bytes, SIM_REPORT_SIZE, &report, &e) == 0, "%s", e.text);
        return report;
}

static SnpReport made(const SimReport *r, const SimPki *pki) {
        uint8_t bytes[SIM_REPORT_SIZE];

        ck_assert_int_eq(sim_report_make(r, pki, bytes, NULL), 0);
        return parse(bytes);
}

/* One letter for each check: . ok, F failed, - not applicable, ? not done */
static void expect(const SnpReport *report, const SnpVek *vek, unsigned flags, const char *checks, const char *reason) {
        static const char letters[] = { [SNP_CHECK_NOT_DONE] = '?', [SNP_CHECK_OK] = '.', [SNP_CHECK_FAILED] = 'F',
                                        [SNP_CHECK_NOT_APPLICABLE] = '-' };
        char got[SNP_N_CHECKS + 1] = {};
        SnpVerdict verdict = {};
        Error e = {};
        int r = snp_report_verify(report, vek, flags, &verdict, &e);

        for (size_t i = 0; i < SNP_N_CHECKS; i++)
                got[i] = letters[verdict.checks[i]];
        ck_assert_msg(strcmp(got, checks) == 0, "%s instead of %s: %s", got, checks, e.text);
        ck_assert_int_eq(r, reason ? -EKEYREJECTED : 0);
        ck_assert_int_eq(e.code, r);
        ck_assert_int_eq(verdict.outcome, reason ? SNP_REJECT : SNP_ACCEPT);
        if (reason)
                ck_assert_str_eq(e.reason, reason);
        ck_assert_uint_eq(ERR_peek_error(), 0);
}

START_TEST(zeroed_memory_is_a_rejection) {
        SnpVerdict verdict = {};

        ck_assert_int_eq(verdict.outcome, SNP_REJECT);
        for (size_t i = 0; i < SNP_N_CHECKS; i++)
                ck_assert_int_eq(verdict.checks[i], SNP_CHECK_NOT_DONE);
}
END_TEST

START_TEST(a_report_is_accepted_with_its_own_key) {
        const SimPki *pki = pkis[_i];

        for (uint32_t version = 2; version <= 5; version++) {
                SimReport r = sim_report_defaults(pki);
                SnpReport report;

                r.version = version;
                report = made(&r, pki);
                expect(&report, vceks[_i], 0, version == 2 ? "..-..-" : ".....-", NULL);
                r.signer = SIM_SIGNER_VLEK;
                (void) memset(r.chip_id, 0, sizeof(r.chip_id)); /* as a provider's host would have it */
                report = made(&r, pki);
                expect(&report, vleks[_i], 0, version == 2 ? "..-.--" : "....--", NULL);
        }
}
END_TEST

START_TEST(a_vlek_goes_with_any_chip_id) {
        SimReport r = sim_report_defaults(pkis[SIM_MILAN]);
        SnpReport report;

        r.signer = SIM_SIGNER_VLEK;
        report = made(&r, pkis[SIM_MILAN]);
        expect(&report, vleks[SIM_MILAN], 0, "....--", NULL);
}
END_TEST

START_TEST(an_altered_report_fails_by_its_signature_alone) {
        SimReport r = sim_report_defaults(pkis[SIM_GENOA]);
        SnpReport report = made(&r, pkis[SIM_GENOA]);

        report.raw[0x90] ^= 1; /* MEASUREMENT: what counts is the bytes, not the decoded field */
        expect(&report, vceks[SIM_GENOA], 0, "F....-", "signature");
}
END_TEST

START_TEST(the_key_of_another_chip_fails_by_signature_and_chip_id) {
        SimPkiParams params = sim_pki_params(SIM_GENOA);
        CLEANUP(sim_pki_freep) SimPki *other = NULL;
        CLEANUP(snp_vek_freep) SnpVek *vek = NULL;
        SimReport r = sim_report_defaults(pkis[SIM_GENOA]);
        SnpReport report = made(&r, pkis[SIM_GENOA]);

        params.chip_id[17] ^= 0x80;
        params.not_before = FORGE_NOW - 10;
        ck_assert_int_eq(sim_pki_new(&params, pkis[SIM_GENOA], &other, NULL), 0);
        vek = vek_of(other, SIM_VCEK);
        expect(&report, vek, 0, "F...F-", "signature");
}
END_TEST

START_TEST(signing_key_must_name_the_kind_of_the_certificate) {
        SimReport r = sim_report_defaults(pkis[SIM_MILAN]);
        uint8_t bytes[SIM_REPORT_SIZE];
        SnpReport report;

        r.signer = SIM_SIGNER_VLEK; /* says VLEK, signed with the VCEK */
        sim_report_encode(&r, SIM_MILAN, bytes);
        ck_assert_int_eq(sim_report_sign(bytes, pkis[SIM_MILAN]->keys[SIM_VCEK], NULL), 0);
        report = parse(bytes);
        expect(&report, vceks[SIM_MILAN], 0, ".F...-", "signing-key");
        r.signer = SIM_SIGNER_VCEK; /* and the other way round, which would escape the check of the chip */
        sim_report_encode(&r, SIM_MILAN, bytes);
        ck_assert_int_eq(sim_report_sign(bytes, pkis[SIM_MILAN]->keys[SIM_VLEK], NULL), 0);
        report = parse(bytes);
        expect(&report, vleks[SIM_MILAN], 0, ".F..--", "signing-key");
}
END_TEST

START_TEST(an_unsigned_report_is_rejected_as_such) {
        SimReport r = sim_report_defaults(pkis[SIM_MILAN]);
        uint8_t bytes[SIM_REPORT_SIZE];
        SnpReport report;

        r.signer = SIM_SIGNER_NONE;
        report = made(&r, pkis[SIM_MILAN]);
        ck_assert(report.mask_chip_key);
        expect(&report, vceks[SIM_MILAN], 0, "FF...-", "signature");

        r.signer = SIM_SIGNER_VCEK; /* MASK_CHIP_KEY and a signature exclude each other */
        sim_report_encode(&r, SIM_MILAN, bytes);
        bytes[OFF_KEY_INFO] |= 2;
        ck_assert_int_eq(sim_report_sign(bytes, pkis[SIM_MILAN]->keys[SIM_VCEK], NULL), 0);
        report = parse(bytes);
        expect(&report, vceks[SIM_MILAN], 0, "F....-", "signature");
}
END_TEST

START_TEST(the_cpu_must_be_of_the_certificates_product) {
        SimReport r = sim_report_defaults(pkis[SIM_MILAN]);
        SnpReport report;

        r.cpuid_model = 0x11; /* Genoa */
        report = made(&r, pkis[SIM_MILAN]);
        expect(&report, vceks[SIM_MILAN], 0, "..F..-", "product");
        r.version = 2; /* which does not tell */
        report = made(&r, pkis[SIM_MILAN]);
        expect(&report, vceks[SIM_MILAN], 0, "..-..-", NULL);
}
END_TEST

START_TEST(a_zen_4c_part_is_genoa) {
        SimReport r = sim_report_defaults(pkis[SIM_GENOA]);
        SnpReport report;

        r.cpuid_model = 0xa0;
        report = made(&r, pkis[SIM_GENOA]);
        expect(&report, vceks[SIM_GENOA], 0, ".....-", NULL);
}
END_TEST

START_TEST(every_byte_of_reported_tcb_must_equal_the_certificates) {
        SimReport r = sim_report_defaults(pkis[_i]);

        for (size_t byte = 0; byte < SNP_TCB_SIZE; byte++)
                for (int up = 0; up < 2; up++) {
                        uint8_t bytes[SIM_REPORT_SIZE];
                        SnpReport report;

                        sim_report_encode(&r, (SimProduct) _i, bytes);
                        bytes[0x180 + byte] = (uint8_t) (bytes[0x180 + byte] + (up ? 1 : -1));
                        ck_assert_int_eq(sim_report_sign(bytes, pkis[_i]->keys[SIM_VCEK], NULL), 0);
                        report = parse(bytes);
                        expect(&report, vceks[_i], 0, "...F.-", "tcb");
                }
}
END_TEST

START_TEST(other_tcbs_of_the_report_do_not_matter_here) {
        SimReport r = sim_report_defaults(pkis[SIM_MILAN]);
        SnpReport report;

        r.current.snp++;
        r.committed.snp++;
        r.launch.snp--;
        report = made(&r, pkis[SIM_MILAN]);
        expect(&report, vceks[SIM_MILAN], 0, ".....-", NULL);
}
END_TEST

START_TEST(every_byte_of_the_chip_id_must_equal_hwid) {
        for (size_t byte = 0; byte < SNP_CHIP_ID_SIZE; byte++) {
                SimReport r = sim_report_defaults(pkis[_i]);
                SnpReport report;

                r.chip_id[byte] ^= 0x10; /* for Turin this covers the 56 bytes that must be zero */
                report = made(&r, pkis[_i]);
                expect(&report, vceks[_i], SNP_VERIFY_ALLOW_MASKED_CHIP_ID, "....F-", "chip-id");
        }
}
END_TEST

START_TEST(a_masked_chip_id_needs_permission) {
        SimReport r = sim_report_defaults(pkis[_i]);
        SnpReport report;

        (void) memset(r.chip_id, 0, sizeof(r.chip_id));
        report = made(&r, pkis[_i]);
        expect(&report, vceks[_i], 0, "....F-", "chip-id-masked");
        expect(&report, vceks[_i], SNP_VERIFY_ALLOW_MASKED_CHIP_ID, "....--", NULL);
}
END_TEST

START_TEST(all_failures_are_told_and_the_first_is_explained) {
        SimReport r = sim_report_defaults(pkis[SIM_MILAN]);
        SnpReport report = made(&r, pkis[SIM_MILAN]);

        expect(&report, vceks[SIM_TURIN], 0, "F.FFF-", "signature");
        expect(&report, vleks[SIM_TURIN], 0, "FFFF--", "signature");
}
END_TEST

/* The encoding of R and S */

static void reject_scalars(const SnpReport *good, size_t offset, const uint8_t scalar[static SCALAR_SIZE]) {
        uint8_t bytes[SIM_REPORT_SIZE];
        SnpReport report;

        (void) memcpy(bytes, good->raw, sizeof(bytes));
        (void) memcpy(bytes + offset, scalar, SCALAR_SIZE);
        report = parse(bytes);
        expect(&report, vceks[SIM_MILAN], 0, "F....-", "signature");
}

START_TEST(scalars_longer_than_48_bytes_are_rejected) {
        SimReport r = sim_report_defaults(pkis[SIM_MILAN]);
        SnpReport report = made(&r, pkis[SIM_MILAN]);
        uint8_t scalar[SCALAR_SIZE];

        for (size_t at = 48; at < SCALAR_SIZE; at++) {
                (void) memcpy(scalar, report.signature_r, SCALAR_SIZE);
                scalar[at] = 1;
                reject_scalars(&report, OFF_R, scalar);
                (void) memcpy(scalar, report.signature_s, SCALAR_SIZE);
                scalar[at] = 0x80;
                reject_scalars(&report, OFF_S, scalar);
        }
}
END_TEST

static void group_order(uint8_t ret[static SCALAR_SIZE]) {
        EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_secp384r1);

        ck_assert_int_eq(BN_bn2lebinpad(EC_GROUP_get0_order(group), ret, SCALAR_SIZE), SCALAR_SIZE);
        EC_GROUP_free(group);
}

START_TEST(scalars_outside_of_the_group_are_rejected) {
        SimReport r = sim_report_defaults(pkis[SIM_MILAN]);
        SnpReport report = made(&r, pkis[SIM_MILAN]);
        uint8_t zero[SCALAR_SIZE] = {}, order[SCALAR_SIZE], most[SCALAR_SIZE] = {};

        group_order(order);
        (void) memset(most, 0xff, 48);
        reject_scalars(&report, OFF_R, zero);
        reject_scalars(&report, OFF_S, zero);
        reject_scalars(&report, OFF_R, order);
        reject_scalars(&report, OFF_S, order);
        reject_scalars(&report, OFF_R, most);
        reject_scalars(&report, OFF_S, most);
}
END_TEST

START_TEST(a_high_s_is_as_good_as_a_low_one) {
        SimReport r = sim_report_defaults(pkis[SIM_MILAN]);
        SnpReport report = made(&r, pkis[SIM_MILAN]);
        BIGNUM *s = BN_lebin2bn(report.signature_s, SCALAR_SIZE, NULL), *n;
        uint8_t bytes[SIM_REPORT_SIZE], order[SCALAR_SIZE];

        group_order(order);
        n = BN_lebin2bn(order, SCALAR_SIZE, NULL);
        ck_assert_int_eq(BN_sub(s, n, s), 1); /* firmware does not normalise S, so neither half may be refused */
        (void) memcpy(bytes, report.raw, sizeof(bytes));
        ck_assert_int_eq(BN_bn2lebinpad(s, bytes + OFF_S, SCALAR_SIZE), SCALAR_SIZE);
        report = parse(bytes);
        expect(&report, vceks[SIM_MILAN], 0, ".....-", NULL);
        BN_free(s);
        BN_free(n);
}
END_TEST

START_TEST(r_and_s_do_not_change_places) {
        SimReport r = sim_report_defaults(pkis[SIM_MILAN]);
        SnpReport report = made(&r, pkis[SIM_MILAN]);
        uint8_t bytes[SIM_REPORT_SIZE];

        (void) memcpy(bytes, report.raw, sizeof(bytes));
        (void) memcpy(bytes + OFF_R, report.signature_s, SCALAR_SIZE);
        (void) memcpy(bytes + OFF_S, report.signature_r, SCALAR_SIZE);
        report = parse(bytes);
        expect(&report, vceks[SIM_MILAN], 0, "F....-", "signature");
}
END_TEST

START_TEST(every_single_bit_flip_is_rejected) {
        SimReport r = sim_report_defaults(pkis[SIM_TURIN]);
        SnpReport good = made(&r, pkis[SIM_TURIN]), report;
        uint8_t bytes[SIM_REPORT_SIZE];
        SnpVerdict verdict;

        (void) memcpy(bytes, good.raw, sizeof(bytes));
        for (size_t bit = 0; bit < sizeof(bytes) * 8; bit++) {
                bytes[bit / 8] ^= (uint8_t) (1u << bit % 8);
                if (snp_report_parse(bytes, sizeof(bytes), &report, NULL) == 0)
                        ck_assert_msg(snp_report_verify(&report, vceks[SIM_TURIN], SNP_VERIFY_ALLOW_MASKED_CHIP_ID,
                                                        &verdict, NULL) == -EKEYREJECTED &&
                                              verdict.checks[SNP_CHECK_SIGNATURE] == SNP_CHECK_FAILED,
                                      "flip of bit %zu is accepted", bit);
                bytes[bit / 8] ^= (uint8_t) (1u << bit % 8);
        }
        expect(&good, vceks[SIM_TURIN], 0, ".....-", NULL);
}
END_TEST

START_TEST(checks_and_results_have_names) {
        static const char *const checks[] = { "signature", "signing-key", "product", "tcb", "chip-id", "revocation" };
        static const char *const results[] = { "not-done", "ok", "failed", "not-applicable" };

        ck_assert_uint_eq(N_ELEMENTS(checks), SNP_N_CHECKS);
        for (SnpCheck i = 0; i < SNP_N_CHECKS; i++)
                ck_assert_str_eq(snp_check_name(i), checks[i]);
        ck_assert_str_eq(snp_check_name(SNP_N_CHECKS), "unknown");
        for (SnpCheckResult i = 0; i < N_ELEMENTS(results); i++)
                ck_assert_str_eq(snp_check_result_name(i), results[i]);
}
END_TEST

static void add_check_tests(TCase *tc) {
        tcase_add_test(tc, zeroed_memory_is_a_rejection);
        tcase_add_loop_test(tc, a_report_is_accepted_with_its_own_key, 0, SIM_N_PRODUCTS);
        tcase_add_test(tc, a_vlek_goes_with_any_chip_id);
        tcase_add_test(tc, an_altered_report_fails_by_its_signature_alone);
        tcase_add_test(tc, the_key_of_another_chip_fails_by_signature_and_chip_id);
        tcase_add_test(tc, signing_key_must_name_the_kind_of_the_certificate);
        tcase_add_test(tc, an_unsigned_report_is_rejected_as_such);
        tcase_add_test(tc, the_cpu_must_be_of_the_certificates_product);
        tcase_add_test(tc, a_zen_4c_part_is_genoa);
        tcase_add_loop_test(tc, every_byte_of_reported_tcb_must_equal_the_certificates, 0, SIM_N_PRODUCTS);
        tcase_add_test(tc, other_tcbs_of_the_report_do_not_matter_here);
        tcase_add_loop_test(tc, every_byte_of_the_chip_id_must_equal_hwid, 0, SIM_N_PRODUCTS);
        tcase_add_loop_test(tc, a_masked_chip_id_needs_permission, 0, SIM_N_PRODUCTS);
        tcase_add_test(tc, all_failures_are_told_and_the_first_is_explained);
        tcase_add_test(tc, checks_and_results_have_names);
}

static void add_scalar_tests(TCase *tc) {
        tcase_add_test(tc, scalars_longer_than_48_bytes_are_rejected);
        tcase_add_test(tc, scalars_outside_of_the_group_are_rejected);
        tcase_add_test(tc, a_high_s_is_as_good_as_a_low_one);
        tcase_add_test(tc, r_and_s_do_not_change_places);
        tcase_add_test(tc, every_single_bit_flip_is_rejected);
}

int main(void) {
        Suite *suite = suite_create("snp/verify");
        TCase *tc = tcase_create("verify");
        int r;

        for (SimProduct p = 0; p < SIM_N_PRODUCTS; p++)
                pkis[p] = forge_pki(p);
        tcase_add_checked_fixture(tc, setup, teardown);
        add_check_tests(tc);
        add_scalar_tests(tc);
        suite_add_tcase(suite, tc);
        r = unit_run(suite);
        for (SimProduct p = 0; p < SIM_N_PRODUCTS; p++)
                sim_pki_free(pkis[p]);
        return r;
}
