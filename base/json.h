/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Strict JSON on top of json-c. json-c alone accepts duplicate members (the last one wins), single-quoted
 * strings and unbounded numbers, so bytes are scanned by RFC 8259's grammar first: what two parsers could
 * read differently never reaches a decision.
 */

#include <json-c/json_object.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

static inline void json_object_cleanup(json_object **o) {
        if (*o)
                (void) json_object_put(*o);
        *o = NULL;
}
#define AUTO_JSON CLEANUP(json_object_cleanup)

/* Nesting allowed anywhere; every format we read is far flatter. */
#define JSON_DEPTH_MAX 16
/* Members of one object; bounds the duplicate check, which compares each name with those before it. */
#define JSON_MEMBERS_MAX 256

/**
 * json_parse() - parse exactly one JSON value
 * @what: names the document in error texts
 *
 * Refuses, with the offset: syntax outside RFC 8259, invalid UTF-8, duplicate member names, NUL in strings
 * (\u0000), nesting beyond JSON_DEPTH_MAX, more than JSON_MEMBERS_MAX members, integers outside [INT64_MIN, UINT64_MAX], trailing bytes.
 *
 * Return: 0, -EBADMSG or -ENOMEM.
 */
WARN_UNUSED int json_parse(const void *text, size_t len, const char *what, json_object **ret, Error *e);

/*
 * Typed members of @obj. Required unless the name says "opt"; absent or of another type is -EBADMSG with
 * the member's name. Borrowed pointers live as long as @obj.
 */
WARN_UNUSED int json_get_str(json_object *obj, const char *name, size_t max_len, const char **ret, Error *e);
WARN_UNUSED int json_get_u64(json_object *obj, const char *name, uint64_t max, uint64_t *ret, Error *e);
WARN_UNUSED int json_get_bool(json_object *obj, const char *name, bool *ret, Error *e);
WARN_UNUSED int json_get_obj(json_object *obj, const char *name, json_object **ret, Error *e);
WARN_UNUSED int json_get_array(json_object *obj, const char *name, size_t max_items, json_object **ret, Error *e);
/* Absent or null: 0 with *ret NULL. */
WARN_UNUSED int json_get_opt_str(json_object *obj, const char *name, size_t max_len, const char **ret, Error *e);
WARN_UNUSED int json_get_opt_obj(json_object *obj, const char *name, json_object **ret, Error *e);

/* Adds members; each is a no-op returning -ENOMEM without memory. @obj may be NULL (-ENOMEM), so calls chain. */
WARN_UNUSED int json_add_str(json_object *obj, const char *name, const char *value);
WARN_UNUSED int json_add_u64(json_object *obj, const char *name, uint64_t value);
WARN_UNUSED int json_add_bool(json_object *obj, const char *name, bool value);
WARN_UNUSED int json_add_hex(json_object *obj, const char *name, const void *data, size_t n);
/* Takes ownership of @value even on failure; @value NULL is -ENOMEM. */
WARN_UNUSED int json_add_take(json_object *obj, const char *name, json_object *value);
