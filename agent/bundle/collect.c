/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/bundle/collect.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#include "snp/cert_table.h"
#include "vtpm/attest.h"

#define DER_SEQUENCE 0x30 /* what every certificate and list begins with; no PEM text does */

DEFINE_CLEANUP(BIO *, BIO_free_all);

/* Where DER goes, as many as fit. */
typedef struct Slots {
        Blob *list;
        size_t *n, max, size_max;
        const char *what; /* in error texts */
        const char *type; /* PEM label */
} Slots;

static int add_der(const Slots *s, const void *data, size_t size, Error *e) {
        for (size_t i = 0; i < *s->n; i++)
                if (s->list[i].size == size && memcmp(s->list[i].data, data, size) == 0)
                        return 0;
        if (size > s->size_max)
                return error_set(e, -E2BIG, "bundle-size", "A %s has %zu bytes, more than %zu", s->what, size,
                                 s->size_max);
        if (*s->n == s->max)
                return error_set(e, -E2BIG, "bundle-size", "More than %zu of %s", s->max, s->what);
        if (blob_dup(data, size, &s->list[*s->n]) < 0)
                return error_oom(e);
        (*s->n)++;
        return 0;
}

static int malformed(const Slots *s, Error *e) {
        return error_set(e, -EBADMSG, "cert-malformed", "What should be a %s is neither DER nor PEM", s->what);
}

/* One block. Return: 1; 0 there is no other. */
static int next_block(const Slots *s, BIO *bio, Error *e) {
        char *label = NULL, *header = NULL;
        unsigned char *der = NULL;
        long n = 0;
        int r;

        if (PEM_read_bio(bio, &label, &header, &der, &n) != 1)
                return 0;
        r = strcmp(label, s->type) == 0 && n > 0 ? add_der(s, der, (size_t) n, e) : malformed(s, e);
        OPENSSL_free(label);
        OPENSSL_free(header);
        OPENSSL_free(der);
        return r < 0 ? r : 1;
}

static int add_pem(const Slots *s, const void *data, size_t size, Error *e) {
        CLEANUP(BIO_free_allp) BIO *bio = BIO_new_mem_buf(data, (int) size);
        size_t n_blocks = 0;
        int r;

        if (!bio)
                return error_oom(e);
        (void) ERR_set_mark(); /* the end of the text is an error to libcrypto */
        while ((r = next_block(s, bio, e)) > 0)
                n_blocks++;
        (void) ERR_pop_to_mark();
        return r == 0 && n_blocks == 0 ? malformed(s, e) : r;
}

static int add(const Slots *s, const void *data, size_t size, Error *e) {
        if (size == 0 || size > INT_MAX)
                return malformed(s, e);
        return *(const uint8_t *) data == DER_SEQUENCE ? add_der(s, data, size, e) : add_pem(s, data, size, e);
}

int bundle_set_vek(Bundle *bundle, const void *data, size_t size, Error *e) {
        AUTO_BLOB Blob vek = {};
        size_t n = 0;
        const Slots slots = { &vek, &n, 1, SNP_CERT_SIZE_MAX, "VCEK or VLEK certificate", "CERTIFICATE" };
        int r = add(&slots, data, size, e);

        if (r < 0)
                return r;
        blob_done(&bundle->vek);
        bundle->vek = blob_take(&vek);
        return 0;
}

int bundle_add_chain(Bundle *bundle, const void *data, size_t size, Error *e) {
        const Slots slots = { bundle->chain,     &bundle->n_chain,    SNP_CERTS_MAX,
                              SNP_CERT_SIZE_MAX, "chain certificate", "CERTIFICATE" };

        return add(&slots, data, size, e);
}

int bundle_add_crls(Bundle *bundle, const void *data, size_t size, Error *e) {
        const Slots slots = { bundle->crls,        &bundle->n_crls,   BUNDLE_CRLS_MAX,
                              BUNDLE_CRL_SIZE_MAX, "revocation list", "X509 CRL" };

        return add(&slots, data, size, e);
}

int bundle_add_table(Bundle *bundle, const void *data, size_t size, SnpSigningKey signing_key, Error *e) {
        SnpCertKind vek = signing_key == SNP_SIGNING_KEY_VLEK ? SNP_CERT_VLEK : SNP_CERT_VCEK;
        SnpCertTable table;
        int r = snp_cert_table_parse(data, size, &table, e);

        for (size_t i = 0; r == 0 && i < table.n_entries; i++) {
                const SnpCertEntry *entry = &table.entries[i];

                if (entry->kind == vek && bundle->vek.size == 0)
                        r = bundle_set_vek(bundle, entry->data, entry->size, e);
                else if (entry->kind == SNP_CERT_ASK || entry->kind == SNP_CERT_ARK)
                        r = bundle_add_chain(bundle, entry->data, entry->size, e);
                else if (entry->kind == SNP_CERT_CRL)
                        r = bundle_add_crls(bundle, entry->data, entry->size, e);
        }
        return r;
}

static int check_report(const Bundle *bundle, Error *e) {
        uint8_t wanted[SNP_REPORT_DATA_SIZE];
        SnpReport report;
        int r = snp_report_parse(bundle->report.data, bundle->report.size, &report, e);

        if (r == 0)
                r = bundle_report_data(bundle, wanted, e);
        if (r == 0 && memcmp(wanted, report.report_data, sizeof(wanted)) != 0)
                return error_set(e, -ESTALE, "bundle-report-data",
                                 "REPORT_DATA of the report does not follow from the nonce by the rule '%s'",
                                 bundle_rule_name(bundle->rule));
        return r;
}

static int check_quote(const Bundle *bundle, Error *e) {
        VtpmAttest attest;
        int r;

        if (!bundle->has_tpm)
                return 0;
        r = vtpm_attest_parse(bundle->tpm.attest.data, bundle->tpm.attest.size, &attest, e);
        if (r < 0)
                return r;
        if (attest.extra_size != bundle->nonce_size || memcmp(attest.extra, bundle->nonce, bundle->nonce_size) != 0)
                return error_set(e, -ESTALE, "bundle-quote-nonce", "The quote is over another nonce than the report");
        return 0;
}

int bundle_check(const Bundle *bundle, Error *e) {
        int r;

        if (bundle->vek.size == 0)
                return error_set(e, -ENOENT, "bundle-vek",
                                 "There is no VCEK or VLEK certificate to put in: give --vek FILE or --certs FILE; "
                                 "'snpctl certs fetch' gets one");
        r = check_report(bundle, e);
        return r < 0 ? r : check_quote(bundle, e);
}
