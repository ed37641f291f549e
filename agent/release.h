/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One request for something that the broker keeps, from the decision to the hand-over: ask the access policy,
 * take a slot, fetch, give to the door, write the audit line. Every door comes through here.
 */

#include "agent/access.h"
#include "agent/agent.h"
#include "base/secret.h"

typedef struct Release Release;

/*
 * @r 0: hand @secret over (the callee may take it), or for a handshake: it succeeded, @secret is NULL.
 * Return: 0 when it was handed over; the failure otherwise, which is audited. Called once, never from inside
 * the function that started it; the release is gone then.
 */
typedef int (*ReleaseDoneFn)(void *userdata, int r, Secret *secret, const Error *e);

/* Who asks, and whom to tell. */
typedef struct ReleaseCaller {
        const char *door; /* static */
        const Peer *peer;
        ReleaseDoneFn done;
        void *userdata;
} ReleaseCaller;

/*
 * Start. On failure nothing was started, the failure is audited, and @done is not called. -EPERM, -EBADMSG the
 * access policy says no; -EBUSY all slots are taken; else as kbc_client_get_resource(). While the broker cannot be
 * reached the client asks again until the configured deadline: early at boot the disk waits for the network.
 */
WARN_UNUSED int release_volume(Agent *agent, const ReleaseCaller *caller, const WireVolumeRequest *request,
                               Release **ret, Error *e);
WARN_UNUSED int release_resource(Agent *agent, const ReleaseCaller *caller, const char *path, Release **ret, Error *e);
/* A fresh handshake with the broker. */
WARN_UNUSED int release_attest(Agent *agent, const ReleaseCaller *caller, Release **ret, Error *e);

/* The caller went away. */
void release_cancel(Release *release);
