/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Unified kernel images: kernel, initrd and command line as sections of one PE file (UAPI.5, Unified Kernel Image;
 * Microsoft, PE Format). A UKI given to QEMU as kernel is measured as that one file; this is for those who boot its
 * parts directly, where each part has a hash of its own.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

#define SNP_UKI_MAX (1u << 30)
/* As of the Windows loader; UKIs have about a dozen. */
#define SNP_UKI_SECTIONS_MAX 96

typedef struct SnpUkiPart {
        const uint8_t *data; /* borrowed; NULL when the image has no such section */
        size_t size;
} SnpUkiPart;

typedef struct SnpUki {
        SnpUkiPart linux_image; /* .linux; always there */
        SnpUkiPart initrd;      /* .initrd */
        SnpUkiPart cmdline;     /* .cmdline as it stands there, see snp_uki_cmdline() */
} SnpUki;

/**
 * snp_uki_parse() - find the parts
 * @data: not trusted; borrowed by @ret
 *
 * PE32+ for x86-64. Of an image with several profiles the base profile counts, that is what precedes the first
 * .profile section. Allocates nothing.
 *
 * Return: 0; -EBADMSG with reason "bad-uki"; -ENOENT reason "no-kernel" a PE file without .linux; -E2BIG.
 */
WARN_UNUSED int snp_uki_parse(const void *data, size_t size, SnpUki *ret, Error *e);

/* The command line as text, owned by the caller: without the NULs, newlines and spaces that tools put at its end.
 * "" when there is none. 0; -EBADMSG a NUL inside; -ENOMEM. */
WARN_UNUSED int snp_uki_cmdline(const SnpUki *uki, char **ret, Error *e);
