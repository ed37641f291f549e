/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Inside of snp/: the header Retry-After (RFC 9110, section 10.2.3). */

#include <stdint.h>
#include <time.h>

#include "base/cleanup.h"

/*
 * Seconds from @wall that @text asks to wait: a decimal number, or an IMF-fixdate ("Sun, 06 Nov 1994 08:49:37 GMT",
 * RFC 9110, section 5.6.7), which may have passed: 0. Other forms, obsolete dates included, are -EBADMSG.
 */
WARN_UNUSED int snp_retry_after_parse(const char *text, time_t wall, uint64_t *ret);
