/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/unit.h"

/* RFC 4648, section 10. */
static const struct {
        const char *plain, *std, *url;
} golden[] = {
        { "", "", "" },
        { "f", "Zg==", "Zg" },
        { "fo", "Zm8=", "Zm8" },
        { "foo", "Zm9v", "Zm9v" },
        { "foob", "Zm9vYg==", "Zm9vYg" },
        { "fooba", "Zm9vYmE=", "Zm9vYmE" },
        { "foobar", "Zm9vYmFy", "Zm9vYmFy" },
        { "\xfb\xff\xfe", "+//+", "-__-" },
};

START_TEST(golden_texts_encode_and_decode) {
        size_t n = strlen(golden[_i].plain);
        AUTO_FREE char *std = base64_encode(BASE64_STD, golden[_i].plain, n);
        AUTO_FREE char *url = base64_encode(BASE64_URL, golden[_i].plain, n);
        AUTO_BLOB Blob a = {}, b = {};

        ck_assert_str_eq(std, golden[_i].std);
        ck_assert_str_eq(url, golden[_i].url);
        ck_assert_int_eq(base64_decode(BASE64_STD, std, strlen(std), n, &a), 0);
        ck_assert_int_eq(base64_decode(BASE64_URL, url, strlen(url), n, &b), 0);
        ck_assert_uint_eq(a.size, n);
        ck_assert(blob_equal(&a, &b) && (n == 0 || memcmp(a.data, golden[_i].plain, n) == 0));
}
END_TEST

static const struct {
        const char *why;
        Base64Variant variant;
        const char *text;
} bad[] = {
        { "padding missing", BASE64_STD, "Zg" },
        { "padding short", BASE64_STD, "Zg=" },
        { "padding long", BASE64_STD, "Zg===" },
        { "padding only", BASE64_STD, "====" },
        { "padding not allowed", BASE64_URL, "Zg==" },
        { "one digit left over", BASE64_URL, "Zm9vY" },
        { "url digit in std", BASE64_STD, "-__-" },
        { "std digit in url", BASE64_URL, "+//+" },
        { "unused bits set, 2 digits", BASE64_STD, "Zh==" },
        { "unused bits set, 3 digits", BASE64_STD, "Zm9=" },
        { "white space", BASE64_STD, "Zm9v\nZm9v" },
        { "inner padding", BASE64_STD, "Zg==Zm9v" },
        { "high byte", BASE64_URL, "Zm9\xc3" },
};

START_TEST(malformed_text_is_refused) {
        AUTO_BLOB Blob b = {};
        int r = base64_decode(bad[_i].variant, bad[_i].text, strlen(bad[_i].text), 64, &b);

        ck_assert_msg(r == -EBADMSG, "%s: got %d", bad[_i].why, r);
        ck_assert_ptr_null(b.data);
}
END_TEST

START_TEST(every_byte_value_outside_the_alphabet_is_refused) {
        static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

        for (int c = 0; c < 256; c++) {
                char text[4] = { 'A', (char) c, 'A', 'A' };
                uint8_t out[3];
                size_t n;
                int want = c != 0 && strchr(alphabet, c) ? 0 : -EBADMSG;

                ck_assert_int_eq(base64_decode_to(BASE64_URL, text, 4, out, sizeof(out), &n), want);
        }
}
END_TEST

START_TEST(all_lengths_round_trip) {
        uint8_t data[70];

        for (size_t n = 0; n < sizeof(data); n++) {
                AUTO_FREE char *text = NULL;
                AUTO_BLOB Blob b = {};

                data[n] = (uint8_t) (n * 37 + 200);
                text = base64_encode(BASE64_URL_PADDED, data, n);
                ck_assert_int_eq(base64_decode(BASE64_URL_PADDED, text, strlen(text), n, &b), 0);
                ck_assert(b.size == n && (n == 0 || memcmp(b.data, data, n) == 0));
                if (n > 0) {
                        AUTO_BLOB Blob small = {};
                        ck_assert_int_eq(base64_decode(BASE64_URL_PADDED, text, strlen(text), n - 1, &small), -E2BIG);
                }
        }
}
END_TEST

int main(void) {
        Suite *suite = suite_create("base64");
        TCase *tc = tcase_create("base64");

        tcase_add_loop_test(tc, golden_texts_encode_and_decode, 0, (int) N_ELEMENTS(golden));
        tcase_add_loop_test(tc, malformed_text_is_refused, 0, (int) N_ELEMENTS(bad));
        tcase_add_test(tc, every_byte_value_outside_the_alphabet_is_refused);
        tcase_add_test(tc, all_lengths_round_trip);
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
