/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"

/* Checks @text against RFC 8259 and the limits listed at json_parse(). 0 or -EBADMSG (or -ENOMEM). */
WARN_UNUSED int json_scan(const char *text, size_t len, const char *what, Error *e);
