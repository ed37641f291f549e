/* SPDX-License-Identifier: Apache-2.0 */

/* `snpctl verify` and revocation: lists given with --crl, in the host's table, and beside certificates in a folder. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "tests/integration/ctl.h"
#include "tests/simulator/harness.h"
#include "tests/simulator/report.h"
#include "tests/unit/unit.h"

#define YEAR ((time_t) 365 * 24 * 60 * 60)

static SimPki *pki;
static char dir[64], hierarchy[SIM_PATH_MAX], chain[SIM_PATH_MAX + 32], ark[SIM_PATH_MAX + 32];
static char report[96], list[96], table[96], beside[2][96];

static void store(const char *path, const Blob *data) {
        ck_assert_int_eq(file_write_atomic(path, data->data, data->size, 0644, NULL), 0);
}

static void set_up(void) {
        uint8_t bytes[SIM_REPORT_SIZE];
        SimReport r;

        (void) snprintf(dir, sizeof(dir), "/tmp/snp-crl-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(dir));
        (void) snprintf(report, sizeof(report), "%s/report.bin", dir);
        (void) snprintf(list, sizeof(list), "%s/crl", dir);
        (void) snprintf(table, sizeof(table), "%s/certs.bin", dir);
        (void) snprintf(beside[0], sizeof(beside[0]), "%s/vcek.der", dir);
        (void) snprintf(beside[1], sizeof(beside[1]), "%s/crl.der", dir);
        sim_test_pki(SIM_GENOA, hierarchy);
        (void) snprintf(chain, sizeof(chain), "%s/vcek-chain.pem", hierarchy);
        (void) snprintf(ark, sizeof(ark), "%s/ark.pem", hierarchy);
        ck_assert_int_eq(sim_pki_load(hierarchy, &pki, NULL), 0);
        r = sim_report_defaults(pki);
        ck_assert_int_eq(sim_report_make(&r, pki, bytes, NULL), 0);
        store(report, &(Blob){ .data = bytes, .size = sizeof(bytes) });
}

static void tear_down(void) {
        const char *const files[] = { report, list, table, beside[0], beside[1] };

        for (size_t i = 0; i < N_ELEMENTS(files); i++)
                (void) unlink(files[i]);
        (void) rmdir(dir);
        sim_pki_free(pki);
}

/* The list of a hierarchy that begins so much later, with the same keys. */
static Blob make_list(bool revoked, time_t later) {
        SimPkiParams params = sim_pki_params(SIM_GENOA);
        CLEANUP(sim_pki_freep) SimPki *other = NULL;
        Blob ret = {};

        params.not_before = pki->not_before + later;
        params.revoke_ask = revoked;
        ck_assert_int_eq(sim_pki_new(&params, pki, &other, NULL), 0);
        ck_assert_int_eq(sim_pki_crl_der(other, SIM_CRL_VCEK, &ret, NULL), 0);
        return ret;
}

static void put_table(const Blob *crl) {
        AUTO_BLOB Blob vcek = {}, bytes = {};
        SimTableEntry entries[2];

        ck_assert_int_eq(sim_pki_cert_der(pki, SIM_VCEK, &vcek, NULL), 0);
        entries[0] = (SimTableEntry){ sim_guids[SIM_GUID_VCEK], vcek.data, vcek.size };
        if (crl)
                entries[1] = (SimTableEntry){ sim_guids[SIM_GUID_CRL], crl->data, crl->size };
        ck_assert_int_eq(sim_cert_table_make(entries, crl ? 2 : 1, &bytes, NULL), 0);
        store(table, &bytes);
}

/* As `snpctl certs fetch --crl --der` leaves it. */
static void put_folder(const Blob *crl) {
        AUTO_BLOB Blob vcek = {};

        ck_assert_int_eq(sim_pki_cert_der(pki, SIM_VCEK, &vcek, NULL), 0);
        store(beside[0], &vcek);
        store(beside[1], crl);
}

/* @reason NULL: accepted. */
static void expect(const SpawnResult *r, const char *crl, const char *check, const char *reason) {
        AUTO_JSON json_object *o = ctl_json(r);

        ck_assert_msg(r->status == (reason ? 1 : 0), "%d %s%s", r->status, r->err, r->out);
        ck_assert_str_eq(ctl_str(o, "verdict"), reason ? "reject" : "accept");
        ck_assert_str_eq(ctl_str(o, "crl"), crl);
        ck_assert_str_eq(ctl_str(o, "checks.revocation"), check);
        if (reason)
                ck_assert_str_eq(ctl_str(o, "reason"), reason);
}

#define VERIFY(...)                                                                                                    \
        CTL("verify", "--json", "--report", report, "--certs", table, "--chain", chain, "--trust-root", ark            \
            __VA_OPT__(,) __VA_ARGS__)

START_TEST(without_a_list_nothing_is_said_of_revocation) {
        AUTO_SPAWN_RESULT SpawnResult r = {};

        put_table(NULL);
        r = VERIFY();
        expect(&r, "not-asked", "not-applicable", NULL);
}
END_TEST

static const struct {
        bool revoked;
        int years; /* that the list begins later */
        const char *crl, *check, *reason;
} lists[] = {
        { false, 0, "ok", "ok", NULL },
        { true, 0, "revoked", "failed", "revoked" },
        { false, -2, "stale", "failed", "crl-stale" },
        { true, -2, "revoked", "failed", "revoked" },
        { false, 1, "unusable", "failed", "crl-not-yet-valid" },
};

START_TEST(a_list_that_is_given_must_be_current) {
        AUTO_BLOB Blob crl = make_list(lists[_i].revoked, lists[_i].years * YEAR);
        AUTO_SPAWN_RESULT SpawnResult r = {};

        put_table(NULL);
        store(list, &crl);
        r = VERIFY("--crl", list);
        expect(&r, lists[_i].crl, lists[_i].check, lists[_i].reason);
}
END_TEST

START_TEST(a_list_of_the_hosts_can_only_revoke) {
        AUTO_BLOB Blob crl = make_list(lists[_i].revoked, lists[_i].years * YEAR);
        bool ok = strcmp(lists[_i].crl, "ok") == 0;
        AUTO_SPAWN_RESULT SpawnResult r = {};

        put_table(&crl);
        r = VERIFY();
        expect(&r, lists[_i].crl, lists[_i].revoked ? "failed" : ok ? "ok" : "not-applicable",
               lists[_i].revoked ? "revoked" : NULL);
}
END_TEST

START_TEST(a_list_beside_certificates_can_only_revoke) {
        AUTO_BLOB Blob crl = make_list(lists[_i].revoked, lists[_i].years * YEAR);
        bool ok = strcmp(lists[_i].crl, "ok") == 0;
        AUTO_SPAWN_RESULT SpawnResult r = {};

        put_folder(&crl);
        r = CTL("verify", "--json", "--report", report, "--certs", dir, "--chain", chain, "--trust-root", ark);
        expect(&r, lists[_i].crl, lists[_i].revoked ? "failed" : ok ? "ok" : "not-applicable",
               lists[_i].revoked ? "revoked" : NULL);
}
END_TEST

START_TEST(a_list_that_is_given_comes_before_the_hosts) {
        AUTO_BLOB Blob old = make_list(false, 0), bad = make_list(true, 0);
        AUTO_SPAWN_RESULT SpawnResult r = {};

        put_table(&old);
        store(list, &bad);
        r = VERIFY("--crl", list);
        expect(&r, "revoked", "failed", "revoked");
}
END_TEST

START_TEST(junk_is_no_list) {
        AUTO_SPAWN_RESULT SpawnResult r = {};
        AUTO_SPAWN_RESULT SpawnResult none = {};

        put_table(NULL);
        store(list, &(Blob){ .data = (uint8_t *) dir, .size = strlen(dir) });
        r = VERIFY("--crl", list);
        expect(&r, "unusable", "failed", "crl-malformed");
        none = VERIFY("--crl", "/nonexistent/crl");
        ck_assert_int_ne(none.status, 0);
        ck_assert_int_ne(none.status, 1); /* not a verdict */
}
END_TEST

START_TEST(people_are_told_too) {
        AUTO_BLOB Blob bad = make_list(true, 0);
        AUTO_SPAWN_RESULT SpawnResult r = {};

        put_table(&bad);
        r = CTL("verify", "--report", report, "--certs", table, "--chain", chain, "--trust-root", ark);
        ck_assert_int_eq(r.status, 1);
        ck_assert(strstr(r.out, "REJECT: The ASK or ASVK is on the ARK's revocation list"));
        ck_assert(strstr(r.out, "Revocation list: revoked"));
}
END_TEST

int main(int argc, char **argv) {
        Suite *suite = suite_create("snpctl-crl");
        TCase *tc = tcase_create("crl");

        if (argc != 2)
                return EXIT_FAILURE;
        ctl_set_program(argv[1]);
        tcase_add_checked_fixture(tc, set_up, tear_down);
        tcase_add_test(tc, without_a_list_nothing_is_said_of_revocation);
        tcase_add_loop_test(tc, a_list_that_is_given_must_be_current, 0, N_ELEMENTS(lists));
        tcase_add_loop_test(tc, a_list_of_the_hosts_can_only_revoke, 0, N_ELEMENTS(lists));
        tcase_add_loop_test(tc, a_list_beside_certificates_can_only_revoke, 0, N_ELEMENTS(lists));
        tcase_add_test(tc, a_list_that_is_given_comes_before_the_hosts);
        tcase_add_test(tc, junk_is_no_list);
        tcase_add_test(tc, people_are_told_too);
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
