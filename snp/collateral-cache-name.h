/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Inside of snp/: names of files in the cache. Words of our own tables and hex digits, so never a path. */

#include <stdbool.h>

#include "base/cleanup.h"
#include "snp/collateral.h"

#define SNP_CACHE_NAME_MAX 192 /* the longest has 161 characters */

typedef struct SnpCacheName {
        SnpPart part;
        SnpSigningKey key;
        SnpProduct product;
} SnpCacheName;

/* False when there is no file for it: a VLEK, a masked chip, an unknown product, a chip ID too long for Turin. */
bool snp_cache_name_format(const SnpVekId *id, SnpPart part, char ret[static SNP_CACHE_NAME_MAX]);

/* False for names that snp_cache_name_format() does not write. */
bool snp_cache_name_parse(const char *name, SnpCacheName *ret);
