/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Growing byte buffer with a hard maximum and a sticky error: the counterpart of Reader. For public
 * bytes only; anything secret belongs in a Secret.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/cleanup.h"

typedef struct Writer {
        uint8_t *data; /* owned */
        size_t size, allocated;
        size_t max; /* E2BIG beyond this */
        int error;  /* 0, -ENOMEM or -E2BIG; sticky */
} Writer;

Writer wr_init(size_t max);
void wr_done(Writer *w);
#define AUTO_WRITER CLEANUP(wr_done)

void wr_u8(Writer *w, uint8_t v);
void wr_le16(Writer *w, uint16_t v);
void wr_le32(Writer *w, uint32_t v);
void wr_le64(Writer *w, uint64_t v);
void wr_be16(Writer *w, uint16_t v);
void wr_be32(Writer *w, uint32_t v);
void wr_be64(Writer *w, uint64_t v);
void wr_bytes(Writer *w, const void *p, size_t n);
void wr_zeros(Writer *w, size_t n);
void wr_str(Writer *w, const char *s); /* without its NUL */

/* Moves the bytes to @ret (owned by the caller) and resets the writer. 0 or the sticky error. */
WARN_UNUSED int wr_finish(Writer *w, Blob *ret);
/* As wr_finish(), NUL-terminated; fails with -EBADMSG when the text itself holds a NUL. */
WARN_UNUSED int wr_finish_str(Writer *w, char **ret);

void store_le16(uint8_t *p, uint16_t v);
void store_le32(uint8_t *p, uint32_t v);
void store_le64(uint8_t *p, uint64_t v);
void store_be16(uint8_t *p, uint16_t v);
void store_be32(uint8_t *p, uint32_t v);
void store_be64(uint8_t *p, uint64_t v);
