/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Collateral as files of a directory, under the names that snpguest gives them: ark, ask (asvk for a VLEK), vcek
 * (vlek), crl, with the extension of their encoding. `snpctl verify --vek .. --chain ..` and snpguest's verify verbs
 * read them.
 */

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "snp/collateral.h"

#define CERT_FILES_MAX 4

typedef struct CertFiles {
        char *paths[CERT_FILES_MAX]; /* owned */
        size_t n;
} CertFiles;
void cert_files_done(CertFiles *files);
#define AUTO_CERT_FILES CLEANUP(cert_files_done)

/* Writes what @c holds to @dir, which is made unless it exists, and lists the files. */
WARN_UNUSED int cert_files_write(const SnpCollateral *c, const char *dir, bool der, CertFiles *ret, Error *e);
