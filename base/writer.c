/* SPDX-License-Identifier: Apache-2.0 */
#include "base/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

Writer wr_init(size_t max) {
        return (Writer){ .max = max };
}

void wr_done(Writer *w) {
        free(w->data);
        *w = (Writer){ .max = w->max };
}

/* Room for @n more bytes, or NULL with the sticky error set. */
static uint8_t *reserve(Writer *w, size_t n) {
        if (w->error < 0)
                return NULL;
        if (n > w->max - w->size) {
                w->error = -E2BIG;
                return NULL;
        }
        if (n > w->allocated - w->size) {
                size_t want = w->allocated < 64 ? 64 : w->allocated;
                uint8_t *p;

                while (want - w->size < n)
                        want = want > w->max / 2 ? w->max : want * 2;
                p = realloc(w->data, want);
                if (!p) {
                        w->error = -ENOMEM;
                        return NULL;
                }
                w->data = p;
                w->allocated = want;
        }
        w->size += n;
        return w->data + w->size - n;
}

void wr_bytes(Writer *w, const void *p, size_t n) {
        if (n == 0)
                return;
        uint8_t *dst = reserve(w, n);
        if (dst)
                (void) memcpy(dst, p, n);
}

void wr_zeros(Writer *w, size_t n) {
        if (n == 0)
                return;
        uint8_t *dst = reserve(w, n);
        if (dst)
                (void) memset(dst, 0, n);
}

void wr_str(Writer *w, const char *s) {
        wr_bytes(w, s, strlen(s));
}

void store_le16(uint8_t *p, uint16_t v) {
        p[0] = (uint8_t) v;
        p[1] = (uint8_t) (v >> 8);
}

void store_le32(uint8_t *p, uint32_t v) {
        store_le16(p, (uint16_t) v);
        store_le16(p + 2, (uint16_t) (v >> 16));
}

void store_le64(uint8_t *p, uint64_t v) {
        store_le32(p, (uint32_t) v);
        store_le32(p + 4, (uint32_t) (v >> 32));
}

void store_be16(uint8_t *p, uint16_t v) {
        p[0] = (uint8_t) (v >> 8);
        p[1] = (uint8_t) v;
}

void store_be32(uint8_t *p, uint32_t v) {
        store_be16(p, (uint16_t) (v >> 16));
        store_be16(p + 2, (uint16_t) v);
}

void store_be64(uint8_t *p, uint64_t v) {
        store_be32(p, (uint32_t) (v >> 32));
        store_be32(p + 4, (uint32_t) v);
}

void wr_u8(Writer *w, uint8_t v) {
        wr_bytes(w, &v, 1);
}

#define DEFINE_WRITE(name, type, n)                                                                \
        void wr_##name(Writer *w, type v) {                                                        \
                uint8_t b[n];                                                                      \
                store_##name(b, v);                                                                \
                wr_bytes(w, b, n);                                                                 \
        }
DEFINE_WRITE(le16, uint16_t, 2)
DEFINE_WRITE(le32, uint32_t, 4)
DEFINE_WRITE(le64, uint64_t, 8)
DEFINE_WRITE(be16, uint16_t, 2)
DEFINE_WRITE(be32, uint32_t, 4)
DEFINE_WRITE(be64, uint64_t, 8)

int wr_finish(Writer *w, Blob *ret) {
        if (w->error < 0)
                return w->error;
        *ret = (Blob){ .data = w->data, .size = w->size };
        *w = (Writer){ .max = w->max };
        return 0;
}

int wr_finish_str(Writer *w, char **ret) {
        if (w->error == 0 && w->size > 0 && memchr(w->data, 0, w->size))
                w->error = -EBADMSG;
        wr_u8(w, 0);
        if (w->error < 0)
                return w->error;
        *ret = (char *) w->data;
        *w = (Writer){ .max = w->max };
        return 0;
}
