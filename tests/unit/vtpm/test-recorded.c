/* SPDX-License-Identifier: Apache-2.0 */
/* Quotes of real machines, of Azure's paravisor and of others' swtpms, judged as their manifest says. */
#include <errno.h>
#include <string.h>

#include "base/hex.h"
#include "base/reader.h"
#include "base/text.h"
#include "tests/unit/unit.h"
#include "tests/unit/vtpm/recorded.h"
#include "vtpm/certify.h"
#include "vtpm/ek.h"
#include "vtpm/public.h"
#include "vtpm/verify.h"

/* "attest" stands in expected itself, or in expected.quote for evidence that holds more than a quote. */
static const struct {
        const char *file;
        bool in_quote;
        bool verifies; /* expected.signature_verifies, or verifies_with */
} quotes[] = {
        { "azure/quote-1.bincode", false, true },
        { "azure/quote-2.json", false, true },
        { "azure/evidence-v1.json", true, true },
        { "azure/evidence-v2.json", true, true },
        { "azure/quote-orphan.msg", false, false },
        { "generic/tpm-evidence.json", false, true },
        { "swtpm/q-rsassa-all24-n32.attest", false, true },
        { "swtpm/q-rsassa-sub-n64.attest", false, true },
        { "swtpm/q-ecdsa-all24-n32.attest", false, true },
        { "swtpm/q-ecdsa-2banks-n32.attest", false, true },
};

static json_object *get(json_object *o, const char *name) {
        json_object *ret = NULL;

        ck_assert_int_eq(json_get_obj(o, name, &ret, NULL), 0);
        return ret;
}

static VtpmAttest parse(const RecordedQuote *q) {
        VtpmAttest a;
        Error e = {};

        ck_assert_msg(vtpm_attest_parse(q->attest.data, q->attest.size, &a, &e) == 0, "%s", e.text);
        return a;
}

static int judge(const VtpmAkPublic *ak, const RecordedQuote *q, const VtpmQuoteAsked *asked, VtpmVerdict *ret,
                 Error *e) {
        VtpmQuoteBytes bytes = {
                .attest = q->attest.data,
                .attest_size = q->attest.size,
                .signature = q->signature.data,
                .signature_size = q->signature.size,
                .pcrs = q->pcrs,
                .n_pcrs = q->n_pcrs,
        };

        return vtpm_quote_verify(ak, &bytes, asked, ret, e);
}

START_TEST(every_field_is_as_the_manifest_says) {
        AUTO_JSON json_object *manifest = recorded_manifest();
        json_object *expected = recorded_expected(manifest, quotes[_i].file);
        AUTO_RECORDED_QUOTE RecordedQuote q = recorded_quote(quotes[_i].file);
        AUTO_BLOB Blob again = {};
        VtpmAttest a = parse(&q);

        if (quotes[_i].in_quote)
                expected = get(expected, "quote");
        recorded_compare_attest(quotes[_i].file, &a, get(expected, "attest"));
        ck_assert_int_eq(vtpm_attest_encode(&a, &again), 0);
        ck_assert(blob_equal(&again, &q.attest));
} END_TEST

START_TEST(quote_is_accepted_if_the_manifest_says_so) {
        AUTO_RECORDED_QUOTE RecordedQuote q = recorded_quote(quotes[_i].file);
        VtpmAttest a = parse(&q);
        VtpmQuoteAsked asked = recorded_asked(&a);
        VtpmVerdict v;
        Error e = {};
        int r;

        if (!quotes[_i].verifies)
                return; /* no key is known: see every_quote_verifies_with_its_own_key_alone */
        r = judge(q.ak, &q, &asked, &v, &e);
        ck_assert_msg(r == 0 && v.outcome == VTPM_ACCEPT, "%s: %s", quotes[_i].file, error_text(&e, r));
        ck_assert_uint_eq(v.clock.clock_msec, a.clock.clock_msec);

        q.pcrs[0].values[__builtin_ctz(q.pcrs[0].mask)][0] ^= 1;
        ck_assert_int_eq(judge(q.ak, &q, &asked, &v, NULL), -EKEYREJECTED);
} END_TEST

START_TEST(azure_quotes_answer_the_nonce_on_record) {
        AUTO_RECORDED_QUOTE RecordedQuote q = recorded_quote("azure/quote-1.bincode");
        VtpmAttest a = parse(&q);
        VtpmQuoteAsked asked = recorded_asked(&a);
        VtpmVerdict v;

        asked.nonce = (const uint8_t *) "challenge";
        asked.nonce_size = strlen("challenge");
        ck_assert_int_eq(judge(q.ak, &q, &asked, &v, NULL), 0);
        asked.nonce = (const uint8_t *) "Challenge";
        ck_assert_int_eq(judge(q.ak, &q, &asked, &v, NULL), -ESTALE);
} END_TEST

static size_t n_accepting(const RecordedQuote *q) {
        VtpmAttest a = parse(q);
        VtpmQuoteAsked asked = recorded_asked(&a);
        size_t n = 0;

        for (size_t i = 0; i < N_ELEMENTS(quotes); i++) {
                AUTO_RECORDED_QUOTE RecordedQuote other = recorded_quote(quotes[i].file);
                VtpmVerdict v;

                if (!other.ak)
                        continue;
                (void) judge(other.ak, q, &asked, &v, NULL);
                n += v.checks[VTPM_CHECK_SIGNATURE] == VTPM_CHECK_OK;
        }
        return n;
}

START_TEST(every_quote_verifies_with_its_own_key_alone) {
        AUTO_RECORDED_QUOTE RecordedQuote q = recorded_quote(quotes[_i].file);
        size_t same_key = !quotes[_i].verifies ? 0 : text_starts_with(quotes[_i].file, "swtpm/") ? 2 : 1;

        ck_assert_msg(n_accepting(&q) == same_key, "%s: %zu keys accept it", quotes[_i].file, n_accepting(&q));
} END_TEST

START_TEST(certification_signed_by_the_same_key_is_no_quote) {
        AUTO_RECORDED_QUOTE RecordedQuote q = recorded_quote("swtpm/neg-certify.attest");
        uint8_t nonce[] = { 0x00, 0xff, 0x55, 0xaa };
        VtpmQuoteAsked asked = { .nonce = nonce, .nonce_size = sizeof(nonce),
                                 .pcrs = { 1, { { VTPM_ALG_SHA256, 1 } } } };
        VtpmSignature s;
        VtpmVerdict v;
        Error e = {};

        ck_assert_int_eq(vtpm_signature_parse(q.signature.data, q.signature.size, &s, NULL), 0);
        ck_assert_int_eq(vtpm_ak_public_verify(q.ak, &s, q.attest.data, q.attest.size, NULL), 0);
        ck_assert_int_eq(judge(q.ak, &q, &asked, &v, &e), -EPROTO);
        ck_assert_str_eq(e.reason, "attest-not-a-quote");
        ck_assert_int_eq(v.outcome, VTPM_REJECT);
} END_TEST

START_TEST(recorded_certification_is_read) {
        AUTO_RECORDED_QUOTE RecordedQuote q = recorded_quote("swtpm/neg-certify.attest");
        AUTO_BLOB Blob again = {};
        VtpmCertify c;

        ck_assert_int_eq(vtpm_certify_parse(q.attest.data, q.attest.size, &c, NULL), 0);
        ck_assert_uint_eq(c.extra_size, 4);
        ck_assert_mem_eq(c.extra, "\x00\xff\x55\xaa", 4);
        ck_assert_uint_eq(c.clock.clock_msec, 215617);
        ck_assert_uint_eq(c.clock.reset_count, 2);
        ck_assert(c.clock.safe);
        ck_assert_uint_eq(c.name_size, 34);
        ck_assert_int_eq(vtpm_certify_encode(&c, &again), 0);
        ck_assert(blob_equal(&q.attest, &again));
} END_TEST

START_TEST(recorded_template_is_ours) {
        AUTO_BLOB Blob recorded = vector_read("vtpm/generic/ek-template-rsa2048-l1.bin"), ours = {};

        ck_assert_int_eq(vtpm_ek_template(VTPM_EK_RSA2048, &ours, NULL), 0);
        ck_assert(blob_equal(&recorded, &ours));
} END_TEST

START_TEST(quote_without_nonce_is_rejected_though_its_signature_holds) {
        AUTO_JSON json_object *manifest = recorded_manifest();
        AUTO_RECORDED_QUOTE RecordedQuote q = recorded_quote("swtpm/q-ecdsa-nononce.attest");
        VtpmAttest a = parse(&q);
        VtpmQuoteAsked asked = recorded_asked(&a);
        VtpmVerdict v;

        recorded_compare_attest("nononce", &a,
                                get(recorded_expected(manifest, "swtpm/q-ecdsa-nononce.attest"), "attest"));
        ck_assert_int_eq(judge(q.ak, &q, &asked, &v, NULL), -EINVAL); /* such a thing cannot even be asked for */
        asked.nonce = (const uint8_t *) "n";
        asked.nonce_size = 1;
        ck_assert_int_eq(judge(q.ak, &q, &asked, &v, NULL), -ESTALE);
        ck_assert_int_eq(v.checks[VTPM_CHECK_SIGNATURE], VTPM_CHECK_OK);
        ck_assert_int_eq(v.checks[VTPM_CHECK_PCRS], VTPM_CHECK_OK);
        ck_assert_int_eq(v.outcome, VTPM_REJECT);
} END_TEST

START_TEST(sha1_quote_is_understood_and_rejected) {
        AUTO_JSON json_object *manifest = recorded_manifest();
        AUTO_RECORDED_QUOTE RecordedQuote q = recorded_quote("generic/keylime-quote.txt");
        AUTO_RECORDED_QUOTE RecordedQuote any = recorded_quote("azure/quote-1.bincode");
        VtpmAttest a = parse(&q);
        VtpmQuoteAsked asked = recorded_asked(&a);
        VtpmVerdict v;
        Error e = {};

        recorded_compare_attest("keylime", &a, get(recorded_expected(manifest, "generic/keylime-quote.txt"), "attest"));
        ck_assert_int_eq(judge(any.ak, &q, &asked, &v, &e), -EKEYREJECTED);
        ck_assert_str_eq(e.reason, "signature-weak-hash");
} END_TEST

static bool is_judged_here(const char *file) {
        static const char *const others[] = {
                "swtpm/neg-certify.attest", "swtpm/q-ecdsa-nononce.attest", "generic/keylime-quote.txt",
        };

        for (size_t i = 0; i < N_ELEMENTS(quotes); i++)
                if (strcmp(quotes[i].file, file) == 0)
                        return true;
        for (size_t i = 0; i < N_ELEMENTS(others); i++)
                if (strcmp(others[i], file) == 0)
                        return true;
        return false;
}

START_TEST(no_recorded_quote_is_left_out) {
        AUTO_JSON json_object *manifest = recorded_manifest();
        json_object *all = NULL;
        size_t n = 0;

        ck_assert_int_eq(json_get_array(manifest, "vectors", 1000, &all, NULL), 0);
        for (size_t i = 0; i < json_object_array_length(all); i++) {
                json_object *one = json_object_array_get_idx(all, i), *expected = get(one, "expected");
                const char *file = NULL;

                ck_assert_int_eq(json_get_str(one, "file", 200, &file, NULL), 0);
                if (!json_object_object_get_ex(expected, "attest", NULL) &&
                    !json_object_object_get_ex(expected, "quote", NULL))
                        continue;
                ck_assert_msg(is_judged_here(file), "%s", file);
                n++;
        }
        ck_assert_uint_eq(n, N_ELEMENTS(quotes) + 3);
} END_TEST

static const char *const aks[] = { "swtpm/ak-rsassa.tpm2b_public", "swtpm/ak-ecdsa.tpm2b_public" };

START_TEST(recorded_keys_have_the_recorded_names) {
        AUTO_JSON json_object *manifest = recorded_manifest();
        json_object *expected = recorded_expected(manifest, aks[_i]);
        AUTO_RECORDED_QUOTE RecordedQuote q = recorded_quote(_i ? "swtpm/q-ecdsa-all24-n32.attest"
                                                                : "swtpm/q-rsassa-all24-n32.attest");
        char hex[2 * (2 + VTPM_DIGEST_MAX) + 1];
        const char *want = NULL;
        size_t size;
        const uint8_t *name = vtpm_ak_public_name(q.ak, &size);

        hex_encode_to(name, size, hex);
        ck_assert_int_eq(json_get_str(expected, "name", 200, &want, NULL), 0);
        ck_assert_str_eq(hex, want);
} END_TEST

/* For a primary key the signer named in the quote is the hash of hierarchy and name (Part 1, "Qualified Name"). */
START_TEST(signer_in_the_quote_is_the_primary_key) {
        AUTO_RECORDED_QUOTE RecordedQuote q = recorded_quote(_i ? "swtpm/q-ecdsa-all24-n32.attest"
                                                                : "swtpm/q-rsassa-all24-n32.attest");
        VtpmAttest a = parse(&q);
        uint8_t bytes[4 + 34] = { 0x40, 0x00, 0x00, 0x0b }, digest[32]; /* TPM_RH_ENDORSEMENT */
        size_t size;
        const uint8_t *name = vtpm_ak_public_name(q.ak, &size);

        ck_assert_uint_eq(size, 34);
        (void) memcpy(bytes + 4, name, size);
        ck_assert_int_eq(vtpm_hash_bytes(VTPM_ALG_SHA256, bytes, sizeof(bytes), digest, NULL), 0);
        ck_assert_mem_eq(a.signer + 2, digest, 32);
} END_TEST

START_TEST(endorsement_key_template_is_read_and_is_no_attestation_key) {
        AUTO_JSON json_object *manifest = recorded_manifest();
        json_object *expected = recorded_expected(manifest, "generic/ek-template-rsa2048-l1.bin");
        AUTO_BLOB Blob b = vector_read("vtpm/generic/ek-template-rsa2048-l1.bin"), again = {};
        char policy[65];
        const char *want = NULL;
        VtpmAkPublic *ak = NULL;
        VtpmPublic p;
        Error e = {};

        ck_assert_int_eq(vtpm_public_parse(b.data, b.size, &p, NULL), 0);
        ck_assert_uint_eq(p.type, VTPM_ALG_RSA);
        ck_assert_uint_eq(p.name_alg, VTPM_ALG_SHA256);
        ck_assert_uint_eq(p.attributes, 0x000300b2);
        ck_assert_uint_eq(p.policy_size, 32);
        hex_encode_to(p.policy, 32, policy);
        ck_assert_int_eq(json_get_str(expected, "authPolicy", 64, &want, NULL), 0);
        ck_assert_str_eq(policy, want);
        ck_assert_int_eq(vtpm_public_encode(&p, &again), 0);
        ck_assert(blob_equal(&b, &again));
        ck_assert_int_eq(vtpm_ak_public_new(b.data, b.size, &ak, &e), -EKEYREJECTED);
        ck_assert_str_eq(e.reason, "ak-attributes");
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("recorded");
        TCase *tc = tcase_create("recorded");

        tcase_add_loop_test(tc, every_field_is_as_the_manifest_says, 0, N_ELEMENTS(quotes));
        tcase_add_loop_test(tc, quote_is_accepted_if_the_manifest_says_so, 0, N_ELEMENTS(quotes));
        tcase_add_test(tc, azure_quotes_answer_the_nonce_on_record);
        tcase_add_loop_test(tc, every_quote_verifies_with_its_own_key_alone, 0, N_ELEMENTS(quotes));
        tcase_add_test(tc, recorded_certification_is_read);
        tcase_add_test(tc, recorded_template_is_ours);
        tcase_add_test(tc, certification_signed_by_the_same_key_is_no_quote);
        tcase_add_test(tc, quote_without_nonce_is_rejected_though_its_signature_holds);
        tcase_add_test(tc, sha1_quote_is_understood_and_rejected);
        tcase_add_test(tc, no_recorded_quote_is_left_out);
        tcase_add_loop_test(tc, recorded_keys_have_the_recorded_names, 0, N_ELEMENTS(aks));
        tcase_add_loop_test(tc, signer_in_the_quote_is_the_primary_key, 0, N_ELEMENTS(aks));
        tcase_add_test(tc, endorsement_key_template_is_read_and_is_no_attestation_key);
        suite_add_tcase(s, tc);
        return s;
}

int main(void) {
        if (!vectors_dir())
                return unit_skip("no recorded vectors ($SNP_TEST_VECTORS)");
        return unit_run(suite());
}
