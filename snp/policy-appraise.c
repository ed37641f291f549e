/* SPDX-License-Identifier: Apache-2.0 */

/*
 * All claims, in one table: which function judges it, which key asks for it, what to do when it is denied. The outcome
 * is the conjunction of the findings and nothing else.
 */

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/writer.h"
#include "snp/policy-claims.h"

#define TEXT_MAX (256u * 1024u) /* the findings are an eighth of that */

#define FIELD(member) .offset = offsetof(SnpReport, member)
#define BYTES(name_, section_, key_, member, remedy_)                                                                  \
        { .name = (name_), .judge = snp_judge_bytes, .section = (section_), .key = (key_), FIELD(member),             \
          .remedy = (remedy_) }
#define GUEST_BIT(name_, key_, bit_, called)                                                                           \
        { .name = (name_), .judge = snp_judge_bit, .section = "Guest", .key = (key_), FIELD(policy), .bit = (bit_),   \
          .remedy = "Launch the guest with POLICY." called }
#define HOST_BIT(name_, key_, bit_, called)                                                                            \
        { .name = (name_), .judge = snp_judge_bit, .section = "Platform", .key = (key_), FIELD(platform_info),        \
          .bit = (bit_), .remedy = "Use a host with PLATFORM_INFO." called }
#define TCB(name_, key_, member, remedy_)                                                                              \
        { .name = (name_), .judge = snp_judge_tcb, .key = (key_), FIELD(member), .remedy = (remedy_) }

#define UPDATE "Have the host's firmware updated"

static const SnpClaimRow claims[SNP_N_CLAIMS] = {
        [SNP_CLAIM_AUTHENTIC] = { .name = "authentic", .judge = snp_judge_authentic,
                                  .remedy = "See 'snpctl verify': nothing counts that an unverified report says" },
        [SNP_CLAIM_VERSION] = { .name = "version", .judge = snp_judge_version, .section = "Report",
                                .key = "MinimumVersion", .remedy = UPDATE },
        [SNP_CLAIM_PRODUCT] = { .name = "product", .judge = snp_judge_product, .section = "Platform", .key = "Product",
                                .remedy = "Use another host; to know that of a version 2 report, its certificate is "
                                          "needed" },
        [SNP_CLAIM_SIGNING_KEY] = { .name = "signing-key", .judge = snp_judge_signing_key, .section = "Report",
                                    .key = "SigningKey", .remedy = "Use a host whose reports are signed so" },
        [SNP_CLAIM_CSP_ID] = { .name = "csp-id", .judge = snp_judge_csp_id, .section = "Platform", .key = "CspId",
                               .remedy = "Run the guest with that provider" },
        [SNP_CLAIM_MASKED_CHIP_ID] = { .name = "masked-chip-id", .judge = snp_judge_masked_chip_id,
                                       .section = "Platform", .key = "MaskedChipId",
                                       .remedy = "Have the host show CHIP_ID (MASK_CHIP_ID in its configuration)" },
        [SNP_CLAIM_CHIP_ID] = BYTES("chip-id", "Platform", "ChipId", chip_id, "Run the guest on that processor"),
        [SNP_CLAIM_VMPL] = { .name = "vmpl", .judge = snp_judge_vmpl, .section = "Report", .key = "Vmpl",
                             .remedy = "Have the report asked for at that privilege level" },
        [SNP_CLAIM_REPORT_DATA] = BYTES("report-data", "Report", "ReportData", report_data,
                                        "Ask the guest for a fresh report with this REPORT_DATA"),
        [SNP_CLAIM_REPORT_ID] = BYTES("report-id", "Report", "ReportId", report_id,
                                      "The report is of another guest, or of the same one started again"),
        [SNP_CLAIM_REPORT_ID_MA] = BYTES("report-id-ma", "Report", "ReportIdMa", report_id_ma,
                                         "The guest has another migration agent, or none"),

        [SNP_CLAIM_MEASUREMENT] = BYTES("measurement", "Guest", "Measurement", measurement,
                                        "See what differs with 'snpctl measure'"),
        [SNP_CLAIM_ID_BLOCK] = { .name = "id-block", .judge = snp_judge_id_block, .section = "Guest",
                                 .key = "TrustedIdKey",
                                 .remedy = "Launch the guest with an ID block signed by a trusted key" },
        [SNP_CLAIM_AUTHOR_KEY] = { .name = "author-key", .judge = snp_judge_author_key, .section = "Guest",
                                   .key = "TrustedAuthorKey",
                                   .remedy = "Launch the guest with ID authentication by a trusted author" },
        [SNP_CLAIM_FAMILY_ID] = BYTES("family-id", "Guest", "FamilyId", family_id, "See the ID block of the guest"),
        [SNP_CLAIM_IMAGE_ID] = BYTES("image-id", "Guest", "ImageId", image_id, "See the ID block of the guest"),
        [SNP_CLAIM_GUEST_SVN] = { .name = "guest-svn", .judge = snp_judge_guest_svn, .section = "Guest",
                                  .key = "MinimumSvn", .remedy = "Launch a newer image, with its own ID block" },
        [SNP_CLAIM_HOST_DATA] = BYTES("host-data", "Guest", "HostData", host_data,
                                      "Launch the guest with the configuration (init-data) that has this digest"),

        [SNP_CLAIM_POLICY_ABI] = { .name = "policy-abi", .judge = snp_judge_abi, .section = "Guest",
                                   .key = "MinimumAbi",
                                   .remedy = "Launch the guest with this firmware interface in POLICY" },
        [SNP_CLAIM_SMT] = GUEST_BIT("smt", "Smt", SNP_POLICY_SMT, "SMT"),
        [SNP_CLAIM_MIGRATION_AGENT] =
                GUEST_BIT("migration-agent", "MigrationAgent", SNP_POLICY_MIGRATE_MA, "MIGRATE_MA"),
        [SNP_CLAIM_DEBUG] = GUEST_BIT("debug", "Debug", SNP_POLICY_DEBUG, "DEBUG"),
        [SNP_CLAIM_SINGLE_SOCKET] =
                GUEST_BIT("single-socket", "SingleSocket", SNP_POLICY_SINGLE_SOCKET, "SINGLE_SOCKET"),
        [SNP_CLAIM_CXL] = GUEST_BIT("cxl", "Cxl", SNP_POLICY_CXL_ALLOW, "CXL_ALLOW"),
        [SNP_CLAIM_MEMORY_AES_256_XTS] =
                GUEST_BIT("memory-aes-256-xts", "MemoryAes256Xts", SNP_POLICY_MEM_AES_256_XTS, "MEM_AES_256_XTS"),
        [SNP_CLAIM_RAPL_DISABLED] = GUEST_BIT("rapl-disabled", "RaplDisabled", SNP_POLICY_RAPL_DIS, "RAPL_DIS"),
        [SNP_CLAIM_CIPHERTEXT_HIDING] = GUEST_BIT("ciphertext-hiding", "CiphertextHiding",
                                                  SNP_POLICY_CIPHERTEXT_HIDING, "CIPHERTEXT_HIDING_DRAM"),
        [SNP_CLAIM_PAGE_SWAP_DISABLED] = GUEST_BIT("page-swap-disabled", "PageSwapDisabled",
                                                   SNP_POLICY_PAGE_SWAP_DISABLE, "PAGE_SWAP_DISABLE"),

        [SNP_CLAIM_PLATFORM_SMT] = HOST_BIT("platform-smt", "SmtEnabled", SNP_PLATFORM_SMT_EN, "SMT_EN"),
        [SNP_CLAIM_PLATFORM_TSME] = HOST_BIT("platform-tsme", "TsmeEnabled", SNP_PLATFORM_TSME_EN, "TSME_EN"),
        [SNP_CLAIM_PLATFORM_ECC] = HOST_BIT("platform-ecc", "EccEnabled", SNP_PLATFORM_ECC_EN, "ECC_EN"),
        [SNP_CLAIM_PLATFORM_RAPL_DISABLED] =
                HOST_BIT("platform-rapl-disabled", "RaplDisabled", SNP_PLATFORM_RAPL_DIS, "RAPL_DIS"),
        [SNP_CLAIM_PLATFORM_CIPHERTEXT_HIDING] =
                HOST_BIT("platform-ciphertext-hiding", "CiphertextHidingEnabled", SNP_PLATFORM_CIPHERTEXT_HIDING_EN,
                         "CIPHERTEXT_HIDING_DRAM_EN"),
        [SNP_CLAIM_PLATFORM_ALIAS_CHECK] = HOST_BIT("platform-alias-check", "AliasCheckComplete",
                                                    SNP_PLATFORM_ALIAS_CHECK_COMPLETE, "ALIAS_CHECK_COMPLETE"),
        [SNP_CLAIM_PLATFORM_TIO] = HOST_BIT("platform-tio", "TioEnabled", SNP_PLATFORM_TIO_EN, "TIO_EN"),
        [SNP_CLAIM_PLATFORM_UNNAMED_BITS] = { .name = "platform-unnamed-bits", .judge = snp_judge_unnamed_bits,
                                              .section = "Platform", .key = "UnnamedBits",
                                              .remedy = "Find out what these bits of PLATFORM_INFO stand for" },

        [SNP_CLAIM_FIRMWARE_VERSION] = { .name = "firmware-version", .judge = snp_judge_firmware_version,
                                         .section = "Firmware", .key = "MinimumVersion", .remedy = UPDATE },
        [SNP_CLAIM_FIRMWARE_BUILD] = { .name = "firmware-build", .judge = snp_judge_firmware_build,
                                       .section = "Firmware", .key = "MinimumBuild", .remedy = UPDATE },
        [SNP_CLAIM_PROVISIONAL_FIRMWARE] = { .name = "provisional-firmware", .judge = snp_judge_provisional,
                                             .section = "Firmware", .key = "Provisional",
                                             .remedy = "Have the host commit its firmware (SNP_COMMIT)" },
        [SNP_CLAIM_TCB_ORDER] = { .name = "tcb-order", .judge = snp_judge_tcb_order,
                                  .remedy = "No policy accepts this; genuine firmware never says so" },
        [SNP_CLAIM_REPORTED_TCB] = TCB("reported-tcb", "MinimumTcb", reported_tcb,
                                       UPDATE " and REPORTED_TCB raised (SNP_CONFIG)"),
        [SNP_CLAIM_COMMITTED_TCB] = TCB("committed-tcb", "MinimumCommittedTcb", committed_tcb,
                                        UPDATE " and committed (SNP_COMMIT)"),
        [SNP_CLAIM_CURRENT_TCB] = TCB("current-tcb", "MinimumCurrentTcb", current_tcb, UPDATE),
        [SNP_CLAIM_LAUNCH_TCB] = TCB("launch-tcb", "MinimumLaunchTcb", launch_tcb,
                                     UPDATE " and start the guest again"),
        [SNP_CLAIM_LAUNCH_MITIGATIONS] = { .name = "launch-mitigations", .judge = snp_judge_mitigations,
                                           .section = "Firmware", .key = "LaunchMitigations",
                                           FIELD(launch_mit_vector), .remedy = UPDATE " and start the guest again" },
        [SNP_CLAIM_CURRENT_MITIGATIONS] = { .name = "current-mitigations", .judge = snp_judge_mitigations,
                                            .section = "Firmware", .key = "CurrentMitigations",
                                            FIELD(current_mit_vector), .remedy = UPDATE },
};

/* Not the word of a caller alone: a verdict that is not whole is none. */
static bool is_accepted(const SnpVerdict *verdict) {
        for (SnpCheck i = 0; i < SNP_N_CHECKS; i++)
                if (verdict->checks[i] != SNP_CHECK_OK && verdict->checks[i] != SNP_CHECK_NOT_APPLICABLE)
                        return false;
        return verdict->outcome == SNP_ACCEPT && verdict->checks[SNP_CHECK_SIGNATURE] == SNP_CHECK_OK;
}

/* What an unverified report says is not even shown: anybody could have written it. */
static void deny_unverified(SnpFinding *f) {
        f->verdict = SNP_CLAIM_DENIED;
        snp_finding_found(f, "unknown: not verified");
        (void) snprintf(f->remedy, sizeof(f->remedy), "%s", claims[SNP_CLAIM_AUTHENTIC].remedy);
}

int snp_policy_appraise(const SnpPolicy *policy, const SnpReport *report, const SnpVerdict *verdict,
                        const SnpVek *vek, SnpAppraisal *ret, Error *e) {
        bool accepted = is_accepted(verdict), same = snp_verdict_is_on(verdict, report);
        const SnpCase c = {
                .policy = policy, .report = report, .verdict = verdict, .accepted = accepted && same,
                .misplaced = accepted && !same, .vek = vek,
                .product = snp_report_product(report, vek ? snp_vek_product(vek) : SNP_PRODUCT_UNKNOWN)
        };
        const SnpFinding *first;
        size_t n_denied = 0;

        *ret = (SnpAppraisal){};
        for (size_t i = 0; i < SNP_N_CLAIMS; i++) {
                SnpFinding *f = &ret->findings[i];

                claims[i].judge(&c, &claims[i], f);
                if (i != SNP_CLAIM_AUTHENTIC && !c.accepted)
                        deny_unverified(f);
                n_denied += f->verdict == SNP_CLAIM_DENIED;
        }
        if (n_denied == 0) {
                ret->outcome = SNP_ALLOW;
                return 0;
        }
        if (c.misplaced)
                return error_set(e, -EINVAL, "verdict-misplaced", "The verdict is on another report than the one to "
                                                                  "be appraised");
        for (first = ret->findings; first->verdict != SNP_CLAIM_DENIED; first++)
                ;
        return error_set(e, -EPERM, claims[first - ret->findings].name, "The policy denies %s: wanted %s, found %s",
                         claims[first - ret->findings].name, first->wanted, first->found);
}

const char *snp_claim_name(SnpClaim claim) {
        return claim < SNP_N_CLAIMS ? claims[claim].name : "unknown";
}

const char *snp_claim_verdict_name(SnpClaimVerdict verdict) {
        switch (verdict) {
        case SNP_CLAIM_ALLOWED:
                return "allowed";
        case SNP_CLAIM_NOT_ASKED:
                return "not-asked";
        case SNP_CLAIM_DENIED:
        default:
                return "denied";
        }
}

static int finding_to_json(SnpClaim claim, const SnpFinding *f, json_object **ret) {
        AUTO_JSON json_object *o = json_object_new_object();
        int r = json_add_str(o, "claim", snp_claim_name(claim));

        if (r == 0)
                r = json_add_str(o, "wanted", f->wanted);
        if (r == 0)
                r = json_add_str(o, "found", f->found);
        if (r == 0)
                r = json_add_str(o, "verdict", snp_claim_verdict_name(f->verdict));
        if (r == 0 && f->verdict == SNP_CLAIM_DENIED)
                r = json_add_str(o, "remedy", f->remedy);
        if (r == 0)
                *ret = TAKE_PTR(o);
        return r;
}

int snp_appraisal_to_json(const SnpAppraisal *appraisal, json_object **ret) {
        AUTO_JSON json_object *array = json_object_new_array();
        int r = array ? 0 : -ENOMEM;

        for (SnpClaim i = 0; i < SNP_N_CLAIMS && r == 0; i++) {
                AUTO_JSON json_object *o = NULL;

                r = finding_to_json(i, &appraisal->findings[i], &o);
                if (r == 0)
                        r = json_object_array_add(array, o) < 0 ? -ENOMEM : 0;
                if (r == 0)
                        o = NULL; /* the array's */
        }
        if (r == 0)
                *ret = TAKE_PTR(array);
        return r;
}

int snp_appraisal_to_text(const SnpAppraisal *appraisal, char **ret) {
        AUTO_WRITER Writer w = wr_init(TEXT_MAX);
        char line[sizeof(SnpFinding) + 128];

        wr_str(&w, appraisal->outcome == SNP_ALLOW ? "ALLOW\n" : "DENY\n");
        for (SnpClaim i = 0; i < SNP_N_CLAIMS; i++) {
                const SnpFinding *f = &appraisal->findings[i];

                (void) snprintf(line, sizeof(line), "%s %s: wanted %s, found %s\n", snp_claim_verdict_name(f->verdict),
                                snp_claim_name(i), f->wanted, f->found);
                wr_str(&w, line);
                if (f->verdict == SNP_CLAIM_DENIED) {
                        wr_str(&w, "    ");
                        wr_str(&w, f->remedy);
                        wr_str(&w, "\n");
                }
        }
        return wr_finish_str(&w, ret);
}
