/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a file with certificates holds: certificates and revocation lists in DER or PEM, certificate tables. Every item
 * is kept with the name of where it was, and judged with the help of all the others.
 */

#include <openssl/x509.h>
#include <stddef.h>
#include <time.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "snp/cert.h"
#include "snp/crl.h"

#define CERT_ITEMS_MAX 512

typedef struct CertItem {
        char *name;    /* file, and the place in it; owned */
        X509 *cert;    /* one of these two; owned */
        X509_CRL *crl;
        SnpCertRole role; /* of cert */
        SnpProduct product;
        /* After cert_items_judge(). code 0: verified, otherwise why not. */
        Error why;
} CertItem;

typedef struct CertItems {
        CertItem *list; /* owned */
        size_t n;
} CertItems;
void cert_items_done(CertItems *items);
#define AUTO_CERT_ITEMS CLEANUP(cert_items_done)

/* Adds all that @data holds. 0; -EBADMSG it is none of these things; -E2BIG; -ENOMEM. */
WARN_UNUSED int cert_items_add(CertItems *items, const char *name, const void *data, size_t size, Error *e);

/* Up to a root of @trust, by way of what is in @items, valid at @at. 0 or -ENOMEM. */
WARN_UNUSED int cert_items_judge(CertItems *items, const SnpTrust *trust, time_t at, Error *e);

/* Subject of a CA, or issuer of a list, as "ARK-Milan"; printable. */
void cert_item_name(X509_NAME *name, char *ret, size_t size);
