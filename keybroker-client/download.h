/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Files from the web by GET, on the caller's event loop: certificates and revocation lists. Whoever asks judges what
 * comes; nothing is believed for having come from the right place. So a server, a mirror or the network can keep a
 * file from us and can do no more.
 *
 * https:// to any host. http:// only to a literal address that is this machine's own or its link's: 127.0.0.0/8,
 * [::1], 169.254.0.0/16 (where clouds have their metadata service) and [fe80::]/10. A name never, "localhost" neither:
 * what it leads to is up to whoever answers for names.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "keybroker-client/transfer.h"

typedef struct KbcDownloads KbcDownloads;
typedef struct KbcDownload KbcDownload;

typedef struct KbcDownloadRequest {
        const char *url; /* copied; may have a query, but neither user nor fragment */
        const char *header; /* one more line of the request's header, "Name: value"; NULL: none */
        size_t size_max; /* of the answer's body; more ends the transfer at once */
        uint64_t timeout_usec; /* for all of it, the name's resolution included */
} KbcDownloadRequest;

/* As KbcTransfersConfig; its peer is set here. */
WARN_UNUSED int kbc_downloads_new(const KbcTransfersConfig *config, KbcDownloads **ret, Error *e);
/* Ends all downloads without a callback. */
void kbc_downloads_free(KbcDownloads *d);
DEFINE_CLEANUP(KbcDownloads *, kbc_downloads_free);

/* 0, or -EINVAL ("download-url") for a URL that would not be asked for. */
WARN_UNUSED int kbc_download_check_url(const char *url, Error *e);

/**
 * kbc_download_start() - ask for one file
 * @done: as for kbc_transfer_start(); any status is a success here, and Retry-After is in the reply
 *
 * Return: 0; -EINVAL the URL; -ENOMEM.
 */
WARN_UNUSED int kbc_download_start(KbcDownloads *d, const KbcDownloadRequest *request, KbcReplyFn done, void *userdata,
                                   KbcDownload **ret, Error *e);
void kbc_download_cancel(KbcDownload *x); /* NULL is fine */

/* With a loop: descriptors and time. */
void kbc_downloads_on_fd(KbcDownloads *d, int fd, unsigned what);
void kbc_downloads_on_timer(KbcDownloads *d);             /* does nothing before its time */
uint64_t kbc_downloads_timer_usec(const KbcDownloads *d); /* monotonic; UINT64_MAX: no time */

/* Without a loop: waits for something to happen, or @timeout_usec, and handles it. */
void kbc_downloads_poll(KbcDownloads *d, uint64_t timeout_usec);
