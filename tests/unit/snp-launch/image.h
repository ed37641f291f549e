/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Firmware images made for a test: filler, SEV metadata, a table of GUIDed entries and a reset vector. */

#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"

typedef struct ImageSection {
        uint32_t gpa, size, type;
} ImageSection;

typedef struct Image {
        size_t size; /* of the image */
        uint8_t filler;
        const ImageSection *sections;
        size_t n_sections;
        uint32_t ap_reset;             /* 0: no such entry, and so on */
        uint32_t hash_base, hash_size;
        uint32_t svsm_entry;
        uint32_t ap_reset_again;       /* a second entry, further from the end */
        /* To be wrong on purpose: added to what would be right. */
        int metadata_distance, metadata_length, metadata_version, metadata_count, table_length, entry_length;
} Image;

/* 16 KiB with the sections of edk2's AmdSevX64 build. */
extern const Image image_amdsev;

Blob image_make(const Image *image);
