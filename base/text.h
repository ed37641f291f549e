/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The one way to turn text into numbers, and small checks on names. */

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

/**
 * text_to_u64() - the whole of @text as a number
 * @base: 10, 16 (digits only, no prefix) or 0 (decimal, or hex after "0x")
 *
 * No sign, no white space, no trailing characters. Return: 0; -EINVAL no number; -ERANGE outside [@min, @max].
 */
WARN_UNUSED int text_to_u64(const char *text, int base, uint64_t min, uint64_t max, uint64_t *ret);

/* "yes/no", "true/false", "on/off", "1/0". 0 or -EINVAL. */
WARN_UNUSED int text_to_bool(const char *text, bool *ret);

/* A time span as systemd writes it, reduced to one number and one unit: "90", "90s", "1500ms", "2min". 0 or -EINVAL. */
WARN_UNUSED int text_to_usec(const char *text, uint64_t *ret);

bool text_starts_with(const char *text, const char *prefix);

/*
 * Name of a key broker's resource, as the configuration, LUKS2 tokens and requests write it: three segments of
 * [A-Za-z0-9_-][A-Za-z0-9_.-]*, joined by '/'. (Trustee KBS, resource plugin: repository/type/tag.)
 */
#define TEXT_RESOURCE_PATH_MAX 384
bool text_is_resource_path(const char *text);
