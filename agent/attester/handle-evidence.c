/* SPDX-License-Identifier: Apache-2.0 */
/* WIRE_EVIDENCE: report and quote over one nonce, with nothing else done in between. */
#include <errno.h>
#include <string.h>

#include "agent/attester/handlers-internal.h"
#include "agent/wire/bodies-measure.h"

int attester_handle_evidence(Attester *a, const Blob *body, Blob *ret, Error *e) {
        AUTO_SNP_DEVICE_REPORT SnpDeviceReport report = {};
        uint8_t report_data[SNP_REPORT_DATA_SIZE] = {};
        AUTO_VTPM_QUOTE VtpmQuote quote = {};
        WireEvidenceAnswer answer;
        WireEvidenceRequest q;
        Deadline deadline;
        int r;

        r = wire_evidence_request_parse(body->data, body->size, &q, e);
        if (r < 0)
                return r;
        deadline = attester_deadline(a, q.quote.deadline_msec);
        (void) memcpy(report_data, q.quote.nonce, q.quote.nonce_size);
        r = attester_get_report(a, report_data, q.vmpl, deadline, &report, e);
        if (r == 0)
                r = attester_get_quote(a, &q.quote, deadline, &quote, e);
        if (r < 0)
                return r;
        answer = (WireEvidenceAnswer){ .report = attester_report_answer(&report),
                                       .quote = attester_quote_answer(&quote) };
        r = wire_evidence_answer_encode(&answer, ret);
        if (r == -E2BIG)
                return error_set(e, r, "evidence-too-large", "Certificates and quote are too large for one message");
        return r < 0 ? error_oom(e) : 0;
}
