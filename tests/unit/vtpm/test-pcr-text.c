/* SPDX-License-Identifier: Apache-2.0 */

/* Selections and digests as people write them. */

#include <errno.h>
#include <string.h>

#include "tests/unit/unit.h"
#include "vtpm/pcr-text.h"

static const struct {
        const char *text;
        size_t n;
        VtpmPcrBank banks[4];
        const char *again; /* NULL: as @text */
} good[] = {
        { "sha256:0", 1, { { VTPM_ALG_SHA256, 1 } }, NULL },
        { "sha256:0,1,7", 1, { { VTPM_ALG_SHA256, 0x83 } }, NULL },
        { "sha256:7,1,0", 1, { { VTPM_ALG_SHA256, 0x83 } }, "sha256:0,1,7" },
        { "sha1:23", 1, { { VTPM_ALG_SHA1, 1u << 23 } }, NULL },
        { "sha384:all", 1, { { VTPM_ALG_SHA384, VTPM_PCR_MASK_ALL } }, NULL },
        { "sha512:all+sha1:all+sha256:4+sha384:9,10", 4,
          { { VTPM_ALG_SHA512, VTPM_PCR_MASK_ALL }, { VTPM_ALG_SHA1, VTPM_PCR_MASK_ALL }, { VTPM_ALG_SHA256, 0x10 },
            { VTPM_ALG_SHA384, 0x600 } }, NULL },
        { "sha256:0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23", 1,
          { { VTPM_ALG_SHA256, VTPM_PCR_MASK_ALL } }, "sha256:all" },
};

START_TEST(selection_is_read_and_written) {
        char text[VTPM_PCR_TEXT_MAX];
        VtpmPcrSelection s;
        Error e = {};

        ck_assert_msg(vtpm_pcr_selection_parse(good[_i].text, &s, &e) == 0, "%s", e.text);
        ck_assert_uint_eq(s.n_banks, good[_i].n);
        for (size_t i = 0; i < s.n_banks; i++) {
                ck_assert_uint_eq(s.banks[i].hash, good[_i].banks[i].hash);
                ck_assert_uint_eq(s.banks[i].mask, good[_i].banks[i].mask);
        }
        vtpm_pcr_selection_text(&s, text, sizeof(text));
        ck_assert_str_eq(text, good[_i].again ? good[_i].again : good[_i].text);
} END_TEST

static const struct { const char *text, *reason; } bad[] = {
        { "", "pcr-selection" },
        { "sha256", "pcr-selection" },
        { "sha256:", "pcr-selection" },
        { ":0", "pcr-selection" },
        { "sha256:0,", "pcr-selection" },
        { "sha256:,0", "pcr-selection" },
        { "sha256:0+", "pcr-selection" },
        { "+sha256:0", "tpm-hash-name" },
        { "sha256:24", "pcr-selection" },
        { "sha256:-1", "pcr-selection" },
        { "sha256:+1", "pcr-selection" },
        { "sha256: 1", "pcr-selection" },
        { "sha256:0x1", "pcr-selection" },
        { "sha256:0,0", "pcr-selection" },
        { "sha256:all,0", "pcr-selection" },
        { "sha256:0,all", "pcr-selection" },
        { "sha256:0:1", "pcr-selection" },
        { "sha256:99999999999999999999", "pcr-selection" },
        { "sm3_256:0", "tpm-hash-name" },
        { "SHA256:0", "tpm-hash-name" },
        { "sha256:0+sha256:1", "pcr-selection" },
        { "sha1:0+sha256:0+sha384:0+sha512:0+sha1:1", "pcr-selection" },
};

START_TEST(what_is_no_selection_is_refused) {
        VtpmPcrSelection s = { .n_banks = 77 };
        Error e = {};

        ck_assert_msg(vtpm_pcr_selection_parse(bad[_i].text, &s, &e) == -EINVAL, "'%s'", bad[_i].text);
        ck_assert_str_eq(e.reason, bad[_i].reason);
        ck_assert_uint_eq(s.n_banks, 77);
} END_TEST

START_TEST(text_is_cut_where_the_room_ends) {
        const VtpmPcrSelection s = { 2, { { VTPM_ALG_SHA256, 0x83 }, { 0x0012, 1 } } };
        static const char whole[] = "sha256:0,1,7+0x0012:0";
        char text[sizeof(whole) + 1];

        for (size_t size = 1; size <= sizeof(whole); size++) {
                (void) memset(text, '#', sizeof(text));
                vtpm_pcr_selection_text(&s, text, size);
                ck_assert_uint_eq(strlen(text), size - 1);
                ck_assert_int_eq(strncmp(text, whole, size - 1), 0);
                ck_assert_int_eq(text[size], '#');
        }
} END_TEST

START_TEST(digest_has_the_size_of_its_bank) {
        VtpmPcrDigest d;
        Error e = {};

        ck_assert_int_eq(vtpm_pcr_digest_parse("sha1:00112233445566778899aabbccddeeff00112233", &d, NULL), 0);
        ck_assert_uint_eq(d.hash, VTPM_ALG_SHA1);
        ck_assert_uint_eq(d.bytes[19], 0x33);
        ck_assert_int_eq(vtpm_pcr_digest_parse("sha1:00112233445566778899aabbccddeeff0011223", &d, &e), -EINVAL);
        ck_assert_str_eq(e.reason, "pcr-digest");
        ck_assert_int_eq(vtpm_pcr_digest_parse("sha1:00112233445566778899aabbccddeeff001122334", &d, NULL), -EINVAL);
        ck_assert_int_eq(vtpm_pcr_digest_parse("sha1:0x112233445566778899aabbccddeeff00112233", &d, NULL), -EINVAL);
        ck_assert_int_eq(vtpm_pcr_digest_parse("sha256:00112233445566778899aabbccddeeff00112233", &d, NULL), -EINVAL);
        ck_assert_int_eq(vtpm_pcr_digest_parse("00112233445566778899aabbccddeeff00112233", &d, NULL), -EINVAL);
        ck_assert_int_eq(vtpm_pcr_digest_parse("md5:00112233445566778899aabbccddeeff", &d, NULL), -EINVAL);
        ck_assert_int_eq(vtpm_pcr_digest_parse("", &d, NULL), -EINVAL);
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("pcr-text");
        TCase *tc = tcase_create("text");

        tcase_add_loop_test(tc, selection_is_read_and_written, 0, N_ELEMENTS(good));
        tcase_add_loop_test(tc, what_is_no_selection_is_refused, 0, N_ELEMENTS(bad));
        tcase_add_test(tc, text_is_cut_where_the_room_ends);
        tcase_add_test(tc, digest_has_the_size_of_its_bank);
        suite_add_tcase(s, tc);
        return s;
}

int main(void) {
        return unit_run(suite());
}
