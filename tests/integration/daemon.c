/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/integration/daemon.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/file.h"

#define PATIENCE_USEC (30 * USEC_PER_SEC)
#define LISTEN_FDS_START 3 /* sd_listen_fds(3) */
#define HIGH_FD 100        /* out of the way of what is handed over */

static void set_env(const char *name, const char *value) {
        if (setenv(name, value, 1) < 0)
                _exit(126);
}

/* The descriptors in order, from 3 on, and the variables that tell of them. */
static void hand_over(const Daemon *d) {
        char names[128] = "", number[24];
        int high[DAEMON_SOCKETS_MAX];

        for (size_t i = 0; i < d->n_sockets; i++) {
                high[i] = fcntl(d->sockets[i].fd, F_DUPFD_CLOEXEC, HIGH_FD);
                if (high[i] < 0)
                        _exit(126);
        }
        for (size_t i = 0; i < d->n_sockets; i++) {
                if (dup2(high[i], LISTEN_FDS_START + (int) i) < 0)
                        _exit(126);
                (void) strcat(names, i > 0 ? ":" : "");
                (void) strcat(names, d->sockets[i].name);
        }
        if (d->n_sockets == 0)
                return;
        (void) snprintf(number, sizeof(number), "%zu", d->n_sockets);
        set_env("LISTEN_FDS", number);
        set_env("LISTEN_FDNAMES", names);
        (void) snprintf(number, sizeof(number), "%d", (int) getpid());
        set_env("LISTEN_PID", number);
}

static void exec_daemon(const Daemon *d, const char *notify_path) {
        char program[512];
        const char *argv[16] = { program };
        size_t n = 1;
        int log = open(d->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

        (void) snprintf(program, sizeof(program), "%s/%s", getenv("SNP_TEST_BUILD"), d->program);
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || log < 0 || dup2(log, STDERR_FILENO) < 0)
                _exit(126);
        set_env("NOTIFY_SOCKET", notify_path);
        (void) unsetenv("JOURNAL_STREAM");
        for (size_t i = 0; i < N_ELEMENTS(d->env) && d->env[i]; i++)
                if (putenv(strdup(d->env[i])) != 0)
                        _exit(126);
        if (d->config) {
                argv[n++] = "--config";
                argv[n++] = d->config;
        }
        for (size_t i = 0; i < N_ELEMENTS(d->args) && d->args[i]; i++)
                argv[n++] = d->args[i];
        hand_over(d);
        /* execv() takes char *const[], but does not write: the cast drops only const. */
        (void) execv(program, (char *const *) (uintptr_t) argv);
        _exit(127);
}

/*
 * The socket is emptied all the time, as the service manager does: its queue is short, and a daemon that
 * reports blocks when it is full. What came goes to a file, where it can be waited for like the log.
 */
static void *keep_notifications(void *userdata) {
        Daemon *d = userdata;
        int file = open(d->notify_log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
        char message[4096];
        ssize_t n;

        while ((n = recv(d->notify, message, sizeof(message) - 1, 0)) > 0) {
                message[n++] = '\n';
                if (write(file, message, (size_t) n) < 0)
                        break;
        }
        (void) close(file);
        return NULL;
}

static char *read_file(const char *path) {
        char *text = NULL;

        return file_read_text(path, 1u << 20, &text, NULL) == 0 ? text : strdup("");
}

void daemon_spawn(Daemon *d) {
        struct sockaddr_un sa = { .sun_family = AF_UNIX };
        const char *name = strrchr(d->program, '/');

        name = name ? name + 1 : d->program;
        (void) snprintf(d->log, sizeof(d->log), "%s/%s.log", d->dir, name);
        (void) snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/%s.notify", d->dir, name);
        (void) unlink(sa.sun_path);
        d->notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        ck_assert_int_ge(d->notify, 0);
        ck_assert_int_eq(bind(d->notify, (struct sockaddr *) &sa, sizeof(sa)), 0);
        (void) snprintf(d->notify_log, sizeof(d->notify_log), "%s/%s.notify.log", d->dir, name);
        (void) unlink(d->notify_log);
        d->notify_seen = 0;
        d->pid = fork();
        ck_assert_int_ge(d->pid, 0);
        if (d->pid == 0)
                exec_daemon(d, sa.sun_path);
        ck_assert_int_eq(pthread_create(&d->notify_thread, NULL, keep_notifications, d), 0);
}

void daemon_start(Daemon *d) {
        daemon_spawn(d);
        daemon_wait_notify(d, "READY=1");
}

/* Waits until @path has @text from *@from on, which moves behind it. False when the daemon ends first. */
static bool wait_text(const Daemon *d, const char *path, const char *text, size_t *from) {
        Deadline deadline = deadline_in(PATIENCE_USEC);
        siginfo_t ended = {};

        for (bool last = false;; last = ended.si_pid != 0) {
                AUTO_FREE char *all = read_file(path);
                const char *at = *from <= strlen(all) ? strstr(all + *from, text) : NULL;

                if (at) {
                        *from = (size_t) (at - all) + strlen(text);
                        return true;
                }
                if (last || deadline_expired(deadline))
                        return false;
                (void) !deadline_sleep(deadline, USEC_PER_MSEC);
                (void) waitid(P_PID, (id_t) d->pid, &ended, WEXITED | WNOHANG | WNOWAIT);
        }
}

static void fail_with_log(const Daemon *d, const char *what, const char *text) {
        AUTO_FREE char *log = daemon_log_text(d), *said = read_file(d->notify_log);

        ck_abort_msg("%s did not %s '%s'. Log: %s Notifications: %s", d->program, what, text, log, said);
}

void daemon_wait_notify(Daemon *d, const char *line) {
        if (!wait_text(d, d->notify_log, line, &d->notify_seen))
                fail_with_log(d, "say", line);
}

char *daemon_log_text(const Daemon *d) {
        return read_file(d->log);
}

bool daemon_log_has(const Daemon *d, const char *text) {
        AUTO_FREE char *log = daemon_log_text(d);

        return strstr(log, text);
}

void daemon_wait_log(const Daemon *d, const char *text) {
        size_t from = 0;

        if (!wait_text(d, d->log, text, &from))
                fail_with_log(d, "log", text);
}

static int wait_status(Daemon *d) {
        Deadline deadline = deadline_in(PATIENCE_USEC);
        int status;

        while (waitpid(d->pid, &status, WNOHANG) != d->pid) {
                if (deadline_expired(deadline)) {
                        (void) kill(d->pid, SIGABRT);
                        ck_abort_msg("%s does not end", d->program);
                }
                (void) !deadline_sleep(deadline, 2 * USEC_PER_MSEC);
        }
        d->pid = 0;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int daemon_wait_exit(Daemon *d) {
        int status = wait_status(d);

        (void) shutdown(d->notify, SHUT_RDWR);
        (void) pthread_join(d->notify_thread, NULL);
        cleanup_fd(&d->notify);
        return status;
}

int daemon_stop(Daemon *d) {
        if (d->pid <= 0)
                return 0;
        ck_assert_int_eq(kill(d->pid, SIGTERM), 0);
        return daemon_wait_exit(d);
}

void daemon_kill(Daemon *d) {
        if (d->pid <= 0)
                return;
        ck_assert_int_eq(kill(d->pid, SIGKILL), 0);
        (void) daemon_wait_exit(d);
}

void daemon_make_dir(char ret[static 64]) {
        (void) strcpy(ret, "/tmp/snp-test-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(ret));
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *ftw) {
        (void) st;
        (void) kind;
        (void) ftw;
        return remove(path);
}

void daemon_remove_dir(const char *dir) {
        ck_assert_int_eq(nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
}

void daemon_put(const char *dir, const char *name, const char *fmt, ...) {
        AUTO_FREE char *path = NULL, *text = NULL;
        Error e = {};
        va_list ap;

        va_start(ap, fmt);
        ck_assert_int_ge(vasprintf(&text, fmt, ap), 0);
        va_end(ap);
        ck_assert_int_ge(asprintf(&path, "%s/%s", dir, name), 0);
        ck_assert_msg(file_write_atomic(path, text, strlen(text), 0600, &e) == 0, "%s", e.text);
}
