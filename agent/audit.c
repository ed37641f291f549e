/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/audit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "agent/daemon/message-ids.h"
#include "base/cleanup.h"
#include "base/log.h"

typedef struct Outcome {
        int priority;
        const char *message_id, *result, *reason;
        const char *verb, *preposition; /* "Denied ... to" */
        const char *text; /* NULL: nothing to add */
} Outcome;

static void write_line(const AuditSubject *s, const Outcome *o) {
        bool volume = strcmp(s->kind, "volume") == 0;
        char pid[16], uid[16];
        const LogField fields[] = {
                { "SNP_DOOR", s->door },
                { "SNP_KIND", s->kind },
                { volume ? "SNP_VOLUME" : "SNP_SECRET", s->rule },
                { "SNP_RESOURCE", s->resource },
                { "SNP_PEER_PID", pid },
                { "SNP_PEER_UID", uid },
                { "SNP_UNIT", s->peer->unit },
                { "SNP_RESULT", o->result },
                { "SNP_REASON", o->reason },
        };

        (void) snprintf(pid, sizeof(pid), "%d", (int) s->peer->pid);
        (void) snprintf(uid, sizeof(uid), "%u", s->peer->uid);
        log_event(o->priority, o->message_id, fields, N_ELEMENTS(fields),
                  "%s %s%s%s%s%s%s %s process %s of user %s%s%s%s%s", o->verb, s->kind, s->rule ? " '" : "",
                  s->rule ? s->rule : "", s->rule ? "'" : "", s->resource ? ", resource " : "",
                  s->resource ? s->resource : "", o->preposition, pid, uid, s->peer->unit ? " in " : "",
                  s->peer->unit ? s->peer->unit : "", o->text ? ": " : "", o->text ? o->text : "");
}

void audit_denied(const AuditSubject *s, const Error *why) {
        write_line(s, &(Outcome){ LOG_NOTICE, MESSAGE_ID_ACCESS_DENIED, "denied", error_reason(why, why->code), "Denied",
                                  "to", error_text(why, why->code) });
}

/* A handshake is made for somebody; all else is given. */
static bool is_handshake(const AuditSubject *s) {
        return strcmp(s->kind, "handshake") == 0;
}

void audit_released(const AuditSubject *s) {
        bool volume = strcmp(s->kind, "volume") == 0, handshake = is_handshake(s);

        write_line(s, &(Outcome){ LOG_NOTICE, volume ? MESSAGE_ID_KEY_RELEASED : MESSAGE_ID_RESOURCE_RELEASED, "released",
                                  NULL, handshake ? "Made" : "Released", handshake ? "for" : "to", NULL });
}

/* The two failures for which monitoring wakes different people have ids of their own. */
static const char *failure_id(int code) {
        switch (code) {
        case -ECONNREFUSED:
        case -ECONNRESET:
        case -EHOSTUNREACH:
        case -ENETUNREACH:
                return MESSAGE_ID_BROKER_UNREACHABLE;
        case -EKEYREJECTED:
                return MESSAGE_ID_ATTEST_FAILED;
        default:
                return MESSAGE_ID_RELEASE_FAILED;
        }
}

void audit_failed(const AuditSubject *s, int code, const Error *why) {
        bool handshake = is_handshake(s);

        write_line(s, &(Outcome){ LOG_ERR, failure_id(code), "failed", error_reason(why, code),
                                  handshake ? "Could not make" : "Could not give", handshake ? "for" : "to",
                                  error_text(why, code) });
}
