/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Options that bring what binds a TPM to the chip, and the judgement of it. See vtpm/binding.h. */

#include "agent/snpctl/judge-args.h"
#include "base/blob.h"
#include "vtpm/binding.h"

typedef struct TpmBindingArgs {
        const char *hcl, *svsm_manifest, *svsm_nonce;
        JudgeArgs judge;
} TpmBindingArgs;

#define TPM_BINDING_OPTIONS(type, member)                                                                              \
        { "hcl", "FILE", "the report of Azure's paravisor (NV index 0x01400001)", CTL_TEXT,                            \
          offsetof(type, member.hcl) },                                                                                \
        { "svsm-manifest", "FILE", "the vTPM's manifest from an SVSM; needs --report", CTL_TEXT,                       \
          offsetof(type, member.svsm_manifest) },                                                                      \
        { "svsm-nonce", "HEX", "64 bytes that the SVSM was asked with; by default the quote's", CTL_TEXT,              \
          offsetof(type, member.svsm_nonce) },                                                                         \
        JUDGE_REPORT_OPTIONS(type, member.judge)

typedef struct TpmBindingVerdict {
        VtpmBinding binding; /* zero-initialised: not bound */
        Error why;           /* when it is not */
        bool test_root;      /* bound, but to a root that --trust-root names */
} TpmBindingVerdict;

/**
 * tpm_binding_judge() - does a report that holds vouch for this key?
 * @ak:    TPMT_PUBLIC; empty when the key is not at hand in this form, and so cannot be compared
 * @nonce: of the quote
 *
 * Return: 0 judged, either way; -EINVAL with reason "usage"; or as file_read() and judge_report().
 */
WARN_UNUSED int tpm_binding_judge(const TpmBindingArgs *args, const Blob *ak, const Blob *nonce,
                                  TpmBindingVerdict *ret, Error *e);
