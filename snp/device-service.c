/* SPDX-License-Identifier: Apache-2.0 */
/* Reports that an SVSM has made about its services: what holds for them whichever door they came through. */
#include <errno.h>

#include "snp/device-internal.h"
#include "snp/svsm-manifest.h"

void snp_service_report_done(SnpServiceReport *r) {
        blob_done(&r->certs);
        blob_done(&r->manifest);
        *r = (SnpServiceReport){};
}

static int check_request(const SnpServiceRequest *q, Error *e) {
        if (q->manifest_version > SNP_SVSM_MANIFEST_VERSION_MAX)
                return error_set(e, -EINVAL, "svsm-version", "Version %u of service manifests is not known",
                                 q->manifest_version);
        if (snp_guid_is_null(&q->service) && q->manifest_version != 0)
                return error_set(e, -EINVAL, "svsm-version", "The manifest of all services has no versions");
        return 0;
}

/* That the manifest is of the right form is for those who look into it. */
static int check_answer(const SnpServiceReport *a, const SnpServiceRequest *q, Error *e) {
        uint8_t report_data[SNP_REPORT_DATA_SIZE];
        int r;

        r = snp_svsm_report_data(q->nonce, a->manifest.data, a->manifest.size, report_data, e);
        if (r < 0)
                return r;
        return snp_device_check_answer(a->report, &a->certs, report_data, 0, e);
}

int snp_device_get_service_report(SnpDevice *device, const SnpServiceRequest *request, Deadline deadline,
                                  SnpServiceReport *ret, Error *e) {
        AUTO_SNP_SERVICE_REPORT SnpServiceReport answer = {};
        Error cause = {};
        int r = check_request(request, e);

        if (r < 0)
                return r;
        if (!device->ops->get_service_report)
                return error_set(e, -EOPNOTSUPP, "svsm-ioctl", "%s has no way to ask an SVSM; configfs-tsm of Linux "
                                 "6.10 and later has", device->ops->name);
        r = device->ops->get_service_report(device, request, deadline, &answer, &cause);
        if (r == 0)
                r = check_answer(&answer, request, &cause);
        if (r < 0)
                return snp_device_fail(device, r, &cause, e);
        *ret = answer;
        answer = (SnpServiceReport){};
        return 0;
}
