/* SPDX-License-Identifier: Apache-2.0 */

/* Two logs, and the events that make the difference. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"
#include "tests/unit/vtpm/event-logs.h"
#include "vtpm/event-log-diff.h"

static const uint16_t banks[] = { VTPM_ALG_SHA1, VTPM_ALG_SHA256 };

/* A letter is an event of PCR 4: lower case EV_IPL, upper case EV_EFI_ACTION; the letter is its data. */
static Blob log_of(const char *letters) {
        Writer w = wr_init(VTPM_EVENT_LOG_MAX);
        Blob b = {};

        event_logs_begin(&w, banks, 2);
        event_logs_add(&w, banks, 2, 0, VTPM_EV_S_CRTM_VERSION, "v1", 2);
        for (const char *p = letters; *p; p++)
                event_logs_add(&w, banks, 2, 4, *p >= 'a' ? VTPM_EV_IPL : VTPM_EV_EFI_ACTION, p, 1);
        event_logs_add(&w, banks, 2, 7, VTPM_EV_SEPARATOR, "\0\0\0\0", 4);
        ck_assert_int_eq(wr_finish(&w, &b), 0);
        return b;
}

static VtpmEventLog open_log(const Blob *b) {
        VtpmEventLog log;
        Error e = {};

        ck_assert_msg(vtpm_event_log_open(b->data, b->size, &log, &e) == 0, "%s", e.text);
        return log;
}

static VtpmEventLogDiff diff_or_fail(const VtpmEventLog *old, const VtpmEventLog *new) {
        VtpmEventLogDiff d = {};
        Error e = {};

        ck_assert_msg(vtpm_event_log_diff(old, new, VTPM_ALG_SHA256, &d, &e) == 0, "%s", e.text);
        return d;
}

static char letter_at(const VtpmEventLog *log, const VtpmEventPlace *place) {
        VtpmEvent event;

        ck_assert_int_eq(vtpm_event_log_at(log, place, &event, NULL), 0);
        ck_assert_uint_eq(event.number, place->number);
        return (char) event.data[0];
}

/* "-x" removed, "+x" added, "x>y" changed, "x/y*N,M" rest; with blanks between. */
static void describe(const VtpmEventLog *old, const VtpmEventLog *new, const VtpmEventLogDiff *d, char *to,
                     size_t size) {
        size_t n = 0;

        to[0] = 0;
        for (size_t i = 0; i < d->n_changes; i++) {
                const VtpmEventChange *c = &d->changes[i];
                char a = c->n_old ? letter_at(old, &c->old) : 0, b = c->n_new ? letter_at(new, &c->new) : 0;
                const char *blank = i ? " " : "";

                ck_assert_uint_eq(c->pcr, 4);
                if (c->kind == VTPM_CHANGE_REST)
                        n += (size_t) snprintf(to + n, size - n, "%s%c/%c*%u,%u", blank, a, b, c->n_old, c->n_new);
                else if (c->kind == VTPM_CHANGE_CHANGED)
                        n += (size_t) snprintf(to + n, size - n, "%s%c>%c", blank, a, b);
                else
                        n += (size_t) snprintf(to + n, size - n, "%s%c%c", blank, a ? '-' : '+', a ? a : b);
        }
}

static const struct {
        const char *old, *new, *there, *back;
} rows[] = {
        { "", "", "", "" },
        { "abc", "abc", "", "" },
        { "abc", "axc", "b>x", "x>b" },
        { "abc", "aXc", "-b +X", "-X +b" }, /* of another type: not the same event any more */
        { "abc", "abxc", "+x", "-x" },
        { "abc", "ac", "-b", "+b" },
        { "abc", "", "-a -b -c", "+a +b +c" },
        { "abc", "xabc", "+x", "-x" },
        { "abc", "abcx", "+x", "-x" },
        { "abc", "bca", "-a +a", "+a -a" }, /* moved */
        { "abcdef", "abxdyf", "c>x e>y", "x>c y>e" },
        { "abcdef", "axyf", "b>x c>y -d -e", "x>b y>c +d +e" },
        { "aaaa", "aaa", "-a", "+a" },
        { "abcabba", "cbabac", NULL, NULL }, /* several answers are as good: only the properties below hold */
        { "abXcd", "aYbcd", "+Y -X", "-Y +X" },
};

START_TEST(differences_are_named) {
        AUTO_BLOB Blob a = log_of(rows[_i].old), b = log_of(rows[_i].new);
        VtpmEventLog old = open_log(&a), new = open_log(&b);
        AUTO_VTPM_EVENT_LOG_DIFF VtpmEventLogDiff there = diff_or_fail(&old, &new), back = diff_or_fail(&new, &old);
        char text[256];

        ck_assert_uint_eq(there.n_changes, back.n_changes);
        if (!rows[_i].there) {
                ck_assert_uint_le(there.n_changes, 5); /* Myers' own example: five edits */
                return;
        }
        describe(&old, &new, &there, text, sizeof(text));
        ck_assert_str_eq(text, rows[_i].there);
        describe(&new, &old, &back, text, sizeof(text));
        ck_assert_str_eq(text, rows[_i].back);
} END_TEST

START_TEST(data_without_digest_makes_no_difference) {
        AUTO_BLOB Blob a = log_of("abc"), b = log_of("abc");
        VtpmEventLog old = open_log(&a), new;
        AUTO_VTPM_EVENT_LOG_DIFF VtpmEventLogDiff d = {};

        b.data[b.size - 1] ^= 1; /* of the separator */
        new = open_log(&b);
        d = diff_or_fail(&old, &new);
        ck_assert_uint_eq(d.n_changes, 0);
} END_TEST

static Blob log_with_locality(uint8_t locality) {
        Writer w = wr_init(4096);
        uint8_t data[17] = "StartupLocality";
        Blob b = {};

        data[16] = locality;
        event_logs_begin(&w, banks, 2);
        event_logs_add(&w, banks, 2, 0, VTPM_EV_NO_ACTION, data, sizeof(data));
        ck_assert_int_eq(wr_finish(&w, &b), 0);
        return b;
}

START_TEST(locality_is_told_apart_from_events) {
        AUTO_BLOB Blob a = log_with_locality(0), b = log_with_locality(3);
        VtpmEventLog old = open_log(&a), new = open_log(&b);
        AUTO_VTPM_EVENT_LOG_DIFF VtpmEventLogDiff d = diff_or_fail(&old, &new);

        ck_assert_uint_eq(d.n_changes, 0);
        ck_assert_uint_eq(d.old_locality, 0);
        ck_assert_uint_eq(d.new_locality, 3);
} END_TEST

START_TEST(sha1_log_is_compared_with_an_agile_one) {
        Writer w = wr_init(4096);
        AUTO_BLOB Blob a = log_of("ab"), b = {};
        AUTO_VTPM_EVENT_LOG_DIFF VtpmEventLogDiff d = {};
        VtpmEventLog old, new;
        Error e = {};

        event_logs_add_sha1(&w, 0, VTPM_EV_S_CRTM_VERSION, "v1", 2);
        event_logs_add_sha1(&w, 4, VTPM_EV_IPL, "a", 1);
        event_logs_add_sha1(&w, 4, VTPM_EV_IPL, "c", 1);
        event_logs_add_sha1(&w, 7, VTPM_EV_SEPARATOR, "\0\0\0\0", 4);
        ck_assert_int_eq(wr_finish(&w, &b), 0);
        old = open_log(&a);
        new = open_log(&b);
        ck_assert_int_eq(vtpm_event_log_diff(&old, &new, VTPM_ALG_SHA1, &d, NULL), 0);
        ck_assert_uint_eq(d.n_changes, 1);
        ck_assert_int_eq(d.changes[0].kind, VTPM_CHANGE_CHANGED);
        ck_assert_int_eq(vtpm_event_log_diff(&old, &new, VTPM_ALG_SHA256, &d, &e), -ENOENT);
        ck_assert_msg(strstr(e.text, "new log") != NULL, "%s", e.text);
} END_TEST

START_TEST(malformed_log_is_named) {
        AUTO_BLOB Blob a = log_of("abc"), b = log_of("abc");
        AUTO_VTPM_EVENT_LOG_DIFF VtpmEventLogDiff d = {};
        VtpmEventLog old = open_log(&a), new;
        Error e = {}, f = {};

        b.size--;
        new = open_log(&b);
        ck_assert_int_eq(vtpm_event_log_diff(&old, &new, VTPM_ALG_SHA256, &d, &e), -EBADMSG);
        ck_assert_msg(strstr(e.text, "The new log: Event 5") != NULL, "%s", e.text);
        ck_assert_int_eq(vtpm_event_log_diff(&new, &old, VTPM_ALG_SHA256, &d, &f), -EBADMSG);
        ck_assert_msg(strstr(f.text, "The old log: ") != NULL, "%s", f.text);
} END_TEST

START_TEST(place_outside_the_log_is_no_event) {
        AUTO_BLOB Blob a = log_of("abc");
        VtpmEventLog log = open_log(&a);
        VtpmEventPlace end = { .number = 6, .offset = (uint32_t) a.size }, beyond = { 7, (uint32_t) a.size + 1 };
        VtpmEvent event;

        ck_assert_int_eq(vtpm_event_log_at(&log, &end, &event, NULL), -EBADMSG);
        ck_assert_int_eq(vtpm_event_log_at(&log, &beyond, &event, NULL), -EBADMSG);
} END_TEST

/* @n events of one PCR, of which every @every-th says @what besides its number. */
static Blob many(size_t n, size_t every, const char *what) {
        Writer w = wr_init(VTPM_EVENT_LOG_MAX);
        Blob b = {};

        for (size_t i = 0; i < n; i++) {
                char text[32];

                (void) snprintf(text, sizeof(text), "%zu %s", i, every && i % every == 0 ? what : "");
                event_logs_add_sha1(&w, 4, VTPM_EV_IPL, text, strlen(text));
        }
        ck_assert_int_eq(wr_finish(&w, &b), 0);
        return b;
}

static const struct {
        size_t n, every;
        VtpmChangeKind kind;
        size_t n_changes;
} large[] = {
        { 20000, 100, VTPM_CHANGE_CHANGED, 200 },
        { 20000, 79, VTPM_CHANGE_CHANGED, 254 }, /* 508 edits */
        { 20000, 77, VTPM_CHANGE_REST, 1 },      /* 520 */
        { 20000, 1, VTPM_CHANGE_REST, 1 },
};

START_TEST(large_logs_are_aligned_up_to_a_limit) {
        AUTO_BLOB Blob a = many(large[_i].n, large[_i].every, "old"), b = many(large[_i].n, large[_i].every, "new");
        VtpmEventLog old = open_log(&a), new = open_log(&b);
        AUTO_VTPM_EVENT_LOG_DIFF VtpmEventLogDiff d = {};

        ck_assert_int_eq(vtpm_event_log_diff(&old, &new, VTPM_ALG_SHA1, &d, NULL), 0);
        ck_assert_uint_eq(d.n_changes, large[_i].n_changes);
        ck_assert_int_eq(d.changes[0].kind, large[_i].kind);
        ck_assert_uint_eq(d.changes[0].old.number, 0); /* what differs first is told in either case */
} END_TEST

START_TEST(kinds_have_names) {
        ck_assert_str_eq(vtpm_change_kind_name(VTPM_CHANGE_REMOVED), "removed");
        ck_assert_str_eq(vtpm_change_kind_name(VTPM_CHANGE_ADDED), "added");
        ck_assert_str_eq(vtpm_change_kind_name(VTPM_CHANGE_CHANGED), "changed");
        ck_assert_str_eq(vtpm_change_kind_name(VTPM_CHANGE_REST), "rest");
        ck_assert_str_eq(vtpm_change_kind_name((VtpmChangeKind) 77), "?");
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("event-log-diff");
        TCase *tc = tcase_create("diff");

        tcase_add_loop_test(tc, differences_are_named, 0, N_ELEMENTS(rows));
        tcase_add_test(tc, data_without_digest_makes_no_difference);
        tcase_add_test(tc, locality_is_told_apart_from_events);
        tcase_add_test(tc, sha1_log_is_compared_with_an_agile_one);
        tcase_add_test(tc, malformed_log_is_named);
        tcase_add_test(tc, place_outside_the_log_is_no_event);
        tcase_add_loop_test(tc, large_logs_are_aligned_up_to_a_limit, 0, N_ELEMENTS(large));
        tcase_add_test(tc, kinds_have_names);
        suite_add_tcase(s, tc);
        return s;
}

int main(void) {
        return unit_run(suite());
}
