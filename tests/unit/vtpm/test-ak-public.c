/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include <openssl/rsa.h>

#include "tests/unit/unit.h"
#include "tests/unit/vtpm/soft.h"
#include "vtpm/ak_public.h"

static const char message[] = "what the TPM said";

static SoftAk ecc_ak(void) {
        return soft_ak_new(VTPM_ALG_ECDSA, VTPM_ALG_SHA256, VTPM_CURVE_NIST_P256);
}

static int make(const SoftAk *ak, Error *e) {
        CLEANUP(vtpm_ak_public_freep) VtpmAkPublic *made = NULL;
        AUTO_BLOB Blob pub = soft_public(ak);

        return vtpm_ak_public_new(pub.data, pub.size, &made, e);
}

START_TEST(attestation_key_is_accepted) {
        AUTO_SOFT_AK SoftAk ak = ecc_ak();

        ck_assert_int_eq(make(&ak, NULL), 0);
        ak.pub.attributes &= ~VTPM_OBJECT_NO_DA; /* as Google's are */
        ck_assert_int_eq(make(&ak, NULL), 0);
} END_TEST

static const struct {
        uint32_t bit;
        const char *name;
} needed[] = {
        { VTPM_OBJECT_RESTRICTED, "restricted" },
        { VTPM_OBJECT_SIGN, "sign" },
        { VTPM_OBJECT_FIXED_TPM, "fixedTPM" },
        { VTPM_OBJECT_SENSITIVE_DATA_ORIGIN, "sensitiveDataOrigin" },
};

START_TEST(key_without_a_needed_attribute_is_refused) {
        AUTO_SOFT_AK SoftAk ak = ecc_ak();
        Error e = {};

        ak.pub.attributes &= ~needed[_i].bit;
        ck_assert_int_eq(make(&ak, &e), -EKEYREJECTED);
        ck_assert_str_eq(e.reason, "ak-attributes");
        ck_assert_ptr_nonnull(strstr(e.text, needed[_i].name));
} END_TEST

START_TEST(key_that_decrypts_too_is_refused) {
        AUTO_SOFT_AK SoftAk ak = ecc_ak();
        Error e = {};

        ak.pub.attributes |= VTPM_OBJECT_DECRYPT;
        ck_assert_int_eq(make(&ak, &e), -EKEYREJECTED);
        ck_assert_str_eq(e.reason, "ak-attributes");
} END_TEST

START_TEST(key_without_a_scheme_is_refused) {
        AUTO_SOFT_AK SoftAk ak = ecc_ak();
        Error e = {};

        ak.pub.scheme = VTPM_ALG_NULL;
        ck_assert_int_eq(make(&ak, &e), -EKEYREJECTED);
        ck_assert_str_eq(e.reason, "ak-scheme");
} END_TEST

START_TEST(sha1_is_refused) {
        AUTO_SOFT_AK SoftAk ak = ecc_ak();
        Error e = {};

        ak.pub.scheme_hash = VTPM_ALG_SHA1;
        ck_assert_int_eq(make(&ak, &e), -EKEYREJECTED);
        ck_assert_str_eq(e.reason, "ak-weak-hash");
        ak.pub.scheme_hash = VTPM_ALG_SHA256;
        ak.pub.name_alg = VTPM_ALG_SHA1;
        ck_assert_int_eq(make(&ak, NULL), -EKEYREJECTED);
        ak.pub.name_alg = 0x0012; /* SM3: not known */
        ck_assert_int_eq(make(&ak, NULL), -EKEYREJECTED);
} END_TEST

START_TEST(malformed_public_area_is_refused) {
        AUTO_SOFT_AK SoftAk ak = ecc_ak();
        AUTO_BLOB Blob pub = soft_public(&ak);
        VtpmAkPublic *made = NULL;

        for (size_t n = 0; n < pub.size; n++)
                ck_assert_int_lt(vtpm_ak_public_new(pub.data, n, &made, NULL), 0);
        ck_assert_ptr_null(made);
} END_TEST

START_TEST(name_is_hash_of_the_public_area) {
        AUTO_SOFT_AK SoftAk ak = ecc_ak();
        CLEANUP(vtpm_ak_public_freep) VtpmAkPublic *made = NULL;
        uint8_t want[2 + 48] = { 0x00, 0x0c };
        AUTO_BLOB Blob pub = {};
        const uint8_t *name;
        size_t size;

        ak.pub.name_alg = VTPM_ALG_SHA384;
        pub = soft_public(&ak);
        made = soft_ak_public(&ak);
        ck_assert_int_eq(vtpm_hash_bytes(VTPM_ALG_SHA384, pub.data, pub.size, want + 2, NULL), 0);
        name = vtpm_ak_public_name(made, &size);
        ck_assert_uint_eq(size, sizeof(want));
        ck_assert_mem_eq(name, want, sizeof(want));
} END_TEST

START_TEST(only_the_keys_own_scheme_and_hash_are_believed) {
        AUTO_SOFT_AK SoftAk ak = soft_ak_new(VTPM_ALG_RSASSA, VTPM_ALG_SHA256, 0);
        SoftAk other = ak; /* borrows the key */
        CLEANUP(vtpm_ak_public_freep) VtpmAkPublic *made = soft_ak_public(&ak);
        VtpmSignature s = soft_sign_raw(&ak, message, sizeof(message));
        Error e = {};

        ck_assert_int_eq(vtpm_ak_public_verify(made, &s, message, sizeof(message), NULL), 0);

        other.pub.scheme = VTPM_ALG_RSAPSS; /* the same key, correctly used, but not as it may be */
        s = soft_sign_raw(&other, message, sizeof(message));
        ck_assert_int_eq(vtpm_ak_public_verify(made, &s, message, sizeof(message), &e), -EKEYREJECTED);
        ck_assert_str_eq(e.reason, "signature-scheme");

        other.pub.scheme = VTPM_ALG_RSASSA;
        other.pub.scheme_hash = VTPM_ALG_SHA384;
        s = soft_sign_raw(&other, message, sizeof(message));
        ck_assert_int_eq(vtpm_ak_public_verify(made, &s, message, sizeof(message), NULL), -EKEYREJECTED);

        e = (Error){};
        other.pub.scheme_hash = VTPM_ALG_SHA1;
        s = soft_sign_raw(&other, message, sizeof(message));
        ck_assert_int_eq(vtpm_ak_public_verify(made, &s, message, sizeof(message), &e), -EKEYREJECTED);
        ck_assert_str_eq(e.reason, "signature-weak-hash");
} END_TEST

START_TEST(key_without_public_area_verifies_but_has_no_name) {
        AUTO_SOFT_AK SoftAk ak = ecc_ak();
        CLEANUP(vtpm_ak_public_freep) VtpmAkPublic *made = NULL;
        VtpmSignature s = soft_sign_raw(&ak, message, sizeof(message));
        size_t size = 1;

        ck_assert_int_eq(vtpm_ak_public_new_from_key(ak.key, VTPM_ALG_ECDSA, VTPM_ALG_SHA256, &made, NULL), 0);
        ck_assert_int_eq(vtpm_ak_public_verify(made, &s, message, sizeof(message), NULL), 0);
        (void) vtpm_ak_public_name(made, &size);
        ck_assert_uint_eq(size, 0);
        ck_assert_uint_eq(vtpm_ak_public_scheme(made), VTPM_ALG_ECDSA);
        ck_assert_uint_eq(vtpm_ak_public_hash(made), VTPM_ALG_SHA256);
} END_TEST

START_TEST(key_must_fit_the_scheme_it_is_given) {
        AUTO_SOFT_AK SoftAk ak = ecc_ak();
        VtpmAkPublic *made = NULL;
        EVP_PKEY *small = EVP_RSA_gen(1024);

        ck_assert_int_eq(vtpm_ak_public_new_from_key(ak.key, VTPM_ALG_RSASSA, VTPM_ALG_SHA256, &made, NULL), -EINVAL);
        ck_assert_int_eq(vtpm_ak_public_new_from_key(ak.key, VTPM_ALG_ECDSA, VTPM_ALG_SHA1, &made, NULL),
                         -EKEYREJECTED);
        ck_assert_int_eq(vtpm_ak_public_new_from_key(ak.key, VTPM_ALG_NULL, VTPM_ALG_SHA256, &made, NULL),
                         -EKEYREJECTED);
        ck_assert_int_eq(vtpm_ak_public_new_from_key(small, VTPM_ALG_RSASSA, VTPM_ALG_SHA256, &made, NULL),
                         -EKEYREJECTED);
        ck_assert_ptr_null(made);
        EVP_PKEY_free(small);
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("ak-public");
        TCase *tc = tcase_create("ak-public");

        tcase_add_test(tc, attestation_key_is_accepted);
        tcase_add_loop_test(tc, key_without_a_needed_attribute_is_refused, 0, N_ELEMENTS(needed));
        tcase_add_test(tc, key_that_decrypts_too_is_refused);
        tcase_add_test(tc, key_without_a_scheme_is_refused);
        tcase_add_test(tc, sha1_is_refused);
        tcase_add_test(tc, malformed_public_area_is_refused);
        tcase_add_test(tc, name_is_hash_of_the_public_area);
        tcase_add_test(tc, only_the_keys_own_scheme_and_hash_are_believed);
        tcase_add_test(tc, key_without_public_area_verifies_but_has_no_name);
        tcase_add_test(tc, key_must_fit_the_scheme_it_is_given);
        suite_add_tcase(s, tc);
        return s;
}

int main(void) {
        return unit_run(suite());
}
