/* SPDX-License-Identifier: Apache-2.0 */

/* The handshake and what follows it, as a transcript: bytes in, bytes out, no network. */

#include "keybroker-client/rcar.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/deadline.h"
#include "base/json.h"
#include "tests/unit/keybroker-client/seal.h"
#include "tests/unit/unit.h"

#define NONCE "25qI2j1piCKG8AXIFdniB+1PHt+Bnlf9ejLYhnHFv6o="
#define CHALLENGE "{\"nonce\":\"" NONCE "\",\"extra-params\":\"\"}"
#define SESSION "0123456789abcdef0123456789abcdef"
#define EVIDENCE "{\"attestation_report\":{\"version\":3},\"cert_chain\":null}"

static KbcReply reply_of(int status, const char *body, const char *session) {
        KbcReply r = { .status = status };

        ck_assert_int_eq(kbc_reply_append(&r, body, strlen(body), 1u << 20), 0);
        (void) snprintf(r.session, sizeof(r.session), "%s", session);
        return r;
}

static char *token_body(const char *payload) {
        AUTO_FREE char *part = base64_encode(BASE64_URL, payload, strlen(payload));
        char *body = NULL;

        ck_assert_int_gt(asprintf(&body, "{\"token\":\"e30.%s.c2ln\"}", part), 0);
        return body;
}

static KbcRcar *new_machine(void) {
        KbcRcar *m = NULL;

        ck_assert_int_eq(kbc_rcar_new("snp", KBC_TEE_ALG_ECDH_P256, &m, NULL), 0);
        return m;
}

static int feed_reply(KbcRcar *m, int status, const char *body, const char *session, KbcRcarOutput *out, Error *e) {
        AUTO_REPLY KbcReply reply = reply_of(status, body, session);

        return kbc_rcar_step(m, KBC_RCAR_ON_REPLY, &(KbcRcarInput){ .reply = &reply, .now_usec = 1000 }, out, e);
}

static int feed_evidence(KbcRcar *m, KbcRcarOutput *out) {
        char text[] = EVIDENCE;
        const KbcEvidence evidence = { .json = { (uint8_t *) text, strlen(text) } };

        return kbc_rcar_step(m, KBC_RCAR_ON_EVIDENCE, &(KbcRcarInput){ .evidence = &evidence }, out, NULL);
}

/* Drives a new machine into @state. */
static void drive(KbcRcar *m, KbcRcarState state) {
        AUTO_FREE char *token = token_body("{}");

        for (KbcRcarState s = KBC_RCAR_START; s < state; s++) {
                AUTO_RCAR_OUTPUT KbcRcarOutput out = {};
                int r = 0;

                if (state == KBC_RCAR_FAILED) {
                        ck_assert_int_eq(feed_evidence(m, &out), -EPROTO);
                        break;
                }
                if (s == KBC_RCAR_START)
                        r = kbc_rcar_step(m, KBC_RCAR_ON_BEGIN, &(KbcRcarInput){}, &out, NULL);
                else if (s == KBC_RCAR_CHALLENGE)
                        r = feed_reply(m, 200, CHALLENGE, SESSION, &out, NULL);
                else if (s == KBC_RCAR_EVIDENCE)
                        r = feed_evidence(m, &out);
                else if (s == KBC_RCAR_TOKEN)
                        r = feed_reply(m, 200, token, "", &out, NULL);
                ck_assert_int_eq(r, 0);
        }
        ck_assert_int_eq(kbc_rcar_state(m), state);
}

static json_object *body_of(const KbcMessage *m) {
        json_object *o = NULL;

        ck_assert_int_eq(json_parse(m->body.data, m->body.size, "body", &o, NULL), 0);
        return o;
}

static json_object *get(json_object *o, const char *name) {
        json_object *v;

        ck_assert_msg(json_object_object_get_ex(o, name, &v), "no %s", name);
        return v;
}

START_TEST(request_is_what_a_stock_broker_takes) {
        CLEANUP(kbc_rcar_freep) KbcRcar *m = new_machine();
        AUTO_RCAR_OUTPUT KbcRcarOutput out = {};

        ck_assert_int_eq(kbc_rcar_step(m, KBC_RCAR_ON_BEGIN, &(KbcRcarInput){}, &out, NULL), 0);
        ck_assert(out.message.post);
        ck_assert_str_eq(out.message.path, "/kbs/v0/auth");
        ck_assert_ptr_null(out.message.cookie);
        AUTO_JSON json_object *o = body_of(&out.message);
        ck_assert_str_eq(json_object_get_string(get(o, "version")), "0.4.0");
        ck_assert_str_eq(json_object_get_string(get(o, "tee")), "snp");
        ck_assert(json_object_is_type(get(o, "extra-params"), json_type_object));
}
END_TEST

/* What a verifier does with the attestation message: the digest from the key and nonce that it was sent. */
static void assert_bound(json_object *attestation, const KbcRcarOutput *challenge) {
        json_object *runtime = get(attestation, "runtime-data"), *evidence = get(attestation, "tee-evidence");
        KbcReportData want;

        ck_assert_int_eq(kbc_report_data(KBC_HASH_SHA384, json_object_get_string(get(runtime, "nonce")),
                                         get(runtime, "tee-pubkey"),
                                         json_object_get_string(get(evidence, "additional_evidence")), &want, NULL), 0);
        ck_assert_mem_eq(challenge->report_data.bytes, want.bytes, sizeof(want.bytes));
        ck_assert_uint_eq(challenge->report_data_size, 64);
}

START_TEST(whole_handshake_and_a_resource) {
        CLEANUP(kbc_rcar_freep) KbcRcar *m = new_machine();
        AUTO_RCAR_OUTPUT KbcRcarOutput begin = {}, challenge = {}, attest = {}, done = {};
        AUTO_FREE char *token = token_body("{\"iat\":100,\"exp\":400}"), *jwe = NULL;
        AUTO_JSON json_object *body = NULL, *evidence = NULL;
        AUTO_MESSAGE KbcMessage fetch = {};
        AUTO_PKEY EVP_PKEY *key = NULL;
        AUTO_REPLY KbcReply reply = {};
        AUTO_SECRET Secret secret = {};
        KbcRemedy remedy;

        ck_assert_int_eq(kbc_rcar_step(m, KBC_RCAR_ON_BEGIN, &(KbcRcarInput){}, &begin, NULL), 0);
        ck_assert_int_eq(feed_reply(m, 200, CHALLENGE, SESSION, &challenge, NULL), 0);
        ck_assert_int_eq(kbc_rcar_state(m), KBC_RCAR_EVIDENCE);
        ck_assert_int_eq(feed_evidence(m, &attest), 0);

        ck_assert(attest.message.post);
        ck_assert_str_eq(attest.message.path, "/kbs/v0/attest");
        ck_assert_str_eq(attest.message.cookie, "kbs-session-id=" SESSION);
        body = body_of(&attest.message);
        ck_assert_int_eq(json_object_object_length(body), 3);
        ck_assert_ptr_null(get(body, "init-data"));
        ck_assert_str_eq(json_object_get_string(get(get(body, "runtime-data"), "nonce")), NONCE);
        ck_assert_str_eq(json_object_get_string(get(get(body, "tee-evidence"), "additional_evidence")), "");
        ck_assert_int_eq(json_parse(EVIDENCE, strlen(EVIDENCE), "evidence", &evidence, NULL), 0);
        ck_assert(json_object_equal(get(get(body, "tee-evidence"), "primary_evidence"), evidence));
        assert_bound(body, &challenge);

        ck_assert_int_eq(feed_reply(m, 200, token, "", &done, NULL), 0);
        ck_assert_int_eq(kbc_rcar_state(m), KBC_RCAR_DONE);
        ck_assert(kbc_session_is_live(done.session, 1000 + 300 * USEC_PER_SEC - 1));
        ck_assert(!kbc_session_is_live(done.session, 1000 + 300 * USEC_PER_SEC));
        ck_assert_uint_eq(kbc_session_attested_at_usec(done.session), 1000);

        ck_assert_int_eq(kbc_session_request(done.session, "default/key/1", &fetch, NULL), 0);
        ck_assert(!fetch.post);
        ck_assert_str_eq(fetch.path, "/kbs/v0/resource/default/key/1");
        ck_assert_str_eq(fetch.cookie, "kbs-session-id=" SESSION);
        key = jwk_to_pkey(get(get(body, "runtime-data"), "tee-pubkey"));
        jwe = jwe_seal(key, "a disk key", 10, NULL);
        reply = reply_of(200, jwe, "");
        ck_assert_int_eq(kbc_session_open(done.session, &reply, &secret, &remedy, NULL), 0);
        ck_assert_uint_eq(secret.len, 10);
        ck_assert_mem_eq(secret.bytes, "a disk key", 10);
}
END_TEST

START_TEST(what_is_not_in_the_table_ends_the_handshake) {
        KbcRcarState state = (KbcRcarState) (_i / KBC_RCAR_N_EVENTS);
        KbcRcarEvent event = (KbcRcarEvent) (_i % KBC_RCAR_N_EVENTS);
        bool expected = (state == KBC_RCAR_START && event == KBC_RCAR_ON_BEGIN) ||
                        (state == KBC_RCAR_CHALLENGE && event == KBC_RCAR_ON_REPLY) ||
                        (state == KBC_RCAR_EVIDENCE && event == KBC_RCAR_ON_EVIDENCE) ||
                        (state == KBC_RCAR_TOKEN && event == KBC_RCAR_ON_REPLY);
        CLEANUP(kbc_rcar_freep) KbcRcar *m = new_machine();
        AUTO_RCAR_OUTPUT KbcRcarOutput out = {};
        AUTO_REPLY KbcReply reply = reply_of(200, CHALLENGE, SESSION);
        const KbcRcarInput in = { .reply = &reply, .evidence = &(KbcEvidence){} };
        Error e = {};

        drive(m, state);
        if (expected)
                return;
        ck_assert_int_eq(kbc_rcar_step(m, event, &in, &out, &e), -EPROTO);
        ck_assert_str_eq(e.reason, "handshake-order");
        ck_assert_int_eq(kbc_rcar_state(m), KBC_RCAR_FAILED);
        ck_assert_ptr_null(out.session);
        ck_assert_ptr_null(out.message.path);
}
END_TEST

static const struct {
        const char *why, *body, *session;
        int want;
        size_t digest_size;
} challenges[] = {
        { "plain", CHALLENGE, "s", 0, 48 },
        { "no extra parameters", "{\"nonce\":\"" NONCE "\"}", "s", 0, 48 },
        { "null", "{\"nonce\":\"" NONCE "\",\"extra-params\":null}", "s", 0, 48 },
        { "a list", "{\"nonce\":\"" NONCE "\",\"extra-params\":[1]}", "s", 0, 48 },
        { "empty object", "{\"nonce\":\"" NONCE "\",\"extra-params\":{}}", "s", 0, 48 },
        { "unknown members", "{\"nonce\":\"" NONCE "\",\"more\":{\"a\":[1]}}", "s", 0, 48 },
        { "sha256", "{\"nonce\":\"" NONCE "\",\"extra-params\":{\"selected-hash-algorithm\":\"sha256\"}}", "s", 0, 32 },
        { "SHA512", "{\"nonce\":\"" NONCE "\",\"extra-params\":{\"selected-hash-algorithm\":\"SHA512\"}}", "s", 0, 64 },
        { "sm3", "{\"nonce\":\"" NONCE "\",\"extra-params\":{\"selected-hash-algorithm\":\"sm3\"}}", "s", -EOPNOTSUPP, 0 },
        { "md5", "{\"nonce\":\"" NONCE "\",\"extra-params\":{\"selected-hash-algorithm\":\"md5\"}}", "s", -EBADMSG, 0 },
        { "hash as a number", "{\"nonce\":\"" NONCE "\",\"extra-params\":{\"selected-hash-algorithm\":384}}", "s", -EBADMSG, 0 },
        { "hash as null", "{\"nonce\":\"" NONCE "\",\"extra-params\":{\"selected-hash-algorithm\":null}}", "s", -EBADMSG, 0 },
        { "base64url nonce without padding", "{\"nonce\":\"25qI2j1piCKG8AXIFdniB-1PHt_Bnlf9ejLYhnHFv6o\"}", "s", 0, 48 },
        { "no cookie", CHALLENGE, "", -EBADMSG, 0 },
        { "no nonce", "{\"extra-params\":\"\"}", "s", -EBADMSG, 0 },
        { "nonce as a number", "{\"nonce\":1}", "s", -EBADMSG, 0 },
        { "empty nonce", "{\"nonce\":\"\"}", "s", -EBADMSG, 0 },
        { "15 characters", "{\"nonce\":\"123456789012345\"}", "s", -EBADMSG, 0 },
        { "16 characters", "{\"nonce\":\"1234567890123456\"}", "s", 0, 48 },
        { "nonce with a quote", "{\"nonce\":\"1234567890123456\\\"\"}", "s", -EBADMSG, 0 },
        { "nonce with a newline", "{\"nonce\":\"1234567890123456\\n\"}", "s", -EBADMSG, 0 },
        { "two nonces", "{\"nonce\":\"" NONCE "\",\"nonce\":\"" NONCE "\"}", "s", -EBADMSG, 0 },
        { "nothing", "", "s", -EBADMSG, 0 },
        { "a list", "[]", "s", -EBADMSG, 0 },
        { "null", "null", "s", -EBADMSG, 0 },
        { "trailing text", CHALLENGE "x", "s", -EBADMSG, 0 },
};

START_TEST(challenge_is_judged) {
        CLEANUP(kbc_rcar_freep) KbcRcar *m = new_machine();
        AUTO_RCAR_OUTPUT KbcRcarOutput out = {};
        Error e = {};
        int r;

        drive(m, KBC_RCAR_CHALLENGE);
        r = feed_reply(m, 200, challenges[_i].body, challenges[_i].session, &out, &e);
        ck_assert_msg(r == challenges[_i].want, "%s: %d %s", challenges[_i].why, r, e.text);
        ck_assert_int_eq(kbc_rcar_state(m), r == 0 ? KBC_RCAR_EVIDENCE : KBC_RCAR_FAILED);
        ck_assert_uint_eq(out.report_data.digest_size, challenges[_i].digest_size);
        ck_assert_int_eq(out.remedy, KBC_REMEDY_NONE);
}
END_TEST

START_TEST(oversized_challenge_is_refused) {
        CLEANUP(kbc_rcar_freep) KbcRcar *m = new_machine();
        AUTO_RCAR_OUTPUT KbcRcarOutput out = {};
        AUTO_FREE char *body = calloc(1, KBC_CHALLENGE_MAX + 2);

        (void) memset(body, ' ', KBC_CHALLENGE_MAX + 1);
        (void) memcpy(body, CHALLENGE, strlen(CHALLENGE));
        drive(m, KBC_RCAR_CHALLENGE);
        ck_assert_int_eq(feed_reply(m, 200, body, SESSION, &out, NULL), -E2BIG);
}
END_TEST

START_TEST(every_truncated_challenge_is_refused) {
        for (size_t n = 0; n < strlen(CHALLENGE); n++) {
                CLEANUP(kbc_rcar_freep) KbcRcar *m = new_machine();
                AUTO_RCAR_OUTPUT KbcRcarOutput out = {};
                AUTO_FREE char *body = strndup(CHALLENGE, n);

                drive(m, KBC_RCAR_CHALLENGE);
                ck_assert_int_eq(feed_reply(m, 200, body, SESSION, &out, NULL), -EBADMSG);
        }
}
END_TEST

/*
 * The nonce is the broker's and opaque: one that was changed on the way and still looks like a nonce is used as it
 * came, which the broker notices. Any other flip is refused or leaves nonce and hash as they were.
 */
START_TEST(every_flipped_bit_of_a_challenge_is_refused_or_harmless) {
        char body[] = CHALLENGE;

        for (size_t bit = 0; bit < 8 * strlen(CHALLENGE); bit++) {
                size_t at = bit / 8, nonce_at = strlen("{\"nonce\":\"");
                bool in_nonce = at >= nonce_at && at < nonce_at + strlen(NONCE);
                CLEANUP(kbc_rcar_freep) KbcRcar *m = new_machine();
                AUTO_RCAR_OUTPUT KbcRcarOutput out = {}, attest = {};
                AUTO_REPLY KbcReply reply = { .status = 200, .session = SESSION };
                int r;

                body[at] ^= (char) (1u << bit % 8);
                drive(m, KBC_RCAR_CHALLENGE);
                ck_assert_int_eq(kbc_reply_append(&reply, body, sizeof(body) - 1, sizeof(body)), 0);
                r = kbc_rcar_step(m, KBC_RCAR_ON_REPLY, &(KbcRcarInput){ .reply = &reply }, &out, NULL);
                if (r == 0) {
                        AUTO_JSON json_object *o = NULL;
                        const char *sent;

                        ck_assert_int_eq(feed_evidence(m, &attest), 0);
                        o = body_of(&attest.message);
                        sent = json_object_get_string(get(get(o, "runtime-data"), "nonce"));
                        assert_bound(o, &out);
                        ck_assert_uint_eq(strlen(sent), strlen(NONCE));
                        ck_assert_mem_eq(sent, body + nonce_at, strlen(NONCE));
                        ck_assert_int_eq(strcmp(sent, NONCE) != 0, in_nonce);
                } else
                        ck_assert_int_eq(r, -EBADMSG);
                body[at] ^= (char) (1u << bit % 8);
        }
}
END_TEST

static const struct {
        const char *why, *body;
        int want;
} responses[] = {
        { "no token", "{}", -EBADMSG },
        { "token as a number", "{\"token\":1}", -EBADMSG },
        { "token as null", "{\"token\":null}", -EBADMSG },
        { "empty token", "{\"token\":\"\"}", -EBADMSG },
        { "two parts", "{\"token\":\"e30.e30\"}", -EBADMSG },
        { "nothing", "", -EBADMSG },
        { "a challenge once more", CHALLENGE, -EBADMSG },
        { "bare token", "\"e30.e30.e30\"", -EBADMSG },
        { "shortest", "{\"token\":\"e30.e30.e30\"}", 0 },
};

START_TEST(answer_to_the_attestation_is_judged) {
        CLEANUP(kbc_rcar_freep) KbcRcar *m = new_machine();
        AUTO_RCAR_OUTPUT KbcRcarOutput out = {};
        Error e = {};
        int r;

        drive(m, KBC_RCAR_TOKEN);
        r = feed_reply(m, 200, responses[_i].body, "", &out, &e);
        ck_assert_msg(r == responses[_i].want, "%s: %d %s", responses[_i].why, r, e.text);
        ck_assert_int_eq(out.session != NULL, r == 0);
        ck_assert_int_eq(kbc_rcar_state(m), r == 0 ? KBC_RCAR_DONE : KBC_RCAR_FAILED);
}
END_TEST

START_TEST(cookie_of_the_last_answer_is_used) {
        CLEANUP(kbc_rcar_freep) KbcRcar *m = new_machine();
        AUTO_RCAR_OUTPUT KbcRcarOutput out = {};
        AUTO_MESSAGE KbcMessage fetch = {};

        drive(m, KBC_RCAR_TOKEN);
        ck_assert_int_eq(feed_reply(m, 200, "{\"token\":\"e30.e30.e30\"}", "another", &out, NULL), 0);
        ck_assert_int_eq(kbc_session_request(out.session, "a/b/c", &fetch, NULL), 0);
        ck_assert_str_eq(fetch.cookie, "kbs-session-id=another");
}
END_TEST

START_TEST(refusals_carry_their_remedy) {
        static const char refusal[] = "{\"type\":\"https://github.com/confidential-containers/kbs/errors/"
                                      "AttestationError\",\"detail\":\"Attestation error: RCAR handshake Attest failed\"}";
        CLEANUP(kbc_rcar_freep) KbcRcar *auth = new_machine(), *attest = new_machine(), *busy = new_machine();
        AUTO_RCAR_OUTPUT KbcRcarOutput a = {}, b = {}, c = {};

        drive(auth, KBC_RCAR_CHALLENGE);
        ck_assert_int_eq(feed_reply(auth, 401, refusal, "", &a, NULL), -EPROTO);
        ck_assert_int_eq(a.remedy, KBC_REMEDY_NONE);
        drive(attest, KBC_RCAR_TOKEN);
        ck_assert_int_eq(feed_reply(attest, 401, refusal, "", &b, NULL), -EKEYREJECTED);
        ck_assert_int_eq(b.remedy, KBC_REMEDY_HANDSHAKE);
        drive(busy, KBC_RCAR_CHALLENGE);
        ck_assert_int_eq(feed_reply(busy, 503, "", "", &c, NULL), -EBUSY);
        ck_assert_int_eq(c.remedy, KBC_REMEDY_RETRY);
        ck_assert_int_eq(kbc_rcar_state(busy), KBC_RCAR_FAILED);
}
END_TEST

START_TEST(names_of_tee_types_are_plain) {
        static const char *const bad[] = { "", "SNP", "snp\"", "snp snp", "../x", "a23456789012345678901234567890123" };
        CLEANUP(kbc_rcar_freep) KbcRcar *m = NULL;

        for (size_t i = 0; i < N_ELEMENTS(bad); i++)
                ck_assert_int_eq(kbc_rcar_new(bad[i], KBC_TEE_ALG_ECDH_P256, &m, NULL), -EINVAL);
        ck_assert_int_eq(kbc_rcar_new("az-snp-vtpm", KBC_TEE_ALG_ECDH_P256, &m, NULL), 0);
        AUTO_RCAR_OUTPUT KbcRcarOutput begin = {}, out = {};
        ck_assert_int_eq(kbc_rcar_step(m, KBC_RCAR_ON_BEGIN, &(KbcRcarInput){}, &begin, NULL), 0);
        ck_assert_int_eq(feed_reply(m, 200, CHALLENGE, SESSION, &out, NULL), 0);
        ck_assert_uint_eq(out.report_data_size, 48);
}
END_TEST

static KbcSession *new_session(void) {
        CLEANUP(kbc_rcar_freep) KbcRcar *m = new_machine();
        AUTO_RCAR_OUTPUT KbcRcarOutput out = {};

        drive(m, KBC_RCAR_TOKEN);
        ck_assert_int_eq(feed_reply(m, 200, "{\"token\":\"e30.e30.e30\"}", "", &out, NULL), 0);
        return TAKE_PTR(out.session);
}

START_TEST(resource_paths_are_checked_before_they_are_sent) {
        static const char *const bad[] = { "", "a/b", "a/b/c/d", "../b/c", "a/b/c?d", "a/b/c#d", "/a/b/c", "a/b/%2e" };
        CLEANUP(kbc_session_unrefp) KbcSession *s = new_session();
        AUTO_MESSAGE KbcMessage m = {};

        for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
                ck_assert_int_eq(kbc_session_request(s, bad[i], &m, NULL), -EINVAL);
                ck_assert_ptr_null(m.path);
        }
}
END_TEST

START_TEST(empty_and_foreign_resources_are_refused) {
        CLEANUP(kbc_session_unrefp) KbcSession *s = new_session();
        CLEANUP(kbc_tee_key_freep) KbcTeeKey *key = NULL;
        AUTO_FREE char *jwe = NULL;
        AUTO_REPLY KbcReply foreign = {}, refused = reply_of(401, "", ""), bare = reply_of(200, "the key itself", "");
        AUTO_SECRET Secret secret = {};
        KbcRemedy remedy = KBC_REMEDY_RETRY;

        ck_assert_int_eq(kbc_tee_key_generate(KBC_TEE_ALG_ECDH_P256, &key, NULL), 0);
        jwe = jwe_seal(kbc_tee_key_pkey(key), "x", 1, NULL);
        foreign = reply_of(200, jwe, "");
        ck_assert_int_eq(kbc_session_open(s, &foreign, &secret, &remedy, NULL), -EKEYREJECTED);
        ck_assert_int_eq(remedy, KBC_REMEDY_NONE);
        ck_assert_int_eq(kbc_session_open(s, &bare, &secret, &remedy, NULL), -EBADMSG);
        ck_assert_int_eq(kbc_session_open(s, &refused, &secret, &remedy, NULL), -EKEYREJECTED);
        ck_assert_int_eq(remedy, KBC_REMEDY_HANDSHAKE);
        ck_assert_ptr_null(secret.bytes);
}
END_TEST

START_TEST(an_empty_resource_is_an_error_of_its_own) {
        CLEANUP(kbc_tee_key_freep) KbcTeeKey *key = NULL;
        CLEANUP(kbc_session_unrefp) KbcSession *s = NULL;
        AUTO_FREE char *jwe = NULL;
        AUTO_REPLY KbcReply reply = {};
        AUTO_SECRET Secret secret = {};
        KbcRemedy remedy;
        Error e = {};

        ck_assert_int_eq(kbc_tee_key_generate(KBC_TEE_ALG_ECDH_P256, &key, NULL), 0);
        jwe = jwe_seal(kbc_tee_key_pkey(key), "", 0, NULL);
        reply = reply_of(200, jwe, "");
        ck_assert_int_eq(kbc_session_new(key, "id", 0, 1, &s, NULL), 0);
        key = NULL;
        ck_assert_int_eq(kbc_session_open(s, &reply, &secret, &remedy, &e), -EBADMSG);
        ck_assert_str_eq(e.reason, "resource-empty");
}
END_TEST

int main(void) {
        Suite *s = suite_create("keybroker-client");
        TCase *t = tcase_create("rcar");

        tcase_add_test(t, request_is_what_a_stock_broker_takes);
        tcase_add_test(t, whole_handshake_and_a_resource);
        tcase_add_loop_test(t, what_is_not_in_the_table_ends_the_handshake, 0, KBC_RCAR_N_STATES * KBC_RCAR_N_EVENTS);
        tcase_add_loop_test(t, challenge_is_judged, 0, N_ELEMENTS(challenges));
        tcase_add_test(t, oversized_challenge_is_refused);
        tcase_add_test(t, every_truncated_challenge_is_refused);
        tcase_add_test(t, every_flipped_bit_of_a_challenge_is_refused_or_harmless);
        tcase_add_loop_test(t, answer_to_the_attestation_is_judged, 0, N_ELEMENTS(responses));
        tcase_add_test(t, cookie_of_the_last_answer_is_used);
        tcase_add_test(t, refusals_carry_their_remedy);
        tcase_add_test(t, names_of_tee_types_are_plain);
        tcase_add_test(t, resource_paths_are_checked_before_they_are_sent);
        tcase_add_test(t, empty_and_foreign_resources_are_refused);
        tcase_add_test(t, an_empty_resource_is_an_error_of_its_own);
        suite_add_tcase(s, t);
        return unit_run(s);
}
