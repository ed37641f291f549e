/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Bodies of WIRE_MEASURE, WIRE_EVENT_LOG and WIRE_EVIDENCE, by the rules of agent/wire/bodies.h. */

#include <stdint.h>

#include "agent/wire/bodies.h"

#define WIRE_MEASURE_WORD_MAX 256
#define WIRE_MEASURE_CONTENT_MAX 4096

typedef struct WireMeasureRequest {
        WireText domain, operation, content;
        uint32_t deadline_msec;
} WireMeasureRequest;
WARN_UNUSED int wire_measure_request_encode(const WireMeasureRequest *q, Blob *ret);
WARN_UNUSED int wire_measure_request_parse(const void *body, size_t size, WireMeasureRequest *ret, Error *e);

typedef enum WireEventLog {
        WIRE_EVENT_LOG_FIRMWARE = 0, /* as the kernel hands it out */
        WIRE_EVENT_LOG_RUNTIME = 1,  /* of WIRE_MEASURE */
} WireEventLog;

#define WIRE_EVENT_LOG_MAX (16u << 20) /* of a whole log */
#define WIRE_EVENT_LOG_REQUEST_SIZE (1 + 4)
#define WIRE_EVENT_LOG_CHUNK_MAX (64u * 1024u)
#define WIRE_EVENT_LOG_DIGEST_SIZE 32

typedef struct WireEventLogRequest {
        uint8_t which; /* WireEventLog */
        uint32_t offset;
} WireEventLogRequest;
WARN_UNUSED int wire_event_log_request_encode(const WireEventLogRequest *q, Blob *ret);
WARN_UNUSED int wire_event_log_request_parse(const void *body, size_t size, WireEventLogRequest *ret, Error *e);

/* Whoever collects chunks begins anew when size or digest of the whole have changed. */
typedef struct WireEventLogAnswer {
        uint32_t total;
        uint8_t digest[WIRE_EVENT_LOG_DIGEST_SIZE]; /* SHA-256 of all of the log */
        WireBytes chunk; /* from the offset asked for; empty at the end, and only there */
} WireEventLogAnswer;
WARN_UNUSED int wire_event_log_answer_encode(const WireEventLogAnswer *a, Blob *ret);
WARN_UNUSED int wire_event_log_answer_parse(const void *body, size_t size, WireEventLogAnswer *ret, Error *e);

/* Report and quote over the same nonce; the report carries it with zeros behind. */
typedef struct WireEvidenceRequest {
        WireQuoteRequest quote; /* its nonce and deadline are those of both */
        uint32_t vmpl;
} WireEvidenceRequest;
WARN_UNUSED int wire_evidence_request_encode(const WireEvidenceRequest *q, Blob *ret);
WARN_UNUSED int wire_evidence_request_parse(const void *body, size_t size, WireEvidenceRequest *ret, Error *e);

typedef struct WireEvidenceAnswer {
        WireReportAnswer report;
        WireQuoteAnswer quote;
} WireEvidenceAnswer;
WARN_UNUSED int wire_evidence_answer_encode(const WireEvidenceAnswer *a, Blob *ret);
WARN_UNUSED int wire_evidence_answer_parse(const void *body, size_t size, uint16_t bank, WireEvidenceAnswer *ret,
                                           Error *e);
