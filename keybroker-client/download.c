/* SPDX-License-Identifier: Apache-2.0 */
#include "keybroker-client/download.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/text.h"

#define HTTPS "https://"
#define HTTP "http://"

struct KbcDownload {
        TAILQ_ENTRY(KbcDownload) link;
        KbcDownloads *owner;
        KbcTransfer *transfer;
        char *url;
        KbcReplyFn done;
        void *userdata;
};

struct KbcDownloads {
        KbcTransfers *transfers;
        TAILQ_HEAD(, KbcDownload) list;
};

/* Literal addresses that no router forwards: RFC 1122 section 3.2.1.3, RFC 3927, RFC 4291 sections 2.5.3 and 2.5.6. */
static bool address_is_local(const char *host) {
        char v6[INET6_ADDRSTRLEN];
        uint8_t a[16];
        size_t n = strlen(host);

        if (inet_pton(AF_INET, host, a) == 1)
                return a[0] == 127 || (a[0] == 169 && a[1] == 254);
        if (n < 2 || n - 2 >= sizeof(v6) || host[0] != '[' || host[n - 1] != ']')
                return false;
        (void) memcpy(v6, host + 1, n - 2);
        v6[n - 2] = 0;
        if (inet_pton(AF_INET6, v6, a) != 1)
                return false;
        return (a[0] == 0xfe && (a[1] & 0xc0) == 0x80) || memcmp(a, &in6addr_loopback, sizeof(a)) == 0;
}

static bool url_is_plain(CURLU *u, const char *url) {
        static const CURLUPart unwanted[] = { CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_FRAGMENT };
        char *part = NULL;
        bool ok;

        if (curl_url_set(u, CURLUPART_URL, url, 0) != CURLUE_OK)
                return false;
        for (size_t i = 0; i < N_ELEMENTS(unwanted); i++)
                if (curl_url_get(u, unwanted[i], &part, 0) == CURLUE_OK) {
                        curl_free(part);
                        return false;
                }
        if (curl_url_get(u, CURLUPART_HOST, &part, 0) != CURLUE_OK)
                return false;
        ok = part[0] && (text_starts_with(url, HTTPS) || address_is_local(part));
        curl_free(part);
        return ok;
}

int kbc_download_check_url(const char *url, Error *e) {
        const char *rest = text_starts_with(url, HTTPS)  ? url + strlen(HTTPS) :
                           text_starts_with(url, HTTP) ? url + strlen(HTTP) :
                                                         "";
        CURLU *u = curl_url();
        bool ok;

        /* libcurl forgives a third slash, characters that belong into no URL, and a user or fragment that is empty. */
        ok = u && strlen(url) <= KBC_URL_MAX && rest[0] && rest[0] != '/' && !strpbrk(url, " \t\r\n\\\"<>#") &&
             !memchr(rest, '@', strcspn(rest, "/?")) && url_is_plain(u, url);
        curl_url_cleanup(u);
        if (!u)
                return error_oom(e);
        if (!ok)
                return error_set(e, -EINVAL, "download-url",
                                 "'%.200s' is neither https://HOST[:PORT]/PATH nor http:// and a literal address of "
                                 "this machine or its link",
                                 url);
        return 0;
}

int kbc_downloads_new(const KbcTransfersConfig *config, KbcDownloads **ret, Error *e) {
        CLEANUP(kbc_downloads_freep) KbcDownloads *d = calloc(1, sizeof(*d));
        KbcTransfersConfig c = *config;
        int r;

        if (!d)
                return error_oom(e);
        TAILQ_INIT(&d->list);
        c.peer = KBC_TRANSFER_SERVER;
        r = kbc_transfers_new(&c, &d->transfers, e);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(d);
        return 0;
}

static void download_free(KbcDownload *x) {
        free(x->url);
        free(x);
}
DEFINE_CLEANUP(KbcDownload *, download_free);

void kbc_download_cancel(KbcDownload *x) {
        if (!x)
                return;
        TAILQ_REMOVE(&x->owner->list, x, link);
        kbc_transfer_cancel(x->transfer);
        download_free(x);
}

void kbc_downloads_free(KbcDownloads *d) {
        if (!d)
                return;
        while (!TAILQ_EMPTY(&d->list))
                kbc_download_cancel(TAILQ_FIRST(&d->list));
        kbc_transfers_free(d->transfers);
        free(d);
}

static void on_reply(void *userdata, int r, const KbcReply *reply, KbcRemedy remedy, const Error *e) {
        KbcDownload *x = userdata;

        TAILQ_REMOVE(&x->owner->list, x, link);
        x->done(x->userdata, r, reply, remedy, e);
        download_free(x);
}

int kbc_download_start(KbcDownloads *d, const KbcDownloadRequest *request, KbcReplyFn done, void *userdata,
                       KbcDownload **ret, Error *e) {
        const char *const headers[] = { request->header, NULL };
        CLEANUP(download_freep) KbcDownload *x = NULL;
        KbcTransferRequest t;
        int r;

        r = kbc_download_check_url(request->url, e);
        if (r < 0)
                return r;
        x = calloc(1, sizeof(*x));
        if (!x)
                return error_oom(e);
        *x = (KbcDownload){ .owner = d, .url = strdup(request->url), .done = done, .userdata = userdata };
        if (!x->url)
                return error_oom(e);
        t = (KbcTransferRequest){
                .url = x->url, .name = x->url, .plain_http = text_starts_with(x->url, HTTP),
                .headers = headers, .reply_max = request->size_max,
                .timeout_usec = request->timeout_usec,
        };
        r = kbc_transfer_start(d->transfers, &t, on_reply, x, &x->transfer, e);
        if (r < 0)
                return r;
        TAILQ_INSERT_TAIL(&d->list, x, link);
        *ret = TAKE_PTR(x);
        return 0;
}

void kbc_downloads_on_fd(KbcDownloads *d, int fd, unsigned what) {
        kbc_transfers_on_fd(d->transfers, fd, what);
}

void kbc_downloads_on_timer(KbcDownloads *d) {
        kbc_transfers_on_timer(d->transfers);
}

uint64_t kbc_downloads_timer_usec(const KbcDownloads *d) {
        return kbc_transfers_timer_usec(d->transfers);
}

void kbc_downloads_poll(KbcDownloads *d, uint64_t timeout_usec) {
        kbc_transfers_poll(d->transfers, timeout_usec);
}
