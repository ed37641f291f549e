/* SPDX-License-Identifier: Apache-2.0 */
#include "keybroker-client/message.h"

#include <errno.h>
#include <string.h>

#include "base/deadline.h"
#include "tests/unit/unit.h"

static const struct {
        const char *line, *session;
} cookies[] = {
        { "Set-Cookie: kbs-session-id=0123456789abcdef0123456789abcdef; Expires=Thu, 01 Jan 1970 00:00:00 GMT\r\n",
          "0123456789abcdef0123456789abcdef" },
        { "set-cookie:kbs-session-id=a.B_c-9\r\n", "a.B_c-9" },
        { "SET-COOKIE: \t kbs-session-id=x;Secure;HttpOnly  \r\n", "x" },
        { "Set-Cookie: kbs-session-id=x", "x" },
        { "Set-Cookie: kbs-session-id=x ; Path=/\r\n", "" },
        { "Set-Cookie: kbs-session-id=\"x\"\r\n", "" },
        { "Set-Cookie: kbs-session-id=a b\r\n", "" },
        { "Set-Cookie: kbs-session-id=a=b\r\n", "" },
        { "Set-Cookie: kbs-session-id=a,b\r\n", "" },
        { "Set-Cookie: kbs-session-id=a\x01\r\n", "" },
        { "Set-Cookie: kbs-session-id=\xc3\xa4\r\n", "" },
        { "Set-Cookie: kbs-session-id=; Expires=x\r\n", "" },
        { "Set-Cookie: kbs-session-id\r\n", "" },
        { "Set-Cookie: KBS-SESSION-ID=x\r\n", "" },
        { "Set-Cookie: other=x; kbs-session-id=y\r\n", "" },
        { "Set-Cookie2: kbs-session-id=x\r\n", "" },
        { "X-Set-Cookie: kbs-session-id=x\r\n", "" },
        { "Cookie: kbs-session-id=x\r\n", "" },
        { "Set-Cookie kbs-session-id=x\r\n", "" },
        { "\r\n", "" },
        { "", "" },
        { ":", "" },
};

START_TEST(session_is_the_value_of_its_cookie) {
        AUTO_REPLY KbcReply r = {};

        ck_assert_int_eq(kbc_reply_header(&r, cookies[_i].line, strlen(cookies[_i].line)), 0);
        ck_assert_msg(strcmp(r.session, cookies[_i].session) == 0, "'%s': '%s'", cookies[_i].line, r.session);
}
END_TEST

START_TEST(session_has_a_limit) {
        AUTO_REPLY KbcReply r = {};
        char line[512] = "Set-Cookie: kbs-session-id=";
        size_t n = strlen(line);

        (void) memset(line + n, 'a', KBC_SESSION_ID_MAX + 1);
        ck_assert_int_eq(kbc_reply_header(&r, line, n + KBC_SESSION_ID_MAX), 0);
        ck_assert_uint_eq(strlen(r.session), KBC_SESSION_ID_MAX);
        ck_assert_int_eq(kbc_reply_header(&r, line, n + KBC_SESSION_ID_MAX + 1), 0);
        ck_assert_str_eq(r.session, "");
}
END_TEST

START_TEST(last_cookie_counts_and_an_interim_answer_does_not) {
        static const char *const lines[] = {
                "HTTP/1.1 100 Continue\r\n", "Set-Cookie: kbs-session-id=interim\r\n", "Retry-After: 5\r\n", "\r\n",
                "HTTP/1.1 200 OK\r\n",       "Set-Cookie: kbs-session-id=first\r\n",
                "Set-Cookie: kbs-session-id=second\r\n",
        };
        AUTO_REPLY KbcReply r = {};

        for (size_t i = 0; i < N_ELEMENTS(lines); i++) {
                ck_assert_int_eq(kbc_reply_header(&r, lines[i], strlen(lines[i])), 0);
                if (i == 4) {
                        ck_assert_str_eq(r.session, "");
                        ck_assert(!r.has_retry_after);
                }
        }
        ck_assert_str_eq(r.session, "second");
}
END_TEST

static const struct {
        const char *line;
        bool has;
        uint64_t sec;
} retries[] = {
        { "Retry-After: 7\r\n", true, 7 },
        { "retry-after:0\r\n", true, 0 },
        { "Retry-After: 300\r\n", true, 300 },
        { "Retry-After: 301\r\n", true, KBC_RETRY_AFTER_MAX_SEC },
        { "Retry-After: 9999999\r\n", true, KBC_RETRY_AFTER_MAX_SEC },
        { "Retry-After: 99999999999999999999\r\n", false, 0 },
        { "Retry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n", false, 0 },
        { "Retry-After: -1\r\n", false, 0 },
        { "Retry-After: 1.5\r\n", false, 0 },
        { "Retry-After:\r\n", false, 0 },
};

START_TEST(retry_after_counts_in_seconds) {
        AUTO_REPLY KbcReply r = {};

        ck_assert_int_eq(kbc_reply_header(&r, retries[_i].line, strlen(retries[_i].line)), 0);
        ck_assert_int_eq(r.has_retry_after, retries[_i].has);
        ck_assert_uint_eq(r.retry_after_usec, retries[_i].sec * USEC_PER_SEC);
}
END_TEST

START_TEST(header_has_a_limit) {
        static const char line[64] = "X: 01234567890123456789012345678901234567890123456789012345\r\n";
        AUTO_REPLY KbcReply r = {};

        for (size_t n = 0; n < KBC_REPLY_HEADER_MAX; n += sizeof(line))
                ck_assert_int_eq(kbc_reply_header(&r, line, sizeof(line)), 0);
        ck_assert_int_eq(kbc_reply_header(&r, line, 1), -E2BIG);
}
END_TEST

START_TEST(body_grows_to_its_limit_and_no_further) {
        AUTO_REPLY KbcReply r = {};
        const size_t max = 1000;

        for (size_t i = 0; i < max; i++) {
                uint8_t c = (uint8_t) i;

                ck_assert_int_eq(kbc_reply_append(&r, &c, 1, max), 0);
        }
        ck_assert_int_eq(kbc_reply_append(&r, "", 0, max), 0);
        ck_assert_int_eq(kbc_reply_append(&r, "x", 1, max), -E2BIG);
        ck_assert_int_eq(kbc_reply_append(&r, "x", SIZE_MAX, max), -E2BIG);
        ck_assert_uint_eq(r.size, max);
        ck_assert_uint_le(r.allocated, max);
        for (size_t i = 0; i < max; i++)
                ck_assert_uint_eq(r.body[i], (uint8_t) i);
}
END_TEST

int main(void) {
        Suite *s = suite_create("keybroker-client");
        TCase *t = tcase_create("message");

        tcase_add_loop_test(t, session_is_the_value_of_its_cookie, 0, N_ELEMENTS(cookies));
        tcase_add_test(t, session_has_a_limit);
        tcase_add_test(t, last_cookie_counts_and_an_interim_answer_does_not);
        tcase_add_loop_test(t, retry_after_counts_in_seconds, 0, N_ELEMENTS(retries));
        tcase_add_test(t, header_has_a_limit);
        tcase_add_test(t, body_grows_to_its_limit_and_no_further);
        suite_add_tcase(s, t);
        return unit_run(s);
}
