/* SPDX-License-Identifier: Apache-2.0 */
/* snp-attesterd, the program, with a real TPM: who it is, credentials, sealing. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/rsa.h>

#include "agent/wire/bodies-tpm.h"
#include "tests/integration/daemon.h"
#include "tests/integration/tpm-tools.h"
#include "tests/unit/unit.h"
#include "vtpm/credential.h"
#include "vtpm/object.h"
#include "vtpm/pcr.h"
#include "vtpm/policy-signed.h"
#include "vtpm/public.h"

#define MASK (1u << 7 | 1u << 11)
#define SECRET "a secret to be sealed"

static Swtpm tpm;
static char dir[64], path[80], config[80];
static Daemon daemon_;

static void start(void) {
        ck_assert_int_eq(swtpm_start(NULL, &tpm), 0);
        daemon_make_dir(dir);
        (void) snprintf(path, sizeof(path), "%s/attester.sock", dir);
        (void) snprintf(config, sizeof(config), "%s/a.conf", dir);
        daemon_ = (Daemon){ .program = "agent/attester/snp-attesterd", .dir = dir, .config = config };
        daemon_put(dir, "a.conf", "[Attester]\nSocket=%s\n[Tpm]\nTcti=%s\nAk=ecc-p256\n", path, tpm.tcti);
        daemon_start(&daemon_);
}

static void stop(void) {
        ck_assert_int_eq(daemon_stop(&daemon_), 0);
        tpm_must_be_clean(&tpm);
        daemon_remove_dir(dir);
        swtpm_stop(&tpm);
}

static int ask(uint16_t type, const void *body, size_t size, Blob *ret, Error *e) {
        AUTO_FD int fd = -1;
        int r = wire_connect(path, deadline_in(TPM_USEC), &fd, e);

        return r < 0 ? r : wire_call(fd, type, body, size, deadline_in(TPM_USEC), ret, e);
}

static int ask_secret(uint16_t type, const void *body, size_t size, Secret *ret, Error *e) {
        AUTO_FD int fd = -1;
        int r = wire_connect(path, deadline_in(TPM_USEC), &fd, e);

        return r < 0 ? r : wire_call_secret(fd, type, body, size, deadline_in(TPM_USEC), ret, e);
}

/* ---- keys ---- */

static int ask_keys(uint8_t profile, Blob *ret, Error *e) {
        WireTpmKeysRequest q = { .deadline_msec = 20000, .ek_profile = profile };
        AUTO_BLOB Blob body = {};

        ck_assert_int_eq(wire_tpm_keys_request_encode(&q, &body), 0);
        return ask(WIRE_TPM_KEYS, body.data, body.size, ret, e);
}

static Blob copy(WireBytes b) {
        Blob c = {};

        ck_assert_int_eq(blob_dup(b.data, b.size, &c), 0);
        return c;
}

START_TEST(credential_made_for_its_keys_is_activated) {
        AUTO_VTPM_CREDENTIAL VtpmCredential c = {};
        AUTO_BLOB Blob answer = {}, ek = {}, ak = {}, file = {}, body = {};
        AUTO_SECRET Secret value = {}, got = {};
        WireActivateRequest q = { .deadline_msec = 20000, .ek_profile = (uint8_t) _i };
        WireTpmKeysAnswer keys;
        VtpmName name = {};
        Error e = {};

        tpm_must_be(ask_keys((uint8_t) _i, &answer, &e), 0, NULL, &e);
        ck_assert_int_eq(wire_tpm_keys_answer_parse(answer.data, answer.size, &keys, NULL), 0);
        ck_assert_uint_eq(keys.ak_cert.size, 0);
        ck_assert_uint_eq(keys.ek_cert.size, 0);
        ek = copy(keys.ek_public);
        ak = copy(keys.ak_public);
        ck_assert_int_eq(secret_alloc(32, &value, NULL), 0);
        (void) memset(value.bytes, 0x42, 32);
        tpm_must_be(vtpm_credential_make(&ek, &ak, &value, &c, &e), 0, NULL, &e);
        ck_assert_int_eq(vtpm_credential_encode(&c, &file), 0);
        ck_assert_int_eq(vtpm_name_of(ek.data, ek.size, &name, NULL), 0);
        q.salt_name = (WireBytes){ name.bytes, name.size };
        q.credential = (WireBytes){ file.data, file.size };
        ck_assert_int_eq(wire_activate_request_encode(&q, &body), 0);
        tpm_must_be(ask_secret(WIRE_ACTIVATE, body.data, body.size, &got, &e), 0, NULL, &e);
        ck_assert(secret_equal(&value, &got));

        blob_done(&body);
        secret_done(&got);
        name.bytes[4] ^= 1; /* not the TPM that the platform vouches for */
        ck_assert_int_eq(wire_activate_request_encode(&q, &body), 0);
        tpm_must_be(ask_secret(WIRE_ACTIVATE, body.data, body.size, &got, &e), -EKEYREJECTED, "salt-key", &e);
        ck_assert_ptr_null(got.bytes);
} END_TEST

START_TEST(certificate_comes_with_its_key) {
        AUTO_BLOB Blob answer = {}, again = {}, cert = {};
        EVP_PKEY *key = NULL, *signer = EVP_EC_gen("P-256");
        WireTpmKeysAnswer keys;
        VtpmPublic pub;
        Error e = {};

        tpm_must_be(ask_keys(1, &answer, &e), 0, NULL, &e);
        ck_assert_int_eq(wire_tpm_keys_answer_parse(answer.data, answer.size, &keys, NULL), 0);
        ck_assert_int_eq(vtpm_public_parse(keys.ek_public.data, keys.ek_public.size, &pub, NULL), 0);
        ck_assert_int_eq(vtpm_public_to_key(&pub, &key, NULL), 0);
        cert = tpm_certificate(key, signer);
        tpm_nv_put(&tpm, 0x01c0000a, cert.data, cert.size);
        tpm_must_be(ask_keys(1, &again, &e), 0, NULL, &e);
        ck_assert_int_eq(wire_tpm_keys_answer_parse(again.data, again.size, &keys, NULL), 0);
        ck_assert_uint_eq(keys.ek_cert.size, cert.size);
        ck_assert_mem_eq(keys.ek_cert.data, cert.data, cert.size);
        tpm_nv_put(&tpm, 0x01c00002, cert.data, cert.size); /* of another key: told, not passed on */
        blob_done(&again);
        tpm_must_be(ask_keys(0, &again, &e), -EBADMSG, "nv-cert-key", &e);
        EVP_PKEY_free(key);
        EVP_PKEY_free(signer);
} END_TEST

START_TEST(rubbish_is_refused_with_its_reason) {
        static const uint8_t rubbish[12] = { 0x10, 0x27 };
        WireActivateRequest q = { .deadline_msec = 20000, .credential = { rubbish, sizeof(rubbish) } };
        WireUnsealRequest u = { .deadline_msec = 20000, .sealed = { rubbish, sizeof(rubbish) } };
        AUTO_BLOB Blob body = {}, unseal = {}, answer = {};
        AUTO_SECRET Secret got = {};
        Error e = {};
        int r;

        ck_assert_int_eq(wire_activate_request_encode(&q, &body), 0);
        r = ask_secret(WIRE_ACTIVATE, body.data, body.size, &got, &e);
        ck_assert_msg(r == -EBADMSG, "%d", r);
        ck_assert_int_eq(wire_unseal_request_encode(&u, &unseal), 0);
        r = ask_secret(WIRE_UNSEAL, unseal.data, unseal.size, &got, NULL);
        ck_assert_msg(r == -EBADMSG, "%d", r);
        r = ask(WIRE_SEAL, rubbish, sizeof(rubbish), &answer, NULL); /* too short for one */
        ck_assert_msg(r == -EBADMSG, "%d", r);
        r = ask(WIRE_TPM_KEYS, rubbish, 5, &answer, NULL);
        ck_assert_int_eq(r, 0); /* 10,000 ms, profile 0: that is a request */
} END_TEST

/* ---- sealing ---- */

static int seal(WireBytes signer, bool persistent, Blob *ret, Error *e) {
        WireSealRequest q = {
                .deadline_msec = 20000, .bank = VTPM_ALG_SHA256, .pcr_mask = MASK, .persistent = persistent,
                .signer = signer, .secret = { (const uint8_t *) SECRET, sizeof(SECRET) - 1 },
        };
        AUTO_SECRET Secret body = {};

        ck_assert_int_eq(wire_seal_request_encode(&q, &body), 0);
        return ask(WIRE_SEAL, body.bytes, body.len, ret, e);
}

static int unseal(const Blob *sealed, const char *signatures, Secret *ret, Error *e) {
        WireUnsealRequest q = {
                .deadline_msec = 20000, .sealed = { sealed->data, sealed->size },
                .signatures = { signatures, signatures ? strlen(signatures) : 0 },
        };
        AUTO_BLOB Blob body = {};

        ck_assert_int_eq(wire_unseal_request_encode(&q, &body), 0);
        return ask_secret(WIRE_UNSEAL, body.data, body.size, ret, e);
}

static void extend(void) {
        tpm_tool(&tpm, "tpm2_pcrextend",
                 "11:sha256=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", NULL);
}

START_TEST(secret_is_sealed_and_opened_until_pcrs_change) {
        AUTO_SECRET Secret got = {}, none = {};
        AUTO_BLOB Blob sealed = {}, refused = {};
        Error e = {};

        tpm_must_be(seal((WireBytes){}, false, &refused, &e), -EOPNOTSUPP, "tpm-not-persistent", &e);
        e = (Error){};
        tpm_must_be(seal((WireBytes){}, true, &sealed, &e), 0, NULL, &e);
        ck_assert_ptr_null(memmem(sealed.data, sealed.size, SECRET, sizeof(SECRET) - 1));
        tpm_must_be(unseal(&sealed, NULL, &got, &e), 0, NULL, &e);
        ck_assert_uint_eq(got.len, sizeof(SECRET) - 1);
        ck_assert_mem_eq(got.bytes, SECRET, sizeof(SECRET) - 1);
        extend();
        tpm_must_be(unseal(&sealed, NULL, &none, &e), -EKEYREJECTED, "pcr-policy", &e);
        ck_assert_ptr_nonnull(strstr(e.text, "sealed: 11"));
} END_TEST

static char *signed_now(EVP_PKEY *key) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = tpm_open(tpm.tcti);
        AUTO_VTPM_POLICY_SIGNATURES VtpmPolicySignatures s = { .n = 1 };
        VtpmPcrValues values;
        char *text = NULL;
        Error e = {};

        tpm_must_be(vtpm_pcr_read(ctx, VTPM_ALG_SHA256, MASK, &values, &e), 0, NULL, &e);
        tpm_must_be(vtpm_policy_sign(key, &values, &s.items[0], &e), 0, NULL, &e);
        ck_assert_int_eq(vtpm_policy_signatures_encode(&s, &text), 0);
        return text;
}

START_TEST(signed_policies_open_too) {
        AUTO_BLOB Blob signer = {}, sealed = {};
        EVP_PKEY *key = EVP_RSA_gen(2048);
        AUTO_FREE char *text = NULL;
        AUTO_SECRET Secret got = {}, none = {};
        Error e = {};

        ck_assert_int_eq(vtpm_policy_signer(key, &signer, NULL), 0);
        tpm_must_be(seal((WireBytes){ signer.data, signer.size }, true, &sealed, &e), 0, NULL, &e);
        extend();
        tpm_must_be(unseal(&sealed, NULL, &none, &e), -EINVAL, "policy-signatures", &e);
        e = (Error){};
        tpm_must_be(unseal(&sealed, "{\"sha256\":7}", &none, &e), -EBADMSG, "json-type", &e);
        e = (Error){};
        text = signed_now(key);
        tpm_must_be(unseal(&sealed, text, &got, &e), 0, NULL, &e);
        ck_assert_mem_eq(got.bytes, SECRET, sizeof(SECRET) - 1);
        EVP_PKEY_free(key);
} END_TEST

START_TEST(without_a_tpm_it_says_so) {
        AUTO_BLOB Blob answer = {};
        Error e = {};

        ck_assert_int_eq(daemon_stop(&daemon_), 0);
        daemon_put(dir, "a.conf", "[Attester]\nSocket=%s\n", path);
        daemon_start(&daemon_);
        tpm_must_be(ask_keys(0, &answer, &e), -ENODEV, "tpm-not-configured", &e);
        e = (Error){};
        tpm_must_be(seal((WireBytes){}, true, &answer, &e), -ENODEV, "tpm-not-configured", &e);
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("agent-attester-tpm");
        TCase *tc = tcase_create("tpm");

        tcase_add_checked_fixture(tc, start, stop);
        tcase_add_loop_test(tc, credential_made_for_its_keys_is_activated, 0, WIRE_EK_PROFILES);
        tcase_add_test(tc, certificate_comes_with_its_key);
        tcase_add_test(tc, rubbish_is_refused_with_its_reason);
        tcase_add_test(tc, secret_is_sealed_and_opened_until_pcrs_change);
        tcase_add_test(tc, signed_policies_open_too);
        tcase_add_test(tc, without_a_tpm_it_says_so);
        suite_add_tcase(s, tc);
        return s;
}

int main(void) {
        if (!swtpm_available())
                return unit_skip("swtpm is not installed");
        if (!program_available("tpm2_pcrextend"))
                return unit_skip("tpm2-tools is not installed");
        return unit_run(suite());
}
