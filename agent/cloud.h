/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Which cloud this machine is in, as far as certificates go. A hint from the firmware, which the host may lie about. */

#include <stdbool.h>

#include "agent/config/config.h"

/* Where to ask before AMD; NULL: nowhere. */
const char *cloud_certificates_url(const ConfigCollateral *config);

/* @path: of the chassis' asset tag. */
bool cloud_is_azure(const char *path);
