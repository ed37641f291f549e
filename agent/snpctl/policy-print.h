/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What a policy found, the same for every verb that asks one: a table of claims, and what to do about denied ones. */

#include "agent/bundle/tpm-policy.h"
#include "agent/snpctl/output.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "snp/policy.h"

/* PCRs that nobody asks about are left out; @tpm may be NULL. */
WARN_UNUSED int policy_print_table(const SnpAppraisal *snp, const TpmAppraisal *tpm, CtlOutput *out, Error *e);
/* Of an unverified report only that: the others are denied for no reason of their own. */
void policy_print_remedies(const SnpAppraisal *snp, const TpmAppraisal *tpm, CtlOutput *out);
