/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* IGVM files made for a test: variable headers are added one by one, file data behind them. */

#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"

#define IGVM_FILE_HEADERS_MAX 4096
#define IGVM_FILE_DATA_MAX (64u * 1024u)
#define IGVM_FILE_DATA_AT (24 + IGVM_FILE_HEADERS_MAX) /* headers are filled up to a fixed size */

typedef struct IgvmFile {
        uint8_t headers[IGVM_FILE_HEADERS_MAX], data[IGVM_FILE_DATA_MAX];
        size_t headers_size, data_size;
        uint32_t version; /* 0: 1 */
} IgvmFile;

/* Content as words of 32 bits; @n bytes of it count. */
void igvm_add(IgvmFile *f, uint32_t type, const uint32_t *words, size_t n);
/* A page filled with one byte; returns its file offset. */
uint32_t igvm_add_data(IgvmFile *f, uint8_t filler, size_t size);

void igvm_add_platform(IgvmFile *f, uint32_t mask, uint8_t platform);
void igvm_add_policy(IgvmFile *f, uint64_t policy, uint32_t mask);
void igvm_add_page(IgvmFile *f, uint64_t gpa, uint32_t mask, uint32_t offset, uint32_t flags, uint16_t type);
void igvm_add_vmsa(IgvmFile *f, uint64_t gpa, uint32_t mask, uint32_t offset);

/* The file, with a right checksum. */
Blob igvm_make(const IgvmFile *f);
/* Puts the right checksum in again after a change. */
void igvm_seal(Blob *b);
