/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Event logs made by hand, event by event. Digests are those of the event's data unless told otherwise. */

#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/writer.h"
#include "vtpm/event-log.h"

/* The Spec ID event of a log with these banks. */
void event_logs_begin(Writer *w, const uint16_t *hashes, size_t n);
void event_logs_add(Writer *w, const uint16_t *hashes, size_t n, uint32_t pcr, uint32_t type, const void *data,
                    size_t size);
/* As event_logs_add(), but the digests are of @measured. */
void event_logs_add_measured(Writer *w, const uint16_t *hashes, size_t n, uint32_t pcr, uint32_t type,
                             const void *data, size_t size, const void *measured, size_t measured_size);
/* An event of a SHA-1 log. */
void event_logs_add_sha1(Writer *w, uint32_t pcr, uint32_t type, const void *data, size_t size);

/* SHA-1 and SHA-256: version, locality 3, two separators, an action. */
Blob event_logs_small(void);

/* In-place copy of a size that the sanitizers watch to the byte. */
Blob event_logs_exact(const uint8_t *data, size_t size);
