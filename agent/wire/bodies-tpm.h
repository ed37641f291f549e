/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Bodies of the messages about the TPM's keys and about sealing: see agent/wire/wire.h, and bodies.h for manners. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/wire/bodies.h"
#include "base/secret.h"

#define WIRE_TPM_PUBLIC_MAX 1024      /* TPMT_PUBLIC */
#define WIRE_TPM_NAME_MAX 66          /* of a key: hash and digest */
#define WIRE_CERT_MAX (16u * 1024u)   /* what an NV index can hold */
#define WIRE_CREDENTIAL_MAX 656       /* file of a credential for the largest keys */
#define WIRE_SEALED_MAX 4096          /* file of a sealed object */
#define WIRE_SEAL_SECRET_MAX 128      /* what a TPM seals */
#define WIRE_SIGNATURES_MAX (48u * 1024u) /* signed PCR policies; systemd's have some hundred bytes each */
#define WIRE_EK_PROFILES 5            /* numbers as VtpmEkProfile */

typedef struct WireTpmKeysRequest {
        uint32_t deadline_msec;
        uint8_t ek_profile;
} WireTpmKeysRequest;
WARN_UNUSED int wire_tpm_keys_request_encode(const WireTpmKeysRequest *q, Blob *ret);
WARN_UNUSED int wire_tpm_keys_request_parse(const void *body, size_t size, WireTpmKeysRequest *ret, Error *e);

typedef struct WireTpmKeysAnswer {
        WireBytes ak_public, ak_cert, ek_public, ek_cert; /* a certificate that is not there is empty */
} WireTpmKeysAnswer;
WARN_UNUSED int wire_tpm_keys_answer_encode(const WireTpmKeysAnswer *a, Blob *ret);
WARN_UNUSED int wire_tpm_keys_answer_parse(const void *body, size_t size, WireTpmKeysAnswer *ret, Error *e);

typedef struct WireActivateRequest {
        uint32_t deadline_msec;
        uint8_t ek_profile;
        WireBytes salt_name; /* name of the EK that the platform vouches for; empty: not known */
        WireBytes credential;
} WireActivateRequest;
#define WIRE_ACTIVATE_REQUEST_MAX (4 + 1 + 2 + WIRE_TPM_NAME_MAX + 2 + WIRE_CREDENTIAL_MAX)
WARN_UNUSED int wire_activate_request_encode(const WireActivateRequest *q, Blob *ret);
WARN_UNUSED int wire_activate_request_parse(const void *body, size_t size, WireActivateRequest *ret, Error *e);

typedef struct WireSealRequest {
        uint32_t deadline_msec;
        uint16_t bank;
        uint32_t pcr_mask;
        bool persistent;
        WireBytes salt_name, signer; /* may be empty */
        WireBytes secret; /* borrowed from the body, which is in locked memory */
} WireSealRequest;
#define WIRE_SEAL_REQUEST_MAX (4 + 2 + 4 + 1 + 2 + WIRE_TPM_NAME_MAX + 2 + WIRE_TPM_PUBLIC_MAX + WIRE_SEAL_SECRET_MAX)
/* @ret holds the whole body. */
WARN_UNUSED int wire_seal_request_encode(const WireSealRequest *q, Secret *ret);
WARN_UNUSED int wire_seal_request_parse(const void *body, size_t size, WireSealRequest *ret, Error *e);

typedef struct WireUnsealRequest {
        uint32_t deadline_msec;
        WireBytes salt_name; /* may be empty */
        WireBytes sealed;
        WireText signatures; /* JSON; may be empty */
} WireUnsealRequest;
#define WIRE_UNSEAL_REQUEST_MAX (4 + 2 + WIRE_TPM_NAME_MAX + 2 + WIRE_SEALED_MAX + WIRE_SIGNATURES_MAX)
WARN_UNUSED int wire_unseal_request_encode(const WireUnsealRequest *q, Blob *ret);
WARN_UNUSED int wire_unseal_request_parse(const void *body, size_t size, WireUnsealRequest *ret, Error *e);
