/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/broker/program.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/file.h"

int program_prepare(bool die_with_parent, sigset_t *ret_stop, Error *e) {
        pid_t parent = getppid();

        (void) sigemptyset(ret_stop);
        (void) sigaddset(ret_stop, SIGTERM);
        (void) sigaddset(ret_stop, SIGINT);
        (void) sigprocmask(SIG_BLOCK, ret_stop, NULL);
        if (!die_with_parent)
                return 0;
        if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0)
                return error_set(e, -errno, "prctl", "Cannot bind to the parent's life: %s", error_text(NULL, -errno));
        /* A parent that died before the prctl sends nothing. */
        return getppid() == parent ? 0 : error_set(e, -ESRCH, "orphan", "The parent is gone");
}

int program_say_ready(int fd, uint16_t port, Error *e) {
        char line[32];
        int r;

        (void) snprintf(line, sizeof(line), "listening %u\n", port);
        r = file_write_fd(fd, "ready descriptor", line, strlen(line), e);
        if (fd > STDERR_FILENO)
                (void) close(fd);
        return r;
}

void program_wait(const sigset_t *stop) {
        int signal;

        while (sigwait(stop, &signal) == EINTR)
                ;
}
