/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The evidence bundle: one self-contained file with everything that is needed to judge a guest later, elsewhere and
 * without a network. Its format is docs/evidence-bundle.md, with docs/evidence-bundle.schema.json.
 *
 * A bundle says what its writer says. All of it is untrusted until agent/bundle/verify.h has judged it, and some of it
 * stays a claim even then: when it was captured, and by which program.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "snp/verify.h"
#include "vtpm/pcr_values.h"

#define BUNDLE_FORMAT "snp-agent-evidence"
#define BUNDLE_VERSION 1u

/* Limits of a file and of its members, in bytes as decoded; the event log is by far the largest. */
#define BUNDLE_SIZE_MAX (32u << 20)
#define BUNDLE_NONCE_MAX 64u /* of REPORT_DATA, and of what a TPM takes */
#define BUNDLE_WRITER_MAX 64u
#define BUNDLE_CRLS_MAX 4u
#define BUNDLE_CRL_SIZE_MAX (1u << 20)
#define BUNDLE_TPM_BLOB_MAX (64u << 10) /* HCL report, AK's certificate */
#define BUNDLE_MANIFEST_MAX (32u << 10) /* what Linux hands on of an SVSM's */
#define BUNDLE_BANKS_MAX 4u             /* as many hashes as we know */
#define BUNDLE_TIME_MAX INT64_C(253402300799) /* end of the year 9999 */

/* How REPORT_DATA comes from the nonce. */
typedef enum BundleRule {
        BUNDLE_RULE_NONCE = 0, /* the nonce, zeros behind it */
        BUNDLE_RULE_SVSM,      /* SHA-512 of the nonce, zeros behind it up to 64 bytes, and the SVSM's manifest */
        BUNDLE_RULE_HCL,       /* digest of the runtime claims in the HCL report; the nonce is in the quote alone */
        BUNDLE_N_RULES,
} BundleRule;

const char *bundle_rule_name(BundleRule rule); /* "nonce", "svsm-manifest", "hcl-claims" */

/* A quote's extraData is the nonce, whatever the rule. */
typedef struct BundleTpm {
        Blob attest;    /* TPMS_ATTEST */
        Blob signature; /* TPMT_SIGNATURE */
        Blob ak;        /* TPMT_PUBLIC */
        VtpmPcrValues pcrs[BUNDLE_BANKS_MAX]; /* no bank twice */
        size_t n_pcrs;
        Blob event_log;      /* these three may be empty */
        Blob ak_certificate; /* DER */
        Blob hcl_report;     /* of Azure's paravisor */
} BundleTpm;

typedef struct Bundle {
        char writer[BUNDLE_WRITER_MAX + 1]; /* program and version, printable ASCII */
        int64_t captured_at;                /* seconds since 1970, by the guest's clock: a claim, and no more */
        uint8_t nonce[BUNDLE_NONCE_MAX];
        size_t nonce_size; /* 1 to BUNDLE_NONCE_MAX */
        BundleRule rule;

        Blob report; /* SNP_REPORT_SIZE bytes */
        Blob vek;    /* VCEK or VLEK, DER */
        Blob chain[SNP_CERTS_MAX]; /* ASK or ASVK, ARK, DER, in any order */
        size_t n_chain;
        Blob crls[BUNDLE_CRLS_MAX]; /* DER */
        size_t n_crls;
        Blob svsm_manifest;           /* of its vTPM; empty without an SVSM */
        uint32_t svsm_manifest_version; /* 0 or 1 */

        bool has_tpm;
        BundleTpm tpm;
} Bundle;

void bundle_done(Bundle *bundle);
#define AUTO_BUNDLE CLEANUP(bundle_done)

/**
 * bundle_parse() - read a bundle
 * @data: not trusted
 * @ret:  on success, owned by the caller; holds no pointers into @data
 *
 * Judges form only. Strict: a member that version 1 does not have is refused, since it might be one that its writer
 * relied on; whoever needs another member needs another version.
 *
 * Return: 0; -EBADMSG not of this form; -EOPNOTSUPP another version; -E2BIG over a limit; -ENOMEM.
 */
WARN_UNUSED int bundle_parse(const void *data, size_t size, Bundle *ret, Error *e);

/**
 * bundle_encode() - as a file, which bundle_parse() reads back
 *
 * Return: 0; -EINVAL a required member is missing or over its limit; -E2BIG; -ENOMEM.
 */
WARN_UNUSED int bundle_encode(const Bundle *bundle, Blob *ret, Error *e);

/**
 * bundle_report_data() - what REPORT_DATA has to be for the nonce, by the bundle's rule
 *
 * Return: 0; -ENOENT the rule needs a part that the bundle does not have; -EBADMSG that part is malformed;
 * -EOPNOTSUPP; -ENOMEM; -EIO.
 */
WARN_UNUSED int bundle_report_data(const Bundle *bundle, uint8_t ret[static SNP_REPORT_DATA_SIZE], Error *e);
