/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A point on CLOCK_MONOTONIC, handed down to everything that can block. */

#include <stdbool.h>
#include <stdint.h>

#define USEC_PER_MSEC UINT64_C(1000)
#define USEC_PER_SEC UINT64_C(1000000)

typedef struct Deadline {
        uint64_t usec; /* monotonic; UINT64_MAX = never. Zero-initialised memory has expired. */
} Deadline;

uint64_t now_monotonic_usec(void);

Deadline deadline_in(uint64_t usec); /* from now, saturating */
Deadline deadline_never(void);
Deadline deadline_earlier(Deadline a, Deadline b);

bool deadline_expired(Deadline d);
uint64_t deadline_left_usec(Deadline d); /* 0 once expired, UINT64_MAX for never */
int deadline_poll_msec(Deadline d);      /* for poll(2): rounded up, -1 for never */

/* Sleeps for @usec or until @d, whichever comes first. -ETIMEDOUT when @d cut it short, else 0. */
int deadline_sleep(Deadline d, uint64_t usec);
