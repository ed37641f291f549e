/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* PCRs, keys and clocks, the same in the output of every verb that shows them. */

#include <json-c/json_object.h>

#include "agent/snpctl/output.h"
#include "base/blob.h"
#include "vtpm/attest.h"
#include "vtpm/pcr_values.h"

/* "sha256", and what is under it. */
void tpm_print_pcrs(const VtpmPcrValues *pcrs, size_t n, CtlOutput *out);
/* {"sha256":{"0":"...",...},...}. 0 or -ENOMEM. */
WARN_UNUSED int tpm_pcrs_to_json(const VtpmPcrValues *pcrs, size_t n, json_object **ret);

void tpm_print_clock(const VtpmClock *clock, CtlOutput *out);
WARN_UNUSED int tpm_clock_to_json(const VtpmClock *clock, json_object **ret);

/* "RSA-2048, rsassa-sha256" of a TPMT_PUBLIC; "?" for what cannot be read. */
#define TPM_KEY_TEXT_MAX 64u
void tpm_key_text(const Blob *tpmt, char ret[static TPM_KEY_TEXT_MAX]);
