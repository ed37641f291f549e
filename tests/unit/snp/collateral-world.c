/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/snp/collateral-world.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"

#define DAY ((time_t) 24 * 60 * 60)

SimPki *world_pki[SIM_N_PRODUCTS];
SnpTrust *world_trust;
char world_dir[64];

static SnpTrust *trust_all(void) {
        AUTO_BLOB Blob all = {};
        SnpTrust *trust = NULL;
        Error e = {};

        for (SimProduct p = 0; p < SIM_N_PRODUCTS; p++) {
                AUTO_BLOB Blob pem = {};
                uint8_t *joined;

                if (sim_pki_cert_pem(world_pki[p], SIM_ARK, &pem, &e) < 0)
                        abort();
                joined = realloc(all.data, all.size + pem.size);
                if (!joined)
                        abort();
                all.data = joined;
                (void) memcpy(all.data + all.size, pem.data, pem.size);
                all.size += pem.size;
        }
        if (snp_trust_new_test(all.data, all.size, &trust, &e) < 0)
                abort();
        return trust;
}

void world_make(void) {
        for (SimProduct p = 0; p < SIM_N_PRODUCTS; p++)
                world_pki[p] = forge_pki(p);
        world_trust = trust_all();
}

void world_unmake(void) {
        snp_trust_free(TAKE_PTR(world_trust));
        for (SimProduct p = 0; p < SIM_N_PRODUCTS; p++)
                sim_pki_free(TAKE_PTR(world_pki[p]));
}

void world_setup(void) {
        (void) snprintf(world_dir, sizeof(world_dir), "/tmp/snp-collateral-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(world_dir));
}

static void remove_tree(const char *path) {
        DIR *dir = opendir(path);
        struct dirent *entry;

        while (dir && (entry = readdir(dir)) != NULL) {
                AUTO_FREE char *name = NULL;

                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                        continue;
                ck_assert_int_gt(asprintf(&name, "%s/%s", path, entry->d_name), 0);
                if (unlink(name) < 0)
                        remove_tree(name);
        }
        if (dir)
                (void) closedir(dir);
        (void) rmdir(path);
}

void world_teardown(void) {
        remove_tree(world_dir);
}

SnpProduct world_product(SimProduct product) {
        return product == SIM_MILAN ? SNP_PRODUCT_MILAN : product == SIM_GENOA ? SNP_PRODUCT_GENOA : SNP_PRODUCT_TURIN;
}

SnpVekId world_id(SimProduct product) {
        SnpVekId id = { .product = world_product(product) };

        (void) memcpy(id.chip_id, world_pki[product]->chip_id, sizeof(id.chip_id));
        sim_tcb_encode(product, &world_pki[product]->tcb, id.tcb);
        return id;
}

Blob world_part(const SimPki *pki, SnpPart part, SnpSigningKey key) {
        SimKey vek = key == SNP_SIGNING_KEY_VLEK ? SIM_VLEK : SIM_VCEK;
        Blob ret = {};
        int r = part == SNP_PART_CHAIN ? sim_pki_chain_pem(pki, vek, &ret, NULL)
                : part == SNP_PART_VEK ? sim_pki_cert_der(pki, vek, &ret, NULL)
                                       : sim_pki_crl_der(pki, vek == SIM_VLEK ? SIM_CRL_VLEK : SIM_CRL_VCEK, &ret, NULL);

        ck_assert_int_eq(r, 0);
        return ret;
}

SimPki *world_variant(SimProduct product, const WorldChange *change) {
        const SimPki *from = world_pki[product];
        SimPkiParams params = sim_pki_params(product);
        SimPki keys = *from, *ret = NULL;

        params.tcb = from->tcb;
        params.csp_id = from->csp_id;
        params.not_before = from->not_before + change->days * DAY;
        params.revoke_ask = params.revoke_asvk = change->revoked;
        (void) memcpy(params.chip_id, from->chip_id, sizeof(params.chip_id));
        params.chip_id[3] ^= change->other_chip ? 1 : 0;
        params.tcb.ucode ^= change->other_tcb ? 1 : 0;
        if (change->other_root)
                keys.keys[SIM_ARK] = from->keys[SIM_ASK];
        ck_assert_int_eq(sim_pki_new(&params, &keys, &ret, NULL), 0);
        return ret;
}

SnpCollateral *world_collateral(SimProduct product, SnpCrlMode mode) {
        const SnpCrlPolicy policy = { .mode = mode, .stale_max = 10 * (uint64_t) DAY };
        SnpVekId id = world_id(product);
        SnpCollateral *c = NULL;

        ck_assert_int_eq(snp_collateral_new(world_trust, &id, &policy, &c, NULL), 0);
        return c;
}

void world_offer_all(SnpCollateral *c, const SimPki *pki, SnpSource source) {
        for (SnpPart part = 0; part < SNP_N_PARTS; part++) {
                AUTO_BLOB Blob data = world_part(pki, part, snp_collateral_id(c)->key);
                Error e = {};

                ck_assert_msg(snp_collateral_offer(c, part, source, data.data, data.size, FORGE_NOW, &e) == 0, "%s",
                              e.text);
        }
}

void world_write(const char *name, const void *data, size_t size) {
        AUTO_FREE char *path = NULL;

        ck_assert_int_gt(asprintf(&path, "%s/%s", world_dir, name), 0);
        ck_assert_int_eq(file_write_atomic(path, data, size, 0644, NULL), 0);
}
