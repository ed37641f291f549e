/* SPDX-License-Identifier: Apache-2.0 */
#include "base/blob.h"

#include <errno.h>
#include <string.h>

int blob_dup(const void *data, size_t size, Blob *ret) {
        uint8_t *p = NULL;

        if (size > 0) {
                p = malloc(size);
                if (!p)
                        return -ENOMEM;
                (void) memcpy(p, data, size);
        }
        *ret = (Blob){ .data = p, .size = size };
        return 0;
}

void blob_done(Blob *b) {
        free(b->data);
        *b = (Blob){};
}

bool blob_equal(const Blob *a, const Blob *b) {
        return a->size == b->size && (a->size == 0 || memcmp(a->data, b->data, a->size) == 0);
}

Blob blob_take(Blob *b) {
        Blob taken = *b;

        *b = (Blob){};
        return taken;
}
