/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/status.h"

#include <errno.h>
#include <json-c/json_object.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/daemon/options.h"
#include "base/json.h"

#define ATTESTER_PATIENCE_USEC (3 * USEC_PER_SEC) /* it may be busy with a report; the status need not wait for that */

struct StatusQuery {
        StatusQuery *next; /* in agent->status_queries */
        Agent *agent;
        bool answered; /* the question to the attester, which all queries share, has come back */
        sd_event_source *deferred; /* when it could not even be asked */
        Error why;
        StatusDoneFn done;
        void *userdata;
};

static json_object *or_nothing(json_object *o, int bad) {
        if (bad == 0)
                return o;
        (void) json_object_put(o);
        return NULL;
}

static int add_error(json_object *o, const Error *e) {
        return json_add_str(o, "reason", error_reason(e, e->code)) | json_add_str(o, "detail", error_text(e, e->code));
}

static uint64_t seconds_since(uint64_t usec) {
        uint64_t now = now_monotonic_usec();

        return now > usec ? (now - usec) / USEC_PER_SEC : 0;
}

static json_object *broker_to_json(const Generation *g) {
        json_object *o = json_object_new_object();
        KbcClientStatus s;
        int bad;

        bad = json_add_bool(o, "configured", g->client != NULL);
        if (!g->client)
                return or_nothing(o, bad);
        kbc_client_get_status(g->client, &s);
        bad |= json_add_str(o, "url", g->config->broker.url);
        bad |= json_add_bool(o, "attested", s.attested);
        if (s.attested) {
                bad |= json_add_u64(o, "attested_for_seconds", seconds_since(s.attested_at_usec));
                bad |= json_add_u64(o, "expires_in_seconds",
                                    deadline_left_usec((Deadline){ s.expires_at_usec }) / USEC_PER_SEC);
        }
        bad |= json_add_u64(o, "handshakes", s.n_handshakes);
        bad |= json_add_u64(o, "resources", s.n_resources);
        bad |= json_add_u64(o, "failures", s.n_failures);
        if (s.last_code < 0)
                bad |= json_add_str(o, "last_error", s.last_error);
        return or_nothing(o, bad);
}

static json_object *requests_to_json(const Agent *agent) {
        json_object *o = json_object_new_object();
        int bad;

        bad = json_add_u64(o, "active", agent->n_slots);
        bad |= json_add_u64(o, "max", agent->current->config->agent.max_requests);
        bad |= json_add_u64(o, "released", agent->counters.n_released);
        bad |= json_add_u64(o, "denied", agent->counters.n_denied);
        bad |= json_add_u64(o, "failed", agent->counters.n_failed);
        bad |= json_add_u64(o, "turned_away", agent->counters.n_turned_away);
        return or_nothing(o, bad);
}

static int append(json_object *array, const char *name) {
        json_object *s = json_object_new_string(name);

        if (!s || json_object_array_add(array, s) < 0) {
                (void) json_object_put(s);
                return -ENOMEM;
        }
        return 0;
}

static json_object *volumes_to_json(const Config *c) {
        json_object *a = json_object_new_array();
        int bad = a ? 0 : -ENOMEM;

        for (size_t i = 0; i < c->n_volumes && bad == 0; i++)
                bad = append(a, c->volumes[i].name);
        return or_nothing(a, bad);
}

static json_object *secrets_to_json(const Config *c) {
        json_object *a = json_object_new_array();
        int bad = a ? 0 : -ENOMEM;

        for (size_t i = 0; i < c->n_secrets && bad == 0; i++)
                bad = append(a, c->secrets[i].name);
        return or_nothing(a, bad);
}

static json_object *last_error_to_json(const Agent *agent) {
        json_object *o = json_object_new_object();
        int bad;

        bad = add_error(o, &agent->last_error);
        bad |= json_add_u64(o, "seconds_ago", seconds_since(agent->last_error_at_usec));
        return or_nothing(o, bad);
}

/* What the attester said of itself, or why it said nothing. */
static json_object *attester_to_json(const Blob *answer, const Error *why) {
        json_object *o = NULL;
        Error e = {};

        if (answer && json_parse(answer->data, answer->size, "answer of snp-attesterd", &o, &e) == 0) {
                if (json_object_is_type(o, json_type_object) && json_add_bool(o, "reachable", true) == 0)
                        return o;
                (void) json_object_put(o);
        }
        o = json_object_new_object();
        return or_nothing(o, json_add_bool(o, "reachable", false) | add_error(o, answer ? &e : why));
}

static json_object *to_json(const Agent *agent, const Blob *attester_answer, const Error *why) {
        json_object *o = json_object_new_object();
        const Generation *g = agent->current;
        char sentence[256];
        int bad;

        status_sentence(agent, sentence, sizeof(sentence));
        bad = json_add_str(o, "version", daemon_version());
        bad |= json_add_str(o, "status", sentence);
        bad |= json_add_str(o, "trust", snp_trust_is_test(g->trust) ? "TEST ROOT" : "AMD");
        bad |= json_add_take(o, "attester", attester_to_json(attester_answer, why));
        bad |= json_add_take(o, "platform", platform_to_json(&agent->platform));
        bad |= json_add_take(o, "collateral", collateral_to_json(g->collateral));
        bad |= json_add_take(o, "broker", broker_to_json(g));
        bad |= json_add_take(o, "requests", requests_to_json(agent));
        bad |= json_add_take(o, "volumes", volumes_to_json(g->config));
        bad |= json_add_take(o, "secrets", secrets_to_json(g->config));
        if (agent->last_error.code < 0)
                bad |= json_add_take(o, "last_error", last_error_to_json(agent));
        return or_nothing(o, bad);
}

/* The attester is asked once for all who wait, so that a crowd of curious clients takes one of its places at most. */
void status_cancel(StatusQuery *query) {
        if (!query)
                return;
        for (StatusQuery **at = &query->agent->status_queries; *at; at = &(*at)->next)
                if (*at == query) {
                        *at = query->next;
                        break;
                }
        if (!query->agent->status_queries && query->agent->status_call)
                attester_call_cancel(TAKE_PTR(query->agent->status_call));
        (void) sd_event_source_disable_unref(query->deferred);
        free(query);
}
DEFINE_CLEANUP(StatusQuery *, status_cancel);

static void finish(StatusQuery *query, const Blob *answer, const Error *why) {
        CLEANUP(status_cancelp) StatusQuery *gone = query;
        AUTO_JSON json_object *o = to_json(gone->agent, answer, why);
        const char *text = o ? json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE) :
                               NULL;
        Error e = {};

        if (!text)
                (void) error_oom(&e);
        gone->done(gone->userdata, e.code, text, &e);
}

static StatusQuery *next_answered(const Agent *agent) {
        StatusQuery *query = agent->status_queries;

        while (query && !query->answered)
                query = query->next;
        return query;
}

/* Whoever is told may cancel others, and may ask anew. */
static void on_attester(void *userdata, int r, const Blob *answer, const Error *e) {
        Agent *agent = userdata;

        agent->status_call = NULL;
        for (StatusQuery *query = agent->status_queries; query; query = query->next)
                query->answered = !query->deferred;
        for (StatusQuery *query; (query = next_answered(agent));)
                finish(query, r < 0 ? NULL : answer, e);
}

static int on_deferred(sd_event_source *source, void *userdata) {
        StatusQuery *query = userdata;

        (void) source;
        finish(query, NULL, &query->why);
        return 0;
}

int status_start(Agent *agent, StatusDoneFn done, void *userdata, StatusQuery **ret, Error *e) {
        CLEANUP(status_cancelp) StatusQuery *query = calloc(1, sizeof(*query));
        AttesterQuestion q = {
                .path = agent->current->config->attester.socket,
                .type = WIRE_PLATFORM,
                .may_take_kept = true,
                .deadline = deadline_in(ATTESTER_PATIENCE_USEC),
        };
        int r = 0;

        if (!query)
                return error_oom(e);
        *query = (StatusQuery){ .next = agent->status_queries, .agent = agent, .done = done, .userdata = userdata };
        agent->status_queries = query;
        if (!agent->status_call)
                r = attester_client_ask(&agent->attester, &q, on_attester, agent, &agent->status_call, &query->why);
        if (r < 0) {
                /* The status can do without. It is told from the loop, as if the answer had come. */
                r = sd_event_add_defer(agent->event, &query->deferred, on_deferred, query);
                if (r < 0)
                        return error_set(e, r, "event-loop", "Cannot use the event loop: %s", error_text(NULL, r));
        }
        *ret = TAKE_PTR(query);
        return 0;
}

void status_sentence(const Agent *agent, char *ret, size_t size) {
        const Generation *g = agent->current;
        const char *test = snp_trust_is_test(g->trust) ? "trust: TEST ROOT. " : "";
        KbcClientStatus s;

        if (!g->client) {
                (void) snprintf(ret, size, "%sNo broker is configured; evidence only.", test);
                return;
        }
        kbc_client_get_status(g->client, &s);
        if (s.attested)
                (void) snprintf(ret, size, "%sAttested to %s.", test, g->config->broker.url);
        else if (s.last_code < 0)
                (void) snprintf(ret, size, "%sNot attested to %s: %.120s", test, g->config->broker.url, s.last_error);
        else if (s.n_handshakes > 0)
                (void) snprintf(ret, size, "%sReady; the last session with %s is over.", test, g->config->broker.url);
        else
                (void) snprintf(ret, size, "%sReady; nobody has asked for anything yet.", test);
}
