/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/json.h"
#include "tests/broker/message.h"
#include "tests/unit/unit.h"

#define EC_KEY                                                                                                         \
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"alg\":\"ECDH-ES+A256KW\",\"x\":\"pd3_v6P1ttQxFKbHG05E7nUcRR4VKjY_o9_" \
        "0TGZs_Cg\",\"y\":\"xXctcbBNYfoaEbdNI5sjWHjRNoxqTyRRLXDbEWa57zA\"}"
#define MESSAGE(key, evidence, rest)                                                                                   \
        "{\"runtime-data\":{\"nonce\":\"25qI2j1piCKG8AXIFdniB+1PHt+Bnlf9ejLYhnHFv6o=\",\"tee-pubkey\":" key \
        "},\"tee-evidence\":{\"primary_evidence\":" evidence ",\"additional_evidence\":\"\"}" rest "}"

/* RFC 8785 text for the key and nonce above, made once by another implementation. */
#define CANONICAL                                                                                                      \
        "{\"additional-evidence\":\"\",\"nonce\":\"25qI2j1piCKG8AXIFdniB+1PHt+Bnlf9ejLYhnHFv6o=\",\"tee-pubkey\":{" \
        "\"alg\":\"ECDH-ES+A256KW\",\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"pd3_v6P1ttQxFKbHG05E7nUcRR4VKjY_o9_" \
        "0TGZs_Cg\",\"y\":\"xXctcbBNYfoaEbdNI5sjWHjRNoxqTyRRLXDbEWa57zA\"}}"
#define DIGEST                                                                                                         \
        "aa794b3023fbccea03c3949127033c192081e8e7b1a917514770358a2510627290efd7b267285567a77cb4fe975ccd5d"

static int parse(const char *text, BrokerAttestation *ret) {
        return broker_attestation_parse(text, strlen(text), ret, NULL);
}

START_TEST(runtime_data_is_canonical_whatever_order_it_came_in) {
        AUTO_BROKER_ATTESTATION BrokerAttestation a = {};
        AUTO_FREE char *text = NULL;
        uint8_t data[BROKER_REPORT_DATA_SIZE], expected[BROKER_REPORT_DATA_SIZE] = {};

        ck_assert_int_eq(parse(MESSAGE(EC_KEY, "{}", ""), &a), 0);
        ck_assert_int_eq(broker_runtime_text(&a, &text), 0);
        ck_assert_str_eq(text, CANONICAL);
        ck_assert_int_eq(broker_report_data(&a, "sha384", data, NULL), 0);
        ck_assert_int_eq(hex_decode_exact(DIGEST, strlen(DIGEST), expected, 48), 0);
        ck_assert_mem_eq(data, expected, sizeof(data));
} END_TEST

START_TEST(a_member_the_broker_does_not_know_is_not_in_the_digest) {
        AUTO_BROKER_ATTESTATION BrokerAttestation a = {};
        AUTO_FREE char *text = NULL;

        ck_assert_int_eq(parse(MESSAGE("{\"kid\":\"1\",\"use\":\"enc\",\"crv\":\"P-256\",\"kty\":\"EC\","
                                       "\"x\":\"pd3_v6P1ttQxFKbHG05E7nUcRR4VKjY_o9_0TGZs_Cg\","
                                       "\"alg\":\"ECDH-ES+A256KW\","
                                       "\"y\":\"xXctcbBNYfoaEbdNI5sjWHjRNoxqTyRRLXDbEWa57zA\"}", "{}",
                                       ",\"more\":1"),
                               &a), 0);
        ck_assert_int_eq(broker_runtime_text(&a, &text), 0);
        ck_assert_str_eq(text, CANONICAL);
} END_TEST

START_TEST(canonical_strings_escape_what_rfc_8785_says_and_nothing_else) {
        AUTO_WRITER Writer w = wr_init(256);
        AUTO_FREE char *text = NULL;

        broker_canonical_string(&w, "a/b\"c\\d\b\t\n\f\r\x01\x1f\x7f\xc3\xa9");
        ck_assert_int_eq(wr_finish_str(&w, &text), 0);
        ck_assert_str_eq(text, "\"a/b\\\"c\\\\d\\b\\t\\n\\f\\r\\u0001\\u001f\x7f\xc3\xa9\"");
} END_TEST

static const struct {
        const char *why, *text;
} bad_messages[] = {
        { "no JSON", "nonsense" },
        { "no members", "{}" },
        { "evidence is no object", MESSAGE(EC_KEY, "\"text\"", "") },
        { "init-data is no object", MESSAGE(EC_KEY, "{}", ",\"init-data\":1") },
        { "init-data without body", MESSAGE(EC_KEY, "{}", ",\"init-data\":{\"format\":\"toml\"}") },
        { "unknown key type", MESSAGE("{\"kty\":\"OKP\",\"alg\":\"x\"}", "{}", "") },
        { "no alg", MESSAGE("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"\",\"y\":\"\"}", "{}", "") },
        { "no y", MESSAGE("{\"kty\":\"EC\",\"crv\":\"P-256\",\"alg\":\"\",\"x\":\"\"}", "{}", "") },
        { "no e", MESSAGE("{\"kty\":\"RSA\",\"alg\":\"\",\"n\":\"\"}", "{}", "") },
        { "additional evidence is null",
          "{\"runtime-data\":{\"nonce\":\"\",\"tee-pubkey\":" EC_KEY
          "},\"tee-evidence\":{\"primary_evidence\":{},\"additional_evidence\":null}}" },
        { "a member twice", MESSAGE(EC_KEY, "{}", ",\"init-data\":null,\"init-data\":null") },
};

START_TEST(malformed_attestation_is_refused) {
        BrokerAttestation a = {};

        ck_assert_msg(parse(bad_messages[_i].text, &a) == -EBADMSG, "%s", bad_messages[_i].why);
        ck_assert_ptr_null(a.document);
} END_TEST

static const struct {
        const char *version;
        bool accepted;
} versions[] = {
        { "0.4.0", true },  { "0.4.0+x.1", true }, { "0.4.0-rc1", false }, { "0.4", false },    { "0.4.1", false },
        { "0.3.0", false }, { "1.4.0", false },    { "", false },          { "0.4.00", false }, { "0.4.0+", false },
        { "0.4.0 ", false },
};

START_TEST(only_version_0_4_0_is_accepted) {
        ck_assert_msg(broker_version_is_accepted(versions[_i].version) == versions[_i].accepted, "%s",
                      versions[_i].version);
} END_TEST

static const struct {
        const char *why, *text;
        int want;
} requests[] = {
        { "as documented", "{\"version\":\"0.4.0\",\"tee\":\"snp\",\"extra-params\":{}}", 0 },
        { "null parameters, unknown member",
          "{\"version\":\"0.4.0\",\"tee\":\"snp\",\"extra-params\":null,\"x\":1}", 0 },
        { "no parameters", "{\"version\":\"0.4.0\",\"tee\":\"snp\"}", -EBADMSG },
        { "no version", "{\"tee\":\"snp\",\"extra-params\":\"\"}", -EBADMSG },
        { "unknown tee", "{\"version\":\"0.4.0\",\"tee\":\"azsnpvtpm\",\"extra-params\":\"\"}", -EOPNOTSUPP },
        { "truncated", "{\"version\":\"0.4.0\",\"tee\":\"snp\",\"extra-params\":{}", -EBADMSG },
};

START_TEST(request_needs_its_three_members) {
        BrokerRequest request;
        int r = broker_request_parse(requests[_i].text, strlen(requests[_i].text), &request, NULL);

        ck_assert_msg(r == requests[_i].want, "%s: %d", requests[_i].why, r);
} END_TEST

/* Recorded digests of other implementations, with devices, other hashes, RSA. */
START_TEST(recorded_digests_are_reproduced) {
        AUTO_BLOB Blob file = vector_read("kbs/report_data.json");
        AUTO_JSON json_object *doc = NULL;
        json_object *list;
        size_t judged = 0;

        ck_assert_int_eq(json_parse(file.data, file.size, "vectors", &doc, NULL), 0);
        ck_assert_int_eq(json_get_array(doc, "vectors", 64, &list, NULL), 0);
        for (size_t i = 0; i < json_object_array_length(list); i++) {
                json_object *v = json_object_array_get_idx(list, i), *key;
                const char *canonical, *hex, *hash;
                AUTO_FREE char *text = NULL;
                uint8_t data[BROKER_REPORT_DATA_SIZE], expected[BROKER_REPORT_DATA_SIZE] = {};
                BrokerAttestation a = {};

                if (json_get_str(v, "additional_evidence", 4096, &a.additional_evidence, NULL) < 0)
                        continue; /* of another protocol version */
                ck_assert_int_eq(json_get_str(v, "primary_canonical", 4096, &canonical, NULL), 0);
                ck_assert_int_eq(json_get_str(v, "hash", 16, &hash, NULL), 0);
                ck_assert_int_eq(json_get_str(v, "nonce", 128, &a.nonce, NULL), 0);
                ck_assert_int_eq(json_get_str(v, "primary_digest_hex", 128, &hex, NULL), 0);
                ck_assert_int_eq(json_get_obj(v, "tee_pubkey", &key, NULL), 0);
                ck_assert_int_eq(broker_teekey_parse(key, &a.key, NULL), 0);
                ck_assert_int_eq(broker_runtime_text(&a, &text), 0);
                ck_assert_str_eq(text, canonical);
                ck_assert_int_eq(broker_report_data(&a, hash, data, NULL), 0);
                ck_assert_int_eq(hex_decode_exact(hex, strlen(hex), expected, strlen(hex) / 2), 0);
                ck_assert_mem_eq(data, expected, sizeof(data));
                judged++;
        }
        ck_assert_uint_ge(judged, 4);
} END_TEST

START_TEST(recorded_init_data_digests_are_reproduced) {
        AUTO_BLOB Blob file = vector_read("kbs/initdata.json");
        AUTO_JSON json_object *doc = NULL;
        json_object *list;

        ck_assert_int_eq(json_parse(file.data, file.size, "vectors", &doc, NULL), 0);
        ck_assert_int_eq(json_get_array(doc, "vectors", 64, &list, NULL), 0);
        for (size_t i = 0; i < json_object_array_length(list); i++) {
                json_object *v = json_object_array_get_idx(list, i);
                BrokerAttestation a = { .init_data_format = "toml" };
                uint8_t host_data[32], expected[32];
                const char *hex;

                ck_assert_int_eq(json_get_str(v, "toml", 4096, &a.init_data_body, NULL), 0);
                ck_assert_int_eq(json_get_str(v, "snp_host_data_hex", 64, &hex, NULL), 0);
                ck_assert_int_eq(hex_decode_exact(hex, strlen(hex), expected, sizeof(expected)), 0);
                ck_assert_int_eq(broker_init_data_digest(&a, host_data, NULL), 0);
                ck_assert_mem_eq(host_data, expected, sizeof(expected));
        }
} END_TEST

START_TEST(init_data_without_a_known_algorithm_is_refused) {
        static const char *const bodies[] = { "", "algorithm = \"md5\"\n", "algorithm = sha256\n",
                                              "[data]\nalgorithm = \"sha256\"\n", "algorithm = \"sha256",
                                              "algorithm = \"a very long name indeed\"\n" };
        BrokerAttestation a = { .init_data_format = "toml", .init_data_body = bodies[_i] };
        uint8_t host_data[32];

        ck_assert_int_eq(broker_init_data_digest(&a, host_data, NULL), -EBADMSG);
} END_TEST

int main(void) {
        Suite *s = suite_create("broker");
        TCase *c = tcase_create("message");

        tcase_add_test(c, runtime_data_is_canonical_whatever_order_it_came_in);
        tcase_add_test(c, a_member_the_broker_does_not_know_is_not_in_the_digest);
        tcase_add_test(c, canonical_strings_escape_what_rfc_8785_says_and_nothing_else);
        tcase_add_loop_test(c, malformed_attestation_is_refused, 0, N_ELEMENTS(bad_messages));
        tcase_add_loop_test(c, only_version_0_4_0_is_accepted, 0, N_ELEMENTS(versions));
        tcase_add_loop_test(c, request_needs_its_three_members, 0, N_ELEMENTS(requests));
        tcase_add_loop_test(c, init_data_without_a_known_algorithm_is_refused, 0, 6);
        if (vectors_dir()) {
                tcase_add_test(c, recorded_digests_are_reproduced);
                tcase_add_test(c, recorded_init_data_digests_are_reproduced);
        }
        suite_add_tcase(s, c);
        return unit_run(s);
}
