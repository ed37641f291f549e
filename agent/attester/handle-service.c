/* SPDX-License-Identifier: Apache-2.0 */
/* WIRE_SERVICE_REPORT: what the SVSM that serves this guest says about its services. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "agent/attester/handlers-internal.h"
#include "agent/wire/bodies-service.h"
#include "snp/svsm-manifest.h"

static_assert(WIRE_GUID_SIZE == SNP_GUID_SIZE && WIRE_MANIFEST_MAX == SNP_SVSM_MANIFEST_MAX &&
                      WIRE_REPORT_DATA_SIZE == SNP_SVSM_NONCE_SIZE,
              "messages carry whole manifests");
static_assert(WIRE_SNP_REPORT_SIZE + 4 + WIRE_MANIFEST_MAX + 0x4000 <= WIRE_BODY_MAX, "and certificates behind them");

/* The driver may have been reloaded since; then look afresh next time. What the SVSM refuses is no such sign, and the
 * device knows when the SVSM may be asked again. */
static bool device_is_doubtful(int r) {
        return r == -ENODEV || r == -ENOTTY || r == -EIO || r == -EACCES;
}

int attester_handle_service(Attester *a, const Blob *body, Blob *ret, Error *e) {
        AUTO_SNP_SERVICE_REPORT SnpServiceReport report = {};
        SnpServiceRequest request = {};
        WireServiceAnswer answer;
        WireServiceRequest q;
        int r;

        r = wire_service_request_parse(body->data, body->size, &q, e);
        if (r == 0)
                r = attester_open_device(a, e);
        if (r < 0)
                return r;
        (void) memcpy(request.nonce, q.nonce, sizeof(request.nonce));
        (void) memcpy(request.service.bytes, q.service, sizeof(request.service.bytes));
        request.manifest_version = q.manifest_version;
        r = snp_device_get_service_report(a->device, &request, attester_deadline(a, q.deadline_msec), &report, e);
        if (r < 0) {
                if (device_is_doubtful(r))
                        snp_device_free(TAKE_PTR(a->device));
                return r;
        }
        answer = (WireServiceAnswer){
                .report = { .data = report.report, .size = sizeof(report.report) },
                .manifest = { .data = report.manifest.data, .size = report.manifest.size },
                .certs = { .data = report.certs.data, .size = report.certs.size },
        };
        return wire_service_answer_encode(&answer, ret) < 0 ? error_oom(e) : 0;
}
