/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "agent/wire/bodies-service.h"
#include "agent/wire/bodies.h"
#include "base/writer.h"
#include "tests/unit/unit.h"

#define SHA256_BANK 0x000b

static WireBytes bytes_of(const void *p, size_t n) {
        return (WireBytes){ .data = p, .size = n };
}

static WireText text_of(const char *s) {
        return (WireText){ .text = s, .len = strlen(s) };
}

static WireReportRequest report_request(void) {
        WireReportRequest q = { .vmpl = 2, .deadline_msec = 1500 };

        for (size_t i = 0; i < sizeof(q.report_data); i++)
                q.report_data[i] = (uint8_t) (i + 1);
        return q;
}

static WireQuoteRequest quote_request(void) {
        return (WireQuoteRequest){
                .nonce = { 0xaa, 0xbb, 0xcc }, .nonce_size = 3, .pcr_mask = 0x800001, .bank = SHA256_BANK,
                .deadline_msec = 2000,
        };
}

START_TEST(report_request_has_the_documented_layout) {
        WireReportRequest q = report_request(), back;
        AUTO_BLOB Blob b = {};

        ck_assert_int_eq(wire_report_request_encode(&q, &b), 0);
        ck_assert_uint_eq(b.size, 72);
        ck_assert_uint_eq(b.data[0], 1);
        ck_assert_uint_eq(b.data[63], 64);
        ck_assert_mem_eq(b.data + 64, "\x02\0\0\0\xdc\x05\0\0", 8);
        ck_assert_int_eq(wire_report_request_parse(b.data, b.size, &back, NULL), 0);
        ck_assert_mem_eq(back.report_data, q.report_data, 64);
        ck_assert_uint_eq(back.vmpl, 2);
        ck_assert_uint_eq(back.deadline_msec, 1500);
}
END_TEST

static const struct {
        const char *why;
        uint32_t vmpl, msec;
        int want;
} report_fields[] = {
        { "VMPL 0", 0, 1, 0 },
        { "VMPL 3", 3, 1, 0 },
        { "VMPL left to the kernel", WIRE_VMPL_AUTO, 1, 0 },
        { "VMPL 4", 4, 1, -EBADMSG },
        { "VMPL -2", UINT32_MAX - 1, 1, -EBADMSG },
        { "no time at all", 0, 0, -EBADMSG },
        { "longest wait", 0, WIRE_DEADLINE_MSEC_MAX, 0 },
        { "longer", 0, WIRE_DEADLINE_MSEC_MAX + 1, -EBADMSG },
};

START_TEST(report_request_fields_have_limits) {
        WireReportRequest q = report_request(), back;
        AUTO_BLOB Blob b = {};
        int r;

        q.vmpl = report_fields[_i].vmpl;
        q.deadline_msec = report_fields[_i].msec;
        ck_assert_int_eq(wire_report_request_encode(&q, &b), 0);
        r = wire_report_request_parse(b.data, b.size, &back, NULL);
        ck_assert_msg(r == report_fields[_i].want, "%s: %d", report_fields[_i].why, r);
}
END_TEST

static WireServiceRequest service_request(void) {
        return (WireServiceRequest){ .nonce = { 1, [63] = 64 }, .service = { 0xc4, [15] = 0xe3 }, .manifest_version = 1,
                                     .deadline_msec = 1500 };
}

START_TEST(service_request_has_the_documented_layout) {
        WireServiceRequest q = service_request(), back;
        AUTO_BLOB Blob b = {};
        AUTO_BLOB Blob bad = {};
        Error e = {};

        ck_assert_int_eq(wire_service_request_encode(&q, &b), 0);
        ck_assert_uint_eq(b.size, WIRE_SERVICE_REQUEST_SIZE);
        ck_assert_uint_eq(b.size, 88);
        ck_assert_uint_eq(b.data[63], 64);
        ck_assert_uint_eq(b.data[64], 0xc4);
        ck_assert_uint_eq(b.data[79], 0xe3);
        ck_assert_mem_eq(b.data + 80, "\x01\0\0\0\xdc\x05\0\0", 8);
        ck_assert_int_eq(wire_service_request_parse(b.data, b.size, &back, NULL), 0);
        ck_assert_mem_eq(&back, &q, sizeof(q));
        q.deadline_msec = 0;
        ck_assert_int_eq(wire_service_request_encode(&q, &bad), 0);
        ck_assert_int_eq(wire_service_request_parse(bad.data, bad.size, &back, &e), -EBADMSG);
        ck_assert_str_eq(e.reason, "wire-field");
        blob_done(&bad);
        q.deadline_msec = WIRE_DEADLINE_MSEC_MAX + 1;
        ck_assert_int_eq(wire_service_request_encode(&q, &bad), 0);
        ck_assert_int_eq(wire_service_request_parse(bad.data, bad.size, &back, NULL), -EBADMSG);
}
END_TEST

START_TEST(service_answer_is_report_manifest_certificates) {
        static const uint8_t large[WIRE_MANIFEST_MAX + 1];
        uint8_t report[WIRE_SNP_REPORT_SIZE];
        WireServiceAnswer a = {}, back;
        AUTO_BLOB Blob b = {};

        (void) memset(report, 7, sizeof(report));
        a.report = bytes_of(report, sizeof(report));
        a.manifest = bytes_of("manifest", 8);
        a.certs = bytes_of("certs", 5);
        ck_assert_int_eq(wire_service_answer_encode(&a, &b), 0);
        ck_assert_uint_eq(b.size, 1184 + 4 + 8 + 5);
        ck_assert_mem_eq(b.data + 1184, "\x08\0\0\0manifestcerts", 17);
        ck_assert_int_eq(wire_service_answer_parse(b.data, b.size, &back, NULL), 0);
        ck_assert_mem_eq(back.manifest.data, "manifest", 8);
        ck_assert_uint_eq(back.certs.size, 5);
        ck_assert_mem_eq(back.certs.data, "certs", 5);
        for (size_t n = 0; n <= b.size; n++)
                ck_assert_msg(wire_service_answer_parse(b.data, n, &back, NULL) == (n >= 1196 ? 0 : -EBADMSG), "%zu", n);
        b.data[1186] = 1; /* 64 KiB */
        ck_assert_int_eq(wire_service_answer_parse(b.data, b.size, &back, NULL), -EBADMSG);
        a.manifest = bytes_of(large, sizeof(large));
        ck_assert_int_eq(wire_service_answer_encode(&a, &b), -E2BIG);
        a.manifest.size--;
        blob_done(&b);
        ck_assert_int_eq(wire_service_answer_encode(&a, &b), 0);
        a.report.size--;
        ck_assert_int_eq(wire_service_answer_encode(&a, &b), -EINVAL);
}
END_TEST

START_TEST(report_answer_is_report_then_certificates) {
        uint8_t report[WIRE_SNP_REPORT_SIZE];
        WireReportAnswer a = {}, back;
        AUTO_BLOB Blob b = {};

        (void) memset(report, 7, sizeof(report));
        a.report = bytes_of(report, sizeof(report));
        a.certs = bytes_of("certs", 5);
        ck_assert_int_eq(wire_report_answer_encode(&a, &b), 0);
        ck_assert_uint_eq(b.size, 1184 + 5);
        ck_assert_int_eq(wire_report_answer_parse(b.data, b.size, &back, NULL), 0);
        ck_assert_mem_eq(back.report.data, report, sizeof(report));
        ck_assert_uint_eq(back.certs.size, 5);
        ck_assert_mem_eq(back.certs.data, "certs", 5);
        ck_assert_int_eq(wire_report_answer_parse(b.data, 1184, &back, NULL), 0);
        ck_assert_uint_eq(back.certs.size, 0);
        ck_assert_int_eq(wire_report_answer_parse(b.data, 1183, &back, NULL), -EBADMSG);
        a.report.size--;
        ck_assert_int_eq(wire_report_answer_encode(&a, &b), -EINVAL);
}
END_TEST

START_TEST(quote_request_has_the_documented_layout) {
        static const uint8_t want[] = { 3, 0, 0xaa, 0xbb, 0xcc, 1, 0, 0x80, 0, 0x0b, 0, 0xd0, 7, 0, 0 };
        WireQuoteRequest q = quote_request(), back;
        AUTO_BLOB Blob b = {};

        ck_assert_int_eq(wire_quote_request_encode(&q, &b), 0);
        ck_assert_uint_eq(b.size, sizeof(want));
        ck_assert_mem_eq(b.data, want, sizeof(want));
        ck_assert_int_eq(wire_quote_request_parse(b.data, b.size, &back, NULL), 0);
        ck_assert_uint_eq(back.nonce_size, 3);
        ck_assert_mem_eq(back.nonce, q.nonce, 3);
        ck_assert_uint_eq(back.pcr_mask, 0x800001);
        ck_assert_uint_eq(back.bank, SHA256_BANK);
        ck_assert_uint_eq(back.deadline_msec, 2000);
}
END_TEST

static const struct {
        const char *why;
        size_t nonce;
        uint32_t mask;
        uint16_t bank;
        uint32_t msec;
        int want;
} quote_fields[] = {
        { "empty nonce", 0, 1, SHA256_BANK, 1, -EBADMSG },
        { "largest nonce", 64, 1, SHA256_BANK, 1, 0 },
        { "no PCR", 1, 0, SHA256_BANK, 1, -EBADMSG },
        { "all PCRs", 1, 0xffffff, SHA256_BANK, 1, 0 },
        { "PCR 24", 1, 0x1000000, SHA256_BANK, 1, -EBADMSG },
        { "SHA-1", 1, 1, 0x0004, 1, 0 },
        { "no bank", 1, 1, 0, 1, -EBADMSG },
        { "SM3", 1, 1, 0x0012, 1, -EBADMSG },
        { "no time", 1, 1, SHA256_BANK, 0, -EBADMSG },
        { "too long", 1, 1, SHA256_BANK, WIRE_DEADLINE_MSEC_MAX + 1, -EBADMSG },
};

START_TEST(quote_request_fields_have_limits) {
        WireQuoteRequest q = quote_request(), back;
        AUTO_BLOB Blob b = {};
        int r;

        q.nonce_size = quote_fields[_i].nonce;
        q.pcr_mask = quote_fields[_i].mask;
        q.bank = quote_fields[_i].bank;
        q.deadline_msec = quote_fields[_i].msec;
        ck_assert_int_eq(wire_quote_request_encode(&q, &b), 0);
        r = wire_quote_request_parse(b.data, b.size, &back, NULL);
        ck_assert_msg(r == quote_fields[_i].want, "%s: %d", quote_fields[_i].why, r);
}
END_TEST

static Blob quote_answer(size_t n_digests) {
        static uint8_t digest[32] = { 9 };
        WireQuoteAnswer a = {
                .attest = bytes_of("attest", 6), .signature = bytes_of("sig", 3), .ak_public = bytes_of("ak", 2),
                .n_digests = n_digests,
        };
        Blob b = {};

        for (size_t i = 0; i < n_digests; i++)
                a.digests[i] = bytes_of(digest, sizeof(digest));
        ck_assert_int_eq(wire_quote_answer_encode(&a, &b), 0);
        return b;
}

START_TEST(quote_answer_comes_back_field_by_field) {
        AUTO_BLOB Blob b = quote_answer(2);
        WireQuoteAnswer back;

        ck_assert_uint_eq(b.size, 2 + 6 + 2 + 3 + 2 + 2 + 1 + 64);
        ck_assert_int_eq(wire_quote_answer_parse(b.data, b.size, SHA256_BANK, &back, NULL), 0);
        ck_assert_uint_eq(back.attest.size, 6);
        ck_assert_mem_eq(back.attest.data, "attest", 6);
        ck_assert_mem_eq(back.signature.data, "sig", 3);
        ck_assert_mem_eq(back.ak_public.data, "ak", 2);
        ck_assert_uint_eq(back.n_digests, 2);
        ck_assert_uint_eq(back.digests[1].size, 32);
        ck_assert_uint_eq(back.digests[1].data[0], 9);
        /* Digests of another size leave bytes over, or run out of them. */
        ck_assert_int_eq(wire_quote_answer_parse(b.data, b.size, 0x0004, &back, NULL), -EBADMSG);
        ck_assert_int_eq(wire_quote_answer_parse(b.data, b.size, 0x000c, &back, NULL), -EBADMSG);
        ck_assert_int_eq(wire_quote_answer_parse(b.data, b.size, 0xffff, &back, NULL), -EBADMSG);
}
END_TEST

START_TEST(quote_answer_with_25_digests_is_rejected) {
        AUTO_BLOB Blob b = quote_answer(24);
        WireQuoteAnswer back;

        ck_assert_int_eq(wire_quote_answer_parse(b.data, b.size, SHA256_BANK, &back, NULL), 0);
        b.data[2 + 6 + 2 + 3 + 2 + 2] = 25;
        ck_assert_int_eq(wire_quote_answer_parse(b.data, b.size, SHA256_BANK, &back, NULL), -EBADMSG);
}
END_TEST

static Blob volume_request(void) {
        WireVolumeRequest q = {
                .uuid = text_of("1ab0b1c4-0d4a-4a3f-9f3e-0f7f5f9f2b11"),
                .device = text_of("/dev/vda2"),
                .token = text_of("{\"type\":\"snp-agent\"}"),
                .cipher = text_of("aes-xts-plain64"),
        };
        Blob b = {};

        ck_assert_int_eq(wire_volume_request_encode(&q, &b), 0);
        return b;
}

START_TEST(volume_request_comes_back_field_by_field) {
        AUTO_BLOB Blob b = volume_request();
        WireVolumeRequest q;

        ck_assert_int_eq(wire_volume_request_parse(b.data, b.size, &q, NULL), 0);
        ck_assert_uint_eq(q.uuid.len, 36);
        ck_assert_mem_eq(q.uuid.text, "1ab0b1c4-", 9);
        ck_assert_uint_eq(q.device.len, 9);
        ck_assert_mem_eq(q.device.text, "/dev/vda2", 9);
        ck_assert_mem_eq(q.token.text, "{\"type\":\"snp-agent\"}", 20);
        ck_assert_mem_eq(q.cipher.text, "aes-xts-plain64", 15);
}
END_TEST

START_TEST(volume_request_with_a_nul_inside_is_rejected) {
        AUTO_BLOB Blob b = volume_request();
        WireVolumeRequest q;

        b.data[10] = 0;
        ck_assert_int_eq(wire_volume_request_parse(b.data, b.size, &q, NULL), -EBADMSG);
}
END_TEST

START_TEST(volume_request_over_a_limit_is_neither_encoded_nor_parsed) {
        char big[WIRE_TOKEN_MAX + 2];
        WireVolumeRequest q = { .uuid = text_of("u"), .device = text_of("d"), .cipher = text_of("c") }, back;
        AUTO_WRITER Writer w = wr_init(WIRE_BODY_MAX);
        AUTO_BLOB Blob b = {};

        (void) memset(big, 'x', sizeof(big) - 1);
        big[sizeof(big) - 1] = 0;
        q.token = text_of(big);
        ck_assert_int_eq(wire_volume_request_encode(&q, &b), -E2BIG);
        wr_bytes(&w, "\1\0u\1\0d", 6);
        wr_le16(&w, WIRE_TOKEN_MAX + 1);
        wr_bytes(&w, big, WIRE_TOKEN_MAX + 1);
        wr_bytes(&w, "\1\0c", 3);
        ck_assert_int_eq(wr_finish(&w, &b), 0);
        ck_assert_int_eq(wire_volume_request_parse(b.data, b.size, &back, NULL), -EBADMSG);
}
END_TEST

static int parse_any(int which, const void *p, size_t n) {
        WireReportRequest report;
        WireQuoteRequest quote;
        WireQuoteAnswer answer;
        WireVolumeRequest volume;
        WireServiceRequest service;

        switch (which) {
        case 0:
                return wire_report_request_parse(p, n, &report, NULL);
        case 1:
                return wire_quote_request_parse(p, n, &quote, NULL);
        case 2:
                return wire_quote_answer_parse(p, n, SHA256_BANK, &answer, NULL);
        case 3:
                return wire_service_request_parse(p, n, &service, NULL);
        default:
                return wire_volume_request_parse(p, n, &volume, NULL);
        }
}

static Blob encode_any(int which) {
        WireReportRequest report = report_request();
        WireQuoteRequest quote = quote_request();
        WireServiceRequest service = service_request();
        Blob b = {};

        switch (which) {
        case 0:
                ck_assert_int_eq(wire_report_request_encode(&report, &b), 0);
                return b;
        case 1:
                ck_assert_int_eq(wire_quote_request_encode(&quote, &b), 0);
                return b;
        case 2:
                return quote_answer(3);
        case 3:
                ck_assert_int_eq(wire_service_request_encode(&service, &b), 0);
                return b;
        default:
                return volume_request();
        }
}

START_TEST(every_truncation_and_one_byte_more_are_rejected) {
        AUTO_BLOB Blob b = encode_any(_i);
        AUTO_FREE uint8_t *longer = calloc(1, b.size + 1);

        (void) memcpy(longer, b.data, b.size);
        for (size_t n = 0; n <= b.size + 1; n++)
                ck_assert_msg(parse_any(_i, longer, n) == (n == b.size ? 0 : -EBADMSG), "%zu of %zu", n, b.size);
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

int main(void) {
        Suite *s = suite_create("wire-bodies");
        TCase *tc = tcase_create("bodies");

        tcase_add_test(tc, report_request_has_the_documented_layout);
        tcase_add_loop_test(tc, report_request_fields_have_limits, 0, (int) N_ELEMENTS(report_fields));
        tcase_add_test(tc, service_request_has_the_documented_layout);
        tcase_add_test(tc, service_answer_is_report_manifest_certificates);
        tcase_add_test(tc, report_answer_is_report_then_certificates);
        tcase_add_test(tc, quote_request_has_the_documented_layout);
        tcase_add_loop_test(tc, quote_request_fields_have_limits, 0, (int) N_ELEMENTS(quote_fields));
        tcase_add_test(tc, quote_answer_comes_back_field_by_field);
        tcase_add_test(tc, quote_answer_with_25_digests_is_rejected);
        tcase_add_test(tc, volume_request_comes_back_field_by_field);
        tcase_add_test(tc, volume_request_with_a_nul_inside_is_rejected);
        tcase_add_test(tc, volume_request_over_a_limit_is_neither_encoded_nor_parsed);
        tcase_add_loop_test(tc, every_truncation_and_one_byte_more_are_rejected, 0, 5);
        tcase_add_loop_test(tc, every_bit_flip_is_survived, 0, 5);
        suite_add_tcase(s, tc);
        return unit_run(s);
}
