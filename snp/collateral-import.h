/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Inside of snp/: what imports of bundles and of directories have in common. */

#include "snp/collateral-bundle.h"

/* Counts and tells what became of an item. 0, or @r when it is not the item's fault and the import has to stop. */
WARN_UNUSED int snp_import_told(SnpImport *import, const char *what, int r, const Error *why, Error *e);
/* The outcome of all. */
WARN_UNUSED int snp_import_end(SnpCache *cache, const SnpImport *import, Error *e);
