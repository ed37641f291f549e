/* SPDX-License-Identifier: Apache-2.0 */

/* snp/cert.c, snp/vek.c and snp/vek-ext.c on certificates that AMD issued, and on some that others edited. */

#include <check.h>
#include <errno.h>
#include <json-c/json_tokener.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "snp/cert.h"
#include "snp/vek-ext.h"
#include "tests/unit/snp/recorded.h"
#include "tests/unit/unit.h"

#define DAY 86400
#define N_VCEKS 48
#define N_VLEKS 4
#define N_PRODUCTS 3

static json_object *vek_entry(int i) {
        return i < N_VCEKS ? recorded_get("vcek", (size_t) i) : recorded_get("vlek", (size_t) (i - N_VCEKS));
}

static int judge(const char *vek_file, json_object *chain, time_t at, SnpVek **ret, Error *e) {
        AUTO_RECORDED_CERTS RecordedCerts c = recorded_certs(vek_file, chain);
        CLEANUP(snp_trust_freep) SnpTrust *trust = NULL;

        ck_assert_int_eq(snp_trust_new_amd(&trust, NULL), 0);
        return snp_vek_new(trust, &c.certs, at, ret, e);
}

static X509 *load(const char *file) {
        AUTO_BLOB Blob b = recorded_bytes(file);
        AUTO_CERT_LIST SnpCertList list = {};

        ck_assert_int_eq(snp_cert_list_add(&list, b.data, b.size, file, NULL), 0);
        ck_assert_uint_eq(list.n, 1);
        X509_up_ref(list.certs[0]);
        return list.certs[0];
}

START_TEST(the_manifest_has_the_certificates_that_we_expect) {
        ck_assert_uint_eq(recorded_count("vcek"), N_VCEKS);
        ck_assert_uint_eq(recorded_count("vlek"), N_VLEKS);
        ck_assert_uint_eq(recorded_count("ark"), N_PRODUCTS);
        ck_assert_uint_eq(recorded_count("ask"), N_PRODUCTS);
        ck_assert_uint_eq(recorded_count("asvk"), N_PRODUCTS);
}
END_TEST

START_TEST(a_chain_holds_exactly_when_the_manifest_says_so) {
        json_object *entry = vek_entry(_i);
        const char *file = recorded_str(entry, "file");
        bool want = recorded_is_true(recorded_member(entry, "expected"), "chain_ok");
        CLEANUP(snp_vek_freep) SnpVek *vek = NULL;
        Error e = {};
        int r = judge(file, recorded_member(entry, "chain"), recorded_time(recorded_str(entry, "not_before")) + DAY,
                      &vek, &e);

        ck_assert_msg((r == 0) == want, "%s: %s", file, error_text(&e, r));
        if (!want) {
                ck_assert(r == -EKEYREJECTED || r == -EBADMSG);
                return;
        }
        ck_assert(!snp_vek_is_test(vek));
        ck_assert_int_eq(snp_vek_kind(vek), strcmp(recorded_str(entry, "kind"), "vlek") == 0 ? SNP_SIGNING_KEY_VLEK
                                                                                            : SNP_SIGNING_KEY_VCEK);
        ck_assert_int_eq(snp_vek_not_after(vek), recorded_time(recorded_str(entry, "not_after")));
        ck_assert_str_eq(snp_product_name(snp_vek_product(vek)), strrchr(recorded_str(entry, "issuer_cn"), '-') + 1);
}
END_TEST

static uint8_t part(json_object *tcb, const char *name) {
        json_object *value = NULL;

        return json_object_object_get_ex(tcb, name, &value) ? (uint8_t) json_object_get_int(value) : 0;
}

START_TEST(extensions_are_what_others_read) {
        json_object *entry = vek_entry(_i), *parts = recorded_member(entry, "tcb");
        AUTO_X509 X509 *cert = load(recorded_str(entry, "file"));
        const char *csp_id = recorded_str(entry, "csp_id"), *name = recorded_str(entry, "product_name");
        const char *want_hwid = recorded_str(entry, "hwid");
        AUTO_FREE char *hwid = NULL;
        SnpVekExtensions ext;
        SnpTcb tcb;
        Error e = {};

        ck_assert_msg(snp_vek_extensions_parse(cert, &ext, &e) == 0, "%s", e.text);
        ck_assert_int_eq(ext.layout, json_object_get_int(recorded_member(entry, "struct_version")) == 1
                                             ? SNP_TCB_LAYOUT_TURIN
                                             : SNP_TCB_LAYOUT_MILAN);
        ck_assert_int_eq(ext.product, snp_product_from_name(name, strlen(name)));
        ck_assert_int_eq(snp_tcb_decode(ext.layout, ext.tcb, &tcb), 0);
        ck_assert(snp_tcb_equal(&tcb, &(SnpTcb){ .fmc = part(parts, "fmc"), .boot_loader = part(parts, "bl"),
                                                 .tee = part(parts, "tee"), .snp = part(parts, "snp"),
                                                 .microcode = part(parts, "ucode") }));
        hwid = hex_encode(ext.hwid, ext.hwid_size);
        ck_assert_str_eq(hwid, want_hwid ? want_hwid : "");
        ck_assert(ext.has_csp_id == (csp_id != NULL));
        ck_assert_str_eq(ext.csp_id, csp_id ? csp_id : "");
}
END_TEST

/* AMD's own CAs */

static const struct {
        const char *kind;
        SnpCertRole role;
} cas[] = { { "ark", SNP_ROLE_ARK }, { "ask", SNP_ROLE_ASK }, { "asvk", SNP_ROLE_ASVK } };

START_TEST(amds_cas_have_the_profile_of_their_role) {
        json_object *entry = recorded_get(cas[_i / N_PRODUCTS].kind, (size_t) (_i % N_PRODUCTS));
        AUTO_X509 X509 *cert = load(recorded_str(entry, "file"));
        SnpProduct product;
        Error e = {};

        ck_assert_int_eq(snp_cert_role(cert, &product), cas[_i / N_PRODUCTS].role);
        ck_assert_str_eq(snp_product_name(product), strrchr(recorded_str(entry, "subject_cn"), '-') + 1);
        ck_assert_msg(snp_cert_check_profile(cert, cas[_i / N_PRODUCTS].role, &e) == 0, "%s", e.text);
}
END_TEST

START_TEST(amds_chain_files_are_as_good_as_their_certificates) {
        json_object *entry = vek_entry(_i);
        const char *product = recorded_str(entry, "product"), *kind = recorded_str(entry, "kind");
        AUTO_RECORDED_CERTS RecordedCerts c = recorded_certs(recorded_str(entry, "file"),
                                                             recorded_member(entry, "chain"));
        CLEANUP(snp_trust_freep) SnpTrust *trust = NULL;
        CLEANUP(snp_vek_freep) SnpVek *vek = NULL;
        AUTO_BLOB Blob pem = {};
        AUTO_FREE char *path = NULL;

        if (!recorded_is_true(recorded_member(entry, "expected"), "chain_ok"))
                return;
        ck_assert_int_gt(asprintf(&path, "amd/%s-%s-cert_chain.pem", product, kind), 0);
        pem = recorded_bytes(path);
        c.certs.others[0] = (SnpCertBytes){ pem.data, pem.size };
        c.certs.n_others = 1;
        ck_assert_int_eq(snp_trust_new_amd(&trust, NULL), 0);
        ck_assert_int_eq(snp_vek_new(trust, &c.certs, recorded_time(recorded_str(entry, "not_before")) + DAY, &vek,
                                     NULL),
                         0);
}
END_TEST

static const char *const products[N_PRODUCTS] = { "milan", "genoa", "turin" };
static const char *const ca_kinds[] = { "ask", "asvk" };

/* All pairs of an intermediate and a root but the right one. */
static void try_wrong_chains(json_object *entry) {
        const char *product = recorded_str(entry, "product");
        bool vlek = strcmp(recorded_str(entry, "kind"), "vlek") == 0;
        time_t at = recorded_time(recorded_str(entry, "not_before")) + DAY;

        for (size_t i = 0; i < N_PRODUCTS * N_PRODUCTS * N_ELEMENTS(ca_kinds); i++) {
                const char *ca = products[i % N_PRODUCTS], *root = products[i / N_PRODUCTS % N_PRODUCTS];
                size_t kind = i / N_PRODUCTS / N_PRODUCTS;
                AUTO_FREE char *text = NULL;
                json_object *chain;
                SnpVek *vek = NULL;

                if (strcmp(ca, product) == 0 && strcmp(root, product) == 0 && kind == vlek)
                        continue;
                ck_assert_int_gt(asprintf(&text, "[\"amd/%s-%s.der\", \"amd/%s-ark.der\"]", ca, ca_kinds[kind], root),
                                 0);
                chain = json_tokener_parse(text);
                ck_assert_msg(judge(recorded_str(entry, "file"), chain, at, &vek, NULL) < 0 && !vek, "%s under %s",
                              recorded_str(entry, "file"), text);
                (void) json_object_put(chain);
        }
}

START_TEST(no_other_pair_of_amds_cas_vouches_for_a_vek) {
        static const char *const veks[] = {
                "veks/milan-vcek-66a5a7b4-20250128-b67b09.der",
                "veks/genoa-vcek-371c55d6-20250527-71cdcd.der",
                "veks/turin-vcek-59790fb1-20260205-49d521.der",
                "veks/milan-vlek-csp-20241210-296a7c.der",
        };

        for (size_t i = 0; i < N_ELEMENTS(veks); i++)
                try_wrong_chains(recorded_find(veks[i]));
}
END_TEST

START_TEST(every_single_bit_flip_and_truncation_of_a_genuine_vcek_is_refused) {
        json_object *entry = recorded_find("veks/milan-vcek-66a5a7b4-20250128-b67b09.der");
        AUTO_RECORDED_CERTS RecordedCerts c = recorded_certs(recorded_str(entry, "file"),
                                                             recorded_member(entry, "chain"));
        time_t at = recorded_time(recorded_str(entry, "not_before")) + DAY;
        CLEANUP(snp_trust_freep) SnpTrust *trust = NULL;
        SnpVek *vek = NULL;

        ck_assert_int_eq(snp_trust_new_amd(&trust, NULL), 0);
        for (size_t bit = 0; bit < c.vek.size * 8; bit++) {
                c.vek.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
                ck_assert_msg(snp_vek_new(trust, &c.certs, at, &vek, NULL) < 0 && !vek, "bit %zu", bit);
                c.vek.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
        }
        for (size_t n = 0; n < c.vek.size; n++) {
                c.certs.vek.size = n;
                ck_assert_msg(snp_vek_new(trust, &c.certs, at, &vek, NULL) < 0 && !vek, "%zu bytes", n);
        }
        c.certs.vek.size = c.vek.size;
        ck_assert_int_eq(snp_vek_new(trust, &c.certs, at, &vek, NULL), 0);
        snp_vek_free(vek);
}
END_TEST

START_TEST(amds_root_as_a_test_root_is_announced_as_one) {
        AUTO_BLOB Blob ark = recorded_bytes("amd/milan-ark.der");
        CLEANUP(snp_trust_freep) SnpTrust *trust = NULL;
        json_object *entry = recorded_find("veks/milan-vcek-66a5a7b4-20250128-b67b09.der");
        AUTO_RECORDED_CERTS RecordedCerts c = recorded_certs(recorded_str(entry, "file"),
                                                             recorded_member(entry, "chain"));
        CLEANUP(snp_vek_freep) SnpVek *vek = NULL;

        ck_assert_int_eq(snp_trust_new_test(ark.data, ark.size, &trust, NULL), 0);
        ck_assert(snp_trust_is_test(trust));
        ck_assert_int_eq(snp_vek_new(trust, &c.certs, recorded_time(recorded_str(entry, "not_before")) + DAY, &vek,
                                     NULL),
                         0);
        ck_assert(snp_vek_is_test(vek));
}
END_TEST

int main(void) {
        Suite *suite;
        TCase *tc = tcase_create("recorded");
        int r;

        if (!recorded_load())
                return unit_skip("no recorded certificates");
        suite = suite_create("snp/vek, recorded");
        tcase_add_test(tc, the_manifest_has_the_certificates_that_we_expect);
        tcase_add_loop_test(tc, a_chain_holds_exactly_when_the_manifest_says_so, 0, N_VCEKS + N_VLEKS);
        tcase_add_loop_test(tc, extensions_are_what_others_read, 0, N_VCEKS + N_VLEKS);
        tcase_add_loop_test(tc, amds_cas_have_the_profile_of_their_role, 0, N_PRODUCTS * (int) N_ELEMENTS(cas));
        tcase_add_loop_test(tc, amds_chain_files_are_as_good_as_their_certificates, 0, N_VCEKS + N_VLEKS);
        tcase_add_test(tc, no_other_pair_of_amds_cas_vouches_for_a_vek);
        tcase_add_test(tc, every_single_bit_flip_and_truncation_of_a_genuine_vcek_is_refused);
        tcase_add_test(tc, amds_root_as_a_test_root_is_announced_as_one);
        suite_add_tcase(suite, tc);
        r = unit_run(suite);
        recorded_unload();
        return r;
}
