/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports through configfs-tsm (Linux, Documentation/ABI/testing/configfs-tsm-report). Each report gets a
 * directory of its own, an entry, which lives no longer than the call:
 *
 *   mkdir, read generation, write privlevel, write and close inblob, read outblob, read auxblob, rmdir
 *
 * When somebody else wrote into it meanwhile, all starts over in a new entry (snp/tsm-entry.c).
 *
 * What is made in configfs belongs to root, whoever made it, so a process without privilege works in one
 * entry that root has made and handed over to it. The protocol there is the same but for mkdir and rmdir.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "snp/device-configfs.h"

int snp_configfs_entry(const SnpConfigfs *c, SnpTsmEntry *ret, Error *e) {
        return c->handed ? snp_tsm_entry_open(ret, c->dir, ".", e) : snp_tsm_entry_make(ret, c->dir, e);
}

static int write_request(SnpTsmEntry *entry, const uint8_t *report_data, uint32_t vmpl, uint32_t *ret_vmpl, Error *e) {
        uint64_t floor;
        char level[12];
        int r;

        r = snp_tsm_entry_begin(entry, e);
        if (r == 0)
                r = snp_tsm_entry_read_number(entry, "privlevel_floor", SNP_VMPL_MAX, &floor, e);
        if (r < 0)
                return r;
        /* The default is 0 and not the floor, so it is always written. */
        *ret_vmpl = snp_device_vmpl(vmpl, (uint32_t) floor);
        (void) snprintf(level, sizeof(level), "%u", *ret_vmpl);
        r = snp_tsm_entry_write_text(entry, "privlevel", level, e);
        return r < 0 ? r : snp_tsm_entry_write(entry, "inblob", report_data, SNP_REPORT_DATA_SIZE, e);
}

typedef struct Request {
        SnpConfigfs *c;
        const uint8_t *report_data;
        uint32_t vmpl, *ret_vmpl;
        Deadline deadline;
        SnpDeviceReport *ret;
} Request;

static int attempt(void *user, Error *e) {
        const Request *q = user;
        AUTO_SNP_DEVICE_REPORT SnpDeviceReport answer = {};
        AUTO_SNP_TSM_ENTRY SnpTsmEntry entry = SNP_TSM_ENTRY_NONE;
        int r;

        r = snp_device_check_deadline(q->deadline, e);
        if (r == 0)
                r = snp_configfs_entry(q->c, &entry, e);
        if (r == 0)
                r = write_request(&entry, q->report_data, q->vmpl, q->ret_vmpl, e);
        /* The driver asks the platform when outblob is read. */
        if (r == 0)
                r = snp_device_take_turn(&q->c->device, q->deadline, e);
        if (r == 0)
                r = snp_tsm_entry_read_report(&entry, answer.report, e);
        if (r == 0)
                r = snp_device_check_deadline(q->deadline, e);
        if (r == 0)
                r = snp_tsm_entry_read_certs(&entry, &answer.certs, e);
        if (r < 0)
                return r;
        *q->ret = answer;
        answer = (SnpDeviceReport){};
        return 0;
}

static int configfs_get_report(SnpDevice *device, const uint8_t report_data[static SNP_REPORT_DATA_SIZE],
                               uint32_t vmpl, Deadline deadline, SnpDeviceReport *ret, uint32_t *ret_vmpl, Error *e) {
        Request q = { .c = (SnpConfigfs *) device, .report_data = report_data, .vmpl = vmpl, .ret_vmpl = ret_vmpl,
                      .deadline = deadline, .ret = ret };

        return snp_tsm_attempts(attempt, &q, e);
}

static void configfs_free(SnpDevice *device) {
        SnpConfigfs *c = (SnpConfigfs *) device;

        (void) close(c->dir);
        free(c);
}

static const SnpDeviceOps configfs_ops = {
        .name = "configfs-tsm",
        .get_report = configfs_get_report,
        .get_service_report = snp_configfs_get_service_report,
        .free = configfs_free,
};

/* Only an entry tells who provides it. */
static int check_provider(const SnpConfigfs *c, Error *e) {
        AUTO_SNP_TSM_ENTRY SnpTsmEntry entry = SNP_TSM_ENTRY_NONE;
        char provider[SNP_TSM_TEXT_MAX];
        Error cause = {};
        int r = snp_configfs_entry(c, &entry, e);

        if (r < 0)
                return r;
        r = snp_tsm_entry_read_text(&entry, "provider", provider, &cause);
        if (r < 0)
                return error_set(e, -ENODEV, "tsm-absent", "This is no configfs-tsm tree: %s",
                                 r == -EBUSY ? "a new entry has no 'provider'" : error_text(&cause, r));
        if (strcmp(provider, "sev_guest") != 0)
                return error_set(e, -ENODEV, "tsm-other-provider", "configfs-tsm is provided by '%s', not by sev_guest",
                                 provider);
        return 0;
}

/* Finds out whether we may make entries, or have been handed one, here or below. */
static int choose_entry(SnpConfigfs *c, Error *e) {
        Error cause = {};
        int r, entry;

        c->handed = faccessat(c->dir, "provider", F_OK, 0) == 0;
        if (!c->handed)
                snp_tsm_remove_stale(c->dir);
        r = check_provider(c, &cause);
        if (r == -EACCES && !c->handed) {
                entry = openat(c->dir, SNP_DEVICE_TSM_ENTRY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                if (entry >= 0) {
                        (void) close(c->dir);
                        c->dir = entry;
                        c->handed = true;
                        return check_provider(c, e);
                }
        }
        return r < 0 ? error_set(e, r, error_reason(&cause, r), "%s", error_text(&cause, r)) : 0;
}

int snp_device_open_configfs_on(const SnpGuestSigns *signs, const char *path, SnpDevice **ret, Error *e) {
        SnpConfigfs *c = calloc(1, sizeof(*c));
        int r;

        if (!c)
                return error_oom(e);
        *c = (SnpConfigfs){ .dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
        snp_device_init(&c->device, &configfs_ops, signs);
        if (c->dir < 0) {
                r = errno == EACCES ? -EACCES : -ENODEV;
                (void) error_set(e, r, "tsm-absent", "Cannot open %s: %s", path, error_text(NULL, -errno));
                free(c);
                return r;
        }
        r = choose_entry(c, e);
        if (r < 0) {
                error_prefix(e, "%s", path);
                configfs_free(&c->device);
                return r;
        }
        c->device.is_driver = true; /* its provider is */
        *ret = &c->device;
        return 0;
}

int snp_device_open_configfs(const char *path, SnpDevice **ret, Error *e) {
        Error cause = {};
        int r = snp_device_open_configfs_on(&snp_guest_signs, path, ret, &cause);

        if (r == -ENODEV && snp_guest_is_one(&snp_guest_signs) && strcmp(error_reason(&cause, r), "tsm-absent") == 0)
                return error_set(e, r, "tsm-kernel-too-old", "This is an SEV-SNP guest, but its kernel offers no "
                                 "configfs-tsm (Linux 6.7, with configfs mounted); on older ones use the device "
                                 "/dev/sev-guest: %s", error_text(&cause, r));
        return r < 0 ? error_set(e, r, error_reason(&cause, r), "%s", error_text(&cause, r)) : 0;
}
