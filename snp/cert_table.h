/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The certificate table that the host hands out beside a report (GHCB specification, publication 56421,
 * SNP_GUEST_REQUEST extended; spec facts: entry of GUID, offset, length, ended by a zero entry).
 * It comes from the host: nothing in it is ever a trust anchor.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

#define SNP_CERT_TABLE_MAX 0x4000 /* what the kernel offers to the host */
#define SNP_CERT_TABLE_ENTRIES_MAX 32

typedef enum SnpCertKind {
        SNP_CERT_OTHER,
        SNP_CERT_VCEK,
        SNP_CERT_VLEK,
        SNP_CERT_ASK, /* ASVK too */
        SNP_CERT_ARK,
        SNP_CERT_CRL,
} SnpCertKind;

typedef struct SnpCertEntry {
        SnpCertKind kind;
        uint8_t guid[16];    /* textual (big-endian) order, whatever order the host used */
        const uint8_t *data; /* borrowed from the table */
        size_t size;
} SnpCertEntry;

typedef struct SnpCertTable {
        SnpCertEntry entries[SNP_CERT_TABLE_ENTRIES_MAX];
        size_t n_entries;
        size_t n_duplicates; /* entries left out because their GUID came before; worth a warning */
        bool mixed_endian;   /* some GUID was in mixed-endian order; worth a warning */
} SnpCertTable;

/* @size 0 is an empty table. Borrowed: @data must outlive *@ret. 0, -EBADMSG, -E2BIG. */
WARN_UNUSED int snp_cert_table_parse(const void *data, size_t size, SnpCertTable *ret, Error *e);

/* First entry of @kind, or NULL. */
const SnpCertEntry *snp_cert_table_find(const SnpCertTable *table, SnpCertKind kind);

/* "VCEK", "VLEK", "ASK", "ARK", "CRL", "OTHER". */
const char *snp_cert_kind_name(SnpCertKind kind);
