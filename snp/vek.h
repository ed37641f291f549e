/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Inside of snp/: what vek.c established and verify.c relies on. */

#include <openssl/evp.h>
#include <openssl/x509.h>

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
        X509 *issuer;  /* the ASK or ASVK of the chain that held, */
        X509 *ark;     /* and its root: what revocation lists are held against */
        SnpCrlState crl;
        bool crl_accepted; /* by the policy of the caller of snp_vek_check_crl() */
};
