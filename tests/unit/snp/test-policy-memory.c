/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Policies while memory runs out: the N-th allocation of our own code fails, for N = 1, 2, ... until none does. A
 * policy is then whole or not there, and an appraisal may lack words but never changes its mind.
 */

#include <check.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "snp/policy-internal.h"
#include "tests/unit/unit.h"

#define A5_16 "a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5"
#define A5_48 A5_16 A5_16 A5_16

static const char text[] = "[Guest]\nMeasurement=" A5_48 "\nTrustedIdKey=" A5_48 "\nDebug=allow\n"
                           "[Platform]\nProduct=Milan\n[Milan]\nMinimumTcb=snp=1\n";

static unsigned long n_allocations, fail_at; /* fail_at 0: never */

static bool fails(void) {
        return ++n_allocations == fail_at;
}

/* Linked in place of the ones that our static libraries call. */
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_reallocarray(void *p, size_t n, size_t size);

void *__wrap_malloc(size_t n) {
        return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size) {
        return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n) {
        return fails() ? NULL : __real_realloc(p, n);
}

void *__wrap_reallocarray(void *p, size_t n, size_t size) {
        return fails() ? NULL : __real_reallocarray(p, n, size);
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

static SnpPolicy *parse(void) {
        SnpPolicy *policy = NULL;

        ck_assert_int_eq(snp_policy_parse("f", text, strlen(text), &policy, NULL), 0);
        return policy;
}

START_TEST(a_policy_is_read_whole_or_not_at_all) {
        CLEANUP(snp_policy_freep) SnpPolicy *whole = parse();
        bool reached = true;
        unsigned long n;

        for (n = 1; reached; n++) {
                CLEANUP(snp_policy_freep) SnpPolicy *policy = NULL;
                Error e = {};
                int r;

                arm(n);
                r = snp_policy_parse("f", text, strlen(text), &policy, &e);
                reached = disarm();
                ck_assert_int_eq(r, reached ? -ENOMEM : 0);
                ck_assert_int_eq(e.code, r);
                ck_assert((r == 0) == (policy != NULL));
                if (r == 0)
                        ck_assert_mem_eq(policy, whole, sizeof(*policy));
        }
        ck_assert_uint_gt(n, 3);
}
END_TEST

static int write_file(const SnpPolicy *policy, char **ret) {
        return snp_policy_to_text(policy, ret);
}

static int explain(const SnpPolicy *policy, char **ret) {
        return snp_policy_explain(policy, ret);
}

START_TEST(a_policy_is_written_whole_or_not_at_all) {
        static int (*const writers[])(const SnpPolicy *, char **) = { write_file, explain };
        CLEANUP(snp_policy_freep) SnpPolicy *policy = parse();
        AUTO_FREE char *whole = NULL;
        bool reached = true;

        ck_assert_int_eq(writers[_i](policy, &whole), 0);
        for (unsigned long n = 1; reached; n++) {
                AUTO_FREE char *again = NULL;
                int r;

                arm(n);
                r = writers[_i](policy, &again);
                reached = disarm();
                ck_assert_int_eq(r, reached ? -ENOMEM : 0);
                ck_assert((r == 0) == (again != NULL));
                if (r == 0)
                        ck_assert_str_eq(again, whole);
        }
}
END_TEST

/* Something of everything: allowed, denied, not asked. */
START_TEST(an_appraisal_does_not_change_its_mind) {
        SnpVerdict verdict = { .outcome = SNP_ACCEPT,
                               .checks = { SNP_CHECK_OK, SNP_CHECK_OK, SNP_CHECK_OK, SNP_CHECK_OK, SNP_CHECK_OK,
                                           SNP_CHECK_NOT_APPLICABLE } };
        SnpReport report = { .version = 5, .has_cpuid = true, .product = SNP_PRODUCT_MILAN, .chip_id = { 1 } };
        CLEANUP(snp_policy_freep) SnpPolicy *policy = parse();
        SnpAppraisal whole, a;
        bool reached = true;

        (void) memset(report.measurement, 0xa5, sizeof(report.measurement));
        ck_assert_int_eq(EVP_Digest(report.raw, sizeof(report.raw), verdict.report, NULL, EVP_sha384(), NULL), 1);
        ck_assert_int_eq(snp_policy_appraise(policy, &report, &verdict, NULL, &whole, NULL), -EPERM);
        ck_assert_int_eq(whole.findings[SNP_CLAIM_MEASUREMENT].verdict, SNP_CLAIM_ALLOWED);
        ck_assert_int_eq(whole.findings[SNP_CLAIM_ID_BLOCK].verdict, SNP_CLAIM_DENIED);
        for (unsigned long n = 1; reached; n++) {
                int r;

                arm(n);
                r = snp_policy_appraise(policy, &report, &verdict, NULL, &a, NULL);
                reached = disarm();
                ck_assert_int_eq(r, -EPERM);
                ck_assert_int_eq(a.outcome, SNP_DENY);
                for (SnpClaim i = 0; i < SNP_N_CLAIMS; i++) {
                        ck_assert_int_eq(a.findings[i].verdict, whole.findings[i].verdict);
                        ck_assert_str_eq(a.findings[i].remedy, whole.findings[i].remedy);
                }
        }
}
END_TEST

int main(void) {
        Suite *s = suite_create("snp/policy, memory");
        TCase *c = tcase_create("memory");

        tcase_add_test(c, a_policy_is_read_whole_or_not_at_all);
        tcase_add_loop_test(c, a_policy_is_written_whole_or_not_at_all, 0, 2);
        tcase_add_test(c, an_appraisal_does_not_change_its_mind);
        suite_add_tcase(s, c);
        return unit_run(s);
}
