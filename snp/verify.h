/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Whom to believe. Three steps, each with its own type, so that a caller cannot skip one:
 *
 *   SnpTrust    the roots: AMD's ARKs, pinned by public-key fingerprint, or one test root that the
 *               operator configured by hand
 *   SnpVek      a VCEK or VLEK whose chain to such a root held at a given time. Costly; cache it
 *   SnpVerdict  a report judged with that key. Zero-initialised memory means "reject"
 *
 * Rules: AMD publication 57230 (certificates), 56860 (report), and the pitfalls other verifiers fell
 * into; no certificate of the evidence ever becomes a root.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "snp/product.h"
#include "snp/report.h"

typedef struct SnpTrust SnpTrust;
typedef struct SnpVek SnpVek;

/* Trust in AMD's three ARKs, by SHA-384 of their SubjectPublicKeyInfo. */
WARN_UNUSED int snp_trust_new_amd(SnpTrust **ret, Error *e);
/*
 * Trust in exactly the roots in @pem_or_der (one or more self-signed "ARK-<Product>" certificates), and NOT in AMD's.
 * 0; -EBADMSG not such certificates; -EKEYREJECTED one does not sign itself; -E2BIG; -ENOMEM.
 */
WARN_UNUSED int snp_trust_new_test(const void *pem_or_der, size_t size, SnpTrust **ret, Error *e);
void snp_trust_free(SnpTrust *trust);
DEFINE_CLEANUP(SnpTrust *, snp_trust_free);
bool snp_trust_is_test(const SnpTrust *trust); /* every consumer says so loudly */

/*
 * Untrusted certificates to build a chain from. DER or PEM each; the chain file of AMD's service is PEM with two. In
 * all no more than 16 are taken from others[], and each of them must at least be a certificate.
 */
#define SNP_CERTS_MAX 8
#define SNP_CERT_SIZE_MAX (16u * 1024u)
typedef struct SnpCertBytes {
        const uint8_t *data; /* borrowed */
        size_t size;
} SnpCertBytes;
typedef struct SnpCerts {
        SnpCertBytes vek;                   /* the VCEK or VLEK */
        SnpCertBytes others[SNP_CERTS_MAX]; /* ASK or ASVK, ARK, in any order; surplus ones are ignored */
        size_t n_others;
} SnpCerts;

/**
 * snp_vek_new() - check a VCEK or VLEK up to a trusted root
 * @at: time at which the whole chain must be valid
 *
 * Checks the certificate profile (version, names, RSASSA-PSS parameters, P-384), the extensions, the
 * chain ARK > ASK or ASVK > VEK within one product line, and validity. The ARK's bytes may come from
 * @certs but its key must be pinned by @trust. Test roots bring their own: @certs needs none then.
 *
 * Return: 0; -EBADMSG not a certificate or not of this profile; -EKEYREJECTED chain, root or time does
 * not hold; -ENOENT a needed certificate (ASK, ASVK, ARK) is not in @certs; -E2BIG over a limit; -ENOMEM.
 */
WARN_UNUSED int snp_vek_new(const SnpTrust *trust, const SnpCerts *certs, time_t at, SnpVek **ret, Error *e);
void snp_vek_free(SnpVek *vek);
DEFINE_CLEANUP(SnpVek *, snp_vek_free);

SnpSigningKey snp_vek_kind(const SnpVek *vek);
SnpProduct snp_vek_product(const SnpVek *vek);
const SnpTcb *snp_vek_tcb(const SnpVek *vek);
/* VCEK: 64 bytes (Turin: 8). VLEK: size 0. */
const uint8_t *snp_vek_hwid(const SnpVek *vek, size_t *ret_size);
const char *snp_vek_csp_id(const SnpVek *vek);  /* VLEK only, else NULL; printable */
time_t snp_vek_not_after(const SnpVek *vek);    /* earliest end in the chain */
bool snp_vek_is_test(const SnpVek *vek);

typedef enum SnpOutcome {
        SNP_REJECT = 0,
        SNP_ACCEPT = 1,
} SnpOutcome;

typedef enum SnpCheck {
        SNP_CHECK_SIGNATURE,   /* ECDSA P-384 over the raw bytes */
        SNP_CHECK_SIGNING_KEY, /* SIGNING_KEY names the kind of the certificate */
        SNP_CHECK_PRODUCT,     /* CPUID bytes agree with the certificate */
        SNP_CHECK_TCB,         /* REPORTED_TCB equals the certificate's */
        SNP_CHECK_CHIP_ID,     /* CHIP_ID equals hwID; not applicable to a VLEK */
        SNP_CHECK_REVOCATION,  /* see snp/crl.h; not applicable when no list was looked at, or none had to be */
        SNP_N_CHECKS,
} SnpCheck;

typedef enum SnpCheckResult {
        SNP_CHECK_NOT_DONE = 0,
        SNP_CHECK_OK,
        SNP_CHECK_FAILED,
        SNP_CHECK_NOT_APPLICABLE, /* never for SIGNATURE, SIGNING_KEY, TCB */
} SnpCheckResult;

/* What revocation lists said of the ASK or ASVK: snp_vek_check_crl() in snp/crl.h finds out. */
typedef enum SnpCrlState {
        SNP_CRL_NOT_ASKED = 0, /* nobody asked, or the policy is "off" */
        SNP_CRL_OK,            /* current list, not on it */
        SNP_CRL_STALE,         /* not on it, but its nextUpdate has passed */
        SNP_CRL_ABSENT,        /* no list */
        SNP_CRL_UNUSABLE,      /* malformed, not signed by the ARK, not yet valid, of another kind */
        SNP_CRL_REVOKED,
} SnpCrlState;

#define SNP_REPORT_DIGEST_SIZE 48 /* SHA-384 */

typedef struct SnpVerdict {
        SnpOutcome outcome; /* ACCEPT only when every check is OK or NOT_APPLICABLE */
        SnpCheckResult checks[SNP_N_CHECKS];
        SnpCrlState crl; /* detail of SNP_CHECK_REVOCATION */
        uint8_t report[SNP_REPORT_DIGEST_SIZE]; /* of all bytes of the report that was judged; see snp_verdict_is_on() */
} SnpVerdict;

/* Accept a VCEK-signed report whose CHIP_ID the host has masked with zeros. The default is to reject it. */
#define SNP_VERIFY_ALLOW_MASKED_CHIP_ID 1u
/* Reject unless a current revocation list was looked at, whatever the SnpCrlPolicy of that look was. */
#define SNP_VERIFY_REQUIRE_CRL 2u

/**
 * snp_report_verify() - judge authenticity: is this report by the chip or provider that @vek names?
 * @flags: SNP_VERIFY_*
 *
 * All checks are made, also after one failed, so that *@ret tells all; the first failure is in @e.
 * Says nothing about policy, freshness or REPORT_DATA.
 *
 * Return: 0 accepted; -EKEYREJECTED rejected, with *@ret set and outcome SNP_REJECT; -ENOMEM or -EIO when it
 * could not be judged (outcome SNP_REJECT too).
 */
WARN_UNUSED int snp_report_verify(const SnpReport *report, const SnpVek *vek, unsigned flags, SnpVerdict *ret, Error *e);

/* Whether @verdict was passed on these very bytes; also false when that cannot be found out. */
bool snp_verdict_is_on(const SnpVerdict *verdict, const SnpReport *report);

const char *snp_check_name(SnpCheck check);               /* "signature", "signing-key", ... */
const char *snp_check_result_name(SnpCheckResult result); /* "ok", "failed", ... */
