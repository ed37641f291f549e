/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The reference broker as a guest sees it, request by request, with nothing of our client in between; and what its
 * log says of each refusal, which the guest does not see.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/json.h"
#include "base/text.h"
#include "keybroker-client/jwe.h"
#include "tests/broker/fixture.h"
#include "tests/broker/guest.h"
#include "tests/simulator/harness.h"
#include "tests/unit/unit.h"

#define RESOURCE "/kbs/v0/resource/"

static SimPki *pki; /* of the build, read before any test begins */
static BrokerFixture fixture;
static Guest guest;

static void ok(int r, const Error *e) {
        ck_assert_msg(r == 0, "%s", error_text(e, r));
}

static void open_guest(GuestAlg alg) {
        Error e = {};

        guest_done(&guest);
        ok(guest_open(fixture.url, fixture.ca_file, alg, &guest, &e), &e);
}

static void begin(void) {
        Error e = {};

        ok(fixture_open(pki, &fixture, &e), &e);
        open_guest(GUEST_P256);
}

static void end(void) {
        guest_done(&guest);
        fixture_done(&fixture);
}

static void write_text(const char *name, const char *text) {
        Error e = {};

        ok(fixture_write_text(&fixture, name, text, &e), &e);
}

static void restart(FixtureOptions options) {
        Error e = {};

        ok(fixture_restart(&fixture, &options, &e), &e);
        open_guest(GUEST_P256);
}

static GuestAnswer post(const char *path, const char *body) {
        GuestAnswer a;

        guest_request(&guest, "POST", path, body, NULL, &a);
        return a;
}

static GuestAnswer get(const char *path) {
        GuestAnswer a;

        guest_request(&guest, "GET", path, NULL, NULL, &a);
        return a;
}

static bool logged(const char *a, const char *b) {
        return fixture_count_log(&fixture, "log", a, b) > 0;
}

/* The whole body, so that nothing more leaks out. Takes the answer. */
static void expect_error(GuestAnswer a, long status, const char *variant, const char *detail) {
        AUTO_FREE char *want = NULL;

        ck_assert_int_gt(asprintf(&want,
                                  "{\"type\":\"https://github.com/confidential-containers/kbs/errors/%s\","
                                  "\"detail\":\"%s\"}",
                                  variant, detail), 0);
        ck_assert_msg(a.code == CURLE_OK, "%s", curl_easy_strerror(a.code));
        ck_assert_int_eq(a.status, status);
        ck_assert_uint_eq(a.body.size, strlen(want));
        ck_assert_mem_eq(a.body.data, want, a.body.size);
        guest_answer_done(&a);
}

static void expect_hidden(GuestAnswer a) {
        expect_error(a, 401, "AttestationError", "Attestation error: RCAR handshake Attest failed");
}

static GuestAnswer handshake(const SimReport *report) {
        GuestAnswer a = {};
        Error e = {};

        ok(guest_handshake(&guest, pki, report, &a, &e), &e);
        return a;
}

static void attest(void) {
        SimReport report = sim_report_defaults(pki);
        GuestAnswer a = handshake(&report);

        ck_assert_int_eq(a.status, 200);
        guest_answer_done(&a);
}

static char *token_of(const GuestAnswer *a) {
        AUTO_JSON json_object *o = NULL;
        const char *token;

        ck_assert_int_eq(a->status, 200);
        ck_assert_int_eq(json_parse(a->body.data, a->body.size, "answer", &o, NULL), 0);
        ck_assert_int_eq(json_get_str(o, "token", 65536, &token, NULL), 0);
        return strdup(token);
}

/* Opens with the product's JWE, which shares nothing with the broker's. */
static void expect_secret(GuestAnswer a, KbcTeeAlg alg, const char *want) {
        CLEANUP(kbc_tee_key_freep) KbcTeeKey *key = NULL;
        AUTO_SECRET Secret secret = {};
        Error e = {};

        ck_assert_int_eq(a.status, 200);
        ck_assert_str_eq(a.content_type, "application/json");
        ok(kbc_tee_key_new(alg, guest.key, &key, &e), &e);
        ok(kbc_jwe_open(a.body.data, a.body.size, key, &secret, &e), &e);
        ck_assert_uint_eq(secret.len, strlen(want));
        if (secret.len > 0)
                ck_assert_mem_eq(secret.bytes, want, secret.len);
        guest_answer_done(&a);
}

/* /auth */

START_TEST(challenge_has_a_nonce_an_empty_string_and_a_plain_cookie) {
        AUTO_GUEST_ANSWER GuestAnswer a = {};
        char want[128];

        guest_auth(&guest, &a);
        ck_assert_int_eq(a.status, 200);
        ck_assert_str_eq(a.content_type, "application/json");
        ck_assert_uint_eq(strlen(guest.nonce), 44);
        (void) snprintf(want, sizeof(want), "{\"nonce\":\"%s\",\"extra-params\":\"\"}", guest.nonce);
        ck_assert_uint_eq(a.body.size, strlen(want));
        ck_assert_mem_eq(a.body.data, want, a.body.size);
        (void) snprintf(want, sizeof(want), "kbs-session-id=%s; Expires=", guest.cookie);
        ck_assert_uint_eq(strlen(guest.cookie), 32);
        ck_assert(text_starts_with(a.set_cookie, want));
        ck_assert_uint_eq(strlen(a.set_cookie), strlen(want) + strlen("Sun, 06 Nov 1994 08:49:37 GMT"));
} END_TEST

START_TEST(another_protocol_version_is_refused_in_the_documented_words) {
        expect_error(post("/kbs/v0/auth", "{\"version\":\"0.1.1\",\"tee\":\"snp\",\"extra-params\":{}}"), 401,
                     "AttestationError",
                     "Attestation error: RCAR handshake Auth failed: KBS Client Protocol Version Mismatch: "
                     "expect =0.4.0 while the request is 0.1.1");
} END_TEST

START_TEST(a_request_that_is_no_json_is_refused) {
        AUTO_GUEST_ANSWER GuestAnswer a = post("/kbs/v0/auth", "no json");

        ck_assert_int_eq(a.status, 401);
        ck_assert_str_eq(a.set_cookie, "");
        ck_assert_ptr_nonnull(memmem(a.body.data, a.body.size, "errors/AttestationError\"", 24));
} END_TEST

/* /attest */

START_TEST(a_good_handshake_gives_a_token_and_the_same_cookie) {
        SimReport report = sim_report_defaults(pki);
        AUTO_GUEST_ANSWER GuestAnswer a = handshake(&report);
        AUTO_FREE char *token = token_of(&a);
        char want[96];

        ck_assert_uint_gt(strlen(token), 100);
        (void) snprintf(want, sizeof(want), "kbs-session-id=%s; Expires=", guest.cookie);
        ck_assert(text_starts_with(a.set_cookie, want));
        ck_assert(logged("decision=attest verdict=allow status=affirming", guest.cookie));
        ck_assert_uint_eq(fixture_count_log(&fixture, "log", "verdict=deny", NULL), 0);
} END_TEST

static const struct {
        SimProduct product;
        SimSigner signer;
} platforms[] = {
        { SIM_MILAN, SIM_SIGNER_VLEK },
        { SIM_GENOA, SIM_SIGNER_VCEK },
        { SIM_GENOA, SIM_SIGNER_VLEK },
        { SIM_TURIN, SIM_SIGNER_VCEK },
        { SIM_TURIN, SIM_SIGNER_VLEK },
};

START_TEST(every_product_line_and_kind_of_key_attests) {
        CLEANUP(sim_pki_freep) SimPki *other = NULL;
        AUTO_GUEST_ANSWER GuestAnswer a = {};
        char dir[SIM_PATH_MAX];
        SimReport report;
        Error e = {};

        sim_test_pki(platforms[_i].product, dir);
        ok(sim_pki_load(dir, &other, &e), &e);
        end();
        ok(fixture_open(other, &fixture, &e), &e);
        open_guest(GUEST_P256);
        report = sim_report_defaults(other);
        report.signer = platforms[_i].signer;
        ok(guest_handshake(&guest, other, &report, &a, &e), &e);
        ck_assert_int_eq(a.status, 200);
        ck_assert_uint_eq(fixture_count_log(&fixture, "log", "verdict=deny", NULL), 0);
} END_TEST

START_TEST(attest_without_a_session_is_refused) {
        GuestAnswer a = {};

        guest_auth(&guest, &a);
        guest_answer_done(&a);
        guest.cookie[0] = 0;
        expect_hidden(post("/kbs/v0/attest", "{}"));
        (void) snprintf(guest.cookie, sizeof(guest.cookie), "0123456789abcdef0123456789abcdef");
        expect_hidden(post("/kbs/v0/attest", "{}"));
        ck_assert_uint_eq(fixture_count_log(&fixture, "log", "decision=attest verdict=deny", "reason=no-session"), 2);
} END_TEST

START_TEST(an_expired_session_does_not_attest) {
        SimReport report = sim_report_defaults(pki);

        restart((FixtureOptions){ .session_seconds = 0, .token_seconds = 300 });
        expect_hidden(handshake(&report));
        ck_assert(logged("decision=attest verdict=deny", "reason=no-session"));
} END_TEST

START_TEST(a_malformed_message_is_refused_without_a_reason) {
        GuestAnswer a = {};

        guest_auth(&guest, &a);
        guest_answer_done(&a);
        expect_hidden(post("/kbs/v0/attest", "{}"));
        ck_assert(logged("reason=malformed-message", guest.cookie));
} END_TEST

/* The message for a fresh challenge and this report. */
static char *make_message(SimReport report, const SimPki *certs) {
        uint8_t bytes[SIM_REPORT_SIZE];
        char *message = NULL;
        GuestAnswer a = {};
        Error e = {};

        guest_auth(&guest, &a);
        guest_answer_done(&a);
        ok(guest_report_data(&guest, report.report_data, &e), &e);
        ok(sim_report_make(&report, pki, bytes, &e), &e);
        ok(guest_attestation(&guest, bytes, certs, &message, &e), &e);
        return message;
}

/* Changes the number after @member's "[" or ":" in place; the length of the text stays. */
static void tamper(char *message, const char *member) {
        char *p = strstr(message, member);

        ck_assert_ptr_nonnull(p);
        p += strcspn(p, "0123456789");
        *p = *p == '1' ? '2' : '1';
}

START_TEST(an_attested_session_answers_again_with_its_token_and_looks_at_nothing) {
        AUTO_FREE char *message = make_message(sim_report_defaults(pki), pki);
        AUTO_GUEST_ANSWER GuestAnswer first = post("/kbs/v0/attest", message), second = {};
        AUTO_FREE char *one = token_of(&first);
        AUTO_FREE char *two = NULL;

        tamper(message, "\"measurement\"");
        second = post("/kbs/v0/attest", message);
        two = token_of(&second);
        ck_assert_str_eq(one, two);
        guest_answer_done(&second);
        expect_hidden(post("/kbs/v0/attest", "no attestation"));
} END_TEST

START_TEST(a_refused_session_keeps_its_nonce) {
        AUTO_FREE char *message = make_message(sim_report_defaults(pki), pki);
        AUTO_FREE char *bad = strdup(message);
        AUTO_GUEST_ANSWER GuestAnswer a = {};

        tamper(bad, "\"measurement\"");
        expect_hidden(post("/kbs/v0/attest", bad));
        a = post("/kbs/v0/attest", message);
        ck_assert_int_eq(a.status, 200);
} END_TEST

START_TEST(an_unknown_nonce_is_refused) {
        AUTO_FREE char *message = NULL;
        GuestAnswer a = {};
        Error e = {};
        uint8_t report[SIM_REPORT_SIZE] = {};

        guest_auth(&guest, &a);
        guest_answer_done(&a);
        guest.nonce[0] = guest.nonce[0] == 'A' ? 'B' : 'A';
        ok(guest_attestation(&guest, report, NULL, &message, &e), &e);
        expect_hidden(post("/kbs/v0/attest", message));
        ck_assert(logged("claim=nonce", "verdict=deny"));
        ck_assert(logged("decision=attest verdict=deny reason=unknown-nonce", guest.cookie));
} END_TEST

START_TEST(evidence_of_an_earlier_session_is_refused_as_stale) {
        AUTO_FREE char *message = make_message(sim_report_defaults(pki), pki);
        AUTO_GUEST_ANSWER GuestAnswer a = post("/kbs/v0/attest", message);
        GuestAnswer b = {};

        ck_assert_int_eq(a.status, 200);
        guest_auth(&guest, &b);
        guest_answer_done(&b);
        expect_hidden(post("/kbs/v0/attest", message));
        ck_assert(logged("decision=attest verdict=deny reason=stale-nonce", guest.cookie));
} END_TEST

/* What is wrong with the report, and which claim says so. */
static void other_key(SimReport *r) { r->report_data[0] ^= 1; }
static void vmpl_1(SimReport *r) { r->vmpl = 1; }
static void other_tcb(SimReport *r) { r->reported.snp--; }
static void other_chip(SimReport *r) { r->chip_id[5] ^= 1; }
static void masked_chip(SimReport *r) { (void) memset(r->chip_id, 0, sizeof(r->chip_id)); }
static void version_2(SimReport *r) { r->version = 2; }
static void not_signed(SimReport *r) { r->signer = SIM_SIGNER_NONE; }
static void other_cpu(SimReport *r) { r->cpuid_model = 0x11; } /* Genoa, and the certificate says Milan */

static const struct {
        const char *claim;
        void (*spoil)(SimReport *report);
} refused[] = {
        { "report-data", other_key },   { "vmpl", vmpl_1 },         { "tcb", other_tcb },     { "chip-id", other_chip },
        { "chip-id", masked_chip },     { "evidence", version_2 },  { "report", not_signed }, { "product", other_cpu },
};

START_TEST(evidence_that_does_not_hold_is_refused_and_the_log_names_the_claim) {
        SimReport report = sim_report_defaults(pki);
        AUTO_FREE char *message = NULL;
        uint8_t bytes[SIM_REPORT_SIZE];
        char claim[64];
        GuestAnswer a = {};
        Error e = {};

        guest_auth(&guest, &a);
        guest_answer_done(&a);
        ok(guest_report_data(&guest, report.report_data, &e), &e);
        refused[_i].spoil(&report);
        ok(sim_report_make(&report, pki, bytes, &e), &e);
        ok(guest_attestation(&guest, bytes, pki, &message, &e), &e);
        expect_hidden(post("/kbs/v0/attest", message));
        (void) snprintf(claim, sizeof(claim), "claim=%s ", refused[_i].claim);
        ck_assert_msg(logged(claim, "verdict=deny"), "%s", refused[_i].claim);
        ck_assert(logged("decision=attest verdict=deny", guest.cookie));
} END_TEST

static const char *const members[] = {
        "\"guest_svn\"", "\"policy\"",    "\"family_id\"", "\"measurement\"", "\"host_data\"",
        "\"report_id\"", "\"chip_id\"",   "\"r\"",         "\"s\"",           "\"plat_info\"",
        "\"current\"",   "\"id_key_digest\"", "\"launch_mit_vector\"",
};

START_TEST(a_member_changed_after_signing_breaks_the_signature) {
        AUTO_FREE char *message = make_message(sim_report_defaults(pki), pki);

        tamper(message, members[_i]);
        expect_hidden(post("/kbs/v0/attest", message));
        ck_assert_msg(logged("claim=signature", "verdict=deny") || logged("claim=evidence", "verdict=deny"), "%s",
                      members[_i]);
} END_TEST

START_TEST(a_hierarchy_that_is_not_amds_is_refused_by_a_broker_that_trusts_amd) {
        SimReport report = sim_report_defaults(pki);

        restart((FixtureOptions){ .amd_trust = true, .session_seconds = 300, .token_seconds = 300 });
        expect_hidden(handshake(&report));
        ck_assert(logged("claim=certificate-chain wanted=amd", "verdict=deny"));
        ck_assert(logged("start ", "trust=amd"));
} END_TEST

START_TEST(without_a_chain_the_broker_looks_into_its_store) {
        AUTO_FREE char *message = make_message(sim_report_defaults(pki), NULL);
        AUTO_FREE char *hwid = hex_encode(pki->chip_id, sizeof(pki->chip_id));
        AUTO_GUEST_ANSWER GuestAnswer a = {};
        AUTO_FREE char *name = NULL;
        AUTO_BLOB Blob vcek = {};
        Error e = {};

        expect_hidden(post("/kbs/v0/attest", message));
        ck_assert(logged("claim=certificate-chain", "verdict=deny"));
        ck_assert_int_gt(asprintf(&name, "store/vcek/%s/vcek.der", hwid), 0);
        ok(sim_pki_cert_der(pki, SIM_VCEK, &vcek, &e), &e);
        ok(fixture_write(&fixture, name, vcek.data, vcek.size, &e), &e);
        a = post("/kbs/v0/attest", message);
        ck_assert_int_eq(a.status, 200);
} END_TEST

START_TEST(an_empty_chain_is_refused) {
        AUTO_FREE char *message = make_message(sim_report_defaults(pki), NULL);
        AUTO_FREE char *empty = NULL;
        char *null = strstr(message, "\"cert_chain\":null");

        ck_assert_ptr_nonnull(null);
        ck_assert_int_gt(asprintf(&empty, "%.*s\"cert_chain\":[]%s", (int) (null - message), message,
                                  null + strlen("\"cert_chain\":null")), 0);
        expect_hidden(post("/kbs/v0/attest", empty));
        ck_assert(logged("claim=evidence", "must include a VCEK or VLEK"));
} END_TEST

START_TEST(a_body_over_the_limit_is_refused) {
        size_t n = 2u * 1024u * 1024u + 1;
        AUTO_FREE char *body = malloc(n + 1);
        AUTO_GUEST_ANSWER GuestAnswer a = {};

        ck_assert_ptr_nonnull(body);
        (void) memset(body, ' ', n);
        body[n] = 0;
        a = post("/kbs/v0/auth", body);
        ck_assert_int_eq(a.status, 413);
} END_TEST

/* Policy */

static void debug_on(SimReport *r) { r->policy |= UINT64_C(1) << 19; }
static void migration_on(SimReport *r) { r->policy |= UINT64_C(1) << 18; }
static void other_measurement(SimReport *r) { r->measurement[47] ^= 1; }
static void nothing(SimReport *r) { (void) r; }

static const struct {
        const char *claim, *policy; /* added to [evidence] */
        void (*spoil)(SimReport *report);
} denied[] = {
        { "measurement", "", other_measurement },
        { "debug", "", debug_on },
        { "migration", "", migration_on },
        { "tcb-boot-loader", "min-boot-loader = 255\n", nothing },
        { "tcb-tee", "min-tee = 255\n", nothing },
        { "tcb-snp", "min-snp = 255\n", nothing },
        { "tcb-microcode", "min-microcode = 255\n", nothing },
};

static void set_policy(const char *evidence, const char *resource) {
        SimReport report = sim_report_defaults(pki);
        AUTO_FREE char *measurement = hex_encode(report.measurement, sizeof(report.measurement));
        AUTO_FREE char *text = NULL;

        ck_assert_int_gt(asprintf(&text, "[evidence]\nmeasurement = %s\n%s[resource]\n%s", measurement, evidence,
                                  resource), 0);
        write_text("policy", text);
}

START_TEST(a_guest_that_policy_does_not_want_attests_but_gets_nothing) {
        SimReport report = sim_report_defaults(pki);
        AUTO_GUEST_ANSWER GuestAnswer a = {};
        char want[64];

        set_policy(denied[_i].policy, "allow = default/*/*\n");
        denied[_i].spoil(&report);
        a = handshake(&report);
        ck_assert_int_eq(a.status, 200);
        (void) snprintf(want, sizeof(want), "claim=%s ", denied[_i].claim);
        ck_assert_msg(logged(want, "verdict=deny"), "%s", denied[_i].claim);
        ck_assert_uint_eq(fixture_count_log(&fixture, "log", "claim=", "verdict=deny"), 1);
        ck_assert(logged("decision=attest verdict=allow status=contraindicated", guest.cookie));
        expect_error(get(RESOURCE FIXTURE_RESOURCE), 401, "PolicyDeny", "Access denied by policy");
        (void) snprintf(want, sizeof(want), "verdict=deny reason=claims:%s ", denied[_i].claim);
        ck_assert(logged("decision=resource resource=" FIXTURE_RESOURCE, want));
} END_TEST

START_TEST(a_claim_line_tells_what_was_wanted_and_what_was_found) {
        SimReport report = sim_report_defaults(pki);
        AUTO_FREE char *wanted = hex_encode(report.measurement, sizeof(report.measurement));
        AUTO_FREE char *found = NULL;
        AUTO_FREE char *line = NULL;
        AUTO_GUEST_ANSWER GuestAnswer a = {};

        other_measurement(&report);
        found = hex_encode(report.measurement, sizeof(report.measurement));
        a = handshake(&report);
        ck_assert_int_gt(asprintf(&line, "claim=measurement wanted=%s found=%s verdict=deny", wanted, found), 0);
        ck_assert(logged(line, guest.cookie));
} END_TEST

START_TEST(a_vmpl_that_policy_lists_is_accepted) {
        SimReport report = sim_report_defaults(pki);
        AUTO_GUEST_ANSWER GuestAnswer a = {};

        set_policy("vmpl = 0\nvmpl = 2\n", "allow = default/*/*\n");
        report.vmpl = 2;
        a = handshake(&report);
        ck_assert_int_eq(a.status, 200);
        ck_assert(logged("claim=vmpl wanted=0,2 found=2", "verdict=allow"));
} END_TEST

START_TEST(a_masked_chip_is_accepted_when_policy_says_so) {
        SimReport report = sim_report_defaults(pki);
        AUTO_GUEST_ANSWER GuestAnswer a = {};

        set_policy("masked-chip-id = yes\n", "allow = default/*/*\n");
        masked_chip(&report);
        a = handshake(&report);
        ck_assert_int_eq(a.status, 200);
} END_TEST

START_TEST(resource_rules_deny_what_they_do_not_allow) {
        attest();
        write_text("resources/default/denied/x", "secret");
        write_text("resources/other/disk/x", "secret");
        expect_error(get(RESOURCE "default/denied/x"), 401, "PolicyDeny", "Access denied by policy");
        expect_error(get(RESOURCE "other/disk/x"), 401, "PolicyDeny", "Access denied by policy");
        ck_assert(logged("resource=default/denied/x", "reason=rule "));
        ck_assert(logged("resource=other/disk/x", "reason=no-rule "));
} END_TEST

/* Resources */

static const KbcTeeAlg client_algs[GUEST_N_ALGS] = {
        [GUEST_P256] = KBC_TEE_ALG_ECDH_P256,   [GUEST_P384] = KBC_TEE_ALG_ECDH_P384,
        [GUEST_P521] = KBC_TEE_ALG_ECDH_P521,   [GUEST_RSA_OAEP] = KBC_TEE_ALG_RSA_OAEP,
        [GUEST_RSA_OAEP_256] = KBC_TEE_ALG_RSA_OAEP_256,
};

START_TEST(a_resource_is_sealed_to_the_attested_key_of_every_kind) {
        open_guest((GuestAlg) _i);
        attest();
        expect_secret(get(RESOURCE FIXTURE_RESOURCE), client_algs[_i], FIXTURE_SECRET);
        expect_secret(get(RESOURCE "default/disk/empty"), client_algs[_i], "");
        ck_assert(logged("decision=resource resource=" FIXTURE_RESOURCE " verdict=allow", guest.cookie));
} END_TEST

START_TEST(a_bearer_token_does_as_well_as_the_cookie) {
        SimReport report = sim_report_defaults(pki);
        AUTO_GUEST_ANSWER GuestAnswer a = handshake(&report);
        AUTO_FREE char *token = token_of(&a);
        GuestAnswer b;

        guest.cookie[0] = 0;
        guest_request(&guest, "GET", RESOURCE FIXTURE_RESOURCE, NULL, token, &b);
        expect_secret(b, KBC_TEE_ALG_ECDH_P256, FIXTURE_SECRET);
        token[strlen(token) / 2] ^= 1;
        guest_request(&guest, "GET", RESOURCE FIXTURE_RESOURCE, NULL, token, &b);
        expect_error(b, 401, "TokenVerifierError", "Token Verifier error");
} END_TEST

START_TEST(without_a_token_there_is_no_resource) {
        GuestAnswer a = {};

        expect_error(get(RESOURCE FIXTURE_RESOURCE), 401, "TokenNotFound", "Attestation Token not found");
        guest_auth(&guest, &a); /* a session that has not attested is none */
        guest_answer_done(&a);
        expect_error(get(RESOURCE FIXTURE_RESOURCE), 401, "TokenNotFound", "Attestation Token not found");
} END_TEST

START_TEST(an_expired_token_is_refused_though_the_session_lives) {
        write_text("control", "attest expired-token\n");
        attest();
        expect_error(get(RESOURCE FIXTURE_RESOURCE), 401, "TokenVerifierError", "Token Verifier error");
        ck_assert(logged("decision=resource", "reason=token-expired"));
} END_TEST

START_TEST(a_token_of_an_earlier_broker_is_refused) {
        SimReport report = sim_report_defaults(pki);
        AUTO_GUEST_ANSWER GuestAnswer a = handshake(&report);
        AUTO_FREE char *token = token_of(&a);
        GuestAnswer b;

        restart(FIXTURE_DEFAULTS);
        guest_request(&guest, "GET", RESOURCE FIXTURE_RESOURCE, NULL, token, &b);
        expect_error(b, 401, "TokenVerifierError", "Token Verifier error");
} END_TEST

static const struct {
        const char *path;
        bool exists; /* as a file; then it is the name alone that keeps it from us */
        const char *reason;
} no_resources[] = {
        { "default/disk/missing", false, "no-such-resource" }, { "default/.hidden/x", true, "illegal-name" },
        { "default/%2e%2e/x", true, "illegal-name" },          { "a/b", true, "illegal-name" },
        { "a/b/c/d", true, "illegal-name" },                   { "default/disk/", false, "illegal-name" },
        { "default//root", false, "illegal-name" },            { "default/disk", false, "illegal-name" },
};

START_TEST(a_missing_resource_and_an_illegal_name_look_the_same) {
        AUTO_FREE char *path = NULL;
        AUTO_FREE char *file = NULL;
        char reason[64];

        ck_assert_int_gt(asprintf(&path, RESOURCE "%s", no_resources[_i].path), 0);
        ck_assert_int_gt(asprintf(&file, "resources/%s", no_resources[_i].path), 0);
        if (no_resources[_i].exists)
                write_text(file, "secret");
        set_policy("", "allow = */*/*\nallow = */*\nallow = */*/*/*\nallow = *\nallow = default/.hidden/x\n");
        attest();
        expect_error(get(path), 401, "PluginInternalError", "Plugin internal error");
        (void) snprintf(reason, sizeof(reason), "reason=%s ", no_resources[_i].reason);
        ck_assert_msg(logged("decision=resource", reason), "%s", no_resources[_i].path);
} END_TEST

START_TEST(a_key_the_broker_cannot_encrypt_to_fails_after_attestation) {
        char *x = strstr(guest.jwk, "\"x\":\"");

        ck_assert_ptr_nonnull(x);
        x[strlen("\"x\":\"")] = '='; /* no base64url */
        attest();
        expect_error(get(RESOURCE FIXTURE_RESOURCE), 401, "JweError", "JWE failed");
} END_TEST

START_TEST(other_paths_answer_as_documented) {
        AUTO_GUEST_ANSWER GuestAnswer health = get("/healthz");
        AUTO_GUEST_ANSWER GuestAnswer nowhere = get("/elsewhere");

        ck_assert_int_eq(health.status, 200);
        ck_assert_uint_eq(health.body.size, 0);
        ck_assert_int_eq(nowhere.status, 404);
        expect_error(get("/kbs/v0/auth"), 404, "PluginNotFound", "Plugin auth not found");
        expect_error(get("/kbs/v0/pkcs11/resource/a/b/c"), 404, "PluginNotFound", "Plugin pkcs11 not found");
        expect_error(post(RESOURCE FIXTURE_RESOURCE, "new"), 401, "AdminAuthInitialization", "Admin access denied");
        expect_error(post("/kbs/v0/resource-policy", "{}"), 401, "AdminAuthAccess", "Admin access denied");
} END_TEST

/* Faults */

START_TEST(a_dropped_connection_carries_no_answer) {
        AUTO_GUEST_ANSWER GuestAnswer a = {};

        write_text("control", "auth drop\n");
        guest_auth(&guest, &a);
        ck_assert_int_ne(a.code, CURLE_OK);
        ck_assert_int_eq(a.status, 0);
} END_TEST

START_TEST(a_truncated_body_is_shorter_than_announced) {
        AUTO_GUEST_ANSWER GuestAnswer a = {};

        write_text("control", "auth truncate\n");
        guest_auth(&guest, &a);
        ck_assert_int_eq(a.status, 200);
        ck_assert_int_ne(a.code, CURLE_OK);
        ck_assert_uint_gt(a.body.size, 0);
} END_TEST

static const struct {
        const char *control;
        long status;
        const char *retry_after;
        size_t size;
} faults[] = {
        { "auth status 500\n", 500, "", 0 },
        { "auth status 429\n", 429, "", 0 },
        { "auth busy 7\n", 503, "7", 0 },
        { "auth redirect\n", 302, "", 0 },     { "auth oversize 100000\n", 200, "", 100000 },
        { "auth garbage\n", 200, "", strlen("<html><body>It works!</body></html>") },
};

START_TEST(a_fault_replaces_the_answer) {
        AUTO_GUEST_ANSWER GuestAnswer a = {};

        write_text("control", faults[_i].control);
        guest_auth(&guest, &a);
        ck_assert_int_eq(a.status, faults[_i].status);
        ck_assert_str_eq(a.retry_after, faults[_i].retry_after);
        ck_assert_uint_eq(a.body.size, faults[_i].size);
        if (a.status == 302)
                ck_assert(text_starts_with(a.location, fixture.url));
} END_TEST

START_TEST(a_slow_answer_comes_late_and_does_not_hold_up_the_end) {
        AUTO_GUEST_ANSWER GuestAnswer a = {};

        write_text("control", "auth slow 3600000\n");
        ck_assert_int_eq(curl_easy_setopt(guest.curl, CURLOPT_TIMEOUT_MS, 200L), CURLE_OK);
        guest_auth(&guest, &a);
        ck_assert_int_eq(a.code, CURLE_OPERATION_TIMEDOUT);
} END_TEST

START_TEST(forgotten_sessions_need_a_new_handshake) {
        attest();
        write_text("control", "resource forget x1\n");
        expect_error(get(RESOURCE FIXTURE_RESOURCE), 401, "TokenNotFound", "Attestation Token not found");
        attest();
        expect_secret(get(RESOURCE FIXTURE_RESOURCE), KBC_TEE_ALG_ECDH_P256, FIXTURE_SECRET);
} END_TEST

static const struct {
        const char *control, *want;
} challenges[] = {
        { "auth hash sha512\n", ",\"extra-params\":{\"selected-hash-algorithm\":\"sha512\"}}" },
        { "auth challenge no-nonce\n", "{\"extra-params\":" },
        { "auth challenge number-nonce\n", "{\"nonce\":42," },
        { "auth challenge array\n", "[]" },
        { "auth challenge hash-number\n", "{\"selected-hash-algorithm\":512}" },
        { "auth challenge long-nonce\n", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" },
};

START_TEST(a_challenge_is_spoilt_as_asked) {
        AUTO_GUEST_ANSWER GuestAnswer a = {};

        write_text("control", challenges[_i].control);
        guest_auth(&guest, &a);
        ck_assert_int_eq(a.status, 200);
        ck_assert_ptr_nonnull(memmem(a.body.data, a.body.size, challenges[_i].want, strlen(challenges[_i].want)));
} END_TEST

/* The proxy */

static const struct {
        ProxyMode mode;
        const char *line; /* the broker's reason */
} replays[] = {
        { PROXY_REPLAY_EVIDENCE, "decision=attest verdict=deny reason=stale-nonce" },
        { PROXY_REPLAY_CHALLENGE, "decision=attest verdict=deny reason=stale-nonce" },
        { PROXY_REPLAY_REPORT, "decision=attest verdict=deny reason=report-data" },
};

START_TEST(a_replay_by_the_man_in_the_middle_is_refused_with_its_reason) {
        SimReport report = sim_report_defaults(pki);
        CLEANUP(proxy_stopp) Proxy *proxy = NULL;
        char url[64];
        Error e = {};

        ok(fixture_start_proxy(&fixture, replays[_i].mode, &proxy, &e), &e);
        (void) snprintf(url, sizeof(url), "https://127.0.0.1:%u", proxy_port(proxy));
        guest_done(&guest);
        ok(guest_open(url, fixture.ca_file, GUEST_P256, &guest, &e), &e);
        attest();
        expect_secret(get(RESOURCE FIXTURE_RESOURCE), KBC_TEE_ALG_ECDH_P256, FIXTURE_SECRET);
        ck_assert_uint_eq(fixture_count_log(&fixture, "proxy-log", "replay ", NULL), 0);
        expect_hidden(handshake(&report));
        ck_assert_uint_eq(fixture_count_log(&fixture, "proxy-log", "replay ", NULL), 1);
        ck_assert(logged(replays[_i].line, NULL));
        expect_error(get(RESOURCE FIXTURE_RESOURCE), 401, "TokenNotFound", "Attestation Token not found");
} END_TEST

START_TEST(a_passing_proxy_changes_nothing) {
        CLEANUP(proxy_stopp) Proxy *proxy = NULL;
        char url[64];
        Error e = {};

        ok(fixture_start_proxy(&fixture, PROXY_PASS, &proxy, &e), &e);
        (void) snprintf(url, sizeof(url), "https://127.0.0.1:%u", proxy_port(proxy));
        guest_done(&guest);
        ok(guest_open(url, fixture.ca_file, GUEST_P256, &guest, &e), &e);
        attest();
        attest();
        expect_secret(get(RESOURCE FIXTURE_RESOURCE), KBC_TEE_ALG_ECDH_P256, FIXTURE_SECRET);
} END_TEST

static TCase *add_case(Suite *s, const char *name) {
        TCase *c = tcase_create(name);

        tcase_add_checked_fixture(c, begin, end);
        suite_add_tcase(s, c);
        return c;
}

static void add_attest(Suite *s) {
        TCase *c = add_case(s, "attest");

        tcase_add_test(c, challenge_has_a_nonce_an_empty_string_and_a_plain_cookie);
        tcase_add_test(c, another_protocol_version_is_refused_in_the_documented_words);
        tcase_add_test(c, a_request_that_is_no_json_is_refused);
        tcase_add_test(c, a_good_handshake_gives_a_token_and_the_same_cookie);
        tcase_add_loop_test(c, every_product_line_and_kind_of_key_attests, 0, N_ELEMENTS(platforms));
        tcase_add_test(c, attest_without_a_session_is_refused);
        tcase_add_test(c, an_expired_session_does_not_attest);
        tcase_add_test(c, a_malformed_message_is_refused_without_a_reason);
        tcase_add_test(c, an_attested_session_answers_again_with_its_token_and_looks_at_nothing);
        tcase_add_test(c, a_refused_session_keeps_its_nonce);
        tcase_add_test(c, an_unknown_nonce_is_refused);
        tcase_add_test(c, evidence_of_an_earlier_session_is_refused_as_stale);
        tcase_add_loop_test(c, evidence_that_does_not_hold_is_refused_and_the_log_names_the_claim, 0,
                            N_ELEMENTS(refused));
        tcase_add_loop_test(c, a_member_changed_after_signing_breaks_the_signature, 0, N_ELEMENTS(members));
        tcase_add_test(c, a_hierarchy_that_is_not_amds_is_refused_by_a_broker_that_trusts_amd);
        tcase_add_test(c, without_a_chain_the_broker_looks_into_its_store);
        tcase_add_test(c, an_empty_chain_is_refused);
        tcase_add_test(c, a_body_over_the_limit_is_refused);
}

static void add_policy(Suite *s) {
        TCase *c = add_case(s, "policy");

        tcase_add_loop_test(c, a_guest_that_policy_does_not_want_attests_but_gets_nothing, 0, N_ELEMENTS(denied));
        tcase_add_test(c, a_claim_line_tells_what_was_wanted_and_what_was_found);
        tcase_add_test(c, a_vmpl_that_policy_lists_is_accepted);
        tcase_add_test(c, a_masked_chip_is_accepted_when_policy_says_so);
        tcase_add_test(c, resource_rules_deny_what_they_do_not_allow);
}

static void add_resource(Suite *s) {
        TCase *c = add_case(s, "resource");

        tcase_add_loop_test(c, a_resource_is_sealed_to_the_attested_key_of_every_kind, 0, GUEST_N_ALGS);
        tcase_add_test(c, a_bearer_token_does_as_well_as_the_cookie);
        tcase_add_test(c, without_a_token_there_is_no_resource);
        tcase_add_test(c, an_expired_token_is_refused_though_the_session_lives);
        tcase_add_test(c, a_token_of_an_earlier_broker_is_refused);
        tcase_add_loop_test(c, a_missing_resource_and_an_illegal_name_look_the_same, 0, N_ELEMENTS(no_resources));
        tcase_add_test(c, a_key_the_broker_cannot_encrypt_to_fails_after_attestation);
        tcase_add_test(c, other_paths_answer_as_documented);
}

static void add_faults(Suite *s) {
        TCase *c = add_case(s, "faults");

        tcase_add_test(c, a_dropped_connection_carries_no_answer);
        tcase_add_test(c, a_truncated_body_is_shorter_than_announced);
        tcase_add_loop_test(c, a_fault_replaces_the_answer, 0, N_ELEMENTS(faults));
        tcase_add_test(c, a_slow_answer_comes_late_and_does_not_hold_up_the_end);
        tcase_add_test(c, forgotten_sessions_need_a_new_handshake);
        tcase_add_loop_test(c, a_challenge_is_spoilt_as_asked, 0, N_ELEMENTS(challenges));
        tcase_add_loop_test(c, a_replay_by_the_man_in_the_middle_is_refused_with_its_reason, 0, N_ELEMENTS(replays));
        tcase_add_test(c, a_passing_proxy_changes_nothing);
}

int main(void) {
        char dir[SIM_PATH_MAX];
        Suite *s = suite_create("broker");
        Error e = {};
        int r;

        sim_test_pki(SIM_MILAN, dir);
        r = sim_pki_load(dir, &pki, &e);
        if (r < 0) {
                (void) fprintf(stderr, "%s\n", error_text(&e, r));
                return EXIT_FAILURE;
        }
        add_attest(s);
        add_policy(s);
        add_resource(s);
        add_faults(s);
        r = unit_run(s);
        sim_pki_free(pki);
        return r;
}
