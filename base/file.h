/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Whole public files. Secrets go through secret_read_fd() and secret_write_fd() instead. */

#include <stddef.h>
#include <sys/types.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"

/**
 * file_read() - read a whole file or pseudo file
 * @max:  -E2BIG when it holds more
 *
 * Reads to end of file; st_size is no more than a hint on how much to allocate. Error text names the path.
 */
WARN_UNUSED int file_read(const char *path, size_t max, Blob *ret, Error *e);
WARN_UNUSED int file_read_fd(int fd, const char *name, size_t max, Blob *ret, Error *e);

/* As file_read(), NUL-terminated; a NUL byte inside is -EBADMSG. */
WARN_UNUSED int file_read_text(const char *path, size_t max, char **ret, Error *e);

/* Writes all of @size bytes, retrying short writes. */
WARN_UNUSED int file_write_fd(int fd, const char *name, const void *data, size_t size, Error *e);

/**
 * file_write_atomic() - replace @path by a file with these bytes, or leave it as it was
 *
 * Writes a temporary file beside it, syncs, renames. A symlink at @path is replaced, not followed.
 */
WARN_UNUSED int file_write_atomic(const char *path, const void *data, size_t size, mode_t mode, Error *e);
