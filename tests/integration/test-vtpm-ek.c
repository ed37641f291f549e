/* SPDX-License-Identifier: Apache-2.0 */
/* Endorsement keys and their certificates in a real TPM (swtpm), also as tpm2-tools make them. */
#include <errno.h>
#include <string.h>

#include <openssl/ec.h>

#include "tests/integration/interposer.h"
#include "tests/integration/tpm-tools.h"
#include "tests/unit/unit.h"
#include "vtpm/ek.h"
#include "vtpm/object.h"
#include "vtpm/public.h"

#define CC_CREATE_PRIMARY 0x00000131u
#define CC_READ_PUBLIC 0x00000173u
#define CERT_RSA2048 0x01c00002u

static Swtpm tpm;

static void setup(void) {
        ck_assert_int_eq(swtpm_start(NULL, &tpm), 0);
}

static void teardown(void) {
        swtpm_stop(&tpm);
}

static Blob ek_public(VtpmEkProfile profile) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = tpm_open(tpm.tcti);
        Blob pub = {};
        Error e = {};

        tpm_must_be(vtpm_ek_public(ctx, profile, &pub, &e), 0, NULL, &e);
        return pub;
}

START_TEST(each_profile_can_be_made_and_is_the_same_each_time) {
        for (unsigned i = 0; i < VTPM_N_EK_PROFILES; i++) {
                AUTO_BLOB Blob pub = ek_public((VtpmEkProfile) i), again = ek_public((VtpmEkProfile) i);
                VtpmPublic parsed;

                ck_assert_int_eq(vtpm_ek_check((VtpmEkProfile) i, &pub, NULL), 0);
                ck_assert(blob_equal(&pub, &again));
                ck_assert_int_eq(vtpm_public_parse(pub.data, pub.size, &parsed, NULL), 0);
                ck_assert_uint_ge(parsed.modulus_size + parsed.x_size, 30);
        }
        tpm_must_be_clean(&tpm);
} END_TEST

static const struct {
        VtpmEkProfile profile;
        const char *alg;
} by_tools[] = { { VTPM_EK_RSA2048, "rsa" }, { VTPM_EK_ECC_P256, "ecc" } };

START_TEST(it_is_the_key_that_tpm2_createek_makes) {
        AUTO_BLOB Blob ours = ek_public(by_tools[_i].profile), theirs = {};

        tpm_tool(&tpm, "tpm2_createek", "-G", by_tools[_i].alg, "-c", "ek.ctx", "-u", "ek.pub", NULL);
        theirs = tpm_file_read(&tpm, "ek.pub"); /* TPM2B_PUBLIC */
        ck_assert_uint_eq(theirs.size, ours.size + 2);
        ck_assert_mem_eq(theirs.data + 2, ours.data, ours.size);
        tpm_tool(&tpm, "tpm2_flushcontext", "-t", NULL);
} END_TEST

static bool is_persistent(VtpmEkProfile profile) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = tpm_open(tpm.tcti);
        AUTO_VTPM_HANDLE VtpmHandle key = VTPM_HANDLE_NONE;
        AUTO_BLOB Blob pub = {};
        Error e = {};

        tpm_must_be(vtpm_ek_load(ctx, profile, &key, &pub, &e), 0, NULL, &e);
        return key.keep;
}

START_TEST(persistent_key_is_used_when_there_is_one) {
        AUTO_BLOB Blob derived = ek_public(VTPM_EK_RSA2048), found = {};

        ck_assert(!is_persistent(VTPM_EK_RSA2048));
        tpm_tool(&tpm, "tpm2_createek", "-G", "rsa", "-c", "0x81010001", NULL);
        ck_assert(is_persistent(VTPM_EK_RSA2048));
        found = ek_public(VTPM_EK_RSA2048);
        ck_assert(blob_equal(&derived, &found));
        tpm_must_be_clean(&tpm);
} END_TEST

START_TEST(something_else_at_the_persistent_handle_is_left_alone) {
        AUTO_BLOB Blob derived = ek_public(VTPM_EK_RSA2048), found = {};

        tpm_tool(&tpm, "tpm2_createprimary", "-C", "e", "-c", "p.ctx", NULL);
        tpm_tool(&tpm, "tpm2_flushcontext", "-t", NULL);
        tpm_tool(&tpm, "tpm2_evictcontrol", "-C", "o", "-c", "p.ctx", "0x81010001", NULL);
        tpm_tool(&tpm, "tpm2_flushcontext", "-t", NULL);
        ck_assert(!is_persistent(VTPM_EK_RSA2048));
        found = ek_public(VTPM_EK_RSA2048);
        ck_assert(blob_equal(&derived, &found));
        tpm_tool(&tpm, "tpm2_readpublic", "-c", "0x81010001", NULL);
        tpm_must_be_clean(&tpm);
} END_TEST

static EVP_PKEY *key_of(const Blob *pub) {
        EVP_PKEY *key = NULL;
        VtpmPublic parsed;

        ck_assert_int_eq(vtpm_public_parse(pub->data, pub->size, &parsed, NULL), 0);
        ck_assert_int_eq(vtpm_public_to_key(&parsed, &key, NULL), 0);
        return key;
}

START_TEST(certificate_is_read_without_its_padding_and_compared_with_the_key) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        AUTO_BLOB Blob pub = ek_public(VTPM_EK_RSA2048), other = ek_public(VTPM_EK_RSA2048_HIGH), cert = {}, got = {};
        EVP_PKEY *signer = EVP_EC_gen("P-256"), *key = key_of(&pub);
        uint8_t padded[1500] = {};
        Error e = {};

        cert = tpm_certificate(key, signer);
        ck_assert_uint_lt(cert.size, sizeof(padded));
        (void) memcpy(padded, cert.data, cert.size);
        tpm_nv_put(&tpm, CERT_RSA2048, padded, sizeof(padded));
        ctx = tpm_open(tpm.tcti);
        tpm_must_be(vtpm_ek_certificate(ctx, VTPM_EK_RSA2048, &pub, &got, &e), 0, NULL, &e);
        ck_assert(blob_equal(&got, &cert));
        blob_done(&got);
        tpm_must_be(vtpm_ek_certificate(ctx, VTPM_EK_RSA2048, NULL, &got, &e), 0, NULL, &e);
        ck_assert(blob_equal(&got, &cert));
        blob_done(&got);
        tpm_must_be(vtpm_ek_certificate(ctx, VTPM_EK_RSA2048, &other, &got, &e), -EBADMSG, "nv-cert-key", &e);
        ck_assert_ptr_null(got.data);
        EVP_PKEY_free(signer);
        EVP_PKEY_free(key);
} END_TEST

START_TEST(missing_certificates_are_told) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        AUTO_BLOB Blob got = {};
        Error e = {};

        tpm_tool(&tpm, "tpm2_nvdefine", "0x01c00002", "-C", "p", "-s", "64", "-a",
                 "ppwrite|ppread|ownerread|authread|platformcreate|no_da", NULL);
        ctx = tpm_open(tpm.tcti);
        tpm_must_be(vtpm_ek_certificate(ctx, VTPM_EK_ECC_P256, NULL, &got, &e), -ENOENT, "nv-cert-absent", &e);
        e = (Error){}; /* there, and never written */
        tpm_must_be(vtpm_ek_certificate(ctx, VTPM_EK_RSA2048, NULL, &got, &e), -ENOENT, "nv-cert-absent", &e);
} END_TEST

/* TPM 2.0 Library Part 3, "TPM2_CreatePrimary": header, handle, u32 size of parameters, TPM2B_PUBLIC. */
#define PRIMARY_PUBLIC (10u + 4u + 4u + 2u)
#define PUBLIC_ATTRIBUTES 4u

static void drop_an_attribute(uint8_t *answer, size_t size) {
        if (size > PRIMARY_PUBLIC + 64)
                answer[PRIMARY_PUBLIC + PUBLIC_ATTRIBUTES + 3] ^= 0x02; /* fixedTPM */
}

START_TEST(key_that_is_not_of_the_template_is_refused) {
        InterposerOptions options = {
                .upstream = &tpm, .act = INTERPOSER_ALTER, .alter = drop_an_attribute, .command = CC_CREATE_PRIMARY,
        };
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        AUTO_BLOB Blob pub = {};
        Interposer i;
        Error e = {};
        int r;

        ck_assert_int_eq(interposer_start(&options, &i), 0);
        ctx = tpm_open(i.tcti);
        r = vtpm_ek_public(ctx, VTPM_EK_ECC_P256, &pub, &e);
        ck_assert_msg(r == -EBADMSG || r == -EKEYREJECTED, "%d: %s", r, error_text(&e, r));
        ck_assert_ptr_null(pub.data);
        interposer_stop(&i);
        tpm_tool(&tpm, "tpm2_flushcontext", "-t", NULL);
} END_TEST

static void flip_last_byte_of_key(uint8_t *answer, size_t size) {
        /* TPM2B_PUBLIC right after the header; its last byte is one of the key's own */
        if (size > 12 + 64)
                answer[12 + ((size_t) answer[10] << 8 | answer[11]) - 1] ^= 1;
}

START_TEST(persistent_key_whose_name_is_anothers_is_refused) {
        InterposerOptions options = {
                .upstream = &tpm, .act = INTERPOSER_ALTER, .alter = flip_last_byte_of_key, .command = CC_READ_PUBLIC,
        };
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        AUTO_BLOB Blob pub = {};
        Interposer i;
        Error e = {};

        tpm_tool(&tpm, "tpm2_createek", "-G", "rsa", "-c", "0x81010001", NULL);
        ck_assert_int_eq(interposer_start(&options, &i), 0);
        ctx = tpm_open(i.tcti);
        tpm_must_be(vtpm_ek_public(ctx, VTPM_EK_RSA2048, &pub, &e), -EKEYREJECTED, "tpm-name", &e);
        interposer_stop(&i);
        tpm_must_be_clean(&tpm);
} END_TEST

START_TEST(template_that_is_none_is_refused) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = tpm_open(tpm.tcti);
        AUTO_VTPM_HANDLE VtpmHandle key = VTPM_HANDLE_NONE;
        AUTO_BLOB Blob template = {}, pub = {};
        Error e = {};

        ck_assert_int_eq(vtpm_ek_template(VTPM_EK_ECC_P256, &template, NULL), 0);
        template.size--;
        tpm_must_be(vtpm_object_create_primary(ctx, TPM2_RH_ENDORSEMENT, &template, &key, &pub, &e), -EINVAL,
                    "key-template", &e);
        template.size++;
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("vtpm-ek");
        TCase *tc = tcase_create("ek");

        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_add_test(tc, each_profile_can_be_made_and_is_the_same_each_time);
        tcase_add_loop_test(tc, it_is_the_key_that_tpm2_createek_makes, 0, N_ELEMENTS(by_tools));
        tcase_add_test(tc, persistent_key_is_used_when_there_is_one);
        tcase_add_test(tc, something_else_at_the_persistent_handle_is_left_alone);
        tcase_add_test(tc, certificate_is_read_without_its_padding_and_compared_with_the_key);
        tcase_add_test(tc, missing_certificates_are_told);
        tcase_add_test(tc, key_that_is_not_of_the_template_is_refused);
        tcase_add_test(tc, persistent_key_whose_name_is_anothers_is_refused);
        tcase_add_test(tc, template_that_is_none_is_refused);
        suite_add_tcase(s, tc);
        return s;
}

int main(void) {
        if (!swtpm_available())
                return unit_skip("swtpm is not installed");
        if (!program_available("tpm2_createek"))
                return unit_skip("tpm2-tools is not installed");
        return unit_run(suite());
}
