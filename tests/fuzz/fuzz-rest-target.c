/* SPDX-License-Identifier: Apache-2.0 */

/* Targets of HTTP requests: what is accepted has one reading. Put together again from its parts, it is taken apart the
 * same way, and its path is the very text that came. */

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/rest-target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void append(char *to, const char *what, bool encode) {
        static const char hex[] = "0123456789abcdef";
        size_t n = strlen(to);

        for (; *what; what++) {
                unsigned char c = (unsigned char) *what;

                if (encode) {
                        to[n++] = '%';
                        to[n++] = hex[c >> 4];
                        to[n++] = hex[c & 15];
                } else
                        to[n++] = *what;
        }
        to[n] = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static RestTarget t, again;
        AUTO_FREE char *uri = strndup((const char *) data, size);
        char whole[4 * REST_TARGET_MAX] = "";

        assert(uri);
        if (rest_target_parse(uri, &t, NULL) < 0)
                return 0;
        assert(t.path[0] == '/' && !strchr(t.path, '%') && strncmp(uri, t.path, strlen(t.path)) == 0);
        append(whole, t.path, false);
        for (size_t i = 0; i < t.n_members; i++) {
                append(whole, i == 0 ? "?" : "&", false);
                append(whole, t.members[i].name, true);
                append(whole, "=", false);
                append(whole, t.members[i].value, true);
        }
        if (strlen(whole) > REST_TARGET_MAX)
                return 0;
        assert(rest_target_parse(whole, &again, NULL) == 0);
        assert(strcmp(t.path, again.path) == 0 && t.n_members == again.n_members);
        for (size_t i = 0; i < t.n_members; i++) {
                const char *value = rest_target_member(&again, t.members[i].name);

                assert(value && strcmp(value, t.members[i].value) == 0);
        }
        return 0;
}
