/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hex.h"

#include <errno.h>
#include <stdlib.h>

void hex_encode_to(const void *data, size_t n, char *ret) {
        static const char digits[] = "0123456789abcdef";
        const uint8_t *p = data;

        for (size_t i = 0; i < n; i++) {
                ret[2 * i] = digits[p[i] >> 4];
                ret[2 * i + 1] = digits[p[i] & 15];
        }
        ret[2 * n] = 0;
}

char *hex_encode(const void *data, size_t n) {
        char *s;

        if (n > (SIZE_MAX - 1) / 2)
                return NULL;
        s = malloc(2 * n + 1);
        if (s)
                hex_encode_to(data, n, s);
        return s;
}

static int digit(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return -1;
}

int hex_decode_exact(const char *text, size_t text_len, void *ret, size_t n) {
        uint8_t *out = ret;

        if (text_len % 2 != 0 || text_len / 2 != n)
                return -EBADMSG;
        for (size_t i = 0; i < text_len; i++)
                if (digit(text[i]) < 0)
                        return -EBADMSG;
        for (size_t i = 0; i < n; i++)
                out[i] = (uint8_t) (digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
        return 0;
}

int hex_decode(const char *text, size_t text_len, size_t max, Blob *ret) {
        AUTO_BLOB Blob b = {};
        int r;

        if (text_len % 2 != 0)
                return -EBADMSG;
        if (text_len / 2 > max)
                return -E2BIG;
        b.size = text_len / 2;
        if (b.size > 0) {
                b.data = malloc(b.size);
                if (!b.data)
                        return -ENOMEM;
        }
        r = hex_decode_exact(text, text_len, b.data, b.size);
        if (r < 0)
                return r;
        *ret = blob_take(&b);
        return 0;
}
