/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What replaying an event log of three banks costs, and that it grows no faster than the log: a log of the largest
 * size there is must not cost more per event than a small one.
 *
 *     event-log-linear    time per event with 100,000 events, as a multiple of that with 5,000
 *     event-log-replay    time for a million events, as a part of ten seconds
 */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/writer.h"
#include "vtpm/event-log-replay.h"

#define ROUNDS 9
#define FEW 5000u
#define MANY 100000u

static const uint16_t banks[] = { VTPM_ALG_SHA1, VTPM_ALG_SHA256, VTPM_ALG_SHA384 };

static void must(bool ok, const char *what) {
        if (!ok) {
                (void) fprintf(stderr, "bench-event-log: %s failed\n", what);
                exit(EXIT_FAILURE);
        }
}

static double now_usec(void) {
        struct timespec ts;

        must(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts) == 0, "clock_gettime");
        return (double) ts.tv_sec * 1e6 + (double) ts.tv_nsec / 1e3;
}

static void write_spec_id(Writer *w) {
        wr_le32(w, 0);
        wr_le32(w, VTPM_EV_NO_ACTION);
        wr_zeros(w, 20);
        wr_le32(w, 29 + 4 * N_ELEMENTS(banks));
        wr_bytes(w, "Spec ID Event03", 16);
        wr_zeros(w, 8);
        wr_le32(w, N_ELEMENTS(banks));
        for (size_t i = 0; i < N_ELEMENTS(banks); i++) {
                wr_le16(w, banks[i]);
                wr_le16(w, (uint16_t) vtpm_hash_size(banks[i]));
        }
        wr_u8(w, 0);
}

static Blob make_log(size_t n_events) {
        Writer w = wr_init(VTPM_EVENT_LOG_MAX);
        Blob b = {};

        write_spec_id(&w);
        for (size_t n = 1; n < n_events; n++) {
                wr_le32(&w, (uint32_t) (n % 16));
                wr_le32(&w, VTPM_EV_IPL);
                wr_le32(&w, N_ELEMENTS(banks));
                for (size_t i = 0; i < N_ELEMENTS(banks); i++) {
                        wr_le16(&w, banks[i]);
                        for (size_t j = 0; j < vtpm_hash_size(banks[i]); j++)
                                wr_u8(&w, (uint8_t) (n + j));
                }
                wr_le32(&w, 24);
                wr_bytes(&w, "grub_cmd: load something", 24);
        }
        must(wr_finish(&w, &b) == 0, "log");
        return b;
}

/* Microseconds per event. */
static double timed(const Blob *b, size_t n_events) {
        double begin = now_usec();
        VtpmPcrValues pcrs;
        VtpmEventLog log;

        must(vtpm_event_log_open(b->data, b->size, &log, NULL) == 0, "vtpm_event_log_open");
        for (size_t i = 0; i < N_ELEMENTS(banks); i++)
                must(vtpm_event_log_replay(&log, banks[i], &pcrs, NULL) == 0, "vtpm_event_log_replay");
        return (now_usec() - begin) / (double) n_events;
}

static int compare(const void *a, const void *b) {
        const double *x = a, *y = b;

        return (*x > *y) - (*x < *y);
}

static double median(double values[static ROUNDS]) {
        qsort(values, ROUNDS, sizeof(values[0]), compare);
        return values[ROUNDS / 2];
}

int main(void) {
        AUTO_BLOB Blob few = make_log(FEW), many = make_log(MANY);
        double each[ROUNDS], ratios[ROUNDS];

        (void) timed(&few, FEW);
        for (size_t i = 0; i < ROUNDS; i++) {
                double small = timed(&few, FEW);

                each[i] = timed(&many, MANY);
                ratios[i] = each[i] / small;
        }
        printf("event-log: %.2f us per event of %zu banks, log of %u events and %zu bytes (median of %d rounds)\n",
               median(each), N_ELEMENTS(banks), MANY, many.size, ROUNDS);
        printf("event-log-linear ratio=%.3f goal=%.2f\n", median(ratios), 1.25);
        printf("event-log-replay ratio=%.3f goal=%.2f\n", median(each) * 1e6 / 10e6, 1.0);
        return EXIT_SUCCESS;
}
