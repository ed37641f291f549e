/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which events make two event logs lead to other PCR values: what an operator asks after an update, when the PCRs are
 * not what they were. For each PCR the sequences of digests are aligned with the fewest insertions and deletions.
 * Digests of one bank are compared, and nothing else: what the log says of an event does not change a PCR.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "vtpm/event-log.h"

/*
 * Beyond so many insertions and deletions events of a PCR are not aligned any more: the logs are then of two machines
 * rather than of one before and after, and the first event tells most. It also bounds the work, as no event is compared
 * with more than twice as many others.
 */
#define VTPM_DIFF_EDITS_MAX 512u

typedef enum VtpmChangeKind {
        VTPM_CHANGE_REMOVED, /* in the old log only */
        VTPM_CHANGE_ADDED,   /* in the new log only */
        VTPM_CHANGE_CHANGED, /* in its place stands one of the same type with another digest */
        VTPM_CHANGE_REST,    /* from these events on all are different, except for a common end */
} VtpmChangeKind;

/* Where an event is: see VtpmEvent. */
typedef struct VtpmEventPlace {
        uint32_t number, offset;
} VtpmEventPlace;

typedef struct VtpmEventChange {
        VtpmChangeKind kind;
        uint32_t pcr;
        uint32_t n_old, n_new; /* events concerned: 0 or 1, more only with VTPM_CHANGE_REST */
        VtpmEventPlace old, new; /* the first of them, if any */
} VtpmEventChange;

typedef struct VtpmEventLogDiff {
        VtpmEventChange *changes; /* owned; PCRs ascending, events of a PCR in their order */
        size_t n_changes;
        uint8_t old_locality, new_locality; /* what PCR 0 begins with: vtpm_event_log_locality() */
} VtpmEventLogDiff;

/**
 * vtpm_event_log_diff() - compare two logs by the digests of one bank
 * @hash: a bank that both logs have; need not be one that we can compute
 *
 * Exchanging the logs exchanges added and removed, and nothing else. Needs memory of a few times the logs' size at
 * most.
 *
 * Return: 0; -ENOENT one of the logs has no such bank; -EBADMSG one of them is malformed, @e says which; -ENOMEM.
 */
WARN_UNUSED int vtpm_event_log_diff(const VtpmEventLog *old, const VtpmEventLog *new, uint16_t hash,
                                    VtpmEventLogDiff *ret, Error *e);

void vtpm_event_log_diff_done(VtpmEventLogDiff *diff);
#define AUTO_VTPM_EVENT_LOG_DIFF CLEANUP(vtpm_event_log_diff_done)

/* The event at a place that the diff named; @log is the log it is in. As vtpm_event_log_next(). */
WARN_UNUSED int vtpm_event_log_at(const VtpmEventLog *log, const VtpmEventPlace *place, VtpmEvent *ret, Error *e);

/* "removed", "added", "changed", "rest" */
const char *vtpm_change_kind_name(VtpmChangeKind kind);
