/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/wire/bodies-key.h"

#include <errno.h>

#include "base/reader.h"
#include "base/writer.h"

int wire_key_request_encode(const WireKeyRequest *q, Blob *ret) {
        AUTO_WRITER Writer w = wr_init(WIRE_KEY_REQUEST_SIZE);

        wr_le32(&w, q->root);
        wr_le64(&w, q->fields);
        wr_le32(&w, q->vmpl);
        wr_le32(&w, q->guest_svn);
        wr_le64(&w, q->tcb);
        wr_le32(&w, q->deadline_msec);
        return wr_finish(&w, ret);
}

static int out_of_range(Error *e, const char *field) {
        return error_set(e, -EBADMSG, "wire-field", "Field '%s' of a key request is out of range", field);
}

int wire_key_request_parse(const void *body, size_t size, WireKeyRequest *ret, Error *e) {
        Reader r = rd_init(body, size);
        WireKeyRequest q = {};
        int rc;

        q.root = rd_le32(&r);
        q.fields = rd_le64(&r);
        q.vmpl = rd_le32(&r);
        q.guest_svn = rd_le32(&r);
        q.tcb = rd_le64(&r);
        q.deadline_msec = rd_le32(&r);
        rc = rd_finish(&r, "key request", e);
        if (rc < 0)
                return rc;
        if (q.root > 1)
                return out_of_range(e, "root");
        if (q.vmpl > 3 && q.vmpl != WIRE_VMPL_AUTO)
                return out_of_range(e, "vmpl");
        if (q.deadline_msec == 0 || q.deadline_msec > WIRE_DEADLINE_MSEC_MAX)
                return out_of_range(e, "deadline");
        *ret = q;
        return 0;
}
