/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snpctl/cert-show.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "snp/ca.h"
#include "snp/cert_table.h"
#include "snp/crl-internal.h"
#include "snp/trust.h"

void cert_items_done(CertItems *items) {
        for (size_t i = 0; i < items->n; i++) {
                free(items->list[i].name);
                X509_free(items->list[i].cert);
                X509_CRL_free(items->list[i].crl);
        }
        free(items->list);
        *items = (CertItems){};
}

/* Takes @cert or @crl, also on failure. */
static int add(CertItems *items, const char *name, X509 *cert, X509_CRL *crl, Error *e) {
        CertItem item = { .name = strdup(name), .cert = cert, .crl = crl };
        CertItem *grown = items->n < CERT_ITEMS_MAX ? reallocarray(items->list, items->n + 1, sizeof(*grown)) : NULL;

        if (grown)
                items->list = grown;
        if (!grown || !item.name) {
                free(item.name);
                X509_free(cert);
                X509_CRL_free(crl);
                if (items->n == CERT_ITEMS_MAX)
                        return error_set(e, -E2BIG, "too-many-certificates", "More than %d certificates",
                                         CERT_ITEMS_MAX);
                return error_oom(e);
        }
        if (cert)
                item.role = snp_cert_role(cert, &item.product);
        items->list[items->n++] = item;
        return 0;
}

static int add_list(CertItems *items, const char *name, const void *data, size_t size, Error *e) {
        AUTO_CERT_LIST SnpCertList list = {};
        int r = snp_cert_list_add(&list, data, size, name, e);

        for (size_t i = 0; i < list.n && r == 0; i++) {
                AUTO_FREE char *place = NULL;

                if (asprintf(&place, list.n > 1 ? "%s, certificate %zu" : "%s", name, i + 1) < 0)
                        return place = NULL, error_oom(e);
                r = add(items, place, TAKE_PTR(list.certs[i]), NULL, e);
        }
        return r;
}

static int add_crl(CertItems *items, const char *name, const void *data, size_t size, Error *e) {
        AUTO_BLOB Blob der = {};
        const uint8_t *p;
        X509_CRL *crl;
        int r;

        r = snp_crl_to_der(data, size, &der, e);
        if (r < 0)
                return r;
        p = der.data;
        crl = d2i_X509_CRL(NULL, &p, (long) der.size);
        ERR_clear_error();
        if (!crl)
                return error_set(e, -EBADMSG, "crl-form", "%s: no revocation list", name);
        return add(items, name, NULL, crl, e);
}

static int add_table(CertItems *items, const char *name, const void *data, size_t size, Error *e) {
        SnpCertTable table;
        int r = snp_cert_table_parse(data, size, &table, e);

        for (size_t i = 0; i < table.n_entries && r == 0; i++) {
                const SnpCertEntry *entry = &table.entries[i];
                AUTO_FREE char *place = NULL;

                if (asprintf(&place, "%s, entry %s", name, snp_cert_kind_name(entry->kind)) < 0)
                        return place = NULL, error_oom(e);
                if (entry->kind == SNP_CERT_CRL)
                        r = add_crl(items, place, entry->data, entry->size, e);
                else if (entry->kind != SNP_CERT_OTHER)
                        r = add_list(items, place, entry->data, entry->size, e);
        }
        return r;
}

static bool has_prefix(const void *data, size_t size, const char *prefix) {
        return size >= strlen(prefix) && memcmp(data, prefix, strlen(prefix)) == 0;
}

int cert_items_add(CertItems *items, const char *name, const void *data, size_t size, Error *e) {
        Error first = {};
        int r;

        if (has_prefix(data, size, "-----BEGIN X509 CRL"))
                return add_crl(items, name, data, size, e);
        if (has_prefix(data, size, "-----BEGIN"))
                return add_list(items, name, data, size, e);
        if (has_prefix(data, size, "{"))
                return error_set(e, -EBADMSG, "cert-form",
                                 "This is JSON: what 'snpctl certs export' wrote, 'snpctl certs import' takes");
        if (!has_prefix(data, size, "\x30"))
                return add_table(items, name, data, size, e);
        r = add_list(items, name, data, size, &first);
        if (r == -EBADMSG && add_crl(items, name, data, size, NULL) == 0)
                return 0;
        return r < 0 ? error_set(e, r, first.reason, "%s", first.text) : 0;
}

static bool is_ca(SnpCertRole role) {
        return role == SNP_ROLE_ARK || role == SNP_ROLE_ASK || role == SNP_ROLE_ASVK;
}

/* Borrows the first authorities of @product, @first before others. */
static void collect(const CertItems *items, X509 *first, SnpProduct product, SnpCertList *ret) {
        *ret = (SnpCertList){};
        if (first)
                ret->certs[ret->n++] = first;
        for (size_t i = 0; i < items->n && ret->n < SNP_CERT_LIST_MAX; i++)
                if (items->list[i].product == product && is_ca(items->list[i].role) &&
                    (!first || items->list[i].role == SNP_ROLE_ARK))
                        ret->certs[ret->n++] = items->list[i].cert;
}

static int judge_root(const CertItem *item, const SnpTrust *trust, time_t at, Error *e) {
        bool pinned = false;
        int r = snp_trust_has_root(trust, item->product, item->cert, &pinned, e);

        if (r < 0)
                return r;
        if (!pinned)
                return error_set(e, -EKEYREJECTED, "root-unknown", "Its key is not that of a trusted root");
        if (X509_cmp_time(X509_get0_notBefore(item->cert), &at) >= 0 ||
            X509_cmp_time(X509_get0_notAfter(item->cert), &at) <= 0)
                return error_set(e, -EKEYREJECTED, "not-valid", "It is not valid at this time");
        return snp_cert_check_profile(item->cert, SNP_ROLE_ARK, e);
}

static int judge_ca(const CertItems *items, const CertItem *item, const SnpTrust *trust, time_t at, Error *e) {
        SnpSigningKey key = item->role == SNP_ROLE_ASVK ? SNP_SIGNING_KEY_VLEK : SNP_SIGNING_KEY_VCEK;
        AUTO_SNP_CA SnpCa ca = {};
        SnpCertList borrowed;

        collect(items, item->cert, item->product, &borrowed);
        return snp_ca_find(trust, &borrowed, item->product, key, at, &ca, e);
}

/* Certificates as DER, for functions that take bytes. */
typedef struct DerList {
        Blob blobs[SNP_CERTS_MAX + 1];
        size_t n;
} DerList;

static void der_list_done(DerList *list) {
        for (size_t i = 0; i < list->n; i++)
                blob_done(&list->blobs[i]);
}

static int der_list_add(DerList *list, X509 *cert, Error *e) {
        uint8_t *der = NULL;
        int n = i2d_X509(cert, &der), r;

        if (n <= 0)
                return error_oom(e);
        r = blob_dup(der, (size_t) n, &list->blobs[list->n]);
        OPENSSL_free(der);
        if (r < 0)
                return error_oom(e);
        list->n++;
        return 0;
}

static int judge_vek(const CertItems *items, const CertItem *item, const SnpTrust *trust, time_t at, Error *e) {
        CLEANUP(snp_vek_freep) SnpVek *vek = NULL;
        CLEANUP(der_list_done) DerList der = {};
        SnpCertList borrowed;
        SnpCerts certs = {};
        int r;

        r = der_list_add(&der, item->cert, e);
        collect(items, NULL, item->product, &borrowed);
        for (size_t i = 0; i < borrowed.n && i < SNP_CERTS_MAX && r == 0; i++)
                r = der_list_add(&der, borrowed.certs[i], e);
        if (r < 0)
                return r;
        certs.vek = (SnpCertBytes){ der.blobs[0].data, der.blobs[0].size };
        for (size_t i = 1; i < der.n; i++)
                certs.others[certs.n_others++] = (SnpCertBytes){ der.blobs[i].data, der.blobs[i].size };
        return snp_vek_new(trust, &certs, at, &vek, e);
}

/* A list is held against an ASK or ASVK; whichever is there will do to see whether it is AMD's. */
static int judge_crl_with(const CertItem *item, const CertItems *items, SnpProduct product, SnpSigningKey key,
                          const SnpTrust *trust, time_t at, Error *e) {
        const SnpCrlPolicy policy = { .mode = SNP_CRL_HARD };
        AUTO_SNP_CA SnpCa ca = {};
        SnpCertList borrowed;
        SnpCrlVerdict verdict;
        uint8_t *der = NULL;
        int n, r;

        collect(items, NULL, product, &borrowed);
        r = snp_ca_find(trust, &borrowed, product, key, at, &ca, e);
        if (r < 0)
                return r;
        n = i2d_X509_CRL(item->crl, &der);
        if (n <= 0)
                return error_oom(e);
        r = snp_crl_judge(ca.issuer, ca.ark, &policy, &(SnpCertBytes){ der, (size_t) n }, at, &verdict, e);
        OPENSSL_free(der);
        return r;
}

static int judge_crl(const CertItem *item, const CertItems *items, const SnpTrust *trust, time_t at, Error *e) {
        Error first = {}, second = {};
        int r;

        if (item->product == SNP_PRODUCT_UNKNOWN)
                return error_set(e, -EBADMSG, "crl-issuer", "It is not by an ARK");
        r = judge_crl_with(item, items, item->product, SNP_SIGNING_KEY_VCEK, trust, at, &first);
        if (r == 0 || r == -ENOMEM)
                return r < 0 ? error_oom(e) : 0;
        if (judge_crl_with(item, items, item->product, SNP_SIGNING_KEY_VLEK, trust, at, &second) == 0)
                return 0;
        if (first.code == -ENOENT && second.code != -ENOENT)
                first = second;
        return error_set(e, first.code, first.reason, "%s", first.text);
}

void cert_item_name(X509_NAME *name, char *ret, size_t size) {
        int n = X509_NAME_get_text_by_NID(name, NID_commonName, ret, (int) size);

        if (n < 0)
                (void) snprintf(ret, size, "?");
        for (char *p = ret; *p; p++)
                if (*p < 0x20 || *p > 0x7e)
                        *p = '?';
}

static SnpProduct product_of_crl(const X509_CRL *crl) {
        char name[64];

        cert_item_name(X509_CRL_get_issuer(crl), name, sizeof(name));
        return strncmp(name, "ARK-", 4) == 0 ? snp_product_from_name(name + 4, strlen(name + 4)) : SNP_PRODUCT_UNKNOWN;
}

static int judge(CertItems *items, CertItem *item, const SnpTrust *trust, time_t at, Error *e) {
        if (item->crl) {
                item->product = product_of_crl(item->crl);
                return judge_crl(item, items, trust, at, e);
        }
        switch (item->role) {
        case SNP_ROLE_ARK:
                return judge_root(item, trust, at, e);
        case SNP_ROLE_ASK:
        case SNP_ROLE_ASVK:
                return judge_ca(items, item, trust, at, e);
        case SNP_ROLE_VCEK:
        case SNP_ROLE_VLEK:
                return judge_vek(items, item, trust, at, e);
        case SNP_ROLE_NONE:
        case SNP_N_ROLES:
                break;
        }
        return error_set(e, -EBADMSG, "cert-name", "Its names are not those of AMD's hierarchy");
}

int cert_items_judge(CertItems *items, const SnpTrust *trust, time_t at, Error *e) {
        for (size_t i = 0; i < items->n; i++) {
                CertItem *item = &items->list[i];
                int r;

                item->why = (Error){};
                r = judge(items, item, trust, at, &item->why);
                if (r == -ENOMEM)
                        return error_oom(e);
                if (r < 0 && item->why.code == 0)
                        (void) error_set(&item->why, r, "failed", "%s", error_text(NULL, r));
        }
        return 0;
}
