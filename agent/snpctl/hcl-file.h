/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Files that hold the report of Azure's paravisor (content of NV index 0x01400001) where a report is expected. */

#include <json-c/json_object.h>

#include "agent/snpctl/output.h"
#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "snp/report.h"
#include "vtpm/binding.h"
#include "vtpm/hcl-claims.h"

/**
 * hcl_file_split() - take the SNP report out of such a file
 * @file:    any report; left alone unless it is the paravisor's, and the SNP report in it otherwise
 * @ret_hcl: what @file was, if it was the paravisor's
 *
 * Return: 0; -EOPNOTSUPP a paravisor's report of another platform; as vtpm_hcl_parse().
 */
WARN_UNUSED int hcl_file_split(Blob *file, Blob *ret_hcl, Error *e);

/* What the runtime claims say, and whether the report vouches for them. */
typedef struct HclFindings {
        bool fits;           /* the claims are those that the report is over */
        Error why;           /* when they are not */
        VtpmBinding binding; /* zero-initialised: not bound. Set by hcl_file_bind() alone */
        VtpmHclClaims claims;
        bool has_claims; /* as far as they can be read; without a binding they are anybody's word */
} HclFindings;

/* @report: the one that hcl_file_split() took out, verified or not. 0; -ENOMEM; -EIO. */
WARN_UNUSED int hcl_file_judge(const Blob *hcl, const SnpReport *report, HclFindings *ret, Error *e);
/* The report has been verified: claims that fit it are bound. */
void hcl_file_bind(HclFindings *f);

WARN_UNUSED int hcl_findings_to_json(const HclFindings *f, json_object **ret); /* 0 or -ENOMEM */
void hcl_findings_print(const HclFindings *f, CtlOutput *out);
