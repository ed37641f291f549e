/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One easy handle per exchange, all on one multi handle that keeps the connections. libcurl's callbacks only note what
 * they are told; replies are handed out after libcurl has returned, so that whoever takes them may send again.
 */

#include "keybroker-client/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/deadline.h"
#include "keybroker-client/trust.h"

struct KbcExchange {
        TAILQ_ENTRY(KbcExchange) link;
        KbcHttp *http;
        CURL *easy;
        KbcMessage message; /* owned: libcurl reads the body from here */
        KbcReply reply;
        KbcReplyFn done;
        void *userdata;
        int failure; /* of our own callbacks: -E2BIG or -ENOMEM */
        char text[CURL_ERROR_SIZE];
};

struct KbcHttp {
        char *url;  /* without trailing '/' */
        Blob ca;    /* empty: the system's */
        CURLM *multi;
        struct curl_slist *json_header, *plain_header;
        const KbcLoopOps *loop_ops;
        void *loop;
        uint64_t timer_usec;
        TAILQ_HEAD(, KbcExchange) exchanges;
        bool global; /* curl_global_init() is ours to undo */
};

/* Refuses what would make libcurl do something else than HTTPS to one host. */
static int check_url(const char *url, Error *e) {
        CURLU *u = curl_url();
        char *unwanted = NULL, *host = NULL;
        bool ok;

        /* libcurl forgives a third slash. */
        ok = u && strlen(url) <= KBC_URL_MAX && strncmp(url, "https://", 8) == 0 && url[8] != '/' &&
             curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
             curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK && host[0] &&
             curl_url_get(u, CURLUPART_USER, &unwanted, 0) != CURLUE_OK &&
             curl_url_get(u, CURLUPART_PASSWORD, &unwanted, 0) != CURLUE_OK &&
             curl_url_get(u, CURLUPART_QUERY, &unwanted, 0) != CURLUE_OK &&
             curl_url_get(u, CURLUPART_FRAGMENT, &unwanted, 0) != CURLUE_OK;
        curl_free(host);
        curl_free(unwanted);
        curl_url_cleanup(u);
        if (!ok)
                return error_set(e, -EINVAL, "broker-url",
                                 "Broker address is not https://HOST[:PORT][/PATH] and nothing more");
        return 0;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *userdata, void *socket_data) {
        static const unsigned wanted[] = {
                [CURL_POLL_IN] = KBC_IO_IN,
                [CURL_POLL_OUT] = KBC_IO_OUT,
                [CURL_POLL_INOUT] = KBC_IO_IN | KBC_IO_OUT,
                [CURL_POLL_REMOVE] = 0,
        };
        KbcHttp *h = userdata;

        (void) easy;
        (void) socket_data;
        return h->loop_ops->set_fd(h->loop, fd, wanted[what]) < 0 ? -1 : 0;
}

static int on_timer_change(CURLM *multi, long timeout_msec, void *userdata) {
        KbcHttp *h = userdata;

        (void) multi;
        h->timer_usec =
                timeout_msec < 0 ? UINT64_MAX : now_monotonic_usec() + (uint64_t) timeout_msec * USEC_PER_MSEC;
        return 0;
}

static bool set_up_multi(KbcHttp *h) {
        h->multi = curl_multi_init();
        if (!h->multi || curl_multi_setopt(h->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long) KBC_CONNECTIONS_MAX) ||
            curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long) KBC_CONNECTIONS_MAX))
                return false;
        if (!h->loop_ops)
                return true;
        return curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK &&
               curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h) == CURLM_OK &&
               curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, on_timer_change) == CURLM_OK &&
               curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h) == CURLM_OK;
}

/* "Expect:" stops libcurl from asking for leave before a large body, which costs a second where it is ignored. */
static bool set_up_headers(KbcHttp *h) {
        struct curl_slist *list;

        h->plain_header = curl_slist_append(NULL, "Accept: application/json");
        h->json_header = curl_slist_append(NULL, "Content-Type: application/json");
        if (!h->plain_header || !h->json_header)
                return false;
        list = curl_slist_append(h->json_header, "Expect:");
        return list && curl_slist_append(list, "Accept: application/json");
}

int kbc_http_new(const KbcHttpConfig *config, KbcHttp **ret, Error *e) {
        CLEANUP(kbc_http_freep) KbcHttp *h = NULL;
        int r;

        h = calloc(1, sizeof(*h));
        if (!h || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
                return error_oom(e);
        *h = (KbcHttp){
                .loop_ops = config->loop_ops, .loop = config->loop, .timer_usec = UINT64_MAX, .global = true,
        };
        TAILQ_INIT(&h->exchanges);
        r = check_url(config->url, e);
        if (r == 0 && config->ca_file)
                r = kbc_trust_load(config->ca_file, &h->ca, e);
        if (r < 0)
                return r;
        h->url = strdup(config->url);
        if (!h->url || !set_up_multi(h) || !set_up_headers(h))
                return error_oom(e);
        for (size_t n = strlen(h->url); n > 0 && h->url[n - 1] == '/';)
                h->url[--n] = 0;
        *ret = TAKE_PTR(h);
        return 0;
}

static void exchange_free(KbcExchange *x) {
        if (x->easy) {
                (void) curl_multi_remove_handle(x->http->multi, x->easy);
                curl_easy_cleanup(x->easy);
        }
        kbc_message_done(&x->message);
        kbc_reply_done(&x->reply);
        free(x);
}

void kbc_http_cancel(KbcExchange *x) {
        if (!x)
                return;
        TAILQ_REMOVE(&x->http->exchanges, x, link);
        exchange_free(x);
}

void kbc_http_free(KbcHttp *h) {
        if (!h)
                return;
        while (!TAILQ_EMPTY(&h->exchanges))
                kbc_http_cancel(TAILQ_FIRST(&h->exchanges));
        if (h->multi)
                (void) curl_multi_cleanup(h->multi);
        curl_slist_free_all(h->json_header);
        curl_slist_free_all(h->plain_header);
        if (h->global)
                curl_global_cleanup();
        blob_done(&h->ca);
        free(h->url);
        free(h);
}

static size_t on_header(char *data, size_t size, size_t n, void *userdata) {
        KbcExchange *x = userdata;

        if (x->failure == 0)
                x->failure = kbc_reply_header(&x->reply, data, size * n);
        return x->failure == 0 ? size * n : 0;
}

static size_t on_body(char *data, size_t size, size_t n, void *userdata) {
        KbcExchange *x = userdata;

        if (x->failure == 0)
                x->failure = kbc_reply_append(&x->reply, data, size * n, x->message.reply_max);
        return x->failure == 0 ? size * n : 0;
}

/* Everything about the connection. All values are given, whatever the library's defaults are or become. */
static bool set_connection(KbcExchange *x) {
        KbcHttp *h = x->http;
        struct curl_blob ca = { .data = h->ca.data, .len = h->ca.size, .flags = CURL_BLOB_NOCOPY };
        CURLcode c = CURLE_OK;

#define SET(option, value) c = c ? c : curl_easy_setopt(x->easy, CURLOPT_##option, value)
        SET(PROTOCOLS_STR, "https");
        SET(REDIR_PROTOCOLS_STR, "https");
        SET(FOLLOWLOCATION, 0L);
        SET(SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
        SET(SSL_VERIFYPEER, 1L);
        SET(SSL_VERIFYHOST, 2L);
        if (h->ca.size > 0) {
                SET(CAINFO_BLOB, &ca);
                SET(CAINFO, NULL);
                SET(CAPATH, NULL); /* else the system's directory would do as well */
        }
        SET(HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
        SET(PROXY, ""); /* not even from the environment */
        SET(NETRC, (long) CURL_NETRC_IGNORED);
        SET(DISALLOW_USERNAME_IN_URL, 1L);
        SET(HTTP09_ALLOWED, 0L);
        SET(NOSIGNAL, 1L);
        SET(QUICK_EXIT, 1L); /* else giving up an exchange waits for a resolver that does not answer */
#undef SET
        return c == CURLE_OK;
}

static bool set_request(KbcExchange *x, const char *url, uint64_t timeout_usec) {
        const KbcMessage *m = &x->message;
        uint64_t msec = timeout_usec / USEC_PER_MSEC + 1; /* 0 would be "for ever" */
        CURLcode c = CURLE_OK;

#define SET(option, value) c = c ? c : curl_easy_setopt(x->easy, CURLOPT_##option, value)
        SET(URL, url);
        SET(PRIVATE, x);
        SET(ERRORBUFFER, x->text);
        SET(TIMEOUT_MS, msec < LONG_MAX ? (long) msec : LONG_MAX);
        SET(HEADERFUNCTION, on_header);
        SET(HEADERDATA, x);
        SET(WRITEFUNCTION, on_body);
        SET(WRITEDATA, x);
        SET(MAXFILESIZE_LARGE, (curl_off_t) m->reply_max);
        SET(USERAGENT, "snp-agent");
        SET(COOKIE, m->cookie);
        SET(HTTPHEADER, m->post ? x->http->json_header : x->http->plain_header);
        if (m->post) {
                SET(POST, 1L);
                SET(POSTFIELDSIZE_LARGE, (curl_off_t) m->body.size);
                SET(POSTFIELDS, m->body.data ? (const char *) m->body.data : "");
        }
#undef SET
        return c == CURLE_OK;
}

int kbc_http_send(KbcHttp *h, KbcMessage *m, uint64_t timeout_usec, KbcReplyFn done, void *userdata,
                  KbcExchange **ret, Error *e) {
        AUTO_FREE char *url = NULL;
        KbcExchange *x;

        if (asprintf(&url, "%s%s", h->url, m->path) < 0) {
                url = NULL;
                return error_oom(e);
        }
        x = calloc(1, sizeof(*x));
        if (!x)
                return error_oom(e);
        *x = (KbcExchange){ .http = h, .message = *m, .done = done, .userdata = userdata };
        x->easy = curl_easy_init();
        if (!x->easy || !set_connection(x) || !set_request(x, url, timeout_usec) ||
            curl_multi_add_handle(h->multi, x->easy) != CURLM_OK) {
                x->message = (KbcMessage){}; /* stays the caller's */
                exchange_free(x);
                return error_oom(e);
        }
        *m = (KbcMessage){};
        TAILQ_INSERT_TAIL(&h->exchanges, x, link);
        *ret = x;
        return 0;
}

static const struct {
        CURLcode from;
        int code;
        const char *reason;
        KbcRemedy remedy;
} failures[] = {
        { CURLE_COULDNT_RESOLVE_HOST, -EHOSTUNREACH, "broker-name", KBC_REMEDY_RETRY },
        { CURLE_COULDNT_CONNECT, -ECONNREFUSED, "broker-unreachable", KBC_REMEDY_RETRY },
        { CURLE_OPERATION_TIMEDOUT, -ETIMEDOUT, "broker-timeout", KBC_REMEDY_RETRY },
        { CURLE_SSL_CONNECT_ERROR, -EKEYREJECTED, "tls-handshake", KBC_REMEDY_NONE },
        { CURLE_SEND_ERROR, -ECONNRESET, "broker-connection", KBC_REMEDY_RETRY },
        { CURLE_RECV_ERROR, -ECONNRESET, "broker-connection", KBC_REMEDY_RETRY },
        { CURLE_GOT_NOTHING, -ECONNRESET, "broker-connection", KBC_REMEDY_RETRY },
        { CURLE_PARTIAL_FILE, -ECONNRESET, "reply-truncated", KBC_REMEDY_RETRY },
        { CURLE_PEER_FAILED_VERIFICATION, -EKEYREJECTED, "tls-authentication", KBC_REMEDY_NONE },
        { CURLE_SSL_ISSUER_ERROR, -EKEYREJECTED, "tls-authentication", KBC_REMEDY_NONE },
        { CURLE_SSL_CACERT_BADFILE, -EBADMSG, "ca-file", KBC_REMEDY_NONE },
        { CURLE_FILESIZE_EXCEEDED, -E2BIG, "reply-too-large", KBC_REMEDY_NONE },
        { CURLE_OUT_OF_MEMORY, -ENOMEM, "out-of-memory", KBC_REMEDY_NONE },
        { CURLE_WEIRD_SERVER_REPLY, -EBADMSG, "reply-malformed", KBC_REMEDY_NONE },
        { CURLE_UNSUPPORTED_PROTOCOL, -EBADMSG, "reply-malformed", KBC_REMEDY_NONE },
        { CURLE_BAD_CONTENT_ENCODING, -EBADMSG, "reply-malformed", KBC_REMEDY_NONE },
};

/* What the kernel said, where that is more than "could not connect". */
static int connect_code(const KbcExchange *x, int code) {
        long os_errno = 0;

        if (code == -ECONNREFUSED && curl_easy_getinfo(x->easy, CURLINFO_OS_ERRNO, &os_errno) == CURLE_OK &&
            (os_errno == EHOSTUNREACH || os_errno == ENETUNREACH))
                return -EHOSTUNREACH;
        return code;
}

/*
 * A connection lost in the handshake comes back as the same code as every mistake in it, some wrong certificates
 * included. Only libcurl's text tells them apart (7.88, OpenSSL 3.0); a text that is not known is not tried again.
 */
static bool is_lost_in_handshake(const KbcExchange *x, CURLcode c) {
        return c == CURLE_SSL_CONNECT_ERROR &&
               (strstr(x->text, "SSL_connect: ") || strstr(x->text, "unexpected eof"));
}

static int tell_failure(const KbcExchange *x, CURLcode c, KbcRemedy *ret_remedy, Error *e) {
        const char *text = x->text[0] ? x->text : curl_easy_strerror(c);

        *ret_remedy = KBC_REMEDY_NONE;
        if (x->failure == -E2BIG)
                return error_set(e, -E2BIG, "reply-too-large", "Answer of %s exceeds the limit of %zu bytes",
                                 x->http->url, x->message.reply_max);
        if (x->failure < 0)
                return error_oom(e);
        if (is_lost_in_handshake(x, c))
                c = CURLE_RECV_ERROR;
        for (size_t i = 0; i < N_ELEMENTS(failures); i++)
                if (failures[i].from == c) {
                        *ret_remedy = failures[i].remedy;
                        return error_set(e, connect_code(x, failures[i].code), failures[i].reason, "%s: %s",
                                         x->http->url, text);
                }
        return error_set(e, -EIO, "broker-connection", "%s: %s", x->http->url, text);
}

/* The status of a refusal is worth having, the page that a proxy made of it is not. */
static bool is_refusal_too_long(const KbcExchange *x, CURLcode c) {
        return x->reply.status != 0 && x->reply.status != 200 &&
               (x->failure == -E2BIG || c == CURLE_FILESIZE_EXCEEDED);
}

static void finish(KbcExchange *x, CURLcode c) {
        KbcRemedy remedy = KBC_REMEDY_NONE;
        Error e = {};
        long status = 0;
        int r = 0;

        (void) curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
        x->reply.status = (int) status;
        if (c != CURLE_OK && is_refusal_too_long(x, c)) {
                kbc_reply_done(&x->reply);
                x->reply.status = (int) status;
        } else if (c != CURLE_OK)
                r = tell_failure(x, c, &remedy, &e);
        TAILQ_REMOVE(&x->http->exchanges, x, link);
        (void) curl_multi_remove_handle(x->http->multi, x->easy);
        x->done(x->userdata, r, r < 0 ? NULL : &x->reply, remedy, &e);
        exchange_free(x);
}

/* Hands out what has ended. A callback may end others: their messages are then gone from libcurl's list too. */
static void drain(KbcHttp *h) {
        CURLMsg *msg;
        int left;

        while ((msg = curl_multi_info_read(h->multi, &left))) {
                KbcExchange *x = NULL;

                if (msg->msg == CURLMSG_DONE &&
                    curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &x) == CURLE_OK && x)
                        finish(x, msg->data.result);
        }
}

void kbc_http_on_fd(KbcHttp *h, int fd, unsigned what) {
        int bits = (what & KBC_IO_IN ? CURL_CSELECT_IN : 0) | (what & KBC_IO_OUT ? CURL_CSELECT_OUT : 0);
        int running;

        (void) curl_multi_socket_action(h->multi, fd, bits, &running);
        drain(h);
}

void kbc_http_on_timer(KbcHttp *h) {
        int running;

        if (h->timer_usec > now_monotonic_usec())
                return;
        h->timer_usec = UINT64_MAX;
        (void) curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
        drain(h);
}

uint64_t kbc_http_timer_usec(const KbcHttp *h) {
        return h->timer_usec;
}

void kbc_http_poll(KbcHttp *h, uint64_t timeout_usec) {
        uint64_t msec = timeout_usec / USEC_PER_MSEC + (timeout_usec % USEC_PER_MSEC ? 1 : 0);
        int running;

        (void) curl_multi_poll(h->multi, NULL, 0, msec < INT_MAX ? (int) msec : INT_MAX, NULL);
        (void) curl_multi_perform(h->multi, &running);
        drain(h);
}
