/* SPDX-License-Identifier: Apache-2.0 */

/* snp_policy_appraise(): each key with a report that it allows and one that it denies, all of them verified first. */

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "snp/policy-keys.h"
#include "tests/simulator/report.h"
#include "tests/unit/snp/forge.h"
#include "tests/unit/unit.h"

static SimPki *pkis[SIM_N_PRODUCTS];
static SnpVek *vceks[SIM_N_PRODUCTS], *vleks[SIM_N_PRODUCTS];

static SnpVek *vek_of(const SimPki *pki, SimKey which) {
        AUTO_EVIDENCE Evidence evidence = forge_evidence(pki, which);
        SnpVek *vek = NULL;
        Error e = {};

        ck_assert_msg(forge_judge(pki, &evidence, &vek, &e) == 0, "%s", e.text);
        return vek;
}

static void setup(void) {
        for (SimProduct p = 0; p < SIM_N_PRODUCTS; p++) {
                vceks[p] = vek_of(pkis[p], SIM_VCEK);
                vleks[p] = vek_of(pkis[p], SIM_VLEK);
        }
}

static void teardown(void) {
        for (SimProduct p = 0; p < SIM_N_PRODUCTS; p++) {
                snp_vek_free(TAKE_PTR(vceks[p]));
                snp_vek_free(TAKE_PTR(vleks[p]));
        }
}

static SnpPolicy *parse(const char *text) {
        SnpPolicy *policy = NULL;
        Error e = {};

        ck_assert_msg(snp_policy_parse("file", text, strlen(text), &policy, &e) == 0, "%s: %s", text, e.text);
        return policy;
}

/* A guest on @product whose every field has a value of its own. */
static SimReport guest_on(SimProduct product) {
        SimReport r = sim_report_defaults(pkis[product]);

        r.guest_svn = 3;
        r.policy = UINT64_C(0x30133); /* ABI 1.51, SMT */
        (void) memset(r.family_id, 0xf1, sizeof(r.family_id));
        (void) memset(r.image_id, 0xf2, sizeof(r.image_id));
        (void) memset(r.report_data, 0xf3, sizeof(r.report_data));
        (void) memset(r.host_data, 0xf4, sizeof(r.host_data));
        (void) memset(r.id_key_digest, 0xf5, sizeof(r.id_key_digest));
        (void) memset(r.author_key_digest, 0xf6, sizeof(r.author_key_digest));
        (void) memset(r.report_id_ma, 0xf7, sizeof(r.report_id_ma));
        r.author_key_en = true;
        r.platform_info = 0x25;
        r.reported = pkis[product]->tcb; /* what the certificate says */
        r.current = r.committed = (SimTcb){ .fmc = 2, .bl = 12, .tee = 2, .snp = 30, .ucode = 255 };
        r.launch = (SimTcb){ .fmc = 1, .bl = 4, .tee = 2, .snp = 22, .ucode = 211 };
        (void) memcpy(r.current_version, (uint8_t[]){ 1, 55, 29 }, 3);
        (void) memcpy(r.committed_version, (uint8_t[]){ 1, 55, 29 }, 3);
        r.launch_mit_vector = 0x3;
        r.current_mit_vector = 0xb;
        return r;
}

typedef struct Outcome {
        SnpAppraisal appraisal;
        Error e;
        int r;
} Outcome;

/* Made, signed, verified and only then appraised. */
static Outcome appraise(const char *policy_text, const SimReport *r, SimProduct product, bool with_vek) {
        CLEANUP(snp_policy_freep) SnpPolicy *policy = parse(policy_text);
        const SnpVek *vek = (r->signer == SIM_SIGNER_VLEK ? vleks : vceks)[product];
        uint8_t bytes[SIM_REPORT_SIZE];
        SnpVerdict verdict = {};
        SnpReport report;
        Outcome o = {};

        ck_assert_int_eq(sim_report_make(r, pkis[product], bytes, NULL), 0);
        ck_assert_msg(snp_report_parse(bytes, sizeof(bytes), &report, &o.e) == 0, "%s", o.e.text);
        ck_assert_msg(snp_report_verify(&report, vek, SNP_VERIFY_ALLOW_MASKED_CHIP_ID, &verdict, &o.e) == 0, "%s",
                      o.e.text);
        o.r = snp_policy_appraise(policy, &report, &verdict, with_vek ? vek : NULL, &o.appraisal, &o.e);
        return o;
}

static SnpClaim claim_named(const char *name) {
        for (SnpClaim i = 0; i < SNP_N_CLAIMS; i++)
                if (strcmp(snp_claim_name(i), name) == 0)
                        return i;
        ck_abort_msg("there is no claim %s", name);
        return SNP_N_CLAIMS;
}

/* @verdict of @claim, and every other one not denied. */
static void expect(const Outcome *o, const char *claim, SnpClaimVerdict verdict) {
        for (SnpClaim i = 0; i < SNP_N_CLAIMS; i++) {
                const SnpFinding *f = &o->appraisal.findings[i];
                SnpClaimVerdict got = f->verdict;

                ck_assert_msg(f->wanted[0] && f->found[0], "%s", snp_claim_name(i));
                ck_assert_msg((got == SNP_CLAIM_DENIED) == (f->remedy[0] != 0), "%s", snp_claim_name(i));
                if (i == claim_named(claim))
                        ck_assert_msg(got == verdict, "%s is %s: wanted %s, found %s", claim,
                                      snp_claim_verdict_name(got), f->wanted, f->found);
                else
                        ck_assert_msg(got != SNP_CLAIM_DENIED, "%s is denied: wanted %s, found %s", snp_claim_name(i),
                                      f->wanted, f->found);
        }
        ck_assert_int_eq(o->appraisal.outcome, verdict == SNP_CLAIM_DENIED ? SNP_DENY : SNP_ALLOW);
        ck_assert_int_eq(o->r, verdict == SNP_CLAIM_DENIED ? -EPERM : 0);
        ck_assert_int_eq(o->e.code, o->r);
        if (o->r < 0)
                ck_assert_str_eq(o->e.reason, claim);
}

#define F(digit) digit digit digit digit digit digit digit digit digit digit digit digit digit digit digit digit
#define B16(digits) F(digits)
#define B32(digits) F(digits) F(digits)
#define B48(digits) B32(digits) F(digits)
#define B64(digits) B32(digits) B32(digits)
#define Y SNP_CLAIM_ALLOWED
#define N SNP_CLAIM_DENIED
#define X SNP_CLAIM_NOT_ASKED

/* The policy changes, the report, a Milan guest's, stays. */
static const struct {
        const char *policy, *claim;
        SnpClaimVerdict verdict;
} keys[] = {
        { "", "authentic", Y },
        { "[Report]\nMinimumVersion=5\n", "version", Y },
        { "[Report]\nSigningKey=vcek\n", "signing-key", Y },
        { "[Report]\nSigningKey=vlek\n", "signing-key", N },
        { "", "vmpl", Y },
        { "[Report]\nVmpl=1 2 3\n", "vmpl", N },
        { "", "report-data", X },
        { "[Report]\nReportData=" B64("f3") "\n", "report-data", Y },
        { "[Report]\nReportData=f3\nReportData=" B64("f3") "\n", "report-data", Y },
        { "[Report]\nReportData=" B48("f3") "\n", "report-data", N },
        { "[Report]\nReportId=" B32("1d") "\n", "report-id", Y },
        { "[Report]\nReportId=" B32("1e") "\n", "report-id", N },
        { "[Report]\nReportIdMa=" B32("f7") "\n", "report-id-ma", Y },
        { "[Report]\nReportIdMa=" B32("ff") "\n", "report-id-ma", N },
        { "", "measurement", X },
        { "[Guest]\nMeasurement=" B48("a5") "\n", "measurement", Y },
        { "[Guest]\nMeasurement=" B48("00") "\nMeasurement=" B48("A5") "\n", "measurement", Y },
        { "[Guest]\nMeasurement=" B48("00") "\nMeasurement=" B48("a4") "\n", "measurement", N },
        { "[Guest]\nFamilyId=" B16("f1") "\n", "family-id", Y },
        { "[Guest]\nFamilyId=" B16("00") "\n", "family-id", N },
        { "[Guest]\nImageId=" B16("f2") "\n", "image-id", Y },
        { "[Guest]\nImageId=" B16("f1") "\n", "image-id", N },
        { "[Guest]\nHostData=" B32("f4") "\n", "host-data", Y },
        { "[Guest]\nHostData=" B32("00") "\n", "host-data", N },
        { "", "guest-svn", X },
        { "[Guest]\nMinimumSvn=3\n", "guest-svn", Y },
        { "[Guest]\nMinimumSvn=4\n", "guest-svn", N },
        { "", "policy-abi", X },
        { "[Guest]\nMinimumAbi=1.51\n", "policy-abi", Y },
        { "[Guest]\nMinimumAbi=0.255\n", "policy-abi", Y },
        { "[Guest]\nMinimumAbi=1.52\n", "policy-abi", N },
        { "[Guest]\nMinimumAbi=2.0\n", "policy-abi", N },
        { "", "id-block", X },
        { "[Guest]\nTrustedIdKey=" B48("f5") "\n", "id-block", Y },
        { "[Guest]\nTrustedIdKey=" B48("f6") "\n", "id-block", N },
        { "[Guest]\nTrustedAuthorKey=" B48("f6") "\n", "id-block", Y },
        { "[Guest]\nTrustedAuthorKey=" B48("f5") "\n", "id-block", N },
        { "[Guest]\nRequireIdBlock=yes\nTrustedIdKey=" B48("01") "\nTrustedAuthorKey=" B48("f6") "\n", "id-block", Y },
        { "", "author-key", X },
        { "[Guest]\nRequireAuthorKey=yes\nTrustedAuthorKey=" B48("f6") "\n", "author-key", Y },
        { "", "product", Y },
        { "[Platform]\nProduct=Genoa Milan\n", "product", Y },
        { "[Platform]\nProduct=Genoa Turin\n", "product", N },
        { "", "chip-id", X },
        { "[Platform]\nChipId=" B64("11") "\n", "chip-id", N },
        { "", "masked-chip-id", Y },
        { "[Platform]\nMaskedChipId=allow\n", "masked-chip-id", X },
        { "", "csp-id", X },
        { "[Platform]\nCspId=*.example.net\n", "csp-id", N }, /* signed by a VCEK */
        { "", "platform-unnamed-bits", X },
        { "[Platform]\nUnnamedBits=forbid\n", "platform-unnamed-bits", Y },
        { "", "firmware-version", X },
        { "[Firmware]\nMinimumVersion=1.55.29\n", "firmware-version", Y },
        { "[Firmware]\nMinimumVersion=0.99.99\n", "firmware-version", Y },
        { "[Firmware]\nMinimumVersion=1.55.30\n", "firmware-version", N },
        { "[Firmware]\nMinimumVersion=1.56\n", "firmware-version", N },
        { "[Platform]\nProduct=Milan\n[Milan]\nMinimumVersion=1.55.29\n", "firmware-version", Y },
        { "[Platform]\nProduct=Milan\n[Milan]\nMinimumVersion=1.55.30\n", "firmware-version", N },
        { "[Platform]\nProduct=Milan\n[Milan]\nMinimumVersion=1.0\n[Firmware]\nMinimumVersion=1.56\n",
          "firmware-version", N },
        { "", "firmware-build", X },
        { "[Firmware]\nMinimumBuild=29\n", "firmware-build", Y },
        { "[Firmware]\nMinimumBuild=30\n", "firmware-build", N },
        { "", "provisional-firmware", Y },
        { "[Firmware]\nProvisional=allow\n", "provisional-firmware", Y },
        { "", "tcb-order", Y },
        { "", "launch-mitigations", X },
        { "[Firmware]\nLaunchMitigations=0x2\n", "launch-mitigations", Y },
        { "[Firmware]\nLaunchMitigations=0x6\n", "launch-mitigations", N },
        { "", "current-mitigations", X },
        { "[Firmware]\nCurrentMitigations=0xb\n", "current-mitigations", Y },
        { "[Firmware]\nCurrentMitigations=0xf\n", "current-mitigations", N },
        { "", "launch-tcb", X },
        { "[Platform]\nProduct=Milan\n[Milan]\nMinimumLaunchTcb=boot_loader=4 tee=2 snp=22 microcode=211\n",
          "launch-tcb", Y },
        { "[Platform]\nProduct=Milan\n[Milan]\nMinimumLaunchTcb=boot_loader=5\n", "launch-tcb", N },
        { "[Platform]\nProduct=Milan\n[Milan]\nMinimumLaunchTcb=tee=3\n", "launch-tcb", N },
        { "[Platform]\nProduct=Milan\n[Milan]\nMinimumLaunchTcb=snp=23\n", "launch-tcb", N },
        { "[Platform]\nProduct=Milan\n[Milan]\nMinimumLaunchTcb=boot_loader=0 microcode=212\n", "launch-tcb", N },
        { "[Platform]\nProduct=Milan\n[Milan]\nMinimumCurrentTcb=microcode=255\n", "current-tcb", Y },
        { "[Platform]\nProduct=Milan\n[Milan]\nMinimumCurrentTcb=tee=3\n", "current-tcb", N },
        { "[Platform]\nProduct=Milan\n[Milan]\nMinimumCommittedTcb=microcode=255\n", "committed-tcb", Y },
        { "[Platform]\nProduct=Milan\n[Milan]\nMinimumCommittedTcb=snp=31\n", "committed-tcb", N },
        { "[Platform]\nProduct=Milan\n[Milan]\nMinimumTcb=snp=1\n", "reported-tcb", Y },
        { "[Platform]\nProduct=Milan\n[Milan]\nMinimumTcb=snp=255\n", "reported-tcb", N },
};

START_TEST(a_key_decides_one_claim) {
        SimReport r = guest_on(SIM_MILAN);
        Outcome o = appraise(keys[_i].policy, &r, SIM_MILAN, true);

        expect(&o, keys[_i].claim, keys[_i].verdict);
}
END_TEST

/* Every bit with each of the three rules, set and clear. */
static const struct {
        const char *section, *key, *claim;
        uint64_t bit;
} bits[] = {
        { "Guest", "Smt", "smt", SNP_POLICY_SMT },
        { "Guest", "MigrationAgent", "migration-agent", SNP_POLICY_MIGRATE_MA },
        { "Guest", "Debug", "debug", SNP_POLICY_DEBUG },
        { "Guest", "SingleSocket", "single-socket", SNP_POLICY_SINGLE_SOCKET },
        { "Guest", "Cxl", "cxl", SNP_POLICY_CXL_ALLOW },
        { "Guest", "MemoryAes256Xts", "memory-aes-256-xts", SNP_POLICY_MEM_AES_256_XTS },
        { "Guest", "RaplDisabled", "rapl-disabled", SNP_POLICY_RAPL_DIS },
        { "Guest", "CiphertextHiding", "ciphertext-hiding", SNP_POLICY_CIPHERTEXT_HIDING },
        { "Guest", "PageSwapDisabled", "page-swap-disabled", SNP_POLICY_PAGE_SWAP_DISABLE },
        { "Platform", "SmtEnabled", "platform-smt", SNP_PLATFORM_SMT_EN },
        { "Platform", "TsmeEnabled", "platform-tsme", SNP_PLATFORM_TSME_EN },
        { "Platform", "EccEnabled", "platform-ecc", SNP_PLATFORM_ECC_EN },
        { "Platform", "RaplDisabled", "platform-rapl-disabled", SNP_PLATFORM_RAPL_DIS },
        { "Platform", "CiphertextHidingEnabled", "platform-ciphertext-hiding", SNP_PLATFORM_CIPHERTEXT_HIDING_EN },
        { "Platform", "AliasCheckComplete", "platform-alias-check", SNP_PLATFORM_ALIAS_CHECK_COMPLETE },
        { "Platform", "TioEnabled", "platform-tio", SNP_PLATFORM_TIO_EN },
};

START_TEST(a_rule_decides_about_a_bit) {
        static const struct {
                const char *rule;
                SnpClaimVerdict when_clear, when_set;
        } rules[] = { { "forbid", Y, N }, { "allow", X, X }, { "require", N, Y } };

        for (size_t i = 0; i < N_ELEMENTS(rules); i++)
                for (int set = 0; set < 2; set++) {
                        SimReport r = guest_on(SIM_GENOA);
                        uint64_t *field = strcmp(bits[_i].section, "Guest") == 0 ? &r.policy : &r.platform_info;
                        char text[128];
                        Outcome o;

                        *field = set ? *field | bits[_i].bit : *field & ~bits[_i].bit;
                        (void) snprintf(text, sizeof(text), "[%s]\n%s=%s\n", bits[_i].section, bits[_i].key,
                                        rules[i].rule);
                        o = appraise(text, &r, SIM_GENOA, true);
                        expect(&o, bits[_i].claim, set ? rules[i].when_set : rules[i].when_clear);
                        ck_assert_str_eq(o.appraisal.findings[claim_named(bits[_i].claim)].found,
                                         set ? "set" : "clear");
                }
}
END_TEST

START_TEST(what_no_production_guest_needs_is_denied_by_default) {
        static const struct {
                uint64_t bit;
                const char *claim;
        } defaults[] = { { SNP_POLICY_DEBUG, "debug" }, { SNP_POLICY_MIGRATE_MA, "migration-agent" },
                         { SNP_POLICY_CXL_ALLOW, "cxl" } };

        for (size_t i = 0; i < N_ELEMENTS(defaults); i++) {
                SimReport r = guest_on(SIM_TURIN);
                Outcome o;

                r.policy |= defaults[i].bit;
                o = appraise("", &r, SIM_TURIN, true);
                expect(&o, defaults[i].claim, N);
        }
}
END_TEST

START_TEST(only_the_named_privilege_levels_may_have_asked) {
        for (uint32_t vmpl = 0; vmpl <= 4; vmpl++) {
                SimReport r = guest_on(SIM_MILAN);
                Outcome o;

                r.vmpl = vmpl == 4 ? UINT32_MAX : vmpl; /* the host itself */
                o = appraise("", &r, SIM_MILAN, true);
                expect(&o, "vmpl", vmpl == 0 ? Y : N);
                o = appraise("[Report]\nVmpl=0 2\n", &r, SIM_MILAN, true);
                expect(&o, "vmpl", vmpl == 0 || vmpl == 2 ? Y : N);
                o = appraise("[Report]\nVmpl=0 1 2 3\n", &r, SIM_MILAN, true);
                expect(&o, "vmpl", vmpl < 4 ? Y : N);
        }
}
END_TEST

START_TEST(old_formats_can_be_refused) {
        for (uint32_t version = 2; version <= 5; version++) {
                SimReport r = guest_on(SIM_GENOA);
                Outcome o;

                r.version = version;
                o = appraise("[Report]\nMinimumVersion=4\n", &r, SIM_GENOA, true);
                expect(&o, "version", version >= 4 ? Y : N);
        }
}
END_TEST

START_TEST(mitigations_are_not_to_be_had_from_old_formats) {
        SimReport r = guest_on(SIM_GENOA);
        Outcome o;

        r.version = 3;
        o = appraise("[Firmware]\nCurrentMitigations=0x1\n", &r, SIM_GENOA, true);
        expect(&o, "current-mitigations", N);
        ck_assert_str_eq(o.appraisal.findings[SNP_CLAIM_CURRENT_MITIGATIONS].found, "none in version 3");
        o = appraise("[Firmware]\nCurrentMitigations=0x0\n", &r, SIM_GENOA, true);
        expect(&o, "current-mitigations", X);
}
END_TEST

START_TEST(a_format_that_is_not_known_is_denied) {
        CLEANUP(snp_policy_freep) SnpPolicy *policy = parse("");
        SnpVerdict verdict = { .outcome = SNP_ACCEPT };
        SimReport r = guest_on(SIM_MILAN);
        uint8_t bytes[SIM_REPORT_SIZE];
        SnpAppraisal appraisal;
        SnpReport report;

        ck_assert_int_eq(sim_report_make(&r, pkis[SIM_MILAN], bytes, NULL), 0);
        ck_assert_int_eq(snp_report_parse(bytes, sizeof(bytes), &report, NULL), 0);
        ck_assert_int_eq(snp_report_verify(&report, vceks[SIM_MILAN], 0, &verdict, NULL), 0);
        for (uint32_t version = 0; version < 8; version++) {
                report.version = version; /* as if the parser had let it through */
                ck_assert_int_eq(snp_policy_appraise(policy, &report, &verdict, vceks[SIM_MILAN], &appraisal, NULL),
                                 version >= 2 && version <= 5 ? 0 : -EPERM);
        }
}
END_TEST

static const struct {
        const char *why, *policy;
        bool id_key, author_key, author_key_en; /* in the report */
        const char *denied;
} id_rows[] = {
        { "no ID block, none asked for", "", false, false, false, NULL },
        { "no ID block", "[Guest]\nTrustedIdKey=" B48("f5") "\n", false, false, false, "id-block" },
        { "an author without AUTHOR_KEY_EN", "[Guest]\nTrustedAuthorKey=" B48("f6") "\n", true, true, false,
          "id-block" },
        { "an author", "[Guest]\nTrustedAuthorKey=" B48("f6") "\n", true, true, true, NULL },
        { "an author who is required", "[Guest]\nRequireAuthorKey=yes\nTrustedAuthorKey=" B48("f6") "\n", true, true,
          true, NULL },
        { "zeros as author, with AUTHOR_KEY_EN", "[Guest]\nTrustedAuthorKey=" B48("f6") "\n", true, false, true,
          "id-block" },
        { "a trusted ID key of no author", "[Guest]\nTrustedIdKey=" B48("f5") "\n", true, false, false, NULL },
};

START_TEST(id_blocks_are_trusted_by_their_keys) {
        SimReport r = guest_on(SIM_MILAN);
        Outcome o;

        if (!id_rows[_i].id_key)
                (void) memset(r.id_key_digest, 0, sizeof(r.id_key_digest));
        if (!id_rows[_i].author_key)
                (void) memset(r.author_key_digest, 0, sizeof(r.author_key_digest));
        r.author_key_en = id_rows[_i].author_key_en;
        o = appraise(id_rows[_i].policy, &r, SIM_MILAN, true);
        if (id_rows[_i].denied)
                expect(&o, id_rows[_i].denied, N);
        else
                ck_assert_msg(o.r == 0, "%s: %s", id_rows[_i].why, o.e.text);
}
END_TEST

START_TEST(a_required_author_cannot_be_replaced_by_an_id_key) {
        SimReport r = guest_on(SIM_MILAN);
        Outcome o = appraise("[Guest]\nRequireAuthorKey=yes\nTrustedAuthorKey=" B48("01") "\n"
                             "TrustedIdKey=" B48("f5") "\n",
                             &r, SIM_MILAN, true);

        ck_assert_int_eq(o.r, -EPERM);
        ck_assert_int_eq(o.appraisal.findings[SNP_CLAIM_ID_BLOCK].verdict, N);
        ck_assert_int_eq(o.appraisal.findings[SNP_CLAIM_AUTHOR_KEY].verdict, N);
}
END_TEST

START_TEST(a_chip_is_named_by_its_id) {
        static const size_t sizes[] = { [SIM_MILAN] = 64, [SIM_GENOA] = 64, [SIM_TURIN] = 8 };
        char text[256] = "[Platform]\nChipId=";
        SimReport r = guest_on((SimProduct) _i);
        Outcome o;

        for (size_t i = 0; i < sizes[_i]; i++)
                (void) snprintf(text + strlen(text), sizeof(text) - strlen(text), "%02x", r.chip_id[i]);
        (void) strcat(text, "\n");
        o = appraise(text, &r, (SimProduct) _i, true);
        expect(&o, "chip-id", Y);
        text[strlen("[Platform]\nChipId=")] ^= 1;
        o = appraise(text, &r, (SimProduct) _i, true);
        expect(&o, "chip-id", N);
}
END_TEST

START_TEST(a_masked_chip_is_denied_unless_a_provider_signs) {
        SimReport r = guest_on(SIM_GENOA);
        Outcome o;

        (void) memset(r.chip_id, 0, sizeof(r.chip_id));
        o = appraise("", &r, SIM_GENOA, true);
        expect(&o, "masked-chip-id", N);
        o = appraise("[Platform]\nMaskedChipId=allow\n", &r, SIM_GENOA, true);
        expect(&o, "masked-chip-id", X);
        o = appraise("[Platform]\nMaskedChipId=allow\nChipId=" B64("11") "\n", &r, SIM_GENOA, true);
        expect(&o, "chip-id", N);
        r.signer = SIM_SIGNER_VLEK;
        o = appraise("", &r, SIM_GENOA, true);
        expect(&o, "masked-chip-id", X);
        ck_assert_str_eq(o.appraisal.findings[SNP_CLAIM_MASKED_CHIP_ID].found, "masked, signed by a vlek");
}
END_TEST

static const struct {
        const char *policy;
        SnpClaimVerdict verdict;
} csps[] = {
        { "", X },
        { "CspId=CN=cc-test-1.example.net\n", Y },
        { "CspId=*.example.net\n", Y },
        { "CspId=*CN=cc-test-1.example.net\n", Y },
        { "CspId=CN=other\nCspId=*.example.net\n", Y },
        { "CspId=cc-test-1.example.net\n", N },
        { "CspId=CN=cc-test-1.example.net.\n", N },
        { "CspId=CN=cc-test-1\n", N },
        { "CspId=*.example.org\n", N },
        { "CspId=*xCN=cc-test-1.example.net\n", N },
};

START_TEST(a_provider_is_named_whole_or_by_its_end) {
        SimReport r = guest_on(SIM_MILAN);
        char text[256];
        Outcome o;

        r.signer = SIM_SIGNER_VLEK;
        (void) snprintf(text, sizeof(text), "[Platform]\n%s", csps[_i].policy);
        o = appraise(text, &r, SIM_MILAN, true);
        expect(&o, "csp-id", csps[_i].verdict);
        if (csps[_i].verdict == Y) {
                o = appraise(text, &r, SIM_MILAN, false);
                expect(&o, "csp-id", N); /* only the certificate says who */
        }
}
END_TEST

START_TEST(unnamed_platform_bits_are_told_apart) {
        static const struct {
                const char *value;
                uint64_t info;
                SnpClaimVerdict verdict;
        } rows[] = {
                { "allow", UINT64_C(0xffffffffffffff65), X }, { "forbid", 0x25, Y }, { "forbid", 0x65, N },
                { "0x40", 0x65, Y }, { "0x40", 0x25, Y }, { "0x40", 0x125, N },
        };

        for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
                SimReport r = guest_on(SIM_TURIN);
                char text[64];
                Outcome o;

                r.platform_info = rows[i].info;
                (void) snprintf(text, sizeof(text), "[Platform]\nUnnamedBits=%s\n", rows[i].value);
                o = appraise(text, &r, SIM_TURIN, true);
                expect(&o, "platform-unnamed-bits", rows[i].verdict);
        }
}
END_TEST

static const struct {
        const char *why;
        uint8_t committed_build, committed_snp;
        SnpClaimVerdict by_default, allowed; /* of provisional-firmware */
        bool in_order;
} commits[] = {
        { "all committed", 29, 30, Y, Y, true },
        { "an older TCB committed", 29, 29, N, Y, true },
        { "an older build committed", 28, 30, N, Y, true },
        { "a newer build committed", 30, 30, N, N, true },
        { "a newer TCB committed", 29, 31, N, Y, false },
};

START_TEST(provisional_firmware_is_denied_by_default) {
        SimReport r = guest_on(SIM_MILAN);
        Outcome o;

        r.committed_version[2] = commits[_i].committed_build;
        r.committed.snp = commits[_i].committed_snp;
        o = appraise("", &r, SIM_MILAN, true);
        ck_assert_int_eq(o.appraisal.findings[SNP_CLAIM_PROVISIONAL_FIRMWARE].verdict, commits[_i].by_default);
        ck_assert_int_eq(o.appraisal.findings[SNP_CLAIM_TCB_ORDER].verdict, commits[_i].in_order ? Y : N);
        o = appraise("[Firmware]\nProvisional=allow\n", &r, SIM_MILAN, true);
        ck_assert_int_eq(o.appraisal.findings[SNP_CLAIM_PROVISIONAL_FIRMWARE].verdict, commits[_i].allowed);
        ck_assert_int_eq(o.r, commits[_i].allowed == Y && commits[_i].in_order ? 0 : -EPERM);
}
END_TEST

START_TEST(reported_firmware_cannot_be_newer_than_the_current) {
        SimReport r = guest_on(SIM_MILAN);
        Outcome o;

        r.current.snp = r.committed.snp = (uint8_t) (r.reported.snp - 1);
        o = appraise("[Firmware]\nProvisional=allow\n", &r, SIM_MILAN, true);
        expect(&o, "tcb-order", N);
        ck_assert_str_eq(o.appraisal.findings[SNP_CLAIM_TCB_ORDER].found, "REPORTED_TCB is above");
}
END_TEST

START_TEST(minimums_hold_for_their_product_line) {
        static const char policy[] = "[Milan]\nMinimumTcb=snp=255\n[Genoa]\nMinimumTcb=snp=0\n"
                                     "[Turin]\nMinimumTcb=fmc=255\n";
        static const SnpClaimVerdict want[] = { [SIM_MILAN] = N, [SIM_GENOA] = Y, [SIM_TURIN] = N };
        SimReport r = guest_on((SimProduct) _i);
        Outcome o = appraise(policy, &r, (SimProduct) _i, true);

        expect(&o, "reported-tcb", want[_i]);
}
END_TEST

START_TEST(a_version_2_report_is_judged_by_its_certificates_product) {
        static const char policy[] = "[Platform]\nProduct=Milan\n[Milan]\nMinimumTcb=snp=1\n";
        SimReport r = guest_on(SIM_MILAN);
        Outcome o;

        r.version = 2;
        o = appraise(policy, &r, SIM_MILAN, true);
        expect(&o, "reported-tcb", Y);
        o = appraise("", &r, SIM_MILAN, false);
        expect(&o, "product", N); /* nobody tells which */
        o = appraise(policy, &r, SIM_MILAN, false);
        ck_assert_int_eq(o.appraisal.findings[SNP_CLAIM_REPORTED_TCB].verdict, N);
        ck_assert_str_eq(o.appraisal.findings[SNP_CLAIM_REPORTED_TCB].found, "unknown product line");
        ck_assert_int_eq(o.appraisal.findings[SNP_CLAIM_LAUNCH_TCB].verdict, X);
        r.version = 3;
        o = appraise(policy, &r, SIM_MILAN, false);
        expect(&o, "reported-tcb", Y); /* the report itself */
}
END_TEST

/* Whether it is asked for or not: every key is behind some claim. */
START_TEST(every_claim_has_a_name_of_its_own) {
        for (SnpClaim i = 0; i < SNP_N_CLAIMS; i++) {
                ck_assert_int_eq(claim_named(snp_claim_name(i)), i);
                ck_assert_uint_eq(strspn(snp_claim_name(i), "abcdefghijklmnopqrstuvwxyz0123456789-"),
                                  strlen(snp_claim_name(i)));
        }
        ck_assert_str_eq(snp_claim_name(SNP_N_CLAIMS), "unknown");
        ck_assert_str_eq(snp_claim_verdict_name(SNP_CLAIM_DENIED), "denied");
        ck_assert_str_eq(snp_claim_verdict_name((SnpClaimVerdict) 7), "denied");
}
END_TEST

START_TEST(zeroed_memory_means_deny) {
        SnpAppraisal appraisal = {};

        ck_assert_int_eq(appraisal.outcome, SNP_DENY);
        for (SnpClaim i = 0; i < SNP_N_CLAIMS; i++)
                ck_assert_int_eq(appraisal.findings[i].verdict, SNP_CLAIM_DENIED);
}
END_TEST

START_TEST(a_zeroed_policy_denies_every_guest) {
        CLEANUP(snp_policy_freep) SnpPolicy *policy = calloc(1, sizeof(*policy));
        SimReport r = guest_on(SIM_MILAN);
        uint8_t bytes[SIM_REPORT_SIZE];
        SnpAppraisal appraisal;
        SnpVerdict verdict;
        SnpReport report;

        ck_assert_ptr_nonnull(policy);
        ck_assert_int_eq(sim_report_make(&r, pkis[SIM_MILAN], bytes, NULL), 0);
        ck_assert_int_eq(snp_report_parse(bytes, sizeof(bytes), &report, NULL), 0);
        ck_assert_int_eq(snp_report_verify(&report, vceks[SIM_MILAN], 0, &verdict, NULL), 0);
        ck_assert_int_eq(snp_policy_appraise(policy, &report, &verdict, vceks[SIM_MILAN], &appraisal, NULL), -EPERM);
        ck_assert_int_eq(appraisal.findings[SNP_CLAIM_PRODUCT].verdict, N);
        ck_assert_int_eq(appraisal.findings[SNP_CLAIM_SIGNING_KEY].verdict, N);
        ck_assert_int_eq(appraisal.findings[SNP_CLAIM_VMPL].verdict, N);
}
END_TEST

/* A signature is another one each time: this report is made once. */
static SnpReport one_report(void) {
        static uint8_t bytes[SIM_REPORT_SIZE];
        static bool made;
        SimReport r = guest_on(SIM_MILAN);
        SnpReport report;

        if (!made)
                ck_assert_int_eq(sim_report_make(&r, pkis[SIM_MILAN], bytes, NULL), 0);
        made = true;
        ck_assert_int_eq(snp_report_parse(bytes, sizeof(bytes), &report, NULL), 0);
        return report;
}

static SnpVerdict true_verdict(void) {
        SnpReport report = one_report();
        SnpVerdict v;

        ck_assert_int_eq(snp_report_verify(&report, vceks[SIM_MILAN], 0, &v, NULL), 0);
        return v;
}

static void expect_all_denied(const SnpVerdict *verdict) {
        CLEANUP(snp_policy_freep) SnpPolicy *policy = parse("");
        SnpReport report = one_report();
        SnpAppraisal appraisal;
        Error e = {};

        (void) memset(&appraisal, 0xff, sizeof(appraisal));
        ck_assert_int_eq(snp_policy_appraise(policy, &report, verdict, vceks[SIM_MILAN], &appraisal, &e), -EPERM);
        ck_assert_int_eq(appraisal.outcome, SNP_DENY);
        for (SnpClaim i = 0; i < SNP_N_CLAIMS; i++) {
                ck_assert_int_eq(appraisal.findings[i].verdict, SNP_CLAIM_DENIED);
                ck_assert_ptr_nonnull(strstr(appraisal.findings[i].remedy, "snpctl verify"));
        }
        ck_assert_ptr_nonnull(strstr(appraisal.findings[SNP_CLAIM_MEASUREMENT].found, "not verified"));
        ck_assert_str_eq(e.reason, "authentic");
}

START_TEST(nothing_that_an_unverified_report_says_counts) {
        const SnpVerdict whole = true_verdict();
        SnpVerdict v = {};

        expect_all_denied(&v);
        (void) memcpy(v.report, whole.report, sizeof(v.report));
        v.outcome = SNP_ACCEPT; /* without a single check */
        expect_all_denied(&v);
        v = whole;
        v.outcome = SNP_REJECT;
        expect_all_denied(&v);
        for (size_t i = 0; i < SNP_N_CHECKS; i++) {
                v = whole;
                v.checks[i] = SNP_CHECK_FAILED;
                expect_all_denied(&v);
                v.checks[i] = SNP_CHECK_NOT_DONE;
                expect_all_denied(&v);
        }
        v = whole;
        v.checks[SNP_CHECK_SIGNATURE] = SNP_CHECK_NOT_APPLICABLE;
        expect_all_denied(&v);
}
END_TEST

static void expect_misplaced(const SnpVerdict *verdict, const SnpReport *report) {
        CLEANUP(snp_policy_freep) SnpPolicy *policy = parse("");
        SnpAppraisal appraisal;
        Error e = {};

        ck_assert(!snp_verdict_is_on(verdict, report));
        (void) memset(&appraisal, 0xff, sizeof(appraisal));
        ck_assert_int_eq(snp_policy_appraise(policy, report, verdict, vceks[SIM_MILAN], &appraisal, &e), -EINVAL);
        ck_assert_str_eq(e.reason, "verdict-misplaced");
        ck_assert_int_eq(appraisal.outcome, SNP_DENY);
        for (SnpClaim i = 0; i < SNP_N_CLAIMS; i++)
                ck_assert_int_eq(appraisal.findings[i].verdict, SNP_CLAIM_DENIED);
        ck_assert_ptr_nonnull(strstr(appraisal.findings[SNP_CLAIM_AUTHENTIC].found, "another report"));
}

START_TEST(a_verdict_on_another_report_is_a_mistake_and_denies) {
        CLEANUP(snp_policy_freep) SnpPolicy *policy = parse("");
        const SnpVerdict verdict = true_verdict();
        SnpReport report = one_report(), again;
        SimReport r = guest_on(SIM_MILAN);
        uint8_t bytes[SIM_REPORT_SIZE];
        SnpAppraisal appraisal;

        ck_assert(snp_verdict_is_on(&verdict, &report));
        ck_assert_int_eq(snp_policy_appraise(policy, &report, &verdict, vceks[SIM_MILAN], &appraisal, NULL), 0);
        for (size_t byte = 0; byte < sizeof(report.raw); byte += 37) {
                again = report;
                again.raw[byte] ^= 1;
                expect_misplaced(&verdict, &again);
        }
        ck_assert_int_eq(sim_report_make(&r, pkis[SIM_MILAN], bytes, NULL), 0); /* the same, signed again */
        ck_assert_int_eq(snp_report_parse(bytes, sizeof(bytes), &again, NULL), 0);
        expect_misplaced(&verdict, &again);
}
END_TEST

START_TEST(failed_checks_are_named) {
        CLEANUP(snp_policy_freep) SnpPolicy *policy = parse("");
        const SnpVerdict v = {
                .checks = { [SNP_CHECK_SIGNATURE] = SNP_CHECK_FAILED, [SNP_CHECK_TCB] = SNP_CHECK_FAILED }
        };
        SnpReport report = {};
        SnpAppraisal appraisal;

        ck_assert_int_eq(snp_policy_appraise(policy, &report, &v, NULL, &appraisal, NULL), -EPERM);
        ck_assert_str_eq(appraisal.findings[SNP_CLAIM_AUTHENTIC].found,
                         "not accepted, signature failed, tcb failed");
}
END_TEST

START_TEST(an_appraisal_is_shown_as_text_and_json) {
        SimReport r = guest_on(SIM_MILAN);
        AUTO_JSON json_object *array = NULL;
        AUTO_FREE char *text = NULL, *allowed = NULL;
        json_object *debug;
        Outcome o;

        o = appraise("", &r, SIM_MILAN, true);
        ck_assert_int_eq(snp_appraisal_to_text(&o.appraisal, &allowed), 0);
        ck_assert_int_eq(strncmp(allowed, "ALLOW\nallowed authentic: wanted accepted by verification, found accepted\n",
                                 strlen("ALLOW\nallowed authentic:")), 0);
        r.policy |= SNP_POLICY_DEBUG;
        o = appraise("", &r, SIM_MILAN, true);
        ck_assert_str_eq(o.e.text, "The policy denies debug: wanted clear, found set");
        ck_assert_int_eq(snp_appraisal_to_text(&o.appraisal, &text), 0);
        ck_assert_int_eq(strncmp(text, "DENY\n", 5), 0);
        ck_assert_ptr_nonnull(strstr(text, "\ndenied debug: wanted clear, found set\n    Launch the guest with "
                                           "POLICY.DEBUG clear, or change Debug= in [Guest] of the policy\n"));
        ck_assert_ptr_nonnull(strstr(text, "\nnot-asked measurement: wanted any, found a5a5"));
        ck_assert_int_eq(snp_appraisal_to_json(&o.appraisal, &array), 0);
        ck_assert_uint_eq(json_object_array_length(array), SNP_N_CLAIMS);
        debug = json_object_array_get_idx(array, SNP_CLAIM_DEBUG);
        ck_assert_str_eq(json_object_to_json_string_ext(debug, JSON_C_TO_STRING_PLAIN),
                         "{\"claim\":\"debug\",\"wanted\":\"clear\",\"found\":\"set\",\"verdict\":\"denied\","
                         "\"remedy\":\"Launch the guest with POLICY.DEBUG clear, or change Debug= in [Guest] of the "
                         "policy\"}");
        ck_assert(!json_object_object_get_ex(json_object_array_get_idx(array, SNP_CLAIM_SMT), "remedy", NULL));
}
END_TEST

START_TEST(a_policy_from_a_report_allows_its_like_and_no_other) {
        SimReport r = guest_on((SimProduct) _i), other;
        CLEANUP(snp_policy_freep) SnpPolicy *policy = NULL;
        AUTO_FREE char *text = NULL;
        uint8_t bytes[SIM_REPORT_SIZE];
        SnpReport report;
        Outcome o;

        ck_assert_int_eq(sim_report_make(&r, pkis[_i], bytes, NULL), 0);
        ck_assert_int_eq(snp_report_parse(bytes, sizeof(bytes), &report, NULL), 0);
        ck_assert_int_eq(snp_policy_new_from_report(&report, SNP_PRODUCT_UNKNOWN, &policy, NULL), 0);
        ck_assert_int_eq(snp_policy_to_text(policy, &text), 0);
        o = appraise(text, &r, (SimProduct) _i, true);
        expect(&o, "measurement", Y);
        other = r;
        other.measurement[0] ^= 1;
        o = appraise(text, &other, (SimProduct) _i, true);
        expect(&o, "measurement", N);
        other = r;
        other.launch.tee--;
        o = appraise(text, &other, (SimProduct) _i, true);
        expect(&o, "launch-tcb", N);
        other = r;
        other.guest_svn--;
        o = appraise(text, &other, (SimProduct) _i, true);
        expect(&o, "guest-svn", N);
        other = r;
        other.vmpl = 1;
        o = appraise(text, &other, (SimProduct) _i, true);
        expect(&o, "vmpl", N);
}
END_TEST

int main(void) {
        Suite *s = suite_create("snp/policy, appraisal");
        TCase *c = tcase_create("appraise");
        int r;

        for (SimProduct p = 0; p < SIM_N_PRODUCTS; p++)
                pkis[p] = forge_pki(p);
        tcase_add_unchecked_fixture(c, setup, teardown);
        tcase_add_loop_test(c, a_key_decides_one_claim, 0, (int) N_ELEMENTS(keys));
        tcase_add_loop_test(c, a_rule_decides_about_a_bit, 0, (int) N_ELEMENTS(bits));
        tcase_add_test(c, what_no_production_guest_needs_is_denied_by_default);
        tcase_add_test(c, only_the_named_privilege_levels_may_have_asked);
        tcase_add_test(c, old_formats_can_be_refused);
        tcase_add_test(c, mitigations_are_not_to_be_had_from_old_formats);
        tcase_add_test(c, a_format_that_is_not_known_is_denied);
        tcase_add_loop_test(c, id_blocks_are_trusted_by_their_keys, 0, (int) N_ELEMENTS(id_rows));
        tcase_add_test(c, a_required_author_cannot_be_replaced_by_an_id_key);
        tcase_add_loop_test(c, a_chip_is_named_by_its_id, 0, SIM_N_PRODUCTS);
        tcase_add_test(c, a_masked_chip_is_denied_unless_a_provider_signs);
        tcase_add_loop_test(c, a_provider_is_named_whole_or_by_its_end, 0, (int) N_ELEMENTS(csps));
        tcase_add_test(c, unnamed_platform_bits_are_told_apart);
        tcase_add_loop_test(c, provisional_firmware_is_denied_by_default, 0, (int) N_ELEMENTS(commits));
        tcase_add_test(c, reported_firmware_cannot_be_newer_than_the_current);
        tcase_add_loop_test(c, minimums_hold_for_their_product_line, 0, SIM_N_PRODUCTS);
        tcase_add_test(c, a_version_2_report_is_judged_by_its_certificates_product);
        tcase_add_test(c, every_claim_has_a_name_of_its_own);
        tcase_add_test(c, zeroed_memory_means_deny);
        tcase_add_test(c, a_zeroed_policy_denies_every_guest);
        tcase_add_test(c, nothing_that_an_unverified_report_says_counts);
        tcase_add_test(c, a_verdict_on_another_report_is_a_mistake_and_denies);
        tcase_add_test(c, failed_checks_are_named);
        tcase_add_test(c, an_appraisal_is_shown_as_text_and_json);
        tcase_add_loop_test(c, a_policy_from_a_report_allows_its_like_and_no_other, 0, SIM_N_PRODUCTS);
        suite_add_tcase(s, c);
        r = unit_run(s);
        for (SimProduct p = 0; p < SIM_N_PRODUCTS; p++)
                sim_pki_free(pkis[p]);
        return r;
}
