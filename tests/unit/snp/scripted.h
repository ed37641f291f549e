/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A scripted kernel under the ioctl implementation: each step of the script says what one ioctl answers, as the
 * driver documents it (Linux, drivers/virt/coco/sev-guest). Breaking a rule of the driver fails the test.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "snp/sev-guest-internal.h"

#define SCRIPT_REPORT 0xC0205300u
#define SCRIPT_KEY 0xC0205301u
#define SCRIPT_EXT_REPORT 0xC0205302u

typedef struct Step {
        int answer; /* 0 or negative errno of the ioctl */
        uint32_t fw_error, vmm_error;
        uint32_t needed; /* written to certs_len unless 0 */
        uint32_t status;
        uint32_t report_size; /* 0: the right one */
        const Blob *certs;
        bool zero_report, other_report_data, other_vmpl, broken_report; /* zero_report: also a key of zeros */
        unsigned long request; /* that is expected; 0: SCRIPT_EXT_REPORT */
} Step;

typedef struct Script {
        const Step *steps;
        size_t n_steps, at;
        uint32_t offered[8];           /* certs_len of each call */
        uint32_t vmpl;                 /* of the last call */
        SevGuestDerivedKeyReq key;     /* the last of these */
        uint64_t slept[32];            /* each sleep, in microseconds */
        unsigned n_sleeps, n_open;
        int open_answer;
} Script;

extern const uint8_t script_report_data[SNP_REPORT_DATA_SIZE];
extern const uint8_t script_key[SNP_DERIVED_KEY_SIZE];

/* Operations with @script as their context. */
SevGuestKernel script_kernel(Script *script);

/* No SNP guest by any sign. */
extern const SnpGuestSigns script_no_guest;

typedef struct Fixture {
        Script script;
        SevGuestKernel kernel;
        SnpGuestSigns signs;
        SnpThrottle throttle; /* no limit unless a test sets one */
        SnpDevice *device;
        SnpDeviceReport report;
        Secret key;
        Error e;
} Fixture;

void fixture_init(Fixture *f, const Step *steps, size_t n);
void fixture_done(Fixture *f); /* fails unless every step was taken and all is closed */
int fixture_report(Fixture *f, uint32_t vmpl, uint64_t usec);
int fixture_key(Fixture *f, const SnpKeyRequest *q, uint64_t usec);
