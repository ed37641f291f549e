/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/bundle/policy.h"

#include <errno.h>

#include "base/file.h"
#include "base/json.h"

#define TEXT_MAX (2u << 20) /* some 150 KiB at most; a Writer wants a limit */

void bundle_policy_done(BundlePolicy *policy) {
        snp_policy_free(policy->snp);
        policy->snp = NULL;
}

static int on_key(void *userdata, const IniLine *line, Error *e) {
        return tpm_policy_set(userdata, line, e);
}

static bool may_repeat(void *userdata, const IniLine *line) {
        (void) userdata;
        return tpm_policy_may_repeat(line);
}

int bundle_policy_parse(const char *name, const void *data, size_t size, BundlePolicy *ret, Error *e) {
        AUTO_BUNDLE_POLICY BundlePolicy policy = {};
        const SnpPolicyOther other = { .section = TPM_POLICY_SECTION, .key = on_key, .may_repeat = may_repeat,
                                       .userdata = &policy.tpm };
        int r = snp_policy_parse_with(name, data, size, &other, &policy.snp, e);

        if (r == 0)
                r = tpm_policy_check(&policy.tpm, name, e);
        if (r < 0)
                return r;
        *ret = policy;
        policy.snp = NULL;
        return 0;
}

int bundle_policy_load(const char *path, BundlePolicy *ret, Error *e) {
        AUTO_BLOB Blob b = {};
        int r = file_read(path, SNP_POLICY_FILE_SIZE_MAX, &b, e);

        return r < 0 ? r : bundle_policy_parse(path, b.data, b.size, ret, e);
}

int bundle_policy_to_text(const BundlePolicy *policy, char **ret) {
        AUTO_WRITER Writer w = wr_init(TEXT_MAX);
        AUTO_FREE char *snp = NULL;
        int r = snp_policy_to_text(policy->snp, &snp);

        if (r < 0)
                return r;
        wr_str(&w, snp);
        tpm_policy_write(&policy->tpm, &w);
        return wr_finish_str(&w, ret);
}

int bundle_policy_explain(const BundlePolicy *policy, char **ret) {
        AUTO_WRITER Writer w = wr_init(TEXT_MAX);
        AUTO_FREE char *snp = NULL;
        int r = snp_policy_explain(policy->snp, &snp);

        if (r < 0)
                return r;
        wr_str(&w, snp);
        r = tpm_policy_explain(&policy->tpm, &w);
        return r < 0 ? r : wr_finish_str(&w, ret);
}

int bundle_policy_explain_json(const BundlePolicy *policy, json_object **ret) {
        AUTO_JSON json_object *array = NULL;
        int r = snp_policy_explain_json(policy->snp, &array);

        if (r == 0)
                r = tpm_policy_explain_json(&policy->tpm, array);
        if (r == 0)
                *ret = TAKE_PTR(array);
        return r;
}
