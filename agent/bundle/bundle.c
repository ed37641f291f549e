/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/bundle/bundle.h"

static void tpm_done(BundleTpm *tpm) {
        blob_done(&tpm->attest);
        blob_done(&tpm->signature);
        blob_done(&tpm->ak);
        blob_done(&tpm->event_log);
        blob_done(&tpm->ak_certificate);
        blob_done(&tpm->hcl_report);
}

void bundle_done(Bundle *bundle) {
        blob_done(&bundle->report);
        blob_done(&bundle->vek);
        for (size_t i = 0; i < bundle->n_chain; i++)
                blob_done(&bundle->chain[i]);
        for (size_t i = 0; i < bundle->n_crls; i++)
                blob_done(&bundle->crls[i]);
        blob_done(&bundle->svsm_manifest);
        tpm_done(&bundle->tpm);
        *bundle = (Bundle){};
}

const char *bundle_rule_name(BundleRule rule) {
        static const char *const names[BUNDLE_N_RULES] = {
                [BUNDLE_RULE_NONCE] = "nonce", [BUNDLE_RULE_SVSM] = "svsm-manifest", [BUNDLE_RULE_HCL] = "hcl-claims"
        };

        return rule < BUNDLE_N_RULES ? names[rule] : "unknown";
}
