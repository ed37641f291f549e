/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snpctl/judge-args.h"

#include <assert.h>

#include "agent/snpctl/certs-dir.h"
#include "agent/snpctl/challenge.h"
#include "agent/snpctl/exit.h"
#include "agent/snpctl/report-file.h"
#include "agent/snpctl/when.h"
#include "base/file.h"
#include "snp/cert_table.h"
#include "snp/crl.h"
#include "snp/svsm-manifest.h"

/* A PEM chain of several certificates is larger than one; the verifier has limits of its own. */
#define CERT_FILE_MAX (4 * SNP_CERT_SIZE_MAX)

static_assert(CTL_TEXTS_MAX <= SNP_CERTS_MAX, "every --chain that can be given has a place");

static int read_if_given(const char *path, size_t max, Blob *ret, Error *e) {
        return path ? file_read(path, max, ret, e) : 0;
}

/* What was given by itself has its place already. */
static void offer_vek(JudgeInput *in, Blob *vek) {
        if (!in->vek.data && vek->size > 0)
                in->vek = blob_take(vek);
}

static void offer_chain(JudgeInput *in, Blob *certs, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (certs[i].size > 0 && in->n_chain < SNP_CERTS_MAX)
                        in->chain[in->n_chain++] = blob_take(&certs[i]);
}

static SnpSigningKey signing_key_of(const JudgeInput *in) {
        SnpReport report;

        return snp_report_parse(in->report.data, in->report.size, &report, NULL) == 0 ? report.signing_key
                                                                                       : SNP_SIGNING_KEY_VCEK;
}

/* A table, or a directory as snpguest makes it. */
static int read_table(const JudgeArgs *args, JudgeInput *in, Error *e) {
        AUTO_CERTS_DIR CertsDir dir = {};
        int r;

        if (!args->certs)
                return 0;
        if (!certs_dir_is(args->certs)) {
                blob_done(&in->certs); /* that of the report's file */
                return file_read(args->certs, SNP_CERT_TABLE_MAX, &in->certs, e);
        }
        r = certs_dir_read(args->certs, signing_key_of(in), &dir, e);
        if (r < 0)
                return r;
        offer_vek(in, &dir.vek);
        offer_chain(in, dir.chain, dir.n_chain);
        in->found_crl = blob_take(&dir.crl);
        return 0;
}

static int read_report(const JudgeArgs *args, JudgeInput *in, ReportFile *file, Error *e) {
        int r = report_file_read(args->report, file, e);

        if (r < 0)
                return r;
        in->report = blob_take(&file->report);
        in->certs = blob_take(&file->table);
        return 0;
}

static int read_certs(const JudgeArgs *args, JudgeInput *in, Error *e) {
        int r;

        for (size_t i = 0; i < args->chain.n; i++) {
                r = file_read(args->chain.items[i], CERT_FILE_MAX, &in->chain[i], e);
                if (r < 0)
                        return r;
                in->n_chain = i + 1;
        }
        r = read_if_given(args->vek, SNP_CERT_SIZE_MAX, &in->vek, e);
        if (r == 0)
                r = read_table(args, in, e);
        if (r == 0)
                r = read_if_given(args->crl, SNP_CRL_SIZE_MAX, &in->crl, e);
        if (r == 0)
                r = read_if_given(args->trust_root, CERT_FILE_MAX, &in->trust_root, e);
        if (r == 0)
                r = read_if_given(args->manifest, SNP_SVSM_MANIFEST_MAX, &in->manifest, e);
        return r;
}

static int read_expectations(const JudgeArgs *args, JudgeInput *in, Error *e) {
        int r;

        if (ctl_when_parse(args->at ? args->at : "now", &in->at) < 0)
                return ctl_usage(e, "--at '%.40s' is neither RFC 3339 (2026-01-31T12:00:00Z) nor now", args->at);
        in->has_manifest = args->manifest != NULL;
        if (args->request && (args->data || args->nonce))
                return ctl_usage(e, "--request, --data and --nonce exclude each other");
        if (!args->data && !args->nonce && !args->request)
                return in->has_manifest ? ctl_usage(e, "--manifest needs the nonce: --data, --nonce or --request") : 0;
        r = args->request ? request_file_read(args->request, in->report_data, e)
                          : ctl_challenge_parse(args->data, args->nonce, in->report_data, e);
        if (r == 0)
                in->has_report_data = true;
        return r;
}

int judge_args_read_certs(const JudgeArgs *args, JudgeInput *in, Error *e) {
        int r = read_expectations(args, in, e);

        return r < 0 ? r : read_certs(args, in, e);
}

int judge_args_read(const JudgeArgs *args, JudgeInput *in, Error *e) {
        AUTO_REPORT_FILE ReportFile file = {};
        int r;

        if (!args->report)
                return ctl_usage(e, "--report FILE is missing");
        r = read_expectations(args, in, e);
        if (r == 0)
                r = read_report(args, in, &file, e);
        if (r == 0)
                r = hcl_file_split(&in->report, &in->hcl, e);
        if (r == 0)
                r = read_certs(args, in, e);
        if (r < 0)
                return r;
        offer_vek(in, signing_key_of(in) == SNP_SIGNING_KEY_VLEK ? &file.vlek : &file.vcek);
        offer_chain(in, file.chain, N_ELEMENTS(file.chain));
        return 0;
}
