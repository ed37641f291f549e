/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/broker/appraise-internal.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/json.h"

/* Trustee, deps/verifier: older reports are refused because their CPU is unknown, newer ones as unknown. */
#define REPORT_VERSION_MIN 3
#define REPORT_VERSION_MAX 5

#define CLAIM_VALUE_MAX (BROKER_MEASUREMENTS_MAX * (2 * SNP_MEASUREMENT_SIZE + 1) + 8)

bool broker_require(const BrokerJudging *j, const char *claim, bool ok, const char *wanted, const char *found) {
        if (!ok && !j->result->failed)
                j->result->failed = claim;
        return broker_journal_claim(j->by->journal, j->session->id, claim, ok, wanted, found);
}

void broker_want(const BrokerJudging *j, const char *claim, bool ok, const char *wanted, const char *found) {
        char *denied = j->result->denied;
        size_t n = strlen(denied);

        if (!ok)
                (void) snprintf(denied + n, BROKER_DENIED_MAX - n, "%s%s", n ? "," : "", claim);
        (void) broker_journal_claim(j->by->journal, j->session->id, claim, ok, wanted, found);
}

bool broker_require_success(const BrokerJudging *j, const char *claim, int r, const Error *e) {
        return broker_require(j, claim, r == 0, "accept", r == 0 ? "accept" : error_text(e, r));
}

static bool require_number(const BrokerJudging *j, const char *claim, bool ok, const char *wanted, uint64_t found) {
        char text[24];

        (void) snprintf(text, sizeof(text), "%llu", (unsigned long long) found);
        return broker_require(j, claim, ok, wanted, text);
}

static void judge_checks(const BrokerJudging *j, const SnpVerdict *verdict) {
        for (SnpCheck i = 0; i < SNP_N_CHECKS; i++)
                (void) broker_require(j, snp_check_name(i),
                               verdict->checks[i] == SNP_CHECK_OK || verdict->checks[i] == SNP_CHECK_NOT_APPLICABLE,
                               "ok", snp_check_result_name(verdict->checks[i]));
}

static void judge_signature(const BrokerJudging *j, const BrokerEvidence *evidence, const SnpReport *report) {
        unsigned flags = j->by->policy->masked_chip_id ? SNP_VERIFY_ALLOW_MASKED_CHIP_ID : 0;
        CLEANUP(snp_vek_freep) SnpVek *vek = NULL;
        SnpVerdict verdict = {};
        Error e = {};
        int r = broker_collateral_vek(j->by->collateral, j->by->trust, evidence, report, &vek, &e);

        if (!broker_require(j, "certificate-chain", r == 0, snp_trust_is_test(j->by->trust) ? "test-root" : "amd",
                     r == 0 ? "valid" : error_text(&e, r)))
                return;
        r = snp_report_verify(report, vek, flags, &verdict, &e);
        judge_checks(j, &verdict);
        (void) broker_require(j, "report", r == 0 && verdict.outcome == SNP_ACCEPT, "accept",
                       r == 0 ? "accept" : error_text(&e, r));
}

static void judge_vmpl(const BrokerJudging *j, const SnpReport *report) {
        char wanted[16] = "";

        for (unsigned i = 0; i < 4; i++)
                if (j->by->policy->vmpls & 1u << i)
                        (void) snprintf(wanted + strlen(wanted), sizeof(wanted) - strlen(wanted), "%s%u",
                                        wanted[0] ? "," : "", i);
        (void) require_number(j, "vmpl", report->vmpl < 4 && (j->by->policy->vmpls & 1u << report->vmpl), wanted,
                              report->vmpl);
}

static void judge_binding(const BrokerJudging *j, const BrokerAttestation *a, const SnpReport *report) {
        uint8_t expected[BROKER_REPORT_DATA_SIZE], host_data[32];
        char wanted[2 * BROKER_REPORT_DATA_SIZE + 1], found[2 * BROKER_REPORT_DATA_SIZE + 1];
        Error e = {};
        int r = broker_report_data(a, j->session->hash, expected, &e);

        hex_encode_to(report->report_data, sizeof(report->report_data), found);
        if (r == 0)
                hex_encode_to(expected, sizeof(expected), wanted);
        (void) broker_require(j, "report-data",
                              r == 0 && CRYPTO_memcmp(expected, report->report_data, sizeof(expected)) == 0,
                              r == 0 ? wanted : error_text(&e, r), found);
        if (!a->init_data_format)
                return;
        r = broker_init_data_digest(a, host_data, &e);
        hex_encode_to(report->host_data, sizeof(report->host_data), found);
        if (r == 0)
                hex_encode_to(host_data, sizeof(host_data), wanted);
        (void) broker_require(j, "init-data",
                              r == 0 && CRYPTO_memcmp(host_data, report->host_data, sizeof(host_data)) == 0,
                              r == 0 ? wanted : error_text(&e, r), found);
}

static void judge_measurement(const BrokerJudging *j, const SnpReport *report) {
        char wanted[CLAIM_VALUE_MAX], found[2 * SNP_MEASUREMENT_SIZE + 1], *p = wanted;
        const BrokerPolicy *policy = j->by->policy;

        (void) snprintf(wanted, sizeof(wanted), "%s", policy->any_measurement ? "any" : "none");
        for (size_t i = 0; i < policy->n_measurements; i++) {
                if (i > 0)
                        *p++ = ',';
                hex_encode_to(policy->measurements[i], SNP_MEASUREMENT_SIZE, p);
                p += strlen(p);
        }
        hex_encode_to(report->measurement, SNP_MEASUREMENT_SIZE, found);
        broker_want(j, "measurement", broker_policy_allows_measurement(policy, report->measurement), wanted, found);
}

static void judge_svn(const BrokerJudging *j, const char *claim, uint8_t minimum, uint8_t svn) {
        char wanted[8], found[8];

        (void) snprintf(wanted, sizeof(wanted), ">=%u", minimum);
        (void) snprintf(found, sizeof(found), "%u", svn);
        broker_want(j, claim, svn >= minimum, wanted, found);
}

static void judge_policy(const BrokerJudging *j, const SnpReport *report) {
        const BrokerPolicy *policy = j->by->policy;
        const SnpTcb *tcb = &j->result->tcb;
        bool debug = report->policy & SNP_POLICY_DEBUG, migration = report->policy & SNP_POLICY_MIGRATE_MA;

        judge_measurement(j, report);
        broker_want(j, "debug", policy->debug || !debug, policy->debug ? "any" : "off", debug ? "on" : "off");
        broker_want(j, "migration", policy->migration || !migration, policy->migration ? "any" : "off",
             migration ? "on" : "off");
        judge_svn(j, "tcb-boot-loader", policy->minimum.boot_loader, tcb->boot_loader);
        judge_svn(j, "tcb-tee", policy->minimum.tee, tcb->tee);
        judge_svn(j, "tcb-snp", policy->minimum.snp, tcb->snp);
        judge_svn(j, "tcb-microcode", policy->minimum.microcode, tcb->microcode);
        if (snp_product_tcb_layout(report->product) == SNP_TCB_LAYOUT_TURIN)
                judge_svn(j, "tcb-fmc", policy->minimum.fmc, tcb->fmc);
}

/* Devices besides the CPU are none of ours: only an empty map is understood. */
static bool has_no_devices(const char *additional_evidence) {
        AUTO_JSON json_object *map = NULL;

        if (!additional_evidence[0])
                return true;
        return json_parse(additional_evidence, strlen(additional_evidence), "additional evidence", &map, NULL) == 0 &&
               json_object_is_type(map, json_type_object) && json_object_object_length(map) == 0;
}

bool broker_judge_form(const BrokerJudging *j, const SnpReport *report) {
        if (!require_number(j, "version",
                            report->version >= REPORT_VERSION_MIN && report->version <= REPORT_VERSION_MAX, "3..5",
                            report->version))
                return false;
        if (snp_tcb_decode(snp_product_tcb_layout(report->product), report->reported_tcb, &j->result->tcb) < 0)
                return broker_require(j, "tcb-layout", false, "known", "unknown");
        return true;
}

void broker_judge_report(const BrokerJudging *j, const BrokerEvidence *evidence, const SnpReport *report) {
        judge_signature(j, evidence, report);
        judge_vmpl(j, report);
        judge_policy(j, report);
}

static void appraise_snp(const BrokerJudging *j, const BrokerAttestation *attestation) {
        AUTO_BROKER_EVIDENCE BrokerEvidence evidence = {};
        SnpReport *report = &j->result->report;
        Error e = {};
        int r;

        r = broker_evidence_parse(attestation->evidence, &evidence, &e);
        if (r == 0)
                r = snp_report_parse(evidence.report, sizeof(evidence.report), report, &e);
        if (!broker_require(j, "evidence", r == 0, "well-formed", r == 0 ? "well-formed" : error_text(&e, r)) ||
            !broker_judge_form(j, report))
                return;
        broker_judge_report(j, &evidence, report);
        judge_binding(j, attestation, report);
}

void broker_appraise(const BrokerAppraiser *appraiser, const BrokerSession *session,
                     const BrokerAttestation *attestation, BrokerAppraisal *ret) {
        BrokerJudging j = { .by = appraiser, .session = session, .result = ret };
        bool azure = strcmp(session->tee, "az-snp-vtpm") == 0, alone = has_no_devices(attestation->additional_evidence);

        *ret = (BrokerAppraisal){};
        if (!broker_require(&j, "tee", azure || strcmp(session->tee, "snp") == 0, "snp,az-snp-vtpm", session->tee) ||
            !broker_require(&j, "additional-evidence", alone, "none", alone ? "none" : "some"))
                return;
        if (azure)
                broker_appraise_az(&j, attestation);
        else
                appraise_snp(&j, attestation);
        ret->authentic = ret->failed == NULL;
}
