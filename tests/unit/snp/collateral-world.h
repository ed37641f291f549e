/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * For tests of collateral: the simulator's hierarchies of all product lines under one trust, their parts as bytes, and
 * a private directory. Everything is valid around FORGE_NOW; CRLs end a year after world_begin(), VCEKs seven.
 */

#include "base/blob.h"
#include "snp/collateral-cache.h"
#include "snp/collateral.h"
#include "tests/unit/snp/forge.h"

extern SimPki *world_pki[SIM_N_PRODUCTS];
extern SnpTrust *world_trust;
extern char world_dir[64]; /* empty for each test */

/* Call before the first test runs, and after the last. */
void world_make(void);
void world_unmake(void);
/* Checked fixture. */
void world_setup(void);
void world_teardown(void);

SnpProduct world_product(SimProduct product);
SnpVekId world_id(SimProduct product);
/* Owned by the caller. */
Blob world_part(const SimPki *pki, SnpPart part, SnpSigningKey key);

/* The hierarchy again, with the same RSA keys, and: */
typedef struct WorldChange {
        bool other_chip, other_tcb, other_root, revoked;
        int days; /* begins so much later */
} WorldChange;
SimPki *world_variant(SimProduct product, const WorldChange *change);

SnpCollateral *world_collateral(SimProduct product, SnpCrlMode mode);
/* Offers all parts of @pki as from @source; fails the test unless all are taken. */
void world_offer_all(SnpCollateral *c, const SimPki *pki, SnpSource source);

void world_write(const char *name, const void *data, size_t size); /* into world_dir */
