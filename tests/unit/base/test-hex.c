/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hex.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/unit.h"

static const struct {
        const char *why, *text;
        size_t max;
        int want;
} rows[] = {
        { "empty", "", 0, 0 },
        { "both cases", "00fFAb", 3, 0 },
        { "odd", "0", 9, -EBADMSG },
        { "not a digit", "0g", 9, -EBADMSG },
        { "prefix", "0x00", 9, -EBADMSG },
        { "space", "00 00 ", 9, -EBADMSG },
        { "too long", "000000", 2, -E2BIG },
};

START_TEST(decoding_is_strict) {
        AUTO_BLOB Blob b = {};
        int r = hex_decode(rows[_i].text, strlen(rows[_i].text), rows[_i].max, &b);

        ck_assert_msg(r == rows[_i].want, "%s: got %d", rows[_i].why, r);
}
END_TEST

START_TEST(bytes_round_trip) {
        uint8_t data[256], back[256];
        AUTO_FREE char *text = NULL;

        for (int i = 0; i < 256; i++)
                data[i] = (uint8_t) i;
        text = hex_encode(data, sizeof(data));
        ck_assert_uint_eq(strlen(text), 512);
        ck_assert_int_eq(strncmp(text, "000102", 6), 0);
        ck_assert_int_eq(hex_decode_exact(text, 512, back, sizeof(back)), 0);
        ck_assert_mem_eq(data, back, sizeof(data));
        ck_assert_int_eq(hex_decode_exact(text, 512, back, 255), -EBADMSG);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("hex");
        TCase *tc = tcase_create("hex");

        tcase_add_loop_test(tc, decoding_is_strict, 0, (int) N_ELEMENTS(rows));
        tcase_add_test(tc, bytes_round_trip);
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
