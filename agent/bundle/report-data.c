/* SPDX-License-Identifier: Apache-2.0 */

/* The rules by which REPORT_DATA comes from the nonce, one function each. */

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "agent/bundle/bundle.h"
#include "snp/svsm-manifest.h"
#include "vtpm/hcl.h"

static int from_svsm(const Bundle *b, uint8_t ret[static SNP_REPORT_DATA_SIZE], Error *e) {
        uint8_t nonce[SNP_SVSM_NONCE_SIZE] = {};

        static_assert(sizeof(nonce) >= BUNDLE_NONCE_MAX, "zeros are put behind a nonce, it is never cut");
        if (b->svsm_manifest.size == 0)
                return error_set(e, -ENOENT, "svsm-manifest", "REPORT_DATA shall be of a manifest, and there is none");
        (void) memcpy(nonce, b->nonce, b->nonce_size);
        return snp_svsm_report_data(nonce, b->svsm_manifest.data, b->svsm_manifest.size, ret, e);
}

static int from_hcl(const Bundle *b, uint8_t ret[static SNP_REPORT_DATA_SIZE], Error *e) {
        VtpmHcl hcl;
        int r;

        if (b->tpm.hcl_report.size == 0)
                return error_set(e, -ENOENT, "hcl-report", "REPORT_DATA shall be of runtime claims, and there are none");
        r = vtpm_hcl_parse(b->tpm.hcl_report.data, b->tpm.hcl_report.size, &hcl, e);
        return r < 0 ? r : vtpm_hash_bytes(hcl.hash, hcl.claims, hcl.claims_size, ret, e);
}

int bundle_report_data(const Bundle *bundle, uint8_t ret[static SNP_REPORT_DATA_SIZE], Error *e) {
        (void) memset(ret, 0, SNP_REPORT_DATA_SIZE);
        switch (bundle->rule) {
        case BUNDLE_RULE_NONCE:
                (void) memcpy(ret, bundle->nonce, bundle->nonce_size);
                return 0;
        case BUNDLE_RULE_SVSM:
                return from_svsm(bundle, ret, e);
        case BUNDLE_RULE_HCL:
                return from_hcl(bundle, ret, e);
        case BUNDLE_N_RULES:
        default:
                return error_set(e, -EOPNOTSUPP, "bundle-rule", "There is no such rule for REPORT_DATA");
        }
}
