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
#include "snp/guid.h"
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
/* The same for reports of an SVSM (systemd/snp-attester-svsm.service): an entry used for one gives no others. */
#define SNP_DEVICE_TSM_SERVICE_ENTRY "snp-attester-svsm"

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

typedef struct SnpServiceRequest {
        uint8_t nonce[SNP_REPORT_DATA_SIZE];
        SnpGuid service;           /* null: all services (snp/svsm-manifest.h) */
        uint32_t manifest_version; /* of one service; 0 for all services, which have no versions */
} SnpServiceRequest;

typedef struct SnpServiceReport {
        uint8_t report[SNP_REPORT_SIZE]; /* VMPL 0, REPORT_DATA = SHA-512(nonce || manifest) */
        Blob certs;                      /* empty when the SVSM gave none */
        Blob manifest;
} SnpServiceReport;

void snp_service_report_done(SnpServiceReport *r);
#define AUTO_SNP_SERVICE_REPORT CLEANUP(snp_service_report_done)

/**
 * snp_device_get_service_report() - a report by the SVSM about its services
 *
 * The answer is checked to be well-formed, of VMPL 0, and over nonce and manifest; it is not verified. Requests to one
 * SVSM are kept two seconds apart, because hosts throttle and older COCONUT-SVSMs do not survive that.
 *
 * Return: 0; -EOPNOTSUPP no SVSM here, a kernel that does not know it ("no-svsm", "svsm-kernel"), not by this way of
 * asking ("svsm-ioctl"); -ENOENT the SVSM refuses: it has no such service, or not in this version; else as
 * snp_device_get_report().
 */
WARN_UNUSED int snp_device_get_service_report(SnpDevice *device, const SnpServiceRequest *request, Deadline deadline,
                                              SnpServiceReport *ret, Error *e);
