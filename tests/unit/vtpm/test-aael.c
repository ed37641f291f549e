/* SPDX-License-Identifier: Apache-2.0 */
/* Entries of the attestation agent's log: as others write them, as ours, and those that are none. */
#include <errno.h>
#include <string.h>

#include "base/writer.h"
#include "tests/unit/unit.h"
#include "tests/unit/vtpm/event-logs.h"
#include "vtpm/aael.h"
#include "vtpm/event-log-replay.h"

#define TEXT(t) { t, sizeof(t) - 1 }
#define DATA(t) t, sizeof(t) - 1
#define TAG "LEAA" /* 0x4141454c, little-endian */

static VtpmAaelText text_of(const char *s) {
        return (VtpmAaelText){ s, strlen(s) };
}

static bool text_is(VtpmAaelText t, const char *want) {
        return t.len == strlen(want) && memcmp(t.text, want, t.len) == 0;
}

static VtpmAaelEntry entry_of(const char *domain, const char *operation, const char *content) {
        return (VtpmAaelEntry){ text_of(domain), text_of(operation), text_of(content) };
}

/* A log of that one bank that holds @event and nothing else. */
static Blob log_of(uint16_t hash, const void *event, size_t size) {
        uint8_t header[VTPM_AAEL_HEADER_SIZE];
        Writer w = wr_init(1u << 20);
        Blob b = {};

        vtpm_aael_header(hash, header);
        wr_bytes(&w, header, sizeof(header));
        wr_bytes(&w, event, size);
        ck_assert_int_eq(wr_finish(&w, &b), 0);
        return b;
}

static void second_event(const Blob *bytes, VtpmEventLog *log, VtpmEvent *ret) {
        Error e = {};

        ck_assert_msg(vtpm_event_log_open(bytes->data, bytes->size, log, &e) == 0, "%s", e.text);
        ck_assert(log->agile);
        ck_assert_uint_eq(log->n_algs, 1);
        ck_assert_int_eq(vtpm_event_log_next(log, ret, &e), 1);
        ck_assert_msg(vtpm_event_log_next(log, ret, &e) == 1, "%s", e.text);
}

START_TEST(what_is_written_is_read) {
        VtpmAaelEntry entry = entry_of("example.org/agent", "Release", "{\"a\": \"\xc3\xa9\"}"), back;
        uint8_t digest[VTPM_DIGEST_MAX];
        AUTO_BLOB Blob event = {}, bytes = {};
        VtpmEventLog log;
        VtpmEvent ev;
        VtpmPcrValues values;
        Error e = {};

        ck_assert_int_eq(vtpm_aael_encode(&entry, 8, VTPM_ALG_SHA256, &event, digest, &e), 0);
        bytes = log_of(VTPM_ALG_SHA256, event.data, event.size);
        second_event(&bytes, &log, &ev);
        ck_assert_uint_eq(ev.pcr, 8);
        ck_assert_mem_eq(ev.digests[0].bytes, digest, 32);
        ck_assert_msg(vtpm_aael_parse(&ev, &back, &e) == 0, "%s", e.text);
        ck_assert(text_is(back.domain, "example.org/agent") && text_is(back.operation, "Release"));
        ck_assert(text_is(back.content, "{\"a\": \"\xc3\xa9\"}"));
        ck_assert_int_eq(vtpm_event_log_next(&log, &ev, &e), 0);
        ck_assert_int_eq(vtpm_event_log_replay(&log, VTPM_ALG_SHA256, &values, &e), 0);
        ck_assert_uint_eq(values.mask, 1u << 8);
}
END_TEST

START_TEST(empty_content_is_content) {
        VtpmAaelEntry entry = entry_of("d", "o", ""), back;
        uint8_t digest[VTPM_DIGEST_MAX];
        AUTO_BLOB Blob event = {}, bytes = {};
        VtpmEventLog log;
        VtpmEvent ev;

        ck_assert_int_eq(vtpm_aael_encode(&entry, 23, VTPM_ALG_SHA384, &event, digest, NULL), 0);
        bytes = log_of(VTPM_ALG_SHA384, event.data, event.size);
        second_event(&bytes, &log, &ev);
        ck_assert_int_eq(vtpm_aael_parse(&ev, &back, NULL), 0);
        ck_assert_uint_eq(back.content.len, 0);
}
END_TEST

START_TEST(text_that_no_log_carries_is_refused) {
        static char long_word[VTPM_AAEL_WORD_MAX + 2], long_content[VTPM_AAEL_CONTENT_MAX + 2];
        uint8_t digest[VTPM_DIGEST_MAX];
        Blob none = {};

        (void) memset(long_word, 'w', sizeof(long_word) - 1);
        (void) memset(long_content, 'c', sizeof(long_content) - 1);
        const VtpmAaelEntry bad[] = {
                entry_of("", "o", "c"),        entry_of("d", "", "c"),       entry_of("d d", "o", "c"),
                entry_of("d", "o o", "c"),     entry_of("d\n", "o", "c"),    entry_of("d", "o", "c\nd o c"),
                entry_of("d", "o", "\x7f"),    entry_of("\xc3\xa9", "o", ""), entry_of(long_word, "o", "c"),
                entry_of("d", long_word, "c"), entry_of("d", "o", long_content),
                { TEXT("d"), TEXT("o"), TEXT("a\0b") },
        };

        for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
                Error e = {};

                ck_assert_int_eq(vtpm_aael_encode(&bad[i], 8, VTPM_ALG_SHA256, &none, digest, &e), -EINVAL);
                ck_assert_str_eq(e.reason, "measurement-text");
                ck_assert_ptr_null(none.data);
        }
        const VtpmAaelEntry good = entry_of("d", "o", "c");
        ck_assert_int_eq(vtpm_aael_encode(&good, 8, 0x0012, &none, digest, NULL), -EOPNOTSUPP);
}
END_TEST

typedef struct BadEvent {
        const char *data;
        size_t size;
        int code;
        const char *reason;
} BadEvent;

START_TEST(events_that_are_none) {
        static const BadEvent rows[] = {
                { DATA("LEA"), -ENOENT, "not-a-measurement" },
                { DATA("XEAA\5\0\0\0a b c"), -ENOENT, "not-a-measurement" },
                { DATA(TAG "\6\0\0\0a b c"), -EBADMSG, "measurement-malformed" },
                { DATA(TAG "\4\0\0\0a b c"), -EBADMSG, "measurement-malformed" },
                { DATA(TAG "\3\0\0\0abc"), -EBADMSG, "measurement-malformed" },
                { DATA(TAG "\4\0\0\0a bc"), -EBADMSG, "measurement-malformed" },
                { DATA(TAG "\3\0\0\0 b "), -EBADMSG, "measurement-malformed" },
                { DATA(TAG "\3\0\0\0a  "), -EBADMSG, "measurement-malformed" },
                { DATA(TAG "\5\0\0\0a b\n "), -EBADMSG, "measurement-malformed" },
                { DATA(TAG "\6\0\0\0a b c\n"), -EBADMSG, "measurement-malformed" },
                { DATA(TAG "\0\0\0\0"), -EBADMSG, "measurement-malformed" },
        };
        static const uint16_t sha256 = VTPM_ALG_SHA256;

        for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
                Writer w = wr_init(4096);
                AUTO_BLOB Blob event = {}, bytes = {};
                VtpmAaelEntry back;
                VtpmEventLog log;
                VtpmEvent ev;
                Error e = {};

                event_logs_add(&w, &sha256, 1, 8, VTPM_EV_EVENT_TAG, rows[i].data, rows[i].size);
                ck_assert_int_eq(wr_finish(&w, &event), 0);
                bytes = log_of(VTPM_ALG_SHA256, event.data, event.size);
                second_event(&bytes, &log, &ev);
                ck_assert_int_eq(vtpm_aael_parse(&ev, &back, &e), rows[i].code);
                ck_assert_str_eq(e.reason, rows[i].reason);
        }
}
END_TEST

/* The digest is what counts: data beside it that is not what was measured is a lie. */
START_TEST(every_flipped_bit_of_the_data_is_found) {
        VtpmAaelEntry entry = entry_of("d", "o", "content"), back;
        uint8_t digest[VTPM_DIGEST_MAX];
        AUTO_BLOB Blob event = {};

        ck_assert_int_eq(vtpm_aael_encode(&entry, 8, VTPM_ALG_SHA256, &event, digest, NULL), 0);
        for (size_t bit = 14 * 8; bit < event.size * 8; bit++) {
                AUTO_BLOB Blob bytes = {};
                VtpmEventLog log;
                VtpmEvent ev;

                if (bit >= 46 * 8 && bit < 50 * 8)
                        continue; /* the size of the data: the log itself is malformed then */
                event.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
                bytes = log_of(VTPM_ALG_SHA256, event.data, event.size);
                event.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
                second_event(&bytes, &log, &ev);
                ck_assert_int_lt(vtpm_aael_parse(&ev, &back, NULL), 0);
        }
}
END_TEST

START_TEST(digests_nobody_can_compute_prove_nothing) {
        static const VtpmEvent ev = {
                .number = 3, .type = VTPM_EV_EVENT_TAG, .n_digests = 1,
                .digests[0] = { .hash = VTPM_ALG_SM3_256, .size = 32, .bytes = (const uint8_t *) "0123456789abcdef0123456789abcdef" },
                .data = (const uint8_t *) TAG "\5\0\0\0a b c", .size = 13,
        };
        VtpmAaelEntry back;
        Error e = {};

        ck_assert_int_eq(vtpm_aael_parse(&ev, &back, &e), -EBADMSG);
        ck_assert_str_eq(e.reason, "measurement-digest");
}
END_TEST

int main(void) {
        Suite *s = suite_create("vtpm-aael");
        TCase *t = tcase_create("aael");

        tcase_add_test(t, what_is_written_is_read);
        tcase_add_test(t, empty_content_is_content);
        tcase_add_test(t, text_that_no_log_carries_is_refused);
        tcase_add_test(t, events_that_are_none);
        tcase_add_test(t, every_flipped_bit_of_the_data_is_found);
        tcase_add_test(t, digests_nobody_can_compute_prove_nothing);
        suite_add_tcase(s, t);
        return unit_run(s);
}
