/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Between door-rest.c (connections, libmicrohttpd) and rest-routes.c (what is served). */

#include <stdbool.h>

#include "agent/evidence.h"
#include "agent/peer.h"
#include "agent/release.h"
#include "agent/rest-target.h"
#include "agent/status.h"
#include "base/secret.h"

typedef struct RestRequest RestRequest;

/* What a request waits for; at most one is set. */
typedef struct RestWork {
        Release *release;
        StatusQuery *status;
        EvidenceJob *evidence;
} RestWork;

typedef struct RestAnswer {
        unsigned status; /* 0: none yet */
        const char *content_type; /* static */
        char *text;      /* owned; or */
        Secret secret;
} RestAnswer;

struct RestRequest {
        RestRequest *next;
        DoorRest *door;
        Agent *agent;
        const Peer *peer; /* of the connection */
        RestTarget target;
        Error target_error; /* code 0: the target is fine */
        bool heard; /* the headers; the rest of the request may follow */
        RestWork work;
        AgentSlot slot;       /* of evidence; a release has its own */
        uint8_t nonce[WIRE_NONCE_MAX];
        size_t nonce_size;
        RestAnswer answer;
        struct MHD_Connection *connection;
        sd_event_source *hang_up;
        bool suspended, gone;
};

/* One row of the table of routes. */
typedef struct RestRoute {
        const char *path;
        bool is_prefix;     /* the rest is for the handler */
        const char *member; /* the one query member it knows, or NULL */
        /* Starts the work, or sets the answer at once. @rest: what stands behind a prefix. A failure is answered with
         * @ret_status, or by rest_status_of() when that stays 0. */
        int (*start)(RestRequest *q, const char *rest, unsigned *ret_status, Error *e);
} RestRoute;

/* NULL when there is none. */
const RestRoute *rest_route_find(const char *path);
/* Checks the query against the route and starts. After this the request has an answer, or work under way. */
void rest_route_start(RestRequest *q, const RestRoute *route);

void rest_answer_error(RestRequest *q, unsigned status, int code, const Error *e);
/* Takes @text; NULL is out of memory. */
void rest_answer_json(RestRequest *q, char *text);

/* The work is done and the answer is there: lets the connection go on. */
void door_rest_resume(RestRequest *q);
