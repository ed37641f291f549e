/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Inside of snp/launch/: SEV metadata sections in the order in which a hypervisor puts them into the guest. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snp/launch/gctx.h"
#include "snp/launch/ovmf.h"
#include "snp/launch/vcpu.h"

/* A place in the order; zero is the beginning. May be copied to come back later. */
typedef struct SnpSectionWalk {
        size_t i;
        unsigned round;
} SnpSectionWalk;

/* The next section; false when there are no more. EC2 puts CPUID pages last. */
bool snp_section_next(const SnpOvmf *ovmf, SnpVmm vmm, SnpSectionWalk *walk, SnpSection *ret);

/* @hash_page: SHA-384 of the page with the kernel hashes; NULL when none are used. Ignored for other sections. */
void snp_section_measure(SnpGctx *g, SnpVmm vmm, const SnpSection *s, const uint8_t *hash_page);
