/* SPDX-License-Identifier: Apache-2.0 */
#include "keybroker-client/problem.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

#define TYPE_PREFIX "https://github.com/confidential-containers/kbs/errors/"
#define TEXT_MAX 4096u

#define ON_AUTH (1u << KBC_STEP_AUTH)
#define ON_ATTEST (1u << KBC_STEP_ATTEST)
#define ON_RESOURCE (1u << KBC_STEP_RESOURCE)
#define ON_ANY (ON_AUTH | ON_ATTEST | ON_RESOURCE)

typedef struct Rule {
        const char *variant; /* NULL: any */
        const char *detail;  /* part of it; NULL: any */
        unsigned steps;
        int code;
        const char *reason, *sentence;
        KbcRemedy remedy;
} Rule;

/*
 * The first that fits decides. The version is known by its text alone, because older servers report it under
 * another type. AttestationError on /attest hides its cause, which may also be a session that timed out.
 */
static const Rule by_type[] = {
        { NULL, "Protocol Version Mismatch", ON_ANY, -EPROTO, "protocol-version",
          "The broker speaks another version of the protocol", KBC_REMEDY_NONE },
        { "AttestationError", NULL, ON_AUTH, -EPROTO, "auth-refused", "The broker refuses to begin an attestation",
          KBC_REMEDY_NONE },
        { "AttestationError", NULL, ON_ATTEST | ON_RESOURCE, -EKEYREJECTED, "attestation-refused",
          "The broker does not accept our evidence, and tells the reason only in its own log", KBC_REMEDY_HANDSHAKE },
        { "TokenNotFound", NULL, ON_ANY, -EKEYREJECTED, "session-lost", "The broker does not know our session",
          KBC_REMEDY_HANDSHAKE },
        { "TokenVerifierError", NULL, ON_ANY, -EKEYREJECTED, "token-refused",
          "The broker does not accept the token it gave us", KBC_REMEDY_HANDSHAKE },
        { "PolicyDeny", NULL, ON_ANY, -EPERM, "policy-denied", "The broker's policy denies this resource",
          KBC_REMEDY_NONE },
        { "PluginInternalError", NULL, ON_ANY, -ENOENT, "resource-unavailable",
          "The broker has no such resource, or cannot read it", KBC_REMEDY_NONE },
        { "PluginNotFound", NULL, ON_ANY, -ENOENT, "plugin-not-found", "The broker does not serve resources",
          KBC_REMEDY_NONE },
        { "InvalidRequestPath", NULL, ON_ANY, -EPROTO, "broker-path", "The broker does not know this request",
          KBC_REMEDY_NONE },
        { "JweError", NULL, ON_ANY, -EPROTO, "jwe-refused", "The broker cannot encrypt to our kind of key",
          KBC_REMEDY_NONE },
        { NULL, NULL, ON_ANY, -EPROTO, "broker-error", "The broker failed", KBC_REMEDY_NONE },
};

typedef struct StatusRule {
        int from, to;
        unsigned steps;
        int code;
        const char *reason, *sentence;
        KbcRemedy remedy;
} StatusRule;

static const StatusRule by_status[] = {
        { 300, 399, ON_ANY, -EPROTO, "redirect", "The broker points elsewhere, where we do not follow",
          KBC_REMEDY_NONE },
        { 401, 401, ON_AUTH, -EPROTO, "auth-refused", "The broker refuses to begin an attestation", KBC_REMEDY_NONE },
        { 401, 401, ON_ATTEST, -EKEYREJECTED, "attestation-refused", "The broker does not accept our evidence",
          KBC_REMEDY_HANDSHAKE },
        { 401, 401, ON_RESOURCE, -EKEYREJECTED, "session-lost", "The broker does not accept our session",
          KBC_REMEDY_HANDSHAKE },
        { 403, 403, ON_ANY, -EPERM, "forbidden", "The broker denies this request", KBC_REMEDY_NONE },
        { 404, 404, ON_RESOURCE, -ENOENT, "resource-unavailable", "The broker has no such resource",
          KBC_REMEDY_NONE },
        { 404, 404, ON_AUTH | ON_ATTEST, -EPROTO, "broker-path", "There is no key broker at this address",
          KBC_REMEDY_NONE },
        { 413, 413, ON_ANY, -E2BIG, "request-too-large", "The broker finds our request too large", KBC_REMEDY_NONE },
        { 429, 429, ON_ANY, -EBUSY, "broker-busy", "The broker asks us to wait", KBC_REMEDY_RETRY },
        { 502, 504, ON_ANY, -EBUSY, "broker-busy", "The broker is not available", KBC_REMEDY_RETRY },
        { 0, 999, ON_ANY, -EPROTO, "http-status", "The broker gives an answer that makes no sense here",
          KBC_REMEDY_NONE },
};

typedef struct Problem {
        const char *variant, *detail; /* borrowed from the parsed body */
} Problem;

/* False when the body is no problem report of a broker. */
static bool parse_problem(json_object *body, Problem *ret) {
        const char *type, *detail = NULL;

        if (json_get_str(body, "type", TEXT_MAX, &type, NULL) < 0 ||
            strncmp(type, TYPE_PREFIX, strlen(TYPE_PREFIX)) != 0 ||
            json_get_opt_str(body, "detail", TEXT_MAX, &detail, NULL) < 0)
                return false;
        *ret = (Problem){ .variant = type + strlen(TYPE_PREFIX), .detail = detail ? detail : "" };
        return true;
}

static int judge_type(KbcStep step, const Problem *p, KbcRemedy *ret_remedy, Error *e) {
        for (size_t i = 0;; i++) {
                const Rule *rule = &by_type[i]; /* the last row fits everything */

                if (!(rule->steps & 1u << step) || (rule->variant && strcmp(rule->variant, p->variant) != 0) ||
                    (rule->detail && !strstr(p->detail, rule->detail)))
                        continue;
                *ret_remedy = rule->remedy;
                return error_set(e, rule->code, rule->reason, "%s (%.64s: %.160s)", rule->sentence, p->variant,
                                 p->detail);
        }
}

static int judge_status(KbcStep step, int status, KbcRemedy *ret_remedy, Error *e) {
        for (size_t i = 0;; i++) {
                const StatusRule *rule = &by_status[i];
                bool last = i + 1 == N_ELEMENTS(by_status);

                if (!last && (!(rule->steps & 1u << step) || status < rule->from || status > rule->to))
                        continue;
                *ret_remedy = rule->remedy;
                return error_set(e, rule->code, rule->reason, "%s (status %d)", rule->sentence, status);
        }
}

int kbc_problem_classify(KbcStep step, const KbcReply *reply, KbcRemedy *ret_remedy, Error *e) {
        AUTO_JSON json_object *body = NULL;
        Problem p;

        if (reply->size > 0 && reply->size <= KBC_PROBLEM_MAX &&
            json_parse(reply->body, reply->size, "Answer of the broker", &body, NULL) == 0 && parse_problem(body, &p))
                return judge_type(step, &p, ret_remedy, e);
        return judge_status(step, reply->status, ret_remedy, e);
}
