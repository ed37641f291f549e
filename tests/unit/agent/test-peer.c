/* SPDX-License-Identifier: Apache-2.0 */
/* Who connected, told by processes in a cgroup that looks like a service's. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/peer.h"
#include "agent/wire/wire.h"
#include "tests/unit/unit.h"

#define SO_PEERPIDFD_NUMBER 77 /* include/uapi/asm-generic/socket.h */
#define SOMEBODY 12345

static char unit[64], slice[128], cgroup[256], socket_path[64];
static int listener = -1;

static bool make_cgroup(void) {
        static const char *const roots[] = { "/sys/fs/cgroup/unified", "/sys/fs/cgroup" };

        (void) snprintf(unit, sizeof(unit), "snp-test-%d.service", (int) getpid());
        for (size_t i = 0; i < N_ELEMENTS(roots); i++) {
                (void) snprintf(slice, sizeof(slice), "%s/snptest%d.slice", roots[i], (int) getpid());
                (void) snprintf(cgroup, sizeof(cgroup), "%s/%s", slice, unit);
                if (mkdir(slice, 0755) == 0 && mkdir(cgroup, 0755) == 0)
                        return true;
                (void) rmdir(slice);
        }
        return false;
}

static void start_listening(void) {
        Error e = {};

        (void) snprintf(socket_path, sizeof(socket_path), "/tmp/snp-test-peer-%d", (int) getpid());
        ck_assert_int_eq(wire_listen(socket_path, SOCK_SEQPACKET, 0666, &listener, &e), 0);
}

static void stop_listening(void) {
        (void) close(listener);
        (void) unlink(socket_path);
}

static int try_connect(void) {
        struct sockaddr_un sa = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

        (void) strcpy(sa.sun_path, socket_path);
        return connect(fd, (struct sockaddr *) &sa, sizeof(sa)) < 0 ? -1 : fd;
}

/* With process number @number; 0: any, and it connects, as @uid. */
static pid_t start_child(bool in_unit, uid_t uid, pid_t number) {
        AUTO_FD int dir = open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct clone_args args = {
                .flags = in_unit ? CLONE_INTO_CGROUP : 0,
                .cgroup = in_unit ? (unsigned) dir : 0,
                .exit_signal = SIGCHLD,
                .set_tid = number > 0 ? (uintptr_t) &number : 0,
                .set_tid_size = number > 0,
        };
        pid_t pid = (pid_t) syscall(SYS_clone3, &args, sizeof(args));

        ck_assert_msg(pid >= 0, "clone3(): %s", strerror(errno));
        if (pid > 0)
                return pid;
        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (number == 0 && (setresuid(uid, uid, uid) < 0 || try_connect() < 0))
                _exit(9);
        for (;;)
                (void) pause();
}

static void end_child(pid_t pid) {
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

static int accept_one(void) {
        int fd, flags = fcntl(listener, F_GETFL);

        ck_assert_int_eq(fcntl(listener, F_SETFL, flags & ~O_NONBLOCK), 0);
        fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        return fd;
}

/* From here on getsockopt(2) knows no SO_PEERPIDFD, as before Linux 6.5. */
static void become_old(void) {
        struct sock_filter code[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getsockopt, 0, 3),
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SO_PEERPIDFD_NUMBER, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOPROTOOPT),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = { .len = N_ELEMENTS(code), .filter = code };

        ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

/* Index 1: on an older kernel. */
START_TEST(peer_is_told_with_its_unit) {
        pid_t pid = start_child(true, SOMEBODY, 0);
        AUTO_PEER Peer peer = {};
        AUTO_FD int fd = accept_one();
        Error e = {};

        if (_i == 1)
                become_old();
        ck_assert_msg(peer_identify(fd, &peer, &e) == 0, "%s", e.text);
        end_child(pid);
        ck_assert_int_eq(peer.pid, pid);
        ck_assert_uint_eq(peer.uid, SOMEBODY);
        ck_assert_ptr_nonnull(peer.unit);
        ck_assert_str_eq(peer.unit, unit);
}
END_TEST

START_TEST(peer_that_exited_has_no_unit) {
        pid_t pid = start_child(true, SOMEBODY, 0);
        AUTO_PEER Peer peer = {};
        AUTO_FD int fd = accept_one();
        Error e = {};

        if (_i == 1)
                become_old();
        end_child(pid);
        ck_assert_int_eq(peer_identify(fd, &peer, &e), 0);
        ck_assert_ptr_null(peer.unit);
}
END_TEST

/* The client is gone, and a service, run by root, has got its number. */
START_TEST(heir_of_the_number_is_not_taken_for_the_peer) {
        pid_t pid = start_child(false, SOMEBODY, 0);
        AUTO_PEER Peer peer = {};
        AUTO_FD int fd = accept_one();
        Error e = {};

        end_child(pid);
        ck_assert_int_eq(start_child(true, 0, pid), pid);
        if (_i == 1)
                become_old();
        ck_assert_int_eq(peer_identify(fd, &peer, &e), 0);
        end_child(pid);
        ck_assert_uint_eq(peer.uid, SOMEBODY);
        ck_assert_ptr_null(peer.unit);
}
END_TEST

int main(void) {
        Suite *s = suite_create("peer");
        TCase *tc = tcase_create("peer");
        int r;

        if (geteuid() != 0 || !make_cgroup())
                return unit_skip("no cgroup can be made here");
        tcase_add_checked_fixture(tc, start_listening, stop_listening);
        tcase_add_loop_test(tc, peer_is_told_with_its_unit, 0, 2);
        tcase_add_loop_test(tc, peer_that_exited_has_no_unit, 0, 2);
        tcase_add_loop_test(tc, heir_of_the_number_is_not_taken_for_the_peer, 0, 2);
        suite_add_tcase(s, tc);
        r = unit_run(s);
        (void) rmdir(cgroup);
        (void) rmdir(slice);
        return r;
}
