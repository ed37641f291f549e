/* SPDX-License-Identifier: Apache-2.0 */

/* snp/policy.c and its table of keys: what a file may say, what it means, and that nothing is lost in writing it. */

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "snp/policy-keys.h"
#include "tests/unit/snp/golden.h"
#include "tests/unit/unit.h"

#define HEX16 "000102030405060708090a0b0c0d0e0f"
#define HEX32 HEX16 "101112131415161718191a1b1c1d1e1f"
#define HEX48 HEX32 "202122232425262728292a2b2c2d2e2f"
#define HEX64 HEX48 "303132333435363738393a3b3c3d3e3f"
#define TURIN_CHIP "59790fb1c39f35c1"
#define ZEROS16 "00000000000000000000000000000000"
#define ZEROS48 ZEROS16 ZEROS16 ZEROS16
#define ZEROS64 ZEROS48 ZEROS16
#define MILAN_TCB "boot_loader=3 tee=0 snp=20 microcode=209"

static SnpPolicy *parse(const char *text) {
        SnpPolicy *policy = NULL;
        Error e = {};

        ck_assert_msg(snp_policy_parse("file", text, strlen(text), &policy, &e) == 0, "%s", e.text);
        return policy;
}

static char *text_of(const SnpPolicy *policy) {
        char *text = NULL;

        ck_assert_int_eq(snp_policy_to_text(policy, &text), 0);
        return text;
}

/* Every key, none at its default. */
static const char golden[] =
        "# all\n"
        "[Report]\n"
        "MinimumVersion=3\n"
        "SigningKey=vlek\n"
        "Vmpl=2 0\n"
        "ReportData=00ff\n"
        "ReportData=" HEX64 "\n"
        "ReportId=" HEX32 "\n"
        "ReportIdMa=" HEX32 "\n"
        "[Guest]\n"
        "Measurement=" HEX48 "\n"
        "Measurement=" ZEROS48 "\n"
        "TrustedIdKey=" HEX48 "\n"
        "TrustedAuthorKey=" HEX48 "\n"
        "RequireIdBlock=yes\n"
        "RequireAuthorKey=on\n"
        "FamilyId=" HEX16 "\n"
        "ImageId=" HEX16 "\n"
        "MinimumSvn=4294967295\n"
        "HostData=" HEX32 "\n"
        "MinimumAbi=1.51\n"
        "Smt=forbid\n"
        "MigrationAgent=allow\n"
        "Debug=require\n"
        "SingleSocket=require\n"
        "Cxl=allow\n"
        "MemoryAes256Xts=require\n"
        "RaplDisabled=require\n"
        "CiphertextHiding=require\n"
        "PageSwapDisabled=require\n"
        "[Platform]\n"
        "Product=Turin Milan\n"
        "ChipId=" HEX64 "\n"
        "ChipId=" TURIN_CHIP "\n"
        "MaskedChipId=allow\n"
        "CspId=CN=cc-us-east-2.amazonaws.com\n"
        "CspId=*.example.net\n"
        "SmtEnabled=forbid\n"
        "TsmeEnabled=require\n"
        "EccEnabled=require\n"
        "RaplDisabled=require\n"
        "CiphertextHidingEnabled=require\n"
        "AliasCheckComplete=require\n"
        "TioEnabled=forbid\n"
        "UnnamedBits=0x40\n"
        "[Firmware]\n"
        "Provisional=allow\n"
        "MinimumVersion=1.55\n"
        "MinimumBuild=29\n"
        "LaunchMitigations=0x3\n"
        "CurrentMitigations=0x800000000000000B\n"
        "[Milan]\n"
        "MinimumTcb=" MILAN_TCB "\n"
        "MinimumCommittedTcb=snp=1\n"
        "MinimumCurrentTcb=microcode=255 boot_loader=1\n"
        "MinimumLaunchTcb=tee=0\n"
        "MinimumVersion=1.55.22\n"
        "[Turin]\n"
        "MinimumTcb=fmc=1 boot_loader=2 tee=3 snp=4 microcode=81\n"
        "MinimumCommittedTcb=fmc=9\n"
        "MinimumCurrentTcb=snp=2\n"
        "MinimumLaunchTcb=snp=3\n"
        "MinimumVersion=1.55.61\n";

START_TEST(golden_file_is_read_field_by_field) {
        CLEANUP(snp_policy_freep) SnpPolicy *p = parse(golden);
        const SnpPolicyLine *milan = &p->lines[SNP_PRODUCT_MILAN], *turin = &p->lines[SNP_PRODUCT_TURIN];

        ck_assert_uint_eq(p->min_report_version, 3);
        ck_assert_uint_eq(p->signing_keys, 1u << SNP_SIGNING_KEY_VLEK);
        ck_assert_uint_eq(p->vmpls, 5);
        ck_assert_uint_eq(p->report_data.n, 2);
        ck_assert(p->report_data.items[0][0] == 0 && p->report_data.items[0][1] == 0xff);
        ck_assert(p->report_data.items[0][2] == 0 && p->report_data.items[0][63] == 0);
        ck_assert(p->report_data.items[1][63] == 0x3f);
        ck_assert(p->report_id.n == 1 && p->report_id.items[0][31] == 0x1f && p->report_id.items[0][32] == 0);
        ck_assert_uint_eq(p->report_id_ma.n, 1);
        ck_assert_uint_eq(p->measurements.n, 2);
        ck_assert(p->id_keys.n == 1 && p->author_keys.n == 1);
        ck_assert(p->require_id_block && p->require_author_key);
        ck_assert(p->family_ids.n == 1 && p->image_ids.n == 1 && p->host_data.n == 1);
        ck_assert_uint_eq(p->min_guest_svn, UINT32_MAX);
        ck_assert(p->min_abi.major == 1 && p->min_abi.minor == 51);
        ck_assert(p->smt == SNP_RULE_FORBID && p->migration_agent == SNP_RULE_ALLOW && p->debug == SNP_RULE_REQUIRE);
        ck_assert(p->single_socket == SNP_RULE_REQUIRE && p->cxl == SNP_RULE_ALLOW);
        ck_assert(p->memory_aes_256_xts == SNP_RULE_REQUIRE && p->rapl_disabled == SNP_RULE_REQUIRE);
        ck_assert(p->ciphertext_hiding == SNP_RULE_REQUIRE && p->page_swap_disabled == SNP_RULE_REQUIRE);
        ck_assert_uint_eq(p->products, 1u << SNP_PRODUCT_MILAN | 1u << SNP_PRODUCT_TURIN);
        ck_assert_uint_eq(p->chip_ids.n, 2);
        ck_assert(p->chip_ids.items[1][7] == 0xc1 && p->chip_ids.items[1][8] == 0);
        ck_assert_int_eq(p->masked_chip_id, SNP_RULE_ALLOW);
        ck_assert_uint_eq(p->csp_ids.n, 2);
        ck_assert_str_eq(p->csp_ids.items[0], "CN=cc-us-east-2.amazonaws.com");
        ck_assert(p->platform_smt == SNP_RULE_FORBID && p->platform_tsme == SNP_RULE_REQUIRE);
        ck_assert(p->platform_ecc == SNP_RULE_REQUIRE && p->platform_rapl_disabled == SNP_RULE_REQUIRE);
        ck_assert(p->platform_ciphertext_hiding == SNP_RULE_REQUIRE && p->platform_alias_check == SNP_RULE_REQUIRE);
        ck_assert_int_eq(p->platform_tio, SNP_RULE_FORBID);
        ck_assert_uint_eq(p->unnamed_bits, 0x40);
        ck_assert_int_eq(p->provisional, SNP_RULE_ALLOW);
        ck_assert(p->min_version.major == 1 && p->min_version.minor == 55 && p->min_version.build == 0);
        ck_assert_uint_eq(p->min_build, 29);
        ck_assert_uint_eq(p->launch_mitigations, 3);
        ck_assert_uint_eq(p->current_mitigations, UINT64_C(0x800000000000000b));
        ck_assert(milan->reported.given && milan->reported.least.boot_loader == 3 && milan->reported.least.tee == 0);
        ck_assert(milan->reported.least.snp == 20 && milan->reported.least.microcode == 209);
        ck_assert(milan->committed.least.snp == 1 && milan->current.least.microcode == 255);
        ck_assert(milan->launch.given && milan->version.build == 22);
        ck_assert(turin->reported.least.fmc == 1 && turin->reported.least.snp == 4 && turin->committed.least.fmc == 9);
        ck_assert(!p->lines[SNP_PRODUCT_GENOA].reported.given);
}
END_TEST

START_TEST(the_golden_file_has_every_key_and_none_at_its_default) {
        CLEANUP(snp_policy_freep) SnpPolicy *p = parse(golden);
        AUTO_JSON json_object *keys = NULL;

        ck_assert_int_eq(snp_policy_explain_json(p, &keys), 0);
        ck_assert_uint_eq(json_object_array_length(keys), snp_n_policy_keys);
        for (size_t i = 0; i < snp_n_policy_keys; i++) {
                json_object *o = json_object_array_get_idx(keys, i);

                ck_assert_str_eq(json_object_get_string(json_object_object_get(o, "key")), snp_policy_keys[i].name);
                if (strcmp(snp_policy_keys[i].section, "Genoa") != 0)
                        ck_assert_msg(!json_object_get_boolean(json_object_object_get(o, "default")), "%s",
                                      snp_policy_keys[i].name);
        }
}
END_TEST

START_TEST(an_empty_file_means_the_safe_defaults) {
        CLEANUP(snp_policy_freep) SnpPolicy *p = parse(""), *fresh = NULL;

        ck_assert_int_eq(snp_policy_new(&fresh, NULL), 0);
        ck_assert_mem_eq(p, fresh, sizeof(*p));
        ck_assert(p->debug == SNP_RULE_FORBID && p->migration_agent == SNP_RULE_FORBID && p->cxl == SNP_RULE_FORBID);
        ck_assert(p->provisional == SNP_RULE_FORBID && p->masked_chip_id == SNP_RULE_FORBID);
        ck_assert(p->smt == SNP_RULE_ALLOW && p->platform_smt == SNP_RULE_ALLOW);
        ck_assert_uint_eq(p->vmpls, 1);
        ck_assert_uint_eq(p->min_report_version, 2);
        ck_assert_uint_eq(p->products, 1u << SNP_PRODUCT_MILAN | 1u << SNP_PRODUCT_GENOA | 1u << SNP_PRODUCT_TURIN);
        ck_assert_uint_eq(p->unnamed_bits, ~SNP_POLICY_NAMED_PLATFORM_BITS);
        ck_assert(!snp_policy_names_guest(p));
}
END_TEST

START_TEST(whether_a_policy_names_its_guest_can_be_asked) {
        CLEANUP(snp_policy_freep) SnpPolicy *measured = parse("[Guest]\nMeasurement=" HEX48 "\n");
        CLEANUP(snp_policy_freep) SnpPolicy *signs = parse("[Guest]\nTrustedAuthorKey=" HEX48 "\n");

        ck_assert(snp_policy_names_guest(measured) && snp_policy_names_guest(signs));
        ck_assert(signs->require_id_block && !signs->require_author_key);
}
END_TEST

START_TEST(a_policy_is_written_as_it_was_read) {
        static const char *const texts[] = { "", golden, "[Platform]\nUnnamedBits=forbid\n" };
        CLEANUP(snp_policy_freep) SnpPolicy *p = parse(texts[_i]), *again = NULL;
        AUTO_FREE char *text = text_of(p), *second = NULL;

        again = parse(text);
        ck_assert_mem_eq(p, again, sizeof(*p));
        second = text_of(again);
        ck_assert_str_eq(text, second);
}
END_TEST

START_TEST(every_key_is_written_with_a_comment) {
        CLEANUP(snp_policy_freep) SnpPolicy *p = parse("");
        AUTO_FREE char *text = text_of(p);

        for (size_t i = 0; i < snp_n_policy_keys; i++) {
                const SnpPolicyKey *key = &snp_policy_keys[i];
                char want[256];

                (void) snprintf(want, sizeof(want), "\n# %s\n# Value: ", key->about);
                ck_assert_msg(strstr(text, want), "%s", key->name);
                ck_assert_ptr_eq(snp_policy_key_find(key->section, key->name), key);
                ck_assert(snp_policy_section_is_known(key->section));
        }
        ck_assert(strstr(text, "\n#Measurement=\n") && strstr(text, "\nDebug=forbid\n"));
        ck_assert(strstr(text, "\n#MinimumTcb=fmc=0 boot_loader=0 tee=0 snp=0 microcode=0\n"));
        ck_assert_ptr_null(snp_policy_key_find("Guest", "debug"));
        ck_assert(!snp_policy_section_is_known("guest"));
}
END_TEST

/* The largest policy there can be still fits the limit on files. */
START_TEST(a_full_policy_can_be_written_and_read) {
        CLEANUP(snp_policy_freep) SnpPolicy *p = parse(golden), *again = NULL;
        AUTO_FREE char *text = NULL;

        for (size_t i = 0; i < snp_n_policy_keys; i++) {
                const SnpPolicyKey *key = &snp_policy_keys[i];
                char value[2 * SNP_POLICY_BYTES_MAX + 1];

                if (!key->kind->is_list || key->kind == &snp_policy_csp_ids)
                        continue;
                for (int n = 0x80; n < 0x80 + SNP_POLICY_LIST_MAX + 1; n++) {
                        Error e = {};
                        int r;

                        (void) memset(value, 'a', sizeof(value));
                        (void) snprintf(value, 3, "%02x", n);
                        value[2] = 'a';
                        value[2 * key->max] = 0;
                        r = key->kind->parse(key, value, (uint8_t *) p + key->offset, &e);
                        ck_assert_msg(r == 0 || (r == -E2BIG && strcmp(e.reason, "config-limit") == 0), "%s", e.text);
                }
                ck_assert_uint_eq(snp_policy_key_count(p, key), SNP_POLICY_LIST_MAX);
        }
        text = text_of(p);
        ck_assert_uint_lt(strlen(text), SNP_POLICY_FILE_SIZE_MAX);
        again = parse(text);
        ck_assert_mem_eq(p, again, sizeof(*p));
}
END_TEST

static const struct {
        const char *text, *reason, *want;
} errors[] = {
        /* form, sections, keys */
        { "[Guest]\nDebug=allow", "config-truncated", "file:2: the last line" },
        { "Debug=allow\n", "config-syntax", "file:1: a key before" },
        { "\n[Guests]\n", "config-section", "file:2: unknown section [Guests]" },
        { "[guest]\n", "config-section", "file:1: unknown section [guest]" },
        { "[Guest]\n\ndebug=allow\n", "config-key", "file:3: unknown key debug= in section [Guest]" },
        { "[Platform]\nDebug=allow\n", "config-key", "file:2: unknown key Debug= in section [Platform]" },
        { "[Guest]\nDebug=allow\nDebug=allow\n", "config-duplicate", "file:3: Debug= is given twice" },
        { "[Guest]\nDebug=allow\n[Report]\n[Guest]\nDebug=forbid\n", "config-duplicate", "file:5: Debug=" },
        { "[Guest]\nDebug=\n", "config-value", "file:2: Debug=: a value is missing" },
        { "[Guest]\nMeasurement=\n", "config-value", "file:2: Measurement=: a value is missing" },
        { "[Guest]\nDebug=allow ; now\n", "config-syntax", "file:2: a comment" },
        /* rules */
        { "[Guest]\nDebug=yes\n", "config-value", "file:2: Debug=: expected 'forbid', 'allow' or 'require'" },
        { "[Guest]\nDebug=Forbid\n", "config-value", "file:2: Debug=: expected" },
        { "[Platform]\nMaskedChipId=require\n", "config-value", "file:2: MaskedChipId=: expected 'forbid' or 'allow'" },
        { "[Firmware]\nProvisional=no\n", "config-value", "file:2: Provisional=: expected" },
        { "[Guest]\nRequireIdBlock=maybe\n", "config-value", "file:2: RequireIdBlock=: expected 'yes' or 'no'" },
        /* numbers */
        { "[Report]\nMinimumVersion=1\n", "config-value", "file:2: MinimumVersion=: expected a number from 2 to 5" },
        { "[Report]\nMinimumVersion=6\n", "config-value", "file:2: MinimumVersion=: expected" },
        { "[Guest]\nMinimumSvn=4294967296\n", "config-value", "file:2: MinimumSvn=: expected a number" },
        { "[Guest]\nMinimumSvn=-1\n", "config-value", "file:2: MinimumSvn=:" },
        { "[Firmware]\nMinimumBuild=256\n", "config-value", "file:2: MinimumBuild=: expected a number from 0 to 255" },
        { "[Firmware]\nMinimumVersion=1\n", "config-value", "file:2: MinimumVersion=: expected MAJOR.MINOR or" },
        { "[Firmware]\nMinimumVersion=1.2.3.4\n", "config-value", "file:2: MinimumVersion=:" },
        { "[Firmware]\nMinimumVersion=x.1.1\n", "config-value", "file:2: MinimumVersion=:" },
        { "[Firmware]\nMinimumVersion=1.256\n", "config-value", "file:2: MinimumVersion=:" },
        { "[Firmware]\nMinimumVersion=1.\n", "config-value", "file:2: MinimumVersion=:" },
        { "[Firmware]\nMinimumVersion=000000000001.55\n", "config-value", "file:2: MinimumVersion=:" },
        { "[Guest]\nMinimumAbi=1.2.3\n", "config-value", "file:2: MinimumAbi=: expected MAJOR.MINOR" },
        { "[Firmware]\nLaunchMitigations=3\n", "config-value", "file:2: LaunchMitigations=: expected a mask" },
        { "[Firmware]\nLaunchMitigations=0x\n", "config-value", "file:2: LaunchMitigations=:" },
        { "[Firmware]\nCurrentMitigations=0x10000000000000000\n", "config-value", "file:2: CurrentMitigations=:" },
        { "[Platform]\nUnnamedBits=64\n", "config-value", "file:2: UnnamedBits=: expected" },
        { "[Platform]\nUnnamedBits=0x41\n", "config-value", "file:2: UnnamedBits=: the mask has a bit" },
        /* sets */
        { "[Report]\nVmpl=4\n", "config-value", "file:2: Vmpl=: '4' is none of: 0 1 2 3" },
        { "[Report]\nVmpl=0 0\n", "config-duplicate", "file:2: Vmpl=: '0' is given twice" },
        { "[Report]\nSigningKey=vcek,vlek\n", "config-value", "file:2: SigningKey=: 'vcek,vlek' is none of" },
        { "[Platform]\nProduct=milan\n", "config-value", "file:2: Product=: 'milan' is none of: Milan Genoa Turin" },
        { "[Platform]\nProduct=Milan-B0\n", "config-value", "file:2: Product=:" },
        { "[Report]\nVmpl=" HEX64 HEX16 "\n", "config-value", "file:2: Vmpl=: the value is too long" },
        /* lists */
        { "[Guest]\nMeasurement=" HEX32 "\n", "config-value", "file:2: Measurement=: expected 48 bytes in hex" },
        { "[Guest]\nMeasurement=" HEX64 "\n", "config-value", "file:2: Measurement=: expected 48 bytes in hex" },
        { "[Guest]\nMeasurement=0x" HEX48 "\n", "config-value", "file:2: Measurement=:" },
        { "[Guest]\nMeasurement=" HEX48 "\nMeasurement=" HEX48 "\n", "config-duplicate",
          "file:3: Measurement=: this value is given twice" },
        { "[Report]\nReportData=" HEX64 "00\n", "config-value", "file:2: ReportData=: expected at most 64 bytes" },
        { "[Report]\nReportData=0\n", "config-value", "file:2: ReportData=:" },
        { "[Report]\nReportData=01\nReportData=0100\n", "config-duplicate", "file:3: ReportData=: this value" },
        { "[Guest]\nFamilyId=" HEX32 "\n", "config-value", "file:2: FamilyId=: expected 16 bytes" },
        { "[Guest]\nHostData=" HEX16 "\n", "config-value", "file:2: HostData=: expected 32 bytes" },
        { "[Guest]\nTrustedIdKey=" ZEROS48 "\n", "config-value", "file:2: TrustedIdKey=: nothing but zeros" },
        { "[Guest]\nTrustedAuthorKey=" ZEROS48 "\n", "config-value", "file:2: TrustedAuthorKey=: nothing but zeros" },
        { "[Platform]\nChipId=" ZEROS64 "\n", "config-value", "file:2: ChipId=: nothing but zeros" },
        { "[Platform]\nChipId=" HEX32 "\n", "config-value", "file:2: ChipId=: expected 64 bytes in hex, or 8" },
        { "[Platform]\nChipId=59790fb1c39f35cx\n", "config-value", "file:2: ChipId=:" },
        { "[Platform]\nCspId=*\n", "config-value", "file:2: CspId=: expected a provider's name" },
        { "[Platform]\nCspId=" HEX64 "\n", "config-value", "file:2: CspId=: expected a provider's name" },
        { "[Platform]\nCspId=\xc3\xa4\n", "config-value", "file:2: CspId=: a provider's name is printable" },
        { "[Platform]\nCspId=a\nCspId=a\n", "config-duplicate", "file:3: CspId=: this value is given twice" },
        /* TCBs */
        { "[Milan]\nMinimumTcb=fmc=1\n", "config-value", "file:2: MinimumTcb=: expected parts" },
        { "[Milan]\nMinimumTcb=snp=256\n", "config-value", "file:2: MinimumTcb=:" },
        { "[Milan]\nMinimumTcb=snp=1 snp=1\n", "config-value", "file:2: MinimumTcb=:" },
        { "[Milan]\nMinimumTcb=snp\n", "config-value", "file:2: MinimumTcb=:" },
        { "[Milan]\nMinimumTcb=snp=\n", "config-value", "file:2: MinimumTcb=:" },
        { "[Milan]\nMinimumTcb=ucode=1\n", "config-value", "file:2: MinimumTcb=:" },
        { "[Milan]\nMinimumTcb=0x1800000000000004\n", "config-value", "file:2: MinimumTcb=:" },
        { "[Turin]\nMinimumLaunchTcb=" HEX64 HEX16 "\n", "config-value", "file:2: MinimumLaunchTcb=:" },
        /* one key against another */
        { "[Guest]\nRequireIdBlock=yes\n", "config-incomplete", "file:2: RequireIdBlock= needs TrustedIdKey=" },
        { "[Guest]\n\nRequireAuthorKey=yes\nTrustedIdKey=" HEX48 "\n", "config-incomplete",
          "file:3: RequireAuthorKey= needs TrustedAuthorKey=" },
        { "[Guest]\nTrustedIdKey=" HEX48 "\nRequireIdBlock=no\n", "config-contradiction", "file:3: RequireIdBlock=no" },
        { "[Guest]\nRequireIdBlock=no\nRequireAuthorKey=yes\n", "config-contradiction", "file:2: RequireIdBlock=no" },
        { "[Milan]\nMinimumTcb=snp=1\n", "config-incomplete",
          "file:2: MinimumTcb= is in [Milan] but not in [Turin], which Product=" },
        { "[Platform]\nProduct=Milan Genoa\n[Genoa]\nMinimumVersion=1.55\n", "config-incomplete",
          "file:4: MinimumVersion= is in [Genoa] but not in [Milan]" },
};

START_TEST(mistakes_are_told_with_file_and_line) {
        SnpPolicy *policy = NULL;
        Error e = {};

        ck_assert_int_eq(snp_policy_parse("file", errors[_i].text, strlen(errors[_i].text), &policy, &e), -EINVAL);
        ck_assert_ptr_null(policy);
        ck_assert_msg(strncmp(e.text, errors[_i].want, strlen(errors[_i].want)) == 0, "%s: %s", errors[_i].want,
                      e.text);
        ck_assert_str_eq(e.reason, errors[_i].reason);
        ck_assert_int_eq(snp_policy_parse("file", errors[_i].text, strlen(errors[_i].text), &policy, NULL), -EINVAL);
}
END_TEST

START_TEST(minimums_are_needed_only_for_lines_that_are_accepted) {
        CLEANUP(snp_policy_freep) SnpPolicy *one = parse("[Platform]\nProduct=Milan\n[Milan]\nMinimumTcb=snp=1\n");
        CLEANUP(snp_policy_freep) SnpPolicy *none = parse("[Platform]\nProduct=Genoa\n[Milan]\nMinimumTcb=snp=1\n");

        ck_assert(one->lines[SNP_PRODUCT_MILAN].reported.given);
        ck_assert(!none->lines[SNP_PRODUCT_GENOA].reported.given);
}
END_TEST

START_TEST(too_many_values_are_refused) {
        char text[128 + 40 * SNP_POLICY_LIST_MAX] = "[Platform]\n";
        SnpPolicy *policy = NULL;
        Error e = {};
        size_t n = strlen(text);

        for (int i = 0; i <= SNP_POLICY_CSP_IDS_MAX; i++)
                n += (size_t) snprintf(text + n, sizeof(text) - n, "CspId=%d\n", i);
        ck_assert_int_eq(snp_policy_parse("file", text, n, &policy, &e), -E2BIG);
        ck_assert_str_eq(e.text, "file:18: CspId=: the key is given more than 16 times");
}
END_TEST

START_TEST(a_file_is_loaded_by_its_name) {
        char dir[] = "/tmp/snp-test-policy.XXXXXX", path[64];
        CLEANUP(snp_policy_freep) SnpPolicy *policy = NULL;
        SnpPolicy *none = NULL;
        Error e = {};

        ck_assert_ptr_nonnull(mkdtemp(dir));
        (void) snprintf(path, sizeof(path), "%s/policy", dir);
        ck_assert_int_eq(snp_policy_load(path, &none, &e), -ENOENT);
        ck_assert_int_eq(file_write_atomic(path, golden, strlen(golden), 0600, NULL), 0);
        ck_assert_int_eq(snp_policy_load(path, &policy, NULL), 0);
        ck_assert_uint_eq(policy->min_build, 29);
        ck_assert_int_eq(file_write_atomic(path, "[X]\n", 4, 0600, NULL), 0);
        e = (Error){};
        ck_assert_int_eq(snp_policy_load(path, &none, &e), -EINVAL);
        ck_assert(strncmp(e.text, path, strlen(path)) == 0 && strstr(e.text, ":1: unknown section [X]"));
        (void) unlink(path);
        (void) rmdir(dir);
        ck_assert_ptr_null(none);
}
END_TEST

#define VALUE "\n                          "

static const char *const sentences[] = {
        "[Report]\n  MinimumVersion          at least 3                      VERSION, the least format",
        "  SigningKey              vlek  ",
        "  Vmpl                    0 or 2  ",
        "  ReportId                must be                         REPORT_ID, of one running guest" VALUE HEX32 "\n",
        "  Measurement             must be one of                  MEASUREMENT",
        VALUE HEX48 VALUE ZEROS48 "\n",
        "  RequireIdBlock          required  ",
        "  Smt                     must be clear  ",
        "  Cxl                     may be set or clear  ",
        "  Debug                   must be set  ",
        "  MaskedChipId            accepted  ",
        "  UnnamedBits             none but 0x40 may be set  ",
        "  MinimumVersion          at least 1.55.0  ",
        "  LaunchMitigations       all of 0x3 must be set  ",
        "  MinimumTcb              each part at least              least REPORTED_TCB",
        VALUE MILAN_TCB "\n",
};

START_TEST(a_policy_is_explained_in_words) {
        CLEANUP(snp_policy_freep) SnpPolicy *p = parse(golden);
        AUTO_FREE char *text = NULL;

        ck_assert_int_eq(snp_policy_explain(p, &text), 0);
        for (size_t i = 0; i < N_ELEMENTS(sentences); i++)
                ck_assert_msg(strstr(text, sentences[i]), "%s not in\n%s", sentences[i], text);
}
END_TEST

static const char *const default_sentences[] = {
        "  MinimumVersion          at least 2 (default)  ",
        "  SigningKey              vcek or vlek (default)  ",
        "  Measurement             any (default)  ",
        "  Debug                   must be clear (default)  ",
        "  Smt                     may be set or clear (default)   POLICY.SMT",
        "  RequireIdBlock          not required (default)  ",
        "  MaskedChipId            refused (default)  ",
        "  Product                 Milan or Genoa or Turin (default)",
        "  UnnamedBits             must be clear                   all other bits",
};

START_TEST(defaults_are_explained_as_such) {
        CLEANUP(snp_policy_freep) SnpPolicy *p = parse("[Platform]\nUnnamedBits=forbid\n");
        AUTO_FREE char *text = NULL;
        size_t n = 0;

        ck_assert_int_eq(snp_policy_explain(p, &text), 0);
        for (size_t i = 0; i < N_ELEMENTS(default_sentences); i++)
                ck_assert_msg(strstr(text, default_sentences[i]), "%s not in\n%s", default_sentences[i], text);
        for (const char *at = text; (at = strstr(at, " (default)")); at++)
                n++;
        ck_assert_uint_eq(n, snp_n_policy_keys - 1);
}
END_TEST

START_TEST(a_trusted_key_makes_an_id_block_required) {
        uint8_t digest[48] = {};
        Error e = {};

        for (int author = 0; author < 2; author++) {
                CLEANUP(snp_policy_freep) SnpPolicy *p = parse(""), *again = NULL;
                AUTO_FREE char *text = NULL;

                digest[0] = 0;
                ck_assert_int_eq(snp_policy_trust_key(p, author, digest, &e), -EINVAL);
                ck_assert(!p->require_id_block);
                digest[0] = 1;
                ck_assert_int_eq(snp_policy_trust_key(p, author, digest, NULL), 0);
                ck_assert_int_eq(snp_policy_trust_key(p, author, digest, NULL), -EINVAL);
                ck_assert(p->require_id_block && snp_policy_names_guest(p));
                ck_assert_uint_eq(author ? p->author_keys.n : p->id_keys.n, 1);
                text = text_of(p);
                again = parse(text);
                ck_assert_mem_eq(p, again, sizeof(*p));
        }
}
END_TEST

static SnpReport golden_of(uint32_t version) {
        uint8_t bytes[SNP_REPORT_SIZE];
        SnpReport report;
        Error e = {};

        golden_report(version, bytes);
        ck_assert_msg(snp_report_parse(bytes, sizeof(bytes), &report, &e) == 0, "%s", e.text);
        return report;
}

START_TEST(a_report_makes_a_policy_for_its_like) {
        SnpReport report = golden_of(5);
        CLEANUP(snp_policy_freep) SnpPolicy *p = NULL, *again = NULL;
        AUTO_FREE char *text = NULL;
        Error e = {};

        ck_assert_msg(snp_policy_new_from_report(&report, SNP_PRODUCT_MILAN, &p, &e) == 0, "%s", e.text);
        ck_assert_uint_eq(p->products, 1u << SNP_PRODUCT_TURIN); /* the report tells */
        ck_assert_uint_eq(p->vmpls, 1u << report.vmpl);
        ck_assert_uint_eq(p->measurements.n, 1);
        ck_assert_mem_eq(p->measurements.items[0], report.measurement, SNP_MEASUREMENT_SIZE);
        ck_assert_uint_eq(p->min_guest_svn, report.guest_svn);
        ck_assert_uint_eq(p->current_mitigations, report.current_mit_vector);
        ck_assert(p->lines[SNP_PRODUCT_TURIN].reported.given && p->lines[SNP_PRODUCT_TURIN].launch.given);
        ck_assert_uint_eq(p->lines[SNP_PRODUCT_TURIN].reported.least.microcode, report.reported_tcb[7]);
        ck_assert_int_eq(p->debug, SNP_RULE_FORBID); /* whatever the report says */
        text = text_of(p);
        again = parse(text);
        ck_assert_mem_eq(p, again, sizeof(*p));
}
END_TEST

START_TEST(a_version_2_report_needs_its_product_line_from_elsewhere) {
        SnpReport report = golden_of(2);
        CLEANUP(snp_policy_freep) SnpPolicy *p = NULL;
        Error e = {};

        ck_assert_int_eq(snp_policy_new_from_report(&report, SNP_PRODUCT_UNKNOWN, &p, &e), -EINVAL);
        ck_assert_str_eq(e.reason, "report-product");
        ck_assert_ptr_null(p);
        ck_assert_int_eq(snp_policy_new_from_report(&report, SNP_PRODUCT_MILAN, &p, NULL), 0);
        ck_assert_uint_eq(p->lines[SNP_PRODUCT_MILAN].reported.least.snp, report.reported_tcb[6]);
}
END_TEST

START_TEST(no_policy_is_made_from_what_none_could_accept) {
        SnpReport report = golden_of(5);
        SnpPolicy *p = NULL;
        Error e = {};

        report.vmpl = UINT32_MAX;
        ck_assert_int_eq(snp_policy_new_from_report(&report, SNP_PRODUCT_UNKNOWN, &p, &e), -EINVAL);
        ck_assert_str_eq(e.reason, "report-origin");
        report.vmpl = 0;
        report.signing_key = SNP_SIGNING_KEY_NONE;
        ck_assert_int_eq(snp_policy_new_from_report(&report, SNP_PRODUCT_UNKNOWN, &p, NULL), -EINVAL);
        ck_assert_ptr_null(p);
}
END_TEST

int main(void) {
        Suite *s = suite_create("snp/policy");
        TCase *c = tcase_create("policy");

        tcase_add_test(c, golden_file_is_read_field_by_field);
        tcase_add_test(c, the_golden_file_has_every_key_and_none_at_its_default);
        tcase_add_test(c, an_empty_file_means_the_safe_defaults);
        tcase_add_test(c, whether_a_policy_names_its_guest_can_be_asked);
        tcase_add_loop_test(c, a_policy_is_written_as_it_was_read, 0, 3);
        tcase_add_test(c, every_key_is_written_with_a_comment);
        tcase_add_test(c, a_full_policy_can_be_written_and_read);
        tcase_add_loop_test(c, mistakes_are_told_with_file_and_line, 0, (int) N_ELEMENTS(errors));
        tcase_add_test(c, minimums_are_needed_only_for_lines_that_are_accepted);
        tcase_add_test(c, too_many_values_are_refused);
        tcase_add_test(c, a_file_is_loaded_by_its_name);
        tcase_add_test(c, a_policy_is_explained_in_words);
        tcase_add_test(c, defaults_are_explained_as_such);
        tcase_add_test(c, a_trusted_key_makes_an_id_block_required);
        tcase_add_test(c, a_report_makes_a_policy_for_its_like);
        tcase_add_test(c, a_version_2_report_needs_its_product_line_from_elsewhere);
        tcase_add_test(c, no_policy_is_made_from_what_none_could_accept);
        suite_add_tcase(s, c);
        return unit_run(s);
}
