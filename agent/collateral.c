/* SPDX-License-Identifier: Apache-2.0 */

/* What is at hand for the report that was observed last: the host's table and the cache, and later what was fetched. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/collateral-internal.h"

/* For a revocation list that verification can do without: the cache is not searched with every report. */
#define LOOK_AGAIN_SECONDS 60

static SnpCrlMode crl_mode(ConfigCrl crl) {
        static const SnpCrlMode modes[] = {
                [CONFIG_CRL_OFF] = SNP_CRL_OFF,
                [CONFIG_CRL_SOFT] = SNP_CRL_SOFT,
                [CONFIG_CRL_HARD] = SNP_CRL_HARD,
        };

        return modes[crl];
}

int collateral_new(const CollateralSetup *setup, Collateral **ret, Error *e) {
        CLEANUP(collateral_freep) Collateral *c = calloc(1, sizeof(*c));
        int r;

        if (!c)
                return error_oom(e);
        c->setup = *setup;
        c->crl_policy = (SnpCrlPolicy){ .mode = crl_mode(setup->config->crl), .stale_max = SNP_CRL_STALE_MAX_DEFAULT };
        r = collateral_fetch_init(c, e);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}

static void forget(Collateral *c) {
        snp_vek_free(c->vek);
        c->vek = NULL;
        snp_collateral_free(TAKE_PTR(c->parts));
        c->table_why = (Error){};
        blob_done(&c->table);
}

void collateral_free(Collateral *c) {
        if (!c)
                return;
        collateral_fetch_done(c);
        forget(c);
        snp_cache_close(c->cache);
        free(c);
}

/* The disk that it lies on may come late. */
void collateral_open_cache(Collateral *c) {
        if (c->cache || !c->setup.config->cache)
                return;
        c->cache_why = (Error){};
        (void) !snp_cache_open(c->setup.config->cache, &c->cache, &c->cache_why);
}

void collateral_save(Collateral *c) {
        Error e = {};

        collateral_open_cache(c);
        c->unsaved = c->setup.config->cache != NULL;
        if (!c->cache)
                return;
        c->unsaved = snp_cache_keep(c->cache, c->parts, &e) < 0;
        c->cache_why = e;
}

/* Nothing at all is another matter than something wrong. */
static void explain_missing(Collateral *c) {
        const SnpRefusal *refusal = NULL;

        for (size_t i = 0; (refusal = snp_collateral_refusal(c->parts, i)) && refusal->source != SNP_SOURCE_HOST;)
                i++;
        if (refusal)
                c->vek_why = refusal->why;
        else if (c->table_why.code < 0)
                c->vek_why = c->table_why;
        else if (snp_collateral_missing(c->parts) & 1u << SNP_PART_VEK) {
                c->vek_why = (Error){};
                (void) error_set(&c->vek_why, -ENOENT, "no-certificate",
                                 "The host gave no %s certificate, and nobody else so far",
                                 c->id.key == SNP_SIGNING_KEY_VLEK ? "VLEK" : "VCEK");
        }
}

static time_t earlier(time_t a, time_t b) {
        return a == 0 || (b != 0 && b < a) ? b : a;
}

void collateral_update_vek(Collateral *c) {
        time_t at = time(NULL);
        int r;

        snp_vek_free(c->vek);
        c->vek = NULL;
        c->vek_why = (Error){};
        c->crl = (SnpCrlVerdict){};
        r = snp_collateral_vek(c->parts, at, &c->vek, &c->crl, &c->vek_why);
        if (r == -ENOENT)
                explain_missing(c);
        c->made_at = at;
        c->good_until = earlier(snp_collateral_not_after(c->parts), c->crl.next_update);
}

static int gather(Collateral *c, Error *e) {
        time_t at = time(NULL);
        SnpCertTable table;
        int r;

        r = snp_collateral_new(c->setup.trust, &c->id, &c->crl_policy, &c->parts, e);
        if (r < 0)
                return r;
        if (snp_cert_table_parse(c->table.data, c->table.size, &table, &c->table_why) == 0)
                r = snp_collateral_offer_table(c->parts, &table, at, e);
        collateral_open_cache(c);
        if (r == 0 && c->cache)
                r = snp_cache_fill(c->cache, c->parts, at, e);
        return r;
}

static bool same_key(const SnpVekId *a, const SnpVekId *b) {
        return a->key == b->key && memcmp(a->chip_id, b->chip_id, sizeof(a->chip_id)) == 0 &&
               memcmp(a->tcb, b->tcb, sizeof(a->tcb)) == 0;
}

/* Whether what was found for the last report still answers all that there is to ask. */
static bool is_settled(const Collateral *c, const SnpVekId *id, const void *table, size_t size) {
        time_t now = time(NULL);

        if (!c->parts || !same_key(&c->id, id))
                return false;
        if (c->fetch.phase != FETCH_IDLE && c->fetch.phase != FETCH_STARTING)
                return true; /* under way, and nothing is thrown away meanwhile */
        if (c->table.size != size || (size > 0 && memcmp(c->table.data, table, size) != 0))
                return false;
        if (snp_collateral_missing(c->parts) != 0 || now < c->made_at || now >= c->good_until)
                return false;
        return snp_collateral_wanted(c->parts) == 0 || now - c->made_at < LOOK_AGAIN_SECONDS;
}

/* What was fetched before may be nowhere else. */
static int carry_over(Collateral *c, const SnpCollateral *from, Error *e) {
        int r = 0;

        for (SnpPart part = 0; part < SNP_N_PARTS && r != -ENOMEM; part++) {
                SnpSource source = snp_collateral_source(from, part);
                const Blob *b = snp_collateral_get(from, part);

                if (b && source != SNP_SOURCE_HOST)
                        r = snp_collateral_offer(c->parts, part, source, b->data, b->size, time(NULL), NULL);
        }
        return r == -ENOMEM ? error_oom(e) : 0;
}

static int look(Collateral *c, const SnpVekId *id, const void *table, size_t size, Error *e) {
        CLEANUP(snp_collateral_freep) SnpCollateral *before = NULL;
        AUTO_BLOB Blob copy = {};
        int r;

        if (size > 0 && blob_dup(table, size, &copy) < 0)
                return error_oom(e);
        if (c->parts && same_key(&c->id, id))
                before = TAKE_PTR(c->parts);
        else
                collateral_fetch_cancel(c);
        forget(c);
        c->id = *id;
        c->table = blob_take(&copy);
        r = gather(c, e);
        if (r == 0 && before)
                r = carry_over(c, before, e);
        if (r == 0)
                collateral_update_vek(c);
        return r;
}

void collateral_observe(Collateral *c, const SnpReport *report, const void *table, size_t size) {
        SnpVekId id;
        Error e = {};
        int r;

        r = snp_vek_id_of_report(report, SNP_PRODUCT_UNKNOWN, &id, &e);
        if (r == 0 && !is_settled(c, &id, table, size))
                r = look(c, &id, table, size, &e);
        if (r < 0) {
                collateral_fetch_cancel(c);
                forget(c);
                c->vek_why = e;
                return;
        }
        if (c->unsaved)
                collateral_save(c);
        if (snp_collateral_wanted(c->parts) != 0)
                collateral_fetch_want(c); /* does nothing while it is under way */
}

int collateral_vek(const Collateral *c, const SnpVek **ret, Error *e) {
        if (c->vek) {
                *ret = c->vek;
                return 0;
        }
        if (c->vek_why.code == 0)
                return error_set(e, -ENOENT, "no-certificate", "No report was seen so far");
        return error_set(e, c->vek_why.code, error_reason(&c->vek_why, c->vek_why.code), "%s",
                         error_text(&c->vek_why, c->vek_why.code));
}

const Blob *collateral_vcek_for(const Collateral *c, const SnpReport *report) {
        SnpVekId id;

        /* Whether a revocation list is missing or names somebody is for the broker to find out by itself. */
        if (!c->parts || snp_vek_id_of_report(report, SNP_PRODUCT_UNKNOWN, &id, NULL) < 0 || !same_key(&c->id, &id) ||
            id.key != SNP_SIGNING_KEY_VCEK || snp_collateral_source(c->parts, SNP_PART_VEK) == SNP_SOURCE_HOST)
                return NULL;
        return snp_collateral_get(c->parts, SNP_PART_VEK);
}
