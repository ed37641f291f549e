/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/snp-launch/pe-file.h"

#include <stdlib.h>
#include <string.h>

#include "base/writer.h"

static size_t size_of(const PeSection *s) {
        return s->size ? s->size : strlen(s->content);
}

static size_t aligned(size_t n) {
        return (n + PE_FILE_ALIGNMENT - 1) / PE_FILE_ALIGNMENT * PE_FILE_ALIGNMENT;
}

static void put_section(uint8_t *p, const PeSection *s, size_t at) {
        memcpy(p, s->name, strnlen(s->name, 8));
        store_le32(p + 8, (uint32_t) size_of(s));
        store_le32(p + 12, 0x1000);
        store_le32(p + 16, (uint32_t) aligned(size_of(s)));
        store_le32(p + 20, (uint32_t) at);
}

Blob pe_make(const PeSection *sections, size_t n) {
        Blob b = { .size = PE_FILE_DATA_AT };
        size_t at = PE_FILE_DATA_AT;

        for (size_t i = 0; i < n; i++)
                b.size += aligned(size_of(&sections[i]));
        b.data = calloc(1, b.size);
        if (!b.data || PE_FILE_SECTIONS_AT + 40 * n > PE_FILE_DATA_AT)
                abort();
        memcpy(b.data, "MZ", 2);
        store_le32(b.data + 0x3C, PE_FILE_AT);
        memcpy(b.data + PE_FILE_AT, "PE\0", 4);
        store_le16(b.data + PE_FILE_AT + 4, 0x8664);
        store_le16(b.data + PE_FILE_AT + 6, (uint16_t) n);
        store_le16(b.data + PE_FILE_AT + 20, PE_FILE_OPTIONAL_SIZE);
        store_le16(b.data + PE_FILE_AT + 24, 0x20B);
        for (size_t i = 0; i < n; i++) {
                put_section(b.data + PE_FILE_SECTIONS_AT + 40 * i, &sections[i], at);
                memcpy(b.data + at, sections[i].content, size_of(&sections[i]));
                at += aligned(size_of(&sections[i]));
        }
        return b;
}
