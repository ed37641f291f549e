/* SPDX-License-Identifier: Apache-2.0 */
/* Certified keys, judged. Real ones: tests/integration/test-vtpm-ak.c and test-recorded.c. */
#include <errno.h>
#include <string.h>

#include "base/writer.h"
#include "tests/unit/unit.h"
#include "tests/unit/vtpm/soft.h"
#include "vtpm/certify.h"

static SoftAk trusted, other;
static VtpmAkPublic *by;
static Blob public, attest, signature;
static VtpmCertify certify;

static void sign(void) {
        blob_done(&attest);
        blob_done(&signature);
        ck_assert_int_eq(vtpm_certify_encode(&certify, &attest), 0);
        signature = soft_sign(&trusted, attest.data, attest.size);
}

static void setup(void) {
        CLEANUP(vtpm_ak_public_freep) VtpmAkPublic *certified = NULL;
        const uint8_t *name;

        trusted = soft_ak_new(VTPM_ALG_ECDSA, VTPM_ALG_SHA256, VTPM_CURVE_NIST_P256);
        other = soft_ak_new(VTPM_ALG_ECDSA, VTPM_ALG_SHA384, VTPM_CURVE_NIST_P384);
        by = soft_ak_public(&trusted);
        certified = soft_ak_public(&other);
        public = soft_public(&other);
        certify = (VtpmCertify){ .signer_size = 34, .extra_size = SOFT_NONCE_SIZE, .firmware_version = 7,
                                 .clock = { .clock_msec = 1234, .reset_count = 5, .restart_count = 6, .safe = true },
                                 .qualified_name_size = 34 };
        (void) memcpy(certify.extra, soft_nonce, SOFT_NONCE_SIZE);
        name = vtpm_ak_public_name(certified, &certify.name_size);
        (void) memcpy(certify.name, name, certify.name_size);
        sign();
}

static void teardown(void) {
        soft_ak_done(&trusted);
        soft_ak_done(&other);
        vtpm_ak_public_freep(&by);
        blob_done(&public);
        blob_done(&attest);
        blob_done(&signature);
}

static int judge(VtpmBytes nonce, Error *e) {
        CLEANUP(vtpm_ak_public_freep) VtpmAkPublic *got = NULL;
        VtpmCertifyBytes what = { { attest.data, attest.size }, { signature.data, signature.size },
                                  { public.data, public.size } };
        int r = vtpm_certify_verify(by, &what, nonce, &got, e);

        ck_assert((r == 0) == (got != NULL));
        return r;
}

static const VtpmBytes asked = { soft_nonce, SOFT_NONCE_SIZE };

START_TEST(certified_key_is_returned) {
        ck_assert_int_eq(judge(asked, NULL), 0);
} END_TEST

START_TEST(another_nonce_is_stale) {
        Error e = {};

        ck_assert_int_eq(judge((VtpmBytes){ soft_nonce, SOFT_NONCE_SIZE - 1 }, &e), -ESTALE);
        ck_assert_str_eq(e.reason, "certify-nonce");
        certify.extra[0] ^= 1;
        sign();
        ck_assert_int_eq(judge(asked, NULL), -ESTALE);
        e = (Error){};
        ck_assert_int_eq(judge((VtpmBytes){}, &e), -EINVAL);
        ck_assert_str_eq(e.reason, "nonce-size");
} END_TEST

START_TEST(another_key_is_refused) {
        Error e = {};

        certify.name[10] ^= 1;
        sign();
        ck_assert_int_eq(judge(asked, &e), -EKEYREJECTED);
        ck_assert_str_eq(e.reason, "certify-other-key");
        certify.name_size = 34;
        sign();
        ck_assert_int_eq(judge(asked, NULL), -EKEYREJECTED);
} END_TEST

START_TEST(key_that_is_no_attestation_key_is_refused) {
        Error e = {};

        other.pub.attributes &= ~VTPM_OBJECT_RESTRICTED;
        blob_done(&public);
        public = soft_public(&other);
        ck_assert_int_eq(judge(asked, &e), -EKEYREJECTED);
        ck_assert_str_eq(e.reason, "ak-attributes");
} END_TEST

START_TEST(signature_must_hold) {
        attest.data[50] ^= 1;
        ck_assert_int_eq(judge(asked, NULL), -EKEYREJECTED);
        attest.data[50] ^= 1;
        signature.data[20] ^= 1;
        ck_assert_int_eq(judge(asked, NULL), -EKEYREJECTED);
        signature.size--;
        ck_assert_int_eq(judge(asked, NULL), -EBADMSG);
        signature.size++;
} END_TEST

START_TEST(quote_is_no_certification) {
        VtpmPcrValues pcrs = soft_pcrs(VTPM_ALG_SHA256, 1);
        VtpmAttest quote = soft_attest(&pcrs, 1, VTPM_ALG_SHA256);
        Error e = {};

        blob_done(&attest);
        blob_done(&signature);
        attest = soft_attest_bytes(&quote);
        signature = soft_sign(&trusted, attest.data, attest.size);
        ck_assert_int_eq(judge(asked, &e), -EPROTO);
        ck_assert_str_eq(e.reason, "attest-not-certify");
} END_TEST

START_TEST(form_is_judged_to_the_byte) {
        uint8_t large[VTPM_ATTEST_SIZE_MAX + 1] = {};
        VtpmCertify c;

        for (size_t n = 0; n < attest.size; n++)
                ck_assert_int_eq(vtpm_certify_parse(attest.data, n, &c, NULL), -EBADMSG);
        (void) memcpy(large, attest.data, attest.size);
        ck_assert_int_eq(vtpm_certify_parse(large, attest.size + 1, &c, NULL), -EBADMSG);
        ck_assert_int_eq(vtpm_certify_parse(large, sizeof(large), &c, NULL), -E2BIG);
        for (size_t bit = 0; bit < attest.size * 8; bit++) {
                AUTO_BLOB Blob again = {};

                attest.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
                if (vtpm_certify_parse(attest.data, attest.size, &c, NULL) == 0) {
                        ck_assert_uint_ge(bit, 48);
                        ck_assert_int_eq(vtpm_certify_encode(&c, &again), 0);
                        ck_assert(blob_equal(&attest, &again));
                }
                attest.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
        }
        large[0] = 0;
        ck_assert_int_eq(vtpm_certify_parse(large, attest.size, &c, NULL), -EBADMSG);
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("certify");
        TCase *tc = tcase_create("certify");

        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_add_test(tc, certified_key_is_returned);
        tcase_add_test(tc, another_nonce_is_stale);
        tcase_add_test(tc, another_key_is_refused);
        tcase_add_test(tc, key_that_is_no_attestation_key_is_refused);
        tcase_add_test(tc, signature_must_hold);
        tcase_add_test(tc, quote_is_no_certification);
        tcase_add_test(tc, form_is_judged_to_the_byte);
        suite_add_tcase(s, tc);
        return s;
}

int main(void) {
        return unit_run(suite());
}
