/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snpctl/judge-args.h"

#include <assert.h>

#include "agent/snpctl/challenge.h"
#include "agent/snpctl/exit.h"
#include "agent/snpctl/when.h"
#include "base/file.h"
#include "snp/cert_table.h"
#include "snp/svsm-manifest.h"

/* A PEM chain of several certificates is larger than one; the verifier has limits of its own. */
#define CERT_FILE_MAX (4 * SNP_CERT_SIZE_MAX)
#define REPORT_FILE_MAX (64u * 1024u) /* so that "not 1184 bytes" is a verdict on the report, not on the file */

static_assert(CTL_TEXTS_MAX <= SNP_CERTS_MAX, "every --chain that can be given has a place");

static int read_if_given(const char *path, size_t max, Blob *ret, Error *e) {
        return path ? file_read(path, max, ret, e) : 0;
}

static int read_certs(const JudgeArgs *args, JudgeInput *in, Error *e) {
        int r = read_if_given(args->certs, SNP_CERT_TABLE_MAX, &in->certs, e);

        if (r == 0)
                r = read_if_given(args->vek, SNP_CERT_SIZE_MAX, &in->vek, e);
        if (r == 0)
                r = read_if_given(args->trust_root, CERT_FILE_MAX, &in->trust_root, e);
        if (r == 0)
                r = read_if_given(args->manifest, SNP_SVSM_MANIFEST_MAX, &in->manifest, e);
        for (size_t i = 0; i < args->chain.n && r == 0; i++) {
                r = file_read(args->chain.items[i], CERT_FILE_MAX, &in->chain[i], e);
                in->n_chain = i + 1;
        }
        return r;
}

static int read_expectations(const JudgeArgs *args, JudgeInput *in, Error *e) {
        int r;

        if (ctl_when_parse(args->at ? args->at : "now", &in->at) < 0)
                return ctl_usage(e, "--at '%.40s' is neither RFC 3339 (2026-01-31T12:00:00Z) nor now", args->at);
        in->has_manifest = args->manifest != NULL;
        if (!args->data && !args->nonce)
                return in->has_manifest ? ctl_usage(e, "--manifest needs the nonce: --data or --nonce") : 0;
        r = ctl_challenge_parse(args->data, args->nonce, in->report_data, e);
        if (r == 0)
                in->has_report_data = true;
        return r;
}

int judge_args_read_certs(const JudgeArgs *args, JudgeInput *in, Error *e) {
        int r = read_expectations(args, in, e);

        return r < 0 ? r : read_certs(args, in, e);
}

int judge_args_read(const JudgeArgs *args, JudgeInput *in, Error *e) {
        int r;

        if (!args->report)
                return ctl_usage(e, "--report FILE is missing");
        r = read_expectations(args, in, e);
        if (r == 0)
                r = file_read(args->report, REPORT_FILE_MAX, &in->report, e);
        if (r == 0)
                r = hcl_file_split(&in->report, &in->hcl, e);
        return r < 0 ? r : read_certs(args, in, e);
}
