/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * AMD's key distribution service: what to ask for, and where (AMD publication 57230, chapter on the KDS interface).
 * Addresses only; nobody here opens a connection.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "snp/report.h"
#include "snp/verify.h"

#define SNP_KDS_BASE "https://kdsintf.amd.com"
#define SNP_KDS_BASE_MAX 512
#define SNP_KDS_URL_MAX (SNP_KDS_BASE_MAX + 256)

/* The parts that verification of a report takes. */
typedef enum SnpPart {
        SNP_PART_CHAIN, /* ASK or ASVK, and ARK: PEM with two blocks in that order */
        SNP_PART_VEK,   /* VCEK or VLEK: DER */
        SNP_PART_CRL,   /* DER */
        SNP_N_PARTS,
} SnpPart;

/* Largest body of each; genuine ones have 1.4, 4.9 and less than 1 KiB. */
#define SNP_VEK_SIZE_MAX (4u * 1024u)
#define SNP_CHAIN_SIZE_MAX (16u * 1024u)
size_t snp_part_size_max(SnpPart part);
const char *snp_part_name(SnpPart part); /* "chain", "vek", "crl" */

/* Which VCEK or VLEK: what a report says about the key that signed it. Plain data. */
typedef struct SnpVekId {
        SnpProduct product;                /* UNKNOWN: version 2 report; the certificate will tell */
        SnpSigningKey key;                 /* VCEK or VLEK */
        uint8_t chip_id[SNP_CHIP_ID_SIZE]; /* all zero: masked, or a VLEK's */
        uint8_t tcb[SNP_TCB_SIZE];         /* REPORTED_TCB, in report order; never CURRENT_TCB */
} SnpVekId;

/* @fallback: product line of a version 2 report, or UNKNOWN. -ENOENT reason "no-signing-key": no key signed it. */
WARN_UNUSED int snp_vek_id_of_report(const SnpReport *report, SnpProduct fallback, SnpVekId *ret, Error *e);
/* Of a certificate that held; a VLEK's chip ID is zero. */
void snp_vek_id_of_vek(const SnpVek *vek, SnpVekId *ret);
bool snp_vek_id_is_masked(const SnpVekId *id); /* a VCEK, but the host hides which */

/*
 * Whether @base can be the front of addresses: "https://" or "http://" (what comes is verified whatever the transport),
 * a host, perhaps a port and a path; no user, query or fragment. 0 or -EINVAL with reason "kds-base".
 */
WARN_UNUSED int snp_kds_base_check(const char *base, Error *e);

/**
 * snp_kds_url() - the address of a part
 * @base: passed snp_kds_base_check(); NULL is SNP_KDS_BASE
 *
 * Return: 0; -EOPNOTSUPP when there is no such address, with reason "kds-vlek" (VLEKs are for providers only),
 * "kds-chip-id-masked", "kds-product-unknown" or "kds-chip-id" (Turin's has 8 bytes); -E2BIG.
 */
WARN_UNUSED int snp_kds_url(const SnpVekId *id, SnpPart part, const char *base, char ret[static SNP_KDS_URL_MAX],
                            Error *e);
