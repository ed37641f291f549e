/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulated configfs-tsm tree behaves as the kernel's does, seen through system calls. The product's
 * tests stand on this: a simulator more forgiving than the kernel would prove nothing.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/simulator/harness.h"
#include "tests/simulator/report.h"
#include "tests/unit/unit.h"

static SimTsmRun run;

static void start(void) {
        Error e = {};
        int r = sim_tsm_start(SIM_GENOA, NULL, &run, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
}

static void stop(void) {
        ck_assert_int_eq(sim_tsm_stop(&run), 0);
}

static const char *path_of(const char *item, const char *attribute) {
        static char path[SIM_PATH_MAX * 2];

        (void) snprintf(path, sizeof(path), "%s/%s/%s", run.mountpoint, item, attribute);
        return path;
}

/* A fresh item whose name is that of the test. */
static void make_item(const char *item) {
        ck_assert_int_eq(mkdir(path_of(item, ""), 0700), 0);
}

static void remove_item(const char *item) {
        ck_assert_int_eq(rmdir(path_of(item, "")), 0);
}

static void control(const char *text) {
        Error e = {};
        int r = sim_tsm_control(&run, text, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
}

/* 0 or the negative errno of open or write; close is not asked. */
static int put(const char *item, const char *attribute, const void *data, size_t size) {
        AUTO_FD int fd = open(path_of(item, attribute), O_WRONLY | O_CLOEXEC);

        if (fd < 0)
                return -errno;
        return write(fd, data, size) == (ssize_t) size ? 0 : -errno;
}

static int put_text(const char *item, const char *attribute, const char *text) {
        return put(item, attribute, text, strlen(text));
}

static ssize_t get(const char *item, const char *attribute, void *buf, size_t size) {
        AUTO_FD int fd = open(path_of(item, attribute), O_RDONLY | O_CLOEXEC);
        ssize_t n = 0, k;

        if (fd < 0)
                return -errno;
        while ((k = read(fd, (char *) buf + n, size - (size_t) n)) > 0)
                n += k;
        return k < 0 ? -errno : n;
}

static void expect_text(const char *item, const char *attribute, const char *want) {
        char text[64] = {};

        ck_assert_int_eq(get(item, attribute, text, sizeof(text) - 1), (ssize_t) strlen(want));
        ck_assert_str_eq(text, want);
}

static const uint8_t nonce[64] = { 1, 2, 3, [63] = 64 };

START_TEST(mkdir_makes_the_attributes_with_their_modes) {
        static const struct {
                const char *name;
                mode_t mode;
        } want[] = {
                { "generation", 0444 }, { "provider", 0444 }, { "privlevel", 0200 }, { "privlevel_floor", 0444 },
                { "inblob", 0200 }, { "outblob", 0444 }, { "auxblob", 0444 },
        };
        size_t n = 0;
        DIR *dir;

        make_item("modes");
        for (size_t i = 0; i < N_ELEMENTS(want); i++) {
                struct stat st;

                ck_assert_int_eq(stat(path_of("modes", want[i].name), &st), 0);
                ck_assert_msg(st.st_mode == (S_IFREG | want[i].mode), "%s: %o", want[i].name, st.st_mode);
        }
        dir = opendir(path_of("modes", ""));
        ck_assert_ptr_nonnull(dir);
        for (struct dirent *d; (d = readdir(dir));)
                n += d->d_name[0] != '.';
        (void) closedir(dir);
        ck_assert_uint_eq(n, N_ELEMENTS(want));
        expect_text("modes", "provider", "sev_guest\n");
        expect_text("modes", "generation", "0\n");
        expect_text("modes", "privlevel_floor", "0\n");
        remove_item("modes");
} END_TEST

START_TEST(modes_hold_for_root_too) {
        make_item("root");
        ck_assert_int_eq(get("root", "inblob", (char[1]){}, 1), -EACCES);
        ck_assert_int_eq(get("root", "privlevel", (char[1]){}, 1), -EACCES);
        ck_assert_int_eq(put("root", "outblob", "x", 1), -EACCES);
        ck_assert_int_eq(put("root", "generation", "1", 1), -EACCES);
        remove_item("root");
} END_TEST

START_TEST(nothing_else_can_be_made_or_removed) {
        make_item("fixed");
        ck_assert_int_lt(open(path_of("fixed", "new"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600), 0);
        ck_assert_int_lt(mkdir(path_of("fixed", "sub"), 0700), 0);
        ck_assert_int_lt(unlink(path_of("fixed", "inblob")), 0);
        ck_assert_int_lt(mkdir(path_of("fixed", ""), 0700), 0);
        ck_assert_int_eq(errno, EEXIST);
        remove_item("fixed");
        ck_assert_int_lt(rmdir(path_of("fixed", "")), 0);
        ck_assert_int_eq(errno, ENOENT);
} END_TEST

START_TEST(inblob_counts_at_close_and_not_at_write) {
        int fd;

        make_item("commit");
        fd = open(path_of("commit", "inblob"), O_WRONLY | O_TRUNC | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, nonce, 32), 32);
        ck_assert_int_eq(write(fd, nonce + 32, 32), 32);
        expect_text("commit", "generation", "0\n");
        ck_assert_int_eq(get("commit", "outblob", (char[1]){}, 1), -EINVAL);
        ck_assert_int_eq(close(fd), 0);
        expect_text("commit", "generation", "1\n");
        remove_item("commit");
} END_TEST

START_TEST(opening_inblob_without_a_write_changes_nothing) {
        make_item("untouched");
        ck_assert_int_eq(put("untouched", "inblob", nonce, 0), 0);
        expect_text("untouched", "generation", "0\n");
        remove_item("untouched");
} END_TEST

START_TEST(inblob_of_another_size_is_refused_when_read) {
        uint8_t longer[65] = { 1 };

        make_item("size");
        ck_assert_int_eq(put("size", "inblob", longer, 65), -EFBIG);
        ck_assert_int_eq(put("size", "inblob", longer, 63), 0);
        ck_assert_int_eq(get("size", "outblob", (char[1]){}, 1), -EINVAL);
        remove_item("size");
} END_TEST

START_TEST(every_write_counts) {
        make_item("count");
        ck_assert_int_eq(put_text("count", "privlevel", "2"), 0);
        ck_assert_int_eq(put_text("count", "privlevel", "0x1\n"), 0);
        ck_assert_int_eq(put("count", "inblob", nonce, 64), 0);
        expect_text("count", "generation", "3\n");
        remove_item("count");
} END_TEST

/* Opens @attribute for writing as another user, from inside @item. 0 or negative errno. */
static int open_as(uid_t uid, const char *item, const char *attribute) {
        int status = 0;
        pid_t pid;

        ck_assert_int_eq(chdir(path_of(item, "")), 0); /* the way there is private */
        pid = fork();
        if (pid == 0)
                _exit(setresuid(uid, uid, uid) < 0 || open(attribute, O_WRONLY | O_CLOEXEC) < 0 ? errno : 0);
        ck_assert_int_eq(chdir("/"), 0);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status));
        return -WEXITSTATUS(status);
}

START_TEST(an_attribute_is_roots_until_root_gives_it_away) {
        const uid_t other = 65534;

        if (geteuid() != 0)
                return; /* there is nobody to give it to */
        make_item("owner");
        ck_assert_int_eq(open_as(other, "owner", "inblob"), -EACCES);
        ck_assert_int_eq(chown(path_of("owner", "inblob"), other, (gid_t) -1), 0);
        ck_assert_int_eq(open_as(other, "owner", "inblob"), 0);
        ck_assert_int_eq(open_as(other, "owner", "privlevel"), -EACCES);
        remove_item("owner");
} END_TEST

START_TEST(privlevel_must_be_a_number_from_floor_to_3) {
        static const char *const bad[] = { "4", "-1", "x", "1 ", "0", "\x01" };

        control("vmpl-floor=1");
        make_item("level");
        for (size_t i = 0; i < N_ELEMENTS(bad); i++)
                ck_assert_msg(put_text("level", "privlevel", bad[i]) == -EINVAL, "'%s'", bad[i]);
        expect_text("level", "privlevel_floor", "1\n");
        expect_text("level", "generation", "0\n");
        /* The default is 0, not the floor. */
        ck_assert_int_eq(put("level", "inblob", nonce, 64), 0);
        ck_assert_int_eq(get("level", "outblob", (char[1]){}, 1), -EINVAL);
        ck_assert_int_eq(put_text("level", "privlevel", "1"), 0);
        ck_assert_int_eq(get("level", "outblob", (char[1]){}, 1), 1);
        remove_item("level");
        control("");
} END_TEST

START_TEST(a_report_is_made_once_for_each_generation) {
        uint8_t first[2048], again[2048], later[2048];

        make_item("once");
        ck_assert_int_eq(put("once", "inblob", nonce, 64), 0);
        ck_assert_int_eq(get("once", "outblob", first, sizeof(first)), SIM_REPORT_SIZE);
        ck_assert_int_eq(get("once", "outblob", again, sizeof(again)), SIM_REPORT_SIZE);
        ck_assert_mem_eq(first, again, SIM_REPORT_SIZE);
        ck_assert_mem_eq(first + 0x50, nonce, 64);
        ck_assert_int_eq(put_text("once", "privlevel", "0"), 0);
        ck_assert_int_eq(get("once", "outblob", later, sizeof(later)), SIM_REPORT_SIZE);
        ck_assert_mem_ne(first, later, SIM_REPORT_SIZE); /* ECDSA is randomised */
        remove_item("once");
} END_TEST

START_TEST(an_open_file_keeps_what_its_first_read_saw) {
        uint8_t a[600], b[600], other[64] = { 9 };
        int fd;

        make_item("snapshot");
        ck_assert_int_eq(put("snapshot", "inblob", nonce, 64), 0);
        fd = open(path_of("snapshot", "outblob"), O_RDONLY | O_CLOEXEC);
        ck_assert_int_eq(read(fd, a, sizeof(a)), sizeof(a));
        ck_assert_int_eq(put("snapshot", "inblob", other, 64), 0);
        ck_assert_int_eq(pread(fd, b, sizeof(b), 0), sizeof(b));
        ck_assert_mem_eq(a, b, sizeof(a));
        ck_assert_int_eq(close(fd), 0);
        remove_item("snapshot");
} END_TEST

START_TEST(auxblob_is_the_table_or_empty) {
        uint8_t table[16384];
        ssize_t n;

        make_item("aux");
        ck_assert_int_eq(put("aux", "inblob", nonce, 64), 0);
        n = get("aux", "auxblob", table, sizeof(table)); /* makes the report as well */
        ck_assert_int_gt(n, 3000);
        ck_assert_mem_eq(table, sim_guids[SIM_GUID_VCEK], 16);
        control("certs=none");
        ck_assert_int_eq(put("aux", "inblob", nonce, 64), 0);
        ck_assert_int_eq(get("aux", "auxblob", table, sizeof(table)), 0);
        remove_item("aux");
        control("");
} END_TEST

START_TEST(open_files_of_a_removed_item_are_dead) {
        int fd;

        make_item("dead");
        ck_assert_int_eq(put("dead", "inblob", nonce, 64), 0);
        fd = open(path_of("dead", "outblob"), O_RDONLY | O_CLOEXEC);
        remove_item("dead");
        ck_assert_int_lt(read(fd, (char[1]){}, 1), 0);
        ck_assert_int_eq(errno, ENOENT);
        ck_assert_int_eq(close(fd), 0);
} END_TEST

START_TEST(settings_change_under_running_guests) {
        uint8_t report[SIM_REPORT_SIZE];

        make_item("change");
        control("measurement=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
                "202122232425262728292a2b2c2d2e2f\npolicy=0xb0000\n");
        ck_assert_int_eq(put("change", "inblob", nonce, 64), 0);
        ck_assert_int_eq(get("change", "outblob", report, sizeof(report)), SIM_REPORT_SIZE);
        for (size_t i = 0; i < 48; i++)
                ck_assert_uint_eq(report[0x90 + i], i);
        ck_assert_uint_eq(report[0x0A], 0x0b);
        control("");
        ck_assert_int_eq(put("change", "inblob", nonce, 64), 0);
        ck_assert_int_eq(get("change", "outblob", report, sizeof(report)), SIM_REPORT_SIZE);
        ck_assert_uint_eq(report[0x90], 0xA5);
        remove_item("change");
} END_TEST

START_TEST(nonsense_in_the_control_file_fails_loudly) {
        make_item("nonsense");
        control("measurement=12");
        ck_assert_int_eq(put("nonsense", "inblob", nonce, 64), 0);
        ck_assert_int_lt(get("nonsense", "outblob", (char[1]){}, 1), 0);
        ck_assert_int_eq(get("nonsense", "generation", (char[1]){}, 1), -EIO);
        control("");
        remove_item("nonsense");
} END_TEST

START_TEST(failures_strike_as_often_as_told) {
        make_item("twice");
        control("fail=etimedout*2");
        ck_assert_int_eq(put("twice", "inblob", nonce, 64), 0);
        ck_assert_int_eq(get("twice", "outblob", (char[1]){}, 1), -ETIMEDOUT);
        ck_assert_int_eq(get("twice", "outblob", (char[1]){}, 1), -ETIMEDOUT);
        ck_assert_int_eq(get("twice", "outblob", (char[1]){}, 1), 1);
        control("fail=enxio");
        ck_assert_int_lt(mkdir(path_of("provider", ""), 0700), 0);
        ck_assert_int_eq(errno, ENXIO);
        control("fail=busy");
        ck_assert_int_eq(put_text("twice", "privlevel", "0"), -EBUSY);
        ck_assert_int_eq(put("twice", "inblob", nonce, 64), 0); /* invisible, but for generation */
        expect_text("twice", "generation", "1\n");
        control("");
        remove_item("twice");
} END_TEST

/* As the kernel of a guest that an SVSM serves shows it. */
static void make_svsm_item(const char *item, const char *more) {
        char text[SIM_PATH_MAX];

        (void) snprintf(text, sizeof(text), "vmpl-floor=2\n%s\n", more);
        control(text);
        make_item(item);
}

START_TEST(services_show_under_an_svsm_alone) {
        static const struct {
                const char *name;
                mode_t mode;
        } want[] = {
                { "service_provider", 0200 }, { "service_guid", 0200 }, { "service_manifest_version", 0200 },
                { "manifestblob", 0444 },
        };
        struct stat st;

        make_svsm_item("svsm", "");
        for (size_t i = 0; i < N_ELEMENTS(want); i++) {
                ck_assert_int_eq(stat(path_of("svsm", want[i].name), &st), 0);
                ck_assert_msg(st.st_mode == (S_IFREG | want[i].mode), "%s: %o", want[i].name, st.st_mode);
        }
        remove_item("svsm");
        make_svsm_item("old", "old-kernel=yes");
        control("");
        make_item("plain");
        for (size_t i = 0; i < N_ELEMENTS(want); i++) {
                ck_assert_int_lt(stat(path_of("old", want[i].name), &st), 0);
                ck_assert_int_lt(stat(path_of("plain", want[i].name), &st), 0);
        }
        remove_item("old");
        remove_item("plain");
} END_TEST

START_TEST(service_writes_count_even_where_a_guid_fails) {
        make_svsm_item("count-svsm", "");
        ck_assert_int_eq(put_text("count-svsm", "service_provider", "anything\n"), 0);
        ck_assert_int_eq(put_text("count-svsm", "service_guid", "c476f1eb-0123-45a5-9641-b4e7dde5bfe3\n"), 0);
        ck_assert_int_eq(put_text("count-svsm", "service_manifest_version", "0x1"), 0);
        expect_text("count-svsm", "generation", "3\n");
        /* guid_parse() comes after the generation has moved, kstrtouint() before. */
        ck_assert_int_eq(put_text("count-svsm", "service_guid", "c476f1eb"), -EINVAL);
        ck_assert_int_eq(put_text("count-svsm", "service_guid", "c476f1eb-0123-45a5-9641-b4e7dde5bfeg"), -EINVAL);
        ck_assert_int_eq(put_text("count-svsm", "service_guid", "c476f1eb00123-45a5-9641-b4e7dde5bfe3"), -EINVAL);
        expect_text("count-svsm", "generation", "6\n");
        ck_assert_int_eq(put_text("count-svsm", "service_manifest_version", "one"), -EINVAL);
        expect_text("count-svsm", "generation", "6\n");
        control("vmpl-floor=2\nfail=busy");
        ck_assert_int_eq(put_text("count-svsm", "service_provider", "svsm"), -EBUSY);
        expect_text("count-svsm", "generation", "6\n");
        remove_item("count-svsm");
        control("");
} END_TEST

START_TEST(privlevel_does_not_matter_to_an_svsm_and_does_without) {
        uint8_t report[SIM_REPORT_SIZE], manifest[256];

        make_svsm_item("levels", "uefi-flags=3");
        ck_assert_int_eq(put("levels", "inblob", nonce, 64), 0);
        ck_assert_int_eq(get("levels", "outblob", report, sizeof(report)), -EINVAL); /* 0, below the floor */
        ck_assert_int_eq(put_text("levels", "service_provider", "SVSM"), 0);
        ck_assert_int_eq(get("levels", "outblob", report, sizeof(report)), -EINVAL);
        ck_assert_int_eq(put_text("levels", "service_provider", "svsm\n"), 0);
        ck_assert_int_eq(get("levels", "manifestblob", manifest, sizeof(manifest)), 56); /* makes the report as well */
        ck_assert_int_eq(get("levels", "outblob", report, sizeof(report)), SIM_REPORT_SIZE);
        ck_assert_uint_eq(report[0x30], 0);
        ck_assert_mem_ne(report + 0x50, nonce, 64);
        ck_assert_uint_eq(manifest[52], 3);
        ck_assert_int_eq(put("levels", "inblob", nonce, 63), 0);
        ck_assert_int_eq(get("levels", "outblob", report, sizeof(report)), -EINVAL);
        remove_item("levels");
        control("");
} END_TEST

START_TEST(an_svsm_refuses_what_it_does_not_have) {
        static const struct {
                const char *guid, *version;
                ssize_t want;
        } rows[] = {
                { "a4453a59-9e1b-4787-a033-1986d6adbe55", "0", 8 },
                { "A4453A59-9E1B-4787-A033-1986D6ADBE55", "0", 8 },
                { "a4453a59-9e1b-4787-a033-1986d6adbe55", "1", -EINVAL },
                { "c476f1eb-0123-45a5-9641-b4e7dde5bfe3", "0", -EINVAL }, /* no vTPM */
                { "c476f1eb-0123-45a5-9641-b4e7dde5bfe3", "1", -EINVAL },
                { "00000000-0000-0000-0000-000000000000", "0", 56 },
                { "00000000-0000-0000-0000-000000000000", "7", 56 }, /* has no versions */
                { "ffffffff-0000-0000-0000-000000000000", "0", -EINVAL },
        };

        make_svsm_item("refuse", "");
        ck_assert_int_eq(put_text("refuse", "service_provider", "svsm"), 0);
        ck_assert_int_eq(put("refuse", "inblob", nonce, 64), 0);
        for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
                uint8_t manifest[256];

                ck_assert_int_eq(put_text("refuse", "service_guid", rows[i].guid), 0);
                ck_assert_int_eq(put_text("refuse", "service_manifest_version", rows[i].version), 0);
                ck_assert_msg(get("refuse", "manifestblob", manifest, sizeof(manifest)) == rows[i].want, "row %zu", i);
        }
        remove_item("refuse");
        control("");
} END_TEST

static void add_tests(TCase *tc) {
        tcase_add_test(tc, mkdir_makes_the_attributes_with_their_modes);
        tcase_add_test(tc, modes_hold_for_root_too);
        tcase_add_test(tc, nothing_else_can_be_made_or_removed);
        tcase_add_test(tc, inblob_counts_at_close_and_not_at_write);
        tcase_add_test(tc, opening_inblob_without_a_write_changes_nothing);
        tcase_add_test(tc, inblob_of_another_size_is_refused_when_read);
        tcase_add_test(tc, every_write_counts);
        tcase_add_test(tc, an_attribute_is_roots_until_root_gives_it_away);
        tcase_add_test(tc, privlevel_must_be_a_number_from_floor_to_3);
        tcase_add_test(tc, a_report_is_made_once_for_each_generation);
        tcase_add_test(tc, an_open_file_keeps_what_its_first_read_saw);
        tcase_add_test(tc, auxblob_is_the_table_or_empty);
        tcase_add_test(tc, open_files_of_a_removed_item_are_dead);
        tcase_add_test(tc, settings_change_under_running_guests);
        tcase_add_test(tc, nonsense_in_the_control_file_fails_loudly);
        tcase_add_test(tc, failures_strike_as_often_as_told);
        tcase_add_test(tc, services_show_under_an_svsm_alone);
        tcase_add_test(tc, service_writes_count_even_where_a_guid_fails);
        tcase_add_test(tc, privlevel_does_not_matter_to_an_svsm_and_does_without);
        tcase_add_test(tc, an_svsm_refuses_what_it_does_not_have);
}

int main(void) {
        Suite *suite = suite_create("tsm-semantics");
        TCase *tc = tcase_create("tsm-semantics");
        const char *why = sim_tsm_unusable();

        if (why)
                return unit_skip(why);
        tcase_add_unchecked_fixture(tc, start, stop);
        add_tests(tc);
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
