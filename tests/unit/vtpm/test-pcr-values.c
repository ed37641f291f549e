/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include <openssl/sha.h>

#include "tests/unit/unit.h"
#include "tests/unit/vtpm/soft.h"
#include "vtpm/pcr_values.h"

START_TEST(digest_takes_banks_in_list_order_and_pcrs_ascending) {
        VtpmPcrValues values[] = {
                soft_pcrs(VTPM_ALG_SHA384, 1u << 11), soft_pcrs(VTPM_ALG_SHA256, 1u << 7 | 1u << 4),
        };
        VtpmPcrSelection selection = {
                .n_banks = 2,
                .banks = { { VTPM_ALG_SHA256, 1u << 4 | 1u << 7 }, { VTPM_ALG_SHA384, 1u << 11 } },
        };
        uint8_t bytes[32 + 32 + 48], want[32], got[VTPM_DIGEST_MAX];

        (void) memset(bytes, 4, 32);
        (void) memset(bytes + 32, 7, 32);
        (void) memset(bytes + 64, 11, 48);
        (void) SHA256(bytes, sizeof(bytes), want);
        ck_assert_int_eq(vtpm_pcr_digest(&selection, values, 2, VTPM_ALG_SHA256, got, NULL), 0);
        ck_assert_mem_eq(got, want, 32);
} END_TEST

START_TEST(digest_uses_the_signing_hash_and_not_the_banks) {
        VtpmPcrValues values = soft_pcrs(VTPM_ALG_SHA256, 1u << 4);
        VtpmPcrSelection selection = soft_asked(&values, 1).pcrs;
        uint8_t want[64], got[VTPM_DIGEST_MAX];

        (void) SHA512(values.values[4], 32, want);
        ck_assert_int_eq(vtpm_pcr_digest(&selection, &values, 1, VTPM_ALG_SHA512, got, NULL), 0);
        ck_assert_mem_eq(got, want, 64);
} END_TEST

START_TEST(digest_needs_all_selected_values) {
        VtpmPcrValues values = soft_pcrs(VTPM_ALG_SHA256, 0x0f);
        VtpmPcrSelection selection = soft_asked(&values, 1).pcrs;
        uint8_t got[VTPM_DIGEST_MAX];

        selection.banks[0].mask = 0x1f;
        ck_assert_int_eq(vtpm_pcr_digest(&selection, &values, 1, VTPM_ALG_SHA256, got, NULL), -ENOENT);
        selection.banks[0] = (VtpmPcrBank){ VTPM_ALG_SHA384, 0x0f };
        ck_assert_int_eq(vtpm_pcr_digest(&selection, &values, 1, VTPM_ALG_SHA256, got, NULL), -ENOENT);
        ck_assert_int_eq(vtpm_pcr_digest(&selection, NULL, 0, VTPM_ALG_SHA256, got, NULL), -ENOENT);
} END_TEST

START_TEST(digest_refuses_unknown_hash) {
        VtpmPcrValues values = soft_pcrs(VTPM_ALG_SHA256, 1);
        VtpmPcrSelection selection = soft_asked(&values, 1).pcrs;
        uint8_t got[VTPM_DIGEST_MAX];

        ck_assert_int_eq(vtpm_pcr_digest(&selection, &values, 1, 0x0012, got, NULL), -EOPNOTSUPP);
} END_TEST

static const struct {
        const char *why;
        VtpmPcrSelection selection;
        const char *reason;
} bad[] = {
        { "no bank", { .n_banks = 0 }, "pcr-selection-empty" },
        { "bank without PCRs", { 1, { { VTPM_ALG_SHA256, 0 } } }, "pcr-selection-empty" },
        { "second bank without PCRs", { 2, { { VTPM_ALG_SHA256, 1 }, { VTPM_ALG_SHA384, 0 } } },
          "pcr-selection-empty" },
        { "PCR 24", { 1, { { VTPM_ALG_SHA256, 1u << 24 } } }, "pcr-selection" },
        { "bank twice", { 2, { { VTPM_ALG_SHA256, 1 }, { VTPM_ALG_SHA256, 2 } } }, "pcr-selection" },
        { "unknown bank", { 1, { { 0x0012, 1 } } }, "pcr-selection" },
        { "too many", { .n_banks = VTPM_BANKS_MAX + 1 }, "pcr-selection-empty" },
};

START_TEST(ambiguous_selections_are_refused) {
        uint8_t got[VTPM_DIGEST_MAX];
        Error e = {};

        ck_assert_msg(vtpm_pcr_selection_check(&bad[_i].selection, &e) == -EINVAL, "%s", bad[_i].why);
        ck_assert_str_eq(e.reason, bad[_i].reason);
        ck_assert_int_eq(vtpm_pcr_digest(&bad[_i].selection, NULL, 0, VTPM_ALG_SHA256, got, NULL), -EINVAL);
} END_TEST

START_TEST(pcrs_are_counted) {
        ck_assert_uint_eq(vtpm_pcr_count(0), 0);
        ck_assert_uint_eq(vtpm_pcr_count(VTPM_PCR_MASK_ALL), VTPM_N_PCRS);
        ck_assert_uint_eq(vtpm_pcr_count(0x00810001), 3);
} END_TEST

START_TEST(hashes_have_names_and_sizes) {
        static const char *const names[] = { "sha1", "sha256", "sha384", "sha512" };
        static const size_t sizes[] = { 20, 32, 48, 64 };
        uint16_t hash = 0;

        for (size_t i = 0; i < N_ELEMENTS(names); i++) {
                ck_assert_int_eq(vtpm_hash_from_name(names[i], &hash, NULL), 0);
                ck_assert_uint_eq(vtpm_hash_size(hash), sizes[i]);
                ck_assert_str_eq(vtpm_hash_name(hash), names[i]);
                ck_assert_int_eq(vtpm_hash_is_sound(hash), i != 0);
        }
        ck_assert_int_eq(vtpm_hash_from_name("SHA256", &hash, NULL), -EINVAL);
        ck_assert_int_eq(vtpm_hash_from_name(NULL, &hash, NULL), -EINVAL);
        ck_assert(!vtpm_hash_is_sound(0x0012));
        ck_assert_str_eq(vtpm_hash_name(0x0012), "?");
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("pcr-values");
        TCase *tc = tcase_create("pcr-values");

        tcase_add_test(tc, digest_takes_banks_in_list_order_and_pcrs_ascending);
        tcase_add_test(tc, digest_uses_the_signing_hash_and_not_the_banks);
        tcase_add_test(tc, digest_needs_all_selected_values);
        tcase_add_test(tc, digest_refuses_unknown_hash);
        tcase_add_loop_test(tc, ambiguous_selections_are_refused, 0, N_ELEMENTS(bad));
        tcase_add_test(tc, pcrs_are_counted);
        tcase_add_test(tc, hashes_have_names_and_sizes);
        suite_add_tcase(s, tc);
        return s;
}

int main(void) {
        return unit_run(suite());
}
