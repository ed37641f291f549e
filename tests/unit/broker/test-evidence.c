/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <json-c/json_object_iterator.h>
#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "tests/broker/evidence.h"
#include "tests/unit/unit.h"

static json_object *recorded; /* the document, for the tests that take it apart */
static json_object *evidence;

static void load(void) {
        AUTO_BLOB Blob file = vector_read("kbs/snp_evidence_v3_vlek.json");

        ck_assert_int_eq(json_parse(file.data, file.size, "vector", &recorded, NULL), 0);
        ck_assert_int_eq(json_get_obj(recorded, "evidence_no_certs", &evidence, NULL), 0);
}

static void unload(void) {
        (void) json_object_put(recorded);
}

START_TEST(recorded_evidence_becomes_the_recorded_report) {
        AUTO_BROKER_EVIDENCE BrokerEvidence e = {};
        AUTO_BLOB Blob raw = {};
        const char *text;
        Error error = {};

        ck_assert_int_eq(json_get_str(recorded, "raw_report_b64", 4096, &text, NULL), 0);
        ck_assert_int_eq(base64_decode(BASE64_STD, text, strlen(text), SNP_REPORT_SIZE, &raw), 0);
        ck_assert_msg(broker_evidence_parse(evidence, &e, &error) == 0, "%s", error.text);
        ck_assert_mem_eq(e.report, raw.data, SNP_REPORT_SIZE);
        ck_assert(!e.has_chain);
} END_TEST

static json_object *report_member(void) {
        json_object *report;

        ck_assert_int_eq(json_get_obj(evidence, "attestation_report", &report, NULL), 0);
        return report;
}

/* Everything a verifier of version 3 reports needs; what is optional there may be null or absent. */
START_TEST(every_member_is_needed) {
        static const char *const optional[] = { "launch_mit_vector", "current_mit_vector" };
        json_object *report = report_member();
        AUTO_JSON json_object *copy = NULL;

        ck_assert_int_eq(json_object_deep_copy(report, &copy, NULL), 0);
        for (struct json_object_iterator i = json_object_iter_begin(copy), last = json_object_iter_end(copy);
             !json_object_iter_equal(&i, &last); json_object_iter_next(&i)) {
                const char *name = json_object_iter_peek_name(&i);
                json_object *value = json_object_iter_peek_value(&i);
                BrokerEvidence e = {};
                bool needed = true;
                int r;

                for (size_t j = 0; j < N_ELEMENTS(optional); j++)
                        needed &= strcmp(name, optional[j]) != 0;
                json_object_object_del(report, name);
                r = broker_evidence_parse(evidence, &e, NULL);
                ck_assert_msg(r == (needed ? -EBADMSG : 0), "without '%s': %d", name, r);
                broker_evidence_done(&e);
                ck_assert_int_eq(json_object_object_add(report, name, json_object_get(value)), 0);
        }
} END_TEST

static const struct {
        const char *why, *member, *value;
} bad_values[] = {
        { "short array", "measurement", "[1,2,3]" },
        { "a byte too large", "family_id", "[256,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]" },
        { "a negative byte", "family_id", "[-1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]" },
        { "a fraction", "family_id", "[1.5,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]" },
        { "text for bytes", "chip_id", "\"00\"" },
        { "number too large for its field", "vmpl", "4294967296" },
        { "negative number", "policy", "-1" },
        { "TCB without a part", "reported_tcb", "{\"fmc\":null,\"bootloader\":1,\"tee\":0,\"snp\":1}" },
        { "unknown CPU", "cpuid_fam_id", "255" },
        { "version triple without build", "current", "{\"major\":1,\"minor\":2}" },
        { "signature without s", "signature", "{\"r\":[]}" },
};

START_TEST(a_value_out_of_range_is_refused) {
        AUTO_JSON json_object *value = NULL;
        BrokerEvidence e = {};

        ck_assert_int_eq(json_parse(bad_values[_i].value, strlen(bad_values[_i].value), "value", &value, NULL), 0);
        ck_assert_int_eq(json_object_object_add(report_member(), bad_values[_i].member, TAKE_PTR(value)), 0);
        ck_assert_msg(broker_evidence_parse(evidence, &e, NULL) == -EBADMSG, "%s", bad_values[_i].why);
} END_TEST

static const struct {
        const char *why, *chain;
        int want;
        size_t n_certs;
} chains[] = {
        { "null", "null", 0, 0 },
        { "empty", "[]", -EBADMSG, 0 },
        { "without a VEK", "[{\"cert_type\":\"ASK\",\"data\":[1]}]", -EBADMSG, 0 },
        { "VLEK", "[{\"cert_type\":\"VLEK\",\"data\":[1]}]", 0, 1 },
        { "surplus kinds are left out",
          "[{\"cert_type\":\"CRL\",\"data\":[1]},{\"cert_type\":{\"OTHER\":\"x\"},\"data\":[1]},"
          "{\"cert_type\":\"Empty\",\"data\":[]},{\"cert_type\":\"VCEK\",\"data\":[1,2]}]", 0, 1 },
        { "unknown kind", "[{\"cert_type\":\"XCEK\",\"data\":[1]}]", -EBADMSG, 0 },
        { "no data", "[{\"cert_type\":\"VCEK\"}]", -EBADMSG, 0 },
        { "data is no bytes", "[{\"cert_type\":\"VCEK\",\"data\":[300]}]", -EBADMSG, 0 },
        { "no object", "[1]", -EBADMSG, 0 },
};

START_TEST(certificate_chain_is_null_or_has_a_vek) {
        AUTO_BROKER_EVIDENCE BrokerEvidence e = {};
        AUTO_JSON json_object *value = NULL;
        int r;

        if (strcmp(chains[_i].chain, "null") != 0)
                ck_assert_int_eq(json_parse(chains[_i].chain, strlen(chains[_i].chain), "chain", &value, NULL), 0);
        ck_assert_int_eq(json_object_object_add(evidence, "cert_chain", TAKE_PTR(value)), 0);
        r = broker_evidence_parse(evidence, &e, NULL);
        ck_assert_msg(r == chains[_i].want && e.n_certs == chains[_i].n_certs, "%s: %d", chains[_i].why, r);
} END_TEST

int main(void) {
        Suite *s = suite_create("broker");
        TCase *c = tcase_create("evidence");

        if (!vectors_dir())
                return unit_skip("no recorded evidence");
        tcase_add_checked_fixture(c, load, unload);
        tcase_add_test(c, recorded_evidence_becomes_the_recorded_report);
        tcase_add_test(c, every_member_is_needed);
        tcase_add_loop_test(c, a_value_out_of_range_is_refused, 0, N_ELEMENTS(bad_values));
        tcase_add_loop_test(c, certificate_chain_is_null_or_has_a_vek, 0, N_ELEMENTS(chains));
        suite_add_tcase(s, c);
        return unit_run(s);
}
