/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Inside of agent/bundle/: the parts of bundle_verify(), in the order in which they are judged. */

#include "agent/bundle/verify.h"

typedef struct BundleCase {
        const Bundle *bundle;
        const BundleQuestion *question;
        BundleVerdict *v;
} BundleCase;

/* verify-report.c. 0 judged; or as bundle_verify(). */
WARN_UNUSED int bundle_judge_report(const BundleCase *c, Error *e);
WARN_UNUSED int bundle_judge_report_data(const BundleCase *c, Error *e);
void bundle_judge_nonce(const BundleCase *c);

/* verify-tpm.c: nothing to do without a TPM */
WARN_UNUSED int bundle_judge_quote(const BundleCase *c, Error *e);
WARN_UNUSED int bundle_judge_event_log(const BundleCase *c, Error *e);

/* verify-binding.c */
WARN_UNUSED int bundle_judge_binding(const BundleCase *c, Error *e);

/* Settles a part; @reason NULL for OK. */
void bundle_settle(const BundleCase *c, BundlePart part, BundleResult result, const char *reason, const char *fmt, ...)
        __attribute__((__format__(__printf__, 5, 6)));
/* Settles it as FAILED or UNPROVEN by the error @why; passes on what nobody is to blame for (-ENOMEM, -EIO). */
WARN_UNUSED int bundle_settle_error(const BundleCase *c, BundlePart part, BundleResult result, int r, const Error *why,
                                    Error *e);
