/* SPDX-License-Identifier: Apache-2.0 */
#include "keybroker-client/jcs.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json_object_iterator.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

/* RFC 8785 section 3.2.2.3 refers to ECMAScript: Number.MAX_SAFE_INTEGER. */
#define INTEGER_MAX ((INT64_C(1) << 53) - 1)

typedef struct Member {
        const char *name;
        json_object *value;
} Member;

/* RFC 8785 section 3.2.2.2: the two-character escapes first, \u00xx for what is left below U+0020. */
static size_t escape(unsigned char c, char ret[static 8]) {
        static const char from[] = "\b\t\n\f\r\"\\", to[] = "btnfr\"\\";
        const char *p = c ? strchr(from, c) : NULL;

        if (p) {
                ret[0] = '\\';
                ret[1] = to[p - from];
                return 2;
        }
        return (size_t) snprintf(ret, 8, "\\u%04x", c);
}

void kbc_jcs_string(Writer *w, const char *s, size_t len) {
        size_t start = 0;

        wr_u8(w, '"');
        for (size_t i = 0; i < len; i++) {
                unsigned char c = (unsigned char) s[i];
                char text[8];

                if (c >= 0x20 && c != '"' && c != '\\')
                        continue;
                wr_bytes(w, s + start, i - start);
                wr_bytes(w, text, escape(c, text));
                start = i + 1;
        }
        wr_bytes(w, s + start, len - start);
        wr_u8(w, '"');
}

/*
 * UTF-8 sorts as UTF-16 does, but for one thing: surrogates (D800..DFFF, here lead bytes from F0 on) come before
 * U+E000..U+FFFF (lead bytes EE and EF).
 */
static int utf16_rank(unsigned char c) {
        return c == 0xee || c == 0xef ? c + 0x10 : c;
}

static int compare_members(const void *a, const void *b) {
        const unsigned char *x = (const unsigned char *) ((const Member *) a)->name;
        const unsigned char *y = (const unsigned char *) ((const Member *) b)->name;

        for (; *x && *x == *y; x++)
                y++;
        return utf16_rank(*x) - utf16_rank(*y);
}

static int write_value(json_object *value, Writer *w, unsigned depth, Error *e);

static int write_object(json_object *o, Writer *w, unsigned depth, Error *e) {
        struct json_object_iterator it = json_object_iter_begin(o), end = json_object_iter_end(o);
        Member members[KBC_JCS_MEMBERS_MAX];
        size_t n = 0;

        for (; !json_object_iter_equal(&it, &end); json_object_iter_next(&it)) {
                if (n == KBC_JCS_MEMBERS_MAX)
                        return error_set(e, -E2BIG, "jcs-members", "Object to canonicalise has more than %d members",
                                         KBC_JCS_MEMBERS_MAX);
                members[n++] = (Member){ json_object_iter_peek_name(&it), json_object_iter_peek_value(&it) };
        }
        qsort(members, n, sizeof(members[0]), compare_members);

        wr_u8(w, '{');
        for (size_t i = 0; i < n; i++) {
                int r;

                if (i > 0)
                        wr_u8(w, ',');
                kbc_jcs_string(w, members[i].name, strlen(members[i].name));
                wr_u8(w, ':');
                r = write_value(members[i].value, w, depth, e);
                if (r < 0)
                        return r;
        }
        wr_u8(w, '}');
        return 0;
}

static int write_array(json_object *a, Writer *w, unsigned depth, Error *e) {
        size_t n = json_object_array_length(a);

        wr_u8(w, '[');
        for (size_t i = 0; i < n; i++) {
                int r;

                if (i > 0)
                        wr_u8(w, ',');
                r = write_value(json_object_array_get_idx(a, i), w, depth, e);
                if (r < 0)
                        return r;
        }
        wr_u8(w, ']');
        return 0;
}

static int write_integer(json_object *o, Writer *w, Error *e) {
        int64_t v = json_object_get_int64(o); /* saturates */
        char text[24];

        if (v > INTEGER_MAX || v < -INTEGER_MAX)
                return error_set(e, -EOPNOTSUPP, "jcs-number", "Integer beyond 2^53 - 1 has no canonical form");
        (void) snprintf(text, sizeof(text), "%" PRId64, v);
        wr_str(w, text);
        return 0;
}

static int write_value(json_object *value, Writer *w, unsigned depth, Error *e) {
        if (depth == JSON_DEPTH_MAX)
                return error_set(e, -E2BIG, "jcs-depth", "Value to canonicalise is nested too deeply");
        switch (json_object_get_type(value)) {
        case json_type_null:
                wr_str(w, "null");
                return 0;
        case json_type_boolean:
                wr_str(w, json_object_get_boolean(value) ? "true" : "false");
                return 0;
        case json_type_int:
                return write_integer(value, w, e);
        case json_type_string:
                kbc_jcs_string(w, json_object_get_string(value), (size_t) json_object_get_string_len(value));
                return 0;
        case json_type_object:
                return write_object(value, w, depth + 1, e);
        case json_type_array:
                return write_array(value, w, depth + 1, e);
        case json_type_double:
        default:
                return error_set(e, -EOPNOTSUPP, "jcs-number", "Fractions are not canonicalised");
        }
}

int kbc_jcs_write(json_object *value, Writer *w, Error *e) {
        int r = write_value(value, w, 0, e);

        if (r < 0)
                return r;
        if (w->error < 0)
                return error_set(e, w->error, "jcs-size", "Canonical JSON does not fit: %s",
                                 error_text(NULL, w->error));
        return 0;
}
