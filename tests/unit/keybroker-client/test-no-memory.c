/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Every allocation of ours fails once, the first, the second, and so on until one run goes through: each failure is
 * told as such, leaves no result and, under the sanitizers, no memory behind. The linker puts these wrappers in place
 * (--wrap); what libraries allocate by themselves is not theirs.
 */

#include <errno.h>
#include <json-c/json_object.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "keybroker-client/client.h"
#include "keybroker-client/evidence.h"
#include "keybroker-client/jwe.h"
#include "keybroker-client/rcar.h"
#include "tests/simulator/report.h"
#include "tests/unit/keybroker-client/seal.h"
#include "tests/unit/unit.h"

static bool armed;
static unsigned left;   /* calls before the one that fails */
static bool left_over;  /* a failure came with a result; Check allocates, so it is not asked in between */

static bool fails(void) {
        if (!armed || left-- > 0)
                return false;
        armed = false;
        return true;
}

#define WRAP(type, name, parameters, arguments)                                                                        \
        type __real_##name parameters;                                                                                 \
        type __wrap_##name parameters;                                                                                 \
        type __wrap_##name parameters {                                                                                \
                return fails() ? NULL : __real_##name arguments;                                                       \
        }

WRAP(void *, malloc, (size_t n), (n))
WRAP(void *, calloc, (size_t n, size_t size), (n, size))
WRAP(void *, realloc, (void *p, size_t n), (p, n))
WRAP(char *, strdup, (const char *s), (s))
WRAP(json_object *, json_object_new_object, (void), ())
WRAP(json_object *, json_object_new_string, (const char *s), (s))
WRAP(EVP_PKEY_CTX *, EVP_PKEY_CTX_new_from_pkey, (OSSL_LIB_CTX * c, EVP_PKEY *k, const char *q), (c, k, q))
WRAP(EVP_PKEY_CTX *, EVP_PKEY_CTX_new_from_name, (OSSL_LIB_CTX * c, const char *n, const char *q), (c, n, q))
WRAP(EVP_CIPHER_CTX *, EVP_CIPHER_CTX_new, (void), ())
WRAP(EVP_MD_CTX *, EVP_MD_CTX_new, (void), ())

/* Runs @f until no failure is left to make. Says how many there were. */
static unsigned sweep(int (*f)(Error *e)) {
        for (unsigned n = 0;; n++) {
                Error e = {};
                int r;
                bool failed;

                left = n;
                armed = true;
                r = f(&e);
                failed = !armed;
                armed = false;
                ck_assert_int_eq(e.code, r);
                ck_assert(!left_over);
                if (!failed) {
                        ck_assert_msg(r == 0, "%s", e.text);
                        return n;
                }
                ck_assert_msg(r < 0, "failure %u was not noticed", n);
        }
}

static KbcTeeKey *key;
static char *jwe;

static int open_jwe(Error *e) {
        AUTO_SECRET Secret s = {};
        int r = kbc_jwe_open(jwe, strlen(jwe), key, &s, e);

        left_over |= r < 0 && s.bytes;
        return r;
}

static const struct {
        KbcTeeAlg alg;
        unsigned at_least; /* allocations; fewer would mean that the sweep sees nothing */
} algs[] = {
        { KBC_TEE_ALG_ECDH_P256, 8 },
        { KBC_TEE_ALG_RSA_OAEP_256, 5 },
};

START_TEST(opening_a_jwe_survives_every_failure) {
        const SealOptions options = { .apu = "QQ", .apv = "Qg", .aad = "QUFE" };

        ck_assert_int_eq(kbc_tee_key_generate(algs[_i].alg, &key, NULL), 0);
        jwe = jwe_seal(kbc_tee_key_pkey(key), "x", 1, &options);
        ck_assert_uint_ge(sweep(open_jwe), algs[_i].at_least);
        free(jwe);
        kbc_tee_key_free(key);
}
END_TEST

static int handshake(Error *e) {
        static const char challenge[] = "{\"nonce\":\"0123456789abcdef\",\"extra-params\":\"\"}";
        static const char token[] = "{\"token\":\"e30.e30.e30\"}";
        static char evidence_text[] = "{}";
        const KbcEvidence evidence = { .json = { (uint8_t *) evidence_text, 2 } };
        CLEANUP(kbc_rcar_freep) KbcRcar *m = NULL;
        AUTO_REPLY KbcReply first = { .status = 200, .session = "id" }, second = { .status = 200 };
        KbcRcarOutput out[4] = {};
        AUTO_MESSAGE KbcMessage fetch = {};
        int r;

        if (kbc_reply_append(&first, challenge, strlen(challenge), 4096) < 0 ||
            kbc_reply_append(&second, token, strlen(token), 4096) < 0)
                return error_oom(e);
        r = kbc_rcar_new("snp", KBC_TEE_ALG_ECDH_P256, &m, e);
        if (r == 0)
                r = kbc_rcar_step(m, KBC_RCAR_ON_BEGIN, &(KbcRcarInput){}, &out[0], e);
        if (r == 0)
                r = kbc_rcar_step(m, KBC_RCAR_ON_REPLY, &(KbcRcarInput){ .reply = &first }, &out[1], e);
        if (r == 0)
                r = kbc_rcar_step(m, KBC_RCAR_ON_EVIDENCE, &(KbcRcarInput){ .evidence = &evidence }, &out[2], e);
        if (r == 0)
                r = kbc_rcar_step(m, KBC_RCAR_ON_REPLY, &(KbcRcarInput){ .reply = &second }, &out[3], e);
        if (r == 0)
                r = kbc_session_request(out[3].session, "a/b/c", &fetch, e);
        for (size_t i = 0; i < N_ELEMENTS(out); i++)
                kbc_rcar_output_done(&out[i]);
        return r;
}

START_TEST(handshake_survives_every_failure) {
        ck_assert_uint_ge(sweep(handshake), 25);
}
END_TEST

static uint8_t report[SIM_REPORT_SIZE];

static int make_evidence(Error *e) {
        KbcEvidence evidence = {};
        int r = kbc_evidence_snp(&(KbcSnpEvidence){ .report = report, .report_size = sizeof(report) }, &evidence, NULL, e);

        left_over |= r < 0 && evidence.json.data;
        blob_done(&evidence.json);
        return r;
}

START_TEST(evidence_survives_every_failure) {
        const SimPki pki = { .product = SIM_GENOA, .tcb = sim_product(SIM_GENOA)->tcb };
        SimReport r = sim_report_defaults(&pki);

        sim_report_encode(&r, SIM_GENOA, report);
        ck_assert_uint_ge(sweep(make_evidence), 5);
}
END_TEST

static int no_evidence(void *userdata, const uint8_t *data, size_t size, Deadline deadline, Error *e) {
        (void) userdata, (void) data, (void) size, (void) deadline, (void) e;
        return -EIO;
}

static void no_answer(void *userdata, int r, Secret *secret, const Error *e) {
        (void) userdata, (void) r, (void) secret, (void) e;
        ck_abort();
}

static int make_client(Error *e) {
        const KbcClientConfig config = {
                .url = "https://broker.invalid", .use_system_ca = true, .tee = "snp", .evidence = no_evidence,
        };
        KbcClient *c = NULL;
        int r = kbc_client_new(&config, &c, e);

        if (r == 0)
                r = kbc_client_get_resource(c, "a/b/c", deadline_never(), no_answer, NULL, NULL, e);
        kbc_client_free(c);
        return r;
}

START_TEST(client_survives_every_failure) {
        ck_assert_uint_ge(sweep(make_client), 5);
}
END_TEST

int main(void) {
        Suite *s = suite_create("keybroker-client");
        TCase *t = tcase_create("no-memory");

        tcase_add_loop_test(t, opening_a_jwe_survives_every_failure, 0, N_ELEMENTS(algs));
        tcase_add_test(t, handshake_survives_every_failure);
        tcase_add_test(t, evidence_survives_every_failure);
        tcase_add_test(t, client_survives_every_failure);
        suite_add_tcase(s, t);
        return unit_run(s);
}
