/* SPDX-License-Identifier: Apache-2.0 */
#include "snp/collateral-store.h"

#include <errno.h>
#include <openssl/err.h>
#include <string.h>

#include "snp/ca.h"
#include "snp/collateral-cache-internal.h"
#include "snp/collateral-cache-name.h"
#include "snp/crl-internal.h"
#include "snp/vek.h"

static const SnpCrlPolicy current_only = { .mode = SNP_CRL_HARD };

static int write_part(const SnpStore *s, const SnpVekId *id, SnpPart part, const Blob *data, Error *e) {
        char name[SNP_CACHE_NAME_MAX];

        if (!snp_cache_name_format(id, part, name))
                return error_set(e, -EOPNOTSUPP, "cache-no-name", "The cache has no place for this certificate");
        return snp_cache_write(s->cache, name, data, e);
}

/* The chain that the cache has, as it is: whoever uses it verifies it. */
static int read_chain(const SnpStore *s, SnpProduct product, SnpSigningKey key, Blob *ret, Error *e) {
        const SnpVekId id = { .product = product, .key = key };
        char name[SNP_CACHE_NAME_MAX];
        int r;

        if (!snp_cache_name_format(&id, SNP_PART_CHAIN, name))
                return error_set(e, -ENOENT, "cert-missing", "There is no chain for an unknown product line");
        r = snp_cache_read(s->cache, name, SNP_CHAIN_SIZE_MAX, ret, NULL);
        if (r == -ENOENT)
                return error_set(e, r, "cert-missing", "The chain of %s is neither here nor in the cache",
                                 snp_product_name(product));
        return r < 0 ? error_set(e, r, "cert-missing", "The chain of %s in the cache cannot be read",
                                 snp_product_name(product)) : 0;
}

static int load_ca(const SnpStore *s, SnpProduct product, SnpSigningKey key, SnpCa *ret, Error *e) {
        AUTO_CERT_LIST SnpCertList list = {};
        AUTO_BLOB Blob chain = {};
        int r = read_chain(s, product, key, &chain, e);

        if (r == 0)
                r = snp_cert_list_add(&list, chain.data, chain.size, "The chain in the cache", e);
        return r < 0 ? r : snp_ca_find(s->trust, &list, product, key, s->at, ret, e);
}

bool snp_store_has_chain(const SnpCertList *list, SnpProduct product, SnpSigningKey key) {
        for (size_t i = 0; i < list->n; i++) {
                SnpProduct found;
                SnpCertRole role = snp_cert_role(list->certs[i], &found);

                if (found == product && role == (key == SNP_SIGNING_KEY_VLEK ? SNP_ROLE_ASVK : SNP_ROLE_ASK))
                        return true;
        }
        return false;
}

int snp_store_chain(const SnpStore *s, const SnpCertList *list, SnpProduct product, SnpSigningKey key, Error *e) {
        const SnpVekId id = { .product = product, .key = key };
        AUTO_SNP_CA SnpCa ca = {};
        AUTO_BLOB Blob pem = {};
        int r = snp_ca_find(s->trust, list, product, key, s->at, &ca, e);

        if (r == 0)
                r = snp_ca_to_pem(&ca, &pem, e);
        return r < 0 ? r : write_part(s, &id, SNP_PART_CHAIN, &pem, e);
}

static int verify_vek(const SnpStore *s, SnpProduct product, SnpSigningKey key, const SnpCertBytes *vek,
                      SnpVekId *ret_id, Error *e) {
        CLEANUP(snp_vek_freep) SnpVek *held = NULL;
        AUTO_BLOB Blob chain = {};
        SnpCerts certs = { .vek = *vek, .n_others = 1 };
        int r = read_chain(s, product, key, &chain, e);

        if (r < 0)
                return r;
        certs.others[0] = (SnpCertBytes){ .data = chain.data, .size = chain.size };
        r = snp_vek_new(s->trust, &certs, s->at, &held, e);
        if (r == 0)
                snp_vek_id_of_vek(held, ret_id);
        return r;
}

int snp_store_vek(const SnpStore *s, X509 *cert, Error *e) {
        SnpProduct product;
        SnpCertRole role = snp_cert_role(cert, &product);
        unsigned char *der = NULL;
        AUTO_BLOB Blob data = {};
        SnpVekId id;
        int n, r;

        if (role == SNP_ROLE_VLEK)
                return error_set(e, -EOPNOTSUPP, "vlek-not-kept", "VLEKs are not cached: the host hands them out");
        if (role != SNP_ROLE_VCEK)
                return error_set(e, -EBADMSG, "cert-names", "The certificate is no VCEK by its names");
        n = i2d_X509(cert, &der);
        r = n > 0 ? blob_dup(der, (size_t) n, &data) : -ENOMEM;
        OPENSSL_free(der);
        if (r < 0)
                return error_oom(e);
        r = verify_vek(s, product, SNP_SIGNING_KEY_VCEK, &(SnpCertBytes){ .data = data.data, .size = data.size }, &id, e);
        return r < 0 ? r : write_part(s, &id, SNP_PART_VEK, &data, e);
}

static int judge_list(const SnpStore *s, SnpProduct product, SnpSigningKey key, const SnpCertBytes *list,
                      SnpCrlVerdict *ret, Error *e) {
        AUTO_SNP_CA SnpCa ca = {};
        int r = load_ca(s, product, key, &ca, e);

        if (r == 0)
                r = snp_crl_judge(ca.issuer, ca.ark, &current_only, list, s->at, ret, e);
        /* A list that revokes is as good a list as any. */
        return r == -EKEYREJECTED && ret->state == SNP_CRL_REVOKED ? 0 : r;
}

static bool has_newer(const SnpStore *s, const SnpVekId *id, const SnpCrlVerdict *than) {
        AUTO_BLOB Blob old = {};
        SnpCrlVerdict v = {};
        char name[SNP_CACHE_NAME_MAX];

        if (!snp_cache_name_format(id, SNP_PART_CRL, name) ||
            snp_cache_read(s->cache, name, SNP_CRL_SIZE_MAX, &old, NULL) < 0)
                return false;
        /* Its dates are there only if its signature holds. It may well begin after the time that is asked about. */
        (void) judge_list(s, id->product, id->key, &(SnpCertBytes){ .data = old.data, .size = old.size }, &v, NULL);
        return v.this_update > than->this_update;
}

/* Nothing but its signature tells which product line a list is for. */
int snp_store_crl(const SnpStore *s, SnpSigningKey key, const void *data, size_t size, Error *e) {
        const SnpCertBytes list = { .data = data, .size = size };
        AUTO_BLOB Blob der = {};
        Error first = {};
        int r = snp_crl_to_der(data, size, &der, e);

        if (r < 0)
                return r;
        for (SnpProduct product = SNP_PRODUCT_UNKNOWN + 1; product < SNP_N_PRODUCTS; product++) {
                const SnpVekId id = { .product = product, .key = key };
                SnpCrlVerdict v = {};
                Error why = {};

                r = judge_list(s, product, key, &list, &v, &why);
                if (r == 0)
                        return has_newer(s, &id, &v) ? 0 : write_part(s, &id, SNP_PART_CRL, &der, e);
                if (r == -ENOMEM)
                        return error_oom(e);
                /* A stale list of this line tells more than a foreign one, and that more than a line without a chain. */
                if (first.code == 0 || v.this_update > 0 || strcmp(first.reason, "cert-missing") == 0)
                        first = why;
        }
        if (strcmp(first.reason, "cert-missing") == 0)
                return error_set(e, -ENOENT, "cert-missing", "The chain of its issuer is neither here nor in the cache");
        return error_set(e, first.code, first.reason, "%s", first.text);
}

static int check(const SnpStore *s, SnpPart part, SnpSigningKey key, SnpProduct product, const Blob *data, Error *e) {
        const SnpCertBytes bytes = { .data = data->data, .size = data->size };
        AUTO_CERT_LIST SnpCertList list = {};
        AUTO_SNP_CA SnpCa ca = {};
        SnpCrlVerdict v = {};
        SnpVekId id;
        int r;

        if (part == SNP_PART_CRL)
                return judge_list(s, product, key, &bytes, &v, e);
        if (part == SNP_PART_VEK)
                return verify_vek(s, product, key, &bytes, &id, e);
        r = snp_cert_list_add(&list, data->data, data->size, "The chain", e);
        return r < 0 ? r : snp_ca_find(s->trust, &list, product, key, s->at, &ca, e);
}

int snp_store_check(const SnpStore *s, SnpPart part, SnpSigningKey key, SnpProduct product, const Blob *data,
                    Error *e) {
        int r;

        (void) ERR_set_mark();
        r = check(s, part, key, product, data, e);
        (void) ERR_pop_to_mark();
        return r;
}
