/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Files of snpguest, go-sev-guest and sev-snp-measure, which are not to be had in Debian: they are made here, byte by
 * byte as these tools write them. The forms were read from
 *
 *   virtee/snpguest           src/report.rs (report and request file), src/certs.rs (names in the directory)
 *   google/go-sev-guest       tools/attest/attest.go, tools/lib/report/report.go, proto/sevsnp.proto, abi/abi.go
 *   virtee/sev-snp-measure    sevsnpmeasure/cli.py (hex and base64), sevsnpmeasure/id_block.py (what it prints)
 */

#include <openssl/evp.h>
#include <openssl/pem.h>
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
#include "snp/launch/id-block.h"
#include "tests/integration/ctl.h"
#include "tests/simulator/report.h"
#include "tests/unit/snp/forge.h"
#include "tests/unit/unit.h"

#define AT "2025-06-20T00:00:00Z"
#define PATH_BYTES 96
#define FILE_BYTES (128u * 1024u)

static SimPki *pki;
static char dir[] = "/tmp/snp-test-interop.XXXXXX";
static char report[PATH_BYTES], certs[PATH_BYTES], request[PATH_BYTES], ark[PATH_BYTES], other[PATH_BYTES];
static uint8_t raw[SIM_REPORT_SIZE];
static const char *const cert_names[] = { "vcek.pem", "vcek.der", "vlek.pem", "vlek.der", "ask.pem", "ask.der",
                                          "asvk.pem", "asvk.der", "ark.pem",  "ark.der" };

static void write_file(const char *path, const void *data, size_t size) {
        Error e = {};

        ck_assert_msg(file_write_atomic(path, data, size, 0600, &e) == 0, "%s", e.text);
}

static void write_cert(const char *name, SimKey which) {
        char path[2 * PATH_BYTES];
        AUTO_BLOB Blob b = {};
        bool pem = strstr(name, ".pem");

        (void) snprintf(path, sizeof(path), "%s/%s", certs, name);
        ck_assert_int_eq(pem ? sim_pki_cert_pem(pki, which, &b, NULL) : sim_pki_cert_der(pki, which, &b, NULL), 0);
        write_file(path, b.data, b.size);
}

static void make_report(SimSigner signer) {
        SimReport r = sim_report_defaults(pki);

        r.signer = signer;
        for (size_t i = 0; i < sizeof(r.report_data); i++)
                r.report_data[i] = (uint8_t) (i * 3 + 1);
        ck_assert_int_eq(sim_report_make(&r, pki, raw, NULL), 0);
        write_file(report, raw, sizeof(raw));
}

static void setup(void) {
        AUTO_BLOB Blob root = {};

        ck_assert_ptr_nonnull(mkdtemp(dir));
        (void) snprintf(report, PATH_BYTES, "%s/report.bin", dir);
        (void) snprintf(certs, PATH_BYTES, "%s/certs", dir);
        (void) snprintf(request, PATH_BYTES, "%s/request-data.txt", dir);
        (void) snprintf(ark, PATH_BYTES, "%s/root", dir);
        (void) snprintf(other, PATH_BYTES, "%s/other", dir);
        ck_assert_int_eq(mkdir(certs, 0700), 0);
        ck_assert_int_eq(sim_pki_cert_pem(pki, SIM_ARK, &root, NULL), 0);
        write_file(ark, root.data, root.size);
        make_report(SIM_SIGNER_VCEK);
}

static void teardown(void) {
        char path[2 * PATH_BYTES];

        for (size_t i = 0; i < N_ELEMENTS(cert_names); i++) {
                (void) snprintf(path, sizeof(path), "%s/%s", certs, cert_names[i]);
                (void) unlink(path);
        }
        (void) rmdir(certs);
        (void) unlink(report);
        (void) unlink(request);
        (void) unlink(ark);
        (void) unlink(other);
        ck_assert_int_eq(rmdir(dir), 0);
}

static void expect_accept(const SpawnResult *r) {
        AUTO_JSON json_object *o = NULL;

        ck_assert_msg(r->status == 0, "%s%s", r->out, r->err);
        o = ctl_json(r);
        ck_assert_str_eq(ctl_str(o, "verdict"), "accept");
        ck_assert_str_eq(ctl_str(o, "trust"), "TEST ROOT");
}

/* snpguest */

static const struct {
        const char *vek, *ask, *ark;
        SimSigner signer;
} directories[] = {
        { "vcek.pem", "ask.pem", "ark.pem", SIM_SIGNER_VCEK },
        { "vcek.der", "ask.der", "ark.der", SIM_SIGNER_VCEK },
        { "vlek.pem", "ask.pem", "ark.der", SIM_SIGNER_VLEK }, /* it calls the ASVK so */
        { "vlek.der", "asvk.der", NULL, SIM_SIGNER_VLEK },     /* as our certs fetch does; the root is known */
};

START_TEST(a_directory_of_certificates_is_read) {
        AUTO_SPAWN_RESULT SpawnResult r = {}, bundled = {}, judged = {};
        bool vlek = directories[_i].signer == SIM_SIGNER_VLEK;
        AUTO_JSON json_object *o = NULL;

        make_report(directories[_i].signer);
        write_cert(directories[_i].vek, vlek ? SIM_VLEK : SIM_VCEK);
        write_cert(directories[_i].ask, vlek ? SIM_ASVK : SIM_ASK);
        if (directories[_i].ark)
                write_cert(directories[_i].ark, SIM_ARK);
        r = CTL("verify", "--json", "--report", report, "--certs", certs, "--at", AT, "--trust-root", ark);
        expect_accept(&r);
        bundled = CTL("bundle", "create", other, "--report", report, "--certs", certs);
        ck_assert_msg(bundled.status == 0, "%s%s", bundled.out, bundled.err);
        judged = CTL("bundle", "verify", "--json", other, "--at", AT, "--trust-root", ark);
        o = ctl_json(&judged);
        ck_assert_str_eq(ctl_str(o, "verdict"), "accept");
}
END_TEST

START_TEST(both_keys_may_be_in_the_directory) {
        AUTO_SPAWN_RESULT SpawnResult vcek = {}, vlek = {};

        write_cert("vcek.pem", SIM_VCEK);
        write_cert("vlek.pem", SIM_VLEK);
        write_cert("ask.pem", SIM_ASK);
        write_cert("asvk.pem", SIM_ASVK);
        vcek = CTL("verify", "--json", "--report", report, "--certs", certs, "--at", AT, "--trust-root", ark);
        expect_accept(&vcek);
        make_report(SIM_SIGNER_VLEK);
        vlek = CTL("verify", "--json", "--report", report, "--certs", certs, "--at", AT, "--trust-root", ark);
        expect_accept(&vlek);
}
END_TEST

START_TEST(a_directory_without_certificates_is_told) {
        AUTO_SPAWN_RESULT SpawnResult r =
                CTL("verify", "--report", report, "--certs", certs, "--at", AT, "--trust-root", ark);

        ctl_expect_failure(&r, 3, "holds no certificate");
}
END_TEST

/* --random of older releases: hex, 16 bytes in a line, no newline at the end. */
static void write_request_hex(void) {
        char text[3 * 64], *p = text;

        for (size_t i = 0; i < 64; i++)
                p += sprintf(p, "%s%02x", i > 0 && i % 16 == 0 ? "\n" : "", raw[0x50 + i]);
        write_file(request, text, strlen(text));
}

START_TEST(a_request_file_says_what_report_data_should_be) {
        AUTO_SPAWN_RESULT SpawnResult ok = {}, bad = {}, broken = {}, usage = {};
        AUTO_JSON json_object *o = NULL;

        write_cert("vcek.pem", SIM_VCEK);
        write_cert("ask.pem", SIM_ASK);
        if (_i == 0)
                write_file(request, raw + 0x50, 64);
        else
                write_request_hex();
        ok = CTL("verify", "--json", "--report", report, "--certs", certs, "--at", AT, "--trust-root", ark, "--request",
                 request);
        expect_accept(&ok);
        o = ctl_json(&ok);
        ck_assert_str_eq(ctl_str(o, "checks.report-data"), "ok");
        write_file(request, raw, 64); /* other bytes */
        bad = CTL("verify", "--json", "--report", report, "--certs", certs, "--at", AT, "--trust-root", ark,
                  "--request", request);
        ck_assert_int_eq(bad.status, 1);
        write_file(request, raw, 63);
        broken = CTL("verify", "--report", report, "--certs", certs, "--at", AT, "--request", request);
        ctl_expect_failure(&broken, 3, "holds neither 64 bytes nor as many in hex");
        usage = CTL("verify", "--report", report, "--certs", certs, "--request", request, "--data", "00");
        ctl_expect_failure(&usage, 2, "exclude each other");
}
END_TEST

/* go-sev-guest */

START_TEST(an_extended_report_brings_its_certificates) {
        AUTO_WRITER Writer w = wr_init(FILE_BYTES);
        AUTO_BLOB Blob table = {};
        AUTO_SPAWN_RESULT SpawnResult r = {}, shown = {}, cut = {}, bundled = {};

        ck_assert_int_eq(sim_cert_table_of(pki, SIM_SIGNER_VCEK, true, &table, NULL), 0);
        wr_bytes(&w, raw, sizeof(raw));
        wr_bytes(&w, table.data, table.size);
        ck_assert_int_eq(w.error, 0);
        write_file(report, w.data, w.size);
        r = CTL("verify", "--json", "--report", report, "--at", AT, "--trust-root", ark);
        expect_accept(&r);
        shown = CTL("report", "--in", report, "--extended-out", other);
        ck_assert_msg(shown.status == 0, "%s", shown.err);
        ck_assert_ptr_nonnull(strstr(shown.out, "Host's certificates: VCEK"));
        {
                AUTO_BLOB Blob again = {};

                ck_assert_int_eq(file_read(other, FILE_BYTES, &again, NULL), 0);
                ck_assert_uint_eq(again.size, w.size); /* what we write for it is what it writes */
                ck_assert_mem_eq(again.data, w.data, w.size);
        }
        bundled = CTL("bundle", "create", other, "--report", report);
        ck_assert_msg(bundled.status == 0, "%s", bundled.err);
        ck_assert_ptr_nonnull(strstr(bundled.out, "2 chain certificates"));
        write_file(report, w.data, sizeof(raw) + 1); /* what is behind is no table: a report that is too long */
        cut = CTL("verify", "--json", "--report", report, "--at", AT, "--trust-root", ark);
        ck_assert_int_eq(cut.status, 1);
}
END_TEST

static void put_varint(Writer *w, uint64_t v) {
        for (; v > 0x7f; v >>= 7)
                wr_u8(w, (uint8_t) (v | 0x80));
        wr_u8(w, (uint8_t) v);
}

static void put_number(Writer *w, unsigned field, uint64_t v) {
        if (v == 0)
                return; /* proto3 leaves zeros out */
        put_varint(w, field << 3);
        put_varint(w, v);
}

static void put_bytes(Writer *w, unsigned field, const void *data, size_t n) {
        put_varint(w, field << 3 | 2);
        put_varint(w, n);
        wr_bytes(w, data, n);
}

static uint64_t number_at(size_t offset, size_t n) {
        uint64_t v = 0;

        while (n-- > 0)
                v = v << 8 | raw[offset + n];
        return v;
}

/* abi.ReportToProto(), then proto.Marshal(): fields in order. */
static void put_report(Writer *w) {
        static const struct {
                unsigned field;
                size_t offset, size;
                bool bytes;
        } f[] = { { 1, 0x0, 4, 0 },      { 2, 0x4, 4, 0 },      { 3, 0x8, 8, 0 },      { 4, 0x10, 16, 1 },
                  { 5, 0x20, 16, 1 },    { 6, 0x30, 4, 0 },     { 7, 0x34, 4, 0 },     { 8, 0x38, 8, 0 },
                  { 9, 0x40, 8, 0 },     { 10, 0x48, 4, 0 },    { 11, 0x50, 64, 1 },   { 12, 0x90, 48, 1 },
                  { 13, 0xc0, 32, 1 },   { 14, 0xe0, 48, 1 },   { 15, 0x110, 48, 1 },  { 16, 0x140, 32, 1 },
                  { 17, 0x160, 32, 1 },  { 18, 0x180, 8, 0 },   { 19, 0x1a0, 64, 1 },  { 20, 0x1e0, 8, 0 },
                  { 21, 0x1e8, 1, 0 },   { 22, 0x1e9, 1, 0 },   { 23, 0x1ea, 1, 0 },   { 24, 0x1ec, 1, 0 },
                  { 25, 0x1ed, 1, 0 },   { 26, 0x1ee, 1, 0 },   { 27, 0x1f0, 8, 0 },   { 28, 0x2a0, 512, 1 } };
        uint8_t family = raw[0x188], model = raw[0x189];

        for (size_t i = 0; i < N_ELEMENTS(f); i++)
                if (f[i].bytes)
                        put_bytes(w, f[i].field, raw + f[i].offset, f[i].size);
                else
                        put_number(w, f[i].field, number_at(f[i].offset, f[i].size));
        put_number(w, 29, (uint64_t) (family - 0xf) << 20 | (uint64_t) (model >> 4) << 16 | 0xf00 |
                                  (uint64_t) (model & 0xf) << 4 | raw[0x18a]);
        put_number(w, 30, number_at(0x1f8, 8));
        put_number(w, 31, number_at(0x200, 8));
}

static void put_chain(Writer *w) {
        static const struct {
                unsigned field;
                SimKey key;
        } members[] = { { 1, SIM_VCEK }, { 2, SIM_ASK }, { 3, SIM_ARK } };

        for (size_t i = 0; i < N_ELEMENTS(members); i++) {
                AUTO_BLOB Blob der = {};

                ck_assert_int_eq(sim_pki_cert_der(pki, members[i].key, &der, NULL), 0);
                put_bytes(w, members[i].field, der.data, der.size);
        }
}

START_TEST(an_attestation_in_protocol_buffers_is_read) {
        AUTO_WRITER Writer r = wr_init(FILE_BYTES), c = wr_init(FILE_BYTES), w = wr_init(FILE_BYTES);
        AUTO_SPAWN_RESULT SpawnResult whole = {}, shown = {}, alone = {}, cut = {}, flipped = {};
        AUTO_BLOB Blob out = {};

        put_report(&r);
        put_chain(&c);
        put_bytes(&w, 1, r.data, r.size);
        put_bytes(&w, 2, c.data, c.size);
        put_bytes(&w, 3, "\x08\x01", 2); /* product: Milan */
        ck_assert_int_eq(w.error, 0);
        write_file(other, w.data, w.size);
        whole = CTL("verify", "--json", "--report", other, "--at", AT, "--trust-root", ark);
        expect_accept(&whole);
        shown = CTL("report", "--in", other, "--out", report);
        ck_assert_int_eq(shown.status, 0);
        ck_assert_int_eq(file_read(report, FILE_BYTES, &out, NULL), 0);
        ck_assert_uint_eq(out.size, sizeof(raw));
        ck_assert_mem_eq(out.data, raw, sizeof(raw)); /* to the byte what was signed */
        write_file(other, r.data, r.size); /* without -extended: the report by itself */
        write_cert("vcek.pem", SIM_VCEK);
        write_cert("ask.pem", SIM_ASK);
        alone = CTL("verify", "--json", "--report", other, "--certs", certs, "--at", AT, "--trust-root", ark);
        expect_accept(&alone);
        write_file(other, w.data, w.size - 1);
        cut = CTL("verify", "--report", other, "--at", AT, "--trust-root", ark);
        ctl_expect_failure(&cut, 3, "sevsnp.Attestation");
        r.data[r.size / 2] ^= 1; /* within the signature, which is the last but three */
        write_file(other, r.data, r.size);
        flipped = CTL("verify", "--json", "--report", other, "--certs", certs, "--at", AT, "--trust-root", ark);
        ck_assert_int_ne(flipped.status, 0);
}
END_TEST

/* sev-snp-measure */

START_TEST(digests_are_taken_in_both_of_its_formats) {
        uint8_t digest[48] = { 1, 2, 3 };
        AUTO_FREE char *hex = hex_encode(digest, sizeof(digest)), *b64 = base64_encode(BASE64_STD, digest, 48);
        AUTO_SPAWN_RESULT SpawnResult a = CTL("idblock", "create", "--measurement", hex, "--block", report);
        AUTO_SPAWN_RESULT SpawnResult b = CTL("idblock", "create", "--measurement", b64, "--block", other);
        AUTO_SPAWN_RESULT SpawnResult c = CTL("idblock", "create", "--measurement", "AQID", "--block", other);
        AUTO_BLOB Blob one = {}, two = {};

        ck_assert_msg(a.status == 0 && b.status == 0, "%s%s", a.err, b.err);
        ck_assert_int_eq(file_read(report, FILE_BYTES, &one, NULL), 0);
        ck_assert_int_eq(file_read(other, FILE_BYTES, &two, NULL), 0);
        ck_assert(blob_equal(&one, &two));
        ck_assert_mem_eq(one.data, digest, sizeof(digest));
        ctl_expect_failure(&c, 2, "hexadecimal digits or base64");
}
END_TEST

static void write_key(const char *path) {
        EVP_PKEY *key = EVP_EC_gen("P-384");
        FILE *f = fopen(path, "we");

        ck_assert(key && f);
        ck_assert_int_eq(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), 1);
        ck_assert_int_eq(fclose(f), 0);
        EVP_PKEY_free(key);
}

/* One file with both, as it prints them for QEMU's command line. */
START_TEST(what_snp_create_id_block_prints_is_read) {
        AUTO_SPAWN_RESULT SpawnResult made = {}, ok = {}, swapped = {};
        AUTO_BLOB Blob block = {}, auth = {};
        AUTO_FREE char *digest = NULL;
        uint8_t ld[48] = { 7 };
        char text[16384];

        write_key(report);
        digest = base64_encode(BASE64_STD, ld, sizeof(ld));
        made = CTL("idblock", "create", "--measurement", digest, "--id-key", report, "--author-key", report, "--block",
                   request, "--auth", other, "--base64");
        ck_assert_msg(made.status == 0, "%s", made.err);
        ck_assert_int_eq(file_read(request, FILE_BYTES, &block, NULL), 0);
        ck_assert_int_eq(file_read(other, FILE_BYTES, &auth, NULL), 0);
        (void) snprintf(text, sizeof(text), "id-block=%.*s,id-auth=%.*s\nid_key_hash: %s\nauthor_key: %s\n",
                        (int) block.size, (char *) block.data, (int) auth.size, (char *) auth.data, digest, digest);
        write_file(other, text, strlen(text));
        ok = CTL("idblock", "verify", "--block", other, "--auth", other);
        ck_assert_msg(ok.status == 0, "%s%s", ok.out, ok.err);
        text[strlen("id-block=")] ^= 1; /* the digest in it */
        write_file(other, text, strlen(text));
        swapped = CTL("idblock", "verify", "--block", other, "--auth", other);
        ck_assert_int_eq(swapped.status, 1);
}
END_TEST

static TCase *interop_case(void) {
        TCase *c = tcase_create("interop");

        tcase_add_checked_fixture(c, setup, teardown);
        tcase_add_loop_test(c, a_directory_of_certificates_is_read, 0, N_ELEMENTS(directories));
        tcase_add_test(c, both_keys_may_be_in_the_directory);
        tcase_add_test(c, a_directory_without_certificates_is_told);
        tcase_add_loop_test(c, a_request_file_says_what_report_data_should_be, 0, 2);
        tcase_add_test(c, an_extended_report_brings_its_certificates);
        tcase_add_test(c, an_attestation_in_protocol_buffers_is_read);
        tcase_add_test(c, digests_are_taken_in_both_of_its_formats);
        tcase_add_test(c, what_snp_create_id_block_prints_is_read);
        return c;
}

int main(int argc, char **argv) {
        Suite *s = suite_create("snpctl-interop");
        int status;

        (void) argc;
        ctl_set_program(argv[1]);
        pki = forge_pki(SIM_MILAN);
        suite_add_tcase(s, interop_case());
        status = unit_run(s);
        sim_pki_free(pki);
        return status;
}
