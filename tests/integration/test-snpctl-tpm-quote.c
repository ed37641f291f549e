/* SPDX-License-Identifier: Apache-2.0 */

/* The verbs of snpctl that speak to a TPM (swtpm), beside tpm2-tools: what one writes the other reads. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/json.h"
#include "tests/integration/ctl.h"
#include "tests/integration/swtpm.h"
#include "tests/unit/unit.h"
#include "vtpm/alg.h"
#include "vtpm/signature.h"

#define NONCE "00112233445566778899aabbccddeeff"

static Swtpm tpm; /* one for the whole suite; each test runs in a process of its own, one after the other */

/* A file in the TPM's private directory. */
static const char *in_dir(const char *name) {
        static char paths[8][128];
        static unsigned n;
        char *path = paths[n++ % N_ELEMENTS(paths)];

        (void) snprintf(path, sizeof(paths[0]), "%s/%s", tpm.dir, name);
        return path;
}

/* A line for the shell, in that directory; what it prints. */
static SpawnResult tools(const char *line) {
        char cd[512], env[160];
        Spawn s = { .argv = { "sh", "-c", cd }, .env = { env } };

        ck_assert_int_lt(snprintf(cd, sizeof(cd), "cd %s && %s", tpm.dir, line), (int) sizeof(cd));
        (void) snprintf(env, sizeof(env), "TPM2TOOLS_TCTI=%s", tpm.tcti);
        return spawn_run(&s);
}

static void run_tools(const char *line) {
        AUTO_SPAWN_RESULT SpawnResult r = tools(line);

        ck_assert_msg(r.status == 0, "%s: %d\n%s%s", line, r.status, r.out, r.err);
}

static void must_end(const SpawnResult *r, int status) {
        ck_assert_msg(r->status == status, "ended with %d:\n%s%s", r->status, r->out, r->err);
}

static void expect_has(const SpawnResult *r, const char *text) {
        ck_assert_msg(strstr(r->out, text) != NULL, "'%s' is not in:\n%s", text, r->out);
}

/* ---- what is in the TPM ---- */

/* "  sha256:" and lines "    0 : 0xAB..." below it. */
START_TEST(pcrs_are_those_of_tpm2_pcrread) {
        AUTO_SPAWN_RESULT SpawnResult theirs = tools("tpm2_pcrextend 5:sha256=$(printf '%064d' 7) && tpm2_pcrread");
        AUTO_SPAWN_RESULT SpawnResult ours = CTL("tpm", "pcrs", "--tcti", tpm.tcti, "--json");
        AUTO_JSON json_object *o = ctl_json(&ours);
        char bank[16] = "", path[32], hex[2 * VTPM_DIGEST_MAX + 1];
        unsigned pcr, n = 0;
        char *save = NULL;

        must_end(&theirs, 0);
        must_end(&ours, 0);
        for (char *line = strtok_r(theirs.out, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                if (line[strlen(line) - 1] == ':') {
                        ck_assert_int_eq(sscanf(line, " %15[a-z0-9]", bank), 1);
                        continue;
                }
                ck_assert_int_eq(sscanf(line, " %u%*[ :]0x%128[0-9A-F]", &pcr, hex), 2);
                for (char *p = hex; *p; p++)
                        *p = (char) (*p >= 'A' ? *p - 'A' + 'a' : *p);
                (void) snprintf(path, sizeof(path), "%s.%u", bank, pcr);
                ck_assert_str_eq(ctl_str(o, path), hex);
                n++;
        }
        ck_assert_uint_eq(n, 4 * 24);
} END_TEST

START_TEST(pcrs_can_be_selected) {
        AUTO_SPAWN_RESULT SpawnResult some = CTL("tpm", "pcrs", "--tcti", tpm.tcti, "--pcrs", "sha384:17+sha1:0");
        AUTO_SPAWN_RESULT SpawnResult bad = CTL("tpm", "pcrs", "--tcti", tpm.tcti, "--pcrs", "sha256:24");

        must_end(&some, 0);
        ck_assert_str_eq(some.out, "sha384\n   17 ffffffffffffffffffffffffffffffffffffffffffffffff"
                                   "ffffffffffffffffffffffffffffffffffffffffffffffff\n"
                                   "sha1\n    0 0000000000000000000000000000000000000000\n");
        ctl_expect_failure(&bad, 2, "--pcrs");
} END_TEST

START_TEST(extending_does_what_tpm2_pcrextend_does) {
        static const char digest[] = "sha256:5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9";
        AUTO_SPAWN_RESULT SpawnResult ours = {}, theirs = {};
        AUTO_JSON json_object *a = NULL, *b = NULL;

        run_tools("tpm2_pcrreset 23");
        ours = CTL("tpm", "extend", "23", "--digest", digest, "--tcti", tpm.tcti, "--json");
        a = ctl_json(&ours);
        run_tools("tpm2_pcrreset 23 && tpm2_pcrextend "
                  "23:sha256=5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9");
        theirs = CTL("tpm", "pcrs", "--tcti", tpm.tcti, "--json");
        b = ctl_json(&theirs);
        ck_assert_str_eq(ctl_str(a, "sha256.23"), ctl_str(b, "sha256.23"));
        ck_assert(!json_object_object_get_ex(a, "sha1", NULL)); /* untouched, so not told of */
        ck_assert_str_eq(ctl_str(b, "sha1.23"), "0000000000000000000000000000000000000000");
} END_TEST

/* tpm2_pcrevent has the TPM compute the digests, of every bank. */
START_TEST(extending_by_a_file_does_what_tpm2_pcrevent_does) {
        AUTO_SPAWN_RESULT SpawnResult ours = {}, theirs = {};

        run_tools("printf 'what happened' > data && tpm2_pcrreset 23");
        ours = CTL("tpm", "extend", "23", "--data", in_dir("data"), "--tcti", tpm.tcti);
        must_end(&ours, 0);
        run_tools("tpm2_pcrreset 23 && tpm2_pcrevent 23 data");
        theirs = CTL("tpm", "pcrs", "--pcrs", "sha1:23+sha256:23+sha384:23+sha512:23", "--tcti", tpm.tcti);
        ck_assert_str_eq(ours.out, theirs.out);
} END_TEST

START_TEST(extending_for_good_needs_a_yes) {
        static const char digest[] = "sha1:00112233445566778899aabbccddeeff00112233";
        AUTO_SPAWN_RESULT SpawnResult before = CTL("tpm", "pcrs", "--tcti", tpm.tcti), no = {}, after = {}, yes = {};

        no = CTL("tpm", "extend", "8", "--digest", digest, "--tcti", tpm.tcti);
        ctl_expect_failure(&no, 2, "--yes");
        after = CTL("tpm", "pcrs", "--tcti", tpm.tcti);
        ck_assert_str_eq(before.out, after.out);
        yes = CTL("tpm", "extend", "8", "--digest", digest, "--yes", "--tcti", tpm.tcti);
        must_end(&yes, 0);
} END_TEST

#define D1 "sha1:00112233445566778899aabbccddeeff00112233"
static const struct {
        const char *args[8];
        int status;
        const char *says;
} bad_extends[] = {
        { { "17", "--digest", D1, "--yes" }, 3, "locality" },
        { { "24", "--digest", D1 }, 2, "PCR" },
        { { "x", "--digest", D1 }, 2, "PCR" },
        { { "23" }, 2, "--digest" },
        { { "23", "--digest", D1, "--data", "/dev/null" }, 2, "--digest" },
        { { "23", "--digest", D1, "--digest", D1 }, 2, "two for bank sha1" },
        { { "23", "--digest", "sha1:00" }, 2, "hex digits" },
        { { "23", "--data", "/nonexistent" }, 3, "/nonexistent" },
};

START_TEST(bad_extensions_are_refused) {
        const char *args[16] = { "tpm", "extend" };
        AUTO_SPAWN_RESULT SpawnResult r = {};
        size_t n = 2;

        for (const char *const *p = bad_extends[_i].args; *p; p++)
                args[n++] = *p;
        args[n++] = "--tcti";
        args[n] = tpm.tcti;
        r = ctl_run(args);
        ctl_expect_failure(&r, bad_extends[_i].status, bad_extends[_i].says);
} END_TEST

START_TEST(info_says_what_is_there) {
        AUTO_SPAWN_RESULT SpawnResult text = {}, json = {};
        AUTO_JSON json_object *o = NULL;

        run_tools("tpm2_createprimary -Q -C e -g sha256 -G ecc256:ecdsa-sha256:null -c k -a "
                  "'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|sign' && "
                  "tpm2_flushcontext -t && tpm2_evictcontrol -Q -C o -c k 0x81000003 && tpm2_flushcontext -t");
        run_tools("tpm2_createek -Q -c 0x81010001 -G rsa && tpm2_flushcontext -t && "
                  "tpm2_nvdefine -Q 0x01c00002 -C o -s 8");
        text = CTL("tpm", "info", "--tcti", tpm.tcti);
        json = CTL("tpm", "info", "--tcti", tpm.tcti, "--json");
        run_tools("tpm2_evictcontrol -Q -C o -c 0x81000003 && tpm2_evictcontrol -Q -C o -c 0x81010001 && "
                  "tpm2_nvundefine -Q -C o 0x01c00002");
        must_end(&text, 0);
        expect_has(&text, "TPM 2.0, manufacturer IBM, SW   TPM, firmware 0x2019");
        expect_has(&text, "PCR banks: sha1:all+sha256:all+sha384:all+sha512:all\n");
        expect_has(&text, "  0x81000003  attestation  ECC-256, ecdsa-sha256\n");
        expect_has(&text, "  0x81010001  endorsement  RSA-2048\n");
        expect_has(&text, "0x01c00002 (EK certificate)");
        expect_has(&text, "Loaded objects: none\n");
        o = ctl_json(&json);
        ck_assert_str_eq(ctl_str(o, "manufacturer"), "IBM");
        ck_assert_str_eq(ctl_str(o, "family"), "2.0");
        ck_assert_str_eq(ctl_str(o, "pcr_banks"), "sha1:all+sha256:all+sha384:all+sha512:all");
} END_TEST

START_TEST(without_a_tpm_the_reason_is_told) {
        AUTO_SPAWN_RESULT SpawnResult absent = CTL("tpm", "info", "--tcti", "device:/nonexistent/tpm");
        AUTO_SPAWN_RESULT SpawnResult bad = CTL("tpm", "pcrs", "--tcti", "nonsense");

        ctl_expect_failure(&absent, 3, "/nonexistent/tpm");
        ctl_expect_failure(&bad, 3, "MODULE:CONFIGURATION");
} END_TEST

START_TEST(configuration_names_tpm_and_key) {
        AUTO_SPAWN_RESULT SpawnResult pcrs = {}, quote = {}, none = {};
        char text[256];

        (void) snprintf(text, sizeof(text), "[Tpm]\nTcti=%s\nAk=ecc-p384\n", tpm.tcti);
        ck_assert_int_eq(file_write_atomic(in_dir("conf"), text, strlen(text), 0600, NULL), 0);
        pcrs = CTL("tpm", "pcrs", "--config", in_dir("conf"), "--pcrs", "sha256:0");
        must_end(&pcrs, 0);
        quote = CTL("tpm", "quote", "--config", in_dir("conf"), "--nonce", NONCE);
        expect_has(&quote, "Key: P-384, ecdsa-sha384\n");
        none = CTL("tpm", "pcrs", "--config", in_dir("no-such"));
        ctl_expect_failure(&none, 3, "no-such");
} END_TEST

/* ---- keys ---- */

#define HANDLE "0x81000021"

START_TEST(key_is_shown_kept_used_and_removed) {
        AUTO_SPAWN_RESULT SpawnResult made = {}, kept = {}, again = {}, shown = {}, quote = {}, gone = {}, twice = {};
        AUTO_JSON json_object *a = NULL, *b = NULL, *c = NULL;

        made = CTL("tpm", "ak", "show", "--ak", "ecdsa-p256", "--tcti", tpm.tcti, "--json");
        a = ctl_json(&made);
        kept = CTL("tpm", "ak", "persist", HANDLE, "--ak", "ecdsa-p256", "--tcti", tpm.tcti, "--json");
        b = ctl_json(&kept);
        again = CTL("tpm", "ak", "persist", HANDLE, "--ak", "ecdsa-p256", "--tcti", tpm.tcti);
        must_end(&again, 0);
        shown = CTL("tpm", "ak", "show", "--ak", HANDLE, "--tcti", tpm.tcti, "--json");
        c = ctl_json(&shown);
        ck_assert_str_eq(ctl_str(a, "kind"), "P-256, ecdsa-sha256");
        ck_assert_str_eq(ctl_str(a, "name"), ctl_str(b, "name"));
        ck_assert_str_eq(ctl_str(a, "public"), ctl_str(c, "public"));
        quote = CTL("tpm", "quote", "--ak", HANDLE, "--nonce", NONCE, "--tcti", tpm.tcti);
        expect_has(&quote, "Key: P-256, ecdsa-sha256\n");
        gone = CTL("tpm", "ak", "remove", HANDLE, "--tcti", tpm.tcti);
        must_end(&gone, 0);
        ck_assert_str_eq(gone.out, "Removed the attestation key at " HANDLE "\n");
        twice = CTL("tpm", "ak", "remove", HANDLE, "--tcti", tpm.tcti);
        ctl_expect_failure(&twice, 3, HANDLE);
} END_TEST

/* One template, one key: what we show is what tpm2_readpublic reads and OpenSSL understands. */
START_TEST(key_files_are_those_of_the_tools) {
        AUTO_SPAWN_RESULT SpawnResult r = {};

        r = CTL("tpm", "ak", "persist", HANDLE, "--ak", "rsassa", "--public", in_dir("k.pub"), "--pem", in_dir("k.pem"),
                "--tcti", tpm.tcti);
        must_end(&r, 0);
        expect_has(&r, "Key: RSA-2048, rsassa-sha256\nName: 000b");
        run_tools("tpm2_readpublic -Q -c " HANDLE " -o t.pub && tpm2_readpublic -Q -c " HANDLE " -f pem -o t.pem && "
                  "cmp k.pub t.pub && cmp k.pem t.pem && tpm2_evictcontrol -Q -C o -c " HANDLE);
} END_TEST

static const struct {
        const char *args[8];
        int status;
        const char *says;
} bad_keys[] = {
        { { "persist", "--ak", "rsassa" }, 2, "HANDLE" },
        { { "persist", "81000021", "--ak", "rsassa" }, 2, "no handle" },
        { { "persist", "0x81000003", "--ak", "rsassa" }, 3, "0x81000003" },
        { { "remove", "0x81000001" }, 3, "0x81000001" },
        { { "show", "--ak", "azure" }, 3, "0x81000003" },
        { { "cert", "--ak", "rsassa" }, 3, "ertificate" },
        { { "frobnicate" }, 2, "no verb" },
};

START_TEST(what_cannot_be_done_with_keys_says_why) {
        const char *args[16] = { "tpm", "ak" };
        AUTO_SPAWN_RESULT SpawnResult r = {};
        size_t n = 2;

        for (const char *const *p = bad_keys[_i].args; *p; p++)
                args[n++] = *p;
        args[n++] = "--tcti";
        args[n] = tpm.tcti;
        r = ctl_run(args);
        ctl_expect_failure(&r, bad_keys[_i].status, bad_keys[_i].says);
} END_TEST

/* ---- quotes ---- */

static SpawnResult quote_to(const char *dir, const char *ak, const char *pcrs) {
        return CTL("tpm", "quote", "--tcti", tpm.tcti, "--nonce", NONCE, "--ak", ak, "--pcrs", pcrs, "--out",
                   in_dir(dir));
}

static SpawnResult verify_from(const char *dir) {
        return CTL("tpm", "verify", "--nonce", NONCE, "--in", in_dir(dir), "--json");
}

static const struct {
        const char *ak, *hash;
} keys[] = { { "rsassa", "sha256" }, { "ecdsa-p256", "sha256" }, { "ecdsa-p384", "sha384" }, { "rsapss", "sha256" } };
#define PSS 3 /* tpm2_checkquote 5.4 verifies RSA with the padding of PKCS #1 v1.5 only */

static const char *const selections[] = { "sha256:all", "sha256:0,1,7+sha384:all", "sha1:9" };

START_TEST(quote_of_ours_passes_tpm2_checkquote) {
        const char *hash = keys[(size_t) _i % PSS].hash;
        AUTO_SPAWN_RESULT SpawnResult r = quote_to("q", keys[(size_t) _i % PSS].ak, selections[(size_t) _i / PSS]);
        char line[256];

        must_end(&r, 0);
        for (unsigned i = 0; i < 2; i++) {
                (void) snprintf(line, sizeof(line),
                                "tpm2_checkquote -Q -u q/%s -m q/quote.msg -s q/quote.sig -f q/quote.pcrs -g %s -q %s",
                                i ? "ak.pem" : "ak.pub", hash, NONCE);
                run_tools(line);
        }
        run_tools("printf x | dd of=q/quote.pcrs bs=1 seek=150 conv=notrunc 2>/dev/null"); /* in the first digest */
        (void) strcat(line, " && exit 9 || exit 0"); /* the tool does look */
        run_tools(line);
} END_TEST

/* OpenSSL's own tool, since tpm2_checkquote cannot. */
START_TEST(quote_with_rsapss_passes_openssl) {
        AUTO_SPAWN_RESULT SpawnResult r = quote_to("q", "rsapss", "sha256:all");
        AUTO_BLOB Blob bytes = {};
        VtpmSignature sig;

        must_end(&r, 0);
        ck_assert_int_eq(file_read(in_dir("q/quote.sig"), 4096, &bytes, NULL), 0);
        ck_assert_int_eq(vtpm_signature_parse(bytes.data, bytes.size, &sig, NULL), 0);
        ck_assert_int_eq(file_write_atomic(in_dir("q/raw"), sig.rsa, sig.rsa_size, 0600, NULL), 0);
        run_tools("openssl dgst -sha256 -sigopt rsa_padding_mode:pss -verify q/ak.pem -signature q/raw q/quote.msg");
} END_TEST

START_TEST(quote_of_ours_passes_ours) {
        AUTO_SPAWN_RESULT SpawnResult made = quote_to("q", keys[_i].ak, "sha256:all+sha1:0,7"), json = {}, text = {};
        AUTO_JSON json_object *o = NULL;

        must_end(&made, 0);
        json = verify_from("q");
        must_end(&json, 0);
        o = ctl_json(&json);
        ck_assert_str_eq(ctl_str(o, "verdict"), "accept");
        ck_assert_str_eq(ctl_str(o, "quoted"), "sha256:all+sha1:0,7");
        ck_assert_str_eq(ctl_str(o, "checks.pcrs"), "ok");
        text = CTL("tpm", "verify", "--nonce", NONCE, "--in", in_dir("q"), "--pcrs", "sha256:0,7");
        must_end(&text, 0);
        expect_has(&text, "ACCEPT\nBound: no: ");
        expect_has(&text, "signs only what its TPM made");
        expect_has(&text, ", reset count ");
} END_TEST

static const struct {
        const char *algorithm, *scheme, *hash, *for_pem;
} their_keys[] = {
        { "rsa", "rsassa", "sha256", NULL },
        { "rsa", "rsapss", "sha256", "rsapss-sha256" },
        { "ecc", "ecdsa", "sha256", NULL },
        { "ecc384", "ecdsa", "sha384", NULL },
};

START_TEST(quote_of_tpm2_quote_passes_ours) {
        static const char *const lists[] = { "sha256:all", "sha1:0,1+sha256:2,3,4,5,6,7,8,9,10+sha512:23" };
        AUTO_SPAWN_RESULT SpawnResult tss = {}, pem = {};
        char line[400];

        (void) snprintf(line, sizeof(line),
                        "rm -rf t && mkdir t && tpm2_createek -Q -c t/ek -G rsa && tpm2_flushcontext -t && "
                        "tpm2_createak -Q -C t/ek -c t/ak -G %s -g %s -s %s -u t/ak.pub && tpm2_flushcontext -t && "
                        "tpm2_readpublic -Q -c t/ak -f pem -o t/ak.pem && tpm2_flushcontext -t",
                        their_keys[_i].algorithm, their_keys[_i].hash, their_keys[_i].scheme);
        run_tools(line);
        for (size_t i = 0; i < N_ELEMENTS(lists); i++) {
                (void) snprintf(line, sizeof(line),
                                "tpm2_quote -Q -c t/ak -l %s -q %s -m t/quote.msg -s t/quote.sig -o t/quote.pcrs "
                                "-g %s --scheme %s && tpm2_flushcontext -t", lists[i], NONCE, their_keys[_i].hash,
                                their_keys[_i].scheme);
                run_tools(line);
                tss = verify_from("t");
                must_end(&tss, 0);
                spawn_result_done(&tss);
        }
        pem = their_keys[_i].for_pem ? CTL("tpm", "verify", "--nonce", NONCE, "--in", in_dir("t"), "--public",
                                           in_dir("t/ak.pem"), "--scheme", their_keys[_i].for_pem)
                                     : CTL("tpm", "verify", "--nonce", NONCE, "--in", in_dir("t"), "--public",
                                           in_dir("t/ak.pem"));
        must_end(&pem, 0);
        expect_has(&pem, "does not show whether it is an attestation key");
} END_TEST

static void alter(const char *name, long at) {
        AUTO_BLOB Blob b = {};
        size_t i;

        ck_assert_int_eq(file_read(in_dir(name), 65536, &b, NULL), 0);
        i = at < 0 ? b.size - (size_t) -at : (size_t) at;
        ck_assert_uint_lt(i, b.size);
        b.data[i] ^= 1;
        ck_assert_int_eq(file_write_atomic(in_dir(name), b.data, b.size, 0600, NULL), 0);
}

static const struct {
        const char *file;
        long at; /* from the end when negative */
        const char *check, *reason;
} alterations[] = {
        { "q/quote.msg", -1, "signature", "quote-signature" },
        { "q/quote.msg", 0, "form", "attest-magic" },
        { "q/quote.sig", -1, "signature", "quote-signature" },
        { "q/quote.sig", 0, "form", NULL },
        { "q/quote.pcrs", 0x84 + 4 + 4 + 2, "pcrs", "quote-pcr-digest" },   /* the first digest */
        { "q/quote.pcrs", 7, "pcr-file", "malformed" },                   /* a bitmap, one PCR short of its values */
        { "q/quote.pcrs", 0x84, "pcr-file", NULL },                       /* number of lists */
        { "q/ak.pub", -1, "signature", "quote-signature" },            /* the modulus */
        { "q/ak.pub", 7, "key", "ak-attributes" },                        /* restricted: no more */
};

START_TEST(altered_byte_is_refused_by_the_right_check) {
        AUTO_SPAWN_RESULT SpawnResult made = quote_to("q", "rsassa", "sha256:all"), r = {};
        AUTO_JSON json_object *o = NULL;
        char path[64];

        must_end(&made, 0);
        alter(alterations[_i].file, alterations[_i].at);
        r = verify_from("q");
        must_end(&r, 1);
        o = ctl_json(&r);
        ck_assert_str_eq(ctl_str(o, "verdict"), "reject");
        (void) snprintf(path, sizeof(path), "checks.%s", alterations[_i].check);
        ck_assert_msg(strcmp(ctl_str(o, path), "failed") == 0, "%s", r.out);
        if (alterations[_i].reason)
                ck_assert_str_eq(ctl_str(o, "reason"), alterations[_i].reason);
        ck_assert(!json_object_object_get_ex(o, "pcrs", NULL)); /* values nobody vouches for */
} END_TEST

START_TEST(other_question_is_told_apart) {
        AUTO_SPAWN_RESULT SpawnResult made = quote_to("q", "ecdsa-p256", "sha256:0,7"), nonce = {}, pcrs = {},
                                      none = {}, absent = {}, scheme = {};
        AUTO_JSON json_object *a = NULL, *b = NULL;

        must_end(&made, 0);
        nonce = CTL("tpm", "verify", "--nonce", "00", "--in", in_dir("q"), "--json");
        must_end(&nonce, 1);
        a = ctl_json(&nonce);
        ck_assert_str_eq(ctl_str(a, "checks.nonce"), "failed");
        ck_assert_str_eq(ctl_str(a, "checks.signature"), "ok");
        pcrs = CTL("tpm", "verify", "--nonce", NONCE, "--in", in_dir("q"), "--pcrs", "sha256:4", "--json");
        must_end(&pcrs, 1);
        b = ctl_json(&pcrs);
        ck_assert_str_eq(ctl_str(b, "checks.selection"), "failed");
        ck_assert_str_eq(ctl_str(b, "reason"), "quote-selection");
        none = CTL("tpm", "verify", "--in", in_dir("q"));
        ctl_expect_failure(&none, 2, "--nonce");
        scheme = CTL("tpm", "verify", "--nonce", NONCE, "--in", in_dir("q"), "--scheme", "rsapss-sha256");
        ctl_expect_failure(&scheme, 2, "--scheme");
        run_tools("rm q/quote.sig");
        absent = verify_from("q");
        must_end(&absent, 3);
} END_TEST

START_TEST(files_can_be_named_one_by_one) {
        AUTO_SPAWN_RESULT SpawnResult made = {}, r = {}, less = {};

        made = CTL("tpm", "quote", "--tcti", tpm.tcti, "--nonce", NONCE, "--ak", "owner:rsassa", "--message",
                   in_dir("m"), "--signature", in_dir("s"), "--pcr-file", in_dir("p"), "--public", in_dir("k"));
        must_end(&made, 0);
        r = CTL("tpm", "verify", "--nonce", NONCE, "--message", in_dir("m"), "--signature", in_dir("s"), "--pcr-file",
                in_dir("p"), "--public", in_dir("k"));
        must_end(&r, 0);
        less = CTL("tpm", "verify", "--nonce", NONCE, "--message", in_dir("m"), "--signature", in_dir("s"),
                   "--public", in_dir("k"));
        ctl_expect_failure(&less, 2, "--pcr-file");
} END_TEST

static const struct {
        const char *args[8];
        int status;
        const char *says;
} bad_quotes[] = {
        { { "--ak", "rsassa" }, 2, "--nonce" },
        { { "--nonce", "" }, 2, "--nonce" },
        { { "--nonce", "0" }, 2, "--nonce" },
        { { "--nonce", "xy" }, 2, "--nonce" },
        { { "--nonce", NONCE NONCE NONCE NONCE "00" }, 2, "--nonce" },
        { { "--nonce", NONCE, "--ak", "dsa" }, 2, "--ak" },
        { { "--nonce", NONCE, "--ak", "rsassa", "--pcrs", "sha256:" }, 2, "--pcrs" },
        { { "--nonce", NONCE, "--ak", "0x81000077" }, 3, "0x81000077" },
        { { "--nonce", NONCE, "--ak", "rsassa", "--message", "/nonexistent/m" }, 3, "/nonexistent" },
};

START_TEST(bad_questions_are_refused) {
        const char *args[16] = { "tpm", "quote" };
        AUTO_SPAWN_RESULT SpawnResult r = {};
        size_t n = 2;

        for (const char *const *p = bad_quotes[_i].args; *p; p++)
                args[n++] = *p;
        args[n++] = "--tcti";
        args[n] = tpm.tcti;
        r = ctl_run(args);
        ctl_expect_failure(&r, bad_quotes[_i].status, bad_quotes[_i].says);
} END_TEST

/* A TPM without resource manager keeps what a tool that failed has left there. */
static void flush(void) {
        AUTO_SPAWN_RESULT SpawnResult r = tools("tpm2_flushcontext -t; tpm2_flushcontext -l; tpm2_flushcontext -s");

        ck_assert_int_eq(r.status, 0);
}

static Suite *suite(void) {
        Suite *s = suite_create("snpctl-tpm-quote");
        TCase *tc = tcase_create("tpm");

        tcase_add_test(tc, pcrs_are_those_of_tpm2_pcrread);
        tcase_add_test(tc, pcrs_can_be_selected);
        tcase_add_test(tc, extending_does_what_tpm2_pcrextend_does);
        tcase_add_test(tc, extending_by_a_file_does_what_tpm2_pcrevent_does);
        tcase_add_test(tc, extending_for_good_needs_a_yes);
        tcase_add_loop_test(tc, bad_extensions_are_refused, 0, N_ELEMENTS(bad_extends));
        tcase_add_test(tc, info_says_what_is_there);
        tcase_add_test(tc, without_a_tpm_the_reason_is_told);
        tcase_add_test(tc, configuration_names_tpm_and_key);
        suite_add_tcase(s, tc);

        tc = tcase_create("keys");
        tcase_add_checked_fixture(tc, NULL, flush);
        tcase_add_test(tc, key_is_shown_kept_used_and_removed);
        tcase_add_test(tc, key_files_are_those_of_the_tools);
        tcase_add_loop_test(tc, what_cannot_be_done_with_keys_says_why, 0, N_ELEMENTS(bad_keys));
        suite_add_tcase(s, tc);

        tc = tcase_create("quote");
        tcase_add_checked_fixture(tc, NULL, flush);
        tcase_add_loop_test(tc, quote_of_ours_passes_tpm2_checkquote, 0, PSS * N_ELEMENTS(selections));
        tcase_add_test(tc, quote_with_rsapss_passes_openssl);
        tcase_add_loop_test(tc, quote_of_ours_passes_ours, 0, N_ELEMENTS(keys));
        tcase_add_loop_test(tc, quote_of_tpm2_quote_passes_ours, 0, N_ELEMENTS(their_keys));
        tcase_add_loop_test(tc, altered_byte_is_refused_by_the_right_check, 0, N_ELEMENTS(alterations));
        tcase_add_test(tc, other_question_is_told_apart);
        tcase_add_test(tc, files_can_be_named_one_by_one);
        tcase_add_loop_test(tc, bad_questions_are_refused, 0, N_ELEMENTS(bad_quotes));
        suite_add_tcase(s, tc);
        return s;
}

int main(int argc, char **argv) {
        int r;

        if (argc != 2)
                return EXIT_FAILURE;
        if (!swtpm_available())
                return unit_skip("swtpm is not installed");
        if (!program_available("tpm2_quote") || !program_available("openssl"))
                return unit_skip("tpm2-tools or openssl is not installed");
        ctl_set_program(argv[1]);
        if (swtpm_start(NULL, &tpm) < 0)
                return EXIT_FAILURE;
        r = unit_run(suite());
        swtpm_stop(&tpm);
        return r;
}
