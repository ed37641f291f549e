/* SPDX-License-Identifier: Apache-2.0 */

/* Life of the broker, its routes, and the faults that replace or spoil an answer. */
#include "tests/broker/broker.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/deadline.h"
#include "base/file.h"
#include "base/text.h"
#include "base/writer.h"
#include "tests/broker/broker-internal.h"
#include "tests/broker/policy.h"

#define PEM_FILE_MAX (64u * 1024u)
#define BASE_PATH "/kbs/v0/"

/* Length of the first path segment after BASE_PATH. */
static size_t plugin_length(const char *path) {
        return strcspn(path + strlen(BASE_PATH), "/");
}

static bool is_admin_path(const char *rest) {
        return text_starts_with(rest, "attestation-policy") || text_starts_with(rest, "resource-policy") ||
               text_starts_with(rest, "reference-value");
}

/* The endpoint that faults apply to; BROKER_N_ENDPOINTS for any other request. */
static BrokerEndpoint endpoint_of(const HttpRequest *request) {
        const char *path = request->path;

        if (strcmp(path, BASE_PATH "auth") == 0 && strcmp(request->method, "POST") == 0)
                return BROKER_AUTH;
        if (strcmp(path, BASE_PATH "attest") == 0 && strcmp(request->method, "POST") == 0)
                return BROKER_ATTEST;
        if (text_starts_with(path, BASE_PATH "resource/") && strcmp(request->method, "GET") == 0)
                return BROKER_RESOURCE;
        return BROKER_N_ENDPOINTS;
}

/* All that is no endpoint of a guest's. A wrong method on one falls through to "no such plugin", as in Trustee. */
static void answer_other(const HttpRequest *request, HttpAnswer *answer) {
        const char *path = request->path;

        if (strcmp(path, "/healthz") == 0 && strcmp(request->method, "GET") == 0)
                http_answer_set(answer, 200, NULL, NULL, 0);
        else if (!text_starts_with(path, BASE_PATH))
                http_answer_set(answer, 404, NULL, NULL, 0);
        else if (is_admin_path(path + strlen(BASE_PATH)))
                broker_answer_error(answer, "AdminAuthAccess", "Admin access denied");
        else if (text_starts_with(path, BASE_PATH "resource/"))
                broker_answer_error(answer, "AdminAuthInitialization", "Admin access denied");
        else
                broker_answer_error(answer, "PluginNotFound", "Plugin %.*s not found", (int) plugin_length(path),
                                    path + strlen(BASE_PATH));
}

static void answer_oversize(HttpAnswer *answer, uint64_t size) {
        static const char start[] = "{\"filler\":\"", end[] = "\"}";
        AUTO_WRITER Writer w = wr_init((size_t) size + sizeof(start) + sizeof(end));

        wr_str(&w, start);
        for (uint64_t i = sizeof(start) + sizeof(end) - 2; i < size; i++)
                wr_u8(&w, 'x');
        wr_str(&w, end);
        http_answer_set(answer, 200, "application/json", w.data, w.size);
}

static void answer_busy(HttpAnswer *answer, const struct BrokerFault *fault) {
        http_answer_set(answer, 503, NULL, NULL, 0);
        http_answer_header(answer, "Retry-After", fault->argument);
}

static void answer_redirect(const Broker *b, HttpAnswer *answer) {
        char url[64];

        (void) snprintf(url, sizeof(url), "https://127.0.0.1:%u/elsewhere", http_server_port(b->server));
        http_answer_set(answer, 302, NULL, NULL, 0);
        http_answer_header(answer, "Location", url);
}

/* Faults that replace the answer: the request is not looked at. */
static bool answer_by_fault(Broker *b, BrokerEndpoint where, HttpAnswer *answer) {
        static const char html[] = "<html><body>It works!</body></html>";
        const struct BrokerFault *f;

        if (broker_mischief_fault(&b->mischief, where, BROKER_FAULT_DROP))
                answer->delivery = HTTP_DELIVER_NOTHING;
        else if (broker_mischief_fault(&b->mischief, where, BROKER_FAULT_GARBAGE))
                http_answer_set(answer, 200, "text/html", html, strlen(html));
        else if ((f = broker_mischief_fault(&b->mischief, where, BROKER_FAULT_STATUS)) != NULL)
                http_answer_set(answer, (unsigned) f->value, NULL, NULL, 0);
        else if ((f = broker_mischief_fault(&b->mischief, where, BROKER_FAULT_BUSY)) != NULL)
                answer_busy(answer, f);
        else if (broker_mischief_fault(&b->mischief, where, BROKER_FAULT_REDIRECT))
                answer_redirect(b, answer);
        else if ((f = broker_mischief_fault(&b->mischief, where, BROKER_FAULT_OVERSIZE)) != NULL)
                answer_oversize(answer, f->value);
        else
                return false;
        return true;
}

static void answer_endpoint(Broker *b, BrokerEndpoint where, const HttpRequest *request, HttpAnswer *answer) {
        if (answer_by_fault(b, where, answer))
                return;
        if (broker_mischief_fault(&b->mischief, where, BROKER_FAULT_FORGET))
                broker_sessions_forget(&b->sessions);
        if (where == BROKER_AUTH)
                broker_auth(b, request, answer);
        else if (where == BROKER_ATTEST)
                broker_attest(b, request, answer);
        else
                broker_resource(b, request, request->path + strlen(BASE_PATH "resource/"), answer);
        if (broker_mischief_fault(&b->mischief, where, BROKER_FAULT_TRUNCATE))
                answer->delivery = HTTP_DELIVER_TRUNCATED;
}

static void on_endpoint(Broker *b, BrokerEndpoint where, const HttpRequest *request, HttpAnswer *answer) {
        const struct BrokerFault *slow;
        uint64_t pause_usec = 0;
        Error e = {};

        (void) pthread_mutex_lock(&b->lock);
        if (broker_mischief_reload(&b->mischief, b->control, &e) < 0)
                broker_journal_line(&b->journal, "control verdict=ignored reason=\"%s\"", e.text);
        broker_mischief_begin(&b->mischief, where);
        slow = broker_mischief_fault(&b->mischief, where, BROKER_FAULT_SLOW);
        if (slow)
                pause_usec = slow->value * USEC_PER_MSEC;
        answer_endpoint(b, where, request, answer);
        (void) pthread_mutex_unlock(&b->lock);
        if (pause_usec > 0)
                http_server_pause(b->server, pause_usec);
}

static void on_request(void *userdata, const HttpRequest *request, HttpAnswer *answer) {
        Broker *b = userdata;
        BrokerEndpoint where = endpoint_of(request);

        if (where == BROKER_N_ENDPOINTS)
                answer_other(request, answer);
        else
                on_endpoint(b, where, request, answer);
        broker_journal_line(&b->journal, "request method=%s path=%s status=%u", request->method, request->path,
                            answer->delivery == HTTP_DELIVER_NOTHING ? 0 : answer->status);
}

static int load_trust(Broker *b, const char *root_file, Error *e) {
        AUTO_BLOB Blob root = {};
        int r;

        if (!root_file)
                return snp_trust_new_amd(&b->trust, e);
        r = file_read(root_file, PEM_FILE_MAX, &root, e);
        return r < 0 ? r : snp_trust_new_test(root.data, root.size, &b->trust, e);
}

static int load_evidence_side(Broker *b, const BrokerConfig *config, Error *e) {
        BrokerPolicy policy; /* only to refuse a bad file at the start */
        int r = load_trust(b, config->trust_root, e);

        for (size_t i = 0; r == 0 && i < BROKER_CHAINS_MAX && config->chains[i]; i++)
                r = broker_collateral_add_chain(&b->collateral, config->chains[i], e);
        if (r == 0 && config->vek_dir)
                r = broker_collateral_set_store(&b->collateral, config->vek_dir, e);
        if (r == 0)
                r = broker_policy_load(config->policy, &policy, e);
        return r;
}

static int copy_config(Broker *b, const BrokerConfig *config, Error *e) {
        b->token_seconds = config->token_seconds;
        b->sessions.lifetime_usec = config->session_seconds * USEC_PER_SEC;
        b->resources = strdup(config->resources);
        b->policy = strdup(config->policy);
        b->control = config->control ? strdup(config->control) : NULL;
        return b->resources && b->policy && (b->control || !config->control) ? 0 : error_oom(e);
}

static int start_server(Broker *b, const BrokerConfig *config, Error *e) {
        AUTO_FREE char *cert = NULL;
        AUTO_FREE char *key = NULL;
        int r = file_read_text(config->cert_file, PEM_FILE_MAX, &cert, e);

        if (r == 0)
                r = file_read_text(config->key_file, PEM_FILE_MAX, &key, e);
        if (r == 0)
                r = http_server_start(config->listen ? config->listen : "127.0.0.1:0", cert, key, on_request, b,
                                      &b->server, e);
        return r;
}

int broker_start(const BrokerConfig *config, Broker **ret, Error *e) {
        CLEANUP(broker_stopp) Broker *b = calloc(1, sizeof(*b));
        int r;

        if (!b)
                return error_oom(e);
        b->journal.fd = -1;
        (void) pthread_mutex_init(&b->lock, NULL);
        r = copy_config(b, config, e);
        if (r == 0)
                r = broker_journal_open(config->log, &b->journal, e);
        if (r == 0)
                r = load_evidence_side(b, config, e);
        if (r == 0)
                r = broker_mischief_reload(&b->mischief, b->control, e);
        if (r == 0)
                r = broker_signer_new(&b->signer, e);
        if (r == 0)
                r = start_server(b, config, e);
        if (r < 0)
                return r;
        broker_journal_line(&b->journal, "start port=%u trust=%s", broker_port(b),
                            snp_trust_is_test(b->trust) ? "test-root" : "amd");
        *ret = TAKE_PTR(b);
        return 0;
}

void broker_stop(Broker *b) {
        if (!b)
                return;
        http_server_stop(b->server);
        broker_sessions_done(&b->sessions);
        broker_mischief_done(&b->mischief);
        broker_signer_done(&b->signer);
        broker_collateral_done(&b->collateral);
        snp_trust_free(b->trust);
        broker_journal_done(&b->journal);
        (void) pthread_mutex_destroy(&b->lock);
        free(b->resources);
        free(b->policy);
        free(b->control);
        free(b);
}

uint16_t broker_port(const Broker *b) {
        return http_server_port(b->server);
}
