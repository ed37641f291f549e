/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/integration/spawn.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/deadline.h"
#include "base/writer.h"

#define OUTPUT_MAX (16u << 20)

typedef struct Pipe {
        int fd; /* our end; -1 once closed */
        Writer text;
} Pipe;

static void exec_child(const Spawn *s, const int fds[3]) {
        for (int i = 0; i < 3; i++)
                if (dup2(fds[i], i) < 0)
                        _exit(126);
        for (size_t i = 0; i < N_ELEMENTS(s->env) && s->env[i]; i++) {
                char *copy = strdup(s->env[i]); /* putenv() keeps the pointer; we are about to exec */

                if (!copy || putenv(copy) != 0)
                        _exit(126);
        }
        /* execvp() takes char *const[], but does not write: the cast drops only const. */
        (void) execvp(s->argv[0], (char *const *) (uintptr_t) s->argv);
        _exit(127);
}

static int input_fd(const Spawn *s) {
        char name[] = "/tmp/snp-test-input.XXXXXX";
        int fd;

        if (!s->input)
                return open("/dev/null", O_RDONLY | O_CLOEXEC);
        fd = mkostemp(name, O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        (void) unlink(name);
        ck_assert_int_eq(write(fd, s->input, s->input_size), (ssize_t) s->input_size);
        ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
        return fd;
}

static void drain(Pipe *p) {
        char buffer[4096];
        ssize_t n = read(p->fd, buffer, sizeof(buffer));

        if (n > 0)
                wr_bytes(&p->text, buffer, (size_t) n);
        else if (n == 0 || errno != EINTR) { /* a terminal whose other end is closed says EIO */
                (void) close(p->fd);
                p->fd = -1;
        }
}

static void type(int terminal, const char **text) {
        if (*text)
                ck_assert_int_eq(write(terminal, *text, strlen(*text)), (ssize_t) strlen(*text));
        *text = NULL;
}

static void collect(Pipe pipes[2], const char *typed, pid_t child, Deadline deadline) {
        while (pipes[0].fd >= 0 || pipes[1].fd >= 0) {
                struct pollfd p[2] = {
                        { .fd = pipes[0].fd, .events = POLLIN },
                        { .fd = pipes[1].fd, .events = POLLIN },
                };
                int n = poll(p, 2, deadline_poll_msec(deadline));

                if (n == 0) {
                        (void) kill(child, SIGKILL);
                        ck_abort_msg("the program did not end in time");
                }
                if (p[1].revents & POLLIN)
                        type(pipes[0].fd, &typed);
                for (int i = 0; i < 2; i++)
                        if (p[i].revents)
                                drain(&pipes[i]);
        }
}

static char *text_of(Pipe *p, size_t *ret_size) {
        Blob b = {};

        wr_u8(&p->text, 0);
        ck_assert_int_eq(wr_finish(&p->text, &b), 0);
        *ret_size = b.size - 1;
        return (char *) b.data;
}

/* The child's standard input and output go to @ret[0] and @ret[1], our end of the output is returned. */
static int connect_io(const Spawn *s, int ret[static 2]) {
        int out[2];

        if (s->terminal) {
                ck_assert_int_eq(openpty(&out[0], &out[1], NULL, NULL, NULL), 0);
                ck_assert_int_eq(fcntl(out[0], F_SETFD, FD_CLOEXEC), 0);
                ck_assert_int_eq(fcntl(out[1], F_SETFD, FD_CLOEXEC), 0);
                ret[0] = fcntl(out[1], F_DUPFD_CLOEXEC, 0);
        } else {
                ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
                ret[0] = input_fd(s);
        }
        ck_assert_int_ge(ret[0], 0);
        ret[1] = out[1];
        return out[0];
}

SpawnResult spawn_run(const Spawn *s) {
        Deadline deadline = deadline_in(s->timeout_usec ? s->timeout_usec : 60 * USEC_PER_SEC);
        Pipe pipes[2] = { { .text = wr_init(OUTPUT_MAX) }, { .text = wr_init(OUTPUT_MAX) } };
        int io[2], err[2], status;
        SpawnResult result = {};
        pid_t child;

        pipes[0].fd = connect_io(s, io);
        ck_assert_int_eq(pipe2(err, O_CLOEXEC), 0);
        child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0)
                exec_child(s, (int[]){ io[0], io[1], err[1] });
        (void) close(io[0]);
        (void) close(io[1]);
        (void) close(err[1]);
        pipes[1].fd = err[0];
        collect(pipes, s->typed, child, deadline);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        result.out = text_of(&pipes[0], &result.out_size);
        result.err = text_of(&pipes[1], &result.err_size);
        return result;
}

void spawn_result_done(SpawnResult *r) {
        free(r->out);
        free(r->err);
        *r = (SpawnResult){};
}
