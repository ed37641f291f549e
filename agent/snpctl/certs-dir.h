/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Certificates in a directory under the names that snpguest gives them, and `snpctl certs fetch` too: vcek or vlek, ask
 * or asvk, ark, crl, each with .pem or .der behind it.
 */

#include <stdbool.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "snp/report.h"

#define CERTS_DIR_CHAIN_MAX 3 /* ASK, ASVK, ARK */

typedef struct CertsDir {
        Blob vek; /* may be empty: not there */
        Blob chain[CERTS_DIR_CHAIN_MAX];
        size_t n_chain;
        Blob crl; /* may be empty: not there */
} CertsDir;
void certs_dir_done(CertsDir *dir);
#define AUTO_CERTS_DIR CLEANUP(certs_dir_done)

bool certs_dir_is(const char *path);

/*
 * What is there; of VCEK and VLEK the one that @signing_key names. As snpguest, PEM before DER. 0; -ENOENT not one
 * certificate is there; or as file_read().
 */
WARN_UNUSED int certs_dir_read(const char *path, SnpSigningKey signing_key, CertsDir *ret, Error *e);
