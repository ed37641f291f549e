/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/integration/fake-agent.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/reader.h"
#include "base/writer.h"

static void send_raw(int fd, const void *data, size_t size) {
        if (send(fd, data, size, MSG_NOSIGNAL) < 0)
                _exit(1);
}

static void answer_truncated(int fd, const WireMessage *request, const char *body) {
        Blob packet = {};

        if (wire_message_encode((uint16_t) (request->type | WIRE_ANSWER), body, strlen(body), &packet) < 0)
                _exit(1);
        send_raw(fd, packet.data, packet.size - strlen(body) / 2);
        blob_done(&packet);
}

static int answer_secret(int fd, uint16_t type, const char *text) {
        AUTO_SECRET Secret s = {};
        int r = secret_alloc(strlen(text), &s, NULL);

        if (r < 0)
                return r;
        (void) memcpy(s.bytes, text, s.len);
        return wire_send_secret(fd, type, &s, NULL);
}

static int answer(int fd, const FakeAgent *a, const WireMessage *request) {
        uint16_t type = (uint16_t) (request->type | WIRE_ANSWER);

        if (request->type == WIRE_STATUS || request->type == WIRE_ATTEST)
                return wire_send(fd, type, a->text, strlen(a->text), NULL);
        return answer_secret(fd, type, a->secret);
}

static void react(int fd, const FakeAgent *a, const WireMessage *request) {
        Error denied = {};
        int r = 0;

        switch (a->mood) {
        case FAKE_ANSWERS:
                r = answer(fd, a, request);
                break;
        case FAKE_DENIES:
                (void) error_set(&denied, -EPERM, "policy-denied", "The broker's policy denies it");
                r = wire_send_error(fd, -EPERM, &denied, NULL);
                break;
        case FAKE_HANGS:
                (void) pause();
                break;
        case FAKE_TRUNCATES:
                answer_truncated(fd, request, a->secret ? a->secret : a->text);
                break;
        case FAKE_IS_EMPTY:
                r = wire_send(fd, (uint16_t) (request->type | WIRE_ANSWER), NULL, 0, NULL);
                break;
        case FAKE_ANSWERS_OTHER:
                r = wire_send(fd, WIRE_PLATFORM | WIRE_ANSWER, "{}", 2, NULL);
                break;
        case FAKE_CLOSES:
        default:
                break;
        }
        if (r < 0)
                _exit(1);
}

static void record(int to, const WireMessage *request) {
        AUTO_WRITER Writer w = wr_init(PIPE_BUF);
        AUTO_BLOB Blob b = {};

        wr_le16(&w, request->type);
        wr_le16(&w, (uint16_t) request->body.size);
        wr_bytes(&w, request->body.data, request->body.size);
        if (wr_finish(&w, &b) < 0 || write(to, b.data, b.size) != (ssize_t) b.size)
                _exit(1);
}

static void wait_for(int fd) {
        struct pollfd p = { .fd = fd, .events = POLLIN };

        (void) poll(&p, 1, -1);
}

static void serve(const FakeAgent *a, int listener, int to) {
        for (;;) {
                AUTO_WIRE_MESSAGE WireMessage request = {};
                AUTO_FD int fd = -1;

                wait_for(listener);
                fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
                if (fd < 0)
                        continue;
                wait_for(fd);
                if (wire_recv(fd, &request, NULL) < 0)
                        continue;
                record(to, &request);
                react(fd, a, &request);
        }
}

void fake_agent_start(FakeAgent *a, const char *dir) {
        int listener, requests[2];

        ck_assert_int_lt(snprintf(a->socket, sizeof(a->socket), "%s/agent.sock", dir), (int) sizeof(a->socket));
        ck_assert_int_eq(wire_listen(a->socket, SOCK_SEQPACKET, 0600, &listener, NULL), 0);
        ck_assert_int_eq(pipe2(requests, O_CLOEXEC | O_NONBLOCK), 0);
        a->pid = fork();
        ck_assert_int_ge(a->pid, 0);
        if (a->pid == 0)
                serve(a, listener, requests[1]);
        (void) close(listener);
        (void) close(requests[1]);
        a->requests = requests[0];
}

void fake_agent_stop(FakeAgent *a) {
        ck_assert_int_eq(kill(a->pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(a->pid, NULL, 0), a->pid);
        (void) close(a->requests);
        (void) unlink(a->socket);
}

ssize_t fake_agent_next_request(FakeAgent *a, uint16_t *ret_type, void *body, size_t size) {
        uint8_t head[4];
        size_t n;

        if (read(a->requests, head, sizeof(head)) != sizeof(head))
                return -1;
        n = load_le16(head + 2);
        ck_assert_uint_le(n, size);
        ck_assert_int_eq(read(a->requests, body, n), (ssize_t) n);
        *ret_type = load_le16(head);
        return (ssize_t) n;
}
