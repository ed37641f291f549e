/* SPDX-License-Identifier: Apache-2.0 */

/* Connections: who listens, who connects, and calls that wait for their answer with a deadline. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/wire/wire-internal.h"
#include "agent/wire/wire.h"

#define BACKLOG SOMAXCONN /* of a listener that we bind ourselves; as systemd's: who does not wait to connect fails */

static int address_of(const char *path, struct sockaddr_un *ret, Error *e) {
        size_t n = strlen(path);

        if (path[0] != '/' || n >= sizeof(ret->sun_path))
                return error_set(e, -EINVAL, "socket-path", "Socket path '%s' is not absolute or longer than %zu bytes",
                                 path, sizeof(ret->sun_path) - 1);
        *ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
        (void) memcpy(ret->sun_path, path, n);
        return 0;
}

int wire_peer(int fd, struct ucred *ret, Error *e) {
        struct ucred cred;
        socklen_t n = sizeof(cred);

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) < 0)
                return error_set(e, -errno, "peer-unknown", "Cannot tell who is at the other end: %s",
                                 error_text(NULL, -errno));
        *ret = cred;
        return 0;
}

static int check_listener(int fd, const char *path, Error *e) {
        struct ucred cred = {};
        int r;

        r = wire_peer(fd, &cred, e);
        if (r < 0)
                return r;
        if (cred.uid != 0 && cred.uid != geteuid())
                return error_set(e, -EACCES, "peer-untrusted", "Socket %s is served by user %u, not by root or ourselves",
                                 path, cred.uid);
        return 0;
}

static int connect_fd(int fd, const struct sockaddr_un *sa) {
        int r;

        do
                r = connect(fd, (const struct sockaddr *) sa, sizeof(*sa));
        while (r < 0 && errno == EINTR);
        return r < 0 ? -errno : 0;
}

static int connect_failed(const char *path, int r, Error *e) {
        if (r == -EAGAIN)
                return error_set(e, r, "socket-busy", "Too many clients wait at %s", path);
        return error_set(e, r, "connect-failed", "Cannot connect to %s: %s", path, error_text(NULL, r));
}

int wire_connect_now(const char *path, int *ret_fd, Error *e) {
        struct sockaddr_un sa;
        AUTO_FD int fd = -1;
        int r;

        r = address_of(path, &sa, e);
        if (r < 0)
                return r;
        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return connect_failed(path, -errno, e);
        r = connect_fd(fd, &sa);
        if (r < 0)
                return connect_failed(path, r, e);
        r = check_listener(fd, path, e);
        if (r < 0)
                return r;
        *ret_fd = TAKE_FD(fd);
        return 0;
}

/* For AF_UNIX the kernel bounds a blocking connect(2) by the send timeout; poll(2) cannot wait for a full backlog. */
static int set_connect_timeout(int fd, Deadline deadline) {
        uint64_t left = deadline_left_usec(deadline);
        struct timeval tv = {};

        if (left == UINT64_MAX)
                return 0;
        if (left == 0)
                return -ETIMEDOUT;
        tv.tv_sec = (time_t) (left / USEC_PER_SEC);
        tv.tv_usec = (suseconds_t) (left % USEC_PER_SEC);
        return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) < 0 ? -errno : 0;
}

int wire_connect(const char *path, Deadline deadline, int *ret_fd, Error *e) {
        struct sockaddr_un sa;
        AUTO_FD int fd = -1;
        int r;

        r = address_of(path, &sa, e);
        if (r < 0)
                return r;
        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return connect_failed(path, -errno, e);
        r = set_connect_timeout(fd, deadline);
        if (r == 0)
                r = connect_fd(fd, &sa);
        if (r == -EAGAIN || r == -ETIMEDOUT)
                return error_set(e, -ETIMEDOUT, "timeout", "Nobody accepted the connection at %s in time", path);
        if (r < 0)
                return connect_failed(path, r, e);
        r = check_listener(fd, path, e);
        if (r < 0)
                return r;
        if (fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
                return connect_failed(path, -errno, e);
        *ret_fd = TAKE_FD(fd);
        return 0;
}

static int wait_for(int fd, short events, Deadline deadline, Error *e) {
        struct pollfd p = { .fd = fd, .events = events };

        for (;;) {
                int n = poll(&p, 1, deadline_poll_msec(deadline));

                if (n > 0)
                        return 0;
                if (n < 0 && errno != EINTR)
                        return error_set(e, -errno, "poll-failed", "poll() failed: %s", error_text(NULL, -errno));
                if (deadline_expired(deadline))
                        return error_set(e, -ETIMEDOUT, "timeout", "No answer in time");
        }
}

/* Success too when the peer has hung up: it may have said why. */
static int send_request(int fd, uint16_t type, const void *body, size_t size, Deadline deadline, Error *e) {
        for (;;) {
                Error local = {};
                int r = wire_send(fd, type, body, size, &local);

                if (r == 0 || r == -ECONNRESET)
                        return 0;
                if (r != -EAGAIN) {
                        if (e && e->code == 0)
                                *e = local;
                        return r;
                }
                r = wait_for(fd, POLLOUT, deadline, e);
                if (r < 0)
                        return r;
        }
}

static int check_answer(uint16_t request, uint16_t answer, const uint8_t *body, size_t size, Error *e) {
        if (answer == WIRE_ERROR)
                return wire_error_parse(body, size, e);
        if (answer != (request | WIRE_ANSWER))
                return error_set(e, -EPROTO, "wire-type", "Message of type 0x%04x answers a request of type 0x%04x",
                                 answer, request);
        return 0;
}

int wire_call(int fd, uint16_t type, const void *body, size_t size, Deadline deadline, Blob *ret, Error *e) {
        AUTO_WIRE_MESSAGE WireMessage answer = {};
        int r;

        r = send_request(fd, type, body, size, deadline, e);
        if (r < 0)
                return r;
        do {
                r = wait_for(fd, POLLIN, deadline, e);
                if (r < 0)
                        return r;
                r = wire_recv(fd, &answer, e);
        } while (r == -EAGAIN);
        if (r < 0)
                return r;
        r = check_answer(type, answer.type, answer.body.data, answer.body.size, e);
        if (r < 0)
                return r;
        *ret = blob_take(&answer.body);
        return 0;
}

/* One packet whose body goes straight into @s, which has room for SECRET_MAX bytes. */
static int recv_secret(int fd, uint16_t type, Secret *s, Error *e) {
        uint8_t header[WIRE_HEADER_SIZE];
        struct iovec iov[2] = {
                { .iov_base = header, .iov_len = sizeof(header) },
                { .iov_base = s->bytes, .iov_len = s->len },
        };
        uint16_t answer = 0;
        size_t size = 0;
        int r;

        r = wire_recv_vec(fd, iov, 2, &size, e);
        if (r < 0)
                return r;
        r = wire_header_parse(header, size, &answer, e);
        if (r < 0)
                return r;
        size -= WIRE_HEADER_SIZE;
        r = check_answer(type, answer, s->bytes, size, e);
        if (r < 0)
                return r;
        if (size == 0)
                return error_set(e, -EBADMSG, "secret-empty", "The answer holds an empty secret");
        secret_truncate(s, size);
        return 0;
}

int wire_call_secret(int fd, uint16_t type, const void *body, size_t size, Deadline deadline, Secret *ret, Error *e) {
        AUTO_SECRET Secret s = {};
        int r;

        r = secret_alloc(SECRET_MAX, &s, e);
        if (r < 0)
                return r;
        r = send_request(fd, type, body, size, deadline, e);
        if (r < 0)
                return r;
        do {
                r = wait_for(fd, POLLIN, deadline, e);
                if (r < 0)
                        return r;
                r = recv_secret(fd, type, &s, e);
        } while (r == -EAGAIN);
        if (r < 0)
                return r;
        *ret = secret_take(&s);
        return 0;
}

/* A socket left behind by an earlier run may be replaced; anything else at @path is not ours to remove. */
static int remove_stale(const char *path, Error *e) {
        struct stat st;

        if (lstat(path, &st) < 0)
                return 0;
        if (!S_ISSOCK(st.st_mode))
                return error_set(e, -EEXIST, "socket-path", "%s exists and is not a socket", path);
        if (unlink(path) < 0)
                return error_set(e, -errno, "socket-path", "Cannot remove %s: %s", path, error_text(NULL, -errno));
        return 0;
}

int wire_listen(const char *path, int type, mode_t mode, int *ret_fd, Error *e) {
        struct sockaddr_un sa;
        AUTO_FD int fd = -1;
        int r;

        r = address_of(path, &sa, e);
        if (r < 0)
                return r;
        r = remove_stale(path, e);
        if (r < 0)
                return r;
        fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        /* The mode is in place before anybody can connect, because listen() comes last. */
        if (fd < 0 || bind(fd, (struct sockaddr *) &sa, sizeof(sa)) < 0 || chmod(path, mode) < 0 ||
            listen(fd, BACKLOG) < 0)
                return error_set(e, -errno, "listen-failed", "Cannot listen at %s: %s", path, error_text(NULL, -errno));
        *ret_fd = TAKE_FD(fd);
        return 0;
}
