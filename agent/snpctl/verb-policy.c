/* SPDX-License-Identifier: Apache-2.0 */

/* `snpctl policy check` and `policy explain`: what a policy says of a report, and what it says. */

#include <errno.h>

#include "agent/bundle/policy.h"
#include "agent/snpctl/judge-args.h"
#include "agent/snpctl/policy-print.h"
#include "agent/snpctl/verbs.h"
#include "base/json.h"

static const char names_nothing[] = "The policy names neither a measurement nor a key that signs ID blocks: it does "
                                    "not ask which software the guest runs.";

/* Check */

typedef struct CheckArgs {
        JudgeArgs judge;
        const char *policy;
} CheckArgs;

static const CtlOption check_options[] = {
        { "policy", "FILE", "the policy; see 'snpctl policy new'", CTL_TEXT, offsetof(CheckArgs, policy) },
        JUDGE_OPTIONS(CheckArgs, judge),
};

typedef struct Answer {
        const Judgement *judgement;
        SnpAppraisal appraisal;
        bool asks_tpm;
        TpmAppraisal tpm; /* of a report alone: what is asked of a quote is denied */
        bool allowed;
        Error why; /* when not allowed */
        bool names_guest;
} Answer;

static int print_check_text(const Answer *answer, CtlOutput *out, Error *e) {
        const Judgement *j = answer->judgement;
        int r;

        if (answer->allowed)
                ctl_printf(out, "ALLOW\n");
        else
                ctl_printf(out, "DENY: %s\n", error_text(&answer->why, -EPERM));
        ctl_printf(out, "Trust: %s%s\n", judge_trust_name(j),
                   j->test_root ? " (given by --trust-root: says nothing about AMD hardware)" : "");
        if (!answer->names_guest)
                ctl_printf(out, "Note: %s\n", names_nothing);
        ctl_printf(out, "\n");
        r = policy_print_table(&answer->appraisal, answer->asks_tpm ? &answer->tpm : NULL, out, e);
        if (r == 0)
                policy_print_remedies(&answer->appraisal, answer->asks_tpm ? &answer->tpm : NULL, out);
        return r;
}

static int answer_to_json(const Answer *answer, json_object *o) {
        AUTO_JSON json_object *claims = NULL;
        json_object *part = NULL;
        int r = json_add_str(o, "verdict", answer->allowed ? "allow" : "deny");

        if (r == 0)
                r = json_add_str(o, "trust", judge_trust_name(answer->judgement));
        if (r == 0)
                r = json_add_bool(o, "names_guest", answer->names_guest);
        if (r == 0 && !answer->allowed)
                r = json_add_str(o, "reason", error_reason(&answer->why, -EPERM));
        if (r == 0 && !answer->allowed)
                r = json_add_str(o, "message", error_text(&answer->why, -EPERM));
        if (r == 0)
                r = judge_checks_to_json(answer->judgement, &part);
        if (r == 0)
                r = json_add_take(o, "checks", TAKE_PTR(part));
        if (r == 0)
                r = snp_appraisal_to_json(&answer->appraisal, &claims);
        if (r == 0 && answer->asks_tpm)
                r = tpm_appraisal_to_json(&answer->tpm, claims);
        if (r == 0)
                r = json_add_take(o, "claims", TAKE_PTR(claims));
        return r;
}

static int print_check_json(const Answer *answer, CtlOutput *out, Error *e) {
        AUTO_JSON json_object *o = json_object_new_object();

        if (answer_to_json(answer, o) < 0)
                return error_oom(e);
        return ctl_output_set_json(out, TAKE_PTR(o), e);
}

/*
 * All must say yes: verification with what was expected besides (REPORT_DATA), and both halves of the policy. There is
 * no quote beside a report: what [TPM] asks for is denied, not passed over.
 */
static void appraise(const BundlePolicy *policy, const Judgement *j, Answer *ret) {
        Error snp = {}, tpm = {};
        int r = snp_policy_appraise(policy->snp, &j->report, &j->verdict, j->vek, &ret->appraisal, &snp);
        int k = tpm_policy_appraise(&policy->tpm, NULL, NULL, &ret->tpm, &tpm);

        ret->judgement = j;
        ret->allowed = r == 0 && ret->appraisal.outcome == SNP_ALLOW && k == 0 && ret->tpm.outcome == SNP_ALLOW &&
                       j->outcome == SNP_ACCEPT;
        ret->why = j->outcome != SNP_ACCEPT ? j->why : r < 0 ? snp : tpm;
        ret->names_guest = snp_policy_names_guest(policy->snp);
        ret->asks_tpm = tpm_policy_asks(&policy->tpm);
}

static int run_check(const CtlCall *call, CtlOutput *out, Error *e) {
        const CheckArgs *args = call->args;
        AUTO_BUNDLE_POLICY BundlePolicy policy = {};
        AUTO_JUDGE_INPUT JudgeInput in = {};
        AUTO_JUDGEMENT Judgement judgement = {};
        Answer answer = {};
        int r;

        if (!args->policy)
                return ctl_usage(e, "--policy FILE is missing");
        r = bundle_policy_load(args->policy, &policy, e);
        if (r < 0)
                return r;
        r = judge_args_read(&args->judge, &in, e);
        if (r < 0)
                return r;
        in.flags = snp_policy_verify_flags(policy.snp);
        r = judge_report(&in, &judgement, e);
        if (r < 0)
                return r;
        appraise(&policy, &judgement, &answer);
        out->exit = answer.allowed ? CTL_EXIT_OK : CTL_EXIT_NO;
        return out->want_json ? print_check_json(&answer, out, e) : print_check_text(&answer, out, e);
}

const CtlVerb ctl_verb_policy_check = {
        .name = "policy check",
        .summary = "Judge a report by a policy, offline",
        .details = "\nThe report is verified first, as by 'snpctl verify'; of an unverified report every claim is\n"
                   "denied. Then each claim is held against the policy, and for a denied one it is told what to do.\n"
                   "A report has no quote of a TPM beside it: what [TPM] asks for is denied. See 'snpctl bundle verify'.\n",
        .options = { check_options, N_ELEMENTS(check_options) },
        .args_size = sizeof(CheckArgs),
        .run = run_check,
};

/* Explain */

static int print_explain_json(const BundlePolicy *policy, CtlOutput *out, Error *e) {
        AUTO_JSON json_object *o = json_object_new_object(), *keys = NULL;

        if (bundle_policy_explain_json(policy, &keys) < 0 ||
            json_add_bool(o, "names_guest", snp_policy_names_guest(policy->snp)) < 0 ||
            json_add_take(o, "keys", TAKE_PTR(keys)) < 0)
                return error_oom(e);
        return ctl_output_set_json(out, TAKE_PTR(o), e);
}

static int run_explain(const CtlCall *call, CtlOutput *out, Error *e) {
        AUTO_BUNDLE_POLICY BundlePolicy policy = {};
        AUTO_FREE char *text = NULL;
        int r = bundle_policy_load(call->operands[0], &policy, e);

        if (r < 0)
                return r;
        if (out->want_json)
                return print_explain_json(&policy, out, e);
        if (bundle_policy_explain(&policy, &text) < 0)
                return error_oom(e);
        ctl_printf(out, "%s", text);
        if (!snp_policy_names_guest(policy.snp))
                ctl_printf(out, "\nNote: %s\n", names_nothing);
        return 0;
}

const CtlVerb ctl_verb_policy_explain = {
        .name = "policy explain",
        .operands = "FILE",
        .n_operands = 1,
        .summary = "Tell in words what a policy asks for, with its defaults",
        .details = "\nWith /dev/null as FILE: the defaults alone, and every key there is.\n",
        .args_size = 0,
        .run = run_explain,
};
