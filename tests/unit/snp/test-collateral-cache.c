/* SPDX-License-Identifier: Apache-2.0 */

/* snp/collateral-cache*.c: what is stored, what is believed again, and who may fetch. */

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/text.h"
#include "snp/collateral-cache-internal.h"
#include "snp/collateral-cache-name.h"
#include "tests/unit/snp/collateral-world.h"
#include "tests/unit/unit.h"

#define DAY ((time_t) 24 * 60 * 60)

static SnpCache *open_cache(void) {
        SnpCache *cache = NULL;
        Error e = {};

        ck_assert_msg(snp_cache_open(world_dir, &cache, &e) == 0, "%s", e.text);
        return cache;
}

static void keep_all(SnpCache *cache, SimProduct product) {
        CLEANUP(snp_collateral_freep) SnpCollateral *c = world_collateral(product, SNP_CRL_HARD);

        world_offer_all(c, world_pki[product], SNP_SOURCE_KDS);
        ck_assert_int_eq(snp_cache_keep(cache, c, NULL), 0);
}

/* What a machine that starts anew finds at @at; returns what is still missing. */
static unsigned missing_after_fill(SnpCache *cache, SimProduct product, SnpCrlMode mode, time_t at) {
        CLEANUP(snp_collateral_freep) SnpCollateral *c = world_collateral(product, mode);

        ck_assert_int_eq(snp_cache_fill(cache, c, at, NULL), 0);
        for (SnpPart part = 0; part < SNP_N_PARTS; part++)
                if (snp_collateral_get(c, part))
                        ck_assert_int_eq(snp_collateral_source(c, part), SNP_SOURCE_CACHE);
        return snp_collateral_missing(c);
}

static char *vek_name(SimProduct product) {
        static char name[SNP_CACHE_NAME_MAX];
        SnpVekId id = world_id(product);

        ck_assert(snp_cache_name_format(&id, SNP_PART_VEK, name));
        return name;
}

static char *path_of(const char *name) {
        static char path[512];

        (void) snprintf(path, sizeof(path), "%s/%s", world_dir, name);
        return path;
}

static size_t count_files(void) {
        DIR *dir = opendir(world_dir);
        size_t n = 0;
        struct dirent *entry;

        ck_assert_ptr_nonnull(dir);
        while ((entry = readdir(dir)) != NULL)
                n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
        (void) closedir(dir);
        return n;
}

START_TEST(what_was_kept_is_there_after_a_restart) {
        CLEANUP(snp_cache_closep) SnpCache *cache = open_cache();
        struct stat st;

        keep_all(cache, (SimProduct) _i);
        ck_assert_uint_eq(missing_after_fill(cache, (SimProduct) _i, SNP_CRL_HARD, FORGE_NOW), 0);
        ck_assert_uint_eq(count_files(), 3);
        ck_assert_int_eq(stat(path_of(vek_name((SimProduct) _i)), &st), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0644);
}
END_TEST

START_TEST(names_are_made_of_tables_and_hex) {
        SnpVekId id = world_id(SIM_TURIN);
        char name[SNP_CACHE_NAME_MAX], hwid[17], tcb[17], want[SNP_CACHE_NAME_MAX];

        hex_encode_to(id.chip_id, 8, hwid);
        hex_encode_to(id.tcb, 8, tcb);
        (void) snprintf(want, sizeof(want), "vcek-Turin-%s-%s.der", hwid, tcb);
        ck_assert(snp_cache_name_format(&id, SNP_PART_VEK, name));
        ck_assert_str_eq(name, want);
        ck_assert(snp_cache_name_format(&id, SNP_PART_CHAIN, name));
        ck_assert_str_eq(name, "vcek-Turin-chain.pem");
        id.key = SNP_SIGNING_KEY_VLEK;
        ck_assert(snp_cache_name_format(&id, SNP_PART_CRL, name));
        ck_assert_str_eq(name, "vlek-Turin-crl.der");
        ck_assert(!snp_cache_name_format(&id, SNP_PART_VEK, name));
        id = world_id(SIM_MILAN);
        id.product = SNP_PRODUCT_TURIN; /* with a chip ID of 64 bytes */
        ck_assert(!snp_cache_name_format(&id, SNP_PART_VEK, name));
        id.product = SNP_PRODUCT_UNKNOWN;
        ck_assert(!snp_cache_name_format(&id, SNP_PART_CHAIN, name));
        id = world_id(SIM_MILAN);
        (void) memset(id.chip_id, 0, sizeof(id.chip_id));
        ck_assert(!snp_cache_name_format(&id, SNP_PART_VEK, name));
}
END_TEST

START_TEST(every_name_is_read_back) {
        for (SimProduct p = 0; p < SIM_N_PRODUCTS; p++)
                for (SnpPart part = 0; part < SNP_N_PARTS; part++)
                        for (SnpSigningKey key = SNP_SIGNING_KEY_VCEK; key <= SNP_SIGNING_KEY_VLEK; key++) {
                                SnpVekId id = world_id(p);
                                char name[SNP_CACHE_NAME_MAX];
                                SnpCacheName n;

                                id.key = key;
                                if (!snp_cache_name_format(&id, part, name))
                                        continue;
                                ck_assert(snp_cache_name_parse(name, &n));
                                ck_assert(n.part == part && n.key == key && n.product == id.product);
                        }
}
END_TEST

static const char *const foreign_names[] = {
        "", ".", "..", "lock", ".new-0011223344556677", "vcek-", "vcek-Milan", "vcek-Milan-", "vcek-Milan-chain.pem.bak",
        "vcek-Rome-chain.pem", "vxek-Milan-chain.pem", "vcek-Milan-crl.pem", "vcek-Turin-0102030405060708-.der",
        "vcek-Turin-0102030405060708-000000000000000.der", "vcek-Turin-0102030405060708-00000000000000000.der",
        "vcek-Turin-0102030405060708-000000000000000A.der", "vlek-Turin-0102030405060708-0000000000000000.der",
        "vcek-Milan-0102030405060708-0000000000000000.der", "vcek-Turin-0102030405060708-0000000000000000.der/..",
};

START_TEST(other_names_are_not_ours) {
        SnpCacheName n;

        ck_assert(!snp_cache_name_parse(foreign_names[_i], &n));
}
END_TEST

/* Hostile directories */

typedef void (*Damage)(const char *path);

static void truncate_file(const char *path) {
        ck_assert_int_eq(truncate(path, 100), 0);
}

static void empty_file(const char *path) {
        ck_assert_int_eq(truncate(path, 0), 0);
}

static void grow_file(const char *path) {
        ck_assert_int_eq(truncate(path, 2 * 1024 * 1024), 0);
}

static void flip_bit(const char *path) {
        int fd = open(path, O_RDWR | O_CLOEXEC);
        uint8_t byte;

        ck_assert_int_eq(pread(fd, &byte, 1, 400), 1);
        byte ^= 1;
        ck_assert_int_eq(pwrite(fd, &byte, 1, 400), 1);
        (void) close(fd);
}

static void become_link(const char *path) {
        char real[600];

        (void) snprintf(real, sizeof(real), "%s.real", path);
        ck_assert_int_eq(rename(path, real), 0);
        ck_assert_int_eq(symlink(real, path), 0);
}

static void become_fifo(const char *path) {
        ck_assert_int_eq(unlink(path), 0);
        ck_assert_int_eq(mkfifo(path, 0644), 0);
}

static const struct {
        const char *what;
        Damage damage;
} damages[] = {
        { "truncated", truncate_file }, { "empty", empty_file },  { "too large", grow_file },
        { "changed", flip_bit },        { "a link", become_link }, { "a FIFO", become_fifo },
};

START_TEST(a_damaged_entry_is_ignored_told_and_replaced) {
        static const char *const names[] = { [SNP_PART_CHAIN] = "vcek-Genoa-chain.pem",
                                             [SNP_PART_CRL] = "vcek-Genoa-crl.der" };

        for (SnpPart part = 0; part < SNP_N_PARTS; part++) {
                const char *name = part == SNP_PART_VEK ? vek_name(SIM_GENOA) : names[part];
                CLEANUP(snp_cache_closep) SnpCache *cache = open_cache();
                CLEANUP(snp_collateral_freep) SnpCollateral *c = world_collateral(SIM_GENOA, SNP_CRL_HARD);

                keep_all(cache, SIM_GENOA);
                damages[_i].damage(path_of(name));
                ck_assert_int_eq(snp_cache_fill(cache, c, FORGE_NOW, NULL), 0);
                ck_assert_msg(snp_collateral_missing(c) & 1u << part, "%s: %s", damages[_i].what, snp_part_name(part));
                ck_assert_ptr_nonnull(snp_collateral_refusal(c, 0));
                ck_assert_int_eq(snp_collateral_refusal(c, 0)->source, SNP_SOURCE_CACHE);
                ck_assert_int_eq(snp_collateral_refusal(c, 0)->part, part);
                world_offer_all(c, world_pki[SIM_GENOA], SNP_SOURCE_KDS);
                ck_assert_int_eq(snp_cache_keep(cache, c, NULL), 0);
                ck_assert_uint_eq(missing_after_fill(cache, SIM_GENOA, SNP_CRL_HARD, FORGE_NOW), 0);
        }
}
END_TEST

START_TEST(a_link_is_replaced_and_not_followed) {
        CLEANUP(snp_cache_closep) SnpCache *cache = open_cache();
        AUTO_BLOB Blob victim = {};

        world_write("victim", "precious", 8);
        ck_assert_int_eq(symlink("victim", path_of("vcek-Genoa-chain.pem")), 0);
        keep_all(cache, SIM_GENOA);
        ck_assert_int_eq(file_read(path_of("victim"), 100, &victim, NULL), 0);
        ck_assert_uint_eq(victim.size, 8);
        ck_assert_uint_eq(missing_after_fill(cache, SIM_GENOA, SNP_CRL_HARD, FORGE_NOW), 0);
}
END_TEST

START_TEST(certificates_of_another_chip_or_root_under_our_name_are_ignored) {
        CLEANUP(snp_cache_closep) SnpCache *cache = open_cache();
        CLEANUP(sim_pki_freep) SimPki *other = world_variant(SIM_GENOA, &(WorldChange){ .other_chip = _i == 0,
                                                                                        .other_tcb = _i == 1,
                                                                                        .other_root = _i == 2 });
        AUTO_BLOB Blob chain = world_part(other, SNP_PART_CHAIN, 0), vek = world_part(other, SNP_PART_VEK, 0);

        keep_all(cache, SIM_GENOA);
        world_write(vek_name(SIM_GENOA), vek.data, vek.size);
        if (_i == 2)
                world_write("vcek-Genoa-chain.pem", chain.data, chain.size);
        ck_assert(missing_after_fill(cache, SIM_GENOA, SNP_CRL_HARD, FORGE_NOW) & 1u << SNP_PART_VEK);
}
END_TEST

START_TEST(nothing_is_used_past_its_end) {
        CLEANUP(snp_cache_closep) SnpCache *cache = open_cache();

        keep_all(cache, SIM_GENOA);
        /* CRL: a year; VCEK: seven; CAs: 25. All began a day before FORGE_NOW. */
        ck_assert_uint_eq(missing_after_fill(cache, SIM_GENOA, SNP_CRL_HARD, FORGE_NOW + 363 * DAY), 0);
        ck_assert_uint_eq(missing_after_fill(cache, SIM_GENOA, SNP_CRL_HARD, FORGE_NOW + 366 * DAY), 1u << SNP_PART_CRL);
        ck_assert_uint_eq(missing_after_fill(cache, SIM_GENOA, SNP_CRL_SOFT, FORGE_NOW + 366 * DAY), 0);
        ck_assert_uint_eq(missing_after_fill(cache, SIM_GENOA, SNP_CRL_SOFT, FORGE_NOW + 390 * DAY), 1u << SNP_PART_CRL);
        ck_assert_uint_eq(missing_after_fill(cache, SIM_GENOA, SNP_CRL_OFF, FORGE_NOW + 390 * DAY), 0);
        ck_assert_uint_eq(missing_after_fill(cache, SIM_GENOA, SNP_CRL_OFF, FORGE_NOW + 8 * 366 * DAY), 1u << SNP_PART_VEK);
        ck_assert_uint_eq(missing_after_fill(cache, SIM_GENOA, SNP_CRL_OFF, FORGE_NOW + 26 * 366 * DAY),
                          1u << SNP_PART_VEK | 1u << SNP_PART_CHAIN);
        ck_assert_uint_eq(missing_after_fill(cache, SIM_GENOA, SNP_CRL_OFF, FORGE_NOW - 2 * DAY),
                          1u << SNP_PART_VEK | 1u << SNP_PART_CHAIN);
}
END_TEST

START_TEST(a_report_without_a_product_finds_its_certificate) {
        CLEANUP(snp_cache_closep) SnpCache *cache = open_cache();
        CLEANUP(snp_collateral_freep) SnpCollateral *c = NULL;
        const SnpCrlPolicy off = { .mode = SNP_CRL_OFF };
        SnpVekId id = world_id((SimProduct) _i);

        for (SimProduct p = 0; p < SIM_N_PRODUCTS; p++)
                keep_all(cache, p);
        id.product = SNP_PRODUCT_UNKNOWN;
        ck_assert_int_eq(snp_collateral_new(world_trust, &id, &off, &c, NULL), 0);
        ck_assert_int_eq(snp_cache_fill(cache, c, FORGE_NOW, NULL), 0);
        ck_assert_uint_eq(snp_collateral_missing(c), 0);
        ck_assert_int_eq(snp_collateral_id(c)->product, world_product((SimProduct) _i));
}
END_TEST

START_TEST(an_older_list_does_not_push_out_a_newer_one) {
        CLEANUP(snp_cache_closep) SnpCache *cache = open_cache();
        CLEANUP(sim_pki_freep) SimPki *old = world_variant(SIM_GENOA, &(WorldChange){ .days = -30 });
        CLEANUP(snp_collateral_freep) SnpCollateral *c = world_collateral(SIM_GENOA, SNP_CRL_HARD);
        AUTO_BLOB Blob rollback = world_part(old, SNP_PART_CRL, 0), newer = world_part(world_pki[SIM_GENOA], SNP_PART_CRL, 0);
        AUTO_BLOB Blob kept = {};

        keep_all(cache, SIM_GENOA);
        ck_assert_int_eq(snp_collateral_offer(c, SNP_PART_CRL, SNP_SOURCE_HOST, rollback.data, rollback.size, FORGE_NOW,
                                              NULL), 0);
        ck_assert_int_eq(snp_cache_fill(cache, c, FORGE_NOW, NULL), 0);
        ck_assert(blob_equal(snp_collateral_get(c, SNP_PART_CRL), &newer));
        ck_assert_int_eq(snp_cache_keep(cache, c, NULL), 0);
        ck_assert_int_eq(file_read(path_of("vcek-Genoa-crl.der"), SNP_CRL_SIZE_MAX, &kept, NULL), 0);
        ck_assert(blob_equal(&kept, &newer));
}
END_TEST

/* What was fetched before the cache was there, or while somebody else stored a newer one. */
START_TEST(an_older_list_does_not_replace_a_newer_one_unseen) {
        CLEANUP(snp_cache_closep) SnpCache *cache = open_cache();
        CLEANUP(sim_pki_freep) SimPki *old = world_variant(SIM_GENOA, &(WorldChange){ .days = -30 });
        CLEANUP(sim_pki_freep) SimPki *revoked = world_variant(SIM_GENOA, &(WorldChange){ .days = -60, .revoked = true });
        CLEANUP(snp_collateral_freep) SnpCollateral *c = world_collateral(SIM_GENOA, SNP_CRL_SOFT);
        AUTO_BLOB Blob want = world_part(_i == 0 ? world_pki[SIM_GENOA] : revoked, SNP_PART_CRL, 0);
        AUTO_BLOB Blob rollback = world_part(old, SNP_PART_CRL, 0), kept = {};

        world_write("vcek-Genoa-crl.der", want.data, want.size);
        world_offer_all(c, old, SNP_SOURCE_KDS);
        ck_assert(blob_equal(snp_collateral_get(c, SNP_PART_CRL), &rollback));
        ck_assert_int_eq(snp_cache_keep(cache, c, NULL), 0);
        ck_assert_int_eq(file_read(path_of("vcek-Genoa-crl.der"), SNP_CRL_SIZE_MAX, &kept, NULL), 0);
        ck_assert(blob_equal(&kept, &want));
}
END_TEST

START_TEST(vleks_and_masked_chips_are_not_kept) {
        CLEANUP(snp_cache_closep) SnpCache *cache = open_cache();
        const SnpCrlPolicy off = { .mode = SNP_CRL_OFF };
        SnpVekId id = world_id(SIM_MILAN);

        for (int masked = 0; masked < 2; masked++) {
                CLEANUP(snp_collateral_freep) SnpCollateral *c = NULL;

                (void) memset(id.chip_id, 0, sizeof(id.chip_id));
                id.key = masked ? SNP_SIGNING_KEY_VCEK : SNP_SIGNING_KEY_VLEK;
                ck_assert_int_eq(snp_collateral_new(world_trust, &id, &off, &c, NULL), 0);
                world_offer_all(c, world_pki[SIM_MILAN], SNP_SOURCE_HOST);
                ck_assert_uint_eq(snp_collateral_missing(c), 0);
                ck_assert_int_eq(snp_cache_keep(cache, c, NULL), 0);
                ck_assert_uint_eq(count_files(), 1u + (unsigned) masked); /* the chains */
        }
}
END_TEST

START_TEST(the_oldest_certificates_go_when_there_are_too_many) {
        CLEANUP(snp_cache_closep) SnpCache *cache = open_cache();
        char name[SNP_CACHE_NAME_MAX];

        for (unsigned i = 0; i < 20; i++) {
                struct timespec times[2] = { { .tv_sec = 1000 + i }, { .tv_sec = 1000 + i } };

                (void) snprintf(name, sizeof(name), "vcek-Turin-00000000000000%02x-0000000000000000.der", i);
                world_write(name, "x", 1);
                ck_assert_int_eq(utimensat(AT_FDCWD, path_of(name), times, 0), 0);
        }
        world_write("vcek-Turin-chain.pem", "x", 1);
        world_write("somebody-elses", "x", 1);
        ck_assert_int_eq(snp_cache_trim(cache, 5, NULL), 0);
        ck_assert_uint_eq(count_files(), 7);
        for (unsigned i = 0; i < 20; i++) {
                (void) snprintf(name, sizeof(name), "vcek-Turin-00000000000000%02x-0000000000000000.der", i);
                ck_assert_int_eq(access(path_of(name), F_OK), i < 15 ? -1 : 0);
        }
}
END_TEST

START_TEST(a_disk_full_of_files_keeps_nobody_busy) {
        CLEANUP(snp_cache_closep) SnpCache *cache = open_cache();
        char name[SNP_CACHE_NAME_MAX];

        for (unsigned i = 0; i < 100; i++) {
                (void) snprintf(name, sizeof(name), "vcek-Turin-00000000000000%02x-0000000000000000.der", i);
                world_write(name, "x", 1);
        }
        ck_assert_int_eq(snp_cache_trim(cache, 5, NULL), 0);
        ck_assert_uint_eq(count_files(), 68);
        for (unsigned i = 0; i < 2; i++)
                ck_assert_int_eq(snp_cache_trim(cache, 5, NULL), 0);
        ck_assert_uint_eq(count_files(), 5);
}
END_TEST

START_TEST(what_dead_writers_left_is_removed_in_time) {
        CLEANUP(snp_cache_closep) SnpCache *cache = open_cache();
        struct timespec long_ago[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };

        world_write(".new-0000000000000001", "x", 1);
        world_write(".new-0000000000000002", "x", 1);
        ck_assert_int_eq(utimensat(AT_FDCWD, path_of(".new-0000000000000001"), long_ago, 0), 0);
        ck_assert_int_eq(snp_cache_trim(cache, 5, NULL), 0);
        ck_assert_int_eq(access(path_of(".new-0000000000000001"), F_OK), -1);
        ck_assert_int_eq(access(path_of(".new-0000000000000002"), F_OK), 0);
}
END_TEST

START_TEST(a_directory_that_others_may_write_to_is_only_read) {
        CLEANUP(snp_cache_closep) SnpCache *cache = open_cache();
        CLEANUP(snp_cache_closep) SnpCache *again = NULL;
        CLEANUP(snp_collateral_freep) SnpCollateral *c = world_collateral(SIM_MILAN, SNP_CRL_OFF);
        AUTO_SNP_CACHE_TURN SnpCacheTurn turn = {};
        SnpVekId id = world_id(SIM_MILAN);
        Error e = {};

        keep_all(cache, SIM_GENOA);
        ck_assert_int_eq(chmod(world_dir, 0777), 0);
        again = open_cache();
        ck_assert_uint_eq(missing_after_fill(again, SIM_GENOA, SNP_CRL_HARD, FORGE_NOW), 0);
        world_offer_all(c, world_pki[SIM_MILAN], SNP_SOURCE_KDS);
        ck_assert_int_eq(snp_cache_keep(again, c, &e), -EACCES);
        ck_assert_str_eq(e.reason, "cache-read-only");
        ck_assert_int_eq(snp_cache_begin(again, &id, &turn, NULL), -EACCES);
}
END_TEST

START_TEST(a_directory_that_is_none_is_told) {
        SnpCache *cache = NULL;
        Error e = {};

        world_write("file", "x", 1);
        ck_assert_int_eq(snp_cache_open(path_of("nowhere"), &cache, &e), -ENOENT);
        ck_assert_str_eq(e.reason, "cache-open");
        ck_assert_int_eq(snp_cache_open(path_of("file"), &cache, NULL), -ENOTDIR);
        ck_assert_ptr_null(cache);
}
END_TEST

static int count_visit(void *userdata, const char *name, SnpPart part, SnpSigningKey key, SnpProduct product,
                       const Blob *data) {
        unsigned *seen = userdata;

        ck_assert(strncmp(name, "vcek-Genoa-", 11) == 0 && key == SNP_SIGNING_KEY_VCEK);
        ck_assert(product == SNP_PRODUCT_GENOA && data->size > 100);
        *seen |= 1u << part;
        return *seen == 7 ? 42 : 0;
}

START_TEST(a_visit_sees_our_files_and_no_others) {
        CLEANUP(snp_cache_closep) SnpCache *cache = open_cache();
        unsigned seen = 0;

        keep_all(cache, SIM_GENOA);
        world_write("somebody-elses", "x", 1);
        ck_assert_int_eq(symlink("vcek-Genoa-chain.pem", path_of("vcek-Milan-chain.pem")), 0);
        ck_assert_int_eq(snp_cache_visit(cache, count_visit, &seen, NULL), 42);
        ck_assert_uint_eq(seen, 7);
}
END_TEST

/* Turns */

START_TEST(one_fetches_and_the_others_wait) {
        CLEANUP(snp_cache_closep) SnpCache *cache = open_cache();
        CLEANUP(snp_cache_closep) SnpCache *other = open_cache();
        AUTO_SNP_CACHE_TURN SnpCacheTurn turn = {};
        AUTO_SNP_CACHE_TURN SnpCacheTurn second = {};
        AUTO_SNP_CACHE_TURN SnpCacheTurn foreign = {};
        SnpVekId genoa = world_id(SIM_GENOA), milan = world_id(SIM_MILAN);
        Error e = {};

        ck_assert_int_eq(snp_cache_begin(cache, &genoa, &turn, NULL), 0);
        ck_assert_int_eq(snp_cache_begin(other, &genoa, &second, &e), -EBUSY);
        ck_assert_str_eq(e.reason, "cache-busy");
        ck_assert_int_eq(snp_cache_begin(cache, &genoa, &second, NULL), -EBUSY); /* in the same process too */
        ck_assert_int_eq(snp_cache_begin(other, &milan, &foreign, NULL), 0);
        ck_assert_int_eq(snp_cache_begin_wait(other, &genoa, deadline_in(1000), &second, NULL), -ETIMEDOUT);
        snp_cache_end(&turn);
        ck_assert_int_eq(snp_cache_begin_wait(other, &genoa, deadline_in(60 * USEC_PER_SEC), &second, NULL), 0);
        snp_cache_end(&second);
        snp_cache_end(&second);
}
END_TEST

START_TEST(nobody_else_can_keep_us_from_fetching) {
        CLEANUP(snp_cache_closep) SnpCache *cache = open_cache();
        AUTO_SNP_CACHE_TURN SnpCacheTurn turn = {};
        SnpVekId id = world_id(SIM_GENOA);
        struct stat st;

        ck_assert_int_eq(snp_cache_begin(cache, &id, &turn, NULL), 0);
        ck_assert_int_eq(stat(path_of("lock"), &st), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0600); /* who may read it may lock it */
}
END_TEST

START_TEST(a_holder_that_dies_loses_its_turn) {
        CLEANUP(snp_cache_closep) SnpCache *cache = open_cache();
        AUTO_SNP_CACHE_TURN SnpCacheTurn turn = {};
        SnpVekId id = world_id(SIM_GENOA);
        int ready[2], status;
        char byte;
        pid_t pid;

        ck_assert_int_eq(pipe(ready), 0);
        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                SnpCacheTurn held = {};

                byte = snp_cache_begin(cache, &id, &held, NULL) == 0 ? 'y' : 'n';
                _exit(write(ready[1], &byte, 1) == 1 && pause() == 0);
        }
        ck_assert_int_eq(read(ready[0], &byte, 1), 1);
        ck_assert_int_eq(byte, 'y');
        ck_assert_int_eq(snp_cache_begin(cache, &id, &turn, NULL), -EBUSY);
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(snp_cache_begin_wait(cache, &id, deadline_in(60 * USEC_PER_SEC), &turn, NULL), 0);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        (void) close(ready[0]);
        (void) close(ready[1]);
}
END_TEST

START_TEST(a_lock_that_is_no_file_is_told) {
        CLEANUP(snp_cache_closep) SnpCache *cache = open_cache();
        SnpVekId id = world_id(SIM_GENOA);
        SnpCacheTurn turn = {};
        Error e = {};

        ck_assert_int_eq(symlink("/etc/passwd", path_of("lock")), 0);
        ck_assert_int_eq(snp_cache_begin(cache, &id, &turn, &e), -ELOOP);
        ck_assert_str_eq(e.reason, "cache-lock");
        ck_assert_int_eq(snp_cache_begin_wait(cache, &id, deadline_never(), &turn, NULL), -ELOOP);
        ck_assert_int_eq(turn.fd, 0);
}
END_TEST

static void add_store_tests(TCase *tc) {
        tcase_add_loop_test(tc, what_was_kept_is_there_after_a_restart, 0, SIM_N_PRODUCTS);
        tcase_add_test(tc, names_are_made_of_tables_and_hex);
        tcase_add_test(tc, every_name_is_read_back);
        tcase_add_loop_test(tc, other_names_are_not_ours, 0, N_ELEMENTS(foreign_names));
        tcase_add_loop_test(tc, a_damaged_entry_is_ignored_told_and_replaced, 0, N_ELEMENTS(damages));
        tcase_add_test(tc, a_link_is_replaced_and_not_followed);
        tcase_add_loop_test(tc, certificates_of_another_chip_or_root_under_our_name_are_ignored, 0, 3);
        tcase_add_test(tc, nothing_is_used_past_its_end);
        tcase_add_loop_test(tc, a_report_without_a_product_finds_its_certificate, 0, SIM_N_PRODUCTS);
        tcase_add_test(tc, an_older_list_does_not_push_out_a_newer_one);
        tcase_add_loop_test(tc, an_older_list_does_not_replace_a_newer_one_unseen, 0, 2);
        tcase_add_test(tc, vleks_and_masked_chips_are_not_kept);
        tcase_add_test(tc, the_oldest_certificates_go_when_there_are_too_many);
        tcase_add_test(tc, a_disk_full_of_files_keeps_nobody_busy);
        tcase_add_test(tc, what_dead_writers_left_is_removed_in_time);
        tcase_add_test(tc, a_directory_that_others_may_write_to_is_only_read);
        tcase_add_test(tc, a_directory_that_is_none_is_told);
        tcase_add_test(tc, a_visit_sees_our_files_and_no_others);
}

static void add_turn_tests(TCase *tc) {
        tcase_add_test(tc, one_fetches_and_the_others_wait);
        tcase_add_test(tc, nobody_else_can_keep_us_from_fetching);
        tcase_add_test(tc, a_holder_that_dies_loses_its_turn);
        tcase_add_test(tc, a_lock_that_is_no_file_is_told);
}

int main(void) {
        Suite *suite = suite_create("snp/collateral-cache");
        TCase *tc = tcase_create("cache");
        int r;

        world_make();
        tcase_add_checked_fixture(tc, world_setup, world_teardown);
        add_store_tests(tc);
        add_turn_tests(tc);
        suite_add_tcase(suite, tc);
        r = unit_run(suite);
        world_unmake();
        return r;
}
