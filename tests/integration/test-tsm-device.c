/* SPDX-License-Identifier: Apache-2.0 */
/* snp/device-configfs.c, the product's own code, against the simulated configfs-tsm tree. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/reader.h"
#include "base/text.h"
#include "snp/cert_table.h"
#include "snp/device.h"
#include "tests/simulator/harness.h"
#include "tests/unit/unit.h"

static SimTsmRun run;

static void start(void) {
        Error e = {};
        int r = sim_tsm_start(SIM_TURIN, NULL, &run, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
}

static void stop(void) {
        ck_assert_int_eq(sim_tsm_stop(&run), 0);
}

static uint8_t report_data[SNP_REPORT_DATA_SIZE] = { 0xD1, 0x6E, 0x57, [63] = 1 };

static size_t n_items(void) {
        DIR *dir = opendir(run.mountpoint);
        size_t n = 0;

        ck_assert_ptr_nonnull(dir);
        for (const struct dirent *d; (d = readdir(dir));)
                n += d->d_name[0] != '.';
        (void) closedir(dir);
        return n;
}

static void control(const char *text) {
        Error e = {};
        int r = sim_tsm_control(&run, text, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
}

static void restore(void) {
        control("");
}

static SnpDevice *open_device(void) {
        SnpDevice *device = NULL;
        Error e = {};
        int r = snp_device_open_configfs(run.mountpoint, &device, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        return device;
}

static int get(SnpDevice *device, uint32_t vmpl, uint64_t usec, SnpDeviceReport *ret, Error *e) {
        return snp_device_get_report(device, report_data, vmpl, deadline_in(usec), ret, e);
}

START_TEST(report_comes_with_the_hosts_certificates) {
        CLEANUP(snp_device_freep) SnpDevice *device = open_device();
        AUTO_SNP_DEVICE_REPORT SnpDeviceReport answer = {};
        SnpCertTable table;
        SnpReport report;
        Error e = {};
        int r;

        r = get(device, SNP_VMPL_AUTO, 5 * USEC_PER_SEC, &answer, &e);
        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        ck_assert_int_eq(snp_report_parse(answer.report, sizeof(answer.report), &report, &e), 0);
        ck_assert_mem_eq(report.report_data, report_data, sizeof(report_data));
        ck_assert_uint_eq(report.vmpl, 0);
        ck_assert_int_eq(report.product, SNP_PRODUCT_TURIN);
        ck_assert_int_eq(snp_cert_table_parse(answer.certs.data, answer.certs.size, &table, &e), 0);
        ck_assert_uint_eq(table.n_entries, 3);
        ck_assert_ptr_nonnull(snp_cert_table_find(&table, SNP_CERT_VCEK));
        ck_assert_str_eq(snp_device_name(device), "configfs-tsm");
        ck_assert_uint_eq(n_items(), 0);
} END_TEST

START_TEST(host_without_certificates_gives_an_empty_table) {
        CLEANUP(snp_device_freep) SnpDevice *device = open_device();
        AUTO_SNP_DEVICE_REPORT SnpDeviceReport answer = {};

        control("certs=none");
        ck_assert_int_eq(get(device, SNP_VMPL_AUTO, 5 * USEC_PER_SEC, &answer, NULL), 0);
        ck_assert_uint_eq(answer.certs.size, 0);
} END_TEST

START_TEST(vmpl_is_the_floor_or_higher) {
        static const struct {
                const char *control;
                uint32_t wanted, got;
        } rows[] = {
                { "", SNP_VMPL_AUTO, 0 }, { "", 3, 3 },
                { "vmpl-floor=2", SNP_VMPL_AUTO, 2 }, { "vmpl-floor=2", 0, 2 }, { "vmpl-floor=2", 3, 3 },
        };
        CLEANUP(snp_device_freep) SnpDevice *device = open_device();

        for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
                AUTO_SNP_DEVICE_REPORT SnpDeviceReport answer = {};
                Error e = {};
                int r;

                control(rows[i].control);
                r = get(device, rows[i].wanted, 5 * USEC_PER_SEC, &answer, &e);
                ck_assert_msg(r == 0, "row %zu: %s", i, error_text(&e, r));
                ck_assert_uint_eq(load_le32(answer.report + 0x30), rows[i].got);
        }
} END_TEST

static const struct {
        const char *fail;
        int code;
        const char *reason;
} failures[] = {
        { "fail=busy", -EBUSY, "generation-conflict" },
        { "fail=wrong-generation", -EBUSY, "generation-conflict" },
        { "fail=enxio", -ENODEV, "tsm-no-provider" },
        { "fail=eio", -EIO, "firmware-error" },
        { "fail=enotty", -ENOTTY, "message-key-lost" },
        { "fail=einval", -EINVAL, "request-refused" },
        { "fail=etimedout", -ETIMEDOUT, "host-busy" },
        { "fail=ebadmsg", -EBADMSG, "message-authentication" },
        { "fail=wrong-report-data", -ESTALE, "report-data-mismatch" },
        { "fail=wrong-vmpl", -EPROTO, "report-vmpl-mismatch" },
        { "fail=zero-report", -EBADMSG, "report-empty" },
        { "fail=empty-report", -EBADMSG, "report-empty" },
        { "fail=truncated", -EBADMSG, "report-size" },
        { "fail=oversized", -E2BIG, "answer-too-large" },
        { "certs=garbage", -EBADMSG, "cert-table-length" },
        { "fail=slow:200", -ETIMEDOUT, "deadline" },
};

START_TEST(failures_have_their_code_and_reason) {
        CLEANUP(snp_device_freep) SnpDevice *device = open_device();
        SnpDeviceReport answer = {};
        Error e = {};
        int r;

        control(failures[_i].fail);
        r = get(device, SNP_VMPL_AUTO, strstr(failures[_i].fail, "slow") ? 100 * USEC_PER_MSEC : 5 * USEC_PER_SEC,
                &answer, &e);
        control("");
        ck_assert_msg(r == failures[_i].code, "%s: %d (%s)", failures[_i].fail, r, error_text(&e, r));
        ck_assert_msg(strcmp(error_reason(&e, r), failures[_i].reason) == 0, "%s: %s", failures[_i].fail, e.reason);
        ck_assert_msg(text_starts_with(e.text, "configfs-tsm: "), "%s", e.text);
        ck_assert(bytes_are_zero(&answer, sizeof(answer)));
        ck_assert_uint_eq(n_items(), 0);

        /* And the machine's recovery is ours. */
        ck_assert_int_eq(get(device, SNP_VMPL_AUTO, 5 * USEC_PER_SEC, &answer, NULL), 0);
        snp_device_report_done(&answer);
} END_TEST

START_TEST(passing_interference_is_overcome) {
        static const char *const once[] = { "fail=busy*1", "fail=wrong-generation*1", "fail=wrong-generation*2" };
        CLEANUP(snp_device_freep) SnpDevice *device = open_device();

        for (size_t i = 0; i < N_ELEMENTS(once); i++) {
                AUTO_SNP_DEVICE_REPORT SnpDeviceReport answer = {};
                Error e = {};
                int r;

                control(once[i]);
                r = get(device, SNP_VMPL_AUTO, 5 * USEC_PER_SEC, &answer, &e);
                ck_assert_msg(r == 0, "%s: %s", once[i], error_text(&e, r));
                ck_assert_uint_eq(n_items(), 0);
        }
} END_TEST

/* Writes its own inblob into every directory that it can find, until it is killed. */
static void rival(void) {
        static const uint8_t other[SNP_REPORT_DATA_SIZE] = { 0xBA, 0xD0 };
        char path[SIM_PATH_MAX * 2];

        (void) prctl(PR_SET_PDEATHSIG, SIGKILL); /* not longer than the test */
        for (;;) {
                DIR *dir = opendir(run.mountpoint);

                for (const struct dirent *d; dir && (d = readdir(dir));) {
                        int fd;

                        if (!text_starts_with(d->d_name, "snp-agent-"))
                                continue;
                        (void) snprintf(path, sizeof(path), "%s/%s/inblob", run.mountpoint, d->d_name);
                        fd = open(path, O_WRONLY | O_CLOEXEC);
                        if (fd >= 0 && write(fd, other, sizeof(other)) < 0)
                                (void) 0; /* the directory went away */
                        if (fd >= 0)
                                (void) close(fd);
                }
                if (dir)
                        (void) closedir(dir);
        }
}

START_TEST(a_rival_writer_never_gets_its_report_to_us) {
        CLEANUP(snp_device_freep) SnpDevice *device = open_device();
        unsigned n_conflicts = 0;
        pid_t pid;

        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0)
                rival();
        for (unsigned i = 0; n_conflicts == 0 && i < 1000; i++) {
                AUTO_SNP_DEVICE_REPORT SnpDeviceReport answer = {};
                Error e = {};
                int r = get(device, SNP_VMPL_AUTO, 5 * USEC_PER_SEC, &answer, &e);

                if (r == 0)
                        ck_assert_mem_eq(answer.report + 0x50, report_data, sizeof(report_data));
                else
                        ck_assert_msg(r == -EBUSY, "%d: %s", r, error_text(&e, r));
                n_conflicts += r == -EBUSY;
        }
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        ck_assert_uint_gt(n_conflicts, 0);
        ck_assert_uint_eq(n_items(), 0);
} END_TEST

static pid_t ended_process(void) {
        pid_t pid = fork();

        if (pid == 0)
                _exit(0);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        return pid;
}

typedef struct Name {
        char text[64];
} Name;

static Name name_of(pid_t pid) {
        Name n;

        (void) snprintf(n.text, sizeof(n.text), "snp-agent-%d-0123456789abcdef", (int) pid);
        return n;
}

static const char *item_path(const char *name) {
        static char path[SIM_PATH_MAX * 2];

        (void) snprintf(path, sizeof(path), "%s/%s", run.mountpoint, name);
        return path;
}

START_TEST(only_directories_of_the_dead_are_cleared_away) {
        const Name dead = name_of(ended_process()), own = name_of(getpid()), living = name_of(getppid());
        const char *const stale[] = { dead.text, own.text };
        const char *const kept[] = { living.text, "snp-agent-x-y", "snp-agent-", "snp-agent-1", "other" };

        for (size_t i = 0; i < N_ELEMENTS(stale); i++)
                ck_assert_int_eq(mkdir(item_path(stale[i]), 0700), 0);
        for (size_t i = 0; i < N_ELEMENTS(kept); i++)
                ck_assert_int_eq(mkdir(item_path(kept[i]), 0700), 0);
        snp_device_free(open_device());
        ck_assert_uint_eq(n_items(), N_ELEMENTS(kept));
        for (size_t i = 0; i < N_ELEMENTS(kept); i++)
                ck_assert_msg(rmdir(item_path(kept[i])) == 0, "%s", kept[i]);
} END_TEST

/* What root does for the attester when the machine starts. */
static void hand_over(const char *entry, uid_t uid) {
        static const char *const attributes[] = { "inblob", "privlevel" };
        char name[SIM_PATH_MAX];

        ck_assert_int_eq(mkdir(item_path(entry), 0700), 0);
        for (size_t i = 0; i < N_ELEMENTS(attributes); i++) {
                (void) snprintf(name, sizeof(name), "%s/%s", entry, attributes[i]);
                ck_assert_int_eq(chown(item_path(name), uid, (gid_t) -1), 0);
        }
}

/* Gets a report as @uid from the tree, and ends with the negative code. */
static int get_as(uid_t uid) {
        int status = 0;
        pid_t pid;

        ck_assert_int_eq(chdir(run.mountpoint), 0); /* the way there is private */
        pid = fork();
        if (pid == 0) {
                SnpDeviceReport answer = {};
                SnpDevice *device = NULL;
                int r = setresuid(uid, uid, uid) < 0 ? -EIO : snp_device_open_configfs(".", &device, NULL);

                if (r == 0)
                        r = get(device, SNP_VMPL_AUTO, 5 * USEC_PER_SEC, &answer, NULL);
                _exit(-r);
        }
        ck_assert_int_eq(chdir("/"), 0);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status));
        return -WEXITSTATUS(status);
}

START_TEST(a_user_without_privilege_works_in_the_entry_it_was_given) {
        const uid_t attester = 65534;

        if (geteuid() != 0)
                return; /* nobody to give an entry away */
        ck_assert_int_eq(get_as(attester), -EACCES);
        ck_assert_int_eq(mkdir(item_path(SNP_DEVICE_TSM_ENTRY), 0700), 0);
        ck_assert_int_eq(get_as(attester), -EACCES);
        ck_assert_int_eq(rmdir(item_path(SNP_DEVICE_TSM_ENTRY)), 0);
        hand_over(SNP_DEVICE_TSM_ENTRY, attester);
        for (int i = 0; i < 3; i++)
                ck_assert_int_eq(get_as(attester), 0);
        ck_assert_uint_eq(n_items(), 1); /* it stays */
        control("fail=wrong-generation*2");
        ck_assert_int_eq(get_as(attester), 0);
        control("fail=wrong-generation");
        ck_assert_int_eq(get_as(attester), -EBUSY);
        ck_assert_int_eq(rmdir(item_path(SNP_DEVICE_TSM_ENTRY)), 0);
} END_TEST

START_TEST(a_given_entry_can_be_named) {
        AUTO_SNP_DEVICE_REPORT SnpDeviceReport answer = {};
        SnpDevice *device = NULL;
        Error e = {};
        int r;

        ck_assert_int_eq(mkdir(item_path("mine"), 0700), 0);
        r = snp_device_open_configfs(item_path("mine"), &device, &e);
        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        for (int i = 0; i < 2; i++) {
                snp_device_report_done(&answer);
                ck_assert_int_eq(get(device, SNP_VMPL_AUTO, 5 * USEC_PER_SEC, &answer, NULL), 0);
        }
        snp_device_free(device);
        ck_assert_uint_eq(n_items(), 1);
        ck_assert_int_eq(rmdir(item_path("mine")), 0);
} END_TEST

START_TEST(opening_without_a_provider_is_no_device) {
        SnpDevice *device;
        Error e = {};

        control("fail=enxio");
        ck_assert_int_eq(snp_device_open_configfs(run.mountpoint, &device, &e), -ENODEV);
        ck_assert_str_eq(error_reason(&e, -ENODEV), "tsm-no-provider");
} END_TEST

START_TEST(another_provider_is_no_device) {
        static const struct {
                const char *control, *reason;
        } rows[] = {
                { "provider=tdx_guest", "tsm-other-provider" },
                { "provider=sev_guest2", "tsm-other-provider" },
                { "provider=", "tsm-absent" },
        };

        for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
                SnpDevice *device;
                Error e = {};

                control(rows[i].control);
                ck_assert_int_eq(snp_device_open_configfs(run.mountpoint, &device, &e), -ENODEV);
                ck_assert_str_eq(error_reason(&e, -ENODEV), rows[i].reason);
                ck_assert_uint_eq(n_items(), 0);
        }
} END_TEST

START_TEST(a_directory_that_is_no_configfs_is_refused_and_left_clean) {
        char dir[] = "/tmp/snp-no-tsm-XXXXXX";
        SnpDevice *device;
        Error e = {};

        ck_assert_ptr_nonnull(mkdtemp(dir));
        ck_assert_int_eq(snp_device_open_configfs(dir, &device, &e), -ENODEV);
        ck_assert_str_eq(error_reason(&e, -ENODEV), "tsm-absent");
        ck_assert_ptr_null(strstr(e.text, "interfered"));
        ck_assert_int_eq(rmdir(dir), 0);
} END_TEST

START_TEST(automatic_choice_prefers_configfs) {
        CLEANUP(snp_device_freep) SnpDevice *device = NULL;

        ck_assert_int_eq(snp_device_open_auto(run.mountpoint, "/dev/null", &device, NULL), 0);
        ck_assert_str_eq(snp_device_name(device), "configfs-tsm");
} END_TEST

START_TEST(automatic_choice_falls_back_to_the_ioctls) {
        CLEANUP(snp_device_freep) SnpDevice *device = NULL;

        control("fail=enxio");
        ck_assert_int_eq(snp_device_open_auto(run.mountpoint, "/dev/null", &device, NULL), 0);
        ck_assert_str_eq(snp_device_name(device), "sev-guest");
} END_TEST

int main(void) {
        Suite *suite = suite_create("tsm-device");
        TCase *tc = tcase_create("tsm-device");
        const char *why = sim_tsm_unusable();

        if (why)
                return unit_skip(why);
        tcase_add_unchecked_fixture(tc, start, stop);
        tcase_add_checked_fixture(tc, restore, NULL);
        tcase_add_test(tc, report_comes_with_the_hosts_certificates);
        tcase_add_test(tc, host_without_certificates_gives_an_empty_table);
        tcase_add_test(tc, vmpl_is_the_floor_or_higher);
        tcase_add_loop_test(tc, failures_have_their_code_and_reason, 0, N_ELEMENTS(failures));
        tcase_add_test(tc, passing_interference_is_overcome);
        tcase_add_test(tc, a_rival_writer_never_gets_its_report_to_us);
        tcase_add_test(tc, only_directories_of_the_dead_are_cleared_away);
        tcase_add_test(tc, a_user_without_privilege_works_in_the_entry_it_was_given);
        tcase_add_test(tc, a_given_entry_can_be_named);
        tcase_add_test(tc, opening_without_a_provider_is_no_device);
        tcase_add_test(tc, another_provider_is_no_device);
        tcase_add_test(tc, a_directory_that_is_no_configfs_is_refused_and_left_clean);
        tcase_add_test(tc, automatic_choice_prefers_configfs);
        tcase_add_test(tc, automatic_choice_falls_back_to_the_ioctls);
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
