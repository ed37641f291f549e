/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of measurements, event logs and whole evidence: what is encoded comes back, and nothing else is taken. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/wire/bodies-measure.h"
#include "tests/unit/unit.h"

#define TEXT(t) { .text = (t), .len = sizeof(t) - 1 }
#define SHA256 0x000b /* TPM_ALG_SHA256 */

static const uint8_t digests[2][32], report[WIRE_SNP_REPORT_SIZE];
static const WireMeasureRequest measure = { TEXT("domain"), TEXT("operation"), TEXT("{}"), 1000 };
static const WireEventLogRequest log_request = { .which = WIRE_EVENT_LOG_RUNTIME, .offset = 65536 };
static const WireEventLogAnswer log_answer = {
        .total = 70000, .digest = { 1, 2 }, .chunk = { .data = (const uint8_t *) "chunk", .size = 5 },
};
static const WireEvidenceRequest evidence_request = {
        .quote = { .nonce = { 1, 2, 3 }, .nonce_size = 3, .pcr_mask = 0x81, .bank = SHA256, .deadline_msec = 5000 },
        .vmpl = WIRE_VMPL_AUTO,
};

static WireEvidenceAnswer evidence_answer(void) {
        return (WireEvidenceAnswer){
                .report = { .report = { report, sizeof(report) }, .certs = { (const uint8_t *) "certs", 5 } },
                .quote = { .attest = { (const uint8_t *) "attest", 6 }, .signature = { (const uint8_t *) "sig", 3 },
                           .ak_public = { (const uint8_t *) "ak", 2 }, .n_digests = 2,
                           .digests = { { digests[0], 32 }, { digests[1], 32 } } },
        };
}

#define N_KINDS 5

static Blob encode_any(int which) {
        WireEvidenceAnswer answer = evidence_answer();
        Blob b = {};
        int r = which == 0   ? wire_measure_request_encode(&measure, &b) :
                which == 1   ? wire_event_log_request_encode(&log_request, &b) :
                which == 2   ? wire_event_log_answer_encode(&log_answer, &b) :
                which == 3   ? wire_evidence_request_encode(&evidence_request, &b) :
                               wire_evidence_answer_encode(&answer, &b);

        ck_assert_int_eq(r, 0);
        return b;
}

static int parse_any(int which, const void *data, size_t size) {
        WireMeasureRequest m;
        WireEventLogRequest lq;
        WireEventLogAnswer la;
        WireEvidenceRequest eq;
        WireEvidenceAnswer ea;

        switch (which) {
        case 0:
                return wire_measure_request_parse(data, size, &m, NULL);
        case 1:
                return wire_event_log_request_parse(data, size, &lq, NULL);
        case 2:
                return wire_event_log_answer_parse(data, size, &la, NULL);
        case 3:
                return wire_evidence_request_parse(data, size, &eq, NULL);
        default:
                return wire_evidence_answer_parse(data, size, SHA256, &ea, NULL);
        }
}

START_TEST(what_is_encoded_comes_back) {
        AUTO_BLOB Blob a = encode_any(0), b = encode_any(1), c = encode_any(2), d = encode_any(3), f = encode_any(4);
        WireMeasureRequest m;
        WireEventLogRequest lq;
        WireEventLogAnswer la;
        WireEvidenceRequest eq;
        WireEvidenceAnswer ea;

        ck_assert_int_eq(wire_measure_request_parse(a.data, a.size, &m, NULL), 0);
        ck_assert(m.domain.len == 6 && memcmp(m.domain.text, "domain", 6) == 0);
        ck_assert(m.operation.len == 9 && memcmp(m.operation.text, "operation", 9) == 0);
        ck_assert(m.content.len == 2 && memcmp(m.content.text, "{}", 2) == 0);
        ck_assert_uint_eq(m.deadline_msec, 1000);
        ck_assert_int_eq(wire_event_log_request_parse(b.data, b.size, &lq, NULL), 0);
        ck_assert(lq.which == WIRE_EVENT_LOG_RUNTIME && lq.offset == 65536);
        ck_assert_int_eq(wire_event_log_answer_parse(c.data, c.size, &la, NULL), 0);
        ck_assert(la.total == 70000 && la.digest[1] == 2 && la.chunk.size == 5);
        ck_assert_int_eq(wire_evidence_request_parse(d.data, d.size, &eq, NULL), 0);
        ck_assert(eq.vmpl == WIRE_VMPL_AUTO && eq.quote.nonce_size == 3 && eq.quote.pcr_mask == 0x81);
        ck_assert_int_eq(wire_evidence_answer_parse(f.data, f.size, SHA256, &ea, NULL), 0);
        ck_assert(ea.report.certs.size == 5 && ea.quote.n_digests == 2 && ea.quote.ak_public.size == 2);
}
END_TEST

START_TEST(every_truncation_is_rejected) {
        AUTO_BLOB Blob b = encode_any(_i);

        for (size_t n = 0; n < b.size; n++) {
                AUTO_FREE uint8_t *cut = malloc(n ? n : 1);

                (void) memcpy(cut, b.data, n);
                /* What is cut off a chunk leaves a shorter one. */
                if (_i == 2 && n >= b.size - log_answer.chunk.size)
                        ck_assert_int_eq(parse_any(_i, cut, n), 0);
                else
                        ck_assert_msg(parse_any(_i, cut, n) == -EBADMSG, "%zu of %zu", n, b.size);
        }
}
END_TEST

START_TEST(every_bit_flip_is_survived) {
        AUTO_BLOB Blob b = encode_any(_i);

        for (size_t bit = 0; bit < 8 * b.size; bit++) {
                int r;

                b.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
                r = parse_any(_i, b.data, b.size);
                ck_assert(r == 0 || r == -EBADMSG);
                b.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
        }
}
END_TEST

static void refused(int which, size_t at, uint8_t value) {
        AUTO_BLOB Blob b = encode_any(which);

        b.data[at] = value;
        ck_assert_int_eq(parse_any(which, b.data, b.size), -EBADMSG);
}

START_TEST(values_have_limits) {
        static char large[WIRE_MEASURE_CONTENT_MAX + 1];
        WireMeasureRequest m = measure;
        WireEventLogAnswer a = log_answer;
        Blob none = {};

        refused(0, 2, 0);    /* NUL in the domain */
        refused(0, 1, 0x7f); /* its size */
        refused(1, 0, 2);    /* no such log */
        refused(1, 4, 0x7f); /* beyond every log */
        refused(2, 3, 0x7f); /* larger than every log */
        refused(3, 0, 4);    /* no such VMPL: 0xffffff04 */
        m.content = (WireText){ .text = large, .len = sizeof(large) };
        ck_assert_int_eq(wire_measure_request_encode(&m, &none), -E2BIG);
        m = measure;
        m.deadline_msec = 0;
        ck_assert_int_eq(wire_measure_request_encode(&m, &none), 0);
        ck_assert_int_eq(wire_measure_request_parse(none.data, none.size, &m, NULL), -EBADMSG);
        blob_done(&none);
        a.total = WIRE_EVENT_LOG_MAX + 1;
        ck_assert_int_eq(wire_event_log_answer_encode(&a, &none), -E2BIG);
        a.total = 4; /* less than the chunk */
        ck_assert_int_eq(wire_event_log_answer_encode(&a, &none), 0);
        ck_assert_int_eq(wire_event_log_answer_parse(none.data, none.size, &a, NULL), -EBADMSG);
        blob_done(&none);
}
END_TEST

int main(void) {
        Suite *s = suite_create("wire-measure");
        TCase *tc = tcase_create("bodies");

        tcase_add_test(tc, what_is_encoded_comes_back);
        tcase_add_loop_test(tc, every_truncation_is_rejected, 0, N_KINDS);
        tcase_add_loop_test(tc, every_bit_flip_is_survived, 0, N_KINDS);
        tcase_add_test(tc, values_have_limits);
        suite_add_tcase(s, tc);
        return unit_run(s);
}
