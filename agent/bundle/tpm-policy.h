/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Section [TPM] of a policy file: what is asked of a TPM's quote. By default nothing is; but once something is, a TPM
 * that the report does not vouch for is no proof of it, since the host may run that TPM as it likes.
 *
 *   RequireQuote=no                  yes: there must be a quote, also when no other key asks for one
 *   RequireBound=yes                 the quote that is asked for must be by a TPM that the report vouches for. no: it may
 *                                    be by any, and proves nothing then
 *   AllowUnboundAsEvidence=no        yes: takes the word of a TPM that the host may run; needs RequireBound=no
 *   AkName=HEX...                    the TPM's name of the attestation key: one of these
 *   EventLogPcrs=N...                PCRs to whose values the event log must lead
 *   SecureBoot=allow|require|forbid  what firmware measured into PCR 7, by an event log that leads there
 *   PcrN=BANK:HEX...                 the value of PCR N: one of these; never of bank sha1
 *
 * Zero-initialised memory is the policy of an empty section, which is the safe one.
 */

#include <json-c/json_object.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/bundle/bundle.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/ini-text.h"
#include "base/writer.h"
#include "snp/policy.h"
#include "vtpm/attest.h"

#define TPM_POLICY_SECTION "TPM"
#define TPM_POLICY_VALUES_MAX 16u /* of one PCR, and of keys */

typedef enum TpmRule {
        TPM_RULE_ALLOW = 0, /* either */
        TPM_RULE_REQUIRE,
        TPM_RULE_FORBID,
} TpmRule;

typedef struct TpmPcrValue {
        uint16_t hash; /* never SHA-1 */
        uint8_t value[VTPM_DIGEST_MAX];
} TpmPcrValue;

typedef struct TpmPcrValuesWanted {
        size_t n; /* 0: any */
        TpmPcrValue items[TPM_POLICY_VALUES_MAX];
} TpmPcrValuesWanted;

typedef struct TpmName {
        uint8_t bytes[VTPM_NAME_MAX];
        size_t size;
} TpmName;

typedef struct TpmPolicy {
        bool require_quote;
        bool unbound_may_be_there; /* RequireBound=no */
        bool unbound_is_proof;     /* AllowUnboundAsEvidence=yes */
        TpmRule secure_boot;
        uint32_t log_pcrs; /* bit n is PCR n */
        size_t n_names;
        TpmName names[TPM_POLICY_VALUES_MAX];
        TpmPcrValuesWanted pcrs[VTPM_N_PCRS];
} TpmPolicy;

/*
 * A line of the section. 0; -EINVAL or -E2BIG with a sentence, to which file and line are put by whoever reads the file.
 */
WARN_UNUSED int tpm_policy_set(TpmPolicy *policy, const IniLine *line, Error *e);
bool tpm_policy_may_repeat(const IniLine *line);
/* Keys that contradict each other: -EINVAL. @name stands for the file. */
WARN_UNUSED int tpm_policy_check(const TpmPolicy *policy, const char *name, Error *e);

/* Whether anything is asked of a quote. */
bool tpm_policy_asks(const TpmPolicy *policy);

/* The section with every key, each with a comment. */
void tpm_policy_write(const TpmPolicy *policy, Writer *w);
/* In words, as snp_policy_explain() has them; JSON: appended to @array. 0 or -ENOMEM. */
WARN_UNUSED int tpm_policy_explain(const TpmPolicy *policy, Writer *w);
WARN_UNUSED int tpm_policy_explain_json(const TpmPolicy *policy, json_object *array);

typedef enum TpmClaim {
        TPM_CLAIM_QUOTE, /* there is one, and it holds */
        TPM_CLAIM_BOUND, /* by a TPM that the report vouches for */
        TPM_CLAIM_AK_NAME,
        TPM_CLAIM_EVENT_LOG,
        TPM_CLAIM_SECURE_BOOT,
        TPM_CLAIM_PCR_0, /* and 23 more */
        TPM_N_CLAIMS = TPM_CLAIM_PCR_0 + VTPM_N_PCRS,
} TpmClaim;

/* Findings have the form of those about the report. */
typedef struct TpmAppraisal {
        SnpDecision outcome; /* ALLOW only when no claim is denied */
        SnpFinding findings[TPM_N_CLAIMS];
} TpmAppraisal;

typedef struct BundleVerdict BundleVerdict;

/**
 * tpm_policy_appraise() - hold the quote against the policy
 * @bundle, @verdict: what bundle_verify() has found out so far about a bundle; both NULL: evidence without a TPM
 *
 * Return: 0 allowed; -EPERM denied, with *@ret set and the first denied claim in @e, its name as the reason.
 */
WARN_UNUSED int tpm_policy_appraise(const TpmPolicy *policy, const Bundle *bundle, const BundleVerdict *verdict,
                                    TpmAppraisal *ret, Error *e);

const char *tpm_claim_name(TpmClaim claim); /* "tpm-quote", "tpm-bound", ..., "tpm-pcr-7" */
/* Appends to @array what snp_appraisal_to_json() makes of a report's. 0 or -ENOMEM. */
WARN_UNUSED int tpm_appraisal_to_json(const TpmAppraisal *appraisal, json_object *array);
