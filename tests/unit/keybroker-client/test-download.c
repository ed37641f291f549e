/* SPDX-License-Identifier: Apache-2.0 */
#include "keybroker-client/download.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/deadline.h"
#include "tests/unit/keybroker-client/tls-server.h"
#include "tests/unit/unit.h"

#define SIZE_LIMIT 8

typedef struct Outcome {
        unsigned n_calls;
        int r, status;
        KbcRemedy remedy;
        Error e;
        char body[64];
        size_t size;
        char retry_after[KBC_RETRY_AFTER_TEXT_MAX + 1];
} Outcome;

static void take_outcome(void *userdata, int r, const KbcReply *reply, KbcRemedy remedy, const Error *e) {
        Outcome *o = userdata;

        o->n_calls++;
        o->r = r;
        o->remedy = remedy;
        o->e = *e;
        ck_assert_int_eq(reply == NULL, r < 0);
        if (r < 0)
                return;
        o->status = reply->status;
        o->size = reply->size;
        (void) strcpy(o->retry_after, reply->retry_after);
        ck_assert_uint_lt(reply->size, sizeof(o->body));
        if (reply->size > 0)
                (void) memcpy(o->body, reply->body, reply->size);
}

static KbcDownloads *downloads(const TlsServer *server) {
        KbcTransfersConfig c = { .ca_file = server ? tls_server_ca_file(server) : NULL };
        KbcDownloads *d = NULL;
        Error e = {};

        ck_assert_msg(kbc_downloads_new(&c, &d, &e) == 0, "%s", e.text);
        return d;
}

static void download(KbcDownloads *d, const KbcDownloadRequest *request, Outcome *ret) {
        KbcDownload *x = NULL;
        Error e = {};

        *ret = (Outcome){};
        ck_assert_msg(kbc_download_start(d, request, take_outcome, ret, &x, &e) == 0, "%s", e.text);
        ck_assert_uint_eq(ret->n_calls, 0);
        while (ret->n_calls == 0)
                kbc_downloads_poll(d, USEC_PER_SEC);
        ck_assert_uint_eq(ret->n_calls, 1);
}

static void get(TlsServer *server, const char *path, Outcome *ret) {
        KbcDownloads *d = downloads(server);
        char url[256];

        (void) snprintf(url, sizeof(url), "%s%s", tls_server_url(server), path);
        download(d, &(KbcDownloadRequest){ .url = url, .size_max = SIZE_LIMIT, .timeout_usec = 10 * USEC_PER_SEC }, ret);
        kbc_downloads_free(d);
}

typedef struct Script {
        const char *why, *answer;
        TlsAction action;
        int want;
        const char *reason;
        int status;
        size_t size;
        const char *retry_after;
} Script;

static TlsAction play(void *userdata, const TlsRequest *q, Writer *answer) {
        const Script *s = userdata;

        (void) q;
        wr_str(answer, s->answer);
        return s->action;
}

#define OK "HTTP/1.1 200 OK\r\n"
#define BUSY "HTTP/1.1 429 Too Many Requests\r\n"

static const Script scripts[] = {
        { "a file", OK "Content-Length: 5\r\n\r\nhello", TLS_KEEP, 0, NULL, 200, 5, NULL },
        { "as large as may be", OK "Content-Length: 8\r\n\r\n01234567", TLS_KEEP, 0, NULL, 200, 8, NULL },
        { "announced larger", OK "Content-Length: 9\r\n\r\n012345678", TLS_KEEP, -E2BIG, "reply-too-large", 0, 0, NULL },
        { "endless", OK "Transfer-Encoding: chunked\r\n\r\n9\r\n012345678\r\n", TLS_STALL, -E2BIG, "reply-too-large", 0, 0, NULL },
        { "cut", OK "Content-Length: 8\r\n\r\n0123", TLS_CLOSE, -ECONNRESET, "reply-truncated", 0, 0, NULL },
        { "nothing", "", TLS_CLOSE, -ECONNRESET, "server-connection", 0, 0, NULL },
        { "no HTTP", "SSH-2.0-OpenSSH\r\n\r\n", TLS_CLOSE, -EBADMSG, "reply-malformed", 0, 0, NULL },
        { "not there", "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}", TLS_KEEP, 0, NULL, 404, 2, NULL },
        { "a redirect is not followed", "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", TLS_KEEP, 0, NULL,
          302, 0, NULL },
        { "later", BUSY "Retry-After: 17\r\nContent-Length: 0\r\n\r\n", TLS_KEEP, 0, NULL, 429, 0, "17" },
        { "later, with a long page", BUSY "Retry-After: 17\r\nContent-Length: 9999\r\n\r\n<html>", TLS_CLOSE, 0, NULL, 429, 0,
          "17" },
        { "later, never mind when", BUSY "Retry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\nContent-Length: 0\r\n\r\n", TLS_KEEP,
          0, NULL, 429, 0, "Wed, 21 Oct 2026 07:28:00 GMT" },
        { "later, at a length that no time has",
          BUSY "Retry-After: 0123456789012345678901234567890123456789012345678901234567890123456789\r\n"
               "Content-Length: 0\r\n\r\n", TLS_KEEP, 0, NULL, 429, 0, NULL },
        { "later, much later", BUSY "Retry-After: 999999\r\nContent-Length: 0\r\n\r\n", TLS_KEEP, 0, NULL, 429, 0,
          "999999" },
};

START_TEST(answer_is_taken_or_refused) {
        Script s = scripts[_i];
        TlsServer *server = tls_server_start(NULL, play, &s);
        Outcome o;

        get(server, "/file", &o);
        ck_assert_msg(o.r == s.want, "%s: %d %s", s.why, o.r, o.e.text);
        ck_assert_int_eq(o.status, s.status);
        ck_assert_uint_eq(o.size, s.size);
        ck_assert_str_eq(o.retry_after, s.retry_after ? s.retry_after : "");
        if (s.reason)
                ck_assert_msg(strcmp(o.e.reason, s.reason) == 0, "%s: %s", s.why, o.e.reason);
        tls_server_stop(server);
}
END_TEST

static TlsAction note(void *userdata, const TlsRequest *q, Writer *answer) {
        (void) snprintf(userdata, 4096, "%s", q->header);
        http_answer(answer, 200, "Set-Cookie: a=b\r\n", "hello");
        return TLS_KEEP;
}

START_TEST(requests_say_what_they_should_and_no_more) {
        char seen[4096] = "";
        TlsServer *server = tls_server_start(NULL, note, seen);
        Outcome o;

        get(server, "/vcek/v1/Milan/00?blSPL=03&teeSPL=00", &o);
        ck_assert_int_eq(o.r, 0);
        ck_assert_ptr_eq(strstr(seen, "GET /vcek/v1/Milan/00?blSPL=03&teeSPL=00 HTTP/1.1\r\n"), seen);
        ck_assert_ptr_null(strcasestr(seen, "\r\nMetadata:"));
        ck_assert_ptr_null(strcasestr(seen, "\r\nCookie:"));
        ck_assert_ptr_null(strcasestr(seen, "\r\nAccept-Encoding:"));
        ck_assert_ptr_null(strcasestr(seen, "\r\nAuthorization:"));
        get(server, "/again", &o);
        ck_assert_ptr_null(strcasestr(seen, "\r\nCookie:"));
        tls_server_stop(server);
}
END_TEST

START_TEST(metadata_service_is_asked_in_the_clear_and_without_a_proxy) {
        static const char *const names[] = { "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY" };
        const TlsServerOptions plain = { .plain = true };
        char seen[4096] = "", url[64];
        TlsServer *server = tls_server_start(&plain, note, seen);
        KbcDownloads *d = downloads(NULL);
        KbcDownloadRequest request = { .url = url, .header = "Metadata: true", .size_max = 64, .timeout_usec = 10 * USEC_PER_SEC };
        Outcome o;

        for (size_t i = 0; i < N_ELEMENTS(names); i++)
                ck_assert_int_eq(setenv(names[i], "http://127.0.0.1:1", 1), 0);
        (void) snprintf(url, sizeof(url), "http%s/metadata", strchr(tls_server_url(server), ':'));
        download(d, &request, &o);
        ck_assert_msg(o.r == 0 && o.status == 200, "%s", o.e.text);
        ck_assert_str_eq(o.body, "hello");
        ck_assert_ptr_eq(strstr(seen, "GET /metadata HTTP/1.1\r\n"), seen);
        ck_assert_ptr_nonnull(strstr(seen, "\r\nMetadata: true\r\n"));
        kbc_downloads_free(d);
        tls_server_stop(server);
}
END_TEST

START_TEST(only_the_pinned_authority_counts) {
        char seen[4096] = "";
        TlsServer *server = tls_server_start(NULL, note, seen), *other = tls_server_start(NULL, note, seen);
        KbcDownloads *d = downloads(other);
        KbcDownloadRequest request = { .url = tls_server_url(server), .size_max = 64, .timeout_usec = 10 * USEC_PER_SEC };
        Outcome o;

        download(d, &request, &o);
        ck_assert_int_eq(o.r, -EKEYREJECTED);
        ck_assert_int_eq(o.remedy, KBC_REMEDY_NONE);
        ck_assert_str_eq(seen, "");
        kbc_downloads_free(d);
        tls_server_stop(server);
        tls_server_stop(other);
}
END_TEST

START_TEST(silence_ends_in_a_timeout) {
        Script stall = { .answer = OK "Content-Length: 5\r\n\r\nhe", .action = TLS_STALL };
        TlsServer *server = tls_server_start(NULL, play, &stall);
        KbcDownloads *d = downloads(server);
        KbcDownloadRequest request = { .url = tls_server_url(server), .size_max = 64, .timeout_usec = 100 * USEC_PER_MSEC };
        Outcome o;

        download(d, &request, &o);
        ck_assert_int_eq(o.r, -ETIMEDOUT);
        ck_assert_str_eq(o.e.reason, "server-timeout");
        ck_assert_int_eq(o.remedy, KBC_REMEDY_RETRY);
        kbc_downloads_free(d);
        tls_server_stop(server);
}
END_TEST

START_TEST(cancelled_download_ends_without_a_word) {
        Script stall = { .answer = "", .action = TLS_STALL };
        TlsServer *server = tls_server_start(NULL, play, &stall);
        KbcDownloads *d = downloads(server);
        KbcDownloadRequest request = { .url = tls_server_url(server), .size_max = 64, .timeout_usec = 60 * USEC_PER_SEC };
        KbcDownload *x = NULL, *y = NULL;
        Outcome o = {};

        ck_assert_int_eq(kbc_download_start(d, &request, take_outcome, &o, &x, NULL), 0);
        ck_assert_int_eq(kbc_download_start(d, &request, take_outcome, &o, &y, NULL), 0);
        kbc_downloads_poll(d, 0);
        kbc_download_cancel(x);
        kbc_download_cancel(NULL);
        kbc_downloads_free(d); /* with one under way */
        ck_assert_uint_eq(o.n_calls, 0);
        tls_server_stop(server);
}
END_TEST

static const struct {
        const char *url;
        int want;
} urls[] = {
        { "https://kdsintf.amd.com/vcek/v1/Milan/crl", 0 },
        { "https://host:8443/x?a=1&b=2", 0 },
        { "https://[2001:db8::1]/x", 0 },
        { "http://169.254.169.254/metadata/THIM/amd/certification", 0 },
        { "http://127.0.0.1:8080/x", 0 },
        { "http://127.255.255.254/x", 0 },
        { "http://[::1]:8080/x", 0 },
        { "http://[fe80::1]/x", 0 },
        { "http://localhost/x", -EINVAL },
        { "http://kdsintf.amd.com/vcek/v1/Milan/crl", -EINVAL },
        { "http://10.0.0.1/x", -EINVAL },
        { "http://169.253.0.1/x", -EINVAL },
        { "http://128.0.0.1/x", -EINVAL },
        { "http://0.0.0.0/x", -EINVAL },
        { "http://127.0.0.1.example.org/x", -EINVAL },
        { "http://[::ffff:10.0.0.1]/x", -EINVAL },
        { "http://[fec0::1]/x", -EINVAL },
        { "http://[::]/x", -EINVAL },
        { "http://127.0.0.1@example.org/x", -EINVAL },
        { "https://user@host/x", -EINVAL },
        { "https://user:pw@host/x", -EINVAL },
        { "https://host/x#y", -EINVAL },
        { "https://host/x#", -EINVAL },
        { "https://@host/x", -EINVAL },
        { "https://host/x@y?z=@", 0 },
        { "https://ho st/x", -EINVAL },
        { "https://host/x y", -EINVAL },
        { "https://host/x\r\nX: y", -EINVAL },
        { "https:///x", -EINVAL },
        { "https://", -EINVAL },
        { "HTTPS://host/x", -EINVAL },
        { "file:///etc/passwd", -EINVAL },
        { "ftp://127.0.0.1/x", -EINVAL },
        { "//host/x", -EINVAL },
        { "", -EINVAL },
};

START_TEST(address_is_judged) {
        KbcDownloads *d = downloads(NULL);
        KbcDownload *x = NULL;
        Outcome o = {};
        Error e = {};

        ck_assert_msg(kbc_download_check_url(urls[_i].url, &e) == urls[_i].want, "%s", urls[_i].url);
        if (urls[_i].want < 0) {
                ck_assert_str_eq(e.reason, "download-url");
                ck_assert_int_eq(kbc_download_start(d, &(KbcDownloadRequest){ .url = urls[_i].url }, take_outcome, &o, &x,
                                                    NULL), -EINVAL);
        }
        kbc_downloads_free(d);
}
END_TEST

START_TEST(address_has_a_limit) {
        char url[KBC_URL_MAX + 2] = "https://host/";

        (void) memset(url + strlen(url), 'x', KBC_URL_MAX - strlen(url));
        url[KBC_URL_MAX] = 0;
        ck_assert_int_eq(kbc_download_check_url(url, NULL), 0);
        url[KBC_URL_MAX] = 'x';
        url[KBC_URL_MAX + 1] = 0;
        ck_assert_int_eq(kbc_download_check_url(url, NULL), -EINVAL);
}
END_TEST

int main(void) {
        Suite *s = suite_create("keybroker-client");
        TCase *t = tcase_create("download");

        tcase_add_loop_test(t, answer_is_taken_or_refused, 0, N_ELEMENTS(scripts));
        tcase_add_test(t, requests_say_what_they_should_and_no_more);
        tcase_add_test(t, metadata_service_is_asked_in_the_clear_and_without_a_proxy);
        tcase_add_test(t, only_the_pinned_authority_counts);
        tcase_add_test(t, silence_ends_in_a_timeout);
        tcase_add_test(t, cancelled_download_ends_without_a_word);
        tcase_add_loop_test(t, address_is_judged, 0, N_ELEMENTS(urls));
        tcase_add_test(t, address_has_a_limit);
        suite_add_tcase(s, t);
        return unit_run(s);
}
