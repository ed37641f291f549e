/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/broker/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

int broker_journal_open(const char *path, BrokerJournal *ret, Error *e) {
        int fd = STDERR_FILENO;

        if (path) {
                fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0644);
                if (fd < 0)
                        return error_set(e, -errno, "open-failed", "Cannot open %s: %s", path,
                                         error_text(NULL, -errno));
        }
        ret->fd = fd;
        return 0;
}

void broker_journal_done(BrokerJournal *j) {
        if (j->fd > STDERR_FILENO)
                (void) close(j->fd);
        j->fd = -1;
}

void broker_journal_line(const BrokerJournal *j, const char *fmt, ...) {
        AUTO_FREE char *line = NULL;
        va_list ap;
        int n;

        if (j->fd < 0)
                return;
        va_start(ap, fmt);
        n = vasprintf(&line, fmt, ap);
        va_end(ap);
        if (n < 0) {
                line = NULL;
                return;
        }
        for (int i = 0; i < n; i++)
                if (line[i] < 0x20 || line[i] > 0x7e)
                        line[i] = '?';
        line[n] = '\n'; /* in place of the NUL */
        (void) !file_write_fd(j->fd, "log", line, (size_t) n + 1, NULL);
}

bool broker_journal_claim(const BrokerJournal *j, const char *session, const char *claim, bool ok, const char *wanted,
                          const char *found) {
        const char *w = strchr(wanted, ' ') ? "\"" : "", *f = strchr(found, ' ') ? "\"" : "";

        broker_journal_line(j, "claim=%s wanted=%s%s%s found=%s%s%s verdict=%s session=%s", claim, w, wanted, w, f,
                            found, f, ok ? "allow" : "deny", session);
        return ok;
}
