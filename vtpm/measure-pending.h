/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The record of a measurement that is being made, as it stands in a file for the case of a crash. Inside of vtpm/.
 *
 *   0 "SNPMEAS1"   8 u32 PCR   12 32 bytes PCR before   44 32 bytes PCR after   76 u64 size of the log before
 *   84 u32 size of the entry   88 the entry (TCG_PCR_EVENT2)   .. 32 bytes SHA-256 of all that precedes
 * Numbers are little-endian.
 */

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "vtpm/alg.h"

#define VTPM_PENDING_DIGEST_SIZE 32u
#define VTPM_PENDING_SIZE_MAX (16u * 1024u)

typedef struct VtpmPending {
        uint32_t pcr;
        uint8_t before[VTPM_PENDING_DIGEST_SIZE], after[VTPM_PENDING_DIGEST_SIZE];
        uint64_t log_size;
        const uint8_t *entry; /* borrowed */
        size_t entry_size;
} VtpmPending;

/* 0, -ENOMEM or -EIO. */
WARN_UNUSED int vtpm_pending_encode(const VtpmPending *p, Blob *ret);
/* 0; -EBADMSG. */
WARN_UNUSED int vtpm_pending_parse(const void *data, size_t size, VtpmPending *ret, Error *e);
