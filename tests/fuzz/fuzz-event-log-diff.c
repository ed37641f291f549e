/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Differences of two event logs, which stand one behind the other after the size of the first (two bytes): a log does
 * not differ from itself; exchanging the logs mirrors the changes; and the changes, applied to the events of the old
 * log, give those of the new one.
 */

#include <assert.h>
#include <string.h>

#include "base/reader.h"
#include "vtpm/event-log-diff.h"
#include "vtpm/event-log-replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Steps to the next event that extends @pcr. False at the end. */
static bool step(VtpmEventLog *log, uint16_t hash, uint32_t pcr, VtpmEvent *ret) {
        int r;

        while ((r = vtpm_event_log_next(log, ret, NULL)) > 0)
                if (ret->pcr == pcr && ret->type != VTPM_EV_NO_ACTION && vtpm_event_digest(ret, hash))
                        return true;
        assert(r == 0);
        return false;
}

/* Events of one PCR of one log, one at a time. */
typedef struct Walk {
        VtpmEventLog log;
        uint16_t hash;
        uint32_t pcr;
        bool more;
        VtpmEvent event;
} Walk;

static Walk walk(const VtpmEventLog *log, uint16_t hash, uint32_t pcr) {
        Walk w = { .log = *log, .hash = hash, .pcr = pcr };

        vtpm_event_log_rewind(&w.log);
        w.more = step(&w.log, hash, pcr, &w.event);
        return w;
}

static void next(Walk *w) {
        assert(w->more);
        w->more = step(&w->log, w->hash, w->pcr, &w->event);
}

static bool is_at(const Walk *w, uint32_t n, const VtpmEventPlace *place) {
        return n == 0 || (w->more && w->event.number == place->number && w->event.offset == place->offset);
}

/* Both stand before events without difference. */
static void pass(Walk *a, Walk *b) {
        const VtpmEventDigest *x, *y;

        assert(a->more && b->more);
        x = vtpm_event_digest(&a->event, a->hash);
        y = vtpm_event_digest(&b->event, b->hash);
        assert(x->size == y->size && memcmp(x->bytes, y->bytes, x->size) == 0);
        next(a);
        next(b);
}

static void apply(const VtpmEventLog *old, const VtpmEventLog *new, uint16_t hash, const VtpmEventLogDiff *diff) {
        size_t i = 0;

        for (uint32_t pcr = 0; pcr <= VTPM_EVENT_PCR_MAX; pcr++) {
                Walk a = walk(old, hash, pcr), b = walk(new, hash, pcr);

                for (; i < diff->n_changes && diff->changes[i].pcr == pcr; i++) {
                        const VtpmEventChange *c = &diff->changes[i];

                        assert(c->n_old + c->n_new > 0);
                        while (!is_at(&a, c->n_old, &c->old) || !is_at(&b, c->n_new, &c->new))
                                pass(&a, &b);
                        for (uint32_t n = 0; n < c->n_old; n++)
                                next(&a);
                        for (uint32_t n = 0; n < c->n_new; n++)
                                next(&b);
                }
                while (a.more || b.more)
                        pass(&a, &b);
        }
        assert(i == diff->n_changes);
}

static VtpmChangeKind mirrored(VtpmChangeKind kind) {
        return kind == VTPM_CHANGE_ADDED ? VTPM_CHANGE_REMOVED : kind == VTPM_CHANGE_REMOVED ? VTPM_CHANGE_ADDED : kind;
}

static bool same_place(const VtpmEventPlace *a, const VtpmEventPlace *b) {
        return a->number == b->number && a->offset == b->offset;
}

/* In a run of events without counterpart the removed ones come first, so what is mirrored is the set. */
static void mirror(const VtpmEventLogDiff *there, const VtpmEventLogDiff *back) {
        assert(there->n_changes == back->n_changes);
        assert(there->old_locality == back->new_locality && there->new_locality == back->old_locality);
        for (size_t i = 0; i < there->n_changes; i++) {
                const VtpmEventChange *c = &there->changes[i];
                bool found = false;

                for (size_t k = 0; k < back->n_changes && !found; k++) {
                        const VtpmEventChange *m = &back->changes[k];

                        found = m->pcr == c->pcr && m->kind == mirrored(c->kind) && m->n_old == c->n_new &&
                                m->n_new == c->n_old && same_place(&m->old, &c->new) && same_place(&m->new, &c->old);
                }
                assert(found);
        }
}

static void compare(const VtpmEventLog *old, const VtpmEventLog *new, uint16_t hash) {
        AUTO_VTPM_EVENT_LOG_DIFF VtpmEventLogDiff there = {}, back = {}, self = {};
        Error e = {};
        int r = vtpm_event_log_diff(old, new, hash, &there, &e);

        if (r < 0) {
                assert(e.code == r && there.changes == NULL);
                assert(vtpm_event_log_diff(new, old, hash, &back, NULL) < 0);
                return;
        }
        assert(vtpm_event_log_diff(new, old, hash, &back, NULL) == 0);
        assert(vtpm_event_log_diff(old, old, hash, &self, NULL) == 0 && self.n_changes == 0);
        apply(old, new, hash, &there);
        mirror(&there, &back);
        for (size_t i = 0; i < there.n_changes; i++) {
                VtpmEvent event;

                if (there.changes[i].n_old > 0)
                        assert(vtpm_event_log_at(old, &there.changes[i].old, &event, NULL) == 0 &&
                               event.pcr == there.changes[i].pcr);
                if (there.changes[i].n_new > 0)
                        assert(vtpm_event_log_at(new, &there.changes[i].new, &event, NULL) == 0 &&
                               event.pcr == there.changes[i].pcr);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        Reader r = rd_init(data, size);
        VtpmEventLog old, new;
        size_t n = rd_le16(&r);
        const uint8_t *first = rd_take(&r, n);

        if (r.error < 0 || vtpm_event_log_open(first, n, &old, NULL) < 0 ||
            vtpm_event_log_open(data + r.pos, rd_left(&r), &new, NULL) < 0)
                return 0;
        for (size_t i = 0; i < old.n_algs; i++)
                compare(&old, &new, old.algs[i].hash);
        return 0;
}
