/* SPDX-License-Identifier: Apache-2.0 */

/* `snpctl policy`: check, explain and new, with reports of a simulated processor and files as an operator has them. */

#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/json.h"
#include "tests/integration/ctl.h"
#include "tests/simulator/report.h"
#include "tests/unit/snp/forge.h"
#include "tests/unit/unit.h"

#define AT "2025-06-20T00:00:00Z" /* days behind FORGE_NOW */
#define PATH_BYTES 64
#define A5_16 "a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5"
#define A5_48 A5_16 A5_16 A5_16

static SimPki *pki;
static char dir[] = "/tmp/snp-test-policy.XXXXXX";
static char report[PATH_BYTES], vek[PATH_BYTES], ask[PATH_BYTES], ark[PATH_BYTES], policy[PATH_BYTES], key[PATH_BYTES];

static void write_file(const char *path, const void *data, size_t size) {
        Error e = {};

        ck_assert_msg(file_write_atomic(path, data, size, 0600, &e) == 0, "%s", e.text);
}

static void write_policy(const char *text) {
        write_file(policy, text, strlen(text));
}

static void write_report(const SimReport *r) {
        uint8_t bytes[SIM_REPORT_SIZE];

        ck_assert_int_eq(sim_report_make(r, pki, bytes, NULL), 0);
        write_file(report, bytes, sizeof(bytes));
}

static void write_certs(SimKey which) {
        AUTO_EVIDENCE Evidence evidence = forge_evidence(pki, which);

        write_file(vek, evidence.vek.data, evidence.vek.size);
        write_file(ask, evidence.others[0].data, evidence.others[0].size);
        write_file(ark, evidence.others[1].data, evidence.others[1].size);
}

static void setup(void) {
        static const struct {
                char *path;
                const char *name;
        } files[] = { { report, "report" }, { vek, "vek" },       { ask, "ask" },
                      { ark, "ark" },       { policy, "policy" }, { key, "key" } };
        SimReport r = sim_report_defaults(pki);

        ck_assert_ptr_nonnull(mkdtemp(dir));
        for (size_t i = 0; i < N_ELEMENTS(files); i++)
                (void) snprintf(files[i].path, PATH_BYTES, "%s/%s", dir, files[i].name);
        write_report(&r);
        write_certs(SIM_VCEK);
        write_policy("");
}

static void teardown(void) {
        (void) unlink(report);
        (void) unlink(vek);
        (void) unlink(ask);
        (void) unlink(ark);
        (void) unlink(policy);
        (void) unlink(key);
        ck_assert_int_eq(rmdir(dir), 0);
}

static SpawnResult check_at(const char *at, const char *more, const char *value) {
        const char *const args[] = { "policy", "check", "--policy", policy,    "--report", report, "--vek",
                                     vek,      "--chain", ask,      "--chain", ark,        "--at", at,
                                     "--trust-root", ark, more,     value,     NULL };

        return ctl_run(args);
}

static SpawnResult check(const char *more, const char *value) {
        return check_at(AT, more, value);
}

/* The finding on @claim. */
static json_object *finding(json_object *answer, const char *claim) {
        json_object *claims = json_object_object_get(answer, "claims");

        for (size_t i = 0; i < json_object_array_length(claims); i++) {
                json_object *o = json_object_array_get_idx(claims, i);

                if (strcmp(ctl_str(o, "claim"), claim) == 0)
                        return o;
        }
        ck_abort_msg("there is no claim %s", claim);
        return NULL;
}

/* Checks the report as it lies there; @denied: the claim named as the reason, NULL for allowed. */
static void expect(const char *policy_text, const char *denied) {
        AUTO_SPAWN_RESULT SpawnResult r = {};
        AUTO_JSON json_object *o = NULL;

        write_policy(policy_text);
        r = check("--json", NULL);
        o = ctl_json(&r);
        ck_assert_msg(r.status == (denied ? 1 : 0), "%s: %s%s", policy_text, r.out, r.err);
        ck_assert_str_eq(ctl_str(o, "verdict"), denied ? "deny" : "allow");
        ck_assert_str_eq(ctl_str(o, "trust"), "TEST ROOT");
        if (!denied) {
                ck_assert(!json_object_object_get_ex(o, "reason", NULL));
                return;
        }
        ck_assert_str_eq(ctl_str(o, "reason"), denied);
        ck_assert_str_eq(ctl_str(finding(o, denied), "verdict"), "denied");
        ck_assert_str_ne(ctl_str(finding(o, denied), "remedy"), "");
}

START_TEST(a_report_is_allowed_or_denied_with_the_claim_that_decides) {
        SimReport r = sim_report_defaults(pki);

        expect("", NULL);
        expect("[Platform]\nProduct=Milan\n", "product");
        expect("[Report]\nVmpl=2\n", "vmpl");
        r.policy |= UINT64_C(1) << 19; /* DEBUG */
        write_report(&r);
        expect("", "debug");
        expect("[Guest]\nDebug=allow\n", NULL);
}
END_TEST

/* Neither a certificate table nor --chain brings the root. */
START_TEST(the_file_of_the_trust_root_is_the_root) {
        AUTO_SPAWN_RESULT SpawnResult verified = CTL("verify", "--report", report, "--vek", vek, "--chain", ask, "--at",
                                                     AT, "--trust-root", ark);
        AUTO_SPAWN_RESULT SpawnResult allowed = CTL("policy", "check", "--policy", policy, "--report", report, "--vek",
                                                    vek, "--chain", ask, "--at", AT, "--trust-root", ark);
        AUTO_SPAWN_RESULT SpawnResult without = CTL("verify", "--report", report, "--vek", vek, "--chain", ask, "--at",
                                                    AT);

        ck_assert_msg(verified.status == 0, "%s%s", verified.out, verified.err);
        ck_assert_msg(allowed.status == 0, "%s%s", allowed.out, allowed.err);
        ctl_expect_failure(&without, 3, "is not among the certificates");
}
END_TEST

START_TEST(people_see_a_table_and_what_to_do) {
        SimReport r = sim_report_defaults(pki);
        AUTO_SPAWN_RESULT SpawnResult allowed = check(NULL, NULL), denied = {};

        ck_assert_int_eq(allowed.status, 0);
        ck_assert_int_eq(strncmp(allowed.out, "ALLOW\nTrust: TEST ROOT (given by --trust-root", 45), 0);
        ck_assert_ptr_nonnull(strstr(allowed.out, "\nNote: The policy names neither a measurement"));
        ck_assert_ptr_nonnull(strstr(allowed.out, "\nCLAIM "));
        ck_assert_ptr_null(strstr(allowed.out, "denied"));
        r.policy |= UINT64_C(1) << 19;
        write_report(&r);
        write_policy("[Guest]\nMeasurement=" A5_48 "\n");
        denied = check(NULL, NULL);
        ck_assert_int_eq(denied.status, 1);
        ck_assert_int_eq(strncmp(denied.out, "DENY: The policy denies debug: wanted clear, found set\n", 54), 0);
        ck_assert_ptr_nonnull(strstr(denied.out, "\nDenied: debug\n  wanted  clear\n  found   set\n  remedy  Launch "
                                                 "the guest with POLICY.DEBUG clear, or change Debug= in [Guest]"));
        ck_assert_ptr_nonnull(strstr(denied.out, "\nmeasurement                a5a5a5a5a5a5a5a5a5a5a5a5... "));
        ck_assert_ptr_null(strstr(denied.out, "Note:"));
}
END_TEST

static void expect_unverified(const SpawnResult *r, const char *reason) {
        AUTO_JSON json_object *o = ctl_json(r);
        json_object *claims = json_object_object_get(o, "claims");

        ck_assert_int_eq(r->status, 1);
        ck_assert_str_eq(ctl_str(o, "verdict"), "deny");
        ck_assert_str_eq(ctl_str(o, "reason"), reason);
        ck_assert_uint_gt(json_object_array_length(claims), 40);
        for (size_t i = 0; i < json_object_array_length(claims); i++)
                ck_assert_str_eq(ctl_str(json_object_array_get_idx(claims, i), "verdict"), "denied");
}

/* What verification refuses is denied with its reason. */
static void expect_not_judged(const char *policy_text, const char *reason) {
        AUTO_SPAWN_RESULT SpawnResult r = {};

        write_policy(policy_text);
        r = check("--json", NULL);
        expect_unverified(&r, reason);
}

START_TEST(every_claim_of_an_unverified_report_is_denied) {
        SimReport r = sim_report_defaults(pki);
        AUTO_SPAWN_RESULT SpawnResult altered = {}, late = {}, cut = {}, text = {};
        uint8_t bytes[SIM_REPORT_SIZE];

        late = check_at("2099-01-01T00:00:00Z", "--json", NULL);
        expect_unverified(&late, "cert-expired");
        ck_assert_int_eq(sim_report_make(&r, pki, bytes, NULL), 0);
        bytes[0x90] ^= 1; /* MEASUREMENT */
        write_file(report, bytes, sizeof(bytes));
        altered = check("--json", NULL);
        expect_unverified(&altered, "signature");
        text = check(NULL, NULL);
        ck_assert_ptr_nonnull(strstr(text.out, "\nDenied: authentic\n"));
        ck_assert_ptr_null(strstr(text.out, "\nDenied: version\n"));
        write_file(report, bytes, sizeof(bytes) - 1);
        cut = check("--json", NULL);
        expect_unverified(&cut, "report-truncated");
}
END_TEST

START_TEST(other_report_data_than_expected_is_denied) {
        AUTO_SPAWN_RESULT SpawnResult same = check("--data", "00"), other = check("--data", "01");

        ck_assert_int_eq(same.status, 0);
        ck_assert_int_eq(other.status, 1);
        ck_assert_int_eq(strncmp(other.out, "DENY: REPORT_DATA", 17), 0);
}
END_TEST

START_TEST(masked_chips_and_providers_are_the_policys_to_accept) {
        SimReport r = sim_report_defaults(pki);

        (void) memset(r.chip_id, 0, sizeof(r.chip_id));
        write_report(&r);
        expect("[Platform]\nMaskedChipId=allow\n", NULL);
        expect_not_judged("", "chip-id-masked");
        expect_not_judged("[Platform]\nMaskedChipId=forbid\n", "chip-id-masked");
        r.signer = SIM_SIGNER_VLEK;
        write_report(&r);
        write_certs(SIM_VLEK);
        expect("", NULL);
        expect("[Platform]\nCspId=*.example.net\n", NULL);
        expect("[Platform]\nCspId=*.example.com\n", "csp-id");
        expect("[Report]\nSigningKey=vcek\n", "signing-key");
}
END_TEST

START_TEST(a_mistake_in_a_policy_is_told_with_its_place) {
        static const char *const verbs[][3] = { { "policy", "check", "--policy" }, { "policy", "explain", "--" } };

        write_policy("[Guest]\n\nDebug=no\n");
        for (size_t i = 0; i < N_ELEMENTS(verbs); i++) {
                AUTO_SPAWN_RESULT SpawnResult r =
                        i == 0 ? check(NULL, NULL) : CTL(verbs[i][0], verbs[i][1], verbs[i][2], policy);

                ctl_expect_failure(&r, 3, "/policy:3: Debug=: expected 'forbid', 'allow' or 'require'");
        }
}
END_TEST

START_TEST(without_its_files_a_report_cannot_be_judged) {
        AUTO_SPAWN_RESULT SpawnResult no_policy = CTL("policy", "check", "--report", report);
        AUTO_SPAWN_RESULT SpawnResult no_report = CTL("policy", "check", "--policy", policy);
        AUTO_SPAWN_RESULT SpawnResult no_vek = CTL("policy", "check", "--policy", policy, "--report", report);
        AUTO_SPAWN_RESULT SpawnResult nowhere = CTL("policy", "explain", "/nonexistent/policy");
        AUTO_SPAWN_RESULT SpawnResult nothing = CTL("policy", "explain");

        ctl_expect_failure(&no_policy, 2, "--policy FILE is missing");
        ctl_expect_failure(&no_report, 2, "--report FILE is missing");
        ctl_expect_failure(&no_vek, 3, "certificate: give --vek");
        ctl_expect_failure(&nowhere, 3, "/nonexistent/policy");
        ctl_expect_failure(&nothing, 2, "FILE is missing");
}
END_TEST

START_TEST(a_policy_is_explained_with_its_defaults) {
        AUTO_SPAWN_RESULT SpawnResult text = {}, json = {}, defaults = CTL("policy", "explain", "/dev/null");
        AUTO_JSON json_object *o = NULL;

        write_policy("[Guest]\nDebug=allow\nTrustedIdKey=" A5_48 "\n");
        text = CTL("policy", "explain", policy);
        json = CTL("policy", "explain", policy, "--json");
        ck_assert_int_eq(text.status, 0);
        ck_assert_ptr_nonnull(strstr(text.out, "\n  Debug                   may be set or clear             POLICY"));
        ck_assert_ptr_nonnull(strstr(text.out, "\n  Cxl                     must be clear (default) "));
        ck_assert_ptr_null(strstr(text.out, "Note:"));
        ck_assert_ptr_nonnull(strstr(defaults.out, "\nNote: The policy names neither"));
        o = ctl_json(&json);
        ck_assert(json_object_get_boolean(json_object_object_get(o, "names_guest")));
        ck_assert_uint_gt(json_object_array_length(json_object_object_get(o, "keys")), 40);
}
END_TEST

START_TEST(a_new_policy_is_the_default_one) {
        AUTO_SPAWN_RESULT SpawnResult text = CTL("policy", "new"), json = CTL("policy", "new", "--json");
        AUTO_JSON json_object *o = ctl_json(&json);

        ck_assert_int_eq(text.status, 0);
        ck_assert_str_eq(ctl_str(o, "policy"), text.out);
        ck_assert_ptr_nonnull(strstr(text.out, "\nDebug=forbid\n"));
        expect(text.out, NULL);
}
END_TEST

START_TEST(a_policy_made_from_a_report_allows_that_one_and_no_other_software) {
        SimReport r = sim_report_defaults(pki);
        AUTO_SPAWN_RESULT SpawnResult made = CTL("policy", "new", "--from-report", report, "--out", policy);
        AUTO_SPAWN_RESULT SpawnResult allowed = {}, other = {}, older = {};
        AUTO_JSON json_object *o = NULL, *p = NULL;

        ck_assert_msg(made.status == 0, "%s", made.err);
        ck_assert_str_eq(made.out, "");
        allowed = check(NULL, NULL);
        ck_assert_msg(allowed.status == 0, "%s", allowed.out);
        ck_assert_ptr_null(strstr(allowed.out, "Note:"));
        r.measurement[0] ^= 1;
        write_report(&r);
        other = check("--json", NULL);
        o = ctl_json(&other);
        ck_assert_int_eq(other.status, 1);
        ck_assert_str_eq(ctl_str(o, "reason"), "measurement");
        r = sim_report_defaults(pki);
        r.launch.snp--;
        write_report(&r);
        older = check("--json", NULL);
        p = ctl_json(&older);
        ck_assert_str_eq(ctl_str(p, "reason"), "launch-tcb");
}
END_TEST

START_TEST(what_is_refused_by_default_is_told_in_the_file) {
        SimReport r = sim_report_defaults(pki);
        AUTO_SPAWN_RESULT SpawnResult plain = CTL("policy", "new", "--from-report", report), made = {};

        ck_assert_ptr_null(strstr(plain.out, "WARNING"));
        r.policy |= UINT64_C(7) << 18 | UINT64_C(1) << 21; /* MIGRATE_MA, DEBUG, SINGLE_SOCKET, CXL_ALLOW */
        r.committed.snp--;
        (void) memset(r.chip_id, 0, sizeof(r.chip_id));
        write_report(&r);
        made = CTL("policy", "new", "--from-report", report);
        ck_assert_int_eq(made.status, 0);
        ck_assert_ptr_nonnull(strstr(made.out, "\n# WARNING: This policy denies the guest of that report: it may be "
                                               "debugged by its host (Debug=).\n"));
        ck_assert(strstr(made.out, "(MigrationAgent=)") && strstr(made.out, "(Cxl=)"));
        ck_assert(strstr(made.out, "(MaskedChipId=)") && strstr(made.out, "(Provisional=)"));
        ck_assert(strstr(made.out, "\nDebug=forbid\n") && strstr(made.out, "\nSingleSocket=allow\n"));
}
END_TEST

START_TEST(a_version_2_report_needs_its_product_line) {
        SimReport r = sim_report_defaults(pki);
        AUTO_SPAWN_RESULT SpawnResult known = CTL("policy", "new", "--from-report", report, "--product", "Milan");
        AUTO_SPAWN_RESULT SpawnResult without = {}, with = {}, wrong = {}, nothing = {};

        ctl_expect_failure(&known, 2, "the report is of Genoa, not of Milan");
        r.version = 2;
        write_report(&r);
        without = CTL("policy", "new", "--from-report", report);
        ctl_expect_failure(&without, 2, "--product is needed");
        wrong = CTL("policy", "new", "--from-report", report, "--product", "Rome");
        ctl_expect_failure(&wrong, 2, "'Rome' is not Milan, Genoa or Turin");
        nothing = CTL("policy", "new", "--product", "Genoa");
        ctl_expect_failure(&nothing, 2, "--from-report");
        with = CTL("policy", "new", "--from-report", report, "--product", "Genoa", "--out", policy);
        ck_assert_msg(with.status == 0, "%s", with.err);
        with = (spawn_result_done(&with), check(NULL, NULL));
        ck_assert_msg(with.status == 0, "%s", with.out);
}
END_TEST

START_TEST(what_is_no_report_makes_no_policy) {
        AUTO_SPAWN_RESULT SpawnResult r = {}, missing = CTL("policy", "new", "--from-report", "/nonexistent");

        ctl_expect_failure(&missing, 3, "/nonexistent");
        write_file(report, "x", 1);
        r = CTL("policy", "new", "--from-report", report);
        ctl_expect_failure(&r, 3, "/report: Report has 1 bytes");
}
END_TEST

static void write_key(void) {
        EVP_PKEY *pair = forge_ec_key("P-384", false);
        FILE *f = fopen(key, "w");

        ck_assert_ptr_nonnull(f);
        ck_assert_int_eq(PEM_write_PUBKEY(f, pair), 1);
        ck_assert_int_eq(fclose(f), 0);
        EVP_PKEY_free(pair);
}

/* The digest that `snpctl idblock digest` tells is the one that the policy asks for. */
START_TEST(signers_of_id_blocks_are_named_by_their_keys) {
        SimReport r = sim_report_defaults(pki);
        AUTO_SPAWN_RESULT SpawnResult made = {}, digest = {}, denied = {}, allowed = {}, twice = {}, author = {};
        AUTO_JSON json_object *o = NULL;
        const char *hex;

        write_key();
        digest = CTL("idblock", "digest", "--key", key, "--json");
        made = CTL("policy", "new", "--id-key", key, "--out", policy);
        ck_assert_msg(made.status == 0, "%s", made.err);
        denied = check(NULL, NULL);
        ck_assert_msg(denied.status == 1 && strstr(denied.out, "Denied: id-block\n"), "%s", denied.out);
        o = ctl_json(&digest);
        hex = ctl_str(o, "digest");
        ck_assert_int_eq(hex_decode_exact(hex, strlen(hex), r.id_key_digest, sizeof(r.id_key_digest)), 0);
        write_report(&r);
        allowed = check(NULL, NULL);
        ck_assert_msg(allowed.status == 0, "%s", allowed.out);
        twice = CTL("policy", "new", "--id-key", key, "--id-key", key);
        ctl_expect_failure(&twice, 3, "given twice");
        author = CTL("policy", "new", "--author-key", key);
        ck_assert_ptr_nonnull(strstr(author.out, "\nTrustedAuthorKey="));
        ck_assert_ptr_nonnull(strstr(author.out, "\nRequireIdBlock=yes\n"));
}
END_TEST

int main(int argc, char **argv) {
        Suite *s = suite_create("snpctl-policy");
        TCase *c = tcase_create("policy");
        int r;

        if (argc != 2)
                return EXIT_FAILURE;
        ctl_set_program(argv[1]);
        pki = forge_pki(SIM_GENOA);
        tcase_add_checked_fixture(c, setup, teardown);
        tcase_add_test(c, a_report_is_allowed_or_denied_with_the_claim_that_decides);
        tcase_add_test(c, the_file_of_the_trust_root_is_the_root);
        tcase_add_test(c, people_see_a_table_and_what_to_do);
        tcase_add_test(c, every_claim_of_an_unverified_report_is_denied);
        tcase_add_test(c, other_report_data_than_expected_is_denied);
        tcase_add_test(c, masked_chips_and_providers_are_the_policys_to_accept);
        tcase_add_test(c, a_mistake_in_a_policy_is_told_with_its_place);
        tcase_add_test(c, without_its_files_a_report_cannot_be_judged);
        tcase_add_test(c, a_policy_is_explained_with_its_defaults);
        tcase_add_test(c, a_new_policy_is_the_default_one);
        tcase_add_test(c, a_policy_made_from_a_report_allows_that_one_and_no_other_software);
        tcase_add_test(c, what_is_refused_by_default_is_told_in_the_file);
        tcase_add_test(c, a_version_2_report_needs_its_product_line);
        tcase_add_test(c, what_is_no_report_makes_no_policy);
        tcase_add_test(c, signers_of_id_blocks_are_named_by_their_keys);
        suite_add_tcase(s, c);
        r = unit_run(s);
        sim_pki_free(pki);
        return r;
}
