/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <errno.h>
#include <json-c/json_tokener.h>
#include <limits.h>
#include <string.h>

#include "base/hex.h"
#include "base/json-scan.h"

static void free_tokener(struct json_tokener **t) {
        if (*t)
                json_tokener_free(*t);
}

int json_parse(const void *text, size_t len, const char *what, json_object **ret, Error *e) {
        CLEANUP(free_tokener) struct json_tokener *tokener = NULL;
        AUTO_JSON json_object *o = NULL;
        int r;

        if (len == 0)
                return error_set(e, -EBADMSG, "json-syntax", "%s is empty", what);
        if (len > INT_MAX - 1)
                return error_set(e, -EBADMSG, "json-syntax", "%s is too large", what);
        r = json_scan(text, len, what, e);
        if (r < 0)
                return r;
        tokener = json_tokener_new_ex(JSON_DEPTH_MAX + 1);
        if (!tokener)
                return error_oom(e);
        json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
        o = json_tokener_parse_ex(tokener, text, (int) len);
        /* A bare number at the end of the text is only complete once the parser sees something behind it. */
        if (!o && json_tokener_get_error(tokener) == json_tokener_continue)
                o = json_tokener_parse_ex(tokener, "\n", 1);
        if (json_tokener_get_error(tokener) != json_tokener_success)
                return error_set(e, -EBADMSG, "json-syntax", "%s: %s", what,
                                 json_tokener_error_desc(json_tokener_get_error(tokener)));
        *ret = TAKE_PTR(o); /* NULL for the value null, which is how json-c represents it */
        return 0;
}

static int wrong_type(const char *name, const char *wanted, Error *e) {
        return error_set(e, -EBADMSG, "json-type", "Member '%s' is missing or is not %s", name, wanted);
}

static json_object *member(json_object *obj, const char *name, enum json_type type) {
        json_object *v;

        if (!json_object_is_type(obj, json_type_object) || !json_object_object_get_ex(obj, name, &v) ||
            !json_object_is_type(v, type))
                return NULL;
        return v;
}

int json_get_opt_str(json_object *obj, const char *name, size_t max_len, const char **ret, Error *e) {
        json_object *v;

        if (!json_object_object_get_ex(obj, name, &v) || !v) {
                *ret = NULL;
                return 0;
        }
        if (!json_object_is_type(v, json_type_string))
                return wrong_type(name, "a string", e);
        if ((size_t) json_object_get_string_len(v) > max_len)
                return error_set(e, -E2BIG, "json-too-long", "Member '%s' is longer than %zu bytes", name, max_len);
        *ret = json_object_get_string(v);
        return 0;
}

int json_get_str(json_object *obj, const char *name, size_t max_len, const char **ret, Error *e) {
        const char *s = NULL;
        int r;

        if (!member(obj, name, json_type_string))
                return wrong_type(name, "a string", e);
        r = json_get_opt_str(obj, name, max_len, &s, e);
        if (r < 0)
                return r;
        *ret = s;
        return 0;
}

int json_get_u64(json_object *obj, const char *name, uint64_t max, uint64_t *ret, Error *e) {
        json_object *v = member(obj, name, json_type_int);
        uint64_t n;

        if (!v || json_object_get_int64(v) < 0)
                return wrong_type(name, "a non-negative integer", e);
        n = json_object_get_uint64(v);
        if (n > max)
                return error_set(e, -EBADMSG, "json-range", "Member '%s' is above %llu", name,
                                 (unsigned long long) max);
        *ret = n;
        return 0;
}

int json_get_bool(json_object *obj, const char *name, bool *ret, Error *e) {
        json_object *v = member(obj, name, json_type_boolean);

        if (!v)
                return wrong_type(name, "a boolean", e);
        *ret = json_object_get_boolean(v);
        return 0;
}

int json_get_obj(json_object *obj, const char *name, json_object **ret, Error *e) {
        json_object *v = member(obj, name, json_type_object);

        if (!v)
                return wrong_type(name, "an object", e);
        *ret = v;
        return 0;
}

int json_get_opt_obj(json_object *obj, const char *name, json_object **ret, Error *e) {
        json_object *v;

        if (!json_object_object_get_ex(obj, name, &v) || !v) {
                *ret = NULL;
                return 0;
        }
        return json_get_obj(obj, name, ret, e);
}

int json_get_array(json_object *obj, const char *name, size_t max_items, json_object **ret, Error *e) {
        json_object *v = member(obj, name, json_type_array);

        if (!v)
                return wrong_type(name, "an array", e);
        if (json_object_array_length(v) > max_items)
                return error_set(e, -E2BIG, "json-too-long", "Member '%s' has more than %zu items", name, max_items);
        *ret = v;
        return 0;
}

int json_add_take(json_object *obj, const char *name, json_object *value) {
        if (!obj || !value || json_object_object_add(obj, name, value) < 0) {
                (void) json_object_put(value);
                return -ENOMEM;
        }
        return 0;
}

int json_add_str(json_object *obj, const char *name, const char *value) {
        return json_add_take(obj, name, json_object_new_string(value));
}

int json_add_u64(json_object *obj, const char *name, uint64_t value) {
        return json_add_take(obj, name, json_object_new_uint64(value));
}

int json_add_bool(json_object *obj, const char *name, bool value) {
        return json_add_take(obj, name, json_object_new_boolean(value));
}

int json_add_hex(json_object *obj, const char *name, const void *data, size_t n) {
        AUTO_FREE char *text = hex_encode(data, n);

        return text ? json_add_str(obj, name, text) : -ENOMEM;
}
