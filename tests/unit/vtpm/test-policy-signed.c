/* SPDX-License-Identifier: Apache-2.0 */
/* Signed PCR policies and the file they are kept in, which is systemd's. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/hex.h"
#include "tests/unit/unit.h"
#include "tests/unit/vtpm/soft.h"
#include "vtpm/policy-digest.h"
#include "vtpm/policy-signed.h"

#define MASK (1u << 4 | 1u << 11)

static EVP_PKEY *key;
static Blob signer;

static void setup(void) {
        key = EVP_RSA_gen(2048);
        ck_assert_ptr_nonnull(key);
        ck_assert_int_eq(vtpm_policy_signer(key, &signer, NULL), 0);
}

static void teardown(void) {
        EVP_PKEY_free(key);
        blob_done(&signer);
}

static VtpmPolicySignature sign(uint16_t bank, uint32_t mask) {
        VtpmPcrValues values = soft_pcrs(bank, mask);
        VtpmPolicySignature s = {};
        Error e = {};
        int r = vtpm_policy_sign(key, &values, &s, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        return s;
}

START_TEST(signature_is_over_the_policy_of_those_values) {
        AUTO_VTPM_POLICY_SIGNATURE VtpmPolicySignature s = sign(VTPM_ALG_SHA256, MASK);
        VtpmPcrValues values = soft_pcrs(VTPM_ALG_SHA256, MASK);
        VtpmPcrSelection selection = { .n_banks = 1, .banks[0] = { VTPM_ALG_SHA256, MASK } };
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        VtpmPolicy policy;

        ck_assert_int_eq(vtpm_policy_init(VTPM_ALG_SHA256, &policy, NULL), 0);
        ck_assert_int_eq(vtpm_policy_pcr(&policy, &selection, &values, 1, NULL), 0);
        ck_assert_mem_eq(s.policy, policy.digest, 32);
        ck_assert_int_eq(EVP_DigestVerifyInit_ex(ctx, NULL, "SHA256", NULL, NULL, key, NULL), 1);
        ck_assert_int_eq(EVP_DigestVerify(ctx, s.signature.data, s.signature.size, policy.digest, 32), 1);
        EVP_MD_CTX_free(ctx);
        ck_assert_int_eq(vtpm_policy_signature_verify(&s, &signer, NULL), 0);
} END_TEST

START_TEST(altered_signature_does_not_hold) {
        AUTO_VTPM_POLICY_SIGNATURE VtpmPolicySignature s = sign(VTPM_ALG_SHA256, MASK);
        uint8_t *const bytes[] = { &s.policy[0], &s.policy[31], &s.signature.data[0], &s.signature.data[200] };

        for (size_t i = 0; i < N_ELEMENTS(bytes); i++) {
                Error e = {};

                *bytes[i] ^= 1;
                ck_assert_int_eq(vtpm_policy_signature_verify(&s, &signer, &e), -EKEYREJECTED);
                ck_assert_str_eq(e.reason, "policy-signature");
                *bytes[i] ^= 1;
        }
        s.signature.size--;
        ck_assert_int_eq(vtpm_policy_signature_verify(&s, &signer, NULL), -EKEYREJECTED);
        free(s.signature.data);
        s.signature = (Blob){ .data = calloc(1, 600), .size = 600 };
        ck_assert_int_eq(vtpm_policy_signature_verify(&s, &signer, NULL), -EKEYREJECTED);
} END_TEST

START_TEST(other_keys_are_refused) {
        AUTO_VTPM_POLICY_SIGNATURE VtpmPolicySignature s = sign(VTPM_ALG_SHA256, MASK), none = {};
        VtpmPcrValues values = soft_pcrs(VTPM_ALG_SHA256, MASK);
        EVP_PKEY *ec = EVP_EC_gen("P-256"), *small = EVP_RSA_gen(1024), *other = EVP_RSA_gen(2048);
        SoftAk ak = soft_ak_new(VTPM_ALG_ECDSA, VTPM_ALG_SHA256, VTPM_CURVE_NIST_P256);
        AUTO_BLOB Blob of_other = {}, of_ec = soft_public(&ak), got = {};
        Error e = {};

        ck_assert_int_eq(vtpm_policy_signer(ec, &got, &e), -EOPNOTSUPP);
        ck_assert_str_eq(e.reason, "policy-key");
        ck_assert_int_eq(vtpm_policy_signer(small, &got, NULL), -EOPNOTSUPP);
        ck_assert_int_eq(vtpm_policy_sign(ec, &values, &none, NULL), -EOPNOTSUPP);
        ck_assert_int_eq(vtpm_policy_signer(other, &of_other, NULL), 0);
        ck_assert_int_eq(vtpm_policy_signature_verify(&s, &of_other, NULL), -EKEYREJECTED);
        ck_assert_int_eq(vtpm_policy_signature_verify(&s, &of_ec, NULL), -EOPNOTSUPP);
        of_other.size--;
        ck_assert_int_eq(vtpm_policy_signature_verify(&s, &of_other, NULL), -EBADMSG);
        EVP_PKEY_free(ec);
        EVP_PKEY_free(small);
        EVP_PKEY_free(other);
        soft_ak_done(&ak);
} END_TEST

START_TEST(public_key_cannot_sign) {
        AUTO_VTPM_POLICY_SIGNATURE VtpmPolicySignature s = {};
        VtpmPcrValues values = soft_pcrs(VTPM_ALG_SHA256, MASK);
        unsigned char *der = NULL;
        const unsigned char *p;
        EVP_PKEY *public;
        Error e = {};
        int n = i2d_PUBKEY(key, &der);

        p = der;
        public = d2i_PUBKEY(NULL, &p, n);
        ck_assert_int_eq(vtpm_policy_sign(public, &values, &s, &e), -EIO);
        ck_assert_str_eq(e.reason, "policy-key");
        values.mask = 0;
        ck_assert_int_eq(vtpm_policy_sign(key, &values, &s, NULL), -EINVAL);
        EVP_PKEY_free(public);
        OPENSSL_free(der);
} END_TEST

START_TEST(file_is_read_back) {
        AUTO_VTPM_POLICY_SIGNATURES VtpmPolicySignatures all = {
                .n = 3,
                .items = { sign(VTPM_ALG_SHA256, MASK), sign(VTPM_ALG_SHA256, 1), sign(VTPM_ALG_SHA384, 1u << 23) },
        }, again = {};
        AUTO_FREE char *text = NULL, *twice = NULL;

        ck_assert_int_eq(vtpm_policy_signatures_encode(&all, &text), 0);
        ck_assert_ptr_nonnull(strstr(text, "{\"sha256\":[{\"pcrs\":[4,11],\"pkfp\":\""));
        ck_assert_int_eq(vtpm_policy_signatures_parse(text, strlen(text), &again, NULL), 0);
        ck_assert_uint_eq(again.n, 3);
        for (size_t i = 0; i < 3; i++) {
                ck_assert_uint_eq(again.items[i].bank, all.items[i].bank);
                ck_assert_uint_eq(again.items[i].mask, all.items[i].mask);
                ck_assert_mem_eq(again.items[i].policy, all.items[i].policy, 32);
                ck_assert_int_eq(vtpm_policy_signature_verify(&again.items[i], &signer, NULL), 0);
        }
        ck_assert_int_eq(vtpm_policy_signatures_encode(&again, &twice), 0);
        ck_assert_str_eq(text, twice);
} END_TEST

START_TEST(the_right_one_is_found) {
        AUTO_VTPM_POLICY_SIGNATURES VtpmPolicySignatures all = {
                .n = 2, .items = { sign(VTPM_ALG_SHA256, MASK), sign(VTPM_ALG_SHA256, 1) },
        };
        const VtpmPolicySignature *want = &all.items[1];
        AUTO_BLOB Blob broken = {};
        EVP_PKEY *other = EVP_RSA_gen(2048);

        ck_assert_ptr_eq(vtpm_policy_signatures_find(&all, &signer, VTPM_ALG_SHA256, 1, want->policy), want);
        ck_assert_ptr_null(vtpm_policy_signatures_find(&all, &signer, VTPM_ALG_SHA384, 1, want->policy));
        ck_assert_ptr_null(vtpm_policy_signatures_find(&all, &signer, VTPM_ALG_SHA256, 2, want->policy));
        ck_assert_ptr_null(vtpm_policy_signatures_find(&all, &signer, VTPM_ALG_SHA256, 1, all.items[0].policy));
        ck_assert_int_eq(vtpm_policy_signer(other, &broken, NULL), 0);
        ck_assert_ptr_null(vtpm_policy_signatures_find(&all, &broken, VTPM_ALG_SHA256, 1, want->policy));
        broken.size = 1;
        ck_assert_ptr_null(vtpm_policy_signatures_find(&all, &broken, VTPM_ALG_SHA256, 1, want->policy));
        EVP_PKEY_free(other);
} END_TEST

#define HEX64 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define ITEM(pcrs, pkfp, pol, sig)                                                                                     \
        "{\"sha256\":[{\"pcrs\":" pcrs ",\"pkfp\":" pkfp ",\"pol\":" pol ",\"sig\":" sig "}]}"
#define H "\"" HEX64 "\""

static const struct {
        const char *why, *text;
        int want;
} texts[] = {
        { "one", ITEM("[11]", H, H, "\"AAAA\""), 0 },
        { "none", "{}", 0 },
        { "empty bank", "{\"sha1\":[]}", 0 },
        { "other members", "{\"phases\":[],\"sha256\":[]}", 0 },
        { "no JSON", "{", -EBADMSG },
        { "no object", "[]", -EBADMSG },
        { "bank is no array", "{\"sha256\":{}}", -EBADMSG },
        { "item is no object", "{\"sha256\":[7]}", -EBADMSG },
        { "PCR twice", ITEM("[11,11]", H, H, "\"AAAA\""), -EBADMSG },
        { "PCR 24", ITEM("[24]", H, H, "\"AAAA\""), -EBADMSG },
        { "PCR -1", ITEM("[-1]", H, H, "\"AAAA\""), -EBADMSG },
        { "PCR in words", ITEM("[\"11\"]", H, H, "\"AAAA\""), -EBADMSG },
        { "no PCR", ITEM("[]", H, H, "\"AAAA\""), -EBADMSG },
        { "PCRs are no array", ITEM("11", H, H, "\"AAAA\""), -EBADMSG },
        { "short fingerprint", ITEM("[11]", "\"0011\"", H, "\"AAAA\""), -EBADMSG },
        { "fingerprint is no text", ITEM("[11]", "7", H, "\"AAAA\""), -EBADMSG },
        { "policy is no hex", ITEM("[11]", H, "\"zz\"", "\"AAAA\""), -EBADMSG },
        { "no base64", ITEM("[11]", H, H, "\"A\""), -EBADMSG },
        { "empty signature", ITEM("[11]", H, H, "\"\""), -EBADMSG },
        { "signature missing", "{\"sha256\":[{\"pcrs\":[1],\"pkfp\":" H ",\"pol\":" H "}]}", -EBADMSG },
};

START_TEST(text_is_read_strictly) {
        AUTO_VTPM_POLICY_SIGNATURES VtpmPolicySignatures s = {};
        int r = vtpm_policy_signatures_parse(texts[_i].text, strlen(texts[_i].text), &s, NULL);

        ck_assert_msg(r == texts[_i].want, "%s: %d", texts[_i].why, r);
} END_TEST

START_TEST(numbers_are_limited) {
        AUTO_FREE char *text = malloc(VTPM_POLICY_SIGNATURES_TEXT_MAX + 2);
        AUTO_VTPM_POLICY_SIGNATURES VtpmPolicySignatures s = {};
        static const char item[] = "{\"pcrs\":[1],\"pkfp\":" H ",\"pol\":" H ",\"sig\":\"AAAA\"}";
        size_t n = 0;

        (void) memset(text, ' ', VTPM_POLICY_SIGNATURES_TEXT_MAX + 1);
        ck_assert_int_eq(vtpm_policy_signatures_parse(text, VTPM_POLICY_SIGNATURES_TEXT_MAX + 1, &s, NULL), -E2BIG);
        for (unsigned bank = 0; bank < 2; bank++) { /* each within the limit, both together beyond */
                n += (size_t) sprintf(text + n, "%s\"%s\":[", bank ? "," : "{", bank ? "sha384" : "sha256");
                for (unsigned i = 0; i < VTPM_POLICY_SIGNATURES_MAX - 10; i++)
                        n += (size_t) sprintf(text + n, "%s%s", i ? "," : "", item);
                n += (size_t) sprintf(text + n, "]");
        }
        n += (size_t) sprintf(text + n, "}");
        ck_assert_int_eq(vtpm_policy_signatures_parse(text, n, &s, NULL), -E2BIG);
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("policy-signed");
        TCase *tc = tcase_create("policy-signed");

        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_add_test(tc, signature_is_over_the_policy_of_those_values);
        tcase_add_test(tc, altered_signature_does_not_hold);
        tcase_add_test(tc, other_keys_are_refused);
        tcase_add_test(tc, public_key_cannot_sign);
        tcase_add_test(tc, file_is_read_back);
        tcase_add_test(tc, the_right_one_is_found);
        tcase_add_loop_test(tc, text_is_read_strictly, 0, N_ELEMENTS(texts));
        tcase_add_test(tc, numbers_are_limited);
        suite_add_tcase(s, tc);
        return s;
}

int main(void) {
        return unit_run(suite());
}
