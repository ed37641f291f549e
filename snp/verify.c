/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A report against a key whose chain held. Six independent questions, all of them answered every time, so that a
 * refusal can be explained in full; the verdict is their conjunction and nothing else.
 */

#include "snp/verify.h"

#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/reader.h"
#include "snp/ecdsa.h"
#include "snp/vek.h"

typedef struct Judgement {
        const SnpReport *report;
        const SnpVek *vek;
        unsigned flags;
} Judgement;

typedef SnpCheckResult (*CheckFunction)(const Judgement *j, Error *e);

/* NOT_DONE: it could not be judged, for want of memory or because libcrypto failed. */
static SnpCheckResult check_signature(const Judgement *j, Error *e) {
        int r;

        if (j->report->mask_chip_key || j->report->signing_key == SNP_SIGNING_KEY_NONE) {
                (void) error_set(e, -EKEYREJECTED, "signature", "The platform was told not to sign reports");
                return SNP_CHECK_FAILED;
        }
        r = snp_ecdsa_verify(j->vek->key, j->report->signature_r, j->report->signature_s, j->report->raw,
                             SNP_REPORT_SIGNED_SIZE);
        if (r == 0)
                return SNP_CHECK_OK;
        if (r == -EKEYREJECTED) {
                (void) error_set(e, r, "signature", "The signature of the report does not hold");
                return SNP_CHECK_FAILED;
        }
        (void) error_set(e, r, "signature-unjudged", "The signature of the report could not be judged");
        return SNP_CHECK_NOT_DONE;
}

static SnpCheckResult check_signing_key(const Judgement *j, Error *e) {
        if (j->report->signing_key == j->vek->kind)
                return SNP_CHECK_OK;
        (void) error_set(e, -EKEYREJECTED, "signing-key", "SIGNING_KEY is %d but the certificate is a %s",
                         (int) j->report->signing_key, j->vek->kind == SNP_SIGNING_KEY_VLEK ? "VLEK" : "VCEK");
        return SNP_CHECK_FAILED;
}

static SnpCheckResult check_product(const Judgement *j, Error *e) {
        if (!j->report->has_cpuid)
                return SNP_CHECK_NOT_APPLICABLE; /* version 2 does not say */
        if (j->report->product == j->vek->product)
                return SNP_CHECK_OK;
        (void) error_set(e, -EKEYREJECTED, "product", "The report is from %s but the certificate is for %s",
                         snp_product_name(j->report->product), snp_product_name(j->vek->product));
        return SNP_CHECK_FAILED;
}

static SnpCheckResult check_tcb(const Judgement *j, Error *e) {
        if (memcmp(j->report->reported_tcb, j->vek->ext.tcb, SNP_TCB_SIZE) == 0)
                return SNP_CHECK_OK;
        (void) error_set(e, -EKEYREJECTED, "tcb", "REPORTED_TCB differs from the TCB of the certificate");
        return SNP_CHECK_FAILED;
}

static SnpCheckResult check_chip_id(const Judgement *j, Error *e) {
        const uint8_t *chip_id = j->report->chip_id;
        size_t n = j->vek->ext.hwid_size;

        if (j->vek->kind == SNP_SIGNING_KEY_VLEK)
                return SNP_CHECK_NOT_APPLICABLE; /* stands for a provider, not for a chip */
        if (bytes_are_zero(chip_id, SNP_CHIP_ID_SIZE)) {
                if (j->flags & SNP_VERIFY_ALLOW_MASKED_CHIP_ID)
                        return SNP_CHECK_NOT_APPLICABLE;
                (void) error_set(e, -EKEYREJECTED, "chip-id-masked",
                                 "CHIP_ID is masked by the host, which nobody has allowed");
                return SNP_CHECK_FAILED;
        }
        if (n > 0 && memcmp(chip_id, j->vek->ext.hwid, n) == 0 && bytes_are_zero(chip_id + n, SNP_CHIP_ID_SIZE - n))
                return SNP_CHECK_OK;
        (void) error_set(e, -EKEYREJECTED, "chip-id", "CHIP_ID differs from the hwID of the certificate");
        return SNP_CHECK_FAILED;
}

/* snp_vek_check_crl() has looked; here it is only decided whether what it found will do. */
static SnpCheckResult check_revocation(const Judgement *j, Error *e) {
        const SnpVek *vek = j->vek;

        if (vek->crl == SNP_CRL_OK)
                return SNP_CHECK_OK;
        if (vek->crl == SNP_CRL_REVOKED)
                (void) error_set(e, -EKEYREJECTED, "revoked", "The %s of the certificate is revoked",
                                 vek->kind == SNP_SIGNING_KEY_VLEK ? "ASVK" : "ASK");
        else if (j->flags & SNP_VERIFY_REQUIRE_CRL)
                (void) error_set(e, -EKEYREJECTED, "crl-required", "No current revocation list was looked at");
        else if (vek->crl != SNP_CRL_NOT_ASKED && !vek->crl_accepted)
                (void) error_set(e, -EKEYREJECTED, "crl-refused", "The policy on revocation lists is not met");
        else
                return SNP_CHECK_NOT_APPLICABLE;
        return SNP_CHECK_FAILED;
}

static const struct {
        const char *name;
        CheckFunction run;
} checks[SNP_N_CHECKS] = {
        [SNP_CHECK_SIGNATURE] = { "signature", check_signature },
        [SNP_CHECK_SIGNING_KEY] = { "signing-key", check_signing_key },
        [SNP_CHECK_PRODUCT] = { "product", check_product },
        [SNP_CHECK_TCB] = { "tcb", check_tcb },
        [SNP_CHECK_CHIP_ID] = { "chip-id", check_chip_id },
        [SNP_CHECK_REVOCATION] = { "revocation", check_revocation },
};

/* The whole report, its signature included: two reports that differ in any byte are two reports. */
static int digest_report(const SnpReport *report, uint8_t ret[static SNP_REPORT_DIGEST_SIZE]) {
        unsigned n = 0;
        int ok;

        (void) ERR_set_mark();
        ok = EVP_Digest(report->raw, sizeof(report->raw), ret, &n, EVP_sha384(), NULL);
        (void) ERR_pop_to_mark();
        return ok == 1 && n == SNP_REPORT_DIGEST_SIZE ? 0 : -EIO;
}

int snp_report_verify(const SnpReport *report, const SnpVek *vek, unsigned flags, SnpVerdict *ret, Error *e) {
        const Judgement j = { .report = report, .vek = vek, .flags = flags };
        SnpVerdict verdict = { .crl = vek->crl };
        Error first = {};
        size_t n_good = 0;

        *ret = verdict;
        if (digest_report(report, verdict.report) < 0)
                return error_set(e, -EIO, "report-digest", "The digest of the report cannot be computed");
        for (SnpCheck check = 0; check < SNP_N_CHECKS; check++) {
                SnpCheckResult result = checks[check].run(&j, &first);

                verdict.checks[check] = result;
                n_good += result == SNP_CHECK_OK || result == SNP_CHECK_NOT_APPLICABLE;
        }
        if (n_good == SNP_N_CHECKS)
                verdict.outcome = SNP_ACCEPT;
        *ret = verdict;
        if (verdict.outcome == SNP_ACCEPT)
                return 0;
        assert(first.code < 0); /* each check says why */
        return error_set(e, first.code, first.reason, "%s", first.text);
}

bool snp_verdict_is_on(const SnpVerdict *verdict, const SnpReport *report) {
        uint8_t digest[SNP_REPORT_DIGEST_SIZE];

        return digest_report(report, digest) == 0 && memcmp(digest, verdict->report, sizeof(digest)) == 0;
}

const char *snp_check_name(SnpCheck check) {
        return check < SNP_N_CHECKS ? checks[check].name : "unknown";
}

const char *snp_check_result_name(SnpCheckResult result) {
        switch (result) {
        case SNP_CHECK_OK:
                return "ok";
        case SNP_CHECK_FAILED:
                return "failed";
        case SNP_CHECK_NOT_APPLICABLE:
                return "not-applicable";
        case SNP_CHECK_NOT_DONE:
        default:
                return "not-done";
        }
}
