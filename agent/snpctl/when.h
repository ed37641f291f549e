/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Points in time as text: RFC 3339, section 5.6, without fractions of a second. */

#include <time.h>

#include "base/cleanup.h"

#define CTL_WHEN_SIZE sizeof("2026-01-31T23:59:59Z")

/* "2026-01-31T23:59:59Z" or "...+01:00", or "now". 0 or -EINVAL. */
WARN_UNUSED int ctl_when_parse(const char *text, time_t *ret);
/* In UTC. */
void ctl_when_format(time_t when, char ret[static CTL_WHEN_SIZE]);
