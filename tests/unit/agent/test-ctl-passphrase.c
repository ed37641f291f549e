/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snpctl/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static int user, terminal;

static void setup(void) {
        ck_assert_int_eq(openpty(&user, &terminal, NULL, NULL, NULL), 0);
}

static void teardown(void) {
        (void) close(user);
        (void) close(terminal);
}

static void type(const char *text, size_t n) {
        ck_assert_int_eq(write(user, text, n), (ssize_t) n);
}

/* passphrase_ask() flushes what was typed before it asked, as it should; so somebody has to type afterwards. */
static int ask(const char *text, size_t n, Secret *ret, Error *e) {
        int prompt[2], r;
        pid_t child;
        char c;

        ck_assert_int_eq(pipe(prompt), 0);
        child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0) {
                (void) close(prompt[1]);
                if (read(prompt[0], &c, 1) == 1) /* the prompt is there, so the terminal is set up */
                        type(text, n);
                _exit(0);
        }
        /* Our copy of the reading end stays open: what is said after the prompt has somewhere to go. */
        ck_assert_int_ge(dup2(prompt[1], STDERR_FILENO), 0);
        (void) close(prompt[1]);
        r = passphrase_ask(terminal, "Passphrase: ", ret, e);
        (void) close(STDERR_FILENO);
        return r;
}

static const struct {
        const char *why, *typed, *want;
} lines[] = {
        { "plain", "secret\n", "secret" },
        { "return key", "secret\r", "secret" },
        { "backspace", "secrex\x7ft\n", "secret" },
        { "backspace at the start", "\x7f\x7fsecret\n", "secret" },
        { "erased line", "wrong\x15secret\n", "secret" },
        { "space and UTF-8", " \xc3\xa9 \n", " \xc3\xa9 " },
        { "rest stays unread", "secret\nmore\n", "secret" },
};

START_TEST(a_line_is_read) {
        AUTO_SECRET Secret s = {};
        Error e = {};
        int r = ask(lines[_i].typed, strlen(lines[_i].typed), &s, &e);

        ck_assert_msg(r == 0, "%s: %s", lines[_i].why, e.text);
        ck_assert_uint_eq(s.len, strlen(lines[_i].want));
        ck_assert_mem_eq(s.bytes, lines[_i].want, s.len);
}
END_TEST

static const char *const none[] = { "\n", "secret\x03", "secret\x04" };

START_TEST(no_line_is_no_passphrase) {
        AUTO_SECRET Secret s = {};

        ck_assert_int_eq(ask(none[_i], strlen(none[_i]), &s, NULL), -ECANCELED);
        ck_assert_ptr_null(s.bytes);
}
END_TEST

START_TEST(a_line_beyond_the_limit_is_refused) {
        char text[PASSPHRASE_MAX + 2];
        AUTO_SECRET Secret s = {};

        (void) memset(text, 'x', sizeof(text));
        text[PASSPHRASE_MAX + 1] = '\n';
        ck_assert_int_eq(ask(text, sizeof(text), &s, NULL), -E2BIG);
}
END_TEST

START_TEST(nothing_is_echoed_and_the_terminal_is_as_before) {
        struct termios before, after;
        AUTO_SECRET Secret s = {};
        char echoed[64];

        ck_assert_int_eq(tcgetattr(terminal, &before), 0);
        ck_assert_int_ne(before.c_lflag & ECHO, 0);
        ck_assert_int_eq(ask("secret\n", 7, &s, NULL), 0);
        ck_assert_int_eq(tcgetattr(terminal, &after), 0);
        ck_assert_uint_eq(before.c_lflag, after.c_lflag);
        ck_assert_int_eq(fcntl(user, F_SETFL, O_NONBLOCK), 0);
        ck_assert_int_eq(read(user, echoed, sizeof(echoed)), -1);
}
END_TEST

START_TEST(a_file_is_no_terminal) {
        AUTO_FD int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        AUTO_SECRET Secret s = {};

        ck_assert_int_eq(passphrase_ask(fd, "", &s, NULL), -ENOTTY);
}
END_TEST

int main(void) {
        Suite *s = suite_create("ctl-passphrase");
        TCase *c = tcase_create("passphrase");

        tcase_add_checked_fixture(c, setup, teardown);
        tcase_add_loop_test(c, a_line_is_read, 0, (int) N_ELEMENTS(lines));
        tcase_add_loop_test(c, no_line_is_no_passphrase, 0, (int) N_ELEMENTS(none));
        tcase_add_test(c, a_line_beyond_the_limit_is_refused);
        tcase_add_test(c, nothing_is_echoed_and_the_terminal_is_as_before);
        tcase_add_test(c, a_file_is_no_terminal);
        suite_add_tcase(s, c);
        return unit_run(s);
}
