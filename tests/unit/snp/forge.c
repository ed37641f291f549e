/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/snp/forge.h"

#include <check.h>
#include <openssl/core_names.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/simulator/harness.h"

#define AMD_ARC "1.3.6.1.4.1.3704.1"
#define DAY 86400

static const ForgeAlgorithm amd_algorithm = { "amd", RSA_PKCS1_PSS_PADDING, "SHA384", "SHA384", 48 };

/* Not one of Check's assertions: they do not work before the first test. */
static void must(int r, const Error *e) {
        if (r < 0) {
                (void) fprintf(stderr, "%s\n", error_text(e, r));
                abort();
        }
}

static SimPki *new_pki(SimProduct product, const SimPki *keys_of) {
        SimPkiParams params = sim_pki_params(product);
        SimPki *pki = NULL;
        Error e = {};

        params.csp_id = "CN=cc-test-1.example.net";
        params.not_before = FORGE_NOW - DAY;
        must(sim_pki_new(&params, keys_of, &pki, &e), &e);
        return pki;
}

SimPki *forge_pki(SimProduct product) {
        CLEANUP(sim_pki_freep) SimPki *keys = NULL;
        char dir[SIM_PATH_MAX];
        Error e = {};

        sim_test_pki(product, dir);
        must(sim_pki_load(dir, &keys, &e), &e);
        return new_pki(product, keys);
}

SimPki *forge_impostor(SimProduct product) {
        return new_pki(product, NULL);
}

X509 *forge_copy(const SimPki *pki, SimKey which) {
        X509 *cert = X509_dup(pki->certs[which]);

        ck_assert_ptr_nonnull(cert);
        return cert;
}

static ASN1_OBJECT *oid_of(const char *suffix) {
        char dotted[64];
        ASN1_OBJECT *oid;

        (void) snprintf(dotted, sizeof(dotted), AMD_ARC ".%s", suffix);
        oid = OBJ_txt2obj(dotted, 1);
        ck_assert_ptr_nonnull(oid);
        return oid;
}

void forge_ext_add(X509 *cert, const char *suffix, const void *value, size_t n, bool critical) {
        ASN1_OBJECT *oid = oid_of(suffix);
        ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
        X509_EXTENSION *extension;

        ck_assert_int_eq(ASN1_OCTET_STRING_set(octets, value, (int) n), 1);
        extension = X509_EXTENSION_create_by_OBJ(NULL, oid, critical, octets);
        ck_assert_int_eq(X509_add_ext(cert, extension, -1), 1);
        X509_EXTENSION_free(extension);
        ASN1_OCTET_STRING_free(octets);
        ASN1_OBJECT_free(oid);
}

void forge_ext_remove(X509 *cert, const char *suffix) {
        ASN1_OBJECT *oid = oid_of(suffix);
        int at = X509_get_ext_by_OBJ(cert, oid, -1);

        ck_assert_msg(at >= 0, "no extension %s", suffix);
        X509_EXTENSION_free(X509_delete_ext(cert, at));
        ASN1_OBJECT_free(oid);
}

void forge_name(X509 *cert, bool subject, int index, const char *value) {
        X509_NAME *name = X509_NAME_dup(subject ? X509_get_subject_name(cert) : X509_get_issuer_name(cert));
        X509_NAME_ENTRY *entry = X509_NAME_delete_entry(name, index);

        ck_assert_int_eq(X509_NAME_ENTRY_set_data(entry, V_ASN1_UTF8STRING, (const unsigned char *) value, -1), 1);
        ck_assert_int_eq(X509_NAME_add_entry(name, entry, index, 0), 1);
        X509_NAME_ENTRY_free(entry);
        ck_assert_int_eq(subject ? X509_set_subject_name(cert, name) : X509_set_issuer_name(cert, name), 1);
        X509_NAME_free(name);
}

static Blob der_of(X509 *cert) {
        Blob b = {};
        unsigned char *der = NULL;
        int n = i2d_X509(cert, &der);

        ck_assert_int_gt(n, 0);
        ck_assert_int_eq(blob_dup(der, (size_t) n, &b), 0);
        OPENSSL_free(der);
        return b;
}

Blob forge_sign_with(X509 *cert, EVP_PKEY *key, const ForgeAlgorithm *algorithm) {
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        EVP_PKEY_CTX *key_ctx = NULL;

        ck_assert_int_eq(EVP_DigestSignInit_ex(ctx, &key_ctx, algorithm->digest, NULL, NULL, key, NULL), 1);
        if (EVP_PKEY_is_a(key, "RSA")) {
                ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_padding(key_ctx, algorithm->padding), 1);
                if (algorithm->padding == RSA_PKCS1_PSS_PADDING) {
                        ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_mgf1_md_name(key_ctx, algorithm->mgf1, NULL), 1);
                        ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_pss_saltlen(key_ctx, algorithm->salt), 1);
                }
        }
        ck_assert_int_gt(X509_sign_ctx(cert, ctx), 0);
        EVP_MD_CTX_free(ctx);
        return der_of(cert);
}

Blob forge_sign(X509 *cert, EVP_PKEY *key) {
        return forge_sign_with(cert, key, &amd_algorithm);
}

EVP_PKEY *forge_ec_key(const char *curve, bool explicit_parameters) {
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
        char encoding[] = "explicit", name[32];
        EVP_PKEY *key = NULL;
        OSSL_PARAM params[3] = {};

        (void) snprintf(name, sizeof(name), "%s", curve);
        params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name, 0);
        params[1] = explicit_parameters
                            ? OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_EC_ENCODING, encoding, 0)
                            : OSSL_PARAM_construct_end();
        params[2] = OSSL_PARAM_construct_end();
        ck_assert_int_eq(EVP_PKEY_keygen_init(ctx), 1);
        ck_assert_int_eq(EVP_PKEY_CTX_set_params(ctx, params), 1);
        ck_assert_int_eq(EVP_PKEY_generate(ctx, &key), 1);
        EVP_PKEY_CTX_free(ctx);
        return key;
}

Evidence forge_evidence(const SimPki *pki, SimKey vek) {
        Evidence e = { .n_others = 2 };

        ck_assert_int_eq(sim_pki_cert_der(pki, vek, &e.vek, NULL), 0);
        ck_assert_int_eq(sim_pki_cert_der(pki, vek == SIM_VCEK ? SIM_ASK : SIM_ASVK, &e.others[0], NULL), 0);
        ck_assert_int_eq(sim_pki_cert_der(pki, SIM_ARK, &e.others[1], NULL), 0);
        return e;
}

void evidence_done(Evidence *e) {
        blob_done(&e->vek);
        for (size_t i = 0; i < FORGE_CERTS_MAX; i++)
                blob_done(&e->others[i]);
}

SnpTrust *forge_trust(const SimPki *pki) {
        AUTO_BLOB Blob ark = {};
        SnpTrust *trust = NULL;
        Error e = {};
        int r;

        ck_assert_int_eq(sim_pki_cert_der(pki, SIM_ARK, &ark, NULL), 0);
        r = snp_trust_new_test(ark.data, ark.size, &trust, &e);
        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        return trust;
}

int forge_judge_at(const SnpTrust *trust, const Evidence *evidence, time_t at, SnpVek **ret, Error *e) {
        SnpCerts certs = { .vek = { evidence->vek.data, evidence->vek.size }, .n_others = evidence->n_others };

        for (size_t i = 0; i < evidence->n_others; i++)
                certs.others[i] = (SnpCertBytes){ evidence->others[i].data, evidence->others[i].size };
        return snp_vek_new(trust, &certs, at, ret, e);
}

int forge_judge(const SimPki *pki, const Evidence *evidence, SnpVek **ret, Error *e) {
        CLEANUP(snp_trust_freep) SnpTrust *trust = forge_trust(pki);

        return forge_judge_at(trust, evidence, FORGE_NOW, ret, e);
}

void forge_refused(const SimPki *pki, const Evidence *evidence, int code, const char *reason, const char *text) {
        SnpVek *vek = NULL;
        Error e = {};
        int r = forge_judge(pki, evidence, &vek, &e);

        ck_assert_ptr_null(vek);
        ck_assert_msg(r == code, "got %d instead of %d: %s", r, code, error_text(&e, r));
        ck_assert_int_eq(e.code, code);
        ck_assert_msg(!reason || strcmp(error_reason(&e, r), reason) == 0, "%s: %s", e.reason, e.text);
        ck_assert_msg(!text || strstr(e.text, text), "'%s' does not say '%s'", e.text, text);
}
