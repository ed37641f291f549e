/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The options that say how the platform is asked, the same for every verb that asks it. */

#include "agent/snpctl/args.h"
#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/error.h"
#include "snp/device.h"

/* The host may throttle; the driver retries for up to a minute by itself. */
#define DEVICE_ARGS_TIMEOUT_USEC (70 * USEC_PER_SEC)
#define DEVICE_ARGS_TSM "/sys/kernel/config/tsm/report"
#define DEVICE_ARGS_DEVICE "/dev/sev-guest"

typedef struct DeviceArgs {
        const char *tsm_path, *device;
} DeviceArgs;

/* Rows for a verb's table of options; @type is the struct of its arguments and @member the DeviceArgs in it. */
#define DEVICE_OPTIONS(type, member)                                                                                   \
        { "tsm-path", "DIR", "configfs-tsm (" DEVICE_ARGS_TSM ")", CTL_TEXT, offsetof(type, member.tsm_path) },        \
        { "device", "PATH", "ioctl device (" DEVICE_ARGS_DEVICE ")", CTL_TEXT, offsetof(type, member.device) }

/* Naming one of the two ways means that one; otherwise configfs-tsm when it is there. As snp_device_open_auto(). */
WARN_UNUSED int device_args_open(const DeviceArgs *args, SnpDevice **ret, Error *e);
