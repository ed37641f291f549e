/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/evidence-internal.h"

#include <errno.h>
#include <string.h>

#include "agent/wire/bodies-measure.h"
#include "base/log.h"
#include "keybroker-client/evidence.h"

static void on_evidence(void *userdata, int r, const Blob *answer, const Error *e);

void evidence_cancel(EvidenceJob *job) {
        if (!job)
                return;
        for (EvidenceJob **at = &job->agent->evidence_jobs; *at; at = &(*at)->next)
                if (*at == job) {
                        *at = job->next;
                        break;
                }
        if (job->call)
                attester_call_cancel(job->call);
        (void) sd_event_source_disable_unref(job->patience);
        (void) generation_unref(job->generation);
        blob_done(&job->evidence.body);
        free(job);
}

void evidence_cancel_all(Agent *agent) {
        while (agent->evidence_jobs)
                evidence_cancel(agent->evidence_jobs);
}

void evidence_finish(EvidenceJob *job, int r, const Error *e) {
        job->done(job->userdata, r, r < 0 ? NULL : &job->evidence, e);
        evidence_cancel(job); /* nothing is open any more: this frees it */
}

int evidence_ask(EvidenceJob *job, uint16_t type, const Blob *body, AttesterDoneFn done, Error *e) {
        AttesterQuestion q = {
                .path = job->generation->config->attester.socket,
                .type = type,
                .body = body->data,
                .size = body->size,
                .may_take_kept = job->for_broker,
                .deadline = job->deadline,
        };

        return attester_client_ask(&job->agent->attester, &q, done, job, &job->call, e);
}

static int ask_report(EvidenceJob *job, Error *e) {
        WireReportRequest q = { .vmpl = WIRE_VMPL_AUTO, .deadline_msec = attester_deadline_msec(job->deadline) };
        AUTO_BLOB Blob body = {};

        (void) memcpy(q.report_data, job->nonce, sizeof(q.report_data));
        if (wire_report_request_encode(&q, &body) < 0)
                return error_oom(e);
        return evidence_ask(job, WIRE_REPORT, &body, on_evidence, e);
}

/* In one go: nothing can come between the two. */
static int ask_both(EvidenceJob *job, Error *e) {
        WireEvidenceRequest q = {
                .quote = { .nonce_size = job->nonce_size, .pcr_mask = EVIDENCE_PCR_MASK, .bank = EVIDENCE_BANK,
                           .deadline_msec = attester_deadline_msec(job->deadline) },
                .vmpl = WIRE_VMPL_AUTO,
        };
        AUTO_BLOB Blob body = {};

        (void) memcpy(q.quote.nonce, job->nonce, job->nonce_size);
        if (wire_evidence_request_encode(&q, &body) < 0)
                return error_oom(e);
        return evidence_ask(job, WIRE_EVIDENCE, &body, on_evidence, e);
}

static int parse_answer(EvidenceJob *job, Error *e) {
        Evidence *ev = &job->evidence;
        WireEvidenceAnswer both;
        int r;

        if (!job->with_quote)
                return wire_report_answer_parse(ev->body.data, ev->body.size, &ev->report, e);
        r = wire_evidence_answer_parse(ev->body.data, ev->body.size, EVIDENCE_BANK, &both, e);
        if (r < 0)
                return r;
        ev->report = both.report;
        ev->quote = both.quote;
        ev->has_quote = true;
        return 0;
}

static int take_evidence(EvidenceJob *job, const Blob *answer, Error *e) {
        PlatformVerdict before = job->agent->platform.verdict;
        Evidence *ev = &job->evidence;
        int r;

        if (blob_dup(answer->data, answer->size, &ev->body) < 0)
                return error_oom(e);
        r = parse_answer(job, e);
        if (r == 0)
                r = platform_observe(&job->agent->platform, job->generation->collateral, job->nonce, &ev->report, e);
        if (r == 0)
                agent_note_verdict(job->agent, before);
        return r;
}

static void on_evidence(void *userdata, int r, const Blob *answer, const Error *why) {
        EvidenceJob *job = userdata;
        Error e = {};

        job->call = NULL;
        if (r < 0) {
                evidence_finish(job, r, why);
                return;
        }
        r = take_evidence(job, answer, &e);
        evidence_finish(job, r, &e);
}

/* The question that brings what is wanted, whatever the platform. */
static int ask_platform(EvidenceJob *job, Error *e) {
        if (job->generation->config->attester.source == CONFIG_SOURCE_AZURE)
                return evidence_azure_ask(job, e);
        return job->with_quote ? ask_both(job, e) : ask_report(job, e);
}

int evidence_start(Agent *agent, Generation *generation, const EvidenceRequest *request, EvidenceDoneFn done,
                   void *userdata, EvidenceJob **ret, Error *e) {
        EvidenceJob *job;
        int r;

        if (request->nonce_size == 0 || request->nonce_size > sizeof(job->nonce))
                return error_set(e, -EINVAL, "nonce-size", "A nonce has 1 to %zu bytes, not %zu", sizeof(job->nonce),
                                 request->nonce_size);
        job = calloc(1, sizeof(*job));
        if (!job)
                return error_oom(e);
        *job = (EvidenceJob){
                .next = agent->evidence_jobs, .agent = agent, .generation = generation_ref(generation),
                .nonce_size = request->nonce_size, .with_quote = request->with_quote, .for_broker = request->for_broker,
                .deadline = request->deadline, .done = done, .userdata = userdata,
        };
        agent->evidence_jobs = job;
        (void) memcpy(job->nonce, request->nonce, request->nonce_size);
        r = ask_platform(job, e);
        if (r < 0) {
                evidence_cancel(job);
                return r;
        }
        *ret = job;
        return 0;
}

/* What the broker will probably refuse, told once for each kind: the broker hides its reasons. */
static void warn_of(Agent *agent, unsigned warnings) {
        for (unsigned i = 0; i < KBC_EVIDENCE_N_WARNINGS; i++)
                if (warnings & ~agent->warned_evidence & 1u << i)
                        log_warning("Evidence: %s", kbc_evidence_warning_text(1u << i));
        agent->warned_evidence |= warnings;
}

/* What is at hand; a request never waits for more, and the broker can find a VCEK by itself. */
const Blob *evidence_vcek_for(const Generation *g, const Evidence *ev) {
        SnpReport report;

        if (snp_report_parse(ev->report.report.data, ev->report.report.size, &report, NULL) < 0)
                return NULL;
        return collateral_vcek_for(g->collateral, &report);
}

static int snp_for_broker(const Generation *g, const Evidence *ev, KbcEvidence *ret, unsigned *ret_warnings, Error *e) {
        const Blob *vcek = evidence_vcek_for(g, ev);
        KbcSnpEvidence in = {
                .report = ev->report.report.data, .report_size = ev->report.report.size,
                .cert_table = ev->report.certs.data, .cert_table_size = ev->report.certs.size,
        };

        if (vcek) {
                in.vcek = vcek->data;
                in.vcek_size = vcek->size;
        }
        return kbc_evidence_snp(&in, ret, ret_warnings, e);
}

static void on_broker_evidence(void *userdata, int r, const Evidence *ev, const Error *why) {
        Generation *g = userdata;
        KbcEvidence out = {};
        unsigned warnings = 0;
        Error e = {};

        if (r < 0) {
                kbc_client_evidence_failed(g->client, r, why);
                return;
        }
        r = ev->is_azure ? evidence_azure_for_broker(g, ev, &out, &warnings, &e)
                         : snp_for_broker(g, ev, &out, &warnings, &e);
        warn_of(g->all->userdata, warnings);
        if (r < 0)
                kbc_client_evidence_failed(g->client, r, &e);
        else
                kbc_client_evidence_ready(g->client, &out);
        blob_done(&out.json);
}

int evidence_for_broker(void *userdata, Generation *generation, const uint8_t *report_data, size_t size,
                        Deadline deadline, Error *e) {
        EvidenceRequest request = { .nonce = report_data, .nonce_size = size, .for_broker = true, .deadline = deadline };
        EvidenceJob *job; /* in the agent's list until it ends; holds the generation, and so the client, meanwhile */

        return evidence_start(userdata, generation, &request, on_broker_evidence, generation, &job, e);
}
