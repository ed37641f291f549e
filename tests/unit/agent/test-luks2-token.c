/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/token/token-json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static const char token[] = "{\"type\":\"snp-agent\",\"keyslots\":[\"1\",\"31\"],\"v\":1,"
                            "\"resource\":\"default/disk-key/vm_1.2\"}";

START_TEST(our_token_is_read) {
        TokenHint hint = {};
        Error e = {};
        int r = token_json_parse(token, strlen(token), &hint, &e);

        ck_assert_msg(r == 0, "%s", e.text);
        ck_assert_str_eq(hint.resource, "default/disk-key/vm_1.2");
        ck_assert_uint_eq(hint.keyslots, UINT32_C(1) << 31 | 1 << 1);
}
END_TEST

START_TEST(a_token_without_keyslots_is_read) {
        static const char orphan[] = "{\"type\":\"snp-agent\",\"keyslots\":[],\"v\":1,\"resource\":\"a/b/c\"}";
        TokenHint hint = {};

        ck_assert_int_eq(token_json_parse(orphan, strlen(orphan), &hint, NULL), 0);
        ck_assert_uint_eq(hint.keyslots, 0);
}
END_TEST

#define KEYSLOTS "\"keyslots\":[\"0\"]"
#define OURS "\"type\":\"snp-agent\"," KEYSLOTS ","

static const struct {
        const char *why, *json;
        int want;
} refused[] = {
        { "another type", "{\"type\":\"systemd-tpm2\"," KEYSLOTS ",\"tpm2-pcrs\":[7]}", -ENOENT },
        { "no type", "{" KEYSLOTS ",\"v\":1,\"resource\":\"a/b/c\"}", -EBADMSG },
        { "type is a number", "{\"type\":1," KEYSLOTS ",\"v\":1,\"resource\":\"a/b/c\"}", -EBADMSG },
        { "later version", "{" OURS "\"v\":2,\"resource\":\"a/b/c\"}", -EOPNOTSUPP },
        { "version is text", "{" OURS "\"v\":\"1\",\"resource\":\"a/b/c\"}", -EBADMSG },
        { "no version", "{" OURS "\"resource\":\"a/b/c\"}", -EBADMSG },
        { "no resource", "{" OURS "\"v\":1}", -EBADMSG },
        { "unknown member", "{" OURS "\"v\":1,\"resource\":\"a/b/c\",\"url\":\"https://evil\"}", -EBADMSG },
        { "duplicate member", "{" OURS "\"v\":1,\"resource\":\"a/b/c\",\"resource\":\"a/b/d\"}", -EBADMSG },
        { "two segments", "{" OURS "\"v\":1,\"resource\":\"a/b\"}", -EBADMSG },
        { "four segments", "{" OURS "\"v\":1,\"resource\":\"a/b/c/d\"}", -EBADMSG },
        { "empty segment", "{" OURS "\"v\":1,\"resource\":\"a//c\"}", -EBADMSG },
        { "trailing slash", "{" OURS "\"v\":1,\"resource\":\"a/b/\"}", -EBADMSG },
        { "dots", "{" OURS "\"v\":1,\"resource\":\"a/../c\"}", -EBADMSG },
        { "query", "{" OURS "\"v\":1,\"resource\":\"a/b/c?d\"}", -EBADMSG },
        { "percent", "{" OURS "\"v\":1,\"resource\":\"a/b/%2e\"}", -EBADMSG },
        { "space", "{" OURS "\"v\":1,\"resource\":\"a/b/c d\"}", -EBADMSG },
        { "keyslot is a number", "{\"type\":\"snp-agent\",\"keyslots\":[0],\"v\":1,\"resource\":\"a/b/c\"}", -EBADMSG },
        { "keyslot 32", "{\"type\":\"snp-agent\",\"keyslots\":[\"32\"],\"v\":1,\"resource\":\"a/b/c\"}", -EBADMSG },
        { "keyslots is text", "{\"type\":\"snp-agent\",\"keyslots\":\"0\",\"v\":1,\"resource\":\"a/b/c\"}", -EBADMSG },
        { "an array", "[]", -EBADMSG },
        { "empty", "", -EBADMSG },
};

START_TEST(anything_else_is_refused) {
        TokenHint hint = { .resource = "untouched" };
        Error e = {};
        int r = token_json_parse(refused[_i].json, strlen(refused[_i].json), &hint, &e);

        ck_assert_msg(r == refused[_i].want, "%s: got %d (%s)", refused[_i].why, r, e.text);
        ck_assert_int_eq(e.code, r);
        ck_assert_str_eq(hint.resource, "untouched");
}
END_TEST

static char *token_with_resource_of(size_t n) {
        AUTO_FREE char *name = malloc(n - 3);
        char *json;

        ck_assert_ptr_nonnull(name);
        (void) memset(name, 'x', n - 4);
        name[n - 4] = 0;
        ck_assert_int_gt(asprintf(&json, "{" OURS "\"v\":1,\"resource\":\"a/b/%s\"}", name), 0);
        return json;
}

START_TEST(the_resource_has_a_limit) {
        AUTO_FREE char *fits = token_with_resource_of(TEXT_RESOURCE_PATH_MAX);
        AUTO_FREE char *longer = token_with_resource_of(TEXT_RESOURCE_PATH_MAX + 1);
        TokenHint hint;

        ck_assert_int_eq(token_json_parse(fits, strlen(fits), &hint, NULL), 0);
        ck_assert_uint_eq(strlen(hint.resource), TEXT_RESOURCE_PATH_MAX);
        ck_assert_int_lt(token_json_parse(longer, strlen(longer), &hint, NULL), 0);
}
END_TEST

START_TEST(the_token_has_a_limit) {
        AUTO_FREE char *json = malloc(TOKEN_JSON_MAX + 1);
        TokenHint hint;

        ck_assert_ptr_nonnull(json);
        (void) memset(json, ' ', TOKEN_JSON_MAX + 1);
        (void) memcpy(json, token, strlen(token));
        ck_assert_int_eq(token_json_parse(json, TOKEN_JSON_MAX, &hint, NULL), 0);
        ck_assert_int_eq(token_json_parse(json, TOKEN_JSON_MAX + 1, &hint, NULL), -E2BIG);
}
END_TEST

START_TEST(a_formatted_token_is_read_back) {
        AUTO_FREE char *json = NULL;
        TokenHint hint = {};

        ck_assert_int_eq(token_json_format("a/b_-/c.d", 7, &json, NULL), 0);
        ck_assert_int_eq(token_json_parse(json, strlen(json), &hint, NULL), 0);
        ck_assert_str_eq(hint.resource, "a/b_-/c.d");
        ck_assert_uint_eq(hint.keyslots, 1 << 7);
}
END_TEST

START_TEST(a_token_for_no_resource_path_is_not_formatted) {
        static const char *const paths[] = { "", "a", "/a/b/c", "a/b/c\"", "../b/c" };
        char *json = NULL;

        for (size_t i = 0; i < N_ELEMENTS(paths); i++) {
                Error e = {};

                ck_assert_int_eq(token_json_format(paths[i], 0, &json, &e), -EINVAL);
                ck_assert_ptr_null(json);
                ck_assert_str_eq(e.reason, "resource-path");
        }
}
END_TEST

START_TEST(every_truncation_is_refused) {
        TokenHint hint;

        for (size_t n = 0; n < strlen(token); n++)
                ck_assert_msg(token_json_parse(token, n, &hint, NULL) == -EBADMSG, "%zu bytes", n);
}
END_TEST

int main(void) {
        Suite *s = suite_create("luks2-token");
        TCase *c = tcase_create("token");

        tcase_add_test(c, our_token_is_read);
        tcase_add_test(c, a_token_without_keyslots_is_read);
        tcase_add_loop_test(c, anything_else_is_refused, 0, (int) N_ELEMENTS(refused));
        tcase_add_test(c, the_resource_has_a_limit);
        tcase_add_test(c, the_token_has_a_limit);
        tcase_add_test(c, a_formatted_token_is_read_back);
        tcase_add_test(c, a_token_for_no_resource_path_is_not_formatted);
        tcase_add_test(c, every_truncation_is_refused);
        suite_add_tcase(s, c);
        return unit_run(s);
}
