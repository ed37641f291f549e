/* SPDX-License-Identifier: Apache-2.0 */

/* snp-test-broker and snp-test-proxy as programs: options, readiness, the way they end. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/deadline.h"
#include "base/file.h"
#include "tests/broker/fixture.h"
#include "tests/broker/guest.h"
#include "tests/simulator/harness.h"
#include "tests/unit/unit.h"

#define WAIT_USEC (20 * USEC_PER_SEC)
#define N_ARGS 24
#define OUTPUT_MAX 8192

static SimPki *pki;
static BrokerFixture fixture; /* for its files; its own broker only lends them */
static char broker_program[FIXTURE_PATH_MAX], proxy_program[FIXTURE_PATH_MAX];
static char paths[8][FIXTURE_PATH_MAX];

static const char *path(int slot, const char *name) {
        fixture_path(&fixture, name, paths[slot]);
        return paths[slot];
}

static void begin(void) {
        Error e = {};
        int r = fixture_open(pki, &fixture, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
}

static void end(void) {
        fixture_done(&fixture);
}

typedef struct Running {
        pid_t pid;
        int out; /* standard output and error of the program; end of file once it is gone */
} Running;

static Running start(const char *const *argv) {
        int fds[2];
        pid_t pid;

        ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                const char *args[N_ARGS + 1] = {};

                for (size_t i = 0; i < N_ARGS && argv[i]; i++)
                        args[i] = argv[i];
                (void) dup2(fds[1], STDOUT_FILENO);
                (void) dup2(fds[1], STDERR_FILENO);
                (void) execv(args[0], (char *const *) (uintptr_t) args); /* execv changes none of them */
                _exit(127);
        }
        (void) close(fds[1]);
        return (Running){ .pid = pid, .out = fds[0] };
}

/* Up to the first line's end, or to end of file. Fails the test when nothing comes. */
static void read_line(int fd, char *ret, size_t size) {
        Deadline deadline = deadline_in(WAIT_USEC);
        struct pollfd p = { .fd = fd, .events = POLLIN };
        size_t n = 0;
        ssize_t got = 1;

        while (got > 0 && n < size - 1 && !memchr(ret, '\n', n)) {
                ck_assert_int_gt(poll(&p, 1, deadline_poll_msec(deadline)), 0);
                got = read(fd, ret + n, size - 1 - n);
                n += got > 0 ? (size_t) got : 0;
        }
        ret[n] = 0;
}

static void read_to_end(int fd) {
        char line[OUTPUT_MAX];

        do
                read_line(fd, line, sizeof(line));
        while (line[0]);
}

static unsigned read_port(int fd) {
        char line[OUTPUT_MAX];
        unsigned port = 0;

        read_line(fd, line, sizeof(line));
        ck_assert_msg(sscanf(line, "listening %u\n", &port) == 1, "%s", line);
        return port;
}

/* Exit status; 128 and more for a signal. */
static int finish(Running *r) {
        int status;

        read_to_end(r->out);
        ck_assert_int_eq(waitpid(r->pid, &status, 0), r->pid);
        (void) close(r->out);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void fill_broker_arguments(const char **argv) {
        const char *const args[] = {
                broker_program, "--cert", path(0, "tls/server.pem"), "--key", path(1, "tls/server.key"),
                "--trust-root", path(2, "root.pem"), "--chain", path(3, "chain.pem"),
                "--resources", path(4, "resources"), "--policy", path(5, "policy"), "--log",
                path(6, "program-log"), NULL,
        };

        (void) memcpy(argv, args, sizeof(args));
}

static const char **append(const char **argv, const char *arg) {
        const char **p = argv;

        while (*p)
                p++;
        *p = arg;
        p[1] = NULL;
        return argv;
}

static Guest open_guest(unsigned port) {
        Guest guest = {};
        char url[64];
        Error e = {};
        int r;

        (void) snprintf(url, sizeof(url), "https://127.0.0.1:%u", port);
        r = guest_open(url, fixture.ca_file, GUEST_P256, &guest, &e);
        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        return guest;
}

static void expect_handshake(Guest *guest, long status) {
        SimReport report = sim_report_defaults(pki);
        AUTO_GUEST_ANSWER GuestAnswer a = {};
        Error e = {};
        int r = guest_handshake(guest, pki, &report, &a, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        ck_assert_int_eq(a.status, status);
}

static const int signals[] = { SIGTERM, SIGINT };

START_TEST(the_broker_serves_until_it_is_told_to_end) {
        const char *argv[N_ARGS] = {};
        Running broker;
        Guest guest;

        fill_broker_arguments(argv);
        broker = start(argv);
        guest = open_guest(read_port(broker.out));
        expect_handshake(&guest, 200);
        ck_assert_int_eq(kill(broker.pid, signals[_i]), 0); /* with the guest's connection still open */
        ck_assert_int_eq(finish(&broker), EXIT_SUCCESS);
        guest_done(&guest);
        ck_assert_uint_eq(fixture_count_log(&fixture, "program-log", "start port=", "trust=test-root"), 1);
        ck_assert_uint_eq(fixture_count_log(&fixture, "program-log", "decision=attest verdict=allow", NULL), 1);
} END_TEST

START_TEST(readiness_can_go_to_a_descriptor) {
        const char *argv[N_ARGS] = {};
        char number[16];
        Running broker;
        int fds[2];
        unsigned port;

        ck_assert_int_eq(pipe(fds), 0);
        (void) snprintf(number, sizeof(number), "%d", fds[1]);
        fill_broker_arguments(argv);
        (void) append(append(argv, "--ready-fd"), number);
        broker = start(argv);
        (void) close(fds[1]);
        port = read_port(fds[0]);
        ck_assert_uint_gt(port, 0);
        read_to_end(fds[0]); /* closed by the broker, which lives on */
        ck_assert_int_eq(kill(broker.pid, SIGTERM), 0);
        ck_assert_int_eq(finish(&broker), EXIT_SUCCESS);
        (void) close(fds[0]);
} END_TEST

START_TEST(the_broker_ends_with_its_parent_when_asked_to) {
        const char *argv[N_ARGS] = {};
        pid_t parent;
        int fds[2], status;

        fill_broker_arguments(argv);
        (void) append(argv, "--die-with-parent");
        ck_assert_int_eq(pipe(fds), 0);
        parent = fork();
        ck_assert_int_ge(parent, 0);
        if (parent == 0) { /* starts a broker, waits until it serves, and is gone */
                Running broker = start(argv);
                unsigned port = read_port(broker.out);

                (void) port;
                /* The broker holds a copy of fds[1]: end of file at fds[0] means that it has ended. */
                _exit(0);
        }
        (void) close(fds[1]);
        ck_assert_int_eq(waitpid(parent, &status, 0), parent);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        read_to_end(fds[0]);
        (void) close(fds[0]);
} END_TEST

START_TEST(the_proxy_passes_on_and_then_replays) {
        const char *argv[N_ARGS] = {
                proxy_program, "--cert", path(0, "tls/proxy.pem"), "--key", path(1, "tls/proxy.key"), "--upstream",
                fixture.url, "--ca", fixture.ca_file, "--mode", "replay-evidence", "--log", path(2, "proxy-log"),
        };
        Running proxy = start(argv);
        Guest guest = open_guest(read_port(proxy.out));

        expect_handshake(&guest, 200);
        expect_handshake(&guest, 401);
        guest_done(&guest);
        ck_assert_int_eq(kill(proxy.pid, SIGTERM), 0);
        ck_assert_int_eq(finish(&proxy), EXIT_SUCCESS);
        ck_assert_uint_eq(fixture_count_log(&fixture, "log", "decision=attest verdict=deny", "reason=stale-nonce"), 1);
} END_TEST

START_TEST(a_policy_that_is_not_understood_keeps_the_broker_from_starting) {
        const char *argv[N_ARGS] = {};
        char line[OUTPUT_MAX];
        Running broker;

        ck_assert_int_eq(fixture_write_text(&fixture, "policy", "[evidence]\nmeasurment = any\n", NULL), 0);
        fill_broker_arguments(argv);
        broker = start(argv);
        read_line(broker.out, line, sizeof(line));
        ck_assert_msg(strstr(line, "policy:2: not understood") != NULL, "%s", line);
        ck_assert_int_eq(finish(&broker), EXIT_FAILURE);
} END_TEST

static const struct {
        const char *why, *args[4];
        int status;
} usages[] = {
        { "nothing", { broker_program }, 2 },
        { "unknown option", { broker_program, "--fast" }, 2 },
        { "a stray word", { broker_program, "--help", "--listen" }, 2 },
        { "help", { broker_program, "--help" }, 0 },
        { "a number that is none", { broker_program, "--token-seconds", "soon" }, 2 },
        { "no directory to make", { broker_program, "--make-tls", "/nonexistent/tls" }, 1 },
        { "proxy: nothing", { proxy_program }, 2 },
        { "proxy: unknown mode", { proxy_program, "--mode", "attack" }, 2 },
        { "proxy: help", { proxy_program, "--help" }, 0 },
};

START_TEST(wrong_usage_is_told_by_the_exit_status) {
        Running program = start(usages[_i].args);
        int status = finish(&program);

        ck_assert_msg(status == usages[_i].status, "%s: %d", usages[_i].why, status);
} END_TEST

int main(void) {
        Suite *s = suite_create("broker");
        TCase *c = tcase_create("programs");
        const char *build = getenv("SNP_TEST_BUILD");
        char dir[SIM_PATH_MAX];
        Error e = {};
        int r;

        (void) snprintf(broker_program, sizeof(broker_program), "%s/tests/broker/snp-test-broker", build ? build : ".");
        (void) snprintf(proxy_program, sizeof(proxy_program), "%s/tests/broker/snp-test-proxy", build ? build : ".");
        sim_test_pki(SIM_GENOA, dir);
        r = sim_pki_load(dir, &pki, &e);
        if (r < 0) {
                (void) fprintf(stderr, "%s\n", error_text(&e, r));
                return EXIT_FAILURE;
        }
        tcase_add_checked_fixture(c, begin, end);
        tcase_add_loop_test(c, the_broker_serves_until_it_is_told_to_end, 0, N_ELEMENTS(signals));
        tcase_add_test(c, readiness_can_go_to_a_descriptor);
        tcase_add_test(c, the_broker_ends_with_its_parent_when_asked_to);
        tcase_add_test(c, the_proxy_passes_on_and_then_replays);
        tcase_add_test(c, a_policy_that_is_not_understood_keeps_the_broker_from_starting);
        tcase_add_loop_test(c, wrong_usage_is_told_by_the_exit_status, 0, N_ELEMENTS(usages));
        suite_add_tcase(s, c);
        r = unit_run(s);
        sim_pki_free(pki);
        return r;
}
