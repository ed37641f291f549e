/* SPDX-License-Identifier: Apache-2.0 */

/* The order of the parts, and the outcome that they make. */

#include "agent/bundle/verify.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "agent/bundle/verify-internal.h"

#define BIT(result) (1u << (unsigned) (result))

/* Which results of a part let the bundle pass. */
static const struct {
        const char *name;
        unsigned passes;
} parts[BUNDLE_N_PARTS] = {
        [BUNDLE_PART_REPORT] = { "report", BIT(BUNDLE_OK) },
        [BUNDLE_PART_REVOCATION] = { "revocation", BIT(BUNDLE_OK) | BIT(BUNDLE_UNPROVEN) | BIT(BUNDLE_NOT_ASKED) },
        [BUNDLE_PART_NONCE] = { "nonce", BIT(BUNDLE_OK) | BIT(BUNDLE_UNPROVEN) },
        [BUNDLE_PART_REPORT_DATA] = { "report-data", BIT(BUNDLE_OK) },
        [BUNDLE_PART_QUOTE] = { "quote", BIT(BUNDLE_OK) | BIT(BUNDLE_ABSENT) },
        [BUNDLE_PART_QUOTE_NONCE] = { "quote-nonce", BIT(BUNDLE_OK) | BIT(BUNDLE_ABSENT) },
        [BUNDLE_PART_PCRS] = { "pcrs", BIT(BUNDLE_OK) | BIT(BUNDLE_ABSENT) },
        [BUNDLE_PART_EVENT_LOG] = { "event-log", BIT(BUNDLE_OK) | BIT(BUNDLE_UNPROVEN) | BIT(BUNDLE_ABSENT) },
        [BUNDLE_PART_BINDING] = { "binding", BIT(BUNDLE_OK) | BIT(BUNDLE_UNPROVEN) | BIT(BUNDLE_ABSENT) },
        [BUNDLE_PART_POLICY] = { "policy", BIT(BUNDLE_OK) | BIT(BUNDLE_NOT_ASKED) },
};

const char *bundle_part_name(BundlePart part) {
        return part < BUNDLE_N_PARTS ? parts[part].name : "unknown";
}

const char *bundle_result_name(BundleResult result) {
        switch (result) {
        case BUNDLE_OK:
                return "ok";
        case BUNDLE_FAILED:
                return "failed";
        case BUNDLE_UNPROVEN:
                return "unproven";
        case BUNDLE_ABSENT:
                return "absent";
        case BUNDLE_NOT_ASKED:
                return "not-asked";
        case BUNDLE_NOT_DONE:
        default:
                return "not-done";
        }
}

const char *bundle_secure_boot_name(BundleSecureBoot state) {
        return state == BUNDLE_SECURE_BOOT_ON ? "on" : state == BUNDLE_SECURE_BOOT_OFF ? "off" : "unknown";
}

void bundle_verdict_done(BundleVerdict *v) {
        snp_vek_free(v->vek);
        v->vek = NULL;
}

void bundle_settle(const BundleCase *c, BundlePart part, BundleResult result, const char *reason, const char *fmt, ...) {
        BundleFinding *f = &c->v->parts[part];
        va_list ap;

        f->result = result;
        f->reason = reason;
        va_start(ap, fmt);
        (void) vsnprintf(f->detail, sizeof(f->detail), fmt, ap);
        va_end(ap);
}

int bundle_settle_error(const BundleCase *c, BundlePart part, BundleResult result, int r, const Error *why, Error *e) {
        if (r == -ENOMEM || r == -EIO)
                return error_set(e, r, error_reason(why, r), "%s", error_text(why, r));
        bundle_settle(c, part, result, error_reason(why, r), "%s", error_text(why, r));
        return 0;
}

static const char *join(const char *a, const char *b) {
        return a ? a : b;
}

/* Both halves are appraised, also after the first has denied. */
static int judge_policy(const BundleCase *c, Error *e) {
        const BundlePolicy *policy = c->question->policy;
        BundleVerdict *v = c->v;
        Error snp = {}, tpm = {};
        int r, k;

        if (!policy) {
                bundle_settle(c, BUNDLE_PART_POLICY, BUNDLE_NOT_ASKED, "policy-none",
                              "No policy was given: what the guest runs was not judged");
                return 0;
        }
        r = snp_policy_appraise(policy->snp, &v->report, &v->snp, v->vek, &v->snp_appraisal, &snp);
        if (r < 0 && r != -EPERM)
                return error_set(e, r, error_reason(&snp, r), "%s", error_text(&snp, r));
        k = tpm_policy_appraise(&policy->tpm, c->bundle, v, &v->tpm_appraisal, &tpm);
        if (r == 0 && k == 0)
                bundle_settle(c, BUNDLE_PART_POLICY, BUNDLE_OK, NULL, "Every claim that the policy asks for is allowed");
        else
                bundle_settle(c, BUNDLE_PART_POLICY, BUNDLE_FAILED, join(snp.reason, tpm.reason), "%s",
                              r < 0 ? snp.text : tpm.text);
        return 0;
}

static int judge(const BundleCase *c, Error *e) {
        int r = bundle_judge_report(c, e);

        bundle_judge_nonce(c);
        if (r == 0)
                r = bundle_judge_report_data(c, e);
        if (r == 0)
                r = bundle_judge_quote(c, e);
        if (r == 0)
                r = bundle_judge_event_log(c, e);
        if (r == 0)
                r = bundle_judge_binding(c, e);
        if (r == 0)
                r = judge_policy(c, e);
        return r;
}

static void conclude(BundleVerdict *v) {
        v->outcome = SNP_ACCEPT;
        for (BundlePart i = 0; i < BUNDLE_N_PARTS; i++) {
                const BundleFinding *f = &v->parts[i];

                if (parts[i].passes & BIT(f->result))
                        continue;
                v->outcome = SNP_REJECT;
                (void) error_set(&v->why, -EKEYREJECTED, f->reason ? f->reason : "not-done", "%s", f->detail);
        }
}

int bundle_verify(const Bundle *bundle, const BundleQuestion *question, BundleVerdict *ret, Error *e) {
        const BundleCase c = { .bundle = bundle, .question = question, .v = ret };
        int r;

        *ret = (BundleVerdict){ .test_root = snp_trust_is_test(question->trust) };
        r = judge(&c, e);
        if (r == 0)
                conclude(ret);
        return r;
}
