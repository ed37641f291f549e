/* SPDX-License-Identifier: Apache-2.0 */

/* `snpctl tpm verify` on quotes of real machines, and the report of Azure's paravisor that binds one of them. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/json.h"
#include "tests/integration/ctl.h"
#include "tests/unit/unit.h"
#include "tests/unit/vtpm/recorded.h"
#include "vtpm/attest.h"
#include "vtpm/hcl-claims.h"
#include "vtpm/hcl.h"
#include "vtpm/pcr-file.h"

static char dir[] = "/tmp/snp-test-tpm-recorded.XXXXXX";
static const char *const names[] = { "quote.msg", "quote.sig", "quote.pcrs", "ak.pub", "vek", "ca", "hcl" };

static const char *in_dir(const char *name) {
        static char paths[8][128];
        static unsigned n;
        char *path = paths[n++ % N_ELEMENTS(paths)];

        (void) snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
        return path;
}

static void setup(void) {
        ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void teardown(void) {
        for (size_t i = 0; i < N_ELEMENTS(names); i++)
                (void) unlink(in_dir(names[i]));
        ck_assert_int_eq(rmdir(dir), 0);
}

static void store(const char *name, const void *data, size_t size) {
        ck_assert_int_eq(file_write_atomic(in_dir(name), data, size, 0600, NULL), 0);
}

/* Writes what tpm2_quote would have; its nonce in hex. */
static void store_quote(const char *file, char nonce[static 2 * VTPM_EXTRA_DATA_MAX + 1]) {
        AUTO_RECORDED_QUOTE RecordedQuote q = recorded_quote(file);
        AUTO_BLOB Blob pcrs = {};
        VtpmAttest a;

        ck_assert_int_eq(vtpm_attest_parse(q.attest.data, q.attest.size, &a, NULL), 0);
        hex_encode_to(a.extra, a.extra_size, nonce);
        ck_assert_int_eq(vtpm_pcr_file_encode(q.pcrs, q.n_pcrs, &pcrs, NULL), 0);
        store("quote.msg", q.attest.data, q.attest.size);
        store("quote.sig", q.signature.data, q.signature.size);
        store("quote.pcrs", pcrs.data, pcrs.size);
}

static void store_vector(const char *name, const char *file) {
        char path[128];
        AUTO_BLOB Blob b = {};

        (void) snprintf(path, sizeof(path), "vtpm/%s", file);
        b = vector_read(path);
        store(name, b.data, b.size);
}

static const struct {
        const char *quote, *key;
        int status;
} rows[] = {
        { "azure/quote-1.bincode", "azure/akpub-1.pem", 0 },
        { "azure/quote-2.json", "azure/akpub-1.pem", 1 }, /* of another machine */
        { "swtpm/q-rsassa-all24-n32.attest", "swtpm/ak-rsassa.tpm2b_public", 0 },
        { "swtpm/q-rsassa-all24-n32.attest", "swtpm/ak-rsassa.pem", 0 },
        { "swtpm/q-rsassa-all24-n32.attest", "swtpm/ak-ecdsa.pem", 1 },
        { "swtpm/q-rsassa-sub-n64.attest", "swtpm/ak-rsassa.tpm2b_public", 0 },
        { "swtpm/q-ecdsa-all24-n32.attest", "swtpm/ak-ecdsa.tpm2b_public", 0 },
        { "swtpm/q-ecdsa-2banks-n32.attest", "swtpm/ak-ecdsa.pem", 0 },
};

START_TEST(recorded_quotes_are_judged_as_the_manifest_says) {
        char nonce[2 * VTPM_EXTRA_DATA_MAX + 1];
        AUTO_SPAWN_RESULT SpawnResult r = {};

        store_quote(rows[_i].quote, nonce);
        store_vector("ak.pub", rows[_i].key);
        r = CTL("tpm", "verify", "--nonce", nonce, "--in", dir);
        ck_assert_msg(r.status == rows[_i].status, "%s: %d\n%s%s", rows[_i].quote, r.status, r.out, r.err);
        ck_assert_ptr_nonnull(strstr(r.out, "\nBound: no: "));
} END_TEST

/* The first certificate of a PEM file is the chip's, the others are its issuers. */
static void store_chain(const char *file) {
        static const char end[] = "-----END CERTIFICATE-----\n";
        AUTO_BLOB Blob b = vector_read(file);
        uint8_t *at = memmem(b.data, b.size, end, sizeof(end) - 1);

        ck_assert_ptr_nonnull(at);
        at += sizeof(end) - 1;
        store("vek", b.data, (size_t) (at - b.data));
        store("ca", at, b.size - (size_t) (at - b.data));
}

/* The key that the claims name, which is the one that quoted. */
static void store_claims_key(const Blob *file) {
        AUTO_BLOB Blob public = {};
        VtpmHclClaims claims;
        VtpmHcl hcl;

        ck_assert_int_eq(vtpm_hcl_parse(file->data, file->size, &hcl, NULL), 0);
        ck_assert_int_eq(vtpm_hcl_claims_parse(hcl.claims, hcl.claims_size, &claims, NULL), 0);
        ck_assert_int_eq(vtpm_hcl_claims_ak(&claims, &public), 0);
        store("ak.pub", public.data, public.size);
}

static SpawnResult verify_bound(const char *nonce, const char *at) {
        return CTL("tpm", "verify", "--nonce", nonce, "--in", dir, "--hcl", in_dir("hcl"), "--vek", in_dir("vek"),
                   "--chain", in_dir("ca"), "--at", at, "--require-bound", "--json");
}

static void must_be(const SpawnResult *r, int status, bool want_bound, const char *why) {
        AUTO_JSON json_object *o = ctl_json(r);
        json_object *binding = NULL;
        bool bound;

        ck_assert_msg(r->status == status, "%d: %s", r->status, r->out);
        ck_assert_str_eq(ctl_str(o, "verdict"), want_bound ? "accept" : "reject");
        ck_assert_str_eq(ctl_str(o, "checks.signature"), "ok"); /* the quote is good in any case */
        ck_assert_int_eq(json_get_obj(o, "binding", &binding, NULL), 0);
        ck_assert_int_eq(json_get_bool(binding, "bound", &bound, NULL), 0);
        ck_assert(bound == want_bound);
        ck_assert_str_eq(ctl_str(o, "binding.by"), want_bound ? "azure-hcl" : "none");
        ck_assert_msg(strstr(ctl_str(o, "binding.why"), why) != NULL, "%s", ctl_str(o, "binding.why"));
}

#define WHEN "2025-06-01T00:00:00Z"

START_TEST(azure_quote_is_bound_by_the_paravisors_report) {
        AUTO_BLOB Blob hcl = vector_read("vtpm/azure/hcl-snp-2600.bin"), tdx = {}, other = {};
        AUTO_SPAWN_RESULT SpawnResult good = {}, late = {}, claims = {}, report = {}, of_tdx = {}, of_other = {};
        char nonce[2 * VTPM_EXTRA_DATA_MAX + 1];

        store_quote("azure/quote-2.json", nonce);
        store_claims_key(&hcl);
        store_chain("vtpm/azure/vcek-2.pem");
        store("hcl", hcl.data, hcl.size);
        good = verify_bound(nonce, WHEN);
        must_be(&good, 0, true, "whose digest is in REPORT_DATA");
        late = verify_bound(nonce, "2031-01-01T00:00:00Z");
        must_be(&late, 1, false, "does not hold");

        hcl.data[VTPM_HCL_CLAIMS_OFFSET + 3] ^= 1;
        store("hcl", hcl.data, hcl.size);
        claims = verify_bound(nonce, WHEN);
        must_be(&claims, 1, false, "REPORT_DATA is not the sha256");
        hcl.data[VTPM_HCL_CLAIMS_OFFSET + 3] ^= 1;
        hcl.data[VTPM_HCL_REPORT_OFFSET + 0x50] ^= 1; /* REPORT_DATA, which is signed */
        store("hcl", hcl.data, hcl.size);
        report = verify_bound(nonce, WHEN);
        must_be(&report, 1, false, "does not hold");

        tdx = vector_read("vtpm/azure/hcl-tdx-2600.bin");
        store("hcl", tdx.data, tdx.size);
        of_tdx = verify_bound(nonce, WHEN);
        must_be(&of_tdx, 1, false, "");
        other = vector_read("vtpm/azure/hcl-snp-2048.bin"); /* of another machine */
        store("hcl", other.data, other.size);
        of_other = verify_bound(nonce, WHEN);
        must_be(&of_other, 1, false, "does not hold");
} END_TEST

START_TEST(another_key_is_not_bound_by_a_good_report) {
        char nonce[2 * VTPM_EXTRA_DATA_MAX + 1];
        AUTO_SPAWN_RESULT SpawnResult r = {};

        store_quote("swtpm/q-rsassa-all24-n32.attest", nonce);
        store_vector("ak.pub", "swtpm/ak-rsassa.tpm2b_public");
        store_vector("hcl", "azure/hcl-snp-2600.bin");
        store_chain("vtpm/azure/vcek-2.pem");
        r = verify_bound(nonce, WHEN);
        must_be(&r, 1, false, "key");
} END_TEST

static const struct {
        const char *args[4];
        const char *says;
} usages[] = {
        { { "--hcl", "a", "--svsm-manifest", "b" }, "different platforms" },
        { { "--hcl", "a", "--report", "b" }, "--report" },
        { { "--svsm-manifest", "a" }, "needs --report" },
        { { "--svsm-nonce", "00" }, "--svsm-manifest" },
        { { "--report", "a" }, "does not bind" },
        { { "--vek", "a" }, "does not bind" },
};

START_TEST(options_that_make_no_sense_are_refused) {
        char nonce[2 * VTPM_EXTRA_DATA_MAX + 1];
        const char *args[16] = { "tpm", "verify", "--in", dir, "--nonce", nonce };
        AUTO_SPAWN_RESULT SpawnResult r = {};

        store_quote("swtpm/q-rsassa-all24-n32.attest", nonce);
        store_vector("ak.pub", "swtpm/ak-rsassa.tpm2b_public");
        for (size_t i = 0; i < N_ELEMENTS(usages[_i].args) && usages[_i].args[i]; i++)
                args[6 + i] = usages[_i].args[i];
        r = ctl_run(args);
        ctl_expect_failure(&r, 2, usages[_i].says);
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("snpctl-tpm-recorded");
        TCase *tc = tcase_create("recorded");

        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_add_loop_test(tc, recorded_quotes_are_judged_as_the_manifest_says, 0, N_ELEMENTS(rows));
        tcase_add_test(tc, azure_quote_is_bound_by_the_paravisors_report);
        tcase_add_test(tc, another_key_is_not_bound_by_a_good_report);
        tcase_add_loop_test(tc, options_that_make_no_sense_are_refused, 0, N_ELEMENTS(usages));
        suite_add_tcase(s, tc);
        return s;
}

int main(int argc, char **argv) {
        if (argc != 2)
                return EXIT_FAILURE;
        if (!vectors_dir())
                return unit_skip("no recorded vectors ($SNP_TEST_VECTORS)");
        ctl_set_program(argv[1]);
        return unit_run(suite());
}
