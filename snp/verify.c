/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A report against a key whose chain held. Five independent questions, all of them answered every time, so that a
 * refusal can be explained in full; the verdict is their conjunction and nothing else.
 */

#include "snp/verify.h"

#include <assert.h>
#include <errno.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/reader.h"
#include "snp/vek.h"

/* P-384: 48 significant bytes of the 72 that the report gives to R and to S (publication 56860, table ECDSA
 * signature format). */
#define SCALAR_SIZE 48
/* SEQUENCE of two INTEGERs of at most 49 bytes each: 2 * (2 + 49) + 2 */
#define DER_SIGNATURE_MAX 104

DEFINE_CLEANUP(ECDSA_SIG *, ECDSA_SIG_free);
DEFINE_CLEANUP(BIGNUM *, BN_free);
DEFINE_CLEANUP(EVP_MD_CTX *, EVP_MD_CTX_free);

typedef struct Judgement {
        const SnpReport *report;
        const SnpVek *vek;
        unsigned flags;
} Judgement;

typedef SnpCheckResult (*CheckFunction)(const Judgement *j, Error *e);

/* Little-endian 72 bytes; -EKEYREJECTED when more than 48 of them are used. */
static int load_scalar(const uint8_t bytes[static 72], BIGNUM **ret) {
        if (!bytes_are_zero(bytes + SCALAR_SIZE, 72 - SCALAR_SIZE))
                return -EKEYREJECTED;
        *ret = BN_lebin2bn(bytes, SCALAR_SIZE, NULL);
        return *ret ? 0 : -ENOMEM;
}

static int encode_signature(const SnpReport *report, uint8_t ret[static DER_SIGNATURE_MAX], size_t *ret_size) {
        CLEANUP(ECDSA_SIG_freep) ECDSA_SIG *sig = ECDSA_SIG_new();
        CLEANUP(BN_freep) BIGNUM *r = NULL;
        CLEANUP(BN_freep) BIGNUM *s = NULL;
        int k, n;

        if (!sig)
                return -ENOMEM;
        k = load_scalar(report->signature_r, &r);
        if (k < 0)
                return k;
        k = load_scalar(report->signature_s, &s);
        if (k < 0)
                return k;
        if (ECDSA_SIG_set0(sig, r, s) != 1)
                return -ENOMEM;
        r = s = NULL; /* taken by sig */
        n = i2d_ECDSA_SIG(sig, NULL);
        if (n <= 0 || n > DER_SIGNATURE_MAX || i2d_ECDSA_SIG(sig, &ret) != n)
                return -EIO;
        *ret_size = (size_t) n;
        return 0;
}

/* Libcrypto itself refuses R and S outside [1, group order). */
static int verify_signature(const SnpReport *report, EVP_PKEY *key) {
        CLEANUP(EVP_MD_CTX_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        uint8_t der[DER_SIGNATURE_MAX];
        size_t size = 0;
        int r = encode_signature(report, der, &size);

        if (r < 0)
                return r;
        if (!ctx)
                return -ENOMEM;
        if (EVP_DigestVerifyInit(ctx, NULL, EVP_sha384(), NULL, key) != 1)
                return -EIO;
        return EVP_DigestVerify(ctx, der, size, report->raw, SNP_REPORT_SIGNED_SIZE) == 1 ? 0 : -EKEYREJECTED;
}

/* NOT_DONE: it could not be judged, for want of memory or because libcrypto failed. */
static SnpCheckResult check_signature(const Judgement *j, Error *e) {
        int r;

        if (j->report->mask_chip_key || j->report->signing_key == SNP_SIGNING_KEY_NONE) {
                (void) error_set(e, -EKEYREJECTED, "signature", "The platform was told not to sign reports");
                return SNP_CHECK_FAILED;
        }
        (void) ERR_set_mark();
        r = verify_signature(j->report, j->vek->key);
        (void) ERR_pop_to_mark();
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
                (void) error_set(e, -EKEYREJECTED, "chip-id-masked", "CHIP_ID is masked by the host");
                return SNP_CHECK_FAILED;
        }
        if (n > 0 && memcmp(chip_id, j->vek->ext.hwid, n) == 0 && bytes_are_zero(chip_id + n, SNP_CHIP_ID_SIZE - n))
                return SNP_CHECK_OK;
        (void) error_set(e, -EKEYREJECTED, "chip-id", "CHIP_ID differs from the hwID of the certificate");
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
};

int snp_report_verify(const SnpReport *report, const SnpVek *vek, unsigned flags, SnpVerdict *ret, Error *e) {
        const Judgement j = { .report = report, .vek = vek, .flags = flags };
        SnpVerdict verdict = {};
        Error first = {};
        size_t n_good = 0;

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
