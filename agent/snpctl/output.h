/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a verb has to say. It is built whole in memory and written at the end, so a verb that fails has
 * printed nothing: standard output then carries nothing, or with --json the object
 * {"error":{"reason":...,"message":...}}; the sentence is on standard error in either case.
 */

#include <json-c/json_object.h>
#include <stdbool.h>

#include "agent/snpctl/exit.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/writer.h"

#define CTL_OUTPUT_MAX (4u << 20)

typedef struct CtlOutput {
        bool want_json;    /* set before the verb runs; it fills one of the two */
        json_object *json; /* owned */
        Writer text;
        CtlExit exit;      /* CTL_EXIT_NO for an answer that is a no, and is printed */
} CtlOutput;

CtlOutput ctl_output_init(bool want_json);
void ctl_output_done(CtlOutput *out);
#define AUTO_CTL_OUTPUT CLEANUP(ctl_output_done)

void ctl_printf(CtlOutput *out, const char *fmt, ...) __attribute__((__format__(__printf__, 2, 3)));
/* Takes @json, also on failure; NULL is -ENOMEM. */
WARN_UNUSED int ctl_output_set_json(CtlOutput *out, json_object *json, Error *e);

/* Writes the result to standard output; nothing when there is none. */
WARN_UNUSED int ctl_output_write(CtlOutput *out, Error *e);
/* Tells a failure: "snpctl: VERB: sentence" on standard error and with --json the object on standard output. */
void ctl_output_fail(bool want_json, const char *verb, int r, const Error *e);

/* Rows of cells under a header, aligned. */
typedef struct CtlTable CtlTable;
WARN_UNUSED int ctl_table_new(const char *const *columns, size_t n_columns, CtlTable **ret, Error *e);
void ctl_table_free(CtlTable *table);
DEFINE_CLEANUP(CtlTable *, ctl_table_free);
/* As many @cells as columns; they are copied. */
WARN_UNUSED int ctl_table_add(CtlTable *table, const char *const *cells, Error *e);
WARN_UNUSED int ctl_table_print(CtlTable *table, CtlOutput *out, Error *e);
