/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

static const struct {
        const char *why, *text;
} good[] = {
        { "object", "{\"a\":1,\"b\":[true,false,null,\"x\"]}" },
        { "space around", " \t\r\n{ \"a\" : 1 } \n" },
        { "number", "0" },
        { "negative", "-9223372036854775808" },
        { "largest", "18446744073709551615" },
        { "fraction", "-0.5e+10" },
        { "escapes", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\"" },
        { "UTF-8", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"" },
        { "same name in different objects", "{\"a\":{\"a\":1},\"b\":{\"a\":2}}" },
        { "prefix of another name", "{\"a\":1,\"ab\":2}" },
        { "16 deep", "[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]" },
};

START_TEST(rfc_8259_texts_are_accepted) {
        AUTO_JSON json_object *o = NULL;
        Error e = {};
        int r = json_parse(good[_i].text, strlen(good[_i].text), "text", &o, &e);

        ck_assert_msg(r == 0, "%s: %s", good[_i].why, e.text);
}
END_TEST

static const struct {
        const char *why, *text, *at;
} bad[] = {
        { "empty", "", "empty" },
        { "duplicate", "{\"a\":1,\"a\":2}", "offset 8" },
        { "duplicate by escape", "{\"a\":1,\"\\u0061\":2}", "duplicate" },
        { "duplicate far apart", "{\"a\":1,\"b\":{\"c\":[]},\"a\":2}", "duplicate" },
        { "escaped non-ASCII name", "{\"\\u00e9\":1}", "non-ASCII" },
        { "single quotes", "{'a':1}", "offset 1" },
        { "trailing comma", "[1,]", "offset 3" },
        { "trailing bytes", "{} x", "trailing bytes at offset 3" },
        { "two values", "1 2", "trailing bytes" },
        { "comment", "/* */ 1", "offset 0" },
        { "leading zero", "01", "trailing bytes" },
        { "plus sign", "+1", "malformed number" },
        { "bare minus", "-", "malformed number" },
        { "no fraction", "1.", "malformed number" },
        { "no exponent", "1e", "malformed number" },
        { "above 2^64", "18446744073709551616", "out of range" },
        { "below -2^63", "-9223372036854775809", "out of range" },
        { "NaN", "NaN", "offset 0" },
        { "capital word", "True", "offset 0" },
        { "open string", "\"abc", "unterminated" },
        { "raw newline", "\"a\nb\"", "control character" },
        { "unknown escape", "\"\\x41\"", "unknown escape" },
        { "NUL escape", "\"\\u0000\"", "NUL" },
        { "lone high surrogate", "\"\\ud800\"", "lone surrogate" },
        { "lone low surrogate", "\"\\udc00\"", "lone surrogate" },
        { "short escape", "\"\\u12\"", "bad \\u" },
        { "overlong UTF-8", "\"\xc0\xaf\"", "UTF-8" },
        { "UTF-8 surrogate", "\"\xed\xa0\x80\"", "UTF-8" },
        { "cut UTF-8", "\"\xe2\x82\"", "UTF-8" },
        { "17 deep", "[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]", "deeply" },
        { "open object", "{\"a\":1", "expected" },
        { "no colon", "{\"a\" 1}", "':'" },
        { "no name", "{1:1}", "member name" },
        { "no value", "{\"a\":}", "malformed number" },
};

START_TEST(anything_else_is_refused_with_its_place) {
        json_object *o = NULL;
        Error e = {};
        int r = json_parse(bad[_i].text, strlen(bad[_i].text), "text", &o, &e);

        ck_assert_msg(r == -EBADMSG, "%s: got %d", bad[_i].why, r);
        ck_assert_ptr_null(o);
        ck_assert_msg(strstr(e.text, bad[_i].at), "%s: '%s' lacks '%s'", bad[_i].why, e.text, bad[_i].at);
}
END_TEST

START_TEST(every_truncation_is_refused) {
        static const char text[] = "{\"a\":[1,2.5e3,\"\\u00e9x\"],\"b\":{\"c\":null}}";

        for (size_t n = 0; n < sizeof(text) - 1; n++) {
                AUTO_FREE char *copy = malloc(n + 1); /* exact allocation, for the sanitizer */
                json_object *o = NULL;

                (void) memcpy(copy, text, n);
                ck_assert_int_eq(json_parse(copy, n, "text", &o, NULL), -EBADMSG);
        }
}
END_TEST

START_TEST(too_many_members_are_refused) {
        AUTO_FREE char *text = malloc(16 * (JSON_MEMBERS_MAX + 2));
        AUTO_JSON json_object *o = NULL;
        size_t n = 0;

        text[n++] = '{';
        for (int i = 0; i < JSON_MEMBERS_MAX; i++)
                n += (size_t) sprintf(text + n, "%s\"m%d\":0", i ? "," : "", i);
        (void) strcpy(text + n, "}");
        ck_assert_int_eq(json_parse(text, n + 1, "text", &o, NULL), 0);
        (void) strcpy(text + n, ",\"x\":0}");
        json_object_put(TAKE_PTR(o));
        ck_assert_int_eq(json_parse(text, n + 7, "text", &o, NULL), -EBADMSG);
}
END_TEST

START_TEST(typed_members) {
        static const char text[] = "{\"s\":\"abc\",\"n\":7,\"neg\":-1,\"t\":true,\"o\":{},\"a\":[1,2],\"z\":null}";
        AUTO_JSON json_object *o = NULL;
        json_object *inner = NULL;
        const char *s = NULL;
        Error e = {};
        uint64_t n;
        bool b;

        ck_assert_int_eq(json_parse(text, strlen(text), "text", &o, NULL), 0);
        ck_assert_int_eq(json_get_str(o, "s", 3, &s, NULL), 0);
        ck_assert_str_eq(s, "abc");
        ck_assert_int_eq(json_get_str(o, "s", 2, &s, NULL), -E2BIG);
        ck_assert_int_eq(json_get_str(o, "n", 9, &s, NULL), -EBADMSG);
        ck_assert_int_eq(json_get_str(o, "z", 9, &s, NULL), -EBADMSG);
        ck_assert_int_eq(json_get_str(o, "missing", 9, &s, &e), -EBADMSG);
        ck_assert_ptr_nonnull(strstr(e.text, "'missing'"));
        ck_assert_int_eq(json_get_opt_str(o, "missing", 9, &s, NULL), 0);
        ck_assert_ptr_null(s);
        ck_assert_int_eq(json_get_opt_str(o, "z", 9, &s, NULL), 0);
        ck_assert_int_eq(json_get_opt_str(o, "n", 9, &s, NULL), -EBADMSG);
        ck_assert_int_eq(json_get_u64(o, "n", 7, &n, NULL), 0);
        ck_assert_uint_eq(n, 7);
        ck_assert_int_eq(json_get_u64(o, "n", 6, &n, NULL), -EBADMSG);
        ck_assert_int_eq(json_get_u64(o, "neg", 6, &n, NULL), -EBADMSG);
        ck_assert_int_eq(json_get_bool(o, "t", &b, NULL), 0);
        ck_assert(b);
        ck_assert_int_eq(json_get_bool(o, "n", &b, NULL), -EBADMSG);
        ck_assert_int_eq(json_get_obj(o, "o", &inner, NULL), 0);
        ck_assert_int_eq(json_get_obj(o, "a", &inner, NULL), -EBADMSG);
        ck_assert_int_eq(json_get_opt_obj(o, "z", &inner, NULL), 0);
        ck_assert_ptr_null(inner);
        ck_assert_int_eq(json_get_array(o, "a", 2, &inner, NULL), 0);
        ck_assert_int_eq(json_get_array(o, "a", 1, &inner, NULL), -E2BIG);
}
END_TEST

START_TEST(members_are_added) {
        AUTO_JSON json_object *o = json_object_new_object();

        ck_assert_int_eq(json_add_str(o, "s", "a/b"), 0);
        ck_assert_int_eq(json_add_u64(o, "n", UINT64_MAX), 0);
        ck_assert_int_eq(json_add_bool(o, "b", true), 0);
        ck_assert_int_eq(json_add_hex(o, "h", "\x01\xff", 2), 0);
        ck_assert_int_eq(json_add_str(NULL, "s", "x"), -ENOMEM);
        ck_assert_str_eq(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
                         "{\"s\":\"a/b\",\"n\":18446744073709551615,\"b\":true,\"h\":\"01ff\"}");
}
END_TEST

int main(void) {
        Suite *suite = suite_create("json");
        TCase *tc = tcase_create("json");

        tcase_add_loop_test(tc, rfc_8259_texts_are_accepted, 0, (int) N_ELEMENTS(good));
        tcase_add_loop_test(tc, anything_else_is_refused_with_its_place, 0, (int) N_ELEMENTS(bad));
        tcase_add_test(tc, every_truncation_is_refused);
        tcase_add_test(tc, too_many_members_are_refused);
        tcase_add_test(tc, typed_members);
        tcase_add_test(tc, members_are_added);
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
