/* SPDX-License-Identifier: Apache-2.0 */
#include "keybroker-client/evidence-az.h"

#include <errno.h>
#include <string.h>

#include "base/base64.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/writer.h"
#include "keybroker-client/evidence.h"
#include "tests/simulator/hcl.h"
#include "tests/simulator/report.h"
#include "tests/unit/unit.h"
#include "vtpm/alg.h"
#include "vtpm/hcl.h"
#include "vtpm/nv.h"
#include "vtpm/signature.h"

static const uint8_t vcek[] = { 0x30, 0x82, 0xff, 0xfe, 0x3f };

/* Well-formed parts that nobody signed: the builder judges no signatures. */
typedef struct Parts {
        Blob hcl, signature;
        uint8_t attest[100];
        VtpmPcrValues pcrs;
        KbcAzEvidence in;
} Parts;

static void parts_done(Parts *p) {
        blob_done(&p->hcl);
        blob_done(&p->signature);
}
#define AUTO_PARTS CLEANUP(parts_done)

static Blob make_hcl(const SimReport *report, uint32_t type) {
        uint8_t bytes[SIM_REPORT_SIZE];
        SimHclFrame f = { .type = type, .report = bytes, .report_size = sizeof(bytes), .claims = "{}", .claims_size = 2,
                          .size = 2600 };
        Blob b = {};

        sim_report_encode(report, SIM_MILAN, bytes);
        ck_assert_int_eq(sim_hcl_frame(&f, &b), 0);
        return b;
}

static SimReport a_report(void) {
        const SimPki pki = { .product = SIM_MILAN, .tcb = sim_product(SIM_MILAN)->tcb };

        return sim_report_defaults(&pki);
}

static void make(Parts *p) {
        VtpmSignature sig = { .scheme = VTPM_ALG_RSASSA, .hash = VTPM_ALG_SHA256, .rsa_size = 256 };
        SimReport report = a_report();

        *p = (Parts){ .pcrs = { .hash = VTPM_ALG_SHA256, .mask = VTPM_PCR_MASK_ALL } };
        (void) memset(sig.rsa, 0xab, sig.rsa_size);
        (void) memset(p->attest, 0xcd, sizeof(p->attest));
        for (unsigned i = 0; i < VTPM_N_PCRS; i++)
                (void) memset(p->pcrs.values[i], (int) i, 32);
        ck_assert_int_eq(vtpm_signature_encode(&sig, &p->signature), 0);
        p->hcl = make_hcl(&report, VTPM_HCL_SNP);
        p->in = (KbcAzEvidence){
                .hcl = p->hcl.data, .hcl_size = p->hcl.size, .attest = p->attest, .attest_size = sizeof(p->attest),
                .signature = p->signature.data, .signature_size = p->signature.size, .pcrs = &p->pcrs,
                .vcek = vcek, .vcek_size = sizeof(vcek),
        };
}

static json_object *build(const KbcAzEvidence *in, unsigned *ret_warnings) {
        KbcEvidence evidence = {};
        json_object *o = NULL;
        Error e = {};
        int r = kbc_evidence_az(in, &evidence, ret_warnings, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        ck_assert_msg(json_parse(evidence.json.data, evidence.json.size, "evidence", &o, &e) == 0, "%s", e.text);
        blob_done(&evidence.json);
        return o;
}

static void must_refuse(const KbcAzEvidence *in, int code, const char *reason) {
        KbcEvidence evidence = {};
        Error e = {};
        int r = kbc_evidence_az(in, &evidence, NULL, &e);

        ck_assert_msg(r == code && strcmp(error_reason(&e, r), reason) == 0, "%d %s: %s", r, error_reason(&e, r),
                      error_text(&e, r));
        ck_assert_ptr_null(evidence.json.data);
}

static const char *text_in(json_object *o, const char *name) {
        const char *text = NULL;

        ck_assert_msg(json_get_str(o, name, 30000, &text, NULL) == 0, "%s", name);
        return text;
}

static Blob base64_in(json_object *o, const char *name) {
        const char *text = text_in(o, name);
        Blob b = {};

        ck_assert_int_eq(base64_decode(BASE64_URL_PADDED, text, strlen(text), 30000, &b), 0);
        return b;
}

START_TEST(evidence_has_the_members_of_version_2_and_no_others) {
        AUTO_PARTS Parts p;
        AUTO_JSON json_object *o = NULL;
        AUTO_BLOB Blob hcl = {}, cert = {};
        json_object *quote = NULL, *pcrs = NULL;
        uint64_t version = 0;
        unsigned warnings = 99;

        make(&p);
        o = build(&p.in, &warnings);
        ck_assert_uint_eq(warnings, 0);
        ck_assert_int_eq(json_object_object_length(o), 4);
        ck_assert_int_eq(json_get_u64(o, "version", 9, &version, NULL), 0);
        ck_assert_uint_eq(version, 2);
        hcl = base64_in(o, "hcl_report");
        ck_assert(blob_equal(&hcl, &p.hcl));
        cert = base64_in(o, "vcek");
        ck_assert_uint_eq(cert.size, sizeof(vcek));
        ck_assert_mem_eq(cert.data, vcek, sizeof(vcek));
        ck_assert_int_eq(json_get_obj(o, "tpm_quote", &quote, NULL), 0);
        ck_assert_int_eq(json_object_object_length(quote), 3);
        ck_assert_uint_eq(strlen(text_in(quote, "signature")), 512); /* the bare number, without its TPMT_SIGNATURE */
        ck_assert_int_eq(strncmp(text_in(quote, "signature"), "abab", 4), 0);
        ck_assert_uint_eq(strlen(text_in(quote, "message")), 200);
        ck_assert_int_eq(json_get_array(quote, "pcrs", 24, &pcrs, NULL), 0);
        ck_assert_uint_eq(json_object_array_length(pcrs), 24);
        ck_assert_int_eq(strncmp(json_object_get_string(json_object_array_get_idx(pcrs, 23)), "1717", 4), 0);
} END_TEST

START_TEST(parts_that_the_format_cannot_carry_are_refused) {
        AUTO_PARTS Parts p;
        KbcAzEvidence in;

        make(&p);
        in = p.in;
        in.vcek = NULL;
        must_refuse(&in, -ENOENT, "no-certificate");
        in = p.in;
        in.vcek_size = 0;
        must_refuse(&in, -ENOENT, "no-certificate");
        in.vcek_size = 8193;
        must_refuse(&in, -E2BIG, "certificate-too-large");
        in = p.in;
        in.hcl_size = VTPM_NV_SIZE_MAX + 1;
        must_refuse(&in, -E2BIG, "evidence-size");
        in = p.in;
        in.hcl_size = 1000;
        must_refuse(&in, -EBADMSG, "malformed");
        in = p.in;
        in.signature_size--;
        must_refuse(&in, -EBADMSG, "malformed");
        in = p.in;
        p.pcrs.mask = 0xff;
        must_refuse(&in, -EOPNOTSUPP, "quote-pcrs");
        p.pcrs.mask = VTPM_PCR_MASK_ALL;
        p.pcrs.hash = VTPM_ALG_SHA384;
        must_refuse(&in, -EOPNOTSUPP, "quote-pcrs");
} END_TEST

START_TEST(quotes_of_other_schemes_are_refused) {
        static const struct { uint16_t scheme, hash; } other[] = {
                { VTPM_ALG_RSAPSS, VTPM_ALG_SHA256 }, { VTPM_ALG_RSASSA, VTPM_ALG_SHA1 },
                { VTPM_ALG_RSASSA, VTPM_ALG_SHA384 }, { VTPM_ALG_ECDSA, VTPM_ALG_SHA256 },
        };

        for (size_t i = 0; i < N_ELEMENTS(other); i++) {
                VtpmSignature sig = { .scheme = other[i].scheme, .hash = other[i].hash, .rsa_size = 256, .r_size = 32,
                                      .s_size = 32 };
                AUTO_BLOB Blob bytes = {};
                AUTO_PARTS Parts p;

                make(&p);
                ck_assert_int_eq(vtpm_signature_encode(&sig, &bytes), 0);
                p.in.signature = bytes.data;
                p.in.signature_size = bytes.size;
                must_refuse(&p.in, -EOPNOTSUPP, "quote-scheme");
        }
} END_TEST

START_TEST(reports_of_other_platforms_are_refused) {
        AUTO_PARTS Parts p;
        SimReport report = a_report();
        AUTO_BLOB Blob tdx = {}, unknown = {};

        make(&p);
        tdx = make_hcl(&report, VTPM_HCL_TDX);
        p.in.hcl = tdx.data;
        must_refuse(&p.in, -EOPNOTSUPP, "hcl-not-snp");
        unknown = make_hcl(&report, VTPM_HCL_SNP);
        store_le32(unknown.data + 0x20, 99);
        p.in.hcl = unknown.data;
        must_refuse(&p.in, -EOPNOTSUPP, "report-version");
} END_TEST

START_TEST(what_the_broker_will_refuse_is_told_beforehand) {
        AUTO_PARTS Parts p;
        AUTO_BLOB Blob hcl = {};
        AUTO_JSON json_object *o = NULL;
        SimReport report = a_report();
        unsigned warnings = 0;

        make(&p);
        report.version = 2;
        report.vmpl = 3;
        report.signer = SIM_SIGNER_NONE;
        hcl = make_hcl(&report, VTPM_HCL_SNP);
        p.in.hcl = hcl.data;
        o = build(&p.in, &warnings);
        ck_assert_uint_eq(warnings, KBC_EVIDENCE_WARN_VERSION | KBC_EVIDENCE_WARN_VMPL | KBC_EVIDENCE_WARN_UNSIGNED);
} END_TEST

/* ---- what a real machine sent ---- */

static void recorded_parts(json_object *want, Parts *p, Blob *attest, Blob *cert) {
        VtpmSignature sig = { .scheme = VTPM_ALG_RSASSA, .hash = VTPM_ALG_SHA256 };
        json_object *quote = NULL, *pcrs = NULL;
        const char *hex;

        *p = (Parts){ .pcrs = { .hash = VTPM_ALG_SHA256, .mask = VTPM_PCR_MASK_ALL } };
        ck_assert_int_eq(json_get_obj(want, "tpm_quote", &quote, NULL), 0);
        hex = text_in(quote, "signature");
        sig.rsa_size = strlen(hex) / 2;
        ck_assert_int_eq(hex_decode_exact(hex, strlen(hex), sig.rsa, sig.rsa_size), 0);
        ck_assert_int_eq(vtpm_signature_encode(&sig, &p->signature), 0);
        hex = text_in(quote, "message");
        ck_assert_int_eq(hex_decode(hex, strlen(hex), 1024, attest), 0);
        ck_assert_int_eq(json_get_array(quote, "pcrs", 24, &pcrs, NULL), 0);
        for (unsigned i = 0; i < VTPM_N_PCRS; i++) {
                hex = json_object_get_string(json_object_array_get_idx(pcrs, i));
                ck_assert_int_eq(hex_decode_exact(hex, strlen(hex), p->pcrs.values[i], 32), 0);
        }
        p->hcl = base64_in(want, "hcl_report");
        *cert = base64_in(want, "vcek");
        p->in = (KbcAzEvidence){
                .hcl = p->hcl.data, .hcl_size = p->hcl.size, .attest = attest->data, .attest_size = attest->size,
                .signature = p->signature.data, .signature_size = p->signature.size, .pcrs = &p->pcrs,
                .vcek = cert->data, .vcek_size = cert->size,
        };
}

START_TEST(recorded_evidence_comes_out_as_it_was) {
        AUTO_BLOB Blob file = {}, attest = {}, cert = {};
        AUTO_JSON json_object *all = NULL, *got = NULL;
        json_object *want = NULL;
        AUTO_PARTS Parts p = {};
        unsigned warnings = 99;

        if (!vectors_dir())
                return;
        file = vector_read("kbs/az_snp_vtpm_evidence_v2.json");
        ck_assert_int_eq(json_parse(file.data, file.size, "vector", &all, NULL), 0);
        ck_assert_int_eq(json_get_obj(all, "evidence", &want, NULL), 0);
        recorded_parts(want, &p, &attest, &cert);
        got = build(&p.in, &warnings);
        ck_assert_uint_eq(warnings, 0);
        ck_assert_msg(json_object_equal(want, got), "%s", json_object_to_json_string(got));
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("evidence-az");
        TCase *tc = tcase_create("build");

        tcase_add_test(tc, evidence_has_the_members_of_version_2_and_no_others);
        tcase_add_test(tc, parts_that_the_format_cannot_carry_are_refused);
        tcase_add_test(tc, quotes_of_other_schemes_are_refused);
        tcase_add_test(tc, reports_of_other_platforms_are_refused);
        tcase_add_test(tc, what_the_broker_will_refuse_is_told_beforehand);
        tcase_add_test(tc, recorded_evidence_comes_out_as_it_was);
        suite_add_tcase(s, tc);
        return s;
}

int main(void) {
        return unit_run(suite());
}
