/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Recorded launch digests and ID blocks: measure/cases.json among the vectors, and the files it names. */

#include <json-c/json_object.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/blob.h"

/* Loads it once, for the whole process. False where there are no vectors. */
bool cases_load(void);
void cases_unload(void);

size_t cases_count(const char *list); /* "launch", "igvm", ... */
json_object *cases_get(const char *list, size_t i);

/* Members; case_str() and case_u64() fail the test when there is none. */
json_object *case_member(json_object *o, const char *name); /* NULL when absent or null */
const char *case_str(json_object *o, const char *name);
const char *case_opt_str(json_object *o, const char *name); /* NULL when absent or null */
uint64_t case_u64(json_object *o, const char *name);       /* a number, or text as of text_to_u64() */

/* A file named in a case, or in its member @name. */
Blob case_file(json_object *o, const char *name);

/* Fails the test unless @data is what the member says in hex. */
void case_expect_hex(json_object *o, const char *name, const void *data, size_t size);
