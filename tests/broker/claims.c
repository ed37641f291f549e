/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/broker/claims.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

/* draft-ietf-rats-ar4si section 2.3: tiers of the trustworthiness vector. */
#define AFFIRMING_EXECUTABLES 3
#define AFFIRMING_HARDWARE 2
#define AFFIRMING_CONFIGURATION 2
#define WARNING_EXECUTABLES 33
#define CONTRAINDICATED_HARDWARE 97
#define WARNING_CONFIGURATION 36

static bool denies(const BrokerAppraisal *a, const char *claim) {
        return strstr(a->denied, claim) != NULL;
}

static int add_vector(json_object *cpu0, const BrokerAppraisal *a) {
        unsigned executables = denies(a, "measurement") ? WARNING_EXECUTABLES : AFFIRMING_EXECUTABLES;
        json_object *v = json_object_new_object();
        bool configured = !denies(a, "debug") && !denies(a, "migration");

        if (json_add_u64(v, "executables", executables) < 0 ||
            json_add_u64(v, "hardware", denies(a, "tcb-") ? CONTRAINDICATED_HARDWARE : AFFIRMING_HARDWARE) < 0 ||
            json_add_u64(v, "configuration", configured ? AFFIRMING_CONFIGURATION : WARNING_CONFIGURATION) < 0) {
                (void) json_object_put(v);
                return -ENOMEM;
        }
        return json_add_take(cpu0, "ear.trustworthiness-vector", v);
}

static int add_snp(json_object *annotated, const BrokerAppraisal *a) {
        const SnpReport *report = &a->report;
        json_object *snp = json_object_new_object();

        if (json_add_u64(snp, "policy_abi_major", report->policy >> 8 & 0xff) < 0 ||
            json_add_u64(snp, "policy_abi_minor", report->policy & 0xff) < 0 ||
            json_add_bool(snp, "policy_smt_allowed", report->policy & SNP_POLICY_SMT) < 0 ||
            json_add_bool(snp, "policy_migrate_ma", report->policy & SNP_POLICY_MIGRATE_MA) < 0 ||
            json_add_bool(snp, "policy_debug_allowed", report->policy & SNP_POLICY_DEBUG) < 0 ||
            json_add_bool(snp, "policy_single_socket", report->policy & SNP_POLICY_SINGLE_SOCKET) < 0 ||
            json_add_u64(snp, "reported_tcb_bootloader", a->tcb.boot_loader) < 0 ||
            json_add_u64(snp, "reported_tcb_tee", a->tcb.tee) < 0 ||
            json_add_u64(snp, "reported_tcb_snp", a->tcb.snp) < 0 ||
            json_add_u64(snp, "reported_tcb_microcode", a->tcb.microcode) < 0 ||
            json_add_bool(snp, "platform_tsme_enabled", report->platform_info & SNP_PLATFORM_TSME_EN) < 0 ||
            json_add_bool(snp, "platform_smt_enabled", report->platform_info & SNP_PLATFORM_SMT_EN) < 0 ||
            json_add_hex(snp, "measurement", report->measurement, sizeof(report->measurement)) < 0 ||
            json_add_hex(snp, "chip_id", report->chip_id, sizeof(report->chip_id)) < 0) {
                (void) json_object_put(snp);
                return -ENOMEM;
        }
        return json_add_take(annotated, a->is_azure ? "az-snp-vtpm" : "snp", snp);
}

static int add_pcrs(json_object *annotated, const BrokerAppraisal *a) {
        json_object *tpm = json_object_new_object();
        int bad = 0;

        for (unsigned i = 0; i < VTPM_N_PCRS; i++) {
                char name[8];

                (void) snprintf(name, sizeof(name), "pcr%02u", i);
                bad |= json_add_hex(tpm, name, a->pcrs.values[i], 32);
        }
        return bad | json_add_take(annotated, "tpm", tpm);
}

static int add_configuration(json_object *annotated, const BrokerAppraisal *a) {
        json_object *o = json_object_new_object();
        int bad = 0;

        for (VtpmHclSwitch i = 0; i < VTPM_HCL_N_SWITCHES; i++)
                bad |= json_add_str(o, vtpm_hcl_switch_name(i), vtpm_hcl_flag_name(a->hcl.switches[i]));
        return bad | json_add_take(annotated, "vm-configuration", o);
}

/* Below a paravisor the challenge is in the quote, and init-data in a PCR. */
static int add_azure(json_object *annotated, const BrokerAppraisal *a) {
        return add_pcrs(annotated, a) | add_configuration(annotated, a) |
               json_add_hex(annotated, "report_data", a->challenge, a->challenge_size) |
               json_add_hex(annotated, "init_data", a->pcrs.values[8], 32);
}

static int add_own(json_object *annotated, const BrokerAppraisal *a) {
        const SnpReport *report = &a->report;

        return json_add_hex(annotated, "report_data", report->report_data, sizeof(report->report_data)) |
               json_add_hex(annotated, "init_data", report->host_data, sizeof(report->host_data));
}

/* The runtime data as the digest saw it, so that the key in the token is the attested one. */
static int add_runtime(json_object *annotated, const BrokerAttestation *attestation) {
        AUTO_FREE char *text = NULL;
        json_object *runtime = NULL;

        if (broker_runtime_text(attestation, &text) < 0 ||
            json_parse(text, strlen(text), "runtime data", &runtime, NULL) < 0)
                return -ENOMEM;
        return json_add_take(annotated, "runtime_data_claims", runtime);
}

static int add_annotated(json_object *cpu0, const BrokerAppraisal *a, const BrokerAttestation *attestation) {
        json_object *annotated = json_object_new_object();

        if (add_snp(annotated, a) < 0 || add_runtime(annotated, attestation) < 0 ||
            (a->is_azure ? add_azure(annotated, a) : add_own(annotated, a)) < 0) {
                (void) json_object_put(annotated);
                return -ENOMEM;
        }
        return json_add_take(cpu0, "ear.veraison.annotated-evidence", annotated);
}

static json_object *make_cpu0(const BrokerAppraisal *a, const BrokerAttestation *attestation) {
        json_object *cpu0 = json_object_new_object(), *denied = json_object_new_object();

        if (json_add_str(denied, "denied", a->denied) < 0)
                goto failed;
        if (json_add_take(cpu0, "ear.veraison.policy-claims", TAKE_PTR(denied)) < 0 ||
            json_add_str(cpu0, "ear.status", a->denied[0] ? "contraindicated" : "affirming") < 0 ||
            json_add_str(cpu0, "ear.appraisal-policy-id", "default") < 0 || add_vector(cpu0, a) < 0 ||
            add_annotated(cpu0, a, attestation) < 0)
                goto failed;
        return cpu0;
failed:
        (void) json_object_put(denied);
        (void) json_object_put(cpu0);
        return NULL;
}

int broker_claims(const BrokerAppraisal *appraisal, const BrokerAttestation *attestation, json_object **ret) {
        AUTO_JSON json_object *payload = json_object_new_object();
        json_object *submods = json_object_new_object();
        int r = json_add_take(submods, "cpu0", make_cpu0(appraisal, attestation));

        if (r < 0)
                (void) json_object_put(submods);
        else
                r = json_add_take(payload, "submods", submods);
        if (r == 0)
                *ret = TAKE_PTR(payload);
        return r;
}
