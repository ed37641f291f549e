/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Our client against the reference broker over loopback TLS, with reports of the simulated platform. Each way the
 * broker, the network or the platform can fail has its documented code, and nothing is released.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keybroker-client/client.h"
#include "keybroker-client/evidence.h"
#include "tests/broker/fixture.h"
#include "tests/simulator/harness.h"
#include "tests/simulator/report.h"
#include "tests/unit/unit.h"

#define PATIENCE (20 * USEC_PER_SEC)
#define LITTLE_PATIENCE (850 * USEC_PER_MSEC) /* for three attempts, a quarter and half a second apart */

/* The platform: signs at once, in this process. */
typedef struct Platform {
        KbcClient *client;
        SimReport report; /* but for REPORT_DATA */
        unsigned n_calls;
        int failure;      /* what the device reports; 0: it works */
} Platform;

typedef struct Outcome {
        unsigned n_calls;
        int r;
        Error error;
        Secret secret;
} Outcome;

static SimPki *pki; /* of the build, read before any test begins */
static BrokerFixture fixture;
static Platform platform;

static void ok(int r, const Error *e) {
        ck_assert_msg(r == 0, "%s", error_text(e, r));
}

static int make_evidence(const uint8_t *report_data, size_t size, KbcEvidence *ret, Error *e) {
        SimReport report = platform.report;
        uint8_t bytes[SIM_REPORT_SIZE];
        AUTO_BLOB Blob table = {};
        int r;

        ck_assert_uint_eq(size, SIM_REPORT_DATA_SIZE);
        (void) memcpy(report.report_data, report_data, size);
        r = sim_report_make(&report, pki, bytes, e);
        if (r == 0)
                r = sim_cert_table_of(pki, SIM_SIGNER_VCEK, true, &table, e);
        if (r == 0)
                r = kbc_evidence_snp(&(KbcSnpEvidence){ .report = bytes,
                                                        .report_size = sizeof(bytes),
                                                        .cert_table = table.data,
                                                        .cert_table_size = table.size },
                                     ret, NULL, e);
        return r;
}

static int on_evidence(void *userdata, const uint8_t *report_data, size_t size, Deadline deadline, Error *e) {
        KbcEvidence evidence = {};
        int r;

        (void) userdata, (void) deadline;
        platform.n_calls++;
        if (platform.failure < 0)
                return error_set(e, platform.failure, "device", "The device does not answer");
        r = make_evidence(report_data, size, &evidence, e);
        if (r < 0)
                return r;
        kbc_client_evidence_ready(platform.client, &evidence);
        blob_done(&evidence.json);
        return 0;
}

static void on_done(void *userdata, int r, Secret *secret, const Error *e) {
        Outcome *o = userdata;

        o->n_calls++;
        o->r = r;
        if (e)
                o->error = *e;
        if (secret)
                o->secret = secret_take(secret);
}

static void outcome_done(Outcome *o) {
        secret_done(&o->secret);
}
#define AUTO_OUTCOME CLEANUP(outcome_done)

static KbcClient *make_client(const char *url, const char *ca_file, KbcTeeAlg alg) {
        KbcClient *client = NULL;
        Error e = {};

        ok(kbc_client_new(&(KbcClientConfig){ .url = url,
                                              .ca_file = ca_file,
                                              .tee = "snp",
                                              .alg = alg,
                                              .request_timeout_usec = 5 * USEC_PER_SEC,
                                              .evidence = on_evidence },
                          &client, &e), &e);
        platform.client = client;
        return client;
}

static void begin(void) {
        Error e = {};

        ok(fixture_open(pki, &fixture, &e), &e);
        platform = (Platform){ .report = sim_report_defaults(pki) };
        (void) make_client(fixture.url, fixture.ca_file, KBC_TEE_ALG_ECDH_P256);
}

static void end(void) {
        kbc_client_free(TAKE_PTR(platform.client));
        fixture_done(&fixture);
}

/* In place of the client that begin() made. */
static void renew_client(const char *url, const char *ca_file, KbcTeeAlg alg) {
        kbc_client_free(TAKE_PTR(platform.client));
        (void) make_client(url, ca_file, alg);
}

static void write_text(const char *name, const char *text) {
        Error e = {};

        ok(fixture_write_text(&fixture, name, text, &e), &e);
}

static size_t logged(const char *a, const char *b) {
        return fixture_count_log(&fixture, "log", a, b);
}

static void wait_all(void) {
        Error e = {};

        ok(kbc_client_wait(platform.client, deadline_in(PATIENCE), &e), &e);
}

static void begin_fetch(const char *path, Deadline deadline, Outcome *o) {
        KbcRequest *request;
        Error e = {};

        ok(kbc_client_get_resource(platform.client, path, deadline, on_done, o, &request, &e), &e);
}

static void fetch(const char *path, Outcome *o) {
        begin_fetch(path, deadline_in(PATIENCE), o);
        wait_all();
        ck_assert_uint_eq(o->n_calls, 1);
}

static void expect_secret(const Outcome *o, const char *want) {
        ck_assert_msg(o->r == 0, "%s", o->error.text);
        ck_assert_uint_eq(o->secret.len, strlen(want));
        ck_assert_mem_eq(o->secret.bytes, want, o->secret.len);
}

static void expect_failure(const Outcome *o, int code) {
        ck_assert_msg(o->r == code, "got %d (%s), want %d", o->r, o->error.text, code);
        ck_assert_ptr_null(o->secret.bytes);
        ck_assert_msg(o->error.text[0] != 0, "no reason given");
}

/* Success */

START_TEST(a_resource_arrives_with_every_kind_of_key) {
        AUTO_OUTCOME Outcome o = {};

        renew_client(fixture.url, fixture.ca_file, (KbcTeeAlg) _i);
        fetch(FIXTURE_RESOURCE, &o);
        expect_secret(&o, FIXTURE_SECRET);
        ck_assert_uint_eq(logged("verdict=deny", NULL), 0);
} END_TEST

START_TEST(a_large_resource_arrives_whole) {
        AUTO_FREE char *text = calloc(1, SECRET_MAX + 1);
        AUTO_OUTCOME Outcome o = {};

        ck_assert_ptr_nonnull(text);
        (void) memset(text, 'x', SECRET_MAX);
        write_text("resources/default/disk/large", text);
        fetch("default/disk/large", &o);
        expect_secret(&o, text);
} END_TEST

START_TEST(a_second_resource_needs_no_second_handshake) {
        AUTO_OUTCOME Outcome a = {};
        AUTO_OUTCOME Outcome b = {};
        KbcClientStatus status;

        fetch(FIXTURE_RESOURCE, &a);
        fetch(FIXTURE_RESOURCE, &b);
        expect_secret(&b, FIXTURE_SECRET);
        ck_assert_uint_eq(logged("path=/kbs/v0/auth", NULL), 1);
        ck_assert_uint_eq(logged("path=/kbs/v0/attest", NULL), 1);
        ck_assert_uint_eq(platform.n_calls, 1);
        kbc_client_get_status(platform.client, &status);
        ck_assert(status.attested);
        ck_assert_uint_eq(status.n_handshakes, 1);
        ck_assert_uint_eq(status.n_resources, 2);
        ck_assert_uint_eq(status.n_failures, 0);
} END_TEST

START_TEST(requests_at_the_same_time_share_one_handshake) {
        enum { N = 5 };
        Outcome o[N] = {};

        for (int i = 0; i < N; i++)
                begin_fetch(FIXTURE_RESOURCE, deadline_in(PATIENCE), &o[i]);
        wait_all();
        for (int i = 0; i < N; i++) {
                expect_secret(&o[i], FIXTURE_SECRET);
                outcome_done(&o[i]);
        }
        ck_assert_uint_eq(logged("path=/kbs/v0/auth", NULL), 1);
        ck_assert_uint_eq(logged("path=/kbs/v0/attest", NULL), 1);
        ck_assert_uint_eq(logged("decision=resource", "verdict=allow"), N);
} END_TEST

START_TEST(attest_alone_makes_a_session_and_again_a_new_one) {
        AUTO_OUTCOME Outcome o = {};
        KbcRequest *request;
        Error e = {};

        for (int i = 0; i < 2; i++) {
                ok(kbc_client_attest(platform.client, deadline_in(PATIENCE), on_done, &o, &request, &e), &e);
                wait_all();
                ck_assert_msg(o.r == 0, "%s", o.error.text);
                ck_assert_ptr_null(o.secret.bytes);
        }
        ck_assert_uint_eq(o.n_calls, 2);
        ck_assert_uint_eq(logged("decision=attest verdict=allow", NULL), 2);
} END_TEST

START_TEST(the_hash_the_broker_selects_is_used) {
        static const char *const hashes[] = { "sha256", "sha384", "sha512", "SHA512" };
        AUTO_FREE char *control = NULL;
        AUTO_OUTCOME Outcome o = {};

        ck_assert_int_gt(asprintf(&control, "auth hash %s\n", hashes[_i]), 0);
        write_text("control", control);
        fetch(FIXTURE_RESOURCE, &o);
        expect_secret(&o, FIXTURE_SECRET);
} END_TEST

START_TEST(a_broker_that_forgot_us_gets_a_new_handshake) {
        AUTO_OUTCOME Outcome a = {};
        AUTO_OUTCOME Outcome b = {};

        fetch(FIXTURE_RESOURCE, &a);
        write_text("control", "resource forget x1\n");
        fetch(FIXTURE_RESOURCE, &b);
        expect_secret(&b, FIXTURE_SECRET);
        ck_assert_uint_eq(logged("path=/kbs/v0/attest", NULL), 2);
} END_TEST

/* Refusals */

static void other_measurement(SimReport *r) { r->measurement[0] ^= 1; }
static void debug_on(SimReport *r) { r->policy |= UINT64_C(1) << 19; }
static void vmpl_1(SimReport *r) { r->vmpl = 1; }
static void other_tcb(SimReport *r) { r->reported.snp--; }
static void other_chip(SimReport *r) { r->chip_id[0] ^= 1; }

static const struct {
        const char *claim; /* that the broker's log names */
        void (*spoil)(SimReport *report);
        int code;
} guests[] = {
        { "measurement", other_measurement, -EPERM }, { "debug", debug_on, -EPERM },
        { "vmpl", vmpl_1, -EKEYREJECTED },            { "tcb", other_tcb, -EKEYREJECTED },
        { "chip-id", other_chip, -EKEYREJECTED },
};

START_TEST(a_guest_the_broker_does_not_want_gets_nothing) {
        AUTO_OUTCOME Outcome o = {};
        char claim[64];

        guests[_i].spoil(&platform.report);
        fetch(FIXTURE_RESOURCE, &o);
        expect_failure(&o, guests[_i].code);
        (void) snprintf(claim, sizeof(claim), "claim=%s ", guests[_i].claim);
        ck_assert_msg(logged(claim, "verdict=deny") > 0, "%s", guests[_i].claim);
        ck_assert_uint_le(logged("path=/kbs/v0/attest", NULL), 2); /* at most once more */
        ck_assert_uint_eq(logged("decision=resource", "verdict=allow"), 0);
} END_TEST

static const struct {
        const char *path;
        int code;
} unavailable[] = {
        { "default/disk/missing", -ENOENT },
        { "default/denied/x", -EPERM },
        { "other/disk/x", -EPERM },
};

START_TEST(a_resource_not_to_be_had_has_its_code_and_is_not_asked_for_again) {
        AUTO_OUTCOME Outcome o = {};

        fetch(unavailable[_i].path, &o);
        expect_failure(&o, unavailable[_i].code);
        ck_assert_uint_eq(logged("path=/kbs/v0/attest", NULL), 1);
        ck_assert_uint_eq(logged("path=/kbs/v0/resource/", NULL), 1);
} END_TEST

START_TEST(an_empty_resource_is_no_secret) {
        AUTO_OUTCOME Outcome o = {};

        fetch("default/disk/empty", &o);
        expect_failure(&o, -EBADMSG);
} END_TEST

START_TEST(a_platform_that_fails_is_reported_as_it_said) {
        AUTO_OUTCOME Outcome o = {};

        platform.failure = -ENODEV;
        fetch(FIXTURE_RESOURCE, &o);
        expect_failure(&o, -ENODEV);
        ck_assert_uint_eq(logged("path=/kbs/v0/attest", NULL), 0);
} END_TEST

/* Failures made on purpose */

static const struct {
        const char *control;
        int code;
        size_t n_attests_max;
} faults[] = {
        { "auth busy 100\n", -EBUSY, 0 }, /* the broker wants more time than there is */
        { "attest busy 100\n", -EBUSY, 1 },
        { "resource busy 100\n", -EBUSY, 1 },
        { "auth garbage\n", -EBADMSG, 0 },
        { "attest garbage\n", -EBADMSG, 1 },
        { "resource garbage\n", -EBADMSG, 1 },
        { "auth status 500\n", -EPROTO, 0 },
        { "resource status 500\n", -EPROTO, 1 },
        { "auth redirect\n", -EPROTO, 0 },
        { "attest redirect\n", -EPROTO, 1 },
        { "resource redirect\n", -EPROTO, 1 },
        { "auth oversize 1000000\n", -E2BIG, 0 },
        { "attest oversize 4000000\n", -E2BIG, 1 },
        { "resource oversize 4000000\n", -E2BIG, 1 },
        { "auth wrong-version\n", -EPROTO, 0 },
        { "auth hash md5\n", -EBADMSG, 0 },
        { "auth challenge no-nonce\n", -EBADMSG, 0 },
        { "auth challenge number-nonce\n", -EBADMSG, 0 },
        { "auth challenge array\n", -EBADMSG, 0 },
        { "auth challenge long-nonce\n", -E2BIG, 0 },
        { "auth challenge hash-number\n", -EBADMSG, 0 },
        { "auth no-cookie\n", -EBADMSG, 0 },
        { "attest no-token\n", -EBADMSG, 1 },
        { "attest bad-token\n", -EBADMSG, 1 },
        { "attest expired-token\n", -EKEYREJECTED, 2 },
        { "resource expired-token\n", -EKEYREJECTED, 2 },
        { "resource forget\n", -EKEYREJECTED, 2 },
        { "resource bad-tag\n", -EKEYREJECTED, 1 },
        { "resource other-key\n", -EKEYREJECTED, 1 },
        { "resource bad-alg\n", -EPROTO, 1 },
        { "resource bad-enc\n", -EOPNOTSUPP, 1 },
        { "resource bad-epk\n", -EBADMSG, 1 },
        { "resource no-iv\n", -EBADMSG, 1 },
};

START_TEST(every_fault_has_its_code_and_releases_nothing) {
        AUTO_OUTCOME Outcome o = {};

        write_text("control", faults[_i].control);
        fetch(FIXTURE_RESOURCE, &o);
        ck_assert_msg(o.r == faults[_i].code, "%s: got %d (%s), want %d", faults[_i].control, o.r, o.error.text,
                      faults[_i].code);
        ck_assert_ptr_null(o.secret.bytes);
        ck_assert_uint_gt(strlen(o.error.text), 0);
        ck_assert_msg(logged("path=/kbs/v0/attest", NULL) <= faults[_i].n_attests_max, "%s: %zu handshakes",
                      faults[_i].control, logged("path=/kbs/v0/attest", NULL));
        ck_assert_uint_eq(logged("path=/elsewhere", NULL), 0);
} END_TEST

static const char *const passing[] = { "auth busy 0 x1\n", "attest busy 0 x1\n", "resource busy 0 x1\n",
                                       "auth status 429 x1\n", "resource expired-token x1\n" };

START_TEST(a_fault_that_passes_is_survived) {
        AUTO_OUTCOME Outcome o = {};

        write_text("control", passing[_i]);
        fetch(FIXTURE_RESOURCE, &o);
        expect_secret(&o, FIXTURE_SECRET);
} END_TEST

static const struct {
        const char *control, *path;
} cut_off[] = {
        { "auth drop\n", "path=/kbs/v0/auth" },         { "auth truncate\n", "path=/kbs/v0/auth" },
        { "attest drop\n", "path=/kbs/v0/attest" },     { "attest truncate\n", "path=/kbs/v0/attest" },
        { "resource drop\n", "path=/kbs/v0/resource/" }, { "resource truncate\n", "path=/kbs/v0/resource/" },
        { "auth status 503\n", "path=/kbs/v0/auth" },
};

/* The true reason is told when the next attempt would come too late; a machine under load may run out of time first. */
START_TEST(a_broker_that_keeps_failing_is_asked_again_until_the_deadline) {
        int want = strstr(cut_off[_i].control, "503") ? -EBUSY : -ECONNRESET;
        AUTO_OUTCOME Outcome o = {};

        write_text("control", cut_off[_i].control);
        begin_fetch(FIXTURE_RESOURCE, deadline_in(LITTLE_PATIENCE), &o);
        wait_all();
        ck_assert_msg(o.r == want || o.r == -ETIMEDOUT, "%s: got %d (%s)", cut_off[_i].control, o.r, o.error.text);
        ck_assert_ptr_null(o.secret.bytes);
        ck_assert_uint_ge(logged(cut_off[_i].path, NULL), 2);
} END_TEST

static const char *const slow[] = { "auth slow 3600000\n", "attest slow 3600000\n", "resource slow 3600000\n" };

START_TEST(a_slow_broker_is_given_up_at_the_deadline) {
        AUTO_OUTCOME Outcome o = {};

        write_text("control", slow[_i]);
        begin_fetch(FIXTURE_RESOURCE, deadline_in(700 * USEC_PER_MSEC), &o);
        wait_all();
        expect_failure(&o, -ETIMEDOUT);
} END_TEST

START_TEST(a_broker_that_is_gone_refuses_the_connection) {
        AUTO_OUTCOME Outcome o = {};

        broker_stop(TAKE_PTR(fixture.broker));
        begin_fetch(FIXTURE_RESOURCE, deadline_in(LITTLE_PATIENCE), &o);
        wait_all();
        ck_assert_msg(o.r == -ECONNREFUSED || o.r == -ETIMEDOUT, "got %d (%s)", o.r, o.error.text);
} END_TEST

/* Who is at the other end */

static const char *const identities[] = { "expired", "early", "wrong-name", "client-only", "other" };

START_TEST(a_server_that_is_not_the_broker_is_told_nothing) {
        FixtureOptions options = FIXTURE_DEFAULTS;
        AUTO_OUTCOME Outcome o = {};
        Error e = {};

        options.identity = identities[_i];
        ok(fixture_restart(&fixture, &options, &e), &e);
        renew_client(fixture.url, fixture.ca_file, KBC_TEE_ALG_ECDH_P256);
        fetch(FIXTURE_RESOURCE, &o);
        expect_failure(&o, -EKEYREJECTED);
        ck_assert_uint_eq(logged("request ", NULL), 0);
        ck_assert_uint_eq(platform.n_calls, 0);
} END_TEST

START_TEST(another_ca_is_not_enough) {
        char ca_file[FIXTURE_PATH_MAX];
        AUTO_OUTCOME Outcome o = {};

        fixture_path(&fixture, "tls/other-ca.pem", ca_file);
        renew_client(fixture.url, ca_file, KBC_TEE_ALG_ECDH_P256);
        fetch(FIXTURE_RESOURCE, &o);
        expect_failure(&o, -EKEYREJECTED);
        ck_assert_uint_eq(logged("request ", NULL), 0);
} END_TEST

static const struct {
        ProxyMode mode;
        const char *line;
} replays[] = {
        { PROXY_REPLAY_EVIDENCE, "decision=attest verdict=deny reason=stale-nonce" },
        { PROXY_REPLAY_CHALLENGE, "decision=attest verdict=deny reason=stale-nonce" },
        { PROXY_REPLAY_REPORT, "decision=attest verdict=deny reason=report-data" },
};

START_TEST(a_replay_in_the_middle_gets_the_guest_refused) {
        CLEANUP(proxy_stopp) Proxy *proxy = NULL;
        AUTO_OUTCOME Outcome a = {};
        AUTO_OUTCOME Outcome b = {};
        char url[64];
        Error e = {};

        ok(fixture_start_proxy(&fixture, replays[_i].mode, &proxy, &e), &e);
        (void) snprintf(url, sizeof(url), "https://127.0.0.1:%u", proxy_port(proxy));
        renew_client(url, fixture.ca_file, KBC_TEE_ALG_ECDH_P256);
        fetch(FIXTURE_RESOURCE, &a);
        expect_secret(&a, FIXTURE_SECRET);
        renew_client(url, fixture.ca_file, KBC_TEE_ALG_ECDH_P256); /* the guest boots again */
        fetch(FIXTURE_RESOURCE, &b);
        expect_failure(&b, -EKEYREJECTED);
        ck_assert_uint_gt(logged(replays[_i].line, NULL), 0);
        ck_assert_uint_gt(fixture_count_log(&fixture, "proxy-log", "replay ", NULL), 0);
        kbc_client_free(TAKE_PTR(platform.client)); /* before its connection's other end goes */
} END_TEST

START_TEST(a_cancelled_request_is_not_answered) {
        AUTO_OUTCOME Outcome a = {};
        AUTO_OUTCOME Outcome b = {};
        KbcRequest *request;
        Error e = {};

        ok(kbc_client_get_resource(platform.client, FIXTURE_RESOURCE, deadline_in(PATIENCE), on_done, &a, &request, &e),
           &e);
        begin_fetch(FIXTURE_RESOURCE, deadline_in(PATIENCE), &b);
        kbc_request_cancel(request);
        wait_all();
        ck_assert_uint_eq(a.n_calls, 0);
        expect_secret(&b, FIXTURE_SECRET);
} END_TEST

static TCase *add_case(Suite *s, const char *name) {
        TCase *c = tcase_create(name);

        tcase_add_checked_fixture(c, begin, end);
        suite_add_tcase(s, c);
        return c;
}

static void add_tests(Suite *s) {
        TCase *c = add_case(s, "success");

        tcase_add_loop_test(c, a_resource_arrives_with_every_kind_of_key, 0, KBC_TEE_ALG_RSA_OAEP_256 + 1);
        tcase_add_test(c, a_large_resource_arrives_whole);
        tcase_add_test(c, a_second_resource_needs_no_second_handshake);
        tcase_add_test(c, requests_at_the_same_time_share_one_handshake);
        tcase_add_test(c, attest_alone_makes_a_session_and_again_a_new_one);
        tcase_add_loop_test(c, the_hash_the_broker_selects_is_used, 0, 4);
        tcase_add_test(c, a_broker_that_forgot_us_gets_a_new_handshake);
        tcase_add_test(c, a_cancelled_request_is_not_answered);
        c = add_case(s, "refusals");
        tcase_add_loop_test(c, a_guest_the_broker_does_not_want_gets_nothing, 0, N_ELEMENTS(guests));
        tcase_add_loop_test(c, a_resource_not_to_be_had_has_its_code_and_is_not_asked_for_again, 0,
                            N_ELEMENTS(unavailable));
        tcase_add_test(c, an_empty_resource_is_no_secret);
        tcase_add_test(c, a_platform_that_fails_is_reported_as_it_said);
        c = add_case(s, "faults");
        tcase_add_loop_test(c, every_fault_has_its_code_and_releases_nothing, 0, N_ELEMENTS(faults));
        tcase_add_loop_test(c, a_fault_that_passes_is_survived, 0, N_ELEMENTS(passing));
        tcase_add_loop_test(c, a_broker_that_keeps_failing_is_asked_again_until_the_deadline, 0, N_ELEMENTS(cut_off));
        tcase_add_loop_test(c, a_slow_broker_is_given_up_at_the_deadline, 0, N_ELEMENTS(slow));
        tcase_add_test(c, a_broker_that_is_gone_refuses_the_connection);
        c = add_case(s, "identity");
        tcase_add_loop_test(c, a_server_that_is_not_the_broker_is_told_nothing, 0, N_ELEMENTS(identities));
        tcase_add_test(c, another_ca_is_not_enough);
        tcase_add_loop_test(c, a_replay_in_the_middle_gets_the_guest_refused, 0, N_ELEMENTS(replays));
}

int main(void) {
        Suite *s = suite_create("broker");
        char dir[SIM_PATH_MAX];
        Error e = {};
        int r;

        sim_test_pki(SIM_MILAN, dir);
        r = sim_pki_load(dir, &pki, &e);
        if (r < 0) {
                (void) fprintf(stderr, "%s\n", error_text(&e, r));
                return EXIT_FAILURE;
        }
        add_tests(s);
        r = unit_run(s);
        sim_pki_free(pki);
        return r;
}
