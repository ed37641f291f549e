/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/daemon/journal.h"

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>

#include "base/cleanup.h"
#include "base/log.h"

#define FIELDS_MAX 16

typedef struct Fields {
        char *text[FIELDS_MAX]; /* owned */
        struct iovec iov[FIELDS_MAX];
        int n;
} Fields;

static void fields_done(Fields *f) {
        for (int i = 0; i < f->n; i++)
                free(f->text[i]);
}

static void add(Fields *f, const char *name, const char *value) {
        int n;

        if (f->n == FIELDS_MAX || !value)
                return;
        n = asprintf(&f->text[f->n], "%s=%s", name, value);
        if (n < 0)
                return;
        f->iov[f->n] = (struct iovec){ .iov_base = f->text[f->n], .iov_len = (size_t) n };
        f->n++;
}

static void to_journal(const LogRecord *record) {
        CLEANUP(fields_done) Fields f = {};
        char priority[] = { (char) ('0' + record->priority), 0 };

        add(&f, "MESSAGE", record->message);
        add(&f, "PRIORITY", priority);
        add(&f, "MESSAGE_ID", record->message_id);
        for (size_t i = 0; i < record->n_fields; i++)
                add(&f, record->fields[i].name, record->fields[i].value);
        (void) sd_journal_sendv(f.iov, f.n); /* nowhere to complain to */
}

void daemon_log_start(int max_priority) {
        log_set_max_priority(max_priority);
        if (getenv("JOURNAL_STREAM"))
                log_set_sink(to_journal);
}
