/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The only type that may hold a key, a passphrase or a released resource. Its bytes have a mapping of
 * their own between two guard pages, locked into memory, left out of core dumps, not inherited by a
 * child, and wiped before they are unmapped. There is no copy function and no printf support: a secret
 * moves (secret_take) and leaves the process only through the function whose job that is.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

/* Largest secret; a broker resource above this is refused. Well below the default RLIMIT_MEMLOCK of 8 MiB. */
#define SECRET_MAX (64u * 1024u)

typedef struct Secret {
        uint8_t *bytes; /* NULL when nothing is allocated */
        size_t len;     /* bytes in use */
        size_t size;    /* bytes that fit */
        bool locked;    /* false when mlock() was refused; the holder decides whether to warn */
} Secret;

/* Allocates room for @size bytes (1..SECRET_MAX), zeroed; len is set to @size. 0, -E2BIG, -EINVAL or -ENOMEM. */
WARN_UNUSED int secret_alloc(size_t size, Secret *ret, Error *e);
void secret_done(Secret *s); /* wipes and unmaps; idempotent */
#define AUTO_SECRET CLEANUP(secret_done)

/* Moves ownership out of @s, which is empty afterwards. */
Secret secret_take(Secret *s);

/* Shortens the secret; the bytes given up are wiped. @len must not exceed s->len. */
void secret_truncate(Secret *s, size_t len);

/* Constant time in the contents; lengths are not secret. */
bool secret_equal(const Secret *a, const Secret *b);

/**
 * secret_read_fd() - read a secret from @fd up to end of file, straight into locked memory
 * @max:  1..SECRET_MAX; more input is -E2BIG
 *
 * Does not go through stdio and strips nothing. An empty input is -EBADMSG.
 */
WARN_UNUSED int secret_read_fd(int fd, size_t max, Secret *ret, Error *e);

/* Writes all of it, retrying short writes. 0 or negative errno. */
WARN_UNUSED int secret_write_fd(int fd, const Secret *s, Error *e);

/* Makes this process undumpable and limits core files to nothing. Call early, before the first secret. */
WARN_UNUSED int secret_protect_process(Error *e);
