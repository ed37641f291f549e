/* SPDX-License-Identifier: Apache-2.0 */
#include "snp/throttle.h"

#include <sys/random.h>

SnpThrottle snp_throttle_default(void) {
        return (SnpThrottle){ .interval_usec = SNP_THROTTLE_INTERVAL_USEC, .burst = SNP_THROTTLE_BURST };
}

static uint64_t saturating_mul(uint64_t a, uint64_t b) {
        uint64_t product;

        return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

static uint64_t saturating_add(uint64_t a, uint64_t b) {
        uint64_t sum;

        return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

uint64_t snp_throttle_wait_usec(const SnpThrottle *t, uint64_t now_usec) {
        uint64_t credit = t->burst > 1 ? saturating_mul(t->burst - 1, t->interval_usec) : 0;
        uint64_t covered = saturating_add(now_usec, credit);

        return t->interval_usec > 0 && t->paid_usec > covered ? t->paid_usec - covered : 0;
}

void snp_throttle_take(SnpThrottle *t, uint64_t now_usec) {
        uint64_t from = t->paid_usec > now_usec ? t->paid_usec : now_usec;

        t->paid_usec = saturating_add(from, t->interval_usec);
}

uint64_t snp_backoff_usec(unsigned n, uint64_t base_usec, uint64_t max_usec) {
        uint64_t wait = base_usec, chance = 0;

        for (; n > 0 && wait < max_usec; n--)
                wait = saturating_mul(wait, 2);
        if (wait > max_usec)
                wait = max_usec;
        /* Without random numbers it stays at the shortest. */
        if (getrandom(&chance, sizeof(chance), GRND_NONBLOCK) != sizeof(chance))
                chance = 0;
        return saturating_add(wait, wait / 2 > 0 ? chance % (wait / 2) : 0);
}
