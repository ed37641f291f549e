/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The set of parts, and the one place that decides what enters it. Everything hangs on the chain: without an ASK or
 * ASVK under a pinned ARK nothing else can be judged, so a VEK or CRL that comes first is put aside, one for each
 * source, and judged when the chain is there.
 */

#include "snp/collateral.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "snp/ca.h"
#include "snp/collateral-internal.h"
#include "snp/crl-internal.h"
#include "snp/vek.h"

typedef struct Held {
        Blob data;
        SnpSource source;
} Held;

struct SnpCollateral {
        const SnpTrust *trust; /* borrowed */
        SnpVekId id;
        bool product_is_guess; /* a VEK that was put aside says so; nothing has confirmed it */
        SnpCrlPolicy policy;
        SnpCa ca; /* what the chain proves; issuer NULL: no chain */
        Held parts[SNP_N_PARTS];
        Blob aside[SNP_N_PARTS][SNP_N_SOURCES];
        time_t not_after;
        SnpCrlVerdict crl; /* on the list that is held */
        SnpRefusal refusals[SNP_REFUSALS_MAX];
        size_t n_refusals;
};

const char *snp_source_name(SnpSource source) {
        static const char *const names[SNP_N_SOURCES] = { "none", "host", "cache", "cloud", "kds", "file" };

        return source < SNP_N_SOURCES ? names[source] : "unknown";
}

int snp_collateral_new(const SnpTrust *trust, const SnpVekId *id, const SnpCrlPolicy *crl, SnpCollateral **ret,
                       Error *e) {
        SnpCollateral *c;

        if (id->key != SNP_SIGNING_KEY_VCEK && id->key != SNP_SIGNING_KEY_VLEK)
                return error_set(e, -EINVAL, "no-signing-key", "Neither a VCEK nor a VLEK is asked for");
        c = calloc(1, sizeof(*c));
        if (!c)
                return error_oom(e);
        c->trust = trust;
        c->id = *id;
        c->policy = *crl;
        *ret = c;
        return 0;
}

void snp_collateral_free(SnpCollateral *c) {
        if (!c)
                return;
        snp_ca_done(&c->ca);
        for (SnpPart part = 0; part < SNP_N_PARTS; part++) {
                blob_done(&c->parts[part].data);
                for (SnpSource s = 0; s < SNP_N_SOURCES; s++)
                        blob_done(&c->aside[part][s]);
        }
        free(c);
}

static bool has_chain(const SnpCollateral *c) {
        return c->ca.issuer != NULL;
}

static bool has(const SnpCollateral *c, SnpPart part) {
        return c->parts[part].data.size > 0;
}

/* Takes @data. */
static void hold(SnpCollateral *c, SnpPart part, SnpSource source, Blob *data) {
        blob_done(&c->parts[part].data);
        c->parts[part] = (Held){ .data = blob_take(data), .source = source };
}

void snp_collateral_note(SnpCollateral *c, SnpPart part, SnpSource source, const Error *why) {
        if (c->n_refusals < SNP_REFUSALS_MAX)
                c->refusals[c->n_refusals++] = (SnpRefusal){ .part = part, .source = source, .why = *why };
}

static int refuse(SnpCollateral *c, SnpPart part, SnpSource source, int r, const Error *why, Error *e) {
        if (r == -ENOMEM)
                return error_oom(e);
        snp_collateral_note(c, part, source, why);
        return error_set(e, r, error_reason(why, r), "%s", error_text(why, r));
}

/* One certificate in either form. */
static int load_one(const void *data, size_t size, SnpCertList *ret, Error *e) {
        int r = snp_cert_list_add(ret, data, size, "The VCEK or VLEK", e);

        if (r < 0)
                return r;
        if (ret->n != 1)
                return error_set(e, -EBADMSG, "cert-count", "%zu certificates instead of one VCEK or VLEK", ret->n);
        return 0;
}

static int cert_to_der(X509 *cert, Blob *ret, Error *e) {
        unsigned char *der = NULL;
        int n = i2d_X509(cert, &der), r = -ENOMEM;

        if (n > 0)
                r = blob_dup(der, (size_t) n, ret);
        OPENSSL_free(der);
        return r < 0 ? error_oom(e) : 0;
}

/* Kind and product by the names of the certificate; nothing is verified here. */
static int identify_vek(SnpCollateral *c, X509 *cert, SnpProduct *ret_product, Error *e) {
        SnpCertRole role = snp_cert_role(cert, ret_product);
        SnpCertRole want = c->id.key == SNP_SIGNING_KEY_VLEK ? SNP_ROLE_VLEK : SNP_ROLE_VCEK;

        if (role != SNP_ROLE_VCEK && role != SNP_ROLE_VLEK)
                return error_set(e, -EBADMSG, "cert-names", "The certificate is neither a VCEK nor a VLEK by its names");
        if (role != want)
                return error_set(e, -ESTALE, "vek-other-kind", "The certificate is a %s, but a %s signed the report",
                                 snp_cert_role_name(role), snp_cert_role_name(want));
        if (c->id.product != SNP_PRODUCT_UNKNOWN && !c->product_is_guess && c->id.product != *ret_product)
                return error_set(e, -ESTALE, "vek-other-product", "The certificate is for %s, but the report is from %s",
                                 snp_product_name(*ret_product), snp_product_name(c->id.product));
        return 0;
}

/* Does a VEK that holds belong to the report? */
static int check_belongs(const SnpCollateral *c, const SnpVek *vek, Error *e) {
        SnpVekId found;

        snp_vek_id_of_vek(vek, &found);
        if (memcmp(found.tcb, c->id.tcb, sizeof(found.tcb)) != 0)
                return error_set(e, -ESTALE, "vek-other-tcb", "The certificate is for another TCB than REPORTED_TCB");
        if (snp_vek_id_is_masked(&c->id) || c->id.key == SNP_SIGNING_KEY_VLEK)
                return 0; /* verification of the report decides whether a masked chip will do */
        if (memcmp(found.chip_id, c->id.chip_id, sizeof(found.chip_id)) != 0)
                return error_set(e, -ESTALE, "vek-other-chip", "The certificate is for another chip than CHIP_ID");
        return 0;
}

static int judge_vek(SnpCollateral *c, SnpSource source, X509 *cert, time_t at, Error *e) {
        CLEANUP(snp_vek_freep) SnpVek *vek = NULL;
        AUTO_BLOB Blob der = {};
        const Blob *chain = &c->parts[SNP_PART_CHAIN].data;
        SnpCerts certs = { .others = { { .data = chain->data, .size = chain->size } }, .n_others = 1 };
        int r = cert_to_der(cert, &der, e);

        if (r < 0)
                return r;
        certs.vek = (SnpCertBytes){ .data = der.data, .size = der.size };
        r = snp_vek_new(c->trust, &certs, at, &vek, e);
        if (r == 0)
                r = check_belongs(c, vek, e);
        if (r < 0)
                return r;
        c->id.product = snp_vek_product(vek);
        c->product_is_guess = false;
        c->not_after = snp_vek_not_after(vek);
        hold(c, SNP_PART_VEK, source, &der);
        return 0;
}

static int put_aside(SnpCollateral *c, SnpPart part, SnpSource source, const void *data, size_t size, Error *e) {
        Blob copy = {};

        if (blob_dup(data, size, &copy) < 0)
                return error_oom(e);
        blob_done(&c->aside[part][source]);
        c->aside[part][source] = copy;
        return 0;
}

static int offer_vek(SnpCollateral *c, SnpSource source, const void *data, size_t size, time_t at, Error *e) {
        AUTO_CERT_LIST SnpCertList list = {};
        SnpProduct product = SNP_PRODUCT_UNKNOWN;
        int r;

        if (has(c, SNP_PART_VEK))
                return 0;
        r = load_one(data, size, &list, e);
        if (r == 0)
                r = identify_vek(c, list.certs[0], &product, e);
        if (r < 0)
                return r;
        if (has_chain(c) && c->ca.product == product)
                return judge_vek(c, source, list.certs[0], at, e);
        if (c->id.product == SNP_PRODUCT_UNKNOWN) {
                c->id.product = product;
                c->product_is_guess = true;
        }
        return put_aside(c, SNP_PART_VEK, source, data, size, e);
}

/* Revoked counts more than anything; otherwise the list that was issued last. */
static bool is_better(const SnpCrlVerdict *v, const SnpCollateral *c) {
        if (!has(c, SNP_PART_CRL) || v->state == SNP_CRL_REVOKED)
                return true;
        return c->crl.state != SNP_CRL_REVOKED && v->this_update > c->crl.this_update;
}

bool snp_collateral_crl_is_older(const SnpCollateral *c, const Blob *other) {
        static const SnpCrlPolicy policy = { .mode = SNP_CRL_HARD };
        const SnpCertBytes bytes = { .data = other->data, .size = other->size };
        SnpCrlVerdict v = {};

        if (!has_chain(c) || !has(c, SNP_PART_CRL))
                return false;
        (void) !snp_crl_judge(c->ca.issuer, c->ca.ark, &policy, &bytes, 0, &v, NULL);
        if (v.this_update == 0) /* it does not hold */
                return false;
        if ((v.state == SNP_CRL_REVOKED) != (c->crl.state == SNP_CRL_REVOKED))
                return v.state == SNP_CRL_REVOKED;
        return v.this_update > c->crl.this_update;
}

static int offer_crl(SnpCollateral *c, SnpSource source, const void *data, size_t size, time_t at, Error *e) {
        const SnpCertBytes bytes = { .data = data, .size = size };
        AUTO_BLOB Blob der = {};
        SnpCrlVerdict v = {};
        int r;

        if (c->policy.mode == SNP_CRL_OFF)
                return 0;
        r = snp_crl_to_der(data, size, &der, e);
        if (r < 0)
                return r;
        if (!has_chain(c))
                return put_aside(c, SNP_PART_CRL, source, data, size, e);
        r = snp_crl_judge(c->ca.issuer, c->ca.ark, &c->policy, &bytes, at, &v, NULL);
        if (r == -ENOMEM)
                return error_oom(e);
        if (v.state == SNP_CRL_UNUSABLE)
                return error_set(e, v.why.code, v.why.reason, "%s", v.why.text);
        if (is_better(&v, c)) {
                c->crl = v;
                hold(c, SNP_PART_CRL, source, &der);
        }
        return 0;
}

/* What was waiting for a chain. Refusals are remembered; only want of memory stops. */
static int settle_aside(SnpCollateral *c, time_t at, Error *e) {
        for (SnpSource source = 0; source < SNP_N_SOURCES; source++)
                for (SnpPart part = SNP_PART_VEK; part < SNP_N_PARTS; part++) {
                        AUTO_BLOB Blob data = blob_take(&c->aside[part][source]);
                        int r = 0;

                        if (data.size > 0)
                                r = snp_collateral_offer(c, part, source, data.data, data.size, at, NULL);
                        if (r == -ENOMEM)
                                return error_oom(e);
                }
        if (c->product_is_guess && !has(c, SNP_PART_VEK)) {
                c->id.product = SNP_PRODUCT_UNKNOWN;
                c->product_is_guess = false;
        }
        return 0;
}

/* A chain is wanted as long as there is none, or none that the VEK can hang on. */
static bool wants_chain(const SnpCollateral *c) {
        return !has_chain(c) || (!has(c, SNP_PART_VEK) && c->id.product != SNP_PRODUCT_UNKNOWN &&
                                 c->id.product != c->ca.product);
}

static int offer_list(SnpCollateral *c, const SnpCertList *list, SnpSource source, time_t at, Error *e) {
        AUTO_SNP_CA SnpCa ca = {};
        AUTO_BLOB Blob pem = {};
        int r;

        if (!wants_chain(c))
                return 0;
        r = snp_ca_find(c->trust, list, c->id.product, c->id.key, at, &ca, e);
        if (r == 0)
                r = snp_ca_to_pem(&ca, &pem, e);
        if (r < 0)
                return r;
        snp_ca_done(&c->ca);
        c->ca = ca;
        ca = (SnpCa){};
        c->not_after = c->ca.not_after;
        hold(c, SNP_PART_CHAIN, source, &pem);
        blob_done(&c->parts[SNP_PART_CRL].data); /* of another ARK, if there was one */
        c->parts[SNP_PART_CRL] = (Held){};
        return settle_aside(c, at, e);
}

int snp_collateral_offer_list(SnpCollateral *c, const SnpCertList *list, SnpSource source, time_t at, Error *e) {
        Error why = {};
        int r = offer_list(c, list, source, at, &why);

        return r < 0 ? refuse(c, SNP_PART_CHAIN, source, r, &why, e) : 0;
}

/* The two blocks of AMD's cert_chain, in its order. */
static int check_two_blocks(const SnpCertList *list, Error *e) {
        SnpProduct product;

        if (list->n != 2)
                return error_set(e, -EBADMSG, "chain-count", "The chain has %zu certificates instead of two", list->n);
        if (snp_cert_role(list->certs[1], &product) != SNP_ROLE_ARK)
                return error_set(e, -EBADMSG, "chain-order", "The second certificate of the chain is no ARK");
        return 0;
}

static int offer_chain(SnpCollateral *c, SnpSource source, const void *data, size_t size, time_t at, Error *e) {
        AUTO_CERT_LIST SnpCertList list = {};
        int r = snp_cert_list_add(&list, data, size, "The chain", e);

        if (r == 0 && (source == SNP_SOURCE_KDS || source == SNP_SOURCE_CACHE))
                r = check_two_blocks(&list, e);
        return r < 0 ? r : offer_list(c, &list, source, at, e);
}

static int offer(SnpCollateral *c, SnpPart part, SnpSource source, const void *data, size_t size, time_t at, Error *e) {
        if (size > snp_part_size_max(part))
                return error_set(e, -E2BIG, "part-size", "The %s has %zu bytes, more than %zu", snp_part_name(part),
                                 size, snp_part_size_max(part));
        switch (part) {
        case SNP_PART_CHAIN:
                return offer_chain(c, source, data, size, at, e);
        case SNP_PART_VEK:
                return offer_vek(c, source, data, size, at, e);
        case SNP_PART_CRL:
                return offer_crl(c, source, data, size, at, e);
        case SNP_N_PARTS:
        default:
                return error_set(e, -EINVAL, "part", "There is no such part");
        }
}

int snp_collateral_offer(SnpCollateral *c, SnpPart part, SnpSource source, const void *data, size_t size, time_t at,
                         Error *e) {
        Error why = {};
        int r;

        (void) ERR_set_mark();
        r = offer(c, part, source, data, size, at, &why);
        (void) ERR_pop_to_mark();
        return r < 0 ? refuse(c, part, source, r, &why, e) : 0;
}

/* Hosts hand out DER, but PEM has been seen: either is taken. An entry that is no certificate spoils only itself. */
static int offer_table_chain(SnpCollateral *c, const SnpCertTable *table, time_t at, Error *e) {
        AUTO_CERT_LIST SnpCertList list = {};

        for (size_t i = 0; i < table->n_entries; i++) {
                const SnpCertEntry *entry = &table->entries[i];
                Error why = {};
                int r;

                if (entry->kind != SNP_CERT_ASK && entry->kind != SNP_CERT_ARK)
                        continue;
                r = snp_cert_list_add(&list, entry->data, entry->size, snp_cert_kind_name(entry->kind), &why);
                if (r < 0 && refuse(c, SNP_PART_CHAIN, SNP_SOURCE_HOST, r, &why, e) == -ENOMEM)
                        return -ENOMEM;
        }
        if (list.n == 0)
                return 0;
        return snp_collateral_offer_list(c, &list, SNP_SOURCE_HOST, at, e) == -ENOMEM ? -ENOMEM : 0;
}

static int offer_entry(SnpCollateral *c, const SnpCertTable *table, SnpCertKind kind, SnpPart part, time_t at,
                       Error *e) {
        const SnpCertEntry *entry = snp_cert_table_find(table, kind);

        if (!entry)
                return 0;
        return snp_collateral_offer(c, part, SNP_SOURCE_HOST, entry->data, entry->size, at, NULL) == -ENOMEM
                       ? error_oom(e) : 0;
}

int snp_collateral_offer_table(SnpCollateral *c, const SnpCertTable *table, time_t at, Error *e) {
        SnpCertKind vek = c->id.key == SNP_SIGNING_KEY_VLEK ? SNP_CERT_VLEK : SNP_CERT_VCEK;
        Error oom = {};
        int r;

        /* The VEK first: it tells the product line that a version 2 report does not. */
        r = offer_entry(c, table, vek, SNP_PART_VEK, at, &oom);
        if (r == 0)
                r = offer_table_chain(c, table, at, &oom);
        if (r == 0)
                r = offer_entry(c, table, SNP_CERT_CRL, SNP_PART_CRL, at, &oom);
        return r < 0 ? error_oom(e) : 0;
}

unsigned snp_collateral_missing(const SnpCollateral *c) {
        unsigned missing = 0;

        if (wants_chain(c))
                missing |= 1u << SNP_PART_CHAIN;
        if (!has(c, SNP_PART_VEK))
                missing |= 1u << SNP_PART_VEK;
        if (has(c, SNP_PART_CRL) ? !c->crl.accepted && c->crl.state != SNP_CRL_REVOKED
                                 : c->policy.mode == SNP_CRL_HARD)
                missing |= 1u << SNP_PART_CRL;
        return missing;
}

unsigned snp_collateral_wanted(const SnpCollateral *c) {
        unsigned wanted = snp_collateral_missing(c);

        if (c->policy.mode != SNP_CRL_OFF && (!has(c, SNP_PART_CRL) || c->crl.state == SNP_CRL_STALE))
                wanted |= 1u << SNP_PART_CRL;
        return wanted;
}

const SnpVekId *snp_collateral_id(const SnpCollateral *c) {
        return &c->id;
}

const Blob *snp_collateral_get(const SnpCollateral *c, SnpPart part) {
        return part < SNP_N_PARTS && has(c, part) ? &c->parts[part].data : NULL;
}

SnpSource snp_collateral_source(const SnpCollateral *c, SnpPart part) {
        return part < SNP_N_PARTS && has(c, part) ? c->parts[part].source : SNP_SOURCE_NONE;
}

time_t snp_collateral_not_after(const SnpCollateral *c) {
        return c->not_after;
}

void snp_collateral_certs(const SnpCollateral *c, SnpCerts *ret) {
        const Blob *vek = &c->parts[SNP_PART_VEK].data, *chain = &c->parts[SNP_PART_CHAIN].data;

        *ret = (SnpCerts){ .vek = { .data = vek->data, .size = vek->size } };
        if (chain->size > 0)
                ret->others[ret->n_others++] = (SnpCertBytes){ .data = chain->data, .size = chain->size };
}

int snp_collateral_vek(const SnpCollateral *c, time_t at, SnpVek **ret, SnpCrlVerdict *ret_crl, Error *e) {
        CLEANUP(snp_vek_freep) SnpVek *vek = NULL;
        const Blob *list = &c->parts[SNP_PART_CRL].data;
        const SnpCertBytes crl = { .data = list->data, .size = list->size };
        SnpCerts certs;
        int r;

        if (!has(c, SNP_PART_VEK) || !has_chain(c))
                return error_set(e, -ENOENT, "cert-missing", "There is no %s",
                                 has_chain(c) ? "VCEK or VLEK certificate" : "certificate chain");
        snp_collateral_certs(c, &certs);
        r = snp_vek_new(c->trust, &certs, at, &vek, e);
        if (r == 0)
                r = snp_vek_check_crl(vek, &c->policy, &crl, at, ret_crl, e);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(vek);
        return 0;
}

const SnpRefusal *snp_collateral_refusal(const SnpCollateral *c, size_t index) {
        return index < c->n_refusals ? &c->refusals[index] : NULL;
}
