/* SPDX-License-Identifier: Apache-2.0 */

/* Messages between our programs: whatever is accepted encodes to the very bytes that came in. */

#include <assert.h>
#include <string.h>

#include "agent/wire/bodies-azure.h"
#include "agent/wire/bodies-key.h"
#include "agent/wire/bodies-measure.h"
#include "agent/wire/bodies-service.h"
#include "agent/wire/bodies-tpm.h"
#include "agent/wire/bodies.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(int encoded, Blob *b, const WireMessage *m) {
        assert(encoded == 0);
        assert(b->size == m->body.size && (b->size == 0 || memcmp(b->data, m->body.data, b->size) == 0));
        blob_done(b);
}

static void body_of_measurements(const WireMessage *m) {
        const uint8_t *p = m->body.data;
        size_t n = m->body.size;
        WireMeasureRequest measure;
        WireEventLogRequest log;
        WireEventLogAnswer chunk;
        WireEvidenceRequest question;
        WireEvidenceAnswer both;
        Blob b = {};

        if (wire_measure_request_parse(p, n, &measure, NULL) == 0)
                same(wire_measure_request_encode(&measure, &b), &b, m);
        if (wire_event_log_request_parse(p, n, &log, NULL) == 0)
                same(wire_event_log_request_encode(&log, &b), &b, m);
        if (wire_event_log_answer_parse(p, n, &chunk, NULL) == 0)
                same(wire_event_log_answer_encode(&chunk, &b), &b, m);
        if (wire_evidence_request_parse(p, n, &question, NULL) == 0)
                same(wire_evidence_request_encode(&question, &b), &b, m);
        if (wire_evidence_answer_parse(p, n, 0x000b /* TPM_ALG_SHA256 */, &both, NULL) == 0)
                same(wire_evidence_answer_encode(&both, &b), &b, m);
}

static void tpm_body(const WireMessage *m) {
        const uint8_t *p = m->body.data;
        size_t n = m->body.size;
        AUTO_SECRET Secret s = {};
        WireTpmKeysRequest keys;
        WireTpmKeysAnswer publics;
        WireActivateRequest activate;
        WireUnsealRequest unseal;
        WireSealRequest seal;
        Blob b = {};

        if (wire_tpm_keys_request_parse(p, n, &keys, NULL) == 0)
                same(wire_tpm_keys_request_encode(&keys, &b), &b, m);
        if (wire_tpm_keys_answer_parse(p, n, &publics, NULL) == 0)
                same(wire_tpm_keys_answer_encode(&publics, &b), &b, m);
        if (wire_activate_request_parse(p, n, &activate, NULL) == 0)
                same(wire_activate_request_encode(&activate, &b), &b, m);
        if (wire_unseal_request_parse(p, n, &unseal, NULL) == 0)
                same(wire_unseal_request_encode(&unseal, &b), &b, m);
        if (wire_seal_request_parse(p, n, &seal, NULL) == 0) {
                assert(wire_seal_request_encode(&seal, &s) == 0);
                assert(s.len == n && memcmp(s.bytes, p, n) == 0);
        }
}

static void body(const WireMessage *m) {
        const uint8_t *p = m->body.data;
        size_t n = m->body.size;
        WireReportRequest report;
        WireReportAnswer evidence;
        WireQuoteRequest quote;
        WireQuoteAnswer signed_pcrs;
        WireAzureAnswer paravisor;
        WireVolumeRequest volume;
        WireServiceRequest service;
        WireServiceAnswer manifest;
        WireKeyRequest key;
        Blob b = {};

        tpm_body(m);
        if (wire_report_request_parse(p, n, &report, NULL) == 0)
                same(wire_report_request_encode(&report, &b), &b, m);
        if (wire_report_answer_parse(p, n, &evidence, NULL) == 0)
                same(wire_report_answer_encode(&evidence, &b), &b, m);
        if (wire_quote_request_parse(p, n, &quote, NULL) == 0)
                same(wire_quote_request_encode(&quote, &b), &b, m);
        if (wire_quote_answer_parse(p, n, 0x000b /* TPM_ALG_SHA256 */, &signed_pcrs, NULL) == 0)
                same(wire_quote_answer_encode(&signed_pcrs, &b), &b, m);
        if (wire_azure_answer_parse(p, n, 0x000b, &paravisor, NULL) == 0)
                same(wire_azure_answer_encode(&paravisor, &b), &b, m);
        if (wire_volume_request_parse(p, n, &volume, NULL) == 0)
                same(wire_volume_request_encode(&volume, &b), &b, m);
        if (wire_service_request_parse(p, n, &service, NULL) == 0)
                same(wire_service_request_encode(&service, &b), &b, m);
        if (wire_key_request_parse(p, n, &key, NULL) == 0)
                same(wire_key_request_encode(&key, &b), &b, m);
        if (wire_service_answer_parse(p, n, &manifest, NULL) == 0)
                same(wire_service_answer_encode(&manifest, &b), &b, m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        AUTO_WIRE_MESSAGE WireMessage m = {};
        AUTO_BLOB Blob again = {};
        Error e = {};

        if (wire_message_parse(data, size, &m, NULL) < 0)
                return 0;
        assert(wire_message_encode(m.type, m.body.data, m.body.size, &again) == 0);
        assert(again.size == size && memcmp(again.data, data, size) == 0);
        if (m.type == WIRE_ERROR)
                assert(wire_error_parse(m.body.data, m.body.size, &e) < 0 && e.code < 0);
        body(&m);
        body_of_measurements(&m);
        return 0;
}
