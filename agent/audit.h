/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One line for every request for something secret, allowed or not: who, what, outcome, reason; never the
 * value. Fields for machines, a sentence for people.
 */

#include "agent/peer.h"
#include "base/error.h"

typedef struct AuditSubject {
        const char *door;     /* "wire", "rest" */
        const char *kind;     /* "volume", "secret", "evidence", "handshake" */
        const char *rule;     /* name of the rule; NULL: none */
        const char *resource; /* as asked for; NULL: none */
        const Peer *peer;
} AuditSubject;

void audit_denied(const AuditSubject *s, const Error *why);
/* Handed over. */
void audit_released(const AuditSubject *s);
/* Allowed, but nothing could be handed over. */
void audit_failed(const AuditSubject *s, int code, const Error *why);
