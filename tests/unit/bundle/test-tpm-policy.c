/* SPDX-License-Identifier: Apache-2.0 */

/* Section [TPM] of a policy: what it may say, what it means, and that nothing is lost in writing it. */

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/bundle/policy.h"
#include "base/file.h"
#include "base/json.h"
#include "tests/unit/unit.h"

#define HEX32 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define HEX48 HEX32 "202122232425262728292a2b2c2d2e2f"

static BundlePolicy parse(const char *text) {
        BundlePolicy policy = {};
        Error e = {};

        ck_assert_msg(bundle_policy_parse("file", text, strlen(text), &policy, &e) == 0, "%s", e.text);
        return policy;
}

static const char everything[] = "[TPM]\n"
                                 "RequireQuote=yes\n"
                                 "RequireBound=no\n"
                                 "AllowUnboundAsEvidence=yes\n"
                                 "AkName=000b" HEX32 "\n"
                                 "AkName=000c" HEX48 "\n"
                                 "EventLogPcrs=0 1\n"
                                 "EventLogPcrs=23\n"
                                 "SecureBoot=require\n"
                                 "Pcr7=sha256:" HEX32 "\n"
                                 "Pcr7=sha384:" HEX48 "\n"
                                 "Pcr0=sha256:" HEX32 "\n"
                                 "[Report]\n"
                                 "Vmpl=0 1\n";

START_TEST(every_key_is_read) {
        AUTO_BUNDLE_POLICY BundlePolicy p = parse(everything);

        ck_assert(p.tpm.require_quote && p.tpm.unbound_may_be_there && p.tpm.unbound_is_proof);
        ck_assert_uint_eq(p.tpm.n_names, 2);
        ck_assert_uint_eq(p.tpm.names[0].size, 34);
        ck_assert_uint_eq(p.tpm.names[1].bytes[49], 0x2f);
        ck_assert_uint_eq(p.tpm.log_pcrs, 0x800003);
        ck_assert_int_eq(p.tpm.secure_boot, TPM_RULE_REQUIRE);
        ck_assert_uint_eq(p.tpm.pcrs[7].n, 2);
        ck_assert_uint_eq(p.tpm.pcrs[7].items[1].hash, VTPM_ALG_SHA384);
        ck_assert_uint_eq(p.tpm.pcrs[0].items[0].value[31], 0x1f);
        ck_assert(tpm_policy_asks(&p.tpm));
}
END_TEST

START_TEST(an_empty_section_asks_nothing_and_is_safe) {
        static const TpmPolicy zero = {};
        AUTO_BUNDLE_POLICY BundlePolicy p = parse("[TPM]\n"), none = parse("");

        ck_assert_mem_eq(&p.tpm, &zero, sizeof(zero));
        ck_assert_mem_eq(&none.tpm, &zero, sizeof(zero));
        ck_assert(!tpm_policy_asks(&zero) && !zero.unbound_may_be_there && !zero.unbound_is_proof);
}
END_TEST

static const struct {
        const char *text, *reason, *says;
} refused[] = {
        { "[TPM]\nPcr24=sha256:" HEX32 "\n", "config-key", "file:2: unknown key Pcr24= in section [TPM]" },
        { "[TPM]\nPcr=sha256:" HEX32 "\n", "config-key", "unknown key" },
        { "[TPM]\nPcr07=sha256:" HEX32 "\n", "config-key", "unknown key" },
        { "[TPM]\nVmpl=0\n", "config-key", "unknown key" },
        { "[Guest]\nPcr7=sha256:" HEX32 "\n", "config-key", "unknown key" },
        { "[Tpm]\n", "config-section", "unknown section [Tpm]" },
        { "[TPM]\nPcr7=\n", "config-value", "a value is missing" },
        { "[TPM]\nPcr7=" HEX32 "\n", "config-value", "expected BANK:HEX" },
        { "[TPM]\nPcr7=md5:00\n", "config-value", "expected bank sha256" },
        { "[TPM]\nPcr7=sha1:000102030405060708090a0b0c0d0e0f10111213\n", "config-value", "can be made to collide" },
        { "[TPM]\nPcr7=sha384:" HEX32 "\n", "config-value", "expected 48 bytes in hex behind 'sha384:'" },
        { "[TPM]\nPcr7=sha256:" HEX32 "\nPcr7=sha256:" HEX32 "\n", "config-duplicate", "file:3" },
        { "[TPM]\nAkName=" HEX32 "\n", "config-value", "the name of a key" },
        { "[TPM]\nAkName=zz\n", "config-value", "the name of a key" },
        { "[TPM]\nAkName=00\n", "config-value", "the name of a key" },
        { "[TPM]\nAkName=000b" HEX32 "\nAkName=000B" HEX32 "\n", "config-duplicate", "given twice" },
        { "[TPM]\nEventLogPcrs=24\n", "config-value", "numbers from 0 to 23" },
        { "[TPM]\nEventLogPcrs=0,1\n", "config-value", "numbers from 0 to 23" },
        { "[TPM]\nEventLogPcrs=0 1 0\n", "config-duplicate", "0 is given twice" },
        { "[TPM]\nSecureBoot=yes\n", "config-value", "'allow', 'require' or 'forbid'" },
        { "[TPM]\nRequireQuote=perhaps\n", "config-value", "'yes' or 'no'" },
        { "[TPM]\nRequireBound=\n", "config-value", "missing" },
        { "[TPM]\nRequireQuote=yes\nRequireQuote=yes\n", "config-duplicate", "file:3" },
        { "[TPM]\nAllowUnboundAsEvidence=yes\n", "config-contradiction", "needs RequireBound=no" },
};

START_TEST(mistakes_are_refused_with_their_place) {
        BundlePolicy policy = {};
        Error e = {};

        ck_assert_int_eq(bundle_policy_parse("file", refused[_i].text, strlen(refused[_i].text), &policy, &e), -EINVAL);
        ck_assert_str_eq(e.reason, refused[_i].reason);
        ck_assert_msg(strstr(e.text, refused[_i].says), "%s", e.text);
        ck_assert_ptr_null(policy.snp);
}
END_TEST

START_TEST(lists_have_a_limit) {
        for (unsigned n = TPM_POLICY_VALUES_MAX; n <= TPM_POLICY_VALUES_MAX + 1; n++) {
                AUTO_BUNDLE_POLICY BundlePolicy policy = {};
                char text[8192] = "[TPM]\n";
                Error e = {};

                for (unsigned i = 0; i < n; i++) {
                        size_t used = strlen(text);

                        (void) snprintf(text + used, sizeof(text) - used,
                                        _i == 0 ? "Pcr3=sha256:%064u\n" : "AkName=000b%064u\n", i);
                }
                ck_assert_int_eq(bundle_policy_parse("file", text, strlen(text), &policy, &e),
                                 n == TPM_POLICY_VALUES_MAX ? 0 : -E2BIG);
        }
}
END_TEST

START_TEST(a_reader_without_a_tpm_refuses_the_section) {
        SnpPolicy *policy = NULL;
        Error e = {};

        ck_assert_int_eq(snp_policy_parse("file", "[TPM]\n", 6, &policy, &e), -EINVAL);
        ck_assert_str_eq(e.reason, "config-section");
        ck_assert_ptr_null(policy);
}
END_TEST

START_TEST(writing_loses_nothing) {
        AUTO_BUNDLE_POLICY BundlePolicy p = parse(_i == 0 ? everything : ""), again = {};
        AUTO_FREE char *text = NULL, *second = NULL;

        ck_assert_int_eq(bundle_policy_to_text(&p, &text), 0);
        again = parse(text);
        ck_assert_mem_eq(&p.tpm, &again.tpm, sizeof(p.tpm));
        ck_assert_int_eq(bundle_policy_to_text(&again, &second), 0);
        ck_assert_str_eq(text, second);
        ck_assert_ptr_nonnull(strstr(text, "\n[TPM]\n"));
        ck_assert_ptr_nonnull(strstr(text, "\n# Value: BANK:HEX"));
        ck_assert_ptr_nonnull(strstr(text, _i == 0 ? "\nPcr7=sha384:" HEX48 "\n" : "\n#Pcr7=\n"));
        ck_assert_ptr_nonnull(strstr(text, _i == 0 ? "\nRequireBound=no\n" : "\nRequireBound=yes\n"));
        ck_assert_ptr_nonnull(strstr(text, _i == 0 ? "\nEventLogPcrs=23\n" : "\n#EventLogPcrs=0 1 2 3 4 7\n"));
}
END_TEST

START_TEST(explaining_tells_values_and_defaults) {
        AUTO_BUNDLE_POLICY BundlePolicy p = parse(everything), none = parse("");
        AUTO_FREE char *text = NULL, *plain = NULL;
        AUTO_JSON json_object *array = NULL;
        bool seen = false;

        ck_assert_int_eq(bundle_policy_explain(&p, &text), 0);
        ck_assert_int_eq(bundle_policy_explain(&none, &plain), 0);
        ck_assert_ptr_nonnull(strstr(text, "\n[TPM]\n  RequireQuote            yes "));
        ck_assert_ptr_nonnull(strstr(text, "  Pcr7                    2 values"));
        ck_assert_ptr_nonnull(strstr(text, "sha384:" HEX48 "\n"));
        ck_assert_ptr_nonnull(strstr(plain, "  RequireBound            yes (default)"));
        ck_assert_ptr_nonnull(strstr(plain, "  Pcr7                    any (default)"));
        ck_assert_int_eq(bundle_policy_explain_json(&p, &array), 0);
        for (size_t i = 0; i < json_object_array_length(array); i++) {
                json_object *o = json_object_array_get_idx(array, i);

                if (strcmp(json_object_get_string(json_object_object_get(o, "key")), "SecureBoot") != 0)
                        continue;
                seen = true;
                ck_assert_str_eq(json_object_get_string(json_object_object_get(o, "section")), "TPM");
                ck_assert_str_eq(json_object_get_string(json_object_object_get(o, "meaning")), "require");
                ck_assert(!json_object_get_boolean(json_object_object_get(o, "default")));
        }
        ck_assert(seen);
}
END_TEST

START_TEST(a_file_is_read_as_text_is) {
        char path[] = "/tmp/tpm-policy.XXXXXX";
        AUTO_FD int fd = mkstemp(path);
        AUTO_BUNDLE_POLICY BundlePolicy p = {};
        BundlePolicy none = {};

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(file_write_fd(fd, path, everything, strlen(everything), NULL), 0);
        ck_assert_int_eq(bundle_policy_load(path, &p, NULL), 0);
        ck_assert_uint_eq(p.tpm.n_names, 2);
        ck_assert_int_eq(unlink(path), 0);
        ck_assert_int_eq(bundle_policy_load(path, &none, NULL), -ENOENT);
}
END_TEST

/* `snpctl policy check` has a report and nothing else. */
START_TEST(evidence_without_a_tpm_is_denied_what_is_asked_of_one) {
        AUTO_BUNDLE_POLICY BundlePolicy p = parse(everything), none = parse("");
        AUTO_JSON json_object *array = json_object_new_array();
        TpmAppraisal a;
        Error e = {};

        ck_assert_int_eq(tpm_policy_appraise(&none.tpm, NULL, NULL, &a, &e), 0);
        ck_assert_int_eq(a.outcome, SNP_ALLOW);
        ck_assert_int_eq(tpm_policy_appraise(&p.tpm, NULL, NULL, &a, &e), -EPERM);
        ck_assert_int_eq(a.outcome, SNP_DENY);
        ck_assert_str_eq(e.reason, "tpm-quote");
        for (TpmClaim i = 0; i < TPM_N_CLAIMS; i++) {
                bool asked = i != TPM_CLAIM_BOUND && (i < TPM_CLAIM_PCR_0 || i == TPM_CLAIM_PCR_0 ||
                                                      i == TPM_CLAIM_PCR_0 + 7);

                ck_assert_msg((a.findings[i].verdict == SNP_CLAIM_DENIED) == asked, "%s", tpm_claim_name(i));
                ck_assert((a.findings[i].remedy[0] != 0) == asked);
        }
        ck_assert_int_eq(tpm_appraisal_to_json(&a, array), 0);
        ck_assert_uint_eq(json_object_array_length(array), 7); /* five, and the PCRs that are asked for */
}
END_TEST

int main(void) {
        Suite *s = suite_create("tpm-policy");
        TCase *c = tcase_create("tpm-policy");

        tcase_add_test(c, every_key_is_read);
        tcase_add_test(c, an_empty_section_asks_nothing_and_is_safe);
        tcase_add_loop_test(c, mistakes_are_refused_with_their_place, 0, N_ELEMENTS(refused));
        tcase_add_loop_test(c, lists_have_a_limit, 0, 2);
        tcase_add_test(c, a_reader_without_a_tpm_refuses_the_section);
        tcase_add_loop_test(c, writing_loses_nothing, 0, 2);
        tcase_add_test(c, explaining_tells_values_and_defaults);
        tcase_add_test(c, a_file_is_read_as_text_is);
        tcase_add_test(c, evidence_without_a_tpm_is_denied_what_is_asked_of_one);
        suite_add_tcase(s, c);
        return unit_run(s);
}
