/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Who may speak for the broker: the authorities in one small file, read once. */

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"

/* Some forty certificates. A system bundle has several hundred and is asked for by another setting. */
#define KBC_CA_FILE_MAX 65536u

/* Reads @path and makes sure that every certificate in it can be read, and that there is one. PEM as it is in @ret. */
WARN_UNUSED int kbc_trust_load(const char *path, Blob *ret, Error *e);
