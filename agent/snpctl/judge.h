/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Judging a report with everything that a command line can bring: certificates from anywhere, a time, a
 * root, and what the report is expected to say. Every check leaves a row, so that a rejection shows what
 * held and what did not.
 */

#include <json-c/json_object.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "agent/snpctl/hcl-file.h"
#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "snp/report.h"
#include "snp/verify.h"

typedef enum JudgeCheck {
        JUDGE_FORM,    /* the bytes are a report */
        JUDGE_CHAIN,   /* the certificate leads to a trusted root */
        JUDGE_REPORT,  /* the first of SNP_N_CHECKS */
        JUDGE_EXPECTED_PRODUCT = JUDGE_REPORT + SNP_N_CHECKS,
        JUDGE_REPORT_DATA,
        JUDGE_HCL,      /* the report vouches for the runtime claims of Azure's paravisor that came with it */
        JUDGE_MANIFEST, /* the report is of VMPL 0, over nonce and SVSM manifest */
        JUDGE_N_CHECKS,
} JudgeCheck;

const char *judge_check_name(JudgeCheck check);

typedef struct JudgeInput {
        Blob report;
        Blob hcl;                /* what the report was taken from; data NULL: it came alone */
        Blob certs;              /* the host's certificate table; may be empty */
        Blob vek;                /* takes precedence over the table's; data NULL: not given */
        Blob chain[SNP_CERTS_MAX];
        size_t n_chain;
        Blob crl;                /* must be current; data NULL: the one below, or the table's, of whatever age */
        Blob found_crl;          /* lay beside the certificates; may be empty */
        Blob trust_root;         /* data NULL: AMD's roots; an empty file is a root that nobody has */
        time_t at;
        unsigned flags;          /* SNP_VERIFY_* */
        SnpProduct product;      /* expected; UNKNOWN: any */
        bool has_report_data;
        /* Expected; with a manifest, the nonce; with a paravisor's claims, their user data. */
        uint8_t report_data[SNP_REPORT_DATA_SIZE];
        bool has_manifest;                         /* only with has_report_data */
        Blob manifest;                             /* of an SVSM */
} JudgeInput;
void judge_input_done(JudgeInput *in);
#define AUTO_JUDGE_INPUT CLEANUP(judge_input_done)

typedef struct Judgement {
        SnpOutcome outcome; /* zero is reject */
        SnpCheckResult checks[JUDGE_N_CHECKS];
        Error why;          /* of a rejection: the first check that failed */
        bool test_root;
        bool has_report;    /* the fields below are valid */
        SnpReport report;
        SnpVerdict verdict; /* on the report by its key, whatever else was expected */
        SnpProduct product; /* for decoding; from certificate or report */
        bool has_hcl;       /* the field below is valid */
        HclFindings hcl;
        SnpVek *vek;        /* owned; NULL when its chain did not hold */
} Judgement;
void judgement_done(Judgement *j);
#define AUTO_JUDGEMENT CLEANUP(judgement_done)

/**
 * judge_report() - fill in every check that can be made
 *
 * Return: 0 judged, either way; -ENOENT a certificate that is needed is not there (reason "no-vek", or as snp_vek_new()
 * says); -EBADMSG certificate table or trust root is malformed; -ENOMEM, -EIO.
 */
WARN_UNUSED int judge_report(const JudgeInput *in, Judgement *ret, Error *e);

const char *judge_trust_name(const Judgement *j); /* "AMD" or "TEST ROOT" */
/* {"form":"ok",...}: every check and its result. 0 or -ENOMEM. */
WARN_UNUSED int judge_checks_to_json(const Judgement *j, json_object **ret);
