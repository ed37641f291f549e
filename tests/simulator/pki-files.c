/* SPDX-License-Identifier: Apache-2.0 */
/* A hierarchy as files: what the simulator reads back, and what a broker, a guest or openssl(1) wants of it. */
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/text.h"
#include "tests/simulator/openssl.h"
#include "tests/simulator/pki-internal.h"

#define FILE_SIZE_MAX (64u * 1024u)
#define DESCRIPTION "hierarchy.ini"

static const char *const names[SIM_N_KEYS] = {
        [SIM_ARK] = "ark", [SIM_ASK] = "ask", [SIM_ASVK] = "asvk", [SIM_VCEK] = "vcek", [SIM_VLEK] = "vlek",
};
static const char *const crl_names[SIM_N_CRLS] = { [SIM_CRL_VCEK] = "vcek.crl", [SIM_CRL_VLEK] = "vlek.crl" };

static int bio_take(BIO *bio, Blob *ret, Error *e) {
        char *data;
        long n = BIO_get_mem_data(bio, &data);

        return blob_dup(data, n > 0 ? (size_t) n : 0, ret) < 0 ? error_oom(e) : 0;
}

static int no_such(SimKey which, Error *e) {
        return error_set(e, -ENOENT, "sim-no-cert", "This hierarchy has no %s", names[which]);
}

int sim_pki_cert_der(const SimPki *pki, SimKey which, Blob *ret, Error *e) {
        CLEANUP(BIO_free_allp) BIO *bio = BIO_new(BIO_s_mem());

        if (!pki->certs[which])
                return no_such(which, e);
        if (!bio || i2d_X509_bio(bio, pki->certs[which]) != 1)
                return sim_ssl_error(e, "Cannot encode a certificate");
        return bio_take(bio, ret, e);
}

static int certs_pem(const SimPki *pki, const SimKey *which, size_t n, Blob *ret, Error *e) {
        CLEANUP(BIO_free_allp) BIO *bio = BIO_new(BIO_s_mem());

        for (size_t i = 0; i < n; i++) {
                if (!pki->certs[which[i]])
                        return no_such(which[i], e);
                if (!bio || PEM_write_bio_X509(bio, pki->certs[which[i]]) != 1)
                        return sim_ssl_error(e, "Cannot encode a certificate");
        }
        return bio_take(bio, ret, e);
}

int sim_pki_cert_pem(const SimPki *pki, SimKey which, Blob *ret, Error *e) {
        return certs_pem(pki, &which, 1, ret, e);
}

int sim_pki_chain_pem(const SimPki *pki, SimKey vek, Blob *ret, Error *e) {
        return certs_pem(pki, (const SimKey[]){ vek == SIM_VLEK ? SIM_ASVK : SIM_ASK, SIM_ARK }, 2, ret, e);
}

int sim_pki_crl_der(const SimPki *pki, SimCrl which, Blob *ret, Error *e) {
        CLEANUP(BIO_free_allp) BIO *bio = BIO_new(BIO_s_mem());

        if (!bio || i2d_X509_CRL_bio(bio, pki->crls[which]) != 1)
                return sim_ssl_error(e, "Cannot encode a CRL");
        return bio_take(bio, ret, e);
}

static int key_pem(EVP_PKEY *key, Blob *ret, Error *e) {
        CLEANUP(BIO_free_allp) BIO *bio = BIO_new(BIO_s_mem());

        if (!bio || PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1)
                return sim_ssl_error(e, "Cannot encode a key");
        return bio_take(bio, ret, e);
}

static int write_new(int dirfd, const char *name, const Blob *content, Error *e) {
        AUTO_FD int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

        if (fd < 0)
                return error_set(e, -errno, "sim-write", "Cannot create %s: %s", name, error_text(NULL, -errno));
        return file_write_fd(fd, name, content->data, content->size, e);
}

static const char *const suffixes[] = { "key", "pem", "der" };

static int save_key(const SimPki *pki, int dirfd, SimKey k, Error *e) {
        int r = 0;

        for (size_t i = 0; r == 0 && i < N_ELEMENTS(suffixes); i++) {
                AUTO_BLOB Blob b = {};
                char name[16];

                (void) snprintf(name, sizeof(name), "%s.%s", names[k], suffixes[i]);
                r = i == 0 ? key_pem(pki->keys[k], &b, e)
                  : i == 1 ? sim_pki_cert_pem(pki, k, &b, e) : sim_pki_cert_der(pki, k, &b, e);
                if (r == 0)
                        r = write_new(dirfd, name, &b, e);
        }
        return r;
}

static int save_chain(const SimPki *pki, int dirfd, SimKey vek, const char *name, Error *e) {
        AUTO_BLOB Blob b = {};
        int r = sim_pki_chain_pem(pki, vek, &b, e);

        return r < 0 ? r : write_new(dirfd, name, &b, e);
}

static int save_description(const SimPki *pki, int dirfd, Error *e) {
        char tcb[SIM_TCB_TEXT_MAX], chip_id[2 * SIM_CHIP_ID_SIZE + 1];
        AUTO_FREE char *text = NULL;
        int n;

        sim_tcb_format(&pki->tcb, tcb);
        hex_encode_to(pki->chip_id, sizeof(pki->chip_id), chip_id);
        n = asprintf(&text, "product=%s\ntcb=%s\nchip-id=%s\ncsp-id=%s\nnot-before=%lld\n",
                     sim_product(pki->product)->name, tcb, chip_id, pki->csp_id, (long long) pki->not_before);
        if (n < 0) {
                text = NULL;
                return error_oom(e);
        }
        return write_new(dirfd, DESCRIPTION, &(Blob){ .data = (uint8_t *) text, .size = (size_t) n }, e);
}

static int open_dir(const char *dir, bool create, Error *e) {
        int fd;

        if (create && mkdir(dir, 0700) < 0 && errno != EEXIST)
                return error_set(e, -errno, "sim-write", "Cannot create %s: %s", dir, error_text(NULL, -errno));
        fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return error_set(e, -errno, "sim-open", "Cannot open %s: %s", dir, error_text(NULL, -errno));
        return fd;
}

int sim_pki_save(const SimPki *pki, const char *dir, Error *e) {
        AUTO_FD int dirfd = open_dir(dir, true, e);
        int r = 0;

        if (dirfd < 0)
                return dirfd;
        for (SimKey k = 0; r == 0 && k < SIM_N_KEYS; k++)
                if (pki->keys[k])
                        r = save_key(pki, dirfd, k, e);
        if (r == 0)
                r = save_chain(pki, dirfd, SIM_VCEK, "vcek-chain.pem", e);
        if (r == 0 && pki->certs[SIM_VLEK])
                r = save_chain(pki, dirfd, SIM_VLEK, "vlek-chain.pem", e);
        for (SimCrl c = 0; r == 0 && c < SIM_N_CRLS; c++) {
                AUTO_BLOB Blob b = {};

                r = sim_pki_crl_der(pki, c, &b, e);
                if (r == 0)
                        r = write_new(dirfd, crl_names[c], &b, e);
        }
        /* Last: a directory with a description is complete. */
        return r < 0 ? r : save_description(pki, dirfd, e);
}

void sim_pki_remove(const char *dir) {
        static const char *const others[] = { DESCRIPTION, "vcek-chain.pem", "vlek-chain.pem", "vcek.crl", "vlek.crl" };
        AUTO_FD int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        char name[16];

        for (size_t i = 0; dirfd >= 0 && i < N_ELEMENTS(others); i++)
                (void) unlinkat(dirfd, others[i], 0);
        for (SimKey k = 0; dirfd >= 0 && k < SIM_N_KEYS; k++)
                for (size_t i = 0; i < N_ELEMENTS(suffixes); i++) {
                        (void) snprintf(name, sizeof(name), "%s.%s", names[k], suffixes[i]);
                        (void) unlinkat(dirfd, name, 0);
                }
}

static int read_file(const char *dir, const char *name, Blob *ret, Error *e) {
        AUTO_FREE char *path = NULL;

        if (asprintf(&path, "%s/%s", dir, name) < 0) {
                path = NULL;
                return error_oom(e);
        }
        return file_read(path, FILE_SIZE_MAX, ret, e);
}

static int load_key(SimPki *pki, const char *dir, SimKey k, Error *e) {
        CLEANUP(BIO_free_allp) BIO *key_bio = NULL, *cert_bio = NULL;
        AUTO_BLOB Blob key = {}, cert = {};
        char name[16];
        int r;

        (void) snprintf(name, sizeof(name), "%s.key", names[k]);
        r = read_file(dir, name, &key, e);
        (void) snprintf(name, sizeof(name), "%s.der", names[k]);
        if (r == 0)
                r = read_file(dir, name, &cert, e);
        if (r < 0)
                return r;
        key_bio = BIO_new_mem_buf(key.data, (int) key.size);
        cert_bio = BIO_new_mem_buf(cert.data, (int) cert.size);
        if (!key_bio || !cert_bio)
                return error_oom(e);
        pki->keys[k] = PEM_read_bio_PrivateKey(key_bio, NULL, NULL, NULL);
        pki->certs[k] = d2i_X509_bio(cert_bio, NULL);
        return pki->keys[k] && pki->certs[k] ? 0 : sim_ssl_error(e, "Cannot read a key or certificate");
}

static int load_crl(SimPki *pki, const char *dir, SimCrl c, Error *e) {
        AUTO_BLOB Blob b = {};
        const uint8_t *p;
        int r = read_file(dir, crl_names[c], &b, e);

        if (r < 0)
                return r;
        p = b.data;
        pki->crls[c] = d2i_X509_CRL(NULL, &p, (long) b.size);
        return pki->crls[c] ? 0 : sim_ssl_error(e, "Cannot read a CRL");
}

typedef struct Description {
        SimPki *pki;
        Error *e;
} Description;

/* inih: non-zero = understood. */
static int on_line(void *user, const char *section, const char *key, const char *value) {
        Description *d = user;
        uint64_t seconds;
        int r;

        (void) section;
        if (strcmp(key, "product") == 0)
                r = sim_product_parse(value, &d->pki->product, d->e);
        else if (strcmp(key, "tcb") == 0)
                r = sim_tcb_parse(value, &d->pki->tcb, d->e);
        else if (strcmp(key, "chip-id") == 0)
                r = hex_decode_exact(value, strlen(value), d->pki->chip_id, SIM_CHIP_ID_SIZE);
        else if (strcmp(key, "csp-id") == 0)
                r = snprintf(d->pki->csp_id, SIM_CSP_ID_MAX, "%s", value) < SIM_CSP_ID_MAX ? 0 : -E2BIG;
        else if (strcmp(key, "not-before") == 0) {
                r = text_to_u64(value, 10, 0, INT64_MAX, &seconds);
                d->pki->not_before = r < 0 ? 0 : (time_t) seconds;
        } else
                r = -EINVAL;
        return r == 0;
}

int sim_pki_load(const char *dir, SimPki **ret, Error *e) {
        CLEANUP(sim_pki_freep) SimPki *pki = calloc(1, sizeof(*pki));
        AUTO_FREE char *path = NULL, *text = NULL;
        int r, line;

        if (!pki || asprintf(&path, "%s/" DESCRIPTION, dir) < 0) {
                path = NULL;
                return error_oom(e);
        }
        r = file_read_text(path, FILE_SIZE_MAX, &text, e);
        if (r < 0)
                return r;
        line = ini_parse_string(text, on_line, &(Description){ .pki = pki, .e = e });
        if (line != 0)
                return error_set(e, -EINVAL, "sim-hierarchy", "%s:%d is not understood", path, line);

        for (SimKey k = 0; r == 0 && k < SIM_N_KEYS; k++)
                if (pki->csp_id[0] || (k != SIM_ASVK && k != SIM_VLEK))
                        r = load_key(pki, dir, k, e);
        for (SimCrl c = 0; r == 0 && c < SIM_N_CRLS; c++)
                r = load_crl(pki, dir, c, e);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(pki);
        return 0;
}
