/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Inside of snp/: files of the cache, one at a time. */

#include <stdbool.h>
#include <stddef.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "snp/collateral-cache.h"

struct SnpCache {
        int fd; /* of the directory */
        bool writable;
        char *path; /* for error texts */
};

/* A regular file, not through a link. -ENOENT; -E2BIG; -EBADMSG it is something else. */
WARN_UNUSED int snp_cache_read(const SnpCache *cache, const char *name, size_t max, Blob *ret, Error *e);
/* Writes beside, syncs, renames, syncs the directory. */
WARN_UNUSED int snp_cache_write(const SnpCache *cache, const char *name, const Blob *data, Error *e);
/* Removes the oldest VEKs beyond @max, and what writers that died have left. */
WARN_UNUSED int snp_cache_trim(const SnpCache *cache, size_t max, Error *e);
/* -EACCES when it may not be written to. */
WARN_UNUSED int snp_cache_check_writable(const SnpCache *cache, Error *e);
