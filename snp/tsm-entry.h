/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * An entry of configfs-tsm in use (Linux, Documentation/ABI/testing/configfs-tsm-report): its attributes, and the
 * generation that tells whether anybody else wrote to it. For the configfs implementation of SnpDevice alone.
 *
 * Failures: -EBUSY with reason "generation-conflict", somebody interfered, worth another attempt in a new entry; else
 * as snp_device_errno().
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/error.h"
#include "snp/device.h"

#define SNP_TSM_NAME_PREFIX "snp-agent-"
#define SNP_TSM_TEXT_MAX 64              /* of the attributes that are read here */
#define SNP_TSM_BLOB_MAX (32u * 1024u)   /* TSM_REPORT_OUTBLOB_MAX; a report of sev_guest has 1184 bytes */

typedef struct SnpTsmEntry {
        int root; /* borrowed */
        int dir;
        char name[SNP_TSM_TEXT_MAX]; /* empty: nothing to remove */
        uint64_t generation;         /* that the entry must have now */
} SnpTsmEntry;

/* An entry that was made is removed. */
void snp_tsm_entry_done(SnpTsmEntry *entry);
#define AUTO_SNP_TSM_ENTRY CLEANUP(snp_tsm_entry_done)
#define SNP_TSM_ENTRY_NONE { .dir = -1 }

/* Makes an entry of our own in the tree @root. -ENODEV no provider. */
WARN_UNUSED int snp_tsm_entry_make(SnpTsmEntry *entry, int root, Error *e);
/* Uses the entry @path below @root, which somebody made for us. */
WARN_UNUSED int snp_tsm_entry_open(SnpTsmEntry *entry, int root, const char *path, Error *e);

bool snp_tsm_entry_has(const SnpTsmEntry *entry, const char *attribute);
/* Binary attributes. -E2BIG beyond @max. */
WARN_UNUSED int snp_tsm_entry_read(const SnpTsmEntry *entry, const char *attribute, size_t max, Blob *ret, Error *e);
/* Text attributes, without the newline at the end. */
WARN_UNUSED int snp_tsm_entry_read_text(const SnpTsmEntry *entry, const char *attribute,
                                        char ret[static SNP_TSM_TEXT_MAX], Error *e);
WARN_UNUSED int snp_tsm_entry_read_number(const SnpTsmEntry *entry, const char *attribute, uint64_t max, uint64_t *ret,
                                          Error *e);
/* Counts in entry->generation. */
WARN_UNUSED int snp_tsm_entry_write(SnpTsmEntry *entry, const char *attribute, const void *data, size_t size, Error *e);
WARN_UNUSED int snp_tsm_entry_write_text(SnpTsmEntry *entry, const char *attribute, const char *text, Error *e);

/* Takes the generation as it is now for the one to count from. */
WARN_UNUSED int snp_tsm_entry_begin(SnpTsmEntry *entry, Error *e);
/* -EBUSY when it is not the one that our writes have led to; @when goes into the sentence. */
WARN_UNUSED int snp_tsm_entry_check(const SnpTsmEntry *entry, const char *when, Error *e);

/* outblob and auxblob, each of the generation that our writes have led to. */
WARN_UNUSED int snp_tsm_entry_read_report(const SnpTsmEntry *entry, uint8_t ret[static SNP_REPORT_SIZE], Error *e);
WARN_UNUSED int snp_tsm_entry_read_certs(const SnpTsmEntry *entry, Blob *ret, Error *e);

/**
 * snp_tsm_attempts() - do something in an entry until nobody interferes
 * @attempt: does it all, from a new entry on; a conflict asks for another one. @e is empty each time
 *
 * Return: what the last attempt returned.
 */
WARN_UNUSED int snp_tsm_attempts(int (*attempt)(void *user, Error *e), void *user, Error *e);

/* Removes what processes that are gone left behind in the tree @root. */
void snp_tsm_remove_stale(int root);
