/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What holds for every source of reports: the answer is judged here, once, whichever door it came through.
 * The driver is part of the guest's kernel, but what it hands on comes from the host as well: the
 * certificate table always does, and a report may be late, empty or somebody else's.
 */
#include "snp/device.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "snp/cert_table.h"
#include "snp/sev-guest-internal.h"

void snp_device_report_done(SnpDeviceReport *r) {
        blob_done(&r->certs);
        *r = (SnpDeviceReport){};
}

void snp_device_free(SnpDevice *device) {
        if (device)
                device->ops->free(device);
}

const char *snp_device_name(const SnpDevice *device) {
        return device->ops->name;
}

void snp_device_init(SnpDevice *device, const SnpDeviceOps *ops, const SnpGuestSigns *signs) {
        device->ops = ops;
        device->signs = signs;
        device->own = snp_throttle_default();
        device->throttle = &device->own;
}

void snp_device_set_throttle(SnpDevice *device, SnpThrottle *throttle) {
        device->throttle = throttle ? throttle : &device->own;
}

int snp_device_take_turn(SnpDevice *device, Deadline deadline, Error *e) {
        uint64_t now = now_monotonic_usec(), wait = snp_throttle_wait_usec(device->throttle, now);

        if (deadline_expired(deadline))
                return snp_device_check_deadline(deadline, e);
        if (wait >= deadline_left_usec(deadline))
                return error_set(e, -EBUSY, "throttled", "Asked too often: the platform is left alone for another "
                                 "%" PRIu64 " ms, longer than this request may take", wait / USEC_PER_MSEC);
        snp_throttle_take(device->throttle, now);
        return wait > 0 && deadline_sleep(deadline, wait) < 0 ? snp_device_check_deadline(deadline_in(0), e) : 0;
}

uint32_t snp_device_vmpl(uint32_t vmpl, uint32_t floor) {
        return vmpl == SNP_VMPL_AUTO || vmpl < floor ? floor : vmpl;
}

int snp_device_errno(Error *e, int error) {
        switch (error) {
        case -EINVAL:
                return error_set(e, -EINVAL, "request-refused", "The platform refuses the request; is the VMPL right?");
        case -ETIMEDOUT:
                return error_set(e, -ETIMEDOUT, "host-busy", "The host kept answering 'busy'; the driver has given up "
                                 "and wiped its message key");
        case -EBADMSG:
                return error_set(e, -EBADMSG, "message-authentication", "The firmware's answer does not authenticate; "
                                 "the driver has wiped its message key");
        case -EIO:
        case -ENXIO: /* newer kernels, by configfs-tsm: any other status of the firmware */
                return error_set(e, -EIO, "firmware-error", "The firmware or the host failed; the driver may have "
                                 "wiped its message key: see the kernel's log");
        case -EFBIG:
        case -E2BIG:
                return error_set(e, -E2BIG, "answer-too-large", "The platform's answer is over the limit");
        case -EACCES:
        case -EPERM:
        case -EROFS: /* a sandbox */
                return error_set(e, -EACCES, "device-access", "This process may not ask the platform");
        case -ENOMEM:
                return error_oom(e);
        default:
                return error_set(e, error, "device-failed", "The platform's driver failed: %s", error_text(NULL, error));
        }
}

int snp_device_check_deadline(Deadline deadline, Error *e) {
        if (deadline_expired(deadline))
                return error_set(e, -ETIMEDOUT, "deadline", "The report did not come in time");
        return 0;
}

int snp_device_check_answer(const uint8_t bytes[static SNP_REPORT_SIZE], const Blob *certs,
                            const uint8_t report_data[static SNP_REPORT_DATA_SIZE], uint32_t vmpl, Error *e) {
        SnpCertTable table;
        SnpReport report;
        int r;

        if (bytes_are_zero(bytes, SNP_REPORT_SIZE))
                return error_set(e, -EBADMSG, "report-empty", "The platform gave a report of zeros");
        r = snp_report_parse(bytes, SNP_REPORT_SIZE, &report, e);
        if (r < 0)
                return r;
        if (memcmp(report.report_data, report_data, SNP_REPORT_DATA_SIZE) != 0)
                return error_set(e, -ESTALE, "report-data-mismatch",
                                 "The platform gave a report over other REPORT_DATA than asked for");
        if (report.vmpl != vmpl)
                return error_set(e, -EPROTO, "report-vmpl-mismatch", "The platform gave a report for VMPL %u instead "
                                 "of %u", report.vmpl, vmpl);
        return snp_cert_table_parse(certs->data, certs->size, &table, e);
}

/*
 * ENOTTY means two things: that there is no such ioctl, or that the driver has no key left to ask with. Who has answered
 * before, or belongs to a machine that is an SNP guest, is the driver.
 */
static int explain_enotty(const SnpDevice *device, Error *e) {
        if (device->is_driver || snp_guest_is_one(device->signs))
                return error_set(e, -ENOTTY, "message-key-lost", "The driver has wiped its message key (VMPCK) after a "
                                 "failure, and nothing can be asked before the next boot; the kernel's log tells of "
                                 "'Disabling VMPCK' and why");
        return error_set(e, -ENODEV, "not-sev-guest", "This is not the sev-guest device: it does not know the question, "
                         "and nothing else says that this machine is an SEV-SNP guest");
}

int snp_device_fail(SnpDevice *device, int r, const Error *cause, Error *e) {
        if (r == -ENOTTY)
                r = explain_enotty(device, e);
        else
                (void) error_set(e, r, error_reason(cause, r), "%s", error_text(cause, r));
        error_prefix(e, "%s", device->ops->name);
        return r;
}

int snp_device_get_report(SnpDevice *device, const uint8_t report_data[static SNP_REPORT_DATA_SIZE], uint32_t vmpl,
                          Deadline deadline, SnpDeviceReport *ret, Error *e) {
        AUTO_SNP_DEVICE_REPORT SnpDeviceReport answer = {};
        uint32_t used_vmpl = 0;
        Error cause = {};
        int r;

        if (vmpl > SNP_VMPL_MAX && vmpl != SNP_VMPL_AUTO)
                return error_set(e, -EINVAL, "vmpl-range", "There is no VMPL %u", vmpl);
        r = device->ops->get_report(device, report_data, vmpl, deadline, &answer, &used_vmpl, &cause);
        if (r == 0)
                r = snp_device_check_answer(answer.report, &answer.certs, report_data, used_vmpl, &cause);
        if (r < 0)
                return snp_device_fail(device, r, &cause, e);
        *ret = answer;
        answer = (SnpDeviceReport){};
        return 0;
}

int snp_device_derive_key(SnpDevice *device, const SnpKeyRequest *request, Deadline deadline, Secret *ret, Error *e) {
        AUTO_SECRET Secret key = {};
        Error cause = {};
        int r = snp_key_request_check(request, e);

        if (r < 0)
                return r;
        if (!device->ops->derive_key)
                return error_set(e, -EOPNOTSUPP, "key-needs-ioctl", "%s gives reports but no keys; the device "
                                 "/dev/sev-guest does", device->ops->name);
        r = device->ops->derive_key(device, request, deadline, &key, &cause);
        if (r == 0 && bytes_are_zero(key.bytes, key.len))
                r = error_set(&cause, -EBADMSG, "key-empty", "The platform gave a key of zeros");
        if (r < 0)
                return snp_device_fail(device, r, &cause, e);
        *ret = secret_take(&key);
        return 0;
}

int snp_device_open_auto_on(const SnpGuestSigns *signs, const char *tsm_path, const char *dev_path, SnpDevice **ret,
                            Error *e) {
        char tried[2 * ERROR_TEXT_MAX];
        Error tsm = {}, dev = {};
        int r, q;

        r = snp_device_open_configfs_on(signs, tsm_path, ret, &tsm);
        if (r == 0)
                return 0;
        q = snp_device_open_ioctl_on(&sev_guest_kernel, signs, dev_path, ret, &dev);
        if (q == 0)
                return 0;
        (void) snprintf(tried, sizeof(tried), "%.100s; %.100s", error_text(&tsm, r), error_text(&dev, q));
        /* A door that exists and is closed to us is the more useful thing to be told. */
        if (r == -ENODEV && q == -ENODEV)
                return snp_guest_no_source(signs, tried, e);
        return error_set(e, r != -ENODEV ? r : q, error_reason(r != -ENODEV ? &tsm : &dev, r), "%s", tried);
}

int snp_device_open_auto(const char *tsm_path, const char *dev_path, SnpDevice **ret, Error *e) {
        return snp_device_open_auto_on(&snp_guest_signs, tsm_path, dev_path, ret, e);
}
