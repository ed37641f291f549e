/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A certificate hierarchy like AMD's, under a root of its own: ARK > ASK > VCEK and ARK > ASVK > VLEK, with
 * names, serials, extensions, algorithms and encodings as publication 57230 and genuine certificates have
 * them, and the two CRLs that the ARK signs. Nothing here is trusted by anybody who was not told to.
 */

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "tests/simulator/product.h"

typedef enum SimKey {
        SIM_ARK, /* the first three are RSA-4096 */
        SIM_ASK,
        SIM_ASVK,
        SIM_VCEK, /* P-384 */
        SIM_VLEK,
        SIM_N_KEYS,
} SimKey;

typedef enum SimCrl {
        SIM_CRL_VCEK, /* the one that the ASK's distribution point names */
        SIM_CRL_VLEK, /* the ASVK's */
        SIM_N_CRLS,
} SimCrl;

typedef struct SimPkiParams {
        SimProduct product;
        SimTcb tcb;
        uint8_t chip_id[SIM_CHIP_ID_SIZE]; /* Turin: 8 bytes count, the others must be zero */
        const char *csp_id;                /* with a VLEK for this provider (and an ASVK); NULL: without */
        time_t not_before;                 /* of everything. CAs: 25 years, VCEK: 7, VLEK and CRLs: 1 */
        bool revoke_ask, revoke_asvk;      /* in both CRLs */
} SimPkiParams;

#define SIM_CSP_ID_MAX 64

typedef struct SimPki {
        SimProduct product;
        SimTcb tcb;
        uint8_t chip_id[SIM_CHIP_ID_SIZE];
        char csp_id[SIM_CSP_ID_MAX]; /* empty: no ASVK, no VLEK */
        time_t not_before;
        EVP_PKEY *keys[SIM_N_KEYS]; /* NULL where there is none */
        X509 *certs[SIM_N_KEYS];
        X509_CRL *crls[SIM_N_CRLS];
} SimPki;

/* Defaults of @product: its TCB, a fixed chip ID, no VLEK, valid since yesterday. */
SimPkiParams sim_pki_params(SimProduct product);

/**
 * sim_pki_new() - make a hierarchy
 * @keys_of: take the RSA keys of this hierarchy instead of making new ones, which takes seconds; may be NULL.
 *           A key that it does not have is made.
 */
WARN_UNUSED int sim_pki_new(const SimPkiParams *params, const SimPki *keys_of, SimPki **ret, Error *e);
void sim_pki_free(SimPki *pki);
DEFINE_CLEANUP(SimPki *, sim_pki_free);

/* Issues VCEK and VLEK certificates anew for another TCB or chip, as firmware and AMD would; keys stay. */
WARN_UNUSED int sim_pki_reissue(SimPki *pki, const SimTcb *tcb, const uint8_t chip_id[static SIM_CHIP_ID_SIZE],
                                Error *e);

/*
 * A directory (mode 0700) with NAME.key, NAME.pem and NAME.der for ark, ask, asvk, vcek and vlek, the chain
 * files vcek-chain.pem and vlek-chain.pem (intermediate, then root, as AMD's service sends them), vcek.crl
 * and vlek.crl (DER), and hierarchy.ini. Saving refuses a directory that has a hierarchy already.
 */
WARN_UNUSED int sim_pki_save(const SimPki *pki, const char *dir, Error *e);
void sim_pki_remove(const char *dir); /* the files that saving writes, and nothing else */
WARN_UNUSED int sim_pki_load(const char *dir, SimPki **ret, Error *e);

/* DER or PEM of one certificate; -ENOENT when the hierarchy has none. */
WARN_UNUSED int sim_pki_cert_der(const SimPki *pki, SimKey which, Blob *ret, Error *e);
WARN_UNUSED int sim_pki_cert_pem(const SimPki *pki, SimKey which, Blob *ret, Error *e);
/* ASK (for SIM_VCEK) or ASVK (for SIM_VLEK), then ARK, as PEM. */
WARN_UNUSED int sim_pki_chain_pem(const SimPki *pki, SimKey vek, Blob *ret, Error *e);
WARN_UNUSED int sim_pki_crl_der(const SimPki *pki, SimCrl which, Blob *ret, Error *e);
