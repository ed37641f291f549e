/* SPDX-License-Identifier: Apache-2.0 */

/* Signed PCR policies: what is accepted is written in a form that is read as the same. */

#include <assert.h>
#include <string.h>

#include "vtpm/policy-signed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        AUTO_VTPM_POLICY_SIGNATURES VtpmPolicySignatures s = {}, again = {};
        AUTO_FREE char *text = NULL;
        const void *bytes = data;

        if (vtpm_policy_signatures_parse(bytes, size, &s, NULL) < 0)
                return 0;
        assert(vtpm_policy_signatures_encode(&s, &text) == 0);
        assert(vtpm_policy_signatures_parse(text, strlen(text), &again, NULL) == 0);
        assert(again.n == s.n);
        for (size_t i = 0; i < s.n; i++) {
                assert(again.items[i].bank == s.items[i].bank && again.items[i].mask == s.items[i].mask);
                assert(memcmp(again.items[i].key, s.items[i].key, 32) == 0);
                assert(memcmp(again.items[i].policy, s.items[i].policy, 32) == 0);
                assert(blob_equal(&again.items[i].signature, &s.items[i].signature));
        }
        return 0;
}
