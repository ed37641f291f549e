/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Log lines with fields. Only programs log; the rooms below agent/ return an Error instead (debug lines
 * excepted). Lines go to standard error, "<N>" prefixed under systemd as sd-daemon(3) describes, unless
 * the program has installed a sink of its own (the daemons send fields to the journal).
 *
 * No secret, no token, no whole report. Text from a peer is made printable here.
 */

#include <stddef.h>
#include <syslog.h>

/* One "NAME=value" pair; name matches [A-Z][A-Z0-9_]{0,63}, value is text. */
typedef struct LogField {
        const char *name;
        const char *value; /* NULL: the field is left out */
} LogField;

typedef struct LogRecord {
        int priority;           /* LOG_ERR .. LOG_DEBUG */
        const char *message_id; /* 32 hex digits, or NULL */
        const char *message;    /* printable, one line */
        const LogField *fields;
        size_t n_fields;
} LogRecord;

typedef void (*LogSink)(const LogRecord *record);

void log_set_sink(LogSink sink);      /* NULL: standard error */
void log_set_max_priority(int level); /* LOG_INFO by default */
int log_get_max_priority(void);

void log_line(int priority, const char *fmt, ...) __attribute__((__format__(__printf__, 2, 3)));
void log_event(int priority, const char *message_id, const LogField *fields, size_t n_fields, const char *fmt, ...)
        __attribute__((__format__(__printf__, 5, 6)));

#define log_err(...) log_line(LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_notice(...) log_line(LOG_NOTICE, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
