/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What every unit test shares: TAP output, and the recorded vectors, which are not part of the project.
 * A suite that needs them calls vectors_dir() first and ends with unit_skip() without them.
 */

#include <check.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"

/* Runs @suite with TAP on standard output. Return value of main(). */
int unit_run(Suite *suite);

/* $SNP_TEST_VECTORS (set by meson to ../shared/vectors) if it is a directory, else NULL. */
const char *vectors_dir(void);

/* Reads vectors_dir()/@relative or fails the test. */
Blob vector_read(const char *relative);

/* Prints "1..0 # SKIP WHY". Return value of main(). */
int unit_skip(const char *why);
