/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the broker did and why, one line each, for people and for tests that count lines:
 *
 *   claim=measurement wanted=a1.. found=b2.. verdict=deny session=ID
 *   decision=attest verdict=deny reason=report-data session=ID
 *   request method=GET path=/kbs/v0/resource/a/b/c status=401
 *
 * The protocol hides all of this from the guest.
 */

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/error.h"

typedef struct BrokerJournal {
        int fd; /* owned unless standard error; -1 drops every line */
} BrokerJournal;

/* Appends to @path; NULL is standard error. */
WARN_UNUSED int broker_journal_open(const char *path, BrokerJournal *ret, Error *e);
void broker_journal_done(BrokerJournal *j);

/* One line, in one write. Unprintable characters become '?'. */
void broker_journal_line(const BrokerJournal *j, const char *fmt, ...) __attribute__((__format__(__printf__, 2, 3)));

/* Records the verdict on one claim and returns @ok. A value with spaces in it is quoted. */
bool broker_journal_claim(const BrokerJournal *j, const char *session, const char *claim, bool ok, const char *wanted,
                          const char *found);
