/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * IGVM files: a guest's initial memory and processors in one file, as Coconut SVSM, Hyper-V and Google use them
 * (Microsoft, Independent Guest Virtual Machine file format, crate igvm_defs). What a loader puts into an SNP guest
 * follows from the file alone, and so does the launch digest.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "snp/launch/gctx.h"
#include "snp/launch/measure.h"

#define SNP_IGVM_FILE_MAX (256u << 20)
/* Parameter areas of one file. Coconut's have fewer than ten; looking one up is a walk over all. */
#define SNP_IGVM_AREAS_MAX 64
#define SNP_IGVM_ID_BLOCK_SIZE 696 /* IGVM_VHS_SNP_ID_BLOCK */

typedef struct SnpIgvm {
        const uint8_t *data; /* borrowed; pointers below point into it */
        size_t size;
        size_t headers_at, headers_size; /* variable headers */
        size_t data_at;                  /* file data, up to the end */
        uint32_t mask;                   /* of the SEV-SNP platform: one bit */
        bool has_policy;
        uint64_t policy;
        const uint8_t *id_block; /* SNP_IGVM_ID_BLOCK_SIZE bytes; NULL when there is none */
        uint64_t n_pages;        /* that are measured, VMSAs included; at most SNP_LAUNCH_PAGES_MAX */
        uint32_t n_vmsas;
        bool fits_kvm; /* one VMSA, where KVM would put it, after all pages: else KVM measures something else */
} SnpIgvm;

/**
 * snp_igvm_parse() - check a file and find out what it holds for SEV-SNP
 * @data: not trusted; borrowed by @ret
 *
 * Versions 1 and 2 of the format, x86-64. Allocates nothing.
 *
 * Return: 0; -EBADMSG with reason "bad-igvm" or "no-snp-platform"; -E2BIG the file, or the launch that it describes.
 */
WARN_UNUSED int snp_igvm_parse(const void *data, size_t size, SnpIgvm *ret, Error *e);

/**
 * snp_igvm_measure() - the launch digest
 * @native_zero: pages without data are ZERO pages to the loader, not NORMAL pages full of zeros (Google's loader)
 * @stages: may be NULL: "page@0x10000", "param_insert@0x17000", "vmsa0"
 *
 * A page of 2 MiB counts as 512 pages.
 *
 * Return: 0 or -ENOMEM.
 */
WARN_UNUSED int snp_igvm_measure(const SnpIgvm *igvm, bool native_zero, const SnpStages *stages,
                                 SnpLaunchDigest *ret, Error *e);
