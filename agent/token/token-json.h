/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Our LUKS2 token: {"type":"snp-agent","keyslots":["1"],"v":1,"resource":"repository/type/tag"}. It says
 * which resource of the key broker opens which keyslots, and nothing else. The host can rewrite it at
 * will, so it is a hint: whether the resource may be used for the volume is decided by the agent's
 * configuration and by the broker.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/text.h"

#define TOKEN_TYPE "snp-agent"
#define TOKEN_VERSION 1
#define TOKEN_JSON_MAX 4096

typedef struct TokenHint {
        char resource[TEXT_RESOURCE_PATH_MAX + 1];
        uint32_t keyslots; /* bit N: may open keyslot N; 0 once they were all destroyed */
} TokenHint;

/**
 * token_json_parse() - read a token of our type
 *
 * Strict: exactly the four members above. The resource must be a resource path (base/text.h), so nothing in
 * it can climb out of one.
 *
 * Return: 0; -ENOENT a token of another type (the Error is set, but need not be shown); -EBADMSG;
 * -EOPNOTSUPP a version that we do not know; -E2BIG; -ENOMEM.
 */
WARN_UNUSED int token_json_parse(const char *json, size_t size, TokenHint *ret, Error *e);

/* The text of a token for one keyslot; -EINVAL when @resource is no resource path. */
WARN_UNUSED int token_json_format(const char *resource, unsigned keyslot, char **ret, Error *e);
