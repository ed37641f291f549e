/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Inside of snp/: one X.509 certificate of AMD's hierarchy, and whether it has the form that AMD publication
 * 57230 gives to its role. Form only: whom to believe is decided in snp/vek.c.
 */

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "snp/product.h"

DEFINE_CLEANUP(X509 *, X509_free);
DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free);
#define AUTO_X509 CLEANUP(X509_freep)
#define AUTO_EVP_PKEY CLEANUP(EVP_PKEY_freep)

#define SNP_SPKI_DIGEST_SIZE 48 /* SHA-384 */

/* What the subject and issuer names together say that a certificate is. */
typedef enum SnpCertRole {
        SNP_ROLE_NONE, /* not a name of this hierarchy */
        SNP_ROLE_ARK,
        SNP_ROLE_ASK,
        SNP_ROLE_ASVK,
        SNP_ROLE_VCEK,
        SNP_ROLE_VLEK,
        SNP_N_ROLES,
} SnpCertRole;

/* Certificates taken from one set of evidence; more than this is refused. Three are needed. */
#define SNP_CERT_LIST_MAX 16

typedef struct SnpCertList {
        X509 *certs[SNP_CERT_LIST_MAX]; /* owned */
        size_t n;
} SnpCertList;

void snp_cert_list_done(SnpCertList *list);
#define AUTO_CERT_LIST CLEANUP(snp_cert_list_done)

/**
 * snp_cert_list_add() - append one DER certificate, or every certificate of a PEM text
 * @what: names the input in error texts
 *
 * Return: 0; -EBADMSG; -E2BIG beyond SNP_CERT_LIST_MAX; -ENOMEM. On failure some may have been added.
 */
WARN_UNUSED int snp_cert_list_add(SnpCertList *list, const void *data, size_t size, const char *what, Error *e);

/* Role by names alone; @ret_product is UNKNOWN for SNP_ROLE_NONE. */
SnpCertRole snp_cert_role(X509 *cert, SnpProduct *ret_product);
const char *snp_cert_role_name(SnpCertRole role); /* "ARK", ... */

/*
 * Version 3, RSASSA-PSS with SHA-384 and MGF1-SHA-384 and 48 bytes of salt, and the key of the role: RSA-4096 with
 * CA rights for ARK, ASK and ASVK (path length 0 for the latter two), P-384 and no CA rights for VCEK and VLEK.
 */
WARN_UNUSED int snp_cert_check_profile(X509 *cert, SnpCertRole role, Error *e);

/* AMD's one signature algorithm, for certificates and revocation lists: RSASSA-PSS, SHA-384, MGF1-SHA-384, salt 48. */
bool snp_cert_is_pss_sha384(const X509_ALGOR *algorithm);

/* SHA-384 of the DER SubjectPublicKeyInfo. */
WARN_UNUSED int snp_cert_spki_digest(X509 *cert, uint8_t ret[static SNP_SPKI_DIGEST_SIZE], Error *e);
