/* SPDX-License-Identifier: Apache-2.0 */

/* `snpctl policy check` and `policy explain`: what a policy says of a report, and what it says. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/snpctl/judge-args.h"
#include "agent/snpctl/verbs.h"
#include "base/json.h"
#include "snp/policy.h"

/* Digests in a table are told apart by their beginnings; --json and denied claims give all of them. */
#define DIGEST_CELL 24
#define CELL_MAX 60
#define CELL_CUT "..."

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
        bool allowed;
        Error why; /* when not allowed */
        bool names_guest;
} Answer;

static void cell(const char *text, char ret[static CELL_MAX + sizeof(CELL_CUT)]) {
        int max = strchr(text, ' ') ? CELL_MAX : DIGEST_CELL;

        (void) snprintf(ret, CELL_MAX + sizeof(CELL_CUT), "%.*s%s", max, text,
                        strlen(text) > (size_t) max ? CELL_CUT : "");
}

static int print_table(const SnpAppraisal *a, CtlOutput *out, Error *e) {
        static const char *const columns[] = { "CLAIM", "WANTED", "FOUND", "VERDICT" };
        CLEANUP(ctl_table_freep) CtlTable *table = NULL;
        int r = ctl_table_new(columns, N_ELEMENTS(columns), &table, e);

        for (SnpClaim i = 0; i < SNP_N_CLAIMS && r == 0; i++) {
                const SnpFinding *f = &a->findings[i];
                char wanted[CELL_MAX + sizeof(CELL_CUT)], found[CELL_MAX + sizeof(CELL_CUT)];
                const char *const cells[] = { snp_claim_name(i), wanted, found, snp_claim_verdict_name(f->verdict) };

                cell(f->wanted, wanted);
                cell(f->found, found);
                r = ctl_table_add(table, cells, e);
        }
        return r < 0 ? r : ctl_table_print(table, out, e);
}

/* Of an unverified report only that: the others are denied for no reason of their own. */
static void print_remedies(const SnpAppraisal *a, CtlOutput *out) {
        for (SnpClaim i = 0; i < SNP_N_CLAIMS; i++) {
                const SnpFinding *f = &a->findings[i];

                if (f->verdict != SNP_CLAIM_DENIED)
                        continue;
                ctl_printf(out, "\nDenied: %s\n  wanted  %s\n  found   %s\n  remedy  %s\n", snp_claim_name(i),
                           f->wanted, f->found, f->remedy);
                if (i == SNP_CLAIM_AUTHENTIC)
                        return;
        }
}

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
        r = print_table(&answer->appraisal, out, e);
        if (r == 0)
                print_remedies(&answer->appraisal, out);
        return r;
}

static int answer_to_json(const Answer *answer, json_object *o) {
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
                r = snp_appraisal_to_json(&answer->appraisal, &part);
        if (r == 0)
                r = json_add_take(o, "claims", TAKE_PTR(part));
        return r;
}

static int print_check_json(const Answer *answer, CtlOutput *out, Error *e) {
        AUTO_JSON json_object *o = json_object_new_object();

        if (answer_to_json(answer, o) < 0)
                return error_oom(e);
        return ctl_output_set_json(out, TAKE_PTR(o), e);
}

/* Both must say yes: verification with what was expected besides (REPORT_DATA), and the policy. */
static void appraise(const SnpPolicy *policy, const Judgement *j, Answer *ret) {
        Error why = {};
        int r = snp_policy_appraise(policy, &j->report, &j->verdict, j->vek, &ret->appraisal, &why);

        ret->judgement = j;
        ret->allowed = r == 0 && ret->appraisal.outcome == SNP_ALLOW && j->outcome == SNP_ACCEPT;
        ret->why = j->outcome == SNP_ACCEPT ? why : j->why;
        ret->names_guest = snp_policy_names_guest(policy);
}

static int run_check(const CtlCall *call, CtlOutput *out, Error *e) {
        const CheckArgs *args = call->args;
        CLEANUP(snp_policy_freep) SnpPolicy *policy = NULL;
        AUTO_JUDGE_INPUT JudgeInput in = {};
        AUTO_JUDGEMENT Judgement judgement = {};
        Answer answer = {};
        int r;

        if (!args->policy)
                return ctl_usage(e, "--policy FILE is missing");
        r = snp_policy_load(args->policy, &policy, e);
        if (r < 0)
                return r;
        r = judge_args_read(&args->judge, &in, e);
        if (r < 0)
                return r;
        in.flags = snp_policy_verify_flags(policy);
        r = judge_report(&in, &judgement, e);
        if (r < 0)
                return r;
        appraise(policy, &judgement, &answer);
        out->exit = answer.allowed ? CTL_EXIT_OK : CTL_EXIT_NO;
        return out->want_json ? print_check_json(&answer, out, e) : print_check_text(&answer, out, e);
}

const CtlVerb ctl_verb_policy_check = {
        .name = "policy check",
        .summary = "Judge a report by a policy, offline",
        .details = "\nThe report is verified first, as by 'snpctl verify'; of an unverified report every claim is\n"
                   "denied. Then each claim is held against the policy, and for a denied one it is told what to do.\n",
        .options = { check_options, N_ELEMENTS(check_options) },
        .args_size = sizeof(CheckArgs),
        .run = run_check,
};

/* Explain */

static int print_explain_json(const SnpPolicy *policy, CtlOutput *out, Error *e) {
        AUTO_JSON json_object *o = json_object_new_object(), *keys = NULL;

        if (snp_policy_explain_json(policy, &keys) < 0 ||
            json_add_bool(o, "names_guest", snp_policy_names_guest(policy)) < 0 ||
            json_add_take(o, "keys", TAKE_PTR(keys)) < 0)
                return error_oom(e);
        return ctl_output_set_json(out, TAKE_PTR(o), e);
}

static int run_explain(const CtlCall *call, CtlOutput *out, Error *e) {
        CLEANUP(snp_policy_freep) SnpPolicy *policy = NULL;
        AUTO_FREE char *text = NULL;
        int r = snp_policy_load(call->operands[0], &policy, e);

        if (r < 0)
                return r;
        if (out->want_json)
                return print_explain_json(policy, out, e);
        if (snp_policy_explain(policy, &text) < 0)
                return error_oom(e);
        ctl_printf(out, "%s", text);
        if (!snp_policy_names_guest(policy))
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
