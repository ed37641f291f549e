/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A policy file as a whole: the sections about the report, which snp/policy.h knows, and [TPM], which is about the
 * quote beside it (agent/bundle/tpm-policy.h).
 */

#include <json-c/json_object.h>

#include "agent/bundle/tpm-policy.h"
#include "snp/policy.h"

typedef struct BundlePolicy {
        SnpPolicy *snp; /* owned */
        TpmPolicy tpm;
} BundlePolicy;

void bundle_policy_done(BundlePolicy *policy);
#define AUTO_BUNDLE_POLICY CLEANUP(bundle_policy_done)

/* As snp_policy_load() and snp_policy_parse(); [TPM] is as strict. */
WARN_UNUSED int bundle_policy_load(const char *path, BundlePolicy *ret, Error *e);
WARN_UNUSED int bundle_policy_parse(const char *name, const void *data, size_t size, BundlePolicy *ret, Error *e);

/* As snp_policy_to_text(), snp_policy_explain() and snp_policy_explain_json(), with [TPM] behind. */
WARN_UNUSED int bundle_policy_to_text(const BundlePolicy *policy, char **ret);
WARN_UNUSED int bundle_policy_explain(const BundlePolicy *policy, char **ret);
WARN_UNUSED int bundle_policy_explain_json(const BundlePolicy *policy, json_object **ret);
