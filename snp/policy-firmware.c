/* SPDX-License-Identifier: Apache-2.0 */

/* Claims about the firmware: which one runs, which one it cannot fall behind, and what it has repaired. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "snp/policy-claims.h"

static unsigned long number_of(const SnpFirmwareVersion *v) {
        return (unsigned long) v->major << 16 | (unsigned long) v->minor << 8 | v->build;
}

void snp_judge_firmware_version(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f) {
        const SnpFirmwareVersion *least = &c->policy->min_version, *line = &c->policy->lines[c->product].version;
        const SnpFirmwareVersion *found = &c->report->current;

        if (number_of(line) > number_of(least))
                least = line; /* both are minimums */
        if (number_of(least) > 0)
                (void) snprintf(f->wanted, sizeof(f->wanted), "at least %u.%u.%u", least->major, least->minor,
                                least->build);
        else
                (void) snprintf(f->wanted, sizeof(f->wanted), "any");
        snp_finding_found(f, "%u.%u.%u", found->major, found->minor, found->build);
        snp_finding_settle(c, row, number_of(least) > 0, number_of(found) >= number_of(least), f);
}

void snp_judge_firmware_build(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f) {
        snp_finding_want(c, row, f);
        snp_finding_found(f, "%u", c->report->current.build);
        snp_finding_settle(c, row, c->policy->min_build > 0, c->report->current.build >= c->policy->min_build, f);
}

/* Holds in either layout, as both give each part a byte of its own and reserved bytes are equal. */
static bool is_at_most(const uint8_t a[static SNP_TCB_SIZE], const uint8_t b[static SNP_TCB_SIZE]) {
        for (size_t i = 0; i < SNP_TCB_SIZE; i++)
                if (a[i] > b[i])
                        return false;
        return true;
}

/* Committed firmware is what the host can no longer go back behind. That its version is not newer than the current
 * one is asked in any case; that its TCB is not, by tcb-order. */
void snp_judge_provisional(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f) {
        const SnpReport *report = c->report;
        bool same_tcb = memcmp(report->committed_tcb, report->current_tcb, SNP_TCB_SIZE) == 0;
        bool same_version = number_of(&report->committed) == number_of(&report->current);
        bool forbidden = c->policy->provisional != SNP_RULE_ALLOW;

        (void) snprintf(f->wanted, sizeof(f->wanted), "%s",
                        forbidden ? "all of it is committed" : "committed version is not newer than current");
        if (!same_version)
                snp_finding_found(f, "%u.%u.%u committed, %u.%u.%u current", report->committed.major,
                                  report->committed.minor, report->committed.build, report->current.major,
                                  report->current.minor, report->current.build);
        else
                snp_finding_found(f, "%s", same_tcb ? "committed" : "COMMITTED_TCB differs from CURRENT_TCB");
        snp_finding_settle(c, row, true,
                           forbidden ? same_tcb && same_version
                                     : number_of(&report->committed) <= number_of(&report->current),
                           f);
}

/* Whatever the policy: no genuine firmware says otherwise. LAUNCH may be higher, in a guest that was migrated. */
void snp_judge_tcb_order(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f) {
        bool committed = is_at_most(c->report->committed_tcb, c->report->current_tcb);
        bool reported = is_at_most(c->report->reported_tcb, c->report->current_tcb);

        (void) snprintf(f->wanted, sizeof(f->wanted), "no part above CURRENT_TCB");
        if (committed && reported)
                snp_finding_found(f, "none above");
        else
                snp_finding_found(f, "%s is above", reported ? "COMMITTED_TCB" : "REPORTED_TCB");
        f->verdict = committed && reported ? SNP_CLAIM_ALLOWED : SNP_CLAIM_DENIED;
        if (f->verdict == SNP_CLAIM_DENIED)
                (void) snprintf(f->remedy, sizeof(f->remedy), "%s", row->remedy);
}

static void found_tcb(SnpFinding *f, SnpTcbLayout layout, const SnpTcb *tcb) {
        AUTO_WRITER Writer w = wr_init(sizeof(f->found));
        AUTO_FREE char *text = NULL;

        snp_policy_print_tcb(layout, tcb, &w);
        if (wr_finish_str(&w, &text) == 0)
                snp_finding_found(f, "%s", text);
}

static bool a_line_asks(const SnpCase *c, const SnpClaimRow *row) {
        for (SnpProduct line = SNP_PRODUCT_MILAN; line < SNP_N_PRODUCTS; line++) {
                const SnpPolicyKey *key = snp_policy_key_find(snp_product_name(line), row->key);

                if (snp_policy_key_count(c->policy, key) > 0)
                        return true;
        }
        return false;
}

/* Without a product line there is no telling which byte is what, nor which minimum holds. */
static void judge_tcb_of_no_line(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f) {
        bool asked = a_line_asks(c, row);

        (void) snprintf(f->wanted, sizeof(f->wanted), "%s", asked ? "the minimum of its product line" : "any");
        snp_finding_found(f, "unknown product line");
        f->verdict = asked ? SNP_CLAIM_DENIED : SNP_CLAIM_NOT_ASKED;
        if (asked)
                (void) snprintf(f->remedy, sizeof(f->remedy), "Judge a version 2 report with its certificate at hand");
}

void snp_judge_tcb(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f) {
        SnpTcbLayout layout = snp_product_tcb_layout(c->product);
        const SnpPolicyTcb *want;
        SnpTcb tcb;

        if (snp_tcb_decode(layout, (const uint8_t *) c->report + row->offset, &tcb) < 0) {
                judge_tcb_of_no_line(c, row, f);
                return;
        }
        want = snp_claim_field(c, row);
        snp_finding_want(c, row, f);
        found_tcb(f, layout, &tcb);
        snp_finding_settle(c, row, want->given, snp_tcb_is_at_least(&tcb, &want->least), f);
}

void snp_judge_mitigations(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f) {
        uint64_t mask = *(const uint64_t *) snp_claim_field(c, row);
        uint64_t found = *(const uint64_t *) (const void *) ((const uint8_t *) c->report + row->offset);
        bool has = c->report->has_mitigation_vectors;

        snp_finding_want(c, row, f);
        if (has)
                snp_finding_found(f, "0x%" PRIx64, found);
        else
                snp_finding_found(f, "none in version %u", c->report->version);
        snp_finding_settle(c, row, mask != 0, has && (found & mask) == mask, f);
}
