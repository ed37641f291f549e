/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The JSON Canonicalization Scheme of RFC 8785: one text for one value, so that two parties can hash it. No white
 * space, members sorted by UTF-16 code units, no escape that is not needed ('/' stays as it is).
 */

#include <json-c/json_object.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/writer.h"

/* Members per object; what we canonicalise has at most four. */
#define KBC_JCS_MEMBERS_MAX 32

/**
 * kbc_jcs_write() - append the canonical text of @value
 * @value: borrowed; NULL is the JSON null
 *
 * Numbers are integers within +-(2^53 - 1) only, the range in which RFC 8785 section 3.2.2.3 is plain decimal.
 *
 * Return: 0; -EOPNOTSUPP any other number; -E2BIG too many members, too deep or over the limit of @w; -ENOMEM.
 */
WARN_UNUSED int kbc_jcs_write(json_object *value, Writer *w, Error *e);

/* Appends @s, which is UTF-8, as a JSON string with its quotes. */
void kbc_jcs_string(Writer *w, const char *s, size_t len);
