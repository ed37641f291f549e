/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * RFC 4648 base64, both alphabets, strict: no white space, no foreign character, padding exactly as the
 * variant says, and unused bits of the last digit zero, so that every text has one decoding and every
 * decoding one text. Digit look-up does not index tables by the data, so timing tells nothing about it.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/cleanup.h"

typedef enum Base64Variant {
        BASE64_STD,        /* '+' and '/', '=' padding required */
        BASE64_URL,        /* '-' and '_', no padding (JOSE) */
        BASE64_URL_PADDED, /* '-' and '_', '=' padding required */
} Base64Variant;

/* Heap string, or NULL without memory. */
char *base64_encode(Base64Variant variant, const void *data, size_t n);

/* Upper bound of the decoded size. */
size_t base64_decoded_max(size_t text_len);

/**
 * base64_decode_to() - decode into a caller's buffer (which may be a Secret's)
 * @size:  room at @out; -E2BIG when it does not suffice
 *
 * Return: 0 and the number of bytes in @ret_n; -EBADMSG with nothing promised about @out; -E2BIG.
 */
WARN_UNUSED int base64_decode_to(Base64Variant variant, const char *text, size_t text_len, void *out, size_t size,
                                 size_t *ret_n);
WARN_UNUSED int base64_decode(Base64Variant variant, const char *text, size_t text_len, size_t max, Blob *ret);
