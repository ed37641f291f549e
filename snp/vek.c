/* SPDX-License-Identifier: Apache-2.0 */

/*
 * From a heap of certificates to a key that may sign reports. All of them are hostile until the end of this file:
 *
 *   1. the VEK's names say what it is and who issued it; form and extensions must agree with that
 *   2. an ARK of the same product line is looked for, among them and then in the trust itself; one whose key is not
 *      pinned is not even a candidate
 *   3. the pinned ARKs, and nothing else, go into the store of roots; the ASK or ASVK is handed over as untrusted
 *   4. libcrypto builds and checks the chain at the given time, the ARK's signature on itself included
 *
 * X509_V_FLAG_X509_STRICT stays off (a VCEK has no authority key identifier, which it demands) and so does
 * X509_V_FLAG_PARTIAL_CHAIN (an intermediate could then pass for a root).
 */

#include "snp/vek.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <stdlib.h>

#include "snp/cert.h"
#include "snp/trust.h"

#define CHAIN_LENGTH 3 /* VEK, ASK or ASVK, ARK */

DEFINE_CLEANUP(X509_STORE_CTX *, X509_STORE_CTX_free);
DEFINE_CLEANUP(STACK_OF(X509) *, sk_X509_free);

/* Everything that one chain is checked against. */
typedef struct Chain {
        const SnpTrust *trust;
        time_t at;
        X509 *leaf; /* borrowed */
        SnpCertRole leaf_role, issuer_role;
        SnpProduct product;
        X509_STORE *roots; /* owned: the pinned ARKs */
        X509 *issuer, *ark; /* owned: what the leaf was verified with */
} Chain;

static void chain_done(Chain *chain) {
        X509_STORE_free(TAKE_PTR(chain->roots));
        X509_free(TAKE_PTR(chain->issuer));
        X509_free(TAKE_PTR(chain->ark));
}
#define AUTO_CHAIN CLEANUP(chain_done)

static int load_list(const SnpCertBytes *bytes, const char *what, SnpCertList *list, Error *e) {
        if (bytes->size > SNP_CERT_SIZE_MAX)
                return error_set(e, -E2BIG, "cert-size", "%s has %zu bytes, more than %u", what, bytes->size,
                                 SNP_CERT_SIZE_MAX);
        return snp_cert_list_add(list, bytes->data, bytes->size, what, e);
}

static int load_vek(const SnpCerts *certs, SnpCertList *list, Error *e) {
        int r = load_list(&certs->vek, "VCEK or VLEK certificate", list, e);

        if (r < 0)
                return r;
        if (list->n != 1)
                return error_set(e, -EBADMSG, "cert-count", "VCEK or VLEK: %zu certificates instead of one", list->n);
        return 0;
}

static int load_others(const SnpCerts *certs, SnpCertList *list, Error *e) {
        if (certs->n_others > SNP_CERTS_MAX)
                return error_set(e, -E2BIG, "cert-count", "%zu certificates beside the VEK, more than %d",
                                 certs->n_others, SNP_CERTS_MAX);
        for (size_t i = 0; i < certs->n_others; i++) {
                char what[sizeof("Chain certificate ") + 20];
                int r;

                (void) snprintf(what, sizeof(what), "Chain certificate %zu", i + 1);
                r = load_list(&certs->others[i], what, list, e);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int check_identity(const Chain *chain, const SnpVekExtensions *ext, Error *e) {
        const char *role = snp_cert_role_name(chain->leaf_role);

        if (ext->product != chain->product)
                return error_set(e, -EBADMSG, "cert-product", "%s certificate: productName is %s but the issuer is %s's",
                                 role, snp_product_name(ext->product), snp_product_name(chain->product));
        if (ext->layout != snp_product_tcb_layout(chain->product))
                return error_set(e, -EBADMSG, "cert-product", "%s certificate: structVersion is not that of %s", role,
                                 snp_product_name(chain->product));
        if (chain->leaf_role == SNP_ROLE_VCEK && ext->hwid_size == 0)
                return error_set(e, -EBADMSG, "cert-extension", "VCEK certificate: extension hwID is missing");
        if (chain->leaf_role == SNP_ROLE_VLEK && !ext->has_csp_id)
                return error_set(e, -EBADMSG, "cert-extension", "VLEK certificate: extension CSP_ID is missing");
        return 0;
}

static int judge_leaf(X509 *leaf, Chain *chain, SnpVekExtensions *ret_ext, Error *e) {
        int r;

        chain->leaf = leaf;
        chain->leaf_role = snp_cert_role(leaf, &chain->product);
        if (chain->leaf_role != SNP_ROLE_VCEK && chain->leaf_role != SNP_ROLE_VLEK)
                return error_set(e, -EBADMSG, "cert-names", "Certificate is neither a VCEK nor a VLEK by its names");
        chain->issuer_role = chain->leaf_role == SNP_ROLE_VCEK ? SNP_ROLE_ASK : SNP_ROLE_ASVK;
        r = snp_cert_check_profile(leaf, chain->leaf_role, e);
        if (r < 0)
                return r;
        r = snp_vek_extensions_parse(leaf, ret_ext, e);
        if (r < 0) {
                error_prefix(e, "%s certificate", snp_cert_role_name(chain->leaf_role));
                return r;
        }
        return check_identity(chain, ret_ext, e);
}

static bool is_candidate(const Chain *chain, X509 *cert, SnpCertRole role) {
        SnpProduct product;

        return snp_cert_role(cert, &product) == role && product == chain->product;
}

/* Adds @ark to the roots if its key is pinned. */
static int offer_root(Chain *chain, X509 *ark, bool *ret_pinned, Error *e) {
        int r = snp_trust_has_root(chain->trust, chain->product, ark, ret_pinned, e);

        if (r < 0 || !*ret_pinned)
                return r;
        r = snp_cert_check_profile(ark, SNP_ROLE_ARK, e);
        if (r < 0)
                return r;
        return X509_STORE_add_cert(chain->roots, ark) == 1 ? 0 : error_oom(e);
}

/* For evidence that brings no ARK: those that trust itself holds as a whole. */
static int add_own_roots(Chain *chain, Error *e) {
        size_t n = 0;
        X509 *root;

        for (; (root = snp_trust_root_at(chain->trust, chain->product, n)); n++)
                if (X509_STORE_add_cert(chain->roots, root) != 1)
                        return error_oom(e);
        if (n == 0)
                return error_set(e, -ENOENT, "cert-missing", "The ARK of %s is not among the certificates",
                                 snp_product_name(chain->product));
        return 0;
}

static int gather_roots(Chain *chain, const SnpCertList *others, Error *e) {
        size_t n_seen = 0, n_pinned = 0;

        chain->roots = X509_STORE_new();
        if (!chain->roots)
                return error_oom(e);
        for (size_t i = 0; i < others->n; i++) {
                bool pinned = false;
                int r;

                if (!is_candidate(chain, others->certs[i], SNP_ROLE_ARK))
                        continue;
                r = offer_root(chain, others->certs[i], &pinned, e);
                if (r < 0)
                        return r;
                n_seen++;
                n_pinned += pinned;
        }
        if (n_seen == 0)
                return add_own_roots(chain, e);
        if (n_pinned == 0)
                return error_set(e, -EKEYREJECTED, "root-untrusted", "The ARK of %s that was supplied is not %s",
                                 snp_product_name(chain->product),
                                 snp_trust_is_test(chain->trust) ? "the configured test root" : "AMD's");
        return 0;
}

static int chain_error(const Chain *chain, X509_STORE_CTX *ctx, Error *e) {
        int code = X509_STORE_CTX_get_error(ctx);
        int depth = X509_STORE_CTX_get_error_depth(ctx);
        SnpCertRole role = depth == 0 ? chain->leaf_role : depth == 1 ? chain->issuer_role : SNP_ROLE_ARK;
        const char *reason = "cert-chain";

        if (code == X509_V_ERR_OUT_OF_MEM)
                return error_oom(e);
        if (code == X509_V_ERR_CERT_HAS_EXPIRED)
                reason = "cert-expired";
        else if (code == X509_V_ERR_CERT_NOT_YET_VALID)
                reason = "cert-not-yet-valid";
        return error_set(e, -EKEYREJECTED, reason, "%s certificate: %s", snp_cert_role_name(role),
                         X509_verify_cert_error_string(code));
}

static int end_of(X509 *cert, time_t *ret, Error *e) {
        struct tm tm = {};

        if (ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) != 1)
                return error_set(e, -EBADMSG, "cert-malformed", "Certificate has a malformed notAfter");
        *ret = timegm(&tm);
        return 0;
}

static int earliest_end(const STACK_OF(X509) *certs, time_t *ret, Error *e) {
        time_t earliest = 0;

        for (int i = 0; i < sk_X509_num(certs); i++) {
                time_t end = 0;
                int r = end_of(sk_X509_value(certs, i), &end, e);

                if (r < 0)
                        return r;
                if (i == 0 || end < earliest)
                        earliest = end;
        }
        *ret = earliest;
        return 0;
}

static X509 *hold(X509 *cert) {
        return X509_up_ref(cert) == 1 ? cert : NULL;
}

static int run_verification(Chain *chain, X509_STORE_CTX *ctx, STACK_OF(X509) *untrusted,
                            time_t *ret_not_after, Error *e) {
        const STACK_OF(X509) *built;
        int r;

        if (X509_STORE_CTX_init(ctx, chain->roots, chain->leaf, untrusted) != 1)
                return error_oom(e);
        X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(ctx), chain->at);
        /* A root's own signature is not checked by default; then any bytes around a pinned key would do. */
        if (X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(ctx), X509_V_FLAG_CHECK_SS_SIGNATURE) != 1)
                return error_oom(e);
        if (X509_verify_cert(ctx) != 1)
                return chain_error(chain, ctx, e);
        built = X509_STORE_CTX_get0_chain(ctx);
        if (sk_X509_num(built) != CHAIN_LENGTH)
                return error_set(e, -EKEYREJECTED, "cert-chain", "Chain has %d certificates instead of %d",
                                 sk_X509_num(built), CHAIN_LENGTH);
        r = earliest_end(built, ret_not_after, e);
        if (r < 0)
                return r;
        chain->issuer = hold(sk_X509_value(built, 1));
        chain->ark = hold(sk_X509_value(built, 2));
        return chain->issuer && chain->ark ? 0 : error_oom(e);
}

static int verify_through(Chain *chain, X509 *issuer, time_t *ret_not_after, Error *e) {
        CLEANUP(X509_STORE_CTX_freep) X509_STORE_CTX *ctx = X509_STORE_CTX_new();
        CLEANUP(sk_X509_freep) STACK_OF(X509) *untrusted = sk_X509_new_null();
        int r = snp_cert_check_profile(issuer, chain->issuer_role, e);

        if (r < 0)
                return r;
        if (!ctx || !untrusted || sk_X509_push(untrusted, issuer) <= 0)
                return error_oom(e);
        return run_verification(chain, ctx, untrusted, ret_not_after, e);
}

/* One issuer that holds is enough; bogus ones of the same name beside it prove nothing. */
static int verify_chain(Chain *chain, const SnpCertList *others, time_t *ret_not_after, Error *e) {
        Error first = {};
        int result = 0;

        for (size_t i = 0; i < others->n; i++) {
                int r;

                if (!is_candidate(chain, others->certs[i], chain->issuer_role))
                        continue;
                r = verify_through(chain, others->certs[i], ret_not_after, &first);
                if (r == 0 || r == -ENOMEM)
                        return r == 0 ? 0 : error_oom(e);
                if (result == 0)
                        result = r;
        }
        if (result == 0)
                return error_set(e, -ENOENT, "cert-missing", "The %s of %s is not among the certificates",
                                 snp_cert_role_name(chain->issuer_role), snp_product_name(chain->product));
        return error_set(e, result, first.reason, "%s", first.text);
}

static int vek_create(Chain *chain, const SnpVekExtensions *ext, time_t not_after, SnpVek **ret, Error *e) {
        CLEANUP(snp_vek_freep) SnpVek *vek = calloc(1, sizeof(*vek));

        if (!vek)
                return error_oom(e);
        vek->kind = chain->leaf_role == SNP_ROLE_VLEK ? SNP_SIGNING_KEY_VLEK : SNP_SIGNING_KEY_VCEK;
        vek->product = chain->product;
        vek->ext = *ext;
        vek->not_after = not_after;
        vek->test = snp_trust_is_test(chain->trust);
        vek->key = X509_get_pubkey(chain->leaf);
        if (!vek->key)
                return error_oom(e);
        if (snp_tcb_decode(ext->layout, ext->tcb, &vek->tcb) < 0)
                return error_set(e, -EBADMSG, "cert-product", "Certificate has no known TCB layout");
        vek->issuer = TAKE_PTR(chain->issuer);
        vek->ark = TAKE_PTR(chain->ark);
        *ret = TAKE_PTR(vek);
        return 0;
}

static int vek_new(const SnpTrust *trust, const SnpCerts *certs, time_t at, SnpVek **ret, Error *e) {
        AUTO_CERT_LIST SnpCertList vek = {};
        AUTO_CERT_LIST SnpCertList others = {};
        AUTO_CHAIN Chain chain = { .trust = trust, .at = at };
        SnpVekExtensions ext = {};
        time_t not_after = 0;
        int r;

        r = load_vek(certs, &vek, e);
        if (r < 0)
                return r;
        r = judge_leaf(vek.certs[0], &chain, &ext, e);
        if (r < 0)
                return r;
        r = load_others(certs, &others, e);
        if (r < 0)
                return r;
        r = gather_roots(&chain, &others, e);
        if (r < 0)
                return r;
        r = verify_chain(&chain, &others, &not_after, e);
        if (r < 0)
                return r;
        return vek_create(&chain, &ext, not_after, ret, e);
}

int snp_vek_new(const SnpTrust *trust, const SnpCerts *certs, time_t at, SnpVek **ret, Error *e) {
        int r;

        (void) ERR_set_mark(); /* leave nothing in libcrypto's error queue for others to find */
        r = vek_new(trust, certs, at, ret, e);
        (void) ERR_pop_to_mark();
        return r;
}

void snp_vek_free(SnpVek *vek) {
        if (!vek)
                return;
        EVP_PKEY_free(vek->key);
        X509_free(vek->issuer);
        X509_free(vek->ark);
        free(vek);
}

SnpSigningKey snp_vek_kind(const SnpVek *vek) {
        return vek->kind;
}

SnpProduct snp_vek_product(const SnpVek *vek) {
        return vek->product;
}

const SnpTcb *snp_vek_tcb(const SnpVek *vek) {
        return &vek->tcb;
}

const uint8_t *snp_vek_hwid(const SnpVek *vek, size_t *ret_size) {
        *ret_size = vek->ext.hwid_size;
        return vek->ext.hwid;
}

const char *snp_vek_csp_id(const SnpVek *vek) {
        return vek->ext.has_csp_id ? vek->ext.csp_id : NULL;
}

time_t snp_vek_not_after(const SnpVek *vek) {
        return vek->not_after;
}

bool snp_vek_is_test(const SnpVek *vek) {
        return vek->test;
}
