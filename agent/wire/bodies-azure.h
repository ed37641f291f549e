/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Bodies of WIRE_AZURE, by the rules of agent/wire/bodies.h. Its request is a WireQuoteRequest. */

#include "agent/wire/bodies.h"

#define WIRE_NV_MAX (16u * 1024u) /* content of an NV index */

typedef struct WireAzureAnswer {
        WireBytes hcl;     /* the paravisor's report, WIRE_NV_MAX at most */
        WireBytes ak_cert; /* DER; may be empty */
        WireQuoteAnswer quote;
} WireAzureAnswer;
WARN_UNUSED int wire_azure_answer_encode(const WireAzureAnswer *a, Blob *ret);
WARN_UNUSED int wire_azure_answer_parse(const void *body, size_t size, uint16_t bank, WireAzureAnswer *ret, Error *e);
