/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* How the ioctl implementation reaches the kernel: replaced by a scripted one in unit tests. */

#include "base/deadline.h"
#include "snp/device.h"
#include "snp/sev-guest-abi.h"

#define SEV_GUEST_VMPL_PATH "/sys/devices/system/cpu/sev/vmpl"

typedef struct SevGuestKernel {
        void *context;
        int (*open)(void *context, const char *path); /* descriptor of a character device, or negative errno */
        int (*ioctl)(void *context, int fd, unsigned long request, SevGuestRequest *arg); /* 0 or negative errno */
        void (*close)(void *context, int fd);
        int (*sleep)(void *context, Deadline deadline, uint64_t usec); /* as deadline_sleep() */
        const char *vmpl_path; /* absent: the kernel runs at VMPL 0 */
} SevGuestKernel;

/* @kernel is borrowed and must outlive the device. */
WARN_UNUSED int snp_device_open_ioctl_on(const SevGuestKernel *kernel, const char *path, SnpDevice **ret, Error *e);

/* "INVALID_PARAM" for 0x16, "unknown status" for numbers that nobody defined. */
const char *snp_firmware_status_name(uint32_t status);
