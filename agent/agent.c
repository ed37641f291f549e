/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/agent.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include "agent/daemon/memory.h"
#include "agent/daemon/message-ids.h"
#include "agent/door-rest.h"
#include "agent/door-wire.h"
#include "agent/evidence.h"
#include "agent/measure.h"
#include "agent/status.h"
#include "base/log.h"

/* Everybody may connect; who is given what is decided by the access policy, not by the file's mode. */
#define DOOR_MODE 0666

/* Long enough that a boot's burst of requests does not pay for it. */
#define AGENT_IDLE_USEC (2 * USEC_PER_SEC)

int agent_slot_take(Agent *agent, uid_t uid, AgentSlot *slot, Error *e) {
        size_t max = agent->current->config->agent.max_requests, own = 0;
        bool full = agent->n_slots >= (uid == 0 ? max : AGENT_SHARE_OF_USERS(max));

        for (const AgentSlot *s = agent->slots; s; s = s->next)
                own += s->uid == uid;
        if (full || (uid != 0 && own >= AGENT_SHARE_OF_USER(max))) {
                agent->counters.n_turned_away++;
                if (full)
                        return error_set(e, -EBUSY, "queue-full", "%zu requests are under way already", agent->n_slots);
                return error_set(e, -EBUSY, "user-queue-full", "User %u has %zu requests under way already", uid, own);
        }
        *slot = (AgentSlot){ .next = agent->slots, .agent = agent, .uid = uid };
        agent->slots = slot;
        agent->n_slots++;
        return 0;
}

static int on_idle(sd_event_source *source, uint64_t usec, void *userdata) {
        const Agent *agent = userdata;

        (void) source;
        (void) usec;
        if (agent->n_slots == 0)
                daemon_give_back_memory();
        return 0;
}

/* Only memory depends on it: that the timer cannot be set is no reason to fail. */
static void watch_for_idleness(Agent *agent) {
        if (agent->idle) {
                (void) sd_event_source_set_time_relative(agent->idle, AGENT_IDLE_USEC);
                (void) sd_event_source_set_enabled(agent->idle, SD_EVENT_ONESHOT);
        }
}

void agent_slot_give(AgentSlot *slot) {
        if (!slot->agent)
                return;
        for (AgentSlot **at = &slot->agent->slots; *at; at = &(*at)->next)
                if (*at == slot) {
                        *at = slot->next;
                        slot->agent->n_slots--;
                        break;
                }
        if (slot->agent->n_slots == 0)
                watch_for_idleness(slot->agent);
        *slot = (AgentSlot){};
}

void agent_note_error(Agent *agent, int code, const Error *e) {
        agent->last_error = (Error){};
        (void) error_set(&agent->last_error, code, error_reason(e, code), "%s", error_text(e, code));
        agent->last_error_at_usec = now_monotonic_usec();
}

/* Whether this guest is believed is for the broker to decide all the same. */
void agent_note_verdict(const Agent *agent, PlatformVerdict before) {
        const Platform *p = &agent->platform;

        if (p->verdict == before)
                return;
        if (p->verdict == PLATFORM_REJECTED)
                log_warning("Our own report does not verify, ignoring: %s", error_text(&p->why, p->why.code));
        if (p->verdict == PLATFORM_VERIFIED && before != PLATFORM_NOT_SEEN)
                log_info("Our own report verifies now");
}

static void on_collateral_changed(void *userdata, Generation *g) {
        Agent *agent = userdata;
        PlatformVerdict before = agent->platform.verdict;

        evidence_collateral_changed(agent, g);
        if (g != agent->current)
                return;
        platform_judge_again(&agent->platform, g->collateral);
        agent_note_verdict(agent, before);
}

static int on_expiry(sd_event_source *source, uint64_t usec, void *userdata) {
        (void) source;
        (void) usec;
        agent_note_state(userdata);
        return 0;
}

void agent_note_state(Agent *agent) {
        const Generation *g = agent->current;
        KbcClientStatus s = {};
        char state[sizeof(agent->told_state)];

        if (g->client)
                kbc_client_get_status(g->client, &s);
        if (s.attested && s.attested_at_usec != agent->attested_seen_usec) {
                agent->attested_seen_usec = s.attested_at_usec;
                log_event(LOG_NOTICE, MESSAGE_ID_ATTESTED, NULL, 0, "Attested to %s", g->config->broker.url);
                (void) sd_event_source_set_time(agent->expiry, s.expires_at_usec);
                (void) sd_event_source_set_enabled(agent->expiry, SD_EVENT_ONESHOT);
        }
        status_sentence(agent, state, sizeof(state));
        if (strcmp(state, agent->told_state) == 0)
                return;
        (void) memcpy(agent->told_state, state, sizeof(state));
        (void) sd_notifyf(0, "STATUS=%s", state);
}

/* A configuration that does not hold, in whatever way, changes nothing. */
static int load(Agent *agent, Error *e) {
        Config *config = NULL;
        Generation *g = NULL;
        int r;

        r = config_load(agent->config_path, &config, e);
        if (r == 0)
                r = generation_new(&agent->generations, config, &g, e);
        if (r < 0)
                return r;
        agent->current = generation_unref(agent->current);
        agent->current = g;
        agent->attested_seen_usec = 0;
        agent->platform = (Platform){}; /* judged by the trust that was */
        log_event(LOG_INFO, MESSAGE_ID_CONFIG_LOADED, NULL, 0, "Configured: %zu volumes, %zu secrets, %s",
                  g->config->n_volumes, g->config->n_secrets, g->client ? g->config->broker.url : "no broker");
        if (snp_trust_is_test(g->trust))
                log_event(LOG_WARNING, MESSAGE_ID_TEST_TRUST, NULL, 0,
                          "trust: TEST ROOT (%s). AMD's roots are not trusted. Never do this in production",
                          g->config->trust.test_root);
        measure_configuration(agent, g);
        return 0;
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata) {
        Agent *agent = userdata;
        Error e = {};
        int r;

        (void) source;
        (void) si;
        (void) sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu\nSTATUS=Reading the configuration again.",
                          (unsigned long long) now_monotonic_usec());
        agent->told_state[0] = 0;
        r = load(agent, &e);
        if (r < 0) {
                agent_note_error(agent, r, &e);
                log_event(LOG_ERR, MESSAGE_ID_CONFIG_REJECTED, NULL, 0,
                          "The new configuration is refused, the old one stays: %s", error_text(&e, r));
        }
        (void) sd_notify(0, "READY=1");
        agent_note_state(agent);
        return 0;
}

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata) {
        (void) si;
        (void) userdata;
        (void) sd_notify(0, "STOPPING=1\nSTATUS=Told to stop.");
        return sd_event_exit(sd_event_source_get_event(source), 0);
}

static int set_up_loop(Agent *agent, Error *e) {
        static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
        sigset_t set;
        int r;

        (void) signal(SIGPIPE, SIG_IGN);
        (void) sigemptyset(&set);
        for (size_t i = 0; i < N_ELEMENTS(signals); i++)
                (void) sigaddset(&set, signals[i]);
        r = sigprocmask(SIG_BLOCK, &set, NULL) < 0 ? -errno : sd_event_new(&agent->event);
        for (size_t i = 0; i < N_ELEMENTS(signals) && r >= 0; i++)
                r = sd_event_add_signal(agent->event, NULL, signals[i], signals[i] == SIGHUP ? on_reload : on_stop,
                                        agent);
        if (r >= 0)
                r = sd_event_set_watchdog(agent->event, 1);
        if (r >= 0)
                r = sd_event_add_time(agent->event, &agent->expiry, CLOCK_MONOTONIC, UINT64_MAX, USEC_PER_SEC, on_expiry,
                                      agent);
        if (r < 0)
                return error_set(e, r, "event-loop", "Cannot set up the event loop: %s", error_text(NULL, r));
        agent->generations = (Generations){
                .event = agent->event, .evidence = evidence_for_broker, .collateral_changed = on_collateral_changed,
                .userdata = agent,
        };
        agent->attester = (AttesterClient){ .event = agent->event };
        return 0;
}

static int open_doors(Agent *agent, const char *socket, Error *e) {
        const ConfigAgent *c = &agent->current->config->agent;
        int r;

        r = daemon_listen("agent", SOCK_SEQPACKET, socket ? socket : c->socket, DOOR_MODE, &agent->wire_listener, e);
        if (r == 0 && agent->wire_listener.fd >= 0)
                r = door_wire_new(agent, TAKE_FD(agent->wire_listener.fd), &agent->door_wire, e);
        if (r == 0)
                r = daemon_listen("rest", SOCK_STREAM, c->rest_socket, DOOR_MODE, &agent->rest_listener, e);
        if (r == 0 && agent->rest_listener.fd >= 0)
                r = door_rest_new(agent, TAKE_FD(agent->rest_listener.fd), &agent->door_rest, e);
        if (r == 0 && !agent->door_wire && !agent->door_rest)
                return error_set(e, -EINVAL, "listen-fds", "systemd handed over no socket named 'agent' or 'rest'");
        return r;
}

int agent_new(const AgentOptions *options, Agent **ret, Error *e) {
        CLEANUP(agent_freep) Agent *agent = calloc(1, sizeof(*agent));
        int r;

        if (!agent)
                return error_oom(e);
        agent->config_path = options->config;
        agent->wire_listener = agent->rest_listener = DAEMON_LISTENER_NONE;
        r = set_up_loop(agent, e);
        if (r == 0)
                r = load(agent, e);
        if (r == 0)
                r = open_doors(agent, options->socket, e);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(agent);
        return 0;
}

void agent_free(Agent *agent) {
        if (!agent)
                return;
        /* Doors first: they cancel what their clients wait for. Then what worked for them. */
        door_wire_free(agent->door_wire);
        door_rest_free(agent->door_rest);
        evidence_cancel_all(agent);
        measure_cancel_all(agent);
        attester_client_done(&agent->attester);
        agent->current = generation_unref(agent->current);
        generations_done(&agent->generations);
        daemon_listener_done(&agent->wire_listener);
        daemon_listener_done(&agent->rest_listener);
        (void) sd_event_source_disable_unref(agent->expiry);
        agent->idle = sd_event_source_disable_unref(agent->idle);
        (void) sd_event_unref(agent->event);
        free(agent);
}

int agent_run(Agent *agent, Error *e) {
        int r;

        (void) sd_event_add_time_relative(agent->event, &agent->idle, CLOCK_MONOTONIC, AGENT_IDLE_USEC, USEC_PER_SEC,
                                          on_idle, agent);
        (void) sd_notify(0, "READY=1");
        agent_note_state(agent);
        r = sd_event_loop(agent->event);
        if (r < 0)
                return error_set(e, r, "event-loop", "The event loop failed: %s", error_text(NULL, r));
        return 0;
}
