/* SPDX-License-Identifier: Apache-2.0 */

/*
 * HCL reports: what is found lies within the input and where the format has it, the padding plays no part, and a key
 * is only ever bound when the digest of the claims is in REPORT_DATA.
 */

#include <assert.h>
#include <string.h>

#include "vtpm/alg.h"
#include "vtpm/hcl-binding.h"

#define REPORT_DATA_AT 0x50u /* AMD publication 56860, table ATTESTATION_REPORT */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void bind_to(const VtpmHcl *hcl, const uint8_t *report_data, bool may_hold) {
        VtpmHclWitness w = { .hcl = hcl, .report_data = report_data };
        VtpmBinding binding;
        int r = vtpm_hcl_bind(&w, NULL, &binding, NULL);

        assert((r == 0) == (binding.kind == VTPM_BINDING_HCL));
        assert(binding.why);
        assert(may_hold || r < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        uint8_t digest[VTPM_REPORT_DATA_SIZE] = {};
        VtpmHcl hcl, again;

        if (vtpm_hcl_parse(data, size, &hcl, NULL) < 0)
                return 0;
        assert(vtpm_hcl_is(data, size));
        assert(hcl.report == data + VTPM_HCL_REPORT_OFFSET && hcl.claims == data + VTPM_HCL_CLAIMS_OFFSET);
        assert(hcl.claims_size <= size - VTPM_HCL_CLAIMS_OFFSET);
        assert(vtpm_hcl_parse(data, VTPM_HCL_CLAIMS_OFFSET + hcl.claims_size, &again, NULL) == 0);
        assert(again.claims_size == hcl.claims_size && again.type == hcl.type && again.hash == hcl.hash);

        assert(vtpm_hash_bytes(hcl.hash, hcl.claims, hcl.claims_size, digest, NULL) == 0);
        bind_to(&hcl, hcl.report + REPORT_DATA_AT,
                memcmp(hcl.report + REPORT_DATA_AT, digest, sizeof(digest)) == 0);
        bind_to(&hcl, digest, true); /* the claims get to be read */
        digest[VTPM_REPORT_DATA_SIZE - 1] ^= 1;
        bind_to(&hcl, digest, false);
        return 0;
}
