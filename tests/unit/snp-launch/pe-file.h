/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* PE files made for a test: as little as a loader would take, and sections. */

#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"

#define PE_FILE_AT 0x80 /* of the PE header */
#define PE_FILE_OPTIONAL_SIZE 112
#define PE_FILE_SECTIONS_AT (PE_FILE_AT + 24 + PE_FILE_OPTIONAL_SIZE)
#define PE_FILE_DATA_AT 0x400 /* of the first section's content */
#define PE_FILE_ALIGNMENT 0x200

typedef struct PeSection {
        const char *name, *content;
        size_t size; /* of the content; 0: up to its NUL */
} PeSection;

Blob pe_make(const PeSection *sections, size_t n);
