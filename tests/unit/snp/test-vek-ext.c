/* SPDX-License-Identifier: Apache-2.0 */

/* snp/vek-ext.c, through snp_vek_new(): AMD's certificate extensions, each of them malformed in every way we know. */

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/snp/forge.h"
#include "tests/unit/unit.h"

static SimPki *pkis[SIM_N_PRODUCTS];

#define HWID_16 "0123456789abcdef"
#define HWID_64 HWID_16 HWID_16 HWID_16 HWID_16

/* A VCEK or VLEK with extension @suffix taken away (when it is there) and put back as @size bytes (unless NULL). */
typedef struct Change {
        SimProduct product;
        SimKey vek;
        const char *suffix;
        const char *value;
        size_t size;
        const char *text; /* of the refusal; NULL: accepted */
} Change;

#define BYTES(s) s, sizeof(s) - 1
#define GONE NULL, 0

static bool has_ext(const X509 *cert, const char *suffix) {
        char dotted[64];
        ASN1_OBJECT *oid;
        int at;

        (void) snprintf(dotted, sizeof(dotted), "1.3.6.1.4.1.3704.1.%s", suffix);
        oid = OBJ_txt2obj(dotted, 1);
        at = X509_get_ext_by_OBJ(cert, oid, -1);
        ASN1_OBJECT_free(oid);
        return at >= 0;
}

static EVP_PKEY *issuer_key(const SimPki *pki, SimKey vek) {
        return pki->keys[vek == SIM_VCEK ? SIM_ASK : SIM_ASVK];
}

static void resign(const SimPki *pki, SimKey vek, X509 *cert, Evidence *ret) {
        *ret = forge_evidence(pki, vek);
        blob_done(&ret->vek);
        ret->vek = forge_sign(cert, issuer_key(pki, vek));
        X509_free(cert);
}

static Evidence changed(const Change *c) {
        const SimPki *pki = pkis[c->product];
        X509 *cert = forge_copy(pki, c->vek);
        Evidence evidence;

        if (has_ext(cert, c->suffix))
                forge_ext_remove(cert, c->suffix);
        if (c->value)
                forge_ext_add(cert, c->suffix, c->value, c->size, false);
        resign(pki, c->vek, cert, &evidence);
        return evidence;
}

static const Change refused[] = {
        { SIM_MILAN, SIM_VCEK, "1", GONE, "structVersion is missing" },
        { SIM_MILAN, SIM_VCEK, "2", GONE, "productName is missing" },
        { SIM_MILAN, SIM_VCEK, "3.1", GONE, "blSPL is missing" },
        { SIM_MILAN, SIM_VCEK, "3.2", GONE, "teeSPL is missing" },
        { SIM_MILAN, SIM_VCEK, "3.3", GONE, "snpSPL is missing" },
        { SIM_MILAN, SIM_VCEK, "3.4", GONE, "spl_4 is missing" },
        { SIM_MILAN, SIM_VCEK, "3.5", GONE, "spl_5 is missing" },
        { SIM_MILAN, SIM_VCEK, "3.6", GONE, "spl_6 is missing" },
        { SIM_MILAN, SIM_VCEK, "3.7", GONE, "spl_7 is missing" },
        { SIM_MILAN, SIM_VCEK, "3.8", GONE, "ucodeSPL is missing" },
        { SIM_MILAN, SIM_VCEK, "4", GONE, "hwID is missing" },
        { SIM_MILAN, SIM_VLEK, "5", GONE, "CSP_ID is missing" },
        { SIM_TURIN, SIM_VCEK, "3.9", GONE, "fmcSPL is missing" },
        { SIM_TURIN, SIM_VCEK, "3.5", GONE, "spl_5 is missing" },
        { SIM_MILAN, SIM_VCEK, "3.9", BYTES("\x02\x01\x00"), "fmcSPL does not belong" },
        { SIM_TURIN, SIM_VCEK, "3.4", BYTES("\x02\x01\x00"), "spl_4 does not belong" },
        { SIM_MILAN, SIM_VCEK, "1", BYTES("\x02\x01\x02"), "structVersion 2 is not known" },
        { SIM_MILAN, SIM_VCEK, "1", BYTES("\x02\x01\x01"), "spl_4 does not belong" },
        { SIM_TURIN, SIM_VCEK, "1", BYTES("\x02\x01\x00"), "spl_4 is missing" },
        { SIM_MILAN, SIM_VCEK, "3.8", BYTES("\x02\x01\x80"), "INTEGER" },         /* -128 */
        { SIM_MILAN, SIM_VCEK, "3.8", BYTES("\x02\x02\x00\x7f"), "INTEGER" },     /* one byte too long */
        { SIM_MILAN, SIM_VCEK, "3.8", BYTES("\x02\x02\x00\x00"), "INTEGER" },
        { SIM_MILAN, SIM_VCEK, "3.8", BYTES("\x02\x02\x01\x00"), "INTEGER" },     /* 256 */
        { SIM_MILAN, SIM_VCEK, "3.8", BYTES("\x02\x02\xff\xd1"), "INTEGER" },
        { SIM_MILAN, SIM_VCEK, "3.8", BYTES("\x02\x03\x00\x00\xd1"), "INTEGER" },
        { SIM_MILAN, SIM_VCEK, "3.8", BYTES("\x02\x81\x01\x05"), "INTEGER" },     /* long form of the length */
        { SIM_MILAN, SIM_VCEK, "3.8", BYTES("\x02\x00"), "INTEGER" },
        { SIM_MILAN, SIM_VCEK, "3.8", BYTES("\x02\x01"), "INTEGER" },
        { SIM_MILAN, SIM_VCEK, "3.8", BYTES("\x02"), "INTEGER" },
        { SIM_MILAN, SIM_VCEK, "3.8", BYTES("\x02\x01\x05\x00"), "INTEGER" },     /* trailing byte */
        { SIM_MILAN, SIM_VCEK, "3.8", BYTES("\x04\x01\x05"), "INTEGER" },         /* OCTET STRING */
        { SIM_MILAN, SIM_VCEK, "3.8", BYTES("\x0a\x01\x05"), "INTEGER" },         /* ENUMERATED */
        { SIM_MILAN, SIM_VCEK, "3.8", BYTES("\x05"), "INTEGER" },
        { SIM_MILAN, SIM_VCEK, "2", BYTES("\x16\x05Turin"), "productName is Turin but the issuer is Milan's" },
        { SIM_MILAN, SIM_VCEK, "2", BYTES("\x16\x05Genoa"), "productName is Genoa" },
        { SIM_MILAN, SIM_VCEK, "2", BYTES("\x16\x06Venice"), "'Venice' is no known product line" },
        { SIM_MILAN, SIM_VCEK, "2", BYTES("\x16\x05milan"), "no known product line" },
        { SIM_MILAN, SIM_VCEK, "2", BYTES("\x16\x00"), "no known product line" },
        { SIM_MILAN, SIM_VCEK, "2", BYTES("\x0c\x05Milan"), "IA5String" },        /* UTF8String */
        { SIM_MILAN, SIM_VCEK, "2", BYTES("Milan"), "IA5String" },
        { SIM_MILAN, SIM_VCEK, "2", BYTES("\x16\x06Milan"), "IA5String" },
        { SIM_MILAN, SIM_VCEK, "2", BYTES("\x16\x04Milan"), "IA5String" },
        { SIM_MILAN, SIM_VCEK, "2", BYTES("\x16\x06Milan\0"), "IA5String" },
        { SIM_MILAN, SIM_VCEK, "4", BYTES(""), "hwID" },
        { SIM_MILAN, SIM_VCEK, "4", BYTES(HWID_16), "64 bytes" },
        { SIM_MILAN, SIM_VCEK, "4", BYTES("01234567"), "64 bytes" },              /* Turin's length */
        { SIM_MILAN, SIM_VCEK, "4", BYTES(HWID_64 "x"), "64 bytes" },
        { SIM_MILAN, SIM_VCEK, "4", BYTES(HWID_64 "xy"), "64 bytes" },            /* 66 bytes without a header */
        { SIM_MILAN, SIM_VCEK, "4", BYTES("\x04\x41" HWID_64), "64 bytes" },
        { SIM_MILAN, SIM_VCEK, "4", BYTES("\x02\x40" HWID_64), "64 bytes" },
        { SIM_MILAN, SIM_VCEK, "4", BYTES("\x04\x40" HWID_64 "x"), "64 bytes" },
        { SIM_TURIN, SIM_VCEK, "4", BYTES(HWID_64), "8 bytes" },
        { SIM_TURIN, SIM_VCEK, "4", BYTES("\x04\x09" "01234567"), "8 bytes" },
        { SIM_TURIN, SIM_VCEK, "4", BYTES("0123456"), "8 bytes" },
        { SIM_MILAN, SIM_VCEK, "5", BYTES("\x16\x04" "CN=x"), "exclude each other" },
        { SIM_MILAN, SIM_VLEK, "4", BYTES(HWID_64), "exclude each other" },
        { SIM_MILAN, SIM_VLEK, "5", BYTES("\x16\x00"), "CSP_ID is empty" },
        { SIM_MILAN, SIM_VLEK, "5", BYTES("\x16\x03" "a\nb"), "printable" },
        { SIM_MILAN, SIM_VLEK, "5", BYTES("\x16\x02" "\xc3\xa4"), "printable" },
        { SIM_MILAN, SIM_VLEK, "5", BYTES("\x16\x03" "a\0b"), "printable" },
        { SIM_MILAN, SIM_VLEK, "5", BYTES("\x16\x81\x80" HWID_64 HWID_64), "short" },
};

START_TEST(a_malformed_extension_is_refused_by_name) {
        AUTO_EVIDENCE Evidence evidence = changed(&refused[_i]);

        forge_refused(pkis[refused[_i].product], &evidence, -EBADMSG, NULL, refused[_i].text);
}
END_TEST

static const Change accepted[] = {
        { SIM_MILAN, SIM_VCEK, "2", BYTES("\x16\x08Milan-B0"), NULL },
        { SIM_MILAN, SIM_VCEK, "2", BYTES("\x16\x05Milan"), NULL },
        { SIM_GENOA, SIM_VCEK, "2", BYTES("\x16\x05Siena"), NULL },
        { SIM_GENOA, SIM_VCEK, "2", BYTES("\x16\x07" "Bergamo"), NULL },
        { SIM_MILAN, SIM_VCEK, "6", BYTES("anything"), NULL }, /* AMD may add to its arc */
        { SIM_MILAN, SIM_VCEK, "3.10", BYTES("\x02\x01\x07"), NULL },
};

START_TEST(a_harmless_variation_is_accepted) {
        AUTO_EVIDENCE Evidence evidence = changed(&accepted[_i]);
        CLEANUP(snp_vek_freep) SnpVek *vek = NULL;
        Error e = {};
        int r = forge_judge(pkis[accepted[_i].product], &evidence, &vek, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
}
END_TEST

/* The extension of every part, and where the value must come out: structVersion 0, then 1. */
static const struct {
        SimProduct product;
        const char *suffix;
        size_t offset; /* in SnpTcb */
} parts[] = {
        { SIM_MILAN, "3.1", offsetof(SnpTcb, boot_loader) }, { SIM_MILAN, "3.2", offsetof(SnpTcb, tee) },
        { SIM_MILAN, "3.3", offsetof(SnpTcb, snp) },         { SIM_MILAN, "3.8", offsetof(SnpTcb, microcode) },
        { SIM_TURIN, "3.9", offsetof(SnpTcb, fmc) },         { SIM_TURIN, "3.1", offsetof(SnpTcb, boot_loader) },
        { SIM_TURIN, "3.2", offsetof(SnpTcb, tee) },         { SIM_TURIN, "3.3", offsetof(SnpTcb, snp) },
        { SIM_TURIN, "3.8", offsetof(SnpTcb, microcode) },
};

START_TEST(patch_levels_reach_their_part_of_the_tcb) {
        static const struct {
                const char *der;
                size_t size;
                uint8_t value;
        } values[] = {
                { BYTES("\x02\x01\x00"), 0 },      { BYTES("\x02\x01\x7f"), 0x7f },
                { BYTES("\x02\x02\x00\x80"), 0x80 }, { BYTES("\x02\x02\x00\xff"), 0xff },
        };

        for (size_t i = 0; i < N_ELEMENTS(values); i++) {
                Change c = { parts[_i].product, SIM_VCEK, parts[_i].suffix, values[i].der, values[i].size, NULL };
                AUTO_EVIDENCE Evidence evidence = changed(&c);
                CLEANUP(snp_vek_freep) SnpVek *vek = NULL;
                Error e = {};

                ck_assert_msg(forge_judge(pkis[c.product], &evidence, &vek, &e) == 0, "%s", e.text);
                ck_assert_uint_eq(((const uint8_t *) snp_vek_tcb(vek))[parts[_i].offset], values[i].value);
        }
}
END_TEST

static const struct {
        SimProduct product;
        const char *value;
        size_t size;
        const char *hwid;
        size_t hwid_size;
} hwids[] = {
        { SIM_MILAN, BYTES(HWID_64), BYTES(HWID_64) },
        { SIM_MILAN, BYTES("\x04\x40" HWID_64), BYTES(HWID_64) },
        { SIM_MILAN, BYTES("\x04\x40" "23456789abcdef" HWID_16 HWID_16 HWID_16),   /* raw, but looks wrapped */
          BYTES("\x04\x40" "23456789abcdef" HWID_16 HWID_16 HWID_16) },
        { SIM_MILAN, BYTES("\x04\x40\x04\x40" "23456789abcdef" HWID_16 HWID_16 HWID_16),
          BYTES("\x04\x40" "23456789abcdef" HWID_16 HWID_16 HWID_16) },
        { SIM_TURIN, BYTES("01234567"), BYTES("01234567") },
        { SIM_TURIN, BYTES("\x04\x08" "01234567"), BYTES("01234567") },
        { SIM_TURIN, BYTES("\x04\x06" "012345"), BYTES("\x04\x06" "012345") },
};

START_TEST(hwid_is_told_from_a_wrapped_one_by_its_length) {
        Change c = { hwids[_i].product, SIM_VCEK, "4", hwids[_i].value, hwids[_i].size, NULL };
        AUTO_EVIDENCE Evidence evidence = changed(&c);
        CLEANUP(snp_vek_freep) SnpVek *vek = NULL;
        const uint8_t *hwid;
        size_t n = 0;
        Error e = {};

        ck_assert_msg(forge_judge(pkis[c.product], &evidence, &vek, &e) == 0, "%s", e.text);
        hwid = snp_vek_hwid(vek, &n);
        ck_assert_uint_eq(n, hwids[_i].hwid_size);
        ck_assert_mem_eq(hwid, hwids[_i].hwid, n);
        ck_assert_ptr_null(snp_vek_csp_id(vek));
}
END_TEST

START_TEST(an_extension_that_is_there_twice_is_refused) {
        static const char *const suffixes[] = { "1", "2", "3.1", "3.2", "3.3", "3.4", "3.5", "3.6", "3.7", "3.8", "4" };
        const SimPki *pki = pkis[SIM_MILAN];

        for (size_t i = 0; i < N_ELEMENTS(suffixes); i++) {
                AUTO_EVIDENCE Evidence evidence = {};
                X509 *cert = forge_copy(pki, SIM_VCEK);

                ck_assert(has_ext(cert, suffixes[i]));
                forge_ext_add(cert, suffixes[i], "\x02\x01\x01", 3, false);
                resign(pki, SIM_VCEK, cert, &evidence);
                forge_refused(pki, &evidence, -EBADMSG, "cert-extension", "is there twice");
        }
}
END_TEST

START_TEST(an_unknown_critical_extension_is_refused) {
        const SimPki *pki = pkis[SIM_MILAN];
        AUTO_EVIDENCE Evidence evidence = {};
        X509 *cert = forge_copy(pki, SIM_VCEK);

        forge_ext_add(cert, "6", "\x02\x01\x01", 3, true);
        resign(pki, SIM_VCEK, cert, &evidence);
        forge_refused(pki, &evidence, -EKEYREJECTED, "cert-chain", "critical");
}
END_TEST

START_TEST(struct_version_must_be_that_of_the_product) {
        static const struct {
                SimProduct from, to;
                const char *issuer, *name, *text;
        } rows[] = {
                { SIM_TURIN, SIM_MILAN, "SEV-Milan", "\x16\x05Milan", "structVersion is not that of Milan" },
                { SIM_MILAN, SIM_TURIN, "SEV-Turin", "\x16\x05Turin", "structVersion is not that of Turin" },
        };

        for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
                X509 *cert = forge_copy(pkis[rows[i].from], SIM_VCEK);
                AUTO_EVIDENCE Evidence evidence = {};

                forge_name(cert, false, 5, rows[i].issuer);
                forge_ext_remove(cert, "2");
                forge_ext_add(cert, "2", rows[i].name, strlen(rows[i].name), false);
                resign(pkis[rows[i].to], SIM_VCEK, cert, &evidence);
                forge_refused(pkis[rows[i].to], &evidence, -EBADMSG, "cert-product", rows[i].text);
        }
}
END_TEST

START_TEST(csp_id_of_the_greatest_length_is_kept_whole) {
        char value[2 + 127];
        Change c = { SIM_MILAN, SIM_VLEK, "5", value, sizeof(value), NULL };
        CLEANUP(snp_vek_freep) SnpVek *vek = NULL;
        AUTO_EVIDENCE Evidence evidence = {};
        size_t n = 1;

        value[0] = 0x16;
        value[1] = 127;
        (void) memset(value + 2, 'c', 127);
        evidence = changed(&c);
        ck_assert_int_eq(forge_judge(pkis[SIM_MILAN], &evidence, &vek, NULL), 0);
        ck_assert_uint_eq(strlen(snp_vek_csp_id(vek)), 127);
        (void) snp_vek_hwid(vek, &n);
        ck_assert_uint_eq(n, 0);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("snp/vek-ext");
        TCase *tc = tcase_create("vek-ext");
        int r;

        for (SimProduct p = 0; p < SIM_N_PRODUCTS; p++)
                pkis[p] = forge_pki(p);
        tcase_add_loop_test(tc, a_malformed_extension_is_refused_by_name, 0, N_ELEMENTS(refused));
        tcase_add_loop_test(tc, a_harmless_variation_is_accepted, 0, N_ELEMENTS(accepted));
        tcase_add_loop_test(tc, patch_levels_reach_their_part_of_the_tcb, 0, N_ELEMENTS(parts));
        tcase_add_loop_test(tc, hwid_is_told_from_a_wrapped_one_by_its_length, 0, N_ELEMENTS(hwids));
        tcase_add_test(tc, an_extension_that_is_there_twice_is_refused);
        tcase_add_test(tc, an_unknown_critical_extension_is_refused);
        tcase_add_test(tc, struct_version_must_be_that_of_the_product);
        tcase_add_test(tc, csp_id_of_the_greatest_length_is_kept_whole);
        suite_add_tcase(suite, tc);
        r = unit_run(suite);
        for (SimProduct p = 0; p < SIM_N_PRODUCTS; p++)
                sim_pki_free(pkis[p]);
        return r;
}
