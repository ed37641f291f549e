/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* PCR selections and digests as people write them, the way tpm2-tools have it: "sha256:0,1,7+sha384:all". */

#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "vtpm/pcr-extend.h"
#include "vtpm/pcr_values.h"

#define VTPM_PCR_TEXT_MAX 512u /* of a selection of VTPM_BANKS_MAX banks is longer; of all we know it is not */

/**
 * vtpm_pcr_selection_parse() - BANK:PCRS, joined by '+'
 *
 * PCRS is "all" or numbers from 0 to 23 with commas, each once. Return: 0; -EINVAL, also for what
 * vtpm_pcr_selection_check() refuses.
 */
WARN_UNUSED int vtpm_pcr_selection_parse(const char *text, VtpmPcrSelection *ret, Error *e);

/* What vtpm_pcr_selection_parse() reads back, if banks are known; others are "0x0012:...". Cut where @size ends. */
void vtpm_pcr_selection_text(const VtpmPcrSelection *selection, char *ret, size_t size);

/* "sha256:HEX", of that bank's size. 0 or -EINVAL. */
WARN_UNUSED int vtpm_pcr_digest_parse(const char *text, VtpmPcrDigest *ret, Error *e);
