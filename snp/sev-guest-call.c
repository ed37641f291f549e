/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One exchange with the driver, whatever the question: when to ask, when to ask again, and what its failures mean
 * (Linux, drivers/virt/coco/sev-guest). Every call uses up two numbers of a 32-bit counter and a slot of the host's
 * throttle, and after a host or a firmware that answers wrongly the driver wipes its key for good; so nothing is
 * repeated that cannot succeed.
 */
#include <errno.h>
#include <stdint.h>

#include "snp/sev-guest-internal.h"

/* The driver waits for a busy host itself, for a minute; that it hands the waiting to us is not documented, and two
 * seconds are the throttle of common hosts. */
#define AGAIN_TRIES 30
#define AGAIN_WAIT_USEC (2 * USEC_PER_SEC)
#define AGAIN_WAIT_MAX_USEC (16 * USEC_PER_SEC)

int sev_guest_call(SevGuest *g, unsigned long request, void *req, void *resp, Deadline deadline,
                   SevGuestRequest *ret_request, int *ret_answer, Error *e) {
        for (unsigned i = 0; i < AGAIN_TRIES; i++) {
                int r = snp_device_take_turn(&g->device, deadline, e);

                if (r < 0)
                        return r;
                *ret_request = (SevGuestRequest){
                        .msg_version = SEV_GUEST_MSG_VERSION,
                        .req_data = (uintptr_t) req,
                        .resp_data = (uintptr_t) resp,
                };
                r = g->kernel->ioctl(g->kernel->context, g->fd, request, ret_request);
                if (r != -ENOTTY)
                        g->device.is_driver = true;
                if (r != -EAGAIN && r != -EBUSY) {
                        *ret_answer = r;
                        return 0;
                }
                if (g->kernel->sleep(g->kernel->context, deadline,
                                     snp_backoff_usec(i, AGAIN_WAIT_USEC, AGAIN_WAIT_MAX_USEC)) < 0)
                        return snp_device_check_deadline(deadline_in(0), e);
        }
        return error_set(e, -EBUSY, "host-busy", "The driver kept asking to try again later");
}

int sev_guest_explain(const SevGuestRequest *request, int answer, Error *e) {
        uint32_t fw = request->fw_error, vmm = request->vmm_error;

        if (answer == -ENOTTY)
                return answer; /* device.c tells what it means */
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

int sev_guest_check_status(uint32_t status, const char *refused, Error *e) {
        if (status == SEV_GUEST_STATUS_INVALID_PARAM)
                return error_set(e, -EINVAL, "firmware-invalid-param", "The firmware refuses the request "
                                 "(INVALID_PARAM); %s", refused);
        if (status == SEV_GUEST_STATUS_INVALID_KEY)
                return error_set(e, -EINVAL, "firmware-invalid-key", "The firmware does not have the key that was asked "
                                 "for (INVALID_KEY)");
        if (status != 0)
                return error_set(e, -EIO, "firmware-error", "The firmware answers with status 0x%x (%s)", status,
                                 snp_firmware_status_name(status));
        return 0;
}
