/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Inside of snp/: a revocation list held against an issuer that is no part of an SnpVek. */

#include <openssl/x509.h>

#include "base/blob.h"
#include "snp/crl.h"

/* As snp_vek_check_crl(), for @issuer (ASK or ASVK) under @ark. */
WARN_UNUSED int snp_crl_judge(X509 *issuer, X509 *ark, const SnpCrlPolicy *policy, const SnpCertBytes *crl, time_t at,
                              SnpCrlVerdict *ret, Error *e);

/* The DER form of a list in either form. 0, -EBADMSG, -E2BIG, -ENOMEM. */
WARN_UNUSED int snp_crl_to_der(const void *data, size_t size, Blob *ret, Error *e);
