/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Claims about who speaks, which guest it is about, and on which host. None of these functions fails: where text for
 * people cannot be made for want of memory, only the text is missing.
 */

#include "snp/policy-claims.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/reader.h"

/* What claims have in common */

static const char *section_of(const SnpCase *c, const SnpClaimRow *row) {
        return row->section ? row->section : snp_product_name(c->product);
}

static const SnpPolicyKey *key_of(const SnpCase *c, const SnpClaimRow *row) {
        const SnpPolicyKey *key = snp_policy_key_find(section_of(c, row), row->key);

        assert(key); /* our own tables */
        return key;
}

const void *snp_claim_field(const SnpCase *c, const SnpClaimRow *row) {
        return snp_policy_field(c->policy, key_of(c, row));
}

static const void *report_field(const SnpCase *c, const SnpClaimRow *row) {
        return (const uint8_t *) c->report + row->offset;
}

void snp_finding_want(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f) {
        const SnpPolicyKey *key = key_of(c, row);
        const void *field = snp_policy_field(c->policy, key);
        size_t n = snp_policy_key_count(c->policy, key);
        AUTO_WRITER Writer w = wr_init(1024);
        AUTO_FREE char *text = NULL;

        if (key->kind->count && n == 1)
                key->kind->print(key, field, 0, &w); /* the value tells more than "must be" */
        else
                key->kind->say(key, field, &w);
        if (wr_finish_str(&w, &text) < 0)
                return;
        if (n > 1)
                (void) snprintf(f->wanted, sizeof(f->wanted), "one of %zu values", n);
        else
                (void) snprintf(f->wanted, sizeof(f->wanted), "%s", text);
}

void snp_finding_found(SnpFinding *f, const char *fmt, ...) {
        va_list ap;

        va_start(ap, fmt);
        (void) vsnprintf(f->found, sizeof(f->found), fmt, ap);
        va_end(ap);
}

void snp_finding_settle(const SnpCase *c, const SnpClaimRow *row, bool asked, bool holds, SnpFinding *f) {
        f->verdict = !asked ? SNP_CLAIM_NOT_ASKED : holds ? SNP_CLAIM_ALLOWED : SNP_CLAIM_DENIED;
        if (f->verdict == SNP_CLAIM_DENIED)
                (void) snprintf(f->remedy, sizeof(f->remedy), "%s, or change %s= in [%s] of the policy", row->remedy,
                                row->key, section_of(c, row));
}

static void found_hex(SnpFinding *f, const void *data, size_t n) {
        char hex[2 * SNP_POLICY_BYTES_MAX + 1];

        hex_encode_to(data, n, hex);
        snp_finding_found(f, "%s", hex);
}

static bool bytes_have(const SnpPolicyBytes *list, const void *data, size_t n) {
        for (size_t i = 0; i < list->n; i++)
                if (memcmp(list->items[i], data, n) == 0)
                        return true;
        return false;
}

/* The report as such */

void snp_judge_authentic(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f) {
        const SnpVerdict *v = c->verdict;

        (void) snprintf(f->wanted, sizeof(f->wanted), "accepted by verification");
        f->verdict = c->accepted ? SNP_CLAIM_ALLOWED : SNP_CLAIM_DENIED;
        if (f->verdict == SNP_CLAIM_ALLOWED) {
                snp_finding_found(f, "accepted");
                return;
        }
        (void) snprintf(f->remedy, sizeof(f->remedy), "%s", row->remedy);
        snp_finding_found(f, c->misplaced ? "not accepted, the verdict is on another report" : "not accepted");
        for (SnpCheck i = 0; i < SNP_N_CHECKS; i++) {
                size_t n = strlen(f->found);

                if (v->checks[i] == SNP_CHECK_FAILED)
                        (void) snprintf(f->found + n, sizeof(f->found) - n, ", %s failed", snp_check_name(i));
        }
}

void snp_judge_version(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f) {
        uint32_t least = c->policy->min_report_version, version = c->report->version;

        (void) snprintf(f->wanted, sizeof(f->wanted), "%u to %u", least, SNP_REPORT_VERSION_MAX);
        snp_finding_found(f, "%u", version);
        snp_finding_settle(c, row, true,
                           version >= least && version >= SNP_REPORT_VERSION_MIN && version <= SNP_REPORT_VERSION_MAX,
                           f);
}

void snp_judge_product(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f) {
        snp_finding_want(c, row, f);
        snp_finding_found(f, "%s", snp_product_name(c->product));
        snp_finding_settle(c, row, true,
                           c->product != SNP_PRODUCT_UNKNOWN && c->policy->products & 1u << c->product, f);
}

void snp_judge_signing_key(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f) {
        SnpSigningKey key = c->report->signing_key;
        bool signs = key == SNP_SIGNING_KEY_VCEK || key == SNP_SIGNING_KEY_VLEK;

        snp_finding_want(c, row, f);
        snp_finding_found(f, "%s", !signs ? "none" : key == SNP_SIGNING_KEY_VCEK ? "vcek" : "vlek");
        snp_finding_settle(c, row, true, signs && c->policy->signing_keys & 1u << key, f);
}

static bool csp_id_matches(const char *wanted, const char *id) {
        size_t n = strlen(id), end;

        if (wanted[0] != '*')
                return strcmp(wanted, id) == 0;
        end = strlen(wanted + 1);
        return end <= n && strcmp(wanted + 1, id + n - end) == 0;
}

void snp_judge_csp_id(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f) {
        const SnpPolicyCspIds *list = &c->policy->csp_ids;
        const char *id = c->vek ? snp_vek_csp_id(c->vek) : NULL;
        bool matches = false;

        for (size_t i = 0; i < list->n && id; i++)
                matches = matches || csp_id_matches(list->items[i], id);
        snp_finding_want(c, row, f);
        snp_finding_found(f, "%s", id ? id : c->vek ? "none" : "no certificate at hand");
        snp_finding_settle(c, row, list->n > 0, matches, f);
}

/* A provider's key stands for no chip, and providers mask it: only with a chip's own key is the mask a question. */
void snp_judge_masked_chip_id(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f) {
        bool masked = bytes_are_zero(c->report->chip_id, sizeof(c->report->chip_id));
        bool vlek = c->report->signing_key == SNP_SIGNING_KEY_VLEK;
        bool asked = !vlek && c->policy->masked_chip_id != SNP_RULE_ALLOW;

        (void) snprintf(f->wanted, sizeof(f->wanted), "%s", asked ? "not masked" : "any");
        snp_finding_found(f, "%s%s", masked ? "masked" : "not masked", vlek ? ", signed by a vlek" : "");
        snp_finding_settle(c, row, asked, !masked, f);
}

void snp_judge_vmpl(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f) {
        uint32_t vmpl = c->report->vmpl;

        snp_finding_want(c, row, f);
        if (vmpl > 3)
                snp_finding_found(f, "none: the host asked for it");
        else
                snp_finding_found(f, "%u", vmpl);
        snp_finding_settle(c, row, true, vmpl <= 3 && c->policy->vmpls & 1u << vmpl, f);
}

/* The guest */

void snp_judge_bytes(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f) {
        const SnpPolicyKey *key = key_of(c, row);
        const SnpPolicyBytes *list = snp_policy_field(c->policy, key);

        snp_finding_want(c, row, f);
        found_hex(f, report_field(c, row), key->max);
        snp_finding_settle(c, row, list->n > 0, bytes_have(list, report_field(c, row), key->max), f);
}

/* The digest is a leftover of somebody's choice unless AUTHOR_KEY_EN says that firmware checked it. */
static bool author_is_trusted(const SnpCase *c) {
        return c->report->author_key_en &&
               bytes_have(&c->policy->author_keys, c->report->author_key_digest, sizeof(c->report->author_key_digest));
}

/*
 * No signature is checked here: firmware started the guest only after it had verified that of the ID block and, with
 * AUTHOR_KEY_EN, that of the ID key (publication 56860, SNP_LAUNCH_FINISH). Zeros are never on the list.
 */
void snp_judge_id_block(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f) {
        const SnpReport *report = c->report;
        bool author = author_is_trusted(c);
        bool trusted = bytes_have(&c->policy->id_keys, report->id_key_digest, sizeof(report->id_key_digest));
        bool asked = c->policy->require_id_block;

        (void) snprintf(f->wanted, sizeof(f->wanted), "%s", asked ? "signed by a trusted key" : "any");
        if (bytes_are_zero(report->id_key_digest, sizeof(report->id_key_digest)))
                snp_finding_found(f, "none");
        else
                found_hex(f, report->id_key_digest, sizeof(report->id_key_digest));
        snp_finding_settle(c, row, asked, author || (trusted && !c->policy->require_author_key), f);
}

void snp_judge_author_key(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f) {
        (void) snprintf(f->wanted, sizeof(f->wanted), "%s", c->policy->require_author_key ? "trusted" : "any");
        if (c->report->author_key_en)
                found_hex(f, c->report->author_key_digest, sizeof(c->report->author_key_digest));
        else
                snp_finding_found(f, "none");
        snp_finding_settle(c, row, c->policy->require_author_key, author_is_trusted(c), f);
}

void snp_judge_guest_svn(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f) {
        snp_finding_want(c, row, f);
        snp_finding_found(f, "%u", c->report->guest_svn);
        snp_finding_settle(c, row, c->policy->min_guest_svn > 0, c->report->guest_svn >= c->policy->min_guest_svn, f);
}

void snp_judge_abi(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f) {
        unsigned found = c->report->policy & 0xffff; /* bits 15:8 are the major number, 7:0 the minor */
        unsigned least = (unsigned) c->policy->min_abi.major << 8 | c->policy->min_abi.minor;

        snp_finding_want(c, row, f);
        snp_finding_found(f, "%u.%u", found >> 8, found & 0xff);
        snp_finding_settle(c, row, least > 0, found >= least, f);
}

/* Bits of POLICY and of PLATFORM_INFO */

void snp_judge_bit(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f) {
        SnpPolicyRule rule = *(const SnpPolicyRule *) snp_claim_field(c, row);
        bool set = *(const uint64_t *) report_field(c, row) & row->bit;

        (void) snprintf(f->wanted, sizeof(f->wanted), "%s",
                        rule == SNP_RULE_FORBID ? "clear" : rule == SNP_RULE_REQUIRE ? "set" : "any");
        snp_finding_found(f, "%s", set ? "set" : "clear");
        snp_finding_settle(c, row, rule != SNP_RULE_ALLOW, set == (rule == SNP_RULE_REQUIRE), f);
        if (f->verdict == SNP_CLAIM_DENIED)
                (void) snprintf(f->remedy, sizeof(f->remedy), "%s %s, or change %s= in [%s] of the policy",
                                row->remedy, f->wanted, row->key, row->section);
}

void snp_judge_unnamed_bits(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f) {
        uint64_t unnamed = c->report->platform_info & ~SNP_POLICY_NAMED_PLATFORM_BITS;
        uint64_t allowed = c->policy->unnamed_bits;

        snp_finding_want(c, row, f);
        snp_finding_found(f, "0x%" PRIx64, unnamed);
        snp_finding_settle(c, row, allowed != ~SNP_POLICY_NAMED_PLATFORM_BITS, !(unnamed & ~allowed), f);
}
