/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/simulator/kds/kds.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/deadline.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/text.h"
#include "tests/broker/http.h"
#include "tests/broker/journal.h"
#include "tests/simulator/kds/answers.h"

#define PEM_FILE_MAX (64u * 1024u)
#define THIM_PATH "/metadata/THIM/amd/certification"

struct SimKds {
        HttpServer *server;
        SimPki *pkis[SIM_KDS_HIERARCHIES_MAX];
        size_t n_pkis;
        char *control;
        BrokerJournal journal;
        pthread_mutex_t lock; /* guards what follows */
        KdsMischief mischief;
        uint64_t n_requests;
};

static SimPki *find_pki(const SimKds *kds, const char *name, size_t n) {
        for (size_t i = 0; i < kds->n_pkis; i++) {
                const char *product = sim_product(kds->pkis[i]->product)->name;

                if (strlen(product) == n && memcmp(product, name, n) == 0)
                        return kds->pkis[i];
        }
        return NULL;
}

static bool is_chip(const SimPki *pki, const char *text) {
        size_t n = sim_product(pki->product)->turin_layout ? SIM_TURIN_HWID_SIZE : SIM_CHIP_ID_SIZE;
        char hex[2 * SIM_CHIP_ID_SIZE + 1];

        hex_encode_to(pki->chip_id, n, hex);
        return strcmp(hex, text) == 0;
}

static bool read_part(const HttpRequest *request, const char *name, uint8_t *ret) {
        const char *text = http_request_argument(request, name);
        uint64_t v = 0;

        if (!text || text_to_u64(text, 10, 0, UINT8_MAX, &v) < 0)
                return false;
        *ret = (uint8_t) v;
        return true;
}

static bool read_tcb(const HttpRequest *request, const SimPki *pki, SimTcb *ret) {
        return read_part(request, "blSPL", &ret->bl) && read_part(request, "teeSPL", &ret->tee) &&
               read_part(request, "snpSPL", &ret->snp) && read_part(request, "ucodeSPL", &ret->ucode) &&
               (!sim_product(pki->product)->turin_layout || read_part(request, "fmcSPL", &ret->fmc));
}

/* 0 and what is asked for, or the status of a refusal. */
static unsigned parse_kds(const SimKds *kds, const HttpRequest *request, KdsQuestion *q) {
        const char *product = request->path + strlen("/vcek/v1/"), *rest;

        q->vlek = text_starts_with(request->path, "/vlek/v1/");
        if (!q->vlek && !text_starts_with(request->path, "/vcek/v1/"))
                return 404;
        rest = strchr(product, '/');
        q->pki = rest ? find_pki(kds, product, (size_t) (rest - product)) : NULL;
        if (!q->pki)
                return 404;
        q->tcb = q->pki->tcb;
        if (strcmp(rest, "/cert_chain") == 0 || strcmp(rest, "/crl") == 0) {
                q->what = rest[2] == 'e' ? KDS_CHAIN : KDS_CRL;
                return q->vlek && !q->pki->certs[SIM_ASVK] ? 404 : 0;
        }
        q->what = KDS_VCEK;
        if (q->vlek)
                return 401; /* /vlek/v1/PRODUCT/cert is for providers with credentials */
        if (!is_chip(q->pki, rest + 1))
                return 404;
        return read_tcb(request, q->pki, &q->tcb) ? 0 : 400;
}

static unsigned parse_thim(const SimKds *kds, const HttpRequest *request, KdsQuestion *q) {
        const char *metadata = http_request_header(request, "Metadata");

        q->what = KDS_THIM;
        q->pki = kds->pkis[0];
        q->tcb = q->pki->tcb;
        return metadata && strcasecmp(metadata, "true") == 0 ? 0 : 400;
}

static void throttle(const KdsFault *fault, HttpAnswer *answer) {
        char value[64];
        time_t then = time(NULL) + (time_t) fault->value;
        struct tm tm;

        http_answer_set(answer, 429, NULL, NULL, 0);
        if (fault->kind == KDS_FAULT_THROTTLE)
                (void) snprintf(value, sizeof(value), "%llu", (unsigned long long) fault->value);
        else
                (void) strftime(value, sizeof(value), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&then, &tm));
        http_answer_header(answer, "Retry-After", value);
}

static void oversize(const KdsFault *fault, HttpAnswer *answer) {
        AUTO_FREE char *body = malloc(fault->value + 1);

        if (!body)
                return;
        (void) memset(body, '0', fault->value); /* which is how DER begins */
        http_answer_set(answer, 200, NULL, body, fault->value);
}

/* True when the fault alone is the answer. */
static bool apply_fault(const KdsFault *fault, HttpAnswer *answer) {
        static const char html[] = "<!DOCTYPE html><html><body>It works!</body></html>";

        switch (fault->kind) {
        case KDS_FAULT_STATUS:
                http_answer_set(answer, (unsigned) fault->value, NULL, NULL, 0);
                return true;
        case KDS_FAULT_THROTTLE:
        case KDS_FAULT_THROTTLE_DATE:
                throttle(fault, answer);
                return true;
        case KDS_FAULT_DROP:
                answer->delivery = HTTP_DELIVER_NOTHING;
                return true;
        case KDS_FAULT_GARBAGE:
                http_answer_set(answer, 200, "text/html", html, strlen(html));
                return true;
        case KDS_FAULT_OVERSIZE:
                oversize(fault, answer);
                return true;
        case KDS_FAULT_REDIRECT:
                http_answer_set(answer, 302, NULL, NULL, 0);
                http_answer_header(answer, "Location", "/elsewhere");
                return true;
        case KDS_FAULT_TRUNCATE:
                answer->delivery = HTTP_DELIVER_TRUNCATED;
                return false;
        case KDS_FAULT_NONE:
        case KDS_FAULT_SLOW:
        case KDS_FAULT_OTHER_CHIP:
        case KDS_FAULT_OTHER_TCB:
        case KDS_FAULT_OTHER_ROOT:
        case KDS_FAULT_REVOKED:
        case KDS_FAULT_STALE:
        case KDS_N_FAULTS:
        default:
                return false;
        }
}

/* Counts, logs, and says what is to go wrong. */
static int begin(SimKds *kds, const HttpRequest *request, const KdsQuestion *q, KdsFault *ret) {
        Error e = {};
        uint64_t n;
        int r = 0;

        (void) pthread_mutex_lock(&kds->lock);
        n = ++kds->n_requests;
        if (q->what != KDS_N_WHATS)
                r = kds_mischief_next(&kds->mischief, kds->control, q->what, ret, &e);
        (void) pthread_mutex_unlock(&kds->lock);
        broker_journal_line(&kds->journal, "request n=%llu what=%s product=%s fault=%s path=%s", (unsigned long long) n,
                            kds_what_name(q->what), q->pki ? sim_product(q->pki->product)->name : "none",
                            r < 0 ? e.text : kds_fault_name(ret->kind), request->path);
        return r;
}

static void on_request(void *userdata, const HttpRequest *request, HttpAnswer *answer) {
        SimKds *kds = userdata;
        KdsQuestion q = { .what = KDS_N_WHATS };
        AUTO_BLOB Blob body = {};
        KdsFault fault = {};
        unsigned refused = strcmp(request->path, THIM_PATH) == 0 ? parse_thim(kds, request, &q)
                                                                : parse_kds(kds, request, &q);

        if (begin(kds, request, &q, &fault) < 0)
                return;
        if (strcmp(request->method, "GET") != 0)
                refused = 405;
        if (apply_fault(&fault, answer))
                return;
        q.fault = fault.kind;
        if (fault.kind == KDS_FAULT_SLOW)
                http_server_pause(kds->server, fault.value * USEC_PER_MSEC);
        if (refused)
                http_answer_set(answer, refused, NULL, NULL, 0);
        else if (kds_answer_body(&q, &body, NULL) == 0)
                http_answer_set(answer, 200, NULL, body.data, body.size);
}

static int load(SimKds *kds, const SimKdsConfig *config, Error *e) {
        for (size_t i = 0; i < SIM_KDS_HIERARCHIES_MAX && config->hierarchies[i]; i++) {
                int r = sim_pki_load(config->hierarchies[i], &kds->pkis[kds->n_pkis], e);

                if (r < 0)
                        return r;
                kds->n_pkis++;
        }
        if (kds->n_pkis == 0)
                return error_set(e, -EINVAL, "no-hierarchy", "The service needs a hierarchy");
        if (config->control) {
                kds->control = strdup(config->control);
                if (!kds->control)
                        return error_oom(e);
        }
        return broker_journal_open(config->log, &kds->journal, e);
}

int sim_kds_start(const SimKdsConfig *config, SimKds **ret, Error *e) {
        CLEANUP(sim_kds_stopp) SimKds *kds = calloc(1, sizeof(*kds));
        AUTO_FREE char *cert = NULL, *key = NULL;
        int r = 0;

        if (!kds)
                return error_oom(e);
        kds->journal.fd = -1;
        (void) pthread_mutex_init(&kds->lock, NULL);
        r = load(kds, config, e);
        if (r == 0 && config->cert_file)
                r = file_read_text(config->cert_file, PEM_FILE_MAX, &cert, e);
        if (r == 0 && config->cert_file)
                r = file_read_text(config->key_file, PEM_FILE_MAX, &key, e);
        if (r == 0)
                r = http_server_start(config->listen ? config->listen : "127.0.0.1:0", cert, key, on_request, kds,
                                      &kds->server, e);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(kds);
        return 0;
}

void sim_kds_stop(SimKds *kds) {
        if (!kds)
                return;
        http_server_stop(kds->server);
        for (size_t i = 0; i < kds->n_pkis; i++)
                sim_pki_free(kds->pkis[i]);
        kds_mischief_done(&kds->mischief);
        broker_journal_done(&kds->journal);
        free(kds->control);
        (void) pthread_mutex_destroy(&kds->lock);
        free(kds);
}

uint16_t sim_kds_port(const SimKds *kds) {
        return http_server_port(kds->server);
}

uint64_t sim_kds_n_requests(SimKds *kds) {
        uint64_t n;

        (void) pthread_mutex_lock(&kds->lock);
        n = kds->n_requests;
        (void) pthread_mutex_unlock(&kds->lock);
        return n;
}
