/* SPDX-License-Identifier: Apache-2.0 */
/* WIRE_MEASURE and WIRE_EVENT_LOG: what happened, into a PCR; and the logs that explain PCRs, in pieces. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "agent/attester/handlers-internal.h"
#include "agent/wire/bodies-measure.h"
#include "base/file.h"
#include "vtpm/measure.h"

static_assert(WIRE_MEASURE_WORD_MAX == VTPM_AAEL_WORD_MAX && WIRE_MEASURE_CONTENT_MAX == VTPM_AAEL_CONTENT_MAX,
              "messages carry whole measurements");
static_assert(WIRE_EVENT_LOG_MAX == VTPM_EVENT_LOG_MAX, "and whole logs, in pieces");

static VtpmAaelText text_of(WireText t) {
        return (VtpmAaelText){ t.text, t.len };
}

int attester_handle_measure(Attester *a, const Blob *body, Blob *ret, Error *e) {
        const ConfigMeasure *c = &a->config->measure;
        WireMeasureRequest q;
        VtpmMeasurement m;
        int r;

        (void) ret; /* an empty answer */
        r = wire_measure_request_parse(body->data, body->size, &q, e);
        if (r < 0)
                return r;
        if (!c->enabled)
                return error_set(e, -EOPNOTSUPP, "measure-not-configured", "No PCR is configured for measurements");
        m = (VtpmMeasurement){
                .tcti = a->config->tpm.tcti,
                .directory = c->directory,
                .pcr = c->pcr,
                .entry = { text_of(q.domain), text_of(q.operation), text_of(q.content) },
                .deadline = attester_deadline(a, q.deadline_msec),
        };
        return vtpm_measure(&m, e);
}

static int read_log(const Attester *a, uint8_t which, Blob *ret, Error *e) {
        const Config *c = a->config;
        Error why = {};
        int r;

        if (which == WIRE_EVENT_LOG_RUNTIME)
                return vtpm_measure_log(c->measure.directory, ret, e);
        r = file_read(c->tpm.event_log, VTPM_EVENT_LOG_MAX, ret, &why);
        if (r == -ENOENT) /* a guest without TPM, or firmware that hands no log over */
                return error_set(e, r, "event-log-absent", "There is no event log at %s", c->tpm.event_log);
        return r < 0 ? error_set(e, r, error_reason(&why, r), "%s", error_text(&why, r)) : 0;
}

int attester_handle_event_log(Attester *a, const Blob *body, Blob *ret, Error *e) {
        WireEventLogAnswer answer = {};
        AUTO_BLOB Blob log = {};
        WireEventLogRequest q;
        size_t left;
        int r;

        r = wire_event_log_request_parse(body->data, body->size, &q, e);
        if (r == 0)
                r = read_log(a, q.which, &log, e);
        if (r < 0)
                return r;
        if (q.offset > log.size)
                return error_set(e, -EINVAL, "event-log-offset", "The log has %zu bytes, asked for those from %u on",
                                 log.size, q.offset);
        r = vtpm_hash_bytes(VTPM_ALG_SHA256, log.data, log.size, answer.digest, e);
        if (r < 0)
                return r;
        left = log.size - q.offset;
        answer.total = (uint32_t) log.size;
        answer.chunk = (WireBytes){
                .data = left > 0 ? log.data + q.offset : NULL,
                .size = left < WIRE_EVENT_LOG_CHUNK_MAX ? left : WIRE_EVENT_LOG_CHUNK_MAX,
        };
        return wire_event_log_answer_encode(&answer, ret) < 0 ? error_oom(e) : 0;
}
