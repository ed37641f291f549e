/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/wire/bodies.h"

/* What stands inside the messages. Numbers are little-endian, like the header. */

#include <errno.h>
#include <string.h>

#include "agent/wire/bodies-internal.h"

#define REPORT_REQUEST_SIZE (WIRE_REPORT_DATA_SIZE + 4 + 4)

static int out_of_range(Error *e, const char *what, const char *field) {
        return error_set(e, -EBADMSG, "wire-field", "Field '%s' of a %s is out of range", field, what);
}

int wire_check_deadline(const char *what, uint32_t msec, Error *e) {
        return msec == 0 || msec > WIRE_DEADLINE_MSEC_MAX ? out_of_range(e, what, "deadline") : 0;
}

static bool vmpl_is_valid(uint32_t vmpl) {
        return vmpl <= 3 || vmpl == WIRE_VMPL_AUTO;
}

void wire_put_bytes(Writer *w, WireBytes b, size_t max) {
        if (b.size > max || b.size > UINT16_MAX) {
                w->error = w->error < 0 ? w->error : -E2BIG;
                return;
        }
        wr_le16(w, (uint16_t) b.size);
        wr_bytes(w, b.data, b.size);
}

WireBytes wire_get_bytes(Reader *r, size_t max) {
        size_t n = rd_le16(r);

        if (n > max)
                rd_fail(r);
        return (WireBytes){ .data = rd_take(r, n), .size = r->error < 0 ? 0 : n };
}

static void put_text(Writer *w, WireText t, size_t max) {
        wire_put_bytes(w, (WireBytes){ .data = (const uint8_t *) t.text, .size = t.len }, max);
}

static WireText get_text(Reader *r, size_t max) {
        WireBytes b = wire_get_bytes(r, max);

        if (b.size > 0 && memchr(b.data, 0, b.size))
                rd_fail(r);
        return (WireText){ .text = (const char *) b.data, .len = b.size };
}

int wire_report_request_encode(const WireReportRequest *q, Blob *ret) {
        AUTO_WRITER Writer w = wr_init(REPORT_REQUEST_SIZE);

        wr_bytes(&w, q->report_data, sizeof(q->report_data));
        wr_le32(&w, q->vmpl);
        wr_le32(&w, q->deadline_msec);
        return wr_finish(&w, ret);
}

int wire_report_request_parse(const void *body, size_t size, WireReportRequest *ret, Error *e) {
        Reader r = rd_init(body, size);
        WireReportRequest q = {};
        int rc;

        rd_copy(&r, q.report_data, sizeof(q.report_data));
        q.vmpl = rd_le32(&r);
        q.deadline_msec = rd_le32(&r);
        rc = rd_finish(&r, "report request", e);
        if (rc < 0)
                return rc;
        if (!vmpl_is_valid(q.vmpl))
                return out_of_range(e, "report request", "vmpl");
        rc = wire_check_deadline("report request", q.deadline_msec, e);
        if (rc == 0)
                *ret = q;
        return rc;
}

int wire_report_answer_encode(const WireReportAnswer *a, Blob *ret) {
        AUTO_WRITER Writer w = wr_init(WIRE_BODY_MAX);

        if (a->report.size != WIRE_SNP_REPORT_SIZE)
                return -EINVAL;
        wr_bytes(&w, a->report.data, a->report.size);
        wr_bytes(&w, a->certs.data, a->certs.size);
        return wr_finish(&w, ret);
}

int wire_report_answer_parse(const void *body, size_t size, WireReportAnswer *ret, Error *e) {
        Reader r = rd_init(body, size);
        WireReportAnswer a = {};
        int rc;

        a.report = (WireBytes){ .data = rd_take(&r, WIRE_SNP_REPORT_SIZE), .size = WIRE_SNP_REPORT_SIZE };
        a.certs.size = rd_left(&r);
        a.certs.data = rd_take(&r, a.certs.size);
        rc = rd_finish(&r, "report answer", e);
        if (rc < 0)
                return rc;
        *ret = a;
        return 0;
}

size_t wire_bank_digest_size(uint16_t bank) {
        switch (bank) {
        case 0x0004: /* TPM_ALG_SHA1 */
                return 20;
        case 0x000b: /* TPM_ALG_SHA256 */
                return 32;
        case 0x000c: /* TPM_ALG_SHA384 */
                return 48;
        case 0x000d: /* TPM_ALG_SHA512 */
                return 64;
        default:
                return 0;
        }
}

int wire_quote_request_encode(const WireQuoteRequest *q, Blob *ret) {
        AUTO_WRITER Writer w = wr_init(WIRE_NONCE_MAX + 2 + 4 + 2 + 4);

        wire_put_bytes(&w, (WireBytes){ .data = q->nonce, .size = q->nonce_size }, WIRE_NONCE_MAX);
        wr_le32(&w, q->pcr_mask);
        wr_le16(&w, q->bank);
        wr_le32(&w, q->deadline_msec);
        return wr_finish(&w, ret);
}

int wire_quote_request_parse(const void *body, size_t size, WireQuoteRequest *ret, Error *e) {
        Reader r = rd_init(body, size);
        WireQuoteRequest q = {};
        WireBytes nonce = wire_get_bytes(&r, WIRE_NONCE_MAX);
        int rc;

        q.pcr_mask = rd_le32(&r);
        q.bank = rd_le16(&r);
        q.deadline_msec = rd_le32(&r);
        rc = rd_finish(&r, "quote request", e);
        if (rc < 0)
                return rc;
        if (nonce.size == 0)
                return out_of_range(e, "quote request", "nonce");
        if (q.pcr_mask == 0 || q.pcr_mask >> WIRE_PCRS != 0)
                return out_of_range(e, "quote request", "pcr mask");
        if (wire_bank_digest_size(q.bank) == 0)
                return out_of_range(e, "quote request", "bank");
        rc = wire_check_deadline("quote request", q.deadline_msec, e);
        if (rc < 0)
                return rc;
        (void) memcpy(q.nonce, nonce.data, nonce.size);
        q.nonce_size = nonce.size;
        *ret = q;
        return 0;
}

int wire_quote_answer_encode(const WireQuoteAnswer *a, Blob *ret) {
        AUTO_WRITER Writer w = wr_init(WIRE_BODY_MAX);

        if (a->n_digests > WIRE_PCRS)
                return -E2BIG;
        wire_put_bytes(&w, a->attest, WIRE_ATTEST_MAX);
        wire_put_bytes(&w, a->signature, WIRE_ATTEST_MAX);
        wire_put_bytes(&w, a->ak_public, WIRE_ATTEST_MAX);
        wr_u8(&w, (uint8_t) a->n_digests);
        for (size_t i = 0; i < a->n_digests; i++)
                wr_bytes(&w, a->digests[i].data, a->digests[i].size);
        return wr_finish(&w, ret);
}

int wire_quote_answer_parse(const void *body, size_t size, uint16_t bank, WireQuoteAnswer *ret, Error *e) {
        Reader r = rd_init(body, size);
        WireQuoteAnswer a = {};
        size_t digest_size = wire_bank_digest_size(bank);
        int rc;

        a.attest = wire_get_bytes(&r, WIRE_ATTEST_MAX);
        a.signature = wire_get_bytes(&r, WIRE_ATTEST_MAX);
        a.ak_public = wire_get_bytes(&r, WIRE_ATTEST_MAX);
        a.n_digests = rd_u8(&r);
        if (a.n_digests > WIRE_PCRS || digest_size == 0) {
                rd_fail(&r);
                a.n_digests = 0;
        }
        for (size_t i = 0; i < a.n_digests; i++)
                a.digests[i] = (WireBytes){ .data = rd_take(&r, digest_size), .size = digest_size };
        rc = rd_finish(&r, "quote answer", e);
        if (rc < 0)
                return rc;
        *ret = a;
        return 0;
}

int wire_volume_request_encode(const WireVolumeRequest *q, Blob *ret) {
        AUTO_WRITER Writer w = wr_init(WIRE_BODY_MAX);

        put_text(&w, q->uuid, WIRE_UUID_MAX);
        put_text(&w, q->device, WIRE_DEVICE_MAX);
        put_text(&w, q->token, WIRE_TOKEN_MAX);
        put_text(&w, q->cipher, WIRE_CIPHER_MAX);
        return wr_finish(&w, ret);
}

int wire_volume_request_parse(const void *body, size_t size, WireVolumeRequest *ret, Error *e) {
        Reader r = rd_init(body, size);
        WireVolumeRequest q = {};
        int rc;

        q.uuid = get_text(&r, WIRE_UUID_MAX);
        q.device = get_text(&r, WIRE_DEVICE_MAX);
        q.token = get_text(&r, WIRE_TOKEN_MAX);
        q.cipher = get_text(&r, WIRE_CIPHER_MAX);
        rc = rd_finish(&r, "volume key request", e);
        if (rc < 0)
                return rc;
        *ret = q;
        return 0;
}
