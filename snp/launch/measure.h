/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The launch digest that a report will carry as MEASUREMENT, computed from what the guest is started with. The
 * order of pages is that of QEMU and KVM: firmware, its metadata sections, vCPUs (QEMU, target/i386/sev.c; Linux,
 * arch/x86/kvm/svm/sev.c). Policy, host data and ID block have fields of their own in the report and are not in it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "snp/launch/gctx.h"
#include "snp/launch/kernel-hashes.h"
#include "snp/launch/vcpu.h"

/* Linux, KVM_MAX_VCPUS on x86 at most. */
#define SNP_VCPUS_MAX 4096

typedef enum SnpLaunchMode {
        SNP_LAUNCH_SNP,
        SNP_LAUNCH_SVSM,   /* an SVSM as second firmware, older Coconut; newer ones are IGVM files, see igvm.h */
        SNP_LAUNCH_SEV_ES, /* not SNP: a digest of 32 bytes, for reports of another kind */
        SNP_LAUNCH_SEV,
} SnpLaunchMode;

/* Everything that the digest depends on. Pointers are borrowed. */
typedef struct SnpLaunch {
        SnpLaunchMode mode;
        SnpVmm vmm;
        uint32_t n_vcpus;       /* 1 to SNP_VCPUS_MAX */
        uint32_t cpu_signature; /* as of SnpVcpu, and so are the next three */
        uint64_t features;      /* of which SNP needs bit 0 */
        bool fpu_not_synced;
        bool svsm_fcw;
        uint64_t vmsa_gpa;           /* 0: SNP_VMSA_GPA */
        const void *firmware;        /* not trusted */
        size_t firmware_size;
        const uint8_t *firmware_ld;  /* SNP: the digest after the firmware, instead of hashing it; NULL: hash it */
        const SnpKernelHashes *kernel; /* NULL: no direct boot, or without kernel-hashes=on */
        const void *svsm;            /* SVSM only; not trusted */
        size_t svsm_size;
        uint64_t vars_size; /* SVSM only: of the variables' flash between SVSM and firmware */
} SnpLaunch;

typedef struct SnpLaunchDigest {
        uint8_t bytes[SNP_LD_SIZE];
        size_t size; /* SNP_LD_SIZE, or SNP_HASH_SIZE for SEV and SEV-ES */
} SnpLaunchDigest;

/* Told of the digest after each step: "firmware", "sec_mem@0x800000+0x9000", "vmsa0". To compare with other tools. */
typedef struct SnpStages {
        void (*add)(void *user, const char *name, const uint8_t ld[static SNP_LD_SIZE]);
        void *user;
} SnpStages;

/**
 * snp_launch_measure() - the digest of one launch
 * @stages: may be NULL; not told of SEV and SEV-ES
 *
 * Return: 0; -EBADMSG malformed firmware, with the reasons of snp_ovmf_parse() and snp_hash_area_check(), or
 * "no-sev-metadata", "no-reset-block", "no-svsm-entry"; -EOPNOTSUPP what this firmware or mode cannot do;
 * -EINVAL number of vCPUs, features; -E2BIG; -ENOMEM.
 */
WARN_UNUSED int snp_launch_measure(const SnpLaunch *launch, const SnpStages *stages, SnpLaunchDigest *ret, Error *e);

/* The digest after the firmware alone, which may be given as firmware_ld later (sev-snp-measure: snp:ovmf-hash). */
WARN_UNUSED int snp_firmware_measure(const void *firmware, size_t size, uint8_t ret[static SNP_LD_SIZE], Error *e);
