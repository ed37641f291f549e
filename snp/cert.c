/* SPDX-License-Identifier: Apache-2.0 */

/*
 * AMD's certificate profile (publication 57230, VCEK and VLEK certificate specification, section on X.509 fields).
 * Chain building in libcrypto compares names and signatures but does not care which algorithm signed, so what AMD
 * fixes is checked here: names, signature parameters, key type, CA rights.
 */

#include "snp/cert.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#define CN_MAX 64           /* ub-common-name of RFC 5280; AMD's are shorter than 20 */
#define DER_SEQUENCE 0x30   /* first byte of every DER certificate; no PEM text begins with '0' */
#define PSS_SALT_LENGTH 48  /* the size of the digest */
#define PSS_TRAILER_FIELD 1 /* RFC 8017 A.2.3; the only value, explicit in older certificates, absent in newer */
#define CA_KEY_BITS 4096

DEFINE_CLEANUP(BIO *, BIO_free_all);
DEFINE_CLEANUP(RSA_PSS_PARAMS *, RSA_PSS_PARAMS_free);
DEFINE_CLEANUP(X509_ALGOR *, X509_ALGOR_free);

static void cleanup_openssl(void *p) {
        OPENSSL_free(*(void **) p);
}
#define AUTO_OPENSSL CLEANUP(cleanup_openssl)

void snp_cert_list_done(SnpCertList *list) {
        for (size_t i = 0; i < list->n; i++)
                X509_free(list->certs[i]);
        *list = (SnpCertList){};
}

static int add_der(SnpCertList *list, const uint8_t *data, size_t size, const char *what, Error *e) {
        const uint8_t *p = data;
        AUTO_X509 X509 *cert = NULL;

        if (list->n == SNP_CERT_LIST_MAX)
                return error_set(e, -E2BIG, "cert-count", "%s: more than %d certificates", what, SNP_CERT_LIST_MAX);
        cert = d2i_X509(NULL, &p, (long) size);
        if (!cert)
                return error_set(e, -EBADMSG, "cert-malformed", "%s is not an X.509 certificate", what);
        if (p != data + size)
                return error_set(e, -EBADMSG, "cert-trailing-bytes", "%s: %zu bytes follow the certificate", what,
                                 (size_t) (data + size - p));
        list->certs[list->n++] = TAKE_PTR(cert);
        return 0;
}

/* Return: 1 and one more certificate; 0 at the end of the text; -EBADMSG. */
static int add_next_pem(SnpCertList *list, BIO *text, const char *what, Error *e) {
        AUTO_OPENSSL char *name = NULL;
        AUTO_OPENSSL char *header = NULL;
        AUTO_OPENSSL unsigned char *data = NULL;
        long size = 0;
        int r;

        /* Not PEM_read_bio_X509(): that one would ask a terminal for the pass phrase of an encrypted block. */
        if (PEM_read_bio_ex(text, &name, &header, &data, &size, PEM_FLAG_ONLY_B64) != 1) {
                if (ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE)
                        return 0;
                return error_set(e, -EBADMSG, "cert-malformed", "%s is not PEM", what);
        }
        if (strcmp(name, PEM_STRING_X509) != 0 || header[0] != '\0')
                return error_set(e, -EBADMSG, "cert-malformed", "%s holds a PEM block that is no certificate: '%.32s'",
                                 what, name);
        r = add_der(list, data, (size_t) size, what, e);
        return r < 0 ? r : 1;
}

static int add_pem(SnpCertList *list, const void *data, size_t size, const char *what, Error *e) {
        CLEANUP(BIO_free_allp) BIO *text = BIO_new_mem_buf(data, (int) size);
        size_t before = list->n;
        int r;

        if (!text)
                return error_oom(e);
        do
                r = add_next_pem(list, text, what, e);
        while (r > 0);
        if (r == 0 && list->n == before)
                return error_set(e, -EBADMSG, "cert-malformed", "%s is neither DER nor PEM", what);
        return r;
}

int snp_cert_list_add(SnpCertList *list, const void *data, size_t size, const char *what, Error *e) {
        int r;

        if (size > INT32_MAX)
                return error_set(e, -E2BIG, "cert-size", "%s has %zu bytes", what, size);
        (void) ERR_set_mark();
        if (size == 0)
                r = error_set(e, -EBADMSG, "cert-malformed", "%s is empty", what);
        else if (*(const uint8_t *) data == DER_SEQUENCE)
                r = add_der(list, data, size, what, e);
        else
                r = add_pem(list, data, size, what, e);
        (void) ERR_pop_to_mark();
        return r;
}

/* The attributes before the common name, in the order in which AMD writes them. */
static const struct {
        int nid;
        const char *value;
} name_attributes[] = {
        { NID_organizationalUnitName, "Engineering" },
        { NID_countryName, "US" },
        { NID_localityName, "Santa Clara" },
        { NID_stateOrProvinceName, "CA" },
        { NID_organizationName, "Advanced Micro Devices" },
};

/* Attribute @index of @name, when it is of type @nid. */
static const ASN1_STRING *attribute(const X509_NAME *name, int index, int nid) {
        const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, index);

        if (!entry || OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)) != nid)
                return NULL;
        return X509_NAME_ENTRY_get_data(entry);
}

static bool string_is(const ASN1_STRING *s, const char *value) {
        size_t n = strlen(value);

        return s && (size_t) ASN1_STRING_length(s) == n && memcmp(ASN1_STRING_get0_data(s), value, n) == 0;
}

/* Copies the common name out of a name that is otherwise AMD's to the letter. */
static bool common_name(const X509_NAME *name, char ret[static CN_MAX + 1]) {
        int n = (int) N_ELEMENTS(name_attributes);
        const ASN1_STRING *cn;

        if (X509_NAME_entry_count(name) != n + 1)
                return false;
        for (int i = 0; i < n; i++)
                if (!string_is(attribute(name, i, name_attributes[i].nid), name_attributes[i].value))
                        return false;
        cn = attribute(name, n, NID_commonName);
        if (!cn || ASN1_STRING_length(cn) > CN_MAX)
                return false;
        (void) snprintf(ret, CN_MAX + 1, "%.*s", ASN1_STRING_length(cn), (const char *) ASN1_STRING_get0_data(cn));
        return string_is(cn, ret); /* no NUL inside */
}

/* Common name prefixes; the product line follows where @..._product is set. */
static const struct {
        const char *name, *subject, *issuer;
        bool subject_product;
} roles[SNP_N_ROLES] = {
        [SNP_ROLE_NONE] = { .name = "unknown" },
        [SNP_ROLE_ARK] = { "ARK", "ARK-", "ARK-", true },
        [SNP_ROLE_ASK] = { "ASK", "SEV-", "ARK-", true },
        [SNP_ROLE_ASVK] = { "ASVK", "SEV-VLEK-", "ARK-", true },
        [SNP_ROLE_VCEK] = { "VCEK", "SEV-VCEK", "SEV-", false },
        [SNP_ROLE_VLEK] = { "VLEK", "SEV-VLEK", "SEV-VLEK-", false },
};

static bool is_prefix_and_product(const char *cn, const char *prefix, SnpProduct product) {
        size_t n = strlen(prefix);

        return strncmp(cn, prefix, n) == 0 && strcmp(cn + n, snp_product_name(product)) == 0;
}

static bool has_role(const char *subject, const char *issuer, SnpCertRole role, SnpProduct product) {
        if (!is_prefix_and_product(issuer, roles[role].issuer, product))
                return false;
        if (roles[role].subject_product)
                return is_prefix_and_product(subject, roles[role].subject, product);
        return strcmp(subject, roles[role].subject) == 0;
}

SnpCertRole snp_cert_role(X509 *cert, SnpProduct *ret_product) {
        char subject[CN_MAX + 1], issuer[CN_MAX + 1];

        *ret_product = SNP_PRODUCT_UNKNOWN;
        if (!common_name(X509_get_subject_name(cert), subject) || !common_name(X509_get_issuer_name(cert), issuer))
                return SNP_ROLE_NONE;
        for (SnpProduct product = SNP_PRODUCT_UNKNOWN + 1; product < SNP_N_PRODUCTS; product++)
                for (SnpCertRole role = SNP_ROLE_NONE + 1; role < SNP_N_ROLES; role++)
                        if (has_role(subject, issuer, role, product)) {
                                *ret_product = product;
                                return role;
                        }
        return SNP_ROLE_NONE;
}

const char *snp_cert_role_name(SnpCertRole role) {
        return role < SNP_N_ROLES ? roles[role].name : roles[SNP_ROLE_NONE].name;
}

static bool is_sha384(const X509_ALGOR *algorithm) {
        const ASN1_OBJECT *oid = NULL;
        int type = V_ASN1_UNDEF;

        if (!algorithm)
                return false;
        X509_ALGOR_get0(&oid, &type, NULL, algorithm);
        return OBJ_obj2nid(oid) == NID_sha384 && (type == V_ASN1_NULL || type == V_ASN1_UNDEF);
}

/* The parameters of @algorithm when it is @nid with a SEQUENCE of parameters, else NULL. */
static const ASN1_STRING *parameters(const X509_ALGOR *algorithm, int nid) {
        const ASN1_OBJECT *oid = NULL;
        const void *value = NULL;
        int type = V_ASN1_UNDEF;

        if (!algorithm)
                return NULL;
        X509_ALGOR_get0(&oid, &type, &value, algorithm);
        return OBJ_obj2nid(oid) == nid && type == V_ASN1_SEQUENCE ? value : NULL;
}

static bool is_mgf1_sha384(const X509_ALGOR *algorithm) {
        const ASN1_STRING *packed = parameters(algorithm, NID_mgf1);
        CLEANUP(X509_ALGOR_freep) X509_ALGOR *hash = NULL;

        if (packed)
                hash = ASN1_item_unpack(packed, ASN1_ITEM_rptr(X509_ALGOR));
        return is_sha384(hash);
}

/* RSASSA-PSS-params of RFC 4055, section 3.1. The defaults there are SHA-1 and 20, so nothing may be left out. */
bool snp_cert_is_pss_sha384(const X509_ALGOR *algorithm) {
        const ASN1_STRING *packed = parameters(algorithm, NID_rsassaPss);
        CLEANUP(RSA_PSS_PARAMS_freep) RSA_PSS_PARAMS *pss = NULL;

        if (packed)
                pss = ASN1_item_unpack(packed, ASN1_ITEM_rptr(RSA_PSS_PARAMS));
        if (!pss || !is_sha384(pss->hashAlgorithm) || !is_mgf1_sha384(pss->maskGenAlgorithm))
                return false;
        if (!pss->saltLength || ASN1_INTEGER_get(pss->saltLength) != PSS_SALT_LENGTH)
                return false;
        return !pss->trailerField || ASN1_INTEGER_get(pss->trailerField) == PSS_TRAILER_FIELD;
}

/* Algorithm of the subject's key, and its parameter when that is an OID (a named curve). */
static void key_algorithm(X509 *cert, int *ret_nid, int *ret_curve) {
        X509_ALGOR *algorithm = NULL;
        const ASN1_OBJECT *oid = NULL;
        const void *value = NULL;
        int type = V_ASN1_UNDEF;

        *ret_nid = *ret_curve = NID_undef;
        if (X509_PUBKEY_get0_param(NULL, NULL, NULL, &algorithm, X509_get_X509_PUBKEY(cert)) != 1)
                return;
        X509_ALGOR_get0(&oid, &type, &value, algorithm);
        *ret_nid = OBJ_obj2nid(oid);
        if (type == V_ASN1_OBJECT)
                *ret_curve = OBJ_obj2nid(value);
}

static int check_ca(X509 *cert, SnpCertRole role, Error *e) {
        EVP_PKEY *key = X509_get0_pubkey(cert);
        int nid, curve;

        key_algorithm(cert, &nid, &curve);
        if (nid != NID_rsaEncryption || !key || EVP_PKEY_get_bits(key) != CA_KEY_BITS)
                return error_set(e, -EBADMSG, "cert-key", "%s certificate: the key is not RSA with %d bits",
                                 snp_cert_role_name(role), CA_KEY_BITS);
        /* 1: basicConstraints says CA, and keyUsage, where there is one, allows to sign certificates. Higher values
         * are concessions to certificates without basicConstraints. */
        if (X509_check_ca(cert) != 1 || !(X509_get_extension_flags(cert) & EXFLAG_KUSAGE))
                return error_set(e, -EBADMSG, "cert-ca", "%s certificate: not marked as a certificate authority",
                                 snp_cert_role_name(role));
        if (role != SNP_ROLE_ARK && X509_get_pathlen(cert) != 0)
                return error_set(e, -EBADMSG, "cert-ca", "%s certificate: path length is not 0",
                                 snp_cert_role_name(role));
        return 0;
}

static int check_leaf(X509 *cert, SnpCertRole role, Error *e) {
        int nid, curve;

        key_algorithm(cert, &nid, &curve);
        if (nid != NID_X9_62_id_ecPublicKey || curve != NID_secp384r1 || !X509_get0_pubkey(cert))
                return error_set(e, -EBADMSG, "cert-key", "%s certificate: the key is not a point on the curve P-384",
                                 snp_cert_role_name(role));
        if (X509_check_ca(cert) != 0)
                return error_set(e, -EBADMSG, "cert-ca", "%s certificate: marked as a certificate authority",
                                 snp_cert_role_name(role));
        return 0;
}

static int check_profile(X509 *cert, SnpCertRole role, Error *e) {
        if (X509_get_version(cert) != X509_VERSION_3)
                return error_set(e, -EBADMSG, "cert-version", "%s certificate: not X.509 version 3",
                                 snp_cert_role_name(role));
        if (!snp_cert_is_pss_sha384(X509_get0_tbs_sigalg(cert)))
                return error_set(e, -EBADMSG, "cert-algorithm",
                                 "%s certificate: not signed with RSASSA-PSS, SHA-384, MGF1-SHA-384, salt 48",
                                 snp_cert_role_name(role));
        if (X509_get_extension_flags(cert) & EXFLAG_INVALID)
                return error_set(e, -EBADMSG, "cert-extension", "%s certificate: malformed extensions",
                                 snp_cert_role_name(role));
        switch (role) {
        case SNP_ROLE_ARK:
        case SNP_ROLE_ASK:
        case SNP_ROLE_ASVK:
                return check_ca(cert, role, e);
        case SNP_ROLE_VCEK:
        case SNP_ROLE_VLEK:
                return check_leaf(cert, role, e);
        case SNP_ROLE_NONE:
        case SNP_N_ROLES:
        default:
                return error_set(e, -EBADMSG, "cert-names", "Certificate has no name of AMD's hierarchy");
        }
}

int snp_cert_check_profile(X509 *cert, SnpCertRole role, Error *e) {
        int r;

        (void) ERR_set_mark();
        r = check_profile(cert, role, e);
        (void) ERR_pop_to_mark();
        return r;
}

int snp_cert_spki_digest(X509 *cert, uint8_t ret[static SNP_SPKI_DIGEST_SIZE], Error *e) {
        AUTO_OPENSSL unsigned char *spki = NULL;
        int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &spki);

        if (n <= 0 || EVP_Digest(spki, (size_t) n, ret, NULL, EVP_sha384(), NULL) != 1)
                return error_oom(e);
        return 0;
}
