/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "tests/broker/token.h"
#include "tests/unit/unit.h"

#define PAYLOAD(status)                                                                                                \
        "{\"submods\":{\"cpu0\":{\"ear.status\":\"" status "\",\"ear.veraison.policy-claims\":{\"denied\":\"debug\"}," \
        "\"ear.veraison.annotated-evidence\":{\"runtime_data_claims\":{\"tee-pubkey\":{\"kty\":\"EC\",\"crv\":" \
        "\"P-256\",\"alg\":\"ECDH-ES+A256KW\",\"x\":\"xx\",\"y\":\"yy\"}}}}}}"

static BrokerSigner signer;

static void begin(void) {
        ck_assert_int_eq(broker_signer_new(&signer, NULL), 0);
}

static void end(void) {
        broker_signer_done(&signer);
}

static char *issue(const char *payload, time_t exp) {
        AUTO_JSON json_object *o = NULL;
        char *token = NULL;

        ck_assert_int_eq(json_parse(payload, strlen(payload), "payload", &o, NULL), 0);
        ck_assert_int_eq(broker_token_issue(&signer, o, 1000, exp, &token, NULL), 0);
        return token;
}

START_TEST(a_token_says_what_was_signed) {
        AUTO_FREE char *token = issue(PAYLOAD("affirming"), 2000);
        AUTO_JSON json_object *payload = NULL;
        const char *denied;
        BrokerTeeKey key;

        ck_assert_int_eq(broker_token_verify(&signer, token, 1999, &payload, NULL), 0);
        ck_assert_int_eq(broker_token_key(payload, &key, NULL), 0);
        ck_assert_str_eq(key.x, "xx");
        ck_assert(broker_token_is_affirming(payload, &denied));
        ck_assert_str_eq(denied, "debug");
} END_TEST

START_TEST(a_token_ends) {
        AUTO_FREE char *token = issue(PAYLOAD("affirming"), 2000);
        AUTO_JSON json_object *payload = NULL;

        ck_assert_int_eq(broker_token_verify(&signer, token, 2000, &payload, NULL), -ESTALE);
        ck_assert_ptr_null(payload);
} END_TEST

START_TEST(an_altered_token_is_not_ours) {
        AUTO_FREE char *token = issue(PAYLOAD("affirming"), 2000);
        AUTO_JSON json_object *payload = NULL;

        for (size_t i = 0; token[i]; i++) {
                char c = token[i];

                token[i] = c == 'A' ? 'B' : 'A';
                ck_assert_msg(broker_token_verify(&signer, token, 1500, &payload, NULL) == -EKEYREJECTED, "at %zu", i);
                token[i] = c;
        }
} END_TEST

START_TEST(a_token_of_another_broker_is_not_ours) {
        AUTO_FREE char *token = issue(PAYLOAD("affirming"), 2000);
        AUTO_JSON json_object *payload = NULL;

        end();
        begin();
        ck_assert_int_eq(broker_token_verify(&signer, token, 1500, &payload, NULL), -EKEYREJECTED);
} END_TEST

static const char *const no_tokens[] = { "", ".", "..", "a.b", "a.b.c", "a.b.c.d" };

START_TEST(what_is_no_token_is_refused) {
        json_object *payload;

        ck_assert_int_eq(broker_token_verify(&signer, no_tokens[_i], 1500, &payload, NULL), -EKEYREJECTED);
} END_TEST

START_TEST(only_the_word_affirming_affirms) {
        static const char *const payloads[] = { PAYLOAD("contraindicated"), PAYLOAD("warning"), PAYLOAD("none"), "{}",
                                                "{\"submods\":{\"cpu0\":{\"ear.status\":\"affirming\"}}}" };
        AUTO_JSON json_object *o = NULL;
        const char *denied;

        ck_assert_int_eq(json_parse(payloads[_i], strlen(payloads[_i]), "payload", &o, NULL), 0);
        ck_assert(!broker_token_is_affirming(o, &denied));
} END_TEST

int main(void) {
        Suite *s = suite_create("broker");
        TCase *c = tcase_create("token");

        tcase_add_checked_fixture(c, begin, end);
        tcase_add_test(c, a_token_says_what_was_signed);
        tcase_add_test(c, a_token_ends);
        tcase_add_test(c, an_altered_token_is_not_ours);
        tcase_add_test(c, a_token_of_another_broker_is_not_ours);
        tcase_add_loop_test(c, what_is_no_token_is_refused, 0, N_ELEMENTS(no_tokens));
        tcase_add_loop_test(c, only_the_word_affirming_affirms, 0, 5);
        suite_add_tcase(s, c);
        return unit_run(s);
}
