/* SPDX-License-Identifier: Apache-2.0 */

/*
 * `snpctl verify`: is this report by the chip or provider that its certificate names? Needs no daemon and no
 * network.
 */

#include <errno.h>
#include <string.h>

#include "agent/snpctl/judge-args.h"
#include "agent/snpctl/verbs.h"
#include "agent/snpctl/when.h"
#include "base/json.h"
#include "snp/crl.h"

typedef struct VerifyArgs {
        JudgeArgs judge;
        const char *product;
        bool allow_masked;
} VerifyArgs;

#define AT(member) offsetof(VerifyArgs, member)
static const CtlOption options[] = {
        JUDGE_OPTIONS(VerifyArgs, judge),
        { "product", "NAME", "expected product line: Milan, Genoa or Turin", CTL_TEXT, AT(product) },
        { "allow-masked-chip-id", NULL, "accept a VCEK's report whose CHIP_ID the host has masked", CTL_FLAG,
          AT(allow_masked) },
};

static int read_args(const VerifyArgs *args, JudgeInput *in, Error *e) {
        if (args->product) {
                in->product = snp_product_from_name(args->product, strlen(args->product));
                if (in->product == SNP_PRODUCT_UNKNOWN)
                        return ctl_usage(e, "--product '%.40s' is not Milan, Genoa or Turin", args->product);
        }
        in->flags = args->allow_masked ? SNP_VERIFY_ALLOW_MASKED_CHIP_ID : 0;
        return judge_args_read(&args->judge, in, e);
}

static int vek_to_json(const SnpVek *vek, json_object **ret) {
        AUTO_JSON json_object *o = json_object_new_object();
        const uint8_t *hwid;
        char until[CTL_WHEN_SIZE];
        size_t n;
        int r;

        hwid = snp_vek_hwid(vek, &n);
        ctl_when_format(snp_vek_not_after(vek), until);
        r = json_add_str(o, "kind", snp_vek_kind(vek) == SNP_SIGNING_KEY_VLEK ? "VLEK" : "VCEK");
        if (r == 0)
                r = json_add_str(o, "product", snp_product_name(snp_vek_product(vek)));
        if (r == 0 && n > 0)
                r = json_add_hex(o, "hwid", hwid, n);
        if (r == 0 && snp_vek_csp_id(vek))
                r = json_add_str(o, "csp_id", snp_vek_csp_id(vek));
        if (r == 0)
                r = json_add_str(o, "not_after", until);
        if (r == 0)
                *ret = TAKE_PTR(o);
        return r;
}

static int add_details(const Judgement *j, json_object *o) {
        json_object *part = NULL;
        int r;

        if (j->outcome != SNP_ACCEPT) {
                r = json_add_str(o, "reason", error_reason(&j->why, -EKEYREJECTED));
                if (r == 0)
                        r = json_add_str(o, "message", error_text(&j->why, -EKEYREJECTED));
                if (r < 0)
                        return r;
        }
        r = judge_checks_to_json(j, &part);
        if (r == 0)
                r = json_add_take(o, "checks", TAKE_PTR(part));
        if (r == 0 && j->vek)
                r = json_add_str(o, "crl", snp_crl_state_name(j->verdict.crl));
        if (r == 0 && j->vek) {
                r = vek_to_json(j->vek, &part);
                if (r == 0)
                        r = json_add_take(o, "vek", TAKE_PTR(part));
        }
        if (r == 0 && j->has_report) {
                r = snp_report_to_json(&j->report, j->product, &part);
                if (r == 0)
                        r = json_add_take(o, "report", TAKE_PTR(part));
        }
        if (r == 0 && j->has_hcl) {
                r = hcl_findings_to_json(&j->hcl, &part);
                if (r == 0)
                        r = json_add_take(o, "hcl", TAKE_PTR(part));
        }
        return r;
}

static int print_json(const Judgement *j, CtlOutput *out, Error *e) {
        AUTO_JSON json_object *o = json_object_new_object();

        if (json_add_str(o, "verdict", j->outcome == SNP_ACCEPT ? "accept" : "reject") < 0 ||
            json_add_str(o, "trust", judge_trust_name(j)) < 0 || add_details(j, o) < 0)
                return error_oom(e);
        return ctl_output_set_json(out, TAKE_PTR(o), e);
}

static void print_vek(const SnpVek *vek, CtlOutput *out) {
        char until[CTL_WHEN_SIZE];

        ctl_when_format(snp_vek_not_after(vek), until);
        ctl_printf(out, "Key: %s, %s, certificates valid until %s%s%s\n",
                   snp_vek_kind(vek) == SNP_SIGNING_KEY_VLEK ? "VLEK" : "VCEK", snp_product_name(snp_vek_product(vek)),
                   until, snp_vek_csp_id(vek) ? ", provider " : "", snp_vek_csp_id(vek) ? snp_vek_csp_id(vek) : "");
}

static int print_checks(const Judgement *j, CtlOutput *out, Error *e) {
        static const char *const columns[] = { "CHECK", "RESULT" };
        CLEANUP(ctl_table_freep) CtlTable *table = NULL;
        int r = ctl_table_new(columns, N_ELEMENTS(columns), &table, e);

        for (size_t i = 0; i < JUDGE_N_CHECKS && r == 0; i++) {
                const char *const cells[] = { judge_check_name((JudgeCheck) i), snp_check_result_name(j->checks[i]) };

                r = ctl_table_add(table, cells, e);
        }
        return r < 0 ? r : ctl_table_print(table, out, e);
}

static int print_text(const Judgement *j, CtlOutput *out, Error *e) {
        if (j->outcome == SNP_ACCEPT)
                ctl_printf(out, "ACCEPT\n");
        else
                ctl_printf(out, "REJECT: %s\n", error_text(&j->why, -EKEYREJECTED));
        ctl_printf(out, "Trust: %s%s\n", judge_trust_name(j),
                   j->test_root ? " (given by --trust-root: says nothing about AMD hardware)" : "");
        if (j->vek)
                print_vek(j->vek, out);
        if (j->vek && j->verdict.crl != SNP_CRL_NOT_ASKED)
                ctl_printf(out, "Revocation list: %s\n", snp_crl_state_name(j->verdict.crl));
        if (j->has_hcl)
                hcl_findings_print(&j->hcl, out);
        ctl_printf(out, "\n");
        return print_checks(j, out, e);
}

static int run_verify(const CtlCall *call, CtlOutput *out, Error *e) {
        const VerifyArgs *args = call->args;
        AUTO_JUDGE_INPUT JudgeInput in = {};
        AUTO_JUDGEMENT Judgement judgement = {};
        int r;

        r = read_args(args, &in, e);
        if (r < 0)
                return r;
        r = judge_report(&in, &judgement, e);
        if (r < 0)
                return r;
        out->exit = judgement.outcome == SNP_ACCEPT ? CTL_EXIT_OK : CTL_EXIT_NO;
        return out->want_json ? print_json(&judgement, out, e) : print_text(&judgement, out, e);
}

const CtlVerb ctl_verb_verify = {
        .name = "verify",
        .summary = "Judge whether a report is authentic, offline",
        .details = "\nEvery check and its result is printed. Certificates are never trusted for being in the\n"
                   "evidence: the chain must lead to a root whose key is built in, or to --trust-root.\n"
                   "A report of Azure's paravisor (NV index 0x01400001) is judged with its claims: --data is then what\n"
                   "its guest wanted to have said.\n"
                   "Revocation is checked where there is a list: --crl, or one in --certs.\n"
                   "Says nothing about the guest's policy or measurement. That counts twice for --manifest:\n"
                   "whatever was launched at VMPL 0 can vouch for any manifest, unless it is known to be an SVSM.\n",
        .options = { options, N_ELEMENTS(options) },
        .args_size = sizeof(VerifyArgs),
        .run = run_verify,
};
