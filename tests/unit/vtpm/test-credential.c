/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials and their file. What a TPM makes of them: tests/integration/test-vtpm-credential.c. */
#include <errno.h>
#include <string.h>

#include "base/reader.h"
#include "base/writer.h"
#include "tests/unit/unit.h"
#include "tests/unit/vtpm/soft.h"
#include "vtpm/credential.h"
#include "vtpm/ek.h"

#define VALUE "thirty-two bytes that nobody saw"

static SoftAk ak, ek_key;
static Blob ak_public;
static VtpmPublic ek;

/* An endorsement key whose private part nobody needs here. */
static VtpmPublic ek_of(VtpmEkProfile profile) {
        AUTO_BLOB Blob t = {};
        VtpmPublic p;

        ck_assert_int_eq(vtpm_ek_template(profile, &t, NULL), 0);
        ck_assert_int_eq(vtpm_public_parse(t.data, t.size, &p, NULL), 0);
        ek_key = p.type == VTPM_ALG_RSA ? soft_ak_new(VTPM_ALG_RSASSA, VTPM_ALG_SHA256, 0)
                                        : soft_ak_new(VTPM_ALG_ECDSA, VTPM_ALG_SHA256, p.curve);
        p.modulus_size = ek_key.pub.modulus_size;
        p.x_size = ek_key.pub.x_size;
        p.y_size = ek_key.pub.y_size;
        (void) memcpy(p.modulus, ek_key.pub.modulus, sizeof(p.modulus));
        (void) memcpy(p.x, ek_key.pub.x, sizeof(p.x));
        (void) memcpy(p.y, ek_key.pub.y, sizeof(p.y));
        return p;
}

static void setup(void) {
        ak = soft_ak_new(VTPM_ALG_ECDSA, VTPM_ALG_SHA256, VTPM_CURVE_NIST_P256);
        ak_public = soft_public(&ak);
        ek = ek_of(VTPM_EK_ECC_P256);
}

static void teardown(void) {
        soft_ak_done(&ak);
        soft_ak_done(&ek_key);
        blob_done(&ak_public);
}

static int make(const VtpmPublic *to, const Blob *for_ak, const char *value, size_t size, VtpmCredential *ret, Error *e) {
        AUTO_SECRET Secret s = {};
        AUTO_BLOB Blob pub = {};

        ck_assert_int_eq(vtpm_public_encode(to, &pub), 0);
        ck_assert_int_eq(secret_alloc(size ? size : 1, &s, NULL), 0);
        (void) memcpy(s.bytes, value, size);
        secret_truncate(&s, size);
        return vtpm_credential_make(&pub, for_ak, &s, ret, e);
}

static VtpmCredential must_make(void) {
        VtpmCredential c = {};
        Error e = {};
        int r = make(&ek, &ak_public, VALUE, 32, &c, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        return c;
}

START_TEST(sizes_are_those_of_the_profile) {
        static const struct { size_t object, secret; } want[VTPM_N_EK_PROFILES] = {
                [VTPM_EK_RSA2048] = { 2 + 32 + 34, 256 },
                [VTPM_EK_ECC_P256] = { 2 + 32 + 34, 68 },
                [VTPM_EK_RSA2048_HIGH] = { 2 + 32 + 34, 256 },
                [VTPM_EK_ECC_P256_HIGH] = { 2 + 32 + 34, 68 },
                [VTPM_EK_ECC_P384] = { 2 + 48 + 34, 100 },
        };
        AUTO_VTPM_CREDENTIAL VtpmCredential c = {};
        Error e = {};
        int r;

        soft_ak_done(&ek_key);
        ek = ek_of((VtpmEkProfile) _i);
        r = make(&ek, &ak_public, VALUE, 32, &c, &e);
        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        ck_assert_uint_eq(c.id_object.size, want[_i].object);
        ck_assert_uint_eq(c.secret.size, want[_i].secret);
        ck_assert_ptr_null(memmem(c.id_object.data, c.id_object.size, VALUE, 8));
} END_TEST

START_TEST(no_two_credentials_are_alike) {
        AUTO_VTPM_CREDENTIAL VtpmCredential a = must_make(), b = must_make();

        ck_assert(!blob_equal(&a.id_object, &b.id_object));
        ck_assert(!blob_equal(&a.secret, &b.secret));
} END_TEST

static const struct {
        const char *why;
        uint32_t set, clear;
        uint16_t hash, bits, mode;
        int code;
        const char *reason;
} bad_eks[] = {
        { "signs", VTPM_OBJECT_SIGN, 0, VTPM_ALG_SHA256, 128, VTPM_ALG_CFB, -EKEYREJECTED, "ek-attributes" },
        { "unrestricted", 0, VTPM_OBJECT_RESTRICTED, VTPM_ALG_SHA256, 128, VTPM_ALG_CFB, -EKEYREJECTED, "ek-attributes" },
        { "does not decrypt", 0, VTPM_OBJECT_DECRYPT, VTPM_ALG_SHA256, 128, VTPM_ALG_CFB, -EKEYREJECTED,
          "ek-attributes" },
        { "may leave its TPM", 0, VTPM_OBJECT_FIXED_TPM, VTPM_ALG_SHA256, 128, VTPM_ALG_CFB, -EKEYREJECTED,
          "ek-attributes" },
        { "made elsewhere", 0, VTPM_OBJECT_SENSITIVE_DATA_ORIGIN, VTPM_ALG_SHA256, 128, VTPM_ALG_CFB, -EKEYREJECTED,
          "ek-attributes" },
        { "SHA-1", 0, 0, VTPM_ALG_SHA1, 128, VTPM_ALG_CFB, -EKEYREJECTED, "ek-attributes" },
        { "AES-192", 0, 0, VTPM_ALG_SHA256, 192, VTPM_ALG_CFB, -EKEYREJECTED, "ek-attributes" },
        { "CBC", 0, 0, VTPM_ALG_SHA256, 128, 0x0042, -EKEYREJECTED, "ek-attributes" },
};

START_TEST(no_credential_is_made_for_other_keys) {
        AUTO_VTPM_CREDENTIAL VtpmCredential c = {};
        Error e = {};

        ek.attributes = (ek.attributes | bad_eks[_i].set) & ~bad_eks[_i].clear;
        ek.name_alg = bad_eks[_i].hash;
        ek.symmetric_bits = bad_eks[_i].bits;
        ek.symmetric_mode = bad_eks[_i].mode;
        ck_assert_msg(make(&ek, &ak_public, VALUE, 32, &c, &e) == bad_eks[_i].code, "%s", bad_eks[_i].why);
        ck_assert_str_eq(e.reason, bad_eks[_i].reason);
        ck_assert_ptr_null(c.secret.data);
} END_TEST

START_TEST(point_off_the_curve_gets_nothing) {
        AUTO_VTPM_CREDENTIAL VtpmCredential c = {};

        ek.y[ek.y_size - 1] ^= 1;
        ck_assert_int_eq(make(&ek, &ak_public, VALUE, 32, &c, NULL), -EBADMSG);
} END_TEST

START_TEST(key_without_cipher_gets_nothing) {
        AUTO_VTPM_CREDENTIAL VtpmCredential c = {};
        Error e = {};

        ek.symmetric = VTPM_ALG_NULL;
        ck_assert_int_eq(make(&ek, &ak_public, VALUE, 32, &c, &e), -EKEYREJECTED);
        ck_assert_str_eq(e.reason, "ek-attributes");
} END_TEST

START_TEST(attestation_key_is_checked_first) {
        static const uint32_t flip[] = { VTPM_OBJECT_RESTRICTED, VTPM_OBJECT_SIGN, VTPM_OBJECT_FIXED_TPM,
                                         VTPM_OBJECT_SENSITIVE_DATA_ORIGIN, VTPM_OBJECT_DECRYPT };
        VtpmPublic good = ak.pub;

        for (size_t i = 0; i < N_ELEMENTS(flip); i++) {
                AUTO_VTPM_CREDENTIAL VtpmCredential c = {};
                AUTO_BLOB Blob pub = {};
                Error e = {};

                ak.pub = good;
                ak.pub.attributes ^= flip[i];
                pub = soft_public(&ak);
                ck_assert_int_eq(make(&ek, &pub, VALUE, 32, &c, &e), -EKEYREJECTED);
                ck_assert_str_eq(e.reason, "ak-attributes");
                ck_assert_ptr_null(c.secret.data);
        }
} END_TEST

START_TEST(malformed_keys_are_refused) {
        AUTO_VTPM_CREDENTIAL VtpmCredential c = {};
        AUTO_SECRET Secret s = {};
        AUTO_BLOB Blob pub = {};
        Blob cut;

        ck_assert_int_eq(vtpm_public_encode(&ek, &pub), 0);
        ck_assert_int_eq(secret_alloc(32, &s, NULL), 0);
        cut = pub;
        cut.size--;
        ck_assert_int_eq(vtpm_credential_make(&cut, &ak_public, &s, &c, NULL), -EBADMSG);
        cut = ak_public;
        cut.size--;
        ck_assert_int_eq(vtpm_credential_make(&pub, &cut, &s, &c, NULL), -EBADMSG);
} END_TEST

START_TEST(value_must_fit_the_key) {
        static const char value[49] = "far too many bytes for a key with a SHA-256 name";
        AUTO_VTPM_CREDENTIAL VtpmCredential c = {};
        Error e = {};

        ck_assert_int_eq(make(&ek, &ak_public, value, 33, &c, &e), -EINVAL);
        ck_assert_str_eq(e.reason, "credential-value");
        e = (Error){};
        ck_assert_int_eq(make(&ek, &ak_public, value, 0, &c, &e), -EINVAL);
        ck_assert_str_eq(e.reason, "credential-value");
        ck_assert_int_eq(make(&ek, &ak_public, value, 1, &c, NULL), 0);
} END_TEST

/* ---- the file ---- */

static Blob file_of(void) {
        AUTO_VTPM_CREDENTIAL VtpmCredential c = must_make();
        Blob b = {};

        ck_assert_int_eq(vtpm_credential_encode(&c, &b), 0);
        return b;
}

START_TEST(file_is_read_back) {
        AUTO_VTPM_CREDENTIAL VtpmCredential c = must_make(), again = {};
        AUTO_BLOB Blob b = {};

        ck_assert_int_eq(vtpm_credential_encode(&c, &b), 0);
        ck_assert_uint_eq(load_be32(b.data), 0xbadcc0de);
        ck_assert_uint_eq(load_be32(b.data + 4), 1);
        ck_assert_uint_eq(b.size, 8 + 2 + c.id_object.size + 2 + c.secret.size);
        ck_assert_int_eq(vtpm_credential_parse(b.data, b.size, &again, NULL), 0);
        ck_assert(blob_equal(&c.id_object, &again.id_object));
        ck_assert(blob_equal(&c.secret, &again.secret));
} END_TEST

START_TEST(truncated_file_is_refused) {
        AUTO_BLOB Blob b = file_of();
        VtpmCredential c;

        for (size_t n = 0; n < b.size; n++)
                ck_assert_int_eq(vtpm_credential_parse(b.data, n, &c, NULL), -EBADMSG);
} END_TEST

START_TEST(trailing_bytes_are_refused) {
        uint8_t data[VTPM_CREDENTIAL_FILE_MAX + 1] = {};
        AUTO_BLOB Blob b = file_of();
        VtpmCredential c;
        Error e = {};

        (void) memcpy(data, b.data, b.size);
        ck_assert_int_eq(vtpm_credential_parse(data, b.size + 1, &c, NULL), -EBADMSG);
        ck_assert_int_eq(vtpm_credential_parse(data, sizeof(data), &c, &e), -E2BIG);
        ck_assert_str_eq(e.reason, "credential-too-large");
} END_TEST

START_TEST(flipped_bits_are_refused_or_survive_a_round_trip) {
        AUTO_BLOB Blob b = file_of();

        for (size_t bit = 0; bit < b.size * 8; bit++) {
                AUTO_VTPM_CREDENTIAL VtpmCredential c = {};
                AUTO_BLOB Blob again = {};

                b.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
                if (vtpm_credential_parse(b.data, b.size, &c, NULL) == 0) {
                        ck_assert_uint_ge(bit, 8 * 10); /* not in magic, version or the size in front */
                        ck_assert_int_eq(vtpm_credential_encode(&c, &again), 0);
                        ck_assert(blob_equal(&b, &again));
                }
                b.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
        }
} END_TEST

START_TEST(version_is_told) {
        AUTO_BLOB Blob b = file_of();
        VtpmCredential c;
        Error e = {};

        store_be32(b.data + 4, 2);
        ck_assert_int_eq(vtpm_credential_parse(b.data, b.size, &c, &e), -EOPNOTSUPP);
        ck_assert_str_eq(e.reason, "credential-version");
} END_TEST

static const struct {
        const char *why;
        size_t hmac, value, secret;
        int want;
} shapes[] = {
        { "smallest", 32, 3, 1, 0 },
        { "largest", 64, 66, 512, 0 },
        { "no value", 32, 2, 68, -EBADMSG },
        { "value too large", 32, 67, 68, -EBADMSG },
        { "HMAC of SHA-1", 20, 34, 68, -EBADMSG },
        { "no HMAC", 0, 34, 68, -EBADMSG },
        { "no secret", 32, 34, 0, -EBADMSG },
        { "secret too large", 32, 34, 513, -EBADMSG },
};

START_TEST(sizes_inside_are_checked) {
        AUTO_WRITER Writer w = wr_init(4096);
        AUTO_VTPM_CREDENTIAL VtpmCredential c = {};
        int r;

        wr_be32(&w, 0xbadcc0de);
        wr_be32(&w, 1);
        wr_be16(&w, (uint16_t) (2 + shapes[_i].hmac + shapes[_i].value));
        wr_be16(&w, (uint16_t) shapes[_i].hmac);
        wr_zeros(&w, shapes[_i].hmac + shapes[_i].value);
        wr_be16(&w, (uint16_t) shapes[_i].secret);
        wr_zeros(&w, shapes[_i].secret);
        r = vtpm_credential_parse(w.data, w.size, &c, NULL);
        ck_assert_msg(r == shapes[_i].want, "%s: %d", shapes[_i].why, r);
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("credential");
        TCase *tc = tcase_create("credential");

        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_add_loop_test(tc, sizes_are_those_of_the_profile, 0, VTPM_N_EK_PROFILES);
        tcase_add_test(tc, no_two_credentials_are_alike);
        tcase_add_loop_test(tc, no_credential_is_made_for_other_keys, 0, N_ELEMENTS(bad_eks));
        tcase_add_test(tc, point_off_the_curve_gets_nothing);
        tcase_add_test(tc, key_without_cipher_gets_nothing);
        tcase_add_test(tc, attestation_key_is_checked_first);
        tcase_add_test(tc, malformed_keys_are_refused);
        tcase_add_test(tc, value_must_fit_the_key);
        tcase_add_test(tc, file_is_read_back);
        tcase_add_test(tc, truncated_file_is_refused);
        tcase_add_test(tc, trailing_bytes_are_refused);
        tcase_add_test(tc, flipped_bits_are_refused_or_survive_a_round_trip);
        tcase_add_test(tc, version_is_told);
        tcase_add_loop_test(tc, sizes_inside_are_checked, 0, N_ELEMENTS(shapes));
        suite_add_tcase(s, tc);
        return s;
}

int main(void) {
        return unit_run(suite());
}
