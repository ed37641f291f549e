/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/snp-launch/cases.h"

#include <check.h>
#include <stdio.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/text.h"
#include "tests/unit/unit.h"

static json_object *all;

bool cases_load(void) {
        AUTO_FREE char *path = NULL;
        AUTO_BLOB Blob text = {};
        Error e = {};
        int r;

        if (!vectors_dir() || asprintf(&path, "%s/measure/cases.json", vectors_dir()) < 0)
                return false;
        r = file_read(path, 1u << 22, &text, &e);
        if (r == 0)
                r = json_parse(text.data, text.size, path, &all, &e);
        if (r < 0)
                (void) fprintf(stderr, "%s\n", error_text(&e, r));
        return r == 0;
}

void cases_unload(void) {
        json_object_cleanup(&all);
}

size_t cases_count(const char *list) {
        return json_object_array_length(case_member(all, list));
}

json_object *cases_get(const char *list, size_t i) {
        json_object *o = json_object_array_get_idx(case_member(all, list), i);

        ck_assert_msg(o != NULL, "%s %zu", list, i);
        return o;
}

json_object *case_member(json_object *o, const char *name) {
        json_object *v;

        return json_object_object_get_ex(o, name, &v) ? v : NULL;
}

const char *case_opt_str(json_object *o, const char *name) {
        json_object *v = case_member(o, name);

        ck_assert_msg(!v || json_object_is_type(v, json_type_string), "%s", name);
        return v ? json_object_get_string(v) : NULL;
}

const char *case_str(json_object *o, const char *name) {
        const char *s = case_opt_str(o, name);

        ck_assert_msg(s != NULL, "%s is missing in %s", name, json_object_to_json_string(o));
        return s;
}

uint64_t case_u64(json_object *o, const char *name) {
        json_object *v = case_member(o, name);
        uint64_t n = 0;

        if (json_object_is_type(v, json_type_int))
                return json_object_get_uint64(v);
        ck_assert_msg(text_to_u64(case_str(o, name), 0, 0, UINT64_MAX, &n) == 0, "%s", name);
        return n;
}

Blob case_file(json_object *o, const char *name) {
        AUTO_FREE char *path = NULL;

        ck_assert_int_gt(asprintf(&path, "measure/%s", case_str(o, name)), 0);
        return vector_read(path);
}

void case_expect_hex(json_object *o, const char *name, const void *data, size_t size) {
        AUTO_FREE char *hex = hex_encode(data, size);

        ck_assert_str_eq(hex, case_str(o, name));
}
