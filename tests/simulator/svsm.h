/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The SVSM of the simulated machine: the module at VMPL 0 that vouches for its services (AMD publication 58019, section
 * 7; COCONUT-SVSM, kernel/src/protocols/attest.rs). It has a vTPM when it is told that vTPM's manifest, and a UEFI
 * variable store. Written from the tables, sharing nothing with snp/.
 */

#include <stdint.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "tests/simulator/platform.h"

typedef struct SimServiceRequest {
        uint8_t guid[16]; /* textual order; zeros: all services */
        uint32_t manifest_version;
} SimServiceRequest;

typedef struct SimServiceAnswer {
        Blob report, table, manifest;
} SimServiceAnswer;
void sim_service_answer_done(SimServiceAnswer *a);

/**
 * sim_platform_service_report() - SVSM_ATTEST_SERVICES or SVSM_ATTEST_SINGLE_SERVICE
 * @fail: as sim_platform_fail(p, SIM_AT_REPORT) gave it
 *
 * Return: 0; -EINVAL whatever the SVSM refuses, for that is all that Linux tells; -EIO with @e when the simulator
 * itself failed.
 */
WARN_UNUSED int sim_platform_service_report(SimPlatform *p, const SimServiceRequest *request,
                                            const uint8_t nonce[static SIM_REPORT_DATA_SIZE], SimFail fail,
                                            SimServiceAnswer *ret, Error *e);
