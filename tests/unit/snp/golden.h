/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A hand-made report in which every byte that means something has a value of its own. */

#include <stdint.h>

#include "snp/report.h"

/* @version 2 to 5. Version 2 has zeros for CPUID, 2 to 4 for mitigation vectors; others are a Turin processor. */
void golden_report(uint32_t version, uint8_t ret[static SNP_REPORT_SIZE]);
