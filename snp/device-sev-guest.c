/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports through the ioctls of /dev/sev-guest, with the host's certificates (SNP_GET_EXT_REPORT). The first call
 * already offers all the room there may be for certificates, since each call counts (sev-guest-call.c).
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "snp/cert_table.h"
#include "snp/sev-guest-internal.h"

#define PAGE 4096u /* unit of certs_len */
#define ROUNDS 3   /* of "the host has more certificates than that" */

typedef struct Exchange {
        SevGuestRequest request;
        SevGuestExtReportReq req;
        SevGuestReportResp resp;
        uint8_t *certs; /* req.certs_len bytes, page-aligned; NULL: none wanted */
} Exchange;

static void exchange_done(Exchange *x) {
        free(x->certs);
        *x = (Exchange){};
}

static int exchange_init(Exchange *x, const uint8_t *report_data, uint32_t vmpl, uint32_t certs_len, Error *e) {
        *x = (Exchange){};
        if (certs_len > 0) {
                x->certs = aligned_alloc(PAGE, certs_len);
                if (!x->certs)
                        return error_oom(e);
                (void) memset(x->certs, 0, certs_len);
        }
        (void) memcpy(x->req.data.user_data, report_data, SNP_REPORT_DATA_SIZE);
        x->req.data.vmpl = vmpl;
        x->req.certs_address = (uintptr_t) x->certs;
        x->req.certs_len = certs_len;
        return 0;
}

static bool wants_more_room(const Exchange *x, int answer) {
        return answer == -EIO && x->request.vmm_error == SEV_GUEST_VMM_INVALID_LEN;
}

static int check_response(const SevGuestReportResp *resp, Error *e) {
        int r = sev_guest_check_status(resp->status, "is the VMPL right?", e);

        if (r < 0)
                return r;
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

        if (room == 0 || bytes_are_zero(x->certs, room)) {
                *ret = (Blob){};
                return 0;
        }
        r = snp_cert_table_parse(x->certs, room, &table, e);
        if (r < 0)
                return r;
        end = table_end(x->certs);
        return blob_dup(x->certs, end, ret) < 0 ? error_oom(e) : 0;
}

/* One offer of @room bytes for certificates; 0: the question without certificates. 1: the host wants *@ret_needed. */
static int offer(SevGuest *g, const uint8_t *report_data, uint32_t vmpl, uint32_t room, Deadline deadline,
                 SnpDeviceReport *ret, uint32_t *ret_needed, Error *e) {
        CLEANUP(exchange_done) Exchange x = {};
        int answer = 0, r;

        r = exchange_init(&x, report_data, vmpl, room, e);
        if (r == 0)
                r = sev_guest_call(g, room > 0 ? SEV_GUEST_GET_EXT_REPORT : SEV_GUEST_GET_REPORT, &x.req, &x.resp,
                                   deadline, &x.request, &answer, e);
        if (r < 0)
                return r;
        if (room > 0 && wants_more_room(&x, answer)) {
                *ret_needed = x.req.certs_len;
                return 1;
        }
        if (answer < 0)
                return sev_guest_explain(&x.request, answer, e);
        r = check_response(&x.resp, e);
        if (r == 0)
                r = take_certs(&x, &ret->certs, e);
        if (r == 0)
                (void) memcpy(ret->report, x.resp.report, SNP_REPORT_SIZE);
        return r;
}

static int check_needed(uint32_t needed, Error *e) {
        if (needed > SNP_CERT_TABLE_MAX)
                return error_set(e, -E2BIG, "certs-too-large", "The host has %u bytes of certificates, more than %d",
                                 needed, SNP_CERT_TABLE_MAX);
        if (needed == 0 || needed % PAGE != 0)
                return error_set(e, -EPROTO, "certs-size", "The driver asks for %u bytes for certificates, which is no "
                                 "number of pages", needed);
        return 0;
}

static int sev_guest_get_report(SnpDevice *device, const uint8_t report_data[static SNP_REPORT_DATA_SIZE],
                                uint32_t vmpl, Deadline deadline, SnpDeviceReport *ret, uint32_t *ret_vmpl, Error *e) {
        SevGuest *g = (SevGuest *) device;
        bool was_driver = device->is_driver;
        uint32_t room = SNP_CERT_TABLE_MAX, needed = 0;
        int r = 1;

        *ret_vmpl = snp_device_vmpl(vmpl, snp_guest_vmpl(device->signs));
        for (unsigned i = 0; r > 0 && i < ROUNDS; i++, room = needed) {
                int q;

                r = offer(g, report_data, *ret_vmpl, room, deadline, ret, &needed, e);
                q = r > 0 ? check_needed(needed, e) : 0;
                if (q < 0)
                        return q;
        }
        if (r > 0)
                return error_set(e, -EBUSY, "certs-growing", "The host keeps asking for other room for its "
                                 "certificates");
        /* A driver that knows no certificates may still know reports. One without a key answers the same at once. */
        if (r == -ENOTTY && !was_driver)
                return offer(g, report_data, *ret_vmpl, 0, deadline, ret, &needed, e);
        return r;
}

static void sev_guest_free(SnpDevice *device) {
        SevGuest *g = (SevGuest *) device;

        g->kernel->close(g->kernel->context, g->fd);
        free(g);
}

static const SnpDeviceOps sev_guest_ops = {
        .name = "sev-guest",
        .get_report = sev_guest_get_report,
        .derive_key = sev_guest_derive_key,
        .free = sev_guest_free,
};

int snp_device_open_ioctl_on(const SevGuestKernel *kernel, const SnpGuestSigns *signs, const char *path,
                             SnpDevice **ret, Error *e) {
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
        *g = (SevGuest){ .kernel = kernel, .fd = fd };
        snp_device_init(&g->device, &sev_guest_ops, signs);
        *ret = &g->device;
        return 0;
}

int snp_device_open_ioctl(const char *path, SnpDevice **ret, Error *e) {
        Error cause = {};
        int r = snp_device_open_ioctl_on(&sev_guest_kernel, &snp_guest_signs, path, ret, &cause);

        if (r == -ENODEV)
                return snp_guest_no_source(&snp_guest_signs, error_text(&cause, r), e);
        return r < 0 ? error_set(e, r, error_reason(&cause, r), "%s", error_text(&cause, r)) : 0;
}
