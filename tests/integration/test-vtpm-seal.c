/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing with a real TPM (swtpm): what opens, what does not and why, and what is left in the TPM. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/rsa.h>

#include "base/reader.h"
#include "base/writer.h"
#include "tests/integration/interposer.h"
#include "tests/integration/tpm-tools.h"
#include "tests/unit/unit.h"
#include "vtpm/ek.h"
#include "vtpm/object.h"
#include "vtpm/pcr.h"
#include "vtpm/seal.h"
#include "vtpm/storage.h"

#define SECRET "what is sealed, and nobody may hear"
#define SECRET_SIZE (sizeof(SECRET) - 1)
#define MASK (1u << 4 | 1u << 10 | 1u << 11)
#define VALUE "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

/* TPM 2.0 Library Part 2, "TPM_CC" */
#define CC_CREATE_PRIMARY 0x00000131u
#define CC_CREATE 0x00000153u
#define CC_LOAD 0x00000157u
#define CC_UNSEAL 0x0000015eu
#define CC_POLICY_AUTHORIZE 0x0000016au
#define CC_PCR_READ 0x0000017eu
#define CC_POLICY_PCR 0x0000017fu
#define CC_VERIFY_SIGNATURE 0x00000177u

static Swtpm tpm;
static EVP_PKEY *key;
static Blob signer;

static void setup(void) {
        ck_assert_int_eq(swtpm_start(NULL, &tpm), 0);
        key = EVP_RSA_gen(2048);
        ck_assert_int_eq(vtpm_policy_signer(key, &signer, NULL), 0);
}

static void teardown(void) {
        EVP_PKEY_free(key);
        blob_done(&signer);
        swtpm_stop(&tpm);
}

static VtpmSealRequest request(VtpmSealKind kind) {
        return (VtpmSealRequest){
                .kind = kind, .bank = VTPM_ALG_SHA256, .pcr_mask = MASK, .persistent = true,
                .signer = kind == VTPM_SEAL_SIGNED ? &signer : NULL,
        };
}

static Secret secret_of(const char *text, size_t size) {
        Secret s = {};

        ck_assert_int_eq(secret_alloc(size, &s, NULL), 0);
        (void) memcpy(s.bytes, text, size);
        return s;
}

static int seal(const char *tcti, const VtpmSealRequest *q, VtpmSealed *ret, Error *e) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = tpm_open(tcti);
        AUTO_SECRET Secret s = secret_of(SECRET, SECRET_SIZE);

        return vtpm_seal(ctx, q, &s, ret, e);
}

static VtpmSealed must_seal(VtpmSealKind kind) {
        VtpmSealRequest q = request(kind);
        VtpmSealed s = {};
        Error e = {};

        tpm_must_be(seal(tpm.tcti, &q, &s, &e), 0, NULL, &e);
        return s;
}

static int unseal(const char *tcti, const VtpmSealed *s, const VtpmPolicySignatures *signatures, Secret *ret, Error *e) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = tpm_open(tcti);
        VtpmUnsealRequest q = { .signatures = signatures };

        return vtpm_unseal(ctx, s, &q, ret, e);
}

static void must_open(const char *tcti, const VtpmSealed *s, const VtpmPolicySignatures *signatures) {
        AUTO_SECRET Secret got = {};
        Error e = {};

        tpm_must_be(unseal(tcti, s, signatures, &got, &e), 0, NULL, &e);
        ck_assert_uint_eq(got.len, SECRET_SIZE);
        ck_assert_mem_eq(got.bytes, SECRET, SECRET_SIZE);
}

static void must_stay_shut(const char *tcti, const VtpmSealed *s, const VtpmPolicySignatures *signatures, int code,
                           const char *reason, const char *words) {
        AUTO_SECRET Secret got = {};
        Error e = {};

        tpm_must_be(unseal(tcti, s, signatures, &got, &e), code, reason, &e);
        ck_assert_ptr_null(got.bytes);
        if (words)
                ck_assert_msg(strstr(e.text, words), "%s", e.text);
}

static VtpmPcrValues pcrs_now(void) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = tpm_open(tpm.tcti);
        VtpmPcrValues v;
        Error e = {};

        tpm_must_be(vtpm_pcr_read(ctx, VTPM_ALG_SHA256, MASK, &v, &e), 0, NULL, &e);
        return v;
}

static VtpmPolicySignatures sign_now(void) {
        VtpmPcrValues v = pcrs_now();
        VtpmPolicySignatures s = { .n = 1 };

        ck_assert_int_eq(vtpm_policy_sign(key, &v, &s.items[0], NULL), 0);
        return s;
}

static void extend(const char *pcr) {
        AUTO_FREE char *spec = NULL;

        ck_assert_int_gt(asprintf(&spec, "%s:sha256=" VALUE, pcr), 0);
        tpm_tool(&tpm, "tpm2_pcrextend", spec, NULL);
}

/* ---- to PCR values ---- */

START_TEST(sealed_opens_while_pcrs_are_the_same) {
        AUTO_VTPM_SEALED VtpmSealed s = must_seal(VTPM_SEAL_PCR), again = {};
        AUTO_BLOB Blob file = {};

        must_open(tpm.tcti, &s, NULL);
        ck_assert_int_eq(vtpm_sealed_encode(&s, &file), 0); /* by way of a disk */
        ck_assert_int_eq(vtpm_sealed_parse(file.data, file.size, &again, NULL), 0);
        must_open(tpm.tcti, &again, NULL);
        extend("12"); /* not one of them */
        must_open(tpm.tcti, &again, NULL);
        tpm_must_be_clean(&tpm);
} END_TEST

START_TEST(other_pcrs_are_named) {
        AUTO_VTPM_SEALED VtpmSealed s = must_seal(VTPM_SEAL_PCR);

        extend("10");
        must_stay_shut(tpm.tcti, &s, NULL, -EKEYREJECTED, "pcr-policy", "sealed: 10");
        extend("4");
        must_stay_shut(tpm.tcti, &s, NULL, -EKEYREJECTED, "pcr-policy", "sealed: 4, 10");
        tpm_must_be_clean(&tpm);
} END_TEST

START_TEST(it_may_be_sealed_to_values_that_are_to_come) {
        VtpmSealRequest q = request(VTPM_SEAL_PCR);
        AUTO_VTPM_SEALED VtpmSealed s = {};
        VtpmPcrValues then = pcrs_now();
        uint8_t both[64] = {}, value[32] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb,
                                             0xcc, 0xdd, 0xee, 0xff };
        Error e = {};

        (void) memcpy(value + 16, value, 16);
        (void) memcpy(both, then.values[11], 32);
        (void) memcpy(both + 32, value, 32);
        ck_assert_int_eq(vtpm_hash_bytes(VTPM_ALG_SHA256, both, 64, then.values[11], NULL), 0);
        q.pcrs = &then;
        tpm_must_be(seal(tpm.tcti, &q, &s, &e), 0, NULL, &e);
        must_stay_shut(tpm.tcti, &s, NULL, -EKEYREJECTED, "pcr-policy", "sealed: 11");
        extend("11");
        must_open(tpm.tcti, &s, NULL);
} END_TEST

START_TEST(other_banks_do_too) {
        VtpmSealRequest q = request(VTPM_SEAL_PCR);
        AUTO_VTPM_SEALED VtpmSealed s = {};
        Error e = {};

        q.bank = VTPM_ALG_SHA384;
        tpm_must_be(seal(tpm.tcti, &q, &s, &e), 0, NULL, &e);
        must_open(tpm.tcti, &s, NULL);
} END_TEST

START_TEST(one_byte_and_the_most_can_be_sealed) {
        static const size_t sizes[] = { 1, VTPM_SEAL_SECRET_MAX };
        static const char text[VTPM_SEAL_SECRET_MAX] = "x";

        for (size_t i = 0; i < N_ELEMENTS(sizes); i++) {
                CLEANUP(vtpm_context_freep) VtpmContext *ctx = tpm_open(tpm.tcti);
                AUTO_SECRET Secret s = secret_of(text, sizes[i]), got = {};
                VtpmSealRequest q = request(VTPM_SEAL_PCR);
                AUTO_VTPM_SEALED VtpmSealed sealed = {};
                VtpmUnsealRequest u = {};
                Error e = {};

                tpm_must_be(vtpm_seal(ctx, &q, &s, &sealed, &e), 0, NULL, &e);
                tpm_must_be(vtpm_unseal(ctx, &sealed, &u, &got, &e), 0, NULL, &e);
                ck_assert(secret_equal(&s, &got));
        }
} END_TEST

/* ---- to signed policies ---- */

START_TEST(signed_policy_opens_and_follows_updates) {
        AUTO_VTPM_SEALED VtpmSealed s = must_seal(VTPM_SEAL_SIGNED);
        AUTO_VTPM_POLICY_SIGNATURES VtpmPolicySignatures first = sign_now(), second = {};

        must_open(tpm.tcti, &s, &first);
        extend("11");
        must_stay_shut(tpm.tcti, &s, &first, -EKEYREJECTED, "pcr-policy", "sealed: 11");
        second = sign_now(); /* an update that its maker has signed */
        must_open(tpm.tcti, &s, &second);
        tpm_must_be_clean(&tpm);
} END_TEST

START_TEST(signature_of_another_key_does_not_open) {
        AUTO_VTPM_SEALED VtpmSealed s = must_seal(VTPM_SEAL_SIGNED);
        AUTO_VTPM_POLICY_SIGNATURES VtpmPolicySignatures good = sign_now(), theirs = {};
        EVP_PKEY *mine = key;

        must_stay_shut(tpm.tcti, &s, NULL, -EINVAL, "policy-signatures", NULL);
        key = EVP_RSA_gen(2048);
        theirs = sign_now();
        must_stay_shut(tpm.tcti, &s, &theirs, -EKEYREJECTED, "pcr-policy", "sealed: none");
        (void) memcpy(theirs.items[0].key, good.items[0].key, 32); /* under a false name */
        must_stay_shut(tpm.tcti, &s, &theirs, -EKEYREJECTED, "policy-signature", NULL);
        EVP_PKEY_free(key);
        key = mine;
        tpm_must_be_clean(&tpm);
} END_TEST

START_TEST(the_tpm_verifies_signatures_itself) {
        /* Nobody has to trust our own check: the TPM refuses what it has not verified. */
        AUTO_VTPM_SEALED VtpmSealed s = must_seal(VTPM_SEAL_SIGNED);
        AUTO_VTPM_POLICY_SIGNATURES VtpmPolicySignatures good = sign_now();
        InterposerOptions options = {
                .upstream = &tpm, .act = INTERPOSER_CODE, .command = CC_VERIFY_SIGNATURE,
                .code = TPM2_RC_SIGNATURE | TPM2_RC_P | TPM2_RC_2,
        };
        Interposer i;

        ck_assert_int_eq(interposer_start(&options, &i), 0);
        must_stay_shut(i.tcti, &s, &good, -EIO, "tpm-error", NULL);
        interposer_stop(&i);
        tpm_must_be_clean(&tpm);
} END_TEST

/* ---- the bus ---- */

START_TEST(secret_does_not_cross_the_bus_in_the_clear) {
        InterposerOptions options = { .upstream = &tpm, .record = true };
        VtpmSealRequest q = request(_i == 0 ? VTPM_SEAL_PCR : VTPM_SEAL_SIGNED);
        AUTO_VTPM_POLICY_SIGNATURES VtpmPolicySignatures good = sign_now();
        AUTO_VTPM_SEALED VtpmSealed s = {};
        Interposer i;
        Error e = {};

        ck_assert_int_eq(interposer_start(&options, &i), 0);
        tpm_must_be(seal(i.tcti, &q, &s, &e), 0, NULL, &e);
        must_open(i.tcti, &s, &good);
        ck_assert(!interposer_saw(&i, SECRET, 8));
        ck_assert(interposer_saw(&i, s.public.data, s.public.size)); /* that it does listen */
        interposer_stop(&i);
        tpm_must_be_clean(&tpm);
} END_TEST

static void lie_about_pcrs(uint8_t *answer, size_t size) {
        answer[size - 1] ^= 1; /* the last byte of the last value */
}

START_TEST(false_pcr_values_are_not_sealed_to) {
        InterposerOptions options = {
                .upstream = &tpm, .act = INTERPOSER_ALTER, .alter = lie_about_pcrs, .command = CC_PCR_READ,
        };
        VtpmSealRequest q = request(VTPM_SEAL_PCR);
        AUTO_VTPM_SEALED VtpmSealed s = {};
        Interposer i;
        Error e = {};

        ck_assert_int_eq(interposer_start(&options, &i), 0);
        tpm_must_be(seal(i.tcti, &q, &s, &e), -EAGAIN, "pcr-unstable", &e); /* it says one thing, the TPM another */
        ck_assert_ptr_null(s.public.data);
        interposer_stop(&i);
        tpm_must_be_clean(&tpm);
} END_TEST

START_TEST(named_salt_key_is_insisted_on) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = tpm_open(tpm.tcti);
        AUTO_SECRET Secret s = secret_of(SECRET, SECRET_SIZE), got = {};
        VtpmSealRequest q = request(VTPM_SEAL_PCR);
        AUTO_VTPM_SEALED VtpmSealed sealed = {}, none = {};
        VtpmUnsealRequest u = {};
        AUTO_BLOB Blob ek = {};
        VtpmName name = {};
        Error e = {};

        tpm_must_be(vtpm_ek_public(ctx, VTPM_EK_ECC_P384, &ek, &e), 0, NULL, &e);
        ck_assert_int_eq(vtpm_name_of(ek.data, ek.size, &name, NULL), 0);
        q.salt_name = u.salt_name = name.bytes;
        q.salt_name_size = u.salt_name_size = name.size;
        tpm_must_be(vtpm_seal(ctx, &q, &s, &sealed, &e), 0, NULL, &e);
        tpm_must_be(vtpm_unseal(ctx, &sealed, &u, &got, &e), 0, NULL, &e);
        name.bytes[3] ^= 1;
        tpm_must_be(vtpm_seal(ctx, &q, &s, &none, &e), -EKEYREJECTED, "salt-key", &e);
        e = (Error){};
        secret_done(&got);
        tpm_must_be(vtpm_unseal(ctx, &sealed, &u, &got, &e), -EKEYREJECTED, "salt-key", &e);
} END_TEST

/* ---- memory ---- */

#define HIDE 0xa5u /* what is looked for is kept in another form, or it would be found where it is kept */

static bool is_here(const uint8_t *p, const uint8_t *hidden, size_t size) {
        for (size_t i = 0; i < size; i++)
                if ((p[i] ^ HIDE) != hidden[i])
                        return false;
        return true;
}

/* How often these bytes are in what this process can write to. */
static unsigned count_in_memory(const uint8_t *hidden, size_t size) {
        FILE *maps = fopen("/proc/self/maps", "re");
        char line[512], mode[5];
        unsigned long from, to;
        unsigned n = 0;

        ck_assert_ptr_nonnull(maps);
        while (fgets(line, sizeof(line), maps))
                if (sscanf(line, "%lx-%lx %4s", &from, &to, mode) == 3 && strncmp(mode, "rw", 2) == 0)
                        for (const uint8_t *p = (const uint8_t *) from; p + size <= (const uint8_t *) to; p++)
                                n += is_here(p, hidden, size);
        (void) fclose(maps);
        return n;
}

START_TEST(nothing_of_the_secret_stays_in_memory) {
#if defined(__SANITIZE_ADDRESS__)
        return; /* keeps what is freed, to look for uses of it */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
        return;
#endif
#endif
        VtpmSealRequest q = request(VTPM_SEAL_PCR);
        AUTO_VTPM_SEALED VtpmSealed s = {};
        VtpmUnsealRequest u = {};
        AUTO_SECRET Secret secret = {}, got = {};
        VtpmContext *ctx = tpm_open(tpm.tcti);
        uint8_t hidden[24];
        Error e = {};

        ck_assert_int_eq(secret_alloc(sizeof(hidden), &secret, NULL), 0);
        for (size_t i = 0; i < sizeof(hidden); i++) {
                secret.bytes[i] = (uint8_t) (37 * i + 11);
                hidden[i] = secret.bytes[i] ^ HIDE;
        }
        tpm_must_be(vtpm_seal(ctx, &q, &secret, &s, &e), 0, NULL, &e);
        tpm_must_be(vtpm_unseal(ctx, &s, &u, &got, &e), 0, NULL, &e);
        ck_assert_uint_ge(count_in_memory(hidden, sizeof(hidden)), 2); /* what is looked for is found */
        secret_done(&secret);
        secret_done(&got);
        vtpm_context_free(ctx);
        ck_assert_uint_eq(count_in_memory(hidden, sizeof(hidden)), 0);
} END_TEST

/* ---- PCRs that change meanwhile ---- */

START_TEST(change_of_another_pcr_meanwhile_is_survived) {
        /* PCR 10 is extended after TPM2_PolicyPCR: TPM2_Unseal answers PCR_CHANGED whichever PCR it was. */
        InterposerOptions options = { .upstream = &tpm, .command = CC_POLICY_PCR, .n_extend = 2 };
        VtpmSealRequest q = request(VTPM_SEAL_PCR);
        AUTO_VTPM_SEALED VtpmSealed s = {};
        Interposer i;
        Error e = {};

        q.pcr_mask = 1u << 4;
        tpm_must_be(seal(tpm.tcti, &q, &s, &e), 0, NULL, &e);
        ck_assert_int_eq(interposer_start(&options, &i), 0);
        must_open(i.tcti, &s, NULL);
        interposer_stop(&i);
        tpm_must_be_clean(&tpm);
} END_TEST

START_TEST(change_of_a_sealed_pcr_meanwhile_is_told) {
        InterposerOptions options = { .upstream = &tpm, .command = CC_POLICY_PCR, .n_extend = 1 };
        AUTO_VTPM_SEALED VtpmSealed s = must_seal(VTPM_SEAL_PCR);
        Interposer i;

        ck_assert_int_eq(interposer_start(&options, &i), 0);
        must_stay_shut(i.tcti, &s, NULL, -EKEYREJECTED, "pcr-policy", "sealed: 10");
        interposer_stop(&i);
        tpm_must_be_clean(&tpm);
} END_TEST

START_TEST(pcrs_that_never_hold_still_are_given_up) {
        InterposerOptions options = { .upstream = &tpm, .command = CC_POLICY_PCR, .n_extend = 100 };
        VtpmSealRequest q = request(VTPM_SEAL_PCR);
        AUTO_VTPM_SEALED VtpmSealed s = {};
        Interposer i;
        Error e = {};

        q.pcr_mask = 1u << 4;
        tpm_must_be(seal(tpm.tcti, &q, &s, &e), 0, NULL, &e);
        ck_assert_int_eq(interposer_start(&options, &i), 0);
        must_stay_shut(i.tcti, &s, NULL, -EAGAIN, "pcr-unstable", NULL);
        interposer_stop(&i);
        tpm_must_be_clean(&tpm);
} END_TEST

START_TEST(change_between_reading_and_signed_policy_is_seen) {
        /* PCR 10 changes after it was read; the signature found is for the value before. */
        InterposerOptions options = { .upstream = &tpm, .command = CC_PCR_READ, .n_extend = 1 };
        AUTO_VTPM_SEALED VtpmSealed s = must_seal(VTPM_SEAL_SIGNED);
        AUTO_VTPM_POLICY_SIGNATURES VtpmPolicySignatures good = sign_now();
        Interposer i;

        ck_assert_int_eq(interposer_start(&options, &i), 0);
        must_stay_shut(i.tcti, &s, &good, -EKEYREJECTED, "pcr-policy", "sealed: 10");
        interposer_stop(&i);
        tpm_must_be_clean(&tpm);
} END_TEST

/* ---- what is refused ---- */

static VtpmPcrValues some_values = { .hash = VTPM_ALG_SHA256, .mask = 1 };

START_TEST(senseless_requests_are_refused) {
        VtpmSealRequest q[9];
        static const struct { int code; const char *reason; } want[N_ELEMENTS(q)] = {
                { -EOPNOTSUPP, "tpm-not-persistent" }, { -EINVAL, "pcr-selection" }, { -EINVAL, "seal-request" },
                { -EINVAL, "seal-request" }, { -EINVAL, "seal-request" }, { -EINVAL, "seal-request" },
                { -EINVAL, "seal-request" }, { -EINVAL, "seal-request" }, { -EBADMSG, "malformed" },
        };
        Blob no_key = { .data = signer.data, .size = 1 };

        for (size_t i = 0; i < N_ELEMENTS(q); i++)
                q[i] = request(i == 5 || i == 7 || i == 8 ? VTPM_SEAL_SIGNED : VTPM_SEAL_PCR);
        q[0].persistent = false;
        q[1].pcr_mask = 0;
        q[2].bank = VTPM_ALG_SHA1;
        q[3].kind = (VtpmSealKind) 0;
        q[4].signer = &signer;
        q[5].signer = NULL;
        q[6].pcrs = &some_values; /* of other PCRs */
        q[7].pcrs = &some_values;
        q[8].signer = &no_key;
        for (size_t i = 0; i < N_ELEMENTS(q); i++) {
                AUTO_VTPM_SEALED VtpmSealed s = {};
                Error e = {};
                int r = seal(tpm.tcti, &q[i], &s, &e);

                ck_assert_msg(r == want[i].code, "%zu: %d %s", i, r, error_text(&e, r));
                if (i == 0 || (i > 1 && i < 8))
                        ck_assert_str_eq(e.reason, want[i].reason);
                ck_assert_ptr_null(s.public.data);
        }
        tpm_must_be_clean(&tpm);
} END_TEST

START_TEST(sizes_beyond_are_refused) {
        static const char text[VTPM_SEAL_SECRET_MAX + 1] = "x";
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = tpm_open(tpm.tcti);
        AUTO_SECRET Secret large = secret_of(text, sizeof(text)), empty = secret_of(text, 1);
        VtpmSealRequest q = request(VTPM_SEAL_PCR);
        AUTO_VTPM_SEALED VtpmSealed s = {};
        Error e = {};

        tpm_must_be(vtpm_seal(ctx, &q, &large, &s, &e), -EINVAL, "seal-size", &e);
        secret_truncate(&empty, 0);
        e = (Error){};
        tpm_must_be(vtpm_seal(ctx, &q, &empty, &s, &e), -EINVAL, "seal-size", &e);
} END_TEST

START_TEST(another_tpm_cannot_open) {
        AUTO_VTPM_SEALED VtpmSealed s = must_seal(VTPM_SEAL_PCR);
        Swtpm other;

        ck_assert_int_eq(swtpm_start(NULL, &other), 0);
        must_stay_shut(other.tcti, &s, NULL, -EKEYREJECTED, "sealed-foreign", NULL);
        tpm_must_be_clean(&other);
        swtpm_stop(&other);
} END_TEST

START_TEST(altered_objects_do_not_open) {
        AUTO_VTPM_SEALED VtpmSealed s = must_seal(VTPM_SEAL_PCR);

        s.private.data[s.private.size - 1] ^= 1;
        must_stay_shut(tpm.tcti, &s, NULL, -EKEYREJECTED, "sealed-foreign", NULL);
        s.private.data[s.private.size - 1] ^= 1;
        s.parent = VTPM_ALG_RSA; /* not the one it was made under */
        must_stay_shut(tpm.tcti, &s, NULL, -EKEYREJECTED, "sealed-foreign", NULL);
        s.parent = VTPM_ALG_ECC;
        s.pcrs.values[4][0] ^= 1; /* not the policy it has */
        must_stay_shut(tpm.tcti, &s, NULL, -EBADMSG, "sealed-policy", NULL);
        tpm_must_be_clean(&tpm);
} END_TEST

START_TEST(tpm_without_ecc_seals_under_rsa) {
        InterposerOptions options = {
                .upstream = &tpm, .act = INTERPOSER_CODE, .code = TPM2_RC_CURVE | TPM2_RC_P | TPM2_RC_2,
                .command = CC_CREATE_PRIMARY, .n_pass = 1, .n_act = 1, /* the salt's key passes */
        };
        VtpmSealRequest q = request(VTPM_SEAL_PCR);
        AUTO_VTPM_SEALED VtpmSealed s = {};
        Interposer i;
        Error e = {};

        ck_assert_int_eq(interposer_start(&options, &i), 0);
        tpm_must_be(seal(i.tcti, &q, &s, &e), 0, NULL, &e);
        ck_assert_uint_eq(s.parent, VTPM_ALG_RSA);
        interposer_stop(&i);
        must_open(tpm.tcti, &s, NULL);
        tpm_must_be_clean(&tpm);
} END_TEST

static const struct {
        bool sealing;
        uint32_t command, rc;
        int code;
        const char *reason;
} failures[] = {
        { true, CC_CREATE, TPM2_RC_LOCKOUT, -EACCES, "tpm-lockout" },
        { true, CC_CREATE_PRIMARY, TPM2_RC_HIERARCHY | TPM2_RC_1, -EACCES, "tpm-hierarchy" },
        { true, CC_UNSEAL, TPM2_RC_LOCKOUT, -EACCES, "tpm-lockout" },
        { true, CC_PCR_READ, TPM2_RC_FAILURE, -EIO, "tpm-failure-mode" },
        { false, CC_LOAD, TPM2_RC_OBJECT_MEMORY, -EBUSY, "tpm-full" },
        { false, CC_CREATE_PRIMARY, TPM2_RC_BAD_AUTH | TPM2_RC_S | TPM2_RC_1, -EACCES, "tpm-auth" },
        { false, CC_POLICY_PCR, TPM2_RC_LOCKOUT, -EACCES, "tpm-lockout" },
        { false, CC_POLICY_AUTHORIZE, TPM2_RC_LOCKOUT, -EACCES, "tpm-lockout" },
        { false, CC_UNSEAL, TPM2_RC_LOCKOUT, -EACCES, "tpm-lockout" },
};

START_TEST(failure_leaves_nothing_behind) {
        InterposerOptions options = {
                .upstream = &tpm, .act = INTERPOSER_CODE, .code = failures[_i].rc, .command = failures[_i].command,
                .n_pass = failures[_i].command == CC_CREATE_PRIMARY, /* not the salt's key, but the parent */
        };
        VtpmSealKind kind = failures[_i].sealing ? VTPM_SEAL_PCR : VTPM_SEAL_SIGNED;
        VtpmSealRequest q = request(kind);
        AUTO_VTPM_SEALED VtpmSealed s = {};
        AUTO_VTPM_POLICY_SIGNATURES VtpmPolicySignatures good = sign_now();
        Interposer i;
        Error e = {};

        if (!failures[_i].sealing)
                s = must_seal(kind);
        ck_assert_int_eq(interposer_start(&options, &i), 0);
        if (failures[_i].sealing)
                tpm_must_be(seal(i.tcti, &q, &s, &e), failures[_i].code, failures[_i].reason, &e);
        else
                must_stay_shut(i.tcti, &s, &good, failures[_i].code, failures[_i].reason, NULL);
        interposer_stop(&i);
        tpm_must_be_clean(&tpm);
} END_TEST

/* ---- others in the same TPM ---- */

static Blob handles(void) {
        tpm_tool(&tpm, "sh", "-c", "{ tpm2_getcap handles-persistent; tpm2_getcap handles-nv-index; } > handles", NULL);
        return tpm_file_read(&tpm, "handles");
}

START_TEST(what_systemd_keeps_there_is_left_alone) {
        AUTO_BLOB Blob before = {}, after = {};
        AUTO_VTPM_SEALED VtpmSealed s = {};

        /* A storage root key of another template, and pcrlock's index. */
        tpm_tool(&tpm, "tpm2_createprimary", "-C", "o", "-G", "rsa", "-c", "srk.ctx", NULL);
        tpm_tool(&tpm, "tpm2_flushcontext", "-t", NULL);
        tpm_tool(&tpm, "tpm2_evictcontrol", "-C", "o", "-c", "srk.ctx", "0x81000001", NULL);
        tpm_tool(&tpm, "tpm2_flushcontext", "-t", NULL);
        tpm_tool(&tpm, "tpm2_nvdefine", "0x01d10200", "-C", "o", "-s", "34", NULL);
        before = handles();
        s = must_seal(VTPM_SEAL_PCR);
        must_open(tpm.tcti, &s, NULL);
        after = handles();
        ck_assert_uint_gt(before.size, 20);
        ck_assert(blob_equal(&before, &after));
        tpm_must_be_clean(&tpm);
} END_TEST

START_TEST(sealed_survives_a_restart_but_not_a_clear) {
        AUTO_VTPM_SEALED VtpmSealed s = must_seal(VTPM_SEAL_PCR);
        AUTO_FREE char *control = NULL;

        ck_assert_int_gt(asprintf(&control, "%s.ctrl", tpm.path), 0);
        tpm_tool(&tpm, "tpm2_shutdown", "-c", NULL);
        tpm_tool(&tpm, "swtpm_ioctl", "-i", "--unix", control, NULL);
        tpm_tool(&tpm, "tpm2_startup", "-c", NULL);
        must_open(tpm.tcti, &s, NULL);
        tpm_tool(&tpm, "tpm2_clear", NULL);
        must_stay_shut(tpm.tcti, &s, NULL, -EKEYREJECTED, "sealed-foreign", NULL);
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("vtpm-seal");
        TCase *tc = tcase_create("seal");

        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_add_test(tc, sealed_opens_while_pcrs_are_the_same);
        tcase_add_test(tc, other_pcrs_are_named);
        tcase_add_test(tc, it_may_be_sealed_to_values_that_are_to_come);
        tcase_add_test(tc, other_banks_do_too);
        tcase_add_test(tc, one_byte_and_the_most_can_be_sealed);
        tcase_add_test(tc, signed_policy_opens_and_follows_updates);
        tcase_add_test(tc, signature_of_another_key_does_not_open);
        tcase_add_test(tc, the_tpm_verifies_signatures_itself);
        tcase_add_loop_test(tc, secret_does_not_cross_the_bus_in_the_clear, 0, 2);
        tcase_add_test(tc, false_pcr_values_are_not_sealed_to);
        tcase_add_test(tc, named_salt_key_is_insisted_on);
        tcase_add_test(tc, nothing_of_the_secret_stays_in_memory);
        tcase_add_test(tc, change_of_another_pcr_meanwhile_is_survived);
        tcase_add_test(tc, change_of_a_sealed_pcr_meanwhile_is_told);
        tcase_add_test(tc, pcrs_that_never_hold_still_are_given_up);
        tcase_add_test(tc, change_between_reading_and_signed_policy_is_seen);
        tcase_add_test(tc, senseless_requests_are_refused);
        tcase_add_test(tc, sizes_beyond_are_refused);
        tcase_add_test(tc, another_tpm_cannot_open);
        tcase_add_test(tc, altered_objects_do_not_open);
        tcase_add_test(tc, tpm_without_ecc_seals_under_rsa);
        tcase_add_loop_test(tc, failure_leaves_nothing_behind, 0, N_ELEMENTS(failures));
        tcase_add_test(tc, what_systemd_keeps_there_is_left_alone);
        tcase_add_test(tc, sealed_survives_a_restart_but_not_a_clear);
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
