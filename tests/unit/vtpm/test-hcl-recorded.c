/* SPDX-License-Identifier: Apache-2.0 */
/* HCL reports of real machines: every field as their manifest has it, and the key bound as it says. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/hex.h"
#include "base/reader.h"
#include "tests/unit/unit.h"
#include "tests/unit/vtpm/recorded.h"
#include "vtpm/alg.h"
#include "vtpm/hcl-binding.h"

#define TEXT_MAX 20000u
#define SNP_VMPL_AT 0x30u /* AMD publication 56860, table ATTESTATION_REPORT */
#define SNP_REPORT_DATA_AT 0x50u
#define TDX_REPORT_DATA_AT 0x80u /* Intel TDX module, "TDREPORT_STRUCT", REPORTDATA of REPORTMACSTRUCT */

static const struct {
        const char *file;
        const char *quote; /* a quote of the same machine */
} files[] = {
        { "azure/hcl-snp-2048.bin", NULL },
        { "azure/hcl-snp-2600.bin", "azure/quote-2.json" },
        { "azure/hcl-tdx-2600.bin", NULL },
        { "azure/evidence-v1.json", "azure/evidence-v1.json" },
        { "azure/evidence-v2.json", "azure/evidence-v2.json" },
};

static bool is_json(const char *file) {
        return strstr(file, ".json") != NULL;
}

static Blob hcl_of(const char *file) {
        AUTO_FREE char *path = NULL;
        Blob b = {}, hcl = {};
        AUTO_JSON json_object *o = NULL;
        const char *text = NULL;

        ck_assert_int_gt(asprintf(&path, "vtpm/%s", file), 0);
        b = vector_read(path);
        if (!is_json(file))
                return b;
        ck_assert_int_eq(json_parse(b.data, b.size, file, &o, NULL), 0);
        ck_assert_int_eq(json_get_str(o, "hcl_report", TEXT_MAX, &text, NULL), 0);
        ck_assert_int_eq(base64_decode(strchr(text, '=') ? BASE64_URL_PADDED : BASE64_URL, text, strlen(text), TEXT_MAX,
                                       &hcl), 0);
        blob_done(&b);
        return hcl;
}

static json_object *object_in(json_object *o, const char *name) {
        json_object *ret = NULL;

        ck_assert_msg(json_get_obj(o, name, &ret, NULL) == 0, "%s", name);
        return ret;
}

static uint64_t number_in(json_object *o, const char *name) {
        uint64_t ret = 0;

        ck_assert_msg(json_get_u64(o, name, UINT64_MAX, &ret, NULL) == 0, "%s", name);
        return ret;
}

static bool bool_in(json_object *o, const char *name) {
        bool ret = false;

        ck_assert_msg(json_get_bool(o, name, &ret, NULL) == 0, "%s", name);
        return ret;
}

static const uint8_t *report_data_of(const VtpmHcl *hcl) {
        return hcl->report + (hcl->type == VTPM_HCL_TDX ? TDX_REPORT_DATA_AT : SNP_REPORT_DATA_AT);
}

static void compare_frame(const Blob *b, const VtpmHcl *hcl, json_object *want) {
        json_object *header = object_in(want, "header"), *request = object_in(want, "request_data");
        uint8_t digest[32], expected[32];
        const char *hex = NULL;

        ck_assert_uint_eq(hcl->version, number_in(header, "version"));
        ck_assert_uint_eq(hcl->type, number_in(request, "report_type"));
        ck_assert_uint_eq(number_in(request, "hash_type"), 1);
        ck_assert_uint_eq(hcl->hash, VTPM_ALG_SHA256);
        ck_assert_uint_eq(hcl->claims_size, number_in(request, "variable_data_size"));
        ck_assert_ptr_eq(hcl->claims, b->data + number_in(want, "variable_data_offset"));
        ck_assert_int_eq(json_get_str(want, "sha256_variable_data", 64, &hex, NULL), 0);
        ck_assert_int_eq(hex_decode_exact(hex, strlen(hex), expected, sizeof(expected)), 0);
        ck_assert_int_eq(vtpm_hash_bytes(VTPM_ALG_SHA256, hcl->claims, hcl->claims_size, digest, NULL), 0);
        ck_assert_mem_eq(digest, expected, sizeof(digest));
        ck_assert_int_eq(memcmp(report_data_of(hcl), digest, sizeof(digest)) == 0,
                         bool_in(want, "report_data_first32_matches"));
        ck_assert_int_eq(bytes_are_zero(report_data_of(hcl) + 32, 32), bool_in(want, "report_data_last32_zero"));
}

static void compare_keys(const VtpmHclClaims *c, json_object *want) {
        json_object *keys = NULL;

        ck_assert_int_eq(json_get_array(want, "keys", 16, &keys, NULL), 0);
        ck_assert_uint_eq(json_object_array_length(keys), c->ek.modulus_size ? 2u : 1u);
        for (size_t i = 0; i < json_object_array_length(keys); i++) {
                json_object *key = json_object_array_get_idx(keys, i);
                const char *kid = NULL;

                ck_assert_int_eq(json_get_str(key, "kid", 64, &kid, NULL), 0);
                ck_assert_uint_eq(strcmp(kid, "HCLAkPub") == 0 ? c->ak.modulus_size : c->ek.modulus_size,
                                  number_in(key, "n_bytes"));
        }
}

static bool is_named(json_object *names, const char *name) {
        for (size_t i = 0; i < json_object_array_length(names); i++)
                if (strcmp(json_object_get_string(json_object_array_get_idx(names, i)), name) == 0)
                        return true;
        return false;
}

static void compare_claims(const VtpmHclClaims *c, json_object *want) {
        json_object *names = NULL;
        const char *user_data = NULL;

        compare_keys(c, want);
        ck_assert_int_eq(json_get_array(want, "vm_configuration_keys", 32, &names, NULL), 0);
        for (size_t i = 0; i < VTPM_HCL_N_SWITCHES; i++)
                ck_assert_int_eq(is_named(names, vtpm_hcl_switch_name((VtpmHclSwitch) i)),
                                 c->switches[i] != VTPM_HCL_UNSAID);
        ck_assert_int_eq(is_named(names, "current-time"), c->has_time);
        ck_assert_int_eq(is_named(names, "vmUniqueId"), c->vm_id[0] != '\0');
        ck_assert_int_eq(json_get_opt_str(want, "user_data", 128, &user_data, NULL), 0);
        ck_assert_int_eq(user_data != NULL, c->has_user_data);
        if (user_data) {
                uint8_t expected[VTPM_HCL_USER_DATA_SIZE];

                ck_assert_int_eq(hex_decode_exact(user_data, strlen(user_data), expected, sizeof(expected)), 0);
                ck_assert_mem_eq(c->user_data, expected, sizeof(expected));
        }
}

START_TEST(report_is_what_its_manifest_says) {
        AUTO_JSON json_object *manifest = recorded_manifest();
        json_object *want = recorded_expected(manifest, files[_i].file);
        AUTO_BLOB Blob b = hcl_of(files[_i].file);
        VtpmHclClaims claims;
        VtpmHcl hcl;
        Error e = {};

        if (is_json(files[_i].file))
                want = object_in(want, "hcl");
        ck_assert_msg(vtpm_hcl_parse(b.data, b.size, &hcl, &e) == 0, "%s", e.text);
        compare_frame(&b, &hcl, want);
        ck_assert_msg(vtpm_hcl_claims_parse(hcl.claims, hcl.claims_size, &claims, &e) == 0, "%s", e.text);
        compare_claims(&claims, want);
} END_TEST

START_TEST(key_is_bound_on_snp_and_nowhere_else) {
        AUTO_BLOB Blob b = hcl_of(files[_i].file), ak = {};
        VtpmHclClaims claims = {};
        VtpmHclWitness w;
        VtpmBinding binding;
        VtpmHcl hcl;
        Error e = {};
        int r;

        ck_assert_int_eq(vtpm_hcl_parse(b.data, b.size, &hcl, NULL), 0);
        w = (VtpmHclWitness){ .hcl = &hcl, .report_data = report_data_of(&hcl),
                              .vmpl = hcl.type == VTPM_HCL_SNP ? load_le32(hcl.report + SNP_VMPL_AT) : 0 };
        r = vtpm_hcl_bind(&w, &claims, &binding, &e);
        if (hcl.type != VTPM_HCL_SNP) {
                ck_assert_int_eq(r, -EOPNOTSUPP);
                ck_assert_int_eq(binding.kind, VTPM_BINDING_NONE);
                return;
        }
        ck_assert_msg(r == 0 && binding.kind == VTPM_BINDING_HCL, "%s", e.text);
        ck_assert_int_eq(vtpm_hcl_claims_ak(&claims, &ak), 0);
        w.ak = ak.data;
        w.ak_size = ak.size;
        ck_assert_int_eq(vtpm_hcl_bind(&w, NULL, &binding, NULL), 0);
} END_TEST

/* What real firmware says of its key in a quote is what we make of the modulus in the claims. */
START_TEST(quote_is_signed_by_the_key_in_the_claims) {
        CLEANUP(vtpm_ak_public_freep) VtpmAkPublic *key = NULL;
        AUTO_BLOB Blob b = hcl_of(files[_i].file), ak = {};
        AUTO_RECORDED_QUOTE RecordedQuote q = {};
        VtpmHclClaims claims;
        VtpmSignature signature;
        VtpmAttest attest;
        VtpmHcl hcl;
        Error e = {};

        if (!files[_i].quote)
                return;
        q = recorded_quote(files[_i].quote);
        ck_assert_int_eq(vtpm_hcl_parse(b.data, b.size, &hcl, NULL), 0);
        ck_assert_int_eq(vtpm_hcl_claims_parse(hcl.claims, hcl.claims_size, &claims, NULL), 0);
        ck_assert_int_eq(vtpm_attest_parse(q.attest.data, q.attest.size, &attest, NULL), 0);
        ck_assert_msg(vtpm_hcl_claims_check_signer(&claims, &attest, &e) == 0, "%s", e.text);
        ck_assert_int_eq(vtpm_hcl_claims_ak(&claims, &ak), 0);
        ck_assert_msg(vtpm_ak_public_new(ak.data, ak.size, &key, &e) == 0, "%s", e.text);
        ck_assert_int_eq(vtpm_signature_parse(q.signature.data, q.signature.size, &signature, NULL), 0);
        ck_assert_int_eq(vtpm_ak_public_verify(key, &signature, q.attest.data, q.attest.size, NULL), 0);
} END_TEST

START_TEST(quote_of_another_machine_names_another_key) {
        AUTO_BLOB Blob b = hcl_of("azure/hcl-snp-2600.bin");
        AUTO_RECORDED_QUOTE RecordedQuote q = recorded_quote("azure/quote-1.bincode");
        VtpmHclClaims claims;
        VtpmAttest attest;
        VtpmHcl hcl;
        Error e = {};

        ck_assert_int_eq(vtpm_hcl_parse(b.data, b.size, &hcl, NULL), 0);
        ck_assert_int_eq(vtpm_hcl_claims_parse(hcl.claims, hcl.claims_size, &claims, NULL), 0);
        ck_assert_int_eq(vtpm_attest_parse(q.attest.data, q.attest.size, &attest, NULL), 0);
        ck_assert_int_eq(vtpm_hcl_claims_check_signer(&claims, &attest, &e), -EKEYREJECTED);
        ck_assert_str_eq(e.reason, "hcl-signer");
} END_TEST

START_TEST(bare_claims_are_read) {
        AUTO_BLOB Blob b = vector_read("vtpm/azure/runtime-claims-1.json");
        VtpmHclClaims claims;
        Error e = {};

        ck_assert_msg(vtpm_hcl_claims_parse(b.data, b.size, &claims, &e) == 0, "%s", e.text);
        ck_assert_uint_eq(claims.ak.modulus_size, 256);
        ck_assert_uint_eq(claims.ek.modulus_size, 256);
} END_TEST

START_TEST(user_data_in_upper_case_are_the_challenge) {
        AUTO_BLOB Blob b = hcl_of("azure/evidence-v2.json");
        AUTO_RECORDED_QUOTE RecordedQuote q = recorded_quote("azure/evidence-v2.json");
        VtpmHclClaims claims;
        VtpmAttest attest;
        VtpmHcl hcl;

        ck_assert_int_eq(vtpm_hcl_parse(b.data, b.size, &hcl, NULL), 0);
        ck_assert_int_eq(vtpm_hcl_claims_parse(hcl.claims, hcl.claims_size, &claims, NULL), 0);
        ck_assert_int_eq(vtpm_attest_parse(q.attest.data, q.attest.size, &attest, NULL), 0);
        ck_assert_uint_eq(attest.extra_size, 48);
        ck_assert(vtpm_hcl_claims_say(&claims, attest.extra, attest.extra_size));
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("hcl-recorded");
        TCase *tc = tcase_create("recorded");

        tcase_add_loop_test(tc, report_is_what_its_manifest_says, 0, N_ELEMENTS(files));
        tcase_add_loop_test(tc, key_is_bound_on_snp_and_nowhere_else, 0, N_ELEMENTS(files));
        tcase_add_loop_test(tc, quote_is_signed_by_the_key_in_the_claims, 0, N_ELEMENTS(files));
        tcase_add_test(tc, quote_of_another_machine_names_another_key);
        tcase_add_test(tc, bare_claims_are_read);
        tcase_add_test(tc, user_data_in_upper_case_are_the_challenge);
        suite_add_tcase(s, tc);
        return s;
}

int main(void) {
        return vectors_dir() ? unit_run(suite()) : unit_skip("recorded vectors are not here");
}
