/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/wire/bodies-measure.h"

#include <errno.h>
#include <string.h>

#include "base/reader.h"
#include "base/writer.h"

static void put_text(Writer *w, WireText t, size_t max) {
        if (t.len > max) {
                w->error = w->error < 0 ? w->error : -E2BIG;
                return;
        }
        wr_le16(w, (uint16_t) t.len);
        wr_bytes(w, t.text, t.len);
}

static WireText get_text(Reader *r, size_t max) {
        size_t n = rd_le16(r);
        const uint8_t *p;

        if (n > max)
                rd_fail(r);
        p = rd_take(r, n);
        if (p && memchr(p, 0, n))
                rd_fail(r);
        return (WireText){ .text = (const char *) p, .len = r->error < 0 ? 0 : n };
}

int wire_measure_request_encode(const WireMeasureRequest *q, Blob *ret) {
        AUTO_WRITER Writer w = wr_init(WIRE_BODY_MAX);

        put_text(&w, q->domain, WIRE_MEASURE_WORD_MAX);
        put_text(&w, q->operation, WIRE_MEASURE_WORD_MAX);
        put_text(&w, q->content, WIRE_MEASURE_CONTENT_MAX);
        wr_le32(&w, q->deadline_msec);
        return wr_finish(&w, ret);
}

int wire_measure_request_parse(const void *body, size_t size, WireMeasureRequest *ret, Error *e) {
        Reader r = rd_init(body, size);
        WireMeasureRequest q = {};
        int rc;

        q.domain = get_text(&r, WIRE_MEASURE_WORD_MAX);
        q.operation = get_text(&r, WIRE_MEASURE_WORD_MAX);
        q.content = get_text(&r, WIRE_MEASURE_CONTENT_MAX);
        q.deadline_msec = rd_le32(&r);
        if (q.deadline_msec == 0 || q.deadline_msec > WIRE_DEADLINE_MSEC_MAX)
                rd_fail(&r);
        rc = rd_finish(&r, "measure request", e);
        if (rc < 0)
                return rc;
        *ret = q;
        return 0;
}

int wire_event_log_request_encode(const WireEventLogRequest *q, Blob *ret) {
        AUTO_WRITER Writer w = wr_init(WIRE_EVENT_LOG_REQUEST_SIZE);

        wr_u8(&w, q->which);
        wr_le32(&w, q->offset);
        return wr_finish(&w, ret);
}

int wire_event_log_request_parse(const void *body, size_t size, WireEventLogRequest *ret, Error *e) {
        Reader r = rd_init(body, size);
        WireEventLogRequest q = {};
        int rc;

        q.which = rd_u8(&r);
        if (q.which > WIRE_EVENT_LOG_RUNTIME)
                rd_fail(&r);
        q.offset = rd_le32(&r);
        if (q.offset > WIRE_EVENT_LOG_MAX)
                rd_fail(&r);
        rc = rd_finish(&r, "event log request", e);
        if (rc < 0)
                return rc;
        *ret = q;
        return 0;
}

int wire_event_log_answer_encode(const WireEventLogAnswer *a, Blob *ret) {
        AUTO_WRITER Writer w = wr_init(WIRE_BODY_MAX);

        if (a->total > WIRE_EVENT_LOG_MAX || a->chunk.size > WIRE_EVENT_LOG_CHUNK_MAX)
                return -E2BIG;
        wr_le32(&w, a->total);
        wr_bytes(&w, a->digest, sizeof(a->digest));
        wr_bytes(&w, a->chunk.data, a->chunk.size);
        return wr_finish(&w, ret);
}

int wire_event_log_answer_parse(const void *body, size_t size, WireEventLogAnswer *ret, Error *e) {
        Reader r = rd_init(body, size);
        WireEventLogAnswer a = {};
        int rc;

        a.total = rd_le32(&r);
        if (a.total > WIRE_EVENT_LOG_MAX)
                rd_fail(&r);
        rd_copy(&r, a.digest, sizeof(a.digest));
        a.chunk.size = rd_left(&r);
        if (a.chunk.size > WIRE_EVENT_LOG_CHUNK_MAX || a.chunk.size > a.total)
                rd_fail(&r);
        a.chunk.data = rd_take(&r, a.chunk.size);
        rc = rd_finish(&r, "event log answer", e);
        if (rc < 0)
                return rc;
        *ret = a;
        return 0;
}

/* The VMPL, and the rest as in WIRE_QUOTE. */
int wire_evidence_request_encode(const WireEvidenceRequest *q, Blob *ret) {
        AUTO_WRITER Writer w = wr_init(WIRE_BODY_MAX);
        AUTO_BLOB Blob quote = {};
        int r = wire_quote_request_encode(&q->quote, &quote);

        if (r < 0)
                return r;
        wr_le32(&w, q->vmpl);
        wr_bytes(&w, quote.data, quote.size);
        return wr_finish(&w, ret);
}

int wire_evidence_request_parse(const void *body, size_t size, WireEvidenceRequest *ret, Error *e) {
        Reader r = rd_init(body, size);
        WireEvidenceRequest q = {};
        const uint8_t *quote;
        size_t n;
        int rc;

        q.vmpl = rd_le32(&r);
        if (q.vmpl > 3 && q.vmpl != WIRE_VMPL_AUTO)
                rd_fail(&r);
        n = rd_left(&r);
        quote = rd_take(&r, n);
        rc = rd_finish(&r, "evidence request", e);
        if (rc == 0)
                rc = wire_quote_request_parse(quote, n, &q.quote, e);
        if (rc < 0)
                return rc;
        *ret = q;
        return 0;
}

/* Size of the report's part, that part as in WIRE_REPORT, the rest as in WIRE_QUOTE. */
int wire_evidence_answer_encode(const WireEvidenceAnswer *a, Blob *ret) {
        AUTO_WRITER Writer w = wr_init(WIRE_BODY_MAX);
        AUTO_BLOB Blob report = {}, quote = {};
        int r;

        r = wire_report_answer_encode(&a->report, &report);
        if (r == 0)
                r = wire_quote_answer_encode(&a->quote, &quote);
        if (r < 0)
                return r;
        wr_le32(&w, (uint32_t) report.size);
        wr_bytes(&w, report.data, report.size);
        wr_bytes(&w, quote.data, quote.size);
        return wr_finish(&w, ret);
}

int wire_evidence_answer_parse(const void *body, size_t size, uint16_t bank, WireEvidenceAnswer *ret, Error *e) {
        Reader r = rd_init(body, size);
        size_t n_report = rd_le32(&r), n_quote;
        const uint8_t *report = rd_take(&r, n_report), *quote;
        WireEvidenceAnswer a = {};
        int rc;

        n_quote = rd_left(&r);
        quote = rd_take(&r, n_quote);
        rc = rd_finish(&r, "evidence answer", e);
        if (rc == 0)
                rc = wire_report_answer_parse(report, n_report, &a.report, e);
        if (rc == 0)
                rc = wire_quote_answer_parse(quote, n_quote, bank, &a.quote, e);
        if (rc < 0)
                return rc;
        *ret = a;
        return 0;
}
