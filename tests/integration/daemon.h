/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Runs one of our daemons as systemd would: with a notification socket, and with its sockets handed over
 * where a test wants that. Everything fails the running test when it does not work. A daemon dies with the
 * process that started it.
 */

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/cleanup.h"

#define DAEMON_SOCKETS_MAX 3

typedef struct DaemonSocket {
        const char *name; /* FileDescriptorName= */
        int fd;           /* listening; borrowed */
} DaemonSocket;

typedef struct Daemon {
        /* set by the caller */
        const char *program;      /* below the build directory */
        const char *dir;          /* private to the test; log and notification socket go there */
        const char *config;       /* NULL: none named */
        const char *args[8];      /* further ones, ended by NULL */
        const char *env[4];       /* "NAME=VALUE", ended by NULL */
        DaemonSocket sockets[DAEMON_SOCKETS_MAX];
        size_t n_sockets;
        /* set by daemon_start() */
        pid_t pid;
        int notify;
        pthread_t notify_thread;
        char log[128];        /* what it writes to standard error */
        char notify_log[128]; /* what it told the service manager */
        size_t notify_seen;   /* of that, what was waited for */
} Daemon;

void daemon_spawn(Daemon *d); /* without waiting for anything */
void daemon_start(Daemon *d); /* and waits for READY=1 */

/* Waits for a notification with @line, e.g. "READY=1" or the beginning of a STATUS=, after the last one waited for. */
void daemon_wait_notify(Daemon *d, const char *line);
/* Waits until the log has @text. */
void daemon_wait_log(const Daemon *d, const char *text);
bool daemon_log_has(const Daemon *d, const char *text);
char *daemon_log_text(const Daemon *d); /* heap */

/* Waits for its end by itself. Exit status, or 128 + N for signal N. */
int daemon_wait_exit(Daemon *d);
/* Tells it to stop with SIGTERM and waits. Idempotent; 0 when it is not running. */
int daemon_stop(Daemon *d);
void daemon_kill(Daemon *d);

/* A private directory below /tmp, and its removal with all that is in it. */
void daemon_make_dir(char ret[static 64]);
void daemon_remove_dir(const char *dir);
/* Writes DIR/NAME, formatted. */
void daemon_put(const char *dir, const char *name, const char *fmt, ...) __attribute__((__format__(__printf__, 3, 4)));
