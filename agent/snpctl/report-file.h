/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A report in a file, as the tools write it that people have:
 *
 *   raw        1184 bytes: ours, snpguest's `report`, go-sev-guest's `attest`
 *   extended   the same with the host's certificate table behind it: `attest -extended`
 *   proto      go-sev-guest's messages: `attest -outform proto`, see sevsnp-proto.h
 *
 * Anything else is handed on as it is, so that whoever parses the report says what is wrong with it.
 */

#include "agent/snpctl/sevsnp-proto.h"
#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"

#define REPORT_FILE_MAX SEVSNP_PROTO_MAX

typedef struct ReportFile {
        Blob report;
        Blob table;           /* extended; else empty */
        Blob vcek, vlek;      /* proto; else empty */
        Blob chain[2];        /* likewise: ASK or ASVK, ARK */
} ReportFile;
void report_file_done(ReportFile *file);
#define AUTO_REPORT_FILE CLEANUP(report_file_done)

/* 0; -EBADMSG a message of sevsnp that cannot be read; or as file_read(). The path is in the error. */
WARN_UNUSED int report_file_read(const char *path, ReportFile *ret, Error *e);

/*
 * 64 bytes of REPORT_DATA from snpguest's request file: raw, or as its older releases write random ones, 128 hex digits
 * in lines. 0; -EBADMSG; or as file_read().
 */
WARN_UNUSED int request_file_read(const char *path, uint8_t ret[static SNP_REPORT_DATA_SIZE], Error *e);
