/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/broker/tls-pki.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"

#define DAY 86400L

typedef struct Identity {
        EVP_PKEY *key;
        X509 *cert;
} Identity;

static void identity_done(Identity *i) {
        EVP_PKEY_free(i->key);
        X509_free(i->cert);
}

typedef struct Profile {
        const char *name; /* of the files, and the common name */
        const char *san;  /* NULL: a CA */
        const char *usage;
        long from, until; /* seconds from now */
        bool by_other_ca;
} Profile;

#define LOCAL_NAMES "IP:127.0.0.1,DNS:localhost"

static const Profile servers[] = {
        { "server", LOCAL_NAMES, "serverAuth", -DAY, DAY, false },
        { "proxy", LOCAL_NAMES, "serverAuth", -DAY, DAY, false },
        { "expired", LOCAL_NAMES, "serverAuth", -3 * DAY, -DAY, false },
        { "early", LOCAL_NAMES, "serverAuth", DAY, 3 * DAY, false },
        { "wrong-name", "DNS:broker.invalid", "serverAuth", -DAY, DAY, false },
        { "client-only", LOCAL_NAMES, "clientAuth", -DAY, DAY, false },
        { "other", LOCAL_NAMES, "serverAuth", -DAY, DAY, true },
};

static bool add_extension(X509 *cert, X509 *issuer, int nid, const char *value) {
        X509_EXTENSION *extension;
        X509V3_CTX ctx;
        bool ok;

        X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
        extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
        ok = extension && X509_add_ext(cert, extension, -1) == 1;
        X509_EXTENSION_free(extension);
        return ok;
}

static bool add_extensions(const Profile *p, X509 *cert, X509 *issuer) {
        if (!add_extension(cert, issuer, NID_subject_key_identifier, "hash") ||
            !add_extension(cert, issuer, NID_authority_key_identifier, "keyid:always"))
                return false;
        if (!p->san)
                return add_extension(cert, issuer, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                       add_extension(cert, issuer, NID_key_usage, "critical,keyCertSign");
        return add_extension(cert, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
               add_extension(cert, issuer, NID_key_usage, "critical,digitalSignature") &&
               add_extension(cert, issuer, NID_ext_key_usage, p->usage) &&
               add_extension(cert, issuer, NID_subject_alt_name, p->san);
}

static bool set_names(const Profile *p, X509 *cert, X509 *issuer) {
        X509_NAME *name = X509_get_subject_name(cert);
        uint64_t serial;

        return RAND_bytes((uint8_t *) &serial, sizeof(serial)) == 1 &&
               ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), serial >> 1 | 1) == 1 &&
               X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *) p->name, -1, -1, 0) == 1 &&
               X509_set_issuer_name(cert, X509_get_subject_name(issuer)) == 1;
}

/* @ca NULL: signs itself. */
static int identity_new(const Profile *p, const Identity *ca, Identity *ret, Error *e) {
        CLEANUP(identity_done) Identity i = { .key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"), .cert = X509_new() };
        X509 *issuer = ca ? ca->cert : i.cert;

        if (!i.key || !i.cert || X509_set_version(i.cert, X509_VERSION_3) != 1 || X509_set_pubkey(i.cert, i.key) != 1 ||
            !X509_gmtime_adj(X509_getm_notBefore(i.cert), p->from) ||
            !X509_gmtime_adj(X509_getm_notAfter(i.cert), p->until) || !set_names(p, i.cert, issuer) ||
            !add_extensions(p, i.cert, issuer) || X509_sign(i.cert, ca ? ca->key : i.key, EVP_sha256()) == 0)
                return error_set(e, -EIO, "tls-pki", "Cannot make certificate '%s'", p->name);
        *ret = i;
        i = (Identity){};
        return 0;
}

static int store(const char *dir, const char *name, const char *suffix, BIO *bio, mode_t mode, Error *e) {
        AUTO_FREE char *path = NULL;
        char *data;
        long n = BIO_get_mem_data(bio, &data);

        if (asprintf(&path, "%s/%s.%s", dir, name, suffix) < 0)
                return error_oom(e);
        return file_write_atomic(path, data, (size_t) n, mode, e);
}

static int store_identity(const char *dir, const char *name, const Identity *i, bool with_key, Error *e) {
        BIO *cert = BIO_new(BIO_s_mem()), *key = BIO_new(BIO_s_secmem());
        int r;

        if (!cert || !key || PEM_write_bio_X509(cert, i->cert) != 1 ||
            PEM_write_bio_PKCS8PrivateKey(key, i->key, NULL, NULL, 0, NULL, NULL) != 1)
                r = error_oom(e);
        else
                r = store(dir, name, "pem", cert, 0644, e);
        if (r == 0 && with_key)
                r = store(dir, name, "key", key, 0600, e);
        BIO_free(cert);
        BIO_free(key);
        return r;
}

int broker_pki_make(const char *dir, Error *e) {
        static const Profile ca_profile = { .name = "snp-agent test CA", .from = -10 * DAY, .until = 10 * DAY };
        static const Profile other_profile = { .name = "snp-agent other CA", .from = -10 * DAY, .until = 10 * DAY };
        CLEANUP(identity_done) Identity ca = {};
        CLEANUP(identity_done) Identity other = {};
        int r;

        if (mkdir(dir, 0700) < 0 && errno != EEXIST)
                return error_set(e, -errno, "tls-pki", "Cannot make %s: %s", dir, error_text(NULL, -errno));
        r = identity_new(&ca_profile, NULL, &ca, e);
        if (r == 0)
                r = identity_new(&other_profile, NULL, &other, e);
        if (r == 0)
                r = store_identity(dir, "ca", &ca, false, e);
        if (r == 0)
                r = store_identity(dir, "other-ca", &other, false, e);
        for (size_t i = 0; r == 0 && i < N_ELEMENTS(servers); i++) {
                CLEANUP(identity_done) Identity server = {};

                r = identity_new(&servers[i], servers[i].by_other_ca ? &other : &ca, &server, e);
                if (r == 0)
                        r = store_identity(dir, servers[i].name, &server, true, e);
        }
        return r;
}
