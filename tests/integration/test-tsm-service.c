/* SPDX-License-Identifier: Apache-2.0 */
/* snp/device-configfs-service.c, the product's own code, against the SVSM of the simulated platform. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/reader.h"
#include "base/text.h"
#include "snp/cert_table.h"
#include "snp/device.h"
#include "snp/svsm-manifest.h"
#include "tests/simulator/harness.h"
#include "tests/unit/unit.h"

static SimTsmRun run;
static char v0[SIM_PATH_MAX], v1[SIM_PATH_MAX], settings[3 * SIM_PATH_MAX];

static const uint8_t ek[] = "this is not looked into here";
static const uint8_t keys[] = { 0, 0, 0, 1, 0, 0, 0, 2, 0, 1, 'e', 0, 1, 'a' };

static void write_file(char path[static SIM_PATH_MAX], const char *name, const void *data, size_t size) {
        (void) snprintf(path, SIM_PATH_MAX, "%s/%s", run.dir, name);
        ck_assert_int_eq(file_write_atomic(path, data, size, 0600, NULL), 0);
}

static void start(void) {
        Error e = {};
        int r = sim_tsm_start(SIM_GENOA, NULL, &run, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        write_file(v0, "ek", ek, sizeof(ek));
        write_file(v1, "keys", keys, sizeof(keys));
        (void) snprintf(settings, sizeof(settings), "vmpl-floor=2\nuefi-flags=2\nvtpm-manifest=%s\n"
                        "vtpm-manifest-v1=%s\n", v0, v1);
}

static void stop(void) {
        (void) unlink(v0);
        (void) unlink(v1);
        ck_assert_int_eq(sim_tsm_stop(&run), 0);
}

/* An SVSM with a vTPM, changed by @more. */
static void control(const char *more) {
        char text[4 * SIM_PATH_MAX];
        Error e = {};
        int r;

        (void) snprintf(text, sizeof(text), "%s%s\n", settings, more);
        r = sim_tsm_control(&run, text, &e);
        ck_assert_msg(r == 0, "%s", error_text(&e, r));
}

static void restore(void) {
        control("");
}

static size_t n_items(void) {
        DIR *dir = opendir(run.mountpoint);
        size_t n = 0;

        ck_assert_ptr_nonnull(dir);
        for (const struct dirent *d; (d = readdir(dir));)
                n += d->d_name[0] != '.';
        (void) closedir(dir);
        return n;
}

static SnpDevice *open_device(void) {
        SnpDevice *device = NULL;
        Error e = {};
        int r = snp_device_open_configfs(run.mountpoint, &device, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        return device;
}

static SnpServiceRequest request_for(const SnpGuid *service, uint32_t version) {
        return (SnpServiceRequest){ .nonce = { 5, [63] = 6 }, .service = *service, .manifest_version = version };
}

static const SnpGuid all = {};

/* From a device of its own, so that no request waits for another. */
static int get(const SnpServiceRequest *q, uint64_t usec, SnpServiceReport *ret, Error *e) {
        CLEANUP(snp_device_freep) SnpDevice *device = open_device();

        return snp_device_get_service_report(device, q, deadline_in(usec), ret, e);
}

static void expect_bound(const SnpServiceReport *a, const SnpServiceRequest *q) {
        SnpSvsmVerdict verdict;
        SnpReport report;

        ck_assert_int_eq(snp_report_parse(a->report, sizeof(a->report), &report, NULL), 0);
        ck_assert_uint_eq(report.vmpl, 0);
        ck_assert_int_eq(snp_svsm_bind(&report, q->nonce, a->manifest.data, a->manifest.size, &verdict, NULL), 0);
        ck_assert_int_eq(verdict, SNP_SVSM_BOUND);
        ck_assert_uint_eq(n_items(), 0);
}

START_TEST(vtpm_service_gives_its_key_and_certificates) {
        SnpServiceRequest q = request_for(&snp_svsm_guid_vtpm, 0);
        AUTO_SNP_SERVICE_REPORT SnpServiceReport a = {};
        SnpCertTable table;
        Error e = {};
        int r = get(&q, 5 * USEC_PER_SEC, &a, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        expect_bound(&a, &q);
        ck_assert_uint_eq(a.manifest.size, sizeof(ek));
        ck_assert_mem_eq(a.manifest.data, ek, sizeof(ek));
        ck_assert_int_eq(snp_cert_table_parse(a.certs.data, a.certs.size, &table, NULL), 0);
        ck_assert_ptr_nonnull(snp_cert_table_find(&table, SNP_CERT_VCEK));
} END_TEST

START_TEST(version_1_is_asked_for_by_number) {
        SnpServiceRequest q = request_for(&snp_svsm_guid_vtpm, 1);
        AUTO_SNP_SERVICE_REPORT SnpServiceReport a = {};
        SnpSvsmKeys k;

        ck_assert_int_eq(get(&q, 5 * USEC_PER_SEC, &a, NULL), 0);
        expect_bound(&a, &q);
        ck_assert_int_eq(snp_svsm_vtpm_parse(a.manifest.data, a.manifest.size, 1, &k, NULL), 0);
        ck_assert_uint_eq(k.n_keys, 2);
} END_TEST

START_TEST(all_services_come_as_a_table) {
        SnpServiceRequest q = request_for(&all, 0);
        AUTO_SNP_SERVICE_REPORT SnpServiceReport a = {};
        const SnpSvsmService *vtpm, *uefi;
        SnpSvsmServices s;
        uint32_t flags;

        control("certs=none");
        ck_assert_int_eq(get(&q, 5 * USEC_PER_SEC, &a, NULL), 0);
        expect_bound(&a, &q);
        ck_assert_uint_eq(a.certs.size, 0);
        ck_assert_int_eq(snp_svsm_services_parse(a.manifest.data, a.manifest.size, &s, NULL), 0);
        ck_assert_uint_eq(s.n_services, 2);
        vtpm = snp_svsm_services_find(&s, &snp_svsm_guid_vtpm);
        ck_assert_ptr_nonnull(vtpm);
        ck_assert_uint_eq(vtpm->size, sizeof(ek));
        ck_assert_mem_eq(vtpm->manifest, ek, sizeof(ek));
        uefi = snp_svsm_services_find(&s, &snp_svsm_guid_uefi_mm);
        ck_assert_ptr_nonnull(uefi);
        ck_assert_int_eq(snp_svsm_uefi_parse(uefi->manifest, uefi->size, &flags, NULL), 0);
        ck_assert_uint_eq(flags, SNP_SVSM_UEFI_SECURE_BOOT);
} END_TEST

static const struct {
        const char *control;
        int code;
        const char *reason;
} failures[] = {
        { "vmpl-floor=0", -EOPNOTSUPP, "no-svsm" },
        { "old-kernel=yes", -EOPNOTSUPP, "svsm-kernel" },
        { "vtpm-manifest=", -ENOENT, "svsm-refused" },
        { "fail=eio", -ENOENT, "svsm-refused" }, /* all that the kernel tells is EINVAL */
        { "fail=wrong-generation", -EBUSY, "generation-conflict" },
        { "fail=wrong-report-data", -ESTALE, "report-data-mismatch" },
        { "fail=vmpl:2", -EPROTO, "report-vmpl-mismatch" },
        { "fail=other-manifest", -ESTALE, "report-data-mismatch" },
        { "fail=truncated-manifest", -ESTALE, "report-data-mismatch" },
        { "fail=zero-report", -EBADMSG, "report-empty" },
        { "fail=truncated", -EBADMSG, "report-size" },
        { "fail=oversized", -E2BIG, "answer-too-large" },
        { "fail=slow:200", -ETIMEDOUT, "deadline" },
        { "fail=enxio", -ENODEV, "tsm-no-provider" },
        { "certs=garbage", -EBADMSG, "cert-table-length" },
};

START_TEST(failures_have_their_code_and_reason) {
        CLEANUP(snp_device_freep) SnpDevice *device = open_device();
        SnpServiceRequest q = request_for(&snp_svsm_guid_vtpm, 0);
        SnpServiceReport a = {};
        Error e = {};
        int r;

        control(failures[_i].control);
        r = snp_device_get_service_report(device, &q, deadline_in(strstr(failures[_i].control, "slow") ?
                                                                  100 * USEC_PER_MSEC : 10 * USEC_PER_SEC), &a, &e);
        ck_assert_msg(r == failures[_i].code, "%s: %d (%s)", failures[_i].control, r, error_text(&e, r));
        ck_assert_msg(strcmp(error_reason(&e, r), failures[_i].reason) == 0, "%s: %s", failures[_i].control, e.reason);
        ck_assert_msg(text_starts_with(e.text, "configfs-tsm: "), "%s", e.text);
        ck_assert(bytes_are_zero(&a, sizeof(a)));
        control("");
        ck_assert_uint_eq(n_items(), 0);
} END_TEST

START_TEST(passing_interference_is_overcome) {
        SnpServiceRequest q = request_for(&snp_svsm_guid_vtpm, 0);
        AUTO_SNP_SERVICE_REPORT SnpServiceReport a = {};

        control("fail=wrong-generation*1");
        ck_assert_int_eq(get(&q, 10 * USEC_PER_SEC, &a, NULL), 0);
        expect_bound(&a, &q);
} END_TEST

START_TEST(nonsense_is_not_asked_for) {
        SnpServiceRequest later = request_for(&snp_svsm_guid_vtpm, 2), versioned = request_for(&all, 1);
        SnpServiceRequest unknown = request_for(&(SnpGuid){ { 1 } }, 0);
        SnpServiceReport a = {};

        ck_assert_int_eq(get(&later, 5 * USEC_PER_SEC, &a, NULL), -EINVAL);
        ck_assert_int_eq(get(&versioned, 5 * USEC_PER_SEC, &a, NULL), -EINVAL);
        ck_assert_int_eq(get(&unknown, 5 * USEC_PER_SEC, &a, NULL), -ENOENT);
} END_TEST

START_TEST(the_ioctls_have_no_way_to_ask) {
        SnpServiceRequest q = request_for(&snp_svsm_guid_vtpm, 0);
        CLEANUP(snp_device_freep) SnpDevice *device = NULL;
        SnpServiceReport a = {};
        Error e = {};

        ck_assert_int_eq(snp_device_open_ioctl("/dev/null", &device, &e), 0); /* looks no closer before it is asked */
        ck_assert_int_eq(snp_device_get_service_report(device, &q, deadline_in(USEC_PER_SEC), &a, &e), -EOPNOTSUPP);
        ck_assert_str_eq(e.reason, "svsm-ioctl");
} END_TEST

START_TEST(requests_keep_two_seconds_apart) {
        CLEANUP(snp_device_freep) SnpDevice *device = open_device();
        SnpServiceRequest q = request_for(&snp_svsm_guid_vtpm, 0);
        uint64_t begin;

        for (int i = 0; i < 2; i++) {
                AUTO_SNP_SERVICE_REPORT SnpServiceReport a = {};

                begin = i == 0 ? now_monotonic_usec() : begin;
                ck_assert_int_eq(snp_device_get_service_report(device, &q, deadline_in(20 * USEC_PER_SEC), &a, NULL), 0);
        }
        ck_assert_uint_ge(now_monotonic_usec() - begin, 2 * USEC_PER_SEC);
        {
                SnpServiceReport a = {};
                Error e = {};

                ck_assert_int_eq(snp_device_get_service_report(device, &q, deadline_in(USEC_PER_SEC / 2), &a, &e),
                                 -ETIMEDOUT);
                ck_assert_str_eq(e.reason, "deadline");
        }
} END_TEST

START_TEST(ordinary_reports_stay_as_they_were) {
        CLEANUP(snp_device_freep) SnpDevice *device = open_device();
        SnpServiceRequest q = request_for(&snp_svsm_guid_vtpm, 0);
        AUTO_SNP_SERVICE_REPORT SnpServiceReport service = {};
        AUTO_SNP_DEVICE_REPORT SnpDeviceReport report = {};

        ck_assert_int_eq(snp_device_get_service_report(device, &q, deadline_in(5 * USEC_PER_SEC), &service, NULL), 0);
        ck_assert_int_eq(snp_device_get_report(device, q.nonce, SNP_VMPL_AUTO, deadline_in(5 * USEC_PER_SEC), &report,
                                               NULL), 0);
        ck_assert_uint_eq(load_le32(report.report + 0x30), 2);
        ck_assert_mem_eq(report.report + 0x50, q.nonce, sizeof(q.nonce));
} END_TEST

static const char *item_path(const char *item, const char *attribute) {
        static char path[SIM_PATH_MAX * 2];

        (void) snprintf(path, sizeof(path), "%s/%s/%s", run.mountpoint, item, attribute);
        return path;
}

/* What root does for the attester when the machine starts. */
static void hand_over(const char *entry, const char *const *attributes, uid_t uid) {
        ck_assert_int_eq(mkdir(item_path(entry, ""), 0700), 0);
        for (; *attributes; attributes++)
                ck_assert_int_eq(chown(item_path(entry, *attributes), uid, (gid_t) -1), 0);
}

/* As @uid, an ordinary report and a service's, twice each. Ends with the negative code. */
static int get_as(uid_t uid) {
        SnpServiceRequest q = request_for(&snp_svsm_guid_vtpm, 0);
        int status = 0;
        pid_t pid;

        ck_assert_int_eq(chdir(run.mountpoint), 0); /* the way there is private */
        pid = fork();
        if (pid == 0) {
                SnpDevice *device = NULL;
                int r = setresuid(uid, uid, uid) < 0 ? -EIO : snp_device_open_configfs(".", &device, NULL);

                for (int i = 0; r == 0 && i < 2; i++) {
                        AUTO_SNP_SERVICE_REPORT SnpServiceReport service = {};
                        AUTO_SNP_DEVICE_REPORT SnpDeviceReport report = {};

                        r = snp_device_get_report(device, q.nonce, SNP_VMPL_AUTO, deadline_in(5 * USEC_PER_SEC), &report,
                                                  NULL);
                        if (r == 0)
                                r = snp_device_get_service_report(device, &q, deadline_in(20 * USEC_PER_SEC), &service,
                                                                  NULL);
                }
                snp_device_free(device);
                _exit(-r);
        }
        ck_assert_int_eq(chdir("/"), 0);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status));
        return -WEXITSTATUS(status);
}

START_TEST(a_user_without_privilege_has_an_entry_for_services) {
        static const char *const report[] = { "inblob", "privlevel", NULL };
        static const char *const service[] = { "inblob", "service_provider", "service_guid", "service_manifest_version",
                                               NULL };
        const uid_t attester = 65534;

        if (geteuid() != 0)
                return; /* nobody to give an entry away */
        hand_over(SNP_DEVICE_TSM_ENTRY, report, attester);
        ck_assert_int_eq(get_as(attester), -EACCES);
        hand_over(SNP_DEVICE_TSM_SERVICE_ENTRY, service, attester);
        ck_assert_int_eq(get_as(attester), 0);
        ck_assert_int_eq(rmdir(item_path(SNP_DEVICE_TSM_ENTRY, "")), 0);
        ck_assert_int_eq(rmdir(item_path(SNP_DEVICE_TSM_SERVICE_ENTRY, "")), 0);
} END_TEST

int main(void) {
        Suite *suite = suite_create("tsm-service");
        TCase *tc = tcase_create("tsm-service");
        const char *why = sim_tsm_unusable();

        if (why)
                return unit_skip(why);
        tcase_set_timeout(tc, 60);
        tcase_add_unchecked_fixture(tc, start, stop);
        tcase_add_checked_fixture(tc, restore, NULL);
        tcase_add_test(tc, vtpm_service_gives_its_key_and_certificates);
        tcase_add_test(tc, version_1_is_asked_for_by_number);
        tcase_add_test(tc, all_services_come_as_a_table);
        tcase_add_loop_test(tc, failures_have_their_code_and_reason, 0, N_ELEMENTS(failures));
        tcase_add_test(tc, passing_interference_is_overcome);
        tcase_add_test(tc, nonsense_is_not_asked_for);
        tcase_add_test(tc, the_ioctls_have_no_way_to_ask);
        tcase_add_test(tc, requests_keep_two_seconds_apart);
        tcase_add_test(tc, ordinary_reports_stay_as_they_were);
        tcase_add_test(tc, a_user_without_privilege_has_an_entry_for_services);
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
