/* SPDX-License-Identifier: Apache-2.0 */
#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/reader.h"

#include "tests/unit/unit.h"

START_TEST(sizes_are_bounded) {
        AUTO_SECRET Secret s = {};

        ck_assert_int_eq(secret_alloc(0, &s, NULL), -EINVAL);
        ck_assert_int_eq(secret_alloc(SECRET_MAX + 1, &s, NULL), -E2BIG);
        ck_assert_int_eq(secret_alloc(SECRET_MAX, &s, NULL), 0);
        ck_assert_uint_eq(s.len, SECRET_MAX);
        ck_assert(bytes_are_zero(s.bytes, s.len));
}
END_TEST

/* The sanitizers turn mlock() into a no-op that succeeds. */
#if defined(__SANITIZE_ADDRESS__)
#define MLOCK_WORKS false
#elif defined(__has_feature)
#define MLOCK_WORKS (!__has_feature(address_sanitizer))
#else
#define MLOCK_WORKS true
#endif

/* The flags of the mapping that holds @p, from /proc/self/smaps. */
static void mapping_flags(const void *p, char ret[static 512]) {
        FILE *f = fopen("/proc/self/smaps", "re");
        char line[512];
        bool inside = false;

        ret[0] = 0;
        ck_assert_ptr_nonnull(f);
        while (fgets(line, sizeof(line), f)) {
                unsigned long lo, hi;

                if (sscanf(line, "%lx-%lx ", &lo, &hi) == 2)
                        inside = (unsigned long) p >= lo && (unsigned long) p < hi;
                else if (inside && strncmp(line, "VmFlags:", 8) == 0)
                        (void) strcpy(ret, line);
        }
        (void) fclose(f);
}

START_TEST(memory_is_locked_and_left_out_of_dumps_and_children) {
        AUTO_SECRET Secret s = {};
        char flags[512];

        ck_assert_int_eq(secret_alloc(5000, &s, NULL), 0);
        mapping_flags(s.bytes, flags);
        ck_assert_msg(strstr(flags, " dd"), "not excluded from dumps: %s", flags);
        ck_assert_msg(strstr(flags, " dc"), "inherited by children: %s", flags);
        ck_assert_msg(!MLOCK_WORKS || !s.locked || strstr(flags, " lo"), "not locked: %s", flags);
}
END_TEST

/* A child that touches the byte at s.bytes[offset] must die of it. */
static void expect_fault(const Secret *s, ptrdiff_t offset) {
        int status;
        pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                (void) signal(SIGSEGV, SIG_DFL);
                (void) prctl(PR_SET_DUMPABLE, 0);
                s->bytes[offset] = 1;
                _exit(0);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_msg(!WIFEXITED(status) || WEXITSTATUS(status) != 0, "offset %td was writable", offset);
}

START_TEST(guard_pages_stand_on_both_sides_and_children_see_nothing) {
        AUTO_SECRET Secret s = {};

        ck_assert_int_eq(secret_alloc(4096, &s, NULL), 0);
        expect_fault(&s, -1);
        expect_fault(&s, 4096);
        expect_fault(&s, 0); /* the child has no such mapping at all */
}
END_TEST

START_TEST(shortening_wipes_what_is_given_up) {
        AUTO_SECRET Secret s = {};

        ck_assert_int_eq(secret_alloc(8, &s, NULL), 0);
        (void) memset(s.bytes, 0xee, 8);
        secret_truncate(&s, 3);
        ck_assert_uint_eq(s.len, 3);
        ck_assert_uint_eq(s.bytes[2], 0xee);
        ck_assert(bytes_are_zero(s.bytes + 3, 5));
}
END_TEST

START_TEST(taking_leaves_nothing_behind) {
        AUTO_SECRET Secret a = {}, b = {};

        ck_assert_int_eq(secret_alloc(8, &a, NULL), 0);
        b = secret_take(&a);
        ck_assert_ptr_null(a.bytes);
        ck_assert_uint_eq(b.len, 8);
        secret_done(&b);
        ck_assert_ptr_null(b.bytes);
        secret_done(&b);
}
END_TEST

START_TEST(equality_needs_equal_lengths) {
        AUTO_SECRET Secret a = {}, b = {};

        ck_assert_int_eq(secret_alloc(8, &a, NULL), 0);
        ck_assert_int_eq(secret_alloc(8, &b, NULL), 0);
        ck_assert(secret_equal(&a, &b));
        b.bytes[7] = 1;
        ck_assert(!secret_equal(&a, &b));
        secret_truncate(&b, 7);
        ck_assert(!secret_equal(&a, &b));
}
END_TEST

static const struct {
        const char *why;
        size_t input, max;
        int want;
} reads[] = {
        { "nothing to read", 0, 16, -EBADMSG },
        { "one byte", 1, 16, 0 },
        { "exactly full", 16, 16, 0 },
        { "one too many", 17, 16, -E2BIG },
};

START_TEST(reading_stops_at_the_limit) {
        AUTO_SECRET Secret s = {};
        int fds[2], r;
        char data[32];

        (void) memset(data, '\n', sizeof(data)); /* nothing is stripped */
        ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
        ck_assert_int_eq(write(fds[1], data, reads[_i].input), (ssize_t) reads[_i].input);
        (void) close(fds[1]);
        r = secret_read_fd(fds[0], reads[_i].max, &s, NULL);
        (void) close(fds[0]);
        ck_assert_msg(r == reads[_i].want, "%s: got %d", reads[_i].why, r);
        ck_assert_uint_eq(s.len, r == 0 ? reads[_i].input : 0);
}
END_TEST

START_TEST(writing_is_complete_or_an_error) {
        AUTO_SECRET Secret s = {};
        int fds[2];
        char got[8];

        ck_assert_int_eq(secret_alloc(8, &s, NULL), 0);
        (void) memcpy(s.bytes, "password", 8);
        ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
        ck_assert_int_eq(secret_write_fd(fds[1], &s, NULL), 0);
        ck_assert_int_eq(read(fds[0], got, sizeof(got)), 8);
        ck_assert_mem_eq(got, "password", 8);
        (void) close(fds[0]);
        (void) signal(SIGPIPE, SIG_IGN);
        ck_assert_int_eq(secret_write_fd(fds[1], &s, NULL), -EPIPE);
        (void) close(fds[1]);
}
END_TEST

START_TEST(a_protected_process_dumps_nothing) {
        int status;
        pid_t pid = fork(); /* the leak checker of sanitized builds needs this process dumpable */

        if (pid == 0) {
                struct rlimit limit = { .rlim_max = 1 };
                bool ok = secret_protect_process(NULL) == 0 && prctl(PR_GET_DUMPABLE) == 0 &&
                          getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == 0;

                _exit(ok ? 0 : 1);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("secret");
        TCase *tc = tcase_create("secret");

        tcase_add_test(tc, sizes_are_bounded);
        tcase_add_test(tc, memory_is_locked_and_left_out_of_dumps_and_children);
        tcase_add_test(tc, guard_pages_stand_on_both_sides_and_children_see_nothing);
        tcase_add_test(tc, shortening_wipes_what_is_given_up);
        tcase_add_test(tc, taking_leaves_nothing_behind);
        tcase_add_test(tc, equality_needs_equal_lengths);
        tcase_add_loop_test(tc, reading_stops_at_the_limit, 0, (int) N_ELEMENTS(reads));
        tcase_add_test(tc, writing_is_complete_or_an_error);
        tcase_add_test(tc, a_protected_process_dumps_nothing);
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
