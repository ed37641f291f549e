/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/release.h"

#include <errno.h>
#include <stdlib.h>

#include "agent/audit.h"
#include "agent/daemon/message-ids.h"
#include "agent/measure.h"
#include "base/log.h"

struct Release {
        Agent *agent;
        Generation *generation; /* a reference; what is borrowed below lives in it */
        ReleaseCaller caller;
        Peer peer; /* a copy: the audit line is written when the door has let go of its own */
        const char *kind, *rule;
        const char *resource; /* NULL: a handshake */
        Deadline deadline;
        AgentSlot slot;
        KbcRequest *request; /* under way with the broker */
        MeasureJob *measuring;
        Secret secret; /* held while it is being measured that it will be handed over */
};

static void on_done(void *userdata, int r, Secret *secret, const Error *e);

static AuditSubject subject_of(const Release *release) {
        return (AuditSubject){ .door = release->caller.door, .kind = release->kind, .rule = release->rule,
                               .resource = release->resource, .peer = &release->peer };
}

static void release_free(Release *release) {
        if (!release)
                return;
        if (release->request)
                kbc_request_cancel(release->request);
        measure_cancel(release->measuring);
        secret_done(&release->secret);
        agent_slot_give(&release->slot);
        (void) generation_unref(release->generation);
        peer_done(&release->peer);
        free(release);
}
DEFINE_CLEANUP(Release *, release_free);

void release_cancel(Release *release) {
        AuditSubject s = subject_of(release);
        Error e = {};

        (void) error_set(&e, -ECANCELED, "caller-gone", "The caller went away");
        audit_failed(&s, -ECANCELED, &e);
        release->agent->counters.n_failed++;
        release_free(release);
}

static int ask(Release *release, Error *e) {
        KbcClient *client = release->generation->client;

        if (!client)
                return error_set(e, -ENODEV, "broker-not-configured", "No broker is configured");
        return release->resource ? kbc_client_get_resource(client, release->resource, release->deadline, on_done, release,
                                                           &release->request, e) :
                                   kbc_client_attest(client, release->deadline, on_done, release, &release->request, e);
}

static void note_failure(Agent *agent, const AuditSubject *s, int r, const Error *e) {
        agent->counters.n_failed++;
        agent_note_error(agent, r, e);
        audit_failed(s, r, e);
}

static void finish(Release *release, int r, Secret *secret, const Error *e) {
        CLEANUP(release_freep) Release *gone = release;
        Agent *agent = release->agent;
        AuditSubject s = subject_of(release);
        Error own = {};

        if (r < 0) {
                note_failure(agent, &s, r, e);
                (void) gone->caller.done(gone->caller.userdata, r, NULL, e);
        } else {
                r = gone->caller.done(gone->caller.userdata, 0, secret, NULL);
                if (r < 0) {
                        (void) error_set(&own, r, "hand-over", "It could not be handed over: %s", error_text(NULL, r));
                        note_failure(agent, &s, r, &own);
                } else {
                        agent->counters.n_released++;
                        audit_released(&s);
                }
        }
        agent_note_state(agent);
}

static void warn_if_unlocked(Agent *agent, const Secret *secret) {
        if (!secret || secret->locked || agent->warned_unlocked)
                return;
        agent->warned_unlocked = true;
        log_event(LOG_WARNING, MESSAGE_ID_MEMORY_NOT_LOCKED, NULL, 0,
                  "Secrets cannot be locked into memory and may be swapped, ignoring: see LimitMEMLOCK=");
}

static void on_measured(void *userdata, int r, const Error *e) {
        Release *release = userdata;
        Error own = {};

        release->measuring = NULL;
        if (r < 0)
                (void) error_set(&own, r, error_reason(e, r), "Its release could not be measured: %s", error_text(e, r));
        finish(release, r, r < 0 ? NULL : &release->secret, &own);
}

static void on_done(void *userdata, int r, Secret *secret, const Error *e) {
        Release *release = userdata;
        Error own = {};

        release->request = NULL;
        warn_if_unlocked(release->agent, secret);
        if (r < 0 || !secret || !measure_is_due(release->generation)) {
                finish(release, r, secret, e);
                return;
        }
        release->secret = secret_take(secret);
        r = measure_start(release->agent, release->generation, release->resource, release->deadline, on_measured, release,
                          &release->measuring, &own);
        if (r < 0)
                on_measured(release, r, &own);
}

static int refuse(Agent *agent, const AuditSubject *s, const Error *why, Error *e) {
        agent->counters.n_denied++;
        audit_denied(s, why);
        if (e && e->code == 0)
                *e = *why;
        return why->code;
}

/* After the decision: everything that may still fail is audited as a failure. */
static int start(Agent *agent, const ReleaseCaller *caller, const char *kind, const AccessDecision *d, Release **ret,
                 Error *e) {
        CLEANUP(release_freep) Release *release = calloc(1, sizeof(*release));
        Error own = {};
        AuditSubject s;
        int r;

        if (!release)
                return error_oom(e);
        *release = (Release){
                .agent = agent, .generation = generation_ref(agent->current), .caller = *caller, .kind = kind,
                .rule = d->rule, .resource = d->resource,
                .deadline = deadline_in(agent->current->config->broker.deadline_usec),
        };
        if (peer_dup(caller->peer, &release->peer) < 0)
                return error_oom(e);
        r = agent_slot_take(agent, caller->peer->uid, &release->slot, &own);
        if (r == 0)
                r = ask(release, &own);
        if (r == 0) {
                *ret = TAKE_PTR(release);
                return 0;
        }
        s = subject_of(release);
        note_failure(agent, &s, r, &own);
        if (e && e->code == 0)
                *e = own;
        return r;
}

static AuditSubject subject_asked(const ReleaseCaller *caller, const char *kind, const AccessDecision *d,
                                  const char *resource) {
        return (AuditSubject){ .door = caller->door, .kind = kind, .rule = d->rule, .resource = resource,
                               .peer = caller->peer };
}

int release_volume(Agent *agent, const ReleaseCaller *caller, const WireVolumeRequest *request, Release **ret,
                   Error *e) {
        AccessDecision d = access_volume(agent->current->config, caller->peer, request);
        AuditSubject s = subject_asked(caller, "volume", &d, NULL);

        return d.outcome == ACCESS_ALLOW ? start(agent, caller, "volume", &d, ret, e) : refuse(agent, &s, &d.why, e);
}

int release_resource(Agent *agent, const ReleaseCaller *caller, const char *path, Release **ret, Error *e) {
        AccessDecision d = access_resource(agent->current->config, caller->peer, path);
        AuditSubject s = subject_asked(caller, "secret", &d, path);

        return d.outcome == ACCESS_ALLOW ? start(agent, caller, "secret", &d, ret, e) : refuse(agent, &s, &d.why, e);
}

int release_attest(Agent *agent, const ReleaseCaller *caller, Release **ret, Error *e) {
        AccessDecision d = access_attest(caller->peer);
        AuditSubject s = subject_asked(caller, "handshake", &d, NULL);

        return d.outcome == ACCESS_ALLOW ? start(agent, caller, "handshake", &d, ret, e) : refuse(agent, &s, &d.why, e);
}
