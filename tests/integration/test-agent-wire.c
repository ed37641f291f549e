/* SPDX-License-Identifier: Apache-2.0 */
/* snp-agentd's door for the token plugin and snpctl, with everything around it. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/wire/bodies.h"
#include "base/json.h"
#include "tests/integration/machine.h"
#include "tests/unit/unit.h"

static Machine m;

static void start(void) {
        machine_start(&m, "");
}

static void start_small(void) {
        machine_start(&m, "[Agent]\nMaxRequests=1\n");
}

static void start_impatient(void) {
        machine_start(&m, "[Broker]\nRequestTimeout=1s\nDeadline=2s\n");
}

static void stop(void) {
        machine_stop(&m);
}

static Deadline soon(void) {
        return deadline_in(30 * USEC_PER_SEC);
}

static int connect_agent(void) {
        Error e = {};
        int fd = -1, r = wire_connect(m.agent_socket, soon(), &fd, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        return fd;
}

static WireText text_of(const char *s) {
        return (WireText){ .text = s, .len = strlen(s) };
}

static Blob volume_body(const char *uuid, const char *token, const char *cipher) {
        WireVolumeRequest q = { .uuid = text_of(uuid), .device = text_of("/dev/vda2"), .token = text_of(token),
                                .cipher = text_of(cipher) };
        Blob b = {};

        ck_assert_int_eq(wire_volume_request_encode(&q, &b), 0);
        return b;
}

static int ask_volume(const char *uuid, const char *token, const char *cipher, Secret *ret, Error *e) {
        AUTO_BLOB Blob body = volume_body(uuid, token, cipher);
        AUTO_FD int fd = connect_agent();

        return wire_call_secret(fd, WIRE_VOLUME_KEY, body.data, body.size, soon(), ret, e);
}

static int ask_resource(const char *path, Secret *ret, Error *e) {
        AUTO_FD int fd = connect_agent();

        return wire_call_secret(fd, WIRE_RESOURCE, path, strlen(path), soon(), ret, e);
}

START_TEST(volume_key_is_what_the_broker_keeps) {
        for (int i = 0; i < 2; i++) {
                AUTO_SECRET Secret s = {};
                Error e = {};
                int r = ask_volume(MACHINE_UUID, MACHINE_TOKEN, "aes-xts-plain64", &s, &e);

                ck_assert_msg(r == 0, "%s", error_text(&e, r));
                ck_assert_uint_eq(s.len, strlen(FIXTURE_SECRET));
                ck_assert_mem_eq(s.bytes, FIXTURE_SECRET, s.len);
        }
        daemon_wait_log(&m.agent, "Released volume 'root', resource " FIXTURE_RESOURCE " to process");
        ck_assert(!daemon_log_has(&m.agent, "passphrase"));
        /* One handshake did for both, and the broker saw it so too. */
        ck_assert_uint_eq(fixture_count_log(&m.broker, "log", "decision=attest verdict=allow", NULL), 1);
}
END_TEST

static const struct {
        const char *why, *uuid, *token, *cipher;
        int want;
        const char *reason;
} refusals[] = {
        { "another volume", "2ab0b1c4-0d4a-4a3f-9f3e-0f7f5f9f2b11", MACHINE_TOKEN, "aes-xts-plain64", -EPERM,
          "volume-unknown" },
        { "token that points elsewhere", MACHINE_UUID, "{\"resource\":\"default/app/own\"}", "aes-xts-plain64", -EPERM,
          "token-mismatch" },
        { "null cipher", MACHINE_UUID, MACHINE_TOKEN, "cipher_null-ecb", -EPERM, "cipher-refused" },
        { "broken token", MACHINE_UUID, "{", "aes-xts-plain64", -EBADMSG, NULL },
};

START_TEST(volume_key_is_refused_without_a_word_to_the_broker) {
        for (size_t i = 0; i < N_ELEMENTS(refusals); i++) {
                Secret s = {};
                Error e = {};
                int r = ask_volume(refusals[i].uuid, refusals[i].token, refusals[i].cipher, &s, &e);

                ck_assert_msg(r == refusals[i].want, "%s: %d %s", refusals[i].why, r, e.text);
                if (refusals[i].reason)
                        ck_assert_str_eq(e.reason, refusals[i].reason);
                ck_assert_ptr_null(s.bytes);
        }
        daemon_wait_log(&m.agent, "Denied volume");
        ck_assert_uint_eq(fixture_count_log(&m.broker, "log", "decision=auth", NULL), 0);
}
END_TEST

/* In a child that has become somebody else; the negated result of @ask. */
static int as_stranger(int (*ask)(void)) {
        pid_t pid = fork();
        int status;

        ck_assert_int_ge(pid, 0);
        if (pid == 0)
                _exit(setgid(MACHINE_STRANGER) < 0 || setuid(MACHINE_STRANGER) < 0 ? 255 : -ask());
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status));
        return -WEXITSTATUS(status);
}

static int stranger_volume(void) {
        Secret s = {};

        return ask_volume(MACHINE_UUID, MACHINE_TOKEN, "aes-xts-plain64", &s, NULL);
}

static int stranger_resource(void) {
        Secret s = {};

        return ask_resource("default/app/own", &s, NULL);
}

static int ask_text(uint16_t type, Blob *ret, Error *e) {
        AUTO_FD int fd = connect_agent();

        return wire_call(fd, type, NULL, 0, soon(), ret, e);
}

static int stranger_attest(void) {
        AUTO_BLOB Blob b = {};

        return ask_text(WIRE_ATTEST, &b, NULL);
}

static int stranger_status(void) {
        AUTO_BLOB Blob b = {};

        return ask_text(WIRE_STATUS, &b, NULL);
}

START_TEST(strangers_get_nothing_but_the_status) {
        if (geteuid() != 0)
                return; /* only root can become others */
        ck_assert_int_eq(as_stranger(stranger_volume), -EPERM);
        ck_assert_int_eq(as_stranger(stranger_resource), -EPERM);
        ck_assert_int_eq(as_stranger(stranger_attest), -EPERM);
        ck_assert_int_eq(as_stranger(stranger_status), 0);
        ck_assert_uint_eq(fixture_count_log(&m.broker, "log", "decision=auth", NULL), 0);
        daemon_wait_log(&m.agent, "Volume keys are for root, not for user 12345");
}
END_TEST

START_TEST(resource_is_given_by_its_rule) {
        AUTO_SECRET Secret s = {};
        Secret none = {};
        Error e = {};
        int r = ask_resource("default/app/own", &s, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        ck_assert_uint_eq(s.len, 14);
        ck_assert_mem_eq(s.bytes, "for root alone", 14);
        ck_assert_int_eq(ask_resource("default/app/others", &none, NULL), -EPERM);
        ck_assert_int_eq(ask_resource(FIXTURE_RESOURCE, &none, NULL), -EPERM);
        ck_assert_int_eq(ask_resource("default/app", &none, NULL), -EBADMSG);
        ck_assert_int_eq(ask_resource("", &none, NULL), -EBADMSG);
        ck_assert_int_eq(ask_resource("default/app/absent", &none, NULL), -ENOENT);
}
END_TEST

static uint64_t handshakes_in(const Blob *status) {
        AUTO_JSON json_object *o = NULL;
        json_object *broker;
        uint64_t n = 0;
        Error e = {};

        ck_assert_msg(json_parse(status->data, status->size, "status", &o, &e) == 0, "%s", e.text);
        ck_assert_int_eq(json_get_obj(o, "broker", &broker, &e), 0);
        ck_assert_int_eq(json_get_u64(broker, "handshakes", 1000, &n, &e), 0);
        return n;
}

START_TEST(each_attest_is_a_fresh_handshake) {
        for (uint64_t i = 1; i <= 3; i++) {
                AUTO_BLOB Blob b = {};
                Error e = {};
                int r = ask_text(WIRE_ATTEST, &b, &e);

                ck_assert_msg(r == 0, "%s", error_text(&e, r));
                ck_assert_uint_eq(handshakes_in(&b), i);
        }
        daemon_wait_log(&m.agent, "Attested to https://");
        daemon_wait_log(&m.agent, "Made handshake for process");
}
END_TEST

START_TEST(guest_that_the_brokers_policy_refuses_gets_no_key) {
        Secret s = {};
        Error e = {};

        machine_platform_control("measurement=" /* not what the broker's policy allows */
                                 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n");
        ck_assert_int_eq(ask_volume(MACHINE_UUID, MACHINE_TOKEN, "aes-xts-plain64", &s, &e), -EPERM);
        ck_assert_ptr_null(s.bytes);
        ck_assert_uint_gt(strlen(e.reason), 0);
        daemon_wait_log(&m.agent, "Could not give volume 'root'");
}
END_TEST

START_TEST(evidence_that_the_broker_refuses_is_told) {
        Secret s = {};
        Error e = {};

        machine_platform_control("fail=bad-signature\n");
        ck_assert_int_eq(ask_volume(MACHINE_UUID, MACHINE_TOKEN, "aes-xts-plain64", &s, &e), -EKEYREJECTED);
        ck_assert_ptr_null(s.bytes);
        daemon_wait_log(&m.agent, "Could not give volume 'root'");
}
END_TEST

START_TEST(report_over_other_data_goes_no_further) {
        Secret s = {};
        Error e = {};

        machine_platform_control("fail=wrong-report-data\n");
        ck_assert_int_lt(ask_volume(MACHINE_UUID, MACHINE_TOKEN, "aes-xts-plain64", &s, &e), 0);
        ck_assert_uint_eq(fixture_count_log(&m.broker, "log", "decision=attest", NULL), 0);
}
END_TEST

static const struct {
        uint16_t type;
        size_t size;
        int want;
} malformed[] = {
        { WIRE_VOLUME_KEY, 0, -EBADMSG },
        { WIRE_VOLUME_KEY, 7, -EBADMSG },
        { WIRE_VOLUME_KEY, 8, -EPERM }, /* four empty texts: well-formed */
        { WIRE_VOLUME_KEY, 9, -EBADMSG },
        { WIRE_RESOURCE, 1, -EBADMSG }, /* a NUL */
        { WIRE_RESOURCE, 1000, -EBADMSG },
        { WIRE_STATUS, 1, -EBADMSG },
        { WIRE_ATTEST, 1, -EBADMSG },
        { WIRE_REPORT, 72, -ECONNRESET }, /* for the attester */
        { WIRE_STATUS | WIRE_ANSWER, 0, -ECONNRESET },
        { WIRE_ERROR, 8, -ECONNRESET },
        { 0, 0, -ECONNRESET },
        { 0xffff, 0, -ECONNRESET },
};

START_TEST(malformed_request_is_refused) {
        static const uint8_t zeros[1000];

        for (size_t i = 0; i < N_ELEMENTS(malformed); i++) {
                AUTO_FD int fd = connect_agent();
                AUTO_BLOB Blob b = {};
                int r = wire_call(fd, malformed[i].type, zeros, malformed[i].size, soon(), &b, NULL);

                ck_assert_msg(r == malformed[i].want, "type 0x%04x of %zu bytes: %d", malformed[i].type, malformed[i].size,
                              r);
        }
        ck_assert_int_eq(stranger_status(), 0);
}
END_TEST

START_TEST(garbage_ends_the_connection_and_nothing_else) {
        static const char garbage[] = "GET / HTTP/1.1\r\n\r\n";
        AUTO_FD int fd = connect_agent();
        struct pollfd p = { .fd = fd, .events = POLLIN };
        char c;

        ck_assert_int_gt(send(fd, garbage, sizeof(garbage), 0), 0);
        ck_assert_int_eq(poll(&p, 1, 30000), 1);
        ck_assert_int_le(recv(fd, &c, 1, 0), 0);
        ck_assert_int_eq(stranger_status(), 0);
}
END_TEST

static char *active_requests(void) {
        AUTO_BLOB Blob b = {};
        AUTO_JSON json_object *o = NULL;
        json_object *requests, *active;
        Error e = {};

        ck_assert_int_eq(ask_text(WIRE_STATUS, &b, &e), 0);
        ck_assert_int_eq(json_parse(b.data, b.size, "status", &o, &e), 0);
        ck_assert_int_eq(json_get_obj(o, "requests", &requests, &e), 0);
        ck_assert(json_object_object_get_ex(requests, "active", &active));
        return strdup(json_object_get_string(active));
}

static void wait_for_active(const char *want) {
        Deadline deadline = soon();

        for (;;) {
                AUTO_FREE char *active = active_requests();

                if (strcmp(active, want) == 0)
                        return;
                ck_assert_msg(!deadline_expired(deadline), "%s requests stay active", active);
                (void) !deadline_sleep(deadline, 5 * USEC_PER_MSEC);
        }
}

/* A request whose answer nobody takes yet. */
static int send_volume_request(void) {
        AUTO_BLOB Blob body = volume_body(MACHINE_UUID, MACHINE_TOKEN, "aes-xts-plain64");
        int fd = connect_agent();

        ck_assert_int_eq(wire_send(fd, WIRE_VOLUME_KEY, body.data, body.size, NULL), 0);
        return fd;
}

START_TEST(client_that_leaves_frees_its_place) {
        int fd;

        machine_broker_control(&m, "auth slow 3000\n");
        fd = send_volume_request();
        wait_for_active("1");
        (void) close(fd);
        wait_for_active("0");
        daemon_wait_log(&m.agent, "The caller went away");
}
END_TEST

START_TEST(client_that_speaks_out_of_turn_is_dropped) {
        int fd;

        machine_broker_control(&m, "auth slow 3000\n");
        fd = send_volume_request();
        wait_for_active("1");
        ck_assert_int_eq(wire_send(fd, WIRE_STATUS, NULL, 0, NULL), 0);
        wait_for_active("0");
        (void) close(fd);
}
END_TEST

START_TEST(request_beyond_the_limit_is_turned_away) {
        AUTO_FD int fd = -1;
        Secret s = {};
        Error e = {};

        machine_broker_control(&m, "auth slow 3000\n");
        fd = send_volume_request();
        wait_for_active("1");
        ck_assert_int_eq(ask_resource("default/app/own", &s, &e), -EBUSY);
        ck_assert_str_eq(e.reason, "queue-full");
}
END_TEST

START_TEST(connections_beyond_the_limit_are_turned_away) {
        int fds[64];
        unsigned refused = 0;

        for (size_t i = 0; i < N_ELEMENTS(fds); i++)
                fds[i] = connect_agent();
        for (size_t i = 0; i < N_ELEMENTS(fds); i++) {
                AUTO_WIRE_MESSAGE WireMessage msg = {};
                struct pollfd p = { .fd = fds[i], .events = POLLIN };

                /* The last ones are refused at once; by then the first have been looked at. */
                if (poll(&p, 1, i < 17 ? 0 : 5000) > 0 && wire_recv(fds[i], &msg, NULL) == 0)
                        refused += msg.type == WIRE_ERROR;
        }
        ck_assert_uint_eq(refused, N_ELEMENTS(fds) - 17); /* one request, 16 to spare */
        for (size_t i = 0; i < N_ELEMENTS(fds); i++)
                (void) close(fds[i]);
        for (Deadline deadline = soon(); stranger_status() != 0;)
                ck_assert(!deadline_expired(deadline));
}
END_TEST

START_TEST(broker_that_is_down_is_asked_until_the_deadline) {
        Secret s = {};
        Error e = {};
        uint64_t before = now_monotonic_usec();

        broker_stop(TAKE_PTR(m.broker.broker));
        ck_assert_int_eq(ask_volume(MACHINE_UUID, MACHINE_TOKEN, "aes-xts-plain64", &s, &e), -ECONNREFUSED);
        ck_assert_uint_lt(now_monotonic_usec() - before, 10 * USEC_PER_SEC);
        ck_assert_ptr_null(s.bytes);
}
END_TEST

START_TEST(attester_that_died_is_asked_once_more_and_then_told) {
        Secret s = {};
        Error e = {};

        daemon_kill(&m.attester);
        ck_assert_int_eq(ask_volume(MACHINE_UUID, MACHINE_TOKEN, "aes-xts-plain64", &s, &e), -ENODEV);
        ck_assert_str_eq(e.reason, "attester-unreachable");
        e = (Error){};
        daemon_start(&m.attester);
        ck_assert_msg(ask_volume(MACHINE_UUID, MACHINE_TOKEN, "aes-xts-plain64", &s, &e) == 0, "%s", e.text);
        secret_done(&s);
}
END_TEST

/* How often @needle stands in the readable and writable memory of @pid. */
static unsigned count_in_memory(pid_t pid, const char *needle) {
        char path[64], line[512];
        unsigned found = 0;
        AUTO_FD int mem = -1;
        FILE *maps;

        (void) snprintf(path, sizeof(path), "/proc/%d/mem", (int) pid);
        mem = open(path, O_RDONLY | O_CLOEXEC);
        ck_assert_msg(mem >= 0, "cannot read the daemon's memory: %s", strerror(errno));
        (void) snprintf(path, sizeof(path), "/proc/%d/maps", (int) pid);
        maps = fopen(path, "re");
        ck_assert_ptr_nonnull(maps);
        while (fgets(line, sizeof(line), maps)) {
                unsigned long from, to;
                char rights[8];

                /* What is larger is the shadow memory of AddressSanitizer, and mostly not there. */
                if (sscanf(line, "%lx-%lx %7s", &from, &to, rights) != 3 || strncmp(rights, "rw", 2) != 0 ||
                    to - from > 1ul << 30)
                        continue;
                for (unsigned long at = from; at < to; at += 1u << 20) {
                        static char block[(1u << 20) + 64];
                        size_t want = to - at < sizeof(block) ? to - at : sizeof(block);
                        ssize_t n = pread(mem, block, want, (off_t) at);

                        for (const char *p = block; n > 0 && (p = memmem(p, (size_t) (block + n - p), needle, strlen(needle)));
                             p++)
                                found++;
                }
        }
        (void) fclose(maps);
        return found;
}

START_TEST(secret_is_gone_from_memory_once_handed_over) {
        AUTO_REPLY Reply r = {};
        AUTO_SECRET Secret s = {};
        Error e = {};

        if (geteuid() != 0)
                return; /* only root can look */
        ck_assert_int_eq(ask_volume(MACHINE_UUID, MACHINE_TOKEN, "aes-xts-plain64", &s, &e), 0);
        r = machine_rest(&m, "/v1/resource/default/app/own", NULL);
        ck_assert_int_eq(r.status, 200);
        ck_assert_int_eq(stranger_status(), 0); /* the loop has been round since */
        ck_assert_uint_gt(count_in_memory(m.agent.pid, MACHINE_UUID), 0); /* looking works */
        ck_assert_uint_eq(count_in_memory(m.agent.pid, FIXTURE_SECRET), 0);
        ck_assert_uint_eq(count_in_memory(m.agent.pid, "for root alone"), 0);
        ck_assert_uint_eq(count_in_memory(m.attester.pid, FIXTURE_SECRET), 0);
}
END_TEST

int main(void) {
        Suite *s = suite_create("agent-wire");
        TCase *usual = tcase_create("usual"), *small = tcase_create("small"), *impatient = tcase_create("impatient");
        const char *why = machine_unusable();

        if (why)
                return unit_skip(why);
        machine_platform_start();
        tcase_add_checked_fixture(usual, start, stop);
        tcase_add_test(usual, volume_key_is_what_the_broker_keeps);
        tcase_add_test(usual, volume_key_is_refused_without_a_word_to_the_broker);
        tcase_add_test(usual, strangers_get_nothing_but_the_status);
        tcase_add_test(usual, resource_is_given_by_its_rule);
        tcase_add_test(usual, each_attest_is_a_fresh_handshake);
        tcase_add_test(usual, guest_that_the_brokers_policy_refuses_gets_no_key);
        tcase_add_test(usual, evidence_that_the_broker_refuses_is_told);
        tcase_add_test(usual, report_over_other_data_goes_no_further);
        tcase_add_test(usual, malformed_request_is_refused);
        tcase_add_test(usual, garbage_ends_the_connection_and_nothing_else);
        tcase_add_test(usual, client_that_leaves_frees_its_place);
        tcase_add_test(usual, client_that_speaks_out_of_turn_is_dropped);
        tcase_add_test(usual, attester_that_died_is_asked_once_more_and_then_told);
        tcase_add_test(usual, secret_is_gone_from_memory_once_handed_over);
        suite_add_tcase(s, usual);
        tcase_add_checked_fixture(small, start_small, stop);
        tcase_add_test(small, request_beyond_the_limit_is_turned_away);
        tcase_add_test(small, connections_beyond_the_limit_are_turned_away);
        suite_add_tcase(s, small);
        tcase_add_checked_fixture(impatient, start_impatient, stop);
        tcase_add_test(impatient, broker_that_is_down_is_asked_until_the_deadline);
        suite_add_tcase(s, impatient);
        return machine_platform_stop(unit_run(s));
}
