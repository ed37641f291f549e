/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Inside of snp/: one function for each sort of claim, and the row that tells it which claim of that sort is meant. */

#include "snp/policy-keys.h"

typedef struct SnpCase {
        const SnpPolicy *policy;
        const SnpReport *report;
        const SnpVerdict *verdict;
        bool accepted; /* by a verdict that is whole, and on this report */
        bool misplaced; /* the verdict is on another report */
        const SnpVek *vek;  /* or NULL */
        SnpProduct product; /* UNKNOWN: a version 2 report without certificate */
} SnpCase;

typedef struct SnpClaimRow SnpClaimRow;

struct SnpClaimRow {
        const char *name;
        void (*judge)(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f);
        const char *section, *key; /* that it is asked for by; section NULL: that of the product line */
        size_t offset;             /* of the field in SnpReport */
        uint64_t bit;
        const char *remedy; /* about a bit: goes on with "set" or "clear" */
};

/* policy-claims.c: who speaks, and about which guest on which host */
void snp_judge_authentic(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f);
void snp_judge_version(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f);
void snp_judge_product(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f);
void snp_judge_signing_key(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f);
void snp_judge_csp_id(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f);
void snp_judge_masked_chip_id(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f);
void snp_judge_vmpl(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f);
void snp_judge_bytes(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f);
void snp_judge_id_block(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f);
void snp_judge_author_key(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f);
void snp_judge_guest_svn(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f);
void snp_judge_abi(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f);
void snp_judge_bit(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f);
void snp_judge_unnamed_bits(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f);

/* policy-firmware.c: how far the firmware is patched */
void snp_judge_firmware_version(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f);
void snp_judge_firmware_build(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f);
void snp_judge_provisional(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f);
void snp_judge_tcb_order(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f);
void snp_judge_tcb(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f);
void snp_judge_mitigations(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f);

/* The field of the policy that @row is about. */
const void *snp_claim_field(const SnpCase *c, const SnpClaimRow *row);
/* What the policy says there, in words, to f->wanted. */
void snp_finding_want(const SnpCase *c, const SnpClaimRow *row, SnpFinding *f);
/* The verdict, and for a denied claim the remedy. */
void snp_finding_settle(const SnpCase *c, const SnpClaimRow *row, bool asked, bool holds, SnpFinding *f);
void snp_finding_found(SnpFinding *f, const char *fmt, ...) __attribute__((__format__(__printf__, 2, 3)));
