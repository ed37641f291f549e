/* SPDX-License-Identifier: Apache-2.0 */

/* snp/kds.c, thim.c, collateral.c on recorded evidence: addresses spelt out from the manifest, genuine answers judged. */

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "snp/collateral.h"
#include "snp/thim.h"
#include "tests/unit/snp/recorded.h"
#include "tests/unit/unit.h"

#define N_REPORTS 64
#define N_VCEKS 48
#define DAY ((time_t) 24 * 60 * 60)

static const SnpCrlPolicy off = { .mode = SNP_CRL_OFF };

static const char *product_of(json_object *entry) {
        const char *lower = recorded_str(entry, "product");

        return strcmp(lower, "milan") == 0 ? "Milan" : strcmp(lower, "genoa") == 0 ? "Genoa" : "Turin";
}

static unsigned part_of(json_object *parts, const char *name) {
        return (unsigned) json_object_get_int(recorded_member(parts, name));
}

/* Built from what the manifest says, with nothing of ours. */
static void expect_url(const SnpVekId *id, const char *product, const char *hwid, json_object *tcb) {
        char got[SNP_KDS_URL_MAX], want[SNP_KDS_URL_MAX], fmc[32] = "";
        bool turin = strcmp(product, "Turin") == 0;
        Error e = {};

        if (turin)
                (void) snprintf(fmc, sizeof(fmc), "fmcSPL=%02u&", part_of(tcb, "fmc"));
        (void) snprintf(want, sizeof(want),
                        "https://kdsintf.amd.com/vcek/v1/%s/%.*s?%sblSPL=%02u&teeSPL=%02u&snpSPL=%02u&ucodeSPL=%02u",
                        product, turin ? 16 : 128, hwid, fmc, part_of(tcb, "bl"), part_of(tcb, "tee"),
                        part_of(tcb, "snp"), part_of(tcb, "ucode"));
        ck_assert_msg(snp_kds_url(id, SNP_PART_VEK, NULL, got, &e) == 0, "%s", e.text);
        ck_assert_str_eq(got, want);
}

START_TEST(each_report_asks_for_its_vcek) {
        json_object *entry = recorded_get("report", (size_t) _i), *fields = recorded_member(entry, "fields");
        SnpReport report = recorded_report(recorded_str(entry, "file"));
        const char *product = product_of(entry), *chip = recorded_str(fields, "chip_id");
        SnpVekId id;
        char url[SNP_KDS_URL_MAX];
        Error e = {};

        ck_assert_int_eq(snp_vek_id_of_report(&report, snp_product_from_name(product, strlen(product)), &id, NULL), 0);
        if (strcmp(recorded_str(fields, "signing_key"), "VLEK") == 0) {
                ck_assert_int_lt(snp_kds_url(&id, SNP_PART_VEK, NULL, url, &e), 0);
                ck_assert_str_eq(e.reason, "kds-vlek");
        } else if (strspn(chip, "0") == strlen(chip)) {
                ck_assert_int_lt(snp_kds_url(&id, SNP_PART_VEK, NULL, url, &e), 0);
                ck_assert_str_eq(e.reason, "kds-chip-id-masked");
        } else
                expect_url(&id, product, chip, recorded_member(fields, "reported_tcb_parts"));
}
END_TEST

START_TEST(each_vcek_has_its_address) {
        json_object *entry = recorded_get("vcek", (size_t) _i);
        CLEANUP(snp_vek_freep) SnpVek *vek = NULL;
        SnpVekId id;

        if (strncmp(recorded_str(entry, "file"), "veks/neg-", 9) == 0)
                return; /* edited: proves nothing, so there is no key to ask */
        vek = recorded_vek(entry);
        snp_vek_id_of_vek(vek, &id);
        expect_url(&id, product_of(entry), recorded_str(entry, "hwid"), recorded_member(entry, "tcb"));
}
END_TEST

START_TEST(a_genuine_answer_of_azure_is_understood) {
        AUTO_BLOB Blob text = recorded_bytes("misc/azure-thim-response-1.json");
        static const uint8_t tcb[SNP_TCB_SIZE] = { 3, 0, 0, 0, 0, 0, 8, 0x73 };
        CLEANUP(snp_collateral_freep) SnpCollateral *c = NULL;
        CLEANUP(snp_trust_freep) SnpTrust *trust = NULL;
        CLEANUP(snp_vek_freep) SnpVek *vek = NULL;
        AUTO_SNP_THIM SnpThim thim = {};
        SnpCrlVerdict v = {};
        const time_t at = recorded_time("2023-06-01T00:00:00Z");
        SnpVekId id = {};
        SnpCerts certs = {};
        Error e = {};

        ck_assert_int_eq(snp_thim_parse(text.data, text.size, &thim, NULL), 0);
        ck_assert_mem_eq(thim.tcb, tcb, sizeof(tcb));
        ck_assert_uint_eq(thim.cache_seconds, 86400);
        ck_assert_int_eq(snp_trust_new_amd(&trust, NULL), 0);
        certs.vek = (SnpCertBytes){ thim.vek.data, thim.vek.size };
        certs.others[certs.n_others++] = (SnpCertBytes){ thim.chain.data, thim.chain.size };
        ck_assert_msg(snp_vek_new(trust, &certs, at, &vek, &e) == 0, "%s", e.text);
        snp_vek_id_of_vek(vek, &id);
        ck_assert_mem_eq(id.tcb, tcb, sizeof(tcb)); /* tcbm speaks of the certificate */
        id.product = SNP_PRODUCT_UNKNOWN;           /* as in the version 2 report of such a guest */
        ck_assert_int_eq(snp_collateral_new(trust, &id, &off, &c, NULL), 0);
        ck_assert_int_eq(snp_collateral_offer(c, SNP_PART_VEK, SNP_SOURCE_CLOUD, thim.vek.data, thim.vek.size, at, NULL), 0);
        ck_assert_int_eq(snp_collateral_offer(c, SNP_PART_CHAIN, SNP_SOURCE_CLOUD, thim.chain.data, thim.chain.size, at,
                                              NULL), 0);
        ck_assert_uint_eq(snp_collateral_missing(c), 0);
        ck_assert_int_eq(snp_collateral_id(c)->product, SNP_PRODUCT_MILAN);
        snp_vek_free(TAKE_PTR(vek));
        ck_assert_int_eq(snp_collateral_vek(c, at, &vek, &v, NULL), 0);
}
END_TEST

START_TEST(a_genuine_table_of_aws_lacks_only_the_chain) {
        AUTO_BLOB Blob page = recorded_bytes("misc/aws-vlek-cert-table.bin");
        AUTO_BLOB Blob chain = recorded_bytes("amd/milan-vlek-cert_chain.pem");
        CLEANUP(snp_collateral_freep) SnpCollateral *c = NULL;
        CLEANUP(snp_trust_freep) SnpTrust *trust = NULL;
        CLEANUP(snp_vek_freep) SnpVek *vek = NULL;
        const time_t at = recorded_time("2023-05-20T18:30:16Z");
        SnpVekId id = { .product = SNP_PRODUCT_MILAN, .key = SNP_SIGNING_KEY_VLEK };
        char url[SNP_KDS_URL_MAX];
        SnpCertTable table;
        SnpCerts certs = {};

        ck_assert_int_eq(snp_trust_new_amd(&trust, NULL), 0);
        ck_assert_int_eq(snp_cert_table_parse(page.data, page.size, &table, NULL), 0);
        certs.vek = (SnpCertBytes){ table.entries[0].data, table.entries[0].size };
        certs.others[certs.n_others++] = (SnpCertBytes){ chain.data, chain.size };
        ck_assert_int_eq(snp_vek_new(trust, &certs, at, &vek, NULL), 0);
        snp_vek_id_of_vek(vek, &id); /* stands for a report with this TCB */
        ck_assert_int_eq(snp_collateral_new(trust, &id, &off, &c, NULL), 0);
        ck_assert_int_eq(snp_collateral_offer_table(c, &table, at, NULL), 0);
        ck_assert_uint_eq(snp_collateral_missing(c), 1u << SNP_PART_CHAIN | 1u << SNP_PART_VEK);
        ck_assert_int_eq(snp_kds_url(snp_collateral_id(c), SNP_PART_CHAIN, NULL, url, NULL), 0);
        ck_assert_str_eq(url, "https://kdsintf.amd.com/vlek/v1/Milan/cert_chain");
        ck_assert_int_eq(snp_collateral_offer(c, SNP_PART_CHAIN, SNP_SOURCE_KDS, chain.data, chain.size, at, NULL), 0);
        ck_assert_uint_eq(snp_collateral_missing(c), 0);
        ck_assert_int_eq(snp_collateral_source(c, SNP_PART_VEK), SNP_SOURCE_HOST);
}
END_TEST

START_TEST(each_vcek_is_refused_for_another_ones_report) {
        json_object *entry = recorded_get("vcek", (size_t) _i), *other = recorded_get("vcek", (size_t) (_i + 1) % N_VCEKS);
        CLEANUP(snp_collateral_freep) SnpCollateral *c = NULL;
        CLEANUP(snp_trust_freep) SnpTrust *trust = NULL;
        CLEANUP(snp_vek_freep) SnpVek *vek = NULL;
        AUTO_BLOB Blob chain = {}, wrong = {};
        char file[64];
        SnpVekId id, other_id;
        CLEANUP(snp_vek_freep) SnpVek *other_vek = NULL;
        time_t at = recorded_time(recorded_str(other, "not_before")) + DAY;

        if (strncmp(recorded_str(entry, "file"), "veks/neg-", 9) == 0 ||
            strncmp(recorded_str(other, "file"), "veks/neg-", 9) == 0)
                return;
        vek = recorded_vek(entry);
        other_vek = recorded_vek(other);
        snp_vek_id_of_vek(vek, &id);
        snp_vek_id_of_vek(other_vek, &other_id);
        if (memcmp(&id, &other_id, sizeof(id)) == 0)
                return; /* the same key, certified twice */
        wrong = recorded_bytes(recorded_str(other, "file"));
        (void) snprintf(file, sizeof(file), "amd/%s-vcek-cert_chain.pem", recorded_str(other, "product"));
        chain = recorded_bytes(file);
        ck_assert_int_eq(snp_trust_new_amd(&trust, NULL), 0);
        ck_assert_int_eq(snp_collateral_new(trust, &id, &off, &c, NULL), 0);
        (void) !snp_collateral_offer(c, SNP_PART_CHAIN, SNP_SOURCE_KDS, chain.data, chain.size, at, NULL);
        (void) !snp_collateral_offer(c, SNP_PART_VEK, SNP_SOURCE_KDS, wrong.data, wrong.size, at, NULL);
        ck_assert_ptr_null(snp_collateral_get(c, SNP_PART_VEK));
        ck_assert_ptr_nonnull(snp_collateral_refusal(c, 0));
}
END_TEST

int main(void) {
        Suite *suite = suite_create("snp/collateral-recorded");
        TCase *tc = tcase_create("recorded");
        int r;

        if (!recorded_load())
                return unit_skip("no recorded vectors");
        tcase_add_loop_test(tc, each_report_asks_for_its_vcek, 0, N_REPORTS);
        tcase_add_loop_test(tc, each_vcek_has_its_address, 0, N_VCEKS);
        tcase_add_loop_test(tc, each_vcek_is_refused_for_another_ones_report, 0, N_VCEKS);
        tcase_add_test(tc, a_genuine_answer_of_azure_is_understood);
        tcase_add_test(tc, a_genuine_table_of_aws_lacks_only_the_chain);
        suite_add_tcase(suite, tc);
        r = unit_run(suite);
        recorded_unload();
        return r;
}
