/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the two halves of the configfs implementation of SnpDevice share: reports and services' reports. */

#include <stdbool.h>
#include <stdint.h>

#include "snp/device-internal.h"
#include "snp/tsm-entry.h"

typedef struct SnpConfigfs {
        SnpDevice device;
        int dir;     /* the tree that entries are made in, or the one entry handed over to us */
        bool handed; /* the latter */
        uint64_t service_usec; /* monotonic: when an SVSM was last asked; 0: never */
} SnpConfigfs;

/* A new entry, or the one that was handed over. */
WARN_UNUSED int snp_configfs_entry(const SnpConfigfs *c, SnpTsmEntry *ret, Error *e);

/* SnpDeviceOps.get_service_report */
int snp_configfs_get_service_report(SnpDevice *device, const SnpServiceRequest *request, Deadline deadline,
                                    SnpServiceReport *ret, Error *e);
