/* SPDX-License-Identifier: Apache-2.0 */

/* Certificate tables: entries lie inside the buffer, behind the header, apart from each other, and come out the
 * same way twice. */

#include <assert.h>
#include <string.h>

#include "snp/cert_table.h"

#define ENTRY_SIZE 24

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_entry(const SnpCertTable *table, size_t i, const uint8_t *data, size_t size) {
        const SnpCertEntry *entry = &table->entries[i];
        const uint8_t *header_end = data + (table->n_entries + table->n_duplicates + 1) * ENTRY_SIZE;

        assert(entry->kind <= SNP_CERT_CRL);
        assert(entry->data >= header_end && entry->size > 0);
        assert(entry->size <= (size_t) (data + size - entry->data));
        assert(snp_cert_table_find(table, entry->kind));
        for (size_t k = 0; k < i; k++) {
                const SnpCertEntry *other = &table->entries[k];

                assert(entry->data + entry->size <= other->data || other->data + other->size <= entry->data);
                assert(memcmp(entry->guid, other->guid, sizeof(entry->guid)) != 0);
        }
}

static void check_same(const SnpCertEntry *a, const SnpCertEntry *b) {
        assert(a->kind == b->kind && a->data == b->data && a->size == b->size);
        assert(memcmp(a->guid, b->guid, sizeof(a->guid)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        SnpCertTable table, again;
        Error e = {};
        int r = snp_cert_table_parse(data, size, &table, &e);

        if (r < 0) {
                assert(e.code == r && e.reason && e.text[0]);
                return 0;
        }
        assert(table.n_entries + table.n_duplicates <= SNP_CERT_TABLE_ENTRIES_MAX);
        assert(snp_cert_table_parse(data, size, &again, NULL) == 0);
        assert(again.n_entries == table.n_entries && again.n_duplicates == table.n_duplicates);
        for (size_t i = 0; i < table.n_entries; i++) {
                check_entry(&table, i, data, size);
                check_same(&table.entries[i], &again.entries[i]);
        }
        return 0;
}
