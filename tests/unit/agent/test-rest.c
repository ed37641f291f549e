/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "agent/rest-problem.h"
#include "agent/rest-target.h"
#include "base/json.h"
#include "tests/unit/unit.h"

START_TEST(target_is_taken_apart) {
        RestTarget t;
        Error e = {};

        ck_assert_msg(rest_target_parse("/v1/evidence?nonce=AbC-_0&x=%41%2f", &t, &e) == 0, "%s", e.text);
        ck_assert_str_eq(t.path, "/v1/evidence");
        ck_assert_uint_eq(t.n_members, 2);
        ck_assert_str_eq(rest_target_member(&t, "nonce"), "AbC-_0");
        ck_assert_str_eq(rest_target_member(&t, "x"), "A/");
        ck_assert_ptr_null(rest_target_member(&t, "nonc"));
}
END_TEST

static const struct {
        const char *uri;
        int want;
} targets[] = {
        { "/", 0 },
        { "/v1/status", 0 },
        { "/v1/resource/a/b.c/d_e-f", 0 },
        { "/a?x=", 0 },
        { "/a?x=1=2", 0 },
        { "/a?x=a+b", 0 },
        { "/a?a=1&b=2&c=3&d=4", 0 },
        { "", -EBADMSG },
        { "v1/status", -EBADMSG },
        { "*", -EBADMSG },
        { "http://h/v1/status", -EBADMSG },
        { "//v1/status", -EBADMSG },
        { "/v1//status", -EBADMSG },
        { "/v1/status/", -EBADMSG },
        { "/v1/./status", -EBADMSG },
        { "/v1/../status", -EBADMSG },
        { "/v1/..", -EBADMSG },
        { "/v1/%73tatus", -EBADMSG },
        { "/v1/resource/a%2fb/c/d", -EBADMSG },
        { "/v1/sta tus", -EBADMSG },
        { "/v1/status\t", -EBADMSG },
        { "/v1/st\xc3\xa4tus", -EBADMSG },
        { "/v1/status#x", -EBADMSG },
        { "/v1\\status", -EBADMSG },
        { "/a?", -EBADMSG },
        { "/a?x", -EBADMSG },
        { "/a?=1", -EBADMSG },
        { "/a?x=1&", -EBADMSG },
        { "/a?&x=1", -EBADMSG },
        { "/a?x=1&x=2", -EBADMSG },
        { "/a?x=1&%78=2", -EBADMSG },
        { "/a?a=1&b=2&c=3&d=4&e=5", -EBADMSG },
        { "/a?x=%", -EBADMSG },
        { "/a?x=%4", -EBADMSG },
        { "/a?x=%4g", -EBADMSG },
        { "/a?x=%00", -EBADMSG },
        { "/a?x=%0a", -EBADMSG },
        { "/a?x=%7f", -EBADMSG },
        { "/a?x=%ff", -EBADMSG },
        { "/a?x=<y>", -EBADMSG },
};

START_TEST(only_plain_targets_are_accepted) {
        RestTarget t;
        Error e = {};
        int r = rest_target_parse(targets[_i].uri, &t, &e);

        ck_assert_msg(r == targets[_i].want, "'%s': %d %s", targets[_i].uri, r, e.text);
        if (r < 0)
                ck_assert_str_eq(e.reason, "bad-target");
}
END_TEST

START_TEST(target_has_a_limit) {
        char uri[REST_TARGET_MAX + 2] = "/";
        RestTarget t;
        Error e = {};

        (void) memset(uri + 1, 'a', REST_TARGET_MAX - 1);
        ck_assert_int_eq(rest_target_parse(uri, &t, &e), 0);
        uri[REST_TARGET_MAX] = 'a';
        ck_assert_int_eq(rest_target_parse(uri, &t, &e), -E2BIG);
}
END_TEST

START_TEST(every_byte_anywhere_is_survived) {
        static const char uri[] = "/v1/evidence?nonce=%41b";
        RestTarget t;

        for (size_t i = 0; i < sizeof(uri) - 1; i++)
                for (int c = 0; c < 256; c++) {
                        char changed[sizeof(uri)];
                        int r;

                        (void) memcpy(changed, uri, sizeof(uri));
                        changed[i] = (char) c;
                        r = rest_target_parse(changed, &t, NULL);
                        ck_assert(r == 0 || r == -EBADMSG);
                        if (r == 0)
                                for (const char *p = t.path; *p; p++)
                                        ck_assert(*p > 0x20 && *p < 0x7f && *p != '%');
                }
}
END_TEST

static const struct {
        int code;
        const char *reason;
        unsigned want;
} codes[] = {
        { -EPERM, "user-denied", 403 },
        { -ENOENT, "no-such-resource", 404 },
        { -EBUSY, "queue-full", 503 },
        { -EBUSY, "attester-busy", 503 },
        { -EBUSY, "user-queue-full", 429 },
        { -EKEYREJECTED, "evidence-refused", 502 },
        { -ECONNREFUSED, "connect", 502 },
        { -EHOSTUNREACH, "connect", 502 },
        { -EPROTO, "version", 502 },
        { -EBADMSG, "jwe", 502 },
        { -ETIMEDOUT, "timeout", 504 },
        { -ENODEV, "attester-unreachable", 503 },
        { -EIO, "device", 503 },
        { -ENOMEM, "out-of-memory", 500 },
        { -EINVAL, "whatever", 500 },
};

START_TEST(failure_has_its_status_code) {
        Error e = {};

        (void) error_set(&e, codes[_i].code, codes[_i].reason, "x");
        ck_assert_uint_eq(rest_status_of(codes[_i].code, &e), codes[_i].want);
        ck_assert_str_ne(rest_status_title(codes[_i].want), "Error");
}
END_TEST

START_TEST(problem_has_the_members_of_rfc_9457) {
        AUTO_JSON json_object *o = NULL;
        AUTO_FREE char *text = NULL;
        const char *s;
        uint64_t status;
        Error e = {};

        (void) error_set(&e, -EPERM, "user-denied", "Secret 'x' is not for \"you\"");
        text = rest_problem_text(403, -EPERM, &e);
        ck_assert_ptr_nonnull(text);
        ck_assert_int_eq(json_parse(text, strlen(text), "problem", &o, NULL), 0);
        ck_assert_int_eq(json_object_object_length(o), 5);
        ck_assert_int_eq(json_get_str(o, "type", 64, &s, NULL), 0);
        ck_assert_str_eq(s, "about:blank");
        ck_assert_int_eq(json_get_str(o, "title", 64, &s, NULL), 0);
        ck_assert_str_eq(s, "Forbidden");
        ck_assert_int_eq(json_get_u64(o, "status", 999, &status, NULL), 0);
        ck_assert_uint_eq(status, 403);
        ck_assert_int_eq(json_get_str(o, "detail", 64, &s, NULL), 0);
        ck_assert_str_eq(s, "Secret 'x' is not for \"you\"");
        ck_assert_int_eq(json_get_str(o, "reason", 64, &s, NULL), 0);
        ck_assert_str_eq(s, "user-denied");
}
END_TEST

int main(void) {
        Suite *s = suite_create("rest");
        TCase *target = tcase_create("target"), *problem = tcase_create("problem");

        tcase_add_test(target, target_is_taken_apart);
        tcase_add_loop_test(target, only_plain_targets_are_accepted, 0, (int) N_ELEMENTS(targets));
        tcase_add_test(target, target_has_a_limit);
        tcase_add_test(target, every_byte_anywhere_is_survived);
        suite_add_tcase(s, target);
        tcase_add_loop_test(problem, failure_has_its_status_code, 0, (int) N_ELEMENTS(codes));
        tcase_add_test(problem, problem_has_the_members_of_rfc_9457);
        suite_add_tcase(s, problem);
        return unit_run(s);
}
