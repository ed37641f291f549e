/* SPDX-License-Identifier: Apache-2.0 */
#include "keybroker-client/http.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/deadline.h"
#include "base/file.h"
#include "keybroker-client/trust.h"
#include "tests/unit/keybroker-client/tls-server.h"
#include "tests/unit/unit.h"

/* One row: what the server sends, and what the client makes of it. */
typedef struct Script {
        const char *why;
        const char *answer; /* raw */
        TlsAction action;
        int want;
        const char *reason;
        int status;
        KbcRemedy remedy;
        size_t size;
} Script;

typedef struct Outcome {
        bool done;
        int r, status;
        KbcRemedy remedy;
        Error e;
        char body[4096];
        size_t size;
        char session[KBC_SESSION_ID_MAX + 1];
} Outcome;

static void take_outcome(void *userdata, int r, const KbcReply *reply, KbcRemedy remedy, const Error *e) {
        Outcome *o = userdata;

        ck_assert(!o->done);
        *o = (Outcome){ .done = true, .r = r, .remedy = remedy, .e = *e };
        if (r < 0) {
                ck_assert_ptr_null(reply);
                ck_assert_int_eq(e->code, r);
                return;
        }
        o->status = reply->status;
        o->size = reply->size;
        if (reply->size < sizeof(o->body) && reply->size > 0)
                (void) memcpy(o->body, reply->body, reply->size);
        (void) strcpy(o->session, reply->session);
}

static KbcMessage message(const char *path, const char *body, size_t reply_max) {
        KbcMessage m = { .post = body != NULL, .path = strdup(path), .reply_max = reply_max };

        if (body)
                ck_assert_int_eq(blob_dup(body, strlen(body), &m.body), 0);
        return m;
}

static KbcHttp *connect_to(const char *url, const char *ca_file) {
        KbcHttp *h = NULL;
        Error e = {};

        ck_assert_msg(kbc_http_new(&(KbcHttpConfig){ .url = url, .ca_file = ca_file }, &h, &e) == 0, "%s", e.text);
        return h;
}

static void exchange(KbcHttp *h, KbcMessage m, uint64_t timeout_usec, Outcome *ret) {
        KbcExchange *x = NULL;

        *ret = (Outcome){};
        ck_assert_int_eq(kbc_http_send(h, &m, timeout_usec, take_outcome, ret, &x, NULL), 0);
        ck_assert(!ret->done);
        while (!ret->done)
                kbc_http_poll(h, USEC_PER_SEC);
}

static TlsAction play(void *userdata, const TlsRequest *q, Writer *answer) {
        const Script *s = userdata;

        (void) q;
        wr_str(answer, s->answer);
        return s->action;
}

#define OK "HTTP/1.1 200 OK\r\n"

static const Script scripts[] = {
        { "plain answer", OK "Content-Length: 5\r\n\r\nhello", TLS_KEEP, 0, NULL, 200, 0, 5 },
        { "chunks", OK "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", TLS_KEEP, 0, NULL, 200, 0, 5 },
        { "until close", OK "\r\nhello", TLS_CLOSE, 0, NULL, 200, 0, 5 },
        { "empty", OK "Content-Length: 0\r\n\r\n", TLS_KEEP, 0, NULL, 200, 0, 0 },
        { "interim answer first", "HTTP/1.1 100 Continue\r\n\r\n" OK "Content-Length: 5\r\n\r\nhello", TLS_KEEP, 0, NULL, 200, 0, 5 },
        { "refusal", "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\n{}", TLS_KEEP, 0, NULL, 401, 0, 2 },
        { "redirect is an answer like any", "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
          TLS_KEEP, 0, NULL, 302, 0, 0 },
        { "redirect to another scheme", "HTTP/1.1 307 X\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n",
          TLS_KEEP, 0, NULL, 307, 0, 0 },
        { "as large as may be", OK "Content-Length: 8\r\n\r\n01234567", TLS_KEEP, 0, NULL, 200, 0, 8 },
        { "announced larger", OK "Content-Length: 9\r\n\r\n012345678", TLS_KEEP, -E2BIG, "reply-too-large", 0, 0, 0 },
        { "larger without a word", OK "\r\n012345678", TLS_CLOSE, -E2BIG, "reply-too-large", 0, 0, 0 },
        { "endless", OK "Transfer-Encoding: chunked\r\n\r\n9\r\n012345678\r\n", TLS_STALL, -E2BIG, "reply-too-large", 0, 0, 0 },
        { "long page of a refusal", "HTTP/1.1 503 X\r\nContent-Length: 99999\r\n\r\n<html>", TLS_CLOSE, 0, NULL, 503, 0, 0 },
        { "long page without a length", "HTTP/1.1 503 X\r\n\r\n<html>more and more", TLS_CLOSE, 0, NULL, 503, 0, 0 },
        { "cut", OK "Content-Length: 8\r\n\r\n0123", TLS_CLOSE, -ECONNRESET, "reply-truncated", 0, KBC_REMEDY_RETRY, 0 },
        { "cut in a chunk", OK "Transfer-Encoding: chunked\r\n\r\n8\r\n0123", TLS_CLOSE, -ECONNRESET, "reply-truncated", 0,
          KBC_REMEDY_RETRY, 0 },
        { "nothing at all", "", TLS_CLOSE, -ECONNRESET, "broker-connection", 0, KBC_REMEDY_RETRY, 0 },
        { "no HTTP", "SSH-2.0-OpenSSH\r\n\r\n", TLS_CLOSE, -EBADMSG, "reply-malformed", 0, 0, 0 },
        { "bare text as of HTTP/0.9", "hello", TLS_CLOSE, -EBADMSG, "reply-malformed", 0, 0, 0 },
        { "a length that is none", OK "Content-Length: x\r\n\r\nhello", TLS_CLOSE, -EBADMSG, "reply-malformed", 0, 0, 0 },
};

START_TEST(answer_is_taken_or_refused) {
        Script s = scripts[_i];
        TlsServer *server = tls_server_start(NULL, play, &s);
        KbcHttp *h = connect_to(tls_server_url(server), tls_server_ca_file(server));
        Outcome o;

        exchange(h, message("/x", NULL, 8), 10 * USEC_PER_SEC, &o);
        ck_assert_msg(o.r == s.want, "%s: %d %s", s.why, o.r, o.e.text);
        ck_assert_int_eq(o.status, s.status);
        ck_assert_int_eq(o.remedy, s.remedy);
        ck_assert_uint_eq(o.size, s.size);
        if (s.reason)
                ck_assert_msg(strcmp(o.e.reason, s.reason) == 0, "%s: %s", s.why, o.e.reason);
        kbc_http_free(h);
        tls_server_stop(server);
}
END_TEST

static TlsAction many_headers(void *userdata, const TlsRequest *q, Writer *answer) {
        (void) userdata;
        (void) q;
        wr_str(answer, OK);
        for (int i = 0; i < 2000; i++)
                wr_str(answer, "X-Padding: 0123456789\r\n");
        wr_str(answer, "Content-Length: 0\r\n\r\n");
        return TLS_CLOSE;
}

START_TEST(header_has_a_limit) {
        TlsServer *server = tls_server_start(NULL, many_headers, NULL);
        KbcHttp *h = connect_to(tls_server_url(server), tls_server_ca_file(server));
        Outcome o;

        exchange(h, message("/x", NULL, 8), 10 * USEC_PER_SEC, &o);
        ck_assert_int_eq(o.r, -E2BIG);
        kbc_http_free(h);
        tls_server_stop(server);
}
END_TEST

typedef struct Seen {
        char header[4096], body[4096];
        unsigned connection;
} Seen;

static TlsAction note(void *userdata, const TlsRequest *q, Writer *answer) {
        Seen *seen = userdata;

        (void) snprintf(seen->header, sizeof(seen->header), "%s", q->header);
        (void) snprintf(seen->body, sizeof(seen->body), "%s", q->body);
        seen->connection = q->connection;
        http_answer(answer, 200, "Set-Cookie: kbs-session-id=abc; Expires=Thu, 01 Jan 1970 00:00:00 GMT\r\n", "{}");
        return TLS_KEEP;
}

START_TEST(requests_say_what_they_should_and_no_more) {
        Seen seen = {};
        TlsServer *server = tls_server_start(NULL, note, &seen);
        AUTO_FREE char *url = NULL;
        KbcMessage post = message("/kbs/v0/auth", "{\"a\":1}", 4096), get;
        KbcHttp *h;
        Outcome o;

        ck_assert_int_gt(asprintf(&url, "%s/base//", tls_server_url(server)), 0);
        h = connect_to(url, tls_server_ca_file(server));
        exchange(h, post, 10 * USEC_PER_SEC, &o);
        ck_assert_int_eq(o.r, 0);
        ck_assert_str_eq(o.session, "abc");
        ck_assert_ptr_eq(strstr(seen.header, "POST /base/kbs/v0/auth HTTP/1.1\r\n"), seen.header);
        ck_assert_ptr_nonnull(strstr(seen.header, "\r\nContent-Type: application/json\r\n"));
        ck_assert_ptr_null(strcasestr(seen.header, "\r\nExpect:"));
        ck_assert_ptr_null(strcasestr(seen.header, "\r\nCookie:"));
        ck_assert_ptr_null(strcasestr(seen.header, "\r\nAccept-Encoding:"));
        ck_assert_str_eq(seen.body, "{\"a\":1}");

        /* No store keeps the cookie of the first answer: only what we say is sent. */
        get = message("/kbs/v0/resource/a/b/c", NULL, 4096);
        exchange(h, get, 10 * USEC_PER_SEC, &o);
        ck_assert_ptr_eq(strstr(seen.header, "GET /base/kbs/v0/resource/a/b/c HTTP/1.1\r\n"), seen.header);
        ck_assert_ptr_null(strcasestr(seen.header, "\r\nCookie:"));
        ck_assert_ptr_null(strcasestr(seen.header, "\r\nContent-Type:"));
        get = message("/kbs/v0/resource/a/b/c", NULL, 4096);
        get.cookie = strdup("kbs-session-id=xyz");
        exchange(h, get, 10 * USEC_PER_SEC, &o);
        ck_assert_ptr_nonnull(strstr(seen.header, "\r\nCookie: kbs-session-id=xyz\r\n"));
        /* All on the one connection. */
        ck_assert_uint_eq(seen.connection, 1);
        ck_assert_uint_eq(tls_server_n_connections(server), 1);
        kbc_http_free(h);
        tls_server_stop(server);
}
END_TEST

START_TEST(environment_changes_nothing) {
        static const char *const names[] = { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" };
        Seen seen = {};
        TlsServer *server = tls_server_start(NULL, note, &seen);
        KbcHttp *h;
        Outcome o;

        for (size_t i = 0; i < N_ELEMENTS(names); i++)
                ck_assert_int_eq(setenv(names[i], "http://127.0.0.1:1", 1), 0);
        ck_assert_int_eq(setenv("CURL_CA_BUNDLE", "/nonexistent", 1), 0);
        ck_assert_int_eq(setenv("SSL_CERT_FILE", "/nonexistent", 1), 0);
        h = connect_to(tls_server_url(server), tls_server_ca_file(server));
        exchange(h, message("/x", NULL, 4096), 10 * USEC_PER_SEC, &o);
        ck_assert_msg(o.r == 0, "%s", o.e.text);
        kbc_http_free(h);
        tls_server_stop(server);
}
END_TEST

/* Two authorities of the same name; and files that OpenSSL looks into by itself do not count beside the pinned one. */
START_TEST(only_the_pinned_authority_counts) {
        Seen seen = {};
        TlsServer *server = tls_server_start(NULL, note, &seen), *other = tls_server_start(NULL, note, &seen);
        KbcHttp *h;
        Outcome o;

        ck_assert_int_eq(setenv("SSL_CERT_FILE", tls_server_ca_file(server), 1), 0);
        h = connect_to(tls_server_url(server), tls_server_ca_file(other));
        exchange(h, message("/x", NULL, 4096), 10 * USEC_PER_SEC, &o);
        ck_assert_msg(o.r == -EKEYREJECTED, "%d %s", o.r, o.e.text);
        ck_assert_int_eq(o.remedy, KBC_REMEDY_NONE);
        ck_assert_str_eq(seen.header, "");
        kbc_http_free(h);
        h = connect_to(tls_server_url(server), NULL); /* the system does not know it either */
        exchange(h, message("/x", NULL, 4096), 10 * USEC_PER_SEC, &o);
        ck_assert_msg(o.r == -EKEYREJECTED, "%d %s", o.r, o.e.text);
        kbc_http_free(h);
        tls_server_stop(server);
        tls_server_stop(other);
}
END_TEST

START_TEST(name_must_be_in_the_certificate) {
        Seen seen = {};
        TlsServer *server = tls_server_start(NULL, note, &seen);
        AUTO_FREE char *url = NULL;
        KbcHttp *h;
        Outcome o;

        ck_assert_int_gt(asprintf(&url, "https://localhost%s", strrchr(tls_server_url(server), ':')), 0);
        h = connect_to(url, tls_server_ca_file(server));
        exchange(h, message("/x", NULL, 4096), 10 * USEC_PER_SEC, &o);
        ck_assert_msg(o.r == -EKEYREJECTED, "%d %s", o.r, o.e.text);
        ck_assert_str_eq(seen.header, "");
        kbc_http_free(h);
        tls_server_stop(server);
}
END_TEST

static const TlsServerOptions weak[] = {
        { .max_version = TLS1_1_VERSION },
        { .plain = true },
};

/* A system whose OpenSSL would speak anything, so that it is our own setting that refuses. */
static void allow_old_tls(void) {
        static const char text[] = "openssl_conf = c\n[c]\nssl_conf = s\n[s]\nsystem_default = d\n[d]\n"
                                   "MinProtocol = TLSv1\nCipherString = DEFAULT@SECLEVEL=0\n";
        char path[] = "/tmp/kbc-conf-XXXXXX";
        AUTO_FD int fd = mkstemp(path);

        ck_assert_int_eq(file_write_fd(fd, path, text, strlen(text), NULL), 0);
        ck_assert_int_eq(setenv("OPENSSL_CONF", path, 1), 0);
        ck_assert_int_eq(OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG, NULL), 1);
        (void) unlink(path);
}

START_TEST(old_or_missing_tls_is_refused) {
        Seen seen = {};

        allow_old_tls();
        TlsServer *server = tls_server_start(&weak[_i], note, &seen);
        KbcHttp *h = connect_to(tls_server_url(server), tls_server_ca_file(server));
        Outcome o;

        exchange(h, message("/x", NULL, 4096), 10 * USEC_PER_SEC, &o);
        ck_assert_int_eq(o.r, -EKEYREJECTED);
        ck_assert_str_eq(o.e.reason, "tls-handshake");
        ck_assert_int_eq(o.remedy, KBC_REMEDY_NONE);
        ck_assert_ptr_null(strstr(seen.header, "GET"));
        kbc_http_free(h);
        tls_server_stop(server);
}
END_TEST

START_TEST(connection_lost_in_the_handshake_is_worth_another_try) {
        TlsServer *server = tls_server_start(&(TlsServerOptions){ .hang_up = true }, note, NULL);
        KbcHttp *h = connect_to(tls_server_url(server), tls_server_ca_file(server));
        Outcome o;

        exchange(h, message("/x", NULL, 4096), 10 * USEC_PER_SEC, &o);
        ck_assert_msg(o.r == -ECONNRESET && o.remedy == KBC_REMEDY_RETRY, "%d %s", o.r, o.e.text);
        kbc_http_free(h);
        tls_server_stop(server);
}
END_TEST

START_TEST(tls_1_2_is_enough) {
        Seen seen = {};
        TlsServer *server = tls_server_start(&(TlsServerOptions){ .max_version = TLS1_2_VERSION }, note, &seen);
        KbcHttp *h = connect_to(tls_server_url(server), tls_server_ca_file(server));
        Outcome o;

        exchange(h, message("/x", NULL, 4096), 10 * USEC_PER_SEC, &o);
        ck_assert_int_eq(o.r, 0);
        kbc_http_free(h);
        tls_server_stop(server);
}
END_TEST

START_TEST(silence_ends_in_a_timeout) {
        static Script stall = { .answer = OK "Content-Length: 5\r\n\r\nhe", .action = TLS_STALL };
        TlsServer *server = tls_server_start(NULL, play, &stall);
        KbcHttp *h = connect_to(tls_server_url(server), tls_server_ca_file(server));
        uint64_t before = now_monotonic_usec();
        Outcome o;

        exchange(h, message("/x", NULL, 4096), 200 * USEC_PER_MSEC, &o);
        ck_assert_int_eq(o.r, -ETIMEDOUT);
        ck_assert_int_eq(o.remedy, KBC_REMEDY_RETRY);
        ck_assert_uint_ge(now_monotonic_usec() - before, 200 * USEC_PER_MSEC);
        kbc_http_free(h);
        tls_server_stop(server);
}
END_TEST

START_TEST(closed_port_is_refused) {
        Seen seen = {};
        TlsServer *server = tls_server_start(NULL, note, &seen);
        KbcHttp *h = connect_to(tls_server_url(server), tls_server_ca_file(server));
        Outcome o;

        tls_server_stop(server);
        exchange(h, message("/x", NULL, 4096), 10 * USEC_PER_SEC, &o);
        ck_assert_int_eq(o.r, -ECONNREFUSED);
        ck_assert_int_eq(o.remedy, KBC_REMEDY_RETRY);
        kbc_http_free(h);
}
END_TEST

START_TEST(cancelled_exchange_ends_without_a_word) {
        static Script stall = { .answer = "", .action = TLS_STALL };
        TlsServer *server = tls_server_start(NULL, play, &stall);
        KbcHttp *h = connect_to(tls_server_url(server), tls_server_ca_file(server));
        KbcMessage m = message("/x", NULL, 4096), n = message("/y", NULL, 4096);
        KbcExchange *x = NULL, *y = NULL;
        Outcome o = {}, p = {};

        ck_assert_int_eq(kbc_http_send(h, &m, USEC_PER_SEC, take_outcome, &o, &x, NULL), 0);
        ck_assert_ptr_null(m.path);
        ck_assert_int_eq(kbc_http_send(h, &n, 100 * USEC_PER_MSEC, take_outcome, &p, &y, NULL), 0);
        kbc_http_poll(h, 0);
        kbc_http_cancel(x);
        while (!p.done)
                kbc_http_poll(h, USEC_PER_SEC);
        ck_assert(!o.done);
        n = message("/z", NULL, 4096);
        ck_assert_int_eq(kbc_http_send(h, &n, USEC_PER_SEC, take_outcome, &o, &x, NULL), 0);
        kbc_http_free(h); /* with one under way */
        ck_assert(!o.done);
        tls_server_stop(server);
}
END_TEST

static const char *const bad_urls[] = {
        "", "http://host", "HTTP://host", "ftp://host", "file:///etc/passwd", "host", "//host", "https://", "https:///x",
        "https://user@host", "https://user:pw@host", "https://host?x", "https://host/#x", "https://host:99999",
        "https://ho st", "https://host\n",
};

START_TEST(address_must_be_https_and_nothing_more) {
        KbcHttp *h = NULL;
        Error e = {};

        ck_assert_msg(kbc_http_new(&(KbcHttpConfig){ .url = bad_urls[_i] }, &h, &e) == -EINVAL, "%s", bad_urls[_i]);
        ck_assert_str_eq(e.reason, "broker-url");
        ck_assert_ptr_null(h);
}
END_TEST

static const struct {
        const char *why, *text;
        int want;
} ca_files[] = {
        { "empty", "", -EBADMSG },
        { "no PEM", "hello\n", -EBADMSG },
        { "a key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", -EBADMSG },
        { "a broken certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", -EBADMSG },
        { "a certificate without its end", "-----BEGIN CERTIFICATE-----\nAAAA\n", -EBADMSG },
};

START_TEST(file_of_authorities_is_checked) {
        char path[] = "/tmp/kbc-ca-XXXXXX";
        int fd = mkstemp(path);
        AUTO_BLOB Blob pem = {};
        Error e = {};

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(file_write_fd(fd, path, ca_files[_i].text, strlen(ca_files[_i].text), NULL), 0);
        (void) close(fd);
        ck_assert_msg(kbc_trust_load(path, &pem, &e) == ca_files[_i].want, "%s", ca_files[_i].why);
        ck_assert_ptr_nonnull(strstr(e.text, path));
        (void) unlink(path);
}
END_TEST

START_TEST(file_of_authorities_is_small_and_whole) {
        Seen seen = {};
        TlsServer *server = tls_server_start(NULL, note, &seen);
        AUTO_BLOB Blob one = {}, out = {};
        char path[] = "/tmp/kbc-ca-XXXXXX";
        AUTO_FD int fd = mkstemp(path);

        ck_assert_int_eq(kbc_trust_load("/nonexistent/ca.pem", &out, NULL), -ENOENT);
        ck_assert_int_eq(kbc_trust_load(tls_server_ca_file(server), &one, NULL), 0);
        for (size_t n = 0; n + one.size <= KBC_CA_FILE_MAX; n += one.size)
                ck_assert_int_eq(file_write_fd(fd, path, one.data, one.size, NULL), 0);
        ck_assert_int_eq(kbc_trust_load(path, &out, NULL), 0);
        blob_done(&out);
        /* One good certificate does not make up for a broken one behind it. */
        ck_assert_int_eq(ftruncate(fd, (off_t) one.size + 100), 0);
        ck_assert_int_eq(kbc_trust_load(path, &out, NULL), -EBADMSG);
        ck_assert_int_eq(ftruncate(fd, KBC_CA_FILE_MAX + 1), 0);
        ck_assert_int_eq(kbc_trust_load(path, &out, NULL), -E2BIG);
        (void) unlink(path);
        tls_server_stop(server);
}
END_TEST

int main(void) {
        Suite *s = suite_create("keybroker-client");
        TCase *t = tcase_create("http");

        tcase_add_loop_test(t, answer_is_taken_or_refused, 0, N_ELEMENTS(scripts));
        tcase_add_test(t, header_has_a_limit);
        tcase_add_test(t, requests_say_what_they_should_and_no_more);
        tcase_add_test(t, environment_changes_nothing);
        tcase_add_test(t, only_the_pinned_authority_counts);
        tcase_add_test(t, name_must_be_in_the_certificate);
        tcase_add_loop_test(t, old_or_missing_tls_is_refused, 0, N_ELEMENTS(weak));
        tcase_add_test(t, connection_lost_in_the_handshake_is_worth_another_try);
        tcase_add_test(t, tls_1_2_is_enough);
        tcase_add_test(t, silence_ends_in_a_timeout);
        tcase_add_test(t, closed_port_is_refused);
        tcase_add_test(t, cancelled_exchange_ends_without_a_word);
        tcase_add_loop_test(t, address_must_be_https_and_nothing_more, 0, N_ELEMENTS(bad_urls));
        tcase_add_loop_test(t, file_of_authorities_is_checked, 0, N_ELEMENTS(ca_files));
        tcase_add_test(t, file_of_authorities_is_small_and_whole);
        suite_add_tcase(s, t);
        return unit_run(s);
}
