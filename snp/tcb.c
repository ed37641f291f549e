/* SPDX-License-Identifier: Apache-2.0 */

/*
 * TCB_VERSION: which byte is which (AMD publication 56860, structure TCB_VERSION). The layout follows from the
 * product line and nothing in the eight bytes tells it, so every caller must say which one it means.
 */

#include "snp/tcb.h"

#include <errno.h>
#include <string.h>

int snp_tcb_decode(SnpTcbLayout layout, const uint8_t raw[static SNP_TCB_SIZE], SnpTcb *ret) {
        switch (layout) {
        case SNP_TCB_LAYOUT_MILAN:
                *ret = (SnpTcb){ .boot_loader = raw[0], .tee = raw[1], .snp = raw[6], .microcode = raw[7] };
                return 0;
        case SNP_TCB_LAYOUT_TURIN:
                *ret = (SnpTcb){
                        .fmc = raw[0], .boot_loader = raw[1], .tee = raw[2], .snp = raw[3], .microcode = raw[7]
                };
                return 0;
        case SNP_TCB_LAYOUT_UNKNOWN:
        default:
                return -EINVAL;
        }
}

int snp_tcb_encode(SnpTcbLayout layout, const SnpTcb *tcb, uint8_t ret[static SNP_TCB_SIZE]) {
        switch (layout) {
        case SNP_TCB_LAYOUT_MILAN:
                (void) memset(ret, 0, SNP_TCB_SIZE);
                ret[0] = tcb->boot_loader;
                ret[1] = tcb->tee;
                ret[6] = tcb->snp;
                ret[7] = tcb->microcode;
                return 0;
        case SNP_TCB_LAYOUT_TURIN:
                (void) memset(ret, 0, SNP_TCB_SIZE);
                ret[0] = tcb->fmc;
                ret[1] = tcb->boot_loader;
                ret[2] = tcb->tee;
                ret[3] = tcb->snp;
                ret[7] = tcb->microcode;
                return 0;
        case SNP_TCB_LAYOUT_UNKNOWN:
        default:
                return -EINVAL;
        }
}

bool snp_tcb_equal(const SnpTcb *a, const SnpTcb *b) {
        return a->fmc == b->fmc && a->boot_loader == b->boot_loader && a->tee == b->tee && a->snp == b->snp &&
               a->microcode == b->microcode;
}

bool snp_tcb_is_at_least(const SnpTcb *a, const SnpTcb *b) {
        return a->fmc >= b->fmc && a->boot_loader >= b->boot_loader && a->tee >= b->tee && a->snp >= b->snp &&
               a->microcode >= b->microcode;
}
