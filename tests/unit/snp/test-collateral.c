/* SPDX-License-Identifier: Apache-2.0 */

/* snp/collateral.c: what is let in, what is put aside, what is refused, and what that makes possible. */

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/simulator/report.h"
#include "tests/unit/snp/collateral-world.h"
#include "tests/unit/unit.h"

#define DAY ((time_t) 24 * 60 * 60)
#define CHAIN (1u << SNP_PART_CHAIN)
#define VEK (1u << SNP_PART_VEK)
#define CRL (1u << SNP_PART_CRL)

static int offer_at(SnpCollateral *c, SnpPart part, SnpSource source, const Blob *data, time_t at, const char *reason) {
        Error e = {};
        int r = snp_collateral_offer(c, part, source, data->data, data->size, at, &e);

        if (reason)
                ck_assert_msg(r < 0 && strcmp(e.reason, reason) == 0, "%d %s: %s", r, error_reason(&e, r), e.text);
        else
                ck_assert_msg(r == 0, "%s", e.text);
        return r;
}

static int offer(SnpCollateral *c, SnpPart part, const Blob *data, const char *reason) {
        return offer_at(c, part, SNP_SOURCE_KDS, data, FORGE_NOW, reason);
}

START_TEST(parts_in_any_order_make_a_key) {
        static const SnpPart orders[][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };

        for (SimProduct p = 0; p < SIM_N_PRODUCTS; p++) {
                CLEANUP(snp_collateral_freep) SnpCollateral *c = world_collateral(p, SNP_CRL_HARD);
                CLEANUP(snp_vek_freep) SnpVek *vek = NULL;
                SnpCrlVerdict v = {};

                ck_assert_uint_eq(snp_collateral_missing(c), CHAIN | VEK | CRL);
                for (size_t i = 0; i < 3; i++) {
                        AUTO_BLOB Blob data = world_part(world_pki[p], orders[_i][i], 0);

                        (void) offer(c, orders[_i][i], &data, NULL);
                }
                ck_assert_uint_eq(snp_collateral_missing(c), 0);
                ck_assert_uint_eq(snp_collateral_wanted(c), 0);
                ck_assert_int_eq(snp_collateral_vek(c, FORGE_NOW, &vek, &v, NULL), 0);
                ck_assert_int_eq(v.state, SNP_CRL_OK);
                ck_assert_int_eq(snp_vek_crl_state(vek), SNP_CRL_OK);
                ck_assert_int_eq(snp_vek_product(vek), world_product(p));
                ck_assert_int_eq(snp_collateral_not_after(c), snp_vek_not_after(vek));
                ck_assert_ptr_null(snp_collateral_refusal(c, 0));
        }
}
END_TEST

START_TEST(a_key_verifies_the_reports_it_was_collected_for) {
        CLEANUP(snp_collateral_freep) SnpCollateral *c = NULL;
        CLEANUP(snp_vek_freep) SnpVek *vek = NULL;
        const SnpCrlPolicy hard = { .mode = SNP_CRL_HARD };
        SimReport r = sim_report_defaults(world_pki[_i]);
        uint8_t bytes[SIM_REPORT_SIZE];
        SnpVerdict verdict = {};
        SnpCrlVerdict v = {};
        SnpReport report;
        SnpVekId id;

        ck_assert_int_eq(sim_report_make(&r, world_pki[_i], bytes, NULL), 0);
        ck_assert_int_eq(snp_report_parse(bytes, sizeof(bytes), &report, NULL), 0);
        ck_assert_int_eq(snp_vek_id_of_report(&report, SNP_PRODUCT_UNKNOWN, &id, NULL), 0);
        ck_assert_int_eq(snp_collateral_new(world_trust, &id, &hard, &c, NULL), 0);
        world_offer_all(c, world_pki[_i], SNP_SOURCE_KDS);
        ck_assert_int_eq(snp_collateral_vek(c, FORGE_NOW, &vek, &v, NULL), 0);
        ck_assert_int_eq(snp_report_verify(&report, vek, SNP_VERIFY_REQUIRE_CRL, &verdict, NULL), 0);
        ck_assert_int_eq(verdict.crl, SNP_CRL_OK);
}
END_TEST

static const struct {
        WorldChange change;
        const char *reason;
        int code;
} wrong[] = {
        { { .other_chip = true }, "vek-other-chip", -ESTALE },
        { { .other_tcb = true }, "vek-other-tcb", -ESTALE },
        { { .days = 10 }, "cert-not-yet-valid", -EKEYREJECTED },
        { { .days = -8 * 366 }, "cert-expired", -EKEYREJECTED },
};

START_TEST(a_vek_must_be_the_right_one_and_valid) {
        CLEANUP(snp_collateral_freep) SnpCollateral *c = world_collateral(SIM_GENOA, SNP_CRL_OFF);
        CLEANUP(sim_pki_freep) SimPki *other = world_variant(SIM_GENOA, &wrong[_i].change);
        AUTO_BLOB Blob chain = world_part(world_pki[SIM_GENOA], SNP_PART_CHAIN, 0), vek = world_part(other, SNP_PART_VEK, 0);

        (void) offer(c, SNP_PART_CHAIN, &chain, NULL);
        ck_assert_int_eq(offer(c, SNP_PART_VEK, &vek, wrong[_i].reason), wrong[_i].code);
        ck_assert_uint_eq(snp_collateral_missing(c), VEK);
        ck_assert_ptr_null(snp_collateral_get(c, SNP_PART_VEK));
        ck_assert_int_eq(snp_collateral_refusal(c, 0)->part, SNP_PART_VEK);
        ck_assert_str_eq(snp_collateral_refusal(c, 0)->why.reason, wrong[_i].reason);
}
END_TEST

START_TEST(what_was_put_aside_is_judged_when_the_chain_comes) {
        CLEANUP(snp_collateral_freep) SnpCollateral *c = world_collateral(SIM_GENOA, SNP_CRL_SOFT);
        CLEANUP(sim_pki_freep) SimPki *other = world_variant(SIM_GENOA, &(WorldChange){ .other_chip = true });
        AUTO_BLOB Blob chain = world_part(other, SNP_PART_CHAIN, 0), bad = world_part(other, SNP_PART_VEK, 0);
        AUTO_BLOB Blob good = world_part(world_pki[SIM_GENOA], SNP_PART_VEK, 0);

        (void) offer_at(c, SNP_PART_VEK, SNP_SOURCE_HOST, &bad, FORGE_NOW, NULL);
        (void) offer_at(c, SNP_PART_VEK, SNP_SOURCE_CACHE, &good, FORGE_NOW, NULL);
        ck_assert_uint_eq(snp_collateral_missing(c), CHAIN | VEK);
        (void) offer(c, SNP_PART_CHAIN, &chain, NULL);
        ck_assert_uint_eq(snp_collateral_missing(c), 0);
        ck_assert_int_eq(snp_collateral_source(c, SNP_PART_VEK), SNP_SOURCE_CACHE);
        ck_assert_int_eq(snp_collateral_refusal(c, 0)->source, SNP_SOURCE_HOST);
        ck_assert_str_eq(snp_collateral_refusal(c, 0)->why.reason, "vek-other-chip");
        ck_assert_ptr_null(snp_collateral_refusal(c, 1));
}
END_TEST

START_TEST(a_good_part_is_not_replaced) {
        CLEANUP(snp_collateral_freep) SnpCollateral *c = world_collateral(SIM_GENOA, SNP_CRL_HARD);
        Blob junk = { .data = (uint8_t *) (uintptr_t) "junk", .size = 4 };

        world_offer_all(c, world_pki[SIM_GENOA], SNP_SOURCE_HOST);
        (void) offer(c, SNP_PART_VEK, &junk, NULL); /* not even looked at */
        ck_assert_int_eq(snp_collateral_source(c, SNP_PART_VEK), SNP_SOURCE_HOST);
        (void) offer(c, SNP_PART_CRL, &junk, "crl-malformed");
        ck_assert_int_eq(snp_collateral_source(c, SNP_PART_CRL), SNP_SOURCE_HOST);
}
END_TEST

START_TEST(kinds_are_not_mixed) {
        CLEANUP(snp_collateral_freep) SnpCollateral *c = NULL;
        const SnpCrlPolicy off = { .mode = SNP_CRL_OFF };
        const SimPki *pki = world_pki[SIM_MILAN];
        SnpVekId id = world_id(SIM_MILAN);
        AUTO_BLOB Blob vcek = world_part(pki, SNP_PART_VEK, 0), vlek = world_part(pki, SNP_PART_VEK, 1);
        AUTO_BLOB Blob asvk = world_part(pki, SNP_PART_CHAIN, 1);
        AUTO_BLOB Blob genoa = world_part(world_pki[SIM_GENOA], SNP_PART_VEK, 0);
        AUTO_BLOB Blob genoa_chain = world_part(world_pki[SIM_GENOA], SNP_PART_CHAIN, 0), ask_alone = {};

        ck_assert_int_eq(sim_pki_cert_der(pki, SIM_ASK, &ask_alone, NULL), 0);
        ck_assert_int_eq(snp_collateral_new(world_trust, &id, &off, &c, NULL), 0);
        ck_assert_int_eq(offer(c, SNP_PART_VEK, &vlek, "vek-other-kind"), -ESTALE);
        ck_assert_int_eq(offer(c, SNP_PART_VEK, &genoa, "vek-other-product"), -ESTALE);
        ck_assert_int_eq(offer(c, SNP_PART_CHAIN, &asvk, "cert-missing"), -ENOENT);
        ck_assert_int_eq(offer(c, SNP_PART_CHAIN, &genoa_chain, "cert-missing"), -ENOENT);
        ck_assert_int_eq(offer(c, SNP_PART_VEK, &ask_alone, "cert-names"), -EBADMSG);
        ck_assert_int_eq(offer(c, SNP_PART_CHAIN, &vcek, "chain-count"), -EBADMSG);
        ck_assert_uint_eq(snp_collateral_missing(c), CHAIN | VEK);
        snp_collateral_free(TAKE_PTR(c));
        id.key = SNP_SIGNING_KEY_VLEK;
        (void) memset(id.chip_id, 0, sizeof(id.chip_id));
        ck_assert_int_eq(snp_collateral_new(world_trust, &id, &off, &c, NULL), 0);
        (void) offer(c, SNP_PART_CHAIN, &asvk, NULL);
        ck_assert_int_eq(offer(c, SNP_PART_VEK, &vcek, "vek-other-kind"), -ESTALE);
        (void) offer(c, SNP_PART_VEK, &vlek, NULL);
        ck_assert_uint_eq(snp_collateral_missing(c), 0);
}
END_TEST

START_TEST(neither_kind_is_no_question) {
        const SnpCrlPolicy off = { .mode = SNP_CRL_OFF };
        SnpVekId id = { .key = SNP_SIGNING_KEY_NONE };
        SnpCollateral *c = NULL;

        ck_assert_int_eq(snp_collateral_new(world_trust, &id, &off, &c, NULL), -EINVAL);
}
END_TEST

/* Chains */

START_TEST(a_chain_of_amds_service_has_exactly_two_blocks) {
        CLEANUP(snp_collateral_freep) SnpCollateral *c = world_collateral(SIM_GENOA, SNP_CRL_OFF);
        AUTO_BLOB Blob chain = world_part(world_pki[SIM_GENOA], SNP_PART_CHAIN, 0), ark = {}, ask = {}, three = {}, swapped = {};

        ck_assert_int_eq(sim_pki_cert_pem(world_pki[SIM_GENOA], SIM_ARK, &ark, NULL), 0);
        ck_assert_int_eq(sim_pki_cert_pem(world_pki[SIM_GENOA], SIM_ASK, &ask, NULL), 0);
        three.size = chain.size + ark.size;
        three.data = malloc(three.size);
        (void) memcpy(three.data, chain.data, chain.size);
        (void) memcpy(three.data + chain.size, ark.data, ark.size);
        swapped.size = ark.size + ask.size;
        swapped.data = malloc(swapped.size);
        (void) memcpy(swapped.data, ark.data, ark.size);
        (void) memcpy(swapped.data + ark.size, ask.data, ask.size);
        (void) offer(c, SNP_PART_CHAIN, &three, "chain-count");
        (void) offer(c, SNP_PART_CHAIN, &ask, "chain-count");
        (void) offer(c, SNP_PART_CHAIN, &swapped, "chain-order");
        ck_assert_uint_eq(snp_collateral_missing(c), CHAIN | VEK);
        (void) offer_at(c, SNP_PART_CHAIN, SNP_SOURCE_CLOUD, &three, FORGE_NOW, NULL); /* others may say more */
        ck_assert(blob_equal(snp_collateral_get(c, SNP_PART_CHAIN), &chain));
}
END_TEST

START_TEST(a_foreign_root_is_refused) {
        CLEANUP(snp_collateral_freep) SnpCollateral *c = world_collateral(SIM_GENOA, SNP_CRL_OFF);
        CLEANUP(sim_pki_freep) SimPki *fake = world_variant(SIM_GENOA, &(WorldChange){ .other_root = true });
        AUTO_BLOB Blob chain = world_part(fake, SNP_PART_CHAIN, 0), vek = world_part(fake, SNP_PART_VEK, 0);

        (void) offer(c, SNP_PART_CHAIN, &chain, "root-untrusted");
        (void) offer(c, SNP_PART_VEK, &vek, NULL); /* aside */
        ck_assert_uint_eq(snp_collateral_missing(c), CHAIN | VEK);
}
END_TEST

START_TEST(an_ask_that_the_ark_did_not_sign_is_refused) {
        CLEANUP(snp_collateral_freep) SnpCollateral *c = world_collateral(SIM_GENOA, SNP_CRL_OFF);
        CLEANUP(sim_pki_freep) SimPki *fake = world_variant(SIM_GENOA, &(WorldChange){ .other_root = true });
        AUTO_BLOB Blob ask = {}, ark = {}, mixed = {};

        ck_assert_int_eq(sim_pki_cert_pem(fake, SIM_ASK, &ask, NULL), 0);
        ck_assert_int_eq(sim_pki_cert_pem(world_pki[SIM_GENOA], SIM_ARK, &ark, NULL), 0);
        mixed.size = ask.size + ark.size;
        mixed.data = malloc(mixed.size);
        (void) memcpy(mixed.data, ask.data, ask.size);
        (void) memcpy(mixed.data + ask.size, ark.data, ark.size);
        ck_assert_int_eq(offer(c, SNP_PART_CHAIN, &mixed, "cert-chain"), -EKEYREJECTED);
}
END_TEST

START_TEST(chains_have_their_time) {
        AUTO_BLOB Blob chain = world_part(world_pki[SIM_GENOA], SNP_PART_CHAIN, 0);
        CLEANUP(snp_collateral_freep) SnpCollateral *c = world_collateral(SIM_GENOA, SNP_CRL_OFF);

        (void) offer_at(c, SNP_PART_CHAIN, SNP_SOURCE_KDS, &chain, FORGE_NOW - 2 * DAY, "cert-not-yet-valid");
        (void) offer_at(c, SNP_PART_CHAIN, SNP_SOURCE_KDS, &chain, FORGE_NOW + 26 * 366 * DAY, "cert-expired");
        (void) offer_at(c, SNP_PART_CHAIN, SNP_SOURCE_KDS, &chain, FORGE_NOW, NULL);
}
END_TEST

START_TEST(a_test_root_by_itself_completes_a_chain) {
        CLEANUP(snp_collateral_freep) SnpCollateral *c = world_collateral(SIM_GENOA, SNP_CRL_OFF);
        AUTO_BLOB Blob ask = {}, chain = world_part(world_pki[SIM_GENOA], SNP_PART_CHAIN, 0);

        ck_assert_int_eq(sim_pki_cert_pem(world_pki[SIM_GENOA], SIM_ASK, &ask, NULL), 0);
        (void) offer_at(c, SNP_PART_CHAIN, SNP_SOURCE_FILE, &ask, FORGE_NOW, NULL);
        ck_assert(blob_equal(snp_collateral_get(c, SNP_PART_CHAIN), &chain));
}
END_TEST

START_TEST(limits_hold_for_every_part) {
        static uint8_t large[SNP_CRL_SIZE_MAX + 1];
        CLEANUP(snp_collateral_freep) SnpCollateral *c = world_collateral(SIM_GENOA, SNP_CRL_HARD);

        for (SnpPart part = 0; part < SNP_N_PARTS; part++)
                ck_assert_int_eq(offer(c, part, &(Blob){ large, snp_part_size_max(part) + 1 }, "part-size"), -E2BIG);
        ck_assert_int_eq(offer(c, SNP_N_PARTS, &(Blob){ large, 0 }, "part"), -EINVAL);
}
END_TEST

START_TEST(refusals_are_bounded) {
        CLEANUP(snp_collateral_freep) SnpCollateral *c = world_collateral(SIM_GENOA, SNP_CRL_HARD);
        Blob junk = { .data = (uint8_t *) (uintptr_t) "junk", .size = 4 };

        for (size_t i = 0; i < 2 * SNP_REFUSALS_MAX; i++)
                (void) offer(c, SNP_PART_CHAIN, &junk, "cert-malformed");
        ck_assert_ptr_nonnull(snp_collateral_refusal(c, SNP_REFUSALS_MAX - 1));
        ck_assert_ptr_null(snp_collateral_refusal(c, SNP_REFUSALS_MAX));
}
END_TEST

/* Lists */

START_TEST(the_newest_list_counts_and_a_revocation_for_ever) {
        CLEANUP(snp_collateral_freep) SnpCollateral *c = world_collateral(SIM_GENOA, SNP_CRL_SOFT);
        CLEANUP(sim_pki_freep) SimPki *old = world_variant(SIM_GENOA, &(WorldChange){ .days = -60 });
        CLEANUP(sim_pki_freep) SimPki *revoked = world_variant(SIM_GENOA, &(WorldChange){ .days = -90, .revoked = true });
        AUTO_BLOB Blob older = world_part(old, SNP_PART_CRL, 0), newer = world_part(world_pki[SIM_GENOA], SNP_PART_CRL, 0);
        AUTO_BLOB Blob bad = world_part(revoked, SNP_PART_CRL, 0);
        SnpCrlVerdict v = {};
        SnpVek *vek = NULL;
        Error e = {};

        world_offer_all(c, old, SNP_SOURCE_HOST);
        ck_assert(blob_equal(snp_collateral_get(c, SNP_PART_CRL), &older));
        (void) offer(c, SNP_PART_CRL, &newer, NULL);
        ck_assert(blob_equal(snp_collateral_get(c, SNP_PART_CRL), &newer));
        (void) offer(c, SNP_PART_CRL, &older, NULL);
        ck_assert(blob_equal(snp_collateral_get(c, SNP_PART_CRL), &newer));
        (void) offer(c, SNP_PART_CRL, &bad, NULL);
        (void) offer(c, SNP_PART_CRL, &newer, NULL);
        ck_assert(blob_equal(snp_collateral_get(c, SNP_PART_CRL), &bad));
        ck_assert_uint_eq(snp_collateral_missing(c), 0); /* no list could help */
        ck_assert_int_eq(snp_collateral_vek(c, FORGE_NOW, &vek, &v, &e), -EKEYREJECTED);
        ck_assert_str_eq(e.reason, "revoked");
        ck_assert_ptr_null(vek);
}
END_TEST

static const struct {
        SnpCrlMode mode;
        int days; /* after FORGE_NOW; the list ends after 364 */
        unsigned missing, wanted;
} lists[] = {
        { SNP_CRL_HARD, 0, 0, 0 },     { SNP_CRL_SOFT, 0, 0, 0 },     { SNP_CRL_OFF, 0, 0, 0 },
        { SNP_CRL_HARD, 366, CRL, CRL }, { SNP_CRL_SOFT, 366, 0, CRL }, { SNP_CRL_OFF, 366, 0, 0 },
        { SNP_CRL_SOFT, 380, CRL, CRL },
};

START_TEST(a_stale_list_is_wanted_anew) {
        CLEANUP(snp_collateral_freep) SnpCollateral *c = world_collateral(SIM_GENOA, lists[_i].mode);

        for (SnpPart part = 0; part < SNP_N_PARTS; part++) {
                AUTO_BLOB Blob data = world_part(world_pki[SIM_GENOA], part, 0);

                (void) offer_at(c, part, SNP_SOURCE_CACHE, &data, FORGE_NOW + lists[_i].days * DAY, NULL);
        }
        ck_assert_uint_eq(snp_collateral_missing(c), lists[_i].missing);
        ck_assert_uint_eq(snp_collateral_wanted(c), lists[_i].wanted);
}
END_TEST

START_TEST(without_a_list_soft_mode_wants_and_hard_mode_needs_one) {
        for (SnpCrlMode mode = SNP_CRL_HARD; mode <= SNP_CRL_OFF; mode++) {
                CLEANUP(snp_collateral_freep) SnpCollateral *c = world_collateral(SIM_GENOA, mode);
                AUTO_BLOB Blob chain = world_part(world_pki[SIM_GENOA], SNP_PART_CHAIN, 0);
                AUTO_BLOB Blob vek = world_part(world_pki[SIM_GENOA], SNP_PART_VEK, 0);
                SnpVek *key = NULL;
                SnpCrlVerdict v = {};

                (void) offer(c, SNP_PART_CHAIN, &chain, NULL);
                (void) offer(c, SNP_PART_VEK, &vek, NULL);
                ck_assert_uint_eq(snp_collateral_missing(c), mode == SNP_CRL_HARD ? CRL : 0);
                ck_assert_uint_eq(snp_collateral_wanted(c), mode == SNP_CRL_OFF ? 0 : CRL);
                ck_assert_int_eq(snp_collateral_vek(c, FORGE_NOW, &key, &v, NULL),
                                 mode == SNP_CRL_HARD ? -EKEYREJECTED : 0);
                ck_assert_int_eq(v.state, mode == SNP_CRL_OFF ? SNP_CRL_NOT_ASKED : SNP_CRL_ABSENT);
                snp_vek_free(key);
        }
}
END_TEST

START_TEST(time_counts_again_when_the_key_is_taken) {
        CLEANUP(snp_collateral_freep) SnpCollateral *c = world_collateral(SIM_GENOA, SNP_CRL_HARD);
        SnpCrlVerdict v = {};
        SnpVek *vek = NULL;
        Error e = {};

        ck_assert_int_eq(snp_collateral_vek(c, FORGE_NOW, &vek, &v, NULL), -ENOENT);
        world_offer_all(c, world_pki[SIM_GENOA], SNP_SOURCE_KDS);
        ck_assert_int_eq(snp_collateral_vek(c, FORGE_NOW + 366 * DAY, &vek, &v, &e), -EKEYREJECTED);
        ck_assert_str_eq(e.reason, "crl-stale");
        e = (Error){};
        ck_assert_int_eq(snp_collateral_vek(c, FORGE_NOW + 8 * 366 * DAY, &vek, &v, &e), -EKEYREJECTED);
        ck_assert_str_eq(e.reason, "cert-expired");
        ck_assert_ptr_null(vek);
}
END_TEST

/* The host's table */

typedef struct Table {
        Blob bytes;
        SnpCertTable parsed;
} Table;

/* Bits: VEK, ASK, ARK, CRL. */
static Table table_of(const SimPki *pki, unsigned which, bool vlek) {
        AUTO_BLOB Blob vek = world_part(pki, SNP_PART_VEK, vlek), crl = world_part(pki, SNP_PART_CRL, vlek);
        AUTO_BLOB Blob ask = {}, ark = {};
        SimTableEntry entries[4];
        size_t n = 0;
        Table ret = {};

        ck_assert_int_eq(sim_pki_cert_der(pki, vlek ? SIM_ASVK : SIM_ASK, &ask, NULL), 0);
        ck_assert_int_eq(sim_pki_cert_der(pki, SIM_ARK, &ark, NULL), 0);
        if (which & 1)
                entries[n++] = (SimTableEntry){ sim_guids[vlek ? SIM_GUID_VLEK : SIM_GUID_VCEK], vek.data, vek.size };
        if (which & 2)
                entries[n++] = (SimTableEntry){ sim_guids[SIM_GUID_ASK], ask.data, ask.size };
        if (which & 4)
                entries[n++] = (SimTableEntry){ sim_guids[SIM_GUID_ARK], ark.data, ark.size };
        if (which & 8)
                entries[n++] = (SimTableEntry){ sim_guids[SIM_GUID_CRL], crl.data, crl.size };
        ck_assert_int_eq(sim_cert_table_make(entries, n, &ret.bytes, NULL), 0);
        ck_assert_int_eq(snp_cert_table_parse(ret.bytes.data, ret.bytes.size, &ret.parsed, NULL), 0);
        return ret;
}

START_TEST(any_subset_of_a_table_is_used) {
        unsigned which = (unsigned) _i;
        Table table = table_of(world_pki[SIM_TURIN], which, false);
        CLEANUP(snp_collateral_freep) SnpCollateral *c = world_collateral(SIM_TURIN, SNP_CRL_HARD);
        AUTO_BLOB Blob chain = world_part(world_pki[SIM_TURIN], SNP_PART_CHAIN, 0);
        unsigned missing = (which & 2 ? 0 : CHAIN) | (which & 1 && which & 2 ? 0 : VEK) | (which & 8 && which & 2 ? 0 : CRL);

        /* The ARK may be left out: the test root's own certificate is at hand. */
        ck_assert_int_eq(snp_collateral_offer_table(c, &table.parsed, FORGE_NOW, NULL), 0);
        ck_assert_uint_eq(snp_collateral_missing(c), missing);
        (void) offer(c, SNP_PART_CHAIN, &chain, NULL);
        ck_assert_uint_eq(snp_collateral_missing(c), (which & 1 ? 0 : VEK) | (which & 8 ? 0 : CRL));
        if (which & 1)
                ck_assert_int_eq(snp_collateral_source(c, SNP_PART_VEK), SNP_SOURCE_HOST);
        blob_done(&table.bytes);
}
END_TEST

START_TEST(a_vlek_comes_with_its_table) {
        Table table = table_of(world_pki[SIM_MILAN], 15, true);
        CLEANUP(snp_collateral_freep) SnpCollateral *c = NULL;
        const SnpCrlPolicy hard = { .mode = SNP_CRL_HARD };
        SnpVekId id = world_id(SIM_MILAN);

        id.key = SNP_SIGNING_KEY_VLEK;
        ck_assert_int_eq(snp_collateral_new(world_trust, &id, &hard, &c, NULL), 0);
        ck_assert_int_eq(snp_collateral_offer_table(c, &table.parsed, FORGE_NOW, NULL), 0);
        ck_assert_uint_eq(snp_collateral_missing(c), 0);
        blob_done(&table.bytes);
}
END_TEST

START_TEST(a_version_2_report_learns_its_product_from_the_vek) {
        CLEANUP(snp_collateral_freep) SnpCollateral *c = NULL;
        Table table = table_of(world_pki[_i], 7, false);
        const SnpCrlPolicy off = { .mode = SNP_CRL_OFF };
        SnpVekId id = world_id((SimProduct) _i);

        id.product = SNP_PRODUCT_UNKNOWN;
        ck_assert_int_eq(snp_collateral_new(world_trust, &id, &off, &c, NULL), 0);
        ck_assert_int_eq(snp_collateral_id(c)->product, SNP_PRODUCT_UNKNOWN);
        ck_assert_int_eq(snp_collateral_offer_table(c, &table.parsed, FORGE_NOW, NULL), 0);
        ck_assert_uint_eq(snp_collateral_missing(c), 0);
        ck_assert_int_eq(snp_collateral_id(c)->product, world_product((SimProduct) _i));
        blob_done(&table.bytes);
}
END_TEST

START_TEST(a_wrong_guess_of_the_product_is_undone) {
        CLEANUP(snp_collateral_freep) SnpCollateral *c = NULL;
        AUTO_BLOB Blob milan = world_part(world_pki[SIM_MILAN], SNP_PART_VEK, 0);
        AUTO_BLOB Blob milan_chain = world_part(world_pki[SIM_MILAN], SNP_PART_CHAIN, 0);
        AUTO_BLOB Blob genoa = world_part(world_pki[SIM_GENOA], SNP_PART_VEK, 0);
        AUTO_BLOB Blob genoa_chain = world_part(world_pki[SIM_GENOA], SNP_PART_CHAIN, 0);
        const SnpCrlPolicy off = { .mode = SNP_CRL_OFF };
        SnpVekId id = world_id(SIM_GENOA);

        id.product = SNP_PRODUCT_UNKNOWN;
        ck_assert_int_eq(snp_collateral_new(world_trust, &id, &off, &c, NULL), 0);
        (void) offer(c, SNP_PART_VEK, &milan, NULL); /* aside: who knows */
        ck_assert_int_eq(snp_collateral_id(c)->product, SNP_PRODUCT_MILAN);
        (void) offer(c, SNP_PART_CHAIN, &milan_chain, NULL);
        ck_assert_int_eq(snp_collateral_id(c)->product, SNP_PRODUCT_UNKNOWN);
        ck_assert_str_eq(snp_collateral_refusal(c, 0)->why.reason, "vek-other-tcb");
        (void) offer_at(c, SNP_PART_VEK, SNP_SOURCE_CLOUD, &genoa, FORGE_NOW, NULL);
        (void) offer_at(c, SNP_PART_CHAIN, SNP_SOURCE_CLOUD, &genoa_chain, FORGE_NOW, NULL);
        ck_assert_uint_eq(snp_collateral_missing(c), 0);
        ck_assert_int_eq(snp_collateral_id(c)->product, SNP_PRODUCT_GENOA);
}
END_TEST

START_TEST(junk_in_a_table_spoils_only_itself) {
        static const uint8_t junk[] = "no certificate at all";
        AUTO_BLOB Blob vek = world_part(world_pki[SIM_GENOA], SNP_PART_VEK, 0), ask = {}, bytes = {};
        CLEANUP(snp_collateral_freep) SnpCollateral *c = world_collateral(SIM_GENOA, SNP_CRL_SOFT);
        SimTableEntry entries[4];
        SnpCertTable table;

        ck_assert_int_eq(sim_pki_cert_der(world_pki[SIM_GENOA], SIM_ASK, &ask, NULL), 0);
        entries[0] = (SimTableEntry){ sim_guids[SIM_GUID_VCEK], vek.data, vek.size };
        entries[1] = (SimTableEntry){ sim_guids[SIM_GUID_ASK], ask.data, ask.size };
        entries[2] = (SimTableEntry){ sim_guids[SIM_GUID_ARK], junk, sizeof(junk) };
        entries[3] = (SimTableEntry){ sim_guids[SIM_GUID_CRL], junk, sizeof(junk) };
        ck_assert_int_eq(sim_cert_table_make(entries, 4, &bytes, NULL), 0);
        ck_assert_int_eq(snp_cert_table_parse(bytes.data, bytes.size, &table, NULL), 0);
        ck_assert_int_eq(snp_collateral_offer_table(c, &table, FORGE_NOW, NULL), 0);
        ck_assert_uint_eq(snp_collateral_missing(c), 0);
        ck_assert_uint_eq(snp_collateral_wanted(c), CRL);
        ck_assert_ptr_nonnull(snp_collateral_refusal(c, 1));
        ck_assert_ptr_null(snp_collateral_refusal(c, 2));
}
END_TEST

START_TEST(sources_have_names) {
        static const char *const names[] = { "none", "host", "cache", "cloud", "kds", "file" };

        for (SnpSource s = 0; s < SNP_N_SOURCES; s++)
                ck_assert_str_eq(snp_source_name(s), names[s]);
        ck_assert_str_eq(snp_source_name(SNP_N_SOURCES), "unknown");
}
END_TEST

static void add_part_tests(TCase *tc) {
        tcase_add_loop_test(tc, parts_in_any_order_make_a_key, 0, 6);
        tcase_add_loop_test(tc, a_key_verifies_the_reports_it_was_collected_for, 0, SIM_N_PRODUCTS);
        tcase_add_loop_test(tc, a_vek_must_be_the_right_one_and_valid, 0, N_ELEMENTS(wrong));
        tcase_add_test(tc, what_was_put_aside_is_judged_when_the_chain_comes);
        tcase_add_test(tc, a_good_part_is_not_replaced);
        tcase_add_test(tc, kinds_are_not_mixed);
        tcase_add_test(tc, neither_kind_is_no_question);
        tcase_add_test(tc, limits_hold_for_every_part);
        tcase_add_test(tc, refusals_are_bounded);
        tcase_add_test(tc, sources_have_names);
}

static void add_chain_tests(TCase *tc) {
        tcase_add_test(tc, a_chain_of_amds_service_has_exactly_two_blocks);
        tcase_add_test(tc, a_foreign_root_is_refused);
        tcase_add_test(tc, an_ask_that_the_ark_did_not_sign_is_refused);
        tcase_add_test(tc, chains_have_their_time);
        tcase_add_test(tc, a_test_root_by_itself_completes_a_chain);
}

static void add_list_tests(TCase *tc) {
        tcase_add_test(tc, the_newest_list_counts_and_a_revocation_for_ever);
        tcase_add_loop_test(tc, a_stale_list_is_wanted_anew, 0, N_ELEMENTS(lists));
        tcase_add_test(tc, without_a_list_soft_mode_wants_and_hard_mode_needs_one);
        tcase_add_test(tc, time_counts_again_when_the_key_is_taken);
}

static void add_table_tests(TCase *tc) {
        tcase_add_loop_test(tc, any_subset_of_a_table_is_used, 0, 16);
        tcase_add_test(tc, a_vlek_comes_with_its_table);
        tcase_add_loop_test(tc, a_version_2_report_learns_its_product_from_the_vek, 0, SIM_N_PRODUCTS);
        tcase_add_test(tc, a_wrong_guess_of_the_product_is_undone);
        tcase_add_test(tc, junk_in_a_table_spoils_only_itself);
}

int main(void) {
        Suite *suite = suite_create("snp/collateral");
        TCase *tc = tcase_create("collateral");
        int r;

        world_make();
        add_part_tests(tc);
        add_chain_tests(tc);
        add_list_tests(tc);
        add_table_tests(tc);
        suite_add_tcase(suite, tc);
        r = unit_run(suite);
        world_unmake();
        return r;
}
