/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/daemon/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include "agent/wire/wire.h"

/* Linux 6.16 and later; not in the headers of Debian 12. */
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

/*
 * Whoever may connect could attach descriptors to a message. Nobody takes them, but the kernel closes them in our name,
 * and the close of a TCP socket with SO_LINGER blocks for as long as its sender likes. Connections inherit this from
 * their listener; on older kernels the watchdog is what ends such a wait.
 */
static void refuse_descriptors(int listener) {
        const int no = 0;

        (void) setsockopt(listener, SOL_SOCKET, SO_PASSRIGHTS, &no, sizeof(no));
}

/* Descriptor called @name among systemd's. Return: 0 with *@ret_fd -1 when there is none of that name; *@ret_n of all. */
static int find_activated(const char *name, int *ret_fd, int *ret_n, Error *e) {
        char **names = NULL;
        int fd = -1, n;

        n = sd_listen_fds_with_names(0, &names);
        if (n < 0)
                return error_set(e, n, "listen-fds", "Cannot take over sockets from systemd: %s", error_text(NULL, n));
        for (int i = 0; i < n; i++) {
                if (fd < 0 && strcmp(names[i], name) == 0)
                        fd = SD_LISTEN_FDS_START + i;
                free(names[i]);
        }
        free(names);
        *ret_fd = fd;
        *ret_n = n;
        return 0;
}

static int check_activated(int fd, const char *name, int type, Error *e) {
        int flags = fcntl(fd, F_GETFL);

        if (sd_is_socket_unix(fd, type, 1, NULL, 0) <= 0)
                return error_set(e, -EINVAL, "listen-fds",
                                 "The socket '%s' from systemd is not a listening AF_UNIX socket of the right type", name);
        if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
                return error_set(e, -errno, "listen-fds", "Cannot use the socket '%s': %s", name,
                                 error_text(NULL, -errno));
        return 0;
}

int daemon_listen(const char *name, int type, const char *path, mode_t mode, DaemonListener *ret, Error *e) {
        DaemonListener l = DAEMON_LISTENER_NONE;
        int n = 0, r;

        r = find_activated(name, &l.fd, &n, e);
        if (r < 0)
                return r;
        if (n > 0) {
                r = l.fd < 0 ? 0 : check_activated(l.fd, name, type, e);
                if (r < 0)
                        return r;
                l.activated = true;
                if (l.fd >= 0)
                        refuse_descriptors(l.fd);
                *ret = l;
                return 0;
        }
        if (!path) {
                *ret = l;
                return 0;
        }
        r = wire_listen(path, type, mode, &l.fd, e);
        if (r < 0)
                return r;
        refuse_descriptors(l.fd);
        l.path = strdup(path);
        if (!l.path) {
                (void) close(l.fd);
                return error_oom(e);
        }
        *ret = l;
        return 0;
}

void daemon_listener_done(DaemonListener *l) {
        if (l->path)
                (void) unlink(l->path);
        cleanup_fd(&l->fd);
        free(l->path);
        *l = DAEMON_LISTENER_NONE;
}
