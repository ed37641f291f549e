/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the files of the simulated configfs-tsm share. */

#include "tests/simulator/svsm.h"
#include "tests/simulator/tsm-tree.h"

#define SIM_TSM_INBLOB_MAX 64 /* TSM_REPORT_INBLOB_MAX */

typedef enum SimTsmAttribute {
        ATTR_GENERATION,
        ATTR_PROVIDER,
        ATTR_PRIVLEVEL,
        ATTR_PRIVLEVEL_FLOOR,
        ATTR_INBLOB,
        ATTR_OUTBLOB,
        ATTR_AUXBLOB,
        ATTR_SERVICE_PROVIDER, /* this one and the following under an SVSM only */
        ATTR_SERVICE_GUID,
        ATTR_SERVICE_MANIFEST_VERSION,
        ATTR_MANIFESTBLOB,
        N_ATTRIBUTES,
} SimTsmAttribute;

typedef struct SimTsmItem {
        struct SimTsmItem *next;
        SimTsm *tsm;
        char name[SIM_TSM_NAME_MAX + 1];
        unsigned refs;       /* the tree, and each open file */
        bool gone;           /* removed */
        size_t n_attributes; /* visible ones */
        unsigned long write_generation, read_generation;
        uint32_t privlevel;
        char service_provider[SIM_TSM_NAME_MAX + 1];
        bool has_service_provider; /* written once; cannot be undone */
        SimServiceRequest service;
        uint8_t inblob[SIM_TSM_INBLOB_MAX];
        size_t inblob_size;
        Blob outblob, auxblob, manifestblob;
        bool made;
        struct {
                uid_t uid;
                gid_t gid;
        } owner[N_ATTRIBUTES + 1]; /* of each attribute; the last one of the directory */
} SimTsmItem;

struct SimTsm {
        SimPlatform *platform; /* borrowed */
        SimTsmItem *items;
};

/* Reads the control file; the test that wrote nonsense into it sees EIO and a line on standard error. */
WARN_UNUSED int sim_tsm_refresh(SimTsm *tsm);

/* Malicious or broken programs may write until the counters meet; the kernel stops them one short of it: -EBUSY. */
WARN_UNUSED int sim_tsm_advance(SimTsmItem *item);

/* A write to a text attribute: one write is one store. The size taken, or negative errno. */
WARN_UNUSED ssize_t sim_tsm_store(SimTsmItem *item, SimTsmAttribute attribute, const void *buf, size_t size);
