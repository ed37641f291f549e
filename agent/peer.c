/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/peer.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <systemd/sd-login.h>
#include <unistd.h>

#include "agent/wire/wire.h"
#include "base/file.h"

/* Linux 6.5 and later; not in the headers of Debian 12. */
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

#define PROC_STATUS_MAX 8192u /* about 1500 bytes, and more on machines with very many processors */

/* Whether process @pid has the effective user @uid. */
static bool runs_as(pid_t pid, uid_t uid) {
        AUTO_FREE char *text = NULL;
        unsigned effective;
        char path[32];
        const char *line;

        (void) snprintf(path, sizeof(path), "/proc/%d/status", (int) pid);
        if (file_read_text(path, PROC_STATUS_MAX, &text, NULL) < 0)
                return false;
        line = strstr(text, "\nUid:\t"); /* real, effective, saved, file system: proc(5) */
        return line && sscanf(line, "\nUid:\t%*u\t%u", &effective) == 1 && effective == uid;
}

/* A handle on the process that connected, or negative. */
static int open_pidfd(int fd, const struct ucred *cred) {
        socklen_t n = sizeof(int);
        int pidfd;

        if (cred->pid <= 0) /* of another PID namespace; 0 would be ourselves to those who take it */
                return -1;
        if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &n) == 0)
                return pidfd;
        if (errno != ENOPROTOOPT) /* it is gone, and its number may be another's already */
                return -1;
        /*
         * Older kernels give one on whoever has its number now. A client can leave its socket to another process and
         * wait until a service gets the number; but not a service that runs as the client does.
         */
        pidfd = (int) syscall(SYS_pidfd_open, cred->pid, 0);
        if (pidfd >= 0 && !runs_as(cred->pid, cred->uid))
                cleanup_fd(&pidfd);
        return pidfd;
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
        pidfd = open_pidfd(fd, &cred);
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
