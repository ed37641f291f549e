/* SPDX-License-Identifier: Apache-2.0 */
/* snp-agentd under a crowd: what many clients ask for, for themselves, never keeps root's disk shut. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/wire/bodies.h"
#include "tests/integration/machine.h"
#include "tests/unit/unit.h"

#define CROWD 40

static Machine m;

static void start(void) {
        machine_start(&m, "");
}

static void stop(void) {
        machine_stop(&m);
}

static int connect_wire(void) {
        Error e = {};
        int fd = -1, r = wire_connect(m.agent_socket, deadline_in(30 * USEC_PER_SEC), &fd, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        return fd;
}

static int connect_rest(void) {
        struct sockaddr_un sa = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        (void) strcpy(sa.sun_path, m.rest_socket);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(connect(fd, (struct sockaddr *) &sa, sizeof(sa)), 0);
        return fd;
}

static int send_status_request(void) {
        int fd = connect_wire();

        ck_assert_int_eq(wire_send(fd, WIRE_STATUS, NULL, 0, NULL), 0);
        return fd;
}

static int send_evidence_request(void) {
        static const char text[] = "GET /v1/evidence?nonce=AAAA HTTP/1.1\r\nHost: x\r\n\r\n";
        int fd = connect_rest();

        ck_assert_int_eq(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
        return fd;
}

static int send_volume_request(void) {
        static const char uuid[] = MACHINE_UUID, token[] = MACHINE_TOKEN, cipher[] = "aes-xts-plain64";
        const WireVolumeRequest q = {
                .uuid = { uuid, sizeof(uuid) - 1 },
                .token = { token, sizeof(token) - 1 },
                .cipher = { cipher, sizeof(cipher) - 1 },
        };
        AUTO_BLOB Blob body = {};
        int fd = connect_wire();

        ck_assert_int_eq(wire_volume_request_encode(&q, &body), 0);
        ck_assert_int_eq(wire_send(fd, WIRE_VOLUME_KEY, body.data, body.size, NULL), 0);
        return fd;
}

static void expect_volume_key(int fd) {
        AUTO_WIRE_MESSAGE WireMessage answer = {};
        struct pollfd p = { .fd = fd, .events = POLLIN };
        Error e = {};

        ck_assert_int_eq(poll(&p, 1, 20000), 1);
        ck_assert_msg(wire_recv(fd, &answer, &e) == 0, "%s", e.text);
        if (answer.type == WIRE_ERROR)
                (void) wire_error_parse(answer.body.data, answer.body.size, &e);
        ck_assert_msg(answer.type == (WIRE_VOLUME_KEY | WIRE_ANSWER), "%s", e.text);
}

static void become(uid_t uid) {
        ck_assert_int_eq(seteuid(0), 0);
        ck_assert_int_eq(seteuid(uid), 0);
}

static void close_all(const int *fds, size_t n) {
        for (size_t i = 0; i < n; i++)
                (void) close(fds[i]);
}

static int (*const questions[])(void) = { send_status_request, send_evidence_request };

/* The attester stands still until all have asked: whoever comes last finds the queue as long as it gets. */
START_TEST(questions_of_others_leave_the_attester_to_the_disk) {
        struct pollfd p = { .events = POLLIN };
        int fds[CROWD];

        ck_assert_int_eq(kill(m.attester.pid, SIGSTOP), 0);
        for (size_t i = 0; i < N_ELEMENTS(fds); i++)
                fds[i] = questions[_i]();
        p.fd = send_volume_request();
        (void) poll(&p, 1, 500); /* a refusal would come at once */
        ck_assert_int_eq(kill(m.attester.pid, SIGCONT), 0);
        expect_volume_key(p.fd);
        (void) close(p.fd);
        close_all(fds, N_ELEMENTS(fds));
}
END_TEST

static int (*const doors[])(void) = { connect_wire, connect_rest };

/* Each user has less than half of the connections, but there are many users. */
START_TEST(connections_of_many_users_leave_room_for_root) {
        int fds[4 * CROWD], fd;

        if (geteuid() != 0)
                return; /* only root can become others */
        for (size_t i = 0; i < N_ELEMENTS(fds); i++) {
                become(MACHINE_STRANGER + (uid_t) i / (CROWD - 4));
                fds[i] = doors[_i]();
        }
        become(0);
        if (_i == 0) {
                fd = send_volume_request();
                expect_volume_key(fd);
                (void) close(fd);
        } else {
                AUTO_REPLY Reply r = machine_rest(&m, "/v1/resource/default/app/own", &(Call){ .timeout_msec = 2000 });

                ck_assert_int_eq(r.status, 200);
        }
        close_all(fds, N_ELEMENTS(fds));
}
END_TEST

int main(void) {
        Suite *s = suite_create("agent-crowd");
        TCase *tc = tcase_create("crowd");
        const char *why = machine_unusable();

        if (why)
                return unit_skip(why);
        machine_platform_start();
        tcase_add_checked_fixture(tc, start, stop);
        tcase_add_loop_test(tc, questions_of_others_leave_the_attester_to_the_disk, 0, N_ELEMENTS(questions));
        tcase_add_loop_test(tc, connections_of_many_users_leave_room_for_root, 0, N_ELEMENTS(doors));
        suite_add_tcase(s, tc);
        return machine_platform_stop(unit_run(s));
}
