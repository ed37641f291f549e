/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Small LUKS2 file images, and the hand of a host that rewrites their headers. Failures fail the test. */

#include <stddef.h>

#define LUKS2_IMAGE_UUID "5e1f0b5c-3a52-4f6e-9d5b-0c1a2b3c4d5e"

/* Formats @path with keyslot 0 opened by @key (cheap PBKDF2, as for keys from a broker). */
void luks2_image_create(const char *path, const void *key, size_t key_size);
/* Puts @json in as token 0. */
void luks2_image_set_token(const char *path, const char *json);
/* Sets "segments.0.encryption" or the like to JSON text in both header copies, with valid checksums;
 * NULL removes it. */
void luks2_image_edit(const char *path, const char *member, const char *value);
/* The JSON area of the primary header; owned by the caller. */
char *luks2_image_json(const char *path);
