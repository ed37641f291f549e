/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snpctl/policy-print.h"

#include <stdio.h>
#include <string.h>

/* Digests in a table are told apart by their beginnings; --json and denied claims give all of them. */
#define DIGEST_CELL 24
#define CELL_MAX 60
#define CELL_CUT "..."

static void cell(const char *text, char ret[static CELL_MAX + sizeof(CELL_CUT)]) {
        int max = strchr(text, ' ') ? CELL_MAX : DIGEST_CELL;

        (void) snprintf(ret, CELL_MAX + sizeof(CELL_CUT), "%.*s%s", max, text,
                        strlen(text) > (size_t) max ? CELL_CUT : "");
}

static int add_row(CtlTable *table, const char *claim, const SnpFinding *f, Error *e) {
        char wanted[CELL_MAX + sizeof(CELL_CUT)], found[CELL_MAX + sizeof(CELL_CUT)];
        const char *const cells[] = { claim, wanted, found, snp_claim_verdict_name(f->verdict) };

        cell(f->wanted, wanted);
        cell(f->found, found);
        return ctl_table_add(table, cells, e);
}

static bool is_shown(const TpmAppraisal *tpm, TpmClaim claim) {
        return claim < TPM_CLAIM_PCR_0 || tpm->findings[claim].verdict != SNP_CLAIM_NOT_ASKED;
}

int policy_print_table(const SnpAppraisal *snp, const TpmAppraisal *tpm, CtlOutput *out, Error *e) {
        static const char *const columns[] = { "CLAIM", "WANTED", "FOUND", "VERDICT" };
        CLEANUP(ctl_table_freep) CtlTable *table = NULL;
        int r = ctl_table_new(columns, N_ELEMENTS(columns), &table, e);

        for (SnpClaim i = 0; i < SNP_N_CLAIMS && r == 0; i++)
                r = add_row(table, snp_claim_name(i), &snp->findings[i], e);
        for (TpmClaim i = 0; tpm && i < TPM_N_CLAIMS && r == 0; i++)
                if (is_shown(tpm, i))
                        r = add_row(table, tpm_claim_name(i), &tpm->findings[i], e);
        return r < 0 ? r : ctl_table_print(table, out, e);
}

static void print_remedy(const char *claim, const SnpFinding *f, CtlOutput *out) {
        if (f->verdict == SNP_CLAIM_DENIED)
                ctl_printf(out, "\nDenied: %s\n  wanted  %s\n  found   %s\n  remedy  %s\n", claim, f->wanted, f->found,
                           f->remedy);
}

void policy_print_remedies(const SnpAppraisal *snp, const TpmAppraisal *tpm, CtlOutput *out) {
        for (SnpClaim i = 0; i < SNP_N_CLAIMS; i++) {
                print_remedy(snp_claim_name(i), &snp->findings[i], out);
                if (i == SNP_CLAIM_AUTHENTIC && snp->findings[i].verdict == SNP_CLAIM_DENIED)
                        return;
        }
        for (TpmClaim i = 0; tpm && i < TPM_N_CLAIMS; i++)
                print_remedy(tpm_claim_name(i), &tpm->findings[i], out);
}
