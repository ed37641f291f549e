/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Recorded reports and certificates with their MANIFEST.json, as the tests of snp/ want to see them. */

#include <json-c/json_object.h>
#include <stddef.h>
#include <time.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "snp/verify.h"

#define RECORDED_OTHERS_MAX 4

/* Loads snp/MANIFEST.json once, for the whole process. False where there are no vectors. */
bool recorded_load(void);
void recorded_unload(void);

size_t recorded_count(const char *kind); /* files of "report", "vcek", ... */
json_object *recorded_get(const char *kind, size_t index);
json_object *recorded_find(const char *file);

/* Required members; each fails the test when it is not there. NULL where the manifest says null. */
const char *recorded_str(json_object *o, const char *name);
json_object *recorded_member(json_object *o, const char *name);
bool recorded_is_true(json_object *o, const char *name);

Blob recorded_bytes(const char *file);
time_t recorded_time(const char *iso);      /* "2024-07-25T08:24:40Z" */
SnpReport recorded_report(const char *file); /* fails the test unless it parses */

/* A VEK with its chain, in memory. */
typedef struct RecordedCerts {
        Blob vek, others[RECORDED_OTHERS_MAX];
        SnpCerts certs;
} RecordedCerts;

RecordedCerts recorded_certs(const char *vek, json_object *chain);
void recorded_certs_done(RecordedCerts *c);
#define AUTO_RECORDED_CERTS CLEANUP(recorded_certs_done)

/* The certificate of @entry, checked under AMD's roots one day after it was issued, or the test fails. */
SnpVek *recorded_vek(json_object *entry);
