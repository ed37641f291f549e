/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/wire/bodies-service.h"

#include <errno.h>

#include "base/reader.h"
#include "base/writer.h"

int wire_service_request_encode(const WireServiceRequest *q, Blob *ret) {
        AUTO_WRITER Writer w = wr_init(WIRE_SERVICE_REQUEST_SIZE);

        wr_bytes(&w, q->nonce, sizeof(q->nonce));
        wr_bytes(&w, q->service, sizeof(q->service));
        wr_le32(&w, q->manifest_version);
        wr_le32(&w, q->deadline_msec);
        return wr_finish(&w, ret);
}

int wire_service_request_parse(const void *body, size_t size, WireServiceRequest *ret, Error *e) {
        Reader r = rd_init(body, size);
        WireServiceRequest q = {};
        int rc;

        rd_copy(&r, q.nonce, sizeof(q.nonce));
        rd_copy(&r, q.service, sizeof(q.service));
        q.manifest_version = rd_le32(&r);
        q.deadline_msec = rd_le32(&r);
        rc = rd_finish(&r, "service report request", e);
        if (rc < 0)
                return rc;
        if (q.deadline_msec == 0 || q.deadline_msec > WIRE_DEADLINE_MSEC_MAX)
                return error_set(e, -EBADMSG, "wire-field",
                                 "Field 'deadline' of a service report request is out of range");
        *ret = q;
        return 0;
}

int wire_service_answer_encode(const WireServiceAnswer *a, Blob *ret) {
        AUTO_WRITER Writer w = wr_init(WIRE_BODY_MAX);

        if (a->report.size != WIRE_SNP_REPORT_SIZE)
                return -EINVAL;
        if (a->manifest.size > WIRE_MANIFEST_MAX)
                return -E2BIG;
        wr_bytes(&w, a->report.data, a->report.size);
        wr_le32(&w, (uint32_t) a->manifest.size);
        wr_bytes(&w, a->manifest.data, a->manifest.size);
        wr_bytes(&w, a->certs.data, a->certs.size);
        return wr_finish(&w, ret);
}

int wire_service_answer_parse(const void *body, size_t size, WireServiceAnswer *ret, Error *e) {
        Reader r = rd_init(body, size);
        WireServiceAnswer a = {};
        int rc;

        a.report = (WireBytes){ .data = rd_take(&r, WIRE_SNP_REPORT_SIZE), .size = WIRE_SNP_REPORT_SIZE };
        a.manifest.size = rd_le32(&r);
        if (a.manifest.size > WIRE_MANIFEST_MAX)
                rd_fail(&r);
        a.manifest.data = rd_take(&r, a.manifest.size);
        a.certs.size = rd_left(&r);
        a.certs.data = rd_take(&r, a.certs.size);
        rc = rd_finish(&r, "service report answer", e);
        if (rc < 0)
                return rc;
        *ret = a;
        return 0;
}
