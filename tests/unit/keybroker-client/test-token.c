/* SPDX-License-Identifier: Apache-2.0 */
#include "keybroker-client/token.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/deadline.h"
#include "tests/unit/unit.h"

static char *token_of(const char *payload) {
        AUTO_FREE char *part = base64_encode(BASE64_URL, payload, strlen(payload));
        char *jwt = NULL;

        ck_assert_int_gt(asprintf(&jwt, "eyJhbGciOiJFUzI1NiJ9.%s.c2ln", part), 0);
        return jwt;
}

static const struct {
        const char *why, *payload;
        int want;
        uint64_t sec;
} payloads[] = {
        { "five minutes", "{\"iat\":1700000000,\"exp\":1700000300,\"submods\":{\"cpu0\":{}}}", 0, 300 },
        { "by a clock that stands at zero", "{\"iat\":0,\"exp\":60}", 0, 60 },
        { "one second", "{\"iat\":5,\"exp\":6}", 0, 1 },
        { "a year is cut", "{\"iat\":1,\"exp\":31536001}", 0, KBC_TOKEN_LIFETIME_MAX_SEC },
        { "as far as it goes", "{\"iat\":0,\"exp\":9223372036854775807}", 0, KBC_TOKEN_LIFETIME_MAX_SEC },
        { "no expiry", "{\"iat\":1700000000}", 0, KBC_TOKEN_LIFETIME_DEFAULT_SEC },
        { "no time left", "{\"iat\":6,\"exp\":6}", -EBADMSG, 0 },
        { "backwards", "{\"iat\":7,\"exp\":6}", -EBADMSG, 0 },
        { "expiry without issue", "{\"exp\":6}", -EBADMSG, 0 },
        { "text instead of numbers", "{\"iat\":1,\"exp\":\"300\"}", -EBADMSG, 0 },
        { "negative", "{\"iat\":-1,\"exp\":300}", -EBADMSG, 0 },
        { "beyond int64", "{\"iat\":0,\"exp\":9223372036854775808}", -EBADMSG, 0 },
        { "a fraction", "{\"iat\":0,\"exp\":1.5}", -EBADMSG, 0 },
        { "two answers", "{\"iat\":0,\"exp\":1,\"exp\":2}", -EBADMSG, 0 },
        { "a list", "[1]", -EBADMSG, 0 },
        { "null", "null", -EBADMSG, 0 },
        { "no JSON", "hello", -EBADMSG, 0 },
};

START_TEST(lifetime_is_expiry_less_issue) {
        AUTO_FREE char *jwt = token_of(payloads[_i].payload);
        uint64_t usec = 99;
        Error e = {};
        int r = kbc_token_lifetime(jwt, strlen(jwt), &usec, &e);

        ck_assert_msg(r == payloads[_i].want, "%s: %d %s", payloads[_i].why, r, e.text);
        ck_assert_uint_eq(usec, r == 0 ? payloads[_i].sec * USEC_PER_SEC : 99);
}
END_TEST

static const char *const shapes[] = {
        "", ".", "..", "...", "e30", "e30.e30", ".e30.e30", "e30..e30", "e30.e30.", "e30.e30.e30.e30",
        "e30.e30=.e30", "e30.e3/.e30", "e30. e30.e30", "e30.e30\n.e30",
};

START_TEST(token_has_three_parts_of_base64url) {
        uint64_t usec;

        ck_assert_int_eq(kbc_token_lifetime(shapes[_i], strlen(shapes[_i]), &usec, NULL), -EBADMSG);
}
END_TEST

START_TEST(every_truncation_is_refused) {
        AUTO_FREE char *jwt = token_of("{\"iat\":1700000000,\"exp\":1700000300}");
        size_t len = strlen(jwt), signature = 4;
        uint64_t usec;

        for (size_t n = 0; n <= len - signature; n++) {
                AUTO_FREE char *copy = malloc(n + 1);

                (void) memcpy(copy, jwt, n);
                ck_assert_int_eq(kbc_token_lifetime(copy, n, &usec, NULL), -EBADMSG);
        }
        ck_assert_int_eq(kbc_token_lifetime(jwt, len, &usec, NULL), 0);
}
END_TEST

START_TEST(token_has_a_limit) {
        AUTO_FREE char *big = calloc(1, KBC_TOKEN_MAX + 1);
        uint64_t usec;

        (void) memset(big, 'a', KBC_TOKEN_MAX + 1);
        ck_assert_int_eq(kbc_token_lifetime(big, KBC_TOKEN_MAX + 1, &usec, NULL), -EBADMSG);
}
END_TEST

int main(void) {
        Suite *s = suite_create("keybroker-client");
        TCase *t = tcase_create("token");

        tcase_add_loop_test(t, lifetime_is_expiry_less_issue, 0, N_ELEMENTS(payloads));
        tcase_add_loop_test(t, token_has_three_parts_of_base64url, 0, N_ELEMENTS(shapes));
        tcase_add_test(t, every_truncation_is_refused);
        tcase_add_test(t, token_has_a_limit);
        suite_add_tcase(s, t);
        return unit_run(s);
}
