/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Bytes that somebody else owns. */
typedef struct VtpmBytes {
        const uint8_t *data;
        size_t size;
} VtpmBytes;
