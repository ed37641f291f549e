/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Judging an evidence bundle, with nothing but its bytes, the roots, a time and perhaps a policy.
 *
 * Every part gets a result of its own, so that a refusal shows what held and what did not. The outcome is made of them
 * and of nothing else; zero-initialised memory means "reject", and a part that was not judged rejects.
 *
 * What an accepted bundle says: a guest with these properties existed, on AMD hardware that was genuine by the
 * certificates as of the time that the caller names, and answered this nonce. Not when: a nonce that the verifier has
 * chosen bounds the time from below, and the capture time in the file is the guest's own word. That is why the time
 * to judge at comes from the caller, who knows until when the bundle has been in hands that he trusts.
 */

#include <json-c/json_object.h>
#include <time.h>

#include "agent/bundle/bundle.h"
#include "agent/bundle/policy.h"
#include "snp/crl.h"
#include "snp/verify.h"
#include "vtpm/binding.h"
#include "vtpm/verify.h"

typedef enum BundlePart {
        BUNDLE_PART_REPORT,      /* its form, its signature, the chain to a root, and all of SnpVerdict */
        BUNDLE_PART_REVOCATION,  /* the issuer of the key is on no list; unproven: no list says so, and none had to */
        BUNDLE_PART_NONCE,       /* it is the verifier's; unproven: nobody said which it should be */
        BUNDLE_PART_REPORT_DATA, /* it follows from the nonce by the bundle's rule */
        BUNDLE_PART_QUOTE,       /* its form and signature */
        BUNDLE_PART_QUOTE_NONCE, /* it answers the nonce */
        BUNDLE_PART_PCRS,        /* the values are those quoted */
        BUNDLE_PART_EVENT_LOG,   /* leads to the quoted values; unproven: to some of them */
        BUNDLE_PART_BINDING,     /* the report vouches for this TPM; unproven: it does not, so the quote is hearsay */
        BUNDLE_PART_POLICY,
        BUNDLE_N_PARTS,
} BundlePart;

typedef enum BundleResult {
        BUNDLE_NOT_DONE = 0, /* for want of a part that comes before it */
        BUNDLE_OK,
        BUNDLE_FAILED,
        BUNDLE_UNPROVEN,  /* see above; stands in nobody's way, unless a policy asks for it */
        BUNDLE_ABSENT,    /* the bundle has no such part */
        BUNDLE_NOT_ASKED, /* without a policy, or with revocation lists off */
} BundleResult;

typedef struct BundleFinding {
        BundleResult result;
        const char *reason;          /* stable identifier; NULL for OK */
        char detail[ERROR_TEXT_MAX]; /* for people; never empty once judged */
} BundleFinding;

/* What to judge by; all borrowed. */
typedef struct BundleQuestion {
        const SnpTrust *trust;
        time_t at;         /* when the certificates must be valid */
        SnpCrlPolicy crl;
        const BundlePolicy *policy; /* or NULL */
        const uint8_t *nonce;       /* that the verifier chose, exactly; or NULL */
        size_t nonce_size;
} BundleQuestion;

typedef enum BundleSecureBoot {
        BUNDLE_SECURE_BOOT_UNKNOWN = 0, /* no log, PCR 7 does not bear it out, or firmware did not say it */
        BUNDLE_SECURE_BOOT_OFF,
        BUNDLE_SECURE_BOOT_ON,
} BundleSecureBoot;

struct BundleVerdict {
        SnpOutcome outcome; /* ACCEPT only when every part lets it */
        BundleFinding parts[BUNDLE_N_PARTS];
        Error why; /* of a rejection: the first part that does not let it */
        bool test_root;

        bool has_report; /* the next two are valid; believe them only if REPORT is OK */
        SnpReport report;
        SnpVerdict snp;
        SnpVek *vek; /* owned; NULL when its chain did not hold */
        SnpCrlVerdict crl;

        /* Believe these only if QUOTE and PCRS are OK; and as the chip's word only if BINDING is. */
        VtpmVerdict quote;
        VtpmBinding binding;
        uint32_t explained[BUNDLE_BANKS_MAX]; /* PCRs that the log leads to, for each of the bundle's banks */
        BundleSecureBoot secure_boot;         /* by a log that leads to PCR 7 */

        SnpAppraisal snp_appraisal; /* with a policy */
        TpmAppraisal tpm_appraisal;
};

void bundle_verdict_done(BundleVerdict *v);
#define AUTO_BUNDLE_VERDICT CLEANUP(bundle_verdict_done)

/**
 * bundle_verify() - judge every part that can be judged
 * @ret: always set, owned by the caller
 *
 * Return: 0 judged, either way (see ret->outcome); -ENOENT a certificate that is needed is not in the bundle; -ENOMEM;
 * -EIO. For a failure the outcome is SNP_REJECT.
 */
WARN_UNUSED int bundle_verify(const Bundle *bundle, const BundleQuestion *question, BundleVerdict *ret, Error *e);

const char *bundle_part_name(BundlePart part);       /* "report", "revocation", ... */
const char *bundle_result_name(BundleResult result); /* "ok", "failed", "unproven", ... */
const char *bundle_secure_boot_name(BundleSecureBoot state); /* "unknown", "off", "on" */
