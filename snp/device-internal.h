/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the implementations of SnpDevice share with device.c. */

#include "snp/device.h"

typedef struct SnpDeviceOps {
        const char *name;
        /* Fills ret->report and ret->certs with what the platform gave; checked by the caller. *@ret_vmpl is the VMPL
         * that was really asked for. */
        int (*get_report)(SnpDevice *device, const uint8_t report_data[static SNP_REPORT_DATA_SIZE], uint32_t vmpl,
                          Deadline deadline, SnpDeviceReport *ret, uint32_t *ret_vmpl, Error *e);
        void (*free)(SnpDevice *device);
} SnpDeviceOps;

/* First member of every implementation. */
struct SnpDevice {
        const SnpDeviceOps *ops;
};

#define SNP_VMPL_MAX 3

/* @vmpl, raised to the lowest that this kernel may ask for; @floor for SNP_VMPL_AUTO. */
uint32_t snp_device_vmpl(uint32_t vmpl, uint32_t floor);

/**
 * snp_device_errno() - say what an errno of the sev-guest driver means
 * @error: negative errno
 *
 * The driver gives the same ones through its ioctls and through configfs-tsm. Return: the code to return.
 */
int snp_device_errno(Error *e, int error);

/* 0, or -ETIMEDOUT before the next step. */
WARN_UNUSED int snp_device_check_deadline(Deadline deadline, Error *e);
