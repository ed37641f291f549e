/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports through the ioctls of /dev/sev-guest, with the host's certificates (SNP_GET_EXT_REPORT). Every call
 * uses up two numbers of a 32-bit counter and a slot of the host's throttle, and a host that answers
 * wrongly makes the driver wipe its key for good; so the first call already offers all the room
 * there may be, and nothing is repeated that cannot succeed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/reader.h"
#include "base/text.h"
#include "snp/cert_table.h"
#include "snp/device-internal.h"
#include "snp/sev-guest-internal.h"

#define PAGE 4096u                         /* unit of certs_len */
#define ROUNDS 3                           /* of "the host has more certificates than that" */
#define AGAIN_TRIES 30                     /* EAGAIN should not reach us at all; a minute of it is enough */
#define AGAIN_WAIT_USEC (2 * USEC_PER_SEC) /* the throttle of common hosts: a command every two seconds */
#define VMPL_TEXT_MAX 64

typedef struct SevGuest {
        SnpDevice device;
        const SevGuestKernel *kernel;
        int fd;
} SevGuest;

typedef struct Exchange {
        SevGuestRequest request;
        SevGuestExtReportReq req;
        SevGuestReportResp resp;
        uint8_t *certs; /* req.certs_len bytes, page-aligned */
} Exchange;

static void exchange_done(Exchange *x) {
        free(x->certs);
        *x = (Exchange){};
}

static int exchange_init(Exchange *x, const uint8_t *report_data, uint32_t vmpl, uint32_t certs_len, Error *e) {
        *x = (Exchange){};
        x->certs = aligned_alloc(PAGE, certs_len);
        if (!x->certs)
                return error_oom(e);
        (void) memset(x->certs, 0, certs_len);
        (void) memcpy(x->req.data.user_data, report_data, SNP_REPORT_DATA_SIZE);
        x->req.data.vmpl = vmpl;
        x->req.certs_address = (uintptr_t) x->certs;
        x->req.certs_len = certs_len;
        return 0;
}

/* Calls the kernel once, or again as long as it says EAGAIN; what it says otherwise goes to *@ret_answer. */
static int call_kernel(const SevGuest *g, Exchange *x, Deadline deadline, int *ret_answer, Error *e) {
        for (unsigned i = 0; i < AGAIN_TRIES; i++) {
                int r = snp_device_check_deadline(deadline, e);

                if (r < 0)
                        return r;
                x->request = (SevGuestRequest){
                        .msg_version = SEV_GUEST_MSG_VERSION,
                        .req_data = (uintptr_t) &x->req,
                        .resp_data = (uintptr_t) &x->resp,
                };
                r = g->kernel->ioctl(g->kernel->context, g->fd, SEV_GUEST_GET_EXT_REPORT, &x->request);
                if (r != -EAGAIN) {
                        *ret_answer = r;
                        return 0;
                }
                if (g->kernel->sleep(g->kernel->context, deadline, AGAIN_WAIT_USEC) < 0)
                        return snp_device_check_deadline(deadline_in(0), e);
        }
        return error_set(e, -EBUSY, "host-busy", "The driver kept asking to try again later");
}

static bool wants_more_room(const Exchange *x, int answer) {
        return answer == -EIO && x->request.vmm_error == SEV_GUEST_VMM_INVALID_LEN;
}

static int explain_failure(const Exchange *x, int answer, Error *e) {
        uint32_t fw = x->request.fw_error, vmm = x->request.vmm_error;

        if (answer != -EIO)
                return snp_device_errno(e, answer);
        if (vmm == SEV_GUEST_VMM_BUSY)
                return error_set(e, -EBUSY, "host-busy", "The host answers 'busy'; the driver may have wiped its key");
        if (vmm != 0)
                return error_set(e, -EIO, "host-error", "The host failed with code 0x%x; the driver has wiped its "
                                 "message key", vmm);
        if (fw == SEV_GUEST_NO_FW_CALL || fw == UINT32_MAX || fw == 0)
                return error_set(e, -EIO, "firmware-not-reached", "The driver did not reach the firmware");
        return error_set(e, -EIO, "firmware-error", "The firmware failed with status 0x%x (%s); the driver has wiped "
                         "its message key", fw, snp_firmware_status_name(fw));
}

static int check_response(const SevGuestReportResp *resp, Error *e) {
        if (resp->status == SEV_GUEST_STATUS_INVALID_PARAM)
                return error_set(e, -EINVAL, "firmware-invalid-param", "The firmware refuses the request "
                                 "(INVALID_PARAM); is the VMPL right?");
        if (resp->status == SEV_GUEST_STATUS_INVALID_KEY)
                return error_set(e, -EINVAL, "firmware-invalid-key", "The firmware does not have the signing key that "
                                 "was asked for (INVALID_KEY)");
        if (resp->status != 0)
                return error_set(e, -EIO, "firmware-error", "The firmware answers with status 0x%x (%s)", resp->status,
                                 snp_firmware_status_name(resp->status));
        if (resp->report_size != SNP_REPORT_SIZE)
                return error_set(e, -EBADMSG, "report-size", "The firmware gave a report of %u bytes instead of %d",
                                 resp->report_size, SNP_REPORT_SIZE);
        return 0;
}

/*
 * The driver tells no length, and a certificate may end in zeros: the end of the table is that of its
 * farthest certificate. @table has passed snp_cert_table_parse(), so entries are in bounds and end.
 */
static size_t table_end(const uint8_t *table) {
        const size_t entry_size = 24; /* GUID, offset, length */
        size_t end = 0;

        for (const uint8_t *p = table;; p += entry_size) {
                size_t to = (size_t) load_le32(p + 16) + load_le32(p + 20);

                if (bytes_are_zero(p, 16))
                        return end;
                end = to > end ? to : end;
        }
}

static int take_certs(const Exchange *x, Blob *ret, Error *e) {
        size_t room = x->req.certs_len, end;
        SnpCertTable table;
        int r;

        if (bytes_are_zero(x->certs, room)) {
                *ret = (Blob){};
                return 0;
        }
        r = snp_cert_table_parse(x->certs, room, &table, e);
        if (r < 0)
                return r;
        end = table_end(x->certs);
        return blob_dup(x->certs, end, ret) < 0 ? error_oom(e) : 0;
}

/* One offer of @room bytes for certificates. 1: the host wants *@ret_needed. */
static int offer(const SevGuest *g, const uint8_t *report_data, uint32_t vmpl, uint32_t room, Deadline deadline,
                 SnpDeviceReport *ret, uint32_t *ret_needed, Error *e) {
        CLEANUP(exchange_done) Exchange x = {};
        int answer = 0, r;

        r = exchange_init(&x, report_data, vmpl, room, e);
        if (r == 0)
                r = call_kernel(g, &x, deadline, &answer, e);
        if (r < 0)
                return r;
        if (wants_more_room(&x, answer)) {
                *ret_needed = x.req.certs_len;
                return 1;
        }
        if (answer < 0)
                return explain_failure(&x, answer, e);
        r = check_response(&x.resp, e);
        if (r == 0)
                r = take_certs(&x, &ret->certs, e);
        if (r == 0)
                (void) memcpy(ret->report, x.resp.report, SNP_REPORT_SIZE);
        return r;
}

static uint32_t kernel_vmpl(const SevGuest *g) {
        AUTO_FREE char *text = NULL;
        uint64_t vmpl;

        if (file_read_text(g->kernel->vmpl_path, VMPL_TEXT_MAX, &text, NULL) < 0)
                return 0; /* kernels that do not tell run at VMPL 0 */
        text[strcspn(text, "\n")] = 0;
        return text_to_u64(text, 10, 0, SNP_VMPL_MAX, &vmpl) < 0 ? 0 : (uint32_t) vmpl;
}

static int sev_guest_get_report(SnpDevice *device, const uint8_t report_data[static SNP_REPORT_DATA_SIZE],
                                uint32_t vmpl, Deadline deadline, SnpDeviceReport *ret, uint32_t *ret_vmpl, Error *e) {
        const SevGuest *g = (const SevGuest *) device;
        uint32_t room = SNP_CERT_TABLE_MAX;

        *ret_vmpl = snp_device_vmpl(vmpl, kernel_vmpl(g));
        for (unsigned i = 0; i < ROUNDS; i++) {
                uint32_t needed;
                int r = offer(g, report_data, *ret_vmpl, room, deadline, ret, &needed, e);

                if (r <= 0)
                        return r;
                if (needed > SNP_CERT_TABLE_MAX)
                        return error_set(e, -E2BIG, "certs-too-large", "The host has %u bytes of certificates, more "
                                         "than %d", needed, SNP_CERT_TABLE_MAX);
                if (needed == 0 || needed % PAGE != 0)
                        return error_set(e, -EPROTO, "certs-size", "The driver asks for %u bytes for certificates, "
                                         "which is no number of pages", needed);
                room = needed;
        }
        return error_set(e, -EBUSY, "certs-growing", "The host keeps asking for other room for its certificates");
}

static void sev_guest_free(SnpDevice *device) {
        SevGuest *g = (SevGuest *) device;

        g->kernel->close(g->kernel->context, g->fd);
        free(g);
}

static const SnpDeviceOps sev_guest_ops = {
        .name = "sev-guest",
        .get_report = sev_guest_get_report,
        .free = sev_guest_free,
};

int snp_device_open_ioctl_on(const SevGuestKernel *kernel, const char *path, SnpDevice **ret, Error *e) {
        int fd = kernel->open(kernel->context, path);
        SevGuest *g;

        if (fd < 0)
                return error_set(e, fd == -EACCES || fd == -EPERM ? -EACCES : -ENODEV, "sev-guest-absent",
                                 "Cannot open %s: %s", path, error_text(NULL, fd));
        g = calloc(1, sizeof(*g));
        if (!g) {
                kernel->close(kernel->context, fd);
                return error_oom(e);
        }
        *g = (SevGuest){ .device.ops = &sev_guest_ops, .kernel = kernel, .fd = fd };
        *ret = &g->device;
        return 0;
}

/* A file that is no device answers every ioctl with ENOTTY, which would read as "key lost". */
static int real_open(void *context, const char *path) {
        AUTO_FD int fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);
        struct stat st;

        (void) context;
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        return S_ISCHR(st.st_mode) ? TAKE_FD(fd) : -ENODEV;
}

static int real_ioctl(void *context, int fd, unsigned long request, SevGuestRequest *arg) {
        (void) context;
        return ioctl(fd, request, arg) < 0 ? -errno : 0;
}

static void real_close(void *context, int fd) {
        (void) context;
        (void) close(fd);
}

static int real_sleep(void *context, Deadline deadline, uint64_t usec) {
        (void) context;
        return deadline_sleep(deadline, usec);
}

int snp_device_open_ioctl(const char *path, SnpDevice **ret, Error *e) {
        static const SevGuestKernel kernel = {
                .open = real_open,
                .ioctl = real_ioctl,
                .close = real_close,
                .sleep = real_sleep,
                .vmpl_path = SEV_GUEST_VMPL_PATH,
        };

        return snp_device_open_ioctl_on(&kernel, path, ret, e);
}
