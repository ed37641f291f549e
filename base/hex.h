/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Lower-case hex of public bytes. */

#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/cleanup.h"

/* Writes 2 * @n digits and a NUL to @ret, which must hold 2 * @n + 1 bytes. */
void hex_encode_to(const void *data, size_t n, char *ret);
/* Heap string, or NULL without memory. */
char *hex_encode(const void *data, size_t n);

/**
 * hex_decode() - decode exactly @text_len digits of either case
 * @max: most bytes wanted
 *
 * Return: 0; -EBADMSG odd length or a character that is no hex digit; -E2BIG; -ENOMEM.
 */
WARN_UNUSED int hex_decode(const char *text, size_t text_len, size_t max, Blob *ret);
/* As hex_decode(), but the result must be exactly @n bytes and goes to @ret. */
WARN_UNUSED int hex_decode_exact(const char *text, size_t text_len, void *ret, size_t n);
