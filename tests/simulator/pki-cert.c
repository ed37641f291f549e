/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates and CRLs, field by field as AMD's publication 57230 describes them and as genuine ones are
 * encoded: RSASSA-PSS with SHA-384 and 48 bytes of salt everywhere, names in the order OU C L ST O CN,
 * VEKs with serial 0 and none of the usual X.509 extensions. Certificates of CAs spell out the default
 * trailerField of the PSS parameters and those of VEKs leave it out, because both encodings are in the
 * field and a reader must cope with both.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/simulator/openssl.h"
#include "tests/simulator/pki-internal.h"

#define PSS_SALT_SIZE 48
#define CA_YEARS 25
#define VCEK_YEARS 7
#define VLEK_YEARS 1
#define CRL_YEARS 1

#define AMD_ARC "1.3.6.1.4.1.3704.1"

/* 1 = done, as OpenSSL counts. */
static int sign_init(EVP_MD_CTX *ctx, EVP_PKEY *key) {
        EVP_PKEY_CTX *pctx;

        return EVP_DigestSignInit(ctx, &pctx, EVP_sha384(), NULL, key) == 1 &&
               EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_mgf1_md(pctx, EVP_sha384()) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, PSS_SALT_SIZE) == 1;
}

/* OpenSSL hands out the signature parts of a certificate read-only, and has no call to choose their encoding. */
static void *writable(const void *p) {
        return (void *) (uintptr_t) p;
}

static int add_trailer_field(X509_ALGOR *alg) {
        CLEANUP(RSA_PSS_PARAMS_freep) RSA_PSS_PARAMS *pss = NULL;
        const ASN1_OBJECT *oid;
        ASN1_STRING *packed;
        const void *param;
        int type;

        X509_ALGOR_get0(&oid, &type, &param, alg);
        pss = ASN1_item_unpack(param, ASN1_ITEM_rptr(RSA_PSS_PARAMS));
        if (!pss)
                return 0;
        pss->trailerField = ASN1_INTEGER_new();
        if (!pss->trailerField || ASN1_INTEGER_set(pss->trailerField, 1) != 1)
                return 0;
        packed = ASN1_item_pack(pss, ASN1_ITEM_rptr(RSA_PSS_PARAMS), NULL);
        return packed && X509_ALGOR_set0(alg, OBJ_nid2obj(NID_rsassaPss), V_ASN1_SEQUENCE, packed) == 1;
}

/* Signs once more, now over an AlgorithmIdentifier with the explicit trailerField. */
static int sign_with_trailer_field(X509 *cert, EVP_PKEY *key) {
        CLEANUP(EVP_MD_CTX_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        const ASN1_BIT_STRING *signature;
        const X509_ALGOR *outer;
        uint8_t bytes[512]; /* RSA-4096 */
        size_t n = sizeof(bytes);
        uint8_t *tbs = NULL;
        int len, ok = 0;

        X509_get0_signature(&signature, &outer, cert);
        if (!ctx || !add_trailer_field(writable(X509_get0_tbs_sigalg(cert))) || !add_trailer_field(writable(outer)))
                return 0;
        len = i2d_re_X509_tbs(cert, &tbs);
        if (len > 0)
                ok = sign_init(ctx, key) && EVP_DigestSign(ctx, bytes, &n, tbs, (size_t) len) == 1 &&
                     ASN1_STRING_set(writable(signature), bytes, (int) n) == 1;
        OPENSSL_free(tbs);
        return ok;
}

static int sign_cert(X509 *cert, EVP_PKEY *key, bool trailer_field) {
        CLEANUP(EVP_MD_CTX_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();

        return ctx && sign_init(ctx, key) && X509_sign_ctx(cert, ctx) > 0 &&
               (!trailer_field || sign_with_trailer_field(cert, key));
}

static X509_NAME *amd_name(const char *common_name) {
        const struct {
                const char *field, *value;
        } entries[] = {
                { "OU", "Engineering" }, { "C", "US" }, { "L", "Santa Clara" },
                { "ST", "CA" }, { "O", "Advanced Micro Devices" }, { "CN", common_name },
        };
        CLEANUP(X509_NAME_freep) X509_NAME *name = X509_NAME_new();

        for (size_t i = 0; name && i < N_ELEMENTS(entries); i++)
                if (X509_NAME_add_entry_by_txt(name, entries[i].field, MBSTRING_UTF8,
                                               (const unsigned char *) entries[i].value, -1, -1, 0) != 1)
                        return NULL;
        return TAKE_PTR(name);
}

/* The CN of a certificate: ARK-Genoa, SEV-Genoa, SEV-VLEK-Genoa, SEV-VCEK, SEV-VLEK. */
static X509_NAME *subject_of(const SimPki *pki, SimKey which) {
        static const char *const formats[SIM_N_KEYS] = {
                [SIM_ARK] = "ARK-", [SIM_ASK] = "SEV-", [SIM_ASVK] = "SEV-VLEK-",
                [SIM_VCEK] = "SEV-VCEK", [SIM_VLEK] = "SEV-VLEK",
        };
        char cn[64];

        (void) snprintf(cn, sizeof(cn), "%s%s", formats[which],
                        sim_key_is_ca(which) ? sim_product(pki->product)->name : "");
        return amd_name(cn);
}

static SimKey issuer_of(SimKey which) {
        return which == SIM_VCEK ? SIM_ASK : which == SIM_VLEK ? SIM_ASVK : SIM_ARK;
}

static time_t years_after(time_t t, int years) {
        struct tm tm;

        (void) gmtime_r(&t, &tm);
        tm.tm_year += years;
        return timegm(&tm);
}

/* Everything but the extensions and the signature. */
static X509 *cert_begin(const SimPki *pki, SimKey which, uint32_t serial, int years) {
        CLEANUP(X509_NAME_freep) X509_NAME *subject = subject_of(pki, which);
        CLEANUP(X509_NAME_freep) X509_NAME *issuer = subject_of(pki, issuer_of(which));
        CLEANUP(ASN1_TIME_freep) ASN1_TIME *from = ASN1_TIME_set(NULL, pki->not_before);
        CLEANUP(ASN1_TIME_freep) ASN1_TIME *until = ASN1_TIME_set(NULL, years_after(pki->not_before, years));
        CLEANUP(X509_freep) X509 *cert = X509_new();

        if (!subject || !issuer || !from || !until || !cert || X509_set_version(cert, X509_VERSION_3) != 1 ||
            ASN1_INTEGER_set(X509_get_serialNumber(cert), (long) serial) != 1 ||
            X509_set_issuer_name(cert, issuer) != 1 || X509_set_subject_name(cert, subject) != 1 ||
            X509_set1_notBefore(cert, from) != 1 || X509_set1_notAfter(cert, until) != 1 ||
            X509_set_pubkey(cert, pki->keys[which]) != 1)
                return NULL;
        return TAKE_PTR(cert);
}

static int add_standard(X509 *cert, X509 *issuer, int nid, const char *value) {
        CLEANUP(X509_EXTENSION_freep) X509_EXTENSION *extension = NULL;
        X509V3_CTX ctx;

        X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
        extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
        return extension && X509_add_ext(cert, extension, -1) == 1;
}

/* In the order of genuine certificates, which differs between root and intermediates. */
static int add_ca_extensions(const SimPki *pki, SimKey which, X509 *cert) {
        X509 *ark = pki->certs[SIM_ARK];
        char crl[80];

        (void) snprintf(crl, sizeof(crl), "URI:https://kdsintf.amd.com/%s/v1/%s/crl",
                        which == SIM_ASVK ? "vlek" : "vcek", sim_product(pki->product)->name);
        if (which == SIM_ARK)
                return add_standard(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign") &&
                       add_standard(cert, cert, NID_subject_key_identifier, "hash") &&
                       add_standard(cert, cert, NID_basic_constraints, "critical,CA:TRUE") &&
                       add_standard(cert, cert, NID_crl_distribution_points, crl);
        return add_standard(cert, ark, NID_subject_key_identifier, "hash") &&
               add_standard(cert, ark, NID_authority_key_identifier, "keyid:always") &&
               add_standard(cert, ark, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
               add_standard(cert, ark, NID_key_usage, "critical,keyCertSign") &&
               add_standard(cert, ark, NID_crl_distribution_points, crl);
}

int sim_cert_issue_ca(const SimPki *pki, SimKey which, X509 **ret, Error *e) {
        const SimProductInfo *product = sim_product(pki->product);
        uint32_t serial = which == SIM_ARK ? product->ark_serial
                        : which == SIM_ASK ? product->ask_serial : product->asvk_serial;
        CLEANUP(X509_freep) X509 *cert = cert_begin(pki, which, serial, CA_YEARS);

        if (!cert || !add_ca_extensions(pki, which, cert) || !sign_cert(cert, pki->keys[SIM_ARK], true))
                return sim_ssl_error(e, "Cannot issue a CA certificate");
        *ret = TAKE_PTR(cert);
        return 0;
}

static int add_raw(X509 *cert, const char *suffix, const void *value, size_t n) {
        CLEANUP(ASN1_OCTET_STRING_freep) ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
        CLEANUP(X509_EXTENSION_freep) X509_EXTENSION *extension = NULL;
        CLEANUP(ASN1_OBJECT_freep) ASN1_OBJECT *oid = NULL;
        char dotted[64];

        (void) snprintf(dotted, sizeof(dotted), AMD_ARC ".%s", suffix);
        oid = OBJ_txt2obj(dotted, 1);
        if (!oid || !octets || ASN1_OCTET_STRING_set(octets, value, (int) n) != 1)
                return 0;
        extension = X509_EXTENSION_create_by_OBJ(NULL, oid, 0, octets);
        return extension && X509_add_ext(cert, extension, -1) == 1;
}

static int add_integer(X509 *cert, const char *suffix, uint8_t v) {
        /* DER INTEGER: a value with the top bit set takes a leading zero */
        const uint8_t shorter[] = { 0x02, 0x01, v }, longer[] = { 0x02, 0x02, 0x00, v };

        return v < 0x80 ? add_raw(cert, suffix, shorter, sizeof(shorter))
                        : add_raw(cert, suffix, longer, sizeof(longer));
}

static int add_ia5(X509 *cert, const char *suffix, const char *text) {
        uint8_t der[2 + SIM_CSP_ID_MAX] = { 0x16, (uint8_t) strlen(text) };

        (void) memcpy(der + 2, text, strlen(text));
        return add_raw(cert, suffix, der, 2 + strlen(text));
}

/* 57230, order of genuine certificates: structVersion 0 for Milan and Genoa, 1 for Turin. */
static int add_tcb_extensions(const SimPki *pki, X509 *cert) {
        const SimTcb *t = &pki->tcb;

        if (sim_product(pki->product)->turin_layout)
                return add_integer(cert, "3.9", t->fmc) && add_integer(cert, "3.1", t->bl) &&
                       add_integer(cert, "3.2", t->tee) && add_integer(cert, "3.3", t->snp) &&
                       add_integer(cert, "3.5", 0) && add_integer(cert, "3.6", 0) && add_integer(cert, "3.7", 0) &&
                       add_integer(cert, "3.8", t->ucode);
        return add_integer(cert, "3.1", t->bl) && add_integer(cert, "3.2", t->tee) && add_integer(cert, "3.4", 0) &&
               add_integer(cert, "3.5", 0) && add_integer(cert, "3.6", 0) && add_integer(cert, "3.7", 0) &&
               add_integer(cert, "3.3", t->snp) && add_integer(cert, "3.8", t->ucode);
}

static int add_vek_extensions(const SimPki *pki, SimKey which, X509 *cert) {
        const SimProductInfo *product = sim_product(pki->product);

        return add_integer(cert, "1", product->turin_layout ? 1 : 0) &&
               add_ia5(cert, "2", which == SIM_VCEK ? product->vcek_name : product->name) &&
               add_tcb_extensions(pki, cert) &&
               (which == SIM_VCEK ? add_raw(cert, "4", pki->chip_id,
                                            product->turin_layout ? SIM_TURIN_HWID_SIZE : SIM_CHIP_ID_SIZE)
                                  : add_ia5(cert, "5", pki->csp_id));
}

int sim_cert_issue_vek(const SimPki *pki, SimKey which, X509 **ret, Error *e) {
        CLEANUP(X509_freep) X509 *cert = cert_begin(pki, which, 0, which == SIM_VCEK ? VCEK_YEARS : VLEK_YEARS);

        if (!cert || !add_vek_extensions(pki, which, cert) || !sign_cert(cert, pki->keys[issuer_of(which)], false))
                return sim_ssl_error(e, "Cannot issue a VCEK or VLEK certificate");
        *ret = TAKE_PTR(cert);
        return 0;
}

static int add_revoked(X509_CRL *crl, const X509 *cert, const ASN1_TIME *since) {
        CLEANUP(X509_REVOKED_freep) X509_REVOKED *entry = X509_REVOKED_new();

        if (!entry || X509_REVOKED_set_serialNumber(entry, writable(X509_get0_serialNumber(cert))) != 1 ||
            X509_REVOKED_set_revocationDate(entry, writable(since)) != 1 || X509_CRL_add0_revoked(crl, entry) != 1)
                return 0;
        (void) TAKE_PTR(entry);
        return 1;
}

static int add_crl_extension(X509_CRL *crl, X509 *ark, int nid, const char *value) {
        CLEANUP(X509_EXTENSION_freep) X509_EXTENSION *extension = NULL;
        X509V3_CTX ctx;

        X509V3_set_ctx(&ctx, ark, NULL, NULL, crl, 0);
        if (nid == NID_crl_number) {
                CLEANUP(ASN1_OCTET_STRING_freep) ASN1_INTEGER *one = ASN1_INTEGER_new();

                return one && ASN1_INTEGER_set(one, 1) == 1 && X509_CRL_add1_ext_i2d(crl, nid, one, 0, 0) == 1;
        }
        extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
        return extension && X509_CRL_add_ext(crl, extension, -1) == 1;
}

int sim_crl_issue(const SimPki *pki, bool revoke_ask, bool revoke_asvk, X509_CRL **ret, Error *e) {
        CLEANUP(ASN1_TIME_freep) ASN1_TIME *from = ASN1_TIME_set(NULL, pki->not_before);
        CLEANUP(ASN1_TIME_freep) ASN1_TIME *until = ASN1_TIME_set(NULL, years_after(pki->not_before, CRL_YEARS));
        CLEANUP(X509_NAME_freep) X509_NAME *issuer = subject_of(pki, SIM_ARK);
        CLEANUP(X509_CRL_freep) X509_CRL *crl = X509_CRL_new();
        CLEANUP(EVP_MD_CTX_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();

        if (!from || !until || !issuer || !crl || !ctx || X509_CRL_set_version(crl, X509_CRL_VERSION_2) != 1 ||
            X509_CRL_set_issuer_name(crl, issuer) != 1 || X509_CRL_set1_lastUpdate(crl, from) != 1 ||
            X509_CRL_set1_nextUpdate(crl, until) != 1)
                return sim_ssl_error(e, "Cannot begin a CRL");
        if ((revoke_ask && !add_revoked(crl, pki->certs[SIM_ASK], from)) ||
            (revoke_asvk && pki->certs[SIM_ASVK] && !add_revoked(crl, pki->certs[SIM_ASVK], from)))
                return sim_ssl_error(e, "Cannot list a certificate in the CRL");
        if (!add_crl_extension(crl, pki->certs[SIM_ARK], NID_authority_key_identifier, "keyid:always") ||
            !add_crl_extension(crl, pki->certs[SIM_ARK], NID_crl_number, NULL) || X509_CRL_sort(crl) != 1 ||
            !sign_init(ctx, pki->keys[SIM_ARK]) || X509_CRL_sign_ctx(crl, ctx) <= 0)
                return sim_ssl_error(e, "Cannot sign a CRL");
        *ret = TAKE_PTR(crl);
        return 0;
}
