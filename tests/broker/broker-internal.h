/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Shared by broker.c (life, routing, faults) and endpoints.c (what each request does). */

#include <pthread.h>
#include <stddef.h>

#include "base/blob.h"
#include "snp/verify.h"
#include "tests/broker/broker.h"
#include "tests/broker/collateral.h"
#include "tests/broker/http.h"
#include "tests/broker/journal.h"
#include "tests/broker/mischief.h"
#include "tests/broker/sessions.h"
#include "tests/broker/token.h"

struct Broker {
        HttpServer *server;
        char *resources, *policy, *control;
        uint64_t token_seconds;
        SnpTrust *trust;
        BrokerCollateral collateral;
        BrokerJournal journal;
        BrokerSigner signer;
        pthread_mutex_t lock; /* one request at a time; not held while a slow fault waits */
        BrokerSessions sessions;
        BrokerMischief mischief;
};

/* Variants of Trustee's error type; the status follows from the variant. */
void broker_answer_error(HttpAnswer *answer, const char *variant, const char *fmt, ...)
        __attribute__((__format__(__printf__, 3, 4)));

void broker_auth(Broker *broker, const HttpRequest *request, HttpAnswer *answer);
void broker_attest(Broker *broker, const HttpRequest *request, HttpAnswer *answer);
/* @path: what follows "/kbs/v0/resource/". */
void broker_resource(Broker *broker, const HttpRequest *request, const char *path, HttpAnswer *answer);
