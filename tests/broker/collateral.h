/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Certificates the broker has of its own: intermediates for any evidence, and the VCEK or VLEK when evidence came
 * without one, as Trustee takes them from its offline store or from AMD. None of them is trusted for being here.
 */

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "snp/report.h"
#include "snp/verify.h"
#include "tests/broker/evidence.h"

typedef struct BrokerCollateral {
        BrokerCert certs[SNP_CERTS_MAX]; /* of the chain files */
        size_t n_certs;
        char *vek_dir; /* owned; NULL: no store */
} BrokerCollateral;

/* PEM certificates in any order, a VCEK or VLEK perhaps among them. May be called for several files. */
WARN_UNUSED int broker_collateral_add_chain(BrokerCollateral *c, const char *path, Error *e);
/* A store laid out as Trustee's: vcek/HWID/blBB_teeTT_snpSS_ucodeUU[_fmcFF]_vcek.der, or vcek/HWID/vcek.der. */
WARN_UNUSED int broker_collateral_set_store(BrokerCollateral *c, const char *dir, Error *e);
void broker_collateral_done(BrokerCollateral *c);

/**
 * broker_collateral_vek() - check the key certificate for @evidence up to a root
 * @report: parsed from it
 *
 * Return: 0; -ENOENT no certificate for this report; errors of snp_vek_new().
 */
WARN_UNUSED int broker_collateral_vek(const BrokerCollateral *c, const SnpTrust *trust, const BrokerEvidence *evidence,
                                      const SnpReport *report, SnpVek **ret, Error *e);
