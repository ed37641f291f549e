/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/attester/attester.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "agent/attester/handlers-internal.h"
#include "agent/daemon/message-ids.h"
#include "agent/wire/wire.h"
#include "base/deadline.h"
#include "base/log.h"

static int block_signals(int *ret_fd, Error *e) {
        sigset_t set;
        int fd;

        (void) sigemptyset(&set);
        (void) sigaddset(&set, SIGTERM);
        (void) sigaddset(&set, SIGINT);
        (void) signal(SIGPIPE, SIG_IGN);
        if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
                return error_set(e, -errno, "signals", "Cannot block signals: %s", error_text(NULL, -errno));
        fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        if (fd < 0)
                return error_set(e, -errno, "signals", "Cannot watch signals: %s", error_text(NULL, -errno));
        *ret_fd = fd;
        return 0;
}

/* Root when it cannot be told, who may ask anyway. */
static uid_t owner_of(int listener) {
        struct sockaddr_un sa = {};
        socklen_t size = sizeof(sa) - 1; /* the kernel counts no terminating NUL in a full-length path */
        struct stat st;

        if (getsockname(listener, (struct sockaddr *) &sa, &size) < 0 || !sa.sun_path[0] || stat(sa.sun_path, &st) < 0)
                return 0;
        return st.st_uid;
}

int attester_init(const Config *config, const char *socket, Attester *ret, Error *e) {
        int r;

        *ret = (Attester){ .config = config, .listener = DAEMON_LISTENER_NONE, .signals = -1 };
        ret->throttle = snp_throttle_default();
        ret->throttle.interval_usec = config->attester.report_interval_usec;
        r = block_signals(&ret->signals, e);
        if (r < 0)
                return r;
        r = daemon_listen("attester", SOCK_SEQPACKET, socket ? socket : config->attester.socket, 0600, &ret->listener,
                          e);
        if (r < 0)
                return r;
        if (ret->listener.fd < 0)
                return error_set(e, -EINVAL, "listen-fds", "systemd handed over no socket named 'attester'");
        ret->socket_owner = owner_of(ret->listener.fd);
        return 0;
}

void attester_done(Attester *a) {
        snp_device_free(a->device);
        daemon_listener_done(&a->listener);
        cleanup_fd(&a->signals);
        a->device = NULL;
}

bool attester_is_for(const Attester *a, uid_t uid) {
        return uid == 0 || uid == geteuid() || uid == a->socket_owner;
}

/* Whom the configuration names may have evidence. */
static bool may_ask(const Attester *a, uid_t uid) {
        return attester_is_for(a, uid) || config_users_have(&a->config->attester.allow_users, uid);
}

static int refuse(const Attester *a, const char *what, Error *e) {
        char uid[16];

        (void) snprintf(uid, sizeof(uid), "%u", a->caller.uid);
        log_event(LOG_NOTICE, MESSAGE_ID_CALLER_REFUSED, &(LogField){ "SNP_PEER_UID", uid }, 1,
                  "Refused process %d of user %s: it has no right to ask%s", (int) a->caller.pid, uid, what);
        return error_set(e, -EACCES, "caller-refused", "User %s has no right to ask snp-attesterd%s", uid, what);
}

/* Before it is known what is asked: whoever may ask for anything. */
static int check_caller(Attester *a, int fd, Error *e) {
        int r = wire_peer(fd, &a->caller, e);

        if (r < 0)
                return r;
        return may_ask(a, a->caller.uid) || attester_may_derive(a, a->caller.uid) ? 0 : refuse(a, "", e);
}

static int check_right(const Attester *a, const AttesterHandler *h, Error *e) {
        char what[48];

        if (h->may_ask ? h->may_ask(a, a->caller.uid) : may_ask(a, a->caller.uid))
                return 0;
        (void) snprintf(what, sizeof(what), " for a %s", h->name);
        return refuse(a, what, e);
}

static int wait_peer(int fd, short events, Deadline deadline) {
        struct pollfd p = { .fd = fd, .events = events };

        while (poll(&p, 1, deadline_poll_msec(deadline)) <= 0)
                if (deadline_expired(deadline))
                        return -ETIMEDOUT;
        return 0;
}

/* Into locked memory: some requests carry a secret, and which ones is known only when they are there. */
static int receive(int fd, uint16_t *ret_type, Secret *ret, Error *e) {
        Deadline deadline = deadline_in(ATTESTER_PEER_USEC);
        int r;

        do {
                if (wait_peer(fd, POLLIN, deadline) < 0)
                        return error_set(e, -ETIMEDOUT, "timeout", "The caller sent no request in time");
                r = wire_recv_secret(fd, SECRET_MAX, ret_type, ret, e);
        } while (r == -EAGAIN);
        return r;
}

static int check_size(const AttesterHandler *h, const Blob *body, Error *e) {
        if (body->size < h->body_min || body->size > h->body_max)
                return error_set(e, -EBADMSG, "wire-size", "A %s request has %zu to %zu bytes of body, not %zu", h->name,
                                 h->body_min, h->body_max, body->size);
        return 0;
}

/* What a handler has made; one of the two holds it. */
typedef struct Answer {
        Blob body;
        Secret secret;
} Answer;

static void answer_done(Answer *answer) {
        blob_done(&answer->body);
        secret_done(&answer->secret);
}

static int send_answer(int fd, const AttesterHandler *h, int result, const Answer *answer, const Error *error,
                       Error *e) {
        if (result < 0)
                return wire_send_error(fd, result, error, e);
        if (h->handle_secret)
                return wire_send_secret(fd, h->type | WIRE_ANSWER, &answer->secret, e);
        return wire_send(fd, h->type | WIRE_ANSWER, answer->body.data, answer->body.size, e);
}

static void reply(int fd, const AttesterHandler *h, int result, const Answer *answer, const Error *error) {
        Deadline deadline = deadline_in(ATTESTER_PEER_USEC);
        Error e = {};
        int r;

        do {
                r = wait_peer(fd, POLLOUT, deadline);
                if (r == 0)
                        r = send_answer(fd, h, result, answer, error, &e);
        } while (r == -EAGAIN);
        if (r < 0)
                log_debug("The caller did not take the answer to its %s request: %s", h->name, error_text(&e, r));
}

static int handle(Attester *a, const AttesterHandler *h, const Blob *body, Answer *ret, Error *e) {
        int r = check_right(a, h, e);

        if (r == 0)
                r = check_size(h, body, e);
        if (r < 0)
                return r;
        return h->handle_secret ? h->handle_secret(a, body, &ret->secret, e) : h->handle(a, body, &ret->body, e);
}

static void serve(Attester *a, int fd) {
        CLEANUP(answer_done) Answer answer = {};
        AUTO_SECRET Secret request = {};
        const AttesterHandler *h;
        uint16_t type = 0;
        Error e = {};
        Blob body;
        int r;

        r = check_caller(a, fd, &e);
        if (r < 0) {
                (void) !wire_send_error(fd, r, &e, NULL);
                return;
        }
        r = receive(fd, &type, &request, &e);
        if (r < 0) {
                log_info("Dropped a connection: %s", error_text(&e, r));
                return;
        }
        h = attester_handler_find(type);
        if (!h) {
                log_warning("Dropped a connection: message type 0x%04x is not known here", type);
                return;
        }
        body = (Blob){ .data = request.bytes, .size = request.len }; /* borrowed */
        r = handle(a, h, &body, &answer, &e);
        if (r < 0)
                log_warning("Cannot serve a %s request: %s", h->name, error_text(&e, r));
        else
                log_debug("Served a %s request", h->name);
        reply(fd, h, r, &answer, &e);
        a->n_requests++;
}

static void serve_next(Attester *a) {
        AUTO_FD int fd = accept4(a->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd < 0)
                return; /* gone again */
        serve(a, fd);
        (void) sd_notifyf(0, "STATUS=Idle. %llu requests so far.", (unsigned long long) a->n_requests);
}

/* When to leave. Without systemd holding the socket nobody would start us again. */
static Deadline idle_deadline(const Attester *a) {
        uint64_t idle = a->config->attester.idle_timeout_usec;

        return a->listener.activated && idle > 0 ? deadline_in(idle) : deadline_never();
}

/* WatchdogSec= of the unit: a sign of life is due twice as often. It covers requests too, so it has to be longer. */
static uint64_t watchdog_usec(void) {
        uint64_t usec;

        return sd_watchdog_enabled(0, &usec) > 0 ? usec / 2 : UINT64_MAX;
}

int attester_run(Attester *a, Error *e) {
        struct pollfd fds[] = { { .fd = a->listener.fd, .events = POLLIN }, { .fd = a->signals, .events = POLLIN } };
        Deadline leave = idle_deadline(a);
        uint64_t watchdog = watchdog_usec();
        const char *why = NULL;

        (void) sd_notify(0, "READY=1\nSTATUS=Idle.");
        while (!why) {
                Deadline wake = deadline_earlier(leave, deadline_in(watchdog));
                int n = poll(fds, N_ELEMENTS(fds), deadline_poll_msec(wake));

                if (n < 0 && errno != EINTR)
                        return error_set(e, -errno, "poll-failed", "poll() failed: %s", error_text(NULL, -errno));
                if (n > 0 && fds[1].revents)
                        why = "told to stop";
                else if (n > 0) {
                        serve_next(a);
                        leave = idle_deadline(a);
                } else if (n == 0 && deadline_expired(leave))
                        why = "idle";
                (void) sd_notify(0, "WATCHDOG=1");
        }
        (void) sd_notifyf(0, "STOPPING=1\nSTATUS=Leaving: %s.", why);
        log_debug("Leaving: %s", why);
        return 0;
}
