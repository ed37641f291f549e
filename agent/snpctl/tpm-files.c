/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snpctl/tpm-files.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/snpctl/exit.h"
#include "base/file.h"
#include "base/reader.h"
#include "base/writer.h"
#include "vtpm/pcr-file.h"
#include "vtpm/public.h"

/* Larger than what the parsers take, so that "too large" is their verdict on the bytes. */
#define FILE_MAX (64u * 1024u)

static void bio_free(BIO *bio) {
        BIO_free_all(bio);
}
DEFINE_CLEANUP(BIO *, bio_free);
static void pkey_free(EVP_PKEY *key) {
        EVP_PKEY_free(key);
}
DEFINE_CLEANUP(EVP_PKEY *, pkey_free);
static void x509_free(X509 *cert) {
        X509_free(cert);
}
DEFINE_CLEANUP(X509 *, x509_free);

void tpm_files_done(TpmFiles *files) {
        blob_done(&files->message);
        blob_done(&files->signature);
        blob_done(&files->pcrs);
        blob_done(&files->public);
}

/* Path of one file, owned by the caller; NULL when it is not named. */
static int path_of(const char *dir, const char *name, const char *own, char **ret, Error *e) {
        *ret = NULL;
        if (!own && !dir)
                return 0;
        if (own)
                *ret = strdup(own);
        else if (asprintf(ret, "%s/%s", dir, name) < 0)
                *ret = NULL;
        return *ret ? 0 : error_oom(e);
}

static int read_one(const TpmFileArgs *args, const char *option, const char *name, const char *own, Blob *ret,
                    Error *e) {
        AUTO_FREE char *path = NULL;
        int r = path_of(args->dir, name, own, &path, e);

        if (r < 0)
                return r;
        if (!path)
                return ctl_usage(e, "--%s FILE is missing; see --help", option);
        return file_read(path, FILE_MAX, ret, e);
}

int tpm_files_read(const TpmFileArgs *args, TpmFiles *ret, Error *e) {
        AUTO_TPM_FILES TpmFiles files = {};
        int r;

        r = read_one(args, "message", TPM_FILE_MESSAGE, args->message, &files.message, e);
        if (r == 0)
                r = read_one(args, "signature", TPM_FILE_SIGNATURE, args->signature, &files.signature, e);
        if (r == 0)
                r = read_one(args, "pcr-file", TPM_FILE_PCRS, args->pcrs, &files.pcrs, e);
        if (r == 0)
                r = read_one(args, "public", TPM_FILE_PUBLIC, args->public, &files.public, e);
        if (r < 0)
                return r;
        *ret = files;
        files = (TpmFiles){};
        return 0;
}

static int write_one(const char *dir, const char *name, const char *own, const Blob *bytes, Error *e) {
        AUTO_FREE char *path = NULL;
        int r = path_of(dir, name, own, &path, e);

        return r < 0 || !path ? r : file_write_atomic(path, bytes->data, bytes->size, 0644, e);
}

static int write_pem(const char *dir, const Blob *public, Error *e) {
        AUTO_BLOB Blob pem = {};
        const Blob tpmt = { .data = public->data + 2, .size = public->size - 2 }; /* borrowed */
        int r = tpm_public_pem(&tpmt, &pem, e);

        return r < 0 ? r : write_one(dir, TPM_FILE_PEM, NULL, &pem, e);
}

int tpm_files_write(const TpmFileArgs *args, const TpmFiles *files, Error *e) {
        int r;

        if (args->dir && mkdir(args->dir, 0755) < 0 && errno != EEXIST)
                return error_set(e, -errno, "mkdir", "Cannot make '%s': %s", args->dir, error_text(NULL, -errno));
        r = write_one(args->dir, TPM_FILE_MESSAGE, args->message, &files->message, e);
        if (r == 0)
                r = write_one(args->dir, TPM_FILE_SIGNATURE, args->signature, &files->signature, e);
        if (r == 0)
                r = write_one(args->dir, TPM_FILE_PCRS, args->pcrs, &files->pcrs, e);
        if (r == 0)
                r = write_one(args->dir, TPM_FILE_PUBLIC, args->public, &files->public, e);
        return r < 0 || !args->dir ? r : write_pem(args->dir, &files->public, e);
}

int tpm_public_wrap(const Blob *tpmt, Blob *ret, Error *e) {
        AUTO_WRITER Writer w = wr_init(VTPM_PUBLIC_SIZE_MAX + 2);

        wr_be16(&w, (uint16_t) tpmt->size);
        wr_bytes(&w, tpmt->data, tpmt->size);
        return wr_finish(&w, ret) < 0 ? error_oom(e) : 0;
}

int tpm_public_pem(const Blob *tpmt, Blob *ret, Error *e) {
        CLEANUP(pkey_freep) EVP_PKEY *key = NULL;
        CLEANUP(bio_freep) BIO *bio = NULL;
        VtpmPublic pub;
        char *text;
        long n;
        int r;

        r = vtpm_public_parse(tpmt->data, tpmt->size, &pub, e);
        if (r == 0)
                r = vtpm_public_to_key(&pub, &key, e);
        if (r < 0)
                return r;
        bio = BIO_new(BIO_s_mem());
        if (!bio || PEM_write_bio_PUBKEY(bio, key) != 1)
                return error_oom(e);
        n = BIO_get_mem_data(bio, &text);
        return n <= 0 || blob_dup(text, (size_t) n, ret) < 0 ? error_oom(e) : 0;
}

/* ---- keys to verify with ---- */

static const struct {
        const char *name;
        uint16_t scheme, hash;
} schemes[] = {
        { "rsassa-sha256", VTPM_ALG_RSASSA, VTPM_ALG_SHA256 }, { "rsassa-sha384", VTPM_ALG_RSASSA, VTPM_ALG_SHA384 },
        { "rsassa-sha512", VTPM_ALG_RSASSA, VTPM_ALG_SHA512 }, { "rsapss-sha256", VTPM_ALG_RSAPSS, VTPM_ALG_SHA256 },
        { "rsapss-sha384", VTPM_ALG_RSAPSS, VTPM_ALG_SHA384 }, { "rsapss-sha512", VTPM_ALG_RSAPSS, VTPM_ALG_SHA512 },
        { "ecdsa-sha256", VTPM_ALG_ECDSA, VTPM_ALG_SHA256 },   { "ecdsa-sha384", VTPM_ALG_ECDSA, VTPM_ALG_SHA384 },
        { "ecdsa-sha512", VTPM_ALG_ECDSA, VTPM_ALG_SHA512 },
};

/* The usual one of its kind: what our keys and the clouds' have. */
static const char *default_scheme(const EVP_PKEY *key) {
        if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC)
                return "rsassa-sha256";
        return EVP_PKEY_get_bits(key) > 256 ? EVP_PKEY_get_bits(key) > 384 ? "ecdsa-sha512" : "ecdsa-sha384"
                                            : "ecdsa-sha256";
}

static int key_with_scheme(EVP_PKEY *key, const char *scheme, VtpmAkPublic **ret, Error *e) {
        const char *name = scheme ? scheme : default_scheme(key);

        for (size_t i = 0; i < N_ELEMENTS(schemes); i++)
                if (strcmp(schemes[i].name, name) == 0)
                        return vtpm_ak_public_new_from_key(key, schemes[i].scheme, schemes[i].hash, ret, e);
        return ctl_usage(e, "--scheme '%.20s' is not like rsassa-sha256, rsapss-sha256 or ecdsa-sha256", name);
}

/* OpenSSL would ask for one at the terminal. */
static int no_password(char *to, int size, int writing, void *unused) {
        (void) to;
        (void) size;
        (void) writing;
        (void) unused;
        return -1;
}

static int read_pem(const Blob *file, const char *scheme, VtpmAkPublic **ret, Error *e) {
        CLEANUP(bio_freep) BIO *bio = BIO_new_mem_buf(file->data, (int) file->size);
        CLEANUP(pkey_freep) EVP_PKEY *key = NULL;
        CLEANUP(x509_freep) X509 *cert = NULL;

        if (!bio)
                return error_oom(e);
        key = PEM_read_bio_PUBKEY(bio, NULL, no_password, NULL);
        if (!key && BIO_reset(bio) == 1) {
                cert = PEM_read_bio_X509(bio, NULL, no_password, NULL);
                key = cert ? X509_get_pubkey(cert) : NULL;
        }
        if (!key)
                return error_set(e, -EBADMSG, "ak-pem", "No public key or certificate can be read from the PEM file");
        return key_with_scheme(key, scheme, ret, e);
}

static bool is_pem(const Blob *file) {
        static const char begin[] = "-----BEGIN ";

        return file->size >= sizeof(begin) - 1 && memcmp(file->data, begin, sizeof(begin) - 1) == 0;
}

Blob tpm_public_unwrap(const Blob *file) {
        if (is_pem(file))
                return (Blob){};
        /* A TPMT_PUBLIC starts with 0x0001 or 0x0023, and is longer than that. */
        if (file->size >= 2 && load_be16(file->data) == file->size - 2)
                return (Blob){ .data = file->data + 2, .size = file->size - 2 };
        return *file;
}

int tpm_public_read(const Blob *file, const char *scheme, VtpmAkPublic **ret, bool *ret_checked, Error *e) {
        const Blob tpmt = tpm_public_unwrap(file);
        int r;

        *ret_checked = false;
        if (is_pem(file))
                return read_pem(file, scheme, ret, e);
        if (scheme)
                return ctl_usage(e, "--scheme is for keys in PEM; this file says what its key signs with");
        r = vtpm_ak_public_new(tpmt.data, tpmt.size, ret, e);
        *ret_checked = r == 0;
        return r;
}
