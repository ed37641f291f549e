/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates cut out of what surrounds them in an NV index. */
#include <errno.h>
#include <string.h>

#include <openssl/x509.h>

#include "tests/unit/unit.h"
#include "tests/unit/vtpm/soft.h"
#include "vtpm/nv-cert.h"

#define PADDING 100

static SoftAk key, other;
static Blob public, cert;

static void setup(void) {
        X509 *x = X509_new();
        unsigned char *der = NULL;
        int n;

        key = soft_ak_new(VTPM_ALG_ECDSA, VTPM_ALG_SHA256, VTPM_CURVE_NIST_P256);
        other = soft_ak_new(VTPM_ALG_ECDSA, VTPM_ALG_SHA256, VTPM_CURVE_NIST_P256);
        public = soft_public(&key);
        ck_assert_ptr_nonnull(X509_gmtime_adj(X509_getm_notBefore(x), 0));
        ck_assert_ptr_nonnull(X509_gmtime_adj(X509_getm_notAfter(x), 3600));
        ck_assert_int_eq(X509_set_pubkey(x, key.key), 1);
        ck_assert_int_gt(X509_sign(x, key.key, EVP_sha256()), 0);
        n = i2d_X509(x, &der);
        ck_assert_int_gt(n, 0);
        ck_assert_int_eq(blob_dup(der, (size_t) n, &cert), 0);
        OPENSSL_free(der);
        X509_free(x);
}

static void teardown(void) {
        soft_ak_done(&key);
        soft_ak_done(&other);
        blob_done(&public);
        blob_done(&cert);
}

/* The certificate and @n bytes of padding. */
static Blob padded(size_t n, uint8_t with) {
        Blob b = { .data = malloc(cert.size + n), .size = cert.size + n };

        ck_assert_ptr_nonnull(b.data);
        (void) memcpy(b.data, cert.data, cert.size);
        (void) memset(b.data + cert.size, with, n);
        return b;
}

START_TEST(padding_is_cut_off) {
        static const uint8_t with[] = { 0x00, 0xff, 0x30 };

        for (size_t i = 0; i < N_ELEMENTS(with); i++) {
                AUTO_BLOB Blob all = padded(PADDING, with[i]), ret = {};

                ck_assert_int_eq(vtpm_nv_cert_cut(all.data, all.size, &public, &ret, NULL), 0);
                ck_assert(blob_equal(&ret, &cert));
        }
} END_TEST

START_TEST(certificate_alone_is_taken_for_any_key) {
        AUTO_BLOB Blob ret = {};

        ck_assert_int_eq(vtpm_nv_cert_cut(cert.data, cert.size, NULL, &ret, NULL), 0);
        ck_assert(blob_equal(&ret, &cert));
} END_TEST

START_TEST(certificate_of_another_key_is_refused) {
        AUTO_BLOB Blob wrong = soft_public(&other), ret = {};
        SoftAk rsa = soft_ak_new(VTPM_ALG_RSASSA, VTPM_ALG_SHA256, 0);
        AUTO_BLOB Blob of_other_kind = soft_public(&rsa);
        Error e = {};

        ck_assert_int_eq(vtpm_nv_cert_cut(cert.data, cert.size, &wrong, &ret, &e), -EBADMSG);
        ck_assert_str_eq(e.reason, "nv-cert-key");
        e = (Error){};
        ck_assert_int_eq(vtpm_nv_cert_cut(cert.data, cert.size, &of_other_kind, &ret, &e), -EBADMSG);
        ck_assert_str_eq(e.reason, "nv-cert-key");
        ck_assert_ptr_null(ret.data);
        soft_ak_done(&rsa);
} END_TEST

START_TEST(key_that_is_none_is_refused) {
        AUTO_BLOB Blob ret = {};
        Blob broken = public;

        broken.size--;
        ck_assert_int_eq(vtpm_nv_cert_cut(cert.data, cert.size, &broken, &ret, NULL), -EBADMSG);
        public.data[public.size - 1] ^= 1; /* off the curve */
        ck_assert_int_eq(vtpm_nv_cert_cut(cert.data, cert.size, &public, &ret, NULL), -EBADMSG);
} END_TEST

START_TEST(truncated_certificate_is_refused) {
        AUTO_BLOB Blob ret = {};

        for (size_t n = 0; n < cert.size; n++)
                ck_assert_int_eq(vtpm_nv_cert_cut(cert.data, n, NULL, &ret, NULL), -EBADMSG);
        ck_assert_ptr_null(ret.data);
} END_TEST

/* What is returned is always a whole certificate that begins where the input does. */
START_TEST(flipped_bits_do_no_harm) {
        AUTO_BLOB Blob all = padded(PADDING, 0);

        for (size_t bit = 0; bit < cert.size * 8; bit++) {
                AUTO_BLOB Blob ret = {};

                all.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
                if (vtpm_nv_cert_cut(all.data, all.size, NULL, &ret, NULL) == 0) {
                        ck_assert_uint_le(ret.size, all.size);
                        ck_assert_mem_eq(ret.data, all.data, ret.size);
                }
                all.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
        }
} END_TEST

static const struct {
        const char *why;
        uint8_t bytes[8];
} not_certificates[] = {
        { "zeros", { 0 } },
        { "erased", { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
        { "short form", { 0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01 } },
        { "one octet of length", { 0x30, 0x81, 0x05, 0x02, 0x01, 0x01, 0x02, 0x01 } },
        { "two octets of length", { 0x30, 0x82, 0x00, 0x04, 0x02, 0x01, 0x01, 0x02 } },
        { "three octets of length", { 0x30, 0x83, 0x00, 0x00, 0x03, 0x02, 0x01, 0x01 } },
        { "indefinite length", { 0x30, 0x80, 0x02, 0x01, 0x01, 0x00, 0x00, 0x00 } },
        { "a length of 4 GiB", { 0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00 } },
        { "another tag", { 0x31, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01 } },
};

START_TEST(anything_else_is_refused) {
        AUTO_BLOB Blob ret = {};
        int r = vtpm_nv_cert_cut(not_certificates[_i].bytes, 8, NULL, &ret, NULL);

        ck_assert_msg(r == -EBADMSG, "%s: %d", not_certificates[_i].why, r);
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("nv-cert");
        TCase *tc = tcase_create("nv-cert");

        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_add_test(tc, padding_is_cut_off);
        tcase_add_test(tc, certificate_alone_is_taken_for_any_key);
        tcase_add_test(tc, certificate_of_another_key_is_refused);
        tcase_add_test(tc, key_that_is_none_is_refused);
        tcase_add_test(tc, truncated_certificate_is_refused);
        tcase_add_test(tc, flipped_bits_do_no_harm);
        tcase_add_loop_test(tc, anything_else_is_refused, 0, N_ELEMENTS(not_certificates));
        suite_add_tcase(s, tc);
        return s;
}

int main(void) {
        return unit_run(suite());
}
