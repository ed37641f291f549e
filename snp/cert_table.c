/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The host's certificate table: a header of 24-byte entries (GUID, 32-bit offset from the start of the buffer,
 * 32-bit length), ended by an entry of zeros, then the certificates (AMD publication 56421, extended guest
 * request). First the header is measured, because no certificate may lie in it; then each entry is judged.
 */

#include "snp/cert_table.h"

#include <errno.h>
#include <string.h>

#include "base/reader.h"

#define ENTRY_SIZE 24u
#define GUID_SIZE 16u

/* GUIDs in the order in which they are written down (RFC 4122), which is how firmware and hosts store them. */
static const struct {
        SnpCertKind kind;
        uint8_t guid[GUID_SIZE];
} known_guids[] = {
        /* 63da758d-e664-4564-adc5-f4b93be8accd */
        { SNP_CERT_VCEK,
          { 0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64, 0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd } },
        /* a8074bc2-a25a-483e-aae6-39c045a0b8a1 */
        { SNP_CERT_VLEK,
          { 0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a, 0x48, 0x3e, 0xaa, 0xe6, 0x39, 0xc0, 0x45, 0xa0, 0xb8, 0xa1 } },
        /* 4ab7b379-bbac-4fe4-a02f-05aef327c782 */
        { SNP_CERT_ASK,
          { 0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4, 0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27, 0xc7, 0x82 } },
        /* c0b406a4-a803-4952-9743-3fb6014cd0ae */
        { SNP_CERT_ARK,
          { 0xc0, 0xb4, 0x06, 0xa4, 0xa8, 0x03, 0x49, 0x52, 0x97, 0x43, 0x3f, 0xb6, 0x01, 0x4c, 0xd0, 0xae } },
        /* 92f81bc3-5811-4d3d-97ff-d19f88dc67ea */
        { SNP_CERT_CRL,
          { 0x92, 0xf8, 0x1b, 0xc3, 0x58, 0x11, 0x4d, 0x3d, 0x97, 0xff, 0xd1, 0x9f, 0x88, 0xdc, 0x67, 0xea } },
};

static SnpCertKind kind_of(const uint8_t guid[static GUID_SIZE]) {
        for (size_t i = 0; i < N_ELEMENTS(known_guids); i++)
                if (memcmp(known_guids[i].guid, guid, GUID_SIZE) == 0)
                        return known_guids[i].kind;
        return SNP_CERT_OTHER;
}

/* Between textual order and the mixed-endian one of UEFI, where the first three fields are little-endian. */
static void swap_guid(const uint8_t from[static GUID_SIZE], uint8_t ret[static GUID_SIZE]) {
        static const uint8_t order[GUID_SIZE] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };

        for (size_t i = 0; i < GUID_SIZE; i++)
                ret[i] = from[order[i]];
}

/* Sets kind and guid. A GUID that is known in neither order is kept as it is. */
static void identify(const uint8_t guid[static GUID_SIZE], SnpCertEntry *entry, bool *mixed_endian) {
        uint8_t swapped[GUID_SIZE];

        swap_guid(guid, swapped);
        entry->kind = kind_of(guid);
        (void) memcpy(entry->guid, guid, GUID_SIZE);
        if (entry->kind == SNP_CERT_OTHER && kind_of(swapped) != SNP_CERT_OTHER) {
                entry->kind = kind_of(swapped);
                (void) memcpy(entry->guid, swapped, GUID_SIZE);
                *mixed_endian = true;
        }
}

/* Number of entries before the terminator. */
static int count_entries(Reader r, size_t *ret, Error *e) {
        for (size_t n = 0; n <= SNP_CERT_TABLE_ENTRIES_MAX; n++) {
                const uint8_t *entry = rd_take(&r, ENTRY_SIZE);

                if (!entry)
                        return error_set(e, -EBADMSG, "cert-table-unterminated",
                                         "Certificate table has no terminating entry before offset %zu",
                                         rd_offset(&r));
                if (bytes_are_zero(entry, ENTRY_SIZE)) {
                        *ret = n;
                        return 0;
                }
        }
        return error_set(e, -E2BIG, "cert-table-entries", "Certificate table has more than %d entries",
                         SNP_CERT_TABLE_ENTRIES_MAX);
}

static const SnpCertEntry *find_guid(const SnpCertTable *table, const uint8_t guid[static GUID_SIZE]) {
        for (size_t i = 0; i < table->n_entries; i++)
                if (memcmp(table->entries[i].guid, guid, GUID_SIZE) == 0)
                        return &table->entries[i];
        return NULL;
}

/* Both ranges lie in one buffer. */
static bool overlap(const SnpCertEntry *a, const SnpCertEntry *b) {
        return a->data < b->data + b->size && b->data < a->data + a->size;
}

static int add_entry(SnpCertTable *table, size_t index, const SnpCertEntry *entry, Error *e) {
        if (find_guid(table, entry->guid)) {
                table->n_duplicates++;
                return 0;
        }
        for (size_t i = 0; i < table->n_entries; i++)
                if (overlap(&table->entries[i], entry))
                        return error_set(e, -EBADMSG, "cert-table-overlap",
                                         "Certificate table entry %zu shares bytes with an earlier one", index);
        table->entries[table->n_entries++] = *entry;
        return 0;
}

static int read_entry(Reader *header, const Reader *whole, size_t header_size, size_t index, SnpCertTable *table,
                      Error *e) {
        const uint8_t *guid = rd_take(header, GUID_SIZE);
        uint32_t offset = rd_le32(header);
        uint32_t length = rd_le32(header);
        SnpCertEntry entry = {};
        Reader data;

        if (!guid || bytes_are_zero(guid, GUID_SIZE))
                return error_set(e, -EBADMSG, "cert-table-guid", "Certificate table entry %zu has no GUID", index);
        if (offset < header_size)
                return error_set(e, -EBADMSG, "cert-table-offset",
                                 "Certificate table entry %zu: offset %u lies in the header of %zu bytes", index,
                                 offset, header_size);
        if (length == 0)
                return error_set(e, -EBADMSG, "cert-table-length", "Certificate table entry %zu is empty", index);
        data = rd_at(whole, offset, length);
        entry.data = rd_take(&data, length);
        entry.size = length;
        if (!entry.data)
                return error_set(e, -EBADMSG, "cert-table-length",
                                 "Certificate table entry %zu: offset %u, length %u exceed the table of %zu bytes",
                                 index, offset, length, whole->size);
        identify(guid, &entry, &table->mixed_endian);
        return add_entry(table, index, &entry, e);
}

int snp_cert_table_parse(const void *data, size_t size, SnpCertTable *ret, Error *e) {
        Reader whole = rd_init(data, size);
        Reader header = whole;
        SnpCertTable table = {};
        size_t n = 0;
        int r;

        if (size > SNP_CERT_TABLE_MAX)
                return error_set(e, -E2BIG, "cert-table-size", "Certificate table has %zu bytes, more than %d", size,
                                 SNP_CERT_TABLE_MAX);
        if (size > 0) {
                r = count_entries(whole, &n, e);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < n; i++) {
                r = read_entry(&header, &whole, (n + 1) * ENTRY_SIZE, i, &table, e);
                if (r < 0)
                        return r;
        }
        *ret = table;
        return 0;
}

const SnpCertEntry *snp_cert_table_find(const SnpCertTable *table, SnpCertKind kind) {
        for (size_t i = 0; i < table->n_entries; i++)
                if (table->entries[i].kind == kind)
                        return &table->entries[i];
        return NULL;
}

const char *snp_cert_kind_name(SnpCertKind kind) {
        switch (kind) {
        case SNP_CERT_VCEK:
                return "VCEK";
        case SNP_CERT_VLEK:
                return "VLEK";
        case SNP_CERT_ASK:
                return "ASK";
        case SNP_CERT_ARK:
                return "ARK";
        case SNP_CERT_CRL:
                return "CRL";
        case SNP_CERT_OTHER:
        default:
                return "OTHER";
        }
}
