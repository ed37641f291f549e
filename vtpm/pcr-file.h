/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * PCR values in the file that tpm2_quote(1) writes with --pcr and tpm2_checkquote(1) reads, format "serialized": the
 * C structures of tpm2-tss 3, little-endian, with their unused room.
 *
 *     u32 banks, 16 x { u16 hash, u8 size of the bitmap, u8 bitmap[4], u8 unused }     TPML_PCR_SELECTION
 *     u32 lists, then of each list: u32 digests, 8 x { u16 size, u8 bytes[64] }        TPML_DIGEST
 *
 * The digests are those of the selection, banks in its order, PCRs ascending in each, lists filled one after the other
 * (not always to the eighth). Source: tpm2-tools, pcr_fwrite_serialized() and tpm2_quote(1).
 */

#include <stddef.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "vtpm/pcr_values.h"

#define VTPM_PCR_FILE_MAX 65536u

/**
 * vtpm_pcr_file_parse() - selection and values
 * @ret:       room for VTPM_HASHES_MAX elements; one per bank, in the file's order
 * @ret_n:     how many
 *
 * What stands in unused room is not looked at. Return: 0; -EBADMSG malformed, or digests and selection do not agree;
 * -EINVAL the selection is empty or names what we do not know; -E2BIG.
 */
WARN_UNUSED int vtpm_pcr_file_parse(const void *data, size_t size, VtpmPcrValues *ret, size_t *ret_n, Error *e);

/* What vtpm_pcr_file_parse() reads back, unused room zero. 0; -EINVAL as vtpm_pcr_selection_check(); -ENOMEM. */
WARN_UNUSED int vtpm_pcr_file_encode(const VtpmPcrValues *values, size_t n, Blob *ret, Error *e);
