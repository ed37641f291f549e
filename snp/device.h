/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Where reports come from: the kernel's configfs-tsm tree or the /dev/sev-guest ioctls. Calls block,
 * for up to a minute when the host throttles; a deadline bounds the retries, not one call of the kernel.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/secret.h"
#include "snp/key-request.h"
#include "snp/report.h"
#include "snp/throttle.h"

typedef struct SnpDevice SnpDevice;

#define SNP_VMPL_AUTO UINT32_MAX /* the kernel's own VMPL */

typedef struct SnpDeviceReport {
        uint8_t report[SNP_REPORT_SIZE]; /* as the platform gave it; all-zero reports never get here */
        Blob certs;                      /* host's certificate table, empty when it has none */
} SnpDeviceReport;

void snp_device_report_done(SnpDeviceReport *r);
#define AUTO_SNP_DEVICE_REPORT CLEANUP(snp_device_report_done)

/* Entry that root makes for a process without privilege (systemd/snp-attester-tsm.service). */
#define SNP_DEVICE_TSM_ENTRY "snp-attester"

/* @path: normally /sys/kernel/config/tsm/report, or one entry in it. Where this process may not make entries of its
 * own, it uses SNP_DEVICE_TSM_ENTRY. -ENODEV when absent or when its provider is not sev_guest; -EACCES. */
WARN_UNUSED int snp_device_open_configfs(const char *path, SnpDevice **ret, Error *e);
/* @path: normally /dev/sev-guest. -ENODEV when absent; the reason tells a machine without SNP from a kernel without a
 * driver. */
WARN_UNUSED int snp_device_open_ioctl(const char *path, SnpDevice **ret, Error *e);
/* configfs-tsm when it is there and served by sev_guest, else the ioctls; -ENODEV tells what was missing at each. */
WARN_UNUSED int snp_device_open_auto(const char *tsm_path, const char *dev_path, SnpDevice **ret, Error *e);
void snp_device_free(SnpDevice *device);
DEFINE_CLEANUP(SnpDevice *, snp_device_free);

const char *snp_device_name(const SnpDevice *device); /* "configfs-tsm" or "sev-guest" */

/* Share @throttle, which is borrowed, among devices opened one after the other; NULL: its own, snp_throttle_default(). */
void snp_device_set_throttle(SnpDevice *device, SnpThrottle *throttle);

/**
 * snp_device_get_report() - a fresh report over @report_data
 * @vmpl: 0..3, raised to the lowest that the kernel may ask for (its own), or SNP_VMPL_AUTO for just that one
 *
 * The answer is checked to be well-formed, to be for that VMPL and to carry @report_data. It is not
 * verified: that is the verifier's, snp/verify.h.
 *
 * Return: 0; -ETIMEDOUT; -EBUSY the host or another writer kept interfering, or our own throttle ("throttled") would
 * not let it through before the deadline; -EACCES; -ENODEV the provider has gone, or was none; -ENOTTY the driver's
 * message key is gone until reboot; -ESTALE the platform answered with other REPORT_DATA; -EBADMSG malformed answer;
 * -EPROTO an answer to another request; -E2BIG; -EOPNOTSUPP a report that this version does not know; -EINVAL VMPL not
 * available; -EIO the firmware, the host or the driver failed.
 */
WARN_UNUSED int snp_device_get_report(SnpDevice *device, const uint8_t report_data[static SNP_REPORT_DATA_SIZE],
                                      uint32_t vmpl, Deadline deadline, SnpDeviceReport *ret, Error *e);

/**
 * snp_device_derive_key() - have the firmware derive a key for this guest
 * @ret: SNP_DERIVED_KEY_SIZE bytes; they have been nowhere else in this process
 *
 * Unlike with reports, a VMPL below the kernel's own is not raised but refused: it would be another key.
 *
 * Return: 0; -EOPNOTSUPP configfs-tsm, which has no keys, or the launch mitigation vector; -EINVAL what the request or
 * the firmware says of it; else as snp_device_get_report().
 */
WARN_UNUSED int snp_device_derive_key(SnpDevice *device, const SnpKeyRequest *request, Deadline deadline, Secret *ret,
                                      Error *e);
