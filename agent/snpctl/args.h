/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Command lines from tables: one list of options says what is parsed, where the value goes and what
 * --help prints. Long options only, "--name VALUE" or "--name=VALUE", never abbreviated; "--" ends them.
 * Values are borrowed from argv.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/writer.h"

#define CTL_TEXTS_MAX 8
#define CTL_OPERANDS_MAX 2

typedef enum CtlKind {
        CTL_FLAG,  /* bool */
        CTL_TEXT,  /* const char *, NULL when not given; at most once */
        CTL_TEXTS, /* CtlTexts; may be repeated */
} CtlKind;

typedef struct CtlTexts {
        const char *items[CTL_TEXTS_MAX];
        size_t n;
} CtlTexts;

typedef struct CtlOption {
        const char *name;  /* without the dashes */
        const char *value; /* what --help calls the value; NULL for a flag */
        const char *help;  /* one line */
        CtlKind kind;
        size_t offset; /* of the member in the verb's arguments */
} CtlOption;

typedef struct CtlOptions {
        const CtlOption *list;
        size_t n;
} CtlOptions;

/* Options of every verb, parsed beside its own. */
typedef struct CtlCommon {
        bool json, help;
        const char *operands[CTL_OPERANDS_MAX];
        size_t n_operands;
} CtlCommon;

/**
 * ctl_args_parse() - fill @args and @common from @argv
 * @argv: what follows the verb; NULL-terminated
 * @args: the structure that the offsets in @options refer to, zeroed by the caller
 *
 * Return: 0; -EINVAL with reason "usage".
 */
WARN_UNUSED int ctl_args_parse(const CtlOptions *options, const char *const *argv, void *args, CtlCommon *common,
                               Error *e);

/* "  --name VALUE   help" lines, the common options last. */
void ctl_args_help(const CtlOptions *options, Writer *w);
