/* SPDX-License-Identifier: Apache-2.0 */

/* The upper two thirds of a chain. The rules are those of vek.c, from the ASK or ASVK upwards. */

#include "snp/ca.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <string.h>

#include "snp/trust.h"

#define CHAIN_LENGTH 2

DEFINE_CLEANUP(X509_STORE *, X509_STORE_free);
DEFINE_CLEANUP(X509_STORE_CTX *, X509_STORE_CTX_free);
DEFINE_CLEANUP(BIO *, BIO_free_all);

void snp_ca_done(SnpCa *ca) {
        X509_free(TAKE_PTR(ca->issuer));
        X509_free(TAKE_PTR(ca->ark));
}

static int end_of(X509 *cert, time_t *ret, Error *e) {
        struct tm tm = {};

        if (ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) != 1)
                return error_set(e, -EBADMSG, "cert-malformed", "Certificate has a malformed notAfter");
        *ret = timegm(&tm);
        return 0;
}

static int chain_error(SnpCertRole role, X509_STORE_CTX *ctx, Error *e) {
        int code = X509_STORE_CTX_get_error(ctx);
        SnpCertRole wrong = X509_STORE_CTX_get_error_depth(ctx) == 0 ? role : SNP_ROLE_ARK;
        const char *reason = code == X509_V_ERR_CERT_HAS_EXPIRED     ? "cert-expired"
                             : code == X509_V_ERR_CERT_NOT_YET_VALID ? "cert-not-yet-valid"
                                                                     : "cert-chain";

        if (code == X509_V_ERR_OUT_OF_MEM)
                return error_oom(e);
        return error_set(e, -EKEYREJECTED, reason, "%s certificate: %s", snp_cert_role_name(wrong),
                         X509_verify_cert_error_string(code));
}

/* The root's signature on itself and all times included. */
static int verify_pair(X509 *issuer, SnpCertRole role, X509 *ark, time_t at, Error *e) {
        CLEANUP(X509_STORE_freep) X509_STORE *roots = X509_STORE_new();
        CLEANUP(X509_STORE_CTX_freep) X509_STORE_CTX *ctx = X509_STORE_CTX_new();

        if (!roots || !ctx || X509_STORE_add_cert(roots, ark) != 1 ||
            X509_STORE_CTX_init(ctx, roots, issuer, NULL) != 1 ||
            X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(ctx), X509_V_FLAG_CHECK_SS_SIGNATURE) != 1)
                return error_oom(e);
        X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(ctx), at);
        if (X509_verify_cert(ctx) != 1)
                return chain_error(role, ctx, e);
        if (sk_X509_num(X509_STORE_CTX_get0_chain(ctx)) != CHAIN_LENGTH)
                return error_set(e, -EKEYREJECTED, "cert-chain", "Chain has not %d certificates", CHAIN_LENGTH);
        return 0;
}

static int settle(X509 *issuer, SnpCertRole role, X509 *ark, SnpProduct product, time_t at, SnpCa *ret, Error *e) {
        AUTO_SNP_CA SnpCa ca = { .product = product,
                                 .key = role == SNP_ROLE_ASVK ? SNP_SIGNING_KEY_VLEK : SNP_SIGNING_KEY_VCEK };
        time_t end = 0;
        int r = snp_cert_check_profile(issuer, role, e);

        if (r == 0)
                r = snp_cert_check_profile(ark, SNP_ROLE_ARK, e);
        if (r == 0)
                r = verify_pair(issuer, role, ark, at, e);
        if (r == 0)
                r = end_of(issuer, &ca.not_after, e);
        if (r == 0)
                r = end_of(ark, &end, e);
        if (r < 0)
                return r;
        if (end < ca.not_after)
                ca.not_after = end;
        if (X509_up_ref(issuer) != 1)
                return error_oom(e);
        ca.issuer = issuer;
        if (X509_up_ref(ark) != 1)
                return error_oom(e);
        ca.ark = ark;
        *ret = ca;
        ca = (SnpCa){};
        return 0;
}

/* The pinned ARK of @product in @list, else in @trust itself, or NULL; *@ret_seen tells whether there was any. */
static int find_ark(const SnpTrust *trust, const SnpCertList *list, SnpProduct product, X509 **ret, bool *ret_seen,
                    Error *e) {
        *ret = NULL;
        *ret_seen = false;
        for (size_t i = 0; i < list->n && !*ret; i++) {
                SnpProduct found;
                bool pinned = false;
                int r;

                if (snp_cert_role(list->certs[i], &found) != SNP_ROLE_ARK || found != product)
                        continue;
                *ret_seen = true;
                r = snp_trust_has_root(trust, product, list->certs[i], &pinned, e);
                if (r < 0)
                        return r;
                if (pinned)
                        *ret = list->certs[i];
        }
        if (!*ret_seen)
                *ret = snp_trust_root_at(trust, product, 0);
        return 0;
}

static int judge(const SnpTrust *trust, const SnpCertList *list, X509 *issuer, SnpCertRole role, SnpProduct product,
                 time_t at, SnpCa *ret, Error *e) {
        X509 *ark = NULL;
        bool seen = false;
        int r = find_ark(trust, list, product, &ark, &seen, e);

        if (r < 0)
                return r;
        if (!ark && seen)
                return error_set(e, -EKEYREJECTED, "root-untrusted", "The ARK of %s that was supplied is not %s",
                                 snp_product_name(product),
                                 snp_trust_is_test(trust) ? "the configured test root" : "AMD's");
        if (!ark)
                return error_set(e, -ENOENT, "cert-missing", "The ARK of %s is not among the certificates",
                                 snp_product_name(product));
        return settle(issuer, role, ark, product, at, ret, e);
}

static int find(const SnpTrust *trust, const SnpCertList *list, SnpProduct product, SnpSigningKey key, time_t at,
                SnpCa *ret, Error *e) {
        SnpCertRole role = key == SNP_SIGNING_KEY_VLEK ? SNP_ROLE_ASVK : SNP_ROLE_ASK;
        Error first = {};
        int result = 0;

        for (size_t i = 0; i < list->n; i++) {
                SnpProduct found;
                int r;

                if (snp_cert_role(list->certs[i], &found) != role ||
                    (product != SNP_PRODUCT_UNKNOWN && found != product))
                        continue;
                r = judge(trust, list, list->certs[i], role, found, at, ret, &first);
                if (r == 0 || r == -ENOMEM)
                        return r == 0 ? 0 : error_oom(e);
                if (result == 0)
                        result = r;
        }
        if (result == 0)
                return error_set(e, -ENOENT, "cert-missing", "The %s is not among the certificates",
                                 snp_cert_role_name(role));
        return error_set(e, result, first.reason, "%s", first.text);
}

int snp_ca_find(const SnpTrust *trust, const SnpCertList *list, SnpProduct product, SnpSigningKey key, time_t at,
                SnpCa *ret, Error *e) {
        int r;

        (void) ERR_set_mark();
        r = find(trust, list, product, key, at, ret, e);
        (void) ERR_pop_to_mark();
        return r;
}

int snp_ca_to_pem(const SnpCa *ca, Blob *ret, Error *e) {
        CLEANUP(BIO_free_allp) BIO *text = BIO_new(BIO_s_mem());
        char *data = NULL;
        long n;

        if (!text || PEM_write_bio_X509(text, ca->issuer) != 1 || PEM_write_bio_X509(text, ca->ark) != 1)
                return error_oom(e);
        n = BIO_get_mem_data(text, &data);
        return n <= 0 || blob_dup(data, (size_t) n, ret) < 0 ? error_oom(e) : 0;
}
