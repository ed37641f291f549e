/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The claims of a quote, one function each. A claim that is asked for is allowed only by values that were quoted, in a
 * quote that holds, by a TPM whose word counts; anything less denies it, with the reason.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/bundle/verify.h"
#include "base/hex.h"
#include "base/json.h"
#include "vtpm/ak_public.h"

typedef struct Case {
        const TpmPolicy *policy;
        const Bundle *bundle;   /* or NULL: no evidence of a TPM */
        const BundleVerdict *v; /* or NULL */
        bool holds;             /* the quote does */
        bool counts;            /* and it is proof */
} Case;

static void found(SnpFinding *f, const char *fmt, ...) __attribute__((__format__(__printf__, 2, 3)));
static void found(SnpFinding *f, const char *fmt, ...) {
        va_list ap;

        va_start(ap, fmt);
        (void) vsnprintf(f->found, sizeof(f->found), fmt, ap);
        va_end(ap);
}

static void wanted(SnpFinding *f, const char *text) {
        (void) snprintf(f->wanted, sizeof(f->wanted), "%s", text);
}

static void settle(SnpFinding *f, bool asked, bool holds, const char *remedy) {
        f->verdict = !asked ? SNP_CLAIM_NOT_ASKED : holds ? SNP_CLAIM_ALLOWED : SNP_CLAIM_DENIED;
        if (f->verdict == SNP_CLAIM_DENIED)
                (void) snprintf(f->remedy, sizeof(f->remedy), "%s", remedy);
}

/* The first part of the quote that does not hold. */
static const BundleFinding *bad_part(const BundleVerdict *v) {
        for (BundlePart i = BUNDLE_PART_QUOTE; i <= BUNDLE_PART_PCRS; i++)
                if (v->parts[i].result != BUNDLE_OK)
                        return &v->parts[i];
        return NULL;
}

static void judge_quote(const Case *c, SnpFinding *f) {
        bool asked = tpm_policy_asks(c->policy);
        const BundleFinding *bad = c->v ? bad_part(c->v) : NULL;

        wanted(f, asked ? "a quote that holds" : "any, or none");
        if (c->holds)
                found(f, "a quote that holds");
        else if (bad && bad->result != BUNDLE_ABSENT)
                found(f, "%.150s", bad->detail);
        else
                found(f, "no quote");
        settle(f, asked, c->holds, "Make a bundle with a quote: 'snpctl bundle create --tpm'");
}

static void judge_bound(const Case *c, SnpFinding *f) {
        bool asked = tpm_policy_asks(c->policy) && !c->policy->unbound_may_be_there;
        bool bound = c->holds && c->v->parts[BUNDLE_PART_BINDING].result == BUNDLE_OK;

        wanted(f, asked ? "a TPM that the report vouches for" : "any");
        if (bound)
                found(f, "bound: yes (%s)", vtpm_binding_name(c->v->binding.kind));
        else
                found(f, "bound: no");
        settle(f, asked, bound, "Use a machine whose TPM the report names (Azure, SVSM). Elsewhere the host may run the "
                                "TPM: RequireBound=no and AllowUnboundAsEvidence=yes take its word");
}

static const char no_proof[] = "The TPM's word does not count: see tpm-quote and tpm-bound";

/* Instead of a value that proves nothing. True when that is so. */
static bool is_hearsay(const Case *c, SnpFinding *f) {
        if (c->counts)
                return false;
        found(f, c->holds ? "hearsay: bound: no" : "unknown: no quote that holds");
        settle(f, true, false, no_proof);
        return true;
}

static void judge_ak(const Case *c, SnpFinding *f) {
        const TpmPolicy *p = c->policy;
        CLEANUP(vtpm_ak_public_freep) VtpmAkPublic *ak = NULL;
        char hex[2 * VTPM_NAME_MAX + 1];
        const uint8_t *name;
        bool holds = false;
        size_t n;

        wanted(f, p->n_names == 0 ? "any" : p->n_names == 1 ? "one key" : "one of several keys");
        if (!c->holds || vtpm_ak_public_new(c->bundle->tpm.ak.data, c->bundle->tpm.ak.size, &ak, NULL) < 0) {
                found(f, "unknown: no quote that holds");
                settle(f, p->n_names > 0, false, no_proof);
                return;
        }
        name = vtpm_ak_public_name(ak, &n);
        hex_encode_to(name, n, hex);
        found(f, "%s", hex);
        for (size_t i = 0; i < p->n_names; i++)
                holds = holds || (p->names[i].size == n && memcmp(p->names[i].bytes, name, n) == 0);
        if (p->n_names > 0 && is_hearsay(c, f))
                return;
        settle(f, p->n_names > 0, holds, "The quote is by another key: enrol it with AkName=, if it is the guest's");
}

/* "0,1,7" or "none" */
static void list_pcrs(uint32_t mask, char *ret, size_t size) {
        size_t n = 0;

        (void) snprintf(ret, size, "none");
        for (unsigned i = 0; i < VTPM_N_PCRS && n < size; i++)
                if (mask & UINT32_C(1) << i)
                        n += (size_t) snprintf(ret + n, size - n, "%s%u", n > 0 ? "," : "", i);
}

static void judge_event_log(const Case *c, SnpFinding *f) {
        uint32_t asked = c->policy->log_pcrs, explained = 0;
        char list[sizeof(f->wanted)];

        list_pcrs(asked, list, sizeof(list));
        wanted(f, asked ? list : "any, or none");
        for (size_t i = 0; c->v && i < c->bundle->tpm.n_pcrs; i++)
                explained |= c->v->explained[i];
        list_pcrs(explained, list, sizeof(list));
        found(f, "leads to PCRs: %s", list);
        if (asked && is_hearsay(c, f))
                return;
        settle(f, asked, (asked & ~explained) == 0,
               "See 'snpctl tpm log': others may extend these PCRs after firmware, or the log is not of this boot");
}

static void judge_secure_boot(const Case *c, SnpFinding *f) {
        TpmRule rule = c->policy->secure_boot;
        BundleSecureBoot state = c->v ? c->v->secure_boot : BUNDLE_SECURE_BOOT_UNKNOWN;

        wanted(f, rule == TPM_RULE_REQUIRE ? "on" : rule == TPM_RULE_FORBID ? "off" : "on, off or unknown");
        found(f, "%s", bundle_secure_boot_name(state));
        if (rule != TPM_RULE_ALLOW && is_hearsay(c, f))
                return;
        settle(f, rule != TPM_RULE_ALLOW,
               state == (rule == TPM_RULE_REQUIRE ? BUNDLE_SECURE_BOOT_ON : BUNDLE_SECURE_BOOT_OFF),
               state == BUNDLE_SECURE_BOOT_UNKNOWN ?
                       "Put the event log and PCR 7 into the bundle; it must lead to that PCR" :
                       "Change Secure Boot in the guest's firmware");
}

static bool pcr_matches(const Case *c, unsigned pcr) {
        const TpmPcrValuesWanted *w = &c->policy->pcrs[pcr];

        for (size_t i = 0; i < c->bundle->tpm.n_pcrs; i++) {
                const VtpmPcrValues *bank = &c->bundle->tpm.pcrs[i];

                for (size_t k = 0; k < w->n && (bank->mask & UINT32_C(1) << pcr); k++)
                        if (w->items[k].hash == bank->hash &&
                            memcmp(w->items[k].value, bank->values[pcr], vtpm_hash_size(bank->hash)) == 0)
                                return true;
        }
        return false;
}

/* Of the bank that is asked for first. */
static void show_pcr(const Case *c, unsigned pcr, SnpFinding *f) {
        char hex[2 * VTPM_DIGEST_MAX + 1];

        found(f, "not quoted in that bank");
        for (size_t i = 0; i < c->bundle->tpm.n_pcrs; i++) {
                const VtpmPcrValues *bank = &c->bundle->tpm.pcrs[i];

                if (bank->hash != c->policy->pcrs[pcr].items[0].hash || !(bank->mask & UINT32_C(1) << pcr))
                        continue;
                hex_encode_to(bank->values[pcr], vtpm_hash_size(bank->hash), hex);
                found(f, "%s:%s", vtpm_hash_name(bank->hash), hex);
        }
}

static void judge_pcr(const Case *c, unsigned pcr, SnpFinding *f) {
        const TpmPcrValuesWanted *w = &c->policy->pcrs[pcr];
        char hex[2 * VTPM_DIGEST_MAX + 1];

        if (w->n == 0) {
                wanted(f, "any");
                found(f, "not looked at");
                settle(f, false, false, "");
                return;
        }
        hex_encode_to(w->items[0].value, vtpm_hash_size(w->items[0].hash), hex);
        if (w->n == 1)
                (void) snprintf(f->wanted, sizeof(f->wanted), "%s:%s", vtpm_hash_name(w->items[0].hash), hex);
        else
                (void) snprintf(f->wanted, sizeof(f->wanted), "one of %zu values", w->n);
        if (is_hearsay(c, f))
                return;
        show_pcr(c, pcr, f);
        settle(f, true, pcr_matches(c, pcr), "See which event changed it with 'snpctl tpm diff OLD NEW'");
}

static void judge(const Case *c, TpmAppraisal *a) {
        judge_quote(c, &a->findings[TPM_CLAIM_QUOTE]);
        judge_bound(c, &a->findings[TPM_CLAIM_BOUND]);
        judge_ak(c, &a->findings[TPM_CLAIM_AK_NAME]);
        judge_event_log(c, &a->findings[TPM_CLAIM_EVENT_LOG]);
        judge_secure_boot(c, &a->findings[TPM_CLAIM_SECURE_BOOT]);
        for (unsigned i = 0; i < VTPM_N_PCRS; i++)
                judge_pcr(c, i, &a->findings[TPM_CLAIM_PCR_0 + i]);
}

int tpm_policy_appraise(const TpmPolicy *policy, const Bundle *bundle, const BundleVerdict *verdict,
                        TpmAppraisal *ret, Error *e) {
        Case c = { .policy = policy, .bundle = bundle, .v = verdict };
        bool denied = false;

        c.holds = bundle && verdict && bundle->has_tpm && !bad_part(verdict);
        c.counts = c.holds &&
                   (verdict->parts[BUNDLE_PART_BINDING].result == BUNDLE_OK || policy->unbound_is_proof);
        *ret = (TpmAppraisal){};
        judge(&c, ret);
        for (TpmClaim i = 0; i < TPM_N_CLAIMS; i++) {
                const SnpFinding *f = &ret->findings[i];

                if (f->verdict != SNP_CLAIM_DENIED)
                        continue;
                denied = true;
                (void) error_set(e, -EPERM, tpm_claim_name(i), "The policy denies %s: wanted %s, found %s",
                                 tpm_claim_name(i), f->wanted, f->found);
        }
        if (denied)
                return -EPERM;
        ret->outcome = SNP_ALLOW;
        return 0;
}

#define PCR(n) [TPM_CLAIM_PCR_0 + (n)] = "tpm-pcr-" #n
static const char *const names[TPM_N_CLAIMS] = {
        [TPM_CLAIM_QUOTE] = "tpm-quote", [TPM_CLAIM_BOUND] = "tpm-bound", [TPM_CLAIM_AK_NAME] = "tpm-ak-name",
        [TPM_CLAIM_EVENT_LOG] = "tpm-event-log", [TPM_CLAIM_SECURE_BOOT] = "tpm-secure-boot",
        PCR(0), PCR(1), PCR(2), PCR(3), PCR(4), PCR(5), PCR(6), PCR(7), PCR(8), PCR(9), PCR(10), PCR(11),
        PCR(12), PCR(13), PCR(14), PCR(15), PCR(16), PCR(17), PCR(18), PCR(19), PCR(20), PCR(21), PCR(22), PCR(23),
};

const char *tpm_claim_name(TpmClaim claim) {
        return claim < TPM_N_CLAIMS ? names[claim] : "unknown";
}

/* PCRs that nobody asks about are left out. */
int tpm_appraisal_to_json(const TpmAppraisal *appraisal, json_object *array) {
        for (TpmClaim i = 0; i < TPM_N_CLAIMS; i++) {
                const SnpFinding *f = &appraisal->findings[i];
                AUTO_JSON json_object *o = NULL;

                if (i >= TPM_CLAIM_PCR_0 && f->verdict == SNP_CLAIM_NOT_ASKED)
                        continue;
                o = json_object_new_object();
                if (json_add_str(o, "claim", tpm_claim_name(i)) < 0 || json_add_str(o, "wanted", f->wanted) < 0 ||
                    json_add_str(o, "found", f->found) < 0 ||
                    json_add_str(o, "verdict", snp_claim_verdict_name(f->verdict)) < 0 ||
                    (f->verdict == SNP_CLAIM_DENIED && json_add_str(o, "remedy", f->remedy) < 0) ||
                    json_object_array_add(array, o) < 0)
                        return -ENOMEM;
                o = NULL; /* the array's */
        }
        return 0;
}
