/* SPDX-License-Identifier: Apache-2.0 */

/* Section [TPM]: writing and reading again gives the same policy, and evidence without a TPM never satisfies one. */

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "agent/bundle/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        AUTO_BUNDLE_POLICY BundlePolicy policy = {}, again = {};
        AUTO_FREE char *text = NULL, *words = NULL;
        TpmAppraisal a;
        Error e = {};
        int r = bundle_policy_parse("f", data, size, &policy, &e);

        if (r < 0) {
                assert(!policy.snp && e.code == r && e.reason);
                return 0;
        }
        assert(!policy.tpm.unbound_is_proof || policy.tpm.unbound_may_be_there);
        assert(bundle_policy_to_text(&policy, &text) == 0);
        assert(bundle_policy_parse("again", text, strlen(text), &again, NULL) == 0);
        assert(memcmp(&policy.tpm, &again.tpm, sizeof(policy.tpm)) == 0);
        assert(bundle_policy_explain(&policy, &words) == 0 && strstr(words, "[TPM]"));
        assert(tpm_policy_appraise(&policy.tpm, NULL, NULL, &a, NULL) == (tpm_policy_asks(&policy.tpm) ? -EPERM : 0));
        return 0;
}
