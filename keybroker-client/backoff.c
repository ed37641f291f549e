/* SPDX-License-Identifier: Apache-2.0 */
#include "keybroker-client/backoff.h"

#include <sys/random.h>

uint64_t kbc_backoff_usec(unsigned n) {
        uint64_t whole = KBC_BACKOFF_FIRST_USEC;
        uint32_t chance = 0;

        for (; n > 0 && whole < KBC_BACKOFF_MAX_USEC; n--)
                whole *= 2;
        if (whole > KBC_BACKOFF_MAX_USEC)
                whole = KBC_BACKOFF_MAX_USEC;
        (void) !getrandom(&chance, sizeof(chance), GRND_NONBLOCK); /* without chance it is regular, and no worse */
        return whole / 2 + chance % (whole / 2 + 1);
}
