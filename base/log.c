/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define LINE_MAX_BYTES 2048

static LogSink the_sink;
static int max_priority = LOG_INFO;

void log_set_sink(LogSink sink) {
        the_sink = sink;
}

void log_set_max_priority(int level) {
        max_priority = level;
}

int log_get_max_priority(void) {
        return max_priority;
}

static void to_stderr(const LogRecord *record) {
        char line[LINE_MAX_BYTES + 8];
        int n = 0;

        /* systemd sets this when stderr is connected to the journal, which understands the prefix. */
        if (getenv("JOURNAL_STREAM"))
                n = snprintf(line, sizeof(line), "<%d>", record->priority);
        n += snprintf(line + n, sizeof(line) - (size_t) n, "%s", record->message);
        if ((size_t) n > sizeof(line) - 2)
                n = (int) sizeof(line) - 2;
        line[n++] = '\n';
        if (write(STDERR_FILENO, line, (size_t) n) < 0)
                return; /* nowhere left to complain */
}

__attribute__((__format__(__printf__, 5, 0))) static void emit(int priority, const char *message_id,
                                                               const LogField *fields, size_t n_fields,
                                                               const char *fmt, va_list ap) {
        char text[LINE_MAX_BYTES];
        LogRecord record = {
                .priority = priority, .message_id = message_id, .message = text, .fields = fields, .n_fields = n_fields
        };

        if (priority > max_priority)
                return;
        if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
                return;
        for (char *p = text; *p; p++)
                if ((unsigned char) *p < 0x20 || *p == 0x7f)
                        *p = '?';
        (the_sink ? the_sink : to_stderr)(&record);
}

void log_line(int priority, const char *fmt, ...) {
        va_list ap;

        va_start(ap, fmt);
        emit(priority, NULL, NULL, 0, fmt, ap);
        va_end(ap);
}

void log_event(int priority, const char *message_id, const LogField *fields, size_t n_fields, const char *fmt, ...) {
        va_list ap;

        va_start(ap, fmt);
        emit(priority, message_id, fields, n_fields, fmt, ap);
        va_end(ap);
}
