/* SPDX-License-Identifier: Apache-2.0 */
/* snpctl certs: fetch from AMD's service as it behaves and misbehaves, show, carry elsewhere. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "tests/integration/ctl.h"
#include "tests/integration/daemon.h"
#include "tests/integration/kds-world.h"
#include "tests/simulator/harness.h"
#include "tests/simulator/report.h"
#include "tests/unit/unit.h"

#define YEAR ((time_t) 365 * 24 * 60 * 60)

static KdsWorld kds;
static char hierarchy[SIM_PATH_MAX], ark[SIM_PATH_MAX + 16], report[128], out[128];

static void write_report(const SimPki *pki, const SimReport *r) {
        uint8_t bytes[SIM_REPORT_SIZE];
        Error e = {};

        ck_assert_msg(sim_report_make(r, pki, bytes, &e) == 0, "%s", e.text);
        ck_assert_int_eq(file_write_atomic(report, bytes, sizeof(bytes), 0644, NULL), 0);
}

static SimPki *load(const char *dir) {
        SimPki *pki = NULL;
        Error e = {};

        ck_assert_msg(sim_pki_load(dir, &pki, &e) == 0, "%s", e.text);
        return pki;
}

/* The service of @dir, NULL: the build's hierarchy of @product; and a report of its chip. */
static void begin(SimProduct product, const char *dir) {
        CLEANUP(sim_pki_freep) SimPki *pki = NULL;
        SimReport r;

        if (dir)
                (void) snprintf(hierarchy, sizeof(hierarchy), "%s", dir);
        else
                sim_test_pki(product, hierarchy);
        kds_world_start(&kds, hierarchy);
        (void) snprintf(ark, sizeof(ark), "%s/ark.pem", hierarchy);
        (void) snprintf(report, sizeof(report), "%s/report.bin", kds.dir);
        (void) snprintf(out, sizeof(out), "%s/certs", kds.dir);
        pki = load(hierarchy);
        r = sim_report_defaults(pki);
        write_report(pki, &r);
}

static void set_up(void) {
        begin(SIM_GENOA, NULL);
}

static void tear_down(void) {
        kds_world_stop(&kds);
}

#define SERVICE "--report", report, "--kds", kds.url, "--kds-ca", kds.ca, "--trust-root", ark
#define FETCH(...) CTL("certs", "fetch", "--json", SERVICE __VA_OPT__(,) __VA_ARGS__)

static const char *in_out(const char *name) {
        static char paths[4][160];
        static unsigned next;
        char *path = paths[next++ % N_ELEMENTS(paths)];

        (void) snprintf(path, sizeof(paths[0]), "%s/%s", out, name);
        return path;
}

static void expect_ok(const SpawnResult *r) {
        ck_assert_msg(r->status == 0, "%d %s%s", r->status, r->err, r->out);
}

START_TEST(files_are_as_the_verifiers_read_them) {
        AUTO_SPAWN_RESULT SpawnResult r = FETCH("--out", out, "--crl");
        AUTO_SPAWN_RESULT SpawnResult verified = {};
        AUTO_JSON json_object *o = NULL;

        expect_ok(&r);
        o = ctl_json(&r);
        ck_assert_str_eq(ctl_str(o, "trust"), "TEST ROOT");
        ck_assert_str_eq(ctl_str(o, "product"), "Genoa");
        ck_assert_str_eq(ctl_str(o, "sources.vek"), "kds");
        ck_assert_str_eq(ctl_str(o, "sources.crl"), "kds");
        ck_assert_int_eq(access(in_out("crl.pem"), R_OK), 0);
        verified = CTL("verify", "--report", report, "--vek", in_out("vcek.pem"), "--chain", in_out("ask.pem"), "--chain",
                       in_out("ark.pem"), "--trust-root", ark);
        expect_ok(&verified);
        ck_assert_uint_eq(kds_world_cached(&kds, "vcek"), 0);
}
END_TEST

START_TEST(files_may_be_der) {
        AUTO_SPAWN_RESULT SpawnResult r = FETCH("--out", out, "--der");
        AUTO_SPAWN_RESULT SpawnResult verified = {};
        AUTO_BLOB Blob der = {};

        expect_ok(&r);
        ck_assert_int_eq(file_read(in_out("vcek.der"), 4096, &der, NULL), 0);
        ck_assert_uint_eq(der.data[0], 0x30);
        verified = CTL("verify", "--report", report, "--vek", in_out("vcek.der"), "--chain", in_out("ask.der"), "--chain",
                       in_out("ark.der"), "--trust-root", ark);
        expect_ok(&verified);
}
END_TEST

START_TEST(text_says_whom_it_trusts) {
        AUTO_SPAWN_RESULT SpawnResult r = CTL("certs", "fetch", SERVICE, "--out", out);

        expect_ok(&r);
        ck_assert_ptr_nonnull(strstr(r.out, "Trust: TEST ROOT"));
        ck_assert_ptr_nonnull(strstr(r.out, "/vcek.pem"));
}
END_TEST

START_TEST(what_is_kept_is_not_asked_for_again) {
        AUTO_SPAWN_RESULT SpawnResult first = FETCH("--cache", kds.cache), second = {};
        AUTO_JSON json_object *o = NULL;

        expect_ok(&first);
        kds_world_go_down(&kds);
        second = FETCH("--cache", kds.cache);
        expect_ok(&second);
        o = ctl_json(&second);
        ck_assert_str_eq(ctl_str(o, "sources.vek"), "cache");
        ck_assert_uint_eq(kds_world_count(&kds, "what="), 2);
}
END_TEST

START_TEST(turin_has_short_addresses) {
        AUTO_SPAWN_RESULT SpawnResult r = FETCH("--out", out);
        AUTO_FREE char *log = NULL;
        const char *hwid;

        expect_ok(&r);
        ck_assert_int_eq(file_read_text(kds.log, 65536, &log, NULL), 0);
        hwid = strstr(log, "path=/vcek/v1/Turin/");
        hwid = strstr(hwid + 1, "what=vcek");
        hwid = strstr(hwid, "/Turin/") + strlen("/Turin/");
        ck_assert_uint_eq(strspn(hwid, "0123456789abcdef"), 16);
}
END_TEST

static const struct {
        const char *fault;
        int status;
        const char *says;
} faults[] = {
        { "vcek status 404\n", 3, "does not know this vek" },
        { "vcek other-chip\n", 1, "" },
        { "vcek other-tcb\n", 1, "" },
        { "vcek garbage\n", 3, "" },
        { "vcek oversize 5000\n", 3, "larger than" },
        { "all other-root\n", 1, "" },
        { "chain truncate\n", 3, "No time left" },
        { "all status 500\n", 3, "500" },
        { "all throttle 60\n", 3, "slow down" },
};

START_TEST(failures_are_told_and_nothing_is_written) {
        AUTO_SPAWN_RESULT SpawnResult r = {};

        kds_world_control(&kds, faults[_i].fault);
        r = CTL("certs", "fetch", SERVICE, "--out", out, "--timeout", "1s");
        ctl_expect_failure(&r, faults[_i].status, faults[_i].says);
        ck_assert_int_lt(access(out, F_OK), 0);
}
END_TEST

START_TEST(what_has_ended_is_neither_kept_nor_written) {
        AUTO_SPAWN_RESULT SpawnResult r = {};

        r = FETCH("--cache", kds.cache);
        ck_assert_int_ne(r.status, 0);
        ck_assert_uint_eq(kds_world_cached(&kds, "vcek-Genoa-0"), 0);
        ck_assert_uint_eq(kds_world_cached(&kds, ".der"), 0);
}
END_TEST

/* Everything began eight years ago, and a VCEK is for seven. */
static void set_up_old(void) {
        static char dir[64];
        CLEANUP(sim_pki_freep) SimPki *keys = NULL, *old = NULL;
        SimPkiParams params = sim_pki_params(SIM_GENOA);
        char pki[SIM_PATH_MAX];
        Error e = {};

        sim_test_pki(SIM_GENOA, pki);
        keys = load(pki);
        params.not_before -= 8 * YEAR;
        ck_assert_int_eq(sim_pki_new(&params, keys, &old, &e), 0);
        daemon_make_dir(dir);
        (void) snprintf(pki, sizeof(pki), "%s/pki", dir);
        ck_assert_msg(sim_pki_save(old, pki, &e) == 0, "%s", e.text);
        begin(SIM_GENOA, pki);
}

static void tear_down_old(void) {
        *strrchr(hierarchy, '/') = 0;
        daemon_remove_dir(hierarchy);
        kds_world_stop(&kds);
}

static void set_up_turin(void) {
        begin(SIM_TURIN, NULL);
}

START_TEST(a_vlek_cannot_be_fetched) {
        CLEANUP(sim_pki_freep) SimPki *pki = load(hierarchy);
        SimReport v = sim_report_defaults(pki);
        AUTO_SPAWN_RESULT SpawnResult r = {};

        v.signer = SIM_SIGNER_VLEK;
        write_report(pki, &v);
        r = CTL("certs", "fetch", SERVICE, "--out", out);
        ctl_expect_failure(&r, 3, "VLEK");
        ck_assert_uint_eq(kds_world_count(&kds, "what=vcek"), 0);
}
END_TEST

START_TEST(command_lines_without_sense_are_refused) {
        static const char *const lines[][6] = {
                { "--out", "/x" },
                { "--report", "r", "--from-device" },
                { "--report", "r", "--tsm-path", "/x" },
                { "--from-device", "--certs", "/x" },
                { "--report", "r", "--der" },
                { "--report", "r", "--timeout", "soon" },
        };

        for (size_t i = 0; i < N_ELEMENTS(lines); i++) {
                const char *args[10] = { "certs", "fetch" };
                AUTO_SPAWN_RESULT SpawnResult r = {};

                for (size_t k = 0; lines[i][k] && k < N_ELEMENTS(lines[i]); k++)
                        args[k + 2] = lines[i][k];
                r = ctl_run(args);
                ctl_expect_failure(&r, 2, "certs fetch");
        }
}
END_TEST

START_TEST(addresses_in_the_clear_are_for_this_machine_alone) {
        AUTO_SPAWN_RESULT SpawnResult r = CTL("certs", "fetch", "--report", report, "--trust-root", ark, "--out", out, "--kds",
                                              "http://kds.example", "--timeout", "1s");

        ck_assert_int_eq(r.status, 3);
        ck_assert_str_eq(r.out, "");
}
END_TEST

static void fetch_all(void) {
        AUTO_SPAWN_RESULT SpawnResult r = FETCH("--out", out, "--cache", kds.cache, "--crl");

        expect_ok(&r);
}

static void expect_items(json_object *o, size_t n, bool verified) {
        json_object *items, *v;

        ck_assert(json_object_object_get_ex(o, "items", &items));
        ck_assert_uint_eq(json_object_array_length(items), n);
        for (size_t i = 0; i < n; i++) {
                ck_assert(json_object_object_get_ex(json_object_array_get_idx(items, i), "verified", &v));
                ck_assert_msg(json_object_get_boolean(v) == verified, "%s", json_object_to_json_string(items));
        }
}

START_TEST(show_tells_what_is_there_and_whether_it_holds) {
        AUTO_SPAWN_RESULT SpawnResult dir = {}, cache = {}, text = {};
        AUTO_JSON json_object *a = NULL, *b = NULL;

        fetch_all();
        dir = CTL("certs", "show", out, "--json", "--trust-root", ark);
        expect_ok(&dir);
        a = ctl_json(&dir);
        ck_assert_str_eq(ctl_str(a, "trust"), "TEST ROOT");
        expect_items(a, 4, true);
        cache = CTL("certs", "show", "cache", "--json", "--cache", kds.cache, "--trust-root", ark);
        expect_ok(&cache);
        b = ctl_json(&cache);
        expect_items(b, 4, true);
        text = CTL("certs", "show", out, "--trust-root", ark);
        expect_ok(&text);
        ck_assert_ptr_nonnull(strstr(text.out, "Kind:      VCEK, for SEV-VCEK, Genoa"));
        ck_assert_ptr_nonnull(strstr(text.out, "  TCB:       boot loader "));
        ck_assert_ptr_nonnull(strstr(text.out, "  Chip:      "));
        ck_assert_ptr_nonnull(strstr(text.out, "Kind:      CRL, by ARK-Genoa"));
        ck_assert_ptr_null(strstr(text.out, "Verified:  NO"));
}
END_TEST

START_TEST(show_believes_nobody_but_the_root) {
        AUTO_SPAWN_RESULT SpawnResult r = {};
        AUTO_JSON json_object *o = NULL;

        fetch_all();
        r = CTL("certs", "show", out, "--json");
        ck_assert_int_eq(r.status, 1);
        o = ctl_json(&r);
        ck_assert_str_eq(ctl_str(o, "trust"), "AMD");
        expect_items(o, 4, false);
}
END_TEST

START_TEST(show_reads_the_hosts_table) {
        CLEANUP(sim_pki_freep) SimPki *pki = load(hierarchy);
        AUTO_BLOB Blob table = {};
        AUTO_SPAWN_RESULT SpawnResult r = {}, cut = {};
        AUTO_JSON json_object *o = NULL;

        ck_assert_int_eq(sim_cert_table_of(pki, SIM_SIGNER_VCEK, true, &table, NULL), 0);
        ck_assert_int_eq(file_write_atomic(report, table.data, table.size, 0644, NULL), 0);
        r = CTL("certs", "show", report, "--json", "--trust-root", ark);
        expect_ok(&r);
        o = ctl_json(&r);
        expect_items(o, 3, true);
        ck_assert_int_eq(file_write_atomic(report, table.data, table.size - 1, 0644, NULL), 0);
        cut = CTL("certs", "show", report);
        ctl_expect_failure(&cut, 3, "");
}
END_TEST

START_TEST(show_tells_of_revocation) {
        CLEANUP(sim_pki_freep) SimPki *pki = load(hierarchy), *revoking = NULL;
        SimPkiParams params = sim_pki_params(SIM_GENOA);
        AUTO_SPAWN_RESULT SpawnResult fetched = FETCH("--out", out), alone = {}, r = {};
        AUTO_BLOB Blob crl = {};

        expect_ok(&fetched);
        params.revoke_ask = true;
        ck_assert_int_eq(sim_pki_new(&params, pki, &revoking, NULL), 0);
        ck_assert_int_eq(sim_pki_crl_der(revoking, SIM_CRL_VCEK, &crl, NULL), 0);
        ck_assert_int_eq(file_write_atomic(in_out("crl.der"), crl.data, crl.size, 0644, NULL), 0);
        r = CTL("certs", "show", out, "--trust-root", ark);
        ck_assert_int_eq(r.status, 1);
        ck_assert_ptr_nonnull(strstr(r.out, "Verified:  NO: "));
        ck_assert_ptr_nonnull(strcasestr(r.out, "revoke"));
        /* By itself it cannot be judged: there is no ARK beside it. */
        alone = CTL("certs", "show", in_out("crl.der"), "--trust-root", ark);
        ck_assert_int_eq(alone.status, 1);
        ck_assert_ptr_nonnull(strstr(alone.out, "Verified:  NO: "));
}
END_TEST

START_TEST(show_refuses_what_is_none_of_it) {
        AUTO_SPAWN_RESULT SpawnResult absent = CTL("certs", "show", "/no/such/file"), empty = {}, junk = {};

        ctl_expect_failure(&absent, 3, "/no/such/file");
        empty = CTL("certs", "show", kds.cache);
        ctl_expect_failure(&empty, 3, "holds no certificates");
        junk = CTL("certs", "show", report);
        ctl_expect_failure(&junk, 3, "");
}
END_TEST

START_TEST(certificates_can_be_carried_elsewhere) {
        AUTO_SPAWN_RESULT SpawnResult exported = {}, shown = {}, imported = {}, used = {};
        AUTO_JSON json_object *o = NULL;
        char file[128], elsewhere[128];

        (void) snprintf(file, sizeof(file), "%s/bundle.json", kds.dir);
        (void) snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", kds.dir);
        ck_assert_int_eq(mkdir(elsewhere, 0755), 0);
        fetch_all();
        exported = CTL("certs", "export", "--cache", kds.cache, "--trust-root", ark, "--out", file);
        expect_ok(&exported);
        shown = CTL("certs", "show", file);
        ctl_expect_failure(&shown, 3, "'snpctl certs import' takes");
        kds_world_go_down(&kds);
        imported = CTL("certs", "import", file, "--cache", elsewhere, "--trust-root", ark);
        expect_ok(&imported);
        ck_assert_ptr_nonnull(strstr(imported.out, "Stored: 3, refused: 0"));
        used = CTL("certs", "fetch", "--json", "--report", report, "--trust-root", ark, "--cache", elsewhere, "--crl", "--kds",
                   "none");
        expect_ok(&used);
        o = ctl_json(&used);
        ck_assert_str_eq(ctl_str(o, "sources.vek"), "cache");
        ck_assert_str_eq(ctl_str(o, "sources.crl"), "cache");
}
END_TEST

START_TEST(folders_of_other_tools_can_be_imported) {
        AUTO_SPAWN_RESULT SpawnResult r = {};
        char elsewhere[128];

        (void) snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", kds.dir);
        ck_assert_int_eq(mkdir(elsewhere, 0755), 0);
        fetch_all();
        r = CTL("certs", "import", out, "--cache", elsewhere, "--trust-root", ark, "--json");
        expect_ok(&r);
}
END_TEST

START_TEST(nothing_is_imported_that_does_not_verify) {
        AUTO_SPAWN_RESULT SpawnResult r = {}, exported = {}, junk = {};
        char file[128], elsewhere[128];

        (void) snprintf(file, sizeof(file), "%s/bundle.json", kds.dir);
        (void) snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", kds.dir);
        ck_assert_int_eq(mkdir(elsewhere, 0755), 0);
        fetch_all();
        exported = CTL("certs", "export", "--cache", kds.cache, "--trust-root", ark, "--out", file);
        expect_ok(&exported);
        r = CTL("certs", "import", file, "--cache", elsewhere);
        ck_assert_int_eq(r.status, 1);
        ck_assert_ptr_nonnull(strstr(r.out, "Trust: AMD"));
        ck_assert_ptr_nonnull(strstr(r.out, "Stored: 0"));
        ck_assert_int_eq(rmdir(elsewhere), 0); /* not even a lock */
        junk = CTL("certs", "import", report, "--cache", kds.cache, "--trust-root", ark);
        ctl_expect_failure(&junk, 3, "");
}
END_TEST

int main(int argc, char **argv) {
        Suite *s = suite_create("snpctl-certs");
        TCase *t = tcase_create("genoa"), *turin = tcase_create("turin"), *old = tcase_create("old");

        if (argc != 2)
                return EXIT_FAILURE;
        ctl_set_program(argv[1]);
        tcase_add_checked_fixture(t, set_up, tear_down);
        tcase_add_test(t, files_are_as_the_verifiers_read_them);
        tcase_add_test(t, files_may_be_der);
        tcase_add_test(t, text_says_whom_it_trusts);
        tcase_add_test(t, what_is_kept_is_not_asked_for_again);
        tcase_add_loop_test(t, failures_are_told_and_nothing_is_written, 0, N_ELEMENTS(faults));
        tcase_add_test(t, a_vlek_cannot_be_fetched);
        tcase_add_test(t, command_lines_without_sense_are_refused);
        tcase_add_test(t, addresses_in_the_clear_are_for_this_machine_alone);
        tcase_add_test(t, show_tells_what_is_there_and_whether_it_holds);
        tcase_add_test(t, show_believes_nobody_but_the_root);
        tcase_add_test(t, show_reads_the_hosts_table);
        tcase_add_test(t, show_tells_of_revocation);
        tcase_add_test(t, show_refuses_what_is_none_of_it);
        tcase_add_test(t, certificates_can_be_carried_elsewhere);
        tcase_add_test(t, folders_of_other_tools_can_be_imported);
        tcase_add_test(t, nothing_is_imported_that_does_not_verify);
        suite_add_tcase(s, t);
        tcase_add_checked_fixture(turin, set_up_turin, tear_down);
        tcase_add_test(turin, turin_has_short_addresses);
        suite_add_tcase(s, turin);
        tcase_add_checked_fixture(old, set_up_old, tear_down_old);
        tcase_add_test(old, what_has_ended_is_neither_kept_nor_written);
        suite_add_tcase(s, old);
        return unit_run(s);
}
