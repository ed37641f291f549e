/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What holds for every source of reports: the answer is judged here, once, whichever door it came through.
 * The driver is part of the guest's kernel, but what it hands on comes from the host as well: the
 * certificate table always does, and a report may be late, empty or somebody else's.
 */
#include "snp/device.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "snp/cert_table.h"
#include "snp/device-internal.h"

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

uint32_t snp_device_vmpl(uint32_t vmpl, uint32_t floor) {
        return vmpl == SNP_VMPL_AUTO || vmpl < floor ? floor : vmpl;
}

int snp_device_errno(Error *e, int error) {
        switch (error) {
        case -EINVAL:
                return error_set(e, -EINVAL, "request-refused", "The platform refuses the request; is the VMPL right?");
        case -ENOTTY:
                return error_set(e, -ENOTTY, "message-key-lost", "Either this is not the sev-guest device, or the "
                                 "driver's message key has been wiped after an earlier failure, and no report is "
                                 "possible until the next boot");
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

static int check_answer(const SnpDeviceReport *answer, const uint8_t *report_data, uint32_t vmpl, Error *e) {
        SnpCertTable table;
        SnpReport report;
        int r;

        if (bytes_are_zero(answer->report, sizeof(answer->report)))
                return error_set(e, -EBADMSG, "report-empty", "The platform gave a report of zeros");
        r = snp_report_parse(answer->report, sizeof(answer->report), &report, e);
        if (r < 0)
                return r;
        if (memcmp(report.report_data, report_data, SNP_REPORT_DATA_SIZE) != 0)
                return error_set(e, -ESTALE, "report-data-mismatch",
                                 "The platform gave a report over other REPORT_DATA than asked for");
        if (report.vmpl != vmpl)
                return error_set(e, -EPROTO, "report-vmpl-mismatch", "The platform gave a report for VMPL %u instead "
                                 "of %u", report.vmpl, vmpl);
        return snp_cert_table_parse(answer->certs.data, answer->certs.size, &table, e);
}

int snp_device_get_report(SnpDevice *device, const uint8_t report_data[static SNP_REPORT_DATA_SIZE], uint32_t vmpl,
                          Deadline deadline, SnpDeviceReport *ret, Error *e) {
        AUTO_SNP_DEVICE_REPORT SnpDeviceReport answer = {};
        uint32_t used_vmpl = 0;
        int r;

        if (vmpl > SNP_VMPL_MAX && vmpl != SNP_VMPL_AUTO)
                return error_set(e, -EINVAL, "vmpl-range", "There is no VMPL %u", vmpl);
        r = device->ops->get_report(device, report_data, vmpl, deadline, &answer, &used_vmpl, e);
        if (r == 0)
                r = check_answer(&answer, report_data, used_vmpl, e);
        if (r < 0) {
                error_prefix(e, "%s", device->ops->name);
                return r;
        }
        *ret = answer;
        answer = (SnpDeviceReport){};
        return 0;
}

int snp_device_open_auto(const char *tsm_path, const char *dev_path, SnpDevice **ret, Error *e) {
        Error tsm = {}, dev = {};
        int r, q;

        r = snp_device_open_configfs(tsm_path, ret, &tsm);
        if (r == 0)
                return 0;
        q = snp_device_open_ioctl(dev_path, ret, &dev);
        if (q == 0)
                return 0;
        /* A door that exists and is closed to us is the more useful thing to be told. */
        if (r == -ENODEV && q == -ENODEV)
                return error_set(e, -ENODEV, "no-snp-device", "No source of SEV-SNP reports: %.160s; %.160s",
                                 error_text(&tsm, r), error_text(&dev, q));
        return error_set(e, r != -ENODEV ? r : q, error_reason(r != -ENODEV ? &tsm : &dev, r), "%.160s; %.160s",
                         error_text(&tsm, r), error_text(&dev, q));
}
