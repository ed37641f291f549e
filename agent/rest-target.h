/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The target of an HTTP request, "/v1/resource/a/b/c?x=y", taken apart by RFC 3986 and nothing more lenient:
 * what two parsers could read differently is refused, because access depends on it.
 */

#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"

#define REST_TARGET_MAX 1024 /* bytes; a resource path has at most 384, a nonce 86 */
#define REST_MEMBERS_MAX 4   /* members of a query; no route knows more than one */

typedef struct RestMember {
        const char *name, *value; /* decoded; point into the target */
} RestMember;

typedef struct RestTarget {
        char text[REST_TARGET_MAX + 1]; /* the parts, each with its NUL */
        const char *path;               /* as it stood, without the query; it holds no '%' */
        RestMember members[REST_MEMBERS_MAX];
        size_t n_members;
} RestTarget;

/**
 * rest_target_parse() - take a request target apart
 *
 * A path has no empty, "." or ".." segment and no percent-encoding: none of ours needs one. Query members are
 * NAME=VALUE, decoded to printable ASCII; none is named twice.
 *
 * Return: 0; -EBADMSG; -E2BIG longer than REST_TARGET_MAX. *@ret is not to be used on failure.
 */
WARN_UNUSED int rest_target_parse(const char *uri, RestTarget *ret, Error *e);

/* Value of the member @name, or NULL. */
const char *rest_target_member(const RestTarget *t, const char *name);
