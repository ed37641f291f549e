/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One easy handle per transfer, all on one multi handle that keeps the connections. libcurl's callbacks only note what
 * they are told; replies are handed out after libcurl has returned, so that whoever takes them may start again.
 */

#include "keybroker-client/transfer.h"

#include <curl/curl.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/deadline.h"
#include "keybroker-client/trust.h"

struct KbcTransfer {
        TAILQ_ENTRY(KbcTransfer) link;
        KbcTransfers *owner;
        CURL *easy;
        struct curl_slist *headers; /* owned */
        const char *name;           /* borrowed */
        size_t reply_max;
        KbcReply reply;
        KbcReplyFn done;
        void *userdata;
        int failure; /* of our own callbacks: -E2BIG or -ENOMEM */
        char text[CURL_ERROR_SIZE];
};

struct KbcTransfers {
        KbcTransferPeer peer;
        Blob ca; /* empty: the system's */
        CURLM *multi;
        const KbcLoopOps *loop_ops;
        void *loop;
        uint64_t timer_usec;
        TAILQ_HEAD(, KbcTransfer) list;
        bool global; /* curl_global_init() is ours to undo */
};

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *userdata, void *socket_data) {
        static const unsigned wanted[] = {
                [CURL_POLL_IN] = KBC_IO_IN,
                [CURL_POLL_OUT] = KBC_IO_OUT,
                [CURL_POLL_INOUT] = KBC_IO_IN | KBC_IO_OUT,
                [CURL_POLL_REMOVE] = 0,
        };
        KbcTransfers *t = userdata;

        (void) easy;
        (void) socket_data;
        return t->loop_ops->set_fd(t->loop, fd, wanted[what]) < 0 ? -1 : 0;
}

static int on_timer_change(CURLM *multi, long timeout_msec, void *userdata) {
        KbcTransfers *t = userdata;

        (void) multi;
        t->timer_usec =
                timeout_msec < 0 ? UINT64_MAX : now_monotonic_usec() + (uint64_t) timeout_msec * USEC_PER_MSEC;
        return 0;
}

static bool set_up_multi(KbcTransfers *t) {
        t->multi = curl_multi_init();
        if (!t->multi || curl_multi_setopt(t->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long) KBC_CONNECTIONS_MAX) ||
            curl_multi_setopt(t->multi, CURLMOPT_MAXCONNECTS, (long) KBC_CONNECTIONS_MAX))
                return false;
        if (!t->loop_ops)
                return true;
        return curl_multi_setopt(t->multi, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK &&
               curl_multi_setopt(t->multi, CURLMOPT_SOCKETDATA, t) == CURLM_OK &&
               curl_multi_setopt(t->multi, CURLMOPT_TIMERFUNCTION, on_timer_change) == CURLM_OK &&
               curl_multi_setopt(t->multi, CURLMOPT_TIMERDATA, t) == CURLM_OK;
}

int kbc_transfers_new(const KbcTransfersConfig *config, KbcTransfers **ret, Error *e) {
        CLEANUP(kbc_transfers_freep) KbcTransfers *t = NULL;
        int r = 0;

        t = calloc(1, sizeof(*t));
        if (!t || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
                return error_oom(e);
        *t = (KbcTransfers){
                .peer = config->peer, .loop_ops = config->loop_ops, .loop = config->loop, .timer_usec = UINT64_MAX,
                .global = true,
        };
        TAILQ_INIT(&t->list);
        if (config->ca_file)
                r = kbc_trust_load(config->ca_file, &t->ca, e);
        if (r < 0)
                return r;
        if (!set_up_multi(t))
                return error_oom(e);
        *ret = TAKE_PTR(t);
        return 0;
}

static void transfer_free(KbcTransfer *x) {
        if (x->easy) {
                (void) curl_multi_remove_handle(x->owner->multi, x->easy);
                curl_easy_cleanup(x->easy);
        }
        curl_slist_free_all(x->headers);
        kbc_reply_done(&x->reply);
        free(x);
}

void kbc_transfer_cancel(KbcTransfer *x) {
        if (!x)
                return;
        TAILQ_REMOVE(&x->owner->list, x, link);
        transfer_free(x);
}

void kbc_transfers_free(KbcTransfers *t) {
        if (!t)
                return;
        while (!TAILQ_EMPTY(&t->list))
                kbc_transfer_cancel(TAILQ_FIRST(&t->list));
        if (t->multi)
                (void) curl_multi_cleanup(t->multi);
        if (t->global)
                curl_global_cleanup();
        blob_done(&t->ca);
        free(t);
}

static size_t on_header(char *data, size_t size, size_t n, void *userdata) {
        KbcTransfer *x = userdata;

        if (x->failure == 0)
                x->failure = kbc_reply_header(&x->reply, data, size * n);
        return x->failure == 0 ? size * n : 0;
}

static size_t on_body(char *data, size_t size, size_t n, void *userdata) {
        KbcTransfer *x = userdata;

        if (x->failure == 0)
                x->failure = kbc_reply_append(&x->reply, data, size * n, x->reply_max);
        return x->failure == 0 ? size * n : 0;
}

/* Everything about the connection. All values are given, whatever the library's defaults are or become. */
static bool set_connection(KbcTransfer *x, const char *protocol) {
        KbcTransfers *t = x->owner;
        struct curl_blob ca = { .data = t->ca.data, .len = t->ca.size, .flags = CURL_BLOB_NOCOPY };
        CURLcode c = CURLE_OK;

#define SET(option, value) c = c ? c : curl_easy_setopt(x->easy, CURLOPT_##option, value)
        SET(PROTOCOLS_STR, protocol);
        SET(REDIR_PROTOCOLS_STR, protocol);
        SET(FOLLOWLOCATION, 0L);
        SET(SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
        SET(SSL_VERIFYPEER, 1L);
        SET(SSL_VERIFYHOST, 2L);
        if (t->ca.size > 0) {
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

static bool set_headers(KbcTransfer *x, const char *const *headers) {
        for (; headers && *headers; headers++) {
                struct curl_slist *list = curl_slist_append(x->headers, *headers);

                if (!list)
                        return false;
                x->headers = list;
        }
        return curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, x->headers) == CURLE_OK;
}

static bool set_request(KbcTransfer *x, const KbcTransferRequest *request) {
        uint64_t msec = request->timeout_usec / USEC_PER_MSEC + 1; /* 0 would be "for ever" */
        CURLcode c = CURLE_OK;

#define SET(option, value) c = c ? c : curl_easy_setopt(x->easy, CURLOPT_##option, value)
        SET(URL, request->url);
        SET(PRIVATE, x);
        SET(ERRORBUFFER, x->text);
        SET(TIMEOUT_MS, msec < LONG_MAX ? (long) msec : LONG_MAX);
        SET(HEADERFUNCTION, on_header);
        SET(HEADERDATA, x);
        SET(WRITEFUNCTION, on_body);
        SET(WRITEDATA, x);
        SET(MAXFILESIZE_LARGE, (curl_off_t) x->reply_max);
        SET(USERAGENT, "snp-agent");
        SET(COOKIE, request->cookie);
        if (request->body) {
                SET(POST, 1L);
                SET(POSTFIELDSIZE_LARGE, (curl_off_t) request->body->size);
                SET(POSTFIELDS, request->body->data ? (const char *) request->body->data : "");
        }
#undef SET
        return c == CURLE_OK;
}

int kbc_transfer_start(KbcTransfers *t, const KbcTransferRequest *request, KbcReplyFn done, void *userdata,
                       KbcTransfer **ret, Error *e) {
        KbcTransfer *x = calloc(1, sizeof(*x));

        if (!x)
                return error_oom(e);
        *x = (KbcTransfer){ .owner = t, .name = request->name, .reply_max = request->reply_max, .done = done,
                            .userdata = userdata };
        x->easy = curl_easy_init();
        if (!x->easy || !set_connection(x, request->plain_http ? "http" : "https") ||
            !set_headers(x, request->headers) || !set_request(x, request) ||
            curl_multi_add_handle(t->multi, x->easy) != CURLM_OK) {
                transfer_free(x);
                return error_oom(e);
        }
        TAILQ_INSERT_TAIL(&t->list, x, link);
        *ret = x;
        return 0;
}

static const struct {
        CURLcode from;
        int code;
        const char *reasons[KBC_TRANSFER_N_PEERS];
        KbcRemedy remedy;
} failures[] = {
        { CURLE_COULDNT_RESOLVE_HOST, -EHOSTUNREACH, { "broker-name", "server-name" }, KBC_REMEDY_RETRY },
        { CURLE_COULDNT_CONNECT, -ECONNREFUSED, { "broker-unreachable", "server-unreachable" }, KBC_REMEDY_RETRY },
        { CURLE_OPERATION_TIMEDOUT, -ETIMEDOUT, { "broker-timeout", "server-timeout" }, KBC_REMEDY_RETRY },
        { CURLE_SSL_CONNECT_ERROR, -EKEYREJECTED, { "tls-handshake", "tls-handshake" }, KBC_REMEDY_NONE },
        { CURLE_SEND_ERROR, -ECONNRESET, { "broker-connection", "server-connection" }, KBC_REMEDY_RETRY },
        { CURLE_RECV_ERROR, -ECONNRESET, { "broker-connection", "server-connection" }, KBC_REMEDY_RETRY },
        { CURLE_GOT_NOTHING, -ECONNRESET, { "broker-connection", "server-connection" }, KBC_REMEDY_RETRY },
        { CURLE_PARTIAL_FILE, -ECONNRESET, { "reply-truncated", "reply-truncated" }, KBC_REMEDY_RETRY },
        { CURLE_PEER_FAILED_VERIFICATION, -EKEYREJECTED, { "tls-authentication", "tls-authentication" },
          KBC_REMEDY_NONE },
        { CURLE_SSL_ISSUER_ERROR, -EKEYREJECTED, { "tls-authentication", "tls-authentication" }, KBC_REMEDY_NONE },
        { CURLE_SSL_CACERT_BADFILE, -EBADMSG, { "ca-file", "ca-file" }, KBC_REMEDY_NONE },
        { CURLE_FILESIZE_EXCEEDED, -E2BIG, { "reply-too-large", "reply-too-large" }, KBC_REMEDY_NONE },
        { CURLE_OUT_OF_MEMORY, -ENOMEM, { "out-of-memory", "out-of-memory" }, KBC_REMEDY_NONE },
        { CURLE_WEIRD_SERVER_REPLY, -EBADMSG, { "reply-malformed", "reply-malformed" }, KBC_REMEDY_NONE },
        { CURLE_UNSUPPORTED_PROTOCOL, -EBADMSG, { "reply-malformed", "reply-malformed" }, KBC_REMEDY_NONE },
        { CURLE_BAD_CONTENT_ENCODING, -EBADMSG, { "reply-malformed", "reply-malformed" }, KBC_REMEDY_NONE },
};

/* What the kernel said, where that is more than "could not connect". */
static int connect_code(const KbcTransfer *x, int code) {
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
static bool is_lost_in_handshake(const KbcTransfer *x, CURLcode c) {
        return c == CURLE_SSL_CONNECT_ERROR &&
               (strstr(x->text, "SSL_connect: ") || strstr(x->text, "unexpected eof"));
}

static int tell_failure(const KbcTransfer *x, CURLcode c, KbcRemedy *ret_remedy, Error *e) {
        static const char *const otherwise[] = {
                [KBC_TRANSFER_BROKER] = "broker-connection",
                [KBC_TRANSFER_SERVER] = "server-connection",
        };
        const char *text = x->text[0] ? x->text : curl_easy_strerror(c);
        KbcTransferPeer peer = x->owner->peer;

        *ret_remedy = KBC_REMEDY_NONE;
        if (x->failure == -E2BIG)
                return error_set(e, -E2BIG, "reply-too-large", "Answer of %s exceeds the limit of %zu bytes", x->name,
                                 x->reply_max);
        if (x->failure < 0)
                return error_oom(e);
        if (is_lost_in_handshake(x, c))
                c = CURLE_RECV_ERROR;
        for (size_t i = 0; i < N_ELEMENTS(failures); i++)
                if (failures[i].from == c) {
                        *ret_remedy = failures[i].remedy;
                        return error_set(e, connect_code(x, failures[i].code), failures[i].reasons[peer], "%s: %s",
                                         x->name, text);
                }
        return error_set(e, -EIO, otherwise[peer], "%s: %s", x->name, text);
}

/* The status of a refusal is worth having, the page that a proxy made of it is not. */
static bool is_refusal_too_long(const KbcTransfer *x, CURLcode c) {
        return x->reply.status != 0 && x->reply.status != 200 &&
               (x->failure == -E2BIG || c == CURLE_FILESIZE_EXCEEDED);
}

static void finish(KbcTransfer *x, CURLcode c) {
        KbcRemedy remedy = KBC_REMEDY_NONE;
        Error e = {};
        long status = 0;
        int r = 0;

        (void) curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
        x->reply.status = (int) status;
        if (c != CURLE_OK && is_refusal_too_long(x, c))
                kbc_reply_forget_body(&x->reply);
        else if (c != CURLE_OK)
                r = tell_failure(x, c, &remedy, &e);
        TAILQ_REMOVE(&x->owner->list, x, link);
        (void) curl_multi_remove_handle(x->owner->multi, x->easy);
        x->done(x->userdata, r, r < 0 ? NULL : &x->reply, remedy, &e);
        transfer_free(x);
}

/* Hands out what has ended. A callback may end others: theirs are then gone from libcurl's list too. */
static void drain(KbcTransfers *t) {
        CURLMsg *msg;
        int left;

        while ((msg = curl_multi_info_read(t->multi, &left))) {
                KbcTransfer *x = NULL;

                if (msg->msg == CURLMSG_DONE &&
                    curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &x) == CURLE_OK && x)
                        finish(x, msg->data.result);
        }
}

void kbc_transfers_on_fd(KbcTransfers *t, int fd, unsigned what) {
        int bits = (what & KBC_IO_IN ? CURL_CSELECT_IN : 0) | (what & KBC_IO_OUT ? CURL_CSELECT_OUT : 0);
        int running;

        (void) curl_multi_socket_action(t->multi, fd, bits, &running);
        drain(t);
}

void kbc_transfers_on_timer(KbcTransfers *t) {
        int running;

        if (t->timer_usec > now_monotonic_usec())
                return;
        t->timer_usec = UINT64_MAX;
        (void) curl_multi_socket_action(t->multi, CURL_SOCKET_TIMEOUT, 0, &running);
        drain(t);
}

uint64_t kbc_transfers_timer_usec(const KbcTransfers *t) {
        return t->timer_usec;
}

void kbc_transfers_poll(KbcTransfers *t, uint64_t timeout_usec) {
        uint64_t msec = timeout_usec / USEC_PER_MSEC + (timeout_usec % USEC_PER_MSEC ? 1 : 0);
        int running;

        (void) curl_multi_poll(t->multi, NULL, 0, msec < INT_MAX ? (int) msec : INT_MAX, NULL);
        (void) curl_multi_perform(t->multi, &running);
        drain(t);
}
