/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snpctl/secret-file.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "agent/snpctl/exit.h"
#include "tests/unit/unit.h"

static char dir[] = "/tmp/snp-test-secret.XXXXXX";
static char path[64];

static void setup(void) {
        ck_assert_ptr_nonnull(mkdtemp(dir));
        (void) snprintf(path, sizeof(path), "%s/key", dir);
}

static void teardown(void) {
        (void) unlink(path);
        ck_assert_int_eq(rmdir(dir), 0);
}

static Secret secret_of(const char *text) {
        Secret s = {};

        ck_assert_int_eq(secret_alloc(strlen(text), &s, NULL), 0);
        (void) memcpy(s.bytes, text, s.len);
        return s;
}

START_TEST(a_kept_file_holds_the_secret_for_its_owner_alone) {
        AUTO_SECRET_FILE SecretFile f = SECRET_FILE_NONE;
        AUTO_SECRET Secret s = secret_of("key"), back = {};
        struct stat st;

        ck_assert_int_eq(secret_file_create(path, true, &f, NULL), 0);
        ck_assert_int_eq(secret_file_write(&f, &s, NULL), 0);
        secret_file_keep(&f);
        ck_assert_int_eq(stat(path, &st), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0600);
        ck_assert_int_eq(ctl_secret_read(path, &back, NULL), 0);
        ck_assert(secret_equal(&s, &back));
}
END_TEST

START_TEST(a_file_that_is_not_kept_is_gone) {
        SecretFile f = SECRET_FILE_NONE;
        AUTO_SECRET Secret s = secret_of("key");

        ck_assert_int_eq(secret_file_create(path, true, &f, NULL), 0);
        ck_assert_int_eq(secret_file_write(&f, &s, NULL), 0);
        secret_file_done(&f);
        secret_file_done(&f);
        ck_assert_int_lt(access(path, F_OK), 0);
}
END_TEST

START_TEST(a_disk_is_refused_unless_forced) {
        SecretFile f = SECRET_FILE_NONE;
        struct statfs fs;
        Error e = {};
        int r;

        ck_assert_int_eq(statfs(dir, &fs), 0);
        r = secret_file_create(path, false, &f, &e);
        if (fs.f_type == TMPFS_MAGIC) {
                ck_assert_int_eq(r, 0);
                secret_file_done(&f);
                return;
        }
        ck_assert_int_eq(r, -EINVAL);
        ck_assert_int_eq(ctl_exit_of(r, &e), CTL_EXIT_USAGE);
        ck_assert_ptr_nonnull(strstr(e.text, "tmpfs"));
        ck_assert_int_lt(access(path, F_OK), 0);
}
END_TEST

START_TEST(an_existing_file_or_link_is_left_alone) {
        SecretFile f = SECRET_FILE_NONE;

        ck_assert_int_eq(symlink("/nowhere", path), 0);
        ck_assert_int_eq(secret_file_create(path, true, &f, NULL), -EEXIST);
        ck_assert_int_eq(f.fd, -1);
        ck_assert_int_eq(access(dir, F_OK), 0);
}
END_TEST

START_TEST(reading_names_the_file_that_fails) {
        AUTO_SECRET Secret s = {};
        Error e = {};

        ck_assert_int_eq(ctl_secret_read(path, &s, &e), -ENOENT);
        ck_assert_ptr_nonnull(strstr(e.text, path));
        e = (Error){};
        ck_assert_int_eq(ctl_secret_read("/dev/null", &s, &e), -EBADMSG);
        ck_assert_ptr_nonnull(strstr(e.text, "/dev/null"));
}
END_TEST

int main(void) {
        Suite *s = suite_create("ctl-secret-file");
        TCase *c = tcase_create("secret-file");

        tcase_add_checked_fixture(c, setup, teardown);
        tcase_add_test(c, a_kept_file_holds_the_secret_for_its_owner_alone);
        tcase_add_test(c, a_file_that_is_not_kept_is_gone);
        tcase_add_test(c, a_disk_is_refused_unless_forced);
        tcase_add_test(c, an_existing_file_or_link_is_left_alone);
        tcase_add_test(c, reading_names_the_file_that_fails);
        suite_add_tcase(s, c);
        return unit_run(s);
}
