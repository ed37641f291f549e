/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Reading PCRs from the TPM; extending them: vtpm/pcr-extend.h. */

#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "vtpm/context.h"
#include "vtpm/pcr_values.h"

/**
 * vtpm_pcr_read() - values of PCRs of one bank, all of one moment
 * @hash: the bank, VTPM_ALG_SHA*
 * @mask: which; not empty, within VTPM_PCR_MASK_ALL
 *
 * A TPM gives eight values a command; they are read again when the TPM's update counter shows that a PCR
 * changed in between (TPM 2.0 Library Part 3, "TPM2_PCR_Read"). PCRs 16 and 21 to 23, which anybody may
 * reset, do not count there (PC Client Platform TPM Profile, "PCR Attributes").
 *
 * Return: 0; -EINVAL; -EOPNOTSUPP the TPM has no such bank, or not those PCRs in it ("pcr-bank-absent");
 * -EAGAIN they would not hold still; -EBADMSG the TPM answered something else; or as VTPM_CALL().
 */
WARN_UNUSED int vtpm_pcr_read(VtpmContext *ctx, uint16_t hash, uint32_t mask, VtpmPcrValues *ret, Error *e);

/**
 * vtpm_pcr_read_selection() - the same of several banks, all of one moment
 * @selection: passes vtpm_pcr_selection_check()
 * @ret:       room for one element per bank, filled in the order of @selection
 *
 * Return: as vtpm_pcr_read().
 */
WARN_UNUSED int vtpm_pcr_read_selection(VtpmContext *ctx, const VtpmPcrSelection *selection, VtpmPcrValues *ret,
                                        Error *e);

/**
 * vtpm_pcr_banks() - which banks the TPM keeps, and which PCRs in them
 * @ret: in the TPM's order; only banks with PCRs, also those of a hash we do not know
 *
 * TPM 2.0 Library Part 3, "TPM2_GetCapability", TPM_CAP_PCRS. Return: 0; -EBADMSG the TPM answered something else;
 * or as VTPM_CALL().
 */
WARN_UNUSED int vtpm_pcr_banks(VtpmContext *ctx, VtpmPcrSelection *ret, Error *e);
