/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is asked of a report that is authentic. A policy is an ini file; every key is about one claim of the report or
 * of the key that signed it, and has a default. The defaults refuse what no production guest needs: debugging, a
 * migration agent, CXL memory, another VMPL than 0, provisional firmware, a masked chip; they ask for no measurement.
 * All keys with their meanings: snp_policy_explain() of an empty policy.
 *
 * Appraisal yields one finding for each claim, never only a boolean. Zero-initialised memory means "deny", as does a
 * verdict that is not SNP_ACCEPT: what a report says counts only once it is known who said it.
 *
 * Fields and their bits: AMD publication 56860, table ATTESTATION_REPORT and the structures it refers to.
 */

#include <json-c/json_object.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/ini-text.h"
#include "snp/product.h"
#include "snp/report.h"
#include "snp/verify.h"

/* Limits of a policy file. The largest one that snp_policy_to_text() can write is below 100 KiB. */
#define SNP_POLICY_FILE_SIZE_MAX (128u * 1024u)
#define SNP_POLICY_LIST_MAX 64 /* values of one key */

typedef struct SnpPolicy SnpPolicy;

/* The defaults. */
WARN_UNUSED int snp_policy_new(SnpPolicy **ret, Error *e);
/*
 * A policy file. Strict: unknown section or key, a key or value given twice, a value that is not right, or keys that
 * contradict each other are -EINVAL with file and line; -E2BIG over a limit; else as file_read().
 */
WARN_UNUSED int snp_policy_load(const char *path, SnpPolicy **ret, Error *e);
/* The same from memory; @name stands for the file in errors. */
WARN_UNUSED int snp_policy_parse(const char *name, const void *data, size_t size, SnpPolicy **ret, Error *e);

/* A section of the file that is about other evidence than a report: who reads it. As members of IniHandler. */
typedef struct SnpPolicyOther {
        const char *section;
        int (*key)(void *userdata, const IniLine *line, Error *e);
        bool (*may_repeat)(void *userdata, const IniLine *line);
        void *userdata;
} SnpPolicyOther;
/* The same, where @other (or NULL) reads one section more. Without a reader such a section is refused. */
WARN_UNUSED int snp_policy_parse_with(const char *name, const void *data, size_t size, const SnpPolicyOther *other,
                                      SnpPolicy **ret, Error *e);

/**
 * snp_policy_new_from_report() - a policy for guests like the one that @report is about
 * @product: of a version 2 report, which does not tell; not looked at otherwise
 *
 * Takes the product line, SIGNING_KEY, VMPL and measurement of the report, and its GUEST_SVN, TCBs and mitigations as
 * minimums. Everything else is as by default: the policy may deny @report itself, for debugging for instance.
 *
 * Return: 0; -EINVAL product line not known, or a report that the host asked for; -ENOMEM.
 */
WARN_UNUSED int snp_policy_new_from_report(const SnpReport *report, SnpProduct product, SnpPolicy **ret, Error *e);
/*
 * From now on asks for an ID block signed by a key with @digest (48 bytes, as in ID_KEY_DIGEST), or by one of those
 * named before; @author: by a key that such a key has signed. 0; -EINVAL zeros, or named before; -E2BIG.
 */
WARN_UNUSED int snp_policy_trust_key(SnpPolicy *policy, bool author, const uint8_t *digest, Error *e);
void snp_policy_free(SnpPolicy *policy);
DEFINE_CLEANUP(SnpPolicy *, snp_policy_free);

/* Whether it says which software a guest must run: a measurement, or who signs its ID block. */
bool snp_policy_names_guest(const SnpPolicy *policy);

/* SNP_VERIFY_*: what verification may let pass because the policy does. */
unsigned snp_policy_verify_flags(const SnpPolicy *policy);

/* As a file with every key, each with a comment; reading it again gives the same policy. 0 or -ENOMEM. */
WARN_UNUSED int snp_policy_to_text(const SnpPolicy *policy, char **ret);
/* In words. JSON: an array of {"section","key","values","default","about","meaning"}. 0 or -ENOMEM. */
WARN_UNUSED int snp_policy_explain(const SnpPolicy *policy, char **ret);
WARN_UNUSED int snp_policy_explain_json(const SnpPolicy *policy, json_object **ret);

typedef enum SnpDecision {
        SNP_DENY = 0,
        SNP_ALLOW = 1,
} SnpDecision;

typedef enum SnpClaimVerdict {
        SNP_CLAIM_DENIED = 0,
        SNP_CLAIM_ALLOWED,
        SNP_CLAIM_NOT_ASKED, /* the policy takes any */
} SnpClaimVerdict;

typedef enum SnpClaim {
        SNP_CLAIM_AUTHENTIC, /* verification accepted the report */
        SNP_CLAIM_VERSION,
        SNP_CLAIM_PRODUCT,
        SNP_CLAIM_SIGNING_KEY,
        SNP_CLAIM_CSP_ID, /* the provider that a VLEK stands for */
        SNP_CLAIM_MASKED_CHIP_ID,
        SNP_CLAIM_CHIP_ID,
        SNP_CLAIM_VMPL,
        SNP_CLAIM_REPORT_DATA,
        SNP_CLAIM_REPORT_ID,
        SNP_CLAIM_REPORT_ID_MA,

        SNP_CLAIM_MEASUREMENT,
        SNP_CLAIM_ID_BLOCK,   /* signed by a trusted key, or by one that a trusted author signed */
        SNP_CLAIM_AUTHOR_KEY, /* a trusted author signed the ID key */
        SNP_CLAIM_FAMILY_ID,
        SNP_CLAIM_IMAGE_ID,
        SNP_CLAIM_GUEST_SVN,
        SNP_CLAIM_HOST_DATA,

        SNP_CLAIM_POLICY_ABI, /* POLICY */
        SNP_CLAIM_SMT,
        SNP_CLAIM_MIGRATION_AGENT,
        SNP_CLAIM_DEBUG,
        SNP_CLAIM_SINGLE_SOCKET,
        SNP_CLAIM_CXL,
        SNP_CLAIM_MEMORY_AES_256_XTS,
        SNP_CLAIM_RAPL_DISABLED,
        SNP_CLAIM_CIPHERTEXT_HIDING,
        SNP_CLAIM_PAGE_SWAP_DISABLED,

        SNP_CLAIM_PLATFORM_SMT, /* PLATFORM_INFO */
        SNP_CLAIM_PLATFORM_TSME,
        SNP_CLAIM_PLATFORM_ECC,
        SNP_CLAIM_PLATFORM_RAPL_DISABLED,
        SNP_CLAIM_PLATFORM_CIPHERTEXT_HIDING,
        SNP_CLAIM_PLATFORM_ALIAS_CHECK,
        SNP_CLAIM_PLATFORM_TIO,
        SNP_CLAIM_PLATFORM_UNNAMED_BITS,

        SNP_CLAIM_FIRMWARE_VERSION,
        SNP_CLAIM_FIRMWARE_BUILD,
        SNP_CLAIM_PROVISIONAL_FIRMWARE,
        SNP_CLAIM_TCB_ORDER, /* COMMITTED and REPORTED do not exceed CURRENT: always asked */
        SNP_CLAIM_REPORTED_TCB,
        SNP_CLAIM_COMMITTED_TCB,
        SNP_CLAIM_CURRENT_TCB,
        SNP_CLAIM_LAUNCH_TCB,
        SNP_CLAIM_LAUNCH_MITIGATIONS,
        SNP_CLAIM_CURRENT_MITIGATIONS,
        SNP_N_CLAIMS,
} SnpClaim;

typedef struct SnpFinding {
        SnpClaimVerdict verdict;
        char wanted[160], found[160]; /* for people; hold 64 bytes in hex */
        char remedy[320];             /* what to do about a denied claim; else empty */
} SnpFinding;

typedef struct SnpAppraisal {
        SnpDecision outcome; /* ALLOW only when no claim is denied */
        SnpFinding findings[SNP_N_CLAIMS];
} SnpAppraisal;

/**
 * snp_policy_appraise() - hold every claim of @report against @policy
 * @verdict: on @report, by snp_report_verify() with snp_policy_verify_flags(); unless it is SNP_ACCEPT, with its
 *           checks, every claim is denied
 * @vek:     that it was verified with. NULL where it is no longer at hand: a claim that needs it is denied
 *
 * All claims are judged, also after one was denied.
 *
 * Return: 0 allowed; -EPERM denied, with *@ret set and the first denied claim in @e, its name as the reason; -EINVAL
 * @verdict accepts another report than this one: a mistake of the caller, with every claim denied in *@ret.
 */
WARN_UNUSED int snp_policy_appraise(const SnpPolicy *policy, const SnpReport *report, const SnpVerdict *verdict,
                                    const SnpVek *vek, SnpAppraisal *ret, Error *e);

const char *snp_claim_name(SnpClaim claim);                  /* "authentic", "debug", ... */
const char *snp_claim_verdict_name(SnpClaimVerdict verdict); /* "denied", "allowed", "not-asked" */

/* JSON: an array of {"claim","wanted","found","verdict","remedy"}; "remedy" where denied. 0 or -ENOMEM. */
WARN_UNUSED int snp_appraisal_to_json(const SnpAppraisal *appraisal, json_object **ret);
WARN_UNUSED int snp_appraisal_to_text(const SnpAppraisal *appraisal, char **ret);
