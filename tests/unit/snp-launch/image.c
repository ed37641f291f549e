/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/snp-launch/image.h"

#include <stdlib.h>
#include <string.h>

#include "base/writer.h"

#define METADATA_AT 64 /* from the beginning */

/* edk2, OvmfPkg/AmdSev/AmdSevX64.fdf */
static const ImageSection amdsev_sections[] = {
        { 0x800000, 0x9000, 1 }, { 0x80A000, 0x3000, 1 }, { 0x80D000, 0x1000, 2 },   { 0x80E000, 0x1000, 3 },
        { 0x80F000, 0x1000, 4 }, { 0x811000, 0xF000, 1 }, { 0x810000, 0x1000, 0x10 },
};

const Image image_amdsev = {
        .size = 16384,
        .filler = 0x5A,
        .sections = amdsev_sections,
        .n_sections = 7,
        .ap_reset = 0x80B004,
        .hash_base = 0x810C00,
        .hash_size = 0x400,
};

/* As text would be read, to be independent of how the product writes them down. */
static void put_guid(uint8_t *p, const char *text) {
        static const uint8_t order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
        size_t at = 0;

        for (size_t i = 0; i < 16; i++) {
                char digits[3] = { text[at], text[at + 1], 0 };

                p[order[i]] = (uint8_t) strtoul(digits, NULL, 16);
                at += 2;
                at += text[at] == '-';
        }
}

/* Entries grow downwards from @end; returns where the new one begins. */
static uint8_t *put_entry(uint8_t *end, const char *guid, const uint32_t *values, size_t n, int wrong) {
        uint8_t *p = end - 18 - 4 * n;

        for (size_t i = 0; i < n; i++)
                store_le32(p + 4 * i, values[i]);
        store_le16(end - 18, (uint16_t) (18 + 4 * (int) n + wrong));
        put_guid(end - 16, guid);
        return p;
}

static void put_metadata(const Image *image, uint8_t *p) {
        uint32_t n = (uint32_t) image->n_sections;

        memcpy(p, "ASEV", 4);
        store_le32(p + 4, 16 + 12 * n + (uint32_t) image->metadata_length);
        store_le32(p + 8, 1 + (uint32_t) image->metadata_version);
        store_le32(p + 12, n + (uint32_t) image->metadata_count);
        for (uint32_t i = 0; i < n; i++) {
                store_le32(p + 16 + 12 * i, image->sections[i].gpa);
                store_le32(p + 20 + 12 * i, image->sections[i].size);
                store_le32(p + 24 + 12 * i, image->sections[i].type);
        }
}

static void put_table(const Image *image, uint8_t *end) {
        uint8_t *p = end - 18;
        uint32_t values[2];

        if (image->sections) {
                values[0] = (uint32_t) ((int) image->size - METADATA_AT + image->metadata_distance);
                p = put_entry(p, "dc886566-984a-4798-a75e-5585a7bf67cc", values, 1, 0);
        }
        p = put_entry(p, "e47a6535-984a-4798-865e-4685a7bf8ec2", (const uint32_t[]){ 0x123 }, 1, 0); /* TDX: skipped */
        if (image->hash_size) {
                values[0] = image->hash_base;
                values[1] = image->hash_size;
                p = put_entry(p, "7255371f-3a3b-4b04-927b-1da6efa8d454", values, 2, 0);
        }
        if (image->svsm_entry)
                p = put_entry(p, "a789a612-0597-4c4b-a49f-cbb1fe9d1ddd", &image->svsm_entry, 1, 0);
        if (image->ap_reset)
                p = put_entry(p, "00f771de-1a7e-4fcb-890e-68c77e2fb44e", &image->ap_reset, 1, image->entry_length);
        if (image->ap_reset_again)
                p = put_entry(p, "00f771de-1a7e-4fcb-890e-68c77e2fb44e", &image->ap_reset_again, 1, 0);
        store_le16(end - 18, (uint16_t) (end - p + image->table_length));
        put_guid(end - 16, "96b582de-1fb2-45f7-baea-a366c55a082d");
}

Blob image_make(const Image *image) {
        Blob b = { .data = malloc(image->size), .size = image->size };

        if (!b.data)
                abort();
        memset(b.data, image->filler, b.size);
        if (image->sections)
                put_metadata(image, b.data + METADATA_AT);
        put_table(image, b.data + b.size - 32);
        return b;
}
