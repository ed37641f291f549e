/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole way from the chip to a quote of an SVSM's vTPM: swtpm stands for the vTPM, the simulated platform for the
 * SVSM that vouches for its endorsement key. Broker and guest play their parts with the product's own code; what goes
 * between them is what would go over the network.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/rand.h>

#include "base/file.h"
#include "base/writer.h"
#include "snp/cert_table.h"
#include "snp/device.h"
#include "snp/svsm-manifest.h"
#include "snp/verify.h"
#include "tests/integration/tpm-tools.h"
#include "tests/simulator/harness.h"
#include "tests/unit/unit.h"
#include "vtpm/activate.h"
#include "vtpm/quote.h"
#include "vtpm/svsm-challenge.h"

static SimTsmRun sim;
static Swtpm vtpm, stranger; /* the SVSM's, and somebody else's */
static const VtpmAkSpec spec = { .kind = VTPM_AK_ECDSA_P256 };
static char file_v0[SIM_PATH_MAX], file_v1[SIM_PATH_MAX];

static void write_file(char path[static SIM_PATH_MAX], const char *name, const Blob *bytes) {
        (void) snprintf(path, SIM_PATH_MAX, "%s/%s", sim.dir, name);
        ck_assert_int_eq(file_write_atomic(path, bytes->data, bytes->size, 0600, NULL), 0);
}

static Blob ek_of(const Swtpm *tpm, VtpmEkProfile profile) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = tpm_open(tpm->tcti);
        Blob pub = {};
        Error e = {};

        tpm_must_be(vtpm_ek_public(ctx, profile, &pub, &e), 0, NULL, &e);
        return pub;
}

static const uint8_t quote_nonce[] = "a fresh question";

static void quote_of(const Swtpm *tpm, VtpmQuote *ret) {
        VtpmQuoteRequest q = {
                .tcti = tpm->tcti, .ak = spec, .nonce = quote_nonce, .nonce_size = sizeof(quote_nonce),
                .pcrs = { .n_banks = 1, .banks[0] = { .hash = VTPM_ALG_SHA256, .mask = 0x81 } },
                .deadline = deadline_in(TPM_USEC),
        };
        Error e = {};

        tpm_must_be(vtpm_quote_run(&q, ret, &e), 0, NULL, &e);
}

/* Version 1: storage keys and the signing key. */
static Blob list_of(const Blob *const *keys, uint32_t n) {
        AUTO_WRITER Writer w = wr_init(1u << 16);
        Blob ret = {};

        wr_be32(&w, 1);
        wr_be32(&w, n);
        for (uint32_t i = 0; i < n; i++) {
                wr_be16(&w, (uint16_t) keys[i]->size);
                wr_bytes(&w, keys[i]->data, keys[i]->size);
        }
        ck_assert_int_eq(wr_finish(&w, &ret), 0);
        return ret;
}

static void control(const char *more) {
        char text[4 * SIM_PATH_MAX];

        (void) snprintf(text, sizeof(text), "vmpl-floor=2\nvtpm-manifest=%s\nvtpm-manifest-v1=%s\n%s\n", file_v0, file_v1,
                        more);
        ck_assert_int_eq(sim_tsm_control(&sim, text, NULL), 0);
}

static void start(void) {
        AUTO_VTPM_QUOTE VtpmQuote quote = {};
        AUTO_BLOB Blob rsa = {};
        AUTO_BLOB Blob ecc = {};
        AUTO_BLOB Blob list = {};
        Error e = {};

        ck_assert_msg(sim_tsm_start(SIM_GENOA, NULL, &sim, &e) == 0, "%s", e.text);
        ck_assert_int_eq(swtpm_start(NULL, &vtpm), 0);
        ck_assert_int_eq(swtpm_start(NULL, &stranger), 0);
        rsa = ek_of(&vtpm, VTPM_EK_RSA2048);
        ecc = ek_of(&vtpm, VTPM_EK_ECC_P256);
        quote_of(&vtpm, &quote);
        list = list_of((const Blob *const[]){ &ecc, &quote.ak, &rsa }, 3);
        write_file(file_v0, "v0", &rsa);
        write_file(file_v1, "v1", &list);
        control("");
}

static void stop(void) {
        (void) unlink(file_v0);
        (void) unlink(file_v1);
        swtpm_stop(&vtpm);
        swtpm_stop(&stranger);
        ck_assert_int_eq(sim_tsm_stop(&sim), 0);
}

static void restore(void) {
        control("");
}

/* What the guest sends, and what the broker makes of it. */
typedef struct Evidence {
        uint8_t nonce[SNP_SVSM_NONCE_SIZE];
        SnpServiceReport service;
        SnpReport report; /* after verification */
        VtpmSvsmKey keys[SNP_SVSM_KEYS_MAX];
        VtpmSvsmWitness witness;
} Evidence;

static void evidence_done(Evidence *v) {
        snp_service_report_done(&v->service);
}
#define AUTO_EVIDENCE CLEANUP(evidence_done)

/* The broker believes the chip: certificates of the evidence up to the test's root. */
static void verify_report(const uint8_t *bytes, const Blob *certs, SnpReport *ret) {
        CLEANUP(snp_trust_freep) SnpTrust *trust = NULL;
        CLEANUP(snp_vek_freep) SnpVek *vek = NULL;
        AUTO_BLOB Blob root = {};
        char path[SIM_PATH_MAX + 16];
        const SnpCertEntry *entry;
        SnpVerdict verdict;
        SnpCertTable table;
        SnpCerts c = {};
        Error e = {};

        (void) snprintf(path, sizeof(path), "%s/ark.pem", sim.pki);
        ck_assert_int_eq(file_read(path, SNP_CERT_SIZE_MAX, &root, &e), 0);
        ck_assert_int_eq(snp_trust_new_test(root.data, root.size, &trust, &e), 0);
        ck_assert_int_eq(snp_cert_table_parse(certs->data, certs->size, &table, &e), 0);
        entry = snp_cert_table_find(&table, SNP_CERT_VCEK);
        c.vek = (SnpCertBytes){ entry->data, entry->size };
        entry = snp_cert_table_find(&table, SNP_CERT_ASK);
        c.others[c.n_others++] = (SnpCertBytes){ entry->data, entry->size };
        entry = snp_cert_table_find(&table, SNP_CERT_ARK);
        c.others[c.n_others++] = (SnpCertBytes){ entry->data, entry->size };
        ck_assert_msg(snp_vek_new(trust, &c, time(NULL), &vek, &e) == 0, "%s", e.text);
        ck_assert_int_eq(snp_report_parse(bytes, SNP_REPORT_SIZE, ret, &e), 0);
        ck_assert_msg(snp_report_verify(ret, vek, 0, &verdict, &e) == 0, "%s", e.text);
        ck_assert_int_eq(verdict.outcome, SNP_ACCEPT);
}

static void make_witness(Evidence *v, const void *vtpm_manifest, size_t size, uint32_t version) {
        SnpSvsmKeys keys;
        Error e = {};

        ck_assert_msg(snp_svsm_vtpm_parse(vtpm_manifest, size, version, &keys, &e) == 0, "%s", e.text);
        for (size_t i = 0; i < keys.n_keys; i++)
                v->keys[i] = (VtpmSvsmKey){ keys.keys[i].tpmt_public, keys.keys[i].size };
        v->witness = (VtpmSvsmWitness){ .report_data = v->report.report_data, .vmpl = v->report.vmpl, .nonce = v->nonce,
                                        .manifest = v->service.manifest.data, .manifest_size = v->service.manifest.size,
                                        .keys = v->keys, .n_keys = keys.n_keys };
}

/* The guest asks its SVSM with v->nonce; the broker verifies, and binds the manifest. */
static void get_evidence(Evidence *v, const SnpGuid *service, uint32_t version) {
        SnpServiceRequest q = { .service = *service, .manifest_version = version };
        CLEANUP(snp_device_freep) SnpDevice *device = NULL;
        SnpSvsmVerdict verdict;
        Error e = {};

        (void) memcpy(q.nonce, v->nonce, sizeof(q.nonce));
        ck_assert_int_eq(snp_device_open_configfs(sim.mountpoint, &device, &e), 0);
        ck_assert_msg(snp_device_get_service_report(device, &q, deadline_in(TPM_USEC), &v->service, &e) == 0, "%s", e.text);
        verify_report(v->service.report, &v->service.certs, &v->report);
        ck_assert_int_eq(snp_svsm_bind(&v->report, v->nonce, v->service.manifest.data, v->service.manifest.size, &verdict,
                                       &e), 0);
        ck_assert_int_eq(verdict, SNP_SVSM_BOUND);
}

static void evidence_new(Evidence *v, uint32_t version) {
        ck_assert_int_eq(RAND_bytes(v->nonce, sizeof(v->nonce)), 1);
        get_evidence(v, &snp_svsm_guid_vtpm, version);
        make_witness(v, v->service.manifest.data, v->service.manifest.size, version);
}

static int answer_in(const Swtpm *tpm, const VtpmSvsmEk *ek, const VtpmCredential *credential, Secret *ret, Error *e) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = tpm_open(tpm->tcti);

        return vtpm_svsm_answer(ctx, ek, &spec, credential, ret, e);
}

static void verify_quote(const VtpmQuote *quote) {
        VtpmQuoteBytes bytes = { .attest = quote->attest.data, .attest_size = quote->attest.size,
                                 .signature = quote->signature.data, .signature_size = quote->signature.size,
                                 .pcrs = quote->pcrs, .n_pcrs = quote->n_pcrs };
        VtpmQuoteAsked asked = { .nonce = quote_nonce, .nonce_size = sizeof(quote_nonce),
                                 .pcrs = { .n_banks = 1, .banks[0] = { .hash = VTPM_ALG_SHA256, .mask = 0x81 } } };
        CLEANUP(vtpm_ak_public_freep) VtpmAkPublic *ak = NULL;
        VtpmVerdict verdict;
        Error e = {};

        ck_assert_int_eq(vtpm_ak_public_new(quote->ak.data, quote->ak.size, &ak, &e), 0);
        ck_assert_msg(vtpm_quote_verify(ak, &bytes, &asked, &verdict, &e) == 0, "%s", e.text);
        ck_assert_int_eq(verdict.outcome, VTPM_ACCEPT);
}

static void expect_tie(const VtpmSvsmVerdict *verdict, VtpmSvsmTie tie) {
        ck_assert_int_eq(verdict->tie, tie);
        ck_assert_int_eq(verdict->binding.kind, tie > VTPM_SVSM_TIE_CLAIMED ? VTPM_BINDING_SVSM : VTPM_BINDING_NONE);
}

START_TEST(chip_svsm_endorsement_key_attestation_key_quote) {
        AUTO_VTPM_SVSM_CHALLENGE VtpmSvsmChallenge challenge = {};
        AUTO_VTPM_QUOTE VtpmQuote quote = {};
        AUTO_VTPM_SVSM_EK VtpmSvsmEk ek = {};
        AUTO_SECRET Secret answer = {};
        AUTO_EVIDENCE Evidence v = {};
        VtpmSvsmVerdict verdict;
        Error e = {};

        evidence_new(&v, 0);
        quote_of(&vtpm, &quote);
        verify_quote(&quote);
        tpm_must_be(vtpm_svsm_challenge_new(&v.witness, &quote.ak, &challenge, &e), 0, NULL, &e);
        tpm_must_be(vtpm_svsm_ek(&v.witness, &ek, &e), 0, NULL, &e);
        ck_assert_int_eq(ek.profile, VTPM_EK_RSA2048);
        tpm_must_be(answer_in(&vtpm, &ek, &challenge.credential, &answer, &e), 0, NULL, &e);
        tpm_must_be(vtpm_svsm_bind(&v.witness, &quote.ak, &(VtpmSvsmProof){ .challenge = &challenge, .answer = &answer },
                                   &verdict, &e), 0, NULL, &e);
        expect_tie(&verdict, VTPM_SVSM_TIE_ACTIVATED);
        ck_assert_str_eq(vtpm_binding_name(verdict.binding.kind), "svsm-ek");
        tpm_must_be_clean(&vtpm);
} END_TEST

START_TEST(the_same_from_the_table_of_all_services) {
        AUTO_VTPM_SVSM_CHALLENGE VtpmSvsmChallenge challenge = {};
        AUTO_VTPM_QUOTE VtpmQuote quote = {};
        AUTO_VTPM_SVSM_EK VtpmSvsmEk ek = {};
        AUTO_SECRET Secret answer = {};
        AUTO_EVIDENCE Evidence v = {};
        const SnpSvsmService *service;
        SnpSvsmServices services;
        VtpmSvsmVerdict verdict;
        Error e = {};

        get_evidence(&v, &(SnpGuid){}, 0);
        ck_assert_int_eq(snp_svsm_services_parse(v.service.manifest.data, v.service.manifest.size, &services, &e), 0);
        service = snp_svsm_services_find(&services, &snp_svsm_guid_vtpm);
        ck_assert_ptr_nonnull(service);
        make_witness(&v, service->manifest, service->size, 0);
        quote_of(&vtpm, &quote);
        tpm_must_be(vtpm_svsm_challenge_new(&v.witness, &quote.ak, &challenge, &e), 0, NULL, &e);
        tpm_must_be(vtpm_svsm_ek(&v.witness, &ek, &e), 0, NULL, &e);
        tpm_must_be(answer_in(&vtpm, &ek, &challenge.credential, &answer, &e), 0, NULL, &e);
        tpm_must_be(vtpm_svsm_bind(&v.witness, &quote.ak, &(VtpmSvsmProof){ .challenge = &challenge, .answer = &answer },
                                   &verdict, &e), 0, NULL, &e);
        expect_tie(&verdict, VTPM_SVSM_TIE_ACTIVATED);
} END_TEST

START_TEST(a_manifest_of_version_1_needs_no_conversation) {
        AUTO_VTPM_QUOTE VtpmQuote quote = {}, foreign = {};
        AUTO_EVIDENCE Evidence v = {};
        VtpmSvsmVerdict verdict;
        Error e = {};

        evidence_new(&v, 1);
        ck_assert_uint_eq(v.witness.n_keys, 3);
        quote_of(&vtpm, &quote);
        verify_quote(&quote);
        tpm_must_be(vtpm_svsm_bind(&v.witness, &quote.ak, NULL, &verdict, &e), 0, NULL, &e);
        expect_tie(&verdict, VTPM_SVSM_TIE_MANIFEST);
        quote_of(&stranger, &foreign);
        tpm_must_be(vtpm_svsm_bind(&v.witness, &foreign.ak, NULL, &verdict, &e), -EKEYREJECTED, "svsm-untied", &e);
        expect_tie(&verdict, VTPM_SVSM_TIE_NONE);
} END_TEST

START_TEST(a_claim_is_what_the_guest_says) {
        static const uint8_t challenge[VTPM_SVSM_NONCE_SIZE] = { 0xc4 };
        CLEANUP(vtpm_ak_public_freep) VtpmAkPublic *ak = NULL;
        VtpmSvsmProof proof = { .claim = challenge };
        AUTO_VTPM_QUOTE VtpmQuote quote = {}, foreign = {};
        AUTO_EVIDENCE Evidence v = {};
        VtpmSvsmVerdict verdict;
        Error e = {};

        quote_of(&vtpm, &quote);
        ck_assert_int_eq(vtpm_ak_public_new(quote.ak.data, quote.ak.size, &ak, &e), 0);
        ck_assert_int_eq(vtpm_svsm_claim_nonce(challenge, ak, v.nonce, &e), 0);
        get_evidence(&v, &snp_svsm_guid_vtpm, 0);
        make_witness(&v, v.service.manifest.data, v.service.manifest.size, 0);
        tpm_must_be(vtpm_svsm_bind(&v.witness, &quote.ak, &proof, &verdict, &e), 0, NULL, &e);
        expect_tie(&verdict, VTPM_SVSM_TIE_CLAIMED);
        quote_of(&stranger, &foreign);
        tpm_must_be(vtpm_svsm_bind(&v.witness, &foreign.ak, &proof, &verdict, &e), -ESTALE, "svsm-claim", &e);
} END_TEST

START_TEST(another_tpm_is_refused_by_the_guest_and_cannot_answer) {
        AUTO_VTPM_SVSM_CHALLENGE VtpmSvsmChallenge challenge = {};
        AUTO_VTPM_QUOTE VtpmQuote quote = {};
        AUTO_VTPM_SVSM_EK VtpmSvsmEk ek = {};
        AUTO_SECRET Secret answer = {};
        AUTO_EVIDENCE Evidence v = {};
        VtpmSvsmVerdict verdict;
        Error e = {};

        evidence_new(&v, 0);
        quote_of(&stranger, &quote);
        tpm_must_be(vtpm_svsm_challenge_new(&v.witness, &quote.ak, &challenge, &e), 0, NULL, &e);
        tpm_must_be(vtpm_svsm_ek(&v.witness, &ek, &e), 0, NULL, &e);
        tpm_must_be(answer_in(&stranger, &ek, &challenge.credential, &answer, &e), -EKEYREJECTED, "svsm-other-tpm", &e);
        {
                /* A guest that would rather not look. */
                CLEANUP(vtpm_context_freep) VtpmContext *ctx = tpm_open(stranger.tcti);
                VtpmActivation how = { .ak = spec, .ek = VTPM_EK_RSA2048 };

                e = (Error){};
                tpm_must_be(vtpm_credential_activate(ctx, &how, &challenge.credential, &answer, &e), -EKEYREJECTED,
                            "credential-rejected", &e);
        }
        ck_assert_ptr_null(answer.bytes);
        e = (Error){};
        tpm_must_be(vtpm_svsm_bind(&v.witness, &quote.ak, &(VtpmSvsmProof){ .challenge = &challenge, .answer = &answer },
                                   &verdict, &e), -EKEYREJECTED, "svsm-answer", &e);
        expect_tie(&verdict, VTPM_SVSM_TIE_NONE);
        tpm_must_be_clean(&stranger);
} END_TEST

START_TEST(an_attestation_key_of_another_tpm_is_not_tied) {
        AUTO_VTPM_SVSM_CHALLENGE VtpmSvsmChallenge theirs = {}, ours = {};
        AUTO_VTPM_QUOTE VtpmQuote foreign = {}, quote = {};
        AUTO_VTPM_SVSM_EK VtpmSvsmEk ek = {};
        AUTO_SECRET Secret answer = {};
        AUTO_EVIDENCE Evidence v = {};
        VtpmSvsmVerdict verdict;
        Error e = {};

        evidence_new(&v, 0);
        quote_of(&stranger, &foreign);
        quote_of(&vtpm, &quote);
        tpm_must_be(vtpm_svsm_ek(&v.witness, &ek, &e), 0, NULL, &e);
        /* The SVSM's own TPM has the endorsement key, but not that attestation key. */
        tpm_must_be(vtpm_svsm_challenge_new(&v.witness, &foreign.ak, &theirs, &e), 0, NULL, &e);
        tpm_must_be(answer_in(&vtpm, &ek, &theirs.credential, &answer, &e), -EKEYREJECTED, "credential-rejected", &e);
        /* Its answer to its own challenge says nothing of the other's key. */
        e = (Error){};
        tpm_must_be(vtpm_svsm_challenge_new(&v.witness, &quote.ak, &ours, &e), 0, NULL, &e);
        tpm_must_be(answer_in(&vtpm, &ek, &ours.credential, &answer, &e), 0, NULL, &e);
        tpm_must_be(vtpm_svsm_bind(&v.witness, &foreign.ak, &(VtpmSvsmProof){ .challenge = &ours, .answer = &answer },
                                   &verdict, &e), -EKEYREJECTED, "svsm-challenge", &e);
        e = (Error){};
        tpm_must_be(vtpm_svsm_bind(&v.witness, &foreign.ak, &(VtpmSvsmProof){ .challenge = &theirs, .answer = &answer },
                                   &verdict, &e), -EKEYREJECTED, "svsm-answer", &e);
        expect_tie(&verdict, VTPM_SVSM_TIE_NONE);
} END_TEST

START_TEST(the_manifest_of_another_nonce_is_stale) {
        AUTO_VTPM_QUOTE VtpmQuote quote = {};
        AUTO_EVIDENCE Evidence v = {};
        VtpmSvsmVerdict verdict;
        Error e = {};

        evidence_new(&v, 1);
        quote_of(&vtpm, &quote);
        v.nonce[7] ^= 1;
        tpm_must_be(vtpm_svsm_bind(&v.witness, &quote.ak, NULL, &verdict, &e), -ESTALE, "svsm-not-bound", &e);
        expect_tie(&verdict, VTPM_SVSM_TIE_NONE);
} END_TEST

/* The guest's own root can have any digest in a report, but not at VMPL 0. */
START_TEST(a_report_that_the_guest_asked_for_itself_is_no_svsms) {
        CLEANUP(snp_device_freep) SnpDevice *device = NULL;
        AUTO_SNP_DEVICE_REPORT SnpDeviceReport forged = {};
        AUTO_VTPM_QUOTE VtpmQuote quote = {};
        AUTO_BLOB Blob ek = {};
        AUTO_BLOB Blob manifest = {};
        uint8_t report_data[SNP_REPORT_DATA_SIZE];
        SnpSvsmVerdict snp_verdict = SNP_SVSM_BOUND;
        VtpmSvsmVerdict verdict;
        AUTO_EVIDENCE Evidence v = {};
        Error e = {};

        quote_of(&stranger, &quote);
        ek = ek_of(&stranger, VTPM_EK_RSA2048);
        manifest = list_of((const Blob *const[]){ &ek, &quote.ak }, 2);
        ck_assert_int_eq(snp_svsm_report_data(v.nonce, manifest.data, manifest.size, report_data, &e), 0);
        ck_assert_int_eq(snp_device_open_configfs(sim.mountpoint, &device, &e), 0);
        ck_assert_int_eq(snp_device_get_report(device, report_data, SNP_VMPL_AUTO, deadline_in(TPM_USEC), &forged, &e), 0);
        verify_report(forged.report, &forged.certs, &v.report);
        ck_assert_uint_eq(v.report.vmpl, 2);
        ck_assert_int_eq(snp_svsm_bind(&v.report, v.nonce, manifest.data, manifest.size, &snp_verdict, &e), -EKEYREJECTED);
        ck_assert_int_eq(snp_verdict, SNP_SVSM_NOT_BOUND);
        v.service.manifest = blob_take(&manifest);
        make_witness(&v, v.service.manifest.data, v.service.manifest.size, 1);
        e = (Error){};
        tpm_must_be(vtpm_svsm_bind(&v.witness, &quote.ak, NULL, &verdict, &e), -EKEYREJECTED, "svsm-vmpl", &e);
        expect_tie(&verdict, VTPM_SVSM_TIE_NONE);
} END_TEST

int main(void) {
        Suite *suite = suite_create("svsm-vtpm");
        TCase *tc = tcase_create("svsm-vtpm");
        const char *why = sim_tsm_unusable();

        if (why)
                return unit_skip(why);
        if (!swtpm_available())
                return unit_skip("swtpm is not installed");
        tcase_add_unchecked_fixture(tc, start, stop);
        tcase_add_checked_fixture(tc, restore, NULL);
        tcase_add_test(tc, chip_svsm_endorsement_key_attestation_key_quote);
        tcase_add_test(tc, the_same_from_the_table_of_all_services);
        tcase_add_test(tc, a_manifest_of_version_1_needs_no_conversation);
        tcase_add_test(tc, a_claim_is_what_the_guest_says);
        tcase_add_test(tc, another_tpm_is_refused_by_the_guest_and_cannot_answer);
        tcase_add_test(tc, an_attestation_key_of_another_tpm_is_not_tied);
        tcase_add_test(tc, the_manifest_of_another_nonce_is_stale);
        tcase_add_test(tc, a_report_that_the_guest_asked_for_itself_is_no_svsms);
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
