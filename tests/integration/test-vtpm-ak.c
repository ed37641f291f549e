/* SPDX-License-Identifier: Apache-2.0 */
/* Attestation keys of a real TPM (swtpm): made, kept, found again, as we and as the clouds do it. */
#include <errno.h>
#include <string.h>

#include <openssl/ec.h>

#include "tests/integration/interposer.h"
#include "tests/integration/tpm-tools.h"
#include "tests/unit/unit.h"
#include "vtpm/ak-platform.h"
#include "vtpm/ak-store.h"
#include "vtpm/ak.h"
#include "vtpm/certify.h"
#include "vtpm/public.h"

#define HANDLE 0x81008f01u
#define HANDLE_TEXT "0x81008f01"
#define CC_EVICT_CONTROL 0x00000120u
#define CC_READ_PUBLIC 0x00000173u
#define CC_NV_READ_PUBLIC 0x00000169u

static Swtpm tpm;

static void setup(void) {
        ck_assert_int_eq(swtpm_start(NULL, &tpm), 0);
}

static void teardown(void) {
        swtpm_stop(&tpm);
}

static int show(VtpmAkSpec spec, Blob *ret, Error *e) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = tpm_open(tpm.tcti);

        return vtpm_ak_show(ctx, &spec, ret, e);
}

static Blob must_show(VtpmAkSpec spec) {
        Blob pub = {};
        Error e = {};

        tpm_must_be(show(spec, &pub, &e), 0, NULL, &e);
        return pub;
}

static int persist(VtpmAkSpec spec, uint32_t handle, Blob *ret, Error *e) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = tpm_open(tpm.tcti);

        return vtpm_ak_persist(ctx, &spec, handle, ret, e);
}

static int forget(uint32_t handle, Error *e) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = tpm_open(tpm.tcti);

        return vtpm_ak_remove(ctx, handle, e);
}

static const VtpmAkSpec made[] = {
        { .kind = VTPM_AK_RSASSA },
        { .kind = VTPM_AK_RSAPSS },
        { .kind = VTPM_AK_ECDSA_P256 },
        { .kind = VTPM_AK_ECDSA_P384 },
        { .kind = VTPM_AK_RSASSA, .owner = true },
};

START_TEST(key_is_kept_found_again_and_removed) {
        VtpmAkSpec kept = { .kind = VTPM_AK_PERSISTENT, .handle = HANDLE };
        AUTO_BLOB Blob pub = {}, found = {}, again = {}, none = {}, fresh = must_show(made[_i]);
        Error e = {};

        tpm_must_be(persist(made[_i], HANDLE, &pub, &e), 0, NULL, &e);
        ck_assert(blob_equal(&pub, &fresh));
        found = must_show(kept);
        ck_assert(blob_equal(&pub, &found));
        tpm_must_be(persist(made[_i], HANDLE, &again, &e), 0, NULL, &e); /* there already: fine */
        ck_assert(blob_equal(&pub, &again));
        tpm_tool(&tpm, "tpm2_readpublic", "-c", HANDLE_TEXT, NULL);
        tpm_must_be(forget(HANDLE, &e), 0, NULL, &e);
        tpm_must_be(show(kept, &none, &e), -ENOENT, "tpm-no-such-handle", &e);
        e = (Error){};
        tpm_must_be(forget(HANDLE, &e), -ENOENT, "tpm-no-such-handle", &e);
        ck_assert_str_eq(e.text, "There is no key at " HANDLE_TEXT);
        tpm_must_be_clean(&tpm);
} END_TEST

START_TEST(it_happens_within_one_context) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = tpm_open(tpm.tcti);
        VtpmAkSpec kept = { .kind = VTPM_AK_PERSISTENT, .handle = HANDLE };
        Error e = {};

        for (unsigned i = 0; i < 3; i++) { /* no record of the stack's is in the way of the next */
                AUTO_BLOB Blob pub = {}, found = {};

                tpm_must_be(vtpm_ak_persist(ctx, &made[i], HANDLE, &pub, &e), 0, NULL, &e);
                tpm_must_be(vtpm_ak_show(ctx, &kept, &found, &e), 0, NULL, &e);
                ck_assert(blob_equal(&pub, &found));
                tpm_must_be(vtpm_ak_remove(ctx, HANDLE, &e), 0, NULL, &e);
        }
        vtpm_context_free(TAKE_PTR(ctx));
        tpm_must_be_clean(&tpm);
} END_TEST

START_TEST(other_keys_are_not_overwritten_nor_removed) {
        AUTO_BLOB Blob pub = {};
        Error e = {};

        tpm_tool(&tpm, "tpm2_createprimary", "-C", "o", "-c", "p.ctx", NULL);
        tpm_tool(&tpm, "tpm2_flushcontext", "-t", NULL);
        tpm_tool(&tpm, "tpm2_evictcontrol", "-C", "o", "-c", "p.ctx", HANDLE_TEXT, NULL);
        tpm_tool(&tpm, "tpm2_flushcontext", "-t", NULL);
        tpm_must_be(persist(made[0], HANDLE, &pub, &e), -EEXIST, "ak-handle-taken", &e);
        ck_assert_ptr_null(pub.data);
        e = (Error){};
        tpm_must_be(forget(HANDLE, &e), -EKEYREJECTED, "ak-attributes", &e);
        tpm_tool(&tpm, "tpm2_readpublic", "-c", HANDLE_TEXT, NULL);
        tpm_must_be_clean(&tpm);
} END_TEST

START_TEST(the_tpm_itself_does_not_overwrite_either) {
        /* Somebody puts a key there after we have looked: the interposer says that there is none. */
        InterposerOptions options = {
                .upstream = &tpm, .act = INTERPOSER_CODE, .code = TPM2_RC_HANDLE | TPM2_RC_1, .command = CC_READ_PUBLIC,
        };
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        AUTO_BLOB Blob pub = {};
        Interposer i;
        Error e = {};

        tpm_must_be(persist(made[0], HANDLE, &pub, &e), 0, NULL, &e);
        blob_done(&pub);
        ck_assert_int_eq(interposer_start(&options, &i), 0);
        ctx = tpm_open(i.tcti);
        tpm_must_be(vtpm_ak_persist(ctx, &made[2], HANDLE, &pub, &e), -EEXIST, "nv-defined", &e);
        vtpm_context_free(TAKE_PTR(ctx));
        interposer_stop(&i);
        tpm_must_be_clean(&tpm);
} END_TEST

static const uint32_t not_ours[] = {
        0, 0x80000000, 0x81000001, 0x81000002, 0x81000003, 0x81010001, 0x8101ffff, 0x81800000, 0x82000000, 0x01c00002,
};

START_TEST(handles_of_others_are_refused) {
        AUTO_BLOB Blob pub = {};
        Error e = {};

        tpm_must_be(persist(made[0], not_ours[_i], &pub, &e), -EINVAL, "ak-handle", &e);
        e = (Error){};
        tpm_must_be(forget(not_ours[_i], &e), -EINVAL, "ak-handle", &e);
} END_TEST

START_TEST(what_is_persistent_is_not_made_so_again) {
        VtpmAkSpec kept = { .kind = VTPM_AK_PERSISTENT, .handle = HANDLE };
        AUTO_BLOB Blob pub = {};
        Error e = {};

        tpm_must_be(persist(made[0], HANDLE, &pub, &e), 0, NULL, &e);
        tpm_must_be(persist(kept, HANDLE + 1, &pub, &e), -EINVAL, "ak-spec", &e);
} END_TEST

START_TEST(unknown_kinds_are_refused) {
        VtpmAkSpec spec = { .kind = (VtpmAkKind) 99 };
        AUTO_BLOB Blob pub = {};
        Error e = {};

        tpm_must_be(show(spec, &pub, &e), -EINVAL, "ak-spec", &e);
} END_TEST

static const struct {
        uint32_t command, rc;
        int code;
        const char *reason;
} failures[] = {
        { CC_EVICT_CONTROL, TPM2_RC_NV_SPACE, -ENOSPC, "nv-full" },
        { CC_EVICT_CONTROL, TPM2_RC_LOCKOUT, -EACCES, "tpm-lockout" },
        { CC_EVICT_CONTROL, TPM2_RC_BAD_AUTH | TPM2_RC_S | TPM2_RC_1, -EACCES, "tpm-auth" },
        { CC_READ_PUBLIC, TPM2_RC_FAILURE, -EIO, "tpm-failure-mode" },
};

START_TEST(failure_leaves_nothing_behind) {
        InterposerOptions options = {
                .upstream = &tpm, .act = INTERPOSER_CODE, .code = failures[_i].rc, .command = failures[_i].command,
        };
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        AUTO_BLOB Blob pub = {};
        Interposer i;
        Error e = {};

        ck_assert_int_eq(interposer_start(&options, &i), 0);
        ctx = tpm_open(i.tcti);
        tpm_must_be(vtpm_ak_persist(ctx, &made[0], HANDLE, &pub, &e), failures[_i].code, failures[_i].reason, &e);
        ck_assert_ptr_null(pub.data);
        vtpm_context_free(TAKE_PTR(ctx));
        interposer_stop(&i);
        tpm_must_be_clean(&tpm);
} END_TEST

/* ---- one vouches for another ---- */

START_TEST(key_is_certified_by_another_of_the_same_tpm) {
        static const uint8_t nonce[20] = "a nonce, twenty long";
        VtpmBytes asked = { nonce, sizeof(nonce) };

        for (size_t n = 0; n < N_ELEMENTS(made); n++) {
                CLEANUP(vtpm_context_freep) VtpmContext *ctx = tpm_open(tpm.tcti);
                CLEANUP(vtpm_ak_public_freep) VtpmAkPublic *by = NULL, *certified = NULL;
                AUTO_VTPM_CERTIFICATION VtpmCertification c = {};
                VtpmCertifyBytes what;
                Error e = {};

                tpm_must_be(vtpm_certify(ctx, &made[n], &made[(n + 1) % N_ELEMENTS(made)], asked, &c, &e), 0, NULL, &e);
                ck_assert_int_eq(vtpm_ak_public_new(c.by.data, c.by.size, &by, NULL), 0);
                what = (VtpmCertifyBytes){ { c.attest.data, c.attest.size }, { c.signature.data, c.signature.size },
                                           { c.public.data, c.public.size } };
                tpm_must_be(vtpm_certify_verify(by, &what, asked, &certified, &e), 0, NULL, &e);
        }
        tpm_must_be_clean(&tpm);
} END_TEST

START_TEST(certification_needs_a_nonce_and_both_keys) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = tpm_open(tpm.tcti);
        static const uint8_t nonce[65];
        VtpmAkSpec none = { .kind = VTPM_AK_PERSISTENT, .handle = HANDLE };
        AUTO_VTPM_CERTIFICATION VtpmCertification c = {};
        Error e = {};

        tpm_must_be(vtpm_certify(ctx, &made[0], &made[1], (VtpmBytes){ nonce, 0 }, &c, &e), -EINVAL, "nonce-size", &e);
        e = (Error){};
        tpm_must_be(vtpm_certify(ctx, &made[0], &made[1], (VtpmBytes){ nonce, 65 }, &c, &e), -EINVAL, "nonce-size", &e);
        e = (Error){};
        tpm_must_be(vtpm_certify(ctx, &made[0], &none, (VtpmBytes){ nonce, 8 }, &c, &e), -ENOENT, "tpm-no-such-handle",
                    &e);
        vtpm_context_free(TAKE_PTR(ctx));
        tpm_must_be_clean(&tpm);
} END_TEST

/* ---- platforms ---- */

static EVP_PKEY *key_of(const Blob *pub) {
        EVP_PKEY *key = NULL;
        VtpmPublic parsed;

        ck_assert_int_eq(vtpm_public_parse(pub->data, pub->size, &parsed, NULL), 0);
        ck_assert_int_eq(vtpm_public_to_key(&parsed, &key, NULL), 0);
        return key;
}

static void put_certificate(uint32_t index, const Blob *pub) {
        EVP_PKEY *signer = EVP_EC_gen("P-256"), *key = key_of(pub);
        AUTO_BLOB Blob cert = tpm_certificate(key, signer);

        tpm_nv_put(&tpm, index, cert.data, cert.size);
        EVP_PKEY_free(signer);
        EVP_PKEY_free(key);
}

static VtpmAkKind detected(void) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = tpm_open(tpm.tcti);
        VtpmAkSpec spec = { .kind = VTPM_AK_AUTO };
        Error e = {};

        tpm_must_be(vtpm_ak_detect(ctx, &spec, &e), 0, NULL, &e);
        return spec.kind;
}

/* As Google's firmware has it: TPMT_PUBLIC with 0x00050072, scheme of its own. */
static Blob gcp_template(VtpmAkKind kind) {
        VtpmPublic p = {
                .type = kind == VTPM_AK_GCP_ECC ? VTPM_ALG_ECC : VTPM_ALG_RSA,
                .name_alg = VTPM_ALG_SHA256,
                .attributes = 0x00050072,
                .symmetric = VTPM_ALG_NULL,
                .scheme = kind == VTPM_AK_GCP_ECC ? VTPM_ALG_ECDSA : VTPM_ALG_RSASSA,
                .scheme_hash = VTPM_ALG_SHA256,
                .rsa_bits = 2048,
                .modulus_size = 256,
                .curve = VTPM_CURVE_NIST_P256,
                .kdf = VTPM_ALG_NULL,
                .x_size = 32,
                .y_size = 32,
        };
        Blob b = {};

        ck_assert_int_eq(vtpm_public_encode(&p, &b), 0);
        return b;
}

static const struct {
        VtpmAkKind kind;
        uint32_t template, certificate;
} google[] = {
        { VTPM_AK_GCP_RSA, 0x01c10001, 0x01c10000 },
        { VTPM_AK_GCP_ECC, 0x01c10003, 0x01c10002 },
};

START_TEST(googles_keys_are_made_from_their_templates) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        VtpmAkSpec spec = { .kind = google[_i].kind }, automatic = { .kind = VTPM_AK_AUTO };
        AUTO_BLOB Blob template = gcp_template(google[_i].kind), pub = {}, chosen = {}, cert = {}, none = {};
        Error e = {};

        tpm_must_be(show(spec, &pub, &e), -ENOENT, "ak-absent", &e);
        e = (Error){};
        ck_assert_int_eq(detected(), VTPM_AK_RSASSA);
        tpm_nv_put(&tpm, google[_i].template, template.data, template.size);
        ck_assert_int_eq(detected(), google[_i].kind);
        pub = must_show(spec);
        chosen = must_show(automatic);
        ck_assert(blob_equal(&pub, &chosen));
        ck_assert_mem_eq(pub.data, template.data, 10); /* type, hash, attributes, empty policy */

        ctx = tpm_open(tpm.tcti);
        tpm_must_be(vtpm_ak_certificate(ctx, &spec, &pub, &none, &e), -ENOENT, "nv-cert-absent", &e);
        vtpm_context_free(TAKE_PTR(ctx));
        put_certificate(google[_i].certificate, &pub);
        ctx = tpm_open(tpm.tcti);
        e = (Error){};
        tpm_must_be(vtpm_ak_certificate(ctx, &spec, &pub, &cert, &e), 0, NULL, &e);
        blob_done(&cert);
        tpm_must_be(vtpm_ak_certificate(ctx, &automatic, &pub, &cert, &e), 0, NULL, &e);
        vtpm_context_free(TAKE_PTR(ctx));
        tpm_must_be_clean(&tpm);
} END_TEST

static const struct {
        const char *why;
        uint32_t attributes;
        size_t cut;
        int code;
        const char *reason;
} bad_templates[] = {
        { "not restricted", 0x00040072, 0, -EKEYREJECTED, "ak-attributes" },
        { "decrypts", 0x00070072, 0, -EKEYREJECTED, "ak-attributes" },
        { "not of this TPM", 0x00050070, 0, -EKEYREJECTED, "ak-attributes" },
        { "truncated", 0x00050072, 1, -EBADMSG, "truncated" },
};

START_TEST(templates_of_other_keys_are_refused) {
        VtpmAkSpec spec = { .kind = VTPM_AK_GCP_RSA };
        AUTO_BLOB Blob template = gcp_template(VTPM_AK_GCP_RSA), pub = {};
        uint32_t a = bad_templates[_i].attributes;
        Error e = {};
        int r;

        for (unsigned i = 0; i < 4; i++)
                template.data[4 + i] = (uint8_t) (a >> (24 - 8 * i));
        tpm_nv_put(&tpm, 0x01c10001, template.data, template.size - bad_templates[_i].cut);
        r = show(spec, &pub, &e);
        ck_assert_msg(r == bad_templates[_i].code, "%s: %d %s", bad_templates[_i].why, r, error_text(&e, r));
        ck_assert_ptr_nonnull(strstr(e.text, "0x01c10001"));
        ck_assert_ptr_null(pub.data);
        tpm_must_be_clean(&tpm);
} END_TEST

static void make_azure_key(void) {
        tpm_tool(&tpm, "tpm2_createprimary", "-C", "e", "-g", "sha256", "-G", "rsa2048:rsassa-sha256:null", "-a",
                 "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|sign", "-c", "ak.ctx", NULL);
        tpm_tool(&tpm, "tpm2_flushcontext", "-t", NULL);
        tpm_tool(&tpm, "tpm2_evictcontrol", "-C", "o", "-c", "ak.ctx", "0x81000003", NULL);
        tpm_tool(&tpm, "tpm2_flushcontext", "-t", NULL);
}

START_TEST(azures_key_is_the_one_at_its_handle) {
        VtpmAkSpec spec = { .kind = VTPM_AK_AZURE }, by_handle = { .kind = VTPM_AK_PERSISTENT, .handle = 0x81000003 };
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        AUTO_BLOB Blob pub = {}, same = {}, cert = {}, derived = {};
        Error e = {};

        tpm_must_be(show(spec, &pub, &e), -ENOENT, "tpm-no-such-handle", &e);
        e = (Error){};
        make_azure_key();
        ck_assert_int_eq(detected(), VTPM_AK_RSASSA); /* a key alone does not make it Azure */
        pub = must_show(spec);
        same = must_show(by_handle);
        ck_assert(blob_equal(&pub, &same));
        derived = must_show((VtpmAkSpec){ .kind = VTPM_AK_RSASSA });
        ck_assert(blob_equal(&pub, &derived)); /* our template is Azure's */
        put_certificate(0x01c101d0, &pub);
        ck_assert_int_eq(detected(), VTPM_AK_AZURE);
        ctx = tpm_open(tpm.tcti);
        tpm_must_be(vtpm_ak_certificate(ctx, &spec, &pub, &cert, &e), 0, NULL, &e);
        blob_done(&cert);
        tpm_must_be(vtpm_ak_certificate(ctx, &by_handle, &pub, &cert, &e), 0, NULL, &e);
        vtpm_context_free(TAKE_PTR(ctx));
        tpm_must_be_clean(&tpm);
} END_TEST

START_TEST(hcl_report_too_makes_it_azure) {
        make_azure_key();
        tpm_nv_put(&tpm, 0x01400001, "HCLA", 4);
        ck_assert_int_eq(detected(), VTPM_AK_AZURE);
} END_TEST

START_TEST(own_keys_have_no_certificate) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = tpm_open(tpm.tcti);
        VtpmAkSpec specs[] = { { .kind = VTPM_AK_RSASSA }, { .kind = VTPM_AK_AUTO },
                               { .kind = VTPM_AK_PERSISTENT, .handle = HANDLE } };
        AUTO_BLOB Blob cert = {};

        for (size_t i = 0; i < N_ELEMENTS(specs); i++) {
                Error e = {};

                tpm_must_be(vtpm_ak_certificate(ctx, &specs[i], NULL, &cert, &e), -ENOENT, "nv-cert-absent", &e);
        }
} END_TEST

START_TEST(failing_detection_is_told) {
        static const uint32_t commands[] = { CC_READ_PUBLIC, CC_NV_READ_PUBLIC };

        for (size_t n = 0; n < N_ELEMENTS(commands); n++) {
                InterposerOptions options = {
                        .upstream = &tpm, .act = INTERPOSER_CODE, .code = TPM2_RC_FAILURE, .command = commands[n],
                };
                CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
                VtpmAkSpec automatic = { .kind = VTPM_AK_AUTO };
                AUTO_BLOB Blob pub = {};
                Interposer i;
                Error e = {};

                ck_assert_int_eq(interposer_start(&options, &i), 0);
                ctx = tpm_open(i.tcti);
                tpm_must_be(vtpm_ak_show(ctx, &automatic, &pub, &e), -EIO, "tpm-failure-mode", &e);
                e = (Error){};
                tpm_must_be(vtpm_ak_certificate(ctx, &automatic, NULL, &pub, &e), -EIO, "tpm-failure-mode", &e);
                vtpm_context_free(TAKE_PTR(ctx));
                interposer_stop(&i);
        }
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("vtpm-ak");
        TCase *tc = tcase_create("ak");

        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_add_loop_test(tc, key_is_kept_found_again_and_removed, 0, N_ELEMENTS(made));
        tcase_add_test(tc, it_happens_within_one_context);
        tcase_add_test(tc, other_keys_are_not_overwritten_nor_removed);
        tcase_add_test(tc, the_tpm_itself_does_not_overwrite_either);
        tcase_add_loop_test(tc, handles_of_others_are_refused, 0, N_ELEMENTS(not_ours));
        tcase_add_test(tc, what_is_persistent_is_not_made_so_again);
        tcase_add_test(tc, unknown_kinds_are_refused);
        tcase_add_loop_test(tc, failure_leaves_nothing_behind, 0, N_ELEMENTS(failures));
        tcase_add_test(tc, key_is_certified_by_another_of_the_same_tpm);
        tcase_add_test(tc, certification_needs_a_nonce_and_both_keys);
        tcase_add_loop_test(tc, googles_keys_are_made_from_their_templates, 0, N_ELEMENTS(google));
        tcase_add_loop_test(tc, templates_of_other_keys_are_refused, 0, N_ELEMENTS(bad_templates));
        tcase_add_test(tc, azures_key_is_the_one_at_its_handle);
        tcase_add_test(tc, hcl_report_too_makes_it_azure);
        tcase_add_test(tc, own_keys_have_no_certificate);
        tcase_add_test(tc, failing_detection_is_told);
        suite_add_tcase(s, tc);
        return s;
}

int main(void) {
        if (!swtpm_available())
                return unit_skip("swtpm is not installed");
        if (!program_available("tpm2_evictcontrol"))
                return unit_skip("tpm2-tools is not installed");
        return unit_run(suite());
}
