/* SPDX-License-Identifier: Apache-2.0 */
#include "base/deadline.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <time.h>

uint64_t now_monotonic_usec(void) {
        struct timespec ts;
        int r = clock_gettime(CLOCK_MONOTONIC, &ts);

        assert(r == 0);
        return (uint64_t) ts.tv_sec * USEC_PER_SEC + (uint64_t) ts.tv_nsec / 1000;
}

Deadline deadline_in(uint64_t usec) {
        uint64_t now = now_monotonic_usec();

        return (Deadline){ .usec = usec > UINT64_MAX - now ? UINT64_MAX : now + usec };
}

Deadline deadline_never(void) {
        return (Deadline){ .usec = UINT64_MAX };
}

Deadline deadline_earlier(Deadline a, Deadline b) {
        return a.usec < b.usec ? a : b;
}

uint64_t deadline_left_usec(Deadline d) {
        uint64_t now;

        if (d.usec == UINT64_MAX)
                return UINT64_MAX;
        now = now_monotonic_usec();
        return d.usec > now ? d.usec - now : 0;
}

bool deadline_expired(Deadline d) {
        return deadline_left_usec(d) == 0;
}

int deadline_poll_msec(Deadline d) {
        uint64_t left = deadline_left_usec(d);

        if (left == UINT64_MAX)
                return -1;
        if (left >= (uint64_t) INT_MAX * USEC_PER_MSEC)
                return INT_MAX;
        return (int) ((left + USEC_PER_MSEC - 1) / USEC_PER_MSEC);
}

int deadline_sleep(Deadline d, uint64_t usec) {
        Deadline until = deadline_in(usec);
        Deadline stop = deadline_earlier(d, until);
        struct timespec ts = {
                .tv_sec = (time_t) (stop.usec / USEC_PER_SEC),
                .tv_nsec = (long) (stop.usec % USEC_PER_SEC * 1000),
        };

        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
                ;
        return d.usec < until.usec ? -ETIMEDOUT : 0;
}
