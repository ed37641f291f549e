/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snpctl/passphrase.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define CONTROL(letter) ((letter) & 0x1f)
#define DELETE 0x7f

typedef struct Terminal {
        int fd; /* -1 once restored */
        struct termios before;
} Terminal;

static void terminal_restore(Terminal *t) {
        if (t->fd < 0)
                return;
        (void) tcsetattr(t->fd, TCSAFLUSH, &t->before);
        (void) fputs("\n", stderr);
        t->fd = -1;
}

/* No echo, no line editing of the kernel's (it would keep the line), no signals that could end us in this state. */
static int terminal_prepare(int fd, Terminal *ret) {
        struct termios raw;

        if (tcgetattr(fd, &ret->before) < 0)
                return -errno;
        raw = ret->before;
        raw.c_lflag &= ~(tcflag_t) (ECHO | ECHONL | ICANON | ISIG | IEXTEN);
        raw.c_cc[VMIN] = 1;
        raw.c_cc[VTIME] = 0;
        if (tcsetattr(fd, TCSAFLUSH, &raw) < 0)
                return -errno;
        ret->fd = fd;
        return 0;
}

static int cancelled(Error *e) {
        return error_set(e, -ECANCELED, "cancelled", "No passphrase was given");
}

/* 1 when the line is complete. */
static int take_char(char c, Secret *line, size_t *n, Error *e) {
        switch (c) {
        case '\n':
        case '\r':
                return 1;
        case CONTROL('C'):
        case CONTROL('D'):
                return cancelled(e);
        case CONTROL('U'):
                *n = 0;
                return 0;
        case CONTROL('H'):
        case DELETE:
                *n -= *n > 0;
                return 0;
        default:
                if (*n == line->len)
                        return error_set(e, -E2BIG, "passphrase-too-long", "The passphrase is longer than %d bytes",
                                         PASSPHRASE_MAX);
                line->bytes[(*n)++] = (uint8_t) c;
                return 0;
        }
}

static int read_line(int fd, Secret *line, size_t *ret_len, Error *e) {
        size_t n = 0;
        char c = 0;
        int r;

        do {
                ssize_t k = read(fd, &c, 1);

                if (k < 0 && errno == EINTR) {
                        r = 0;
                        continue;
                }
                if (k < 0)
                        return error_set(e, -errno, "read-failed", "The terminal cannot be read: %s",
                                         error_text(NULL, -errno));
                r = k == 0 ? cancelled(e) : take_char(c, line, &n, e);
        } while (r == 0);
        explicit_bzero(&c, sizeof(c));
        *ret_len = n;
        return r < 0 ? r : 0;
}

int passphrase_ask(int fd, const char *prompt, Secret *ret, Error *e) {
        CLEANUP(terminal_restore) Terminal terminal = { .fd = -1 };
        AUTO_SECRET Secret line = {};
        size_t n = 0;
        int r;

        r = secret_alloc(PASSPHRASE_MAX, &line, e);
        if (r < 0)
                return r;
        r = terminal_prepare(fd, &terminal);
        if (r < 0)
                return error_set(e, r, "terminal", "The terminal cannot be set up: %s", error_text(NULL, r));
        (void) fputs(prompt, stderr);
        r = read_line(fd, &line, &n, e);
        if (r < 0)
                return r;
        if (n == 0)
                return cancelled(e);
        secret_truncate(&line, n);
        *ret = secret_take(&line);
        return 0;
}
