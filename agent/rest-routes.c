/* SPDX-License-Identifier: Apache-2.0 */

/* What the REST door serves. Each handler parses, asks the policy, starts the work; the answer comes later. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/access.h"
#include "agent/audit.h"
#include "agent/evidence-json.h"
#include "agent/rest-internal.h"
#include "agent/rest-problem.h"
#include "base/base64.h"
#include "base/text.h"

void rest_answer_error(RestRequest *q, unsigned status, int code, const Error *e) {
        q->answer.status = status;
        q->answer.content_type = REST_PROBLEM_TYPE;
        q->answer.text = rest_problem_text(status, code, e);
}

void rest_answer_json(RestRequest *q, char *text) {
        if (!text) {
                rest_answer_error(q, 500, -ENOMEM, NULL);
                return;
        }
        q->answer.status = 200;
        q->answer.content_type = "application/json";
        q->answer.text = text;
}

static void on_status(void *userdata, int r, const char *json, const Error *e) {
        RestRequest *q = userdata;

        q->work.status = NULL;
        if (r < 0)
                rest_answer_error(q, rest_status_of(r, e), r, e);
        else
                rest_answer_json(q, strdup(json));
        door_rest_resume(q);
}

static int start_status(RestRequest *q, const char *rest, unsigned *ret_status, Error *e) {
        (void) rest;
        (void) ret_status;
        return status_start(q->agent, on_status, q, &q->work.status, e);
}

static AuditSubject evidence_subject(const RestRequest *q) {
        return (AuditSubject){ .door = "rest", .kind = "evidence", .peer = q->peer };
}

static void on_evidence(void *userdata, int r, const Evidence *evidence, const Error *why) {
        RestRequest *q = userdata;
        AuditSubject s = evidence_subject(q);
        char *text = NULL;
        Error e = {};

        q->work.evidence = NULL;
        agent_slot_give(&q->slot);
        if (r == 0) {
                r = evidence_to_json(evidence, q->nonce, q->nonce_size, &text, &e);
                why = &e;
        }
        if (r == 0) {
                audit_released(&s);
                rest_answer_json(q, text);
        } else {
                agent_note_error(q->agent, r, why);
                audit_failed(&s, r, why);
                rest_answer_error(q, rest_status_of(r, why), r, why);
        }
        door_rest_resume(q);
}

static int parse_nonce(RestRequest *q, Error *e) {
        const char *text = rest_target_member(&q->target, "nonce");

        if (!text)
                return error_set(e, -EINVAL, "nonce-missing", "The query member 'nonce' is missing");
        if (base64_decode_to(BASE64_URL, text, strlen(text), q->nonce, sizeof(q->nonce), &q->nonce_size) < 0 ||
            q->nonce_size == 0)
                return error_set(e, -EINVAL, "nonce-malformed",
                                 "The nonce is not base64url, without padding, of 1 to %zu bytes", sizeof(q->nonce));
        return 0;
}

static int start_evidence(RestRequest *q, const char *rest, unsigned *ret_status, Error *e) {
        EvidenceRequest request;
        AccessDecision d;
        AuditSubject s = evidence_subject(q);
        int r;

        (void) rest;
        r = parse_nonce(q, e);
        if (r < 0) {
                *ret_status = 400;
                return r;
        }
        d = access_evidence(q->agent->current->config, q->peer);
        if (d.outcome != ACCESS_ALLOW) {
                audit_denied(&s, &d.why);
                q->agent->counters.n_denied++;
                *e = d.why;
                return d.why.code;
        }
        r = agent_slot_take(q->agent, q->peer->uid, &q->slot, e);
        if (r < 0)
                return r;
        request = (EvidenceRequest){
                .nonce = q->nonce,
                .nonce_size = q->nonce_size,
                .with_quote = q->agent->current->config->tpm.tcti != NULL,
                .deadline = deadline_in(q->agent->current->config->attester.request_timeout_usec),
        };
        r = evidence_start(q->agent, q->agent->current, &request, on_evidence, q, &q->work.evidence, e);
        if (r < 0) {
                agent_slot_give(&q->slot);
                agent_note_error(q->agent, r, e);
                audit_failed(&s, r, e);
        }
        return r;
}

static int on_resource(void *userdata, int r, Secret *secret, const Error *e) {
        RestRequest *q = userdata;

        q->work.release = NULL;
        if (r < 0) {
                rest_answer_error(q, rest_status_of(r, e), r, e);
        } else {
                q->answer.status = 200;
                q->answer.content_type = "application/octet-stream";
                q->answer.secret = secret_take(secret);
        }
        door_rest_resume(q);
        return r;
}

static int start_resource(RestRequest *q, const char *rest, unsigned *ret_status, Error *e) {
        ReleaseCaller caller = { .door = "rest", .peer = q->peer, .done = on_resource, .userdata = q };

        if (!text_is_resource_path(rest)) {
                *ret_status = 400;
                return error_set(e, -EBADMSG, "resource-name", "'%s' is not of the form REPOSITORY/TYPE/TAG", rest);
        }
        return release_resource(q->agent, &caller, rest, &q->work.release, e);
}

static const RestRoute routes[] = {
        { .path = "/v1/status", .start = start_status },
        { .path = "/v1/evidence", .member = "nonce", .start = start_evidence },
        { .path = "/v1/resource/", .is_prefix = true, .start = start_resource },
};

const RestRoute *rest_route_find(const char *path) {
        for (size_t i = 0; i < N_ELEMENTS(routes); i++)
                if (routes[i].is_prefix ? text_starts_with(path, routes[i].path) : strcmp(path, routes[i].path) == 0)
                        return &routes[i];
        return NULL;
}

static int check_members(const RestRequest *q, const RestRoute *route, Error *e) {
        for (size_t i = 0; i < q->target.n_members; i++)
                if (!route->member || strcmp(q->target.members[i].name, route->member) != 0)
                        return error_set(e, -EINVAL, "unknown-member", "The query member '%s' is not known here",
                                         q->target.members[i].name);
        return 0;
}

void rest_route_start(RestRequest *q, const RestRoute *route) {
        const char *rest = q->target.path + strlen(route->path);
        unsigned status = 400;
        Error e = {};
        int r;

        r = check_members(q, route, &e);
        if (r == 0) {
                status = 0;
                r = route->start(q, rest, &status, &e);
        }
        if (r < 0)
                rest_answer_error(q, status ? status : rest_status_of(r, &e), r, &e);
}
