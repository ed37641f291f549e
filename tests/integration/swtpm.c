/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/integration/swtpm.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/deadline.h"

#define START_USEC (20 * USEC_PER_SEC) /* a busy machine under sanitizers */
#define STOP_USEC (5 * USEC_PER_SEC)

bool program_available(const char *name) {
        AUTO_FREE char *path = strdup(getenv("PATH") ? getenv("PATH") : "/usr/bin:/bin");
        char *save = NULL;

        for (char *dir = strtok_r(path, ":", &save); dir; dir = strtok_r(NULL, ":", &save)) {
                AUTO_FREE char *file = NULL;

                if (asprintf(&file, "%s/%s", dir, name) > 0 && access(file, X_OK) == 0)
                        return true;
        }
        return false;
}

bool swtpm_available(void) {
        return program_available("swtpm") && program_available("swtpm_setup");
}

/* The child's part of fork and exec; quiet, and not to outlive us. */
static _Noreturn void exec_program(const Swtpm *s, const char *const argv[], const char *tcti, pid_t parent) {
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        union {
                const char *const *in;
                char *const *out;
        } args = { .in = argv };

        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
                _exit(126);
        if (dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
                _exit(126);
        if (!getenv("SWTPM_TEST_VERBOSE") && dup2(null, STDERR_FILENO) < 0)
                _exit(126);
        if (chdir(s->dir) < 0 || setenv("XDG_CONFIG_HOME", s->dir, 1) < 0)
                _exit(126);
        if (tcti && setenv("TPM2TOOLS_TCTI", tcti, 1) < 0)
                _exit(126);
        (void) execvp(argv[0], args.out);
        _exit(127);
}

static pid_t spawn(const Swtpm *s, const char *const argv[], const char *tcti) {
        pid_t parent = getpid(), pid = fork();

        if (pid == 0)
                exec_program(s, argv, tcti, parent);
        return pid;
}

static int wait_status(pid_t pid) {
        int status;

        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int swtpm_run(const Swtpm *s, const char *const argv[]) {
        pid_t pid = spawn(s, argv, s->tcti);

        return pid < 0 ? -1 : wait_status(pid);
}

static bool accepts_connections(const char *path, const char *suffix) {
        AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_un sa = { .sun_family = AF_UNIX };

        (void) snprintf(sa.sun_path, sizeof(sa.sun_path), "%s%s", path, suffix);
        return connect(fd, (const struct sockaddr *) &sa, sizeof(sa)) == 0;
}

static int wait_ready(const Swtpm *s) {
        Deadline until = deadline_in(START_USEC);

        while (!accepts_connections(s->path, "") || !accepts_connections(s->path, ".ctrl")) {
                if (waitpid(s->pid, NULL, WNOHANG) != 0) {
                        fprintf(stderr, "swtpm ended before it was ready\n");
                        return -1;
                }
                if (deadline_sleep(until, USEC_PER_MSEC) < 0) {
                        fprintf(stderr, "swtpm was not ready in time\n");
                        return -1;
                }
        }
        return 0;
}

static int make_state(const Swtpm *s, const SwtpmOptions *options) {
        const char *banks = options && options->banks ? options->banks : "sha1,sha256,sha384,sha512";
        /* No certificates: these would need a CA, and nothing here looks at them. */
        const char *const argv[] = { "swtpm_setup", "--tpm2", "--tpmstate", s->dir, "--pcr-banks", banks,
                                     "--overwrite", NULL };
        int status = swtpm_run(s, argv);

        if (status != 0)
                fprintf(stderr, "swtpm_setup failed with status %d (SWTPM_TEST_VERBOSE=1 shows more)\n", status);
        return status == 0 ? 0 : -1;
}

static int launch(Swtpm *s, const SwtpmOptions *options) {
        AUTO_FREE char *state = NULL, *server = NULL, *ctrl = NULL;
        const char *argv[] = { "swtpm", "socket", "--tpm2", "--tpmstate", NULL, "--server", NULL, "--ctrl", NULL,
                               "--flags", options && options->no_startup ? "not-need-init"
                                                                         : "not-need-init,startup-clear", NULL };

        if (asprintf(&state, "dir=%s", s->dir) < 0 || asprintf(&server, "type=unixio,path=%s", s->path) < 0 ||
            asprintf(&ctrl, "type=unixio,path=%s.ctrl", s->path) < 0)
                return -1;
        argv[4] = state;
        argv[6] = server;
        argv[8] = ctrl;
        s->pid = spawn(s, argv, NULL);
        return s->pid < 0 ? -1 : wait_ready(s);
}

int swtpm_start(const SwtpmOptions *options, Swtpm *ret) {
        Swtpm s = {};

        (void) snprintf(s.dir, sizeof(s.dir), "/tmp/snp-swtpm-XXXXXX");
        if (!mkdtemp(s.dir)) {
                perror("mkdtemp");
                return -1;
        }
        (void) snprintf(s.path, sizeof(s.path), "%s/sock", s.dir);
        (void) snprintf(s.tcti, sizeof(s.tcti), "swtpm:path=%s", s.path);
        if (make_state(&s, options) < 0 || launch(&s, options) < 0) {
                swtpm_stop(&s);
                return -1;
        }
        *ret = s;
        return 0;
}

void swtpm_kill(Swtpm *s) {
        if (s->pid <= 0)
                return;
        (void) kill(s->pid, SIGKILL);
        (void) wait_status(s->pid);
        s->pid = 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        (void) st;
        (void) type;
        (void) ftw;
        return remove(path);
}

void swtpm_stop(Swtpm *s) {
        if (s->pid > 0) {
                Deadline until = deadline_in(STOP_USEC);

                (void) kill(s->pid, SIGTERM);
                while (waitpid(s->pid, NULL, WNOHANG) == 0)
                        if (deadline_sleep(until, USEC_PER_MSEC) < 0) {
                                swtpm_kill(s);
                                break;
                        }
        }
        if (s->dir[0])
                (void) nftw(s->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
        *s = (Swtpm){};
}
