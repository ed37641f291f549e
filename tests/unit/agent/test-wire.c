/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/wire/wire.h"
#include "base/writer.h"
#include "tests/unit/unit.h"

/* "SNPA", version 1, type 2, four bytes of body, reserved zero. */
static const uint8_t golden[] = {
        'S', 'N', 'P', 'A', 1, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0xde, 0xad, 0xbe, 0xef,
};

static Deadline soon(void) {
        return deadline_in(20 * USEC_PER_SEC);
}

static void make_pair(int fds[static 2]) {
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
}

static void close_pair(int fds[static 2]) {
        (void) close(fds[0]);
        (void) close(fds[1]);
}

/* Runs @serve on the other end of a socket pair in a child; returns our end. */
static int with_server(void (*serve)(int fd), pid_t *ret_pid) {
        int fds[2];
        pid_t pid;

        make_pair(fds);
        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                (void) close(fds[0]);
                ck_assert_int_eq(fcntl(fds[1], F_SETFL, O_RDWR), 0);
                serve(fds[1]);
                _exit(0);
        }
        (void) close(fds[1]);
        *ret_pid = pid;
        return fds[0];
}

static void end_server(int fd, pid_t pid) {
        int status;

        (void) close(fd);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void take_request(int fd, uint16_t want) {
        uint8_t buf[4096];
        AUTO_WIRE_MESSAGE WireMessage m = {};
        ssize_t n = recv(fd, buf, sizeof(buf), 0); /* blocks; wire_recv() never does */

        if (n < 0 || wire_message_parse(buf, (size_t) n, &m, NULL) < 0 || m.type != want)
                _exit(9);
}

START_TEST(header_is_encoded_as_documented) {
        AUTO_BLOB Blob b = {};

        ck_assert_int_eq(wire_message_encode(WIRE_REPORT, "\xde\xad\xbe\xef", 4, &b), 0);
        ck_assert_uint_eq(b.size, sizeof(golden));
        ck_assert_mem_eq(b.data, golden, sizeof(golden));
}
END_TEST

START_TEST(golden_message_is_parsed_field_by_field) {
        AUTO_WIRE_MESSAGE WireMessage m = {};
        Error e = {};

        ck_assert_msg(wire_message_parse(golden, sizeof(golden), &m, &e) == 0, "%s", e.text);
        ck_assert_uint_eq(m.type, WIRE_REPORT);
        ck_assert_uint_eq(m.body.size, 4);
        ck_assert_mem_eq(m.body.data, golden + 16, 4);
}
END_TEST

START_TEST(every_truncation_and_one_byte_more_are_rejected) {
        uint8_t longer[sizeof(golden) + 1] = {};

        (void) memcpy(longer, golden, sizeof(golden));
        for (size_t n = 0; n <= sizeof(longer); n++) {
                WireMessage m = { .type = 77 };
                Error e = {};

                if (n == sizeof(golden))
                        continue;
                ck_assert_msg(wire_message_parse(longer, n, &m, &e) == -EBADMSG, "%zu bytes were accepted", n);
                ck_assert_int_eq(e.code, -EBADMSG);
                ck_assert_uint_eq(m.type, 77);
        }
}
END_TEST

START_TEST(every_bit_flip_in_the_header_but_for_the_type_is_rejected) {
        for (size_t bit = 0; bit < 8 * sizeof(golden); bit++) {
                AUTO_WIRE_MESSAGE WireMessage m = {};
                uint8_t flipped[sizeof(golden)];
                bool free_field = bit / 8 == 6 || bit / 8 == 7 || bit / 8 >= WIRE_HEADER_SIZE;
                int r;

                (void) memcpy(flipped, golden, sizeof(golden));
                flipped[bit / 8] ^= (uint8_t) (1u << bit % 8);
                r = wire_message_parse(flipped, sizeof(flipped), &m, NULL);
                ck_assert_msg(r == (free_field ? 0 : -EBADMSG), "bit %zu: %d", bit, r);
        }
}
END_TEST

START_TEST(body_over_the_limit_is_not_encoded) {
        AUTO_FREE uint8_t *big = calloc(1, WIRE_BODY_MAX + 1);
        AUTO_BLOB Blob b = {};

        ck_assert_int_eq(wire_message_encode(WIRE_STATUS, big, WIRE_BODY_MAX + 1, &b), -E2BIG);
        ck_assert_ptr_null(b.data);
        ck_assert_int_eq(wire_message_encode(WIRE_STATUS, big, WIRE_BODY_MAX, &b), 0);
}
END_TEST

START_TEST(error_message_carries_code_reason_and_sentence) {
        AUTO_BLOB Blob body = {};
        Error sent = {}, got = {};

        (void) error_set(&sent, -EPERM, "policy-denied", "No rule lets user %d have it", 1000);
        ck_assert_int_eq(wire_error_encode(-EPERM, &sent, &body), 0);
        ck_assert_int_eq(wire_error_parse(body.data, body.size, &got), -EPERM);
        ck_assert_int_eq(got.code, -EPERM);
        ck_assert_str_eq(got.reason, "policy-denied");
        ck_assert_str_eq(got.text, "No rule lets user 1000 have it");
}
END_TEST

START_TEST(error_without_a_sentence_still_names_the_code) {
        AUTO_BLOB Blob body = {};
        Error got = {};

        ck_assert_int_eq(wire_error_encode(-ETIMEDOUT, NULL, &body), 0);
        ck_assert_int_eq(wire_error_parse(body.data, body.size, &got), -ETIMEDOUT);
        ck_assert_str_eq(got.reason, "timeout");
        ck_assert_uint_gt(strlen(got.text), 0);
}
END_TEST

START_TEST(every_truncation_of_an_error_message_is_rejected) {
        AUTO_BLOB Blob body = {};
        Error sent = {};

        (void) error_set(&sent, -EIO, "device", "It broke");
        ck_assert_int_eq(wire_error_encode(-EIO, &sent, &body), 0);
        for (size_t n = 0; n < body.size; n++)
                ck_assert_int_eq(wire_error_parse(body.data, n, NULL), -EBADMSG);
}
END_TEST

static const struct {
        const char *why;
        uint32_t code;
        const char *reason;
        const char *want_reason; /* NULL: rejected */
} odd_errors[] = {
        { "code zero would be success", 0, "ok", NULL },
        { "no such errno", 4096, "ok", NULL },
        { "negative", UINT32_MAX, "ok", NULL },
        { "empty reason", 5, "", "remote-error" },
        { "upper case", 5, "Nope", "remote-error" },
        { "control bytes", 5, "a\nb", "remote-error" },
        { "too long", 5, "a23456789-123456789-123456789-123456789-12345678", "remote-error" },
        { "as long as allowed", 5, "a23456789-123456789-123456789-123456789-1234567",
          "a23456789-123456789-123456789-123456789-1234567" },
};

START_TEST(odd_error_messages_are_tamed) {
        AUTO_WRITER Writer w = wr_init(256);
        AUTO_BLOB Blob b = {};
        Error e = {};
        int r;

        wr_le32(&w, odd_errors[_i].code);
        wr_le16(&w, (uint16_t) strlen(odd_errors[_i].reason));
        wr_str(&w, odd_errors[_i].reason);
        wr_le16(&w, 3);
        wr_str(&w, "\x1b[m");
        ck_assert_int_eq(wr_finish(&w, &b), 0);
        r = wire_error_parse(b.data, b.size, &e);
        ck_assert_msg(r == (odd_errors[_i].want_reason ? -5 : -EBADMSG), "%s: %d", odd_errors[_i].why, r);
        if (!odd_errors[_i].want_reason)
                return;
        ck_assert_str_eq(e.reason, odd_errors[_i].want_reason);
        ck_assert_str_eq(e.text, "?[m");
}
END_TEST

START_TEST(a_peer_cannot_make_us_keep_reasons_without_end) {
        unsigned kept = 0;

        for (unsigned i = 0; i < 1000; i++) {
                AUTO_BLOB Blob b = {};
                Error sent = {}, got = {};
                char reason[32];

                (void) snprintf(reason, sizeof(reason), "invented-%u", i);
                (void) error_set(&sent, -EIO, reason, "x");
                ck_assert_int_eq(wire_error_encode(-EIO, &sent, &b), 0);
                ck_assert_int_eq(wire_error_parse(b.data, b.size, &got), -EIO);
                kept += strcmp(got.reason, reason) == 0;
        }
        ck_assert_uint_gt(kept, 0);
        ck_assert_uint_lt(kept, 200);
}
END_TEST

START_TEST(message_travels_over_a_socket) {
        AUTO_WIRE_MESSAGE WireMessage m = {};
        Error e = {};
        int fds[2];

        make_pair(fds);
        ck_assert_int_eq(wire_recv(fds[1], &m, &e), -EAGAIN);
        ck_assert_int_eq(wire_send(fds[0], WIRE_RESOURCE, "a/b/c", 5, &e), 0);
        ck_assert_int_eq(wire_send(fds[0], WIRE_STATUS, NULL, 0, &e), 0);
        ck_assert_int_eq(wire_recv(fds[1], &m, &e), 0);
        ck_assert_uint_eq(m.type, WIRE_RESOURCE);
        ck_assert_uint_eq(m.body.size, 5);
        ck_assert_mem_eq(m.body.data, "a/b/c", 5);
        wire_message_done(&m);
        ck_assert_int_eq(wire_recv(fds[1], &m, &e), 0);
        ck_assert_uint_eq(m.type, WIRE_STATUS);
        ck_assert_uint_eq(m.body.size, 0);
        (void) close(fds[0]);
        wire_message_done(&m);
        ck_assert_int_eq(wire_recv(fds[1], &m, &e), -ECONNRESET);
        (void) close(fds[1]);
}
END_TEST

START_TEST(packet_over_the_limit_is_rejected_before_it_is_read) {
        AUTO_FREE uint8_t *big = calloc(1, WIRE_HEADER_SIZE + WIRE_BODY_MAX + 1);
        AUTO_WIRE_MESSAGE WireMessage m = {};
        Error e = {};
        int fds[2];

        make_pair(fds);
        ck_assert_int_gt(send(fds[0], big, WIRE_HEADER_SIZE + WIRE_BODY_MAX + 1, 0), 0);
        ck_assert_int_eq(wire_recv(fds[1], &m, &e), -EBADMSG);
        ck_assert_str_eq(e.reason, "wire-size");
        close_pair(fds);
}
END_TEST

START_TEST(largest_message_fits_the_socket) {
        AUTO_FREE uint8_t *big = malloc(WIRE_BODY_MAX);
        AUTO_WIRE_MESSAGE WireMessage m = {};
        Error e = {};
        int fds[2];

        (void) memset(big, 0x5a, WIRE_BODY_MAX);
        make_pair(fds);
        ck_assert_msg(wire_send(fds[0], WIRE_REPORT | WIRE_ANSWER, big, WIRE_BODY_MAX, &e) == 0, "%s", e.text);
        ck_assert_int_eq(wire_recv(fds[1], &m, &e), 0);
        ck_assert_uint_eq(m.body.size, WIRE_BODY_MAX);
        ck_assert_mem_eq(m.body.data, big, WIRE_BODY_MAX);
        close_pair(fds);
}
END_TEST

START_TEST(sending_to_a_peer_that_left_is_an_error_not_a_signal) {
        Error e = {};
        int fds[2];

        make_pair(fds);
        (void) close(fds[1]);
        ck_assert_int_eq(wire_send(fds[0], WIRE_STATUS, NULL, 0, &e), -ECONNRESET);
        (void) close(fds[0]);
}
END_TEST

START_TEST(full_socket_says_try_again) {
        AUTO_FREE uint8_t *big = calloc(1, WIRE_BODY_MAX);
        int fds[2], r = 0;

        make_pair(fds);
        for (unsigned i = 0; i < 100 && r == 0; i++)
                r = wire_send(fds[0], WIRE_STATUS, big, WIRE_BODY_MAX, NULL);
        ck_assert_int_eq(r, -EAGAIN);
        close_pair(fds);
}
END_TEST

static void serve_answer(int fd) {
        take_request(fd, WIRE_STATUS);
        if (wire_send(fd, WIRE_STATUS | WIRE_ANSWER, "{}", 2, NULL) < 0)
                _exit(8);
}

static void serve_secret(int fd) {
        AUTO_SECRET Secret s = {};

        take_request(fd, WIRE_VOLUME_KEY);
        if (secret_alloc(SECRET_MAX, &s, NULL) < 0)
                _exit(7);
        (void) memset(s.bytes, 0x42, s.len);
        if (wire_send_secret(fd, WIRE_VOLUME_KEY | WIRE_ANSWER, &s, NULL) < 0)
                _exit(8);
}

static void serve_denial(int fd) {
        Error e = {};

        take_request(fd, WIRE_VOLUME_KEY);
        (void) error_set(&e, -EPERM, "volume-unknown", "No such volume");
        if (wire_send_error(fd, -EPERM, &e, NULL) < 0)
                _exit(8);
}

static void serve_wrong_type(int fd) {
        take_request(fd, WIRE_VOLUME_KEY);
        if (wire_send(fd, WIRE_STATUS | WIRE_ANSWER, "key", 3, NULL) < 0)
                _exit(8);
}

static void serve_empty(int fd) {
        take_request(fd, WIRE_VOLUME_KEY);
        if (wire_send(fd, WIRE_VOLUME_KEY | WIRE_ANSWER, NULL, 0, NULL) < 0)
                _exit(8);
}

static void serve_too_much(int fd) {
        static uint8_t big[SECRET_MAX + 1];

        take_request(fd, WIRE_VOLUME_KEY);
        if (wire_send(fd, WIRE_VOLUME_KEY | WIRE_ANSWER, big, sizeof(big), NULL) < 0)
                _exit(8);
}

static void serve_nothing(int fd) {
        take_request(fd, WIRE_VOLUME_KEY);
}

static void serve_silence(int fd) {
        uint8_t b;

        take_request(fd, WIRE_VOLUME_KEY);
        (void) recv(fd, &b, 1, 0); /* until the client gives up and closes */
}

START_TEST(call_returns_the_answer) {
        AUTO_BLOB Blob b = {};
        Error e = {};
        pid_t pid;
        int fd = with_server(serve_answer, &pid);

        ck_assert_msg(wire_call(fd, WIRE_STATUS, NULL, 0, soon(), &b, &e) == 0, "%s", e.text);
        ck_assert_uint_eq(b.size, 2);
        ck_assert_mem_eq(b.data, "{}", 2);
        end_server(fd, pid);
}
END_TEST

START_TEST(secret_arrives_whole_at_its_largest) {
        AUTO_SECRET Secret s = {};
        Error e = {};
        pid_t pid;
        int fd = with_server(serve_secret, &pid);

        ck_assert_msg(wire_call_secret(fd, WIRE_VOLUME_KEY, "x", 1, soon(), &s, &e) == 0, "%s", e.text);
        ck_assert_uint_eq(s.len, SECRET_MAX);
        for (size_t i = 0; i < s.len; i++)
                ck_assert_uint_eq(s.bytes[i], 0x42);
        end_server(fd, pid);
}
END_TEST

static const struct {
        const char *why;
        void (*serve)(int fd);
        int want;
        const char *reason;
} bad_answers[] = {
        { "denied", serve_denial, -EPERM, "volume-unknown" },
        { "answer to another question", serve_wrong_type, -EPROTO, "wire-type" },
        { "empty secret", serve_empty, -EBADMSG, "secret-empty" },
        { "larger than a secret may be", serve_too_much, -EBADMSG, "wire-size" },
        { "closed without an answer", serve_nothing, -ECONNRESET, "peer-gone" },
};

START_TEST(secret_call_fails_without_output) {
        Secret s = {};
        Error e = {};
        pid_t pid;
        int fd = with_server(bad_answers[_i].serve, &pid);
        int r = wire_call_secret(fd, WIRE_VOLUME_KEY, "x", 1, soon(), &s, &e);

        ck_assert_msg(r == bad_answers[_i].want, "%s: %d %s", bad_answers[_i].why, r, e.text);
        ck_assert_str_eq(e.reason, bad_answers[_i].reason);
        ck_assert_ptr_null(s.bytes);
        end_server(fd, pid);
}
END_TEST

/* One that refuses us unheard: its last words before it closes. */
START_TEST(last_words_are_heard_whether_we_spoke_or_not) {
        AUTO_BLOB Blob b = {};
        Error why = {}, e = {};
        int fds[2];

        make_pair(fds);
        (void) error_set(&why, -EACCES, "caller-refused", "Not you");
        if (_i == 0)
                ck_assert_int_eq(wire_send(fds[0], WIRE_STATUS, NULL, 0, NULL), 0);
        ck_assert_int_eq(wire_send_error(fds[1], -EACCES, &why, NULL), 0);
        (void) close(fds[1]);
        ck_assert_int_eq(wire_call(fds[0], WIRE_STATUS, NULL, 0, soon(), &b, &e), -EACCES);
        ck_assert_str_eq(e.reason, "caller-refused");
        (void) close(fds[0]);
}
END_TEST

START_TEST(call_ends_at_its_deadline) {
        Secret s = {};
        Error e = {};
        pid_t pid;
        int fd = with_server(serve_silence, &pid);

        ck_assert_int_eq(wire_call_secret(fd, WIRE_VOLUME_KEY, "x", 1, deadline_in(20 * USEC_PER_MSEC), &s, &e),
                         -ETIMEDOUT);
        ck_assert_ptr_null(s.bytes);
        end_server(fd, pid);
}
END_TEST

static char dir[] = "/tmp/test-wire-XXXXXX";
static char path[64];

static void make_dir(void) {
        (void) strcpy(dir + sizeof(dir) - 7, "XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(dir));
        (void) snprintf(path, sizeof(path), "%s/socket", dir);
}

static void remove_dir(void) {
        (void) unlink(path);
        ck_assert_int_eq(rmdir(dir), 0);
}

START_TEST(client_connects_to_a_listener_of_its_own_user) {
        AUTO_FD int listener = -1, client = -1, server = -1;
        AUTO_WIRE_MESSAGE WireMessage m = {};
        struct ucred cred = {};
        struct stat st;
        Error e = {};

        ck_assert_msg(wire_listen(path, SOCK_SEQPACKET, 0640, &listener, &e) == 0, "%s", e.text);
        ck_assert_int_eq(stat(path, &st), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0640);
        ck_assert_msg(wire_connect(path, soon(), &client, &e) == 0, "%s", e.text);
        server = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        ck_assert_int_ge(server, 0);
        ck_assert_int_eq(wire_peer(server, &cred, &e), 0);
        ck_assert_int_eq(cred.pid, getpid());
        ck_assert_uint_eq(cred.uid, geteuid());
        ck_assert_int_eq(wire_send(client, WIRE_STATUS, NULL, 0, &e), 0);
        ck_assert_int_eq(wire_recv(server, &m, &e), 0);
}
END_TEST

START_TEST(listener_replaces_a_stale_socket_but_nothing_else) {
        int listener = -1;
        Error e = {};

        ck_assert_int_eq(wire_listen(path, SOCK_SEQPACKET, 0600, &listener, &e), 0);
        (void) close(listener);
        ck_assert_int_eq(wire_listen(path, SOCK_STREAM, 0600, &listener, &e), 0);
        (void) close(listener);
        (void) unlink(path);
        ck_assert_int_eq(close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
        ck_assert_int_eq(wire_listen(path, SOCK_SEQPACKET, 0600, &listener, &e), -EEXIST);
        ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

START_TEST(connecting_to_nobody_fails_at_once) {
        int fd = -1;
        Error e = {};

        ck_assert_int_eq(wire_connect(path, soon(), &fd, &e), -ENOENT);
        ck_assert_int_eq(fd, -1);
        ck_assert_int_eq(wire_connect("relative", soon(), &fd, NULL), -EINVAL);
        ck_assert_int_eq(wire_connect_now("", &fd, NULL), -EINVAL);
}
END_TEST

START_TEST(full_backlog_ends_at_the_deadline) {
        AUTO_FD int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), first = -1;
        struct sockaddr_un sa = { .sun_family = AF_UNIX };
        Error e = {};
        int fd = -1;

        (void) snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
        ck_assert_int_eq(bind(listener, (struct sockaddr *) &sa, sizeof(sa)), 0);
        ck_assert_int_eq(listen(listener, 0), 0);
        ck_assert_int_eq(wire_connect_now(path, &first, &e), 0);
        ck_assert_int_eq(wire_connect_now(path, &fd, &e), -EAGAIN);
        e = (Error){};
        ck_assert_int_eq(wire_connect(path, deadline_in(20 * USEC_PER_MSEC), &fd, &e), -ETIMEDOUT);
        ck_assert_int_eq(wire_connect(path, (Deadline){}, &fd, NULL), -ETIMEDOUT);
}
END_TEST

START_TEST(listener_of_a_stranger_is_refused) {
        AUTO_FD int listener = -1;
        Error e = {};
        int fd = -1;

        if (geteuid() != 0)
                return; /* only root can listen as somebody else and come back */
        ck_assert_int_eq(chmod(dir, 0777), 0);
        ck_assert_int_eq(seteuid(65534), 0);
        ck_assert_int_eq(wire_listen(path, SOCK_SEQPACKET, 0666, &listener, &e), 0);
        ck_assert_int_eq(seteuid(0), 0);
        ck_assert_int_eq(wire_connect(path, soon(), &fd, &e), -EACCES);
        ck_assert_str_eq(e.reason, "peer-untrusted");
}
END_TEST

int main(void) {
        Suite *s = suite_create("wire");
        TCase *form = tcase_create("form"), *socket_case = tcase_create("socket"), *call = tcase_create("call"),
              *connect_case = tcase_create("connect");

        tcase_add_test(form, header_is_encoded_as_documented);
        tcase_add_test(form, golden_message_is_parsed_field_by_field);
        tcase_add_test(form, every_truncation_and_one_byte_more_are_rejected);
        tcase_add_test(form, every_bit_flip_in_the_header_but_for_the_type_is_rejected);
        tcase_add_test(form, body_over_the_limit_is_not_encoded);
        tcase_add_test(form, error_message_carries_code_reason_and_sentence);
        tcase_add_test(form, error_without_a_sentence_still_names_the_code);
        tcase_add_test(form, every_truncation_of_an_error_message_is_rejected);
        tcase_add_loop_test(form, odd_error_messages_are_tamed, 0, (int) N_ELEMENTS(odd_errors));
        tcase_add_test(form, a_peer_cannot_make_us_keep_reasons_without_end);
        suite_add_tcase(s, form);

        tcase_add_test(socket_case, message_travels_over_a_socket);
        tcase_add_test(socket_case, packet_over_the_limit_is_rejected_before_it_is_read);
        tcase_add_test(socket_case, largest_message_fits_the_socket);
        tcase_add_test(socket_case, sending_to_a_peer_that_left_is_an_error_not_a_signal);
        tcase_add_test(socket_case, full_socket_says_try_again);
        suite_add_tcase(s, socket_case);

        tcase_add_test(call, call_returns_the_answer);
        tcase_add_test(call, secret_arrives_whole_at_its_largest);
        tcase_add_loop_test(call, secret_call_fails_without_output, 0, (int) N_ELEMENTS(bad_answers));
        tcase_add_loop_test(call, last_words_are_heard_whether_we_spoke_or_not, 0, 2);
        tcase_add_test(call, call_ends_at_its_deadline);
        suite_add_tcase(s, call);

        tcase_add_checked_fixture(connect_case, make_dir, remove_dir);
        tcase_add_test(connect_case, client_connects_to_a_listener_of_its_own_user);
        tcase_add_test(connect_case, listener_replaces_a_stale_socket_but_nothing_else);
        tcase_add_test(connect_case, connecting_to_nobody_fails_at_once);
        tcase_add_test(connect_case, full_backlog_ends_at_the_deadline);
        tcase_add_test(connect_case, listener_of_a_stranger_is_refused);
        suite_add_tcase(s, connect_case);
        return unit_run(s);
}
