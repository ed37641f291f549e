/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "agent/evidence-json.h"
#include "agent/platform.h"
#include "base/base64.h"
#include "base/json.h"
#include "tests/simulator/harness.h"
#include "tests/simulator/report.h"
#include "tests/unit/unit.h"

static SimPki *pki, *other;
static SnpTrust *trust;
static Collateral *collateral; /* at each test's begin: it knows nothing */
static Blob table;

static SnpTrust *trust_in(const SimPki *of) {
        AUTO_BLOB Blob pem = {};
        SnpTrust *t = NULL;
        Error e = {};

        ck_assert_int_eq(sim_pki_cert_pem(of, SIM_ARK, &pem, &e), 0);
        ck_assert_msg(snp_trust_new_test(pem.data, pem.size, &t, &e) == 0, "%s", e.text);
        return t;
}

/* Nobody is asked but the host. */
static const ConfigCollateral nobody = { .fetch = CONFIG_FETCH_NEVER, .crl = CONFIG_CRL_OFF };

static Collateral *collateral_under(const SnpTrust *roots) {
        Collateral *c = NULL;

        ck_assert_int_eq(collateral_new(&(CollateralSetup){ .config = &nobody, .trust = roots }, &c, NULL), 0);
        return c;
}

static void forget_collateral(void) {
        collateral_free(collateral);
        collateral = collateral_under(trust);
}

static void load(void) {
        char dir[SIM_PATH_MAX];
        Error e = {};

        sim_test_pki(SIM_TURIN, dir);
        ck_assert_msg(sim_pki_load(dir, &pki, &e) == 0, "%s", e.text);
        sim_test_pki(SIM_MILAN, dir);
        ck_assert_msg(sim_pki_load(dir, &other, &e) == 0, "%s", e.text);
        trust = trust_in(pki);
        ck_assert_int_eq(sim_cert_table_of(pki, SIM_SIGNER_VCEK, true, &table, &e), 0);
}

static void unload(void) {
        collateral_free(collateral);
        snp_trust_free(trust);
        sim_pki_free(pki);
        sim_pki_free(other);
        blob_done(&table);
}

static uint8_t bytes[SIM_REPORT_SIZE];
static const uint8_t report_data[SNP_REPORT_DATA_SIZE] = { 1, 2, 3 };

static WireReportAnswer answer_with(const SimPki *signer, const Blob *certs) {
        SimReport report = sim_report_defaults(signer);
        Error e = {};

        (void) memcpy(report.report_data, report_data, sizeof(report_data));
        ck_assert_msg(sim_report_make(&report, signer, bytes, &e) == 0, "%s", e.text);
        return (WireReportAnswer){ .report = { bytes, sizeof(bytes) },
                                   .certs = { certs ? certs->data : NULL, certs ? certs->size : 0 } };
}

START_TEST(report_with_its_chain_is_verified) {
        Platform p = {};
        WireReportAnswer a = answer_with(pki, &table);
        AUTO_JSON json_object *o = NULL;
        json_object *tcb;
        uint64_t fmc;
        const char *s;
        Error e = {};

        ck_assert_msg(platform_observe(&p, collateral, report_data, &a, &e) == 0, "%s", e.text);
        ck_assert_msg(p.verdict == PLATFORM_VERIFIED, "%s", p.why.text);
        ck_assert_int_eq(p.product, SNP_PRODUCT_TURIN);
        o = platform_to_json(&p);
        ck_assert_int_eq(json_get_str(o, "self_check", 32, &s, &e), 0);
        ck_assert_str_eq(s, "verified");
        ck_assert_int_eq(json_get_str(o, "product", 32, &s, &e), 0);
        ck_assert_str_eq(s, "Turin");
        ck_assert_int_eq(json_get_obj(o, "reported_tcb", &tcb, &e), 0);
        ck_assert_int_eq(json_get_u64(tcb, "fmc", 255, &fmc, &e), 0);
        ck_assert_uint_eq(fmc, pki->tcb.fmc);
}
END_TEST

START_TEST(chain_is_checked_once_for_the_same_certificates) {
        Platform p = {};
        WireReportAnswer a = answer_with(pki, &table);
        const SnpVek *first, *second;

        ck_assert_int_eq(platform_observe(&p, collateral, report_data, &a, NULL), 0);
        ck_assert_int_eq(collateral_vek(collateral, &first, NULL), 0);
        ck_assert_int_eq(platform_observe(&p, collateral, report_data, &a, NULL), 0);
        ck_assert_int_eq(collateral_vek(collateral, &second, NULL), 0);
        ck_assert_ptr_eq(first, second);
        ck_assert_int_eq(p.verdict, PLATFORM_VERIFIED);
}
END_TEST

START_TEST(other_trust_is_asked_anew) {
        Platform p = {};
        CLEANUP(snp_trust_freep) SnpTrust *amd = NULL;
        CLEANUP(collateral_freep) Collateral *under_amd = NULL;
        const SnpVek *vek;
        WireReportAnswer a = answer_with(pki, &table);

        ck_assert_int_eq(snp_trust_new_amd(&amd, NULL), 0);
        under_amd = collateral_under(amd);
        ck_assert_int_eq(platform_observe(&p, collateral, report_data, &a, NULL), 0);
        ck_assert_int_eq(p.verdict, PLATFORM_VERIFIED);
        ck_assert_int_eq(platform_observe(&p, under_amd, report_data, &a, NULL), 0);
        ck_assert_int_eq(p.verdict, PLATFORM_REJECTED);
        ck_assert_int_lt(collateral_vek(under_amd, &vek, NULL), 0);
}
END_TEST

START_TEST(report_without_certificates_is_passed_on_unjudged) {
        Platform p = {};
        WireReportAnswer a = answer_with(pki, NULL);

        ck_assert_int_eq(platform_observe(&p, collateral, report_data, &a, NULL), 0);
        ck_assert_int_eq(p.verdict, PLATFORM_NO_CERTS);
        ck_assert_str_eq(p.why.reason, "no-certificate");
}
END_TEST

START_TEST(table_that_comes_later_is_as_good) {
        Platform p = {};
        WireReportAnswer a = answer_with(pki, NULL);

        ck_assert_int_eq(platform_observe(&p, collateral, report_data, &a, NULL), 0);
        ck_assert_int_eq(p.verdict, PLATFORM_NO_CERTS);
        a.certs = (WireBytes){ table.data, table.size };
        ck_assert_int_eq(platform_observe(&p, collateral, report_data, &a, NULL), 0);
        ck_assert_int_eq(p.verdict, PLATFORM_VERIFIED);
        ck_assert_ptr_null(collateral_vcek_for(collateral, &p.report)); /* the broker is given the table anyway */
}
END_TEST

START_TEST(report_of_another_chip_is_rejected_but_passed_on) {
        Platform p = {};
        WireReportAnswer a = answer_with(other, &table);

        ck_assert_int_eq(platform_observe(&p, collateral, report_data, &a, NULL), 0);
        ck_assert_int_eq(p.verdict, PLATFORM_REJECTED);
        ck_assert_int_lt(p.why.code, 0);
}
END_TEST

START_TEST(broken_table_is_no_reason_to_fail) {
        static const uint8_t junk[40] = { 1 };
        Platform p = {};
        WireReportAnswer a = answer_with(pki, &(Blob){ (uint8_t *) (uintptr_t) junk, sizeof(junk) });

        ck_assert_int_eq(platform_observe(&p, collateral, report_data, &a, NULL), 0);
        ck_assert_int_ne(p.verdict, PLATFORM_VERIFIED);
}
END_TEST

START_TEST(report_over_other_bytes_goes_no_further) {
        Platform p = {};
        WireReportAnswer a = answer_with(pki, &table);
        uint8_t wanted[SNP_REPORT_DATA_SIZE] = { 1, 2, 3, [63] = 1 };
        Error e = {};

        ck_assert_int_eq(platform_observe(&p, collateral, wanted, &a, &e), -ESTALE);
        ck_assert_str_eq(e.reason, "report-data");
        ck_assert_int_eq(p.verdict, PLATFORM_NOT_SEEN);
}
END_TEST

START_TEST(malformed_report_goes_no_further) {
        Platform p = {};
        WireReportAnswer a = answer_with(pki, &table);

        bytes[0] = 99; /* version */
        ck_assert_int_lt(platform_observe(&p, collateral, report_data, &a, NULL), 0);
        ck_assert_int_eq(p.verdict, PLATFORM_NOT_SEEN);
}
END_TEST

START_TEST(local_callers_get_all_of_it_as_json) {
        Evidence ev = { .report = answer_with(pki, &table) };
        AUTO_JSON json_object *o = NULL;
        AUTO_FREE char *text = NULL;
        AUTO_BLOB Blob report = {};
        json_object *certs;
        const char *s;
        Error e = {};

        ck_assert_int_eq(evidence_to_json(&ev, "\xfb\xff", 2, &text, &e), 0);
        ck_assert_int_eq(json_parse(text, strlen(text), "evidence", &o, &e), 0);
        ck_assert_int_eq(json_get_str(o, "tee", 8, &s, &e), 0);
        ck_assert_str_eq(s, "snp");
        ck_assert_int_eq(json_get_str(o, "nonce", 8, &s, &e), 0);
        ck_assert_str_eq(s, "-_8");
        ck_assert_int_eq(json_get_str(o, "report", 4096, &s, &e), 0);
        ck_assert_int_eq(base64_decode(BASE64_STD, s, strlen(s), 4096, &report), 0);
        ck_assert_uint_eq(report.size, sizeof(bytes));
        ck_assert_mem_eq(report.data, bytes, sizeof(bytes));
        ck_assert_int_eq(json_get_array(o, "certificates", 8, &certs, &e), 0);
        ck_assert_uint_eq(json_object_array_length(certs), 3);
        ck_assert_ptr_null(json_object_object_get(o, "quote"));
}
END_TEST

START_TEST(broken_table_leaves_the_list_empty) {
        static const uint8_t junk[40] = { 1 };
        Evidence ev = { .report = answer_with(pki, &(Blob){ (uint8_t *) (uintptr_t) junk, sizeof(junk) }) };
        AUTO_FREE char *text = NULL;

        ck_assert_int_eq(evidence_to_json(&ev, "x", 1, &text, NULL), 0);
        ck_assert_ptr_nonnull(strstr(text, "\"certificates\":[]"));
}
END_TEST

int main(void) {
        Suite *s = suite_create("platform");
        TCase *tc = tcase_create("platform");

        tcase_add_unchecked_fixture(tc, load, unload);
        tcase_add_checked_fixture(tc, forget_collateral, NULL);
        tcase_add_test(tc, report_with_its_chain_is_verified);
        tcase_add_test(tc, chain_is_checked_once_for_the_same_certificates);
        tcase_add_test(tc, other_trust_is_asked_anew);
        tcase_add_test(tc, report_without_certificates_is_passed_on_unjudged);
        tcase_add_test(tc, table_that_comes_later_is_as_good);
        tcase_add_test(tc, report_of_another_chip_is_rejected_but_passed_on);
        tcase_add_test(tc, broken_table_is_no_reason_to_fail);
        tcase_add_test(tc, report_over_other_bytes_goes_no_further);
        tcase_add_test(tc, malformed_report_goes_no_further);
        tcase_add_test(tc, local_callers_get_all_of_it_as_json);
        tcase_add_test(tc, broken_table_leaves_the_list_empty);
        suite_add_tcase(s, tc);
        return unit_run(s);
}
