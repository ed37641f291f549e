/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Azure's endpoint for the host's VCEK (Trusted Hardware Identity Management). A link-local address that is asked
 * with one header and past any proxy; the answer is JSON and comes from the host: nothing in it is trusted.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "snp/tcb.h"

#define SNP_THIM_URL "http://169.254.169.254/metadata/THIM/amd/certification"
#define SNP_THIM_HEADER "Metadata: true"
#define SNP_THIM_SIZE_MAX (32u * 1024u)

typedef struct SnpThim {
        Blob vek;                  /* member vcekCert: PEM */
        Blob chain;                /* certificateChain: PEM */
        uint8_t tcb[SNP_TCB_SIZE]; /* tcbm, turned to report order */
        uint64_t cache_seconds;    /* cacheControl; 0 when absent */
} SnpThim;

void snp_thim_done(SnpThim *thim);
#define AUTO_SNP_THIM CLEANUP(snp_thim_done)

/* Members it does not know are ignored. 0, -EBADMSG, -E2BIG, -ENOMEM. */
WARN_UNUSED int snp_thim_parse(const void *data, size_t size, SnpThim *ret, Error *e);
