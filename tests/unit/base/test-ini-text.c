/* SPDX-License-Identifier: Apache-2.0 */

/* base/ini-text.c: what it hands over, and what it refuses, with file and line. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ini-text.h"
#include "base/writer.h"
#include "tests/unit/unit.h"

#define SIZE_MAX_HERE 65536

/* Writes down what it is told. Refuses the value "no" and the section "no"; "List" may repeat. */
static int on_section(void *userdata, const IniLine *line, Error *e) {
        char text[256];

        (void) snprintf(text, sizeof(text), "%u[%s]%s ", line->line, line->section, line->key ? "!" : "");
        wr_str(userdata, text);
        return strcmp(line->section, "no") == 0 ? error_set(e, -EINVAL, "mine", "not this section") : 0;
}

static int on_key(void *userdata, const IniLine *line, Error *e) {
        char text[256];

        (void) snprintf(text, sizeof(text), "%u%s/%s=%s ", line->line, line->section, line->key, line->value);
        wr_str(userdata, text);
        if (strcmp(line->value, "oom") == 0)
                return error_oom(e);
        return strcmp(line->value, "no") == 0 ? error_set(e, -EINVAL, "mine", "not this value") : 0;
}

static bool may_repeat(void *userdata, const IniLine *line) {
        (void) userdata;
        return strcmp(line->key, "List") == 0;
}

static const IniHandler handler = { .section = on_section, .key = on_key, .may_repeat = may_repeat };

static int parse(const char *text, size_t size, char **ret, Error *e) {
        AUTO_WRITER Writer w = wr_init(1u << 20);
        int r = ini_text_parse("file", text, size, SIZE_MAX_HERE, &handler, &w, e);

        ck_assert_int_eq(wr_finish_str(&w, ret), 0);
        return r;
}

static const struct {
        const char *text, *told;
} good[] = {
        { "", "" },
        { "\n \t\n# a\n;b\n  # c ; d\n\t; e\n", "" },
        { "[A]\nK=v\n", "1[A] 2A/K=v " },
        { "[A]\nK = v w \t\nL=\n", "1[A] 2A/K=v w 3A/L= " },
        { "[A]\nK=a=b\nL=c;d#e:f\n", "1[A] 2A/K=a=b 3A/L=c;d#e:f " },
        { "[A b]\nK=1\n[]\nK=2\n", "1[A b] 2A b/K=1 3[] 4/K=2 " },
        { "[A]\nK=1\n[B]\nK=1\n[A]\nL=1\n", "1[A] 2A/K=1 3[B] 4B/K=1 5[A] 6A/L=1 " },
        { "[A]\nList=1\nList=1\n", "1[A] 2A/List=1 3A/List=1 " },
        { "[A]\nK=\xc3\xa4\n", "1[A] 2A/K=\xc3\xa4 " },
        { "[A]\nKey=1\nKe=2\nKeyy=3\n", "1[A] 2A/Key=1 3A/Ke=2 4A/Keyy=3 " },
};

START_TEST(sections_and_keys_are_told_in_order) {
        AUTO_FREE char *told = NULL;
        Error e = {};

        ck_assert_msg(parse(good[_i].text, strlen(good[_i].text), &told, &e) == 0, "%s", e.text);
        ck_assert_str_eq(told, good[_i].told);
}
END_TEST

static const struct {
        const char *text, *reason, *want;
} bad[] = {
        { "[A]\nK=1", "config-truncated", "file:2: the last line" },
        { "K=1\n", "config-syntax", "file:1: a key before the first section" },
        { "[A\n", "config-syntax", "file:1: a section's line" },
        { "[A] # x\n", "config-syntax", "file:1: a section's line" },
        { "[A] ;x]\n", "config-syntax", "file:1: a comment" },
        { "[A]\nK=1\n\n#\nK=1\n", "config-duplicate", "file:5: K= is given twice" },
        { "[A]\nK=1\n[B]\n[A]\nK=2\n", "config-duplicate", "file:5: K= is given twice" },
        { "[A]\nK: 1\n", "config-syntax", "file:2: expected [SECTION] or KEY=VALUE" },
        { "[A]\nK\n", "config-syntax", "file:2: expected" },
        { "[A]\n=1\n", "config-syntax", "file:2: expected" },
        { "[A]\nK-L=1\n", "config-syntax", "file:2: expected" },
        { "[A]\nK L=1\n", "config-syntax", "file:2: expected" },
        { "[A]\n K=1\n", "config-syntax", "file:2: only blank" },
        { "[A]\n\t[B]\n", "config-syntax", "file:2: only blank" },
        { "[A]\nK=1 ; x\n", "config-syntax", "file:2: a comment" },
        { "[A]\nK=1\t;x\n", "config-syntax", "file:2: a comment" },
        { "[A]\r\n", "config-syntax", "file:1: control character" },
        { "[A]\nK=\x7f\n", "config-syntax", "file:2: control character" },
        { "\xef\xbb\xbf[A]\n", "config-syntax", "file:1: expected" },
        { "[no]\nK=1\n", "mine", "file:1: not this section" },
        { "[A]\nL=1\nK=no\n[", "mine", "file:3: not this value" },
};

START_TEST(what_is_not_of_the_form_is_refused_with_its_place) {
        AUTO_FREE char *told = NULL;
        Error e = {};

        ck_assert_int_eq(parse(bad[_i].text, strlen(bad[_i].text), &told, &e), -EINVAL);
        ck_assert_int_eq(e.code, -EINVAL);
        ck_assert_msg(strncmp(e.text, bad[_i].want, strlen(bad[_i].want)) == 0, "%s: %s", bad[_i].text, e.text);
        ck_assert_str_eq(e.reason, bad[_i].reason);
}
END_TEST

START_TEST(the_first_mistake_ends_it) {
        AUTO_FREE char *told = NULL;

        ck_assert_int_eq(parse("[A]\nK=no\nL=1\n[B]\n", 18, &told, NULL), -EINVAL);
        ck_assert_str_eq(told, "1[A] 2A/K=no ");
}
END_TEST

START_TEST(other_failures_keep_their_code) {
        AUTO_FREE char *told = NULL;
        Error e = {};

        ck_assert_int_eq(parse("[A]\nK=oom\n", 10, &told, &e), -ENOMEM);
        ck_assert_str_eq(e.text, "file:2: Out of memory");
}
END_TEST

START_TEST(a_nul_byte_is_refused) {
        AUTO_FREE char *told = NULL;
        Error e = {};

        ck_assert_int_eq(parse("[A]\nK=1\0 2\n", 11, &told, &e), -EINVAL);
        ck_assert_str_eq(e.reason, "config-syntax");
}
END_TEST

START_TEST(lines_are_cut_nowhere) {
        char text[4 + INI_LINE_MAX + 3];

        for (size_t n = INI_LINE_MAX; n <= INI_LINE_MAX + 1; n++) {
                AUTO_FREE char *told = NULL;
                Error e = {};
                int r;

                (void) memcpy(text, "[A]\nK=", 6);
                (void) memset(text + 6, 'v', n - 2);
                text[4 + n] = '\n';
                r = parse(text, 4 + n + 1, &told, &e);
                ck_assert_int_eq(r, n == INI_LINE_MAX ? 0 : -EINVAL);
                if (r == 0)
                        ck_assert_uint_eq(strlen(told), strlen("1[A] 2A/K= ") + n - 2);
                else
                        ck_assert_str_eq(e.reason, "config-limit");
        }
}
END_TEST

START_TEST(a_text_above_the_callers_limit_is_refused) {
        char *text = calloc(1, SIZE_MAX_HERE + 1);

        ck_assert_ptr_nonnull(text);
        (void) memset(text, '\n', SIZE_MAX_HERE + 1);
        for (size_t n = SIZE_MAX_HERE; n <= SIZE_MAX_HERE + 1; n++) {
                AUTO_FREE char *told = NULL;
                Error e = {};

                ck_assert_int_eq(parse(text, n, &told, &e), n == SIZE_MAX_HERE ? 0 : -E2BIG);
                if (n > SIZE_MAX_HERE)
                        ck_assert_str_eq(e.text, "file is larger than 64 KiB");
        }
        free(text);
}
END_TEST

START_TEST(duplicates_are_found_among_many_keys) {
        AUTO_WRITER Writer w = wr_init(SIZE_MAX_HERE);
        AUTO_BLOB Blob text = {};
        AUTO_FREE char *told = NULL;
        Error e = {};
        char line[32];

        wr_str(&w, "[A]\n");
        for (int i = 0; i < 300; i++) {
                (void) snprintf(line, sizeof(line), "K%d=\n", i);
                wr_str(&w, line);
        }
        wr_str(&w, "K299=\n");
        ck_assert_int_eq(wr_finish(&w, &text), 0);
        ck_assert_int_eq(parse((char *) text.data, text.size, &told, &e), -EINVAL);
        ck_assert_str_eq(e.text, "file:302: K299= is given twice in this file");
}
END_TEST

START_TEST(without_may_repeat_nothing_may) {
        static const IniHandler strict = { .section = on_section, .key = on_key };
        static const char text[] = "[A]\nList=1\nList=2\n";
        AUTO_WRITER Writer w = wr_init(4096);

        ck_assert_int_eq(ini_text_parse("f", text, sizeof(text) - 1, 4096, &strict, &w, NULL), -EINVAL);
}
END_TEST

int main(void) {
        Suite *s = suite_create("base/ini-text");
        TCase *c = tcase_create("ini");

        tcase_add_loop_test(c, sections_and_keys_are_told_in_order, 0, (int) N_ELEMENTS(good));
        tcase_add_loop_test(c, what_is_not_of_the_form_is_refused_with_its_place, 0, (int) N_ELEMENTS(bad));
        tcase_add_test(c, the_first_mistake_ends_it);
        tcase_add_test(c, other_failures_keep_their_code);
        tcase_add_test(c, a_nul_byte_is_refused);
        tcase_add_test(c, lines_are_cut_nowhere);
        tcase_add_test(c, a_text_above_the_callers_limit_is_refused);
        tcase_add_test(c, duplicates_are_found_among_many_keys);
        tcase_add_test(c, without_may_repeat_nothing_may);
        suite_add_tcase(s, c);
        return unit_run(s);
}
