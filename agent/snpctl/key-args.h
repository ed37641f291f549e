/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What a key shall be made of, as it is said on a command line, and what is to be thought of it. */

#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "snp/key-request.h"

typedef struct KeyArgs {
        const char *root, *fields, *guest_svn, *tcb, *vmpl;
} KeyArgs;

/* 0; -EINVAL with reason "usage"; what snp_key_request_check() says. */
WARN_UNUSED int key_args_parse(const KeyArgs *args, SnpKeyRequest *ret, Error *e);

/* The @i-th thing that whoever relies on the key should know; NULL beyond the last. */
const char *key_args_warning(const SnpKeyRequest *q, size_t i);
