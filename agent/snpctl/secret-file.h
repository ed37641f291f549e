/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The ways on which a secret comes from and leaves for files, and nothing else does here. */

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/secret.h"

/* A key from a file (or device, or pipe), byte for byte. */
WARN_UNUSED int ctl_secret_read(const char *path, Secret *ret, Error *e);

/*
 * A new file that only its owner can read. It is there before the secret is fetched, so that nothing is released in
 * vain, and is removed again unless it is kept.
 */
typedef struct SecretFile {
        int fd;           /* -1: none */
        const char *path; /* borrowed */
} SecretFile;
#define SECRET_FILE_NONE ((SecretFile){ .fd = -1 })
void secret_file_done(SecretFile *f);
#define AUTO_SECRET_FILE CLEANUP(secret_file_done)

/**
 * secret_file_create() - make an empty file for a secret
 * @force: allow file systems that reach a disk
 *
 * Without @force only tmpfs and ramfs are accepted, since a secret on a disk outlives its use and the disk is the
 * host's. An existing file is never overwritten: those who have it open would not be cut off.
 *
 * Return: 0; -EINVAL with reason "usage": on a disk; -EEXIST; another errno.
 */
WARN_UNUSED int secret_file_create(const char *path, bool force, SecretFile *ret, Error *e);
WARN_UNUSED int secret_file_write(const SecretFile *f, const Secret *secret, Error *e);
void secret_file_keep(SecretFile *f);
