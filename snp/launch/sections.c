/* SPDX-License-Identifier: Apache-2.0 */
#include "snp/launch/sections.h"

bool snp_section_next(const SnpOvmf *ovmf, SnpVmm vmm, SnpSectionWalk *walk, SnpSection *ret) {
        bool cpuid_last = vmm == SNP_VMM_EC2 || vmm == SNP_VMM_EC2_RDX0;

        for (; walk->round < (cpuid_last ? 2u : 1u); *walk = (SnpSectionWalk){ .round = walk->round + 1 })
                while (walk->i < ovmf->n_sections) {
                        SnpSection s = snp_ovmf_section(ovmf, walk->i++);

                        if (!cpuid_last || (s.type == SNP_SECTION_CPUID) == (walk->round == 1)) {
                                *ret = s;
                                return true;
                        }
                }
        return false;
}

static SnpPageType page_type(SnpVmm vmm, SnpSectionType type) {
        switch (type) {
        case SNP_SECTION_SEC_MEM:
                return vmm == SNP_VMM_GCE ? SNP_PAGE_UNMEASURED : SNP_PAGE_ZERO;
        case SNP_SECTION_SECRETS:
                return SNP_PAGE_SECRETS;
        case SNP_SECTION_CPUID:
                return SNP_PAGE_CPUID;
        case SNP_SECTION_SVSM_CAA:
        case SNP_SECTION_KERNEL_HASHES:
                break;
        }
        return SNP_PAGE_ZERO;
}

void snp_section_measure(SnpGctx *g, SnpVmm vmm, const SnpSection *s, const uint8_t *hash_page) {
        if (s->type == SNP_SECTION_KERNEL_HASHES && hash_page)
                snp_gctx_page(g, SNP_PAGE_NORMAL, s->gpa, hash_page);
        else
                snp_gctx_empty(g, page_type(vmm, s->type), s->gpa, s->size / SNP_PAGE_SIZE);
}
