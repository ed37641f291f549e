/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Bodies of WIRE_SERVICE_REPORT, by the rules of agent/wire/bodies.h. */

#include <stdint.h>

#include "agent/wire/bodies.h"

#define WIRE_GUID_SIZE 16
#define WIRE_MANIFEST_MAX (32u * 1024u) /* what Linux hands on of an SVSM's manifest */
#define WIRE_SERVICE_REQUEST_SIZE (WIRE_REPORT_DATA_SIZE + WIRE_GUID_SIZE + 4 + 4)

typedef struct WireServiceRequest {
        uint8_t nonce[WIRE_REPORT_DATA_SIZE];
        uint8_t service[WIRE_GUID_SIZE]; /* in the order of its text; zeros: all services */
        uint32_t manifest_version;
        uint32_t deadline_msec;
} WireServiceRequest;
WARN_UNUSED int wire_service_request_encode(const WireServiceRequest *q, Blob *ret);
WARN_UNUSED int wire_service_request_parse(const void *body, size_t size, WireServiceRequest *ret, Error *e);

typedef struct WireServiceAnswer {
        WireBytes report;   /* WIRE_SNP_REPORT_SIZE */
        WireBytes manifest; /* up to WIRE_MANIFEST_MAX */
        WireBytes certs;    /* may be empty */
} WireServiceAnswer;
WARN_UNUSED int wire_service_answer_encode(const WireServiceAnswer *a, Blob *ret);
WARN_UNUSED int wire_service_answer_parse(const void *body, size_t size, WireServiceAnswer *ret, Error *e);
