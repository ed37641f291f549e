/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/peer.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <systemd/sd-login.h>
#include <unistd.h>

#include "agent/wire/wire.h"

/* Linux 6.5 and later; not in the headers of Debian 12. */
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

/* A handle on the process that connected. On older kernels one on whoever has its number now. */
static int open_pidfd(int fd, pid_t pid) {
        socklen_t n = sizeof(int);
        int pidfd;

        if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &n) == 0)
                return pidfd;
        return (int) syscall(SYS_pidfd_open, pid, 0);
}

static bool has_exited(int pidfd) {
        struct pollfd p = { .fd = pidfd, .events = POLLIN };

        return poll(&p, 1, 0) != 0;
}

int peer_identify(int fd, Peer *ret, Error *e) {
        AUTO_FD int pidfd = -1;
        struct ucred cred;
        char *unit = NULL;
        int r;

        r = wire_peer(fd, &cred, e);
        if (r < 0)
                return r;
        pidfd = open_pidfd(fd, cred.pid);
        if (pidfd >= 0 && sd_pid_get_unit(cred.pid, &unit) < 0)
                unit = NULL;
        /* Alive after the look-up: so the number was not another process's during it. */
        if (unit && has_exited(pidfd)) {
                free(unit);
                unit = NULL;
        }
        *ret = (Peer){ .pid = cred.pid, .uid = cred.uid, .unit = unit };
        return 0;
}

int peer_dup(const Peer *peer, Peer *ret) {
        Peer copy = { .pid = peer->pid, .uid = peer->uid, .unit = peer->unit ? strdup(peer->unit) : NULL };

        if (peer->unit && !copy.unit)
                return -ENOMEM;
        *ret = copy;
        return 0;
}

void peer_done(Peer *peer) {
        free(peer->unit);
        *peer = (Peer){};
}
