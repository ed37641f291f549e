/* SPDX-License-Identifier: Apache-2.0 */
#include "keybroker-client/evidence.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/reader.h"
#include "base/writer.h"
#include "tests/simulator/report.h"
#include "tests/unit/unit.h"

static SimReport report_of(SimProduct product, uint32_t version, SimSigner signer) {
        const SimPki pki = { .product = product, .tcb = sim_product(product)->tcb, .chip_id = { 0xc1, 0xc2, 0, 0xff } };
        SimReport r = sim_report_defaults(&pki);

        r.version = version;
        r.signer = signer;
        r.vmpl = 0;
        r.guest_svn = 7;
        r.current.ucode = 0xfe;
        r.current.fmc = r.current.fmc ? 0xfd : 0;
        r.launch_mit_vector = UINT64_C(0x8000000000000001);
        r.current_mit_vector = UINT64_MAX;
        (void) memset(r.report_data, 0xd1, sizeof(r.report_data));
        (void) memset(r.measurement, 0x3e, sizeof(r.measurement));
        (void) memset(r.host_data, 0x0a, sizeof(r.host_data));
        (void) memset(r.family_id, 0x64, sizeof(r.family_id));
        (void) memset(r.image_id, 0x63, sizeof(r.image_id));
        (void) memset(r.report_id_ma, 0xff, sizeof(r.report_id_ma));
        return r;
}

static void encode(const SimReport *r, SimProduct product, uint8_t ret[static SIM_REPORT_SIZE]) {
        sim_report_encode(r, product, ret);
        for (size_t i = 0; i < 48; i++) {
                ret[0x2a0 + i] = (uint8_t) (i + 1);
                ret[0x2e8 + i] = (uint8_t) (200 + i);
        }
}

static json_object *build(const uint8_t *report, const Blob *table, const Blob *vcek, unsigned *ret_warnings) {
        const KbcSnpEvidence in = {
                .report = report,
                .report_size = SIM_REPORT_SIZE,
                .cert_table = table ? table->data : NULL,
                .cert_table_size = table ? table->size : 0,
                .vcek = vcek ? vcek->data : NULL,
                .vcek_size = vcek ? vcek->size : 0,
        };
        KbcEvidence evidence = {};
        json_object *o = NULL;
        Error e = {};

        ck_assert_msg(kbc_evidence_snp(&in, &evidence, ret_warnings, &e) == 0, "%s", e.text);
        ck_assert_msg(json_parse(evidence.json.data, evidence.json.size, "evidence", &o, &e) == 0, "%s", e.text);
        blob_done(&evidence.json);
        return o;
}

static json_object *get(json_object *o, const char *name) {
        json_object *v;

        ck_assert_msg(json_object_object_get_ex(o, name, &v), "no member %s", name);
        return v;
}

static void put_array(uint8_t *to, json_object *o, const char *name, size_t n) {
        json_object *a = get(o, name);

        ck_assert_uint_eq(json_object_array_length(a), n);
        for (size_t i = 0; i < n; i++) {
                int64_t v = json_object_get_int64(json_object_array_get_idx(a, i));

                ck_assert(v >= 0 && v <= 255);
                to[i] = (uint8_t) v;
        }
}

static uint64_t number(json_object *o, const char *name) {
        ck_assert(json_object_is_type(get(o, name), json_type_int));
        return json_object_get_uint64(get(o, name));
}

static void put_tcb(uint8_t *to, json_object *report, const char *name, bool turin) {
        json_object *tcb = get(report, name);
        size_t at = 0;

        ck_assert_int_eq(json_object_object_length(tcb), 5);
        if (turin)
                to[at++] = (uint8_t) number(tcb, "fmc");
        else
                ck_assert_ptr_null(get(tcb, "fmc"));
        to[at++] = (uint8_t) number(tcb, "bootloader");
        to[at++] = (uint8_t) number(tcb, "tee");
        to[turin ? at : 6] = (uint8_t) number(tcb, "snp");
        to[7] = (uint8_t) number(tcb, "microcode");
}

static void put_version(uint8_t *to, json_object *report, const char *name) {
        json_object *v = get(report, name);

        to[0] = (uint8_t) number(v, "build");
        to[1] = (uint8_t) number(v, "minor");
        to[2] = (uint8_t) number(v, "major");
}

/* What a verifier does: the report's bytes from the members, with zeros for all that has none. */
static void rebuild(json_object *r, bool turin, uint8_t ret[static SIM_REPORT_SIZE]) {
        json_object *signature = get(r, "signature");

        (void) memset(ret, 0, SIM_REPORT_SIZE);
        ck_assert_int_eq(json_object_object_length(r), 29);
        store_le32(ret, (uint32_t) number(r, "version"));
        store_le32(ret + 0x04, (uint32_t) number(r, "guest_svn"));
        store_le64(ret + 0x08, number(r, "policy"));
        put_array(ret + 0x10, r, "family_id", 16);
        put_array(ret + 0x20, r, "image_id", 16);
        store_le32(ret + 0x30, (uint32_t) number(r, "vmpl"));
        store_le32(ret + 0x34, (uint32_t) number(r, "sig_algo"));
        put_tcb(ret + 0x38, r, "current_tcb", turin);
        store_le64(ret + 0x40, number(r, "plat_info"));
        store_le32(ret + 0x48, (uint32_t) number(r, "key_info"));
        put_array(ret + 0x50, r, "report_data", 64);
        put_array(ret + 0x90, r, "measurement", 48);
        put_array(ret + 0xc0, r, "host_data", 32);
        put_array(ret + 0xe0, r, "id_key_digest", 48);
        put_array(ret + 0x110, r, "author_key_digest", 48);
        put_array(ret + 0x140, r, "report_id", 32);
        put_array(ret + 0x160, r, "report_id_ma", 32);
        put_tcb(ret + 0x180, r, "reported_tcb", turin);
        if (get(r, "cpuid_fam_id")) {
                ret[0x188] = (uint8_t) number(r, "cpuid_fam_id");
                ret[0x189] = (uint8_t) number(r, "cpuid_mod_id");
                ret[0x18a] = (uint8_t) number(r, "cpuid_step");
        }
        put_array(ret + 0x1a0, r, "chip_id", 64);
        put_tcb(ret + 0x1e0, r, "committed_tcb", turin);
        put_version(ret + 0x1e8, r, "current");
        put_version(ret + 0x1ec, r, "committed");
        put_tcb(ret + 0x1f0, r, "launch_tcb", turin);
        if (get(r, "launch_mit_vector")) {
                store_le64(ret + 0x1f8, number(r, "launch_mit_vector"));
                store_le64(ret + 0x200, number(r, "current_mit_vector"));
        }
        ck_assert_int_eq(json_object_object_length(signature), 2);
        put_array(ret + 0x2a0, signature, "r", 72);
        put_array(ret + 0x2e8, signature, "s", 72);
}

static const struct {
        SimProduct product;
        uint32_t version;
        unsigned warnings;
} kinds[] = {
        { SIM_MILAN, 2, KBC_EVIDENCE_WARN_VERSION },
        { SIM_MILAN, 3, 0 },
        { SIM_GENOA, 3, 0 },
        { SIM_GENOA, 5, 0 },
        { SIM_TURIN, 4, 0 },
        { SIM_TURIN, 5, 0 },
};

START_TEST(members_rebuild_the_signed_report) {
        SimReport r = report_of(kinds[_i].product, kinds[_i].version, SIM_SIGNER_VCEK);
        uint8_t want[SIM_REPORT_SIZE], got[SIM_REPORT_SIZE];
        AUTO_JSON json_object *o = NULL;
        unsigned warnings = 99;

        encode(&r, kinds[_i].product, want);
        o = build(want, NULL, NULL, &warnings);
        ck_assert_int_eq(json_object_object_length(o), 2);
        ck_assert_ptr_null(get(o, "cert_chain"));
        rebuild(get(o, "attestation_report"), kinds[_i].product == SIM_TURIN, got);
        ck_assert_mem_eq(got, want, sizeof(want));
        ck_assert_uint_eq(warnings, kinds[_i].warnings);
        ck_assert_int_eq(get(get(o, "attestation_report"), "cpuid_step") == NULL, kinds[_i].version == 2);
        ck_assert_int_eq(get(get(o, "attestation_report"), "current_mit_vector") == NULL, kinds[_i].version < 5);
}
END_TEST

static const char vcek[] = "the VCEK", vlek[] = "a VLEK", ask[] = "ASK", ark[] = "ARK", crl[] = "a CRL";
static const uint8_t vendor_guid[16] = { 0x77 };

#define ENTRY(name, text) { sim_guids[SIM_GUID_##name], text, sizeof(text) - 1 }

static const struct {
        const char *why;
        SimSigner signer;
        SimTableEntry entries[6];
        size_t n_entries;
        const char *extra_vcek; /* of our own */
        const char *chain;      /* types in order; NULL: null */
        unsigned warnings;
} tables[] = {
        { "no table", SIM_SIGNER_VCEK, {}, 0, NULL, NULL, 0 },
        { "whole chain", SIM_SIGNER_VCEK, { ENTRY(ARK, ark), ENTRY(ASK, ask), ENTRY(VCEK, vcek) }, 3, NULL,
          "VCEK ASK ARK ", 0 },
        { "signer alone", SIM_SIGNER_VCEK, { ENTRY(VCEK, vcek) }, 1, NULL, "VCEK ", 0 },
        { "authorities without a signer", SIM_SIGNER_VCEK, { ENTRY(ARK, ark), ENTRY(ASK, ask) }, 2, NULL, NULL, 0 },
        { "VLEK signs, both are there", SIM_SIGNER_VLEK, { ENTRY(VCEK, vcek), ENTRY(VLEK, vlek) }, 2, NULL, "VLEK ", 0 },
        { "VCEK signs, both are there", SIM_SIGNER_VCEK, { ENTRY(VLEK, vlek), ENTRY(VCEK, vcek) }, 2, NULL, "VCEK ", 0 },
        { "VCEK signs, VLEK is there", SIM_SIGNER_VCEK, { ENTRY(VLEK, vlek) }, 1, NULL, NULL, 0 },
        { "VLEK signs, VCEK is there", SIM_SIGNER_VLEK, { ENTRY(VCEK, vcek) }, 1, NULL, NULL, KBC_EVIDENCE_WARN_VLEK },
        { "VLEK signs, VCEK is ours", SIM_SIGNER_VLEK, {}, 0, "ours", NULL, KBC_EVIDENCE_WARN_VLEK },
        { "ours for lack of one", SIM_SIGNER_VCEK, { ENTRY(ARK, ark) }, 1, "ours", "VCEK ARK ", 0 },
        { "the host's before ours", SIM_SIGNER_VCEK, { ENTRY(VCEK, vcek) }, 1, "ours", "VCEK ", 0 },
        { "lists and vendor entries stay out", SIM_SIGNER_VCEK,
          { ENTRY(CRL, crl), { vendor_guid, "x", 1 }, ENTRY(VCEK, vcek) }, 3, NULL, "VCEK ", 0 },
        { "nothing signs", SIM_SIGNER_NONE, { ENTRY(VCEK, vcek) }, 1, NULL, NULL, KBC_EVIDENCE_WARN_UNSIGNED },
};

START_TEST(chain_is_null_or_begins_with_the_signer) {
        SimReport r = report_of(SIM_GENOA, 3, tables[_i].signer);
        const char *text = tables[_i].extra_vcek;
        Blob extra = {};
        AUTO_BLOB Blob table = {};
        AUTO_JSON json_object *o = NULL;
        uint8_t raw[SIM_REPORT_SIZE], data[16];
        json_object *chain;
        char types[64] = "";
        unsigned warnings;

        if (text)
                ck_assert_int_eq(blob_dup(text, strlen(text), &extra), 0);
        encode(&r, SIM_GENOA, raw);
        if (tables[_i].n_entries > 0)
                ck_assert_int_eq(sim_cert_table_make(tables[_i].entries, tables[_i].n_entries, &table, NULL), 0);
        o = build(raw, &table, &extra, &warnings);
        blob_done(&extra);
        ck_assert_msg(warnings == tables[_i].warnings, "%s: %x", tables[_i].why, warnings);
        chain = get(o, "cert_chain");
        if (!tables[_i].chain) {
                ck_assert_msg(!chain, "%s", tables[_i].why);
                return;
        }
        for (size_t i = 0; i < json_object_array_length(chain); i++) {
                json_object *cert = json_object_array_get_idx(chain, i);

                ck_assert_int_eq(json_object_object_length(cert), 2);
                (void) strcat(strcat(types, json_object_get_string(get(cert, "cert_type"))), " ");
        }
        ck_assert_msg(strcmp(types, tables[_i].chain) == 0, "%s: %s", tables[_i].why, types);
        if (strcmp(tables[_i].why, "the host's before ours") == 0) {
                put_array(data, json_object_array_get_idx(chain, 0), "data", strlen(vcek));
                ck_assert_mem_eq(data, vcek, strlen(vcek));
        }
}
END_TEST

START_TEST(every_byte_value_has_its_number) {
        SimReport r = report_of(SIM_GENOA, 3, SIM_SIGNER_VCEK);
        uint8_t raw[SIM_REPORT_SIZE], all[1000], got[1000];
        AUTO_BLOB Blob table = {};
        AUTO_JSON json_object *o = NULL;

        for (size_t i = 0; i < sizeof(all); i++)
                all[i] = (uint8_t) i;
        encode(&r, SIM_GENOA, raw);
        ck_assert_int_eq(sim_cert_table_make(&(SimTableEntry){ sim_guids[SIM_GUID_VCEK], all, sizeof(all) }, 1, &table,
                                             NULL), 0);
        o = build(raw, &table, NULL, NULL);
        put_array(got, json_object_array_get_idx(get(o, "cert_chain"), 0), "data", sizeof(all));
        ck_assert_mem_eq(got, all, sizeof(all));
}
END_TEST

START_TEST(malformed_table_is_left_out_and_told) {
        SimReport r = report_of(SIM_GENOA, 3, SIM_SIGNER_VCEK);
        Blob table = { (uint8_t *) strdup("no table at all"), 15 };
        uint8_t raw[SIM_REPORT_SIZE];
        AUTO_JSON json_object *o = NULL;
        unsigned warnings;

        encode(&r, SIM_GENOA, raw);
        o = build(raw, &table, NULL, &warnings);
        ck_assert_ptr_null(get(o, "cert_chain"));
        ck_assert_uint_eq(warnings, KBC_EVIDENCE_WARN_TABLE);
        blob_done(&table);
}
END_TEST

START_TEST(what_a_stock_broker_refuses_is_told_before) {
        SimReport r = report_of(SIM_TURIN, 4, SIM_SIGNER_VCEK);
        uint8_t raw[SIM_REPORT_SIZE];
        unsigned warnings;

        r.vmpl = 1;
        encode(&r, SIM_TURIN, raw);
        raw[0x200] = 1;
        json_object_put(build(raw, NULL, NULL, &warnings));
        ck_assert_uint_eq(warnings, KBC_EVIDENCE_WARN_VMPL | KBC_EVIDENCE_WARN_MITIGATION);
        for (unsigned i = 0; i < KBC_EVIDENCE_N_WARNINGS; i++)
                ck_assert_uint_gt(strlen(kbc_evidence_warning_text(1u << i)), 20);
        ck_assert_str_eq(kbc_evidence_warning_text(3), "");
}
END_TEST

START_TEST(malformed_reports_yield_no_evidence) {
        SimReport r = report_of(SIM_GENOA, 3, SIM_SIGNER_VCEK);
        uint8_t raw[SIM_REPORT_SIZE + 1] = {}, big[8193] = {};
        KbcSnpEvidence in = { .report = raw, .report_size = SIM_REPORT_SIZE };
        KbcEvidence evidence = {};

        encode(&r, SIM_GENOA, raw);
        in.report_size = SIM_REPORT_SIZE - 1;
        ck_assert_int_eq(kbc_evidence_snp(&in, &evidence, NULL, NULL), -EBADMSG);
        in.report_size = SIM_REPORT_SIZE + 1;
        ck_assert_int_eq(kbc_evidence_snp(&in, &evidence, NULL, NULL), -EBADMSG);
        in.report_size = SIM_REPORT_SIZE;
        in.vcek = big;
        in.vcek_size = sizeof(big);
        ck_assert_int_eq(kbc_evidence_snp(&in, &evidence, NULL, NULL), -E2BIG);
        in.vcek_size = 0;
        raw[0] = 6;
        ck_assert_int_eq(kbc_evidence_snp(&in, &evidence, NULL, NULL), -EOPNOTSUPP);
        ck_assert_ptr_null(evidence.json.data);
}
END_TEST

int main(void) {
        Suite *s = suite_create("keybroker-client");
        TCase *t = tcase_create("evidence");

        tcase_add_loop_test(t, members_rebuild_the_signed_report, 0, N_ELEMENTS(kinds));
        tcase_add_loop_test(t, chain_is_null_or_begins_with_the_signer, 0, N_ELEMENTS(tables));
        tcase_add_test(t, every_byte_value_has_its_number);
        tcase_add_test(t, malformed_table_is_left_out_and_told);
        tcase_add_test(t, what_a_stock_broker_refuses_is_told_before);
        tcase_add_test(t, malformed_reports_yield_no_evidence);
        suite_add_tcase(s, t);
        return unit_run(s);
}
