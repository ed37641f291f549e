/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A policy file: a mistake is told with its place; what is accepted is written and read again without loss; and no
 * policy, whatever it says, lets an unverified report pass.
 */

#include <assert.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "snp/policy-internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_and_read(const SnpPolicy *policy) {
        CLEANUP(snp_policy_freep) SnpPolicy *again = NULL;
        AUTO_FREE char *text = NULL, *second = NULL;

        assert(snp_policy_to_text(policy, &text) == 0);
        assert(snp_policy_parse("again", text, strlen(text), &again, NULL) == 0);
        assert(memcmp(policy, again, sizeof(*policy)) == 0);
        assert(snp_policy_to_text(again, &second) == 0);
        assert(strcmp(text, second) == 0);
}

static void explain(const SnpPolicy *policy) {
        AUTO_FREE char *text = NULL;

        assert(snp_policy_explain(policy, &text) == 0);
        assert(strstr(text, "[Guest]"));
}

/* A verified report of an empty guest; what the policy thinks of it is its own affair, but it must add up. */
static void appraise(const SnpPolicy *policy) {
        SnpVerdict whole = { .outcome = SNP_ACCEPT,
                             .checks = { SNP_CHECK_OK, SNP_CHECK_OK, SNP_CHECK_NOT_APPLICABLE, SNP_CHECK_OK,
                                         SNP_CHECK_OK, SNP_CHECK_NOT_APPLICABLE } };
        static const SnpVerdict none = {};
        SnpReport report = { .version = 5, .has_cpuid = true, .product = SNP_PRODUCT_MILAN };
        SnpAppraisal a;
        size_t n_denied = 0;
        int r;

        assert(EVP_Digest(report.raw, sizeof(report.raw), whole.report, NULL, EVP_sha384(), NULL) == 1);
        r = snp_policy_appraise(policy, &report, &whole, NULL, &a, NULL);
        for (size_t i = 0; i < SNP_N_CLAIMS; i++)
                n_denied += a.findings[i].verdict == SNP_CLAIM_DENIED;
        assert((r == 0) == (n_denied == 0) && (a.outcome == SNP_ALLOW) == (n_denied == 0));
        assert(snp_policy_appraise(policy, &report, &none, NULL, &a, NULL) == -EPERM);
        for (size_t i = 0; i < SNP_N_CLAIMS; i++)
                assert(a.findings[i].verdict == SNP_CLAIM_DENIED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        CLEANUP(snp_policy_freep) SnpPolicy *policy = NULL;
        Error e = {};
        int r = snp_policy_parse("f", data, size, &policy, &e);

        if (r < 0) {
                assert(!policy && e.code == r && e.reason);
                assert(strncmp(e.text, "f:", 2) == 0 || (r == -E2BIG && size > SNP_POLICY_FILE_SIZE_MAX));
                return 0;
        }
        write_and_read(policy);
        explain(policy);
        appraise(policy);
        return 0;
}
