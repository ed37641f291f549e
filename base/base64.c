/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

/* All ones when lo <= c <= hi, else zero; no branch on the data. */
static unsigned in_range(unsigned c, unsigned lo, unsigned hi) {
        return 0u - (((lo - 1u - c) & (c - hi - 1u)) >> 31);
}

static unsigned equals(unsigned a, unsigned b) {
        return 0u - (((a ^ b) - 1u) >> 31);
}

static char encode_digit(unsigned v, bool url) {
        unsigned c = (in_range(v, 0, 25) & (v + 'A')) | (in_range(v, 26, 51) & (v - 26 + 'a')) |
                     (in_range(v, 52, 61) & (v - 52 + '0')) | (equals(v, 62) & (url ? '-' : '+')) |
                     (equals(v, 63) & (url ? '_' : '/'));

        return (char) c;
}

/* 0..63, or a value with bits above 63 set for a character outside the alphabet. */
static unsigned decode_digit(unsigned char ch, bool url) {
        unsigned c = ch, c62 = url ? '-' : '+', c63 = url ? '_' : '/';
        unsigned upper = in_range(c, 'A', 'Z'), lower = in_range(c, 'a', 'z'), number = in_range(c, '0', '9');
        unsigned is62 = equals(c, c62), is63 = equals(c, c63);
        unsigned v = (upper & (c - 'A')) | (lower & (c - 'a' + 26)) | (number & (c - '0' + 52)) | (is62 & 62) |
                     (is63 & 63);

        return v | (~(upper | lower | number | is62 | is63) & 0x80);
}

char *base64_encode(Base64Variant variant, const void *data, size_t n) {
        const uint8_t *p = data;
        bool url = variant != BASE64_STD, pad = variant != BASE64_URL;
        char *text, *t;

        if (n > SIZE_MAX / 2)
                return NULL;
        text = t = malloc((n + 2) / 3 * 4 + 1);
        if (!text)
                return NULL;
        for (; n > 0; p += n < 3 ? n : 3, n -= n < 3 ? n : 3) {
                unsigned v = (unsigned) p[0] << 16 | (n > 1 ? (unsigned) p[1] << 8 : 0) | (n > 2 ? p[2] : 0);

                *t++ = encode_digit(v >> 18, url);
                *t++ = encode_digit(v >> 12 & 63, url);
                if (n > 1)
                        *t++ = encode_digit(v >> 6 & 63, url);
                else if (pad)
                        *t++ = '=';
                if (n > 2)
                        *t++ = encode_digit(v & 63, url);
                else if (pad)
                        *t++ = '=';
        }
        *t = 0;
        return text;
}

size_t base64_decoded_max(size_t text_len) {
        return text_len / 4 * 3 + 3;
}

int base64_decode_to(Base64Variant variant, const char *text, size_t text_len, void *out, size_t size, size_t *ret_n) {
        bool url = variant != BASE64_STD;
        uint8_t *p = out;
        size_t n;

        if (variant != BASE64_URL) {
                if (text_len % 4 != 0)
                        return -EBADMSG;
                for (int i = 0; i < 2 && text_len > 0 && text[text_len - 1] == '='; i++)
                        text_len--;
        }
        if (text_len % 4 == 1)
                return -EBADMSG;
        n = text_len / 4 * 3 + (text_len % 4 ? text_len % 4 - 1 : 0);
        if (n > size)
                return -E2BIG;

        for (size_t i = 0; i < text_len; i += 4) {
                size_t k = text_len - i < 4 ? text_len - i : 4;
                unsigned bad = 0, v = 0;

                for (size_t j = 0; j < 4; j++) {
                        unsigned d = j < k ? decode_digit((unsigned char) text[i + j], url) : 0;

                        bad |= d & 0x80;
                        v = v << 6 | (d & 63);
                }
                if (k < 4)
                        bad |= v & (k == 2 ? 0xffffu : 0xffu); /* bits that no byte uses must be zero */
                if (bad)
                        return -EBADMSG;
                *p++ = (uint8_t) (v >> 16);
                if (k > 2)
                        *p++ = (uint8_t) (v >> 8);
                if (k > 3)
                        *p++ = (uint8_t) v;
        }
        *ret_n = n;
        return 0;
}

int base64_decode(Base64Variant variant, const char *text, size_t text_len, size_t max, Blob *ret) {
        AUTO_BLOB Blob b = {};
        size_t room = base64_decoded_max(text_len);
        int r;

        b.data = malloc(room);
        if (!b.data)
                return -ENOMEM;
        r = base64_decode_to(variant, text, text_len, b.data, room, &b.size);
        if (r < 0)
                return r;
        if (b.size > max)
                return -E2BIG;
        *ret = blob_take(&b);
        return 0;
}
