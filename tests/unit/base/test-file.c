/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/unit/unit.h"

static char dir[] = "/tmp/test-file-XXXXXX";
static char path[64];

static void setup(void) {
        ck_assert_ptr_nonnull(mkdtemp(dir));
        (void) snprintf(path, sizeof(path), "%s/f", dir);
}

static void teardown(void) {
        (void) unlink(path);
        ck_assert_int_eq(rmdir(dir), 0); /* fails when a temporary file was left behind */
        (void) strcpy(dir + strlen(dir) - 6, "XXXXXX");
}

START_TEST(written_bytes_come_back) {
        AUTO_BLOB Blob b = {};
        struct stat st;
        uint8_t data[10000];

        (void) memset(data, 7, sizeof(data));
        ck_assert_int_eq(file_write_atomic(path, data, sizeof(data), 0640, NULL), 0);
        ck_assert_int_eq(stat(path, &st), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0640);
        ck_assert_int_eq(file_read(path, sizeof(data), &b, NULL), 0);
        ck_assert_uint_eq(b.size, sizeof(data));
        ck_assert_mem_eq(b.data, data, sizeof(data));
}
END_TEST

START_TEST(limits_are_exact) {
        AUTO_BLOB Blob b = {};
        Error e = {};

        ck_assert_int_eq(file_write_atomic(path, "12345", 5, 0600, NULL), 0);
        ck_assert_int_eq(file_read(path, 4, &b, &e), -E2BIG);
        ck_assert_ptr_nonnull(strstr(e.text, path));
        ck_assert_int_eq(file_read(path, 5, &b, NULL), 0);
}
END_TEST

START_TEST(pseudo_files_without_a_size_are_read) {
        AUTO_BLOB Blob b = {};

        ck_assert_int_eq(file_read("/proc/self/maps", 1u << 20, &b, NULL), 0);
        ck_assert_uint_gt(b.size, 100);
}
END_TEST

START_TEST(text_holds_no_nul) {
        AUTO_FREE char *s = NULL;

        ck_assert_int_eq(file_write_atomic(path, "a\0b", 3, 0600, NULL), 0);
        ck_assert_int_eq(file_read_text(path, 10, &s, NULL), -EBADMSG);
        ck_assert_int_eq(file_write_atomic(path, "", 0, 0600, NULL), 0);
        ck_assert_int_eq(file_read_text(path, 10, &s, NULL), 0);
        ck_assert_str_eq(s, "");
}
END_TEST

START_TEST(a_failed_replacement_leaves_the_old_file) {
        AUTO_BLOB Blob b = {};
        Error e = {};

        ck_assert_int_eq(file_write_atomic("/nonexistent-dir/f", "x", 1, 0600, &e), -ENOENT);
        ck_assert_int_eq(mkdir(path, 0700), 0);
        ck_assert_int_lt(file_write_atomic(path, "x", 1, 0600, NULL), 0);
        ck_assert_int_eq(rmdir(path), 0);
        ck_assert_int_eq(file_read(path, 5, &b, NULL), -ENOENT);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("file");
        TCase *tc = tcase_create("file");

        tcase_add_checked_fixture(tc, setup, teardown);

        tcase_add_test(tc, written_bytes_come_back);
        tcase_add_test(tc, limits_are_exact);
        tcase_add_test(tc, pseudo_files_without_a_size_are_read);
        tcase_add_test(tc, text_holds_no_nul);
        tcase_add_test(tc, a_failed_replacement_leaves_the_old_file);
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
