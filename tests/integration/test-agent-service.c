/* SPDX-License-Identifier: Apache-2.0 */
/* snp-agentd as a service: sockets from outside, reload, stop, command line. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/wire/wire.h"
#include "tests/integration/machine.h"
#include "tests/integration/spawn.h"
#include "tests/unit/unit.h"

/* Linux 6.16 and later; not in the headers of Debian 12. */
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

static Machine m;

static void start(void) {
        machine_start(&m, "");
}

static void stop(void) {
        machine_stop(&m);
}

static void expect_resource(const char *target, long want) {
        AUTO_REPLY Reply r = machine_rest(&m, target, NULL);

        ck_assert_msg(r.status == want, "%s: %ld %.*s", target, r.status, (int) r.body.size, (const char *) r.body.data);
}

static void reload(void) {
        ck_assert_int_eq(kill(m.agent.pid, SIGHUP), 0);
        daemon_wait_notify(&m.agent, "RELOADING=1");
        daemon_wait_notify(&m.agent, "MONOTONIC_USEC=");
        daemon_wait_notify(&m.agent, "READY=1");
}

START_TEST(reload_brings_new_rules_and_drops_old_ones) {
        expect_resource("/v1/resource/default/app/own", 200);
        expect_resource("/v1/resource/default/app/more", 403);
        machine_broker_put(&m, "default/app/more", "more");
        machine_configure(&m, "[Secret more]\nResource=default/app/more\nUser=0\n[Secret own]\nUser=4242\n");
        reload();
        expect_resource("/v1/resource/default/app/more", 200);
        expect_resource("/v1/resource/default/app/own", 403);
}
END_TEST

START_TEST(bad_configuration_keeps_the_old_one) {
        static const char *const bad[] = {
                "[Secret more]\nResource=default/app/more\nUser=0\nUzer=1\n",
                "[Broker]\nCA=/no/such/file.pem\n",
                "[Trust]\nTestRoot=/no/such/file.pem\n",
                "[Trust]\nTestRoot=/etc/passwd\n",
        };

        for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
                machine_configure(&m, bad[i]);
                reload();
                expect_resource("/v1/resource/default/app/own", 200);
                expect_resource("/v1/resource/default/app/more", 403);
        }
        daemon_wait_log(&m.agent, "The new configuration is refused, the old one stays: ");
        daemon_wait_log(&m.agent, "/agent.conf.d/more.conf:4: unknown key Uzer=");
        daemon_wait_notify(&m.agent, "STATUS=trust: TEST ROOT.");
}
END_TEST

START_TEST(request_under_way_survives_a_reload) {
        AUTO_WIRE_MESSAGE WireMessage answer = {};
        AUTO_FD int fd = -1;
        Error e = {};
        int r;

        machine_broker_control(&m, "auth slow 1000 x1\n");
        ck_assert_int_eq(wire_connect(m.agent_socket, deadline_never(), &fd, &e), 0);
        ck_assert_int_eq(wire_send(fd, WIRE_RESOURCE, "default/app/own", 15, &e), 0);
        machine_configure(&m, "[Secret own]\nUser=4242\n");
        /* It is under way as soon as anything that came later is answered. */
        expect_resource("/v1/status", 200);
        reload();
        expect_resource("/v1/resource/default/app/own", 403);
        do
                r = wire_recv(fd, &answer, &e);
        while (r == -EAGAIN && deadline_sleep(deadline_never(), USEC_PER_MSEC) == 0);
        ck_assert_int_eq(r, 0);
        ck_assert_uint_eq(answer.type, WIRE_RESOURCE | WIRE_ANSWER);
        ck_assert_mem_eq(answer.body.data, "for root alone", 14);
}
END_TEST

START_TEST(end_of_a_session_is_told) {
        FixtureOptions options = FIXTURE_DEFAULTS;
        Error e = {};

        options.session_seconds = options.token_seconds = 1;
        ck_assert_int_eq(fixture_restart(&m.broker, &options, &e), 0);
        machine_configure(&m, "");
        reload();
        expect_resource("/v1/resource/default/app/own", 200);
        daemon_wait_notify(&m.agent, "STATUS=trust: TEST ROOT. Attested to https://");
        daemon_wait_notify(&m.agent, "STATUS=trust: TEST ROOT. Ready; the last session with https://");
}
END_TEST

START_TEST(stop_cancels_what_is_under_way) {
        AUTO_FD int fd = -1;
        Error e = {};

        machine_broker_control(&m, "auth slow 5000\n");
        ck_assert_int_eq(wire_connect(m.agent_socket, deadline_never(), &fd, &e), 0);
        ck_assert_int_eq(wire_send(fd, WIRE_RESOURCE, "default/app/own", 15, &e), 0);
        expect_resource("/v1/status", 200);
        ck_assert_int_eq(kill(m.agent.pid, SIGTERM), 0);
        daemon_wait_notify(&m.agent, "STOPPING=1");
        ck_assert_int_eq(daemon_wait_exit(&m.agent), 0);
        ck_assert_int_eq(access(m.agent_socket, F_OK), -1);
        ck_assert_int_eq(access(m.rest_socket, F_OK), -1);
}
END_TEST

/* Both ends of a TCP connection whose close blocks for a minute: nobody reads, and what was written lingers. */
static void open_lingering(int fds[static 2]) {
        static const struct linger minute = { .l_onoff = 1, .l_linger = 60 };
        struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        AUTO_FD int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        static const char filler[65536];
        socklen_t n = sizeof(sa);

        ck_assert_int_eq(bind(listener, (struct sockaddr *) &sa, sizeof(sa)), 0);
        ck_assert_int_eq(listen(listener, 1), 0);
        ck_assert_int_eq(getsockname(listener, (struct sockaddr *) &sa, &n), 0);
        fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(connect(fds[0], (struct sockaddr *) &sa, sizeof(sa)), 0);
        fds[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        ck_assert_int_ge(fds[1], 0);
        while (send(fds[0], filler, sizeof(filler), MSG_DONTWAIT) > 0)
                ;
        ck_assert_int_eq(setsockopt(fds[0], SOL_SOCKET, SO_LINGER, &minute, sizeof(minute)), 0);
}

/* False where the kernel cannot refuse it. */
static bool send_with_descriptor(int fd, const char *text, int passed) {
        union {
                struct cmsghdr header;
                char room[CMSG_SPACE(sizeof(int))];
        } control = { .header = { .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS } };
        char bytes[64];
        struct iovec iov = { .iov_base = bytes, .iov_len = strlen(text) };
        struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };

        (void) memcpy(bytes, text, iov.iov_len);
        (void) memcpy(CMSG_DATA(&control.header), &passed, sizeof(passed));
        return sendmsg(fd, &msg, MSG_NOSIGNAL) < 0;
}

START_TEST(passed_descriptor_does_not_stop_the_loop) {
        int probe = 0, lingering[2];
        socklen_t n = sizeof(probe);
        AUTO_FD int wire = -1, rest = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_un sa = { .sun_family = AF_UNIX };
        Error e = {};

        if (getsockopt(rest, SOL_SOCKET, SO_PASSRIGHTS, &probe, &n) < 0)
                return; /* before Linux 6.16 nothing can be done */
        (void) snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", m.rest_socket);
        ck_assert_int_eq(connect(rest, (struct sockaddr *) &sa, sizeof(sa)), 0);
        ck_assert_int_eq(wire_connect(m.agent_socket, deadline_never(), &wire, &e), 0);
        open_lingering(lingering);
        ck_assert(send_with_descriptor(wire, "anything", lingering[0]));
        ck_assert(send_with_descriptor(rest, "GET / HTTP/1.1\r\n", lingering[0]));
        (void) close(lingering[1]); /* first: else the other's close would take its minute here */
        (void) close(lingering[0]);
        expect_resource("/v1/status", 200);
}
END_TEST

START_TEST(sockets_from_outside_are_used_and_kept) {
        AUTO_FD int agent = -1, rest = -1;
        Error e = {};

        ck_assert_int_eq(daemon_stop(&m.agent), 0);
        ck_assert_int_eq(wire_listen(m.agent_socket, SOCK_SEQPACKET, 0600, &agent, &e), 0);
        ck_assert_int_eq(wire_listen(m.rest_socket, SOCK_STREAM, 0600, &rest, &e), 0);
        m.agent.n_sockets = 2;
        m.agent.sockets[0] = (DaemonSocket){ .name = "rest", .fd = rest };
        m.agent.sockets[1] = (DaemonSocket){ .name = "agent", .fd = agent };
        daemon_start(&m.agent);
        expect_resource("/v1/resource/default/app/own", 200);
        ck_assert_int_eq(daemon_stop(&m.agent), 0);
        ck_assert_int_eq(access(m.agent_socket, F_OK), 0);
        ck_assert_int_eq(access(m.rest_socket, F_OK), 0);
}
END_TEST

START_TEST(socket_of_the_wrong_type_is_refused) {
        AUTO_FD int wrong = -1;
        Error e = {};

        ck_assert_int_eq(daemon_stop(&m.agent), 0);
        ck_assert_int_eq(wire_listen(m.agent_socket, SOCK_STREAM, 0600, &wrong, &e), 0);
        m.agent.n_sockets = 1;
        m.agent.sockets[0] = (DaemonSocket){ .name = "agent", .fd = wrong };
        daemon_spawn(&m.agent);
        ck_assert_int_eq(daemon_wait_exit(&m.agent), 1);
        daemon_wait_log(&m.agent, "not a listening AF_UNIX socket of the right type");
}
END_TEST

START_TEST(without_a_rest_socket_there_is_no_such_door) {
        ck_assert_int_eq(daemon_stop(&m.agent), 0);
        machine_configure(&m, "[Agent]\nRestSocket=none\n");
        daemon_start(&m.agent);
        ck_assert_int_eq(access(m.agent_socket, F_OK), 0);
        ck_assert_int_eq(access(m.rest_socket, F_OK), -1);
}
END_TEST

START_TEST(bad_configuration_at_the_start_is_the_end) {
        ck_assert_int_eq(daemon_stop(&m.agent), 0);
        machine_configure(&m, "[Agent]\nMaxRequests=0\n");
        daemon_spawn(&m.agent);
        ck_assert_int_eq(daemon_wait_exit(&m.agent), 1);
        daemon_wait_log(&m.agent, "/agent.conf.d/more.conf:2: MaxRequests=");
}
END_TEST

START_TEST(watchdog_is_fed) {
        ck_assert_int_eq(daemon_stop(&m.agent), 0);
        m.agent.env[0] = "WATCHDOG_USEC=200000";
        daemon_start(&m.agent);
        for (int i = 0; i < 3; i++)
                daemon_wait_notify(&m.agent, "WATCHDOG=1");
}
END_TEST

static const char *program_path(const char *name) {
        static char path[512];

        (void) snprintf(path, sizeof(path), "%s/%s", getenv("SNP_TEST_BUILD"), name);
        return path;
}

START_TEST(both_daemons_know_the_usual_options) {
        static const char *const programs[] = { "agent/snp-agentd", "agent/attester/snp-attesterd" };
        const char *path = program_path(programs[_i]);
        AUTO_SPAWN_RESULT SpawnResult help = spawn_run(&(Spawn){ .argv = { path, "--help" } });
        AUTO_SPAWN_RESULT SpawnResult version = spawn_run(&(Spawn){ .argv = { path, "--version" } });
        AUTO_SPAWN_RESULT SpawnResult unknown = spawn_run(&(Spawn){ .argv = { path, "--nonsense" } });
        AUTO_SPAWN_RESULT SpawnResult argument = spawn_run(&(Spawn){ .argv = { path, "argument" } });
        AUTO_SPAWN_RESULT SpawnResult absent = spawn_run(&(Spawn){ .argv = { path, "--config=/no/such/file" } });

        ck_assert_int_eq(help.status, 0);
        ck_assert_ptr_nonnull(strstr(help.out, "--config=FILE"));
        ck_assert_int_eq(version.status, 0);
        ck_assert_ptr_nonnull(strstr(version.out, "snp-a"));
        ck_assert_int_eq(unknown.status, 1);
        ck_assert_int_eq(argument.status, 1);
        ck_assert_int_eq(absent.status, 1);
        ck_assert_ptr_nonnull(strstr(absent.err, "/no/such/file"));
}
END_TEST

int main(void) {
        Suite *s = suite_create("agent-service");
        TCase *service = tcase_create("service"), *programs = tcase_create("programs");
        const char *why = machine_unusable();

        if (why)
                return unit_skip(why);
        machine_platform_start();
        tcase_add_checked_fixture(service, start, stop);
        tcase_add_test(service, reload_brings_new_rules_and_drops_old_ones);
        tcase_add_test(service, bad_configuration_keeps_the_old_one);
        tcase_add_test(service, request_under_way_survives_a_reload);
        tcase_add_test(service, end_of_a_session_is_told);
        tcase_add_test(service, stop_cancels_what_is_under_way);
        tcase_add_test(service, passed_descriptor_does_not_stop_the_loop);
        tcase_add_test(service, sockets_from_outside_are_used_and_kept);
        tcase_add_test(service, socket_of_the_wrong_type_is_refused);
        tcase_add_test(service, without_a_rest_socket_there_is_no_such_door);
        tcase_add_test(service, bad_configuration_at_the_start_is_the_end);
        tcase_add_test(service, watchdog_is_fed);
        suite_add_tcase(s, service);
        tcase_add_loop_test(programs, both_daemons_know_the_usual_options, 0, 2);
        suite_add_tcase(s, programs);
        return machine_platform_stop(unit_run(s));
}
