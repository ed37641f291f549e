/* SPDX-License-Identifier: Apache-2.0 */

/* Files of sealed objects: what is accepted encodes to the very bytes that came in, and obeys the policy it describes. */

#include <assert.h>
#include <string.h>

#include "vtpm/sealed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        AUTO_VTPM_SEALED VtpmSealed s = {};
        AUTO_BLOB Blob again = {};
        VtpmPolicy policy;

        if (vtpm_sealed_parse(data, size, &s, NULL) < 0)
                return 0;
        assert(s.pcrs.mask != 0 && (s.pcrs.mask & ~VTPM_PCR_MASK_ALL) == 0);
        assert(vtpm_sealed_policy(&s, &policy, NULL) == 0);
        assert(memmem(s.public.data, s.public.size, policy.digest, policy.size));
        assert(vtpm_sealed_encode(&s, &again) == 0);
        assert(again.size == size && memcmp(again.data, data, size) == 0);
        return 0;
}
