/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the files of the ioctl implementation share, and how it reaches the kernel: replaced by a scripted one in
 * unit tests. */

#include "base/deadline.h"
#include "snp/device-internal.h"
#include "snp/sev-guest-abi.h"

typedef struct SevGuestKernel {
        void *context;
        int (*open)(void *context, const char *path); /* descriptor of a character device, or negative errno */
        int (*ioctl)(void *context, int fd, unsigned long request, SevGuestRequest *arg); /* 0 or negative errno */
        void (*close)(void *context, int fd);
        int (*sleep)(void *context, Deadline deadline, uint64_t usec); /* as deadline_sleep() */
} SevGuestKernel;

extern const SevGuestKernel sev_guest_kernel; /* the one we run on: sev-guest-kernel.c */

typedef struct SevGuest {
        SnpDevice device;
        const SevGuestKernel *kernel; /* borrowed */
        int fd;
} SevGuest;

/* @kernel and @signs are borrowed and must outlive the device. */
WARN_UNUSED int snp_device_open_ioctl_on(const SevGuestKernel *kernel, const SnpGuestSigns *signs, const char *path,
                                         SnpDevice **ret, Error *e);

/**
 * sev_guest_call() - one ioctl, asked again as long as the driver says "later"
 * @req, @resp:  structures of sev-guest-abi.h for @request
 * @ret_request: what the kernel wrote back, if anything
 * @ret_answer:  0 or the negative errno of the ioctl, for sev_guest_explain()
 *
 * Return: 0 when there is an answer; -ETIMEDOUT; -EBUSY throttled, or later for too long.
 */
WARN_UNUSED int sev_guest_call(SevGuest *g, unsigned long request, void *req, void *resp, Deadline deadline,
                               SevGuestRequest *ret_request, int *ret_answer, Error *e);

/* Says why an ioctl failed with @answer, but for -ENOTTY. Return: the code to return. */
int sev_guest_explain(const SevGuestRequest *request, int answer, Error *e);

/* Judges the firmware's status in a response; @refused: what INVALID_PARAM may mean here. 0 or negative errno. */
WARN_UNUSED int sev_guest_check_status(uint32_t status, const char *refused, Error *e);

/* Implements SnpDeviceOps.derive_key: sev-guest-key.c. */
int sev_guest_derive_key(SnpDevice *device, const SnpKeyRequest *q, Deadline deadline, Secret *ret, Error *e);

/* "INVALID_PARAM" for 0x16, "unknown status" for numbers that nobody defined. */
const char *snp_firmware_status_name(uint32_t status);
