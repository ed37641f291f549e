/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Body of a WIRE_DERIVE_KEY request, by the rules of agent/wire/bodies.h. Its answer is a secret and has no form. */

#include <stdint.h>

#include "agent/wire/bodies.h"

#define WIRE_KEY_REQUEST_SIZE (4 + 8 + 4 + 4 + 8 + 4)

/* As SnpKeyRequest in snp/key-request.h, where it is judged what can be meant. */
typedef struct WireKeyRequest {
        uint32_t root; /* 0: VCEK, 1: VMRK */
        uint64_t fields;
        uint32_t vmpl; /* 0..3 or WIRE_VMPL_AUTO */
        uint32_t guest_svn;
        uint64_t tcb;
        uint32_t deadline_msec;
} WireKeyRequest;
WARN_UNUSED int wire_key_request_encode(const WireKeyRequest *q, Blob *ret);
WARN_UNUSED int wire_key_request_parse(const void *body, size_t size, WireKeyRequest *ret, Error *e);
