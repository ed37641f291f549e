/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Verification while libcrypto's memory runs out: the N-th allocation fails, for N = 1, 2, ... until none does. What
 * is genuine may then be refused, but what is forged must not be accepted, and nothing may be lost.
 */

#include <check.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/simulator/report.h"
#include "tests/unit/snp/forge.h"
#include "tests/unit/unit.h"

static SimPki *pki, *impostor;

static unsigned long n_allocations, fail_at; /* fail_at 0: never */

static void *failing_malloc(size_t n, const char *file, int line) {
        (void) file;
        (void) line;
        return ++n_allocations == fail_at ? NULL : malloc(n);
}

static void *failing_realloc(void *p, size_t n, const char *file, int line) {
        (void) file;
        (void) line;
        return ++n_allocations == fail_at ? NULL : realloc(p, n);
}

static void plain_free(void *p, const char *file, int line) {
        (void) file;
        (void) line;
        free(p);
}

static void arm(unsigned long n) {
        n_allocations = 0;
        fail_at = n;
}

/* Whether the failure was reached. */
static bool disarm(void) {
        bool reached = n_allocations >= fail_at;

        fail_at = 0;
        return reached;
}

static void sweep_chain(const SimPki *of, bool genuine) {
        CLEANUP(snp_trust_freep) SnpTrust *trust = forge_trust(pki);
        AUTO_EVIDENCE Evidence evidence = forge_evidence(of, SIM_VCEK);
        unsigned long n_refused = 0;
        bool reached = true;

        /* every one of the first 400, then fewer and fewer of some thousands */
        for (unsigned long n = 1; reached; n += 1 + n / 400) {
                SnpVek *vek = NULL;
                Error e = {};
                int r;

                arm(n);
                r = forge_judge_at(trust, &evidence, FORGE_NOW, &vek, &e);
                reached = disarm();
                ck_assert_msg(r == 0 || (!vek && e.code == r && e.text[0]), "allocation %lu: %d", n, r);
                ck_assert_msg(genuine || r < 0, "forged chain accepted when allocation %lu fails", n);
                n_refused += r < 0;
                snp_vek_free(vek);
        }
        ck_assert_uint_gt(n_refused, 100);
}

START_TEST(a_chain_survives_each_failed_allocation) {
        sweep_chain(pki, true);
}
END_TEST

START_TEST(no_failed_allocation_lets_a_forged_chain_in) {
        sweep_chain(impostor, false);
}
END_TEST

static void sweep_report(const SnpReport *report, const SnpVek *vek, bool genuine) {
        bool reached = true;
        unsigned long n_refused = 0;

        for (unsigned long n = 1; reached; n++) {
                SnpVerdict verdict = {};
                Error e = {};
                int r;

                arm(n);
                r = snp_report_verify(report, vek, 0, &verdict, &e);
                reached = disarm();
                ck_assert_int_eq(verdict.outcome, r == 0 ? SNP_ACCEPT : SNP_REJECT);
                ck_assert_msg(genuine || r < 0, "forged report accepted when allocation %lu fails", n);
                ck_assert(r == 0 || (e.code == r && e.text[0]));
                n_refused += r < 0;
        }
        ck_assert_uint_gt(n_refused, 10);
}

START_TEST(no_failed_allocation_lets_a_forged_report_in) {
        AUTO_EVIDENCE Evidence evidence = forge_evidence(pki, SIM_VCEK);
        CLEANUP(snp_vek_freep) SnpVek *vek = NULL;
        SimReport r = sim_report_defaults(pki);
        uint8_t bytes[SIM_REPORT_SIZE];
        SnpReport report;

        ck_assert_int_eq(forge_judge(pki, &evidence, &vek, NULL), 0);
        ck_assert_int_eq(sim_report_make(&r, pki, bytes, NULL), 0);
        ck_assert_int_eq(snp_report_parse(bytes, sizeof(bytes), &report, NULL), 0);
        sweep_report(&report, vek, true);
        report.raw[0x90] ^= 1;
        sweep_report(&report, vek, false);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("snp/verify, without memory");
        TCase *tc = tcase_create("memory");
        int r;

        if (CRYPTO_set_mem_functions(failing_malloc, failing_realloc, plain_free) != 1)
                return unit_skip("libcrypto does not take other allocators");
        pki = forge_pki(SIM_MILAN);
        impostor = forge_impostor(SIM_MILAN);
        tcase_add_test(tc, a_chain_survives_each_failed_allocation);
        tcase_add_test(tc, no_failed_allocation_lets_a_forged_chain_in);
        tcase_add_test(tc, no_failed_allocation_lets_a_forged_report_in);
        suite_add_tcase(suite, tc);
        r = unit_run(suite);
        sim_pki_free(pki);
        sim_pki_free(impostor);
        return r;
}
