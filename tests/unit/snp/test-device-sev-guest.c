/* SPDX-License-Identifier: Apache-2.0 */
/* snp/device-sev-guest.c and sev-guest-call.c against a scripted kernel. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sev-guest.h>
#include <stdio.h>
#include <string.h>

#include "base/reader.h"
#include "base/text.h"
#include "base/writer.h"
#include "snp/cert_table.h"
#include "tests/simulator/report.h"
#include "tests/unit/snp/scripted.h"
#include "tests/unit/unit.h"

/* Runs @steps and expects @code and @reason. */
static void expect_failure(const Step *steps, size_t n, int code, const char *reason) {
        Fixture f;
        int r;

        fixture_init(&f, steps, n);
        r = fixture_report(&f, SNP_VMPL_AUTO, 600 * USEC_PER_SEC);
        ck_assert_msg(r == code, "%s: %d (%s) instead of %d", reason, r, error_text(&f.e, r), code);
        ck_assert_str_eq(error_reason(&f.e, r), reason);
        ck_assert_msg(text_starts_with(error_text(&f.e, r), "sev-guest: "), "%s", f.e.text);
        ck_assert(bytes_are_zero(&f.report, sizeof(f.report))); /* nothing partial */
        fixture_done(&f);
}

/* A certificate that ends in zeros, so that trimming by zeros would cut it. */
static Blob make_table(void) {
        static const uint8_t vcek[100] = { 0x30, 0x82 };
        Blob table;

        ck_assert_int_eq(sim_cert_table_make((const SimTableEntry[]){
                        { sim_guids[SIM_GUID_ARK], "abc", 3 },
                        { sim_guids[SIM_GUID_VCEK], vcek, sizeof(vcek) },
                }, 2, &table, NULL), 0);
        return table;
}

START_TEST(report_comes_with_the_hosts_certificates) {
        AUTO_BLOB Blob table = make_table();
        const Step steps[] = { { .certs = &table } };
        Fixture f;
        int r;

        fixture_init(&f, steps, 1);
        r = fixture_report(&f, SNP_VMPL_AUTO, USEC_PER_SEC);
        ck_assert_msg(r == 0, "%s", error_text(&f.e, r));
        ck_assert_uint_eq(f.script.offered[0], SNP_CERT_TABLE_MAX);
        ck_assert_mem_eq(f.report.report + 0x50, script_report_data, sizeof(script_report_data));
        ck_assert(blob_equal(&f.report.certs, &table));
        ck_assert_str_eq(snp_device_name(f.device), "sev-guest");
        fixture_done(&f);
} END_TEST

START_TEST(host_without_certificates_gives_an_empty_table) {
        const Step steps[] = { {} };
        Fixture f;

        fixture_init(&f, steps, 1);
        ck_assert_int_eq(fixture_report(&f, SNP_VMPL_AUTO, USEC_PER_SEC), 0);
        ck_assert_uint_eq(f.report.certs.size, 0);
        fixture_done(&f);
} END_TEST

START_TEST(driver_that_wants_other_room_gets_it) {
        AUTO_BLOB Blob table = make_table();
        const Step steps[] = { { -EIO, .vmm_error = 1, .needed = 0x2000 }, { .certs = &table } };
        Fixture f;

        fixture_init(&f, steps, 2);
        ck_assert_int_eq(fixture_report(&f, SNP_VMPL_AUTO, USEC_PER_SEC), 0);
        ck_assert_uint_eq(f.script.offered[1], 0x2000);
        ck_assert(blob_equal(&f.report.certs, &table));
        fixture_done(&f);
} END_TEST

static const struct {
        const char *reason;
        int code;
        Step steps[4];
        size_t n;
} failures[] = {
        { "certs-too-large", -E2BIG, { { -EIO, .vmm_error = 1, .needed = 0x5000 } }, 1 },
        { "certs-size", -EPROTO, { { -EIO, .vmm_error = 1, .needed = 0x1001 } }, 1 },
        { "certs-growing", -EBUSY, { { -EIO, .vmm_error = 1, .needed = 0x4000 },
                                     { -EIO, .vmm_error = 1, .needed = 0x3000 },
                                     { -EIO, .vmm_error = 1, .needed = 0x4000 } }, 3 },
        { "firmware-invalid-param", -EINVAL, { { .status = 0x16 } }, 1 },
        { "firmware-invalid-key", -EINVAL, { { .status = 0x27 } }, 1 },
        { "firmware-error", -EIO, { { .status = 0x23 } }, 1 },
        { "report-size", -EBADMSG, { { .report_size = 1183 } }, 1 },
        { "report-size", -EBADMSG, { { .report_size = UINT32_MAX } }, 1 },
        { "report-empty", -EBADMSG, { { .zero_report = true } }, 1 },
        { "report-reserved", -EBADMSG, { { .broken_report = true } }, 1 },
        { "report-data-mismatch", -ESTALE, { { .other_report_data = true } }, 1 },
        { "report-vmpl-mismatch", -EPROTO, { { .other_vmpl = true } }, 1 },
        { "firmware-error", -EIO, { { -EIO, .fw_error = 0x1D } }, 1 },
        { "firmware-not-reached", -EIO, { { -EIO, .fw_error = 0xFF } }, 1 },
        { "host-error", -EIO, { { -EIO, .vmm_error = 0x80000000 } }, 1 },
        { "host-busy", -EBUSY, { { -EIO, .vmm_error = 2 } }, 1 },
        { "host-busy", -ETIMEDOUT, { { -ETIMEDOUT, .vmm_error = 2 } }, 1 },
        /* The question without certificates is tried before the device is given up. */
        { "not-sev-guest", -ENODEV, { { -ENOTTY, .fw_error = 0xFF },
                                      { -ENOTTY, .fw_error = 0xFF, .request = SCRIPT_REPORT } }, 2 },
        { "message-authentication", -EBADMSG, { { -EBADMSG } }, 1 },
        { "request-refused", -EINVAL, { { -EINVAL, .fw_error = 0xFF } }, 1 },
        { "out-of-memory", -ENOMEM, { { -ENOMEM } }, 1 },
        { "device-failed", -ENOSR, { { -ENOSR } }, 1 },
};

START_TEST(failures_have_their_code_and_reason) {
        expect_failure(failures[_i].steps, failures[_i].n, failures[_i].code, failures[_i].reason);
} END_TEST

START_TEST(a_failed_firmware_call_is_not_repeated) {
        /* The first failure wipes the key: what follows can only be ENOTTY, and is told as such. */
        const Step steps[] = { { -EIO, .fw_error = 0x14 }, { -ENOTTY, .fw_error = 0xFF } };
        Fixture f;

        fixture_init(&f, steps, 2);
        ck_assert_int_eq(fixture_report(&f, SNP_VMPL_AUTO, USEC_PER_SEC), -EIO);
        ck_assert_uint_eq(f.script.at, 1);
        ck_assert_ptr_nonnull(strstr(f.e.text, "HWERROR_UNSAFE"));
        f.e = (Error){};
        ck_assert_int_eq(fixture_report(&f, SNP_VMPL_AUTO, USEC_PER_SEC), -ENOTTY);
        ck_assert_str_eq(error_reason(&f.e, -ENOTTY), "message-key-lost");
        fixture_done(&f);
} END_TEST

START_TEST(a_guest_whose_driver_has_no_key_is_told_from_none) {
        const Step steps[] = { { -ENOTTY, .fw_error = 0xFF }, { -ENOTTY, .fw_error = 0xFF, .request = SCRIPT_REPORT } };
        Fixture f;

        fixture_init(&f, steps, 2);
        f.signs.platform_path = "/proc/self"; /* is there */
        ck_assert_int_eq(fixture_report(&f, SNP_VMPL_AUTO, USEC_PER_SEC), -ENOTTY);
        ck_assert_str_eq(error_reason(&f.e, -ENOTTY), "message-key-lost");
        fixture_done(&f);
} END_TEST

START_TEST(a_driver_without_certificates_still_gives_reports) {
        const Step steps[] = { { -ENOTTY }, { .request = SCRIPT_REPORT }, { -ENOTTY } };
        Fixture f;
        int r;

        fixture_init(&f, steps, 3);
        r = fixture_report(&f, SNP_VMPL_AUTO, USEC_PER_SEC);
        ck_assert_msg(r == 0, "%s", error_text(&f.e, r));
        ck_assert_uint_eq(f.report.certs.size, 0);
        ck_assert_mem_eq(f.report.report + 0x50, script_report_data, sizeof(script_report_data));
        /* Now it is known to be the driver, so ENOTTY can only be the key. */
        ck_assert_int_eq(fixture_report(&f, SNP_VMPL_AUTO, USEC_PER_SEC), -ENOTTY);
        fixture_done(&f);
} END_TEST

static const int later[] = { -EAGAIN, -EBUSY };

START_TEST(again_is_tried_again_after_the_throttle) {
        const Step steps[] = { { later[_i] }, { later[_i] }, {} };
        Fixture f;

        fixture_init(&f, steps, 3);
        ck_assert_int_eq(fixture_report(&f, SNP_VMPL_AUTO, 60 * USEC_PER_SEC), 0);
        ck_assert_uint_eq(f.script.n_sleeps, 2);
        fixture_done(&f);
} END_TEST

START_TEST(again_has_an_end) {
        Step steps[30];
        Fixture f;
        size_t n = N_ELEMENTS(steps);

        for (size_t i = 0; i < n; i++)
                steps[i] = (Step){ -EAGAIN };
        fixture_init(&f, steps, n);
        ck_assert_int_eq(fixture_report(&f, SNP_VMPL_AUTO, 600 * USEC_PER_SEC), -EBUSY);
        ck_assert_str_eq(error_reason(&f.e, -EBUSY), "host-busy");
        ck_assert_uint_eq(f.script.n_sleeps, n);
        for (size_t i = 0; i < n; i++) {
                uint64_t least = (i < 3 ? UINT64_C(2) << i : 16) * USEC_PER_SEC;

                ck_assert_uint_ge(f.script.slept[i], least);
                ck_assert_uint_lt(f.script.slept[i], least + least / 2);
        }
        fixture_done(&f);
} END_TEST

START_TEST(too_many_requests_are_held_back) {
        const Step steps[] = { {}, {}, {} };
        uint64_t start = now_monotonic_usec();
        Fixture f;

        fixture_init(&f, steps, 3);
        f.throttle = (SnpThrottle){ .interval_usec = 50 * USEC_PER_MSEC, .burst = 2 };
        for (size_t i = 0; i < 3; i++)
                ck_assert_int_eq(fixture_report(&f, SNP_VMPL_AUTO, 60 * USEC_PER_SEC), 0);
        ck_assert_uint_ge(now_monotonic_usec() - start, 50 * USEC_PER_MSEC);
        fixture_done(&f);
} END_TEST

START_TEST(who_cannot_wait_that_long_is_told_at_once) {
        const Step steps[] = { {}, {} };
        Fixture f;

        fixture_init(&f, steps, 2);
        f.throttle = (SnpThrottle){ .interval_usec = 3600 * USEC_PER_SEC, .burst = 2 };
        for (size_t i = 0; i < 2; i++)
                ck_assert_int_eq(fixture_report(&f, SNP_VMPL_AUTO, 60 * USEC_PER_SEC), 0);
        ck_assert_int_eq(fixture_report(&f, SNP_VMPL_AUTO, 60 * USEC_PER_SEC), -EBUSY);
        ck_assert_str_eq(error_reason(&f.e, -EBUSY), "throttled");
        fixture_done(&f);
} END_TEST

START_TEST(growing_room_counts_as_a_request) {
        const Step steps[] = { { -EIO, .vmm_error = 1, .needed = 0x2000 } };
        Fixture f;

        fixture_init(&f, steps, 1);
        f.throttle = (SnpThrottle){ .interval_usec = 3600 * USEC_PER_SEC, .burst = 1 };
        ck_assert_int_eq(fixture_report(&f, SNP_VMPL_AUTO, 60 * USEC_PER_SEC), -EBUSY);
        ck_assert_str_eq(error_reason(&f.e, -EBUSY), "throttled");
        fixture_done(&f);
} END_TEST

START_TEST(own_throttle_lets_a_boots_requests_through) {
        Step steps[SNP_THROTTLE_BURST] = {};
        Fixture f;

        fixture_init(&f, steps, SNP_THROTTLE_BURST);
        snp_device_set_throttle(f.device, NULL);
        for (size_t i = 0; i < SNP_THROTTLE_BURST; i++)
                ck_assert_int_eq(fixture_report(&f, SNP_VMPL_AUTO, USEC_PER_SEC), 0);
        ck_assert_int_eq(fixture_report(&f, SNP_VMPL_AUTO, 10 * USEC_PER_MSEC), -EBUSY);
        fixture_done(&f);
} END_TEST

START_TEST(deadline_ends_the_waiting) {
        const Step steps[] = { { -EAGAIN } };
        Fixture f;
        int r;

        fixture_init(&f, steps, 1);
        r = fixture_report(&f, SNP_VMPL_AUTO, USEC_PER_SEC);
        ck_assert_int_eq(r, -ETIMEDOUT);
        ck_assert_str_eq(error_reason(&f.e, r), "deadline");
        fixture_done(&f);
} END_TEST

START_TEST(passed_deadline_asks_nobody) {
        Fixture f;

        fixture_init(&f, NULL, 0);
        ck_assert_int_eq(fixture_report(&f, SNP_VMPL_AUTO, 0), -ETIMEDOUT);
        fixture_done(&f);
} END_TEST

START_TEST(vmpl_is_the_kernels_or_higher) {
        static const struct {
                const char *file;
                uint32_t wanted, asked;
        } rows[] = {
                { NULL, SNP_VMPL_AUTO, 0 }, { NULL, 3, 3 },
                { "2\n", SNP_VMPL_AUTO, 2 }, { "2\n", 0, 2 }, { "2\n", 3, 3 },
                { "9\n", SNP_VMPL_AUTO, 0 }, { "junk", SNP_VMPL_AUTO, 0 },
        };
        char path[] = "/tmp/snp-vmpl-XXXXXX";
        int fd = mkstemp(path);

        ck_assert_int_ge(fd, 0);
        for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
                const Step steps[] = { {} };
                Fixture f;

                fixture_init(&f, steps, 1);
                if (rows[i].file) {
                        ck_assert_int_eq(ftruncate(fd, 0), 0);
                        ck_assert_int_gt(pwrite(fd, rows[i].file, strlen(rows[i].file), 0), 0);
                        f.signs.vmpl_path = path;
                }
                ck_assert_int_eq(fixture_report(&f, rows[i].wanted, USEC_PER_SEC), 0);
                ck_assert_msg(f.script.vmpl == rows[i].asked, "row %zu: VMPL %u", i, f.script.vmpl);
                fixture_done(&f);
        }
        (void) close(fd);
        (void) unlink(path);
} END_TEST

START_TEST(vmpl_above_3_does_not_exist) {
        Fixture f;

        fixture_init(&f, NULL, 0);
        ck_assert_int_eq(fixture_report(&f, 4, USEC_PER_SEC), -EINVAL);
        ck_assert_str_eq(error_reason(&f.e, -EINVAL), "vmpl-range");
        fixture_done(&f);
} END_TEST

START_TEST(malformed_certificate_table_is_refused) {
        AUTO_BLOB Blob table = make_table();
        const Step steps[] = { { .certs = &table } };
        Fixture f;

        store_le32(table.data + 16, 0x4000); /* offset of the first certificate */
        fixture_init(&f, steps, 1);
        ck_assert_int_eq(fixture_report(&f, SNP_VMPL_AUTO, USEC_PER_SEC), -EBADMSG);
        fixture_done(&f);
} END_TEST

START_TEST(certificate_behind_a_duplicate_is_not_cut_off) {
        Blob table;
        const Step steps[] = { { .certs = &table } };
        Fixture f;

        ck_assert_int_eq(sim_cert_table_make((const SimTableEntry[]){
                        { sim_guids[SIM_GUID_VCEK], "first", 5 },
                        { sim_guids[SIM_GUID_VCEK], "second", 6 },
                }, 2, &table, NULL), 0);
        fixture_init(&f, steps, 1);
        ck_assert_int_eq(fixture_report(&f, SNP_VMPL_AUTO, USEC_PER_SEC), 0);
        ck_assert(blob_equal(&f.report.certs, &table));
        fixture_done(&f);
        blob_done(&table);
} END_TEST

START_TEST(absent_device_is_told_from_a_closed_one) {
        static const struct {
                int open_answer, code;
        } rows[] = { { -ENOENT, -ENODEV }, { -ENODEV, -ENODEV }, { -EACCES, -EACCES }, { -EPERM, -EACCES } };

        for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
                Script script = { .open_answer = rows[i].open_answer };
                SevGuestKernel kernel = script_kernel(&script);
                SnpDevice *device;
                Error e = {};

                ck_assert_int_eq(snp_device_open_ioctl_on(&kernel, &script_no_guest, "/dev/sev-guest", &device, &e), rows[i].code);
                ck_assert_str_eq(error_reason(&e, rows[i].code), "sev-guest-absent");
        }
} END_TEST

START_TEST(a_plain_file_is_no_device) {
        char path[] = "/tmp/snp-dev-XXXXXX";
        int fd = mkstemp(path);
        SnpDevice *device;

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(snp_device_open_ioctl(path, &device, NULL), -ENODEV);
        (void) close(fd);
        (void) unlink(path);
} END_TEST

START_TEST(a_device_without_these_ioctls_gives_no_report) {
        CLEANUP(snp_device_freep) SnpDevice *device = NULL;
        AUTO_SNP_DEVICE_REPORT SnpDeviceReport report = {};
        Error e = {};

        ck_assert_int_eq(snp_device_open_ioctl("/dev/null", &device, &e), 0);
        ck_assert_int_eq(snp_device_get_report(device, script_report_data, 0, deadline_in(USEC_PER_SEC), &report, &e),
                         snp_guest_is_one(&snp_guest_signs) ? -ENOTTY : -ENODEV);
} END_TEST

START_TEST(a_device_that_is_absent_is_explained) {
        SnpDevice *device;
        Error e = {};

        ck_assert_int_eq(snp_device_open_ioctl("/nonexistent/sev-guest", &device, &e), -ENODEV);
        ck_assert_ptr_nonnull(strstr(e.text, "/nonexistent/sev-guest"));
        ck_assert_str_ne(error_reason(&e, -ENODEV), "sev-guest-absent"); /* which of the causes depends on the machine */
} END_TEST

static bool offers_snp(void) {
        return true;
}

static const struct {
        const char *reason, *platform;
        bool (*cpu)(void);
} absences[] = {
        { "no-snp-device", "/nonexistent/sev-guest", NULL },
        { "snp-kernel-missing", "/nonexistent/sev-guest", offers_snp },
        { "snp-driver-missing", "/proc/self", NULL },
        { "snp-driver-missing", "/proc/self", offers_snp },
};

START_TEST(automatic_choice_tells_what_is_missing) {
        SnpGuestSigns signs = script_no_guest;
        SnpDevice *device;
        Error e = {};

        signs.platform_path = absences[_i].platform;
        if (absences[_i].cpu)
                signs.cpu_offers_snp = absences[_i].cpu;
        ck_assert_int_eq(snp_device_open_auto_on(&signs, "/nonexistent/tsm", "/nonexistent/dev", &device, &e), -ENODEV);
        ck_assert_str_eq(error_reason(&e, -ENODEV), absences[_i].reason);
        ck_assert_ptr_nonnull(strstr(e.text, "/nonexistent/tsm"));
        ck_assert_ptr_nonnull(strstr(e.text, "/nonexistent/dev"));
} END_TEST

/* Headers of 2022 and later agree on sizes and offsets, whatever they call the fields. */
START_TEST(abi_is_that_of_the_kernels_header) {
        ck_assert_uint_eq(sizeof(SevGuestRequest), sizeof(struct snp_guest_request_ioctl));
        ck_assert_uint_eq(offsetof(SevGuestRequest, req_data), offsetof(struct snp_guest_request_ioctl, req_data));
        ck_assert_uint_eq(offsetof(SevGuestRequest, resp_data), offsetof(struct snp_guest_request_ioctl, resp_data));
        ck_assert_uint_eq(sizeof(SevGuestReportReq), sizeof(struct snp_report_req));
        ck_assert_uint_eq(offsetof(SevGuestReportReq, vmpl), offsetof(struct snp_report_req, vmpl));
        ck_assert_uint_eq(sizeof(SevGuestExtReportReq), sizeof(struct snp_ext_report_req));
        ck_assert_uint_eq(offsetof(SevGuestExtReportReq, certs_len), offsetof(struct snp_ext_report_req, certs_len));
        ck_assert_uint_eq(sizeof(SevGuestReportResp), sizeof(struct snp_report_resp));
        ck_assert_uint_eq(SEV_GUEST_GET_REPORT, SNP_GET_REPORT);
        ck_assert_uint_eq(SEV_GUEST_GET_EXT_REPORT, SNP_GET_EXT_REPORT);
        ck_assert_uint_eq(sizeof(SevGuestDerivedKeyReq), sizeof(struct snp_derived_key_req));
        ck_assert_uint_eq(offsetof(SevGuestDerivedKeyReq, tcb_version), offsetof(struct snp_derived_key_req, tcb_version));
        ck_assert_uint_eq(offsetof(SevGuestDerivedKeyReq, guest_svn), offsetof(struct snp_derived_key_req, guest_svn));
        ck_assert_uint_eq(sizeof(SevGuestDerivedKeyResp), sizeof(struct snp_derived_key_resp));
        ck_assert_uint_eq(SEV_GUEST_GET_DERIVED_KEY, SNP_GET_DERIVED_KEY);
} END_TEST

START_TEST(status_codes_have_names) {
        ck_assert_str_eq(snp_firmware_status_name(0x16), "INVALID_PARAM");
        ck_assert_str_eq(snp_firmware_status_name(0x28), "SHUTDOWN_INCOMPLETE");
        ck_assert_str_eq(snp_firmware_status_name(0x1E), "unknown status");
        ck_assert_str_eq(snp_firmware_status_name(0x29), "unknown status");
        ck_assert_str_eq(snp_firmware_status_name(UINT32_MAX), "unknown status");
} END_TEST

int main(void) {
        Suite *suite = suite_create("snp-device-sev-guest");
        TCase *tc = tcase_create("snp-device-sev-guest");

        tcase_add_test(tc, report_comes_with_the_hosts_certificates);
        tcase_add_test(tc, host_without_certificates_gives_an_empty_table);
        tcase_add_test(tc, driver_that_wants_other_room_gets_it);
        tcase_add_loop_test(tc, failures_have_their_code_and_reason, 0, N_ELEMENTS(failures));
        tcase_add_test(tc, a_failed_firmware_call_is_not_repeated);
        tcase_add_test(tc, a_guest_whose_driver_has_no_key_is_told_from_none);
        tcase_add_test(tc, a_driver_without_certificates_still_gives_reports);
        tcase_add_loop_test(tc, again_is_tried_again_after_the_throttle, 0, N_ELEMENTS(later));
        tcase_add_test(tc, again_has_an_end);
        tcase_add_test(tc, too_many_requests_are_held_back);
        tcase_add_test(tc, who_cannot_wait_that_long_is_told_at_once);
        tcase_add_test(tc, growing_room_counts_as_a_request);
        tcase_add_test(tc, own_throttle_lets_a_boots_requests_through);
        tcase_add_test(tc, deadline_ends_the_waiting);
        tcase_add_test(tc, passed_deadline_asks_nobody);
        tcase_add_test(tc, vmpl_is_the_kernels_or_higher);
        tcase_add_test(tc, vmpl_above_3_does_not_exist);
        tcase_add_test(tc, malformed_certificate_table_is_refused);
        tcase_add_test(tc, certificate_behind_a_duplicate_is_not_cut_off);
        tcase_add_test(tc, absent_device_is_told_from_a_closed_one);
        tcase_add_test(tc, a_plain_file_is_no_device);
        tcase_add_test(tc, a_device_without_these_ioctls_gives_no_report);
        tcase_add_test(tc, a_device_that_is_absent_is_explained);
        tcase_add_loop_test(tc, automatic_choice_tells_what_is_missing, 0, N_ELEMENTS(absences));
        tcase_add_test(tc, abi_is_that_of_the_kernels_header);
        tcase_add_test(tc, status_codes_have_names);
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
