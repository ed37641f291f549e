/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"

/*
 * Listening sockets: handed over by systemd, or bound by ourselves when it handed over none at all.
 * systemd's are told apart by FileDescriptorName=.
 */

typedef struct DaemonListener {
        int fd;         /* -1: none */
        bool activated; /* held by systemd: it starts us again when somebody comes */
        char *path;     /* owned; of a socket that we bound and unlink at the end, else NULL */
} DaemonListener;
#define DAEMON_LISTENER_NONE ((DaemonListener){ .fd = -1 })

/**
 * daemon_listen() - the listening socket of one door
 * @name: its FileDescriptorName=
 * @type: SOCK_SEQPACKET or SOCK_STREAM; -EINVAL when systemd's socket is of another
 * @path: where to bind when systemd handed over nothing; NULL: nowhere
 *
 * When systemd handed over other sockets only, there is no such door: 0 with fd -1.
 */
WARN_UNUSED int daemon_listen(const char *name, int type, const char *path, mode_t mode, DaemonListener *ret, Error *e);
void daemon_listener_done(DaemonListener *l);
