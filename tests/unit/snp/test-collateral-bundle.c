/* SPDX-License-Identifier: Apache-2.0 */

/* snp/collateral-bundle.c, -import.c, -store.c: what enters the cache by hand. */

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/json.h"
#include "snp/collateral-bundle.h"
#include "tests/unit/snp/collateral-world.h"
#include "tests/unit/unit.h"

#define DAY ((time_t) 24 * 60 * 60)

static char cache_dir[128], import_dir[128];
static SnpCache *cache;

/* What on_item was told. */
static char told[4096];

static void on_item(void *userdata, const char *what, int r, const Error *e) {
        size_t n = strlen(told);

        (void) userdata;
        (void) snprintf(told + n, sizeof(told) - n, "%s=%s;", what, r < 0 ? e->reason : "ok");
}

static void setup(void) {
        world_setup();
        (void) snprintf(cache_dir, sizeof(cache_dir), "%s/cache", world_dir);
        (void) snprintf(import_dir, sizeof(import_dir), "%s/import", world_dir);
        ck_assert_int_eq(mkdir(cache_dir, 0755), 0);
        ck_assert_int_eq(mkdir(import_dir, 0755), 0);
        ck_assert_int_eq(snp_cache_open(cache_dir, &cache, NULL), 0);
        told[0] = 0;
}

static void teardown(void) {
        snp_cache_close(cache);
        world_teardown();
}

static SnpImport import_at(time_t at) {
        told[0] = 0;
        return (SnpImport){ .trust = world_trust, .at = at, .on_item = on_item };
}

static unsigned missing(SimProduct product) {
        CLEANUP(snp_collateral_freep) SnpCollateral *c = world_collateral(product, SNP_CRL_HARD);

        ck_assert_int_eq(snp_cache_fill(cache, c, FORGE_NOW, NULL), 0);
        return snp_collateral_missing(c);
}

static void fill(SimProduct product) {
        CLEANUP(snp_collateral_freep) SnpCollateral *c = world_collateral(product, SNP_CRL_HARD);

        world_offer_all(c, world_pki[product], SNP_SOURCE_KDS);
        ck_assert_int_eq(snp_cache_keep(cache, c, NULL), 0);
}

static void put(const char *name, const Blob *data) {
        char relative[256];

        (void) snprintf(relative, sizeof(relative), "import/%s", name);
        world_write(relative, data->data, data->size);
}

static void put_directory(const char *name) {
        char path[256];

        (void) snprintf(path, sizeof(path), "%s/%s", import_dir, name);
        ck_assert_int_eq(mkdir(path, 0755), 0);
}

static void put_cert(const char *name, const SimPki *pki, SimKey which, bool pem) {
        AUTO_BLOB Blob data = {};

        ck_assert_int_eq(pem ? sim_pki_cert_pem(pki, which, &data, NULL) : sim_pki_cert_der(pki, which, &data, NULL), 0);
        put(name, &data);
}

static void put_part(const char *name, const SimPki *pki, SnpPart part, SnpSigningKey key) {
        AUTO_BLOB Blob data = world_part(pki, part, key);

        put(name, &data);
}

/* Bundles made by hand: items are JSON texts. */

static Blob item_of(const char *kind, const Blob *data) {
        AUTO_FREE char *base64 = base64_encode(BASE64_STD, data->data, data->size);
        char *text = NULL;
        int n = asprintf(&text, "{\"kind\":\"%s\",\"der\":\"%s\"}", kind, base64);

        ck_assert_int_gt(n, 0);
        return (Blob){ .data = (uint8_t *) text, .size = (size_t) n };
}

static Blob bundle_of(const Blob *items, size_t n) {
        char *text = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&text, &size);

        ck_assert_ptr_nonnull(f);
        (void) fprintf(f, "{\"type\":\"snp-collateral-bundle\",\"version\":1,\"items\":[");
        for (size_t i = 0; i < n; i++)
                (void) fprintf(f, "%s%.*s", i ? "," : "", (int) items[i].size, (char *) items[i].data);
        (void) fprintf(f, "]}");
        ck_assert_int_eq(fclose(f), 0);
        return (Blob){ .data = (uint8_t *) text, .size = size };
}

START_TEST(a_bundle_carries_a_cache_to_another_machine) {
        SnpImport import = import_at(FORGE_NOW);
        AUTO_BLOB Blob bundle = {};
        char other[256];
        Error e = {};

        for (SimProduct p = 0; p < SIM_N_PRODUCTS; p++)
                fill(p);
        ck_assert_int_eq(snp_cache_export_bundle(cache, world_trust, FORGE_NOW, &bundle, NULL), 0);
        snp_cache_close(cache);
        (void) snprintf(other, sizeof(other), "%s/other", world_dir);
        ck_assert_int_eq(mkdir(other, 0755), 0);
        ck_assert_int_eq(snp_cache_open(other, &cache, NULL), 0);
        for (SimProduct p = 0; p < SIM_N_PRODUCTS; p++)
                ck_assert_uint_ne(missing(p), 0);
        ck_assert_msg(snp_cache_import_bundle(cache, bundle.data, bundle.size, &import, &e) == 0, "%s", told);
        ck_assert_uint_eq(import.n_stored, 9);
        ck_assert_uint_eq(import.n_refused, 0);
        for (SimProduct p = 0; p < SIM_N_PRODUCTS; p++)
                ck_assert_uint_eq(missing(p), 0);
}
END_TEST

START_TEST(an_export_leaves_out_what_no_longer_holds) {
        SnpImport import = import_at(FORGE_NOW + 400 * DAY);
        AUTO_BLOB Blob bundle = {};
        Error e = {};

        ck_assert_int_eq(snp_cache_export_bundle(cache, world_trust, FORGE_NOW, &bundle, &e), -ENOENT);
        ck_assert_str_eq(e.reason, "bundle-empty");
        fill(SIM_GENOA);
        ck_assert_int_eq(snp_cache_export_bundle(cache, world_trust, FORGE_NOW + 400 * DAY, &bundle, NULL), 0);
        ck_assert_int_eq(snp_cache_import_bundle(cache, bundle.data, bundle.size, &import, NULL), 0);
        ck_assert_uint_eq(import.n_stored, 2); /* not the list */
        ck_assert_int_eq(snp_cache_export_bundle(cache, world_trust, FORGE_NOW + 40 * 366 * DAY, &bundle, NULL),
                         -ENOENT);
}
END_TEST

static const struct {
        const char *text;
        int want;
        const char *reason;
} bad[] = {
        { "", -EBADMSG, NULL },
        { "[]", -EBADMSG, "bundle-type" },
        { "{}", -EBADMSG, NULL },
        { "{\"type\":\"x\",\"version\":1,\"items\":[]}", -EBADMSG, "bundle-type" },
        { "{\"type\":\"snp-collateral-bundle\",\"version\":2,\"items\":[]}", -EOPNOTSUPP, "bundle-version" },
        { "{\"type\":\"snp-collateral-bundle\",\"version\":1}", -EBADMSG, NULL },
        { "{\"type\":\"snp-collateral-bundle\",\"version\":1,\"items\":{}}", -EBADMSG, NULL },
        { "{\"type\":\"snp-collateral-bundle\",\"version\":1,\"items\":[]}", -ENOENT, "import-empty" },
        { "{\"type\":\"snp-collateral-bundle\",\"version\":1,\"items\":[]} ", -ENOENT, "import-empty" },
        { "{\"type\":\"snp-collateral-bundle\",\"version\":1,\"items\":[],\"items\":[]}", -EBADMSG, NULL },
};

START_TEST(what_is_no_bundle_is_refused_as_a_whole) {
        SnpImport import = import_at(FORGE_NOW);
        Error e = {};

        ck_assert_int_eq(snp_cache_import_bundle(cache, bad[_i].text, strlen(bad[_i].text), &import, &e), bad[_i].want);
        ck_assert_msg(!bad[_i].reason || strcmp(e.reason, bad[_i].reason) == 0, "%s", e.reason);
        ck_assert_uint_eq(import.n_stored, 0);
}
END_TEST

START_TEST(a_bundle_over_the_limit_is_not_read) {
        SnpImport import = import_at(FORGE_NOW);

        ck_assert_int_eq(snp_cache_import_bundle(cache, "", (size_t) SNP_BUNDLE_SIZE_MAX + 1, &import, NULL), -E2BIG);
}
END_TEST

static const struct {
        const char *item, *told;
} bad_items[] = {
        { "1", "item 1 (?)=bundle-item;" },
        { "{\"kind\":\"ark\",\"der\":\"\"}", "item 1 (?)=bundle-item;" },
        { "{\"kind\":\"vcek\"}", "item 1 (vcek)=bundle-item;" },
        { "{\"kind\":\"vcek\",\"der\":\"\",\"pem\":\"\"}", "item 1 (vcek)=bundle-item;" },
        { "{\"kind\":\"vcek\",\"der\":\"!\"}", "item 1 (vcek)=bundle-item;" },
        { "{\"kind\":\"vcek\",\"der\":\"MAA=\"}", "item 1 (vcek)=cert-malformed;" },
        { "{\"kind\":\"chain\",\"pem\":\"junk\"}", "item 1 (chain)=cert-malformed;" },
        { "{\"kind\":\"vcek-crl\",\"der\":\"MAA=\"}", "item 1 (vcek-crl)=crl-malformed;" },
        { "{\"kind\":\"vcek-crl\",\"der\":\"\"}", "item 1 (vcek-crl)=crl-malformed;" },
};

START_TEST(a_bad_item_is_refused_by_itself) {
        SnpImport import = import_at(FORGE_NOW);
        const Blob item = { .data = (uint8_t *) (uintptr_t) bad_items[_i].item, .size = strlen(bad_items[_i].item) };
        AUTO_BLOB Blob bundle = bundle_of(&item, 1);
        Error e = {};

        ck_assert_int_eq(snp_cache_import_bundle(cache, bundle.data, bundle.size, &import, &e), -EKEYREJECTED);
        ck_assert_str_eq(told, bad_items[_i].told);
        ck_assert_uint_eq(import.n_refused, 1);
        ck_assert_str_eq(e.reason, "import-refused");
}
END_TEST

START_TEST(order_does_not_matter_and_one_bad_item_spoils_only_itself) {
        CLEANUP(sim_pki_freep) SimPki *fake = world_variant(SIM_GENOA, &(WorldChange){ .other_root = true });
        const SimPki *pki = world_pki[SIM_GENOA];
        AUTO_BLOB Blob vek = world_part(pki, SNP_PART_VEK, 0), crl = world_part(pki, SNP_PART_CRL, 0);
        AUTO_BLOB Blob chain = world_part(pki, SNP_PART_CHAIN, 0), fake_chain = world_part(fake, SNP_PART_CHAIN, 0);
        Blob items[] = { item_of("vcek", &vek), item_of("vcek-crl", &crl), item_of("chain", &fake_chain),
                         item_of("chain", &chain) };
        AUTO_BLOB Blob bundle = bundle_of(items, N_ELEMENTS(items));
        SnpImport import = import_at(FORGE_NOW);

        ck_assert_int_eq(snp_cache_import_bundle(cache, bundle.data, bundle.size, &import, NULL), -EKEYREJECTED);
        ck_assert_str_eq(told, "item 3 (chain)=root-untrusted;item 4 (chain)=ok;item 1 (vcek)=ok;item 2 (vcek-crl)=ok;");
        ck_assert_uint_eq(missing(SIM_GENOA), 0);
        for (size_t i = 0; i < N_ELEMENTS(items); i++)
                blob_done(&items[i]);
}
END_TEST

START_TEST(a_certificate_without_its_chain_is_refused) {
        AUTO_BLOB Blob vek = world_part(world_pki[SIM_GENOA], SNP_PART_VEK, 0);
        AUTO_BLOB Blob crl = world_part(world_pki[SIM_GENOA], SNP_PART_CRL, 0);
        Blob items[] = { item_of("vcek", &vek), item_of("vcek-crl", &crl) };
        AUTO_BLOB Blob bundle = bundle_of(items, N_ELEMENTS(items));
        SnpImport import = import_at(FORGE_NOW);

        ck_assert_int_eq(snp_cache_import_bundle(cache, bundle.data, bundle.size, &import, NULL), -EKEYREJECTED);
        ck_assert_str_eq(told, "item 1 (vcek)=cert-missing;item 2 (vcek-crl)=cert-missing;");
        fill(SIM_GENOA); /* the cache may have it already */
        import = import_at(FORGE_NOW);
        ck_assert_int_eq(snp_cache_import_bundle(cache, bundle.data, bundle.size, &import, NULL), 0);
        blob_done(&items[0]);
        blob_done(&items[1]);
}
END_TEST

START_TEST(time_counts_at_import) {
        SnpImport import = import_at(FORGE_NOW + 8 * 366 * DAY);

        put_part("cert_chain", world_pki[SIM_MILAN], SNP_PART_CHAIN, 0);
        put_cert("vcek.pem", world_pki[SIM_MILAN], SIM_VCEK, true);
        put_part("crl.der", world_pki[SIM_MILAN], SNP_PART_CRL, 0);
        ck_assert_int_eq(snp_cache_import_dir(cache, import_dir, &import, NULL), -EKEYREJECTED);
        ck_assert(strstr(told, "VCEK chain of Milan=ok;"));
        ck_assert(strstr(told, "vcek.pem=cert-expired;"));
        ck_assert(strstr(told, "crl.der=crl-stale;"));
        ck_assert_uint_eq(missing(SIM_MILAN), 1u << SNP_PART_VEK | 1u << SNP_PART_CRL);
}
END_TEST

/* Directories */

START_TEST(a_directory_of_separate_files_is_understood) {
        const SimPki *pki = world_pki[SIM_MILAN];
        SnpImport import = import_at(FORGE_NOW);
        Error e = {};

        put_cert("ark.pem", pki, SIM_ARK, true); /* as snpguest writes them */
        put_cert("ask.der", pki, SIM_ASK, false);
        put_cert("asvk.pem", pki, SIM_ASVK, true);
        put_cert("vcek.der", pki, SIM_VCEK, false);
        put_part("crl.der", pki, SNP_PART_CRL, 0);
        put_part("vlek-crl.der", pki, SNP_PART_CRL, SNP_SIGNING_KEY_VLEK);
        world_write("import/report.bin", "not of interest", 15);
        put_directory("sub");
        ck_assert_msg(snp_cache_import_dir(cache, import_dir, &import, &e) == 0, "%s: %s", e.text, told);
        ck_assert_uint_eq(import.n_stored, 5); /* two chains, a VCEK, two lists */
        ck_assert_uint_eq(missing(SIM_MILAN), 0);
}
END_TEST

START_TEST(a_chain_file_of_amds_service_is_understood) {
        const SimPki *pki = world_pki[SIM_TURIN];
        SnpImport import = import_at(FORGE_NOW);

        put_part("cert_chain", pki, SNP_PART_CHAIN, 0);
        put_part("vcek.crt", pki, SNP_PART_VEK, 0);
        put_part("crl", pki, SNP_PART_CRL, 0);
        ck_assert_msg(snp_cache_import_dir(cache, import_dir, &import, NULL) == 0, "%s", told);
        ck_assert_uint_eq(missing(SIM_TURIN), 0);
}
END_TEST

START_TEST(a_vlek_is_refused_with_its_reason) {
        const SimPki *pki = world_pki[SIM_MILAN];
        SnpImport import = import_at(FORGE_NOW);

        put_part("chain.pem", pki, SNP_PART_CHAIN, SNP_SIGNING_KEY_VLEK);
        put_cert("vlek.pem", pki, SIM_VLEK, true);
        ck_assert_int_eq(snp_cache_import_dir(cache, import_dir, &import, NULL), -EKEYREJECTED);
        ck_assert(strstr(told, "vlek.pem=vlek-not-kept;"));
        ck_assert(strstr(told, "VLEK chain of Milan=ok;"));
}
END_TEST

START_TEST(junk_with_a_name_of_interest_is_told) {
        SnpImport import = import_at(FORGE_NOW);
        static uint8_t large[SNP_CRL_SIZE_MAX + 1];

        world_write("import/vcek.pem", "junk", 4);
        world_write("import/ark.der", large, sizeof(large));
        put_directory("ask.pem");
        ck_assert_int_eq(snp_cache_import_dir(cache, import_dir, &import, NULL), -EKEYREJECTED);
        ck_assert(strstr(told, "vcek.pem=cert-malformed;"));
        ck_assert(strstr(told, "ark.der=file-too-large;"));
        ck_assert(strstr(told, "ask.pem=not-a-file;"));
        ck_assert_uint_eq(import.n_refused, 3);
}
END_TEST

START_TEST(forged_files_are_refused) {
        CLEANUP(sim_pki_freep) SimPki *fake = world_variant(SIM_MILAN, &(WorldChange){ .other_root = true });
        SnpImport import = import_at(FORGE_NOW);

        fill(SIM_MILAN);
        put_part("cert_chain", fake, SNP_PART_CHAIN, 0);
        put_part("crl", fake, SNP_PART_CRL, 0);
        ck_assert_int_eq(snp_cache_import_dir(cache, import_dir, &import, NULL), -EKEYREJECTED);
        ck_assert(strstr(told, "VCEK chain of Milan=root-untrusted;"));
        ck_assert(strstr(told, "crl=crl-signature;") || strstr(told, "crl=cert-missing;"));
        ck_assert_uint_eq(import.n_stored, 0);
        ck_assert_uint_eq(missing(SIM_MILAN), 0);
}
END_TEST

START_TEST(an_older_list_does_not_replace_a_newer_one) {
        CLEANUP(sim_pki_freep) SimPki *old = world_variant(SIM_MILAN, &(WorldChange){ .days = -30 });
        AUTO_BLOB Blob newer = world_part(world_pki[SIM_MILAN], SNP_PART_CRL, 0);
        AUTO_BLOB Blob kept = {};
        SnpImport import = import_at(FORGE_NOW);
        char path[256];

        fill(SIM_MILAN);
        put_part("crl", old, SNP_PART_CRL, 0);
        ck_assert_int_eq(snp_cache_import_dir(cache, import_dir, &import, NULL), 0);
        (void) snprintf(path, sizeof(path), "%s/vcek-Milan-crl.der", cache_dir);
        ck_assert_int_eq(file_read(path, SNP_CRL_SIZE_MAX, &kept, NULL), 0);
        /* The bytes of a signature are its own: compare what was kept with what was there. */
        ck_assert_uint_eq(kept.size, newer.size);
        ck_assert_int_eq(memcmp(kept.data, newer.data, newer.size), 0);
}
END_TEST

START_TEST(a_list_that_revokes_is_taken) {
        CLEANUP(sim_pki_freep) SimPki *bad_news = world_variant(SIM_MILAN, &(WorldChange){ .revoked = true, .days = 0 });
        CLEANUP(snp_collateral_freep) SnpCollateral *c = world_collateral(SIM_MILAN, SNP_CRL_SOFT);
        SnpImport import = import_at(FORGE_NOW);
        SnpCrlVerdict v = {};
        SnpVek *vek = NULL;
        Error e = {};

        put_part("cert_chain", world_pki[SIM_MILAN], SNP_PART_CHAIN, 0);
        put_part("vcek.der", world_pki[SIM_MILAN], SNP_PART_VEK, 0);
        put_part("crl", bad_news, SNP_PART_CRL, 0);
        ck_assert_msg(snp_cache_import_dir(cache, import_dir, &import, NULL) == 0, "%s", told);
        ck_assert_int_eq(snp_cache_fill(cache, c, FORGE_NOW, NULL), 0);
        ck_assert_int_eq(snp_collateral_vek(c, FORGE_NOW, &vek, &v, &e), -EKEYREJECTED);
        ck_assert_str_eq(e.reason, "revoked");
        ck_assert_int_eq(v.state, SNP_CRL_REVOKED);
}
END_TEST

START_TEST(a_cache_that_is_read_only_stops_the_import) {
        SnpImport import = import_at(FORGE_NOW);
        Error e = {};

        put_part("cert_chain", world_pki[SIM_MILAN], SNP_PART_CHAIN, 0);
        snp_cache_close(cache);
        ck_assert_int_eq(chmod(cache_dir, 0777), 0);
        ck_assert_int_eq(snp_cache_open(cache_dir, &cache, NULL), 0);
        ck_assert_int_eq(snp_cache_import_dir(cache, import_dir, &import, &e), -EACCES);
        ck_assert_str_eq(e.reason, "cache-read-only");
}
END_TEST

START_TEST(a_directory_that_is_none_is_told) {
        SnpImport import = import_at(FORGE_NOW);

        ck_assert_int_eq(snp_cache_import_dir(cache, "/nonexistent/x", &import, NULL), -ENOENT);
        ck_assert_int_eq(snp_cache_import_dir(cache, import_dir, &import, NULL), -ENOENT); /* empty */
}
END_TEST

int main(void) {
        Suite *suite = suite_create("snp/collateral-bundle");
        TCase *tc = tcase_create("bundle");
        int r;

        world_make();
        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_add_test(tc, a_bundle_carries_a_cache_to_another_machine);
        tcase_add_test(tc, an_export_leaves_out_what_no_longer_holds);
        tcase_add_loop_test(tc, what_is_no_bundle_is_refused_as_a_whole, 0, N_ELEMENTS(bad));
        tcase_add_test(tc, a_bundle_over_the_limit_is_not_read);
        tcase_add_loop_test(tc, a_bad_item_is_refused_by_itself, 0, N_ELEMENTS(bad_items));
        tcase_add_test(tc, order_does_not_matter_and_one_bad_item_spoils_only_itself);
        tcase_add_test(tc, a_certificate_without_its_chain_is_refused);
        tcase_add_test(tc, time_counts_at_import);
        tcase_add_test(tc, a_directory_of_separate_files_is_understood);
        tcase_add_test(tc, a_chain_file_of_amds_service_is_understood);
        tcase_add_test(tc, a_vlek_is_refused_with_its_reason);
        tcase_add_test(tc, junk_with_a_name_of_interest_is_told);
        tcase_add_test(tc, forged_files_are_refused);
        tcase_add_test(tc, an_older_list_does_not_replace_a_newer_one);
        tcase_add_test(tc, a_list_that_revokes_is_taken);
        tcase_add_test(tc, a_cache_that_is_read_only_stops_the_import);
        tcase_add_test(tc, a_directory_that_is_none_is_told);
        suite_add_tcase(suite, tc);
        r = unit_run(suite);
        world_unmake();
        return r;
}
