/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What measure.c and explain.c both know about a launch. */

#include "snp/launch/measure.h"
#include "snp/launch/ovmf.h"

/* The requirements of one launch that do not depend on each other. */
WARN_UNUSED int snp_launch_check(const SnpLaunch *launch, Error *e);

/* SNP: what the firmware must have for any launch, and for kernel hashes if @with_kernel. */
WARN_UNUSED int snp_launch_check_firmware(const SnpOvmf *ovmf, bool with_kernel, Error *e);

/* SHA-384 of the VMSA of the first vCPU and of each of the others. */
typedef struct SnpVmsaHashes {
        uint8_t bsp[SNP_LD_SIZE], ap[SNP_LD_SIZE];
} SnpVmsaHashes;

void snp_vmsa_hash(SnpGctx *g, const SnpVcpu *vcpu, uint8_t ret[static SNP_LD_SIZE]);
/* As the launch says, in SNP mode, with the application processors at @ap_reset. */
void snp_vmsa_hashes(SnpGctx *g, const SnpLaunch *launch, uint32_t ap_reset, SnpVmsaHashes *ret);
