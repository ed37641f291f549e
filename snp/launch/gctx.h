/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The launch digest as the SNP firmware keeps it in the guest context: each page that is put into the guest
 * replaces it by the SHA-384 of a PAGE_INFO, in which the digest so far is the first field (AMD publication
 * 56860, SNP_LAUNCH_UPDATE, table "Layout of the PAGE_INFO Structure").
 */

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

#define SNP_LD_SIZE 48 /* SHA-384 */
#define SNP_PAGE_SIZE 4096

/* Pages of one launch; more are refused, so that a few bytes of firmware cannot keep us busy for hours. 4 GiB
 * of them is all that lies below the firmware. */
#define SNP_LAUNCH_PAGES_MAX (UINT64_C(1) << 20)

/* Publication 56860, SNP_LAUNCH_UPDATE, table "PAGE_TYPE". */
typedef enum SnpPageType {
        SNP_PAGE_NORMAL = 1,     /* contents are measured */
        SNP_PAGE_VMSA = 2,       /* contents are measured */
        SNP_PAGE_ZERO = 3,       /* the firmware clears it */
        SNP_PAGE_UNMEASURED = 4, /* the host's own */
        SNP_PAGE_SECRETS = 5,    /* filled by the firmware */
        SNP_PAGE_CPUID = 6,      /* checked by the firmware */
} SnpPageType;

typedef struct SnpGctx {
        uint8_t ld[SNP_LD_SIZE]; /* may be copied out and put back: nothing else is remembered of the pages */
        uint64_t n_pages;        /* measured since init */
        EVP_MD *sha384;          /* owned, as is the next */
        EVP_MD_CTX *md;
        int error;               /* sticky: 0, -ENOMEM or -E2BIG; ld is then meaningless */
} SnpGctx;

/* Starts with the digest that every launch starts with: zeros. 0 or -ENOMEM. */
WARN_UNUSED int snp_gctx_init(SnpGctx *ret, Error *e);
void snp_gctx_done(SnpGctx *g);
#define AUTO_SNP_GCTX CLEANUP(snp_gctx_done)

/* SHA-384 of anything, with the context's hasher; does not touch ld. Zeros once there is an error. */
void snp_gctx_hash(SnpGctx *g, const void *data, size_t size, uint8_t ret[static SNP_LD_SIZE]);

/* One page. @contents is the SHA-384 of the page for NORMAL and VMSA, and NULL for every other type. */
void snp_gctx_page(SnpGctx *g, SnpPageType type, uint64_t gpa, const uint8_t *contents);

/* Consecutive NORMAL pages; @size is a multiple of SNP_PAGE_SIZE. */
void snp_gctx_data(SnpGctx *g, uint64_t gpa, const void *data, size_t size);

/* @n consecutive pages whose contents are not measured. */
void snp_gctx_empty(SnpGctx *g, SnpPageType type, uint64_t gpa, uint64_t n);

/* 0, or the sticky error. */
WARN_UNUSED int snp_gctx_check(const SnpGctx *g, Error *e);
