/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Candidates for a search among launches: every regular file of a folder, in the order of their names. */

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "snp/launch/explain.h"

typedef struct LaunchHashes {
        SnpNamedHash *list; /* owned, with the names */
        size_t n;
} LaunchHashes;
void launch_hashes_done(LaunchHashes *h);
#define AUTO_LAUNCH_HASHES CLEANUP(launch_hashes_done)

typedef struct LaunchImages {
        SnpNamedImage *list; /* owned, with names and data */
        size_t n;
} LaunchImages;
void launch_images_done(LaunchImages *images);
#define AUTO_LAUNCH_IMAGES CLEANUP(launch_images_done)

/* All images of a folder together; the firmware of a distribution fits several times. */
#define LAUNCH_IMAGES_BYTES_MAX (256u << 20)

/* @dir NULL: none. -E2BIG beyond SNP_EXPLAIN_FILES_MAX; files that cannot be read fail. */
WARN_UNUSED int launch_hashes_read(const char *dir, LaunchHashes *ret, Error *e);
/* The same for firmware images; files that are none are left out. */
WARN_UNUSED int launch_images_read(const char *dir, LaunchImages *ret, Error *e);

typedef struct LaunchLines {
        char *text;         /* owned */
        const char **lines; /* owned; point into text */
        size_t n;
} LaunchLines;
void launch_lines_done(LaunchLines *l);
#define AUTO_LAUNCH_LINES CLEANUP(launch_lines_done)

/* Command lines, one each line of a file; empty lines count for nothing. @path NULL: none. */
WARN_UNUSED int launch_lines_read(const char *path, LaunchLines *ret, Error *e);
