/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snpctl/device-args.h"

int device_args_open(const DeviceArgs *args, SnpDevice **ret, Error *e) {
        if (args->tsm_path && !args->device)
                return snp_device_open_configfs(args->tsm_path, ret, e);
        if (args->device && !args->tsm_path)
                return snp_device_open_ioctl(args->device, ret, e);
        return snp_device_open_auto(args->tsm_path ? args->tsm_path : DEVICE_ARGS_TSM,
                                    args->device ? args->device : DEVICE_ARGS_DEVICE, ret, e);
}
