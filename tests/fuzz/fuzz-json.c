/* SPDX-License-Identifier: Apache-2.0 */

/* Property: what the strict parser accepts, json-c prints as text that it accepts again, with the same meaning. */

#include <assert.h>
#include <json-c/json_object.h>
#include <stdint.h>
#include <string.h>

#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        AUTO_JSON json_object *first = NULL, *second = NULL;
        const char *text;
        Error e = {};
        int r;

        if (size > 1u << 16)
                return 0;
        r = json_parse(data, size, "input", &first, &e);
        if (r < 0) {
                assert(e.code == r && e.text[0]);
                return 0;
        }
        text = json_object_to_json_string_ext(first, JSON_C_TO_STRING_PLAIN);
        r = json_parse(text, strlen(text), "again", &second, NULL);
        assert(r == 0);
        assert(json_object_equal(first, second));
        return 0;
}
