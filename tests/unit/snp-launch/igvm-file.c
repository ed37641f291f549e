/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/snp-launch/igvm-file.h"

#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "base/writer.h"

#define FIXED_SIZE 24

void igvm_add(IgvmFile *f, uint32_t type, const uint32_t *words, size_t n) {
        uint8_t *p = f->headers + f->headers_size;

        if (f->headers_size + 8 + n + 8 > IGVM_FILE_HEADERS_MAX)
                abort();
        store_le32(p, type);
        store_le32(p + 4, (uint32_t) n);
        for (size_t i = 0; i < (n + 3) / 4; i++)
                store_le32(p + 8 + 4 * i, words[i]);
        f->headers_size += 8 + (n + 7) / 8 * 8;
}

uint32_t igvm_add_data(IgvmFile *f, uint8_t filler, size_t size) {
        uint32_t at = (uint32_t) (IGVM_FILE_DATA_AT + f->data_size);

        if (f->data_size + size > IGVM_FILE_DATA_MAX)
                abort();
        memset(f->data + f->data_size, filler, size);
        f->data_size += size;
        return at;
}

void igvm_add_platform(IgvmFile *f, uint32_t mask, uint8_t platform) {
        igvm_add(f, 0x1, (const uint32_t[]){ mask, 2u | (uint32_t) platform << 8 | 1u << 16, 0, 0 }, 16);
}

void igvm_add_policy(IgvmFile *f, uint64_t policy, uint32_t mask) {
        igvm_add(f, 0x101, (const uint32_t[]){ (uint32_t) policy, (uint32_t) (policy >> 32), mask, 0 }, 16);
}

void igvm_add_page(IgvmFile *f, uint64_t gpa, uint32_t mask, uint32_t offset, uint32_t flags, uint16_t type) {
        const uint32_t words[] = { (uint32_t) gpa, (uint32_t) (gpa >> 32), mask, offset, flags, type };

        igvm_add(f, 0x302, words, sizeof(words));
}

void igvm_add_vmsa(IgvmFile *f, uint64_t gpa, uint32_t mask, uint32_t offset) {
        igvm_add(f, 0x304, (const uint32_t[]){ (uint32_t) gpa, (uint32_t) (gpa >> 32), mask, offset, 0 }, 20);
}

/* Bit by bit, unlike the product's. */
static uint32_t crc32_of(const uint8_t *p, size_t n, uint32_t crc) {
        for (size_t i = 0; i < n; i++) {
                crc ^= p[i];
                for (unsigned bit = 0; bit < 8; bit++)
                        crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
        }
        return crc;
}

void igvm_seal(Blob *b) {
        size_t end = load_le32(b->data + 8) + load_le32(b->data + 12);

        memset(b->data + 20, 0, 4);
        store_le32(b->data + 20, ~crc32_of(b->data, end, 0xFFFFFFFF));
}

Blob igvm_make(const IgvmFile *f) {
        Blob b = { .size = IGVM_FILE_DATA_AT + f->data_size };
        /* What is left of the headers is one unknown header that may be skipped. */
        size_t rest = IGVM_FILE_HEADERS_MAX - f->headers_size;

        b.data = calloc(1, b.size);
        if (!b.data)
                abort();
        memcpy(b.data, "IGVM", 4);
        store_le32(b.data + 4, f->version ? f->version : 1);
        store_le32(b.data + 8, FIXED_SIZE);
        store_le32(b.data + 12, IGVM_FILE_HEADERS_MAX);
        store_le32(b.data + 16, (uint32_t) b.size);
        memcpy(b.data + FIXED_SIZE, f->headers, f->headers_size);
        if (rest >= 8) {
                store_le32(b.data + FIXED_SIZE + f->headers_size, 0x80000400);
                store_le32(b.data + FIXED_SIZE + f->headers_size + 4, (uint32_t) rest - 8);
        }
        memcpy(b.data + IGVM_FILE_DATA_AT, f->data, f->data_size);
        igvm_seal(&b);
        return b;
}
