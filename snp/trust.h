/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Inside of snp/: what vek.c asks of an SnpTrust. */

#include <openssl/x509.h>
#include <stdbool.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "snp/verify.h"

/* Whether the key of @ark is pinned for @product. 0 with the answer in *@ret, or -ENOMEM. */
WARN_UNUSED int snp_trust_has_root(const SnpTrust *trust, SnpProduct product, X509 *ark, bool *ret, Error *e);

/*
 * The roots for @product whose very certificates are known, borrowed: NULL beyond the last. AMD's are known by
 * fingerprint alone, test roots as a whole.
 */
X509 *snp_trust_root_at(const SnpTrust *trust, SnpProduct product, size_t index);
