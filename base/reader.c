/* SPDX-License-Identifier: Apache-2.0 */
#include "base/reader.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

Reader rd_init(const void *data, size_t size) {
        assert(data || size == 0);
        return (Reader){ .data = data ? data : (const uint8_t *) "", .size = size };
}

size_t rd_left(const Reader *r) {
        assert(r->pos <= r->size);
        return r->error < 0 ? 0 : r->size - r->pos;
}

size_t rd_offset(const Reader *r) {
        return r->origin + r->pos;
}

const uint8_t *rd_take(Reader *r, size_t n) {
        const uint8_t *p;

        if (r->error < 0)
                return NULL;
        if (n > rd_left(r)) {
                r->error = -EBADMSG;
                return NULL;
        }
        p = r->data + r->pos;
        r->pos += n;
        return p;
}

uint16_t load_le16(const uint8_t *p) {
        return (uint16_t) (p[0] | p[1] << 8);
}

uint32_t load_le32(const uint8_t *p) {
        return (uint32_t) load_le16(p) | (uint32_t) load_le16(p + 2) << 16;
}

uint64_t load_le64(const uint8_t *p) {
        return (uint64_t) load_le32(p) | (uint64_t) load_le32(p + 4) << 32;
}

uint16_t load_be16(const uint8_t *p) {
        return (uint16_t) (p[0] << 8 | p[1]);
}

uint32_t load_be32(const uint8_t *p) {
        return (uint32_t) load_be16(p) << 16 | load_be16(p + 2);
}

uint64_t load_be64(const uint8_t *p) {
        return (uint64_t) load_be32(p) << 32 | load_be32(p + 4);
}

uint8_t rd_u8(Reader *r) {
        const uint8_t *p = rd_take(r, 1);
        return p ? *p : 0;
}

uint16_t rd_le16(Reader *r) {
        const uint8_t *p = rd_take(r, 2);
        return p ? load_le16(p) : 0;
}

uint32_t rd_le32(Reader *r) {
        const uint8_t *p = rd_take(r, 4);
        return p ? load_le32(p) : 0;
}

uint64_t rd_le64(Reader *r) {
        const uint8_t *p = rd_take(r, 8);
        return p ? load_le64(p) : 0;
}

uint16_t rd_be16(Reader *r) {
        const uint8_t *p = rd_take(r, 2);
        return p ? load_be16(p) : 0;
}

uint32_t rd_be32(Reader *r) {
        const uint8_t *p = rd_take(r, 4);
        return p ? load_be32(p) : 0;
}

uint64_t rd_be64(Reader *r) {
        const uint8_t *p = rd_take(r, 8);
        return p ? load_be64(p) : 0;
}

void rd_copy(Reader *r, void *dst, size_t n) {
        const uint8_t *p = rd_take(r, n);

        if (p)
                (void) memcpy(dst, p, n);
        else
                (void) memset(dst, 0, n);
}

void rd_skip(Reader *r, size_t n) {
        (void) rd_take(r, n);
}

bool bytes_are_zero(const void *p, size_t n) {
        const uint8_t *b = p;

        for (size_t i = 0; i < n; i++)
                if (b[i] != 0)
                        return false;
        return true;
}

void rd_zero(Reader *r, size_t n) {
        const uint8_t *p = rd_take(r, n);

        for (size_t i = 0; p && i < n; i++)
                if (p[i] != 0) {
                        r->pos -= n - i; /* point at the offending byte */
                        r->error = -EBADMSG;
                        return;
                }
}

Reader rd_sub(Reader *r, size_t n) {
        size_t at = r->pos;
        const uint8_t *p = rd_take(r, n);

        if (!p)
                return (Reader){ .data = r->data, .origin = r->origin + r->pos, .error = -EBADMSG };
        return (Reader){ .data = p, .size = n, .origin = r->origin + at };
}

Reader rd_at(const Reader *r, size_t at, size_t n) {
        if (r->error < 0 || at > r->size || n > r->size - at)
                return (Reader){ .data = r->data, .origin = r->origin + at, .error = -EBADMSG };
        return (Reader){ .data = r->data + at, .size = n, .origin = r->origin + at };
}

void rd_fail(Reader *r) {
        if (r->error == 0)
                r->error = -EBADMSG;
}

int rd_check(const Reader *r, const char *what, Error *e) {
        if (r->error < 0)
                return error_set(e, r->error, "malformed", "%s is truncated or malformed at offset %zu", what,
                                 rd_offset(r));
        return 0;
}

int rd_finish(Reader *r, const char *what, Error *e) {
        if (rd_check(r, what, e) < 0)
                return -EBADMSG;
        if (rd_left(r) > 0)
                return error_set(e, -EBADMSG, "trailing-bytes", "%s has %zu trailing bytes at offset %zu", what,
                                 rd_left(r), rd_offset(r));
        return 0;
}
