/* SPDX-License-Identifier: Apache-2.0 */
/* snp-agentd's REST door, the programs as they are, with everything around them. */
#include <errno.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/deadline.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/secret.h"
#include "base/writer.h"
#include "snp/report.h"
#include "tests/integration/machine.h"
#include "tests/unit/unit.h"
#include "vtpm/verify.h"

static Machine m;

static void start(void) {
        machine_start(&m, "");
}

static void stop(void) {
        machine_stop(&m);
}

static json_object *parse(const Reply *r) {
        json_object *o = NULL;
        Error e = {};

        ck_assert_msg(json_parse(r->body.data, r->body.size, "answer", &o, &e) == 0, "%s", e.text);
        return o;
}

static void expect(const Reply *r, long status, const char *reason) {
        char buf[64];

        ck_assert_msg(r->status == status, "status %ld: %.*s", r->status, (int) r->body.size, (const char *) r->body.data);
        if (!reason)
                return;
        ck_assert_str_eq(reply_reason(r, buf), reason);
        ck_assert_ptr_nonnull(strcasestr(r->headers, "content-type: application/problem+json"));
}

/* Member @path ("broker.attested") of the status, as text. */
static char *status_member(const char *path) {
        AUTO_REPLY Reply r = machine_rest(&m, "/v1/status", NULL);
        AUTO_JSON json_object *o = NULL;
        AUTO_FREE char *copy = strdup(path);
        json_object *at;

        expect(&r, 200, NULL);
        at = o = parse(&r);
        for (char *rest = copy, *name; (name = strsep(&rest, "."));)
                ck_assert_msg(json_object_object_get_ex(at, name, &at), "no %s in the status", path);
        return strdup(json_object_get_string(at));
}

static void expect_status(const char *path, const char *want) {
        AUTO_FREE char *value = status_member(path);

        ck_assert_msg(strcmp(value, want) == 0, "%s is %s", path, value);
}

START_TEST(status_tells_what_there_is) {
        AUTO_REPLY Reply r = machine_rest(&m, "/v1/status", NULL);

        expect(&r, 200, NULL);
        ck_assert_ptr_nonnull(strcasestr(r.headers, "content-type: application/json"));
        ck_assert_ptr_nonnull(strcasestr(r.headers, "cache-control: no-store"));
        expect_status("trust", "TEST ROOT");
        expect_status("attester.reachable", "true");
        expect_status("attester.snp.available", "true");
        expect_status("attester.tpm.configured", "true");
        expect_status("platform.self_check", "not-seen");
        expect_status("broker.configured", "true");
        expect_status("broker.attested", "false");
        expect_status("requests.active", "0");
        expect_status("volumes", "[ \"root\" ]");
        daemon_wait_log(&m.agent, "trust: TEST ROOT");
        daemon_wait_notify(&m.agent, "STATUS=trust: TEST ROOT. Ready");
}
END_TEST

static Blob member_bytes(json_object *o, const char *name) {
        const char *text;
        Error e = {};
        Blob b = {};

        ck_assert_msg(json_get_str(o, name, 65536, &text, &e) == 0, "%s", e.text);
        ck_assert_int_eq(base64_decode(BASE64_STD, text, strlen(text), 65536, &b), 0);
        return b;
}

static void check_quote(json_object *q, const void *nonce, size_t nonce_size) {
        CLEANUP(vtpm_ak_public_freep) VtpmAkPublic *ak = NULL;
        AUTO_BLOB Blob attest = member_bytes(q, "attest"), sig = member_bytes(q, "signature"),
                       key = member_bytes(q, "ak_public");
        VtpmPcrValues pcrs = { .hash = VTPM_ALG_SHA256, .mask = VTPM_PCR_MASK_ALL };
        VtpmQuoteBytes bytes = { .attest = attest.data, .attest_size = attest.size, .signature = sig.data,
                                 .signature_size = sig.size, .pcrs = &pcrs, .n_pcrs = 1 };
        VtpmQuoteAsked asked = { .nonce = nonce, .nonce_size = nonce_size,
                                 .pcrs = { .n_banks = 1, .banks[0] = { VTPM_ALG_SHA256, VTPM_PCR_MASK_ALL } } };
        VtpmVerdict verdict;
        json_object *values;
        Error e = {};

        ck_assert_int_eq(json_get_obj(q, "pcrs", &values, &e), 0);
        for (unsigned i = 0; i < VTPM_N_PCRS; i++) {
                char name[8];
                const char *hex;

                (void) snprintf(name, sizeof(name), "%u", i);
                ck_assert_int_eq(json_get_str(values, name, 64, &hex, &e), 0);
                ck_assert_int_eq(hex_decode_exact(hex, strlen(hex), pcrs.values[i], 32), 0);
        }
        ck_assert_int_eq(vtpm_ak_public_new(key.data, key.size, &ak, &e), 0);
        ck_assert_msg(vtpm_quote_verify(ak, &bytes, &asked, &verdict, &e) == 0, "%s", e.text);
        ck_assert_int_eq(verdict.outcome, VTPM_ACCEPT);
}

START_TEST(evidence_is_over_the_nonce) {
        static const size_t sizes[] = { 1, 48, 64 };
        AUTO_FREE char *target = NULL;
        AUTO_REPLY Reply r = {};
        AUTO_JSON json_object *o = NULL;
        AUTO_FREE char *text = NULL;
        AUTO_BLOB Blob report = {};
        uint8_t nonce[SNP_REPORT_DATA_SIZE] = {};
        json_object *quote, *certs;
        SnpReport parsed;
        Error e = {};

        (void) memset(nonce, 0xfb, sizes[_i]);
        text = base64_encode(BASE64_URL, nonce, sizes[_i]);
        ck_assert_int_gt(asprintf(&target, "/v1/evidence?nonce=%s", text), 0);
        r = machine_rest(&m, target, NULL);
        expect(&r, 200, NULL);
        o = parse(&r);
        report = member_bytes(o, "report");
        ck_assert_msg(snp_report_parse(report.data, report.size, &parsed, &e) == 0, "%s", e.text);
        ck_assert_mem_eq(parsed.report_data, nonce, sizeof(nonce));
        ck_assert_int_eq(json_get_array(o, "certificates", 16, &certs, &e), 0);
        ck_assert_uint_gt(json_object_array_length(certs), 0);
        ck_assert_int_eq(json_get_obj(o, "quote", &quote, &e), 0);
        check_quote(quote, nonce, sizes[_i]);
        expect_status("platform.self_check", "verified");
        expect_status("platform.product", "Genoa");
        daemon_wait_log(&m.agent, "Released evidence to process");
}
END_TEST

static const struct {
        const char *target;
        long status;
        const char *reason;
} refusals[] = {
        { "/v1/evidence", 400, "nonce-missing" },
        { "/v1/evidence?nonce=", 400, "nonce-malformed" },
        { "/v1/evidence?nonce=AA==", 400, "nonce-malformed" },
        { "/v1/evidence?nonce=A", 400, "nonce-malformed" },
        { "/v1/evidence?nonce=AB", 400, "nonce-malformed" },
        { "/v1/evidence?nonce=A+", 400, "nonce-malformed" },
        { "/v1/evidence?nonce=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 400,
          "nonce-malformed" },
        { "/v1/evidence?nonce=AA&x=1", 400, "unknown-member" },
        { "/v1/evidence?nonce=AA&nonce=AA", 400, "bad-target" },
        { "/v1/status?x=1", 400, "unknown-member" },
        { "/v1/resource/default/app", 400, "resource-name" },
        { "/v1/resource/default/app/own/more", 400, "resource-name" },
        { "/v1/resource/default/app/own?x=1", 400, "unknown-member" },
        { "/v1/resource/default%2fapp/own", 400, "bad-target" },
        { "/v1/resource/default/../app/own", 400, "bad-target" },
        { "/v1/resource/default/app/unknown", 403, "resource-unknown" },
        { "/v1/resource/" FIXTURE_RESOURCE, 403, "resource-unknown" }, /* a volume's, not for this door */
        { "/v1/resource/default/app/others", 403, "user-denied" },
        { "/v1/resource/default/app/unit", 403, "unit-denied" },
        { "/", 404, "no-such-route" },
        { "/v1", 404, "no-such-route" },
        { "/v1/Status", 404, "no-such-route" },
        { "/v2/status", 404, "no-such-route" },
        { "/v1/statuses", 404, "no-such-route" },
};

START_TEST(every_refusal_has_its_status_and_reason) {
        for (size_t i = 0; i < N_ELEMENTS(refusals); i++) {
                AUTO_REPLY Reply r = machine_rest(&m, refusals[i].target, NULL);

                expect(&r, refusals[i].status, refusals[i].reason);
        }
}
END_TEST

static int connect_rest(void) {
        struct sockaddr_un sa = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        (void) snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", m.rest_socket);
        ck_assert_int_eq(connect(fd, (struct sockaddr *) &sa, sizeof(sa)), 0);
        return fd;
}

/* A request on a socket of its own that nobody waits for. */
static int send_request(const char *target) {
        char text[256];
        int fd = connect_rest(), n;

        n = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", target);
        ck_assert_int_eq(write(fd, text, (size_t) n), n);
        return fd;
}

START_TEST(one_user_cannot_take_all_connections) {
        int fds[200];
        size_t open_ones = 0;

        if (geteuid() != 0)
                return;
        ck_assert_int_eq(seteuid(MACHINE_STRANGER), 0);
        for (size_t i = 0; i < N_ELEMENTS(fds); i++)
                fds[i] = connect_rest();
        ck_assert_int_eq(seteuid(0), 0);
        expect_status("requests.active", "0"); /* and by now all of them have been looked at */
        for (size_t i = 0; i < N_ELEMENTS(fds); i++) {
                char c;

                open_ones += recv(fds[i], &c, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
                (void) close(fds[i]);
        }
        ck_assert_uint_gt(open_ones, 0);
        ck_assert_uint_lt(open_ones, N_ELEMENTS(fds) / 2);
}
END_TEST

START_TEST(other_methods_are_not_allowed) {
        static const char *const methods[] = { "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "get", "FETCH" };

        for (size_t i = 0; i < N_ELEMENTS(methods); i++) {
                AUTO_REPLY Reply r = machine_rest(&m, "/v1/status", &(Call){ .method = methods[i] });

                expect(&r, 405, "method");
                ck_assert_ptr_nonnull(strcasestr(r.headers, "allow: GET, HEAD"));
        }
}
END_TEST

START_TEST(request_with_a_body_is_refused) {
        AUTO_REPLY Reply r = machine_rest(&m, "/v1/status", &(Call){ .method = "GET", .body = "x" });

        expect(&r, 413, "body");
}
END_TEST

START_TEST(target_that_is_too_long_is_refused) {
        char target[1200] = "/v1/status?x=";
        AUTO_REPLY Reply r = {};

        (void) memset(target + strlen(target), 'a', 1100);
        r = machine_rest(&m, target, NULL);
        expect(&r, 414, "target-too-long");
}
END_TEST

/* A leak would be found by LeakSanitizer, and make the daemon fail, when it stops. */
START_TEST(query_of_very_many_members_is_forgotten) {
        AUTO_WRITER Writer w = wr_init(4096);
        AUTO_FREE char *target = NULL;
        AUTO_REPLY Reply r = {};

        wr_str(&w, "/v1/status?a=1");
        for (int i = 0; i < 400; i++)
                wr_str(&w, "&a=1");
        ck_assert_int_eq(wr_finish_str(&w, &target), 0);
        r = machine_rest(&m, target, NULL);
        ck_assert_int_ne(r.status, 200);
}
END_TEST

START_TEST(head_gives_headers_alone) {
        AUTO_REPLY Reply r = machine_rest(&m, "/v1/status", &(Call){ .method = "HEAD" });

        ck_assert_int_eq(r.status, 200);
        ck_assert_uint_eq(r.body.size, 0);
        ck_assert_ptr_nonnull(strcasestr(r.headers, "content-length: "));
}
END_TEST

START_TEST(resource_arrives_as_it_is) {
        for (int i = 0; i < 2; i++) {
                AUTO_REPLY Reply r = machine_rest(&m, "/v1/resource/default/app/own", NULL);

                expect(&r, 200, NULL);
                ck_assert_uint_eq(r.body.size, 14);
                ck_assert_mem_eq(r.body.data, "for root alone", 14);
                ck_assert_ptr_nonnull(strcasestr(r.headers, "content-type: application/octet-stream"));
                ck_assert_ptr_nonnull(strcasestr(r.headers, "cache-control: no-store"));
        }
        expect_status("broker.attested", "true");
        expect_status("broker.handshakes", "1");
        expect_status("broker.resources", "2");
        expect_status("requests.released", "2");
        expect_status("platform.self_check", "verified");
        daemon_wait_log(&m.agent, "Released secret 'own', resource default/app/own to process");
        daemon_wait_log(&m.agent, "Attested to https://");
        ck_assert(!daemon_log_has(&m.agent, "for root alone"));
        daemon_wait_notify(&m.agent, "STATUS=trust: TEST ROOT. Attested to https://");
}
END_TEST

START_TEST(largest_resource_arrives_whole) {
        static char big[SECRET_MAX + 1];
        AUTO_REPLY Reply r = {};

        (void) memset(big, 'k', SECRET_MAX);
        machine_broker_put(&m, "default/app/own", big);
        r = machine_rest(&m, "/v1/resource/default/app/own", NULL);
        expect(&r, 200, NULL);
        ck_assert_uint_eq(r.body.size, SECRET_MAX);
        ck_assert_mem_eq(r.body.data, big, SECRET_MAX);
}
END_TEST

START_TEST(other_users_get_nothing_but_the_status) {
        if (geteuid() != 0)
                return; /* only root can become others */
        ck_assert_int_eq(machine_rest_as_stranger(&m, "/v1/status"), 200);
        ck_assert_int_eq(machine_rest_as_stranger(&m, "/v1/resource/default/app/own"), 403);
        ck_assert_int_eq(machine_rest_as_stranger(&m, "/v1/evidence?nonce=AA"), 403);
        daemon_wait_log(&m.agent, "Denied secret 'own', resource default/app/own to process");
        daemon_wait_log(&m.agent, "Denied evidence to process");
        daemon_wait_log(&m.agent, "of user 12345");
        expect_status("requests.denied", "2");
}
END_TEST

START_TEST(broker_that_says_no_is_quoted) {
        AUTO_REPLY Reply denied = machine_rest(&m, "/v1/resource/default/denied/own", NULL),
                         absent = machine_rest(&m, "/v1/resource/default/app/absent", NULL);

        expect(&denied, 403, NULL);
        expect(&absent, 404, NULL);
        daemon_wait_log(&m.agent, "Could not give secret 'absent'");
}
END_TEST

START_TEST(broker_that_is_down_is_a_bad_gateway_soon) {
        uint64_t before = now_monotonic_usec();
        AUTO_REPLY Reply r = {};

        broker_stop(TAKE_PTR(m.broker.broker));
        r = machine_rest(&m, "/v1/resource/default/app/own", NULL);
        expect(&r, 502, NULL);
        ck_assert_uint_lt(now_monotonic_usec() - before, 10 * USEC_PER_SEC);
        expect_status("broker.attested", "false");
}
END_TEST

START_TEST(broker_that_hangs_is_a_gateway_timeout_soon) {
        uint64_t before = now_monotonic_usec();
        AUTO_REPLY Reply r = {};

        machine_broker_control(&m, "auth slow 20000\n");
        r = machine_rest(&m, "/v1/resource/default/app/own", NULL);
        expect(&r, 504, NULL);
        ck_assert_uint_lt(now_monotonic_usec() - before, 10 * USEC_PER_SEC);
}
END_TEST

START_TEST(attester_that_is_gone_is_told) {
        AUTO_REPLY Reply evidence = {}, resource = {};

        daemon_kill(&m.attester);
        evidence = machine_rest(&m, "/v1/evidence?nonce=AA", NULL);
        expect(&evidence, 503, "attester-unreachable");
        resource = machine_rest(&m, "/v1/resource/default/app/own", NULL);
        expect(&resource, 503, "attester-unreachable");
        expect_status("attester.reachable", "false");
        expect_status("attester.reason", "attester-unreachable");
        expect_status("last_error.reason", "attester-unreachable");
}
END_TEST

START_TEST(attester_that_came_back_is_used_again) {
        AUTO_REPLY Reply r = {};

        daemon_kill(&m.attester);
        daemon_start(&m.attester);
        r = machine_rest(&m, "/v1/evidence?nonce=AA", NULL);
        expect(&r, 200, NULL);
}
END_TEST

START_TEST(platform_that_fails_is_told) {
        AUTO_REPLY Reply r = {};

        machine_platform_control("fail=eio\n");
        r = machine_rest(&m, "/v1/evidence?nonce=AA", NULL);
        expect(&r, 503, NULL);
        daemon_wait_log(&m.agent, "Could not give evidence");
}
END_TEST

START_TEST(report_that_does_not_verify_is_noticed_and_passed_on) {
        AUTO_REPLY Reply r = {};

        machine_platform_control("fail=bad-signature\n");
        r = machine_rest(&m, "/v1/evidence?nonce=AA", NULL);
        expect(&r, 200, NULL);
        expect_status("platform.self_check", "rejected");
        daemon_wait_log(&m.agent, "Our own report does not verify, ignoring");
}
END_TEST

static void wait_for_status(const char *path, const char *want) {
        Deadline deadline = deadline_in(20 * USEC_PER_SEC);

        for (;;) {
                AUTO_FREE char *value = status_member(path);

                if (strcmp(value, want) == 0)
                        return;
                ck_assert_msg(!deadline_expired(deadline), "%s stays %s", path, value);
                (void) !deadline_sleep(deadline, 5 * USEC_PER_MSEC);
        }
}

START_TEST(requests_beyond_the_limit_are_turned_away) {
        AUTO_FD int a = -1, b = -1;
        AUTO_REPLY Reply r = {}, status = {};

        machine_broker_control(&m, "auth slow 3000\n");
        a = send_request("/v1/resource/default/app/own");
        b = send_request("/v1/resource/default/app/own");
        wait_for_status("requests.active", "2");
        r = machine_rest(&m, "/v1/resource/default/app/own", NULL);
        expect(&r, 503, "queue-full");
        ck_assert_ptr_nonnull(strcasestr(r.headers, "retry-after: "));
        status = machine_rest(&m, "/v1/status", NULL);
        expect(&status, 200, NULL);
        expect_status("requests.turned_away", "1");
}
END_TEST

START_TEST(one_user_cannot_take_all_places) {
        AUTO_FD int a = -1;

        if (geteuid() != 0)
                return;
        machine_broker_control(&m, "auth slow 3000\n");
        ck_assert_int_eq(seteuid(MACHINE_STRANGER), 0);
        a = send_request("/v1/resource/default/app/theirs");
        ck_assert_int_eq(seteuid(0), 0);
        wait_for_status("requests.active", "1");
        ck_assert_int_eq(machine_rest_as_stranger(&m, "/v1/resource/default/app/theirs"), 429);
}
END_TEST

START_TEST(client_that_leaves_frees_its_place) {
        int fd;

        machine_broker_control(&m, "auth slow 3000\n");
        fd = send_request("/v1/resource/default/app/own");
        wait_for_status("requests.active", "1");
        (void) close(fd);
        wait_for_status("requests.active", "0");
        daemon_wait_log(&m.agent, "The caller went away");
}
END_TEST

START_TEST(client_that_half_closes_still_gets_its_answer) {
        AUTO_FD int fd = send_request("/v1/resource/default/app/own");
        char text[4096] = "";
        size_t n = 0;
        ssize_t k;

        ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
        while ((k = read(fd, text + n, sizeof(text) - 1 - n)) > 0)
                n += (size_t) k;
        ck_assert_ptr_nonnull(strstr(text, "for root alone"));
}
END_TEST

START_TEST(garbage_ends_the_connection_and_nothing_else) {
        static const char *const garbage[] = {
                "\r\n\r\n\r\n", "GET\r\n\r\n", "GET /v1/status\r\n\r\n", "GET /v1/status HTTP/9.9\r\n\r\n",
                "GET /v1/status HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "GET /v1/status HTTP/1.1\r\n: x\r\n\r\n",
                "SNPA\1\0\3\1\0\0\0\0\0\0\0\0",
        };

        int fds[N_ELEMENTS(garbage)];
        char text[1024];

        for (size_t i = 0; i < N_ELEMENTS(garbage); i++) {
                fds[i] = connect_rest();
                ck_assert_int_ge(write(fds[i], garbage[i], strlen(garbage[i]) + 1), 0);
                ck_assert_int_eq(shutdown(fds[i], SHUT_WR), 0);
        }
        for (size_t i = 0; i < N_ELEMENTS(garbage); i++) {
                while (read(fds[i], text, sizeof(text)) > 0)
                        ;
                (void) close(fds[i]);
        }
        expect_status("requests.active", "0");
}
END_TEST

START_TEST(answers_come_in_order_on_one_connection) {
        AUTO_FD int fd = send_request("/v1/resource/default/app/own");
        static const char second[] = "GET /v1/nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        char text[8192] = "";
        const char *first_at, *second_at;
        size_t n = 0;
        ssize_t k;

        ck_assert_int_eq(write(fd, second, sizeof(second) - 1), sizeof(second) - 1);
        while ((k = read(fd, text + n, sizeof(text) - 1 - n)) > 0)
                n += (size_t) k;
        first_at = strstr(text, "for root alone");
        second_at = strstr(text, "no-such-route");
        ck_assert_ptr_nonnull(first_at);
        ck_assert_ptr_nonnull(second_at);
        ck_assert(first_at < second_at);
}
END_TEST

static void start_small(void) {
        machine_start(&m, "[Agent]\nMaxRequests=2\n[Secret theirs]\nResource=default/app/theirs\nUser=12345\n");
}

static void start_impatient(void) {
        machine_start(&m, "[Broker]\nRequestTimeout=1s\nDeadline=2s\n");
}

static void add_usual(TCase *tc) {
        tcase_add_checked_fixture(tc, start, stop);
        tcase_add_test(tc, status_tells_what_there_is);
        tcase_add_loop_test(tc, evidence_is_over_the_nonce, 0, 3);
        tcase_add_test(tc, one_user_cannot_take_all_connections);
        tcase_add_test(tc, other_methods_are_not_allowed);
        tcase_add_test(tc, request_with_a_body_is_refused);
        tcase_add_test(tc, target_that_is_too_long_is_refused);
        tcase_add_test(tc, query_of_very_many_members_is_forgotten);
        tcase_add_test(tc, head_gives_headers_alone);
        tcase_add_test(tc, resource_arrives_as_it_is);
        tcase_add_test(tc, largest_resource_arrives_whole);
        tcase_add_test(tc, other_users_get_nothing_but_the_status);
        tcase_add_test(tc, broker_that_says_no_is_quoted);
        tcase_add_test(tc, attester_that_is_gone_is_told);
        tcase_add_test(tc, attester_that_came_back_is_used_again);
        tcase_add_test(tc, platform_that_fails_is_told);
        tcase_add_test(tc, report_that_does_not_verify_is_noticed_and_passed_on);
        tcase_add_test(tc, client_that_leaves_frees_its_place);
        tcase_add_test(tc, client_that_half_closes_still_gets_its_answer);
        tcase_add_test(tc, garbage_ends_the_connection_and_nothing_else);
        tcase_add_test(tc, answers_come_in_order_on_one_connection);
        tcase_add_test(tc, every_refusal_has_its_status_and_reason);
}

int main(void) {
        Suite *s = suite_create("agent-rest");
        TCase *usual = tcase_create("usual"), *small = tcase_create("small"), *impatient = tcase_create("impatient");
        const char *why = machine_unusable();

        if (why)
                return unit_skip(why);
        machine_platform_start();
        add_usual(usual);
        suite_add_tcase(s, usual);
        tcase_add_checked_fixture(small, start_small, stop);
        tcase_add_test(small, requests_beyond_the_limit_are_turned_away);
        tcase_add_test(small, one_user_cannot_take_all_places);
        suite_add_tcase(s, small);
        tcase_add_checked_fixture(impatient, start_impatient, stop);
        tcase_add_test(impatient, broker_that_is_down_is_a_bad_gateway_soon);
        tcase_add_test(impatient, broker_that_hangs_is_a_gateway_timeout_soon);
        suite_add_tcase(s, impatient);
        return machine_platform_stop(unit_run(s));
}
