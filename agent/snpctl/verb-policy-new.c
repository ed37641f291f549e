/* SPDX-License-Identifier: Apache-2.0 */

/* `snpctl policy new`: a policy to start from, with every key explained. */

#include <errno.h>
#include <string.h>

#include "agent/bundle/policy.h"
#include "agent/snpctl/id-files.h"
#include "agent/snpctl/report-file.h"
#include "agent/snpctl/verbs.h"
#include "base/file.h"
#include "base/json.h"
#include "base/reader.h"
#include "snp/policy.h"


typedef struct NewArgs {
        const char *report, *product, *out;
        CtlTexts id_keys, author_keys;
} NewArgs;

#define AT(member) offsetof(NewArgs, member)
static const CtlOption options[] = {
        { "from-report", "FILE", "take measurement, TCBs and platform of this report", CTL_TEXT, AT(report) },
        { "product", "NAME", "its product line, which a version 2 report does not tell", CTL_TEXT, AT(product) },
        { "id-key", "FILE", "ask for an ID block signed by this key, PEM or DER", CTL_TEXTS, AT(id_keys) },
        { "author-key", "FILE", "ask for an ID block whose key this key has signed", CTL_TEXTS, AT(author_keys) },
        { "out", "FILE", "write it to this file instead of standard output", CTL_TEXT, AT(out) },
};

/* What the defaults refuse stays refused, also when the report has it: that is told, in the file itself. */
static void write_warnings(const SnpReport *report, Writer *w) {
        static const struct {
                uint64_t bit;
                const char *warning;
        } bits[] = {
                { SNP_POLICY_DEBUG, "it may be debugged by its host (Debug=)" },
                { SNP_POLICY_MIGRATE_MA, "it may have a migration agent (MigrationAgent=)" },
                { SNP_POLICY_CXL_ALLOW, "its memory may be on CXL devices (Cxl=)" },
        };
        bool masked = report->signing_key == SNP_SIGNING_KEY_VCEK &&
                      bytes_are_zero(report->chip_id, sizeof(report->chip_id));
        bool provisional = memcmp(report->committed_tcb, report->current_tcb, SNP_TCB_SIZE) != 0 ||
                           memcmp(&report->committed, &report->current, sizeof(report->current)) != 0;

        for (size_t i = 0; i < N_ELEMENTS(bits); i++)
                if (report->policy & bits[i].bit) {
                        wr_str(w, "# WARNING: This policy denies the guest of that report: ");
                        wr_str(w, bits[i].warning);
                        wr_str(w, ".\n");
                }
        if (masked)
                wr_str(w, "# WARNING: This policy denies that report: its chip ID is masked (MaskedChipId=).\n");
        if (provisional)
                wr_str(w, "# WARNING: This policy denies that report: its firmware is not committed (Provisional=).\n");
}

static void write_head(const SnpReport *report, Writer *w) {
        wr_str(w, "# Policy for evidence of AMD SEV-SNP guests; 'snpctl policy explain' tells it in words.\n"
                  "# Every key is here, with the value that counts; without it, its default counts.\n");
        if (report) {
                wr_str(w, "#\n# Made from a report: the measurement must be the same, TCBs, GUEST_SVN and mitigations\n"
                          "# at least the same. The report was not verified for that.\n");
                write_warnings(report, w);
        }
        wr_str(w, "\n");
}

static int read_report(const NewArgs *args, SnpReport *ret, Error *e) {
        AUTO_REPORT_FILE ReportFile file = {};
        int r = report_file_read(args->report, &file, e);

        if (r < 0)
                return r;
        r = snp_report_parse(file.report.data, file.report.size, ret, e);
        if (r < 0)
                error_prefix(e, "%s", args->report);
        return r;
}

static int policy_of(const NewArgs *args, SnpReport *report, SnpPolicy **ret, Error *e) {
        SnpProduct product = SNP_PRODUCT_UNKNOWN;
        int r;

        if (args->product && !args->report)
                return ctl_usage(e, "--product is about the report that --from-report names");
        if (!args->report)
                return snp_policy_new(ret, e);
        if (args->product) {
                product = snp_product_from_name(args->product, strlen(args->product));
                if (product == SNP_PRODUCT_UNKNOWN)
                        return ctl_usage(e, "--product '%.40s' is not Milan, Genoa or Turin", args->product);
        }
        r = read_report(args, report, e);
        if (r < 0)
                return r;
        if (!report->has_cpuid && product == SNP_PRODUCT_UNKNOWN)
                return ctl_usage(e, "a version 2 report does not tell its product line: --product is needed");
        if (report->has_cpuid && product != SNP_PRODUCT_UNKNOWN && product != report->product)
                return ctl_usage(e, "the report is of %s, not of %s", snp_product_name(report->product), args->product);
        return snp_policy_new_from_report(report, product, ret, e);
}

static int trust_keys(const CtlTexts *files, bool author, SnpPolicy *policy, Error *e) {
        for (size_t i = 0; i < files->n; i++) {
                AUTO_EVP_PKEY EVP_PKEY *key = NULL;
                uint8_t bytes[SNP_ID_KEY_SIZE], digest[SNP_ID_KEY_DIGEST_SIZE];
                int r = id_key_file_read(files->items[i], false, &key, e);

                if (r == 0)
                        r = snp_id_key_encode(key, bytes, e);
                if (r == 0)
                        r = snp_id_key_digest(bytes, digest, e);
                if (r == 0)
                        r = snp_policy_trust_key(policy, author, digest, e);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int print_json(const char *text, CtlOutput *out, Error *e) {
        AUTO_JSON json_object *o = json_object_new_object();

        if (json_add_str(o, "policy", text) < 0)
                return error_oom(e);
        return ctl_output_set_json(out, TAKE_PTR(o), e);
}

static int run_new(const CtlCall *call, CtlOutput *out, Error *e) {
        const NewArgs *args = call->args;
        AUTO_BUNDLE_POLICY BundlePolicy policy = {};
        AUTO_FREE char *body = NULL, *text = NULL;
        AUTO_WRITER Writer w = wr_init(CTL_OUTPUT_MAX);
        SnpReport report;
        int r = policy_of(args, &report, &policy.snp, e);

        if (r == 0)
                r = trust_keys(&args->id_keys, false, policy.snp, e);
        if (r == 0)
                r = trust_keys(&args->author_keys, true, policy.snp, e);
        if (r < 0)
                return r;
        if (bundle_policy_to_text(&policy, &body) < 0)
                return error_oom(e);
        write_head(args->report ? &report : NULL, &w);
        wr_str(&w, body);
        if (wr_finish_str(&w, &text) < 0)
                return error_oom(e);
        if (args->out)
                return file_write_atomic(args->out, text, strlen(text), 0644, e);
        if (out->want_json)
                return print_json(text, out, e);
        ctl_printf(out, "%s", text);
        return 0;
}

const CtlVerb ctl_verb_policy_new = {
        .name = "policy new",
        .summary = "Write a policy with every key, its meaning and its default",
        .details = "\nWith --from-report: one that accepts the measurement of that report and no other, and its TCBs\n"
                   "or newer ones. What the defaults refuse, such as debugging, is not accepted for being in it.\n",
        .options = { options, N_ELEMENTS(options) },
        .args_size = sizeof(NewArgs),
        .run = run_new,
};
