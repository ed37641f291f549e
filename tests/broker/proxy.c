/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A request comes in on one thread of the HTTP server, is sent to the broker with a curl handle of its own, and
 * the broker's answer goes back. Only what is kept for the replay is shared, under the lock.
 */
#include "tests/broker/proxy.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/blob.h"
#include "base/file.h"
#include "base/json.h"
#include "base/writer.h"
#include "tests/broker/http.h"
#include "tests/broker/journal.h"

#define PEM_FILE_MAX (64u * 1024u)
#define UPSTREAM_TIMEOUT_SECONDS 60L

struct Proxy {
        HttpServer *server;
        char *upstream, *ca_file;
        ProxyMode mode;
        BrokerJournal journal;
        pthread_mutex_t lock;
        Blob first; /* what the mode replays: a body of /attest, or of the answer to /auth */
};

static const char *const mode_names[PROXY_N_MODES] = { "pass", "replay-evidence", "replay-report", "replay-challenge" };

ProxyMode proxy_mode_from_name(const char *name) {
        ProxyMode mode = PROXY_PASS;

        while (mode < PROXY_N_MODES && strcmp(mode_names[mode], name) != 0)
                mode++;
        return mode;
}

/* Keeps the first body seen and leaves *body as it is; true when there is an earlier one, copied to *ret. */
static bool recall_first(Proxy *p, const void *body, size_t size, Blob *ret) {
        bool earlier;

        (void) pthread_mutex_lock(&p->lock);
        earlier = p->first.data != NULL;
        if (earlier)
                earlier = blob_dup(p->first.data, p->first.size, ret) == 0;
        else
                (void) !blob_dup(body, size, &p->first);
        (void) pthread_mutex_unlock(&p->lock);
        return earlier;
}

/* @body with the "tee-evidence" of @old. */
static int graft_evidence(const HttpRequest *body, const Blob *old, Blob *ret) {
        AUTO_JSON json_object *new_message = NULL;
        AUTO_JSON json_object *old_message = NULL;
        json_object *evidence;
        const char *text;
        int r = json_parse(body->body, body->body_size, "attestation", &new_message, NULL);

        if (r == 0)
                r = json_parse(old->data, old->size, "attestation", &old_message, NULL);
        if (r == 0)
                r = json_get_obj(old_message, "tee-evidence", &evidence, NULL);
        if (r == 0)
                r = json_add_take(new_message, "tee-evidence", json_object_get(evidence));
        if (r < 0)
                return r;
        text = json_object_to_json_string_ext(new_message, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
        return text ? blob_dup(text, strlen(text), ret) : -ENOMEM;
}

/* *ret stays empty when the request goes on as it came. */
static void tamper_request(Proxy *p, const HttpRequest *request, Blob *ret) {
        AUTO_BLOB Blob old = {};
        bool attest = strcmp(request->path, "/kbs/v0/attest") == 0;

        if (!attest || (p->mode != PROXY_REPLAY_EVIDENCE && p->mode != PROXY_REPLAY_REPORT) ||
            !recall_first(p, request->body, request->body_size, &old))
                return;
        if (p->mode == PROXY_REPLAY_EVIDENCE)
                *ret = blob_take(&old);
        else if (graft_evidence(request, &old, ret) < 0)
                return;
        broker_journal_line(&p->journal, "replay mode=%s path=%s", mode_names[p->mode], request->path);
}

static void tamper_answer(Proxy *p, const HttpRequest *request, HttpAnswer *answer) {
        AUTO_BLOB Blob old = {};

        if (p->mode != PROXY_REPLAY_CHALLENGE || answer->status != 200 || strcmp(request->path, "/kbs/v0/auth") != 0 ||
            !recall_first(p, answer->body.data, answer->body.size, &old))
                return;
        blob_done(&answer->body);
        answer->body = blob_take(&old);
        broker_journal_line(&p->journal, "replay mode=%s path=%s", mode_names[p->mode], request->path);
}

static size_t on_body(char *data, size_t size, size_t n, void *userdata) {
        Writer *w = userdata;

        wr_bytes(w, data, size * n);
        return w->error < 0 ? 0 : size * n;
}

/* Headers that mean something to a guest go through. */
static size_t on_header(char *data, size_t size, size_t n, void *userdata) {
        static const char *const names[] = { "Content-Type", "Set-Cookie", "Retry-After", "Location" };
        HttpAnswer *answer = userdata;

        for (size_t i = 0; i < N_ELEMENTS(names); i++) {
                size_t len = strlen(names[i]), start = len + 1;
                AUTO_FREE char *value = NULL;

                if (size * n <= start || strncasecmp(data, names[i], len) != 0 || data[len] != ':')
                        continue;
                while (start < size * n && data[start] == ' ')
                        start++;
                value = strndup(data + start, size * n - start);
                if (value) {
                        value[strcspn(value, "\r\n")] = 0;
                        http_answer_header(answer, names[i], value);
                }
        }
        return size * n;
}

static struct curl_slist *pass_header(struct curl_slist *list, const HttpRequest *request, const char *name) {
        const char *value = http_request_header(request, name);
        AUTO_FREE char *line = NULL;
        struct curl_slist *longer;

        if (!value || asprintf(&line, "%s: %s", name, value) < 0)
                return list;
        longer = curl_slist_append(list, line);
        return longer ? longer : list;
}

static bool set_up(CURL *curl, const Proxy *p, const HttpRequest *request, const Blob *body, const char *url,
                   struct curl_slist *headers) {
        const void *data = body->data ? body->data : request->body;
        size_t size = body->data ? body->size : request->body_size;

        if (curl_easy_setopt(curl, CURLOPT_URL, url) != CURLE_OK ||
            curl_easy_setopt(curl, CURLOPT_CAINFO, p->ca_file) != CURLE_OK ||
            curl_easy_setopt(curl, CURLOPT_PROXY, "") != CURLE_OK ||
            curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) != CURLE_OK ||
            curl_easy_setopt(curl, CURLOPT_TIMEOUT, UPSTREAM_TIMEOUT_SECONDS) != CURLE_OK ||
            curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers) != CURLE_OK ||
            curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body) != CURLE_OK ||
            curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header) != CURLE_OK ||
            curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method) != CURLE_OK)
                return false;
        return size == 0 || (curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long) size) == CURLE_OK &&
                             curl_easy_setopt(curl, CURLOPT_POSTFIELDS, data) == CURLE_OK);
}

static CURLcode forward(const Proxy *p, const HttpRequest *request, const Blob *body, HttpAnswer *answer) {
        CURL *curl = curl_easy_init();
        AUTO_WRITER Writer received = wr_init(HTTP_BODY_MAX);
        AUTO_FREE char *url = NULL;
        struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
        CURLcode r = CURLE_OUT_OF_MEMORY;
        long status = 0;

        headers = pass_header(headers, request, "Content-Type");
        headers = pass_header(headers, request, "Cookie");
        headers = pass_header(headers, request, "Authorization");
        if (asprintf(&url, "%s%s", p->upstream, request->path) < 0)
                url = NULL;
        if (curl && url && set_up(curl, p, request, body, url, headers) &&
            curl_easy_setopt(curl, CURLOPT_WRITEDATA, &received) == CURLE_OK &&
            curl_easy_setopt(curl, CURLOPT_HEADERDATA, answer) == CURLE_OK)
                r = curl_easy_perform(curl);
        if (r == CURLE_OK) {
                (void) curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
                http_answer_set(answer, (unsigned) status, NULL, received.data, received.size);
        }
        curl_slist_free_all(headers);
        curl_easy_cleanup(curl);
        return r;
}

static void on_request(void *userdata, const HttpRequest *request, HttpAnswer *answer) {
        Proxy *p = userdata;
        AUTO_BLOB Blob body = {};
        CURLcode r;

        tamper_request(p, request, &body);
        r = forward(p, request, &body, answer);
        if (r != CURLE_OK) {
                broker_journal_line(&p->journal, "forward path=%s failed=\"%s\"", request->path, curl_easy_strerror(r));
                answer->delivery = HTTP_DELIVER_NOTHING;
                return;
        }
        tamper_answer(p, request, answer);
        broker_journal_line(&p->journal, "forward path=%s status=%u", request->path, answer->status);
}

int proxy_start(const ProxyConfig *config, Proxy **ret, Error *e) {
        CLEANUP(proxy_stopp) Proxy *p = calloc(1, sizeof(*p));
        AUTO_FREE char *cert = NULL;
        AUTO_FREE char *key = NULL;
        int r;

        if (!p || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
                return error_oom(e);
        p->journal.fd = -1;
        p->mode = config->mode;
        (void) pthread_mutex_init(&p->lock, NULL);
        p->upstream = strdup(config->upstream);
        p->ca_file = strdup(config->ca_file);
        if (!p->upstream || !p->ca_file)
                return error_oom(e);
        r = broker_journal_open(config->log, &p->journal, e);
        if (r == 0)
                r = file_read_text(config->cert_file, PEM_FILE_MAX, &cert, e);
        if (r == 0)
                r = file_read_text(config->key_file, PEM_FILE_MAX, &key, e);
        if (r == 0)
                r = http_server_start(config->listen ? config->listen : "127.0.0.1:0", cert, key, on_request, p,
                                      &p->server, e);
        if (r == 0)
                *ret = TAKE_PTR(p);
        return r;
}

void proxy_stop(Proxy *p) {
        if (!p)
                return;
        http_server_stop(p->server);
        blob_done(&p->first);
        broker_journal_done(&p->journal);
        (void) pthread_mutex_destroy(&p->lock);
        free(p->upstream);
        free(p->ca_file);
        free(p);
        curl_global_cleanup();
}

uint16_t proxy_port(const Proxy *p) {
        return http_server_port(p->server);
}
