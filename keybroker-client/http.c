/* SPDX-License-Identifier: Apache-2.0 */

/* What is particular to brokers: their addresses, and messages of the protocol. */

#include "keybroker-client/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

struct KbcExchange {
        TAILQ_ENTRY(KbcExchange) link;
        KbcHttp *http;
        KbcTransfer *transfer;
        KbcMessage message; /* owned: the body is sent from here */
        char *url;
        KbcReplyFn done;
        void *userdata;
};

struct KbcHttp {
        char *url; /* without trailing '/' */
        KbcTransfers *transfers;
        TAILQ_HEAD(, KbcExchange) exchanges;
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

int kbc_http_new(const KbcHttpConfig *config, KbcHttp **ret, Error *e) {
        const KbcTransfersConfig transfers = {
                .peer = KBC_TRANSFER_BROKER, .ca_file = config->ca_file, .loop_ops = config->loop_ops,
                .loop = config->loop,
        };
        CLEANUP(kbc_http_freep) KbcHttp *h = calloc(1, sizeof(*h));
        int r;

        if (!h)
                return error_oom(e);
        TAILQ_INIT(&h->exchanges);
        r = check_url(config->url, e);
        if (r == 0)
                r = kbc_transfers_new(&transfers, &h->transfers, e);
        if (r < 0)
                return r;
        h->url = strdup(config->url);
        if (!h->url)
                return error_oom(e);
        for (size_t n = strlen(h->url); n > 0 && h->url[n - 1] == '/';)
                h->url[--n] = 0;
        *ret = TAKE_PTR(h);
        return 0;
}

static void exchange_free(KbcExchange *x) {
        kbc_message_done(&x->message);
        free(x->url);
        free(x);
}
DEFINE_CLEANUP(KbcExchange *, exchange_free);

void kbc_http_cancel(KbcExchange *x) {
        if (!x)
                return;
        TAILQ_REMOVE(&x->http->exchanges, x, link);
        kbc_transfer_cancel(x->transfer);
        exchange_free(x);
}

void kbc_http_free(KbcHttp *h) {
        if (!h)
                return;
        while (!TAILQ_EMPTY(&h->exchanges))
                kbc_http_cancel(TAILQ_FIRST(&h->exchanges));
        kbc_transfers_free(h->transfers);
        free(h->url);
        free(h);
}

static void on_reply(void *userdata, int r, const KbcReply *reply, KbcRemedy remedy, const Error *e) {
        KbcExchange *x = userdata;

        TAILQ_REMOVE(&x->http->exchanges, x, link);
        x->done(x->userdata, r, reply, remedy, e);
        exchange_free(x);
}

/* "Expect:" stops libcurl from asking for leave before a large body, which costs a second where it is ignored. */
static const char *const post_headers[] = { "Content-Type: application/json", "Expect:", "Accept: application/json",
                                            NULL };
static const char *const get_headers[] = { "Accept: application/json", NULL };

int kbc_http_send(KbcHttp *h, KbcMessage *m, uint64_t timeout_usec, KbcReplyFn done, void *userdata,
                  KbcExchange **ret, Error *e) {
        CLEANUP(exchange_freep) KbcExchange *x = calloc(1, sizeof(*x));
        KbcTransferRequest request;
        int r;

        if (!x)
                return error_oom(e);
        *x = (KbcExchange){ .http = h, .done = done, .userdata = userdata };
        if (asprintf(&x->url, "%s%s", h->url, m->path) < 0) {
                x->url = NULL;
                return error_oom(e);
        }
        x->message = *m;
        request = (KbcTransferRequest){
                .url = x->url, .name = h->url, .headers = m->post ? post_headers : get_headers, .cookie = m->cookie,
                .body = m->post ? &x->message.body : NULL, .reply_max = m->reply_max, .timeout_usec = timeout_usec,
        };
        r = kbc_transfer_start(h->transfers, &request, on_reply, x, &x->transfer, e);
        if (r < 0) {
                x->message = (KbcMessage){}; /* stays the caller's */
                return r;
        }
        *m = (KbcMessage){};
        TAILQ_INSERT_TAIL(&h->exchanges, x, link);
        *ret = TAKE_PTR(x);
        return 0;
}

void kbc_http_on_fd(KbcHttp *h, int fd, unsigned what) {
        kbc_transfers_on_fd(h->transfers, fd, what);
}

void kbc_http_on_timer(KbcHttp *h) {
        kbc_transfers_on_timer(h->transfers);
}

uint64_t kbc_http_timer_usec(const KbcHttp *h) {
        return kbc_transfers_timer_usec(h->transfers);
}

void kbc_http_poll(KbcHttp *h, uint64_t timeout_usec) {
        kbc_transfers_poll(h->transfers, timeout_usec);
}
