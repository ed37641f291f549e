/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the files of the configfs implementation of SnpDevice share. */

#include <stdbool.h>
#include <stdint.h>

#include "snp/device-internal.h"
#include "snp/tsm-entry.h"

typedef struct SnpConfigfs {
        SnpDevice device;
        int dir;     /* the tree that entries are made in, or the one entry handed over to us */
        bool handed; /* the latter */
} SnpConfigfs;

/* A new entry, or the one that was handed over. */
WARN_UNUSED int snp_configfs_entry(const SnpConfigfs *c, SnpTsmEntry *ret, Error *e);
