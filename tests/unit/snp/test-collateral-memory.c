/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Collateral while memory runs out: the N-th allocation of our own code fails, for N = 1, 2, ... until none does. What
 * was to be done is then done or told to be impossible for want of memory; it is never half done, and never refused for
 * another reason, because a refusal would be remembered.
 */

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "snp/collateral-bundle.h"
#include "snp/collateral-fetch.h"
#include "tests/simulator/report.h"
#include "tests/unit/snp/collateral-world.h"
#include "tests/unit/unit.h"

static unsigned long n_allocations, fail_at; /* fail_at 0: never */

static bool fails(void) {
        return ++n_allocations == fail_at;
}

/* Linked in place of the ones that our static libraries call. */
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

void *__wrap_malloc(size_t n) {
        return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size) {
        return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n) {
        return fails() ? NULL : __real_realloc(p, n);
}

/* Check's own assertions allocate; these are asserted when nothing fails any more. */
static bool broken;

static void expect(bool condition) {
        broken |= !condition;
}

static Blob parts[SNP_N_PARTS], table_bytes, bundle;
static char other_dir[96];

/* Each does all of something and returns 0 or why not. */

static int offer_all(SnpCollateral *c, const SnpPart *order) {
        int r = 0;

        for (size_t i = 0; i < SNP_N_PARTS && r == 0; i++)
                r = snp_collateral_offer(c, order[i], SNP_SOURCE_KDS, parts[order[i]].data, parts[order[i]].size,
                                         FORGE_NOW, NULL);
        return r;
}

static int collect(void) {
        static const SnpPart order[] = { SNP_PART_VEK, SNP_PART_CRL, SNP_PART_CHAIN };
        CLEANUP(snp_collateral_freep) SnpCollateral *c = NULL;
        CLEANUP(snp_vek_freep) SnpVek *vek = NULL;
        const SnpCrlPolicy hard = { .mode = SNP_CRL_HARD };
        SnpVekId id = world_id(SIM_GENOA);
        SnpCrlVerdict v = {};
        int r = snp_collateral_new(world_trust, &id, &hard, &c, NULL);

        if (r == 0)
                r = offer_all(c, order);
        if (r == 0)
                r = snp_collateral_vek(c, FORGE_NOW, &vek, &v, NULL);
        expect((r == 0) == (vek != NULL));
        expect(!c || !snp_collateral_refusal(c, 0));
        return r;
}

static int take_table(void) {
        CLEANUP(snp_collateral_freep) SnpCollateral *c = NULL;
        const SnpCrlPolicy soft = { .mode = SNP_CRL_SOFT };
        SnpVekId id = world_id(SIM_GENOA);
        SnpCertTable table;
        int r = snp_collateral_new(world_trust, &id, &soft, &c, NULL);

        expect(snp_cert_table_parse(table_bytes.data, table_bytes.size, &table, NULL) == 0);
        if (r == 0)
                r = snp_collateral_offer_table(c, &table, FORGE_NOW, NULL);
        if (r == 0)
                expect(snp_collateral_missing(c) == 0);
        expect(!c || !snp_collateral_refusal(c, 0));
        return r;
}

static int use_cache(void) {
        static const SnpPart order[] = { SNP_PART_CHAIN, SNP_PART_VEK, SNP_PART_CRL };
        CLEANUP(snp_collateral_freep) SnpCollateral *c = NULL;
        CLEANUP(snp_collateral_freep) SnpCollateral *again = NULL;
        CLEANUP(snp_cache_closep) SnpCache *cache = NULL;
        AUTO_SNP_CACHE_TURN SnpCacheTurn turn = {};
        const SnpCrlPolicy hard = { .mode = SNP_CRL_HARD };
        SnpVekId id = world_id(SIM_GENOA);
        int r = snp_cache_open(world_dir, &cache, NULL);

        if (r == 0)
                r = snp_cache_begin(cache, &id, &turn, NULL);
        if (r == 0)
                r = snp_collateral_new(world_trust, &id, &hard, &c, NULL);
        if (r == 0)
                r = offer_all(c, order);
        if (r == 0)
                r = snp_cache_keep(cache, c, NULL);
        if (r == 0)
                r = snp_collateral_new(world_trust, &id, &hard, &again, NULL);
        if (r == 0)
                r = snp_cache_fill(cache, again, FORGE_NOW, NULL);
        if (r == 0)
                expect(snp_collateral_missing(again) == 0);
        return r;
}

static int drive(SnpFetch *f, SnpFetchNow *now) {
        for (;;) {
                SnpFetchStep step;
                int r = snp_fetch_next(f, now, &step, NULL);

                if (r < 0 || step.action != SNP_FETCH_GET)
                        return r < 0 ? r : step.action == SNP_FETCH_DONE ? 0 : -EIO;
                r = snp_fetch_answer(f, now, &(SnpFetchAnswer){ .status = 200, .body = parts[step.part].data,
                                                                 .size = parts[step.part].size }, NULL);
                if (r < 0)
                        return r;
        }
}

static int fetch(void) {
        CLEANUP(snp_collateral_freep) SnpCollateral *c = NULL;
        CLEANUP(snp_fetch_freep) SnpFetch *f = NULL;
        const SnpCrlPolicy hard = { .mode = SNP_CRL_HARD };
        SnpFetchNow now = { .usec = 1, .wall = FORGE_NOW };
        SnpVekId id = world_id(SIM_GENOA);
        int r = snp_collateral_new(world_trust, &id, &hard, &c, NULL);

        if (r == 0)
                r = snp_fetch_new(c, &(SnpFetchConfig){}, &now, &f, NULL);
        return r < 0 ? r : drive(f, &now);
}

static int carry(void) {
        CLEANUP(snp_cache_closep) SnpCache *from = NULL;
        CLEANUP(snp_cache_closep) SnpCache *to = NULL;
        SnpImport import = { .trust = world_trust, .at = FORGE_NOW };
        AUTO_BLOB Blob made = {};
        int r = snp_cache_open(world_dir, &from, NULL);

        if (r == 0)
                r = snp_cache_open(other_dir, &to, NULL);
        if (r == 0)
                r = snp_cache_import_bundle(from, bundle.data, bundle.size, &import, NULL);
        if (r == 0)
                r = snp_cache_export_bundle(from, world_trust, FORGE_NOW, &made, NULL);
        if (r == 0)
                r = snp_cache_import_dir(to, world_dir, &import, NULL);
        return r;
}

static const struct {
        const char *what;
        int (*run)(void);
} jobs[] = {
        { "collect", collect }, { "table", take_table }, { "cache", use_cache }, { "fetch", fetch }, { "carry", carry },
};

START_TEST(want_of_memory_is_told_as_such) {
        unsigned long n = 0;
        bool reached = true;

        for (n = 1; reached; n++) {
                int r;

                n_allocations = 0;
                fail_at = n;
                r = jobs[_i].run();
                reached = n_allocations >= fail_at;
                fail_at = 0;
                ck_assert_msg(!broken, "%s: allocation %lu", jobs[_i].what, n);
                ck_assert_msg(r == 0 || (reached && r == -ENOMEM), "%s: allocation %lu: %d", jobs[_i].what, n, r);
        }
        ck_assert_uint_gt(n, 2);
}
END_TEST

static void make_parts(void) {
        const SimPki *pki = world_pki[SIM_GENOA];
        CLEANUP(snp_collateral_freep) SnpCollateral *c = world_collateral(SIM_GENOA, SNP_CRL_HARD);
        CLEANUP(snp_cache_closep) SnpCache *cache = NULL;

        for (SnpPart part = 0; part < SNP_N_PARTS; part++)
                parts[part] = world_part(pki, part, SNP_SIGNING_KEY_VCEK);
        ck_assert_int_eq(sim_cert_table_of(pki, SIM_SIGNER_VCEK, true, &table_bytes, NULL), 0);
        (void) snprintf(other_dir, sizeof(other_dir), "%s/other", world_dir);
        ck_assert_int_eq(mkdir(other_dir, 0755), 0);
        ck_assert_int_eq(snp_cache_open(other_dir, &cache, NULL), 0);
        world_offer_all(c, pki, SNP_SOURCE_KDS);
        ck_assert_int_eq(snp_cache_keep(cache, c, NULL), 0);
        ck_assert_int_eq(snp_cache_export_bundle(cache, world_trust, FORGE_NOW, &bundle, NULL), 0);
}

static void setup(void) {
        world_setup();
        make_parts();
}

static void teardown(void) {
        for (SnpPart part = 0; part < SNP_N_PARTS; part++)
                blob_done(&parts[part]);
        blob_done(&table_bytes);
        blob_done(&bundle);
        world_teardown();
}

int main(void) {
        Suite *suite = suite_create("snp/collateral-memory");
        TCase *tc = tcase_create("memory");
        int r;

        world_make();
        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_add_loop_test(tc, want_of_memory_is_told_as_such, 0, N_ELEMENTS(jobs));
        suite_add_tcase(suite, tc);
        r = unit_run(suite);
        world_unmake();
        return r;
}
