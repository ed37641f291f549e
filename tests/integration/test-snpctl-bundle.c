/* SPDX-License-Identifier: Apache-2.0 */

/* `snpctl bundle`: create from files, from the simulated platform and from a TPM; verify as somebody elsewhere would. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/writer.h"
#include "tests/integration/ctl.h"
#include "tests/integration/swtpm.h"
#include "tests/simulator/harness.h"
#include "tests/unit/bundle/fixture.h"
#include "tests/unit/snp/forge.h"
#include "tests/unit/unit.h"
#include "vtpm/pcr-file.h"

#define AT "2025-06-20T00:00:00Z" /* days behind FORGE_NOW */
#define PATH_BYTES 64
#define SKIPPED 77

static SimPki *pki;
static SoftAk rsa, ecc;
static char dir[] = "/tmp/snp-test-bundle.XXXXXX";

enum { REPORT, VEK, ASK, ARK, CHAIN, CRL, POLICY, BUNDLE, QUOTE, N_FILES };
static const char *const names[N_FILES] = { "report", "vek", "ask", "ark", "chain", "crl", "policy", "bundle", "quote" };
static char paths[N_FILES][PATH_BYTES];

static void write_file(int which, const void *data, size_t size) {
        Error e = {};

        ck_assert_msg(file_write_atomic(paths[which], data, size, 0600, &e) == 0, "%s", e.text);
}

static void write_blob(int which, const Blob *b) {
        write_file(which, b->data, b->size);
}

static void write_bundle(const Bundle *b) {
        AUTO_BLOB Blob text = {};

        ck_assert_int_eq(bundle_encode(b, &text, NULL), 0);
        write_blob(BUNDLE, &text);
}

static void setup(void) {
        AUTO_BLOB Blob chain = {};

        ck_assert_ptr_nonnull(mkdtemp(dir));
        for (int i = 0; i < N_FILES; i++)
                (void) snprintf(paths[i], PATH_BYTES, "%s/%s", dir, names[i]);
        rsa = soft_ak_new(VTPM_ALG_RSASSA, VTPM_ALG_SHA256, 0);
        ecc = soft_ak_new(VTPM_ALG_ECDSA, VTPM_ALG_SHA256, VTPM_CURVE_NIST_P256);
        ck_assert_int_eq(sim_pki_chain_pem(pki, SIM_VCEK, &chain, NULL), 0);
        write_blob(CHAIN, &chain);
}

static void teardown(void) {
        static const char *const quote[] = { "quote.msg", "quote.sig", "quote.pcrs", "ak.pub", "ak.pem" };

        for (size_t i = 0; i < N_ELEMENTS(quote); i++) {
                char path[2 * PATH_BYTES];

                (void) snprintf(path, sizeof(path), "%s/%s", paths[QUOTE], quote[i]);
                (void) unlink(path);
        }
        (void) rmdir(paths[QUOTE]);
        for (int i = 0; i < N_FILES; i++)
                (void) unlink(paths[i]);
        ck_assert_int_eq(rmdir(dir), 0);
        soft_ak_done(&rsa);
        soft_ak_done(&ecc);
}

/* The parts of a bundle as files of their own. */
static void write_parts(const Bundle *b) {
        write_blob(REPORT, &b->report);
        write_blob(VEK, &b->vek);
        write_blob(ASK, &b->chain[0]);
        write_blob(ARK, &b->chain[1]);
        write_blob(CRL, &b->crls[0]);
}

static SpawnResult verify(const char *const *more) {
        const char *args[24] = { "bundle", "verify", "--json", paths[BUNDLE], "--trust-root", paths[ARK] };
        size_t n = 6;

        for (size_t i = 0; more && more[i]; i++)
                args[n++] = more[i];
        return ctl_run(args);
}
#define VERIFY(...) verify((const char *const[]){ __VA_ARGS__ __VA_OPT__(, ) NULL })

static json_object *part(json_object *o, const char *name) {
        json_object *parts = json_object_object_get(o, "parts");

        for (size_t i = 0; i < json_object_array_length(parts); i++) {
                json_object *p = json_object_array_get_idx(parts, i);

                if (strcmp(ctl_str(p, "part"), name) == 0)
                        return p;
        }
        ck_abort_msg("there is no part %s", name);
        return NULL;
}

/* @reason: of the rejection, NULL for none. */
static json_object *expect(const SpawnResult *r, const char *reason) {
        json_object *o = ctl_json(r);

        ck_assert_msg(r->status == (reason ? 1 : 0), "%s%s", r->out, r->err);
        ck_assert_str_eq(ctl_str(o, "verdict"), reason ? "reject" : "accept");
        ck_assert_str_eq(ctl_str(o, "trust"), "TEST ROOT");
        if (reason)
                ck_assert_str_eq(ctl_str(o, "reason"), reason);
        return o;
}

START_TEST(files_of_an_earlier_capture_become_a_bundle) {
        AUTO_BUNDLE Bundle b = fixture_bundle(pki), again = {};
        AUTO_FREE char *nonce = base64_encode(BASE64_URL, b.nonce, b.nonce_size);
        AUTO_SPAWN_RESULT SpawnResult made = {}, json = {}, ok = {}, other = {}, late = {}, none = {};
        AUTO_JSON json_object *o = NULL, *p = NULL, *q = NULL, *made_json = NULL;
        AUTO_BLOB Blob file = {};

        write_parts(&b);
        made = CTL("bundle", "create", paths[BUNDLE], "--report", paths[REPORT], "--vek", paths[VEK], "--chain",
                   paths[CHAIN], "--chain", paths[ASK], "--crl", paths[CRL]);
        ck_assert_msg(made.status == 0, "%s%s", made.out, made.err);
        ck_assert_ptr_nonnull(strstr(made.out, nonce));
        ck_assert_ptr_nonnull(strstr(made.out, "report, 2 chain certificates, 1 revocation lists"));
        ck_assert_int_eq(file_read(paths[BUNDLE], BUNDLE_SIZE_MAX, &file, NULL), 0);
        ck_assert_int_eq(bundle_parse(file.data, file.size, &again, NULL), 0);
        ck_assert(blob_equal(&again.report, &b.report) && blob_equal(&again.vek, &b.vek));
        ck_assert(again.nonce_size == b.nonce_size && memcmp(again.nonce, b.nonce, b.nonce_size) == 0);
        json = CTL("bundle", "create", paths[BUNDLE], "--json", "--report", paths[REPORT], "--vek", paths[VEK],
                   "--chain", paths[CHAIN], "--nonce", nonce);
        made_json = ctl_json(&json);
        ck_assert_str_eq(ctl_str(made_json, "nonce"), nonce);
        ok = VERIFY("--at", AT, "--nonce", nonce);
        o = expect(&ok, NULL);
        ck_assert_str_eq(ctl_str(part(o, "nonce"), "result"), "ok");
        ck_assert_str_eq(ctl_str(part(o, "quote"), "result"), "absent");
        other = VERIFY("--at", AT, "--data", "00");
        p = expect(&other, "nonce-mismatch");
        late = VERIFY("--at", "2040-01-01T00:00:00Z");
        q = expect(&late, "cert-expired");
        none = CTL("bundle", "verify", paths[BUNDLE], "--at", AT);
        ck_assert_int_eq(none.status, 1); /* AMD's root is another */
        ck_assert_int_eq(strncmp(none.out, "REJECT: The ARK of Milan that was supplied is not AMD's\n", 56), 0);
}
END_TEST

START_TEST(people_see_every_part) {
        AUTO_BUNDLE Bundle b = fixture_bundle(pki);
        AUTO_SPAWN_RESULT SpawnResult r = {};

        fixture_add_tpm(&b, &rsa);
        write_parts(&b);
        write_bundle(&b);
        r = CTL("bundle", "verify", paths[BUNDLE], "--at", AT, "--trust-root", paths[ARK]);
        ck_assert_msg(r.status == 0, "%s%s", r.out, r.err);
        ck_assert_int_eq(strncmp(r.out, "ACCEPT\nTrust: TEST ROOT (given by --trust-root", 45), 0);
        ck_assert_ptr_nonnull(strstr(r.out, "The guest says that it made this at 2025-06-15T"));
        ck_assert_ptr_nonnull(strstr(r.out, "\nTPM: bound: no, Secure Boot: on\n"));
        ck_assert_ptr_nonnull(strstr(r.out, "\nbinding     unproven "));
        ck_assert_ptr_nonnull(strstr(r.out, "the host's word"));
        ck_assert_ptr_nonnull(strstr(r.out, "\nNote: Nobody asked which software the guest runs: name"));
}
END_TEST

START_TEST(a_policy_decides) {
        AUTO_BUNDLE Bundle b = fixture_bundle(pki), azure = fixture_azure(pki, &rsa);
        AUTO_SPAWN_RESULT SpawnResult unbound = {}, bound = {}, text = {}, alone = {};
        AUTO_JSON json_object *o = NULL, *p = NULL;
        static const char policy[] = "[TPM]\nSecureBoot=require\n";

        fixture_add_tpm(&b, &ecc);
        write_parts(&b);
        write_bundle(&b);
        write_file(POLICY, policy, strlen(policy));
        unbound = VERIFY("--at", AT, "--policy", paths[POLICY]);
        o = expect(&unbound, "tpm-bound");
        ck_assert(!json_object_get_boolean(json_object_object_get(o, "bound")));
        ck_assert_uint_gt(json_object_array_length(json_object_object_get(o, "claims")), 45);
        text = CTL("bundle", "verify", paths[BUNDLE], "--at", AT, "--policy", paths[POLICY], "--trust-root",
                   paths[ARK]);
        ck_assert_int_eq(text.status, 1);
        ck_assert_ptr_nonnull(strstr(text.out, "\nDenied: tpm-bound\n  wanted  a TPM that the report vouches for\n"));
        write_bundle(&azure);
        bound = VERIFY("--at", AT, "--policy", paths[POLICY]);
        p = expect(&bound, NULL);
        ck_assert(json_object_get_boolean(json_object_object_get(p, "bound")));
        ck_assert_str_eq(ctl_str(p, "secure_boot"), "on");
        /* A report alone has no quote beside it. */
        alone = CTL("policy", "check", "--policy", paths[POLICY], "--report", paths[REPORT], "--vek", paths[VEK],
                    "--chain", paths[CHAIN], "--at", AT, "--trust-root", paths[ARK]);
        ck_assert_int_eq(alone.status, 1);
        ck_assert_int_eq(strncmp(alone.out, "DENY: The policy denies tpm-quote", 33), 0);
}
END_TEST

START_TEST(policies_are_explained_with_their_tpm_section) {
        AUTO_SPAWN_RESULT SpawnResult explained = CTL("policy", "explain", "/dev/null"), made = {}, again = {};

        ck_assert_int_eq(explained.status, 0);
        ck_assert_ptr_nonnull(strstr(explained.out, "\n[TPM]\n  RequireQuote"));
        made = CTL("policy", "new", "--out", paths[POLICY]);
        ck_assert_int_eq(made.status, 0);
        again = CTL("policy", "explain", paths[POLICY]);
        ck_assert_int_eq(again.status, 0);
        ck_assert_str_eq(again.out, explained.out);
}
END_TEST

START_TEST(what_is_no_bundle_is_told) {
        static const char text[] = "{\"format\":\"snp-agent-evidence\",\"version\":7}";
        AUTO_SPAWN_RESULT SpawnResult version = {}, missing = {}, usage = {};

        write_file(BUNDLE, text, strlen(text));
        version = CTL("bundle", "verify", paths[BUNDLE]);
        ctl_expect_failure(&version, 3, "bundle: Evidence bundles of version 7 are not known");
        missing = CTL("bundle", "verify", "/nonexistent");
        ctl_expect_failure(&missing, 3, "/nonexistent");
        usage = CTL("bundle", "verify");
        ck_assert_int_eq(usage.status, 2);
}
END_TEST

static const struct {
        const char *args[8], *says;
} mistakes[] = {
        { { "--report", "r", "--hcl-report", "h" }, "one too many" },
        { { "--report", "r", "--vmpl", "1" }, "exclude what is about asking the platform" },
        { { "--tpm", "--quote", "d" }, "--tpm and --quote exclude each other" },
        { { "--report", "r", "--pcrs", "sha256:0" }, "are about --tpm" },
        { { "--report", "r", "--event-log", "l" }, "need --tpm or --quote" },
        { { "--svsm-manifest", "m" }, "needs the --report" },
        { { "--nonce", "AQ", "--data", "01" }, "exclude each other" },
        { { "--nonce", "A" }, "--nonce must be 1 to 64 bytes" },
        { { "--data", "" }, "--data must be 1 to 64 bytes" },
        { { "--vmpl", "4" }, "is not 0, 1, 2 or 3" },
        { { "--quote", "d" }, "give --nonce or --data" },
        { { "--report", "r", "--svsm-manifest", "m", "--svsm-manifest-version", "2" }, "is not 0 or 1" },
};

START_TEST(command_lines_that_make_no_sense_are_refused) {
        const char *args[16] = { "bundle", "create", paths[BUNDLE] };
        AUTO_SPAWN_RESULT SpawnResult r = {};

        for (size_t i = 0; mistakes[_i].args[i]; i++)
                args[3 + i] = mistakes[_i].args[i];
        r = ctl_run(args);
        ctl_expect_failure(&r, 2, mistakes[_i].says);
        ck_assert_int_eq(access(paths[BUNDLE], F_OK), -1);
}
END_TEST

START_TEST(parts_that_do_not_fit_make_no_bundle) {
        AUTO_BUNDLE Bundle b = fixture_bundle(pki);
        AUTO_SPAWN_RESULT SpawnResult nonce = {}, vek = {}, cert = {};

        write_parts(&b);
        nonce = CTL("bundle", "create", paths[BUNDLE], "--report", paths[REPORT], "--vek", paths[VEK], "--data", "00");
        ctl_expect_failure(&nonce, 1, "does not follow from the nonce");
        vek = CTL("bundle", "create", paths[BUNDLE], "--report", paths[REPORT], "--chain", paths[CHAIN]);
        ctl_expect_failure(&vek, 3, "There is no VCEK or VLEK certificate");
        cert = CTL("bundle", "create", paths[BUNDLE], "--report", paths[REPORT], "--vek", "/dev/null");
        ctl_expect_failure(&cert, 3, "neither DER nor PEM");
        ck_assert_int_eq(access(paths[BUNDLE], F_OK), -1);
}
END_TEST

/* The files of `snpctl tpm quote --out` and of tpm2_quote(1). */
static void write_quote(const Bundle *b) {
        char path[2 * PATH_BYTES];
        AUTO_WRITER Writer w = wr_init(4096);
        AUTO_BLOB Blob pcrs = {};
        const struct {
                const char *name;
                const void *data;
                size_t size;
        } *f;

        wr_be16(&w, (uint16_t) b->tpm.ak.size); /* TPM2B_PUBLIC */
        wr_bytes(&w, b->tpm.ak.data, b->tpm.ak.size);
        ck_assert_int_eq(vtpm_pcr_file_encode(b->tpm.pcrs, b->tpm.n_pcrs, &pcrs, NULL), 0);
        {
                const __typeof__(*f) files[] = { { "quote.msg", b->tpm.attest.data, b->tpm.attest.size },
                                                 { "quote.sig", b->tpm.signature.data, b->tpm.signature.size },
                                                 { "quote.pcrs", pcrs.data, pcrs.size },
                                                 { "ak.pub", w.data, w.size } };

                ck_assert_int_eq(mkdir(paths[QUOTE], 0700), 0);
                for (f = files; f < files + N_ELEMENTS(files); f++) {
                        (void) snprintf(path, sizeof(path), "%s/%s", paths[QUOTE], f->name);
                        ck_assert_int_eq(file_write_atomic(path, f->data, f->size, 0600, NULL), 0);
                }
        }
}

START_TEST(azures_report_comes_out_of_its_hcl_report) {
        AUTO_BUNDLE Bundle b = fixture_azure(pki, &rsa);
        AUTO_FREE char *nonce = base64_encode(BASE64_URL, b.nonce, b.nonce_size);
        AUTO_SPAWN_RESULT SpawnResult made = {}, r = {};
        AUTO_JSON json_object *o = NULL;

        write_parts(&b);
        write_quote(&b);
        write_blob(REPORT, &b.tpm.hcl_report);
        write_blob(POLICY, &b.tpm.event_log);
        made = CTL("bundle", "create", paths[BUNDLE], "--hcl-report", paths[REPORT], "--quote", paths[QUOTE], "--nonce",
                   nonce, "--vek", paths[VEK], "--chain", paths[CHAIN], "--event-log", paths[POLICY], "--ak-cert",
                   paths[ASK]);
        ck_assert_msg(made.status == 0, "%s%s", made.out, made.err);
        ck_assert_ptr_nonnull(strstr(made.out, "report, quote, event log, 2 chain certificates"));
        r = VERIFY("--at", AT, "--nonce", nonce, "--crl", "off");
        o = expect(&r, NULL);
        ck_assert_str_eq(ctl_str(o, "report_data_rule"), "hcl-claims");
        ck_assert_str_eq(ctl_str(part(o, "binding"), "result"), "ok");
        ck_assert_str_eq(ctl_str(part(o, "event-log"), "result"), "ok");
        ck_assert_str_eq(ctl_str(part(o, "revocation"), "result"), "not-asked");
}
END_TEST

START_TEST(an_svsms_manifest_goes_with_its_report) {
        AUTO_BUNDLE Bundle b = fixture_svsm(pki, &ecc, 1);
        AUTO_FREE char *nonce = base64_encode(BASE64_URL, b.nonce, b.nonce_size);
        AUTO_SPAWN_RESULT SpawnResult none = {}, made = {}, r = {};
        AUTO_JSON json_object *o = NULL;

        write_parts(&b);
        write_quote(&b);
        write_blob(POLICY, &b.svsm_manifest);
        none = CTL("bundle", "create", paths[BUNDLE], "--report", paths[REPORT], "--svsm-manifest", paths[POLICY],
                   "--vek", paths[VEK]);
        ctl_expect_failure(&none, 2, "does not tell the nonce");
        made = CTL("bundle", "create", paths[BUNDLE], "--report", paths[REPORT], "--svsm-manifest", paths[POLICY],
                   "--svsm-manifest-version", "1", "--quote", paths[QUOTE], "--nonce", nonce, "--vek", paths[VEK],
                   "--chain", paths[CHAIN]);
        ck_assert_msg(made.status == 0, "%s%s", made.out, made.err);
        r = VERIFY("--at", AT, "--crl", "soft");
        o = expect(&r, NULL);
        ck_assert_str_eq(ctl_str(o, "report_data_rule"), "svsm-manifest");
        ck_assert(json_object_get_boolean(json_object_object_get(o, "bound")));
}
END_TEST

START_TEST(options_that_make_no_sense_are_refused) {
        static const struct {
                const char *name, *value, *says;
        } wrong[] = { { "--crl", "perhaps", "is not hard, soft or off" }, { "--at", "yesterday", "is neither RFC 3339" },
                      { "--nonce", "", "--nonce must be 1 to 64 bytes" }, { "--data", "0", "--data must be" } };
        AUTO_SPAWN_RESULT SpawnResult r = CTL("bundle", "verify", paths[BUNDLE], wrong[_i].name, wrong[_i].value);

        ctl_expect_failure(&r, 2, wrong[_i].says);
}
END_TEST

/* The schema that people are given says of our files what our parser says. */
START_TEST(what_is_written_is_as_the_schema_says) {
        Bundle all[] = { fixture_bundle(pki), fixture_azure(pki, &rsa), fixture_svsm(pki, &ecc, 1) };
        char program[512], schema[512], bad[512];
        AUTO_SPAWN_RESULT SpawnResult invalid = {};
        const char *source = getenv("SNP_TEST_SOURCE");

        ck_assert_ptr_nonnull(source);
        (void) snprintf(program, sizeof(program), "%s/tests/integration/validate-json", source);
        (void) snprintf(schema, sizeof(schema), "%s/docs/evidence-bundle.schema.json", source);
        (void) snprintf(bad, sizeof(bad), "%s/tests/fuzz/corpus/bundle/unknown-member", source);
        for (size_t i = 0; i < N_ELEMENTS(all); i++) {
                const Spawn spawn = { .argv = { program, schema, paths[BUNDLE] } };
                AUTO_SPAWN_RESULT SpawnResult r = {};

                write_bundle(&all[i]);
                r = spawn_run(&spawn);
                if (r.status != SKIPPED) /* no validator: main() has said so */
                        ck_assert_msg(r.status == 0, "%s%s", r.out, r.err);
                bundle_done(&all[i]);
        }
        invalid = spawn_run(&(Spawn){ .argv = { program, schema, bad } });
        ck_assert_msg(invalid.status == 1 || invalid.status == SKIPPED, "%s%s", invalid.out, invalid.err);
}
END_TEST

/* From the platform */

START_TEST(a_machine_is_captured_in_one_go) {
        static const char policy[] = "[TPM]\nRequireQuote=yes\nRequireBound=no\n";
        char ark[SIM_PATH_MAX + 16];
        SimTsmRun run;
        Swtpm tpm;
        Error e = {};
        AUTO_SPAWN_RESULT SpawnResult made = {}, r = {}, denied = {}, quoted = {}, joined = {};
        AUTO_JSON json_object *o = NULL, *p = NULL, *q = NULL;

        if (sim_tsm_unusable() || !swtpm_available())
                return; /* main() has said so */
        ck_assert_msg(sim_tsm_start(SIM_MILAN, NULL, &run, &e) == 0, "%s", e.text);
        ck_assert_int_eq(swtpm_start(NULL, &tpm), 0);
        (void) snprintf(ark, sizeof(ark), "%s/ark.pem", run.pki);
        made = CTL("bundle", "create", paths[BUNDLE], "--tsm-path", run.mountpoint, "--tpm", "--tcti", tpm.tcti,
                   "--ak", "ecdsa-p256", "--pcrs", "sha256:0,1,7", "--nonce", "AQIDBA");
        ck_assert_msg(made.status == 0, "%s%s", made.out, made.err);
        write_file(POLICY, policy, strlen(policy));
        r = CTL("bundle", "verify", "--json", paths[BUNDLE], "--trust-root", ark, "--nonce", "AQIDBA", "--policy",
                paths[POLICY]);
        o = expect(&r, NULL);
        ck_assert_str_eq(ctl_str(o, "nonce"), "01020304");
        ck_assert_str_eq(ctl_str(part(o, "quote"), "result"), "ok");
        ck_assert_str_eq(ctl_str(part(o, "binding"), "reason"), "tpm-unbound");
        write_file(POLICY, "[TPM]\nRequireQuote=yes\n", 23);
        denied = CTL("bundle", "verify", "--json", paths[BUNDLE], "--trust-root", ark, "--policy", paths[POLICY]);
        p = expect(&denied, "tpm-bound");
        /* The same from the files of a quote that was made before. */
        quoted = CTL("tpm", "quote", "--tcti", tpm.tcti, "--nonce", "0102", "--out", paths[QUOTE]);
        ck_assert_msg(quoted.status == 0, "%s%s", quoted.out, quoted.err);
        spawn_result_done(&made);
        made = CTL("bundle", "create", paths[BUNDLE], "--tsm-path", run.mountpoint, "--quote", paths[QUOTE], "--data",
                   "0102");
        ck_assert_msg(made.status == 0, "%s%s", made.out, made.err);
        joined = CTL("bundle", "verify", "--json", paths[BUNDLE], "--trust-root", ark, "--data", "0102");
        q = expect(&joined, NULL);
        ck_assert_str_eq(ctl_str(part(q, "pcrs"), "result"), "ok");
        spawn_result_done(&made);
        made = CTL("bundle", "create", paths[BUNDLE], "--tsm-path", run.mountpoint, "--quote", paths[QUOTE], "--data",
                   "0103");
        ctl_expect_failure(&made, 1, "The quote is over another nonce");
        swtpm_stop(&tpm);
        ck_assert_int_eq(sim_tsm_stop(&run), 0);
}
END_TEST

static TCase *bundle_case(void) {
        TCase *c = tcase_create("bundle");

        tcase_add_checked_fixture(c, setup, teardown);
        tcase_add_test(c, files_of_an_earlier_capture_become_a_bundle);
        tcase_add_test(c, people_see_every_part);
        tcase_add_test(c, a_policy_decides);
        tcase_add_test(c, policies_are_explained_with_their_tpm_section);
        tcase_add_test(c, what_is_no_bundle_is_told);
        tcase_add_loop_test(c, command_lines_that_make_no_sense_are_refused, 0, N_ELEMENTS(mistakes));
        tcase_add_test(c, parts_that_do_not_fit_make_no_bundle);
        tcase_add_test(c, azures_report_comes_out_of_its_hcl_report);
        tcase_add_test(c, an_svsms_manifest_goes_with_its_report);
        tcase_add_loop_test(c, options_that_make_no_sense_are_refused, 0, 4);
        tcase_add_test(c, what_is_written_is_as_the_schema_says);
        tcase_add_test(c, a_machine_is_captured_in_one_go);
        return c;
}

int main(int argc, char **argv) {
        Suite *s = suite_create("snpctl-bundle");
        int status;

        (void) argc;
        ctl_set_program(argv[1]);
        if (sim_tsm_unusable() || !swtpm_available())
                (void) printf("# SKIP a_machine_is_captured_in_one_go: no FUSE or no swtpm\n");
        pki = forge_pki(SIM_MILAN);
        suite_add_tcase(s, bundle_case());
        status = unit_run(s);
        sim_pki_free(pki);
        return status;
}
