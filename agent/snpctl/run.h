/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The way from argv to an exit status: find the verb in a table, parse, run, print. */

#include "agent/snpctl/args.h"
#include "agent/snpctl/output.h"

typedef struct CtlCall {
        const void *args; /* the verb's own structure */
        const char *const *operands;
} CtlCall;

typedef struct CtlVerb {
        const char *name;     /* one to three words: "secret get" */
        const char *operands; /* "REPO/TYPE/TAG"; NULL when it takes none */
        size_t n_operands;    /* exactly so many */
        const char *summary;  /* one line, for the list of verbs */
        const char *details;  /* more lines for the verb's --help, or NULL */
        CtlOptions options;
        size_t args_size;
        /* 0, also for an answer that is a no (out->exit); negative errno when there is no answer. */
        int (*run)(const CtlCall *call, CtlOutput *out, Error *e);
        const char *helper;   /* instead of the last three: the program that has this verb, beside ours or in libexec */
} CtlVerb;

typedef struct CtlVerbs {
        const CtlVerb *const *list;
        size_t n;
} CtlVerbs;

/* Return value of main(). */
int ctl_main(const CtlVerbs *verbs, int argc, char **argv);
