/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/hex.h"
#include "tests/unit/unit.h"
#include "tests/unit/vtpm/event-logs.h"
#include "vtpm/event-log-replay.h"

static const uint16_t both[] = { VTPM_ALG_SHA1, VTPM_ALG_SHA256 };

static VtpmEventLog opened(const Blob *b) {
        VtpmEventLog log = {};
        Error e = {};

        ck_assert_msg(vtpm_event_log_open(b->data, b->size, &log, &e) == 0, "%s", e.text);
        return log;
}

static int replay(const Blob *b, uint16_t hash, VtpmPcrValues *ret, Error *e) {
        VtpmEventLog log;
        int r = vtpm_event_log_open(b->data, b->size, &log, e);

        return r < 0 ? r : vtpm_event_log_replay(&log, hash, ret, e);
}

/* What PCR 0 begins with, seen through one extension of it. */
static void expect_start(const Blob *b, uint8_t locality) {
        uint8_t buffer[64] = {}, want[32];
        VtpmPcrValues pcrs;
        Error e = {};

        buffer[31] = locality;
        ck_assert_int_eq(vtpm_hash_bytes(VTPM_ALG_SHA256, "x", 1, buffer + 32, NULL), 0);
        ck_assert_int_eq(vtpm_hash_bytes(VTPM_ALG_SHA256, buffer, sizeof(buffer), want, NULL), 0);
        ck_assert_msg(replay(b, VTPM_ALG_SHA256, &pcrs, &e) == 0, "%s", e.text);
        ck_assert_uint_eq(pcrs.mask, 1);
        ck_assert_mem_eq(pcrs.values[0], want, sizeof(want));
}

typedef struct Start {
        const char *why;
        uint32_t pcr, type;
        const char *data;
        size_t size;
        int want; /* what PCR 0 begins with, or the error */
} Start;

static const Start starts[] = {
        { "locality 0", 0, VTPM_EV_NO_ACTION, "StartupLocality\0\0", 17, 0 },
        { "locality 3", 0, VTPM_EV_NO_ACTION, "StartupLocality\0\3", 17, 3 },
        { "locality 4", 0, VTPM_EV_NO_ACTION, "StartupLocality\0\4", 17, 4 },
        { "locality 2 starts no TPM", 0, VTPM_EV_NO_ACTION, "StartupLocality\0\2", 17, -EBADMSG },
        { "of another PCR", 1, VTPM_EV_NO_ACTION, "StartupLocality\0\3", 17, 0 },
        { "one byte short", 0, VTPM_EV_NO_ACTION, "StartupLocality", 16, 0 },
        { "one byte long", 0, VTPM_EV_NO_ACTION, "StartupLocality\0\3\0", 18, 0 },
        { "another text", 0, VTPM_EV_NO_ACTION, "startupLocality\0\3", 17, 0 },
        { "SP800-155 changes nothing", 0, VTPM_EV_NO_ACTION, "SP800-155 Event3", 17, 0 },
};

START_TEST(pcr_0_begins_with_the_startup_locality) {
        AUTO_WRITER Writer w = wr_init(4096);
        AUTO_BLOB Blob b = {};
        VtpmPcrValues pcrs;
        Error e = {};

        event_logs_begin(&w, both, 2);
        event_logs_add(&w, both, 2, starts[_i].pcr, starts[_i].type, starts[_i].data, starts[_i].size);
        event_logs_add(&w, both, 2, 0, VTPM_EV_S_CRTM_VERSION, "x", 1);
        ck_assert_int_eq(wr_finish(&w, &b), 0);
        if (starts[_i].want >= 0)
                expect_start(&b, (uint8_t) starts[_i].want);
        else {
                ck_assert_int_eq(replay(&b, VTPM_ALG_SHA256, &pcrs, &e), starts[_i].want);
                ck_assert_str_eq(e.reason, "event-log-locality");
        }
} END_TEST

START_TEST(two_localities_are_refused_and_one_told_twice_is_not) {
        AUTO_WRITER Writer w = wr_init(4096);
        AUTO_BLOB Blob b = {};
        VtpmPcrValues pcrs;
        Error e = {};

        event_logs_begin(&w, both, 2);
        event_logs_add(&w, both, 2, 0, VTPM_EV_NO_ACTION, "StartupLocality\0\3", 17);
        event_logs_add(&w, both, 2, 0, VTPM_EV_S_CRTM_VERSION, "x", 1);
        event_logs_add(&w, both, 2, 0, VTPM_EV_NO_ACTION, "StartupLocality\0\3", 17);
        ck_assert_int_eq(wr_finish(&w, &b), 0);
        expect_start(&b, 3);
        b.data[b.size - 1] = 4;
        ck_assert_int_eq(replay(&b, VTPM_ALG_SHA256, &pcrs, &e), -EBADMSG);
        ck_assert_str_eq(e.reason, "event-log-locality");
} END_TEST

START_TEST(an_hcrtm_event_means_locality_4) {
        AUTO_WRITER Writer w = wr_init(4096);
        AUTO_BLOB Blob b = {};
        VtpmEventLog log;
        uint8_t locality = 0xee;

        event_logs_begin(&w, both, 2);
        event_logs_add(&w, both, 2, 0, VTPM_EV_NO_ACTION, "StartupLocality\0\3", 17);
        event_logs_add(&w, both, 2, 0, VTPM_EV_EFI_HCRTM_EVENT, "HCRTM", 5);
        ck_assert_int_eq(wr_finish(&w, &b), 0);
        log = opened(&b);
        ck_assert_int_eq(vtpm_event_log_locality(&log, &locality, NULL), 0);
        ck_assert_uint_eq(locality, 4);
} END_TEST

START_TEST(no_action_is_never_extended) {
        AUTO_WRITER Writer w = wr_init(4096);
        AUTO_BLOB Blob b = {};
        VtpmPcrValues pcrs;

        event_logs_begin(&w, both, 2);
        for (uint32_t pcr = 0; pcr < 30; pcr++)
                event_logs_add(&w, both, 2, pcr, VTPM_EV_NO_ACTION, "SP800-155 Event", 16);
        ck_assert_int_eq(wr_finish(&w, &b), 0);
        ck_assert_int_eq(replay(&b, VTPM_ALG_SHA256, &pcrs, NULL), 0);
        ck_assert_uint_eq(pcrs.mask, 0);
        for (unsigned i = 0; i < VTPM_N_PCRS; i++)
                ck_assert_uint_eq(pcrs.values[i][7], i >= 17 && i <= 22 ? 0xff : 0);
} END_TEST

START_TEST(the_dynamic_pcrs_begin_with_ones) {
        uint8_t buffer[64], want[32];
        AUTO_WRITER Writer w = wr_init(4096);
        AUTO_BLOB Blob b = {};
        VtpmPcrValues pcrs;

        (void) memset(buffer, 0xff, 32);
        ck_assert_int_eq(vtpm_hash_bytes(VTPM_ALG_SHA256, "x", 1, buffer + 32, NULL), 0);
        ck_assert_int_eq(vtpm_hash_bytes(VTPM_ALG_SHA256, buffer, sizeof(buffer), want, NULL), 0);
        event_logs_begin(&w, both, 2);
        event_logs_add(&w, both, 2, 17, VTPM_EV_EVENT_TAG, "x", 1);
        ck_assert_int_eq(wr_finish(&w, &b), 0);
        ck_assert_int_eq(replay(&b, VTPM_ALG_SHA256, &pcrs, NULL), 0);
        ck_assert_uint_eq(pcrs.mask, 1u << 17);
        ck_assert_mem_eq(pcrs.values[17], want, sizeof(want));
} END_TEST

START_TEST(a_bank_without_digest_stays_as_it_was) {
        AUTO_WRITER Writer w = wr_init(4096);
        AUTO_BLOB Blob b = {};
        VtpmPcrValues pcrs;

        event_logs_begin(&w, both, 2);
        event_logs_add(&w, both, 1, 7, VTPM_EV_SEPARATOR, "\0\0\0", 4);
        ck_assert_int_eq(wr_finish(&w, &b), 0);
        ck_assert_int_eq(replay(&b, VTPM_ALG_SHA1, &pcrs, NULL), 0);
        ck_assert_uint_eq(pcrs.mask, 1u << 7);
        ck_assert_int_eq(replay(&b, VTPM_ALG_SHA256, &pcrs, NULL), 0);
        ck_assert_uint_eq(pcrs.mask, 0);
} END_TEST

START_TEST(a_sha1_log_is_replayed) {
        /* SHA1(0^20 || SHA1(0^4)), the PCR of every machine whose firmware measured only a separator */
        static const char want[] = "b2a83b0ebf2f8374299a5b2bdfc31ea955ad7236";
        AUTO_WRITER Writer w = wr_init(4096);
        AUTO_BLOB Blob b = {};
        VtpmPcrValues pcrs;
        char hex[41];

        event_logs_add_sha1(&w, 6, VTPM_EV_SEPARATOR, "\0\0\0", 4);
        ck_assert_int_eq(wr_finish(&w, &b), 0);
        ck_assert_int_eq(replay(&b, VTPM_ALG_SHA1, &pcrs, NULL), 0);
        hex_encode_to(pcrs.values[6], 20, hex);
        ck_assert_str_eq(hex, want);
        ck_assert_int_eq(replay(&b, VTPM_ALG_SHA256, &pcrs, NULL), -ENOENT);
} END_TEST

START_TEST(banks_that_cannot_be_replayed_are_told_apart) {
        static const uint16_t banks[] = { VTPM_ALG_SM3_256, VTPM_ALG_SHA256 };
        AUTO_WRITER Writer w = wr_init(4096);
        AUTO_BLOB Blob b = {};
        VtpmPcrValues pcrs;

        event_logs_begin(&w, banks, 2);
        event_logs_add(&w, banks, 2, 0, VTPM_EV_S_CRTM_VERSION, "x", 1);
        ck_assert_int_eq(wr_finish(&w, &b), 0);
        ck_assert_int_eq(replay(&b, VTPM_ALG_SM3_256, &pcrs, NULL), -EOPNOTSUPP);
        ck_assert_int_eq(replay(&b, VTPM_ALG_SHA384, &pcrs, NULL), -ENOENT);
        expect_start(&b, 0);
} END_TEST

START_TEST(where_the_log_stands_does_not_matter) {
        AUTO_BLOB Blob b = event_logs_small();
        VtpmEventLog log = opened(&b);
        VtpmPcrValues first, second;
        VtpmEvent event;

        ck_assert_int_eq(vtpm_event_log_replay(&log, VTPM_ALG_SHA256, &first, NULL), 0);
        ck_assert_int_eq(vtpm_event_log_next(&log, &event, NULL), 1);
        ck_assert_int_eq(vtpm_event_log_next(&log, &event, NULL), 1);
        ck_assert_int_eq(vtpm_event_log_replay(&log, VTPM_ALG_SHA256, &second, NULL), 0);
        ck_assert_mem_eq(&first, &second, sizeof(first));
        ck_assert_int_eq(vtpm_event_log_next(&log, &event, NULL), 1);
        ck_assert_uint_eq(event.number, 2);
} END_TEST

/* The PCR whose SHA-256 digest @byte belongs to; -1: none, or an event that is not extended. */
static int pcr_of_byte(const Blob *b, size_t byte) {
        VtpmEventLog log = opened(b);
        VtpmEvent event;

        while (vtpm_event_log_next(&log, &event, NULL) > 0) {
                const VtpmEventDigest *d = vtpm_event_digest(&event, VTPM_ALG_SHA256);
                size_t at = d ? (size_t) (d->bytes - b->data) : SIZE_MAX;

                if (d && byte >= at && byte - at < d->size)
                        return event.type == VTPM_EV_NO_ACTION ? -1 : (int) event.pcr;
        }
        return -1;
}

START_TEST(a_flipped_bit_of_a_digest_changes_its_pcr_and_no_other) {
        AUTO_BLOB Blob b = event_logs_small();
        VtpmPcrValues want, got;
        size_t n_changed = 0;

        ck_assert_int_eq(replay(&b, VTPM_ALG_SHA256, &want, NULL), 0);
        for (size_t bit = 0; bit < 8 * b.size; bit++) {
                AUTO_BLOB Blob other = event_logs_exact(b.data, b.size);
                int pcr = pcr_of_byte(&b, bit / 8), r;

                other.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
                (void) memset(&got, 0x5a, sizeof(got));
                r = replay(&other, VTPM_ALG_SHA256, &got, NULL);
                if (r < 0)
                        ck_assert_uint_eq(got.mask, 0x5a5a5a5a); /* untouched */
                if (pcr < 0)
                        continue;
                ck_assert_int_eq(r, 0);
                for (int i = 0; i < (int) VTPM_N_PCRS; i++)
                        ck_assert_msg((memcmp(got.values[i], want.values[i], 32) != 0) == (i == pcr),
                                      "bit %zu, PCR %d", bit, i);
                n_changed++;
        }
        ck_assert_uint_eq(n_changed, 4 * 256);
} END_TEST

START_TEST(a_truncated_log_has_no_values) {
        AUTO_BLOB Blob b = event_logs_small();
        VtpmPcrValues pcrs;

        b.size--;
        ck_assert_int_eq(replay(&b, VTPM_ALG_SHA256, &pcrs, NULL), -EBADMSG);
} END_TEST

START_TEST(only_equal_values_are_explained) {
        AUTO_BLOB Blob b = event_logs_small();
        VtpmPcrValues replayed, actual;

        ck_assert_int_eq(replay(&b, VTPM_ALG_SHA256, &replayed, NULL), 0);
        actual = replayed;
        actual.mask = 1u << 0 | 1u << 4 | 1u << 7 | 1u << 11;
        ck_assert_uint_eq(vtpm_event_log_explains(&replayed, &actual), actual.mask); /* PCR 11 was not touched */
        actual.values[7][31] ^= 1;
        actual.values[11][0] ^= 1;
        ck_assert_uint_eq(vtpm_event_log_explains(&replayed, &actual), 1u << 0 | 1u << 4);
        actual.hash = VTPM_ALG_SHA384;
        ck_assert_uint_eq(vtpm_event_log_explains(&replayed, &actual), 0);
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("event-log-replay");
        TCase *tc = tcase_create("replay");

        tcase_add_loop_test(tc, pcr_0_begins_with_the_startup_locality, 0, N_ELEMENTS(starts));
        tcase_add_test(tc, two_localities_are_refused_and_one_told_twice_is_not);
        tcase_add_test(tc, an_hcrtm_event_means_locality_4);
        tcase_add_test(tc, no_action_is_never_extended);
        tcase_add_test(tc, the_dynamic_pcrs_begin_with_ones);
        tcase_add_test(tc, a_bank_without_digest_stays_as_it_was);
        tcase_add_test(tc, a_sha1_log_is_replayed);
        tcase_add_test(tc, banks_that_cannot_be_replayed_are_told_apart);
        tcase_add_test(tc, where_the_log_stands_does_not_matter);
        tcase_add_test(tc, a_flipped_bit_of_a_digest_changes_its_pcr_and_no_other);
        tcase_add_test(tc, a_truncated_log_has_no_values);
        tcase_add_test(tc, only_equal_values_are_explained);
        suite_add_tcase(s, tc);
        return s;
}

int main(void) {
        return unit_run(suite());
}
