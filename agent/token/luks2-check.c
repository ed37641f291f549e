/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Two passes. The first looks at nothing but ciphers: any "encryption" member, wherever it stands, that
 * names a null cipher ends the matter, so that no hole in the second pass can let one through. The second
 * walks the document by tables: each object has a list of the members it may have, each with its type
 * and, where we judge it, a function. A member that is not in its table is refused; to judge one more
 * property is to put a function into a row.
 */

#include "agent/token/luks2-check.h"

#include <errno.h>
#include <json-c/json_util.h>
#include <json-c/linkhash.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"

#define PATH_MAX_BYTES 160
#define NAME_SHOWN 40 /* of a member's name in a path; it is the host's text */

typedef struct Check {
        char path[PATH_MAX_BYTES]; /* where we are, "segments.0.encryption" */
        Luks2Volume volume;
        uint32_t covered; /* keyslots that the digest covers */
        Error *e;
} Check;

typedef int (*CheckFn)(Check *c, json_object *value);

typedef struct Member {
        const char *name;
        json_type type;
        bool required;
        CheckFn check; /* NULL: the type is all that matters here */
} Member;

/* dm-crypt cipher specifications that give confidentiality and that we enrol volumes with. */
static const char *const allowed_ciphers[] = { "aes-xts-plain64" };

static size_t path_push(Check *c, const char *name) {
        size_t at = strlen(c->path);

        (void) snprintf(c->path + at, sizeof(c->path) - at, "%s%.*s", at > 0 ? "." : "", NAME_SHOWN, name);
        return at;
}

static void path_pop(Check *c, size_t at) {
        c->path[at] = 0;
}

static const char *path_shown(const Check *c) {
        return c->path[0] ? c->path : "header";
}

static int refuse(Check *c, const char *reason, const char *why) {
        return error_set(c->e, -EPERM, reason, "LUKS2 %s: %s", path_shown(c), why);
}

/* The kernel's crypto API also takes "capi:ecb(cipher_null)-plain", so the name may stand anywhere. */
static bool is_null_cipher(const char *cipher) {
        return strcasestr(cipher, "cipher_null") != NULL;
}

static int find_null_ciphers(Check *c, json_object *value);

static int find_null_in_member(Check *c, const char *name, json_object *value) {
        size_t at = path_push(c, name);
        int r;

        if (strcmp(name, "encryption") == 0 && json_object_is_type(value, json_type_string) &&
            is_null_cipher(json_object_get_string(value)))
                return error_set(c->e, -EPERM, "luks2-null-cipher", "LUKS2 %s: '%.*s' does not encrypt",
                                 path_shown(c), NAME_SHOWN, json_object_get_string(value));
        r = find_null_ciphers(c, value);
        path_pop(c, at);
        return r;
}

/* Recursion is bounded by JSON_DEPTH_MAX. */
static int find_null_ciphers(Check *c, json_object *value) {
        int r = 0;

        if (json_object_is_type(value, json_type_object)) {
                json_object_object_foreach(value, name, member) {
                        r = find_null_in_member(c, name, member);
                        if (r < 0)
                                return r;
                }
        } else if (json_object_is_type(value, json_type_array)) {
                for (size_t i = 0; i < json_object_array_length(value) && r == 0; i++)
                        r = find_null_ciphers(c, json_object_array_get_idx(value, i));
        }
        return r;
}

static const Member *find_member(const Member *members, size_t n, const char *name) {
        for (size_t i = 0; i < n; i++)
                if (strcmp(members[i].name, name) == 0)
                        return &members[i];
        return NULL;
}

static int check_member(Check *c, const Member *member, json_object *value) {
        if (!member)
                return refuse(c, "luks2-member", "not a member that we accept here");
        if (!json_object_is_type(value, member->type))
                return error_set(c->e, -EBADMSG, "luks2-malformed", "LUKS2 %s: not of type %s", path_shown(c),
                                 json_type_to_name(member->type));
        return member->check ? member->check(c, value) : 0;
}

static int check_object(Check *c, json_object *object, const Member *members, size_t n) {
        json_object_object_foreach(object, name, value) {
                size_t at = path_push(c, name);
                int r = check_member(c, find_member(members, n, name), value);

                if (r < 0)
                        return r;
                path_pop(c, at);
        }
        for (size_t i = 0; i < n; i++)
                if (members[i].required && !json_object_object_get_ex(object, members[i].name, NULL)) {
                        (void) path_push(c, members[i].name);
                        return refuse(c, "luks2-member", "missing");
                }
        return 0;
}

/* The objects of one kind, "0": {...}, "1": {...}; the bits of the ids that occur go to @ret_ids. */
static int check_numbered(Check *c, json_object *objects, const Member *members, size_t n, uint32_t *ret_ids) {
        uint32_t ids = 0;

        json_object_object_foreach(objects, name, object) {
                size_t at = path_push(c, name);
                uint64_t id;
                int r;

                if (text_to_u64(name, 10, 0, LUKS2_KEYSLOTS_MAX - 1, &id) < 0 || (name[0] == '0' && name[1]))
                        return error_set(c->e, -EBADMSG, "luks2-malformed", "LUKS2 %s: not an object number",
                                         path_shown(c));
                if (!json_object_is_type(object, json_type_object))
                        return error_set(c->e, -EBADMSG, "luks2-malformed", "LUKS2 %s: not an object",
                                         path_shown(c));
                r = check_object(c, object, members, n);
                if (r < 0)
                        return r;
                ids |= UINT32_C(1) << id;
                path_pop(c, at);
        }
        *ret_ids = ids;
        return 0;
}

static int check_text(Check *c, json_object *value, const char *wanted, const char *reason) {
        if (strcmp(json_object_get_string(value), wanted) == 0)
                return 0;
        return error_set(c->e, -EPERM, reason, "LUKS2 %s: '%.*s' is not '%s'", path_shown(c), NAME_SHOWN,
                         json_object_get_string(value), wanted);
}

static int check_cipher(Check *c, json_object *value) {
        const char *cipher = json_object_get_string(value);

        for (size_t i = 0; i < N_ELEMENTS(allowed_ciphers); i++)
                if (strcmp(cipher, allowed_ciphers[i]) == 0)
                        return 0;
        return error_set(c->e, -EPERM, "luks2-cipher", "LUKS2 %s: cipher '%.*s' is not allowed", path_shown(c),
                         NAME_SHOWN, cipher);
}

static int check_crypt_type(Check *c, json_object *value) {
        return check_text(c, value, "crypt", "luks2-type");
}

static int check_luks2_type(Check *c, json_object *value) {
        return check_text(c, value, "luks2", "luks2-type");
}

static int check_raw_type(Check *c, json_object *value) {
        return check_text(c, value, "raw", "luks2-type");
}

static int check_pbkdf2_type(Check *c, json_object *value) {
        return check_text(c, value, "pbkdf2", "luks2-type");
}

static int check_segment_cipher(Check *c, json_object *value) {
        int r = check_cipher(c, value);

        if (r == 0)
                (void) snprintf(c->volume.cipher, sizeof(c->volume.cipher), "%s", json_object_get_string(value));
        return r;
}

static int check_segments(Check *c, json_object *value) {
        static const Member members[] = {
                { "type", json_type_string, true, check_crypt_type },
                { "offset", json_type_string, true, NULL },
                { "size", json_type_string, true, NULL },
                { "iv_tweak", json_type_string, true, NULL },
                { "encryption", json_type_string, true, check_segment_cipher },
                { "sector_size", json_type_int, true, NULL },
        };
        uint32_t ids;
        int r = check_numbered(c, value, members, N_ELEMENTS(members), &ids);

        if (r < 0)
                return r;
        if (ids != 1)
                return refuse(c, "luks2-segments", "there must be segment 0 and no other");
        return 0;
}

static int check_area(Check *c, json_object *value) {
        static const Member members[] = {
                { "type", json_type_string, true, check_raw_type },
                { "offset", json_type_string, true, NULL },
                { "size", json_type_string, true, NULL },
                { "encryption", json_type_string, true, check_cipher },
                { "key_size", json_type_int, true, NULL },
        };

        return check_object(c, value, members, N_ELEMENTS(members));
}

static int check_keyslots(Check *c, json_object *value) {
        static const Member members[] = {
                { "type", json_type_string, true, check_luks2_type },
                { "key_size", json_type_int, true, NULL },
                { "priority", json_type_int, false, NULL },
                { "af", json_type_object, true, NULL },
                { "area", json_type_object, true, check_area },
                { "kdf", json_type_object, true, NULL },
        };
        int r = check_numbered(c, value, members, N_ELEMENTS(members), &c->volume.keyslots);

        if (r < 0)
                return r;
        if (c->volume.keyslots == 0)
                return refuse(c, "luks2-keyslots", "there is none");
        return 0;
}

static int check_covered_segments(Check *c, json_object *value) {
        json_object *only = json_object_array_length(value) == 1 ? json_object_array_get_idx(value, 0) : NULL;

        if (!json_object_is_type(only, json_type_string) || strcmp(json_object_get_string(only), "0") != 0)
                return refuse(c, "luks2-digests", "does not cover segment 0 and nothing else");
        return 0;
}

static int check_covered_keyslots(Check *c, json_object *value) {
        for (size_t i = 0; i < json_object_array_length(value); i++) {
                json_object *item = json_object_array_get_idx(value, i);
                uint64_t id;

                if (!json_object_is_type(item, json_type_string) ||
                    text_to_u64(json_object_get_string(item), 10, 0, LUKS2_KEYSLOTS_MAX - 1, &id) < 0)
                        return error_set(c->e, -EBADMSG, "luks2-malformed", "LUKS2 %s: not a list of keyslots",
                                         path_shown(c));
                c->covered |= UINT32_C(1) << id;
        }
        return 0;
}

static int check_digests(Check *c, json_object *value) {
        static const Member members[] = {
                { "type", json_type_string, true, check_pbkdf2_type },
                { "keyslots", json_type_array, true, check_covered_keyslots },
                { "segments", json_type_array, true, check_covered_segments },
                { "hash", json_type_string, true, NULL },
                { "iterations", json_type_int, true, NULL },
                { "salt", json_type_string, true, NULL },
                { "digest", json_type_string, true, NULL },
        };
        uint32_t ids;
        int r;

        if (json_object_object_length(value) != 1)
                return refuse(c, "luks2-digests", "there must be exactly one");
        r = check_numbered(c, value, members, N_ELEMENTS(members), &ids);
        return r < 0 ? r : 0;
}

/* Not in the table: "requirements", an unfinished reencryption, and "flags", which change how the mapping is set up. */
static int check_config(Check *c, json_object *value) {
        static const Member members[] = {
                { "json_size", json_type_string, true, NULL },
                { "keyslots_size", json_type_string, true, NULL },
        };

        return check_object(c, value, members, N_ELEMENTS(members));
}

static int check_header(Check *c, json_object *header) {
        static const Member members[] = {
                { "keyslots", json_type_object, true, check_keyslots },
                { "tokens", json_type_object, true, NULL },
                { "segments", json_type_object, true, check_segments },
                { "digests", json_type_object, true, check_digests },
                { "config", json_type_object, true, check_config },
        };
        int r;

        r = find_null_ciphers(c, header);
        if (r < 0)
                return r;
        r = check_object(c, header, members, N_ELEMENTS(members));
        if (r < 0)
                return r;
        if (c->covered != c->volume.keyslots) {
                (void) path_push(c, "digests");
                return refuse(c, "luks2-digests", "does not cover exactly the keyslots that exist");
        }
        return 0;
}

int luks2_check(const char *json, size_t size, Luks2Volume *ret, Error *e) {
        AUTO_JSON json_object *header = NULL;
        Check c = { .e = e };
        int r;

        if (size > LUKS2_JSON_MAX)
                return error_set(e, -E2BIG, "luks2-malformed", "LUKS2 header: %zu bytes of JSON exceed the limit of %u",
                                 size, LUKS2_JSON_MAX);
        r = json_parse(json, size, "LUKS2 header", &header, e);
        if (r < 0)
                return r;
        if (!json_object_is_type(header, json_type_object))
                return error_set(e, -EBADMSG, "luks2-malformed", "LUKS2 header: not a JSON object");
        r = check_header(&c, header);
        if (r < 0)
                return r;
        *ret = c.volume;
        return 0;
}
