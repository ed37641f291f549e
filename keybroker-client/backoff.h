/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "base/deadline.h"

#define KBC_BACKOFF_FIRST_USEC (250 * USEC_PER_MSEC)
#define KBC_BACKOFF_MAX_USEC (15 * USEC_PER_SEC)

/*
 * Time to wait before attempt @n (0: the second one). Doubles up to the maximum; half of it is by chance, so that a
 * fleet that lost its broker together does not come back together.
 */
uint64_t kbc_backoff_usec(unsigned n);
