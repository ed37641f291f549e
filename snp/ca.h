/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Inside of snp/: an ASK or ASVK under its pinned ARK, without a VEK. It is what a certificate chain of AMD's service
 * proves by itself, and what revocation lists are checked with.
 */

#include <openssl/x509.h>
#include <stddef.h>
#include <time.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "snp/cert.h"
#include "snp/verify.h"

typedef struct SnpCa {
        SnpProduct product;
        SnpSigningKey key; /* of the VEKs below it: VCEK for an ASK, VLEK for an ASVK */
        X509 *issuer, *ark; /* owned */
        time_t not_after;  /* earliest end of the two */
} SnpCa;

void snp_ca_done(SnpCa *ca);
#define AUTO_SNP_CA CLEANUP(snp_ca_done)

/**
 * snp_ca_find() - the first ASK or ASVK in @list that holds under a pinned ARK in @list at @at
 * @product: UNKNOWN: any
 * @key:     VCEK: look for an ASK; VLEK: for an ASVK
 *
 * Return: 0; -ENOENT there is none of that kind, or no ARK; -EBADMSG wrong profile; -EKEYREJECTED; -ENOMEM.
 */
WARN_UNUSED int snp_ca_find(const SnpTrust *trust, const SnpCertList *list, SnpProduct product, SnpSigningKey key,
                            time_t at, SnpCa *ret, Error *e);

/* Issuer, then ARK, as PEM: the form of AMD's service. */
WARN_UNUSED int snp_ca_to_pem(const SnpCa *ca, Blob *ret, Error *e);
