/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Configuration files in ini form, read strictly: "[Section]", "Key=Value", blank lines, and comments ('#' or ';') on
 * lines of their own. Nothing is continued, cut or guessed, and whatever is not of this form is an error that names
 * file and line. What sections and keys mean is the caller's business.
 *
 * Reasons in errors are those of configuration: "config-syntax", "config-limit", "config-truncated",
 * "config-duplicate".
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"

/* Bytes of a line; inih has a buffer of 200, with "\r\n" and NUL. */
#define INI_LINE_MAX 196

typedef struct IniLine {
        const char *file; /* as given to ini_text_parse() */
        unsigned line;    /* from 1 */
        const char *section;
        const char *key;   /* [A-Za-z0-9]+; NULL for the line of a section */
        const char *value; /* without white space around it; may be empty */
} IniLine;

/*
 * Each returns 0, or a negative errno with a sentence that says what is wrong: file and line are put in front of it.
 * Strings are borrowed for the call.
 */
typedef struct IniHandler {
        int (*section)(void *userdata, const IniLine *line, Error *e); /* a section may be entered again */
        int (*key)(void *userdata, const IniLine *line, Error *e);
        /* Keys that may stand several times in a section; NULL: none may. */
        bool (*may_repeat)(void *userdata, const IniLine *line);
} IniHandler;

/**
 * ini_text_parse() - hand every section and key of @data to @handler, in order, up to the first mistake
 * @file:     stands for the text in errors
 * @size_max: -E2BIG above it
 *
 * Return: 0; -EINVAL; -E2BIG; -ENOMEM; or what @handler returned.
 */
WARN_UNUSED int ini_text_parse(const char *file, const void *data, size_t size, size_t size_max,
                               const IniHandler *handler, void *userdata, Error *e);
