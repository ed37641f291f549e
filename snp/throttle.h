/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How often we ask the platform. Hosts throttle guests that ask too often, and a guest that keeps asking a
 * throttling host ends with its message key wiped until the next boot (Linux, drivers/virt/coco/sev-guest): so we
 * hold back by ourselves, on average and after a burst.
 */

#include <stdint.h>

#include "base/cleanup.h"
#include "base/deadline.h"

/* What common hosts allow: a request every two seconds. */
#define SNP_THROTTLE_INTERVAL_USEC (2 * USEC_PER_SEC)
/*
 * A boot asks a handful of times within seconds: a handshake in the initramfs and one after it, each perhaps repeated,
 * a key, evidence for a workload or two. We have one request under way at a time, and a driver whose host says 'busy'
 * asks it again for a minute before it wipes its key: a burst of eight costs such a host 16 s, far from the minute.
 */
#define SNP_THROTTLE_BURST 8

/* Token bucket, as the time by which all requests so far are paid for. Plain data; zero-initialised: no limit. */
typedef struct SnpThrottle {
        uint64_t interval_usec; /* one request in so long, on average; 0: no limit */
        uint32_t burst;         /* so many at once after a pause; 0 counts as 1 */
        uint64_t paid_usec;     /* monotonic; starts as 0 */
} SnpThrottle;

SnpThrottle snp_throttle_default(void);

/* How long a request that comes at @now_usec has to wait. Changes nothing. */
uint64_t snp_throttle_wait_usec(const SnpThrottle *t, uint64_t now_usec);
/* Counts a request that is made at @now_usec. */
void snp_throttle_take(SnpThrottle *t, uint64_t now_usec);

/* How long to wait after the @n-th answer of "try again later", counted from 0: @base_usec, doubled each time up to
 * @max_usec, and up to a half more by chance, so that guests of one host do not come back all at once. */
uint64_t snp_backoff_usec(unsigned n, uint64_t base_usec, uint64_t max_usec);
