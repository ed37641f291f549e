/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Trustee's checks (deps/verifier/src/az_snp_vtpm), and those that it leaves out: which PCRs were quoted, that user
 * data are the challenge and nothing more, that nothing else is in REPORT_DATA, and how the machine was configured.
 */
#include <string.h>

#include "base/hex.h"
#include "tests/broker/appraise-internal.h"
#include "tests/broker/evidence-az.h"
#include "vtpm/alg.h"
#include "vtpm/hcl-binding.h"
#include "vtpm/signature.h"
#include "vtpm/verify.h"

#define INIT_DATA_PCR 8u

static bool judge_binding(const BrokerJudging *j, const BrokerEvidenceAz *ev, const SnpReport *report) {
        VtpmHclWitness w = { .hcl = &ev->hcl, .report_data = report->report_data, .vmpl = report->vmpl };
        VtpmBinding binding;
        Error e = {};
        int r = vtpm_hcl_bind(&w, &j->result->hcl, &binding, &e);

        return broker_require_success(j, "vtpm-binding", r, &e);
}

/* The key comes from the claims, so that what signed is what the report vouches for. */
static int make_key(const VtpmHclClaims *claims, VtpmAkPublic **ret, Error *e) {
        AUTO_BLOB Blob pub = {};

        if (vtpm_hcl_claims_ak(claims, &pub) < 0)
                return error_oom(e);
        return vtpm_ak_public_new(pub.data, pub.size, ret, e);
}

static int verify_quote(const BrokerJudging *j, const BrokerEvidenceAz *ev, const uint8_t *digest, size_t size,
                        VtpmVerdict *ret, Error *e) {
        CLEANUP(vtpm_ak_public_freep) VtpmAkPublic *key = NULL;
        VtpmSignature sig = { .scheme = VTPM_ALG_RSASSA, .hash = VTPM_ALG_SHA256, .rsa_size = ev->signature.size };
        AUTO_BLOB Blob signature = {};
        int r = make_key(&j->result->hcl, &key, e);

        if (r < 0)
                return r;
        (void) memcpy(sig.rsa, ev->signature.data, ev->signature.size);
        if (vtpm_signature_encode(&sig, &signature) < 0)
                return error_oom(e);
        return vtpm_quote_verify(
                key,
                &(VtpmQuoteBytes){ .attest = ev->attest.data, .attest_size = ev->attest.size,
                                   .signature = signature.data, .signature_size = signature.size, .pcrs = &ev->pcrs,
                                   .n_pcrs = 1 },
                &(VtpmQuoteAsked){ .nonce = digest, .nonce_size = size,
                                   .pcrs = { .n_banks = 1, .banks[0] = { VTPM_ALG_SHA256, VTPM_PCR_MASK_ALL } } },
                ret, e);
}

static void judge_quote(const BrokerJudging *j, const BrokerEvidenceAz *ev, const uint8_t *digest, size_t size) {
        VtpmVerdict verdict = {};
        VtpmAttest attest;
        Error e = {}, other = {};
        int r = verify_quote(j, ev, digest, size, &verdict, &e);

        for (VtpmCheck i = 0; i < VTPM_N_CHECKS; i++)
                (void) broker_require(j, vtpm_check_name(i), verdict.checks[i] == VTPM_CHECK_OK, "ok",
                                      vtpm_check_result_name(verdict.checks[i]));
        (void) broker_require_success(j, "quote", r, &e);
        r = vtpm_attest_parse(ev->attest.data, ev->attest.size, &attest, &other);
        if (r == 0)
                r = vtpm_hcl_claims_check_signer(&j->result->hcl, &attest, &other);
        (void) broker_require_success(j, "quote-signer", r, &other);
}

static void judge_user_data(const BrokerJudging *j, const uint8_t *digest, size_t size) {
        const VtpmHclClaims *claims = &j->result->hcl;
        char wanted[2 * BROKER_REPORT_DATA_SIZE + 1], found[2 * VTPM_HCL_USER_DATA_SIZE + 1];

        hex_encode_to(digest, size, wanted);
        hex_encode_to(claims->user_data, sizeof(claims->user_data), found);
        (void) broker_require(j, "user-data", vtpm_hcl_claims_say(claims, digest, size), wanted,
                              claims->has_user_data ? found : "none");
}

/* PCR 8 was extended once with the digest, from zero. */
static void judge_init_data(const BrokerJudging *j, const BrokerEvidenceAz *ev, const BrokerAttestation *a) {
        uint8_t both[64] = {}, expected[32];
        char wanted[65] = "", found[65];
        Error e = {};
        int r;

        if (!a->init_data_format)
                return;
        r = broker_init_data_digest(a, both + 32, &e);
        if (r == 0)
                r = vtpm_hash_bytes(VTPM_ALG_SHA256, both, sizeof(both), expected, &e);
        if (r == 0)
                hex_encode_to(expected, sizeof(expected), wanted);
        hex_encode_to(ev->pcrs.values[INIT_DATA_PCR], 32, found);
        (void) broker_require(j, "init-data", r == 0 && strcmp(wanted, found) == 0, r == 0 ? wanted : error_text(&e, r),
                              found);
}

/* Nobody wants anything of it here; but it stands in the journal, and in the token. */
static void tell_configuration(const BrokerJudging *j) {
        const VtpmHclClaims *claims = &j->result->hcl;

        for (VtpmHclSwitch i = 0; i < VTPM_HCL_N_SWITCHES; i++)
                broker_want(j, vtpm_hcl_switch_name(i), true, "any", vtpm_hcl_flag_name(claims->switches[i]));
}

void broker_appraise_az(const BrokerJudging *j, const BrokerAttestation *attestation) {
        AUTO_BROKER_EVIDENCE_AZ BrokerEvidenceAz ev = {};
        uint8_t digest[BROKER_REPORT_DATA_SIZE];
        SnpReport *report = &j->result->report;
        size_t size = 0;
        Error e = {};
        int r = broker_evidence_az_parse(attestation->evidence, &ev, &e);

        if (r == 0)
                r = snp_report_parse(ev.snp.report, sizeof(ev.snp.report), report, &e);
        if (!broker_require_success(j, "evidence", r, &e) || !broker_judge_form(j, report))
                return;
        broker_judge_report(j, &ev.snp, report);
        r = broker_challenge(attestation, j->session->hash, digest, &size, &e);
        if (!broker_require_success(j, "runtime-data", r, &e) || !judge_binding(j, &ev, report))
                return;
        j->result->is_azure = true;
        j->result->pcrs = ev.pcrs;
        (void) memcpy(j->result->challenge, digest, size);
        j->result->challenge_size = size;
        judge_quote(j, &ev, digest, size);
        judge_user_data(j, digest, size);
        judge_init_data(j, &ev, attestation);
        tell_configuration(j);
}
