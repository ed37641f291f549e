/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The product's ioctl implementation against a character device that keeps the driver's ABI, on a kernel that carries
 * the ioctls: runs inside user-mode-linux, see init.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/reader.h"
#include "snp/cert_table.h"
#include "snp/device.h"
#include "snp/verify.h"
#include "tests/integration/uml/guest.h"
#include "tests/unit/unit.h"

static const uint8_t report_data[SNP_REPORT_DATA_SIZE] = { 0xD1, 0x6E, 0x57, [63] = 1 };

/* No limit: what is slow here is the emulation. */
static SnpThrottle no_throttle;

static SnpDevice *open_device(void) {
        SnpDevice *device = NULL;
        Error e = {};
        int r = snp_device_open_ioctl("/dev/sev-guest", &device, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        snp_device_set_throttle(device, &no_throttle);
        return device;
}

static int get(SnpDevice *device, uint32_t vmpl, SnpDeviceReport *ret, Error *e) {
        return snp_device_get_report(device, report_data, vmpl, deadline_in(30 * USEC_PER_SEC), ret, e);
}

static int derive(SnpDevice *device, const SnpKeyRequest *q, Secret *ret, Error *e) {
        return snp_device_derive_key(device, q, deadline_in(30 * USEC_PER_SEC), ret, e);
}

static void expect_report(SnpDevice *device) {
        AUTO_SNP_DEVICE_REPORT SnpDeviceReport answer = {};
        SnpCertTable table;
        Error e = {};
        int r = get(device, SNP_VMPL_AUTO, &answer, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        ck_assert_mem_eq(answer.report + 0x50, report_data, sizeof(report_data));
        ck_assert_int_eq(snp_cert_table_parse(answer.certs.data, answer.certs.size, &table, &e), 0);
        ck_assert_uint_eq(table.n_entries, 3);
}

START_TEST(report_comes_signed_with_the_hosts_certificates) {
        CLEANUP(snp_device_freep) SnpDevice *device = open_device();
        AUTO_SNP_DEVICE_REPORT SnpDeviceReport answer = {};
        Error e = {};
        int r = get(device, SNP_VMPL_AUTO, &answer, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        r = guest_verify(&answer, &e);
        ck_assert_msg(r == 0, "%s", error_text(&e, r));
} END_TEST

START_TEST(report_that_was_changed_does_not_verify) {
        CLEANUP(snp_device_freep) SnpDevice *device = open_device();
        AUTO_SNP_DEVICE_REPORT SnpDeviceReport answer = {};

        guest_control("fail=bad-signature");
        ck_assert_int_eq(get(device, SNP_VMPL_AUTO, &answer, NULL), 0);
        ck_assert_int_eq(guest_verify(&answer, NULL), -EKEYREJECTED);
} END_TEST

START_TEST(host_without_certificates_gives_an_empty_table) {
        CLEANUP(snp_device_freep) SnpDevice *device = open_device();
        AUTO_SNP_DEVICE_REPORT SnpDeviceReport answer = {};

        guest_control("certs=none");
        ck_assert_int_eq(get(device, SNP_VMPL_AUTO, &answer, NULL), 0);
        ck_assert_uint_eq(answer.certs.size, 0);
} END_TEST

START_TEST(room_for_certificates_grows_as_the_host_asks) {
        CLEANUP(snp_device_freep) SnpDevice *device = open_device();

        guest_control("fail=certs-len:8192*1");
        expect_report(device);
        guest_control("fail=certs-len:16384*2");
        expect_report(device);
} END_TEST

START_TEST(vmpl_is_the_kernels_or_higher) {
        static const struct {
                uint32_t wanted, got;
        } rows[] = { { SNP_VMPL_AUTO, 2 }, { 0, 2 }, { 2, 2 }, { 3, 3 } };
        CLEANUP(snp_device_freep) SnpDevice *device = open_device();

        guest_vmpl(2);
        guest_control("vmpl-floor=2");
        for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
                AUTO_SNP_DEVICE_REPORT SnpDeviceReport answer = {};

                ck_assert_int_eq(get(device, rows[i].wanted, &answer, NULL), 0);
                ck_assert_uint_eq(load_le32(answer.report + 0x30), rows[i].got);
        }
} END_TEST

START_TEST(vmpl_that_the_firmware_refuses_is_refused) {
        CLEANUP(snp_device_freep) SnpDevice *device = open_device();
        AUTO_SNP_DEVICE_REPORT SnpDeviceReport answer = {};
        Error e = {};

        guest_control("vmpl-floor=2");
        ck_assert_int_eq(get(device, 1, &answer, &e), -EINVAL);
        ck_assert_str_eq(error_reason(&e, -EINVAL), "firmware-invalid-param");
} END_TEST

/* What recovers: the next request succeeds. What does not: the driver has wiped its key, and says so. */
static const struct {
        const char *fail, *reason;
        int code;
        bool wiped;
} failures[] = {
        { "fail=certs-len:0x5000*1", "certs-too-large", -E2BIG, false },
        { "fail=certs-len:0xfffff000*1", "certs-too-large", -E2BIG, false },
        { "fail=certs-len:0x1001*1", "certs-size", -EPROTO, false },
        { "fail=certs-len:0*1", "certs-size", -EPROTO, false },
        { "fail=certs-len:4096*3", "certs-growing", -EBUSY, false },
        { "fail=status:0x16*1", "firmware-invalid-param", -EINVAL, false },
        { "fail=status:0x27*1", "firmware-invalid-key", -EINVAL, false },
        { "fail=status:0x23*1", "firmware-error", -EIO, false },
        { "fail=zero-report*1", "report-empty", -EBADMSG, false },
        { "fail=truncated*1", "report-size", -EBADMSG, false },
        { "fail=oversized*1", "report-size", -EBADMSG, false },
        { "fail=empty-report*1", "report-size", -EBADMSG, false },
        { "fail=wrong-report-data*1", "report-data-mismatch", -ESTALE, false },
        { "fail=wrong-vmpl*1", "report-vmpl-mismatch", -EPROTO, false },
        { "fail=einval*1", "request-refused", -EINVAL, false },
        { "fail=fw-error:0x14*1", "firmware-error", -EIO, true },
        { "fail=vmm-error:0x80000000*1", "host-error", -EIO, true },
        { "fail=vmm-error:2*1", "host-busy", -EBUSY, true },
        { "fail=eio*1", "firmware-not-reached", -EIO, true },
        { "fail=etimedout*1", "host-busy", -ETIMEDOUT, true },
        { "fail=ebadmsg*1", "message-authentication", -EBADMSG, true },
};

START_TEST(failures_have_their_code_and_reason) {
        CLEANUP(snp_device_freep) SnpDevice *device = open_device();
        AUTO_SNP_DEVICE_REPORT SnpDeviceReport answer = {};
        Error e = {}, later = {};
        int r;

        guest_control(failures[_i].fail);
        r = get(device, SNP_VMPL_AUTO, &answer, &e);
        ck_assert_msg(r == failures[_i].code, "%s: %d (%s)", failures[_i].fail, r, error_text(&e, r));
        ck_assert_str_eq(error_reason(&e, r), failures[_i].reason);
        ck_assert_uint_eq(answer.certs.size, 0);
        if (!failures[_i].wiped) {
                expect_report(device);
                return;
        }
        ck_assert_int_eq(get(device, SNP_VMPL_AUTO, &answer, &later), -ENOTTY);
        ck_assert_str_eq(error_reason(&later, -ENOTTY), "message-key-lost");
        ck_assert_int_eq(derive(device, &(SnpKeyRequest){}, &(Secret){}, NULL), -ENOTTY);
} END_TEST

START_TEST(again_ends_with_the_deadline_and_leaves_no_mark) {
        CLEANUP(snp_device_freep) SnpDevice *device = open_device();
        AUTO_SNP_DEVICE_REPORT SnpDeviceReport answer = {};
        Error e = {};

        guest_control("fail=again*1");
        ck_assert_int_eq(snp_device_get_report(device, report_data, 0, deadline_in(USEC_PER_SEC / 10), &answer, &e),
                         -ETIMEDOUT);
        ck_assert_str_eq(error_reason(&e, -ETIMEDOUT), "deadline");
        expect_report(device);
} END_TEST

START_TEST(key_lost_before_we_came_is_told_from_no_snp) {
        static const struct {
                bool sign;
                int code;
                const char *reason;
        } rows[] = { { true, -ENOTTY, "message-key-lost" }, { false, -ENODEV, "not-sev-guest" } };

        guest_control("fail=enotty");
        for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
                CLEANUP(snp_device_freep) SnpDevice *device = open_device();
                AUTO_SNP_DEVICE_REPORT SnpDeviceReport answer = {};
                Error e = {};

                guest_sign(rows[i].sign);
                ck_assert_int_eq(get(device, SNP_VMPL_AUTO, &answer, &e), rows[i].code);
                ck_assert_str_eq(error_reason(&e, rows[i].code), rows[i].reason);
        }
} END_TEST

START_TEST(driver_without_device_is_told_from_no_snp) {
        SnpDevice *device;
        Error with = {}, without = {};

        guest_sign(true);
        ck_assert_int_eq(snp_device_open_auto("/nonexistent/tsm", "/dev/none", &device, &with), -ENODEV);
        ck_assert_str_eq(error_reason(&with, -ENODEV), "snp-driver-missing");
        guest_sign(false);
        ck_assert_int_eq(snp_device_open_auto("/nonexistent/tsm", "/dev/none", &device, &without), -ENODEV);
        ck_assert_str_ne(error_reason(&without, -ENODEV), "snp-driver-missing");
} END_TEST

/* One row for each property: another value of it is another key, if and only if it is mixed in. */
static const struct {
        uint64_t field;
        const char *control;
        SnpKeyRequest other;
} properties[] = {
        { SNP_KEY_POLICY, "policy=0xb0000", {} },
        { SNP_KEY_IMAGE_ID, "image-id=00112233445566778899aabbccddeeff", {} },
        { SNP_KEY_FAMILY_ID, "family-id=00112233445566778899aabbccddeeff", {} },
        { SNP_KEY_MEASUREMENT, "measurement=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
                               "00112233445566778899aabbccddeeff", {} },
        { SNP_KEY_GUEST_SVN, "guest-svn=5", { .guest_svn = 4 } },
        { SNP_KEY_TCB_VERSION, "", { .tcb = 1 } },
};

static void derived(SnpDevice *device, const SnpKeyRequest *q, Secret *ret) {
        Error e = {};
        int r = derive(device, q, ret, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        ck_assert_uint_eq(ret->len, SNP_DERIVED_KEY_SIZE);
        ck_assert(!bytes_are_zero(ret->bytes, ret->len));
}

START_TEST(key_changes_with_what_is_mixed_in_and_nothing_else) {
        CLEANUP(snp_device_freep) SnpDevice *device = open_device();
        AUTO_SECRET Secret mixed = {}, mixed_other = {}, plain = {}, plain_other = {};
        SnpKeyRequest with = { .fields = properties[_i].field }, with_other = properties[_i].other, without = {};

        with_other.fields = properties[_i].field;
        guest_control("");
        derived(device, &with, &mixed);
        derived(device, &without, &plain);
        guest_control(properties[_i].control);
        derived(device, &with_other, &mixed_other);
        derived(device, &without, &plain_other);
        ck_assert(!secret_equal(&mixed, &mixed_other));
        ck_assert(!secret_equal(&mixed, &plain));
        ck_assert(secret_equal(&plain, &plain_other));
} END_TEST

START_TEST(root_keys_and_vmpls_give_keys_of_their_own) {
        static const SnpKeyRequest requests[] = { {}, { .root = SNP_ROOT_KEY_VMRK }, { .vmpl = 1 }, { .vmpl = 3 } };
        CLEANUP(snp_device_freep) SnpDevice *device = open_device();
        Secret keys[N_ELEMENTS(requests)] = {};

        for (size_t i = 0; i < N_ELEMENTS(keys); i++) {
                derived(device, &requests[i], &keys[i]);
                for (size_t k = 0; k < i; k++)
                        ck_assert(!secret_equal(&keys[i], &keys[k]));
        }
        for (size_t i = 0; i < N_ELEMENTS(keys); i++)
                secret_done(&keys[i]);
} END_TEST

START_TEST(another_chip_is_another_key_unless_it_is_the_guests) {
        CLEANUP(snp_device_freep) SnpDevice *device = open_device();
        AUTO_SECRET Secret chip = {}, guest = {}, other_chip = {}, same_guest = {};
        char control[256] = "chip-id=";

        for (size_t i = 0; i < 64; i++)
                (void) strcat(control, "ab");
        derived(device, &(SnpKeyRequest){}, &chip);
        derived(device, &(SnpKeyRequest){ .root = SNP_ROOT_KEY_VMRK }, &guest);
        guest_control(control);
        derived(device, &(SnpKeyRequest){}, &other_chip);
        derived(device, &(SnpKeyRequest){ .root = SNP_ROOT_KEY_VMRK }, &same_guest);
        ck_assert(!secret_equal(&chip, &other_chip));
        ck_assert(secret_equal(&guest, &same_guest));
} END_TEST

static const struct {
        const char *control, *reason;
        int code;
        SnpKeyRequest q;
} key_failures[] = {
        { "", "firmware-invalid-param", -EINVAL, { .fields = SNP_KEY_GUEST_SVN, .guest_svn = 1000 } },
        { "", "firmware-invalid-param", -EINVAL, { .fields = SNP_KEY_TCB_VERSION, .tcb = UINT64_MAX } },
        { "vmpl-floor=1", "firmware-invalid-param", -EINVAL, {} },
        { "", "key-mit-vector", -EOPNOTSUPP, { .fields = SNP_KEY_LAUNCH_MIT_VECTOR } },
        { "fail=status:0x27", "firmware-invalid-key", -EINVAL, {} },
        { "fail=zero-report", "key-empty", -EBADMSG, {} },
        { "fail=fw-error:3", "firmware-error", -EIO, {} },
        { "fail=vmm-error:0x80000000", "host-error", -EIO, {} },
};

START_TEST(no_key_has_its_code_and_reason) {
        CLEANUP(snp_device_freep) SnpDevice *device = open_device();
        AUTO_SECRET Secret key = {};
        Error e = {};
        int r;

        guest_control(key_failures[_i].control);
        r = derive(device, &key_failures[_i].q, &key, &e);
        ck_assert_msg(r == key_failures[_i].code, "%s: %d (%s)", key_failures[_i].reason, r, error_text(&e, r));
        ck_assert_str_eq(error_reason(&e, r), key_failures[_i].reason);
        ck_assert_ptr_null(key.bytes);
} END_TEST

/* Not a test of time: what a report costs through the ioctls, for whoever wonders. */
START_TEST(many_reports_in_a_row) {
        CLEANUP(snp_device_freep) SnpDevice *device = open_device();
        uint64_t start = now_monotonic_usec();
        const unsigned n = 20;

        for (unsigned i = 0; i < n; i++)
                expect_report(device);
        printf("# a report takes %u us here, signature included\n", (unsigned) ((now_monotonic_usec() - start) / n));
        (void) fflush(stdout);
} END_TEST

int main(void) {
        Suite *suite = suite_create("sev-guest");
        TCase *reports = tcase_create("reports"), *keys = tcase_create("keys");
        int status;

        tcase_add_checked_fixture(reports, guest_restore, guest_restore);
        tcase_add_checked_fixture(keys, guest_restore, guest_restore);
        tcase_add_test(reports, report_comes_signed_with_the_hosts_certificates);
        tcase_add_test(reports, report_that_was_changed_does_not_verify);
        tcase_add_test(reports, host_without_certificates_gives_an_empty_table);
        tcase_add_test(reports, room_for_certificates_grows_as_the_host_asks);
        tcase_add_test(reports, vmpl_is_the_kernels_or_higher);
        tcase_add_test(reports, vmpl_that_the_firmware_refuses_is_refused);
        tcase_add_loop_test(reports, failures_have_their_code_and_reason, 0, N_ELEMENTS(failures));
        tcase_add_test(reports, again_ends_with_the_deadline_and_leaves_no_mark);
        tcase_add_test(reports, key_lost_before_we_came_is_told_from_no_snp);
        tcase_add_test(reports, driver_without_device_is_told_from_no_snp);
        tcase_add_test(reports, many_reports_in_a_row);
        tcase_add_loop_test(keys, key_changes_with_what_is_mixed_in_and_nothing_else, 0, N_ELEMENTS(properties));
        tcase_add_test(keys, root_keys_and_vmpls_give_keys_of_their_own);
        tcase_add_test(keys, another_chip_is_another_key_unless_it_is_the_guests);
        tcase_add_loop_test(keys, no_key_has_its_code_and_reason, 0, N_ELEMENTS(key_failures));
        suite_add_tcase(suite, reports);
        suite_add_tcase(suite, keys);
        suite_add_tcase(suite, test_key_derive());
        guest_start();
        status = unit_run(suite);
        guest_stop();
        return status;
}
