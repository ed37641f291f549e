/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Revocation. Each product line has two lists, both signed by its ARK: one for VCEKs, which can name the ASK, and one
 * for VLEKs, which can name the ASVK (AMD publication 57230; RFC 5280, section 5). A list is applied to the serial
 * number of the ASK or ASVK and to nothing else: serial numbers of VCEKs and VLEKs are all zero, so an entry "0" would
 * revoke every chip there is.
 *
 * Whoever hands over a list may be hostile: it cannot be forged, but it can be withheld, and an old one can be handed
 * over for as long as it is valid. That is what the modes are about:
 *
 *   hard  there must be a list, and it must be current: thisUpdate <= now <= nextUpdate
 *   soft  an absent or unusable list is told but accepted, which bridges an outage of AMD's service and stops nobody
 *         who can withhold lists. A list past its nextUpdate counts for stale_max more seconds, and is then refused:
 *         it proves that lists have been issued, and that newer ones do not come
 *   off   lists are not looked at
 *
 * A list that names the certificate revokes it in soft mode too, however old the list is: nothing is ever un-revoked.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "snp/verify.h"

#define SNP_CRL_SIZE_MAX (1024u * 1024u)

typedef enum SnpCrlMode {
        SNP_CRL_HARD = 0,
        SNP_CRL_SOFT,
        SNP_CRL_OFF,
} SnpCrlMode;

#define SNP_CRL_STALE_MAX_DEFAULT (UINT64_C(30) * 24 * 60 * 60) /* seconds */

typedef struct SnpCrlPolicy {
        SnpCrlMode mode;
        uint64_t stale_max; /* seconds past nextUpdate, soft mode only */
} SnpCrlPolicy;

/* "hard", "soft", "off". 0 or -EINVAL. */
WARN_UNUSED int snp_crl_mode_from_name(const char *name, SnpCrlMode *ret);
const char *snp_crl_mode_name(SnpCrlMode mode);
const char *snp_crl_state_name(SnpCrlState state); /* "ok", "stale", "absent", ... */

typedef struct SnpCrlVerdict {
        bool accepted;                    /* by the policy */
        SnpCrlState state;
        time_t this_update, next_update;  /* of a list that held; else 0 */
        Error why;                        /* for every state but OK and NOT_ASKED; reason "crl-..." */
} SnpCrlVerdict;

/**
 * snp_vek_check_crl() - apply a list to the issuer of @vek, and remember the outcome in @vek
 * @crl: DER or PEM, not trusted; data NULL: there is none
 * @at:  time at which the list must be current
 *
 * snp_report_verify() takes the outcome over into its verdict; a later call replaces it.
 *
 * Checks: version 1 or 2, RSASSA-PSS as for certificates, the ARK of @vek as issuer and signer, the times, no critical
 * extension that we do not honour, not a delta or indirect list nor one for end entities only; and that the issuing
 * distribution point, where the list has one, is one that the ASK's or ASVK's certificate points to. (Without it a
 * list for VLEKs cannot be told from one for VCEKs: the source decides.)
 *
 * Return: 0 accepted; -EKEYREJECTED refused or revoked; -ENOMEM. *@ret is set unless -ENOMEM.
 */
WARN_UNUSED int snp_vek_check_crl(SnpVek *vek, const SnpCrlPolicy *policy, const SnpCertBytes *crl, time_t at,
                                  SnpCrlVerdict *ret, Error *e);

/* What was found at the last snp_vek_check_crl(); NOT_ASKED before. */
SnpCrlState snp_vek_crl_state(const SnpVek *vek);
