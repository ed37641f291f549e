/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials between us, a real TPM (swtpm) and tpm2-tools, in every direction. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/writer.h"
#include "tests/integration/interposer.h"
#include "tests/integration/tpm-tools.h"
#include "tests/unit/unit.h"
#include "vtpm/activate.h"
#include "vtpm/ak-store.h"
#include "vtpm/object.h"

#define VALUE "thirty-two bytes that nobody saw"
#define CC_ACTIVATE 0x00000147u
#define CC_POLICY_SECRET 0x00000151u

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

static Blob ak_public(VtpmAkKind kind) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = tpm_open(tpm.tcti);
        VtpmAkSpec spec = { .kind = kind };
        Blob pub = {};
        Error e = {};

        tpm_must_be(vtpm_ak_show(ctx, &spec, &pub, &e), 0, NULL, &e);
        return pub;
}

static VtpmCredential make(VtpmEkProfile profile, VtpmAkKind kind) {
        AUTO_BLOB Blob ek = ek_public(profile), ak = ak_public(kind);
        AUTO_SECRET Secret value = {};
        VtpmCredential c = {};
        Error e = {};

        ck_assert_int_eq(secret_alloc(32, &value, NULL), 0);
        (void) memcpy(value.bytes, VALUE, 32);
        tpm_must_be(vtpm_credential_make(&ek, &ak, &value, &c, &e), 0, NULL, &e);
        return c;
}

static int activate(const char *tcti, VtpmEkProfile profile, VtpmAkKind kind, const VtpmCredential *c, Secret *ret,
                    Error *e) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = tpm_open(tcti);
        VtpmActivation how = { .ak.kind = kind, .ek = profile };

        return vtpm_credential_activate(ctx, &how, c, ret, e);
}

static const VtpmAkKind kinds[] = { VTPM_AK_RSASSA, VTPM_AK_RSAPSS, VTPM_AK_ECDSA_P256, VTPM_AK_ECDSA_P384 };

START_TEST(tpm_opens_ours_and_nobody_hears) {
        InterposerOptions options = { .upstream = &tpm, .record = true };
        Interposer i;

        for (size_t k = 0; k < N_ELEMENTS(kinds); k++) {
                AUTO_VTPM_CREDENTIAL VtpmCredential c = make((VtpmEkProfile) _i, kinds[k]);
                AUTO_SECRET Secret got = {};
                Error e = {};

                ck_assert_int_eq(interposer_start(&options, &i), 0);
                tpm_must_be(activate(i.tcti, (VtpmEkProfile) _i, kinds[k], &c, &got, &e), 0, NULL, &e);
                ck_assert_uint_eq(got.len, 32);
                ck_assert_mem_eq(got.bytes, VALUE, 32);
                ck_assert(!interposer_saw(&i, VALUE, 8));
                ck_assert(interposer_saw(&i, c.id_object.data, c.id_object.size) == false); /* encrypted on the way in */
                ck_assert(interposer_saw(&i, c.secret.data, c.secret.size)); /* that it does listen */
                interposer_stop(&i);
        }
        tpm_must_be_clean(&tpm);
} END_TEST

START_TEST(credential_for_another_key_is_rejected) {
        AUTO_VTPM_CREDENTIAL VtpmCredential c = make(VTPM_EK_ECC_P256, VTPM_AK_ECDSA_P256);
        AUTO_SECRET Secret got = {};
        Error e = {};

        tpm_must_be(activate(tpm.tcti, VTPM_EK_ECC_P256, VTPM_AK_RSASSA, &c, &got, &e), -EKEYREJECTED,
                    "credential-rejected", &e);
        e = (Error){};
        tpm_must_be(activate(tpm.tcti, VTPM_EK_RSA2048, VTPM_AK_ECDSA_P256, &c, &got, &e), -EKEYREJECTED,
                    "credential-rejected", &e);
        e = (Error){};
        tpm_must_be(activate(tpm.tcti, VTPM_EK_ECC_P256_HIGH, VTPM_AK_ECDSA_P256, &c, &got, &e), -EKEYREJECTED,
                    "credential-rejected", &e);
        ck_assert_ptr_null(got.bytes);
        tpm_must_be_clean(&tpm);
} END_TEST

START_TEST(altered_credential_is_rejected) {
        static const VtpmEkProfile profiles[] = { VTPM_EK_RSA2048, VTPM_EK_ECC_P256 };

        for (size_t p = 0; p < N_ELEMENTS(profiles); p++) {
                AUTO_VTPM_CREDENTIAL VtpmCredential c = make(profiles[p], VTPM_AK_ECDSA_P256);
                uint8_t *const bytes[] = { &c.id_object.data[2], &c.id_object.data[40], &c.secret.data[30] };

                for (size_t n = 0; n < N_ELEMENTS(bytes); n++) {
                        AUTO_SECRET Secret got = {};
                        Error e = {};

                        *bytes[n] ^= 1;
                        tpm_must_be(activate(tpm.tcti, profiles[p], VTPM_AK_ECDSA_P256, &c, &got, &e), -EKEYREJECTED,
                                    "credential-rejected", &e);
                        *bytes[n] ^= 1;
                }
        }
        tpm_must_be_clean(&tpm);
} END_TEST

START_TEST(oversize_credential_is_refused) {
        AUTO_VTPM_CREDENTIAL VtpmCredential c = make(VTPM_EK_ECC_P256, VTPM_AK_ECDSA_P256);
        AUTO_SECRET Secret got = {};
        Error e = {};

        free(c.id_object.data);
        c.id_object = (Blob){ .data = calloc(1, 2000), .size = 2000 };
        tpm_must_be(activate(tpm.tcti, VTPM_EK_ECC_P256, VTPM_AK_ECDSA_P256, &c, &got, &e), -E2BIG,
                    "credential-too-large", &e);
        tpm_must_be_clean(&tpm);
} END_TEST

START_TEST(named_salt_key_is_insisted_on) {
        AUTO_VTPM_CREDENTIAL VtpmCredential c = make(VTPM_EK_ECC_P256, VTPM_AK_ECDSA_P256);
        AUTO_BLOB Blob ek = ek_public(VTPM_EK_RSA2048);
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        AUTO_SECRET Secret got = {};
        VtpmName name = {};
        VtpmActivation how = { .ak.kind = VTPM_AK_ECDSA_P256, .ek = VTPM_EK_ECC_P256, .salt_name = name.bytes };
        Error e = {};

        ck_assert_int_eq(vtpm_name_of(ek.data, ek.size, &name, NULL), 0);
        how.salt_name_size = name.size;
        ctx = tpm_open(tpm.tcti);
        tpm_must_be(vtpm_credential_activate(ctx, &how, &c, &got, &e), 0, NULL, &e);
        name.bytes[5] ^= 1;
        secret_done(&got);
        tpm_must_be(vtpm_credential_activate(ctx, &how, &c, &got, &e), -EKEYREJECTED, "salt-key", &e);
} END_TEST

static void fail_all(uint8_t *answer, size_t size) {
        /* TPM2_GetTestResult: header, TPM2B_MAX_BUFFER, u32 result */
        store_be32(answer + size - 4, TPM2_RC_FAILURE);
}

START_TEST(tpm_in_failure_mode_is_no_rejection) {
        InterposerOptions options = {
                .upstream = &tpm, .act = INTERPOSER_ALTER, .alter = fail_all, .command = 0x0000017c,
        };
        AUTO_VTPM_CREDENTIAL VtpmCredential c = make(VTPM_EK_RSA2048, VTPM_AK_ECDSA_P256);
        AUTO_SECRET Secret got = {};
        Interposer i;
        Error e = {};

        c.secret.data[30] ^= 1;
        ck_assert_int_eq(interposer_start(&options, &i), 0);
        tpm_must_be(activate(i.tcti, VTPM_EK_RSA2048, VTPM_AK_ECDSA_P256, &c, &got, &e), -EIO, "tpm-failure-mode", &e);
        interposer_stop(&i);
} END_TEST

START_TEST(points_of_every_wrong_shape_are_rejected) {
        static const size_t sizes[] = { 1, 2, 3, 33, 34, 67, 69, 200 };
        AUTO_VTPM_CREDENTIAL VtpmCredential c = make(VTPM_EK_ECC_P256, VTPM_AK_ECDSA_P256);
        uint8_t good[68];

        ck_assert_uint_eq(c.secret.size, sizeof(good));
        (void) memcpy(good, c.secret.data, sizeof(good));
        for (size_t n = 0; n < N_ELEMENTS(sizes); n++) {
                AUTO_SECRET Secret got = {};
                Error e = {};

                free(c.secret.data);
                c.secret = (Blob){ .data = calloc(1, sizes[n]), .size = sizes[n] };
                (void) memcpy(c.secret.data, good, sizes[n] < sizeof(good) ? sizes[n] : sizeof(good));
                tpm_must_be(activate(tpm.tcti, VTPM_EK_ECC_P256, VTPM_AK_ECDSA_P256, &c, &got, &e), -EKEYREJECTED,
                            "credential-rejected", &e);
        }
        c.secret.data[0] = 0xff; /* a coordinate of 64 KiB */
        {
                AUTO_SECRET Secret got = {};
                Error e = {};

                tpm_must_be(activate(tpm.tcti, VTPM_EK_ECC_P256, VTPM_AK_ECDSA_P256, &c, &got, &e), -EKEYREJECTED,
                            "credential-rejected", &e);
        }
        tpm_must_be_clean(&tpm);
} END_TEST

static const struct {
        uint32_t command, rc;
        int code;
        const char *reason;
} failures[] = {
        { CC_ACTIVATE, TPM2_RC_LOCKOUT, -EACCES, "tpm-lockout" },
        { CC_ACTIVATE, TPM2_RC_POLICY_FAIL | TPM2_RC_S | TPM2_RC_2, -EACCES, "tpm-auth" },
        { CC_ACTIVATE, TPM2_RC_VALUE | TPM2_RC_P | TPM2_RC_2, -EKEYREJECTED, "credential-rejected" },
        { CC_POLICY_SECRET, TPM2_RC_BAD_AUTH | TPM2_RC_S | TPM2_RC_1, -EACCES, "tpm-auth" },
};

START_TEST(failure_leaves_nothing_behind) {
        InterposerOptions options = {
                .upstream = &tpm, .act = INTERPOSER_CODE, .code = failures[_i].rc, .command = failures[_i].command,
        };
        AUTO_VTPM_CREDENTIAL VtpmCredential c = make(VTPM_EK_ECC_P256, VTPM_AK_ECDSA_P256);
        AUTO_SECRET Secret got = {};
        Interposer i;
        Error e = {};

        ck_assert_int_eq(interposer_start(&options, &i), 0);
        tpm_must_be(activate(i.tcti, VTPM_EK_ECC_P256, VTPM_AK_ECDSA_P256, &c, &got, &e), failures[_i].code,
                    failures[_i].reason, &e);
        interposer_stop(&i);
        tpm_must_be_clean(&tpm);
} END_TEST

/* ---- tpm2-tools ---- */

static void write_public(const char *name, const Blob *tpmt) {
        AUTO_WRITER Writer w = wr_init(2048);

        wr_be16(&w, (uint16_t) tpmt->size);
        wr_bytes(&w, tpmt->data, tpmt->size);
        tpm_file_write(&tpm, name, w.data, w.size);
}

static const struct {
        VtpmEkProfile profile;
        const char *alg;
} by_tools[] = { { VTPM_EK_RSA2048, "rsa" }, { VTPM_EK_ECC_P256, "ecc" } };

START_TEST(credential_of_tpm2_makecredential_is_opened) {
        AUTO_BLOB Blob ek = ek_public(by_tools[_i].profile), ak = ak_public(VTPM_AK_RSASSA), file = {}, again = {};
        AUTO_VTPM_CREDENTIAL VtpmCredential c = {};
        char hex[2 * sizeof((VtpmName){}.bytes) + 1];
        AUTO_SECRET Secret got = {};
        VtpmName name = {};
        Error e = {};

        ck_assert_int_eq(vtpm_name_of(ak.data, ak.size, &name, NULL), 0);
        hex_encode_to(name.bytes, name.size, hex);
        write_public("ek.pub", &ek);
        tpm_file_write(&tpm, "value", VALUE, 32);
        tpm_tool(&tpm, "tpm2_makecredential", "-T", "none", "-u", "ek.pub", "-s", "value", "-n", hex, "-o", "cred", NULL);
        file = tpm_file_read(&tpm, "cred");
        tpm_must_be(vtpm_credential_parse(file.data, file.size, &c, &e), 0, NULL, &e);
        ck_assert_int_eq(vtpm_credential_encode(&c, &again), 0);
        ck_assert(blob_equal(&file, &again));
        tpm_must_be(activate(tpm.tcti, by_tools[_i].profile, VTPM_AK_RSASSA, &c, &got, &e), 0, NULL, &e);
        ck_assert_uint_eq(got.len, 32);
        ck_assert_mem_eq(got.bytes, VALUE, 32);
} END_TEST

START_TEST(ours_is_opened_by_tpm2_activatecredential) {
        AUTO_BLOB Blob ek = ek_public(by_tools[_i].profile), ak = {}, file = {}, out = {};
        AUTO_VTPM_CREDENTIAL VtpmCredential c = {};
        AUTO_SECRET Secret value = {};
        Blob tpmt;
        Error e = {};

        tpm_tool(&tpm, "tpm2_createek", "-G", by_tools[_i].alg, "-c", "ek.ctx", NULL);
        tpm_tool(&tpm, "tpm2_flushcontext", "-t", NULL);
        tpm_tool(&tpm, "tpm2_createak", "-C", "ek.ctx", "-c", "ak.ctx", "-G", "ecc", "-g", "sha256", "-s", "ecdsa",
                 "-u", "ak.pub", NULL);
        tpm_tool(&tpm, "tpm2_flushcontext", "-t", NULL);
        ak = tpm_file_read(&tpm, "ak.pub");
        tpmt = (Blob){ .data = ak.data + 2, .size = ak.size - 2 };
        ck_assert_int_eq(secret_alloc(32, &value, NULL), 0);
        (void) memcpy(value.bytes, VALUE, 32);
        tpm_must_be(vtpm_credential_make(&ek, &tpmt, &value, &c, &e), 0, NULL, &e);
        ck_assert_int_eq(vtpm_credential_encode(&c, &file), 0);
        tpm_file_write(&tpm, "cred", file.data, file.size);
        tpm_tool(&tpm, "tpm2_startauthsession", "--policy-session", "-S", "s.ctx", NULL);
        tpm_tool(&tpm, "tpm2_policysecret", "-S", "s.ctx", "-c", "e", NULL);
        tpm_tool(&tpm, "tpm2_activatecredential", "-c", "ak.ctx", "-C", "ek.ctx", "-i", "cred", "-o", "out", "-P",
                 "session:s.ctx", NULL);
        out = tpm_file_read(&tpm, "out");
        ck_assert_uint_eq(out.size, 32);
        ck_assert_mem_eq(out.data, VALUE, 32);
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("vtpm-credential");
        TCase *tc = tcase_create("credential");

        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_add_loop_test(tc, tpm_opens_ours_and_nobody_hears, 0, VTPM_N_EK_PROFILES);
        tcase_add_test(tc, credential_for_another_key_is_rejected);
        tcase_add_test(tc, altered_credential_is_rejected);
        tcase_add_test(tc, tpm_in_failure_mode_is_no_rejection);
        tcase_add_test(tc, points_of_every_wrong_shape_are_rejected);
        tcase_add_test(tc, oversize_credential_is_refused);
        tcase_add_test(tc, named_salt_key_is_insisted_on);
        tcase_add_loop_test(tc, failure_leaves_nothing_behind, 0, N_ELEMENTS(failures));
        tcase_add_loop_test(tc, credential_of_tpm2_makecredential_is_opened, 0, N_ELEMENTS(by_tools));
        tcase_add_loop_test(tc, ours_is_opened_by_tpm2_activatecredential, 0, N_ELEMENTS(by_tools));
        suite_add_tcase(s, tc);
        return s;
}

int main(void) {
        if (!swtpm_available())
                return unit_skip("swtpm is not installed");
        if (!program_available("tpm2_activatecredential"))
                return unit_skip("tpm2-tools is not installed");
        return unit_run(suite());
}
