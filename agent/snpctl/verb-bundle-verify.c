/* SPDX-License-Identifier: Apache-2.0 */

/* `snpctl bundle verify`: judge an evidence bundle, every part of it, with no network. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/bundle/verify.h"
#include "agent/snpctl/challenge.h"
#include "agent/snpctl/policy-print.h"
#include "agent/snpctl/verbs.h"
#include "agent/snpctl/when.h"
#include "base/file.h"
#include "base/json.h"

#define ROOT_FILE_MAX (4 * SNP_CERT_SIZE_MAX)

typedef struct VerifyArgs {
        const char *at, *policy, *nonce, *data, *trust_root, *crl;
} VerifyArgs;

#define AT(member) offsetof(VerifyArgs, member)
static const CtlOption options[] = {
        { "nonce", "BASE64URL", "the nonce that the evidence has to answer", CTL_TEXT, AT(nonce) },
        { "data", "HEX", "the same in hex, as --nonce of the verbs of tpm has it", CTL_TEXT, AT(data) },
        { "policy", "FILE", "what is asked of the guest; see 'snpctl policy new'", CTL_TEXT, AT(policy) },
        { "at", "TIME", "when certificates and lists must be valid: RFC 3339, or now (default)", CTL_TEXT, AT(at) },
        { "crl", "MODE", "soft (default), hard: there must be a current list, off", CTL_TEXT, AT(crl) },
        { "trust-root", "FILE", "trust this TEST ROOT instead of AMD's", CTL_TEXT, AT(trust_root) },
};

/* What the options say, and owns it. */
typedef struct Asked {
        BundleQuestion q;
        SnpTrust *trust;
        BundlePolicy policy;
        Blob nonce;
} Asked;

static void asked_done(Asked *a) {
        snp_trust_free(a->trust);
        bundle_policy_done(&a->policy);
        blob_done(&a->nonce);
}

static int read_nonce(const VerifyArgs *args, Asked *a, Error *e) {
        int r;

        if (!args->nonce && !args->data)
                return 0;
        r = ctl_nonce_parse(args->data, args->nonce, &a->nonce, e);
        if (r < 0)
                return r;
        a->q.nonce = a->nonce.data;
        a->q.nonce_size = a->nonce.size;
        return 0;
}

static int read_trust(const VerifyArgs *args, Asked *a, Error *e) {
        AUTO_BLOB Blob root = {};
        int r;

        if (!args->trust_root)
                return snp_trust_new_amd(&a->trust, e);
        r = file_read(args->trust_root, ROOT_FILE_MAX, &root, e);
        return r < 0 ? r : snp_trust_new_test(root.data, root.size, &a->trust, e);
}

static int read_args(const VerifyArgs *args, Asked *a, Error *e) {
        int r;

        a->q.crl = (SnpCrlPolicy){ .mode = SNP_CRL_SOFT, .stale_max = SNP_CRL_STALE_MAX_DEFAULT };
        if (ctl_when_parse(args->at ? args->at : "now", &a->q.at) < 0)
                return ctl_usage(e, "--at '%.40s' is neither RFC 3339 (2026-01-31T12:00:00Z) nor now", args->at);
        if (args->crl && snp_crl_mode_from_name(args->crl, &a->q.crl.mode) < 0)
                return ctl_usage(e, "--crl '%.20s' is not hard, soft or off", args->crl);
        r = read_nonce(args, a, e);
        if (r == 0 && args->policy) {
                r = bundle_policy_load(args->policy, &a->policy, e);
                a->q.policy = &a->policy;
        }
        if (r == 0)
                r = read_trust(args, a, e);
        a->q.trust = a->trust;
        return r;
}

typedef struct Answer {
        const Bundle *bundle;
        const Asked *asked;
        const BundleVerdict *v;
} Answer;

/* JSON */

static int parts_to_json(const BundleVerdict *v, json_object **ret) {
        AUTO_JSON json_object *array = json_object_new_array();

        for (BundlePart i = 0; i < BUNDLE_N_PARTS && array; i++) {
                const BundleFinding *f = &v->parts[i];
                AUTO_JSON json_object *o = json_object_new_object();

                if (json_add_str(o, "part", bundle_part_name(i)) < 0 ||
                    json_add_str(o, "result", bundle_result_name(f->result)) < 0 ||
                    (f->reason && json_add_str(o, "reason", f->reason) < 0) ||
                    json_add_str(o, "detail", f->detail) < 0 || json_object_array_add(array, o) < 0)
                        return -ENOMEM;
                o = NULL; /* the array's */
        }
        *ret = TAKE_PTR(array);
        return *ret ? 0 : -ENOMEM;
}

static bool is_bound(const BundleVerdict *v) {
        return v->parts[BUNDLE_PART_BINDING].result == BUNDLE_OK;
}

static int add_claims(const BundleVerdict *v, json_object *o) {
        json_object *claims = NULL;

        if (snp_appraisal_to_json(&v->snp_appraisal, &claims) < 0)
                return -ENOMEM;
        if (tpm_appraisal_to_json(&v->tpm_appraisal, claims) < 0) {
                (void) json_object_put(claims);
                return -ENOMEM;
        }
        return json_add_take(o, "claims", claims);
}

static int answer_to_json(const Answer *a, json_object *o) {
        const BundleVerdict *v = a->v;
        json_object *part = NULL;
        char at[CTL_WHEN_SIZE], captured[CTL_WHEN_SIZE];
        int r;

        ctl_when_format(a->asked->q.at, at);
        ctl_when_format((time_t) a->bundle->captured_at, captured);
        if (json_add_str(o, "verdict", v->outcome == SNP_ACCEPT ? "accept" : "reject") < 0 ||
            json_add_str(o, "trust", v->test_root ? "TEST ROOT" : "AMD") < 0 || json_add_str(o, "at", at) < 0 ||
            json_add_str(o, "captured_at", captured) < 0 || json_add_str(o, "writer", a->bundle->writer) < 0 ||
            json_add_hex(o, "nonce", a->bundle->nonce, a->bundle->nonce_size) < 0 ||
            json_add_str(o, "report_data_rule", bundle_rule_name(a->bundle->rule)) < 0 ||
            json_add_bool(o, "bound", is_bound(v)) < 0 ||
            json_add_str(o, "secure_boot", bundle_secure_boot_name(v->secure_boot)) < 0)
                return -ENOMEM;
        r = v->outcome == SNP_ACCEPT ? 0 : json_add_str(o, "reason", error_reason(&v->why, -EKEYREJECTED));
        if (r == 0 && v->outcome != SNP_ACCEPT)
                r = json_add_str(o, "message", error_text(&v->why, -EKEYREJECTED));
        if (r == 0)
                r = parts_to_json(v, &part);
        if (r == 0)
                r = json_add_take(o, "parts", TAKE_PTR(part));
        if (r == 0 && a->asked->q.policy)
                r = json_add_bool(o, "names_guest", snp_policy_names_guest(a->asked->policy.snp));
        if (r == 0 && a->asked->q.policy)
                r = add_claims(v, o);
        if (r == 0 && v->has_report)
                r = snp_report_to_json(&v->report, v->vek ? snp_vek_product(v->vek) : v->report.product, &part);
        if (r == 0 && v->has_report)
                r = json_add_take(o, "report", TAKE_PTR(part));
        return r;
}

static int print_json(const Answer *a, CtlOutput *out, Error *e) {
        AUTO_JSON json_object *o = json_object_new_object();

        if (answer_to_json(a, o) < 0)
                return error_oom(e);
        return ctl_output_set_json(out, TAKE_PTR(o), e);
}

/* Text */

static int print_parts(const BundleVerdict *v, CtlOutput *out, Error *e) {
        static const char *const columns[] = { "PART", "RESULT", "WHY" };
        CLEANUP(ctl_table_freep) CtlTable *table = NULL;
        int r = ctl_table_new(columns, N_ELEMENTS(columns), &table, e);

        for (BundlePart i = 0; i < BUNDLE_N_PARTS && r == 0; i++) {
                const BundleFinding *f = &v->parts[i];
                const char *const cells[] = { bundle_part_name(i), bundle_result_name(f->result), f->detail };

                r = ctl_table_add(table, cells, e);
        }
        return r < 0 ? r : ctl_table_print(table, out, e);
}

/* A report vouches for a TPM by what software at VMPL 0 had put in: that counts if one knows which software it is. */
static void print_note(const Answer *a, CtlOutput *out) {
        const BundlePolicy *policy = a->asked->q.policy;

        if (!policy || !snp_policy_names_guest(policy->snp))
                ctl_printf(out, "Note: Nobody asked which software the guest runs%s: name its measurement in a policy.\n",
                           is_bound(a->v) ? ", on whose word the TPM is bound" : "");
}

static int print_text(const Answer *a, CtlOutput *out, Error *e) {
        const BundleVerdict *v = a->v;
        char at[CTL_WHEN_SIZE], captured[CTL_WHEN_SIZE];
        int r;

        ctl_when_format(a->asked->q.at, at);
        ctl_when_format((time_t) a->bundle->captured_at, captured);
        if (v->outcome == SNP_ACCEPT)
                ctl_printf(out, "ACCEPT\n");
        else
                ctl_printf(out, "REJECT: %s\n", error_text(&v->why, -EKEYREJECTED));
        ctl_printf(out, "Trust: %s%s\n", v->test_root ? "TEST ROOT" : "AMD",
                   v->test_root ? " (given by --trust-root: says nothing about AMD hardware)" : "");
        ctl_printf(out, "Judged as of %s. The guest says that it made this at %s, which nothing proves.\n", at,
                   captured);
        if (a->bundle->has_tpm)
                ctl_printf(out, "TPM: bound: %s, Secure Boot: %s\n", is_bound(v) ? "yes" : "no",
                           bundle_secure_boot_name(v->secure_boot));
        print_note(a, out);
        ctl_printf(out, "\n");
        r = print_parts(v, out, e);
        if (r < 0 || !a->asked->q.policy)
                return r;
        ctl_printf(out, "\n");
        r = policy_print_table(&v->snp_appraisal, &v->tpm_appraisal, out, e);
        if (r == 0)
                policy_print_remedies(&v->snp_appraisal, &v->tpm_appraisal, out);
        return r;
}

static int run_verify(const CtlCall *call, CtlOutput *out, Error *e) {
        AUTO_BUNDLE_VERDICT BundleVerdict v = {};
        CLEANUP(asked_done) Asked asked = {};
        AUTO_BUNDLE Bundle bundle = {};
        AUTO_BLOB Blob file = {};
        Answer answer;
        int r = read_args(call->args, &asked, e);

        if (r == 0)
                r = file_read(call->operands[0], BUNDLE_SIZE_MAX, &file, e);
        if (r == 0) {
                r = bundle_parse(file.data, file.size, &bundle, e);
                error_prefix(e, "%s", call->operands[0]);
        }
        if (r == 0)
                r = bundle_verify(&bundle, &asked.q, &v, e);
        if (r < 0)
                return r;
        answer = (Answer){ .bundle = &bundle, .asked = &asked, .v = &v };
        out->exit = v.outcome == SNP_ACCEPT ? CTL_EXIT_OK : CTL_EXIT_NO;
        return out->want_json ? print_json(&answer, out, e) : print_text(&answer, out, e);
}

const CtlVerb ctl_verb_bundle_verify = {
        .name = "bundle verify",
        .operands = "FILE",
        .n_operands = 1,
        .summary = "Judge an evidence bundle, offline",
        .details = "\nEvery part and its result is printed: report and chain, revocation, nonce, REPORT_DATA, the\n"
                   "TPM's quote, PCRs and event log, whether the report vouches for that TPM, and the policy.\n"
                   "When the bundle was made is the guest's word, so certificates are judged as of now; --at is for\n"
                   "bundles that have been in hands you trust since then. Without --nonce the evidence may be old.\n",
        .options = { options, N_ELEMENTS(options) },
        .args_size = sizeof(VerifyArgs),
        .run = run_verify,
};
