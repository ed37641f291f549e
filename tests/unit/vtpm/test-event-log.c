/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "tests/unit/unit.h"
#include "tests/unit/vtpm/event-logs.h"
#include "vtpm/event-log.h"

#define SPEC_ID_SIZE 69u /* of a log with two banks: 32 + 37 */

/* Written by hand from the structures' tables: two banks, vendor data, one event with its digests in reverse order. */
static const char golden_hex[] =
        "00000000" "03000000" "0000000000000000000000000000000000000000"   /* pcr, EV_NO_ACTION, digest */
        "28000000" "53706563204944204576656e74303300"                      /* size; "Spec ID Event03" */
        "01000000" "01" "02" "69" "02"                                     /* server; 2.1 errata 0x69, 64 bit */
        "02000000" "0400" "1400" "0b00" "2000" "03" "616263"               /* SHA-1, SHA-256; vendor "abc" */
        "07000000" "e0000080" "02000000"                                   /* pcr 7, EV_EFI_VARIABLE_AUTHORITY */
        "0b00" "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
        "0400" "202122232425262728292a2b2c2d2e2f30313233"
        "05000000" "68656c6c6f";

static Blob golden(void) {
        Blob b = {};

        ck_assert_int_eq(hex_decode(golden_hex, strlen(golden_hex), 1024, &b), 0);
        return b;
}

static VtpmEventLog opened(const Blob *b) {
        VtpmEventLog log = {};
        Error e = {};

        ck_assert_msg(vtpm_event_log_open(b->data, b->size, &log, &e) == 0, "%s", e.text);
        return log;
}

/* Number of events, or the first error. */
static int count(const Blob *b, Error *e) {
        VtpmEventLog log;
        VtpmEvent event;
        int n = 0, r = vtpm_event_log_open(b->data, b->size, &log, e);

        if (r < 0)
                return r;
        while ((r = vtpm_event_log_next(&log, &event, e)) > 0)
                n++;
        return r < 0 ? r : n;
}

START_TEST(every_field_is_where_the_table_says) {
        AUTO_BLOB Blob b = golden();
        VtpmEventLog log = opened(&b);
        VtpmEvent event;

        ck_assert(log.agile);
        ck_assert_uint_eq(log.platform_class, 1);
        ck_assert_uint_eq(log.spec_major, 2);
        ck_assert_uint_eq(log.spec_minor, 1);
        ck_assert_uint_eq(log.spec_errata, 0x69);
        ck_assert_uint_eq(log.n_algs, 2);
        ck_assert_uint_eq(log.algs[0].hash, VTPM_ALG_SHA1);
        ck_assert_uint_eq(log.algs[1].size, 32);
        ck_assert_int_eq(vtpm_event_log_next(&log, &event, NULL), 1);
        ck_assert_uint_eq(event.number, 0);
        ck_assert_uint_eq(event.offset, 0);
        ck_assert_uint_eq(event.type, VTPM_EV_NO_ACTION);
        ck_assert_uint_eq(event.size, 40);
        ck_assert_int_eq(vtpm_event_log_next(&log, &event, NULL), 1);
        ck_assert_uint_eq(event.number, 1);
        ck_assert_uint_eq(event.offset, 72);
        ck_assert_uint_eq(event.pcr, 7);
        ck_assert_uint_eq(event.type, VTPM_EV_EFI_VARIABLE_AUTHORITY);
        ck_assert_uint_eq(event.n_digests, 2);
        ck_assert_uint_eq(vtpm_event_digest(&event, VTPM_ALG_SHA256)->bytes[31], 0x1f);
        ck_assert_uint_eq(vtpm_event_digest(&event, VTPM_ALG_SHA1)->bytes[19], 0x33);
        ck_assert_ptr_null(vtpm_event_digest(&event, VTPM_ALG_SHA384));
        ck_assert_uint_eq(event.size, 5);
        ck_assert_mem_eq(event.data, "hello", 5);
        ck_assert_int_eq(vtpm_event_log_next(&log, &event, NULL), 0);
        ck_assert_int_eq(vtpm_event_log_next(&log, &event, NULL), 0);
        ck_assert_uint_eq(event.number, 1); /* untouched */
} END_TEST

START_TEST(a_rewound_log_begins_again) {
        AUTO_BLOB Blob b = golden();
        VtpmEventLog log = opened(&b);
        VtpmEvent event;

        while (vtpm_event_log_next(&log, &event, NULL) > 0)
                ;
        vtpm_event_log_rewind(&log);
        ck_assert_int_eq(vtpm_event_log_next(&log, &event, NULL), 1);
        ck_assert_uint_eq(event.number, 0);
} END_TEST

START_TEST(banks_are_those_of_the_first_event) {
        AUTO_BLOB Blob b = golden();
        VtpmEventLog log = opened(&b);

        ck_assert(vtpm_event_log_has_bank(&log, VTPM_ALG_SHA256));
        ck_assert(!vtpm_event_log_has_bank(&log, VTPM_ALG_SHA384));
} END_TEST

START_TEST(a_log_without_spec_id_is_read_as_sha1) {
        AUTO_WRITER Writer w = wr_init(4096);
        AUTO_BLOB Blob b = {};
        VtpmEventLog log;
        VtpmEvent event;

        event_logs_add_sha1(&w, 0, VTPM_EV_S_CRTM_VERSION, "v", 1);
        event_logs_add_sha1(&w, 4, VTPM_EV_SEPARATOR, "\0\0\0", 4);
        ck_assert_int_eq(wr_finish(&w, &b), 0);
        log = opened(&b);
        ck_assert(!log.agile);
        ck_assert_uint_eq(log.n_algs, 1);
        ck_assert(vtpm_event_log_has_bank(&log, VTPM_ALG_SHA1));
        ck_assert_int_eq(vtpm_event_log_next(&log, &event, NULL), 1);
        ck_assert_int_eq(vtpm_event_log_next(&log, &event, NULL), 1);
        ck_assert_uint_eq(event.pcr, 4);
        ck_assert_uint_eq(event.digests[0].size, 20);
        ck_assert_int_eq(vtpm_event_log_next(&log, &event, NULL), 0);
} END_TEST

START_TEST(a_short_or_older_no_action_event_begins_a_sha1_log) {
        static const char *const first[] = { "StartupLocality\0\3", "Spec ID Event02\0", "" };
        static const size_t sizes[] = { 17, 16, 0 };
        AUTO_WRITER Writer w = wr_init(4096);
        AUTO_BLOB Blob b = {};

        event_logs_add_sha1(&w, 0, VTPM_EV_NO_ACTION, first[_i], sizes[_i]);
        ck_assert_int_eq(wr_finish(&w, &b), 0);
        ck_assert(!opened(&b).agile);
        ck_assert_int_eq(count(&b, NULL), 1);
} END_TEST

START_TEST(every_truncation_ends_at_an_event_or_is_refused) {
        AUTO_BLOB Blob b = event_logs_small();
        size_t n_whole = 0;

        for (size_t n = 0; n < b.size; n++) {
                AUTO_BLOB Blob cut = event_logs_exact(b.data, n);
                Error e = {};
                int r = count(&cut, &e);

                if (r >= 0)
                        n_whole++;
                else {
                        ck_assert_int_eq(r, -EBADMSG);
                        ck_assert_str_eq(e.reason, "malformed");
                        ck_assert_ptr_nonnull(strstr(e.text, "offset"));
                }
        }
        ck_assert_uint_eq(n_whole, 5); /* behind each of six events but the last */
} END_TEST

START_TEST(every_flipped_bit_is_survived) {
        AUTO_BLOB Blob b = event_logs_small();

        for (size_t bit = 0; bit < 8 * b.size; bit++) {
                AUTO_BLOB Blob other = event_logs_exact(b.data, b.size);
                int r;

                other.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
                r = count(&other, NULL);
                ck_assert_msg(r == -EBADMSG || (r > 0 && r <= 6), "bit %zu: %d", bit, r);
        }
} END_TEST

START_TEST(an_error_lasts) {
        AUTO_BLOB Blob b = golden();
        VtpmEventLog log;
        VtpmEvent event;

        b.size--;
        log = opened(&b);
        ck_assert_int_eq(vtpm_event_log_next(&log, &event, NULL), 1);
        for (int i = 0; i < 3; i++) {
                Error e = {};

                ck_assert_int_eq(vtpm_event_log_next(&log, &event, &e), -EBADMSG);
                ck_assert_msg(strncmp(e.text, "Event 1: ", 9) == 0, "%s", e.text);
        }
} END_TEST

/* Offsets in the small log. */
static const struct {
        const char *why;
        size_t at;
        uint8_t value;
        int want;
} bad_bytes[] = {
        { "no bank", 56, 0, -EBADMSG },
        { "more than 16 banks", 56, 17, -EBADMSG },
        { "four thousand million banks", 59, 0xff, -EBADMSG },
        { "SHA-1 of 21 bytes", 62, 21, -EBADMSG },
        { "digests of no bytes", 62, 0, -EBADMSG },
        { "one bank twice", 64, 4, -EBADMSG },
        { "vendor data beyond the event", 68, 1, -EBADMSG },
        { "an event without digests", SPEC_ID_SIZE + 8, 0, -EBADMSG },
        { "more digests than banks", SPEC_ID_SIZE + 8, 3, -EBADMSG },
        { "a digest of no bank", SPEC_ID_SIZE + 12, 0x0c, -EBADMSG },
        { "two digests for one bank", SPEC_ID_SIZE + 12 + 22, 0x04, -EBADMSG },
        { "data beyond the log", SPEC_ID_SIZE + 71, 0xff, -EBADMSG },
        { "EV_NO_ACTION for no PCR", SPEC_ID_SIZE, 24, 6 },
        { "EV_NO_ACTION for PCR 2^31", SPEC_ID_SIZE + 3, 0x80, 6 },
        { "unknown event type", SPEC_ID_SIZE + 5, 0x77, 6 },
};

START_TEST(fields_out_of_range_are_refused) {
        AUTO_BLOB Blob b = event_logs_small();
        int r;

        b.data[bad_bytes[_i].at] = bad_bytes[_i].value;
        r = count(&b, NULL);
        ck_assert_msg(r == bad_bytes[_i].want, "%s: %d", bad_bytes[_i].why, r);
} END_TEST

START_TEST(what_is_extended_goes_to_a_pcr_that_exists) {
        static const uint16_t bank = VTPM_ALG_SHA256;
        static const struct { uint32_t pcr; int want; } rows[] = {
                { 23, 2 }, { 24, -EBADMSG }, { UINT32_MAX, -EBADMSG },
        };
        AUTO_WRITER Writer w = wr_init(4096);
        AUTO_BLOB Blob b = {};

        event_logs_begin(&w, &bank, 1);
        event_logs_add(&w, &bank, 1, rows[_i].pcr, VTPM_EV_SEPARATOR, "\0\0\0", 4);
        ck_assert_int_eq(wr_finish(&w, &b), 0);
        ck_assert_int_eq(count(&b, NULL), rows[_i].want);
} END_TEST

START_TEST(filling_ends_the_log) {
        static const size_t lengths[] = { 1, 4, 8, 12, 31, 1000 };
        AUTO_BLOB Blob b = event_logs_small(), longer = {};
        AUTO_WRITER Writer w = wr_init(8192);

        wr_bytes(&w, b.data, b.size);
        for (size_t i = 0; i < lengths[_i]; i++)
                wr_u8(&w, 0xff);
        ck_assert_int_eq(wr_finish(&w, &longer), 0);
        ck_assert_int_eq(count(&longer, NULL), 6);
        longer.data[longer.size - 1] = 0xfe; /* there is something behind it */
        ck_assert_int_eq(count(&longer, NULL), -EBADMSG);
} END_TEST

START_TEST(registers_of_confidential_computing_begin_at_1) {
        AUTO_BLOB Blob b = event_logs_small();

        b.data[0] = 1;
        ck_assert(opened(&b).agile);
} END_TEST

START_TEST(unknown_banks_are_stepped_over) {
        AUTO_BLOB Blob b = event_logs_small();
        size_t at[] = { 60, SPEC_ID_SIZE + 12 };
        VtpmEventLog log;
        VtpmEvent event;

        b.size = SPEC_ID_SIZE + 4 + 4 + 4 + 22 + 34 + 4 + 17;
        for (size_t i = 0; i < N_ELEMENTS(at); i++)
                b.data[at[i]] = 0x27; /* SHA3-256, here of 20 bytes */
        log = opened(&b);
        ck_assert(!vtpm_event_log_has_bank(&log, VTPM_ALG_SHA1));
        ck_assert_int_eq(vtpm_event_log_next(&log, &event, NULL), 1);
        ck_assert_int_eq(vtpm_event_log_next(&log, &event, NULL), 1);
        ck_assert_uint_eq(vtpm_event_digest(&event, 0x27)->size, 20);
        ck_assert_int_eq(vtpm_event_log_next(&log, &event, NULL), 0);
} END_TEST

START_TEST(sixteen_banks_are_accepted) {
        AUTO_WRITER Writer w = wr_init(4096);
        AUTO_BLOB Blob b = {};

        wr_le32(&w, 0);
        wr_le32(&w, VTPM_EV_NO_ACTION);
        wr_zeros(&w, 20);
        wr_le32(&w, 29 + 4 * VTPM_EVENT_ALGS_MAX);
        wr_bytes(&w, "Spec ID Event03", 16);
        wr_zeros(&w, 8);
        wr_le32(&w, VTPM_EVENT_ALGS_MAX);
        for (uint16_t i = 0; i < VTPM_EVENT_ALGS_MAX; i++) {
                wr_le16(&w, (uint16_t) (0x100 + i));
                wr_le16(&w, VTPM_DIGEST_MAX);
        }
        wr_u8(&w, 0);
        ck_assert_int_eq(wr_finish(&w, &b), 0);
        ck_assert_uint_eq(opened(&b).n_algs, VTPM_EVENT_ALGS_MAX);
} END_TEST

START_TEST(the_output_is_untouched_on_failure) {
        AUTO_BLOB Blob b = event_logs_small();
        VtpmEventLog log, untouched;

        (void) memset(&log, 0x5a, sizeof(log));
        untouched = log;
        ck_assert_int_eq(vtpm_event_log_open(b.data, SPEC_ID_SIZE - 1, &log, NULL), -EBADMSG);
        ck_assert_int_eq(vtpm_event_log_open(NULL, 0, &log, NULL), -EBADMSG);
        b.data[68] = 1; /* vendor data that is not there */
        ck_assert_int_eq(vtpm_event_log_open(b.data, b.size, &log, NULL), -EBADMSG);
        ck_assert_mem_eq(&log, &untouched, sizeof(log));
} END_TEST

START_TEST(size_is_limited) {
        AUTO_FREE uint8_t *big = calloc(1, VTPM_EVENT_LOG_MAX + 1);
        VtpmEventLog log;
        Error e = {};

        ck_assert_ptr_nonnull(big);
        ck_assert_int_eq(vtpm_event_log_open(big, VTPM_EVENT_LOG_MAX, &log, NULL), 0); /* SHA-1 events of nothing */
        ck_assert_int_eq(vtpm_event_log_open(big, VTPM_EVENT_LOG_MAX + 1, &log, &e), -E2BIG);
        ck_assert_str_eq(e.reason, "event-log-size");
} END_TEST

START_TEST(types_have_their_names) {
        ck_assert_str_eq(vtpm_event_type_name(VTPM_EV_SEPARATOR), "EV_SEPARATOR");
        ck_assert_str_eq(vtpm_event_type_name(VTPM_EV_EFI_VARIABLE_AUTHORITY), "EV_EFI_VARIABLE_AUTHORITY");
        ck_assert_ptr_null(vtpm_event_type_name(0x02)); /* EV_UNUSED */
        ck_assert_ptr_null(vtpm_event_type_name(UINT32_MAX));
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("event-log");
        TCase *tc = tcase_create("read");

        tcase_add_test(tc, every_field_is_where_the_table_says);
        tcase_add_test(tc, a_rewound_log_begins_again);
        tcase_add_test(tc, banks_are_those_of_the_first_event);
        tcase_add_test(tc, a_log_without_spec_id_is_read_as_sha1);
        tcase_add_loop_test(tc, a_short_or_older_no_action_event_begins_a_sha1_log, 0, 3);
        tcase_add_test(tc, every_truncation_ends_at_an_event_or_is_refused);
        tcase_add_test(tc, every_flipped_bit_is_survived);
        tcase_add_test(tc, an_error_lasts);
        tcase_add_loop_test(tc, fields_out_of_range_are_refused, 0, N_ELEMENTS(bad_bytes));
        tcase_add_loop_test(tc, what_is_extended_goes_to_a_pcr_that_exists, 0, 3);
        tcase_add_loop_test(tc, filling_ends_the_log, 0, 6);
        tcase_add_test(tc, registers_of_confidential_computing_begin_at_1);
        tcase_add_test(tc, unknown_banks_are_stepped_over);
        tcase_add_test(tc, sixteen_banks_are_accepted);
        tcase_add_test(tc, the_output_is_untouched_on_failure);
        tcase_add_test(tc, size_is_limited);
        tcase_add_test(tc, types_have_their_names);
        suite_add_tcase(s, tc);
        return s;
}

int main(void) {
        return unit_run(suite());
}
