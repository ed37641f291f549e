/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports of an SVSM through configfs-tsm, which Linux has since 6.10 and shows only where it runs at another VMPL than
 * 0 (drivers/virt/coco/sev-guest/sev-guest.c, sev_svsm_report_new()):
 *
 *   mkdir, read generation, write service_provider, service_guid, service_manifest_version and inblob (the nonce),
 *   read outblob, manifestblob, auxblob, rmdir
 *
 * privlevel is left alone: the report is of VMPL 0, which is not the guest's to choose. The attributes cannot be unset,
 * so a process without privilege has an entry of its own for this.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "snp/device-configfs.h"
#include "snp/svsm-manifest.h"

#define SPACING_USEC (2 * USEC_PER_SEC) /* no bursts here, as snp/throttle.h allows: see snp/device.h */

typedef struct Request {
        SnpConfigfs *c;
        const SnpServiceRequest *request;
        Deadline deadline;
        SnpServiceReport *ret;
} Request;

/* Why there are no attributes for services. A kernel that must ask for VMPL 1 or higher has something at VMPL 0. */
static int unsupported(const SnpTsmEntry *entry, Error *e) {
        uint64_t floor;
        int r = snp_tsm_entry_read_number(entry, "privlevel_floor", SNP_VMPL_MAX, &floor, e);

        if (r < 0)
                return r;
        if (floor == 0)
                return error_set(e, -EOPNOTSUPP, "no-svsm", "This kernel runs at VMPL 0: no SVSM serves it");
        return error_set(e, -EOPNOTSUPP, "svsm-kernel", "This kernel runs at VMPL %u and cannot ask the SVSM; Linux "
                         "6.10 and later can", (unsigned) floor);
}

static int open_entry(const SnpConfigfs *c, SnpTsmEntry *ret, Error *e) {
        AUTO_SNP_TSM_ENTRY SnpTsmEntry entry = SNP_TSM_ENTRY_NONE;
        int r = snp_configfs_entry(c, &entry, e);

        if (r < 0)
                return r;
        if (!snp_tsm_entry_has(&entry, "service_provider"))
                return unsupported(&entry, e);
        if (c->handed) {
                snp_tsm_entry_done(&entry);
                r = snp_tsm_entry_open(&entry, c->dir, "../" SNP_DEVICE_TSM_SERVICE_ENTRY, NULL);
                if (r < 0)
                        return error_set(e, -EACCES, "device-access", "This process may not ask the SVSM: nobody "
                                         "made it the entry %s", SNP_DEVICE_TSM_SERVICE_ENTRY);
        }
        *ret = entry;
        entry = (SnpTsmEntry) SNP_TSM_ENTRY_NONE;
        return 0;
}

/* All four each time: an entry that was handed over remembers the request before. */
static int write_request(SnpTsmEntry *entry, const SnpServiceRequest *q, Error *e) {
        char guid[SNP_GUID_TEXT_SIZE], version[12];
        int r;

        snp_guid_format(&q->service, guid);
        (void) snprintf(version, sizeof(version), "%u", q->manifest_version);
        r = snp_tsm_entry_begin(entry, e);
        if (r == 0)
                r = snp_tsm_entry_write_text(entry, "service_provider", "svsm", e);
        if (r == 0)
                r = snp_tsm_entry_write_text(entry, "service_guid", guid, e);
        if (r == 0)
                r = snp_tsm_entry_write_text(entry, "service_manifest_version", version, e);
        return r < 0 ? r : snp_tsm_entry_write(entry, "inblob", q->nonce, sizeof(q->nonce), e);
}

static int wait_turn(SnpConfigfs *c, Deadline deadline, Error *e) {
        uint64_t now = now_monotonic_usec();

        if (c->service_usec > 0 && now < c->service_usec + SPACING_USEC &&
            deadline_sleep(deadline, c->service_usec + SPACING_USEC - now) < 0)
                return error_set(e, -ETIMEDOUT, "deadline", "The SVSM cannot be asked again so soon");
        c->service_usec = now_monotonic_usec();
        return snp_device_take_turn(&c->device, deadline, e);
}

/* The first blob that is read makes the SVSM work. Of a refusal no more is known than that it is one. */
static int read_report(const SnpTsmEntry *entry, const SnpServiceRequest *q, SnpServiceReport *ret, Error *e) {
        char guid[SNP_GUID_TEXT_SIZE];
        Error detail = {};
        int r = snp_tsm_entry_read_report(entry, ret->report, &detail);

        if (r == -EINVAL) {
                snp_guid_format(&q->service, guid);
                return error_set(e, -ENOENT, "svsm-refused", "The SVSM refuses: it does not have service %s, or not in "
                                 "manifest version %u", guid, q->manifest_version);
        }
        return r < 0 ? error_set(e, r, error_reason(&detail, r), "%s", error_text(&detail, r)) : 0;
}

static int read_manifest(const SnpTsmEntry *entry, Blob *ret, Error *e) {
        AUTO_BLOB Blob manifest = {};
        int r = snp_tsm_entry_read(entry, "manifestblob", SNP_SVSM_MANIFEST_MAX, &manifest, e);

        if (r == 0)
                r = snp_tsm_entry_check(entry, "while the manifest was read", e);
        if (r == 0)
                *ret = blob_take(&manifest);
        return r;
}

static int attempt(void *user, Error *e) {
        Request *q = user;
        AUTO_SNP_SERVICE_REPORT SnpServiceReport answer = {};
        AUTO_SNP_TSM_ENTRY SnpTsmEntry entry = SNP_TSM_ENTRY_NONE;
        int r;

        r = open_entry(q->c, &entry, e);
        if (r == 0)
                r = wait_turn(q->c, q->deadline, e);
        if (r == 0)
                r = write_request(&entry, q->request, e);
        if (r == 0)
                r = read_report(&entry, q->request, &answer, e);
        if (r == 0)
                r = snp_device_check_deadline(q->deadline, e);
        if (r == 0)
                r = read_manifest(&entry, &answer.manifest, e);
        if (r == 0)
                r = snp_tsm_entry_read_certs(&entry, &answer.certs, e);
        if (r < 0)
                return r;
        *q->ret = answer;
        answer = (SnpServiceReport){};
        return 0;
}

int snp_configfs_get_service_report(SnpDevice *device, const SnpServiceRequest *request, Deadline deadline,
                                    SnpServiceReport *ret, Error *e) {
        Request q = { .c = (SnpConfigfs *) device, .request = request, .deadline = deadline, .ret = ret };

        return snp_tsm_attempts(attempt, &q, e);
}
