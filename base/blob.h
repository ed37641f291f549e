/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Owned public bytes on the heap. Keys and passphrases never live in one: see base/secret.h. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

typedef struct Blob {
        uint8_t *data; /* owned; NULL when empty */
        size_t size;
} Blob;

WARN_UNUSED int blob_dup(const void *data, size_t size, Blob *ret); /* 0 or -ENOMEM */
void blob_done(Blob *b);                                            /* idempotent */
bool blob_equal(const Blob *a, const Blob *b);                      /* not constant time */
#define AUTO_BLOB CLEANUP(blob_done)

/* Moves ownership out of @b, which is empty afterwards. */
Blob blob_take(Blob *b);
