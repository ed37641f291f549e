/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snpctl/cert-files.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"

void cert_files_done(CertFiles *files) {
        for (size_t i = 0; i < files->n; i++)
                free(files->paths[i]);
        *files = (CertFiles){};
}

typedef struct Target {
        const char *dir;
        bool der;
        CertFiles *files;
} Target;

static int write_file(const Target *t, const char *name, const void *data, size_t size, Error *e) {
        char *path;
        int r;

        if (asprintf(&path, "%s/%s.%s", t->dir, name, t->der ? "der" : "pem") < 0)
                return error_oom(e);
        r = file_write_atomic(path, data, size, 0644, e);
        if (r < 0) {
                free(path);
                return r;
        }
        t->files->paths[t->files->n++] = path;
        return 0;
}

static int write_der(const Target *t, const char *name, const char *label, const uint8_t *data, size_t size, Error *e) {
        BIO *bio;
        char *text;
        long n;
        int r;

        if (t->der)
                return write_file(t, name, data, size, e);
        bio = BIO_new(BIO_s_mem());
        if (!bio || PEM_write_bio(bio, label, "", data, (long) size) <= 0) {
                (void) BIO_free(bio);
                return error_oom(e);
        }
        n = BIO_get_mem_data(bio, &text);
        r = write_file(t, name, text, (size_t) n, e);
        (void) BIO_free(bio);
        return r;
}

/* ASK or ASVK, then ARK: the form in which a chain is kept. */
static int write_chain(const Target *t, const Blob *chain, bool is_vlek, Error *e) {
        const char *const names[] = { is_vlek ? "asvk" : "ask", "ark" };
        BIO *bio = BIO_new_mem_buf(chain->data, (int) chain->size);
        int r = bio ? 0 : error_oom(e);

        for (size_t i = 0; i < N_ELEMENTS(names) && r == 0; i++) {
                char *name = NULL, *header = NULL;
                uint8_t *der = NULL;
                long n = 0;

                if (PEM_read_bio(bio, &name, &header, &der, &n) == 1)
                        r = write_der(t, names[i], "CERTIFICATE", der, (size_t) n, e);
                else
                        r = error_set(e, -EBADMSG, "chain-form", "The chain is not two certificates in PEM");
                OPENSSL_free(name);
                OPENSSL_free(header);
                OPENSSL_free(der);
        }
        (void) BIO_free(bio);
        ERR_clear_error();
        return r;
}

int cert_files_write(const SnpCollateral *c, const char *dir, bool der, CertFiles *ret, Error *e) {
        bool is_vlek = snp_collateral_id(c)->key == SNP_SIGNING_KEY_VLEK;
        const Blob *chain = snp_collateral_get(c, SNP_PART_CHAIN), *vek = snp_collateral_get(c, SNP_PART_VEK),
                   *crl = snp_collateral_get(c, SNP_PART_CRL);
        AUTO_CERT_FILES CertFiles files = {};
        const Target t = { .dir = dir, .der = der, .files = &files };
        int r = 0;

        if (mkdir(dir, 0755) < 0 && errno != EEXIST)
                return error_set(e, -errno, "mkdir-failed", "Cannot make %s: %s", dir, error_text(NULL, -errno));
        if (chain)
                r = write_chain(&t, chain, is_vlek, e);
        if (r == 0 && vek)
                r = write_der(&t, is_vlek ? "vlek" : "vcek", "CERTIFICATE", vek->data, vek->size, e);
        if (r == 0 && crl)
                r = write_der(&t, "crl", "X509 CRL", crl->data, crl->size, e);
        if (r < 0)
                return r;
        *ret = files;
        files = (CertFiles){};
        return 0;
}
