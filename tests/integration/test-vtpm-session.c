/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions against somebody on the bus who listens, or puts a key of theirs in place of the TPM's. */
#include <errno.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include "base/reader.h"
#include "base/writer.h"
#include "tests/integration/interposer.h"
#include "tests/integration/tpm-tools.h"
#include "tests/unit/unit.h"
#include "vtpm/ek.h"
#include "vtpm/object.h"
#include "vtpm/public.h"
#include "vtpm/session.h"

#define CC_CREATE_PRIMARY 0x00000131u
#define CC_NV_READ 0x0000014eu
#define CC_READ_PUBLIC 0x00000173u
#define CC_START_AUTH_SESSION 0x00000176u
#define INDEX 0x01400001u

static Swtpm tpm;
static const char secret[] = "what nobody on the bus may see, 40 bytes.";

static void setup(void) {
        ck_assert_int_eq(swtpm_start(NULL, &tpm), 0);
        tpm_nv_put(&tpm, INDEX, secret, sizeof(secret) - 1);
}

static void teardown(void) {
        swtpm_stop(&tpm);
}

static VtpmName name_of_ek(VtpmEkProfile profile) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = tpm_open(tpm.tcti);
        AUTO_BLOB Blob pub = {};
        VtpmName name = {};
        Error e = {};

        tpm_must_be(vtpm_ek_public(ctx, profile, &pub, &e), 0, NULL, &e);
        tpm_must_be(vtpm_name_of(pub.data, pub.size, &name, &e), 0, NULL, &e);
        return name;
}

static VtpmSaltKey salt_of(const VtpmName *name) {
        return (VtpmSaltKey){ .name = name->bytes, .name_size = name->size };
}

/* Reads the index in a session, or (@salt NULL) without. */
static int read_index(const char *tcti, const VtpmSaltKey *salt, uint8_t *ret, Error *e) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = tpm_open(tcti);
        AUTO_VTPM_HANDLE VtpmHandle session = VTPM_HANDLE_NONE;
        AUTO_VTPM_HANDLE VtpmHandle index = VTPM_HANDLE_NONE;
        AUTO_ESYS_FREE TPM2B_MAX_NV_BUFFER *data = NULL;
        ESYS_CONTEXT *esys = vtpm_context_esys(ctx);
        ESYS_TR tr = ESYS_TR_NONE;
        int r;

        if (salt) {
                r = vtpm_session_start(ctx, VTPM_SESSION_HMAC, salt, &session, e);
                if (r < 0)
                        return r;
        }
        ck_assert_uint_eq(Esys_TR_FromTPMPublic(esys, INDEX, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &tr), 0);
        index = (VtpmHandle){ .ctx = ctx, .tr = tr, .keep = true };
        r = VTPM_CALL(ctx, "TPM2_NV_Read",
                      Esys_NV_Read_Async(esys, ESYS_TR_RH_OWNER, tr, ESYS_TR_PASSWORD, session.tr, ESYS_TR_NONE,
                                         sizeof(secret) - 1, 0),
                      Esys_NV_Read_Finish(esys, &data), e);
        if (r == 0) {
                ck_assert_uint_eq(data->size, sizeof(secret) - 1);
                (void) memcpy(ret, data->buffer, data->size);
        }
        return r;
}

START_TEST(secret_does_not_cross_the_bus_in_the_clear) {
        InterposerOptions options = { .upstream = &tpm, .record = true };
        VtpmName name = name_of_ek((VtpmEkProfile) _i);
        VtpmSaltKey salt = salt_of(&name);
        uint8_t got[sizeof(secret)] = {};
        Interposer i;
        Error e = {};

        ck_assert_int_eq(interposer_start(&options, &i), 0);
        tpm_must_be(read_index(i.tcti, &salt, got, &e), 0, NULL, &e);
        ck_assert_mem_eq(got, secret, sizeof(secret) - 1);
        ck_assert(!interposer_saw(&i, secret, 8));
        /* That the listener would have heard it: */
        tpm_must_be(read_index(i.tcti, NULL, got, &e), 0, NULL, &e);
        ck_assert(interposer_saw(&i, secret, sizeof(secret) - 1));
        interposer_stop(&i);
        tpm_must_be_clean(&tpm);
} END_TEST

START_TEST(without_an_expected_name_whatever_the_tpm_has_is_taken) {
        VtpmSaltKey any = {};
        uint8_t got[sizeof(secret)] = {};
        Error e = {};

        tpm_must_be(read_index(tpm.tcti, &any, got, &e), 0, NULL, &e);
        ck_assert_mem_eq(got, secret, sizeof(secret) - 1);
        tpm_must_be_clean(&tpm);
} END_TEST

START_TEST(persistent_key_is_used_for_the_salt) {
        VtpmName name = name_of_ek(VTPM_EK_RSA2048);
        VtpmSaltKey salt = salt_of(&name);
        uint8_t got[sizeof(secret)] = {};
        Error e = {};

        tpm_tool(&tpm, "tpm2_createek", "-G", "rsa", "-c", "0x81010001", NULL);
        tpm_must_be(read_index(tpm.tcti, &salt, got, &e), 0, NULL, &e);
        tpm_must_be_clean(&tpm);
} END_TEST

START_TEST(another_key_than_expected_is_refused) {
        VtpmName name = name_of_ek(VTPM_EK_RSA2048);
        VtpmSaltKey salt = salt_of(&name);
        uint8_t got[sizeof(secret)] = {};
        Error e = {};

        name.bytes[name.size - 1] ^= 1;
        tpm_must_be(read_index(tpm.tcti, &salt, got, &e), -EKEYREJECTED, "salt-key", &e);
        e = (Error){};
        salt.name_size = 1; /* no name at all */
        tpm_must_be(read_index(tpm.tcti, &salt, got, &e), -EKEYREJECTED, "salt-key", &e);
        tpm_must_be_clean(&tpm);
} END_TEST

/* ---- somebody with an RSA key of theirs ---- */

static uint8_t their_modulus[256];

static void make_their_key(void) {
        EVP_PKEY *key = EVP_RSA_gen(2048);
        BIGNUM *n = NULL;

        ck_assert_int_eq(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n), 1);
        ck_assert_int_eq(BN_bn2binpad(n, their_modulus, sizeof(their_modulus)), sizeof(their_modulus));
        BN_free(n);
        EVP_PKEY_free(key);
}

/* Puts their modulus into a TPM2B_PUBLIC at @at and, if @whole, the name that goes with it where the old one stood. */
static void substitute(uint8_t *answer, size_t size, size_t at, bool whole) {
        VtpmName old, new;
        size_t n;
        uint8_t *name;

        if (size < at + 2)
                _exit(1);
        n = load_be16(answer + at);
        if (size < at + 2 + n || vtpm_name_of(answer + at + 2, n, &old, NULL) < 0)
                _exit(1);
        (void) memcpy(answer + at + 2 + n - sizeof(their_modulus), their_modulus, sizeof(their_modulus));
        if (vtpm_name_of(answer + at + 2, n, &new, NULL) < 0)
                _exit(1);
        name = memmem(answer, size, old.bytes, old.size);
        if (!name)
                _exit(1);
        if (whole)
                (void) memcpy(name, new.bytes, new.size);
}

/* TPM 2.0 Library Part 3: header; for CreatePrimary then handle and u32 size of parameters; TPM2B_PUBLIC. */
static void substitute_primary(uint8_t *answer, size_t size) {
        substitute(answer, size, 18, true);
}

static void substitute_persistent(uint8_t *answer, size_t size) {
        if (size > 10 + 256)
                substitute(answer, size, 10, true);
}

static void substitute_but_for_the_name(uint8_t *answer, size_t size) {
        if (size > 10 + 256)
                substitute(answer, size, 10, false);
}

static const struct {
        const char *why;
        uint32_t command;
        void (*alter)(uint8_t *answer, size_t size);
        bool persistent;
        const char *reason;
} substitutions[] = {
        { "derived key", CC_CREATE_PRIMARY, substitute_primary, false, "salt-key" },
        { "persistent key", CC_READ_PUBLIC, substitute_persistent, true, "salt-key" },
        { "persistent key under the right name", CC_READ_PUBLIC, substitute_but_for_the_name, true, "tpm-name" },
};

START_TEST(interposers_key_is_detected) {
        InterposerOptions options = {
                .upstream = &tpm, .act = INTERPOSER_ALTER, .alter = substitutions[_i].alter,
                .command = substitutions[_i].command, .n_act = 1, .record = true,
        };
        VtpmName name = name_of_ek(VTPM_EK_RSA2048);
        VtpmSaltKey salt = salt_of(&name);
        uint8_t got[sizeof(secret)] = {};
        Interposer i;
        Error e = {};

        make_their_key();
        if (substitutions[_i].persistent)
                tpm_tool(&tpm, "tpm2_createek", "-G", "rsa", "-c", "0x81010001", NULL);
        ck_assert_int_eq(interposer_start(&options, &i), 0);
        tpm_must_be(read_index(i.tcti, &salt, got, &e), -EKEYREJECTED, substitutions[_i].reason, &e);
        ck_assert(interposer_saw(&i, their_modulus, sizeof(their_modulus))); /* it did happen */
        interposer_stop(&i);
        tpm_must_be_clean(&tpm);
} END_TEST

START_TEST(unnamed_key_is_no_protection_from_an_interposer) {
        /* Documented in vtpm/session.h; here so that nobody takes the salt alone for more than it is. */
        InterposerOptions options = {
                .upstream = &tpm, .act = INTERPOSER_ALTER, .alter = substitute_primary, .command = CC_CREATE_PRIMARY,
        };
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        AUTO_VTPM_HANDLE VtpmHandle key = VTPM_HANDLE_NONE;
        AUTO_BLOB Blob pub = {};
        Interposer i;
        Error e = {};

        make_their_key();
        ck_assert_int_eq(interposer_start(&options, &i), 0);
        ctx = tpm_open(i.tcti);
        tpm_must_be(vtpm_ek_load(ctx, VTPM_EK_RSA2048, &key, &pub, &e), 0, NULL, &e);
        ck_assert_mem_eq(pub.data + pub.size - sizeof(their_modulus), their_modulus, sizeof(their_modulus));
        vtpm_handle_done(&key);
        vtpm_context_free(TAKE_PTR(ctx));
        interposer_stop(&i);
} END_TEST

/* ---- somebody who changes what is read ---- */

static void change_a_bit(uint8_t *answer, size_t size) {
        answer[size / 3] ^= 1; /* within the encrypted data */
}

START_TEST(altered_answer_is_detected) {
        InterposerOptions options = {
                .upstream = &tpm, .act = INTERPOSER_ALTER, .alter = change_a_bit, .command = CC_NV_READ,
        };
        VtpmName name = name_of_ek(VTPM_EK_ECC_P256);
        VtpmSaltKey salt = salt_of(&name);
        uint8_t got[sizeof(secret)] = {};
        Interposer i;
        Error e = {};

        ck_assert_int_eq(interposer_start(&options, &i), 0);
        tpm_must_be(read_index(i.tcti, &salt, got, &e), -EKEYREJECTED, "tpm-response-auth", &e);
        interposer_stop(&i);
        tpm_tool(&tpm, "tpm2_flushcontext", "-l", NULL); /* a bus that lies: nothing was sent any more */
        tpm_must_be_clean(&tpm);
} END_TEST

/* ---- every way to fail leaves the TPM clean ---- */

static const struct {
        const char *why;
        InterposerAct act;
        uint32_t command;
        uint32_t rc;
        int code;
        const char *reason;
} failures[] = {
        { "no slot for the key", INTERPOSER_CODE, CC_CREATE_PRIMARY, TPM2_RC_OBJECT_MEMORY, -EBUSY, "tpm-full" },
        { "no slot for the session", INTERPOSER_CODE, CC_START_AUTH_SESSION, TPM2_RC_SESSION_MEMORY, -EBUSY, "tpm-full" },
        { "lockout", INTERPOSER_CODE, CC_START_AUTH_SESSION, TPM2_RC_LOCKOUT, -EACCES, "tpm-lockout" },
        { "session refused", INTERPOSER_CODE, CC_START_AUTH_SESSION, TPM2_RC_VALUE | TPM2_RC_P | TPM2_RC_2, -EIO,
          "tpm-error" },
        { "NV refused in the session", INTERPOSER_CODE, CC_NV_READ, TPM2_RC_NV_LOCKED, -EACCES, "nv-locked" },
};

START_TEST(failure_leaves_nothing_behind) {
        InterposerOptions options = {
                .upstream = &tpm, .act = failures[_i].act, .command = failures[_i].command, .code = failures[_i].rc,
        };
        VtpmName name = name_of_ek(VTPM_EK_RSA2048);
        VtpmSaltKey salt = salt_of(&name);
        uint8_t got[sizeof(secret)] = {};
        Interposer i;
        Error e = {};
        int r;

        ck_assert_int_eq(interposer_start(&options, &i), 0);
        r = read_index(i.tcti, &salt, got, &e);
        ck_assert_msg(r == failures[_i].code, "%s: %d %s", failures[_i].why, r, error_text(&e, r));
        interposer_stop(&i);
        tpm_must_be_clean(&tpm);
} END_TEST

static const struct {
        InterposerAct act;
        uint32_t command;
        int code;
} breaks[] = {
        { INTERPOSER_HANG, CC_START_AUTH_SESSION, -ETIMEDOUT },
        { INTERPOSER_HANG_MIDWAY, CC_START_AUTH_SESSION, -ETIMEDOUT },
        { INTERPOSER_HANG, CC_NV_READ, -ETIMEDOUT },
        { INTERPOSER_CLOSE, CC_START_AUTH_SESSION, -ECONNRESET },
        { INTERPOSER_GONE, CC_NV_READ, -ECONNRESET },
        { INTERPOSER_GARBAGE, CC_START_AUTH_SESSION, -EBADMSG },
};

START_TEST(broken_bus_is_told_in_time) {
        InterposerOptions options = { .upstream = &tpm, .act = breaks[_i].act, .command = breaks[_i].command };
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        AUTO_VTPM_HANDLE VtpmHandle session = VTPM_HANDLE_NONE;
        Deadline latest = deadline_in(4 * USEC_PER_SEC);
        VtpmSaltKey any = {};
        Interposer i;
        Error e = {};
        int r;

        ck_assert_int_eq(interposer_start(&options, &i), 0);
        ck_assert_int_eq(vtpm_context_open(i.tcti, deadline_in(breaks[_i].code == -ETIMEDOUT ? USEC_PER_SEC : TPM_USEC),
                                           &ctx, &e), 0);
        r = vtpm_session_start(ctx, VTPM_SESSION_HMAC, &any, &session, &e);
        if (breaks[_i].command == CC_NV_READ) {
                AUTO_ESYS_FREE TPM2B_MAX_NV_BUFFER *data = NULL;
                ESYS_TR tr = ESYS_TR_NONE;
                ESYS_CONTEXT *esys = vtpm_context_esys(ctx);

                tpm_must_be(r, 0, NULL, &e);
                ck_assert_uint_eq(Esys_TR_FromTPMPublic(esys, INDEX, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &tr), 0);
                r = VTPM_CALL(ctx, "TPM2_NV_Read",
                              Esys_NV_Read_Async(esys, ESYS_TR_RH_OWNER, tr, ESYS_TR_PASSWORD, session.tr, ESYS_TR_NONE,
                                                 8, 0),
                              Esys_NV_Read_Finish(esys, &data), &e);
        }
        ck_assert_msg(r == breaks[_i].code, "%d: %s", r, error_text(&e, r));
        vtpm_handle_done(&session); /* sends nothing through a bus that failed */
        if (breaks[_i].code == -ETIMEDOUT)
                ck_assert(!deadline_expired(latest));
        interposer_stop(&i);
} END_TEST

START_TEST(session_cut_short_on_the_bus_reads_nothing) {
        /* SAPI 3.2 takes the missing bytes of the nonce from its buffer; no command is then authenticated. */
        InterposerOptions options = {
                .upstream = &tpm, .act = INTERPOSER_WRONG_SIZE, .command = CC_START_AUTH_SESSION,
        };
        uint8_t got[sizeof(secret)] = {};
        VtpmSaltKey any = {};
        Interposer i;
        Error e = {};
        int r;

        ck_assert_int_eq(interposer_start(&options, &i), 0);
        r = read_index(i.tcti, &any, got, &e);
        ck_assert_msg(r == -EACCES || r == -EBADMSG, "%d: %s", r, error_text(&e, r));
        ck_assert(bytes_are_zero(got, sizeof(got)));
        interposer_stop(&i);
} END_TEST

START_TEST(trial_sessions_need_no_key) {
        InterposerOptions options = {
                .upstream = &tpm, .act = INTERPOSER_CODE, .command = CC_CREATE_PRIMARY, .code = TPM2_RC_FAILURE,
        };
        static const VtpmSessionKind kinds[] = { VTPM_SESSION_TRIAL, VTPM_SESSION_POLICY, VTPM_SESSION_HMAC };
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        VtpmSaltKey any = {};
        Interposer i;
        Error e = {};

        ck_assert_int_eq(interposer_start(&options, &i), 0);
        ctx = tpm_open(i.tcti);
        for (size_t n = 0; n < N_ELEMENTS(kinds); n++) {
                AUTO_VTPM_HANDLE VtpmHandle session = VTPM_HANDLE_NONE;

                tpm_must_be(vtpm_session_start(ctx, kinds[n], kinds[n] == VTPM_SESSION_TRIAL ? &any : NULL, &session,
                                               &e), 0, NULL, &e);
        }
        vtpm_context_free(TAKE_PTR(ctx));
        interposer_stop(&i);
        tpm_must_be_clean(&tpm);
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("vtpm-session");
        TCase *tc = tcase_create("session");

        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_add_loop_test(tc, secret_does_not_cross_the_bus_in_the_clear, 0, VTPM_N_EK_PROFILES);
        tcase_add_test(tc, without_an_expected_name_whatever_the_tpm_has_is_taken);
        tcase_add_test(tc, persistent_key_is_used_for_the_salt);
        tcase_add_test(tc, another_key_than_expected_is_refused);
        tcase_add_loop_test(tc, interposers_key_is_detected, 0, N_ELEMENTS(substitutions));
        tcase_add_test(tc, unnamed_key_is_no_protection_from_an_interposer);
        tcase_add_test(tc, altered_answer_is_detected);
        tcase_add_loop_test(tc, failure_leaves_nothing_behind, 0, N_ELEMENTS(failures));
        tcase_add_loop_test(tc, broken_bus_is_told_in_time, 0, N_ELEMENTS(breaks));
        tcase_add_test(tc, session_cut_short_on_the_bus_reads_nothing);
        tcase_add_test(tc, trial_sessions_need_no_key);
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
