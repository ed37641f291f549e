/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "agent/wire/bodies-azure.h"
#include "tests/unit/unit.h"

#define SHA256_BANK 0x000b

static uint8_t large[WIRE_NV_MAX + 1];

static WireBytes bytes_of(const void *p, size_t n) {
        return (WireBytes){ .data = p, .size = n };
}

static WireAzureAnswer small_answer(void) {
        return (WireAzureAnswer){
                .hcl = bytes_of("HCLA", 4),
                .ak_cert = bytes_of("\x30\x00", 2),
                .quote = { .attest = bytes_of("att", 3), .signature = bytes_of("sig", 3), .ak_public = bytes_of("ak", 2),
                           .n_digests = 1, .digests = { bytes_of("0123456789abcdef0123456789abcdef", 32) } },
        };
}

START_TEST(answer_has_the_documented_layout_and_comes_back) {
        WireAzureAnswer a = small_answer(), back;
        AUTO_BLOB Blob b = {};

        ck_assert_int_eq(wire_azure_answer_encode(&a, &b), 0);
        ck_assert_mem_eq(b.data, "\4\0HCLA\2\0\x30\0\3\0att\3\0sig\2\0ak\1", 25);
        ck_assert_uint_eq(b.size, 25 + 32);
        ck_assert_int_eq(wire_azure_answer_parse(b.data, b.size, SHA256_BANK, &back, NULL), 0);
        ck_assert_uint_eq(back.hcl.size, 4);
        ck_assert_mem_eq(back.hcl.data, "HCLA", 4);
        ck_assert_uint_eq(back.ak_cert.size, 2);
        ck_assert_uint_eq(back.quote.n_digests, 1);
}
END_TEST

START_TEST(certificate_may_be_missing) {
        WireAzureAnswer a = small_answer(), back;
        AUTO_BLOB Blob b = {};

        a.ak_cert = (WireBytes){};
        ck_assert_int_eq(wire_azure_answer_encode(&a, &b), 0);
        ck_assert_int_eq(wire_azure_answer_parse(b.data, b.size, SHA256_BANK, &back, NULL), 0);
        ck_assert_uint_eq(back.ak_cert.size, 0);
}
END_TEST

START_TEST(every_truncation_and_every_longer_answer_is_refused) {
        WireAzureAnswer a = small_answer(), back;
        uint8_t longer[128] = {};
        AUTO_BLOB Blob b = {};

        ck_assert_int_eq(wire_azure_answer_encode(&a, &b), 0);
        (void) memcpy(longer, b.data, b.size);
        for (size_t n = 0; n < sizeof(longer); n++)
                if (n != b.size)
                        ck_assert_int_eq(wire_azure_answer_parse(longer, n, SHA256_BANK, &back, NULL), -EBADMSG);
}
END_TEST

START_TEST(content_of_an_index_has_a_limit) {
        WireAzureAnswer a = small_answer(), back;
        AUTO_BLOB Blob most = {}, more = {};

        a.hcl = bytes_of(large, WIRE_NV_MAX);
        a.ak_cert = bytes_of(large, WIRE_NV_MAX);
        ck_assert_int_eq(wire_azure_answer_encode(&a, &most), 0);
        ck_assert_int_eq(wire_azure_answer_parse(most.data, most.size, SHA256_BANK, &back, NULL), 0);
        most.data[0]++; /* one byte more is said than may be */
        ck_assert_int_eq(wire_azure_answer_parse(most.data, most.size, SHA256_BANK, &back, NULL), -EBADMSG);
        a.hcl.size++;
        ck_assert_int_eq(wire_azure_answer_encode(&a, &more), -E2BIG);
        a = small_answer();
        a.quote.n_digests = WIRE_PCRS + 1;
        ck_assert_int_eq(wire_azure_answer_encode(&a, &more), -E2BIG);
}
END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("wire-azure");
        TCase *tc = tcase_create("bodies");

        tcase_add_test(tc, answer_has_the_documented_layout_and_comes_back);
        tcase_add_test(tc, certificate_may_be_missing);
        tcase_add_test(tc, every_truncation_and_every_longer_answer_is_refused);
        tcase_add_test(tc, content_of_an_index_has_a_limit);
        suite_add_tcase(s, tc);
        return s;
}

int main(void) {
        return unit_run(suite());
}
