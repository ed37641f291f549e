/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Fields that the files with bodies share: u16 size and as many bytes, at most @max. More fails writer or reader. */

#include "agent/wire/bodies.h"
#include "base/reader.h"
#include "base/writer.h"

void wire_put_bytes(Writer *w, WireBytes b, size_t max);
WireBytes wire_get_bytes(Reader *r, size_t max); /* borrowed */
/* 0 or -EBADMSG: how long a caller waits for a device, in milliseconds. */
WARN_UNUSED int wire_check_deadline(const char *what, uint32_t msec, Error *e);
