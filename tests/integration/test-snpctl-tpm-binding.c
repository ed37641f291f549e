/* SPDX-License-Identifier: Apache-2.0 */

/* `snpctl tpm verify` with what binds a TPM: on Azure, under an SVSM, and where nothing does. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/writer.h"
#include "tests/integration/ctl.h"
#include "tests/unit/bundle/fixture.h"
#include "tests/unit/snp/forge.h"
#include "tests/unit/unit.h"
#include "vtpm/pcr-file.h"

#define AT "2025-06-20T00:00:00Z" /* days behind FORGE_NOW */

static SimPki *pki;
static SoftAk rsa, ecc;
static char dir[] = "/tmp/snp-test-tpm-binding.XXXXXX";
static const char *const names[] = { "quote.msg", "quote.sig", "quote.pcrs", "ak.pub", "report", "vek", "ask",
                                     "ark", "bound", "log" };

static const char *in_dir(const char *name) {
        static char paths[16][96];
        static unsigned n;
        char *path = paths[n++ % N_ELEMENTS(paths)];

        (void) snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
        return path;
}

static void store(const char *name, const void *data, size_t size) {
        ck_assert_int_eq(file_write_atomic(in_dir(name), data, size, 0600, NULL), 0);
}

static void setup(void) {
        ck_assert_ptr_nonnull(mkdtemp(dir));
        rsa = soft_ak_new(VTPM_ALG_RSASSA, VTPM_ALG_SHA256, 0);
        ecc = soft_ak_new(VTPM_ALG_ECDSA, VTPM_ALG_SHA256, VTPM_CURVE_NIST_P256);
}

static void teardown(void) {
        for (size_t i = 0; i < N_ELEMENTS(names); i++)
                (void) unlink(in_dir(names[i]));
        ck_assert_int_eq(rmdir(dir), 0);
        soft_ak_done(&rsa);
        soft_ak_done(&ecc);
}

/* The parts of a bundle as the files that snpctl tpm verify takes. */
static void store_parts(const Bundle *b) {
        AUTO_WRITER Writer w = wr_init(4096);
        AUTO_BLOB Blob pcrs = {};

        wr_be16(&w, (uint16_t) b->tpm.ak.size); /* TPM2B_PUBLIC */
        wr_bytes(&w, b->tpm.ak.data, b->tpm.ak.size);
        ck_assert_int_eq(vtpm_pcr_file_encode(b->tpm.pcrs, b->tpm.n_pcrs, &pcrs, NULL), 0);
        store("quote.msg", b->tpm.attest.data, b->tpm.attest.size);
        store("quote.sig", b->tpm.signature.data, b->tpm.signature.size);
        store("quote.pcrs", pcrs.data, pcrs.size);
        store("ak.pub", w.data, w.size);
        store("report", b->report.data, b->report.size);
        store("vek", b->vek.data, b->vek.size);
        store("ask", b->chain[0].data, b->chain[0].size);
        store("ark", b->chain[1].data, b->chain[1].size);
        store("log", b->tpm.event_log.data, b->tpm.event_log.size);
}

static SpawnResult verify(const Bundle *b, const char *const *more) {
        char nonce[2 * BUNDLE_NONCE_MAX + 1];
        const char *args[32] = { "tpm", "verify", "--json", "--in", dir, "--nonce", nonce, "--vek", in_dir("vek"),
                                 "--chain", in_dir("ask"), "--trust-root", in_dir("ark"), "--at", AT };
        size_t n = 15;

        hex_encode_to(b->nonce, b->nonce_size, nonce);
        for (size_t i = 0; more[i]; i++)
                args[n++] = more[i];
        return ctl_run(args);
}
#define VERIFY(b, ...) verify(b, (const char *const[]){ __VA_ARGS__, NULL })

static void must_be(const SpawnResult *r, const char *by, const char *why) {
        AUTO_JSON json_object *o = ctl_json(r);

        ck_assert_msg(r->status == 0, "%s%s", r->out, r->err);
        ck_assert_str_eq(ctl_str(o, "verdict"), "accept");
        ck_assert_str_eq(ctl_str(o, "binding.by"), by);
        ck_assert_msg(strstr(ctl_str(o, "binding.why"), why) != NULL, "%s", ctl_str(o, "binding.why"));
        if (strcmp(by, "none") != 0)
                ck_assert_str_eq(ctl_str(o, "binding.trust"), "TEST ROOT");
}

START_TEST(paravisor_binds_the_key_in_its_claims) {
        AUTO_BUNDLE Bundle b = fixture_azure(pki, &rsa), other = fixture_bundle(pki);
        AUTO_SPAWN_RESULT SpawnResult good = {}, foreign = {}, refused = {}, text = {};
        char nonce[2 * BUNDLE_NONCE_MAX + 1];

        store_parts(&b);
        store("bound", b.tpm.hcl_report.data, b.tpm.hcl_report.size);
        good = VERIFY(&b, "--hcl", in_dir("bound"), "--require-bound");
        must_be(&good, "azure-hcl", "REPORT_DATA");
        hex_encode_to(b.nonce, b.nonce_size, nonce);
        text = CTL("tpm", "verify", "--in", dir, "--nonce", nonce, "--hcl", in_dir("bound"), "--vek", in_dir("vek"),
                   "--chain", in_dir("ask"), "--trust-root", in_dir("ark"), "--at", AT);
        ck_assert_ptr_nonnull(strstr(text.out, "\nBound: yes, by a TEST ROOT: "));

        fixture_add_tpm(&other, &ecc); /* a quote by another key, beside the same paravisor's report */
        store_parts(&other);
        foreign = VERIFY(&other, "--hcl", in_dir("bound"));
        must_be(&foreign, "none", "key");
        refused = VERIFY(&other, "--hcl", in_dir("bound"), "--require-bound");
        ck_assert_int_eq(refused.status, 1);
        ck_assert_ptr_nonnull(strstr(refused.out, "\"verdict\":\"reject\",\"reason\":\"tpm-unbound\""));
} END_TEST

START_TEST(svsm_binds_the_key_in_its_manifest) {
        AUTO_BUNDLE Bundle b = fixture_svsm(pki, &ecc, 1), old = fixture_svsm(pki, &ecc, 0),
                           again = fixture_svsm(pki, &ecc, 1), other = fixture_bundle(pki);
        AUTO_SPAWN_RESULT SpawnResult good = {}, alone = {}, late = {}, foreign = {}, manifest = {}, usage = {};
        char zeros[2 * 64 + 1];

        store_parts(&b);
        store("bound", b.svsm_manifest.data, b.svsm_manifest.size);
        good = VERIFY(&b, "--svsm-manifest", in_dir("bound"), "--report", in_dir("report"), "--require-bound");
        must_be(&good, "svsm-ek", "manifest has this key");

        (void) memset(zeros, '0', sizeof(zeros) - 1);
        zeros[sizeof(zeros) - 1] = 0;
        late = VERIFY(&b, "--svsm-manifest", in_dir("bound"), "--report", in_dir("report"), "--svsm-nonce", zeros);
        must_be(&late, "none", "nonce");
        usage = VERIFY(&b, "--svsm-manifest", in_dir("bound"), "--report", in_dir("report"), "--svsm-nonce", "00");
        ck_assert_int_eq(usage.status, 2);

        b.svsm_manifest.data[b.svsm_manifest.size - 1] ^= 1;
        store("bound", b.svsm_manifest.data, b.svsm_manifest.size);
        manifest = VERIFY(&b, "--svsm-manifest", in_dir("bound"), "--report", in_dir("report"));
        must_be(&manifest, "none", "manifest");

        store_parts(&old);
        store("bound", old.svsm_manifest.data, old.svsm_manifest.size);
        alone = VERIFY(&old, "--svsm-manifest", in_dir("bound"), "--report", in_dir("report"));
        must_be(&alone, "none", "conversation");

        fixture_add_tpm(&other, &rsa); /* whose key is not in the manifest */
        store_parts(&other);
        store("report", again.report.data, again.report.size);
        store("bound", again.svsm_manifest.data, again.svsm_manifest.size);
        foreign = VERIFY(&other, "--svsm-manifest", in_dir("bound"), "--report", in_dir("report"));
        must_be(&foreign, "none", "other keys");
} END_TEST

/* What the log does not lead to is told, and the quote is as good as before. */
START_TEST(event_log_explains_what_it_leads_to) {
        AUTO_BUNDLE Bundle b = fixture_bundle(pki);
        AUTO_SPAWN_RESULT SpawnResult json = {}, text = {}, cut = {};
        AUTO_JSON json_object *o = NULL;
        char nonce[2 * BUNDLE_NONCE_MAX + 1];

        fixture_add_tpm(&b, &ecc);
        store_parts(&b);
        hex_encode_to(b.nonce, b.nonce_size, nonce);
        json = CTL("tpm", "verify", "--in", dir, "--nonce", nonce, "--event-log", in_dir("log"), "--json");
        ck_assert_msg(json.status == 0, "%s%s", json.out, json.err);
        o = ctl_json(&json);
        ck_assert_str_eq(ctl_str(o, "explained.sha256"), "0,1,2,3,4,5,6,7");
        text = CTL("tpm", "verify", "--in", dir, "--nonce", nonce, "--event-log", in_dir("log"));
        ck_assert_ptr_nonnull(strstr(text.out, "\nExplained by the event log: sha256:0,1,2,3,4,5,6,7\n"));
        store("log", b.tpm.event_log.data, b.tpm.event_log.size - 1);
        cut = CTL("tpm", "verify", "--in", dir, "--nonce", nonce, "--event-log", in_dir("log"));
        ctl_expect_failure(&cut, 3, in_dir("log"));
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("snpctl-tpm-binding");
        TCase *tc = tcase_create("binding");

        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_add_test(tc, paravisor_binds_the_key_in_its_claims);
        tcase_add_test(tc, svsm_binds_the_key_in_its_manifest);
        tcase_add_test(tc, event_log_explains_what_it_leads_to);
        suite_add_tcase(s, tc);
        return s;
}

int main(int argc, char **argv) {
        int r;

        if (argc != 2)
                return EXIT_FAILURE;
        ctl_set_program(argv[1]);
        pki = forge_pki(SIM_MILAN);
        r = unit_run(suite());
        sim_pki_free(pki);
        return r;
}
