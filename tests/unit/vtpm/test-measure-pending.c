/* SPDX-License-Identifier: Apache-2.0 */
/* The record of a pending measurement: what is written is read, and nothing else is. */
#include <errno.h>
#include <string.h>

#include "tests/unit/unit.h"
#include "tests/unit/vtpm/event-logs.h"
#include "vtpm/measure-pending.h"
#include "vtpm/measure.h"

static const VtpmPending sample = {
        .pcr = 8, .before = { 1, 2 }, .after = { 3, 4 }, .log_size = 65, .entry = (const uint8_t *) "entry", .entry_size = 5,
};

static Blob sample_bytes(const VtpmPending *p) {
        Blob b = {};

        ck_assert_int_eq(vtpm_pending_encode(p, &b), 0);
        return b;
}

START_TEST(what_is_written_is_read) {
        AUTO_BLOB Blob b = sample_bytes(&sample);
        VtpmPending p;

        ck_assert_uint_eq(b.size, 88 + 5 + 32);
        ck_assert_int_eq(vtpm_pending_parse(b.data, b.size, &p, NULL), 0);
        ck_assert_uint_eq(p.pcr, 8);
        ck_assert_uint_eq(p.log_size, 65);
        ck_assert_mem_eq(p.before, sample.before, sizeof(p.before));
        ck_assert_mem_eq(p.after, sample.after, sizeof(p.after));
        ck_assert_uint_eq(p.entry_size, 5);
        ck_assert_mem_eq(p.entry, "entry", 5);
}
END_TEST

START_TEST(every_truncation_and_every_flipped_bit_is_found) {
        AUTO_BLOB Blob b = sample_bytes(&sample);
        VtpmPending p;

        for (size_t n = 0; n < b.size; n++) {
                AUTO_BLOB Blob cut = event_logs_exact(b.data, n);

                ck_assert_int_eq(vtpm_pending_parse(cut.data, cut.size, &p, NULL), -EBADMSG);
        }
        for (size_t bit = 0; bit < b.size * 8; bit++) {
                b.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
                ck_assert_int_eq(vtpm_pending_parse(b.data, b.size, &p, NULL), -EBADMSG);
                b.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
        }
}
END_TEST

START_TEST(values_that_cannot_be_are_refused) {
        VtpmPending no_pcr = sample, too_far = sample;
        AUTO_BLOB Blob a = {}, b = {};
        VtpmPending p;

        no_pcr.pcr = 24;
        too_far.log_size = VTPM_MEASURE_LOG_MAX + 1;
        a = sample_bytes(&no_pcr);
        b = sample_bytes(&too_far);
        ck_assert_int_eq(vtpm_pending_parse(a.data, a.size, &p, NULL), -EBADMSG);
        ck_assert_int_eq(vtpm_pending_parse(b.data, b.size, &p, NULL), -EBADMSG);
}
END_TEST

START_TEST(more_than_fits_is_not_written) {
        static uint8_t large[VTPM_PENDING_SIZE_MAX];
        VtpmPending p = sample;
        Blob none = {};

        p.entry = large;
        p.entry_size = sizeof(large);
        ck_assert_int_eq(vtpm_pending_encode(&p, &none), -E2BIG);
        ck_assert_ptr_null(none.data);
}
END_TEST

int main(void) {
        Suite *s = suite_create("vtpm-measure-pending");
        TCase *t = tcase_create("pending");

        tcase_add_test(t, what_is_written_is_read);
        tcase_add_test(t, every_truncation_and_every_flipped_bit_is_found);
        tcase_add_test(t, values_that_cannot_be_are_refused);
        tcase_add_test(t, more_than_fits_is_not_written);
        suite_add_tcase(s, t);
        return unit_run(s);
}
