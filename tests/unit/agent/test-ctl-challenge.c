/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snpctl/challenge.h"

#include <string.h>

#include "agent/snpctl/exit.h"
#include "base/hex.h"
#include "tests/unit/unit.h"

static const struct {
        const char *data, *nonce;
        uint8_t want[3];
} good[] = {
        { "00", NULL, { 0 } },
        { "a1B2c3", NULL, { 0xa1, 0xb2, 0xc3 } },
        { NULL, "_-8", { 0xff, 0xef } },
        { NULL, "AA", { 0 } },
};

START_TEST(short_data_has_zeros_put_behind) {
        uint8_t got[SNP_REPORT_DATA_SIZE];
        Error e = {};

        (void) memset(got, 0x55, sizeof(got));
        ck_assert_msg(ctl_challenge_parse(good[_i].data, good[_i].nonce, got, &e) == 0, "%s", e.text);
        ck_assert_mem_eq(got, good[_i].want, sizeof(good[_i].want));
        for (size_t i = sizeof(good[_i].want); i < sizeof(got); i++)
                ck_assert_uint_eq(got[i], 0);
}
END_TEST

START_TEST(sixty_four_bytes_fit_and_sixty_five_do_not) {
        uint8_t bytes[65], got[SNP_REPORT_DATA_SIZE];
        AUTO_FREE char *fits = NULL, *longer = NULL;

        (void) memset(bytes, 0xab, sizeof(bytes));
        fits = hex_encode(bytes, 64);
        longer = hex_encode(bytes, 65);
        ck_assert_int_eq(ctl_challenge_parse(fits, NULL, got, NULL), 0);
        ck_assert_mem_eq(got, bytes, 64);
        ck_assert_int_lt(ctl_challenge_parse(longer, NULL, got, NULL), 0);
}
END_TEST

static const struct {
        const char *why, *data, *nonce;
} bad[] = {
        { "both", "00", "AA" },         { "empty data", "", NULL },     { "empty nonce", NULL, "" },
        { "odd", "abc", NULL },         { "not hex", "0g", NULL },      { "0x", "0x00", NULL },
        { "padding", NULL, "AAA=" },    { "other alphabet", NULL, "+/8" }, { "spare bits", NULL, "AB" },
        { "hex by mistake", NULL, "00112233445566778899aabbccddeeff" },
};

START_TEST(malformed_data_is_a_usage_error) {
        uint8_t got[SNP_REPORT_DATA_SIZE];
        Error e = {};
        int r = ctl_challenge_parse(bad[_i].data, bad[_i].nonce, got, &e);

        ck_assert_msg(r < 0, "%s", bad[_i].why);
        ck_assert_int_eq(ctl_exit_of(r, &e), CTL_EXIT_USAGE);
}
END_TEST

int main(void) {
        Suite *s = suite_create("ctl-challenge");
        TCase *c = tcase_create("challenge");

        tcase_add_loop_test(c, short_data_has_zeros_put_behind, 0, (int) N_ELEMENTS(good));
        tcase_add_test(c, sixty_four_bytes_fit_and_sixty_five_do_not);
        tcase_add_loop_test(c, malformed_data_is_a_usage_error, 0, (int) N_ELEMENTS(bad));
        suite_add_tcase(s, c);
        return unit_run(s);
}
