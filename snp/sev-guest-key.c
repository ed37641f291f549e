/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Derived keys through SNP_GET_DERIVED_KEY. The kernel writes the response straight into locked memory, where the key
 * stays; what stood around it is wiped there.
 */
#include <errno.h>
#include <string.h>

#include "snp/sev-guest-internal.h"

/* The key cannot be had for a VMPL above ours in privilege, and raising it would silently give another key. */
static int choose_vmpl(const SnpGuestSigns *signs, uint32_t wanted, uint32_t *ret, Error *e) {
        uint32_t ours = snp_guest_vmpl(signs);

        if (wanted != SNP_VMPL_AUTO && wanted < ours)
                return error_set(e, -EINVAL, "vmpl-below-kernel", "Keys for VMPL %u are out of reach: this kernel runs at "
                                 "VMPL %u", wanted, ours);
        *ret = wanted == SNP_VMPL_AUTO ? ours : wanted;
        return 0;
}

int sev_guest_derive_key(SnpDevice *device, const SnpKeyRequest *q, Deadline deadline, Secret *ret, Error *e) {
        SevGuest *g = (SevGuest *) device;
        AUTO_SECRET Secret resp = {};
        SevGuestDerivedKeyReq req = {
                .root_key_select = q->root,
                .guest_field_select = q->fields,
                .guest_svn = q->guest_svn,
                .tcb_version = q->tcb,
        };
        SevGuestRequest request = {};
        uint32_t status;
        int answer = 0, r;

        r = choose_vmpl(device->signs, q->vmpl, &req.vmpl, e);
        if (r == 0)
                r = secret_alloc(sizeof(SevGuestDerivedKeyResp), &resp, e);
        if (r == 0)
                r = sev_guest_call(g, SEV_GUEST_GET_DERIVED_KEY, &req, resp.bytes, deadline, &request, &answer, e);
        if (r < 0)
                return r;
        if (answer < 0)
                return sev_guest_explain(&request, answer, e);
        (void) memcpy(&status, resp.bytes + offsetof(SevGuestDerivedKeyResp, status), sizeof(status));
        r = sev_guest_check_status(status, "is the VMPL right, the guest SVN at most that of the launch, and the TCB at "
                                   "most the committed one?", e);
        if (r < 0)
                return r;
        (void) memmove(resp.bytes, resp.bytes + offsetof(SevGuestDerivedKeyResp, key), SNP_DERIVED_KEY_SIZE);
        secret_truncate(&resp, SNP_DERIVED_KEY_SIZE);
        *ret = secret_take(&resp);
        return 0;
}
