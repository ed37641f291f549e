/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/simulator/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/deadline.h"
#include "base/file.h"

#define START_USEC (20 * USEC_PER_SEC) /* loading a hierarchy and mounting take milliseconds */
#define ARGS_MAX 64

static const char *build_dir(void) {
        const char *dir = getenv("SNP_TEST_BUILD");

        return dir ? dir : ".";
}

const char *sim_tsm_unusable(void) {
        AUTO_FD int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

        if (fd < 0)
                return "/dev/fuse cannot be opened";
        if (geteuid() != 0 && access("/usr/bin/fusermount3", X_OK) < 0 && access("/bin/fusermount3", X_OK) < 0)
                return "not root, and no fusermount3";
        return NULL;
}

void sim_test_pki(SimProduct product, char ret[static SIM_PATH_MAX]) {
        (void) snprintf(ret, SIM_PATH_MAX, "%s/tests/simulator/pki-%s", build_dir(), sim_product(product)->name);
}

static int wait_until_ready(int fd, Error *e) {
        Deadline deadline = deadline_in(START_USEC);
        struct pollfd p = { .fd = fd, .events = POLLIN };
        char word[6];

        while (poll(&p, 1, deadline_poll_msec(deadline)) < 0 && errno == EINTR)
                ;
        if (!p.revents)
                return error_set(e, -ETIMEDOUT, "sim-start", "The simulator did not get ready in time");
        if (read(fd, word, sizeof(word)) != sizeof(word) || memcmp(word, "ready\n", sizeof(word)) != 0)
                return error_set(e, -EPROTO, "sim-start", "The simulator ended before it was ready");
        return 0;
}

static int spawn(SimTsmRun *run, const char *const *more, int ready_fd, Error *e) {
        char program[SIM_PATH_MAX], ready[16];
        const char *args[ARGS_MAX] = {
                program, "--mountpoint", run->mountpoint, "--pki", run->pki, "--control", run->control,
                "--ready-fd", ready, "--die-with-parent",
        };
        size_t n = 10;

        (void) snprintf(program, sizeof(program), "%s/tests/simulator/snp-sim-tsm", build_dir());
        (void) snprintf(ready, sizeof(ready), "%d", ready_fd);
        for (size_t i = 0; more && more[i] && n < ARGS_MAX - 1; i++)
                args[n++] = more[i];

        run->pid = fork();
        if (run->pid < 0)
                return error_set(e, -errno, "sim-start", "Cannot fork: %s", error_text(NULL, -errno));
        if (run->pid == 0) {
                (void) fcntl(ready_fd, F_SETFD, 0);
                (void) execv(program, (char *const *) (uintptr_t) args);
                fprintf(stderr, "%s: %s\n", program, error_text(NULL, -errno));
                _exit(127);
        }
        return 0;
}

static int make_dirs(SimTsmRun *run, Error *e) {
        (void) snprintf(run->dir, sizeof(run->dir), "/tmp/snp-sim-XXXXXX");
        if (!mkdtemp(run->dir))
                return error_set(e, -errno, "sim-start", "Cannot make a directory: %s", error_text(NULL, -errno));
        (void) snprintf(run->mountpoint, sizeof(run->mountpoint), "%s/report", run->dir);
        (void) snprintf(run->control, sizeof(run->control), "%s/control", run->dir);
        if (mkdir(run->mountpoint, 0700) < 0)
                return error_set(e, -errno, "sim-start", "Cannot make %s: %s", run->mountpoint,
                                 error_text(NULL, -errno));
        return 0;
}

int sim_tsm_start(SimProduct product, const char *const *args, SimTsmRun *ret, Error *e) {
        SimTsmRun run = {};
        int fds[2], r;

        sim_test_pki(product, run.pki);
        r = make_dirs(&run, e);
        if (r < 0)
                return r;
        if (pipe2(fds, O_CLOEXEC) < 0)
                r = error_set(e, -errno, "sim-start", "Cannot make a pipe: %s", error_text(NULL, -errno));
        else {
                r = spawn(&run, args, fds[1], e);
                (void) close(fds[1]);
                if (r == 0)
                        r = wait_until_ready(fds[0], e);
                (void) close(fds[0]);
        }
        if (r < 0) {
                (void) sim_tsm_stop(&run);
                return r;
        }
        *ret = run;
        return 0;
}

int sim_tsm_stop(SimTsmRun *run) {
        int status = 0;

        if (run->pid > 0) {
                (void) kill(run->pid, SIGTERM);
                while (waitpid(run->pid, &status, 0) < 0 && errno == EINTR)
                        ;
        }
        if (run->dir[0]) {
                (void) unlink(run->control);
                (void) rmdir(run->mountpoint);
                (void) rmdir(run->dir);
        }
        *run = (SimTsmRun){};
        return status == 0 ? 0 : -EPROTO;
}

int sim_tsm_control(const SimTsmRun *run, const char *text, Error *e) {
        return file_write_atomic(run->control, text, strlen(text), 0600, e);
}
