/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Inside of snp/: what a policy is made of. Zeroed, it denies everything. */

#include <stdint.h>

#include "snp/policy.h"
#include "snp/vek-ext.h"

/* About one bit. */
typedef enum SnpPolicyRule {
        SNP_RULE_FORBID = 0, /* must be clear */
        SNP_RULE_ALLOW,      /* either */
        SNP_RULE_REQUIRE,    /* must be set */
} SnpPolicyRule;

#define SNP_POLICY_BYTES_MAX 64 /* REPORT_DATA and CHIP_ID are the longest fields */
#define SNP_POLICY_CSP_IDS_MAX 16

/* Values of which one must be there; none: any will do. */
typedef struct SnpPolicyBytes {
        size_t n;
        uint8_t items[SNP_POLICY_LIST_MAX][SNP_POLICY_BYTES_MAX]; /* the field's size is used, the rest is zero */
} SnpPolicyBytes;

typedef struct SnpPolicyCspIds {
        size_t n;
        char items[SNP_POLICY_CSP_IDS_MAX][SNP_CSP_ID_MAX + 1]; /* "*SUFFIX", or all of it */
} SnpPolicyCspIds;

typedef struct SnpPolicyTcb {
        bool given;
        SnpTcb least;
} SnpPolicyTcb;

/* Minimums differ by product line: each has its own sequence of security patches. */
typedef struct SnpPolicyLine {
        SnpPolicyTcb reported, committed, current, launch;
        SnpFirmwareVersion version; /* 0.0.0: none */
} SnpPolicyLine;

struct SnpPolicy {
        uint32_t min_report_version;
        uint32_t signing_keys; /* 1 << SnpSigningKey */
        uint32_t vmpls;        /* 1 << VMPL */
        SnpPolicyBytes report_data, report_id, report_id_ma;

        SnpPolicyBytes measurements, host_data, family_ids, image_ids;
        SnpPolicyBytes id_keys, author_keys;
        bool require_id_block, require_author_key;
        uint32_t min_guest_svn;
        SnpFirmwareVersion min_abi;
        SnpPolicyRule smt, migration_agent, debug, single_socket, cxl, memory_aes_256_xts, rapl_disabled,
                ciphertext_hiding, page_swap_disabled;

        uint32_t products; /* 1 << SnpProduct */
        SnpPolicyBytes chip_ids;
        SnpPolicyRule masked_chip_id; /* never REQUIRE */
        SnpPolicyCspIds csp_ids;
        SnpPolicyRule platform_smt, platform_tsme, platform_ecc, platform_rapl_disabled, platform_ciphertext_hiding,
                platform_alias_check, platform_tio;
        uint64_t unnamed_bits; /* of PLATFORM_INFO: those that may be set */

        SnpPolicyRule provisional; /* never REQUIRE */
        SnpFirmwareVersion min_version;
        uint32_t min_build;
        uint64_t launch_mitigations, current_mitigations;
        SnpPolicyLine lines[SNP_N_PRODUCTS]; /* by SnpProduct */
};

/* Bits of PLATFORM_INFO that have a key of their own. */
#define SNP_POLICY_NAMED_PLATFORM_BITS                                                                                 \
        (SNP_PLATFORM_SMT_EN | SNP_PLATFORM_TSME_EN | SNP_PLATFORM_ECC_EN | SNP_PLATFORM_RAPL_DIS |                    \
         SNP_PLATFORM_CIPHERTEXT_HIDING_EN | SNP_PLATFORM_ALIAS_CHECK_COMPLETE | SNP_PLATFORM_TIO_EN)
