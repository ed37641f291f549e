/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Properties: an accepted header has exactly one segment and no null cipher in any "encryption" member, as an
 * independent look at the document tells; and judging twice gives the same.
 */

#include <assert.h>
#include <json-c/linkhash.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "agent/token/luks2-check.h"
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool names_null_cipher(const char *name, json_object *value) {
        if (name && strcmp(name, "encryption") == 0 && json_object_is_type(value, json_type_string) &&
            strstr(json_object_get_string(value), "cipher_null"))
                return true;
        if (json_object_is_type(value, json_type_object)) {
                json_object_object_foreach(value, inner, member)
                        if (names_null_cipher(inner, member))
                                return true;
        }
        if (json_object_is_type(value, json_type_array))
                for (size_t i = 0; i < json_object_array_length(value); i++)
                        if (names_null_cipher(NULL, json_object_array_get_idx(value, i)))
                                return true;
        return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        AUTO_JSON json_object *header = NULL;
        json_object *segments;
        Luks2Volume first = {}, second = {};
        Error e = {};
        int r;

        if (size > 1u << 16)
                return 0;
        r = luks2_check((const char *) data, size, &first, &e);
        assert(luks2_check((const char *) data, size, &second, NULL) == r);
        assert(memcmp(&first, &second, sizeof(first)) == 0);
        if (r < 0) {
                assert(e.code == r && e.text[0] && e.reason);
                return 0;
        }
        r = json_parse(data, size, "header", &header, NULL);
        assert(r == 0);
        assert(json_object_object_get_ex(header, "segments", &segments));
        assert(json_object_object_length(segments) == 1);
        assert(!names_null_cipher(NULL, header));
        assert(strcmp(first.cipher, "aes-xts-plain64") == 0 && first.keyslots != 0);
        return 0;
}
