/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the implementations of SnpDevice share with device.c. */

#include "snp/device.h"
#include "snp/guest-signs.h"

typedef struct SnpDeviceOps {
        const char *name;
        /* Fills ret->report and ret->certs with what the platform gave; checked by the caller. *@ret_vmpl is the VMPL
         * that was really asked for. */
        int (*get_report)(SnpDevice *device, const uint8_t report_data[static SNP_REPORT_DATA_SIZE], uint32_t vmpl,
                          Deadline deadline, SnpDeviceReport *ret, uint32_t *ret_vmpl, Error *e);
        /* NULL where keys cannot be had. @request has been checked, and its VMPL is one of 0 to 3 or SNP_VMPL_AUTO. */
        int (*derive_key)(SnpDevice *device, const SnpKeyRequest *request, Deadline deadline, Secret *ret, Error *e);
        /* As snp_device_get_service_report(), the answer checked by the caller. NULL: cannot. */
        int (*get_service_report)(SnpDevice *device, const SnpServiceRequest *request, Deadline deadline,
                                  SnpServiceReport *ret, Error *e);
        void (*free)(SnpDevice *device);
} SnpDeviceOps;

/* First member of every implementation; not to be moved once initialised. */
struct SnpDevice {
        const SnpDeviceOps *ops;
        const SnpGuestSigns *signs; /* borrowed */
        SnpThrottle own, *throttle; /* the latter is what counts */
        bool is_driver;             /* it has answered as only the sev-guest driver does */
};

void snp_device_init(SnpDevice *device, const SnpDeviceOps *ops, const SnpGuestSigns *signs);

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

/* To be called before each request to the driver: waits until the throttle lets it through. 0; -ETIMEDOUT; -EBUSY when
 * that will be after @deadline. */
WARN_UNUSED int snp_device_take_turn(SnpDevice *device, Deadline deadline, Error *e);

/* The public functions of the same names, with @signs in place of snp_guest_signs. */
WARN_UNUSED int snp_device_open_configfs_on(const SnpGuestSigns *signs, const char *path, SnpDevice **ret, Error *e);
WARN_UNUSED int snp_device_open_auto_on(const SnpGuestSigns *signs, const char *tsm_path, const char *dev_path,
                                        SnpDevice **ret, Error *e);

/* The part of an answer that every request gets: well-formed, over @report_data, of @vmpl. */
WARN_UNUSED int snp_device_check_answer(const uint8_t report[static SNP_REPORT_SIZE], const Blob *certs,
                                        const uint8_t report_data[static SNP_REPORT_DATA_SIZE], uint32_t vmpl, Error *e);

/* Where every failure of an operation passes, so that ENOTTY means the same whichever implementation met it. Return: the
 * code to return. */
int snp_device_fail(SnpDevice *device, int r, const Error *cause, Error *e);
