/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What an SVSM, the module at VMPL 0 that serves a guest, says about its services, and how a report vouches for it
 * (AMD publication 58019, "Secure VM Service Module for SEV-SNP Guests", revision 1.00, section 7, Attestation
 * Protocol, and 8.3.3, vTPM). The SVSM asks the firmware for a report at VMPL 0 over
 *
 *   REPORT_DATA = SHA-512(nonce of 64 bytes || manifest)
 *
 * A manifest says nothing until such a report has been verified and snp_svsm_bind() has agreed.
 *
 * Manifest of all services: mixed-endian GUID of the table, u32 size of the whole, u32 count, then 24 bytes for each
 * service: GUID, u32 offset from the start, u32 size; numbers are little-endian.
 * Manifest of the vTPM, version 0: TPMT_PUBLIC of its endorsement key, without the size in front of a TPM2B.
 * Version 1 (later than revision 1.00; as the verifier of google/go-tpm-tools, pull request 972 of September 2026,
 * reads it from an SVSM of Google's; COCONUT-SVSM refuses to make one): u32 1, u32 count of at least 2, then that many
 * TPM2B_PUBLIC, storage keys and signing keys; all big-endian.
 * Manifest of the UEFI variable store (COCONUT-SVSM, kernel/src/protocols/uefivars.rs): u32 version 0, u32 flags.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "snp/guid.h"
#include "snp/report.h"

#define SNP_SVSM_NONCE_SIZE 64
#define SNP_SVSM_MANIFEST_MAX (32u * 1024u) /* what Linux hands on: TSM_REPORT_OUTBLOB_MAX */
#define SNP_SVSM_MANIFEST_VERSION_MAX 1u
#define SNP_SVSM_SERVICES_MAX 32 /* two are known */
#define SNP_SVSM_KEYS_MAX 16

extern const SnpGuid snp_svsm_guid_vtpm;    /* c476f1eb-0123-45a5-9641-b4e7dde5bfe3 */
extern const SnpGuid snp_svsm_guid_uefi_mm; /* a4453a59-9e1b-4787-a033-1986d6adbe55 */

/* "vtpm", "uefi-mm", "all" (the null GUID), else NULL. */
const char *snp_svsm_service_name(const SnpGuid *service);
/* One of these names, or a GUID's text. 0 or -EINVAL. */
WARN_UNUSED int snp_svsm_service_parse(const char *text, SnpGuid *ret, Error *e);

typedef struct SnpSvsmService {
        SnpGuid guid;
        const uint8_t *manifest; /* borrowed; what the service has as its own manifest, in version 0 */
        size_t size;             /* 0: it has none */
} SnpSvsmService;

typedef struct SnpSvsmServices {
        SnpSvsmService services[SNP_SVSM_SERVICES_MAX];
        size_t n_services;
} SnpSvsmServices;

/**
 * snp_svsm_services_parse() - the manifest of all services
 * @data: borrowed by *@ret
 *
 * The table must be as long as it says, no service may be in it twice, none may have bytes of another's manifest, of
 * the header or of what lies behind the end. Bytes that belong to none are allowed.
 *
 * Return: 0, -EBADMSG, -E2BIG.
 */
WARN_UNUSED int snp_svsm_services_parse(const void *data, size_t size, SnpSvsmServices *ret, Error *e);
const SnpSvsmService *snp_svsm_services_find(const SnpSvsmServices *services, const SnpGuid *guid);

typedef struct SnpSvsmKey {
        const uint8_t *tpmt_public; /* borrowed; big-endian, as TPMs have it; not looked into */
        size_t size;
} SnpSvsmKey;

typedef struct SnpSvsmKeys {
        SnpSvsmKey keys[SNP_SVSM_KEYS_MAX];
        size_t n_keys; /* version 0: exactly one, the endorsement key */
} SnpSvsmKeys;

/* The vTPM's own manifest. @data is borrowed by *@ret. 0; -EBADMSG; -E2BIG; -EOPNOTSUPP another version. */
WARN_UNUSED int snp_svsm_vtpm_parse(const void *data, size_t size, uint32_t version, SnpSvsmKeys *ret, Error *e);

#define SNP_SVSM_UEFI_PERSISTENT 0x1u      /* variables survive a boot */
#define SNP_SVSM_UEFI_SECURE_BOOT 0x2u     /* a platform key is enrolled */
#define SNP_SVSM_UEFI_SECURE_BOOT_UPDATE 0x4u /* the guest may change db and dbx */

/* The UEFI variable store's own manifest; flags without a name above are kept. 0; -EBADMSG; -EOPNOTSUPP. */
WARN_UNUSED int snp_svsm_uefi_parse(const void *data, size_t size, uint32_t *ret_flags, Error *e);

/* What REPORT_DATA has to be. 0; -E2BIG; -ENOMEM. */
WARN_UNUSED int snp_svsm_report_data(const uint8_t nonce[static SNP_SVSM_NONCE_SIZE], const void *manifest, size_t size,
                                     uint8_t ret[static SNP_REPORT_DATA_SIZE], Error *e);

typedef enum SnpSvsmVerdict {
        SNP_SVSM_NOT_BOUND = 0,
        SNP_SVSM_BOUND = 1,
} SnpSvsmVerdict;

/**
 * snp_svsm_bind() - does @report vouch for the manifest?
 * @report: verified by the caller (snp_report_verify()), and of a launch that is known to be an SVSM's: whoever runs at
 *          VMPL 0 can have such a report made
 *
 * Return: 0 bound; -EKEYREJECTED the report is not of VMPL 0; -ESTALE it is over another nonce or manifest; -E2BIG;
 * -ENOMEM. *@ret is always set, and SNP_SVSM_BOUND for 0 alone.
 */
WARN_UNUSED int snp_svsm_bind(const SnpReport *report, const uint8_t nonce[static SNP_SVSM_NONCE_SIZE],
                              const void *manifest, size_t size, SnpSvsmVerdict *ret, Error *e);
