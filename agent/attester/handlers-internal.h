/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the files with handlers share. Each handler parses, asks the platform, encodes. */

#include "agent/attester/handlers.h"

/* The caller's deadline, cut to the configured one. */
Deadline attester_deadline(const Attester *a, uint32_t msec);

/* Sees to it that a->device is there. */
WARN_UNUSED int attester_open_device(Attester *a, Error *e);

WARN_UNUSED int attester_handle_service(Attester *a, const Blob *body, Blob *ret, Error *e);
