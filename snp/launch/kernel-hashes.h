/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Measured direct boot: with kernel-hashes=on QEMU puts a table of three SHA-256 into a page that is measured, and
 * the firmware checks kernel, initrd and command line against it (QEMU, target/i386/sev.c, SevHashTable; edk2,
 * OvmfPkg/AmdSev/BlobVerifierLibSevHashes).
 */

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "snp/launch/gctx.h"
#include "snp/launch/ovmf.h"

#define SNP_HASH_SIZE 32        /* SHA-256 */
#define SNP_HASH_TABLE_SIZE 176 /* 168 bytes, and zeros up to a multiple of 16 */

/* Linux takes 2048 bytes on x86 (COMMAND_LINE_SIZE); this is for what is not Linux. */
#define SNP_CMDLINE_MAX 65536

typedef struct SnpKernelHashes {
        uint8_t cmdline[SNP_HASH_SIZE], initrd[SNP_HASH_SIZE], kernel[SNP_HASH_SIZE];
} SnpKernelHashes;

/* SHA-256 of @size bytes. 0 or -ENOMEM. */
WARN_UNUSED int snp_blob_hash(const void *data, size_t size, uint8_t ret[static SNP_HASH_SIZE], Error *e);
/* SHA-256 of a regular file, without having it in memory. */
WARN_UNUSED int snp_file_hash(const char *path, uint8_t ret[static SNP_HASH_SIZE], Error *e);
/* As QEMU hashes it: with its NUL. NULL is the same as "". */
WARN_UNUSED int snp_cmdline_hash(const char *cmdline, uint8_t ret[static SNP_HASH_SIZE], Error *e);
/* What stands in the table when there is no initrd: the hash of nothing. */
WARN_UNUSED int snp_no_initrd_hash(uint8_t ret[static SNP_HASH_SIZE], Error *e);

void snp_kernel_hashes_encode(const SnpKernelHashes *h, uint8_t ret[static SNP_HASH_TABLE_SIZE]);

/* Whether an image has room for the table. 0; -EOPNOTSUPP reason "kernel-hashes-unsupported"; -EBADMSG reason
 * "bad-hash-area". The section is only looked at for @in_section, that is for SNP. */
WARN_UNUSED int snp_hash_area_check(const SnpOvmf *ovmf, bool in_section, Error *e);

/* The page with the table where the image wants it; snp_hash_area_check() has passed. */
void snp_hash_page_make(const SnpOvmf *ovmf, const SnpKernelHashes *h, uint8_t ret[static SNP_PAGE_SIZE]);
