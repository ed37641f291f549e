/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* TCB_VERSION, 8 bytes, in its two layouts: Milan and Genoa (family 0x19), Turin and later (0x1A). */

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

#define SNP_TCB_SIZE 8

typedef enum SnpTcbLayout {
        SNP_TCB_LAYOUT_UNKNOWN, /* version 2 report before its certificate is known */
        SNP_TCB_LAYOUT_MILAN,   /* boot loader, TEE, 4 reserved, SNP, microcode */
        SNP_TCB_LAYOUT_TURIN,   /* FMC, boot loader, TEE, SNP, 3 reserved, microcode */
} SnpTcbLayout;

typedef struct SnpTcb {
        uint8_t fmc; /* 0 and meaningless in the Milan layout */
        uint8_t boot_loader;
        uint8_t tee;
        uint8_t snp;
        uint8_t microcode;
} SnpTcb;

/* Splits @raw (report byte order) by @layout. 0, or -EINVAL for SNP_TCB_LAYOUT_UNKNOWN. */
WARN_UNUSED int snp_tcb_decode(SnpTcbLayout layout, const uint8_t raw[static SNP_TCB_SIZE], SnpTcb *ret);
/* The inverse; reserved bytes are zero. */
WARN_UNUSED int snp_tcb_encode(SnpTcbLayout layout, const SnpTcb *tcb, uint8_t ret[static SNP_TCB_SIZE]);

bool snp_tcb_equal(const SnpTcb *a, const SnpTcb *b);
/* Every component of @a is at least that of @b. TCBs are never compared as one integer. */
bool snp_tcb_is_at_least(const SnpTcb *a, const SnpTcb *b);
