/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/token/token-json.h"

#include <errno.h>
#include <json-c/linkhash.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"

#define KEYSLOTS_MAX 32 /* limit of libcryptsetup */

static int only_known_members(json_object *token, Error *e) {
        static const char *const known[] = { "type", "keyslots", "v", "resource" };

        json_object_object_foreach(token, name, value) {
                bool is_known = false;

                (void) value;
                for (size_t i = 0; i < N_ELEMENTS(known); i++)
                        is_known = is_known || strcmp(name, known[i]) == 0;
                if (!is_known)
                        return error_set(e, -EBADMSG, "token-member", "LUKS2 token: '%.40s' is not a member we know",
                                         name);
        }
        return 0;
}

static int get_keyslots(json_object *token, uint32_t *ret, Error *e) {
        json_object *list;
        uint32_t keyslots = 0;
        int r;

        r = json_get_array(token, "keyslots", KEYSLOTS_MAX, &list, e);
        if (r < 0)
                return r;
        for (size_t i = 0; i < json_object_array_length(list); i++) {
                json_object *item = json_object_array_get_idx(list, i);
                uint64_t id;

                if (!json_object_is_type(item, json_type_string) ||
                    text_to_u64(json_object_get_string(item), 10, 0, KEYSLOTS_MAX - 1, &id) < 0)
                        return error_set(e, -EBADMSG, "token-keyslots",
                                         "LUKS2 token: keyslots is not a list of keyslots");
                keyslots |= UINT32_C(1) << id;
        }
        *ret = keyslots;
        return 0;
}

static int get_version(json_object *token, Error *e) {
        uint64_t version;
        int r = json_get_u64(token, "v", UINT32_MAX, &version, e);

        if (r < 0)
                return r;
        if (version != TOKEN_VERSION)
                return error_set(e, -EOPNOTSUPP, "token-version", "LUKS2 token: version %llu, where we know %u",
                                 (unsigned long long) version, TOKEN_VERSION);
        return 0;
}

static int get_resource(json_object *token, const char **ret, Error *e) {
        const char *resource;
        int r = json_get_str(token, "resource", TEXT_RESOURCE_PATH_MAX, &resource, e);

        if (r < 0)
                return r;
        if (!text_is_resource_path(resource))
                return error_set(e, -EBADMSG, "token-resource",
                                 "LUKS2 token: resource '%.80s' is not repository/type/tag", resource);
        *ret = resource;
        return 0;
}

static int read_token(json_object *token, TokenHint *ret, Error *e) {
        const char *type = NULL, *resource = NULL;
        TokenHint hint = {};
        int r;

        r = json_get_str(token, "type", TOKEN_JSON_MAX, &type, e);
        if (r < 0)
                return r;
        if (strcmp(type, TOKEN_TYPE) != 0)
                return error_set(e, -ENOENT, "token-type", "LUKS2 token: type '%.40s' is not " TOKEN_TYPE, type);
        r = get_version(token, e);
        if (r < 0)
                return r;
        r = only_known_members(token, e);
        if (r < 0)
                return r;
        r = get_keyslots(token, &hint.keyslots, e);
        if (r < 0)
                return r;
        r = get_resource(token, &resource, e);
        if (r < 0)
                return r;
        (void) memcpy(hint.resource, resource, strlen(resource) + 1);
        *ret = hint;
        return 0;
}

int token_json_parse(const char *json, size_t size, TokenHint *ret, Error *e) {
        AUTO_JSON json_object *token = NULL;
        int r;

        if (size > TOKEN_JSON_MAX)
                return error_set(e, -E2BIG, "token-too-large", "LUKS2 token: %zu bytes exceed the limit of %u", size,
                                 TOKEN_JSON_MAX);
        r = json_parse(json, size, "LUKS2 token", &token, e);
        if (r < 0)
                return r;
        if (!json_object_is_type(token, json_type_object))
                return error_set(e, -EBADMSG, "token-malformed", "LUKS2 token: not a JSON object");
        return read_token(token, ret, e);
}

int token_json_format(const char *resource, unsigned keyslot, char **ret, Error *e) {
        char *text;

        if (!text_is_resource_path(resource))
                return error_set(e, -EINVAL, "resource-path", "'%.80s' is not a resource path (repository/type/tag)",
                                 resource);
        /* Every character that the resource may have stands for itself in JSON. */
        if (asprintf(&text, "{\"type\":\"" TOKEN_TYPE "\",\"keyslots\":[\"%u\"],\"v\":%u,\"resource\":\"%s\"}", keyslot,
                     TOKEN_VERSION, resource) < 0)
                return error_oom(e);
        *ret = text;
        return 0;
}
