/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * snp-agentd: the object that owns everything. One event loop; nothing that runs in it blocks. The doors
 * (door-wire.h, door-rest.h) let requests in, access.h decides, release.h and evidence.h do the work, this
 * object holds what they share and bounds how many of them there are.
 */

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "agent/attester-client.h"
#include "agent/config/config.h"
#include "agent/daemon/listen.h"
#include "agent/generation.h"
#include "agent/platform.h"
#include "base/cleanup.h"
#include "base/error.h"

typedef struct DoorWire DoorWire;
typedef struct DoorRest DoorRest;
typedef struct EvidenceJob EvidenceJob;
typedef struct MeasureJob MeasureJob;
typedef struct StatusQuery StatusQuery;

/* One request under way, whichever door it came through; embedded in it. */
typedef struct AgentSlot {
        struct AgentSlot *next;
        struct Agent *agent; /* NULL: not taken */
        uid_t uid;
} AgentSlot;

typedef struct AgentCounters {
        uint64_t n_released, n_denied, n_failed, n_turned_away;
} AgentCounters;

typedef struct Agent {
        sd_event *event;
        const char *config_path; /* borrowed; NULL: the standard places */
        Generations generations;
        Generation *current;
        AttesterClient attester;
        Platform platform;
        EvidenceJob *evidence_jobs;
        MeasureJob *measure_jobs;
        StatusQuery *status_queries;
        AttesterCall *status_call; /* the one question that all of them wait for */
        AgentSlot *slots;
        size_t n_slots;
        AgentCounters counters;
        Error last_error;              /* what went wrong last, for the status */
        uint64_t last_error_at_usec;   /* monotonic */
        uint64_t attested_seen_usec;   /* of the last handshake that was logged */
        bool warned_unlocked;          /* memory that cannot be locked is told once */
        unsigned warned_evidence;      /* KBC_EVIDENCE_WARN_* that were told */
        DaemonListener wire_listener, rest_listener; /* their descriptors belong to the doors */
        DoorWire *door_wire;
        DoorRest *door_rest;
        char told_state[256]; /* last STATUS= */
        sd_event_source *expiry; /* when the session with the broker ends */
        sd_event_source *idle;   /* when nothing has been asked for a while */
} Agent;

typedef struct AgentOptions {
        const char *config; /* as --config; borrowed, must outlive the agent */
        const char *socket; /* instead of the configured one for the agent's own door; may be NULL */
} AgentOptions;

/* Loads the configuration and opens the doors. */
WARN_UNUSED int agent_new(const AgentOptions *options, Agent **ret, Error *e);
void agent_free(Agent *agent);
DEFINE_CLEANUP(Agent *, agent_free);
/* Serves until SIGTERM or SIGINT. 0 or negative errno. */
WARN_UNUSED int agent_run(Agent *agent, Error *e);

/*
 * How much of @all one user, and how much all users but root, may have: many users, or one with a range of
 * subordinate ones, must not keep root's disks shut.
 */
#define AGENT_SHARE_OF_USER(all) (((all) + 1) / 2)
#define AGENT_SHARE_OF_USERS(all) ((all) - (all) / 8)

/*
 * Takes a place among the requests under way. -EBUSY ("queue-full") when all are taken, but for those kept for root;
 * -EBUSY ("user-queue-full") when this user, not being root, has half of them.
 */
WARN_UNUSED int agent_slot_take(Agent *agent, uid_t uid, AgentSlot *slot, Error *e);
void agent_slot_give(AgentSlot *slot); /* idempotent */

/* Keeps a failure for the status. */
void agent_note_error(Agent *agent, int code, const Error *e);
/* Tells once when the self-check of the platform turns bad, or good after it was not; @before: what it was. */
void agent_note_verdict(const Agent *agent, PlatformVerdict before);
/* Logs a new session with the broker, and tells the service manager the present state. */
void agent_note_state(Agent *agent);
