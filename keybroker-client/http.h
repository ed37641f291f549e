/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* HTTPS to one broker, in messages of its protocol; all that is common to our HTTP is in transfer.h. */

#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "keybroker-client/client.h"
#include "keybroker-client/message.h"
#include "keybroker-client/transfer.h"

typedef struct KbcHttp KbcHttp;
typedef struct KbcExchange KbcExchange;

typedef struct KbcHttpConfig {
        const char *url;     /* https://host[:port][/base] */
        const char *ca_file; /* PEM; NULL: the system's authorities */
        const KbcLoopOps *loop_ops; /* only set_fd is used; NULL: kbc_http_poll() drives */
        void *loop;
} KbcHttpConfig;

WARN_UNUSED int kbc_http_new(const KbcHttpConfig *config, KbcHttp **ret, Error *e);
/* Ends all exchanges without a callback. */
void kbc_http_free(KbcHttp *h);
DEFINE_CLEANUP(KbcHttp *, kbc_http_free);

/* Starts an exchange; @m is taken on success. @done as for kbc_transfer_start(). */
WARN_UNUSED int kbc_http_send(KbcHttp *h, KbcMessage *m, uint64_t timeout_usec, KbcReplyFn done, void *userdata,
                              KbcExchange **ret, Error *e);
void kbc_http_cancel(KbcExchange *x); /* NULL is fine */

/* With a loop: descriptors and time. */
void kbc_http_on_fd(KbcHttp *h, int fd, unsigned what);
void kbc_http_on_timer(KbcHttp *h);                  /* does nothing before its time */
uint64_t kbc_http_timer_usec(const KbcHttp *h);      /* monotonic; UINT64_MAX: no time */

/* Without a loop: waits for something to happen, or @timeout_usec, and handles it. */
void kbc_http_poll(KbcHttp *h, uint64_t timeout_usec);
