/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Why a report's MEASUREMENT is not the one that was computed: tries what is likely to be different, one thing at a
 * time and then two, until the digest comes out. Variants share what they have in common (the firmware is hashed once,
 * and each vCPU is a step further from the one before), so that thousands take a second.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "snp/launch/measure.h"

/* What may differ, in the order in which it is put together. */
typedef enum SnpDimension {
        SNP_DIM_FIRMWARE,
        SNP_DIM_VMM,
        SNP_DIM_KERNEL_HASHES, /* on or off */
        SNP_DIM_KERNEL,
        SNP_DIM_INITRD,
        SNP_DIM_CMDLINE,
        SNP_DIM_MODEL,
        SNP_DIM_FEATURES,
        SNP_DIM_FPU,      /* host before Linux 6.10, or not */
        SNP_DIM_VMSA_GPA, /* 52 bits instead of 48 */
        SNP_DIM_VCPUS,
        SNP_N_DIMENSIONS,
} SnpDimension;

const char *snp_dimension_name(SnpDimension dimension); /* "firmware", ..., for people and machines */

/* Other kernels, initrds or firmware images of one search; pairs of them are all tried. */
#define SNP_EXPLAIN_FILES_MAX 256
/* Other command lines: given ones, and edits of the believed one. */
#define SNP_EXPLAIN_CMDLINES_MAX 1024
#define SNP_EXPLAIN_CHANGES_MAX 2
#define SNP_EXPLAIN_VCPUS_DEFAULT 512

typedef struct SnpNamedHash {
        const char *name;
        uint8_t hash[SNP_HASH_SIZE];
} SnpNamedHash;

typedef struct SnpNamedImage {
        const char *name;
        const void *data;
        size_t size;
} SnpNamedImage;

/* Everything is borrowed. */
typedef struct SnpExplainInput {
        SnpLaunch launch; /* as believed; mode SNP. Its kernel is not looked at, but: */
        bool has_kernel, hashes_on;
        SnpKernelHashes hashes; /* with has_kernel */
        const char *cmdline;    /* what hashes.cmdline is the hash of; NULL is "" */
        const SnpNamedHash *kernels, *initrds;
        size_t n_kernels, n_initrds;
        const SnpNamedImage *firmwares; /* those that are none are passed over */
        size_t n_firmwares;
        const char *const *cmdlines;
        size_t n_cmdlines;
        uint32_t max_vcpus;   /* 1 to SNP_VCPUS_MAX */
        unsigned max_changes; /* 0 to SNP_EXPLAIN_CHANGES_MAX */
} SnpExplainInput;

#define SNP_CHANGE_TEXT_MAX 160

typedef struct SnpChange {
        SnpDimension dimension;
        char from[SNP_CHANGE_TEXT_MAX], to[SNP_CHANGE_TEXT_MAX]; /* for people; printable ASCII, cut when too long */
} SnpChange;

typedef struct SnpExplanation {
        SnpChange changes[SNP_EXPLAIN_CHANGES_MAX];
        size_t n_changes; /* 0: the launch is as believed */
} SnpExplanation;

/* More explanations than these are counted only. */
#define SNP_EXPLANATIONS_MAX 16

typedef struct SnpExplainResult {
        SnpExplanation found[SNP_EXPLANATIONS_MAX]; /* all with the least number of changes */
        size_t n_found;                             /* may exceed SNP_EXPLANATIONS_MAX */
        unsigned max_changes_tried;
        uint64_t n_variants;                 /* digests compared */
        uint64_t n_impossible;               /* choices without a launch, such as a kernel without place for its hash */
        size_t n_values[SNP_N_DIMENSIONS];   /* tried beside the believed one */
} SnpExplainResult;

/**
 * snp_explain() - search for @want
 *
 * Return: 0, also when nothing is found; -EINVAL; -EOPNOTSUPP another mode; -E2BIG too many candidates; -ENOMEM.
 */
WARN_UNUSED int snp_explain(const SnpExplainInput *in, const uint8_t want[static SNP_LD_SIZE], SnpExplainResult *ret,
                            Error *e);
