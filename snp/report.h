/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * ATTESTATION_REPORT, versions 2 to 5 (AMD SEV-SNP firmware ABI, publication 56860, table
 * ATTESTATION_REPORT). Kept as the raw bytes, which are what the signature covers, plus decoded fields.
 */

#include <json-c/json_object.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "snp/product.h"
#include "snp/tcb.h"

#define SNP_REPORT_SIZE 1184
#define SNP_REPORT_VERSION_MIN 2u /* the versions that are known */
#define SNP_REPORT_VERSION_MAX 5u
#define SNP_REPORT_SIGNED_SIZE 0x2A0 /* the first bytes, as received */
#define SNP_REPORT_DATA_SIZE 64
#define SNP_MEASUREMENT_SIZE 48
#define SNP_CHIP_ID_SIZE 64

/* POLICY */
#define SNP_POLICY_SMT (UINT64_C(1) << 16)
#define SNP_POLICY_RESERVED_ONE (UINT64_C(1) << 17)
#define SNP_POLICY_MIGRATE_MA (UINT64_C(1) << 18)
#define SNP_POLICY_DEBUG (UINT64_C(1) << 19)
#define SNP_POLICY_SINGLE_SOCKET (UINT64_C(1) << 20)
#define SNP_POLICY_CXL_ALLOW (UINT64_C(1) << 21)
#define SNP_POLICY_MEM_AES_256_XTS (UINT64_C(1) << 22)
#define SNP_POLICY_RAPL_DIS (UINT64_C(1) << 23)
#define SNP_POLICY_CIPHERTEXT_HIDING (UINT64_C(1) << 24)
#define SNP_POLICY_PAGE_SWAP_DISABLE (UINT64_C(1) << 25)

/* PLATFORM_INFO */
#define SNP_PLATFORM_SMT_EN (UINT64_C(1) << 0)
#define SNP_PLATFORM_TSME_EN (UINT64_C(1) << 1)
#define SNP_PLATFORM_ECC_EN (UINT64_C(1) << 2)
#define SNP_PLATFORM_RAPL_DIS (UINT64_C(1) << 3)
#define SNP_PLATFORM_CIPHERTEXT_HIDING_EN (UINT64_C(1) << 4)
#define SNP_PLATFORM_ALIAS_CHECK_COMPLETE (UINT64_C(1) << 5)
#define SNP_PLATFORM_TIO_EN (UINT64_C(1) << 7)

typedef enum SnpSigningKey {
        SNP_SIGNING_KEY_VCEK = 0,
        SNP_SIGNING_KEY_VLEK = 1,
        SNP_SIGNING_KEY_NONE = 7,
} SnpSigningKey;

typedef struct SnpFirmwareVersion {
        uint8_t major, minor, build;
} SnpFirmwareVersion;

typedef struct SnpReport {
        uint8_t raw[SNP_REPORT_SIZE]; /* exactly as received */

        uint32_t version;
        uint32_t guest_svn;
        uint64_t policy;
        uint8_t family_id[16];
        uint8_t image_id[16];
        uint32_t vmpl;
        uint32_t signature_algo;
        uint8_t current_tcb[SNP_TCB_SIZE]; /* raw: decode with the layout of the product */
        uint64_t platform_info;
        bool author_key_en;
        bool mask_chip_key;
        SnpSigningKey signing_key;
        uint8_t report_data[SNP_REPORT_DATA_SIZE];
        uint8_t measurement[SNP_MEASUREMENT_SIZE];
        uint8_t host_data[32];
        uint8_t id_key_digest[48];
        uint8_t author_key_digest[48];
        uint8_t report_id[32];
        uint8_t report_id_ma[32];
        uint8_t reported_tcb[SNP_TCB_SIZE];
        bool has_cpuid; /* version 3 and later */
        uint8_t cpuid_family, cpuid_model, cpuid_stepping;
        uint8_t chip_id[SNP_CHIP_ID_SIZE];
        uint8_t committed_tcb[SNP_TCB_SIZE];
        SnpFirmwareVersion current, committed;
        uint8_t launch_tcb[SNP_TCB_SIZE];
        bool has_mitigation_vectors; /* version 5 and later */
        uint64_t launch_mit_vector, current_mit_vector;
        uint8_t signature_r[72], signature_s[72]; /* little-endian, zero-extended */

        SnpProduct product; /* from the CPUID bytes; UNKNOWN in version 2 */
} SnpReport;

/**
 * snp_report_parse() - decode and check the form of a report
 * @data: not trusted
 * @size: must be SNP_REPORT_SIZE
 *
 * Checks everything that can be judged without a key: length, version, signature algorithm, reserved
 * bits and bytes, SIGNING_KEY values, that the VMPL is 0 to 3 (or all ones: asked for by the host). Says
 * nothing about authenticity: see snp/verify.h. *@ret is untouched on failure. Unknown PLATFORM_INFO bits are
 * accepted (genuine reports carry some).
 *
 * Return: 0; -EBADMSG; -EOPNOTSUPP version or algorithm not known, or a CPU that is no known product line.
 */
WARN_UNUSED int snp_report_parse(const void *data, size_t size, SnpReport *ret, Error *e);

/* Product line of @report, or @fallback for a version 2 report. */
SnpProduct snp_report_product(const SnpReport *report, SnpProduct fallback);

/*
 * Every field as JSON (lower-case hex strings, numbers, decoded TCBs and policy bits) and as text for
 * people. @product decides the TCB layout of version 2 reports and may be UNKNOWN: TCBs are then hex only.
 * Masks of 64 bits are hex strings in JSON too; R and S stay in the report's little-endian order. Members that a
 * version does not have ("cpuid" before 3, mitigation vectors before 5) are left out. 0 or -ENOMEM.
 */
WARN_UNUSED int snp_report_to_json(const SnpReport *report, SnpProduct product, json_object **ret);
WARN_UNUSED int snp_report_to_text(const SnpReport *report, SnpProduct product, char **ret);
