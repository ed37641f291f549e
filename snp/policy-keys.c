/* SPDX-License-Identifier: Apache-2.0 */
#include "snp/policy-keys.h"

#include <assert.h>
#include <string.h>

static const SnpPolicyName signing_keys[] = {
        { "vcek", 1u << SNP_SIGNING_KEY_VCEK }, { "vlek", 1u << SNP_SIGNING_KEY_VLEK }, { NULL, 0 }
};

static const SnpPolicyName vmpls[] = { { "0", 1u << 0 }, { "1", 1u << 1 }, { "2", 1u << 2 }, { "3", 1u << 3 },
                                       { NULL, 0 } };

static const SnpPolicyName products[] = {
        { "Milan", 1u << SNP_PRODUCT_MILAN }, { "Genoa", 1u << SNP_PRODUCT_GENOA },
        { "Turin", 1u << SNP_PRODUCT_TURIN }, { NULL, 0 }
};

#define AT(member) .offset = offsetof(SnpPolicy, member)
#define RULE(section_, name_, member, fallback_, about_)                                                               \
        { .section = (section_), .name = (name_), .kind = &snp_policy_rule, AT(member), .fallback = (fallback_),      \
          .about = (about_) }
#define BYTES(section_, name_, member, size_, about_)                                                                  \
        { .section = (section_), .name = (name_), .kind = &snp_policy_bytes, AT(member), .about = (about_),           \
          .min = (size_), .max = (size_) }

#define MILAN_EXAMPLE "boot_loader=0 tee=0 snp=0 microcode=0"
#define TURIN_EXAMPLE "fmc=0 boot_loader=0 tee=0 snp=0 microcode=0"
#define TCB(section_, line, name_, member, layout, example_, about_)                                                   \
        { .section = (section_), .name = (name_), .kind = &snp_policy_tcb, AT(lines[line].member), .max = (layout),   \
          .example = (example_), .about = (about_) }
#define LINE(section_, line, layout, example)                                                                          \
        TCB(section_, line, "MinimumTcb", reported, layout, example, "least REPORTED_TCB, what the key stands for"),   \
        TCB(section_, line, "MinimumCommittedTcb", committed, layout, example,                                         \
            "least COMMITTED_TCB, below which the firmware cannot go back"),                                           \
        TCB(section_, line, "MinimumCurrentTcb", current, layout, example, "least CURRENT_TCB, what runs"),            \
        TCB(section_, line, "MinimumLaunchTcb", launch, layout, example,                                               \
            "least LAUNCH_TCB, what ran when the guest was started or came here"),                                     \
        { .section = (section_), .name = "MinimumVersion", .kind = &snp_policy_version, AT(lines[line].version),       \
          .max = 3, .fallback = "0.0", .about = "least version of this line's firmware, as in [Firmware]" }

const SnpPolicyKey snp_policy_keys[] = {
        { .section = "Report", .name = "MinimumVersion", .kind = &snp_policy_least, AT(min_report_version),
          .fallback = "2", .min = SNP_REPORT_VERSION_MIN, .max = SNP_REPORT_VERSION_MAX,
          .about = "VERSION, the least format of reports; formats that are not known are never accepted" },
        { .section = "Report", .name = "SigningKey", .kind = &snp_policy_set, AT(signing_keys),
          .fallback = "vcek vlek", .example = "vcek vlek", .names = signing_keys,
          .about = "SIGNING_KEY, whose key signs: the chip's (vcek), a cloud provider's (vlek)" },
        { .section = "Report", .name = "Vmpl", .kind = &snp_policy_set, AT(vmpls), .fallback = "0",
          .example = "0 1 2 3", .names = vmpls,
          .about = "VMPL, the privilege level inside the guest that asked; 0 can do most" },
        { .section = "Report", .name = "ReportData", .kind = &snp_policy_bytes, AT(report_data), .min = 1,
          .max = SNP_REPORT_DATA_SIZE, .about = "REPORT_DATA, what the guest had put in; zeros are put behind" },
        BYTES("Report", "ReportId", report_id, 32, "REPORT_ID, of one running guest"),
        BYTES("Report", "ReportIdMa", report_id_ma, 32, "REPORT_ID_MA, of its migration agent; all ff: none"),

        BYTES("Guest", "Measurement", measurements, SNP_MEASUREMENT_SIZE,
              "MEASUREMENT, the launch digest: firmware, and kernel, initrd and command line where it hashes them"),
        { .section = "Guest", .name = "TrustedIdKey", .kind = &snp_policy_bytes, AT(id_keys), .min = 48, .max = 48,
          .not_zero = true, .about = "ID_KEY_DIGEST, who signs ID blocks; makes an ID block required" },
        { .section = "Guest", .name = "TrustedAuthorKey", .kind = &snp_policy_bytes, AT(author_keys), .min = 48,
          .max = 48, .not_zero = true,
          .about = "AUTHOR_KEY_DIGEST, who signs ID keys, each of which is then trusted; makes an ID block required" },
        { .section = "Guest", .name = "RequireIdBlock", .kind = &snp_policy_yes_no, AT(require_id_block),
          .fallback = "no", .about = "an ID block signed by a trusted key" },
        { .section = "Guest", .name = "RequireAuthorKey", .kind = &snp_policy_yes_no, AT(require_author_key),
          .fallback = "no", .about = "an ID block whose key a trusted author has signed" },
        BYTES("Guest", "FamilyId", family_ids, 16, "FAMILY_ID, from the ID block"),
        BYTES("Guest", "ImageId", image_ids, 16, "IMAGE_ID, from the ID block"),
        { .section = "Guest", .name = "MinimumSvn", .kind = &snp_policy_least, AT(min_guest_svn), .fallback = "0",
          .max = UINT32_MAX, .about = "GUEST_SVN, security version from the ID block" },
        BYTES("Guest", "HostData", host_data, 32, "HOST_DATA, what the host gave at launch, as a digest of init-data"),
        { .section = "Guest", .name = "MinimumAbi", .kind = &snp_policy_version, AT(min_abi), .fallback = "0.0",
          .max = 2, .about = "POLICY.ABI_MAJOR and ABI_MINOR, the oldest firmware interface it may be started on" },
        RULE("Guest", "Smt", smt, "allow", "POLICY.SMT, it may run where hyperthreads are on"),
        RULE("Guest", "MigrationAgent", migration_agent, "forbid", "POLICY.MIGRATE_MA, an agent may move it"),
        RULE("Guest", "Debug", debug, "forbid", "POLICY.DEBUG, the host may read its memory in clear"),
        RULE("Guest", "SingleSocket", single_socket, "allow", "POLICY.SINGLE_SOCKET, it must stay on one socket"),
        RULE("Guest", "Cxl", cxl, "forbid", "POLICY.CXL_ALLOW, its memory may be on CXL devices"),
        RULE("Guest", "MemoryAes256Xts", memory_aes_256_xts, "allow",
             "POLICY.MEM_AES_256_XTS, its memory must be encrypted with AES-256-XTS"),
        RULE("Guest", "RaplDisabled", rapl_disabled, "allow", "POLICY.RAPL_DIS, power meters must be off"),
        RULE("Guest", "CiphertextHiding", ciphertext_hiding, "allow",
             "POLICY.CIPHERTEXT_HIDING_DRAM, the host must not even see its memory encrypted"),
        RULE("Guest", "PageSwapDisabled", page_swap_disabled, "allow",
             "POLICY.PAGE_SWAP_DISABLE, the host must not move or swap its pages"),

        { .section = "Platform", .name = "Product", .kind = &snp_policy_set, AT(products),
          .fallback = "Milan Genoa Turin", .example = "Milan Genoa Turin", .names = products,
          .about = "the product line of the processor" },
        { .section = "Platform", .name = "ChipId", .kind = &snp_policy_chip_ids, AT(chip_ids),
          .max = SNP_CHIP_ID_SIZE, .not_zero = true, .about = "CHIP_ID, one processor" },
        { .section = "Platform", .name = "MaskedChipId", .kind = &snp_policy_switch, AT(masked_chip_id),
          .fallback = "forbid", .about = "a report by a chip's own key (vcek) that does not tell which chip" },
        { .section = "Platform", .name = "CspId", .kind = &snp_policy_csp_ids, AT(csp_ids),
          .example = "*.amazonaws.com",
          .about = "CSP_ID in the certificate, the provider a vlek stands for; excludes reports by a vcek" },
        RULE("Platform", "SmtEnabled", platform_smt, "allow", "PLATFORM_INFO.SMT_EN, hyperthreads are on"),
        RULE("Platform", "TsmeEnabled", platform_tsme, "allow", "PLATFORM_INFO.TSME_EN, all memory is encrypted"),
        RULE("Platform", "EccEnabled", platform_ecc, "allow", "PLATFORM_INFO.ECC_EN, memory has ECC"),
        RULE("Platform", "RaplDisabled", platform_rapl_disabled, "allow",
             "PLATFORM_INFO.RAPL_DIS, power meters are off"),
        RULE("Platform", "CiphertextHidingEnabled", platform_ciphertext_hiding, "allow",
             "PLATFORM_INFO.CIPHERTEXT_HIDING_DRAM_EN, the host does not see guests' memory encrypted"),
        RULE("Platform", "AliasCheckComplete", platform_alias_check, "allow",
             "PLATFORM_INFO.ALIAS_CHECK_COMPLETE, no aliased memory (BadRAM) was found since reset"),
        RULE("Platform", "TioEnabled", platform_tio, "allow", "PLATFORM_INFO.TIO_EN, trusted devices (SEV-TIO) are on"),
        { .section = "Platform", .name = "UnnamedBits", .kind = &snp_policy_unnamed, AT(unnamed_bits),
          .fallback = "allow", .about = "all other bits of PLATFORM_INFO; genuine reports have some of them" },

        { .section = "Firmware", .name = "Provisional", .kind = &snp_policy_switch, AT(provisional),
          .fallback = "forbid", .about = "firmware that is not committed, so that the host can still go back" },
        { .section = "Firmware", .name = "MinimumVersion", .kind = &snp_policy_version, AT(min_version), .max = 3,
          .fallback = "0.0", .about = "CURRENT_MAJOR.MINOR.BUILD, the firmware that runs, compared in this order" },
        { .section = "Firmware", .name = "MinimumBuild", .kind = &snp_policy_least, AT(min_build), .max = UINT8_MAX,
          .fallback = "0", .about = "CURRENT_BUILD alone, whatever the version" },
        { .section = "Firmware", .name = "LaunchMitigations", .kind = &snp_policy_mask, AT(launch_mitigations),
          .fallback = "0x0", .about = "LAUNCH_MIT_VECTOR, of reports since version 5" },
        { .section = "Firmware", .name = "CurrentMitigations", .kind = &snp_policy_mask, AT(current_mitigations),
          .fallback = "0x0", .about = "CURRENT_MIT_VECTOR, of reports since version 5" },

        LINE("Milan", SNP_PRODUCT_MILAN, SNP_TCB_LAYOUT_MILAN, MILAN_EXAMPLE),
        LINE("Genoa", SNP_PRODUCT_GENOA, SNP_TCB_LAYOUT_MILAN, MILAN_EXAMPLE),
        LINE("Turin", SNP_PRODUCT_TURIN, SNP_TCB_LAYOUT_TURIN, TURIN_EXAMPLE),
};
const size_t snp_n_policy_keys = N_ELEMENTS(snp_policy_keys);

static_assert(N_ELEMENTS(snp_policy_keys) <= SNP_POLICY_KEYS_MAX, "one line number is kept for each");

const SnpPolicyKey *snp_policy_key_find(const char *section, const char *name) {
        for (size_t i = 0; i < snp_n_policy_keys; i++)
                if (strcmp(snp_policy_keys[i].section, section) == 0 && strcmp(snp_policy_keys[i].name, name) == 0)
                        return &snp_policy_keys[i];
        return NULL;
}

bool snp_policy_section_is_known(const char *section) {
        for (size_t i = 0; i < snp_n_policy_keys; i++)
                if (strcmp(snp_policy_keys[i].section, section) == 0)
                        return true;
        return false;
}

size_t snp_policy_key_count(const SnpPolicy *policy, const SnpPolicyKey *key) {
        return key->kind->count ? key->kind->count(snp_policy_field(policy, key)) : 1;
}
