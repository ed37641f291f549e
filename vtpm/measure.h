/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Measuring what happens while the system runs: a PCR is extended and an entry is appended to a log that explains it,
 * both or neither, also when this process, or the machine's TPM, dies in between. Formats: vtpm/aael.h.
 *
 * The log's directory must be on a file system that is empty after a boot (/run), as PCRs are. It holds
 *   events    the log: a crypto-agile event log of one bank, which tools for firmware's logs read too
 *   pending   while a measurement is being made: what it is, and the PCR's value before and after
 * Whatever is left pending is settled before the next measurement: the PCR tells whether it was extended. When the PCR
 * has neither value, somebody else extends it too; then nothing more is measured, rather than that the log says what
 * no PCR confirms.
 */

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/error.h"
#include "vtpm/aael.h"

/* What readers of logs take, some 60,000 entries of 260 bytes. A full log refuses: nothing is released unmeasured. */
#define VTPM_MEASURE_LOG_MAX VTPM_EVENT_LOG_MAX
#define VTPM_MEASURE_HASH VTPM_ALG_SHA256

typedef struct VtpmMeasurement {
        const char *tcti;      /* see vtpm_context_open() */
        const char *directory; /* must exist */
        unsigned pcr;
        VtpmAaelEntry entry;
        Deadline deadline;
} VtpmMeasurement;

/**
 * vtpm_measure() - extend and log
 *
 * After any failure the measurement has either been made whole or will be found undone, at the next call; the caller
 * takes it as not made.
 *
 * Return: 0; -EINVAL entry; -EBUSY another process is measuring; -ENOSPC the log is full ("measurement-log-full");
 * -EUCLEAN the PCR has a value that the log cannot explain ("measurement-unexplained"); -EBADMSG what is in the
 * directory was not written by this function; -ENOENT, -EACCES the directory; or as vtpm_context_open(),
 * vtpm_pcr_read() and vtpm_pcr_extend().
 */
WARN_UNUSED int vtpm_measure(const VtpmMeasurement *m, Error *e);

/* The log so far, its bytes; empty when nothing was measured. Something pending is not in it. 0, -E2BIG, -EACCES. */
WARN_UNUSED int vtpm_measure_log(const char *directory, Blob *ret, Error *e);
