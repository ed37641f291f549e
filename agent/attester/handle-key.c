/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WIRE_DERIVE_KEY: keys that the firmware derives for this guest. Nobody may ask but whom the configuration names: such
 * a key may open a disk, so who talks to the network has no business with it, and root has the device itself. The key
 * is in locked memory from the kernel's hand into the socket, and every one that was handed over is in the journal.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "agent/attester/handlers-internal.h"
#include "agent/daemon/message-ids.h"
#include "agent/wire/bodies-key.h"
#include "base/log.h"

static_assert(WIRE_VMPL_AUTO == SNP_VMPL_AUTO, "the same number means \"the kernel's own\" everywhere");

bool attester_may_derive(const Attester *a, uid_t uid) {
        return config_users_have(&a->config->attester.key_users, uid);
}

/* Beside the one for reports, which may be configfs-tsm and then has no keys. */
static int open_device(Attester *a, SnpDevice **ret, Error *e) {
        const ConfigAttester *c = &a->config->attester;
        int r;

        if (c->source == CONFIG_SOURCE_CONFIGFS_TSM)
                return error_set(e, -EOPNOTSUPP, "key-needs-ioctl", "Keys come from %s only, and the configuration says "
                                 "Source=configfs-tsm", c->device_path);
        r = snp_device_open_ioctl(c->device_path, ret, e);
        if (r == 0)
                snp_device_set_throttle(*ret, &a->throttle);
        return r;
}

static void tell(uid_t uid, const SnpKeyRequest *q) {
        char user[16];

        (void) snprintf(user, sizeof(user), "%u", uid);
        log_event(LOG_NOTICE, MESSAGE_ID_KEY_DERIVED, &(LogField){ "SNP_PEER_UID", user }, 1,
                  "Gave user %s a key derived from the %s with fields 0x%" PRIx64, user, snp_root_key_name(q->root),
                  q->fields);
}

int attester_handle_key(Attester *a, const Blob *body, Secret *ret, Error *e) {
        CLEANUP(snp_device_freep) SnpDevice *device = NULL;
        SnpKeyRequest request;
        WireKeyRequest q;
        int r;

        r = wire_key_request_parse(body->data, body->size, &q, e);
        if (r < 0)
                return r;
        request = (SnpKeyRequest){ .root = (SnpRootKey) q.root, .fields = q.fields, .vmpl = q.vmpl,
                                   .guest_svn = q.guest_svn, .tcb = q.tcb };
        r = open_device(a, &device, e);
        if (r == 0)
                r = snp_device_derive_key(device, &request, attester_deadline(a, q.deadline_msec), ret, e);
        if (r == 0)
                tell(a->caller.uid, &request);
        return r;
}
