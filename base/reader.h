/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Bounded cursor over untrusted bytes. All length arithmetic on hostile input happens in here. The
 * first failure is sticky: later reads return zeros and change nothing, so a parser reads top to
 * bottom like the table in its specification and asks once, at the end.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

typedef struct Reader {
        const uint8_t *data; /* borrowed */
        size_t size;
        size_t pos;      /* next byte to read; where the failure happened once error is set */
        size_t origin;   /* offset of data[0] in the outermost buffer, so that sub-readers report true offsets */
        int error;       /* 0, or -EBADMSG */
} Reader;

Reader rd_init(const void *data, size_t size);

size_t rd_left(const Reader *r);
size_t rd_offset(const Reader *r); /* offset in the outermost buffer */

/* Each returns 0 (or NULL) once the reader has failed. */
uint8_t rd_u8(Reader *r);
uint16_t rd_le16(Reader *r);
uint32_t rd_le32(Reader *r);
uint64_t rd_le64(Reader *r);
uint16_t rd_be16(Reader *r);
uint32_t rd_be32(Reader *r);
uint64_t rd_be64(Reader *r);

/* @n bytes in place, borrowed from the input; NULL on failure, non-NULL for n == 0. */
const uint8_t *rd_take(Reader *r, size_t n);
void rd_copy(Reader *r, void *dst, size_t n); /* zeroes dst on failure */
void rd_skip(Reader *r, size_t n);
void rd_zero(Reader *r, size_t n); /* fails unless the next n bytes are all zero */

/* A reader over the next @n bytes, which are consumed here. A failed @r yields a failed reader. */
Reader rd_sub(Reader *r, size_t n);

/* A reader over @n bytes at absolute position @at of @r's buffer; @r itself does not move. */
Reader rd_at(const Reader *r, size_t at, size_t n);

void rd_fail(Reader *r); /* mark the value just read as unacceptable */

/* 0 if nothing failed so far, else -EBADMSG with the offset in @e ("WHAT is truncated or malformed at offset N"). */
WARN_UNUSED int rd_check(const Reader *r, const char *what, Error *e);
/* As rd_check(), and trailing bytes are a failure too. */
WARN_UNUSED int rd_finish(Reader *r, const char *what, Error *e);

/* Loads for bytes whose bounds are known, e.g. inside a fixed array. */
uint16_t load_le16(const uint8_t *p);
uint32_t load_le32(const uint8_t *p);
uint64_t load_le64(const uint8_t *p);
uint16_t load_be16(const uint8_t *p);
uint32_t load_be32(const uint8_t *p);
uint64_t load_be64(const uint8_t *p);

bool bytes_are_zero(const void *p, size_t n);
