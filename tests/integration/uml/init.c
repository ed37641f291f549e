/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first and only process of a user-mode-linux that `boot` starts: makes a place to live in, loads CUSE, runs the
 * test, writes down how it ended and turns the machine off. The root file system is the host's own, read-only; nothing
 * but $SNP_UML_DIR is the host's to write to, and that is a directory of the test.
 *
 * $SNP_UML_DIR      private directory, of the same name outside
 * $SNP_UML_MODULES  where fuse.ko and cuse.ko are
 * $SNP_UML_TEST     what to run
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

static const char *env(const char *name) {
        const char *value = getenv(name);

        return value ? value : "/nonexistent";
}

/* In the private directory, for whoever waits outside. */
static void note(const char *name, const char *text) {
        char path[512];
        FILE *f;

        (void) snprintf(path, sizeof(path), "%s/%s", env("SNP_UML_DIR"), name);
        f = fopen(path, "we");
        if (!f || fputs(text, f) < 0 || fclose(f) != 0)
                fprintf(stderr, "init: cannot write %s\n", path);
}

static int failed(const char *what, const char *object) {
        fprintf(stderr, "init: %s %s: %s\n", what, object, strerror(errno));
        return -1;
}

static int mount_on(const char *type, const char *where, const char *options) {
        /* Kernels may have mounted devtmpfs by themselves. */
        return mount("none", where, type, 0, options) < 0 && errno != EBUSY ? failed("mount", where) : 0;
}

static int load(const char *module) {
        AUTO_FD int fd = -1;
        char path[512];

        (void) snprintf(path, sizeof(path), "%s/%s", env("SNP_UML_MODULES"), module);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST))
                return failed("load", path);
        return 0;
}

/* A /sys of our own, in which the test gives this kernel the signs of an SNP guest and takes them away. */
static int make_sys(void) {
        static const char *const dirs[] = { "/sys/devices", "/sys/devices/platform", "/sys/devices/system",
                                            "/sys/devices/system/cpu", "/sys/devices/system/cpu/sev" };

        if (mount_on("tmpfs", "/sys", "") < 0)
                return -1;
        for (size_t i = 0; i < N_ELEMENTS(dirs); i++)
                if (mkdir(dirs[i], 0755) < 0)
                        return failed("mkdir", dirs[i]);
        return 0;
}

static int set_up(void) {
        if (mount_on("proc", "/proc", "") < 0 || mount_on("devtmpfs", "/dev", "") < 0 ||
            mount_on("hostfs", env("SNP_UML_DIR"), env("SNP_UML_DIR")) < 0)
                return -1;
        note("booted", "");
        return mount_on("tmpfs", "/run", "") < 0 || make_sys() < 0 || load("fuse.ko") < 0 || load("cuse.ko") < 0 ? -1 : 0;
}

static int run(void) {
        char path[512];
        int status;
        pid_t pid;

        (void) snprintf(path, sizeof(path), "%s/tap", env("SNP_UML_DIR"));
        pid = fork();
        if (pid == 0) {
                if (!freopen(path, "w", stdout) || chdir("/run") < 0)
                        _exit(126);
                (void) execl(env("SNP_UML_TEST"), env("SNP_UML_TEST"), NULL);
                _exit(127);
        }
        if (pid < 0 || waitpid(pid, &status, 0) != pid)
                return failed("run", env("SNP_UML_TEST"));
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(void) {
        char text[16];

        (void) snprintf(text, sizeof(text), "%d\n", set_up() < 0 ? -1 : run());
        note("status", text);
        sync();
        (void) reboot(RB_POWER_OFF);
        return EXIT_FAILURE; /* not reached, unless we are not the first process */
}
