/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Inside of snp/: what vek.c established and verify.c relies on. */

#include <openssl/evp.h>

#include "snp/vek-ext.h"
#include "snp/verify.h"

/* Exists only with a chain that held. */
struct SnpVek {
        SnpSigningKey kind; /* VCEK or VLEK */
        SnpProduct product;
        SnpVekExtensions ext;
        SnpTcb tcb; /* ext.tcb decoded */
        time_t not_after;
        bool test;
        EVP_PKEY *key; /* P-384, public */
};
