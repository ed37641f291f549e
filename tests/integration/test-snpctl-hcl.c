/* SPDX-License-Identifier: Apache-2.0 */
/* Reports of Azure's paravisor in files: `snpctl report --in`, `snpctl verify --report`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/sha.h>

#include "base/file.h"
#include "base/json.h"
#include "tests/integration/ctl.h"
#include "tests/simulator/harness.h"
#include "tests/simulator/hcl.h"
#include "tests/simulator/pki.h"
#include "tests/simulator/report.h"
#include "tests/unit/unit.h"

#define SAID "a1a2a3a4"

static SimPki *pki;
static char dir[64], file[96], table[96], root[SIM_PATH_MAX + 16];

/* What may be wrong with a report that is otherwise one of a paravisor. */
typedef struct Flaw {
        uint32_t vmpl, type;
        bool other_claims, bad_signature;
} Flaw;

static void put(const char *path, const void *data, size_t size) {
        Error e = {};

        ck_assert_msg(file_write_atomic(path, data, size, 0600, &e) == 0, "%s", e.text);
}

static void make(const Flaw *flaw) {
        static const uint8_t ak[SIM_HCL_MODULUS_SIZE] = { 0xc0 };
        uint8_t user_data[SIM_HCL_USER_DATA_SIZE] = { 0xa1, 0xa2, 0xa3, 0xa4 }, bytes[SIM_REPORT_SIZE];
        SimReport report = sim_report_defaults(pki);
        AUTO_BLOB Blob claims = {}, hcl = {}, certs = {};

        ck_assert_int_eq(sim_hcl_claims(&(SimHclClaims){ .ak = ak, .user_data = user_data }, &claims), 0);
        report.vmpl = flaw->vmpl;
        (void) SHA256(claims.data, claims.size - flaw->other_claims, report.report_data);
        ck_assert_int_eq(sim_report_make(&report, pki, bytes, NULL), 0);
        bytes[0x90] ^= flaw->bad_signature; /* the measurement */
        ck_assert_int_eq(sim_hcl_frame(&(SimHclFrame){ .type = flaw->type, .report = bytes, .report_size = sizeof(bytes),
                                                       .claims = claims.data, .claims_size = claims.size,
                                                       .size = 2900 }, &hcl), 0);
        put(file, hcl.data, hcl.size);
        ck_assert_int_eq(sim_cert_table_of(pki, SIM_SIGNER_VCEK, true, &certs, NULL), 0);
        put(table, certs.data, certs.size);
}

static SpawnResult verify(const char *data) {
        return CTL("verify", "--json", "--report", file, "--certs", table, "--trust-root", root, data ? "--data" : NULL,
                   data);
}

START_TEST(report_with_its_claims_is_accepted_and_binds) {
        SpawnResult r;
        AUTO_JSON json_object *o = NULL;

        make(&(Flaw){});
        r = verify(_i ? SAID : NULL);
        ck_assert_int_eq(r.status, 0);
        o = ctl_json(&r);
        ck_assert_str_eq(ctl_str(o, "verdict"), "accept");
        ck_assert_str_eq(ctl_str(o, "checks.hcl-claims"), "ok");
        ck_assert_str_eq(ctl_str(o, "checks.report-data"), "not-applicable");
        ck_assert_str_eq(ctl_str(o, "hcl.binding"), "azure-hcl");
        spawn_result_done(&r);
}
END_TEST

START_TEST(what_it_says_is_shown_to_people) {
        SpawnResult r;

        make(&(Flaw){});
        r = CTL("verify", "--report", file, "--certs", table, "--trust-root", root);
        ck_assert_int_eq(r.status, 0);
        ck_assert_ptr_nonnull(strstr(r.out, "Binding: azure-hcl: the report holds"));
        ck_assert_ptr_nonnull(strstr(r.out, "User data: " SAID "00"));
        ck_assert_ptr_nonnull(strstr(r.out, "secure-boot: yes"));
        spawn_result_done(&r);
}
END_TEST

static const struct {
        Flaw flaw;
        const char *data, *check, *result, *reason;
} bad[] = {
        { { .other_claims = true }, NULL, "checks.hcl-claims", "failed", "hcl-digest" },
        { { .vmpl = 1 }, NULL, "checks.hcl-claims", "failed", "hcl-vmpl" },
        { {}, "a1a2a3", "checks.hcl-claims", "failed", "user-data-mismatch" },
        { { .bad_signature = true }, NULL, "checks.signature", "failed", "signature" },
};

START_TEST(flaw_is_rejected_by_its_name_and_binds_nothing) {
        SpawnResult r;
        AUTO_JSON json_object *o = NULL;

        make(&bad[_i].flaw);
        r = verify(bad[_i].data);
        ck_assert_int_eq(r.status, 1);
        o = ctl_json(&r);
        ck_assert_str_eq(ctl_str(o, "verdict"), "reject");
        ck_assert_str_eq(ctl_str(o, "reason"), bad[_i].reason);
        ck_assert_str_eq(ctl_str(o, bad[_i].check), bad[_i].result);
        if (!bad[_i].data)
                ck_assert_str_eq(ctl_str(o, "hcl.binding"), "none");
        spawn_result_done(&r);
}
END_TEST

START_TEST(report_that_is_only_shown_binds_nothing) {
        SpawnResult r, text;
        AUTO_JSON json_object *o = NULL;

        make(&(Flaw){});
        r = CTL("report", "--json", "--in", file);
        ck_assert_int_eq(r.status, 0);
        o = ctl_json(&r);
        ck_assert_str_eq(ctl_str(o, "hcl.binding"), "none");
        ck_assert_str_eq(ctl_str(o, "hcl.vm_configuration.vmUniqueId"), "5C3A1D7E-0F26-4B57-9E5C-6D1B2A3F4E50");
        spawn_result_done(&r);
        text = CTL("report", "--in", file);
        ck_assert_int_eq(text.status, 0);
        ck_assert_ptr_nonnull(strstr(text.out, "Claims: those that the report is over"));
        spawn_result_done(&text);
}
END_TEST

START_TEST(claims_that_do_not_fit_are_told_also_where_nothing_is_verified) {
        SpawnResult r;
        AUTO_JSON json_object *o = NULL;

        make(&(Flaw){ .other_claims = true });
        r = CTL("report", "--json", "--in", file);
        o = ctl_json(&r);
        ck_assert_str_eq(ctl_str(o, "hcl.reason"), "hcl-digest");
        spawn_result_done(&r);
}
END_TEST

START_TEST(reports_of_other_platforms_are_told) {
        SpawnResult r;

        make(&(Flaw){ .type = 4 });
        r = CTL("report", "--in", file);
        ctl_expect_failure(&r, 3, "of type TDX, not of SNP");
        spawn_result_done(&r);
}
END_TEST

START_TEST(file_that_is_cut_is_told) {
        SpawnResult r;

        put(file, "HCLA", 4);
        r = CTL("report", "--in", file);
        ctl_expect_failure(&r, 3, "HCL report is truncated");
        spawn_result_done(&r);
}
END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("snpctl-hcl");
        TCase *tc = tcase_create("hcl");

        tcase_add_loop_test(tc, report_with_its_claims_is_accepted_and_binds, 0, 2);
        tcase_add_test(tc, what_it_says_is_shown_to_people);
        tcase_add_loop_test(tc, flaw_is_rejected_by_its_name_and_binds_nothing, 0, N_ELEMENTS(bad));
        tcase_add_test(tc, report_that_is_only_shown_binds_nothing);
        tcase_add_test(tc, claims_that_do_not_fit_are_told_also_where_nothing_is_verified);
        tcase_add_test(tc, reports_of_other_platforms_are_told);
        tcase_add_test(tc, file_that_is_cut_is_told);
        suite_add_tcase(s, tc);
        return s;
}

int main(int argc, char **argv) {
        char hierarchy[SIM_PATH_MAX];
        int r;

        if (argc < 2)
                return 2;
        ctl_set_program(argv[1]);
        sim_test_pki(SIM_MILAN, hierarchy);
        if (sim_pki_load(hierarchy, &pki, NULL) < 0)
                return 1;
        (void) snprintf(root, sizeof(root), "%s/ark.pem", hierarchy);
        (void) snprintf(dir, sizeof(dir), "/tmp/snp-hcl-XXXXXX");
        if (!mkdtemp(dir))
                return 1;
        (void) snprintf(file, sizeof(file), "%s/hcl.bin", dir);
        (void) snprintf(table, sizeof(table), "%s/table.bin", dir);
        r = unit_run(suite());
        (void) unlink(file);
        (void) unlink(table);
        (void) rmdir(dir);
        sim_pki_free(pki);
        return r;
}
