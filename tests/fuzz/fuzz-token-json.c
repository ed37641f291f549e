/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Properties: the host's token names nothing but a resource path and keyslots that a header can have; and what is
 * accepted says the same when it is written again, a keyslot at a time.
 */

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/token/token-json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        TokenHint hint = {}, again = {};
        uint32_t keyslots = 0;
        Error e = {};
        int r = token_json_parse((const char *) data, size, &hint, &e);

        if (r < 0) {
                assert(e.code == r && e.text[0] && e.reason);
                assert(hint.resource[0] == 0 && hint.keyslots == 0);
                return 0;
        }
        assert(size <= TOKEN_JSON_MAX);
        assert(text_is_resource_path(hint.resource));
        for (unsigned i = 0; i < 32; i++) {
                AUTO_FREE char *text = NULL;

                if (!(hint.keyslots & UINT32_C(1) << i))
                        continue;
                assert(token_json_format(hint.resource, i, &text, NULL) == 0);
                assert(token_json_parse(text, strlen(text), &again, NULL) == 0);
                assert(strcmp(again.resource, hint.resource) == 0);
                keyslots |= again.keyslots;
        }
        assert(keyslots == hint.keyslots);
        return 0;
}
