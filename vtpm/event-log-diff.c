/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One pass over each log sorts its events by PCR. What both begin and end with is put aside; the rest is aligned by
 * E. W. Myers' greedy algorithm ("An O(ND) Difference Algorithm and Its Variations", 1986), in an order of the two
 * sequences that does not depend on which log is the old one.
 */

#include "vtpm/event-log-diff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vtpm/event-log-replay.h"

#define N_PCRS (VTPM_EVENT_PCR_MAX + 1)

/* An event that extends a PCR. 24 bytes, where one with a SHA-1 digest has 32 in the log. */
typedef struct Entry {
        const uint8_t *digest; /* in the log */
        VtpmEventPlace place;
        uint32_t type;
} Entry;

/* The events of one log by PCR: those of PCR i are entries[first[i]] to entries[first[i + 1] - 1]. */
typedef struct Index {
        Entry *entries;
        size_t first[N_PCRS + 1];
} Index;

static void index_done(Index *index) {
        free(index->entries);
        index->entries = NULL;
}

/* A part of the events of one PCR, and which of them have a counterpart. */
typedef struct Sequence {
        const Entry *entries;
        size_t n;
        bool *matched;
} Sequence;

typedef struct Differ {
        size_t digest_size;
        int32_t *reach; /* Myers' V of each round, one after the other; see row() */
        VtpmEventLogDiff diff;
        size_t allocated;
} Differ;

static void differ_done(Differ *d) {
        free(d->reach);
        vtpm_event_log_diff_done(&d->diff);
}

/* ---- events by PCR ---- */

/* The digest by which an event takes part; NULL for one that changes no PCR of the bank. */
static const VtpmEventDigest *extends(const VtpmEvent *event, uint16_t hash) {
        return event->type == VTPM_EV_NO_ACTION ? NULL : vtpm_event_digest(event, hash);
}

static int count_events(VtpmEventLog log, uint16_t hash, size_t counts[static N_PCRS], Error *e) {
        VtpmEvent event;
        int r;

        vtpm_event_log_rewind(&log);
        while ((r = vtpm_event_log_next(&log, &event, e)) > 0)
                if (extends(&event, hash))
                        counts[event.pcr]++;
        return r;
}

static int fill_entries(VtpmEventLog log, uint16_t hash, Index *index, Error *e) {
        size_t next[N_PCRS];
        VtpmEvent event;
        int r;

        (void) memcpy(next, index->first, sizeof(next));
        vtpm_event_log_rewind(&log);
        while ((r = vtpm_event_log_next(&log, &event, e)) > 0) {
                const VtpmEventDigest *digest = extends(&event, hash);

                if (digest)
                        index->entries[next[event.pcr]++] = (Entry){
                                .digest = digest->bytes,
                                .place = { .number = (uint32_t) event.number, .offset = (uint32_t) event.offset },
                                .type = event.type,
                        };
        }
        return r;
}

static int index_events(const VtpmEventLog *log, uint16_t hash, Index *ret, Error *e) {
        size_t counts[N_PCRS] = {};
        int r;

        if (!vtpm_event_log_has_bank(log, hash))
                return error_set(e, -ENOENT, "event-log-bank", "no digests of bank %s", vtpm_hash_name(hash));
        r = count_events(*log, hash, counts, e);
        if (r < 0)
                return r;
        for (size_t i = 0; i < N_PCRS; i++)
                ret->first[i + 1] = ret->first[i] + counts[i];
        ret->entries = calloc(ret->first[N_PCRS] + 1, sizeof(ret->entries[0]));
        return ret->entries ? fill_entries(*log, hash, ret, e) : error_oom(e);
}

/* ---- alignment ---- */

static bool equal(const Differ *d, const Entry *a, const Entry *b) {
        return memcmp(a->digest, b->digest, d->digest_size) == 0;
}

/* The shorter one comes first, of equally long ones that with the smaller digests. They are not the same. */
static bool comes_first(const Differ *d, const Sequence *a, const Sequence *b) {
        for (size_t i = 0; a->n == b->n && i < a->n; i++) {
                int order = memcmp(a->entries[i].digest, b->entries[i].digest, d->digest_size);

                if (order != 0)
                        return order < 0;
        }
        return a->n < b->n;
}

/*
 * How far along @a one comes on each diagonal (place in @a minus place in @b) with so many edits: round n has
 * diagonals -n to n, and stands behind those of all rounds before it, which are n * n numbers.
 */
static int32_t *row(const Differ *d, int32_t edits) {
        return d->reach + (ptrdiff_t) edits * edits + edits;
}

/* True when the best way to this diagonal is from the one above: an event of @b has no counterpart. */
static bool is_from_above(const int32_t *before, int32_t edits, int32_t diagonal) {
        return diagonal == -edits || (diagonal != edits && before[diagonal - 1] < before[diagonal + 1]);
}

/* One more edit. True when the ends of both were reached. */
static bool advance(const Differ *d, const Sequence *a, const Sequence *b, int32_t edits) {
        const int32_t *before = edits > 0 ? row(d, edits - 1) : NULL;
        int32_t *now = row(d, edits);

        for (int32_t k = -edits; k <= edits; k += 2) {
                int32_t x = !before ? 0 : is_from_above(before, edits, k) ? before[k + 1] : before[k - 1] + 1;
                int32_t y = x - k;

                while ((size_t) x < a->n && (size_t) y < b->n && equal(d, &a->entries[x], &b->entries[y])) {
                        x++;
                        y++;
                }
                now[k] = x;
                if ((size_t) x == a->n && (size_t) y == b->n)
                        return true;
        }
        return false;
}

static void trace_back(const Differ *d, const Sequence *a, const Sequence *b, int32_t edits) {
        int32_t x = (int32_t) a->n, y = (int32_t) b->n;

        for (; edits >= 0; edits--) {
                const int32_t *before = edits > 0 ? row(d, edits - 1) : NULL;
                int32_t k = x - y;
                bool above = before && is_from_above(before, edits, k);
                int32_t from = !before ? 0 : above ? before[k + 1] : before[k - 1];
                int32_t begin = !before || above ? from : from + 1; /* in @a, behind the edit */

                for (; x > begin; x--, y--)
                        a->matched[x - 1] = b->matched[y - 1] = true;
                x = from;
                y = above ? from - (k + 1) : from - (k - 1);
        }
}

/* Return: 0; -E2BIG they are too different. */
static int align(const Differ *d, const Sequence *a, const Sequence *b) {
        for (int32_t edits = 0; edits <= (int32_t) VTPM_DIFF_EDITS_MAX; edits++) {
                if (!advance(d, a, b, edits))
                        continue;
                trace_back(d, a, b, edits);
                return 0;
        }
        return -E2BIG;
}

/* ---- changes ---- */

static int add_change(Differ *d, const VtpmEventChange *change) {
        VtpmEventLogDiff *diff = &d->diff;

        if (diff->n_changes == d->allocated) {
                size_t n = d->allocated ? 2 * d->allocated : 16;
                VtpmEventChange *more = reallocarray(diff->changes, n, sizeof(*more));

                if (!more)
                        return -ENOMEM;
                diff->changes = more;
                d->allocated = n;
        }
        diff->changes[diff->n_changes++] = *change;
        return 0;
}

static int add(Differ *d, VtpmChangeKind kind, uint32_t pcr, const Entry *old, size_t n_old, const Entry *new,
               size_t n_new) {
        VtpmEventChange c = { .kind = kind, .pcr = pcr, .n_old = (uint32_t) n_old, .n_new = (uint32_t) n_new };

        if (n_old > 0)
                c.old = old->place;
        if (n_new > 0)
                c.new = new->place;
        return add_change(d, &c);
}

/* Events without counterpart that stand in the same place: the first with the first, if of one type, and so on. */
static int add_run(Differ *d, uint32_t pcr, const Entry *old, size_t n_old, const Entry *new, size_t n_new) {
        int r = 0;

        for (size_t i = 0; (i < n_old || i < n_new) && r == 0; i++) {
                if (i < n_old && i < n_new && old[i].type == new[i].type) {
                        r = add(d, VTPM_CHANGE_CHANGED, pcr, &old[i], 1, &new[i], 1);
                        continue;
                }
                if (i < n_old)
                        r = add(d, VTPM_CHANGE_REMOVED, pcr, &old[i], 1, NULL, 0);
                if (i < n_new && r == 0)
                        r = add(d, VTPM_CHANGE_ADDED, pcr, NULL, 0, &new[i], 1);
        }
        return r;
}

static size_t run_length(const Sequence *s, size_t at) {
        size_t n = 0;

        while (at + n < s->n && !s->matched[at + n])
                n++;
        return n;
}

static int add_unmatched(Differ *d, uint32_t pcr, const Sequence *old, const Sequence *new) {
        size_t i = 0, j = 0;
        int r = 0;

        while ((i < old->n || j < new->n) && r == 0) {
                size_t n_old = run_length(old, i), n_new = run_length(new, j);

                r = add_run(d, pcr, old->entries + i, n_old, new->entries + j, n_new);
                i += n_old + 1; /* and the pair behind them, if any */
                j += n_new + 1;
        }
        return r;
}

static void trim(const Differ *d, Sequence *a, Sequence *b) {
        while (a->n > 0 && b->n > 0 && equal(d, a->entries, b->entries)) {
                a->entries++;
                b->entries++;
                a->n--;
                b->n--;
        }
        while (a->n > 0 && b->n > 0 && equal(d, &a->entries[a->n - 1], &b->entries[b->n - 1])) {
                a->n--;
                b->n--;
        }
}

static int diff_sequences(Differ *d, uint32_t pcr, Sequence *old, Sequence *new) {
        AUTO_FREE bool *matched = NULL;
        int r = 0;

        trim(d, old, new);
        if (old->n == 0 && new->n == 0)
                return 0;
        matched = calloc(old->n + new->n, sizeof(*matched));
        if (!matched)
                return -ENOMEM;
        old->matched = matched;
        new->matched = matched + old->n;
        if (old->n > 0 && new->n > 0)
                r = comes_first(d, old, new) ? align(d, old, new) : align(d, new, old);
        if (r == -E2BIG)
                return add(d, VTPM_CHANGE_REST, pcr, old->entries, old->n, new->entries, new->n);
        return add_unmatched(d, pcr, old, new);
}

static int diff_all(Differ *d, const Index *old, const Index *new, Error *e) {
        const size_t n_reach = (size_t) (VTPM_DIFF_EDITS_MAX + 1) * (VTPM_DIFF_EDITS_MAX + 1);

        d->reach = calloc(n_reach, sizeof(d->reach[0]));
        if (!d->reach)
                return error_oom(e);
        for (uint32_t i = 0; i < N_PCRS; i++) {
                Sequence a = { .entries = old->entries + old->first[i], .n = old->first[i + 1] - old->first[i] };
                Sequence b = { .entries = new->entries + new->first[i], .n = new->first[i + 1] - new->first[i] };

                if (diff_sequences(d, i, &a, &b) < 0)
                        return error_oom(e);
        }
        return 0;
}

static size_t digest_size(const VtpmEventLog *log, uint16_t hash) {
        for (size_t i = 0; i < log->n_algs; i++)
                if (log->algs[i].hash == hash)
                        return log->algs[i].size;
        return 0;
}

static int read_log(const VtpmEventLog *log, const char *which, uint16_t hash, Index *index, uint8_t *locality,
                    Error *e) {
        Error why = {};
        int r = index_events(log, hash, index, &why);

        if (r == 0)
                r = vtpm_event_log_locality(log, locality, &why);
        return r < 0 ? error_set(e, r, error_reason(&why, r), "The %s log: %s", which, error_text(&why, r)) : 0;
}

int vtpm_event_log_diff(const VtpmEventLog *old, const VtpmEventLog *new, uint16_t hash, VtpmEventLogDiff *ret,
                        Error *e) {
        CLEANUP(index_done) Index old_index = {}, new_index = {};
        CLEANUP(differ_done) Differ d = { .digest_size = digest_size(old, hash) };
        int r;

        r = read_log(old, "old", hash, &old_index, &d.diff.old_locality, e);
        if (r == 0)
                r = read_log(new, "new", hash, &new_index, &d.diff.new_locality, e);
        if (r < 0)
                return r;
        if (digest_size(new, hash) != d.digest_size) /* only of hashes that we do not know can logs disagree */
                return error_set(e, -EBADMSG, "event-log-bank",
                                 "The logs have digests of %zu and %zu bytes for one bank", d.digest_size,
                                 digest_size(new, hash));
        r = diff_all(&d, &old_index, &new_index, e);
        if (r < 0)
                return r;
        *ret = d.diff;
        d.diff = (VtpmEventLogDiff){};
        return 0;
}

void vtpm_event_log_diff_done(VtpmEventLogDiff *diff) {
        free(diff->changes);
        *diff = (VtpmEventLogDiff){};
}

int vtpm_event_log_at(const VtpmEventLog *log, const VtpmEventPlace *place, VtpmEvent *ret, Error *e) {
        VtpmEventLog at = *log;
        int r;

        vtpm_event_log_rewind(&at);
        at.n_events = place->number;
        rd_skip(&at.reader, place->offset);
        r = vtpm_event_log_next(&at, ret, e);
        return r == 0 ? error_set(e, -EBADMSG, "event-log-place", "No event at offset %u", place->offset) :
               r < 0 ? r : 0;
}

const char *vtpm_change_kind_name(VtpmChangeKind kind) {
        static const char *const names[] = {
                [VTPM_CHANGE_REMOVED] = "removed",
                [VTPM_CHANGE_ADDED] = "added",
                [VTPM_CHANGE_CHANGED] = "changed",
                [VTPM_CHANGE_REST] = "rest",
        };

        return (unsigned) kind < N_ELEMENTS(names) ? names[kind] : "?";
}
