/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/attester/handlers.h"

/* Each handler parses, asks the platform, encodes. Deadlines come from the caller and are cut to the configured one. */

#include <assert.h>
#include <errno.h>
#include <json-c/json_object.h>
#include <string.h>

#include "agent/attester/handlers-internal.h"
#include "agent/daemon/options.h"
#include "agent/wire/bodies-key.h"
#include "agent/wire/bodies-measure.h"
#include "agent/wire/bodies-service.h"
#include "agent/wire/bodies-tpm.h"
#include "agent/wire/bodies.h"
#include "base/json.h"
#include "vtpm/quote.h"

static_assert(WIRE_SNP_REPORT_SIZE == SNP_REPORT_SIZE && WIRE_REPORT_DATA_SIZE == SNP_REPORT_DATA_SIZE,
              "messages carry whole reports");
static_assert(WIRE_VMPL_AUTO == SNP_VMPL_AUTO, "the same number means \"the kernel's own\" everywhere");
static_assert(WIRE_PCRS == VTPM_N_PCRS && WIRE_NONCE_MAX == VTPM_NONCE_MAX, "messages carry whole quotes");

Deadline attester_deadline(const Attester *a, uint32_t msec) {
        return deadline_in((uint64_t) msec * USEC_PER_MSEC < a->config->attester.request_timeout_usec ?
                                   (uint64_t) msec * USEC_PER_MSEC :
                                   a->config->attester.request_timeout_usec);
}

static int open_source(Attester *a, Error *e) {
        const ConfigAttester *c = &a->config->attester;

        switch (c->source) {
        case CONFIG_SOURCE_CONFIGFS_TSM:
                return snp_device_open_configfs(c->tsm_path, &a->device, e);
        case CONFIG_SOURCE_SEV_GUEST:
                return snp_device_open_ioctl(c->device_path, &a->device, e);
        case CONFIG_SOURCE_AZURE:
                return error_set(e, -EOPNOTSUPP, "azure-no-report",
                                 "Below Azure's paravisor no report can be had over bytes of one's own, without a quote");
        case CONFIG_SOURCE_AUTO:
        default:
                return snp_device_open_auto(c->tsm_path, c->device_path, &a->device, e);
        }
}

int attester_open_device(Attester *a, Error *e) {
        int r = a->device ? 0 : open_source(a, e);

        if (r == 0)
                snp_device_set_throttle(a->device, &a->throttle);
        return r;
}

static json_object *snp_facts(Attester *a) {
        bool azure = a->config->attester.source == CONFIG_SOURCE_AZURE;
        json_object *o = json_object_new_object();
        Error e = {};
        int r, bad;

        r = azure ? attester_azure_check(a, &e) : attester_open_device(a, &e);
        bad = json_add_bool(o, "available", r == 0);
        if (r == 0)
                bad |= json_add_str(o, "source", azure ? "azure" : snp_device_name(a->device));
        else {
                bad |= json_add_str(o, "reason", error_reason(&e, r));
                bad |= json_add_str(o, "detail", error_text(&e, r));
        }
        if (bad == 0)
                return o;
        (void) json_object_put(o);
        return NULL;
}

static json_object *tpm_facts(const Attester *a) {
        json_object *o = json_object_new_object();
        int bad;

        bad = json_add_bool(o, "configured", a->config->tpm.tcti != NULL);
        if (a->config->tpm.tcti)
                bad |= json_add_str(o, "tcti", a->config->tpm.tcti);
        if (bad == 0)
                return o;
        (void) json_object_put(o);
        return NULL;
}

static int handle_platform(Attester *a, const Blob *body, Blob *ret, Error *e) {
        AUTO_JSON json_object *o = json_object_new_object();
        const char *text;
        int bad;

        (void) body;
        bad = json_add_str(o, "version", daemon_version());
        bad |= json_add_take(o, "snp", snp_facts(a));
        bad |= json_add_take(o, "tpm", tpm_facts(a));
        text = bad == 0 ? json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE) :
                          NULL;
        if (!text || blob_dup(text, strlen(text), ret) < 0)
                return error_oom(e);
        return 0;
}

int attester_get_report(Attester *a, const uint8_t report_data[static SNP_REPORT_DATA_SIZE], uint32_t vmpl,
                        Deadline deadline, SnpDeviceReport *ret, Error *e) {
        int r;

        r = attester_open_device(a, e);
        if (r < 0)
                return r;
        r = snp_device_get_report(a->device, report_data, vmpl == WIRE_VMPL_AUTO ? a->config->attester.vmpl : vmpl,
                                  deadline, ret, e);
        if (r < 0) /* the driver may have been reloaded since; look afresh next time */
                snp_device_free(TAKE_PTR(a->device));
        return r;
}

WireReportAnswer attester_report_answer(const SnpDeviceReport *report) {
        return (WireReportAnswer){
                .report = { .data = report->report, .size = sizeof(report->report) },
                .certs = { .data = report->certs.data, .size = report->certs.size },
        };
}

static int handle_report(Attester *a, const Blob *body, Blob *ret, Error *e) {
        AUTO_SNP_DEVICE_REPORT SnpDeviceReport report = {};
        WireReportRequest q;
        WireReportAnswer answer;
        int r;

        r = wire_report_request_parse(body->data, body->size, &q, e);
        if (r == 0)
                r = attester_get_report(a, q.report_data, q.vmpl, attester_deadline(a, q.deadline_msec), &report, e);
        if (r < 0)
                return r;
        answer = attester_report_answer(&report);
        r = wire_report_answer_encode(&answer, ret);
        if (r == -E2BIG)
                return error_set(e, r, "certs-too-large", "The host's certificate table of %zu bytes is too large",
                                 report.certs.size);
        return r < 0 ? error_oom(e) : 0;
}

VtpmAkSpec attester_ak_spec(const Attester *a) {
        static const VtpmAkKind kinds[] = {
                [CONFIG_AK_RSA2048] = VTPM_AK_RSASSA,
                [CONFIG_AK_ECC_P256] = VTPM_AK_ECDSA_P256,
                [CONFIG_AK_ECC_P384] = VTPM_AK_ECDSA_P384,
                [CONFIG_AK_AZURE] = VTPM_AK_AZURE,
                [CONFIG_AK_GCP_RSA] = VTPM_AK_GCP_RSA,
                [CONFIG_AK_GCP_ECC] = VTPM_AK_GCP_ECC,
                [CONFIG_AK_AUTO] = VTPM_AK_AUTO,
                [CONFIG_AK_HANDLE] = VTPM_AK_PERSISTENT,
        };

        return (VtpmAkSpec){ .kind = kinds[a->config->tpm.ak], .handle = a->config->tpm.ak_handle };
}

WireQuoteAnswer attester_quote_answer(const VtpmQuote *quote) {
        WireQuoteAnswer answer = {
                .attest = { .data = quote->attest.data, .size = quote->attest.size },
                .signature = { .data = quote->signature.data, .size = quote->signature.size },
                .ak_public = { .data = quote->ak.data, .size = quote->ak.size },
        };
        const VtpmPcrValues *pcrs = &quote->pcrs[0]; /* the messages ask for one bank */

        for (size_t i = 0; i < VTPM_N_PCRS; i++)
                if (pcrs->mask >> i & 1)
                        answer.digests[answer.n_digests++] =
                                (WireBytes){ .data = pcrs->values[i], .size = vtpm_hash_size(pcrs->hash) };
        return answer;
}

int attester_get_quote(const Attester *a, const WireQuoteRequest *q, Deadline deadline, VtpmQuote *ret, Error *e) {
        VtpmQuoteRequest request;

        if (!a->config->tpm.tcti)
                return error_set(e, -ENODEV, "tpm-not-configured", "No TPM is configured");
        request = (VtpmQuoteRequest){
                .tcti = a->config->tpm.tcti,
                .ak = attester_ak_spec(a),
                .nonce = q->nonce,
                .nonce_size = q->nonce_size,
                .pcrs = { .n_banks = 1, .banks[0] = { .hash = q->bank, .mask = q->pcr_mask } },
                .deadline = deadline,
        };
        return vtpm_quote_run(&request, ret, e);
}

static int handle_quote(Attester *a, const Blob *body, Blob *ret, Error *e) {
        AUTO_VTPM_QUOTE VtpmQuote quote = {};
        WireQuoteRequest q;
        WireQuoteAnswer answer;
        int r;

        r = wire_quote_request_parse(body->data, body->size, &q, e);
        if (r == 0)
                r = attester_get_quote(a, &q, attester_deadline(a, q.deadline_msec), &quote, e);
        if (r < 0)
                return r;
        answer = attester_quote_answer(&quote);
        r = wire_quote_answer_encode(&answer, ret);
        if (r == -E2BIG)
                return error_set(e, r, "quote-too-large", "The TPM's quote is too large");
        return r < 0 ? error_oom(e) : 0;
}

const AttesterHandler *attester_handler_find(uint16_t type) {
        static const AttesterHandler handlers[] = {
                { WIRE_PLATFORM, "platform", 0, 0, handle_platform },
                { WIRE_REPORT, "report", WIRE_REPORT_DATA_SIZE + 8, WIRE_REPORT_DATA_SIZE + 8, handle_report },
                { WIRE_DERIVE_KEY, "key", WIRE_KEY_REQUEST_SIZE, WIRE_KEY_REQUEST_SIZE, .handle_secret = attester_handle_key,
                  .may_ask = attester_may_derive },
                { WIRE_SERVICE_REPORT, "service report", WIRE_SERVICE_REQUEST_SIZE, WIRE_SERVICE_REQUEST_SIZE,
                  attester_handle_service },
                { WIRE_QUOTE, "quote", 2 + 1 + 10, 2 + WIRE_NONCE_MAX + 10, handle_quote },
                { WIRE_AZURE, "azure", 2 + 1 + 10, 2 + WIRE_NONCE_MAX + 10, attester_handle_azure },
                { WIRE_EVIDENCE, "evidence", 4 + 2 + 1 + 10, 4 + 2 + WIRE_NONCE_MAX + 10, attester_handle_evidence },
                { WIRE_EVENT_LOG, "event log", WIRE_EVENT_LOG_REQUEST_SIZE, WIRE_EVENT_LOG_REQUEST_SIZE,
                  attester_handle_event_log },
                { WIRE_MEASURE, "measurement", 3 * 2 + 4,
                  3 * 2 + 4 + 2 * WIRE_MEASURE_WORD_MAX + WIRE_MEASURE_CONTENT_MAX, attester_handle_measure,
                  .may_ask = attester_is_for },
                { WIRE_TPM_KEYS, "TPM keys", 5, 5, attester_handle_tpm_keys },
                { WIRE_ACTIVATE, "activation", 9, WIRE_ACTIVATE_REQUEST_MAX,
                  .handle_secret = attester_handle_activate, .may_ask = attester_is_for },
                { WIRE_SEAL, "seal", 16, WIRE_SEAL_REQUEST_MAX, attester_handle_seal, .may_ask = attester_is_for },
                { WIRE_UNSEAL, "unseal", 8, WIRE_UNSEAL_REQUEST_MAX, .handle_secret = attester_handle_unseal,
                  .may_ask = attester_is_for },
        };

        for (size_t i = 0; i < N_ELEMENTS(handlers); i++)
                if (handlers[i].type == type)
                        return &handlers[i];
        return NULL;
}
