/* SPDX-License-Identifier: Apache-2.0 */
#include "keybroker-client/jcs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "tests/unit/unit.h"

static json_object *parse(const char *text) {
        json_object *o = NULL;
        Error e = {};

        ck_assert_msg(json_parse(text, strlen(text), "text", &o, &e) == 0, "%s", e.text);
        return o;
}

static const struct {
        const char *why, *text, *canonical;
} good[] = {
        { "members are sorted at every level", "{\"b\":1,\"a\":\"test\",\"c\":{\"e\":0,\"d\":\"e\"}}",
          "{\"a\":\"test\",\"b\":1,\"c\":{\"d\":\"e\",\"e\":0}}" },
        { "white space goes", " { \"a\" : [ 1 , 2 ] } ", "{\"a\":[1,2]}" },
        { "slash stays bare", "{\"a\":\"\\/b\"}", "{\"a\":\"/b\"}" },
        { "short escapes", "\"\\u0008\\u0009\\u000a\\u000c\\u000d\\u0022\\u005c\"", "\"\\b\\t\\n\\f\\r\\\"\\\\\"" },
        { "long escapes in lower case", "\"\\u0001\\u001F\\u007f\"", "\"\\u0001\\u001f\x7f\"" },
        { "text beyond ASCII is raw", "\"\\u20ac\\ud83d\\ude00\"", "\"\xe2\x82\xac\xf0\x9f\x98\x80\"" },
        /* RFC 8785 section 3.2.3: U+1F600 sorts before U+FB33, because its surrogates do. */
        { "surrogates before the private use area", "{\"\xef\xac\xb3\":1,\"\xf0\x9f\x98\x80\":2,\"\xe2\x82\xac\":3,\"1\":4,\"\\r\":5}",
          "{\"\\r\":5,\"1\":4,\"\xe2\x82\xac\":3,\"\xf0\x9f\x98\x80\":2,\"\xef\xac\xb3\":1}" },
        { "a prefix sorts first", "{\"ab\":1,\"a\":2,\"\":3}", "{\"\":3,\"a\":2,\"ab\":1}" },
        { "literals", "[true,false,null,{},[]]", "[true,false,null,{},[]]" },
        { "largest integer", "9007199254740991", "9007199254740991" },
        { "smallest integer", "-9007199254740991", "-9007199254740991" },
        { "null alone", "null", "null" },
};

START_TEST(canonical_text_is_that_of_the_rfc) {
        AUTO_JSON json_object *o = parse(good[_i].text);
        AUTO_WRITER Writer w = wr_init(4096);
        AUTO_FREE char *text = NULL;

        ck_assert_int_eq(kbc_jcs_write(o, &w, NULL), 0);
        ck_assert_int_eq(wr_finish_str(&w, &text), 0);
        ck_assert_msg(strcmp(text, good[_i].canonical) == 0, "%s: %s", good[_i].why, text);
}
END_TEST

static const struct {
        const char *why, *text;
        int want;
} bad[] = {
        { "fraction", "[1.5]", -EOPNOTSUPP },
        { "integer beyond 2^53", "{\"a\":9007199254740992}", -EOPNOTSUPP },
        { "negative beyond 2^53", "-9007199254740992", -EOPNOTSUPP },
        { "unsigned beyond int64", "18446744073709551615", -EOPNOTSUPP },
};

START_TEST(values_without_a_plain_canonical_form_are_refused) {
        AUTO_JSON json_object *o = parse(bad[_i].text);
        AUTO_WRITER Writer w = wr_init(4096);
        Error e = {};

        ck_assert_msg(kbc_jcs_write(o, &w, &e) == bad[_i].want, "%s", bad[_i].why);
        ck_assert_int_eq(e.code, bad[_i].want);
}
END_TEST

START_TEST(limits_are_enforced) {
        AUTO_JSON json_object *wide = json_object_new_object(), *deep = json_object_new_array();
        AUTO_WRITER Writer w = wr_init(4096), small = wr_init(4);
        AUTO_JSON json_object *text = json_object_new_string("12345");

        for (int i = 0; i < KBC_JCS_MEMBERS_MAX; i++) {
                char name[16];

                (void) snprintf(name, sizeof(name), "%d", i);
                ck_assert_int_eq(json_object_object_add(wide, name, NULL), 0);
        }
        ck_assert_int_eq(kbc_jcs_write(wide, &w, NULL), 0);
        ck_assert_int_eq(json_object_object_add(wide, "one more", NULL), 0);
        ck_assert_int_eq(kbc_jcs_write(wide, &w, NULL), -E2BIG);

        for (int i = 0; i < JSON_DEPTH_MAX; i++) {
                json_object *outer = json_object_new_array();

                (void) json_object_array_add(outer, deep);
                deep = outer;
        }
        ck_assert_int_eq(kbc_jcs_write(deep, &w, NULL), -E2BIG);
        ck_assert_int_eq(kbc_jcs_write(text, &small, NULL), -E2BIG);
}
END_TEST

int main(void) {
        Suite *s = suite_create("keybroker-client");
        TCase *t = tcase_create("jcs");

        tcase_add_loop_test(t, canonical_text_is_that_of_the_rfc, 0, N_ELEMENTS(good));
        tcase_add_loop_test(t, values_without_a_plain_canonical_form_are_refused, 0, N_ELEMENTS(bad));
        tcase_add_test(t, limits_are_enforced);
        suite_add_tcase(s, t);
        return unit_run(s);
}
