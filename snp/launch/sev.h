/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Inside of snp/launch/: the older kinds of launch, whose digest is one SHA-256 over everything that is put into
 * the guest (AMD publication 55766, LAUNCH_UPDATE_DATA and LAUNCH_UPDATE_VMSA). */

#include "snp/launch/measure.h"

WARN_UNUSED int snp_sev_measure(const SnpLaunch *launch, SnpLaunchDigest *ret, Error *e);
