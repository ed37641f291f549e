/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Inside of snp/: the one question that vek.c asks of an SnpTrust. */

#include <openssl/x509.h>
#include <stdbool.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "snp/verify.h"

/* Whether the key of @ark is pinned for @product. 0 with the answer in *@ret, or -ENOMEM. */
WARN_UNUSED int snp_trust_has_root(const SnpTrust *trust, SnpProduct product, X509 *ark, bool *ret, Error *e);
