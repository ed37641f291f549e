/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a vCPU looks like when it starts: the VM save area (VMSA) that the hypervisor hands to the firmware as a
 * measured page. Layout: AMD64 Architecture Programmer's Manual, volume 2, appendix B, table B-4. Values: QEMU
 * and KVM's reset state, and what other hypervisors are known to put in its place.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "snp/launch/gctx.h"

/* Hypervisors, as far as launch digests can tell them apart. */
typedef enum SnpVmm {
        SNP_VMM_QEMU,
        SNP_VMM_EC2,
        SNP_VMM_EC2_RDX0, /* EC2 with RDX 0 at reset instead of 0x600; which one a host has only a report can tell */
        SNP_VMM_GCE,
        SNP_VMM_KRUN,
        SNP_N_VMMS,
} SnpVmm;

const char *snp_vmm_name(SnpVmm vmm); /* "qemu", "ec2", "ec2_rdx0", "gce", "krun" */
/* Case does not matter. 0 or -EINVAL. */
WARN_UNUSED int snp_vmm_from_name(const char *name, SnpVmm *ret);

/* CPUID Fn0000_0001_EAX (Programmer's Manual, volume 3, appendix E.3.2), which QEMU puts into EDX at reset. */
uint32_t snp_cpu_signature(unsigned family, unsigned model, unsigned stepping);

typedef struct SnpCpuModel {
        const char *name;
        uint8_t family, model, stepping;
} SnpCpuModel;

/* QEMU's -cpu models that can be SNP guests, without their versions, which all have the same signature. */
extern const SnpCpuModel snp_cpu_models[];
extern const size_t snp_n_cpu_models;

/* By QEMU's name, with or without a version: "EPYC-Milan", "EPYC-Milan-v2", "EPYC-IBPB". Case does not matter. NULL. */
const SnpCpuModel *snp_cpu_model_find(const char *name);
/* By signature; NULL when no model has it. */
const SnpCpuModel *snp_cpu_model_of(uint32_t signature);

/* SEV_FEATURES (Programmer's Manual, volume 2, section 15.36 and table B-4). */
#define SNP_FEATURE_SNP_ACTIVE (UINT64_C(1) << 0)
#define SNP_FEATURE_DEBUG_SWAP (UINT64_C(1) << 5)
#define SNP_FEATURE_SECURE_TSC (UINT64_C(1) << 9)

typedef enum SnpVcpuKind {
        SNP_VCPU_OVMF,   /* real mode, as after reset */
        SNP_VCPU_SVSM,   /* protected mode, as QEMU starts the older Coconut SVSM */
        SNP_VCPU_SEV_ES, /* as the first, without SEV features */
} SnpVcpuKind;

typedef struct SnpVcpu {
        SnpVcpuKind kind;
        SnpVmm vmm;
        uint32_t eip;
        uint32_t signature; /* QEMU only: other hypervisors do not show it */
        uint64_t features;
        /* MXCSR and FCW are left zero: hosts before Linux 6.10 did not copy the FPU's state. QEMU only. */
        bool fpu_not_synced;
        /* FCW 0x37F in SVSM mode. Known digests need 0; what a host from Linux 6.10 on measures is not known. */
        bool svsm_fcw;
} SnpVcpu;

/* Where a processor starts after reset. */
#define SNP_RESET_EIP 0xFFFFFFF0u

void snp_vmsa_make(const SnpVcpu *vcpu, uint8_t ret[static SNP_PAGE_SIZE]);

/* KVM gives the VMSA of every vCPU this address: -1, cut to the 48 bits of a guest physical address. */
#define SNP_VMSA_GPA UINT64_C(0x0000FFFFFFFFF000)
/* The same with the 52 bits that Google's tools use for Genoa (gce-tcb-verifier). */
#define SNP_VMSA_GPA_52 UINT64_C(0x000FFFFFFFFFF000)
