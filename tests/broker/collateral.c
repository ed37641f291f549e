/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/broker/collateral.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/text.h"

#define CHAIN_FILE_MAX (256u * 1024u)

/* AMD publication 57230: the subjects of these certificates are called SEV-VCEK and SEV-VLEK. */
static bool is_vek(const X509 *cert) {
        char name[64] = "";

        (void) X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, name, sizeof(name));
        return strcmp(name, "SEV-VCEK") == 0 || strcmp(name, "SEV-VLEK") == 0;
}

static int add_cert(BrokerCollateral *c, X509 *cert, const char *path, Error *e) {
        uint8_t *der = NULL;
        int n, r;

        if (c->n_certs == SNP_CERTS_MAX)
                return error_set(e, -E2BIG, "chain", "%s holds more than %d certificates", path, SNP_CERTS_MAX);
        n = i2d_X509(cert, &der);
        if (n < 0)
                return error_oom(e);
        r = blob_dup(der, (size_t) n, &c->certs[c->n_certs].bytes);
        OPENSSL_free(der);
        if (r < 0)
                return error_oom(e);
        c->certs[c->n_certs++].is_vek = is_vek(cert);
        return 0;
}

int broker_collateral_add_chain(BrokerCollateral *c, const char *path, Error *e) {
        AUTO_BLOB Blob pem = {};
        size_t before = c->n_certs;
        X509 *cert;
        BIO *bio;
        int r = file_read(path, CHAIN_FILE_MAX, &pem, e);

        if (r < 0)
                return r;
        bio = BIO_new_mem_buf(pem.data, (int) pem.size);
        if (!bio)
                return error_oom(e);
        while (r == 0 && (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
                r = add_cert(c, cert, path, e);
                X509_free(cert);
        }
        ERR_clear_error(); /* end of file is reported as an error */
        BIO_free(bio);
        if (r == 0 && c->n_certs == before)
                return error_set(e, -EBADMSG, "chain", "%s holds no certificate", path);
        return r;
}

int broker_collateral_set_store(BrokerCollateral *c, const char *dir, Error *e) {
        free(c->vek_dir);
        c->vek_dir = strdup(dir);
        return c->vek_dir ? 0 : error_oom(e);
}

void broker_collateral_done(BrokerCollateral *c) {
        for (size_t i = 0; i < c->n_certs; i++)
                blob_done(&c->certs[i].bytes);
        free(c->vek_dir);
        *c = (BrokerCollateral){};
}

static int read_stored_vcek(const BrokerCollateral *c, const SnpReport *report, Blob *ret, Error *e) {
        bool turin = report->product == SNP_PRODUCT_TURIN;
        AUTO_FREE char *hwid = hex_encode(report->chip_id, turin ? 8 : sizeof(report->chip_id));
        AUTO_FREE char *exact = NULL;
        AUTO_FREE char *any = NULL;
        char fmc[16] = "";
        SnpTcb tcb;
        int r = snp_tcb_decode(snp_product_tcb_layout(report->product), report->reported_tcb, &tcb);

        if (r < 0)
                return error_set(e, r, "vek-missing", "No TCB layout for this report");
        if (turin)
                (void) snprintf(fmc, sizeof(fmc), "_fmc%02u", tcb.fmc);
        if (!hwid || asprintf(&any, "%s/vcek/%s/vcek.der", c->vek_dir, hwid) < 0 ||
            asprintf(&exact, "%s/vcek/%s/bl%02u_tee%02u_snp%02u_ucode%02u%s_vcek.der", c->vek_dir, hwid,
                     tcb.boot_loader, tcb.tee, tcb.snp, tcb.microcode, fmc) < 0)
                return error_oom(e);
        r = file_read(exact, SNP_CERT_SIZE_MAX, ret, NULL);
        return r < 0 ? file_read(any, SNP_CERT_SIZE_MAX, ret, e) : 0;
}

static void add_others(SnpCerts *certs, const BrokerCert *from, size_t n) {
        for (size_t i = 0; i < n && certs->n_others < SNP_CERTS_MAX; i++)
                if (!from[i].is_vek)
                        certs->others[certs->n_others++] =
                                (SnpCertBytes){ .data = from[i].bytes.data, .size = from[i].bytes.size };
}

/* As Trustee does, the first VCEK or VLEK of the list is the one. */
static bool take_vek(SnpCerts *certs, const BrokerCert *from, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (from[i].is_vek) {
                        certs->vek = (SnpCertBytes){ .data = from[i].bytes.data, .size = from[i].bytes.size };
                        return true;
                }
        return false;
}

int broker_collateral_vek(const BrokerCollateral *c, const SnpTrust *trust, const BrokerEvidence *evidence,
                          const SnpReport *report, SnpVek **ret, Error *e) {
        AUTO_BLOB Blob stored = {};
        SnpCerts certs = {};
        int r;

        if (evidence->has_chain)
                (void) take_vek(&certs, evidence->certs, evidence->n_certs); /* there is one, or it had not parsed */
        else if (!take_vek(&certs, c->certs, c->n_certs)) {
                if (!c->vek_dir)
                        return error_set(e, -ENOENT, "vek-missing", "Neither evidence nor broker have a certificate");
                r = read_stored_vcek(c, report, &stored, e);
                if (r < 0)
                        return r;
                certs.vek = (SnpCertBytes){ .data = stored.data, .size = stored.size };
        }
        add_others(&certs, evidence->certs, evidence->n_certs);
        add_others(&certs, c->certs, c->n_certs);
        return snp_vek_new(trust, &certs, time(NULL), ret, e);
}
