/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Bodies of the messages in agent/wire/wire.h, one encode and one parse each, so that both ends of a
 * socket agree by construction. A parsed struct borrows from the bytes it was parsed from. Every parse
 * refuses trailing bytes and values outside the limits named here with -EBADMSG.
 */

#include <stddef.h>
#include <stdint.h>

#include "agent/wire/wire.h"
#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"

/* Size of an SNP report and of its REPORT_DATA: AMD publication 56860, table ATTESTATION_REPORT. */
#define WIRE_SNP_REPORT_SIZE 1184
#define WIRE_REPORT_DATA_SIZE 64
#define WIRE_VMPL_AUTO UINT32_MAX
#define WIRE_DEADLINE_MSEC_MAX (10u * 60u * 1000u) /* nobody waits longer for a device */
#define WIRE_NONCE_MAX 64                          /* TPM2B_DATA of a quote, and REPORT_DATA */
#define WIRE_PCRS 24
#define WIRE_DIGEST_MAX 64  /* SHA-512 */
#define WIRE_ATTEST_MAX 2048 /* TPMS_ATTEST of a quote is below 1 KiB */
#define WIRE_UUID_MAX 40    /* libcryptsetup's UUID_STRING_L */
#define WIRE_DEVICE_MAX 255
#define WIRE_TOKEN_MAX 4096 /* token JSON is hostile: larger ones have no honest reason */
#define WIRE_CIPHER_MAX 64

typedef struct WireText {
        const char *text; /* borrowed, not NUL-terminated; no NUL inside */
        size_t len;
} WireText;

typedef struct WireBytes {
        const uint8_t *data; /* borrowed */
        size_t size;
} WireBytes;

typedef struct WireReportRequest {
        uint8_t report_data[WIRE_REPORT_DATA_SIZE];
        uint32_t vmpl; /* 0..3 or WIRE_VMPL_AUTO */
        uint32_t deadline_msec;
} WireReportRequest;
WARN_UNUSED int wire_report_request_encode(const WireReportRequest *q, Blob *ret);
WARN_UNUSED int wire_report_request_parse(const void *body, size_t size, WireReportRequest *ret, Error *e);

typedef struct WireReportAnswer {
        WireBytes report; /* WIRE_SNP_REPORT_SIZE */
        WireBytes certs;  /* the host's table, may be empty */
} WireReportAnswer;
WARN_UNUSED int wire_report_answer_encode(const WireReportAnswer *a, Blob *ret);
WARN_UNUSED int wire_report_answer_parse(const void *body, size_t size, WireReportAnswer *ret, Error *e);

typedef struct WireQuoteRequest {
        uint8_t nonce[WIRE_NONCE_MAX];
        size_t nonce_size; /* 1..WIRE_NONCE_MAX */
        uint32_t pcr_mask; /* bits 0..23, at least one */
        uint16_t bank;     /* TPM_ALG_SHA1, _SHA256, _SHA384, _SHA512 */
        uint32_t deadline_msec;
} WireQuoteRequest;
WARN_UNUSED int wire_quote_request_encode(const WireQuoteRequest *q, Blob *ret);
WARN_UNUSED int wire_quote_request_parse(const void *body, size_t size, WireQuoteRequest *ret, Error *e);

typedef struct WireQuoteAnswer {
        WireBytes attest, signature, ak_public;
        size_t n_digests;
        WireBytes digests[WIRE_PCRS]; /* in order of PCR index, of those asked for */
} WireQuoteAnswer;
WARN_UNUSED int wire_quote_answer_encode(const WireQuoteAnswer *a, Blob *ret);
WARN_UNUSED int wire_quote_answer_parse(const void *body, size_t size, uint16_t bank, WireQuoteAnswer *ret, Error *e);

typedef struct WireVolumeRequest {
        WireText uuid, device, token, cipher;
} WireVolumeRequest;
WARN_UNUSED int wire_volume_request_encode(const WireVolumeRequest *q, Blob *ret);
WARN_UNUSED int wire_volume_request_parse(const void *body, size_t size, WireVolumeRequest *ret, Error *e);

/* Digest size of a TPM_ALG_* bank, or 0 for one that is not known (TCG Algorithm Registry, table 3). */
size_t wire_bank_digest_size(uint16_t bank);
