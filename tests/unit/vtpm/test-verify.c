/* SPDX-License-Identifier: Apache-2.0 */
/* Quotes of any content, all correctly signed unless the test is about that: see soft.h. */
#include <errno.h>
#include <string.h>

#include "base/writer.h"
#include "tests/unit/unit.h"
#include "tests/unit/vtpm/soft.h"
#include "vtpm/verify.h"

static SoftAk soft;
static VtpmAkPublic *ak;

static void setup(void) {
        soft = soft_ak_new(VTPM_ALG_ECDSA, VTPM_ALG_SHA256, VTPM_CURVE_NIST_P256);
        ak = soft_ak_public(&soft);
}

static void teardown(void) {
        vtpm_ak_public_free(ak);
        soft_ak_done(&soft);
}

static int judge_bytes(const Blob *attest, const Blob *signature, const VtpmPcrValues *pcrs, size_t n,
                       const VtpmQuoteAsked *asked, VtpmVerdict *ret, Error *e) {
        VtpmQuoteBytes quote = {
                .attest = attest->data,
                .attest_size = attest->size,
                .signature = signature->data,
                .signature_size = signature->size,
                .pcrs = pcrs,
                .n_pcrs = n,
        };
        int r = vtpm_quote_verify(ak, &quote, asked, ret, e);

        ck_assert_int_eq(r == 0, ret->outcome == VTPM_ACCEPT);
        ck_assert_int_le(r, 0);
        return r;
}

/* Signs @attest and judges it. */
static int judge(const VtpmAttest *attest, const VtpmPcrValues *pcrs, size_t n, const VtpmQuoteAsked *asked,
                 VtpmVerdict *ret, Error *e) {
        AUTO_BLOB Blob bytes = soft_attest_bytes(attest), sig = soft_sign(&soft, bytes.data, bytes.size);

        return judge_bytes(&bytes, &sig, pcrs, n, asked, ret, e);
}

static void must_reject(const VtpmAttest *attest, const VtpmPcrValues *pcrs, size_t n, const VtpmQuoteAsked *asked,
                        int code, const char *reason) {
        VtpmVerdict v;
        Error e = {};
        int r = judge(attest, pcrs, n, asked, &v, &e);

        ck_assert_msg(r == code && strcmp(error_reason(&e, r), reason) == 0, "%d %s: %s", r, error_reason(&e, r),
                      e.text);
        ck_assert_int_eq(e.code, r);
}

START_TEST(zero_initialised_verdict_rejects) {
        VtpmVerdict v = {};

        ck_assert_int_ne(v.outcome, VTPM_ACCEPT);
        for (int i = 0; i < VTPM_N_CHECKS; i++)
                ck_assert_int_eq(v.checks[i], VTPM_CHECK_NOT_DONE);
} END_TEST

START_TEST(good_quote_is_accepted_and_tells_all) {
        VtpmPcrValues pcrs = soft_pcrs(VTPM_ALG_SHA256, VTPM_PCR_MASK_ALL);
        VtpmAttest a = soft_attest(&pcrs, 1, VTPM_ALG_SHA256);
        VtpmQuoteAsked asked = soft_asked(&pcrs, 1);
        VtpmVerdict v;

        ck_assert_int_eq(judge(&a, &pcrs, 1, &asked, &v, NULL), 0);
        ck_assert_int_eq(v.outcome, VTPM_ACCEPT);
        for (int i = 0; i < VTPM_N_CHECKS; i++)
                ck_assert_int_eq(v.checks[i], VTPM_CHECK_OK);
        ck_assert_uint_eq(v.clock.clock_msec, 123456789);
        ck_assert_uint_eq(v.clock.reset_count, 7);
        ck_assert_uint_eq(v.clock.restart_count, 2);
        ck_assert(v.clock.safe);
        ck_assert_uint_eq(v.firmware_version, UINT64_C(0x0102030405060708));
        ck_assert_uint_eq(v.pcrs.n_banks, 1);
        ck_assert_uint_eq(v.pcrs.banks[0].mask, VTPM_PCR_MASK_ALL);
} END_TEST

START_TEST(unsafe_clock_is_told_and_not_judged) {
        VtpmPcrValues pcrs = soft_pcrs(VTPM_ALG_SHA256, 1);
        VtpmAttest a = soft_attest(&pcrs, 1, VTPM_ALG_SHA256);
        VtpmQuoteAsked asked = soft_asked(&pcrs, 1);
        VtpmVerdict v;

        a.clock.safe = false; /* so it is after every unclean stop, for hours */
        ck_assert_int_eq(judge(&a, &pcrs, 1, &asked, &v, NULL), 0);
        ck_assert(!v.clock.safe);
} END_TEST

START_TEST(several_banks_are_accepted) {
        VtpmPcrValues pcrs[] = {
                soft_pcrs(VTPM_ALG_SHA384, 0x810), soft_pcrs(VTPM_ALG_SHA1, 2), soft_pcrs(VTPM_ALG_SHA512, 1),
        };
        VtpmPcrValues shuffled[] = { pcrs[2], pcrs[0], pcrs[1] };
        VtpmAttest a = soft_attest(pcrs, 3, VTPM_ALG_SHA256);
        VtpmQuoteAsked asked = soft_asked(pcrs, 3), fewer = soft_asked(pcrs + 1, 1);
        VtpmVerdict v;

        ck_assert_int_eq(judge(&a, pcrs, 3, &asked, &v, NULL), 0);
        ck_assert_int_eq(judge(&a, shuffled, 3, &asked, &v, NULL), 0);
        ck_assert_int_eq(judge(&a, pcrs, 3, &fewer, &v, NULL), 0);
} END_TEST

static const struct {
        const char *why;
        size_t offset; /* in the nonce */
        size_t size;
} wrong_nonces[] = {
        { "first byte", 0, SOFT_NONCE_SIZE },
        { "last byte", SOFT_NONCE_SIZE - 1, SOFT_NONCE_SIZE },
        { "shorter", SIZE_MAX, SOFT_NONCE_SIZE - 1 },
        { "longer by a zero", SIZE_MAX, SOFT_NONCE_SIZE + 1 },
        { "one byte", SIZE_MAX, 1 },
};

START_TEST(another_nonce_is_stale) {
        VtpmPcrValues pcrs = soft_pcrs(VTPM_ALG_SHA256, 1);
        VtpmAttest a = soft_attest(&pcrs, 1, VTPM_ALG_SHA256);
        VtpmQuoteAsked asked = soft_asked(&pcrs, 1);
        uint8_t nonce[VTPM_NONCE_MAX] = {};

        (void) memcpy(nonce, soft_nonce, SOFT_NONCE_SIZE);
        if (wrong_nonces[_i].offset != SIZE_MAX)
                nonce[wrong_nonces[_i].offset] ^= 0x80;
        asked.nonce = nonce;
        asked.nonce_size = wrong_nonces[_i].size;
        must_reject(&a, &pcrs, 1, &asked, -ESTALE, "quote-nonce");
} END_TEST

START_TEST(quote_without_nonce_is_stale) {
        VtpmPcrValues pcrs = soft_pcrs(VTPM_ALG_SHA256, 1);
        VtpmAttest a = soft_attest(&pcrs, 1, VTPM_ALG_SHA256);
        VtpmQuoteAsked asked = soft_asked(&pcrs, 1);

        a.extra_size = 0;
        must_reject(&a, &pcrs, 1, &asked, -ESTALE, "quote-nonce");
} END_TEST

START_TEST(no_question_is_no_question) {
        VtpmPcrValues pcrs = soft_pcrs(VTPM_ALG_SHA256, 1);
        VtpmAttest a = soft_attest(&pcrs, 1, VTPM_ALG_SHA256);
        VtpmQuoteAsked asked = soft_asked(&pcrs, 1);

        a.extra_size = 0;
        asked.nonce_size = 0; /* would match */
        must_reject(&a, &pcrs, 1, &asked, -EINVAL, "nonce-size");
        asked.nonce_size = VTPM_NONCE_MAX + 1;
        must_reject(&a, &pcrs, 1, &asked, -EINVAL, "nonce-size");
        asked = soft_asked(&pcrs, 1);
        asked.pcrs.n_banks = 0;
        must_reject(&a, &pcrs, 1, &asked, -EINVAL, "pcr-selection-empty");
        asked.pcrs = (VtpmPcrSelection){ 1, { { VTPM_ALG_SHA256, 0 } } };
        must_reject(&a, &pcrs, 1, &asked, -EINVAL, "pcr-selection-empty");
} END_TEST

/* TPMs sign these without complaint. */
static const VtpmPcrSelection meaningless[] = {
        { .n_banks = 0 },
        { 1, { { VTPM_ALG_SHA256, 0 } } },
        { 2, { { VTPM_ALG_SHA256, 1 }, { VTPM_ALG_SHA256, 1 } } },
        { 2, { { VTPM_ALG_SHA256, 1 }, { 0x0012, 1 } } },
};

START_TEST(meaningless_selection_is_rejected) {
        VtpmPcrValues pcrs[] = { soft_pcrs(VTPM_ALG_SHA256, 1), soft_pcrs(VTPM_ALG_SHA256, 1) };
        VtpmAttest a = soft_attest(pcrs, 1, VTPM_ALG_SHA256);
        VtpmQuoteAsked asked = soft_asked(pcrs, 1);

        a.selection = meaningless[_i];
        must_reject(&a, pcrs, a.selection.n_banks, &asked, -EKEYREJECTED, "quote-selection");
} END_TEST

START_TEST(selection_must_cover_what_was_asked) {
        VtpmPcrValues pcrs = soft_pcrs(VTPM_ALG_SHA256, 0x80), sha1 = soft_pcrs(VTPM_ALG_SHA1, 0xff);
        VtpmAttest a = soft_attest(&pcrs, 1, VTPM_ALG_SHA256), weak = soft_attest(&sha1, 1, VTPM_ALG_SHA256);
        VtpmQuoteAsked asked = { .nonce = soft_nonce, .nonce_size = SOFT_NONCE_SIZE,
                                 .pcrs = { 1, { { VTPM_ALG_SHA256, 0x90 } } } };
        Error e = {};
        VtpmVerdict v;

        ck_assert_int_eq(judge(&a, &pcrs, 1, &asked, &v, &e), -EKEYREJECTED);
        ck_assert_ptr_nonnull(strstr(e.text, "PCR 4 of bank sha256"));
        must_reject(&a, &pcrs, 1, &asked, -EKEYREJECTED, "quote-selection");
        must_reject(&weak, &sha1, 1, &asked, -EKEYREJECTED, "quote-selection"); /* right PCRs, other bank */
        asked.pcrs = (VtpmPcrSelection){ 2, { { VTPM_ALG_SHA256, 0x80 }, { VTPM_ALG_SHA384, 0x80 } } };
        must_reject(&a, &pcrs, 1, &asked, -EKEYREJECTED, "quote-selection");
} END_TEST

START_TEST(values_must_be_exactly_the_quoted_ones) {
        VtpmPcrValues pcrs[] = { soft_pcrs(VTPM_ALG_SHA256, 0x0f), soft_pcrs(VTPM_ALG_SHA384, 0x0f) };
        VtpmAttest a = soft_attest(pcrs, 1, VTPM_ALG_SHA256), both = soft_attest(pcrs, 2, VTPM_ALG_SHA256);
        VtpmQuoteAsked asked = soft_asked(pcrs, 1);
        VtpmPcrValues twice[] = { pcrs[0], pcrs[0] };

        must_reject(&a, pcrs, 2, &asked, -EKEYREJECTED, "quote-pcr-values"); /* a bank nobody signed */
        must_reject(&a, NULL, 0, &asked, -EKEYREJECTED, "quote-pcr-values");
        must_reject(&both, pcrs, 1, &asked, -EKEYREJECTED, "quote-pcr-values");
        must_reject(&both, twice, 2, &asked, -EKEYREJECTED, "pcr-value-missing");
        pcrs[0].mask = 0x1f; /* a PCR nobody signed */
        must_reject(&a, pcrs, 1, &asked, -EKEYREJECTED, "quote-pcr-values");
        pcrs[0].mask = 0x07;
        must_reject(&a, pcrs, 1, &asked, -EKEYREJECTED, "quote-pcr-values");
} END_TEST

START_TEST(other_values_are_rejected) {
        VtpmPcrValues pcrs = soft_pcrs(VTPM_ALG_SHA256, VTPM_PCR_MASK_ALL);
        VtpmAttest a = soft_attest(&pcrs, 1, VTPM_ALG_SHA256);
        VtpmQuoteAsked asked = soft_asked(&pcrs, 1);

        for (unsigned i = 0; i < VTPM_N_PCRS; i++) {
                pcrs.values[i][31] ^= 1;
                must_reject(&a, &pcrs, 1, &asked, -EKEYREJECTED, "quote-pcr-digest");
                pcrs.values[i][31] ^= 1;
        }
} END_TEST

START_TEST(digest_of_another_hash_or_length_is_rejected) {
        VtpmPcrValues pcrs = soft_pcrs(VTPM_ALG_SHA384, 1);
        VtpmAttest a = soft_attest(&pcrs, 1, VTPM_ALG_SHA384); /* the bank's hash; the key's is SHA-256 */
        VtpmQuoteAsked asked = soft_asked(&pcrs, 1);

        must_reject(&a, &pcrs, 1, &asked, -EKEYREJECTED, "quote-pcr-digest");
        a = soft_attest(&pcrs, 1, VTPM_ALG_SHA256);
        a.pcr_digest_size = 31;
        must_reject(&a, &pcrs, 1, &asked, -EKEYREJECTED, "quote-pcr-digest");
        a.pcr_digest_size = 0;
        must_reject(&a, &pcrs, 1, &asked, -EKEYREJECTED, "quote-pcr-digest");
        a.pcr_digest_size = 33;
        must_reject(&a, &pcrs, 1, &asked, -EKEYREJECTED, "quote-pcr-digest");
} END_TEST

START_TEST(other_attestations_are_rejected) {
        VtpmPcrValues pcrs = soft_pcrs(VTPM_ALG_SHA256, 1);
        VtpmAttest a = soft_attest(&pcrs, 1, VTPM_ALG_SHA256);
        VtpmQuoteAsked asked = soft_asked(&pcrs, 1);
        AUTO_BLOB Blob bytes = soft_attest_bytes(&a), sig = {};
        VtpmVerdict v;
        Error e = {};

        store_be16(bytes.data + 4, 0x8017); /* certify */
        sig = soft_sign(&soft, bytes.data, bytes.size);
        ck_assert_int_eq(judge_bytes(&bytes, &sig, &pcrs, 1, &asked, &v, &e), -EPROTO);
        ck_assert_str_eq(e.reason, "attest-not-a-quote");
        ck_assert_int_eq(v.checks[VTPM_CHECK_FORM], VTPM_CHECK_FAILED);
        ck_assert_int_eq(v.checks[VTPM_CHECK_NONCE], VTPM_CHECK_NOT_DONE);
} END_TEST

START_TEST(bytes_signed_for_somebody_else_are_rejected) {
        VtpmPcrValues pcrs = soft_pcrs(VTPM_ALG_SHA256, 1);
        VtpmAttest a = soft_attest(&pcrs, 1, VTPM_ALG_SHA256);
        VtpmQuoteAsked asked = soft_asked(&pcrs, 1);
        AUTO_BLOB Blob bytes = soft_attest_bytes(&a), sig = {};
        VtpmVerdict v;
        Error e = {};

        bytes.data[0] = 0; /* an unrestricted use of the key: TPMs refuse to sign what begins like an attest */
        sig = soft_sign(&soft, bytes.data, bytes.size);
        ck_assert_int_eq(judge_bytes(&bytes, &sig, &pcrs, 1, &asked, &v, &e), -EBADMSG);
        ck_assert_str_eq(e.reason, "attest-magic");
} END_TEST

START_TEST(sha1_signature_is_rejected) {
        VtpmPcrValues pcrs = soft_pcrs(VTPM_ALG_SHA256, 1);
        VtpmAttest a = soft_attest(&pcrs, 1, VTPM_ALG_SHA256);
        VtpmQuoteAsked asked = soft_asked(&pcrs, 1);
        SoftAk weak = soft;
        AUTO_BLOB Blob bytes = soft_attest_bytes(&a), sig = {};
        VtpmVerdict v;
        Error e = {};

        weak.pub.scheme_hash = VTPM_ALG_SHA1;
        sig = soft_sign(&weak, bytes.data, bytes.size);
        ck_assert_int_eq(judge_bytes(&bytes, &sig, &pcrs, 1, &asked, &v, &e), -EKEYREJECTED);
        ck_assert_str_eq(e.reason, "signature-weak-hash");
} END_TEST

START_TEST(all_checks_are_made_and_the_first_failure_is_told) {
        VtpmPcrValues pcrs = soft_pcrs(VTPM_ALG_SHA256, 1);
        VtpmAttest a = soft_attest(&pcrs, 1, VTPM_ALG_SHA256);
        VtpmQuoteAsked asked = soft_asked(&pcrs, 1);
        AUTO_BLOB Blob bytes = soft_attest_bytes(&a), sig = soft_sign(&soft, "something else", 14);
        VtpmVerdict v;
        Error e = {};

        asked.nonce_size--;
        pcrs.values[0][0] ^= 1;
        ck_assert_int_eq(judge_bytes(&bytes, &sig, &pcrs, 1, &asked, &v, &e), -EKEYREJECTED);
        ck_assert_str_eq(e.reason, "quote-signature");
        ck_assert_int_eq(v.checks[VTPM_CHECK_FORM], VTPM_CHECK_OK);
        ck_assert_int_eq(v.checks[VTPM_CHECK_SIGNATURE], VTPM_CHECK_FAILED);
        ck_assert_int_eq(v.checks[VTPM_CHECK_NONCE], VTPM_CHECK_FAILED);
        ck_assert_int_eq(v.checks[VTPM_CHECK_SELECTION], VTPM_CHECK_OK);
        ck_assert_int_eq(v.checks[VTPM_CHECK_PCRS], VTPM_CHECK_FAILED);
} END_TEST

START_TEST(every_truncation_and_bit_flip_is_rejected) {
        VtpmPcrValues pcrs = soft_pcrs(VTPM_ALG_SHA256, VTPM_PCR_MASK_ALL);
        VtpmAttest a = soft_attest(&pcrs, 1, VTPM_ALG_SHA256);
        VtpmQuoteAsked asked = soft_asked(&pcrs, 1);
        AUTO_BLOB Blob bytes = soft_attest_bytes(&a), sig = soft_sign(&soft, bytes.data, bytes.size);
        Blob *parts[] = { &bytes, &sig };
        VtpmVerdict v;

        for (size_t p = 0; p < N_ELEMENTS(parts); p++) {
                size_t size = parts[p]->size;

                for (size_t n = 0; n < size; n++) {
                        parts[p]->size = n;
                        ck_assert_int_lt(judge_bytes(&bytes, &sig, &pcrs, 1, &asked, &v, NULL), 0);
                }
                parts[p]->size = size;
                for (size_t bit = 0; bit < 8 * size; bit++) {
                        parts[p]->data[bit / 8] ^= (uint8_t) (1u << bit % 8);
                        ck_assert_msg(judge_bytes(&bytes, &sig, &pcrs, 1, &asked, &v, NULL) < 0, "part %zu bit %zu", p,
                                      bit);
                        parts[p]->data[bit / 8] ^= (uint8_t) (1u << bit % 8);
                }
        }
        ck_assert_int_eq(judge_bytes(&bytes, &sig, &pcrs, 1, &asked, &v, NULL), 0);
} END_TEST

START_TEST(checks_and_results_have_names) {
        for (int i = 0; i < VTPM_N_CHECKS; i++)
                ck_assert_str_ne(vtpm_check_name((VtpmCheck) i), "?");
        ck_assert_str_eq(vtpm_check_name(VTPM_CHECK_PCRS), "pcrs");
        ck_assert_str_eq(vtpm_check_name(VTPM_N_CHECKS), "?");
        ck_assert_str_eq(vtpm_check_result_name(VTPM_CHECK_OK), "ok");
        ck_assert_str_eq(vtpm_check_result_name(VTPM_CHECK_FAILED), "failed");
        ck_assert_str_eq(vtpm_check_result_name(VTPM_CHECK_NOT_DONE), "not-done");
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("verify");
        TCase *tc = tcase_create("verify");

        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_add_test(tc, zero_initialised_verdict_rejects);
        tcase_add_test(tc, good_quote_is_accepted_and_tells_all);
        tcase_add_test(tc, unsafe_clock_is_told_and_not_judged);
        tcase_add_test(tc, several_banks_are_accepted);
        tcase_add_loop_test(tc, another_nonce_is_stale, 0, N_ELEMENTS(wrong_nonces));
        tcase_add_test(tc, quote_without_nonce_is_stale);
        tcase_add_test(tc, no_question_is_no_question);
        tcase_add_loop_test(tc, meaningless_selection_is_rejected, 0, N_ELEMENTS(meaningless));
        tcase_add_test(tc, selection_must_cover_what_was_asked);
        tcase_add_test(tc, values_must_be_exactly_the_quoted_ones);
        tcase_add_test(tc, other_values_are_rejected);
        tcase_add_test(tc, digest_of_another_hash_or_length_is_rejected);
        tcase_add_test(tc, other_attestations_are_rejected);
        tcase_add_test(tc, bytes_signed_for_somebody_else_are_rejected);
        tcase_add_test(tc, sha1_signature_is_rejected);
        tcase_add_test(tc, all_checks_are_made_and_the_first_failure_is_told);
        tcase_add_test(tc, every_truncation_and_bit_flip_is_rejected);
        tcase_add_test(tc, checks_and_results_have_names);
        suite_add_tcase(s, tc);
        return s;
}

int main(void) {
        return unit_run(suite());
}
