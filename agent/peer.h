/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Who is at the other end of a local connection: what the kernel says, never what the peer says. The unit
 * is told by the cgroup of the process that connected, and only if that process is still the same one.
 */

#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"

typedef struct Peer {
        pid_t pid;
        uid_t uid;
        char *unit; /* owned; NULL when the process is in no unit or cannot be told */
} Peer;

/* Call right after accept(). 0 or negative errno. */
WARN_UNUSED int peer_identify(int fd, Peer *ret, Error *e);
WARN_UNUSED int peer_dup(const Peer *peer, Peer *ret); /* 0 or -ENOMEM */
void peer_done(Peer *peer);
#define AUTO_PEER CLEANUP(peer_done)
