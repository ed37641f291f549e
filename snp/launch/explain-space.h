/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Inside of snp/launch/: the values that snp_explain() tries in each dimension. */

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "snp/launch/explain.h"

typedef struct SnpValue {
        char *text; /* owned */
        union {
                SnpNamedImage image;         /* FIRMWARE; data borrowed */
                SnpVmm vmm;                  /* VMM */
                bool on;                     /* KERNEL_HASHES; FPU: not synced */
                uint8_t hash[SNP_HASH_SIZE]; /* KERNEL, INITRD, CMDLINE */
                uint32_t signature;          /* MODEL */
                uint64_t number;             /* FEATURES, VMSA_GPA, VCPUS */
        } is;
        bool absent; /* KERNEL: there is none */
} SnpValue;

typedef struct SnpAxis {
        SnpValue *values; /* owned; the first is the believed one */
        size_t n, allocated;
} SnpAxis;

typedef struct SnpSpace {
        SnpAxis axes[SNP_N_DIMENSIONS]; /* of VCPUS only the first value: the others are all numbers up to a maximum */
} SnpSpace;

/* 0, -ENOMEM, -E2BIG. */
WARN_UNUSED int snp_space_init(const SnpExplainInput *in, SnpSpace *ret, Error *e);
void snp_space_done(SnpSpace *space);
#define AUTO_SNP_SPACE CLEANUP(snp_space_done)
