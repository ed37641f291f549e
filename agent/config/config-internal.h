/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Between config.c (which files, and what they must add up to) and config-file.c (the lines of one file). */

#include "agent/config/config.h"

/* Applies one file on top of @config, which is in an undefined but freeable state after a failure. */
WARN_UNUSED int config_apply(Config *config, const char *name, const void *data, size_t size, Error *e);
