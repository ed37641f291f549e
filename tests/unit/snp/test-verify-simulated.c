/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snp/verify.c on what the simulator makes: the committed vectors, row by row as tests/vectors/README.md
 * says, and the hierarchies of this build. The simulator shares no encoder with snp/, so each is the other's
 * second opinion; genuine evidence is in test-verify-recorded.c.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hex.h"
#include "snp/cert_table.h"
#include "snp/verify.h"
#include "tests/simulator/harness.h"
#include "tests/simulator/report.h"
#include "tests/unit/unit.h"

#define FILE_MAX (64u * 1024u)
#define DAY (24 * 60 * 60)
#define AT_2026_06_01 1780272000

static Blob read_vector(const char *name) {
        const char *source = getenv("SNP_TEST_SOURCE");
        AUTO_FREE char *path = NULL;
        Blob b = {};
        Error e = {};
        int r;

        ck_assert_int_gt(asprintf(&path, "%s/tests/vectors/%s", source ? source : ".", name), 0);
        r = file_read(path, FILE_MAX, &b, &e);
        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        return b;
}

/* What one report is judged with. Certificates are borrowed from the blobs. */
typedef struct Evidence {
        Blob report, root, table, chain;
        SnpCerts certs;
} Evidence;

static void evidence_done(Evidence *v) {
        blob_done(&v->report);
        blob_done(&v->root);
        blob_done(&v->table);
        blob_done(&v->chain);
}
#define AUTO_EVIDENCE CLEANUP(evidence_done)

static void collect_certs(Evidence *v) {
        SnpCertTable table;
        const SnpCertEntry *vek;

        ck_assert_int_eq(snp_cert_table_parse(v->table.data, v->table.size, &table, NULL), 0);
        vek = snp_cert_table_find(&table, SNP_CERT_VCEK);
        if (!vek)
                vek = snp_cert_table_find(&table, SNP_CERT_VLEK);
        ck_assert_ptr_nonnull(vek);
        v->certs.vek = (SnpCertBytes){ vek->data, vek->size };
        for (size_t i = 0; i < table.n_entries; i++)
                if (table.entries[i].kind == SNP_CERT_ASK || table.entries[i].kind == SNP_CERT_ARK)
                        v->certs.others[v->certs.n_others++] =
                                (SnpCertBytes){ table.entries[i].data, table.entries[i].size };
        if (v->chain.size > 0)
                v->certs.others[v->certs.n_others++] = (SnpCertBytes){ v->chain.data, v->chain.size };
}

typedef struct Row {
        const char *report, *table, *chain;
        bool reject;
        SnpCheck failed; /* the check that fails, when @reject */
} Row;

static const Row rows[] = {
        { "milan-v2", "milan-vcek" },
        { "milan-v3", "milan-vcek" },
        { "milan-v3-vlek", "milan-vlek-only", "milan-vlek-chain.pem" },
        { "milan-v5", "milan-vcek" },
        { "genoa-v3", "genoa-vcek" },
        { "genoa-v5", "genoa-vcek" },
        { "turin-v5", "turin-vcek" },
        { "turin-v5-vlek", "turin-vlek" },
        { "genoa-v5-debug", "genoa-vcek" },
        { "genoa-v5-masked", "genoa-vcek", NULL, true, SNP_CHECK_CHIP_ID },
        { "genoa-v5-unsigned", "genoa-vcek", NULL, true, SNP_CHECK_SIGNING_KEY },
        { "genoa-v5-altered", "genoa-vcek", NULL, true, SNP_CHECK_SIGNATURE },
        { "genoa-v5-other-chip", "genoa-vcek", NULL, true, SNP_CHECK_CHIP_ID },
        { "genoa-v5-other-tcb", "genoa-vcek", NULL, true, SNP_CHECK_TCB },
        { "turin-v5", "turin-vlek", NULL, true, SNP_CHECK_SIGNING_KEY },
        { "turin-v5-vlek", "turin-vcek", NULL, true, SNP_CHECK_SIGNING_KEY },
        { "turin-v5", "genoa-vcek", NULL, true, SNP_CHECK_PRODUCT },
        { "genoa-v5", "milan-vcek", NULL, true, SNP_CHECK_SIGNATURE },
};

static Evidence load_row(const Row *row) {
        char name[64];
        Evidence v = {};

        (void) snprintf(name, sizeof(name), "%s.report.bin", row->report);
        v.report = read_vector(name);
        (void) snprintf(name, sizeof(name), "%.5s-ark.pem", row->table);
        v.root = read_vector(name);
        (void) snprintf(name, sizeof(name), "%s.table.bin", row->table);
        v.table = read_vector(name);
        if (row->chain)
                v.chain = read_vector(row->chain);
        collect_certs(&v);
        return v;
}

/* The VEK under the test root, or NULL with the code in *@ret. */
static SnpVek *vek_of(const Evidence *v, time_t at, int *ret) {
        CLEANUP(snp_trust_freep) SnpTrust *trust = NULL;
        SnpVek *vek = NULL;
        Error e = {};
        int r;

        r = snp_trust_new_test(v->root.data, v->root.size, &trust, &e);
        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        ck_assert(snp_trust_is_test(trust));
        r = snp_vek_new(trust, &v->certs, at, &vek, &e);
        ck_assert_msg(r == 0 || ret, "%s", error_text(&e, r));
        if (ret)
                *ret = r;
        return vek;
}

static int judge(const Evidence *v, const SnpVek *vek, unsigned flags, SnpVerdict *verdict) {
        SnpReport report;
        Error e = {};
        int r = snp_report_parse(v->report.data, v->report.size, &report, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        return snp_report_verify(&report, vek, flags, verdict, &e);
}

START_TEST(vectors_are_judged_as_their_readme_says) {
        AUTO_EVIDENCE Evidence v = load_row(&rows[_i]);
        CLEANUP(snp_vek_freep) SnpVek *vek = vek_of(&v, AT_2026_06_01, NULL);
        SnpVerdict verdict = {};
        int r = judge(&v, vek, 0, &verdict);

        ck_assert(snp_vek_is_test(vek));
        ck_assert_msg(r == (rows[_i].reject ? -EKEYREJECTED : 0), "%s: %d", rows[_i].report, r);
        ck_assert_int_eq(verdict.outcome, rows[_i].reject ? SNP_REJECT : SNP_ACCEPT);
        if (rows[_i].reject)
                ck_assert_msg(verdict.checks[rows[_i].failed] == SNP_CHECK_FAILED, "%s: %s is %s", rows[_i].report,
                              snp_check_name(rows[_i].failed),
                              snp_check_result_name(verdict.checks[rows[_i].failed]));
} END_TEST

/* Reports that differ from genuine ones in one check fail in that one alone. */
START_TEST(one_fault_fails_one_check) {
        static const char *const single[] = { "genoa-v5-masked", "genoa-v5-altered", "genoa-v5-other-chip",
                                              "genoa-v5-other-tcb" };

        for (size_t i = 0; i < N_ELEMENTS(rows); i++)
                for (size_t k = 0; k < N_ELEMENTS(single); k++) {
                        SnpVerdict verdict = {};
                        size_t n = 0;

                        if (strcmp(rows[i].report, single[k]) != 0)
                                continue;
                        AUTO_EVIDENCE Evidence v = load_row(&rows[i]);
                        CLEANUP(snp_vek_freep) SnpVek *vek = vek_of(&v, AT_2026_06_01, NULL);

                        (void) judge(&v, vek, 0, &verdict);
                        for (SnpCheck c = 0; c < SNP_N_CHECKS; c++)
                                n += verdict.checks[c] == SNP_CHECK_FAILED;
                        ck_assert_msg(n == 1, "%s fails %zu checks", single[k], n);
                }
} END_TEST

START_TEST(masked_chip_id_is_accepted_when_allowed) {
        const Row row = { "genoa-v5-masked", "genoa-vcek" };
        AUTO_EVIDENCE Evidence v = load_row(&row);
        CLEANUP(snp_vek_freep) SnpVek *vek = vek_of(&v, AT_2026_06_01, NULL);
        SnpVerdict verdict = {};

        ck_assert_int_eq(judge(&v, vek, SNP_VERIFY_ALLOW_MASKED_CHIP_ID, &verdict), 0);
        ck_assert_int_eq(verdict.outcome, SNP_ACCEPT);
} END_TEST

START_TEST(amds_roots_do_not_vouch_for_the_simulator) {
        AUTO_EVIDENCE Evidence v = load_row(&rows[_i]);
        CLEANUP(snp_trust_freep) SnpTrust *amd = NULL;
        SnpVek *vek = NULL;
        Error e = {};

        ck_assert_int_eq(snp_trust_new_amd(&amd, &e), 0);
        ck_assert(!snp_trust_is_test(amd));
        ck_assert_int_eq(snp_vek_new(amd, &v.certs, AT_2026_06_01, &vek, &e), -EKEYREJECTED);
        ck_assert_ptr_null(vek);
} END_TEST

START_TEST(another_products_root_does_not_vouch) {
        AUTO_EVIDENCE Evidence v = load_row(&rows[_i]);
        int r = 0;

        blob_done(&v.root);
        v.root = read_vector(strncmp(rows[_i].table, "genoa", 5) == 0 ? "milan-ark.pem" : "genoa-ark.pem");
        ck_assert_ptr_null(vek_of(&v, AT_2026_06_01, &r));
        ck_assert_int_lt(r, 0);
} END_TEST

START_TEST(certificates_hold_in_their_time_only) {
        static const struct {
                Row row;
                time_t at;
                int want;
        } times[] = {
                { { "genoa-v5", "genoa-vcek" }, 1767225600 - 1, -EKEYREJECTED }, /* 2026-01-01 */
                { { "genoa-v5", "genoa-vcek" }, 1767225600, 0 },
                { { "genoa-v5", "genoa-vcek" }, 1767225600 + 6LL * 366 * DAY, 0 },
                { { "genoa-v5", "genoa-vcek" }, 1767225600 + 7LL * 366 * DAY, -EKEYREJECTED },
                { { "turin-v5-vlek", "turin-vlek" }, 1767225600 + 364 * DAY, 0 },
                { { "turin-v5-vlek", "turin-vlek" }, 1767225600 + 366 * DAY, -EKEYREJECTED },
        };

        for (size_t i = 0; i < N_ELEMENTS(times); i++) {
                AUTO_EVIDENCE Evidence v = load_row(&times[i].row);
                int r = 0;

                snp_vek_free(vek_of(&v, times[i].at, &r));
                ck_assert_msg(r == times[i].want, "row %zu: %d", i, r);
        }
} END_TEST

START_TEST(chain_file_serves_as_well_as_the_table) {
        const Row row = { "genoa-v5", "genoa-vcek", "genoa-vcek-chain.pem" };
        AUTO_EVIDENCE Evidence v = load_row(&row);
        CLEANUP(snp_vek_freep) SnpVek *vek = NULL;
        SnpVerdict verdict = {};

        v.certs.others[0] = (SnpCertBytes){ v.chain.data, v.chain.size };
        v.certs.n_others = 1;
        vek = vek_of(&v, AT_2026_06_01, NULL);
        ck_assert_int_eq(judge(&v, vek, 0, &verdict), 0);
        v.certs.n_others = 0;
        ck_assert_ptr_null(vek_of(&v, AT_2026_06_01, &(int){ 0 }));
} END_TEST

START_TEST(every_field_of_genoa_v5_is_read_as_it_was_set) {
        AUTO_BLOB Blob raw = read_vector("genoa-v5.report.bin");
        uint8_t digest[64];
        char hex[33];
        SnpReport r;
        SnpTcb tcb;

        ck_assert_int_eq(snp_report_parse(raw.data, raw.size, &r, NULL), 0);
        ck_assert_uint_eq(r.version, 5);
        ck_assert_uint_eq(r.guest_svn, 7);
        ck_assert_uint_eq(r.policy, 0x30000);
        hex_encode_to(r.family_id, sizeof(r.family_id), hex);
        ck_assert_str_eq(hex, "000102030405060708090a0b0c0d0e0f");
        hex_encode_to(r.image_id, sizeof(r.image_id), hex);
        ck_assert_str_eq(hex, "101112131415161718191a1b1c1d1e1f");
        ck_assert_uint_eq(r.vmpl, 2);
        ck_assert_uint_eq(r.platform_info, 0x65);
        ck_assert(r.author_key_en && !r.mask_chip_key);
        ck_assert_int_eq(r.signing_key, SNP_SIGNING_KEY_VCEK);
        (void) EVP_Digest("genoa-v5", 8, digest, NULL, EVP_sha512(), NULL);
        ck_assert_mem_eq(r.report_data, digest, 64);
        (void) EVP_Digest("measurement of genoa-v5", 23, digest, NULL, EVP_sha384(), NULL);
        ck_assert_mem_eq(r.measurement, digest, 48);
        (void) EVP_Digest("host-data", 9, digest, NULL, EVP_sha256(), NULL);
        ck_assert_mem_eq(r.host_data, digest, 32);
        (void) EVP_Digest("id-key", 6, digest, NULL, EVP_sha384(), NULL);
        ck_assert_mem_eq(r.id_key_digest, digest, 48);
        (void) EVP_Digest("author-key", 10, digest, NULL, EVP_sha384(), NULL);
        ck_assert_mem_eq(r.author_key_digest, digest, 48);
        ck_assert(r.has_cpuid && r.cpuid_family == 0x19 && r.cpuid_model == 0x11 && r.cpuid_stepping == 1);
        ck_assert_int_eq(r.product, SNP_PRODUCT_GENOA);
        ck_assert(r.current.major == 1 && r.current.minor == 55 && r.current.build == 42);
        ck_assert_uint_eq(r.launch_mit_vector, 1);
        ck_assert_uint_eq(r.current_mit_vector, 0x10b);
        ck_assert_int_eq(snp_tcb_decode(SNP_TCB_LAYOUT_MILAN, r.current_tcb, &tcb), 0);
        ck_assert(tcb.boot_loader == 10 && tcb.tee == 1 && tcb.snp == 24 && tcb.microcode == 200);
        ck_assert_int_eq(snp_tcb_decode(SNP_TCB_LAYOUT_MILAN, r.committed_tcb, &tcb), 0);
        ck_assert(tcb.boot_loader == 10 && tcb.tee == 0 && tcb.snp == 24 && tcb.microcode == 85);
} END_TEST

START_TEST(a_changed_bit_in_any_signed_byte_is_rejected) {
        const Row row = { "genoa-v5", "genoa-vcek" };
        AUTO_EVIDENCE Evidence v = load_row(&row);
        CLEANUP(snp_vek_freep) SnpVek *vek = vek_of(&v, AT_2026_06_01, NULL);

        for (size_t i = 0; i < SNP_REPORT_SIGNED_SIZE; i++) {
                SnpVerdict verdict = {};
                SnpReport report;

                v.report.data[i] ^= (uint8_t) (1u << i % 8);
                if (snp_report_parse(v.report.data, v.report.size, &report, NULL) == 0) {
                        ck_assert_msg(snp_report_verify(&report, vek, 0, &verdict, NULL) < 0, "byte 0x%zx", i);
                        ck_assert_int_eq(verdict.outcome, SNP_REJECT);
                }
                v.report.data[i] ^= (uint8_t) (1u << i % 8);
        }
} END_TEST

/* Today's hierarchies, each product and both kinds of key, and a report of each version that goes with it. */
START_TEST(hierarchies_of_this_build_verify_today) {
        SimProduct product = (SimProduct) (_i / 2);
        SimSigner signer = _i % 2 ? SIM_SIGNER_VLEK : SIM_SIGNER_VCEK;
        CLEANUP(sim_pki_freep) SimPki *pki = NULL;
        char dir[SIM_PATH_MAX];
        Error e = {};

        sim_test_pki(product, dir);
        ck_assert_msg(sim_pki_load(dir, &pki, &e) == 0, "%s", e.text);
        for (uint32_t version = product == SIM_TURIN ? 3 : 2; version <= 5; version++) {
                uint8_t raw[SIM_REPORT_SIZE];
                AUTO_EVIDENCE Evidence v = {};
                CLEANUP(snp_vek_freep) SnpVek *vek = NULL;
                SimReport report = sim_report_defaults(pki);
                SnpVerdict verdict = {};

                report.version = version;
                report.signer = signer;
                ck_assert_int_eq(sim_report_make(&report, pki, raw, &e), 0);
                ck_assert_int_eq(blob_dup(raw, sizeof(raw), &v.report), 0);
                ck_assert_int_eq(sim_cert_table_of(pki, signer, true, &v.table, &e), 0);
                ck_assert_int_eq(sim_pki_cert_pem(pki, SIM_ARK, &v.root, &e), 0);
                collect_certs(&v);
                vek = vek_of(&v, time(NULL), NULL);
                ck_assert_msg(judge(&v, vek, 0, &verdict) == 0, "%s version %u", sim_product(product)->name, version);
                ck_assert_int_eq(snp_vek_kind(vek), signer == SIM_SIGNER_VLEK ? SNP_SIGNING_KEY_VLEK
                                                                               : SNP_SIGNING_KEY_VCEK);
        }
} END_TEST

/* OpenSSL's word on CRLs, until the product looks at them. */
static int check_revocation(const char *crl_file) {
        AUTO_BLOB Blob chain = read_vector("genoa-vcek-chain.pem"), der = read_vector(crl_file);
        BIO *bio = BIO_new_mem_buf(chain.data, (int) chain.size);
        X509 *ask = PEM_read_bio_X509(bio, NULL, NULL, NULL), *ark = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        const uint8_t *p = der.data;
        X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long) der.size);
        X509_STORE *store = X509_STORE_new();
        X509_STORE_CTX *ctx = X509_STORE_CTX_new();
        int error;

        ck_assert(ask && ark && crl && store && ctx);
        ck_assert_int_eq(X509_STORE_add_cert(store, ark), 1);
        ck_assert_int_eq(X509_STORE_add_crl(store, crl), 1);
        ck_assert_int_eq(X509_STORE_CTX_init(ctx, store, ask, NULL), 1);
        X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(ctx), AT_2026_06_01);
        X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_CRL_CHECK);
        error = X509_verify_cert(ctx) == 1 ? 0 : X509_STORE_CTX_get_error(ctx);
        X509_STORE_CTX_free(ctx);
        X509_STORE_free(store);
        X509_CRL_free(crl);
        X509_free(ark);
        X509_free(ask);
        (void) BIO_free(bio);
        return error;
}

START_TEST(crls_are_signed_by_the_root_and_list_whom_they_should) {
        ck_assert_int_eq(check_revocation("genoa-vcek.crl"), 0);
        ck_assert_int_eq(check_revocation("genoa-vcek-revoked.crl"), X509_V_ERR_CERT_REVOKED);
} END_TEST

int main(void) {
        Suite *suite = suite_create("snp-verify-simulated");
        TCase *tc = tcase_create("snp-verify-simulated");

        tcase_add_loop_test(tc, vectors_are_judged_as_their_readme_says, 0, N_ELEMENTS(rows));
        tcase_add_test(tc, one_fault_fails_one_check);
        tcase_add_test(tc, masked_chip_id_is_accepted_when_allowed);
        tcase_add_loop_test(tc, amds_roots_do_not_vouch_for_the_simulator, 0, N_ELEMENTS(rows));
        tcase_add_loop_test(tc, another_products_root_does_not_vouch, 0, N_ELEMENTS(rows));
        tcase_add_test(tc, certificates_hold_in_their_time_only);
        tcase_add_test(tc, chain_file_serves_as_well_as_the_table);
        tcase_add_test(tc, every_field_of_genoa_v5_is_read_as_it_was_set);
        tcase_add_test(tc, a_changed_bit_in_any_signed_byte_is_rejected);
        tcase_add_loop_test(tc, hierarchies_of_this_build_verify_today, 0, 2 * SIM_N_PRODUCTS);
        tcase_add_test(tc, crls_are_signed_by_the_root_and_list_whom_they_should);
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
