/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What pki.c, pki-cert.c and pki-files.c share. */

#include "tests/simulator/pki.h"

/* Issue one certificate or CRL; keys of subject and issuer must be there. */
WARN_UNUSED int sim_cert_issue_ca(const SimPki *pki, SimKey which, X509 **ret, Error *e);
WARN_UNUSED int sim_cert_issue_vek(const SimPki *pki, SimKey which, X509 **ret, Error *e);
WARN_UNUSED int sim_crl_issue(const SimPki *pki, bool revoke_ask, bool revoke_asvk, X509_CRL **ret, Error *e);

static inline bool sim_key_is_ca(SimKey key) {
        return key <= SIM_ASVK;
}
